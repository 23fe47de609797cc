//! What a pull request judged is its merge's: evidence for commits with the same files, and for no other.

use std::process::Command;

use super::evidence::{ALL, CI, as_job, check, check_of_files, on_github, pushed, run};
use super::{On, Scene};
use crate::github::{Account, Token};

/// Says that these files were judged.
fn of_files(scene: &Scene, sha: &str, conclusion: &str, run: u64, tree: &str) {
    let says = format!("{}:j:m:{tree}", ALL.replace("15.1", &format!("{run}.1")));
    check_of_files(scene, sha, conclusion, Account::actions(), &says);
}

#[test]
fn a_check_run_of_other_files_proves_nothing_and_hides_nothing() {
    let other = "7".repeat(40);
    let deploys = |made: &[(&str, u64, bool)], code: i32, says: &str| {
        let scene = on_github();
        let head = scene.head();
        run(&scene, 16, &head, "pull_request");
        for (conclusion, run, same) in made {
            match same {
                true => of_files(&scene, &head, conclusion, *run, &scene.tree_of(&head)),
                false => of_files(&scene, &head, conclusion, *run, &other),
            }
        }
        scene.call(&["deploy", "staging", "--dry-run"]).with(code).says(&[says]);
    };
    let others = "test: it judged other files than the commit has";
    deploys(&[("success", 16, false)], 3, others);
    deploys(&[("success", 15, true), ("success", 16, false)], 0, "green: test (check run");
    deploys(&[("failure", 15, true), ("success", 16, false)], 3, "test: it ended in fail");
    deploys(&[("success", 15, true), ("failure", 16, false)], 3, "test: it ended in fail");
    deploys(&[("success", 16, true), ("success", 16, false)], 3, others);
    let scene = on_github();
    check_of_files(&scene, &scene.head(), "success", Account::actions(), ALL);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: its check run does not say which files were judged"]);
}

/// A pull request of `head` that became `squashed`, on the default branch.
fn squashed(scene: &Scene, head: &str, squashed: &str) {
    scene.known();
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.pull(7, head, squashed);
        repo.branch("main", squashed).file("main", CI, "on: push").file(squashed, CI, "on: push");
        repo.squashed.insert(squashed.to_owned(), 7);
    });
}

#[test]
fn a_squash_merge_has_the_evidence_of_its_pull_request() {
    let scene = Scene::new(On::GitHub, "");
    let head = scene.commit(None);
    run(&scene, 15, &head, "pull_request");
    scene.tree.git(&["commit", "--quiet", "--amend", "--message", "squashed"]);
    squashed(&scene, &head, &scene.head());
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let digest = gatepost::publish::proof::digest("gatepost.toml", &config);
    check(&scene, &head, "success", Account::actions(), &format!("gatepost:15.1:test:all:-:{digest}"));
    scene.call(&["deploy", "staging", "--dry-run"]).with(0).says(&["with the same files"]);
    // GitHub runs the workflow of the merge. Where that is another branch's, it may not have been the default branch's.
    let merged = scene.head();
    scene.fake.as_ref().unwrap().with(|github| {
        github.repo("octo/shop").file(&merged, CI, "on: push # weaker");
    });
    scene.call(&["deploy", "staging"]).with(3).says(&["test: its workflow", "is not the default branch's"]);
}

/// The gates as a job of a pull request has them, whose merge is checked out.
fn on_pull(scene: &Scene, run_id: u64, head: &str) -> Command {
    let side = |sha: &str, branch: &str| {
        serde_json::json!({
            "ref": branch, "sha": sha, "repo": {"full_name": "octo/shop", "fork": false},
        })
    };
    let payload = serde_json::json!({
        "action": "synchronize", "number": 7,
        "repository": {"full_name": "octo/shop", "default_branch": "main"},
        "pull_request": {"number": 7, "head": side(head, "topic"), "base": side(&scene.sha("main"), "main")},
    });
    let mut command = scene.command(&["run", "--all-files"]);
    as_job(scene, run_id, &mut command, ["pull_request", "refs/pull/7/merge"], &payload)
        .env("GITHUB_TOKEN", "ghs_shop");
    command
}

