//! Events other than a pull request, and the other ways to show check runs.

use super::*;

/// The scene's gates, with these settings under `[publish]`.
fn with_publish(settings: &str) -> Scene {
    Scene::new(&format!("[publish]\n{settings}\n{GATES}"), Token::actions())
}

/// A step of the workflow that this event woke, of this commit.
fn woken(scene: &Scene, event: &str, git_ref: &str, payload: &Value) -> Command {
    write(&scene.beside("event.json"), &payload.to_string());
    let mut step = scene.step(1, &[]);
    step.env("GITHUB_EVENT_NAME", event).env("GITHUB_REF", git_ref);
    step
}

fn names(scene: &Scene) -> Vec<(String, String)> {
    let mut names: Vec<_> = scene.checks().into_iter().map(|(name, conclusion, _)| (name, conclusion)).collect();
    names.sort();
    names
}

fn shown(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, conclusion)| (name.to_owned(), conclusion.to_owned())).collect()
}

const EACH: &[(&str, &str)] = &[
    ("gatepost/build", "success"),
    ("gatepost/lint", "failure"),
    ("gatepost/test", "failure"),
    ("gatepost/web", "failure"),
];

#[test]
fn a_merge_group_is_judged_by_its_change_and_has_no_comment() {
    let scene = Scene::new(GATES, Token::actions());
    let payload = json!({
        "action": "checks_requested",
        "merge_group": {
            "head_sha": scene.head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc",
            "base_sha": scene.base, "base_ref": "refs/heads/main",
        },
        "repository": {"full_name": "octo/shop"},
    });
    let git_ref = "refs/heads/gh-readonly-queue/main/pr-7-abc";
    let ended = end(&mut woken(&scene, "merge_group", git_ref, &payload)).with_code(1);
    assert_eq!(names(&scene), shown(EACH), "{}", ended.out);
    let report = scene.report();
    assert_eq!(report["gates"][0]["reason"], "1 warning on changed lines");
    assert_eq!(
        (&report["subject"]["event"], &report["subject"]["pull_request"]),
        (&"merge_group".into(), &Value::Null)
    );
    assert_eq!(
        (report["subject"]["head"].as_str(), report["subject"]["base"].as_str()),
        (Some(&*scene.head), Some(&*scene.base))
    );
    assert_eq!((scene.comments().len(), scene.fake.requests("issues/*").len()), (0, 0));
    assert!(scene.text("summary.md").contains("3 of 4 gates failed"));
    scene.fake.finish();
}

#[test]
fn a_push_counts_everything_and_has_no_comment() {
    let scene = Scene::new(GATES, Token::actions());
    let payload = json!({
        "before": scene.base, "after": scene.head, "ref": "refs/heads/main",
        "repository": {"full_name": "octo/shop"},
    });
    let ended = end(&mut woken(&scene, "push", "refs/heads/main", &payload)).with_code(1);
    assert_eq!(names(&scene), shown(EACH), "{}", ended.out);
    let report = scene.report();
    assert_eq!(report["gates"][0]["reason"], "2 warnings");
    assert_eq!((&report["subject"]["event"], &report["subject"]["pull_request"]), (&"push".into(), &Value::Null));
    assert_eq!(scene.comments().len(), 0);
    assert!(scene.text("output").contains("verdict<<"));
    scene.fake.finish();
}

#[test]
fn a_comment_on_a_pull_request_wakes_a_job_that_does_not_judge_it() {
    let scene = Scene::new(GATES, Token::actions());
    let payload = json!({
        "action": "created", "issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": {"body": "hi"},
        "repository": {"full_name": "octo/shop"},
    });
    let mut woken = woken(&scene, "issue_comment", "refs/heads/main", &payload);
    let ended = end(woken.arg("--dry-run")).with_code(1);
    assert!(ended.out.contains("check-runs") && !ended.out.contains("comment on #7"), "{}", ended.out);
    assert_eq!(scene.report()["subject"]["pull_request"], Value::Null);
    scene.fake.finish();
}

#[test]
fn a_base_that_is_gone_is_not_blamed_on_a_shallow_clone() {
    let scene = Scene::new(GATES, Token::actions());
    let before = "4".repeat(40);
    let payload = json!({
        "before": before, "after": scene.head, "forced": true, "ref": "refs/heads/main",
        "repository": {"full_name": "octo/shop"},
    });
    end(woken(&scene, "push", "refs/heads/main", &payload).env_remove("GITHUB_TOKEN")).with_code(1);
    let notes = scene.report()["notes"].to_string();
    assert!(notes.contains("4444444 is not here and cannot be fetched") && !notes.contains("shallow"), "{notes}");
    scene.fake.finish();
}

#[test]
fn an_annotated_tag_is_judged_for_the_commit_that_it_names() {
    let scene = Scene::new(GATES, Token::actions());
    let payload = json!({
        "before": "0".repeat(40), "after": "5".repeat(40), "head_commit": {"id": scene.head}, "ref": "refs/tags/v1",
        "repository": {"full_name": "octo/shop"},
    });
    let ended = end(&mut woken(&scene, "push", "refs/tags/v1", &payload)).with_code(1);
    assert_eq!(names(&scene), shown(EACH), "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn one_check_run_for_the_whole_where_asked_for() {
    let scene = with_publish("checks = \"summary\"");
    let ended = scene.run(1).with_code(1);
    let mut checks = scene.checks();
    assert_eq!(checks.len(), 1, "{}", ended.out);
    let (name, conclusion, places) = checks.remove(0);
    assert_eq!((name.as_str(), conclusion.as_str()), ("gatepost", "failure"));
    for place in ["src/a.c:2", "src/a.c:3", "web/app.js:1"] {
        assert!(places.iter().any(|one| one == place), "{place}: {places:?}");
    }
    assert_eq!(scene.comments().len(), 1);
    scene.fake.finish();

    // Some of the gates are not the whole.
    let scene = with_publish("checks = \"summary\"");
    end(&mut scene.step(1, &["build"])).with_code(0);
    assert_eq!(scene.checks().len(), 0);
    scene.fake.finish();
}

#[test]
fn without_check_runs_the_commands_annotate() {
    let scene = with_publish("checks = \"off\"");
    let ended = scene.run(1).with_code(1);
    assert_eq!(scene.fake.requests("checks/create").len(), 0, "{}", scene.fake.recording());
    assert_eq!(scene.checks().len(), 0);
    for line in ["::warning title=-Wunused-variable,file=src/a.c,line=2", "::error title=removes,file=src/a.c,line=3"] {
        assert_eq!(ended.lines(line).len(), 1, "{line}: {}", ended.out);
    }
    assert_eq!(scene.comments().len(), 1);
    assert!(scene.text("summary.md").contains("3 of 4 gates failed"));
    scene.fake.finish();
}
