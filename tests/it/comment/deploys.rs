//! Deploys from comments: bound to a commit, confirmed, told of while they go, and never of a head that has moved.

use super::{Chat, REPO, answered};
use crate::github::Account;

#[test]
fn a_deploy_without_a_commit_is_shown_and_confirmed_by_a_second_comment() {
    let chat = Chat::new("");
    let asked = chat.ask("ana", "/deploy staging").is(0, "confirm", "needs_confirmation");
    assert_eq!(asked.json["commands"][0]["confirm"], chat.confirmed());
    assert!(chat.reply().contains(&format!("```text\n{}\n```", chat.confirmed())), "{}", chat.reply());
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
    let done = chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert_eq!(done.json["head"], chat.head);
    assert_eq!(chat.deployments(), [(chat.head.clone(), "success".to_owned())]);
    assert_eq!(chat.scene.live(), chat.head);
    assert_eq!(chat.reactions(), ["eyes", "eyes", "rocket"]);
    assert_eq!(chat.replies(), 2, "one for each comment");
    let reply = chat.reply();
    assert!(reply.contains("✅") && reply.contains("healthy") && reply.contains("state=ended"), "{reply}");
    let outputs = std::fs::read_to_string(chat.file("output")).unwrap();
    assert!(
        outputs.contains("decision<<") && outputs.contains("\ndone\n") && outputs.contains("\nlive\n"),
        "{outputs}"
    );
    assert!(std::fs::read_to_string(chat.file("summary")).unwrap().contains("/deploy staging"));
    chat.scene.fake.unwrap().finish();
}

#[test]
fn a_commit_that_is_not_the_head_is_not_deployed() {
    let chat = Chat::new("");
    let main = chat.scene.head();
    let refused = chat.ask("ana", &format!("/deploy staging {main}")).is(3, "refused", "head_moved");
    assert_eq!(refused.json["commands"][0]["confirm"], chat.confirmed());
    chat.ask("ana", &format!("/deploy staging {}", &chat.head[..12])).is(2, "refused", "bad_argument");
    chat.github(|github| {
        github.repo(REPO).pulls.get_mut(&7).unwrap().closed();
    });
    chat.ask("ana", &chat.confirmed()).is(3, "refused", "closed_pull_request");
    assert_eq!(chat.deployments(), []);
}

/// The head moves just before it is read for the nth time: when the comment is looked at, before the deployment is
/// recorded, and before it is begun.
#[test]
fn a_push_at_any_time_before_it_begins_stops_a_deploy() {
    for (nth, recorded) in [(1, 0), (2, 0), (3, 1)] {
        let chat = Chat::new("");
        let id = chat.say("ana", &chat.confirmed());
        chat.fake().on("pulls/get", nth, |github| github.repo(REPO).push(7, &"e".repeat(40)));
        chat.wake(id).is(3, "refused", "head_moved");
        let deployments = chat.deployments();
        assert_eq!(deployments.len(), recorded, "{nth}");
        assert!(deployments.iter().all(|(_, state)| state == "error"), "{nth}: {deployments:?}");
        assert_eq!(chat.scene.runs(), [""; 0], "{nth}");
        assert!(!chat.github(|github| github.repo(REPO).refs.keys().any(|name| name.contains("gatepost"))), "{nth}");
    }
}

#[test]
fn a_head_that_cannot_be_read_again_stops_a_deploy() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    chat.fake().fault("pulls/get").nth(2).refuse(403);
    chat.wake(id).is(3, "refused", "head_moved").says("could not be read");
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
}

#[test]
fn gates_must_be_green_and_a_bad_deploy_is_rolled_back() {
    let chat = Chat::new("");
    chat.check("failure", "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef");
    chat.ask("ana", &chat.confirmed()).is(3, "refused", "gates_not_green").says("test: it ended in fail");
    assert_eq!(chat.reactions(), ["eyes", "-1"]);
    chat.check("success", "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef");
    let main = chat.scene.head();
    std::fs::write(chat.scene.service.place().join("live"), &main).unwrap();
    chat.scene.call(&["adopt", "staging", "--sha", &main]).with(0);
    chat.scene.tree.git(&["checkout", "--quiet", "feature"]);
    let sick = chat.scene.commit(Some("sick"));
    chat.scene.tree.git(&["checkout", "--quiet", "main"]);
    let chat = Chat { head: sick.clone(), ..chat };
    chat.github(|github| {
        github.repo(REPO).push(7, &sick);
        github.repo(REPO).file(&sick, super::CI, "on: push");
    });
    chat.run(16, &sick, "pull_request", Some("success"));
    chat.check("success", "gatepost:16.1:test:all:-:fe6949ee.0123456789abcdef");
    chat.ask("ana", &chat.confirmed()).is(5, "failed", "rolled_back");
    assert_eq!(chat.scene.live(), main);
    assert!(chat.reply().contains("rolled back to"), "{}", chat.reply());
}

