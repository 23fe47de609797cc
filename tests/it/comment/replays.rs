//! The same comment again: by a run that is started again, by a second delivery, after a crash. It acts once.

use super::{Chat, REPO, RUN, answered};
use crate::github::{Account, Fault};

#[test]
fn a_run_that_is_started_again_does_nothing_again() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.wake(id).is(0, "done", "live");
    for attempt in ["1", "2", "3"] {
        let event = chat.event(id);
        let mut command = chat.command("issue_comment", &event, "ana");
        answered(command.env("GITHUB_RUN_ATTEMPT", attempt)).is(0, "ignored", "answered");
    }
    // What was refused then is not done later either.
    chat.check("failure", "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef");
    let id = chat.say("ana", &chat.confirmed());
    chat.wake(id).is(3, "refused", "gates_not_green");
    chat.check("success", "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef");
    chat.wake(id).is(0, "ignored", "answered");
    assert_eq!(chat.deployments().len(), 1);
    assert_eq!(chat.scene.runs().len(), 1);
}

#[test]
fn an_order_that_was_done_long_ago_is_not_done_again() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.wake(id).is(0, "done", "live");
    // Others came after it, more than it takes to tell what is live.
    chat.github(|github| {
        github.repo(REPO).comments.retain(|one| one.author != Account::actions());
        let done = github.repo(REPO).deployments[0].clone();
        for number in 1..=120 {
            let mut next = done.clone();
            next.id += 1_000 + number;
            next.given["payload"]["gatepost"]["intent"] = serde_json::json!(format!("other {number}"));
            github.repo(REPO).deployments.push(next);
        }
    });
    chat.wake(id).is(0, "ignored", "done_already");
    assert_eq!((chat.deployments().len(), chat.scene.runs().len()), (121, 1));
}

#[test]
fn a_deploy_whose_answer_was_lost_is_not_made_again() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.wake(id).is(0, "done", "live");
    // The reply is gone, or still says that it goes on.
    chat.github(|github| github.repo(REPO).comments.retain(|one| one.author != Account::actions()));
    chat.wake(id).is(0, "ignored", "done_already");
    chat.github(|github| {
        let reply = github.repo(REPO).comments.last_mut().unwrap();
        reply.body = reply.body.replace("state=ended", "state=going");
    });
    chat.wake(id).is(0, "ignored", "done_already");
    assert_eq!((chat.deployments().len(), chat.scene.runs().len()), (1, 1));
    // A new comment is a new order.
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert_eq!((chat.deployments().len(), chat.scene.runs().len()), (2, 2));
}

#[test]
fn a_run_that_was_killed_anywhere_is_not_doubled() {
    for touch in [1, 4, 8, 12, 16, 20, 24, 28, 32] {
        let chat = Chat::new("");
        let id = chat.say("ana", &chat.confirmed());
        let event = chat.event(id);
        let mut command = chat.command("issue_comment", &event, "ana");
        let done = command.env("GATEPOST_CRASHPOINT", touch.to_string()).output().unwrap();
        let killed = done.status.code().is_none();
        let again = chat.wake(id);
        let what = format!("killed at touch {touch} ({killed}): {} {}", again.json, again.err);
        assert!(chat.deployments().len() <= 1 && chat.scene.runs().len() <= 1, "{what}");
        assert_eq!(chat.replies(), 1, "{what}");
        let ends = chat.deployments();
        assert!(ends.iter().all(|(sha, state)| *sha == chat.head && state != "in_progress"), "{what}: {ends:?}");
        assert!(!chat.github(|github| github.repo(REPO).refs.keys().any(|name| name.contains("gatepost"))), "{what}");
    }
}

#[test]
fn two_deliveries_of_one_comment_are_one_order() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.run(78, &chat.scene.head(), "issue_comment", None);
    let event = chat.event(id);
    let start = |run: u64| {
        let mut command = chat.command("issue_comment", &event, "ana");
        command.env("GITHUB_RUN_ID", run.to_string()).env("RUNNER_NAME", run.to_string());
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let both = [start(RUN), start(78)];
    let outs: Vec<String> =
        both.map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()).into();
    assert_eq!((chat.deployments().len(), chat.scene.runs().len()), (1, 1), "{outs:?}");
    assert_eq!(chat.replies(), 1, "{outs:?}");
    assert_eq!(outs.iter().filter(|out| out.contains("\"reason_code\":\"live\"")).count(), 2 - 1, "{outs:?}");
}

#[test]
fn another_run_that_lives_is_not_disturbed() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.run(78, &chat.scene.head(), "issue_comment", None);
    let marker = format!("<!-- gatepost:reply to={id} run=78.1 state=going -->\nworking");
    chat.github(|github| github.comment(REPO, 7, Account::actions(), &marker));
    chat.wake(id).is(0, "ignored", "busy");
    assert_eq!(chat.deployments(), []);
    // It has died.
    chat.github(|github| {
        let run = github.repo(REPO).runs.iter_mut().find(|run| run.id == 78).unwrap();
        run.conclusion = Some("cancelled".to_owned());
    });
    chat.wake(id).is(0, "done", "live");
    assert_eq!(chat.replies(), 1);
}

#[test]
fn a_reply_that_is_not_ours_is_not_believed() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    for state in ["ended", "going"] {
        let forged = format!("<!-- gatepost:reply to={id} run=1.1 state={state} -->\ndone");
        chat.github(|github| github.comment(REPO, 7, Account::user("mallory"), &forged));
    }
    chat.wake(id).is(0, "done", "live");
    assert_eq!(chat.replies(), 1);
}

#[test]
fn lost_replies_make_no_second_answer_and_no_second_deployment() {
    for (operation, fault) in [
        ("issues/create-comment", Fault::Lose(502)),
        ("issues/update-comment", Fault::Lose(502)),
        ("repos/create-deployment", Fault::LoseReset),
        ("reactions/create-for-issue-comment", Fault::Refuse(500)),
        ("issues/list-comments", Fault::Refuse(503)),
        ("issues/create-comment", Fault::Unseen(2)),
    ] {
        let chat = Chat::new("");
        let id = chat.say("ana", &chat.confirmed());
        chat.fake().fault(operation).nth(1).strike(fault.clone());
        chat.wake(id).is(0, "done", "live");
        assert_eq!((chat.replies(), chat.deployments().len()), (1, 1), "{operation} {fault:?}");
    }
}
