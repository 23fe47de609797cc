//! A newer check run hides an older one of its name on GitHub: none that is green may hide a red one of another leg, of
//! another configuration, or of a run that looked at more.

use std::process::Command;

use serde_json::json;

use super::{Scene, TOKEN, end, write};
use crate::github::{Fault, Token};

/// Ends as `LEG` says.
const TEST: &str = "[run]\npass-env = [\"LEG\"]\n[gates.test]\nkind = \"command\"\ncommand = \"exit $LEG\"\n";

fn concluded(scene: &Scene) -> Vec<String> {
    scene.checks().into_iter().map(|(name, conclusion, _)| format!("{name} {conclusion}")).collect()
}

fn ends(command: &mut Command, code: i32) -> super::Ended {
    end(command.env("LEG", code.to_string())).with_code(code)
}

#[test]
fn each_leg_of_a_matrix_has_a_check_run_of_its_own() {
    let scene = Scene::new(TEST, Token::actions());
    for (leg, code) in [("0/2", 1), ("1/2", 0), ("0/1", 0)] {
        ends(scene.step(5, &["--output", "../test"]).env("GITHUB_JOB", "test").env("GATEPOST_LEG", leg), code);
    }
    for (name, code) in [("macos 15", 0), ("none", 1)] {
        let mut step = scene.step(5, &["--output", "../test"]);
        ends(step.env("GITHUB_JOB", "named").env("GATEPOST_LEG", "0/2").env("GATEPOST_LEG_NAME", name), code);
    }
    let expected = [
        "gatepost/test (1/2) failure",
        "gatepost/test (2/2) success",
        "gatepost/test success",
        "gatepost/test (leg macos-15) success",
        "gatepost/test failure",
    ];
    assert_eq!(concluded(&scene), expected);
    scene.fake.finish();
}

#[test]
fn what_a_leg_has_posted_is_not_posted_again_for_the_whole() {
    let scene = Scene::new(TEST, Token::actions());
    ends(scene.step(5, &["--output", "../test"]).env("GITHUB_JOB", "test").env("GATEPOST_LEG", "1/2"), 1);
    let publish = || {
        let mut publish = scene.call(5, &["publish", "../test"]);
        publish.env("GITHUB_JOB", "verdict").env("GATEPOST_LEG", "0/1");
        publish
    };
    ends(&mut publish(), 1);
    assert_eq!(concluded(&scene), ["gatepost/test (2/2) failure"]);
    // Of another conclusion the leg's word is not the whole's, whatever the leg says later.
    scene.fake.with(|github| github.repo("octo/shop").checks[0].conclusion = Some("success".to_owned()));
    ends(&mut publish(), 1);
    scene.fake.with(|github| github.repo("octo/shop").checks[0].conclusion = Some("failure".to_owned()));
    ends(&mut publish(), 1);
    assert_eq!(concluded(&scene), ["gatepost/test (2/2) failure", "gatepost/test failure"]);
    scene.fake.finish();
}

#[test]
fn each_configuration_has_check_runs_of_its_own() {
    let whole = format!("[publish]\nchecks = \"summary\"\n{TEST}");
    let change = |root: &std::path::Path| {
        write(&root.join("web/gatepost.toml"), TEST);
        write(&root.join("api/.github/gatepost.toml"), &whole);
        write(&root.join("nightly.toml"), TEST);
    };
    let scene = Scene::with(TEST, change, |github| _ = github.token(TOKEN, Token::actions()));
    ends(&mut scene.call(5, &["-C", "web", "run"]), 1);
    ends(&mut scene.call(5, &["-C", "api", "run"]), 1);
    ends(&mut scene.call(5, &["--config", "nightly.toml", "run"]), 1);
    ends(&mut scene.call(5, &["run"]), 0);
    let expected = [
        "gatepost/web/test failure",
        "gatepost/api/* failure",
        "gatepost/nightly.toml/test failure",
        "gatepost/test success",
    ];
    assert_eq!(concluded(&scene), expected);
    scene.fake.finish();
}

