//! The action with the real program: what a workflow gets from it.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Composite, Ended, Job, root};
use crate::github::{FakeGitHub, Token};
use crate::repo::Tree;

const GATES: &str = "[gates.lint]\nkind = \"lint\"\ncommand = \"cat found.txt\"\nformat = \"gcc\"\n\
                     [gates.build]\nkind = \"command\"\ncommand = \"true\"\n";
const FOUND: &str = "a.c:1:1: warning: unused variable 'one' [-Wunused-variable]\n";

/// A job that a push started, whose workspace is a repository with a configuration in a folder of it.
pub struct Push {
    pub job: Job,
    pub tree: Tree,
}

/// These inputs, and those that name the program and leave GitHub alone where they are not among them.
pub fn with_program<'a>(inputs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let ours = [("binary", env!("CARGO_BIN_EXE_gatepost")), ("github-token", "")];
    let kept = ours.into_iter().filter(|(name, _)| inputs.iter().all(|(given, _)| given != name));
    kept.chain(inputs.iter().copied()).collect()
}

impl Push {
    /// `folder` is empty or ends with `/`.
    pub fn new(folder: &str, gates: &str) -> Self {
        let mut job = Job::new();
        let tree = Tree::in_folder(&job.workspace());
        tree.write(&format!("{folder}gatepost.toml"), gates);
        tree.write(&format!("{folder}found.txt"), FOUND).write(&format!("{folder}a.c"), "int one;\n");
        let sha = tree.commit("first");
        let event = job.root.path().join("event.json");
        std::fs::write(&event, "{}").unwrap();
        for (name, value) in [
            ("GITHUB_API_URL", "http://127.0.0.1:1"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("GITHUB_REPOSITORY", "octo/shop"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", sha.as_str()),
        ] {
            job.env.insert(name.to_owned(), value.to_owned());
        }
        Self { job, tree }
    }

    fn run(&self, inputs: &[(&str, &str)]) -> Ended {
        Composite::load(root()).run(&self.job, &with_program(inputs))
    }
}

#[test]
fn the_steps_exit_code_and_outputs_are_the_verdicts() {
    let push = Push::new("", GATES);
    let ended = push.run(&[]);
    assert_eq!(ended.code, 1, "{}", ended.log);
    let output = |name: &str| ended.outputs[name].as_str();
    let shown =
        ["verdict", "report", "gates", "gates-failed", "findings", "blocking", "warnings", "verified"].map(output);
    assert_eq!(shown, ["fail", ".gatepost/report.json", "2", "1", "1", "1", "1", "no"]);
    assert_eq!(output("binary-version"), env!("CARGO_PKG_VERSION"));
    assert!(push.tree.dir.join(output("report")).is_file());
    assert!(ended.log.contains("::warning ") && ended.log.contains("unused variable"), "{}", ended.log);
    assert!(ended.summary.contains("unused variable"), "{}", ended.summary);

    let ended = push.run(&[("gates", "build")]);
    assert_eq!((ended.code, ended.outputs["verdict"].as_str()), (0, "pass"), "{}", ended.log);
    let ended = push.run(&[("gates", "nothing")]);
    assert_eq!((ended.code, ended.outputs["verdict"].as_str()), (2, ""), "{}", ended.log);
    let ended = push.run(&[("args", "--no-such-flag")]);
    assert_eq!(ended.code, 2, "{}", ended.log);
    let ended = push.run(&[("args", "plan --json")]);
    assert!(ended.code == 0 && ended.log.contains("gatepost.plan/v1"), "{}", ended.log);
}

#[test]
fn a_project_in_a_folder_is_gated_there() {
    let push = Push::new("packages/my web/", GATES);
    let folder = "packages/my web";
    for inputs in [[("working-directory", folder)], [("config", "packages/my web/gatepost.toml")]] {
        let ended = push.run(&inputs);
        assert_eq!((ended.code, ended.outputs["findings"].as_str()), (1, "1"), "{}", ended.log);
        let report = &ended.outputs["report"];
        assert!(push.tree.dir.join(report).is_file(), "{report} counts from the workspace");
        assert!(ended.log.contains("packages/my web/a.c"), "{}", ended.log);
    }
}

#[test]
fn the_action_posts_with_its_token() {
    let mut push = Push::new("", GATES);
    let sha = push.tree.sha("HEAD").as_str().to_owned();
    push.tree.git(&["checkout", "--quiet", "-b", "change"]);
    push.tree.write("a.c", "int one;\nint two;\n").write("found.txt", FOUND.replace(":1:", ":2:"));
    let head = push.tree.commit("second").as_str().to_owned();
    let fake = FakeGitHub::start(|github| {
        github.token("ghs_workflowtoken0123456789", Token::actions());
        github.repo("octo/shop").pull(7, &head, &sha).file("a.c", "modified");
    });
    let end = |sha: &str, branch: &str| json!({"sha": sha, "ref": branch, "repo": {"full_name": "octo/shop"}});
    let payload = json!({
        "action": "synchronize", "number": 7, "repository": {"full_name": "octo/shop"},
        "pull_request": {"number": 7, "head": end(&head, "change"), "base": end(&sha, "main")},
    });
    std::fs::write(push.job.root.path().join("event.json"), payload.to_string()).unwrap();
    for (name, value) in [
        ("GITHUB_API_URL", fake.url()),
        ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
        ("GITHUB_REF", "refs/pull/7/merge".to_owned()),
        ("GITHUB_SHA", head),
    ] {
        push.job.env.insert(name.to_owned(), value);
    }
    let token = push.job.token.clone();
    let ended = push.run(&[("github-token", &token)]);
    assert_eq!((ended.code, ended.outputs["verdict"].as_str()), (1, "fail"), "{}", ended.log);
    let posted = fake.with(|github| {
        let shop = github.repo("octo/shop");
        (shop.checks.iter().map(|check| check.name.clone()).collect::<BTreeSet<_>>(), shop.comments.len())
    });
    let names = BTreeSet::from(["gatepost/build".to_owned(), "gatepost/lint".to_owned()]);
    assert_eq!(posted, (names, 1), "{}", ended.log);
}
