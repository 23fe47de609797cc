//! `gatepost notify` from the outside.

use std::process::Command;

use serde_json::Value;

use super::servers::{Server, answer};
use crate::github::{FakeGitHub, Token};
use crate::repo::Tree;

const CONFIG: &str = "\
[notify.slack]
webhook = 'env:HOOK'
on = ['deploy.failed', 'rollback']

[notify.webhook]
url = 'env:URL'
secret = 'env:KEY'
min-severity = 'P0'

[notify.github-issue]
environments = ['production']
on = ['deploy']
";
const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";

struct Scene {
    tree: Tree,
    env: Vec<(String, String)>,
}

/// Exit code, standard output, standard error.
type Said = (i32, String, String);

impl Scene {
    fn new(config: &str) -> Self {
        let tree = Tree::new();
        tree.write("gatepost.toml", config).commit("first");
        Self { tree, env: Vec::new() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("USER", "mona");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let output = command.current_dir(&self.tree.dir).arg("notify").args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

fn ok() -> Server {
    Server::web(vec![answer("200 OK", "", "ok")])
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.1).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[test]
fn a_test_message_goes_by_every_route() {
    let (slack, hook) = (ok(), ok());
    let fake = FakeGitHub::start(|github| {
        github.token(TOKEN, Token::classic("mona", "repo"));
        github.repo("octo/shop");
    });
    let scene = Scene::new(CONFIG)
        .with("HOOK", &slack.url())
        .with("URL", &hook.url())
        .with("KEY", "canary-key-0123456789")
        .with("GITHUB_TOKEN", TOKEN)
        .with("GITHUB_API_URL", &fake.url())
        .with("GITHUB_REPOSITORY", "octo/shop");
    let said = scene.run(&[]);
    assert_eq!(said.0, 0, "{said:?}");
    let lines: Vec<&str> = said.1.lines().map(|line| line.split("octo").next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "test (P3): 3 of 3 routes",
            "  slack: sent",
            "  webhook: sent",
            "  issue about no environment: sent: https://github.test/"
        ]
    );
    assert_eq!((slack.received().len(), hook.received().len()), (1, 1));
}

#[test]
fn an_issue_lives_as_long_as_something_is_wrong() {
    let fake = FakeGitHub::start(|github| {
        github.token(TOKEN, Token::classic("mona", "repo"));
        github.repo("octo/shop");
    });
    let scene = Scene::new("[notify.github-issue]\n")
        .with("GITHUB_TOKEN", TOKEN)
        .with("GITHUB_API_URL", &fake.url())
        .with("GITHUB_REPOSITORY", "octo/shop");
    let tell = |event: &str, reason: &str| {
        let said = scene.run(&[event, "--environment", "production", "--reason", reason, "--json"]);
        assert_eq!(said.0, 0, "{said:?}");
        json(&said)["routes"][0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(tell("deploy.succeeded", ""), "left_alone");
    assert_eq!(tell("deploy.failed", "closes #1 @octocat"), "sent");
    assert_eq!(tell("rollback", "it was bad"), "sent");
    assert_eq!(tell("deploy.succeeded", "mended"), "sent");
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        assert_eq!((repo.issues.len(), repo.comments.len()), (1, 2));
        let issue = repo.issues.values().next().unwrap();
        assert!(!issue.open && issue.labels == ["incident"]);
        assert_eq!(issue.title, "P1: Deploy to production failed (octo/shop)");
        assert!(issue.body.contains("```text\ncloses #1 @octocat\n```"), "{}", issue.body);
    });
}

#[test]
fn a_route_that_fails_is_said_and_ends_with_4() {
    let scene = Scene::new(CONFIG).with("HOOK", &Server::web(vec![answer("403 Forbidden", "", "no")]).url());
    let said = scene.run(&["deploy.failed", "--environment", "production", "--reason", "it broke"]);
    assert_eq!(said.0, 4, "{said:?}");
    assert_eq!(
        said.1,
        "deploy.failed (P1): 2 of 3 routes\n  slack: failed: env:HOOK answered 403: no\n  \
         github-issue: failed: there is no token: set GITHUB_TOKEN to one that may write issues\n"
    );
    let said = scene.run(&["locked", "--environment", "staging"]);
    assert_eq!((said.0, said.1.as_str()), (0, "locked (P3): 0 of 3 routes\n"));
}

#[test]
fn a_dry_run_shows_everything_but_what_is_secret_and_sends_nothing() {
    let (slack, hook) = (ok(), ok());
    let scene = Scene::new(&format!(
        "{CONFIG}\n[notify.email]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\nto = ['b@example.com']\nusername = 'u'\n\
         password = 'env:PW'\n[[notify.slack2]]\n"
    ).replace("[[notify.slack2]]\n", ""))
        .with("HOOK", &slack.url())
        .with("URL", &hook.url())
        .with("KEY", "canary-key-0123456789")
        .with("PW", "canary-pw-0123456789")
        .with("MY_TOKEN", "canary-token-0123456789");
    let reason = "it said canary-key-0123456789 and canary-token-0123456789";
    for extra in [&[][..], &["--json"]] {
        let arguments = [&["rollback.failed", "--environment", "production", "--reason", reason, "--dry-run"], extra];
        let said = scene.run(&arguments.concat());
        assert_eq!(said.0, 0, "{said:?}");
        assert!(!said.1.contains("canary-") && !said.1.contains("s3cr3t"), "{}", said.1);
        for part in [
            "POST env:HOOK",
            "POST env:URL",
            "webhook-signature: v1,",
            "SMTP mail.example.com:587 (StartTls, with a login)",
            "*** and ***",
        ] {
            assert!(said.1.contains(part), "{part} in {}", said.1);
        }
    }
    assert!(slack.received().is_empty() && hook.received().is_empty());
}

#[test]
fn secrets_in_a_reason_are_masked_before_they_are_sent() {
    let slack = ok();
    let scene = Scene::new(CONFIG).with("HOOK", &slack.url()).with("KEY", "canary-key-0123456789");
    scene.run(&["deploy.failed", "--environment", "staging", "--reason", "key: canary-key-0123456789"]);
    let sent = slack.received().concat();
    assert!(sent.contains("key: ***") && !sent.contains("canary"), "{sent}");
}

#[test]
fn what_cannot_be_told_is_said_before_anything_is_sent() {
    for (config, arguments, what) in [
        (CONFIG, &["deploy.fialed"][..], "did you mean `deploy.failed`?"),
        (CONFIG, &["deploy.failed"], "deploy.failed of which environment?"),
        (CONFIG, &["deploy.failed", "--environment", "x", "--sha", "abc"], "not a full commit id"),
        ("", &[], "there is no [notify.*] in the configuration"),
        ("[notify.slack]\n", &[], "[notify.slack] needs `webhook`, or `token` and `channel`"),
        ("[notify.slack]\nwebhook = 'https://x'\n", &[], "a secret does not stand in the configuration"),
        ("[notify.slak]\n", &[], "did you mean `slack`?"),
        ("[notify.email]\nsecurity = 'ssl'\nhost = 'h'\nfrom = 'a@b'\nto = []\n", &[], "`security` cannot be `ssl`"),
    ] {
        let said = Scene::new(config).run(arguments);
        assert_eq!(said.0, 2, "{config}: {said:?}");
        assert!(said.2.contains(what), "{what} in {}", said.2);
    }
}

#[test]
fn a_strangers_configuration_is_not_followed() {
    let slack = ok();
    let scene = Scene::new(CONFIG).with("HOOK", &slack.url());
    let event = scene.tree.dir.with_file_name("event.json");
    let payload = r#"{"number":7,"pull_request":{"number":7,"head":{"sha":"1111111111111111111111111111111111111111","repo":{"full_name":"mallory/shop"}},"base":{"sha":"2222222222222222222222222222222222222222","ref":"main","repo":{"full_name":"octo/shop"}}}}"#;
    std::fs::write(&event, payload).unwrap();
    let scene = scene
        .with("GITHUB_ACTIONS", "true")
        .with("GITHUB_EVENT_NAME", "pull_request_target")
        .with("GITHUB_EVENT_PATH", event.to_str().unwrap())
        .with("GITHUB_REPOSITORY", "octo/shop")
        .with("GITHUB_SHA", "2222222222222222222222222222222222222222");
    let said = scene.run(&[]);
    assert_eq!(said.0, 3, "{said:?}");
    assert!(slack.received().is_empty());
}
