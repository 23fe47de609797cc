//! Who is told of a deploy: notifiers, the pull request, the job. Whatever becomes of that, the deploy ends as it does.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use gatepost::model::deployment::Ending;
use gatepost::model::sha::Sha;
use gatepost::model::story::{Deed, Proofs, Story};
use gatepost::publish::deployed;
use serde_json::{Value, json};

use super::locks::until;
use super::service::{Service, reply};
use super::{On, Ran, Scene};
use crate::bless;
use crate::github::Token;

const ROUTE: &str = "\n[notify.webhook]\nurl = \"env:HOOK\"\nsecret = \"env:HOOK_KEY\"\n";

/// Somebody who is told, and answers so.
struct Hook {
    service: Service,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    fn answering(scene: &mut Scene, status: &'static str) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&told);
        let answer = move |asked: &super::service::Asked, _: &std::path::Path| {
            kept.lock().unwrap().push(serde_json::from_str(&asked.body).unwrap());
            Some(reply(status, ""))
        };
        let service = Service::answering(scene.tree.dir.with_file_name("hook"), Arc::new(answer));
        scene.env.push(("HOOK".to_owned(), service.url()));
        scene.env.push(("HOOK_KEY".to_owned(), "a key for signatures".to_owned()));
        Self { service, told }
    }

    fn new(scene: &mut Scene) -> Self {
        Self::answering(scene, "200 OK")
    }

    /// The events since the last time.
    fn events(&self) -> Vec<String> {
        let told: Vec<Value> = std::mem::take(&mut *self.told.lock().unwrap());
        told.iter().map(|one| one["type"].as_str().unwrap().trim_start_matches("gatepost.").to_owned()).collect()
    }

    fn texts(&self) -> String {
        self.told.lock().unwrap().iter().map(Value::to_string).collect()
    }
}

#[test]
fn every_event_of_a_deploy_is_told() {
    let mut scene = Scene::new(On::File, ROUTE);
    let hook = Hook::new(&mut scene);
    scene.call(&["deploy", "staging"]).with(3);
    assert_eq!(hook.events(), ["deploy.refused"]);
    scene.deploy().with(0);
    assert_eq!(hook.events(), ["deploy.started", "deploy.succeeded"]);
    scene.commit(Some("sick"));
    scene.deploy().with(5);
    assert_eq!(hook.events(), ["deploy.started", "deploy.failed", "rollback"]);
    scene.call(&["lock", "staging", "--reason", "a look"]).with(0);
    scene.call(&["rollback", "staging"]).with(3);
    scene.call(&["unlock", "staging"]).with(0);
    assert_eq!(hook.events(), ["locked", "rollback.refused", "unlocked"]);
    scene.call(&["adopt", "staging", "--sha", &scene.live()]).with(0);
    assert_eq!(hook.events(), ["adopted"]);
    scene.commit(None);
    scene.deploy().with(0);
    hook.events();
    scene.call(&["rollback", "staging"]).with(0).says(&["from the decision to the old version: "]);
    assert_eq!(hook.events(), ["rollback"]);
    scene.call(&["recover", "staging"]).with(0);
    scene.call(&["status"]).with(0);
    assert_eq!(hook.events(), [""; 0]);
}

#[test]
fn what_a_signal_cut_off_and_a_recovery_settled_is_told() {
    let mut scene = Scene::new(On::File, ROUTE);
    let hook = Hook::new(&mut scene);
    scene.deploy().with(0);
    scene.commit(Some("slow"));
    scene.judged();
    hook.events();
    let child = scene.command(&["deploy", "staging"]).spawn().unwrap();
    let begun = std::time::Instant::now();
    while scene.runs().len() < 2 && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert_eq!(hook.events(), ["deploy.started", "deploy.inconclusive"]);
    scene.call(&["recover", "staging"]).with(0);
    assert_eq!(hook.events(), ["rollback"]);
}