/// On a merge of `topic`, that is the head, and of `main`, which has moved on.
fn behind() -> (Scene, String) {
    let scene = Scene::new(On::GitHub, "");
    scene.tree.git(&["branch", "-M", "main"]);
    scene.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    let head = scene.commit(None);
    scene.tree.git(&["checkout", "--quiet", "main"]);
    scene.tree.write("moved", "on").commit("moves on");
    scene.tree.git(&["checkout", "--quiet", "--detach"]);
    scene.tree.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "topic"]);
    squashed(&scene, &head, &scene.head());
    scene.fake.as_ref().unwrap().with(|github| {
        github.token("ghs_shop", Token::actions());
    });
    (scene, head)
}

#[test]
fn a_merge_that_passed_is_evidence_for_its_files_and_not_for_its_head() {
    let (scene, head) = behind();
    run(&scene, 15, &head, "pull_request");
    let done = on_pull(&scene, 15, &head).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let report = scene.tree.dir.join(".gatepost/report.json");
    let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let merge = scene.head();
    assert_eq!(read["subject"]["head"], head.as_str());
    assert_eq!(read["subject"]["tree"], scene.tree_of(&merge).as_str());
    let check = scene.fake.as_ref().unwrap().with(|github| std::mem::take(&mut github.repo("octo/shop").checks));
    scene.call(&["deploy", "staging", &head]).with(3).says(&["test: it has no result"]);
    scene.call(&["deploy", "staging", &merge, "--dry-run"]).with(0).says(&["green: test (report of "]);
    std::fs::remove_file(&report).unwrap();
    scene.fake.as_ref().unwrap().with(|github| github.repo("octo/shop").checks = check);
    scene.call(&["deploy", "staging", &head]).with(3).says(&["test: it judged other files than the commit has"]);
    scene.call(&["deploy", "staging", &merge, "--dry-run"]).with(0).says(&["green: test (check run "]);
}

#[test]
fn a_leg_that_judged_other_files_is_not_left_out_of_its_run() {
    let deploys = |made: &[(&str, &str, bool)], code: i32, says: &str| {
        let (scene, head) = behind();
        run(&scene, 15, &head, "pull_request");
        let [merged, own] = [scene.head(), head.clone()].map(|commit| scene.tree_of(&commit));
        let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
        let digest = gatepost::publish::proof::digest("gatepost.toml", &config);
        for (conclusion, leg, of_merge) in made {
            let tree = if *of_merge { &merged } else { &own };
            let says = format!("gatepost:15.1:test:all:-:{digest}:{leg}:m:{tree}");
            check_of_files(&scene, &head, conclusion, Account::actions(), &says);
        }
        scene.call(&["deploy", "staging", "--dry-run"]).with(code).says(&[says]);
    };
    deploys(&[("success", "a", true), ("success", "b", true)], 0, "green: test (check run");
    deploys(&[("success", "a", true), ("failure", "b", false)], 3, "test: it ended in fail");
    deploys(&[("success", "b", false), ("success", "a", true)], 3, "test: it judged other files");
    deploys(&[("failure", "a", false)], 3, "test: it has no result");
}

#[test]
fn a_leg_that_saw_edited_files_is_hidden_by_no_other() {
    let (edited, change) = (("edited", "a"), ("change", "b"));
    for legs in [[edited, change], [change, edited]] {
        let scene = on_github();
        let (head, base) = (scene.head(), "b".repeat(40));
        for (scope, leg) in legs {
            let says = format!("gatepost:15.1:test:{scope}:{base}:fe6949ee.x:{leg}:m");
            check(&scene, &head, "success", Account::actions(), &says);
        }
        scene.call(&["deploy", "staging"]).with(3).says(&["test: files were edited before it ended"]);
    }
}

#[test]
fn a_gate_that_may_have_judged_edited_files_is_no_evidence() {
    let edits = "\n[gates.edits]\nkind = \"command\"\ncommand = \"echo more >>fine\"\nneeds = [\"before\"]\n\n\
                 [gates.before]\nkind = \"command\"\ncommand = \"true\"\n";
    let scene = Scene::new(On::GitHub, edits);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replacen("\"true\"", "\"true\"\nneeds = [\"edits\"]", 1));
    let head = scene.commit(None);
    scene.fake.as_ref().unwrap().with(|github| {
        github.token("ghs_shop", Token::actions());
    });
    run(&scene, 15, &head, "push");
    assert_eq!(pushed(&scene, 15, &["--all-files"]), 0);
    scene.tree.git(&["checkout", "--quiet", "."]);
    let edited = ["test: files were edited before it ended", "edits: files were edited before it ended"];
    let ran = scene.call(&["deploy", "staging"]).with(3).says(&edited);
    assert!(!ran.err.contains("before:"), "it ended before: {}", ran.err);
}
