//! How commands are written, by comment and by hand, and what answers to everything else.

use serde_json::json;

use super::{Chat, answered};

#[test]
fn several_commands_are_carried_out_in_their_order() {
    let chat = Chat::new("");
    let body =
        "/lock staging because @max says so\r\n\r\n/STATUS staging\r\n/unlock  staging \r\nthanks!\r\n/deploy staging";
    let done = chat.ask("ana", body).is(0, "done", "unlocked");
    let commands: Vec<&str> =
        done.json["commands"].as_array().unwrap().iter().map(|one| one["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["lock", "status", "unlock"]);
    let reply = chat.reply();
    assert!(reply.contains("locked by") && reply.contains("environment"), "{reply}");
    // Odd ones stand in code.
    let outside: String = reply.split('`').step_by(2).collect();
    assert!(!outside.contains("@max"), "{reply}");
    // What one needs that did not come to a good end is not tried.
    let wrong = format!("/deploy staging {}\n/promote staging staging2\n/status", "a".repeat(40));
    let done = chat.ask("ana", &wrong).is(3, "refused", "head_moved");
    assert_eq!(done.json["commands"][1]["decision"], "skipped");
    assert_eq!(done.json["commands"][2]["reason_code"], "earlier_line");
}

#[test]
fn a_comment_is_acted_on_whole_or_not_at_all() {
    let chat = Chat::new("");
    let body = format!("/deploy staging {}\n/delpoy staging", chat.head);
    let done = chat.ask("ana", &body).is(2, "refused", "unknown_command").says("did you mean `/deploy`");
    assert_eq!(done.json["commands"][0]["reason_code"], "other_line");
    // Part of it is not theirs to ask for.
    chat.ask("ana", &format!("/deploy staging {}\n/override test no", chat.head)).is(3, "refused", "no_permission");
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
    chat.ask("ana", &format!("{} force=true", chat.confirmed()))
        .is(3, "refused", "bad_argument")
        .says("--force --reason TEXT");
    chat.ask("ana", "/deploy stagin").is(2, "refused", "unknown_environment").says("did you mean `staging`");
}

#[test]
fn what_is_quoted_or_code_or_late_is_no_command() {
    let chat = Chat::new("");
    let line = chat.confirmed();
    for body in [
        format!("> {line}"),
        format!("> hello\n{line}"),
        format!("```\n{line}\n```"),
        format!("    {line}"),
        format!("<!--\n{line}\n-->"),
        format!("please\n{line}"),
        format!("`{line}`"),
        "/etc/passwd is a file".to_owned(),
    ] {
        chat.ask("ana", &body).is(0, "ignored", "no_command");
    }
    chat.ask("ana", &format!("/help `\n{line}\n`")).is(2, "refused", "bad_argument");
    chat.ask("ana", &line.replace("staging", "stag\u{200b}ing")).is(2, "refused", "hidden_text");
    assert_eq!((chat.deployments(), chat.scene.runs()), (vec![], vec![]));
    assert_eq!(chat.replies(), 2);
}

#[test]
fn what_somebody_wrote_commands_nobody() {
    let chat = Chat::new("");
    let evil = "@octocat #1 **x** ![i](https://evil.test/t.png) <img src=x> closes #3 <!-- gatepost:reply to=1 run=1.1 state=ended -->";
    chat.ask("max", &format!("/override test {}", evil.replace("<!--", "<"))).is(3, "refused", "already_green");
    chat.ask("max", &format!("/lock staging {}", evil.replace("<!--", "<"))).is(0, "done", "locked");
    let reply = chat.reply();
    let outside: String = reply.split('`').step_by(2).collect();
    assert!(!outside.contains("@octocat") && !outside.contains("![i]") && !outside.contains("<img"), "{reply}");
    assert_eq!(reply.matches("<!--").count(), 1, "{reply}");
    chat.ask("ana", "/help").is(0, "done", "help");
    assert!(chat.reply().contains("/rollback ENV"), "{}", chat.reply());
}

#[test]
fn by_hand_the_same_commands_are_given() {
    let chat = Chat::new("");
    let hand = |command: &str, issue: &str, actor: &str, run: &str| {
        let event =
            json!({ "inputs": { "command": command, "issue": issue }, "repository": { "default_branch": "main" } });
        chat.run(run.parse().unwrap(), &chat.scene.head(), "workflow_dispatch", None);
        answered(chat.command("workflow_dispatch", &event, actor).env("GITHUB_RUN_ID", run))
    };
    hand("/deploy staging", "7", "ana", "81").is(0, "confirm", "needs_confirmation");
    hand(&chat.confirmed(), "7", "eve", "82").is(3, "refused", "no_permission");
    hand(&chat.confirmed(), "7", "ana", "83").is(0, "done", "live");
    hand(&chat.confirmed(), "7", "ana", "83").is(0, "ignored", "answered");
    assert_eq!(chat.deployments(), [(chat.head.clone(), "success".to_owned())]);
    // An override must stand where a deploy can read it again.
    hand("/override test why", "7", "max", "84").is(3, "refused", "needs_comment").says("as a comment on #7");
    // Without an issue it is answered in the log alone, and once all the same.
    let main = chat.scene.head();
    chat.scene.call(&["rollback", "staging", "--to", &main]).with(0);
    hand(&format!("/rollback staging {}", chat.head), "7", "ana", "86").is(0, "done", "live");
    let replies = chat.replies();
    hand(&format!("/rollback staging {main}"), "", "ana", "85").is(0, "done", "live");
    hand(&format!("/rollback staging {main}"), "", "ana", "85").is(0, "ignored", "done_already");
    assert_eq!((chat.replies(), chat.deployments().len()), (replies, 4));
}

#[test]
fn other_events_and_laptops_are_no_comment() {
    let chat = Chat::new("");
    let done = answered(&mut chat.command("push", &json!({}), "ana"));
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("`push` brings no comment"), "{}", done.err);
    chat.scene.call(&["comment"]).with(2).says(&["no comment woke this", "docs/workflows/comment.yml"]);
}

#[test]
fn a_secret_in_a_comment_is_not_repeated() {
    let chat = Chat::new("");
    let event = chat.event(chat.say("ana", "/lock staging hunter2-hunter2"));
    let mut command = chat.command("issue_comment", &event, "ana");
    answered(command.env("SHOP_PASSWORD", "hunter2-hunter2")).is(0, "done", "locked");
    assert!(!chat.reply().contains("hunter2"), "{}", chat.reply());
    let summary = std::fs::read_to_string(chat.file("summary")).unwrap();
    assert!(!summary.contains("hunter2"), "{summary}");
}
