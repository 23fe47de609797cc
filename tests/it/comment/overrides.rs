//! `/override`: a gate that is not green, and a commit that may stand all the same. It is shown as what it is wherever it
//! counts, and counts only as long as GitHub still says so.

use super::{Chat, REPO};
use crate::github::Account;

const ALL: &str = "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef";

/// What becomes otherwise later.
type Change<'a> = &'a dyn Fn(&Chat);

/// A pull request whose gate has failed.
fn red() -> Chat {
    let chat = Chat::new("");
    chat.github(|github| github.repo(REPO).checks.clear());
    chat.check("failure", ALL);
    chat
}

/// It is overridden by Max, as GitHub has it.
fn overridden() -> Chat {
    let chat = red();
    chat.ask("max", "/override test flaky @octocat `x`").is(0, "done", "overridden");
    chat
}

#[test]
fn an_override_is_shown_as_one_and_lets_a_deploy_pass() {
    let chat = red();
    chat.ask("ana", &chat.confirmed()).is(3, "refused", "gates_not_green").says("`/rerun failed`");
    chat.ask("ana", "/override test flaky").is(3, "refused", "no_permission").says("maintain");
    chat.ask("max", "/override tset flaky").is(3, "refused", "unknown_gate").says("did you mean `test`");
    chat.ask("max", "/override test").is(2, "refused", "missing_argument");
    chat.ask("max", "/override test flaky @octocat `x`").is(0, "done", "overridden").says("is no pass");
    chat.github(|github| {
        let check = github.repo(REPO).checks.last().unwrap().clone();
        assert_eq!((check.name.as_str(), check.conclusion.as_deref()), ("gatepost/test", Some("neutral")));
        assert_eq!(
            (check.head_sha.as_str(), check.title.as_deref().unwrap()),
            (&*chat.head, "overridden by max: flaky @octocat `x`")
        );
        let summary = check.summary.unwrap();
        assert!(summary.contains("**overridden, not passed**: it ended in failure"), "{summary}");
        assert!(summary.contains("```text\nflaky @octocat `x`\n```"), "{summary}");
        assert!(check.external_id.unwrap().starts_with("gatepost:77.1:test:override:"));
    });
    let done = chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    let shown = chat.reply();
    assert!(shown.contains("overridden, not green: test by max: \"flaky @octocat `x`\""), "{shown}\n{}", done.err);
    assert!(!shown.contains("green: test ("), "{shown}");
    chat.github(|github| {
        let deployment = &github.repo(REPO).deployments[0];
        let payload = &deployment.given["payload"]["gatepost"]["overridden"];
        assert_eq!(*payload, serde_json::json!(["test by max: \"flaky @octocat `x`\""]));
        assert!(deployment.given["description"].as_str().unwrap().contains("overridden: test by max"));
    });
    chat.scene.call(&["status"]).with(0).says(&["not green, overridden: test by max"]);
    chat.scene.fake.unwrap().finish();
}

#[test]
fn a_gate_is_green_when_it_is_in_every_job() {
    let chat = Chat::new("");
    chat.check("failure", &format!("{ALL}:one:x"));
    chat.check("success", &format!("{ALL}:two:x"));
    chat.ask("max", "/override test flaky").is(0, "done", "overridden").says("it ended in failure");
    let chat = Chat::new("");
    chat.check("success", &format!("{ALL}:one:x"));
    chat.check("success", &format!("{ALL}:two:x"));
    chat.ask("max", "/override test flaky").is(3, "refused", "already_green");
}

#[test]
fn every_red_leg_is_overridden_by_its_name() {
    let chat = red();
    for (name, conclusion, job) in
        [("gatepost/test (1/3)", "failure", "one"), ("gatepost/test (2/3)", "success", "two")]
    {
        chat.check(conclusion, &format!("{ALL}:{job}:x"));
        chat.github(|github| github.repo(REPO).checks.last_mut().unwrap().name = name.to_owned());
    }
    chat.ask("max", "/override test flaky").is(0, "done", "overridden");
    let mut neutral = chat.github(|github| {
        let all = github.repo(REPO).checks.iter().filter(|one| one.conclusion.as_deref() == Some("neutral"));
        all.map(|one| one.name.clone()).collect::<Vec<_>>()
    });
    neutral.sort();
    assert_eq!(neutral, ["gatepost/test", "gatepost/test (1/3)"]);
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(chat.reply().contains("overridden, not green: test by max"), "{}", chat.reply());
}