#[test]
fn a_notifier_that_fails_changes_nothing_and_is_reported() {
    for status in ["400 Bad Request", "410 Gone"] {
        let mut scene = Scene::new(On::File, ROUTE);
        let hook = Hook::answering(&mut scene, status);
        scene.deploy().with(0).says(&["live: verified", "not told: deploy.started by webhook: ", &status[..3]]);
        assert_eq!(hook.events().len(), 2);
        scene.commit(Some("sick"));
        let ran = scene.judged().call(&["deploy", "staging", "--json"]).with(5);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let told = json["told"].as_array().unwrap();
        let states: Vec<&Value> = told.iter().map(|one| &one["state"]).collect();
        assert_eq!(states, [&json!("failed"); 3]);
        assert_eq!(json["outcome"], "rolled_back");
        scene.call(&["lock", "staging"]).with(0).says(&["not told: locked by webhook"]);
        drop(hook.service);
    }
    // Nobody is there at all.
    let mut scene = Scene::new(On::File, ROUTE);
    scene.env.push(("HOOK_KEY".to_owned(), "a key for signatures".to_owned()));
    scene.deploy().with(0).says(&["not told: deploy.started by webhook: the variable HOOK is not set"]);
}

#[test]
fn a_dry_run_shows_what_would_be_told_and_tells_nothing() {
    let mut scene = Scene::new(On::File, ROUTE);
    let hook = Hook::new(&mut scene);
    scene
        .judged()
        .call(&["deploy", "staging", "--dry-run"])
        .with(0)
        .says(&["would tell: deploy.started by webhook", "would tell: deploy.succeeded by webhook"]);
    scene.call(&["lock", "staging", "--dry-run"]).with(0).says(&["would tell: locked by webhook"]);
    assert_eq!(hook.events(), [""; 0]);
}

#[test]
fn no_secret_is_told() {
    let mut scene = Scene::new(On::File, ROUTE);
    let hook = Hook::new(&mut scene);
    scene.env.push(("SHOP_TOKEN".to_owned(), "s3cr3t-of-the-shop".to_owned()));
    scene.call(&["lock", "staging", "--reason", "because of s3cr3t-of-the-shop"]).with(0);
    assert!(hook.texts().contains("because of") && !hook.texts().contains("s3cr3t-of-the-shop"), "{}", hook.texts());
}

#[test]
fn environments_that_are_told_of_are_configured() {
    let scene = Scene::new(On::File, &format!("{ROUTE}environments = [\"stagin\"]\n"));
    scene.call(&["status"]).with(2).says(&[
        "there is no environment named \"stagin\"",
        "environments = [\"stagin\"]",
        "did you mean `staging`?",
    ]);
}

