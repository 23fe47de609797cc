//! Which reports in the work tree speak for a commit, and what of them is kept.

use super::evidence::{check, on_github, run};
use super::{On, Scene};
use crate::github::Account;

#[test]
fn a_report_that_git_tracks_is_no_evidence_of_any_commit() {
    let scene = Scene::new(On::File, "");
    let red = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap().replace("\"true\"", "\"false\"");
    scene.tree.write("gatepost.toml", red).commit("red");
    scene.tree.git(&["branch", "-M", "main"]);
    // A report of main as it would like to be, which comes with a commit of a branch, by its own name or by a link's.
    scene.call(&["run", "--all-files", "--publish", "never"]).with(1);
    let path = scene.tree.dir.join(".gatepost/report.json");
    let report = std::fs::read_to_string(&path).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&report).unwrap();
    forged["verdict"] = "pass".into();
    forged["gates"][0]["outcome"] = "pass".into();
    std::fs::remove_dir_all(scene.tree.dir.join(".gatepost")).unwrap();
    for by_link in [false, true] {
        scene.tree.git(&["checkout", "--quiet", "-B", "pull", "main"]);
        let folder = if by_link { "notes" } else { ".gatepost" };
        scene.tree.write(&format!("{folder}/report.json"), forged.to_string());
        if by_link {
            std::os::unix::fs::symlink("notes", scene.tree.dir.join(".gatepost")).unwrap();
        }
        scene.tree.git(&["add", "--force", "."]);
        scene.tree.git(&["commit", "--quiet", "--message", "innocent"]);
        for arguments in
            [&["deploy", "staging", "main"][..], &["deploy", "staging"], &["deploy", "staging", "--dry-run"]]
        {
            let says = ["git tracks", "it came with the commit, and is no run's report"];
            scene.call(arguments).with(3).says(&says);
        }
        scene.tree.git(&["checkout", "--quiet", "main"]);
        scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result"]);
    }
}

#[test]
fn a_dry_run_and_a_report_that_is_not_believed_leave_nothing_behind() {
    let scene = Scene::new(On::File, "");
    let report = scene.tree.dir.join(".gatepost/report.json");
    scene.judged();
    scene.call(&["deploy", "staging", "--dry-run"]).with(0);
    std::fs::remove_file(&report).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result"]);
    // That of another commit is asked about, and believed, when that one is deployed.
    let first = scene.head();
    scene.judged();
    std::fs::remove_file(scene.ledger()).unwrap();
    let kept = std::fs::read(&report).unwrap();
    scene.commit(None);
    std::fs::write(&report, kept).unwrap();
    scene.call(&["deploy", "staging"]).with(3);
    std::fs::remove_file(&report).unwrap();
    scene.call(&["deploy", "staging", &first]).with(3).says(&["test: it has no result"]);
}

#[test]
fn what_lies_here_says_nothing_of_a_base_on_github() {
    let scene = on_github();
    let base = scene.head();
    scene.judged();
    let report = std::fs::read(scene.tree.dir.join(".gatepost/report.json")).unwrap();
    let head = scene.commit(None);
    std::fs::write(scene.tree.dir.join(".gatepost/report.json"), report).unwrap();
    run(&scene, 16, &head, "push");
    let says = format!("gatepost:16.1:test:change:{base}:fe6949ee.0123456789abcdef");
    check(&scene, &head, "success", Account::actions(), &says);
    let why = format!("test: it has no result on its base {}", &base[..7]);
    scene.call(&["deploy", "staging"]).with(3).says(&[&why]);
}