#[test]
fn a_gate_that_turns_green_needs_no_override_and_a_red_rerun_keeps_it() {
    let chat = overridden();
    chat.check("failure", &ALL.replace("15.1", "15.2"));
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(chat.reply().contains("overridden, not green"), "{}", chat.reply());
    chat.check("success", &ALL.replace("15.1", "15.3"));
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(!chat.reply().contains("overridden"), "{}", chat.reply());
}

#[test]
fn a_push_after_the_comment_is_not_overridden() {
    let chat = red();
    let id = chat.say("max", "/override test flaky");
    // Pushed in between, and judged at once.
    let next = "e".repeat(40);
    chat.github(|github| {
        github.repo(REPO).push(7, &next);
        github.repo(REPO).run_times.insert(16, "2026-01-09T00:00:00Z".to_owned());
    });
    chat.run(16, &next, "pull_request", Some("failure"));
    chat.wake(id).is(3, "refused", "head_moved").says("was not seen on this pull request before");
    // The commit was known before, but on another branch.
    let chat = red();
    let id = chat.say("max", "/override test flaky");
    chat.github(|github| {
        github.repo(REPO).push(7, &next);
    });
    chat.run(16, &next, "push", Some("failure"));
    chat.github(|github| github.repo(REPO).runs.last_mut().unwrap().head_branch = Some("other".to_owned()));
    chat.wake(id).is(3, "refused", "head_moved");
    assert!(
        chat.github(|github| github.repo(REPO).checks.iter().all(|one| one.conclusion.as_deref() != Some("neutral")))
    );
}

#[test]
fn a_commit_that_was_pushed_again_is_not_what_was_read() {
    // The head was taken away, and what stood in its place was read.
    let moved = |at: &str| {
        let chat = red();
        chat.run(16, &"d".repeat(40), "pull_request", Some("failure"));
        chat.github(|github| github.repo(REPO).run_times.insert(16, at.to_owned()));
        chat
    };
    let chat = moved("2026-01-01T10:00:00Z");
    chat.ask("max", "/override test flaky").is(3, "refused", "head_moved").says("this pull request was at ddddddd");
    let chat = red();
    let id = chat.say("max", "/override test flaky");
    chat.run(17, &chat.head, "pull_request", None);
    chat.github(|github| github.repo(REPO).run_times.insert(17, "2026-01-09T00:00:00Z".to_owned()));
    chat.wake(id).is(3, "refused", "head_moved").says("was pushed again").says("write the comment again");
    // Before the head came, and on a branch of that name elsewhere, others may stand.
    let chat = moved("2025-12-31T10:00:00Z");
    chat.ask("max", "/override test flaky").is(0, "done", "overridden");
    let chat = moved("2026-01-01T10:00:00Z");
    chat.github(|github| {
        github.repo(REPO).runs.last_mut().unwrap().head_repository = Some("mallory/shop".to_owned());
    });
    chat.ask("max", "/override test flaky").is(0, "done", "overridden");
    // That it was the head of such a branch elsewhere says nothing of this pull request.
    let chat = red();
    chat.github(|github| {
        for run in github.repo(REPO).runs.iter_mut().filter(|run| run.head_sha == chat.head) {
            run.head_repository = Some("mallory/shop".to_owned());
        }
    });
    chat.ask("max", "/override test flaky")
        .is(3, "refused", "head_moved")
        .says("was not seen on this pull request before");
}