/// A deploy in a workflow of a repository whose HEAD came from the pull request #7.
fn in_a_workflow(more: &str) -> Scene {
    let mut scene = Scene::new(On::GitHub, more);
    scene.fake.as_ref().unwrap().with(|github| {
        github.token("ghs_shop", Token::actions().limited(1_000_000));
    });
    scene.tree.write("../event.json", "{}");
    let place = scene.tree.dir.with_file_name("runner");
    std::fs::create_dir_all(&place).unwrap();
    let file = |name: &str| place.join(name).display().to_string();
    for (name, value) in [
        ("GITHUB_TOKEN", "ghs_shop".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", "workflow_dispatch".to_owned()),
        ("GITHUB_EVENT_PATH", scene.tree.dir.with_file_name("event.json").display().to_string()),
        ("GITHUB_RUN_ID", "1001".to_owned()),
        ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
        ("GITHUB_WORKFLOW", "deploy".to_owned()),
        ("GITHUB_ACTOR", "ana".to_owned()),
        ("GITHUB_SERVER_URL", "https://github.test".to_owned()),
        ("GITHUB_STEP_SUMMARY", file("summary.md")),
        ("GITHUB_OUTPUT", file("outputs")),
    ] {
        scene.env.push((name.to_owned(), value));
    }
    came_from_a_pull_request(&scene);
    scene
}

fn came_from_a_pull_request(scene: &Scene) {
    let head = scene.head();
    scene.fake.as_ref().unwrap().with(|github| {
        let base = "0".repeat(40);
        github.repo("octo/shop").pull(7, &head, &base);
    });
}

fn command(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.command(arguments);
    command.env("GITHUB_SHA", scene.head()).env("GITHUB_REF", "refs/heads/main");
    command
}

fn run(scene: &Scene, arguments: &[&str]) -> Ran {
    let done = command(scene, arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
}

fn comments(scene: &Scene) -> Vec<String> {
    scene
        .fake
        .as_ref()
        .unwrap()
        .with(|github| github.repo("octo/shop").comments.iter().map(|comment| comment.body.clone()).collect())
}

fn runner_file(scene: &Scene, name: &str) -> String {
    let file = scene.tree.dir.with_file_name("runner").join(name);
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(file);
    text
}

#[test]
fn one_comment_for_each_deployment_the_summary_and_the_outputs_say_how_it_went() {
    let scene = in_a_workflow("");
    let good = scene.head();
    run(&scene, &["run", "--all-files", "--publish", "never"]).with(0);
    run(&scene, &["deploy", "staging"]).with(0);
    let said = comments(&scene);
    let [body] = &said[..] else { panic!("{said:?}") };
    let short = &good[..7];
    for part in [
        &format!("### ✅ Deploy of `{short}` to `staging`: live and verified"),
        &format!("| Commit | [`{short}`](https://github.test/octo/shop/commit/{good})"),
        "| By | `deploy of ana` |",
        "- ✅ `test`: report of",
        "healthy: 2 good rounds in a row",
        "[the run](https://github.test/octo/shop/actions/runs/1001",
    ] {
        assert!(body.contains(part), "{part} is not in\n{body}");
    }
    assert!(runner_file(&scene, "summary.md").contains(body.split_once('\n').unwrap().1.trim()));
    let outputs = runner_file(&scene, "outputs");
    for (name, value) in [("ending", "live"), ("deployed-sha", &good), ("environment", "staging")] {
        assert!(outputs.contains(&format!("\n{value}\n")) && outputs.contains(&format!("{name}<<")), "{outputs}");
    }
    let bad = scene.commit(Some("sick"));
    came_from_a_pull_request(&scene);
    run(&scene, &["run", "--all-files", "--publish", "never"]).with(0);
    run(&scene, &["deploy", "staging"]).with(5);
    let said = comments(&scene);
    assert_eq!(said.len(), 2, "one for each deployment, the rollback's in that of what it undid");
    let body = &said[1];
    for part in [
        &format!("### ↩️ Deploy of `{}` to `staging` failed: rolled back to `{short}`", &bad[..7]),
        "| Why |",
        "| Old version back |",
        "failed: ",
        "rolling back to",
    ] {
        assert!(body.contains(part), "{part} is not in\n{body}");
    }
    assert!(runner_file(&scene, "outputs").contains("\nrolled_back\n"));
    assert!(runner_file(&scene, "summary.md").contains("### ↩️ Deploy of"));
    run(&scene, &["status"]).with(0);
    let summary = runner_file(&scene, "summary.md");
    assert!(summary.contains(&format!("| `staging` | `{short}` |")) && summary.contains("✅ healthy"), "{summary}");
    let fake = scene.fake.as_ref().unwrap();
    let updates = fake.requests("issues/update-comment").len();
    assert!(updates <= 6, "{updates} updates of two comments in a few seconds");
}

#[test]
fn another_runs_recovery_continues_the_comment_of_a_deploy_that_was_killed() {
    let mut scene = in_a_workflow("requires = []\n");
    let good = scene.head();
    run(&scene, &["deploy", "staging"]).with(0);
    scene.commit(Some("slow"));
    came_from_a_pull_request(&scene);
    let mut killed = command(&scene, &["deploy", "staging"]).stdout(Stdio::null()).spawn().unwrap();
    until("its comment is there", || scene.runs().len() == 2 && comments(&scene).len() == 2);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(comments(&scene)[1].contains("going on"), "{:?}", comments(&scene));
    scene.env.push(("GITHUB_RUN_ID".to_owned(), "1002".to_owned()));
    run(&scene, &["recover", "staging"]).with(0).says(&["taken over", "rolled back"]);
    let said = comments(&scene);
    assert_eq!(said.len(), 2, "{said:?}");
    let headline = format!("### ↩️ Recovery of `staging`: rolled back to `{}`", &good[..7]);
    assert!(said[1].contains(&headline) && said[1].contains("/octo/shop/actions/runs/1002"), "{}", said[1]);
}

/// The text of which `docs/pictures/make.sh` makes the picture.
#[test]
fn the_page_is_the_one_in_the_picture() {
    let [bad, good] = ["ca7ad16bbca9d82536acfe748fa4cec476514e24", "068cec1549a085b79456a643fc8bf28155bb01e9"]
        .map(|sha| Sha::parse(sha).unwrap());
    let sick = "https://staging.shop.example/api/health answered 503 (16 times in a row)";
    let stages = [
        (90, "locked staging (GitHub ledger)".to_owned()),
        (460, "deployment 3120: deploy of ca7ad16".to_owned()),
        (8_200, "deployed ca7ad16".to_owned()),
        (12_500, format!("failed: {sick}")),
        (12_500, "rolling back to 068cec1".to_owned()),
        (12_900, "deployment 3121: rollback of 068cec1".to_owned()),
        (18_700, "deployed 068cec1".to_owned()),
        (19_100, "healthy: 2 good rounds in a row, 2 in all".to_owned()),
    ];
    let story = Story {
        sha: Some(bad),
        reference: Some("main".to_owned()),
        previous: Some(good.clone()),
        by: "deploy of ada".to_owned(),
        evidence: Proofs {
            green: ["lint", "test", "audit"]
                .iter()
                .zip(501..)
                .map(|(gate, id)| ((*gate).to_owned(), format!("check run {id}")))
                .collect(),
            ..Proofs::default()
        },
        deployments: vec!["3120".to_owned(), "3121".to_owned()],
        stages: stages.into_iter().map(|(ms, says)| (std::time::Duration::from_millis(ms), says)).collect(),
        ending: Some(Ending::RolledBack { why: sick.to_owned(), to: good, verified: true }),
        rollback_took: Some(std::time::Duration::from_millis(6_600)),
        url: Some("https://staging.shop.example".to_owned()),
        run: Some("https://github.com/octo/shop/actions/runs/1001".to_owned()),
        repository: Some("octo/shop".to_owned()),
        ..Story::new(Deed::Deploy, "staging")
    };
    let picture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/deploy.md");
    bless::compare(&picture, &deployed::page(&story, "https://github.com", &[]));
}

#[test]
fn a_comment_that_cannot_be_written_changes_nothing() {
    let scene = in_a_workflow("");
    run(&scene, &["run", "--all-files", "--publish", "never"]).with(0);
    scene.fake.as_ref().unwrap().fault("issues/create-comment").refuse(403);
    run(&scene, &["deploy", "staging"]).with(0).says(&["live: verified", "not told: comment on #7: "]);
    assert_eq!(comments(&scene), [""; 0]);
    // The evidence asks for the pull requests as well, and first; the second answer is asked for again.
    let scene = in_a_workflow("");
    run(&scene, &["run", "--all-files", "--publish", "never"]).with(0);
    scene.fake.as_ref().unwrap().fault("repos/list-pull-requests-associated-with-commit").nth(2).refuse(403);
    run(&scene, &["deploy", "staging"]).with(0);
    assert_eq!(comments(&scene).len(), 1);
}

#[test]
fn a_commit_of_no_pull_request_gets_no_comment() {
    let scene = in_a_workflow("");
    scene.commit(None);
    run(&scene, &["run", "--all-files", "--publish", "never"]).with(0);
    run(&scene, &["deploy", "staging"]).with(0);
    assert_eq!(comments(&scene), [""; 0]);
    // One that is refused gets none either: the job's summary says it.
    scene.commit(None);
    run(&scene, &["deploy", "staging"]).with(3);
    let summary = runner_file(&scene, "summary.md");
    assert!(summary.contains("### ⛔ Deploy of") && summary.contains("it has no result"), "{summary}");
    assert!(runner_file(&scene, "outputs").contains("\nrefused\n"));
}