#[test]
fn the_reply_is_updated_while_a_deploy_goes() {
    let chat = Chat::new("");
    let wait = "\n[environments.slow]\ndeploy = { command = \"sleep 4\" }\n";
    let config = std::fs::read_to_string(chat.scene.tree.dir.join("gatepost.toml")).unwrap();
    chat.scene.tree.write("gatepost.toml", config + wait).commit("slow");
    chat.scene.known();
    chat.ask("ana", &format!("/deploy slow {}", chat.head)).is(0, "done", "live");
    let said: Vec<String> = chat
        .fake()
        .requests("issues/update-comment")
        .iter()
        .map(|entry| entry.body.as_ref().unwrap()["body"].as_str().unwrap().to_owned())
        .collect();
    assert!(said.len() >= 2, "{said:?}");
    assert!(
        said[0].contains("working") && said[0].contains("locked slow") && said[0].contains("state=going"),
        "{said:?}"
    );
    assert!(said.last().unwrap().contains("state=ended"), "{said:?}");
}

#[test]
fn a_dry_run_reads_and_writes_nothing() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    let event = chat.event(id);
    let mut command = chat.command("issue_comment", &event, "ana");
    answered(command.arg("--dry-run")).is(0, "done", "nothing_to_do");
    let writes = chat.fake().requests("writes");
    let written: Vec<&str> =
        writes.iter().map(|entry| entry.operation.as_str()).filter(|name| *name != "graphql").collect();
    assert_eq!(written, [""; 0]);
    assert_eq!(chat.scene.runs(), [""; 0]);
}

#[test]
fn a_branch_of_any_name_is_only_a_name() {
    let chat = Chat::new("branches = [\"release/*\"]\n");
    let hostile = "release/$(touch${IFS}pwned);'\"`id`&&x";
    chat.github(|github| github.repo(REPO).pulls.get_mut(&7).unwrap().head_ref = hostile.to_owned());
    chat.scene.tree.git(&["branch", "--quiet", "-D", "feature"]);
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    assert!(!chat.scene.tree.dir.join("pwned").exists());
    assert_eq!(chat.scene.live(), chat.head);
}

#[test]
fn going_back_and_promoting_are_the_same_commands() {
    let more = "\n[environments.production]\ndeploy = { command = \"./deploy.sh\" }\nafter = \"staging\"\nverify = { interval = \"10ms\" }\n";
    let chat = Chat::new(more);
    chat.scene.tree.git(&["update-ref", "refs/remotes/origin/feature", &chat.head]);
    chat.ask("ana", "/promote staging production").is(3, "refused", "nothing_live").says("nothing is live in staging");
    chat.ask("ana", &chat.confirmed()).is(0, "done", "live");
    chat.ask("ana", "/promote staging production").is(0, "done", "live");
    chat.ask("ana", "/rollback staging").is(3, "refused", "nothing_to_go_back_to").says("no earlier deployment");
    let main = chat.scene.head();
    // It asks for no gates: what was never live there would pass by them.
    chat.ask("ana", &format!("/rollback staging {main}")).is(3, "refused", "never_live").says("/deploy staging");
    // Nor what another configuration of the repository has deployed to its own environment of that name.
    let other = std::fs::read_to_string(chat.scene.tree.dir.join("gatepost.toml")).unwrap();
    std::fs::write(chat.scene.tree.dir.join(".git/other.toml"), other).unwrap();
    chat.scene.call(&["--config", ".git/other.toml", "rollback", "staging", "--to", &main]).with(0);
    chat.ask("ana", &format!("/rollback staging {main}")).is(3, "refused", "never_live");
    chat.scene.call(&["rollback", "staging", "--to", &main]).with(0);
    chat.ask("ana", &format!("/rollback staging {}", chat.head)).is(0, "done", "live");
    chat.ask("ana", &format!("/rollback staging {main}")).is(0, "done", "live");
    assert_eq!(chat.scene.live(), main);
    // A commit that is here, and is nobody's: its commands would run.
    chat.scene.tree.git(&["checkout", "--quiet", "--detach"]);
    let stranger = chat.scene.commit(None);
    chat.scene.tree.git(&["checkout", "--quiet", "main"]);
    chat.ask("max", &format!("/rollback staging {stranger}")).is(3, "refused", "never_live");
    chat.ask("ana", "/rollback staging allow-irreversible=true").is(3, "refused", "no_permission");
    chat.ask("max", "/rollback staging allow-everything=true").is(3, "refused", "bad_argument");
}

#[test]
fn on_an_issue_only_commits_of_branches_are_deployed() {
    let chat = Chat::new("");
    let on_issue = |body: &str| {
        let id = chat.github(|github| github.comment(REPO, 8, Account::user("ana"), body));
        chat.wake(id)
    };
    let main = chat.scene.head();
    let asked = on_issue("/deploy staging").is(0, "confirm", "needs_confirmation");
    assert_eq!(asked.json["commands"][0]["confirm"], format!("/deploy staging {main}"));
    chat.scene.tree.git(&["checkout", "--quiet", "--detach"]);
    let stranger = chat.scene.commit(None);
    chat.scene.tree.git(&["checkout", "--quiet", "main"]);
    on_issue(&format!("/deploy staging {stranger}")).is(3, "refused", "not_ours");
    // A branch of this clone alone may have been fetched from a fork.
    chat.scene.tree.git(&["branch", "pr8", &stranger]);
    on_issue(&format!("/deploy staging {stranger}")).is(3, "refused", "not_ours");
    on_issue("/rerun").is(3, "refused", "not_a_pull_request");
    on_issue("/override test why").is(3, "refused", "no_permission");
}
