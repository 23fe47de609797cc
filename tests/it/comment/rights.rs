//! Who may: what GitHub says at the time of use, of everyone who had a hand in it, and nothing where it does not say.

use super::{Chat, REPO, answered};
use crate::github::{Account, Fault, Scope, Token};

#[test]
fn only_who_may_push_gives_commands() {
    let chat = Chat::new("");
    for who in ["eve", "mallory"] {
        chat.ask(who, &chat.confirmed()).is(3, "refused", "no_permission").says("needs the permission write");
    }
    chat.github(|github| drop(github.repo(REPO).collaborators.remove("ana")));
    chat.ask("ana", "/status").is(3, "refused", "no_permission");
    chat.github(|github| {
        github.repo(REPO).private();
    });
    chat.ask("ana", "/lock staging").is(3, "refused", "no_permission");
    chat.github(|github| {
        github.repo(REPO).collaborator("ana", "triage");
    });
    chat.ask("ana", "/unlock staging").is(3, "refused", "no_permission");
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
}

#[test]
fn what_cannot_be_read_gives_no_right() {
    let faults = [Fault::Refuse(403), Fault::Refuse(500), Fault::Html(200), Fault::Refuse(301), Fault::Unauthorized];
    for fault in faults {
        let chat = Chat::new("");
        let id = chat.say("ana", &chat.confirmed());
        chat.fake().fault("repos/get-collaborator-permission-level").strike(fault.clone());
        chat.wake(id).is(4, "unavailable", "permission_unreadable");
        assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]), "{fault:?}");
        assert!(chat.reply().contains("state=going"), "it may be tried again: {}", chat.reply());
        chat.fake().forgive();
        if matches!(fault, Fault::Refuse(403)) {
            chat.wake(id).is(0, "done", "live");
        }
    }
}

#[test]
fn whoever_runs_it_again_must_be_allowed_too() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    let event = chat.event(id);
    for name in ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"] {
        let other = chat.say("ana", &chat.confirmed());
        let event = chat.event(other);
        let mut command = chat.command("issue_comment", &event, "ana");
        answered(command.env(name, "eve")).is(3, "refused", "no_permission");
        let other = chat.say("ana", &chat.confirmed());
        let event = chat.event(other);
        let mut command = chat.command("issue_comment", &event, "ana");
        answered(command.env_remove(name)).is(3, "refused", "no_author");
    }
    assert_eq!(chat.scene.runs(), [""; 0]);
    // Max may, but Ana's rights are asked for all the same.
    chat.github(|github| {
        github.repo(REPO).collaborator("ana", "read");
    });
    answered(&mut chat.command("issue_comment", &event, "max")).is(3, "refused", "no_permission");
}

#[test]
fn programs_give_no_commands() {
    let chat = Chat::new("");
    for bot in [Account::actions(), Account::app(5, "renovate")] {
        chat.github(|github| {
            github.repo(REPO).collaborator(&bot.login, "admin");
        });
        let id = chat.github(|github| github.comment(REPO, 7, bot.clone(), &chat.confirmed()));
        let before = chat.fake().requests("*").len();
        chat.wake(id).is(0, "ignored", "bot");
        assert_eq!(chat.fake().requests("*").len(), before, "nothing was even asked");
        // The event may say what it likes.
        let mut event = chat.event(id);
        event["comment"]["user"] = serde_json::json!({ "login": "ana", "type": "User" });
        event["sender"] = event["comment"]["user"].clone();
        answered(&mut chat.command("issue_comment", &event, "ana")).is(0, "ignored", "bot");
    }
    assert_eq!(chat.deployments(), []);
}

#[test]
fn a_comment_that_was_changed_is_not_acted_on() {
    let chat = Chat::new("");
    let edit = |id: u64, body: &str, later: bool| {
        chat.github(|github| {
            let comment = github.repo(REPO).comments.iter_mut().find(|one| one.id == id).unwrap();
            body.clone_into(&mut comment.body);
            if later {
                "2026-01-03T00:00:00Z".clone_into(&mut comment.updated_at);
            }
        });
    };
    // After the event: by its time, and within the same second.
    for (body, later) in [("/deploy staging", true), (chat.confirmed().as_str(), false)] {
        let id = chat.say("ana", "/status");
        let event = chat.event(id);
        edit(id, body, later);
        answered(&mut chat.command("issue_comment", &event, "ana")).is(3, "refused", "edited");
    }
    // Before it, and by an event of that.
    let id = chat.say("eve", "hello");
    edit(id, &chat.confirmed(), true);
    chat.wake(id).is(3, "refused", "edited");
    for action in ["edited", "deleted"] {
        let mut event = chat.event(chat.say("ana", &chat.confirmed()));
        event["action"] = serde_json::json!(action);
        answered(&mut chat.command("issue_comment", &event, "ana")).is(0, "ignored", "not_created");
    }
    // It is gone by now.
    let id = chat.say("ana", &chat.confirmed());
    let event = chat.event(id);
    chat.github(|github| github.repo(REPO).comments.retain(|one| one.id != id));
    answered(&mut chat.command("issue_comment", &event, "ana")).is(0, "ignored", "deleted");
    // The event names another author, or another place.
    let id = chat.say("eve", &chat.confirmed());
    let mut event = chat.event(id);
    event["comment"]["user"]["login"] = serde_json::json!("ana");
    answered(&mut chat.command("issue_comment", &event, "ana")).is(3, "refused", "no_permission");
    let mut event = chat.event(chat.say("ana", &chat.confirmed()));
    event["issue"]["number"] = serde_json::json!(8);
    answered(&mut chat.command("issue_comment", &event, "ana")).is(0, "ignored", "elsewhere");
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
}

#[test]
fn where_nothing_can_be_answered_nothing_is_done() {
    let chat = Chat::new("");
    chat.github(|github| {
        let blind = Token::actions().without(Scope::Issues).without(Scope::PullRequests);
        github.token("secret", blind);
    });
    let done = chat.ask("ana", &chat.confirmed());
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("nothing was done") && done.err.contains("pull-requests: write"), "{}", done.err);
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
}
