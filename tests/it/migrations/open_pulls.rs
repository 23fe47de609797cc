//! Versions that open pull requests take too, asked of GitHub.

use std::process::Command;

use super::{Place, Ran};
use crate::github::{FakeGitHub, Token};

const TOKEN: &str = "ghs_workflowtoken0123456789";
const T: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY);\n";
const NEW: &str = "migrations/20240103000000_new.sql";
/// What is not asked for is never told.
const CLEAN: &str = "0 pass: 1 migration applied";

/// A commit id of nobody's.
fn sha(number: u64) -> String {
    format!("{number:040x}")
}

/// A base with one migration on `main`, and a branch that adds one.
fn scene() -> (Place, FakeGitHub) {
    let place = Place::of(&[("migrations/20240101000000_t.sql", T)]);
    place.commit();
    place.git(&["remote", "add", "origin", "git@github.com:octo/shop.git"]);
    place.git(&["checkout", "-qb", "feature"]);
    place.write(NEW, "CREATE TABLE n (id INTEGER PRIMARY KEY);\n");
    place.git(&["add", "-A"]);
    place.git(&["commit", "-qm", "new"]);
    let fake = FakeGitHub::start(|github| {
        github.token(TOKEN, Token::actions());
        github.repo("octo/shop");
    });
    (place, fake)
}

/// An open pull request that adds a file.
fn pull(fake: &FakeGitHub, number: u64, base: &str, status: &str, file: &str) {
    fake.with(|github| {
        let pull = github.repo("octo/shop").pull(number, &sha(number), &sha(0));
        pull.file("README.md", "modified").file(file, status);
        base.clone_into(&mut pull.base_ref);
    });
}

fn asking(mut command: Command, fake: &FakeGitHub) -> Ran {
    Ran::of(&command.env("GITHUB_API_URL", fake.url()).env("GITHUB_TOKEN", TOKEN).output().unwrap())
}

fn migrations(place: &Place, fake: &FakeGitHub) -> Ran {
    let arguments = ["migrations", "--json", "--database", "sqlite", "--base", "main"];
    asking(place.command(&arguments), fake)
}

#[test]
fn a_version_that_another_pull_request_adds_is_told() {
    let (place, fake) = scene();
    pull(&fake, 12, "main", "added", "migrations/20240103000000_other.sql");
    pull(&fake, 13, "main", "renamed", "migrations/20240103000000_moved.sql");
    pull(&fake, 14, "main", "modified", "migrations/20240103000000_not_added.sql");
    pull(&fake, 15, "main", "added", "other/20240103000000_elsewhere.sql");
    pull(&fake, 16, "next", "added", "migrations/20240103000000_other_branch.sql");
    pull(&fake, 17, "main", "added", "migrations/20240104000000_other_version.sql");
    let ran = migrations(&place, &fake);
    assert_eq!(ran.findings(), vec!["20240103000000_new.sql:1 version-taken"; 2], "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("#12 too, as migrations/20240103000000_other.sql"), "{}", ran.out);
    assert!(ran.out.contains("#13 too, as migrations/20240103000000_moved.sql"), "{}", ran.out);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn every_page_of_pull_requests_and_files_is_read() {
    let (place, fake) = scene();
    for number in 20..125 {
        fake.with(|github| {
            let pull = github.repo("octo/shop").pull(number, &sha(number), &sha(0));
            pull.base_ref = if number == 20 { "main" } else { "next" }.to_owned();
            if number == 20 {
                for file in 0..130 {
                    pull.file(&format!("docs/{file}.md"), "added");
                }
                pull.file("migrations/20240103000000_last.sql", "added");
            }
        });
    }
    let ran = migrations(&place, &fake);
    assert_eq!(ran.findings(), ["20240103000000_new.sql:1 version-taken"], "{}", ran.out);
    assert_eq!(fake.requests("pulls/list-files").len(), 2);
}

#[test]
fn ones_own_pull_request_and_what_it_stands_on_are_not_another() {
    let (place, fake) = scene();
    let head = String::from_utf8(
        Command::new("git").args(["rev-parse", "HEAD"]).current_dir(place.work()).output().unwrap().stdout,
    )
    .unwrap();
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        // Pushed before the last commit here.
        repo.pull(7, head.trim(), &sha(0)).file(NEW, "added");
        // Another pull request that stands on this one.
        repo.files.insert((sha(8), NEW.to_owned()), std::fs::read_to_string(place.work().join(NEW)).unwrap());
        repo.pull(8, &sha(8), &sha(0)).file(NEW, "added");
    });
    place.write("README.md", "more");
    place.git(&["add", "-A"]);
    place.git(&["commit", "-qm", "more"]);
    assert_eq!(migrations(&place, &fake).verdict(), CLEAN);
    assert_eq!(fake.requests("pulls/list-files").len(), 1, "its own files are not even asked for");
}

