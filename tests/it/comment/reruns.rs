//! `/rerun`: what judged the head is started again on GitHub, and nothing else is.

use super::{Chat, REPO};
use crate::github::Account;

fn reruns(chat: &Chat) -> Vec<(u64, bool)> {
    chat.github(|github| github.repo(REPO).reruns.clone())
}

/// The run that judged the head has not gone well.
fn failed(chat: &Chat) {
    chat.github(|github| {
        let run = github.repo(REPO).runs.iter_mut().find(|run| run.id == 15).unwrap();
        run.conclusion = Some("failure".to_owned());
    });
}

const ALL: &str = "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef";

#[test]
fn the_run_that_judged_the_head_is_started_again() {
    let chat = Chat::new("");
    chat.ask("ana", "/rerun failed").is(0, "done", "nothing_failed");
    chat.ask("ana", "/rerun").is(0, "done", "started");
    assert_eq!(reruns(&chat), [(15, false)]);
    chat.ask("ana", "/rerun").is(3, "refused", "still_running");
    let chat = Chat::new("");
    chat.check("failure", ALL);
    failed(&chat);
    chat.ask("ana", "/rerun failed").is(0, "done", "started").says("the failed jobs of run 15 again");
    assert_eq!(reruns(&chat), [(15, true)]);
    assert_eq!(chat.scene.runs(), [""; 0]);
    chat.scene.fake.unwrap().finish();
}

/// Two legs of a matrix, and two workflows, may have a gate of one name.
#[test]
fn what_failed_is_not_hidden_by_what_passed_later_under_the_same_name() {
    let by = |run: u64, place: &str, job: &str| format!("gatepost:{run}.1:test:all:-:{place}.0123456789abcdef:{job}:x");
    let chat = Chat::new("");
    chat.run(16, &chat.head, "pull_request", Some("failure"));
    failed(&chat);
    chat.check("failure", &by(15, "fe6949ee", "one"));
    chat.check("success", &by(15, "fe6949ee", "two"));
    chat.check("failure", &by(16, "0badcafe", "one"));
    chat.check("success", &by(15, "fe6949ee", "two"));
    chat.ask("ana", "/rerun failed").is(0, "done", "started");
    assert_eq!(reruns(&chat), [(15, true), (16, true)]);
    chat.ask("ana", "/rerun nothing").is(3, "refused", "unknown_gate").says("there are test\"");
    let mended = Chat::new("");
    mended.check("failure", &by(15, "fe6949ee", "one"));
    mended.check("success", &by(15, "fe6949ee.2", "one"));
    mended.ask("ana", "/rerun failed").is(0, "done", "nothing_failed");
    mended.ask("ana", "/rerun test").is(0, "done", "started").says("test in a new run of ci.yml");
    assert_eq!(mended.github(|github| github.repo(REPO).dispatches.len()), 1);
}

#[test]
fn named_gates_run_alone_where_the_workflow_can() {
    let chat = Chat::new("");
    chat.ask("ana", "/rerun lint").is(3, "refused", "unknown_gate");
    chat.ask("ana", "/rerun test").is(0, "done", "started").says("test in a new run of ci.yml");
    let dispatches = chat.github(|github| github.repo(REPO).dispatches.clone());
    assert_eq!(dispatches, [("ci.yml".to_owned(), "feature".to_owned(), serde_json::json!({ "gates": "test" }))]);
    assert_eq!(reruns(&chat), []);
    chat.github(|github| github.repo(REPO).not_by_hand.insert("ci.yml".to_owned()));
    chat.ask("ana", "/rerun test").is(0, "done", "started").says("with all its gates");
    assert_eq!(reruns(&chat), [(15, false)]);
    // A fork's workflow is never started by hand: it would have our secrets.
    let fork = Chat::new("");
    fork.github(|github| {
        github.repo(REPO).pulls.get_mut(&7).unwrap().in_fork("mallory/shop");
    });
    fork.ask("ana", "/rerun test").is(0, "done", "started");
    assert_eq!((reruns(&fork), fork.github(|github| github.repo(REPO).dispatches.len())), (vec![(15, false)], 0));
}

#[test]
fn a_check_run_does_not_lead_to_other_runs() {
    let chat = Chat::new("");
    let main = chat.scene.head();
    chat.run(90, &main, "push", Some("success"));
    chat.run(91, &chat.head, "workflow_run", Some("success"));
    for run in [90, 91] {
        chat.check("failure", &format!("gatepost:{run}.1:test:all:-:fe6949ee.x"));
        chat.ask("ana", "/rerun").is(3, "refused", "not_started").says("is no run of gates");
    }
    assert_eq!(reruns(&chat), []);
    let none = Chat::new("");
    none.github(|github| github.repo(REPO).checks.clear());
    none.github(|github| github.check(REPO, &none.head, "test", "failure", Account::actions()));
    none.ask("ana", "/rerun").is(3, "refused", "nothing_ran");
}
