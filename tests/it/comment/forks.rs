//! Pull requests from forks: their head is deployed only as somebody who may has named it, and by nothing that runs its code.

use super::{Chat, REPO};

/// A pull request from a fork, whose script would leave a trace.
fn fork(more: &str) -> Chat {
    let chat = Chat::new(more);
    chat.scene.tree.git(&["checkout", "--quiet", "--detach"]);
    let trace = "#!/bin/sh\nenv >\"$PLACE/stolen\"\n";
    chat.scene.tree.write("deploy.sh", trace);
    let head = chat.scene.commit(None);
    chat.scene.tree.git(&["checkout", "--quiet", "main"]);
    let chat = Chat { head: head.clone(), ..chat };
    chat.github(|github| {
        let repo = github.repo(REPO);
        repo.push(7, &head);
        repo.pulls.get_mut(&7).unwrap().in_fork("mallory/shop");
        repo.file(&head, super::CI, "on: push");
    });
    chat.run(16, &head, "pull_request", Some("success"));
    chat.check("success", "gatepost:16.1:test:all:-:fe6949ee.0123456789abcdef");
    chat
}

#[test]
fn a_forks_code_never_runs_with_secrets() {
    let chat = fork("");
    chat.ask("mallory", &chat.confirmed()).is(3, "refused", "no_permission");
    chat.ask("ana", &chat.confirmed()).is(3, "refused", "no_permission").says("maintain");
    chat.ask("max", &chat.confirmed()).is(3, "refused", "fork_code");
    assert!(!chat.scene.service.place().join("stolen").exists());
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
}

#[test]
fn nor_does_it_when_only_the_rollback_would_run_it() {
    let own = "rollback = { command = \"./deploy.sh\" }\n";
    let chat = fork(own);
    let config = std::fs::read_to_string(chat.scene.tree.dir.join("gatepost.toml")).unwrap();
    let outside = config.replacen("command = \"./deploy.sh\"", "command = \"./deploy.sh\", checkout = false", 1);
    chat.scene.tree.write("gatepost.toml", outside).commit("outside");
    chat.scene.known();
    chat.ask("max", &chat.confirmed()).is(3, "refused", "fork_code");
}

#[test]
fn a_maintainer_may_have_a_forks_head_deployed_by_our_own_code() {
    let chat = fork("");
    let config = std::fs::read_to_string(chat.scene.tree.dir.join("gatepost.toml")).unwrap();
    let ours = config.replace("command = \"./deploy.sh\"", "command = \"./deploy.sh\", checkout = false");
    chat.scene.tree.write("gatepost.toml", ours).commit("ours");
    chat.scene.known();
    let asked = chat.ask("max", "/deploy staging").is(0, "confirm", "needs_confirmation").says("a fork's");
    assert_eq!(asked.json["commands"][0]["confirm"], chat.confirmed());
    chat.ask("ana", &chat.confirmed()).is(3, "refused", "no_permission");
    chat.ask("max", &chat.confirmed()).is(0, "done", "live");
    assert!(!chat.scene.service.place().join("stolen").exists(), "the script was the fork's");
    assert_eq!(chat.scene.live(), chat.head);
}

#[test]
fn what_was_checked_out_must_be_the_default_branchs() {
    let chat = Chat::new("");
    let id = chat.say("ana", &chat.confirmed());
    let event = chat.event(id);
    let main = chat.scene.head();
    chat.scene.tree.git(&["checkout", "--quiet", "feature"]);
    let mut command = chat.command("issue_comment", &event, "ana");
    let done = super::answered(command.env("GITHUB_SHA", main));
    done.is(3, "refused", "refused").says("the commit checked out is not the one");
    assert_eq!(chat.scene.runs(), [""; 0]);
}
