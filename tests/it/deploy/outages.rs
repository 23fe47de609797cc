//! GitHub that cannot be reached, and replies that are lost.

use serde_json::json;

use super::crashes::hasty;
use super::{On, Scene};
use crate::github::Fault;

#[test]
fn a_rollback_works_without_github_and_is_sent_there_later() {
    let mut scene = hasty(On::GitHub);
    let first = scene.head();
    scene.call(&["deploy", "staging"]).with(0);
    let second = scene.commit(None);
    scene.call(&["deploy", "staging"]).with(0);
    assert_eq!(scene.live(), second);
    let api = scene.env.iter().position(|(name, _)| name == "GITHUB_API_URL").unwrap();
    let url = std::mem::replace(&mut scene.env[api].1, "http://127.0.0.1:9".to_owned());
    scene.call(&["deploy", "staging"]).with(4);
    scene.call(&["rollback", "staging"]).with(0).says(&[
        "GitHub cannot be reached",
        "by what was seen there",
        "rolling back to",
    ]);
    assert_eq!(scene.live(), first);
    scene.env[api].1 = url;
    scene.call(&["recover", "staging"]).with(0).says(&["sent to GitHub"]);
    let status = scene.status();
    assert_eq!((&status["sha"], &status["lock"]), (&json!(first), &json!(null)));
    scene.call(&["recover", "staging"]).with(0);
    let fake = scene.fake.as_ref().unwrap();
    let roles = fake.with(|github| {
        let deployments = &github.repo("octo/shop").deployments;
        deployments.iter().map(|one| one.given["payload"]["gatepost"]["role"].clone()).collect::<Vec<_>>()
    });
    assert_eq!(roles, [json!("deploy"), json!("deploy"), json!("rollback")], "sent once");
}

#[test]
fn what_was_done_without_github_and_replaced_since_is_not_live() {
    let mut scene = hasty(On::GitHub);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config + "production = true\n").commit("production");
    scene.known();
    let first = scene.head();
    scene.call(&["deploy", "staging"]).with(0);
    scene.commit(None);
    scene.call(&["deploy", "staging"]).with(0);
    let third = scene.commit(None);
    let other = scene.tree.beside("other", &["clone", "--quiet", "."]);
    let api = scene.env.iter().position(|(name, _)| name == "GITHUB_API_URL").unwrap();
    let url = std::mem::replace(&mut scene.env[api].1, "http://127.0.0.1:9".to_owned());
    scene.call(&["rollback", "staging"]).with(0).says(&["GitHub cannot be reached"]);
    assert_eq!(scene.live(), first);
    // Elsewhere it can.
    scene.env[api].1 = url;
    let done = scene.command(&["deploy", "staging"]).current_dir(&other.dir).output().unwrap();
    assert!(done.status.success() && scene.live() == third, "{}", String::from_utf8_lossy(&done.stdout));
    scene.call(&["recover", "staging"]).with(0).says(&["sent to GitHub"]);
    let status = scene.status();
    assert_eq!((&status["sha"], &status["health"]), (&json!(third), &json!("healthy")), "{status}");
    let (last, production) = scene.fake.as_ref().unwrap().with(|github| {
        let late = &github.repo("octo/shop").deployments[3];
        (late.statuses.last().unwrap().given.clone(), late.given["production_environment"].clone())
    });
    assert_eq!((&last["state"], production), (&json!("inactive"), json!(true)), "{last}");
    // What is undone next is what is there; the second was undone, and the first was live again.
    scene.call(&["rollback", "staging"]).with(0).says(&["rolling back to"]);
    assert_eq!(scene.live(), first);
}

#[test]
fn a_deploy_that_fails_when_github_is_gone_says_that_it_was_not_rolled_back() {
    let mut scene = hasty(On::GitHub);
    let first = scene.head();
    scene.call(&["deploy", "staging"]).with(0);
    scene.commit(Some("broken"));
    // One deployment and its begin are recorded, and nothing after them.
    scene.fake.as_ref().unwrap().on("repos/create-deployment", 2, |github| {
        github.token("secret", crate::github::Token::personal("ana").without(crate::github::Scope::Deployments));
    });
    scene.call(&["deploy", "staging"]).with(4).says(&[
        "not settled: exit status 3: no space left; not rolled back: it could not be recorded",
        "its end could not be recorded",
        "next: gatepost rollback staging\n",
    ]);
    let api = scene.env.iter().position(|(name, _)| name == "GITHUB_API_URL").unwrap();
    scene.env[api].1 = "http://127.0.0.1:9".to_owned();
    scene.call(&["rollback", "staging"]).with(0).says(&["GitHub cannot be reached"]);
    assert_eq!(scene.live(), first);
}

/// One deployment for each intent, and one end for each deployment, whatever reply is lost.
fn settled_once(operation: &str, nth: usize, fault: &Fault) {
    let scene = hasty(On::GitHub);
    let fake = scene.fake.as_ref().unwrap();
    fake.fault(operation).nth(nth).strike(fault.clone());
    let ran = scene.call(&["deploy", "staging"]);
    let what = format!("{operation} {nth} {fault:?}: {}{}", ran.out, ran.err);
    assert_eq!(ran.code, 0, "{what}");
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        assert_eq!(repo.deployments.len(), 1, "{what}");
        let steps: Vec<&str> = repo.deployments[0].statuses.iter().map(|step| step.state.as_str()).collect();
        assert_eq!(steps, ["queued", "in_progress", "success"], "{what}");
        assert!(!repo.refs.keys().any(|name| name.contains("gatepost")), "{what}");
    });
}

#[test]
fn a_lost_reply_makes_no_second_deployment_and_no_second_end() {
    for (operation, nth) in [
        ("repos/create-deployment", 1),
        ("repos/create-deployment-status", 1),
        ("repos/create-deployment-status", 2),
        ("repos/create-deployment-status", 3),
        ("git/create-ref", 1),
        ("git/update-ref", 1),
        ("git/update-ref", 3),
        ("git/delete-ref", 1),
    ] {
        settled_once(operation, nth, &Fault::Lose(502));
    }
}

#[test]
fn what_github_did_not_do_is_done_again() {
    for (operation, nth) in [
        ("repos/create-deployment", 1),
        ("repos/create-deployment-status", 3),
        ("git/create-ref", 1),
        ("git/create-commit", 2),
        ("git/update-ref", 2),
        ("git/delete-ref", 1),
        ("repos/list-deployments", 1),
        ("git/get-ref", 2),
    ] {
        settled_once(operation, nth, &Fault::Refuse(503));
    }
    settled_once("repos/create-deployment", 1, &Fault::LoseReset);
    settled_once("repos/create-deployment-status", 3, &Fault::Truncate(10));
    settled_once("git/update-ref", 2, &Fault::Html(502));
    settled_once("repos/create-deployment", 1, &Fault::Secondary(403, Some(1)));
}

#[test]
fn a_token_that_may_not_write_begins_nothing() {
    let scene = Scene::new(On::GitHub, "");
    scene.fake.as_ref().unwrap().with(|github| {
        github.token("secret", crate::github::Token::personal("ana").without(crate::github::Scope::Contents));
    });
    scene.deploy().with(3).says(&["the lock of staging could not be taken"]);
    assert_eq!(scene.runs(), [""; 0]);
}