#[test]
fn what_could_not_be_asked_is_told_and_fails_nothing() {
    for nth in [1, 3] {
        let (place, fake) = scene();
        pull(&fake, 12, "main", "added", "migrations/20240103000000_other.sql");
        pull(&fake, 11, "main", "added", "migrations/20240105000000_other.sql");
        fake.fault("*").nth(nth).refuse(403);
        let ran = migrations(&place, &fake);
        let told = ran.json["notes"].to_string();
        assert!(told.contains("not checked against all open pull requests"), "{nth}: {}", ran.out);
        assert!(told.contains("403"), "{told}");
        // What was read before stands.
        assert_eq!(ran.code, Some(i32::from(nth != 1)), "{}", ran.out);
    }
}

#[test]
fn without_a_token_or_a_new_migration_nothing_is_asked() {
    let (place, fake) = scene();
    pull(&fake, 12, "main", "added", "migrations/20240103000000_other.sql");
    let arguments = ["migrations", "--json", "--database", "sqlite", "--base", "main"];
    let ran = Ran::of(&place.command(&arguments).env("GITHUB_API_URL", fake.url()).output().unwrap());
    assert_eq!(ran.verdict(), CLEAN);
    place.git(&["checkout", "-q", "main"]);
    let ran = migrations(&place, &fake);
    assert_eq!(ran.json["findings"], serde_json::json!([]), "{}", ran.out);
    assert_eq!(fake.requests("*").len(), 0);
}

#[test]
fn a_gate_of_a_pull_request_asks_for_its_base() {
    let (place, fake) = scene();
    place.write("gatepost.toml", "[gates.db]\nkind = \"migrations\"\ndatabase = \"sqlite\"\n");
    place.git(&["add", "-A"]);
    place.git(&["commit", "-qm", "gate"]);
    let sha_of = |name: &str| {
        let output = Command::new("git").args(["rev-parse", name]).current_dir(place.work()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (head, base) = (sha_of("HEAD"), sha_of("main"));
    fake.with(|github| {
        github.repo("octo/shop").pull(7, &head, &base).file(NEW, "added").base_ref = "next".to_owned();
    });
    pull(&fake, 12, "next", "added", "migrations/20240103000000_other.sql");
    pull(&fake, 13, "main", "added", "migrations/20240103000000_other.sql");
    let end =
        |sha: &str, branch: &str| serde_json::json!({"sha": sha, "ref": branch, "repo": {"full_name": "octo/shop"}});
    let payload = serde_json::json!({
        "repository": {"full_name": "octo/shop"},
        "pull_request": {"number": 7, "head": end(&head, "feature"), "base": end(&base, "next")},
    });
    let event = place.temp.join("event.json");
    std::fs::write(&event, payload.to_string()).unwrap();
    let mut command = place.command(&["run", "--json", "--publish", "never"]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", &event)
        .env("GITHUB_REPOSITORY", "octo/shop")
        .env("GITHUB_SHA", &head);
    let ran = asking(command, &fake);
    let findings = ran.json["gates"][0]["findings"].as_array().unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    let told: Vec<_> =
        findings.iter().map(|it| (it["rule"].as_str().unwrap(), it["message"].as_str().unwrap())).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "version-taken");
    assert!(told[0].1.contains("#12"), "{told:?}");
    assert_eq!(fake.requests("pulls/list-files").len(), 1);
}