#[test]
fn an_override_is_of_the_gate_of_one_configuration() {
    let chat = red();
    chat.ask("max", "/override test flaky").is(0, "done", "overridden");
    let says = |config: &str, code: i32, decision: &str, reason: &str| {
        chat.github(|github| {
            let check = github.repo(REPO).checks.last_mut().unwrap();
            let id = check.external_id.take().unwrap();
            let start = id.split(':').take(5).collect::<Vec<_>>().join(":");
            check.external_id = Some(format!("{start}:{config}:-:-:-"));
        });
        let (_, report, err) = run_again_on_main(&chat);
        let is_overridden = !report["gates"][0]["overridden"].is_null();
        assert_eq!(is_overridden, code == 0, "{config}: {report:#}\n{err}");
        chat.github(|github| drop(github.repo(REPO).checks.pop()));
        chat.ask("ana", &chat.confirmed()).is(code, decision, reason);
    };
    let id = chat.github(|github| github.repo(REPO).checks.last().unwrap().external_id.clone().unwrap());
    assert!(id.ends_with(":fe6949ee.-:-:-:-:-"), "{id}");
    says("-", 3, "refused", "gates_not_green");
    says(&gatepost::publish::proof::of_place("web/gatepost.toml"), 3, "refused", "gates_not_green");
    says("fe6949ee.-", 0, "done", "live");
}

/// As [`run_again`]; then the work tree is as it was.
fn run_again_on_main(chat: &Chat) -> (i32, serde_json::Value, String) {
    let ran = run_again(chat);
    chat.scene.tree.git(&["checkout", "--quiet", "--force", "main"]);
    ran
}

