//! What is evidence, and what is not.

use super::{On, Scene};

#[test]
fn a_report_counts_for_its_commit_and_for_the_same_files() {
    let scene = Scene::new(On::File, "");
    scene
        .call(&["deploy", "staging"])
        .with(3)
        .says(&["test: it has no result", "gatepost run --all-files && gatepost deploy staging"]);
    scene.deploy().with(0);
    // Squashed: another commit, the same files.
    scene.tree.git(&["commit", "--quiet", "--amend", "--message", "squashed"]);
    scene.call(&["deploy", "staging"]).with(0);
    scene.commit(None);
    scene.call(&["deploy", "staging"]).with(3);
    assert!(scene.ledger().exists());
}

#[test]
fn red_gates_and_gates_that_only_report_are_no_evidence() {
    let scene = Scene::new(On::File, "");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("\"true\"", "\"false\"")).commit("red");
    scene.call(&["run", "--all-files"]).with(1);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it ended in fail"]);
    scene.call(&["deploy", "staging", "--force", "--reason", "x"]).with(3).says(&["does not allow --force"]);
    scene.call(&["deploy", "staging", "--force"]).with(2);

    let allowed = Scene::new(On::File, "allow-force = true\n");
    allowed
        .call(&["deploy", "staging", "--force", "--reason", "the site is down"])
        .with(0)
        .says(&["by force (the site is down)"]);
    allowed.call(&["status"]).with(0).says(&["deployed by force: the site is down"]);

    let scene = Scene::new(On::File, "requires = [\"test\"]\n");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("\"true\"", "\"true\"\nmode = \"report\"")).commit("report only");
    scene.judged().call(&["deploy", "staging"]).with(3).says(&["test: it only reports"]);
}

#[test]
fn a_pass_of_a_change_counts_with_its_base() {
    let scene = Scene::new(On::File, "");
    scene.tree.git(&["branch", "-M", "main"]);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let limited = config.replace("command = \"true\"", "command = \"true\"\npaths = [\"src/**\"]");
    scene.tree.write("gatepost.toml", limited).commit("only src");
    scene.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    scene.commit(None);
    scene.call(&["run"]).with(0).says(&["skipped"]);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result on its base"]);
    scene.tree.git(&["checkout", "--quiet", "main"]);
    scene.deploy().with(0);
    scene.tree.git(&["checkout", "--quiet", "topic"]);
    scene.call(&["run"]).with(0);
    scene.call(&["deploy", "staging"]).with(0);
}
