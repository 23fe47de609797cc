//! What is evidence, and what is not.

use super::{On, Scene};
use crate::github::{Account, WorkflowRun};

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

const CI: &str = ".github/workflows/ci.yml";

/// A check run of `test` for a commit, with what it says of itself.
fn check(scene: &Scene, sha: &str, conclusion: &str, owner: Account, says: &str) -> u64 {
    let now = gatepost::world::clock::now().to_string();
    scene.fake.as_ref().unwrap().with(|github| {
        let id = github.check("octo/shop", sha, "gatepost/test", conclusion, owner);
        let check = github.repo("octo/shop").checks.last_mut().unwrap();
        (check.external_id, check.completed_at) = (Some(says.to_owned()), Some(now));
        id
    })
}

/// A repository on GitHub with one run of the default branch's workflow.
fn on_github() -> Scene {
    let scene = Scene::new(On::GitHub, "");
    let head = scene.head();
    run(&scene, 15, &head, "push");
    scene
}

fn run(scene: &Scene, id: u64, sha: &str, event: &str) {
    let (sha, event) = (sha.to_owned(), event.to_owned());
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.branch("main", &sha).file("main", CI, "on: push").file(&sha, CI, "on: push");
        let head_repository = Some("octo/shop".to_owned());
        let conclusion = Some("success".to_owned());
        repo.runs.push(WorkflowRun {
            id,
            attempt: 1,
            event,
            head_sha: sha,
            head_branch: None,
            head_repository,
            conclusion,
        });
    });
}

const ALL: &str = "gatepost:15.1:test:all:-:0123456789abcdef";

#[test]
fn a_check_run_of_our_own_app_is_evidence() {
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::actions(), ALL);
    scene.call(&["deploy", "staging"]).with(0).says(&["green: test (check run"]);
    scene.fake.unwrap().finish();
}

#[test]
fn what_other_apps_say_is_none() {
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::app(77, "evil"), ALL);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result"]);
}

#[test]
fn a_newer_red_rerun_on_the_third_page_wins() {
    let scene = on_github();
    let head = scene.head();
    check(&scene, &head, "success", Account::actions(), ALL);
    scene.fake.as_ref().unwrap().with(|github| {
        for number in 0..220 {
            github.check("octo/shop", &head, &format!("other {number}"), "success", Account::app(77, "other"));
        }
    });
    check(&scene, &head, "failure", Account::actions(), ALL);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it ended in fail"]);
    assert!(scene.fake.as_ref().unwrap().requests("checks/list-for-ref").len() >= 3);
}

#[test]
fn a_page_that_cannot_be_read_is_no_evidence() {
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::actions(), ALL);
    scene.fake.as_ref().unwrap().fault("checks/list-for-ref").html(200);
    scene.call(&["deploy", "staging"]).with(3).says(&["its results are unavailable", "without JSON"]);
}

#[test]
fn what_a_check_run_says_of_itself_is_held_against_its_run() {
    let refused = |says: &str, change: &dyn Fn(&Scene), why: &str| {
        let scene = on_github();
        check(&scene, &scene.head(), "success", Account::actions(), says);
        change(&scene);
        scene.call(&["deploy", "staging"]).with(3).says(&[why]);
    };
    let nothing = |_: &Scene| {};
    refused("something else", &nothing, "does not say what was judged");
    refused("gatepost:15.1:test:report:-:x", &nothing, "only reports");
    refused("gatepost:15.1:test:change:-:x", &nothing, "nothing is known of what it was compared with");
    let base = "a".repeat(40);
    refused(
        &format!("gatepost:15.1:test:change:{base}:x"),
        &nothing,
        "its results on its base aaaaaaa are unavailable",
    );
    let other = |scene: &Scene| {
        scene.fake.as_ref().unwrap().with(|github| github.repo("octo/shop").runs[0].event = "schedule".to_owned());
    };
    refused(ALL, &other, "it has no result");
    let edited = |scene: &Scene| {
        let head = scene.head();
        scene.fake.as_ref().unwrap().with(|github| {
            github.repo("octo/shop").file(&head, CI, "on: push # true");
        });
    };
    refused(ALL, &edited, "is not the default branch's");
    let elsewhere = |scene: &Scene| {
        scene.fake.as_ref().unwrap().with(|github| github.repo("octo/shop").runs[0].head_sha = "b".repeat(40));
    };
    refused(ALL, &elsewhere, "is of another commit");
}

#[test]
fn a_squash_merge_has_the_evidence_of_its_pull_request() {
    let scene = Scene::new(On::GitHub, "");
    let head = scene.commit(None);
    run(&scene, 15, &head, "pull_request");
    scene.tree.git(&["commit", "--quiet", "--amend", "--message", "squashed"]);
    let squashed = scene.head();
    scene.known();
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.pull(7, &head, &squashed);
        for sha in [&head, &squashed] {
            repo.commits.get_mut(sha).unwrap().tree = "5".repeat(40);
        }
        repo.branch("main", &squashed).file("main", CI, "on: push");
    });
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let digest = gatepost::publish::proof::digest(&config);
    check(&scene, &head, "success", Account::actions(), &format!("gatepost:15.1:test:all:-:{digest}"));
    scene.fake.as_ref().unwrap().with(|github| github.repo("octo/shop").squashed.insert(squashed.clone(), 7));
    scene.call(&["deploy", "staging"]).with(0).says(&["with the same files"]);
}

#[test]
fn githubs_own_rules_of_an_environment_are_kept() {
    let reviewers = serde_json::json!({ "protection_rules": [{ "id": 1, "node_id": "x", "type": "required_reviewers", "reviewers": [] }] });
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::actions(), ALL);
    let set = |rules: serde_json::Value| {
        scene
            .fake
            .as_ref()
            .unwrap()
            .with(|github| github.repo("octo/shop").environments.insert("staging".to_owned(), rules));
    };
    set(reviewers);
    scene.call(&["deploy", "staging"]).with(3).says(&["GitHub asks for reviewers", "in-job = true"]);
    set(
        serde_json::json!({ "deployment_branch_policy": { "protected_branches": false, "custom_branch_policies": true } }),
    );
    let allow = |pattern: &str| {
        scene.fake.as_ref().unwrap().with(|github| {
            github.repo("octo/shop").branch_policies.insert("staging".to_owned(), vec![pattern.to_owned()]);
        });
    };
    allow("release/*");
    scene.call(&["deploy", "staging"]).with(3).says(&["GitHub lets only release/* deploy to staging"]);
    allow("ma*");
    scene.call(&["deploy", "staging"]).with(0);
}