#[test]
fn what_does_not_hold_any_more_does_not_count() {
    let changes: [(&str, Change<'_>); 8] = [
        ("may not override gates", &|chat| {
            chat.github(|github| {
                github.repo(REPO).collaborator("max", "write");
            });
        }),
        ("was edited, or is a bot's", &|chat| {
            chat.github(|github| {
                let all = &mut github.repo(REPO).comments;
                let comment = all.iter_mut().find(|one| one.author == Account::user("max")).unwrap();
                "2026-02-01T00:00:00Z".clone_into(&mut comment.updated_at);
            });
        }),
        ("is gone", &|chat| {
            chat.github(|github| github.repo(REPO).comments.retain(|one| one.author != Account::user("max")));
        }),
        ("was not woken by a comment", &|chat| {
            chat.github(|github| {
                let run = github.repo(REPO).runs.iter_mut().find(|run| run.id == super::RUN).unwrap();
                run.event = "pull_request".to_owned();
            });
        }),
        ("does not say so", &|chat| {
            // Another comment of the same person.
            let id = chat.say("max", "/status");
            chat.check("neutral", &format!("gatepost:77.1:test:override:{id}:fe6949ee.-"));
        }),
        ("the commit was pushed again after the comment", &|chat| {
            chat.run(17, &chat.head, "pull_request", None);
            chat.github(|github| github.repo(REPO).run_times.insert(17, "2026-01-09T00:00:00Z".to_owned()));
        }),
        ("the commit came after the comment", &|chat| {
            chat.github(|github| {
                github.repo(REPO).run_times.insert(15, "2026-01-09T00:00:00Z".to_owned());
            });
        }),
        ("it ended in fail", &|chat| {
            // Another app says so.
            chat.github(|github| github.repo(REPO).checks.last_mut().unwrap().owner = Account::app(77, "evil"));
        }),
    ];
    for (why, change) in changes {
        let chat = overridden();
        change(&chat);
        chat.ask("ana", &chat.confirmed()).is(3, "refused", "gates_not_green").says(why);
        assert_eq!(chat.scene.runs(), [""; 0], "{why}");
    }
}

#[test]
fn an_override_that_cannot_be_looked_at_refuses() {
    let chat = overridden();
    let id = chat.say("ana", &chat.confirmed());
    // The first is Ana's, as is the second of the evidence Max's.
    chat.fake().fault("repos/get-collaborator-permission-level").nth(2).refuse(403);
    chat.wake(id).is(3, "refused", "gates_not_green").says("unavailable");
}

#[test]
fn a_gate_that_never_ended_can_be_overridden() {
    let chat = red();
    chat.github(|github| github.repo(REPO).checks.clear());
    chat.ask("max", "/override test the runner died").is(0, "done", "overridden").says("it did not run");
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(chat.reply().contains("overridden, not green"), "{}", chat.reply());
}

/// The pull request's own run, after its gate was overridden and still fails.
fn run_again(chat: &Chat) -> (i32, serde_json::Value, String) {
    by_the_pull_request(chat, &["run", "--json"])
}

/// What a job of the pull request's own run says, whose gate still fails.
fn by_the_pull_request(chat: &Chat, arguments: &[&str]) -> (i32, serde_json::Value, String) {
    chat.scene.tree.git(&["checkout", "--quiet", "feature"]);
    let config = std::fs::read_to_string(chat.scene.tree.dir.join("gatepost.toml")).unwrap();
    chat.scene.tree.write("gatepost.toml", config.replace("command = \"true\"", "command = \"false\""));
    let event = serde_json::json!({
        "pull_request": { "number": 7, "head": { "sha": chat.head, "ref": "feature", "repo": { "full_name": REPO } },
                          "base": { "sha": chat.scene.tree.sha("main").to_string(), "ref": "main", "repo": { "full_name": REPO } } },
    });
    let command = chat.command("pull_request", &event, "ana");
    let mut run = chat.scene.command(arguments);
    run.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = run.env("GITHUB_REF", "refs/pull/7/merge").output().unwrap();
    let json = serde_json::from_slice(&done.stdout).unwrap_or_default();
    (done.status.code().unwrap(), json, String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn a_later_run_shows_it_in_report_check_run_and_comment() {
    let chat = red();
    let (code, report, err) = run_again(&chat);
    assert_eq!((code, &report["gates"][0]["overridden"]), (1, &serde_json::Value::Null), "{err}");
    let chat = overridden();
    let (code, report, err) = run_again(&chat);
    let gate = &report["gates"][0];
    assert_eq!((code, &gate["outcome"]), (0, &serde_json::json!("fail")), "{report:#} {err}");
    assert_eq!(gate["overridden"], "by max: \"flaky @octocat `x`\"");
    assert_eq!(report["verdict"], "skipped", "nothing else was judged");
    assert!(err.contains("overridden by max"), "{err}");
    chat.github(|github| {
        let check = github.repo(REPO).checks.last().unwrap();
        assert_eq!(check.conclusion.as_deref(), Some("neutral"));
        assert!(
            check.title.as_ref().unwrap().starts_with("overridden by max: \"flaky @octocat `x`\": fail"),
            "{check:?}"
        );
    });
    let comment = chat.reply();
    assert!(!comment.contains("passed") || comment.contains("overridden"), "{comment}");
    // And it still lets a deploy pass, as what it is.
    chat.scene.tree.git(&["checkout", "--quiet", "--force", "main"]);
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(chat.reply().contains("overridden, not green"), "{}", chat.reply());
}

#[test]
fn several_jobs_show_it_in_their_one_verdict() {
    let chat = red();
    let joined = || {
        by_the_pull_request(&chat, &["run", "test", "--output", "../job"]);
        by_the_pull_request(&chat, &["publish", "../job", "--json"])
    };
    let (code, report, err) = joined();
    assert_eq!((code, &report["verdict"]), (1, &serde_json::json!("fail")), "{report:#} {err}");
    chat.scene.tree.git(&["checkout", "--quiet", "--force", "main"]);
    chat.ask("max", "/override test flaky").is(0, "done", "overridden");
    let (code, report, err) = joined();
    let gate = &report["gates"][0];
    assert_eq!((code, &gate["outcome"]), (0, &serde_json::json!("fail")), "{report:#} {err}");
    assert_eq!(
        (&gate["overridden"], &report["verdict"]),
        (&serde_json::json!("by max: \"flaky\""), &serde_json::json!("skipped"))
    );
    assert!(chat.reply().contains("overridden"), "{}", chat.reply());
    // A report that says so itself is not believed.
    chat.github(|github| github.repo(REPO).collaborator("max", "write").checks.len());
    let (code, report, err) = by_the_pull_request(&chat, &["publish", "../job", "--json"]);
    assert_eq!((code, &report["gates"][0]["overridden"]), (1, &serde_json::Value::Null), "{err}");
    assert!(report["notes"].to_string().contains("its override does not count"), "{}", report["notes"]);
}

#[test]
fn an_override_that_does_not_count_changes_no_run() {
    let chat = overridden();
    chat.github(|github| {
        github.repo(REPO).collaborator("max", "write");
    });
    let (code, report, err) = run_again(&chat);
    assert_eq!((code, &report["verdict"]), (1, &serde_json::json!("fail")), "{err}");
    assert!(report["notes"].to_string().contains("its override does not count"), "{}", report["notes"]);
}
