//! Code of strangers does not meet secrets: whatever the event, whosever the change, what is executed is counted.

use serde_json::{Value, json};

use super::Project;

/// What is checked out, as seen from the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Exactly the event's commit.
    Own,
    /// The head of a pull request from this repository.
    Same,
    /// The head of a fork's pull request.
    Fork,
    /// A fork's head that has the event's commit merged into it, so that it looks like GitHub's own merge.
    ForkWithMerge,
}

const CONFIG: &str = "[gates.count]\nkind = \"command\"\ncommand = \"echo x >> ../executed\"\n";

fn payload(project: &Project, whose: Whose) -> Value {
    let repo = if matches!(whose, Whose::Fork | Whose::ForkWithMerge) { "mallory/shop" } else { "octo/shop" };
    let (head, base) = (project.tree.sha("HEAD"), project.tree.sha("main"));
    let end = |sha, repo: &str| json!({"sha": sha, "ref": "x", "repo": {"full_name": repo}});
    json!({
        "pull_request": {"number": 7, "head": end(&head, repo), "base": end(&base, "octo/shop")},
        "merge_group": {"head_sha": head, "base_sha": base, "base_ref": "refs/heads/main"},
        "issue": {"number": 7, "pull_request": {}},
        "workflow_run": {"id": 5},
        "comment": {"body": "/run"},
        "before": base,
        "after": head,
    })
}

/// A repository at this stage, without a configuration where detection is to be seen.
fn project(whose: Whose, configured: bool) -> Project {
    let project = Project::new(CONFIG);
    if whose == Whose::ForkWithMerge {
        project.tree.git(&["checkout", "--quiet", "main"]);
        project.tree.write("b", "b").commit("main");
        project.tree.git(&["checkout", "--quiet", "topic"]);
        project.tree.git(&["merge", "--quiet", "--no-edit", "main"]);
    }
    if !configured {
        std::fs::remove_file(project.path("gatepost.toml")).unwrap();
        project.tree.write("Cargo.toml", "[package]\nname = \"x\"\n").commit("no configuration");
        // Asked for the version of clippy, a real one may run the toolchain that the repository names.
        project.tree.write("../bin/cargo", "#!/bin/sh\necho x >> ../executed\n");
        let file = project.path("../bin/cargo");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let payload = payload(&project, whose);
    project.woken_by("", &payload)
}

/// How often anything was executed in what is checked out, and what the program ended with.
fn executed(project: &Project, whose: Whose, event: &str, secrets: bool, command: &str) -> (usize, Option<i32>) {
    std::fs::write(project.path("../executed"), "").unwrap();
    let mut command = project.command(&[command, "--all-files"]);
    command.env("GITHUB_EVENT_NAME", event);
    if whose != Whose::Own && !["pull_request", "push", "merge_group"].contains(&event) {
        command.env("GITHUB_SHA", project.tree.sha("main").as_str());
    }
    if secrets {
        command.env("NPM_TOKEN", "npm_abcdefghijklmnopqrstuvwxyz").env("DEPLOY_KEY", "k");
    }
    let path = format!("{}:{}", project.path("../bin").display(), std::env::var("PATH").unwrap());
    let code = super::ended(command.env("PATH", path)).code;
    (project.text("../executed").lines().count(), code)
}

const ALL: [Whose; 4] = [Whose::Own, Whose::Same, Whose::Fork, Whose::ForkWithMerge];

/// Events, and on whose code gates run.
const EVENTS: [(&str, &[Whose]); 10] = [
    // A fork's pull request has no secrets, and a token that only reads.
    ("pull_request", &ALL),
    // Caused by people who may write.
    ("push", &ALL),
    ("merge_group", &ALL),
    ("schedule", &ALL),
    ("workflow_dispatch", &ALL),
    // With secrets, on behalf of whoever opened the pull request.
    ("pull_request_target", &[]),
    ("workflow_run", &[]),
    // With secrets, caused by anyone.
    ("issue_comment", &[Whose::Own]),
    ("issues", &[Whose::Own]),
    ("discussion_comment", &[Whose::Own]),
];

#[test]
fn what_is_executed_where() {
    for whose in ALL {
        let project = project(whose, true);
        for (event, allowed) in EVENTS {
            for secrets in [false, true] {
                let expected = if allowed.contains(&whose) { (1, Some(0)) } else { (0, Some(3)) };
                let found = executed(&project, whose, event, secrets, "run");
                assert_eq!(found, expected, "{event} {whose:?}, secrets: {secrets}");
            }
        }
    }
}

#[test]
fn detection_starts_nothing_in_strangers_code_either() {
    let project = project(Whose::Fork, false);
    assert!(executed(&project, Whose::Fork, "pull_request", false, "plan").0 > 0);
    for event in ["pull_request_target", "workflow_run", "issue_comment"] {
        for command in ["run", "plan"] {
            assert_eq!(executed(&project, Whose::Fork, event, true, command), (0, Some(3)), "{event} {command}");
        }
    }
}