#[test]
fn two_uploads_to_code_scanning_are_told_apart() {
    let change = |root: &std::path::Path| write(&root.join("web/gatepost.toml"), TEST);
    let scene = Scene::with(TEST, change, |github| _ = github.token(TOKEN, Token::actions()));
    let step = ["-C", "web", "run", "--sarif", "../../log.sarif"];
    ends(scene.call(5, &step).env("GITHUB_JOB", "test").env("GATEPOST_LEG", "0/2"), 0);
    let log: serde_json::Value = serde_json::from_str(&scene.text("log.sarif")).unwrap();
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "gatepost/web/test (1/2)/");
    scene.fake.finish();
}

/// A step of a run that a push to this branch woke.
fn pushed(scene: &Scene, branch: &str) -> Command {
    let git_ref = format!("refs/heads/{branch}");
    let payload = json!({
        "before": scene.base, "after": scene.head, "ref": git_ref,
        "repository": {"full_name": "octo/shop", "default_branch": "main"},
    });
    write(&scene.beside("push.json"), &payload.to_string());
    let mut step = scene.step(6, &[]);
    step.env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", git_ref)
        .env("GITHUB_EVENT_PATH", scene.beside("push.json"));
    step
}

#[test]
fn a_push_does_not_hide_what_is_red_in_the_pull_request() {
    let scene = Scene::new(TEST, Token::actions());
    ends(&mut scene.step(5, &[]), 1);
    // What is red hides nothing.
    ends(&mut pushed(&scene, "feature"), 1);
    write(&scene.beside("summary.md"), "");
    let ended = ends(&mut pushed(&scene, "feature"), 0);
    let says = "check run gatepost/test left alone: the run of pull_request has said worse of this commit";
    assert_eq!(ended.out.matches(says).count(), 1, "{}", ended.out);
    assert_eq!(scene.text("summary.md").matches("Left alone: check run `gatepost/test`:").count(), 1);
    assert_eq!(concluded(&scene), ["gatepost/test failure", "gatepost/test failure"]);
    // Merged as it is: the branch was judged from where it stood before.
    ends(&mut pushed(&scene, "main"), 0);
    assert_eq!(concluded(&scene)[2..], ["gatepost/test success"]);
    // The pull request's own run decides about it, and a push that nothing contradicts is posted.
    ends(&mut scene.step(7, &[]), 0);
    ends(&mut pushed(&scene, "other"), 0);
    assert_eq!(concluded(&scene)[3..], ["gatepost/test success", "gatepost/test success"]);
    scene.fake.finish();
}

#[test]
fn a_gate_that_is_not_for_a_push_does_not_hide_its_red() {
    let scene = Scene::new(&format!("{TEST}when = [\"pull_request\"]\n"), Token::actions());
    ends(&mut scene.step(5, &[]), 1);
    for branch in ["main", "feature"] {
        ends(&mut pushed(&scene, branch), 0);
    }
    assert_eq!(concluded(&scene), ["gatepost/test failure"]);
    scene.fake.finish();
}

#[test]
fn where_it_is_not_known_what_would_be_hidden_nothing_greener_is_posted() {
    let scene = Scene::new(TEST, Token::actions());
    scene.fake.fault("checks/list-for-ref").strike(Fault::Refuse(404));
    let ended = ends(&mut pushed(&scene, "feature"), 0);
    let says = "check run gatepost/test could not be posted: it is not posted, as whether it would hide a worse one";
    assert!(ended.out.contains(says), "{}", ended.out);
    assert_eq!(scene.checks().len(), 0);
    scene.fake.finish();
}

#[test]
fn a_status_hides_no_worse_one_either() {
    let scene = Scene::new(TEST, Token::personal("mona"));
    ends(&mut scene.step(5, &[]), 1);
    let ended = ends(&mut pushed(&scene, "feature"), 0);
    assert!(ended.out.contains("gatepost/test left alone: another run has said worse"), "{}", ended.out);
    let states = scene
        .fake
        .with(|github| github.repo("octo/shop").statuses.iter().map(|one| one.state.clone()).collect::<Vec<_>>());
    assert_eq!(states, ["failure"]);
    scene.fake.finish();
}
