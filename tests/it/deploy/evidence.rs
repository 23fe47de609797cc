//! What is evidence, and what is not.

use std::process::Command;

use super::{On, Scene};
use crate::github::{Account, Job, WorkflowRun};

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
fn a_report_that_was_written_over_or_cannot_be_read_counts_as_well() {
    let scene = Scene::new(On::File, "");
    scene.tree.write("check", "#!/bin/sh\ntest ! -e ../red\n");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let more = "\n[gates.other]\nkind = \"command\"\ncommand = \"true\"\n";
    scene.tree.write("gatepost.toml", config.replace("\"true\"", "\"sh check\"") + more).commit("looks");
    scene.deploy().with(0);
    scene.tree.write("../red", "");
    scene.call(&["run", "--all-files", "test"]).with(1);
    scene.call(&["run", "--all-files", "other"]).with(0);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it ended in fail"]);
    std::fs::remove_file(scene.tree.dir.join("../red")).unwrap();
    scene.judged();
    let report = scene.tree.dir.join(".gatepost/report.json");
    std::fs::OpenOptions::new().write(true).open(&report).unwrap().set_len((64 << 20) + 1).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["test: its results are unavailable", "it has more than"]);
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
fn a_report_of_another_configuration_is_no_evidence() {
    let scene = Scene::new(On::File, "");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("\"true\"", "\"false\"")).write("lax.toml", &config).commit("lax");
    scene.call(&["--config", "lax.toml", "run", "--all-files"]).with(0);
    scene.call(&["deploy", "staging"]).with(3).says(&["test: another configuration judged it"]);
    // Nor is it once a deploy by that configuration has seen it.
    scene.call(&["--config", "lax.toml", "deploy", "staging"]).with(0);
    std::fs::remove_file(scene.tree.dir.join(".gatepost/report.json")).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result"]);
    // A report that says nothing of it is none either.
    scene.tree.write("gatepost.toml", &config).commit("good again");
    scene.judged();
    let path = scene.tree.dir.join(".gatepost/report.json");
    let mut report: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    report["subject"]["config"] = serde_json::Value::Null;
    std::fs::write(&path, report.to_string()).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["test: its report does not say by which configuration"]);
    scene.deploy().with(0);
}

#[test]
fn what_turned_red_in_the_second_in_which_it_was_green_is_red() {
    let scene = Scene::new(On::File, "");
    let path = scene.tree.dir.join(".gatepost/report.json");
    let with = |at: &str, outcome: &str| {
        let mut report: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        report["started_at"] = at.into();
        report["gates"][0]["outcome"] = outcome.into();
        std::fs::write(&path, report.to_string()).unwrap();
    };
    let now = gatepost::world::clock::now();
    scene.judged();
    with(&now.to_string(), "pass");
    scene.call(&["deploy", "staging", "--dry-run"]).with(0);
    with(&now.to_string(), "fail");
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it ended in fail"]);
    std::fs::remove_file(&path).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it ended in fail"]);
    // What a clock that was wrong has dated ahead is not newer than what is judged now, and no evidence by itself.
    let scene = Scene::new(On::File, "");
    let path = scene.tree.dir.join(".gatepost/report.json");
    scene.judged();
    let report = std::fs::read_to_string(&path).unwrap();
    let mut ahead: serde_json::Value = serde_json::from_str(&report).unwrap();
    ahead["started_at"] = "2999-01-01T00:00:00Z".into();
    std::fs::write(&path, ahead.to_string()).unwrap();
    scene.call(&["deploy", "staging"]).with(3).says(&["minutes ahead of this clock"]);
    std::fs::write(&path, report).unwrap();
    scene.call(&["deploy", "staging"]).with(0);
}

const AUDITED: &str = "\n[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n";

/// Gates on a push to main, as in docs/workflows/deploy.yml, with the audit among them.
pub(super) fn pushed(scene: &Scene, run_id: u64, arguments: &[&str]) -> i32 {
    let mut command = scene.command(&["run"]);
    command.args(arguments).env("GITHUB_TOKEN", "ghs_shop");
    let done = on_push(scene, run_id, &mut command).output().unwrap();
    // The deploy is another job's: it has no report.
    let _ = std::fs::remove_dir_all(scene.tree.dir.join(".gatepost"));
    done.status.code().unwrap_or(-1)
}

/// As a job of a run for a push to main.
fn on_push<'c>(scene: &Scene, run_id: u64, command: &'c mut Command) -> &'c mut Command {
    let head = scene.head();
    let payload = serde_json::json!({
        "before": "0".repeat(40), "after": head,
        "repository": {"full_name": "octo/shop", "default_branch": "main"},
    });
    as_job(scene, run_id, command, ["push", "refs/heads/main"], &payload)
}

/// As a job of a run for an event of this name and reference, with what is checked out.
pub(super) fn as_job<'c>(
    scene: &Scene,
    run_id: u64,
    command: &'c mut Command,
    [event, reference]: [&str; 2],
    payload: &serde_json::Value,
) -> &'c mut Command {
    let file = format!("{event}.json");
    scene.tree.write(&format!("../{file}"), payload.to_string());
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_REF", reference),
        ("GITHUB_SERVER_URL", "https://github.test"),
        ("GITHUB_SHA", &scene.head()),
    ] {
        command.env(name, value);
    }
    command.env("GITHUB_RUN_ID", run_id.to_string());
    command.env("GITHUB_EVENT_PATH", scene.tree.dir.with_file_name(file))
}

#[test]
fn an_audit_of_the_whole_commit_is_evidence_and_one_of_the_default_branch_is_not() {
    let scene = Scene::new(On::GitHub, AUDITED);
    let record = serde_json::json!({
        "id": "A-1", "modified": gatepost::world::clock::now().to_string(), "summary": "bad",
        "affected": [{"package": {"ecosystem": "crates.io", "name": "other"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}],
    });
    scene.tree.write("../db/A-1.json", record.to_string());
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"time\",\n]\n\n\
                [[package]]\nname = \"time\"\nversion = \"0.3.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    scene.tree.write("Cargo.lock", lock).commit("with packages");
    scene.known();
    let head = scene.head();
    scene.fake.as_ref().unwrap().with(|github| {
        github.token("ghs_shop", crate::github::Token::actions());
    });
    run(&scene, 15, &head, "push");
    assert_eq!(pushed(&scene, 15, &[]), 0);
    scene.call(&["deploy", "staging"]).with(3).says(&["audit: it has no result"]);
    run(&scene, 16, &head, "push");
    assert_eq!(pushed(&scene, 16, &["--all-files"]), 0);
    scene.call(&["deploy", "staging"]).with(0).says(&["green: test (check run", "audit (check run"]);
    let named = |name: &str| {
        let checks = |github: &mut crate::github::State| {
            github.repo("octo/shop").checks.iter().filter(|check| check.name == name).count()
        };
        scene.fake.as_ref().unwrap().with(checks)
    };
    assert_eq!((named("gatepost/audit (scheduled)"), named("gatepost/audit")), (1, 1));
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

pub(super) const CI: &str = ".github/workflows/ci.yml";

/// A check run of `test` for a commit and of its files, with what else it says of itself.
pub(super) fn check(scene: &Scene, sha: &str, conclusion: &str, owner: Account, says: &str) -> u64 {
    check_of_files(scene, sha, conclusion, owner, &scene.of_files(sha, says))
}

/// The same, whichever files it says.
pub(super) fn check_of_files(scene: &Scene, sha: &str, conclusion: &str, owner: Account, says: &str) -> u64 {
    let now = gatepost::world::clock::now().to_string();
    scene.fake.as_ref().unwrap().with(|github| {
        let id = github.check("octo/shop", sha, "gatepost/test", conclusion, owner);
        let check = github.repo("octo/shop").checks.last_mut().unwrap();
        (check.external_id, check.completed_at) = (Some(says.to_owned()), Some(now));
        id
    })
}

/// A repository on GitHub with one run of the default branch's workflow.
pub(super) fn on_github() -> Scene {
    let scene = Scene::new(On::GitHub, "");
    let head = scene.head();
    run(&scene, 15, &head, "push");
    scene
}

pub(super) fn run(scene: &Scene, id: u64, sha: &str, event: &str) {
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

pub(super) const ALL: &str = "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef";

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
fn a_leg_that_failed_is_not_hidden_by_one_that_passed() {
    // Attempt, job and conclusion of each check run, in the order in which they were made.
    let deploys = |made: &[(u32, &str, &str)], code: i32, says: &str| {
        let scene = on_github();
        for (attempt, job, conclusion) in made {
            let id = format!("gatepost:15.{attempt}:test:all:-:fe6949ee.0123456789abcdef:{job}:m");
            check(&scene, &scene.head(), conclusion, Account::actions(), &id);
        }
        scene.call(&["deploy", "staging", "--dry-run"]).with(code).says(&[says]);
    };
    let (red, green) = ((3, "test: it ended in fail"), (0, "green: test (check run"));
    for (made, (code, says)) in [
        // Jobs that are told apart.
        (&[(1, "a", "failure"), (1, "b", "success")][..], red),
        (&[(1, "a", "failure"), (1, "b", "success"), (2, "b", "success")], red),
        (&[(1, "a", "failure"), (1, "b", "success"), (2, "a", "success")], green),
        (&[(1, "a", "failure"), (1, "b", "failure"), (2, "b", "success")], red),
        // Jobs that are not: as many as are repeated, and the failed ones first.
        (&[(1, "-", "failure"), (1, "-", "success")], red),
        (&[(1, "-", "failure"), (1, "-", "success"), (2, "-", "success")], green),
        (&[(1, "-", "failure"), (1, "-", "failure"), (2, "-", "success")], red),
        (&[(1, "-", "failure"), (1, "-", "failure"), (2, "-", "success"), (3, "-", "success")], green),
        (&[(1, "-", "failure"), (1, "-", "failure"), (2, "-", "success"), (2, "-", "success")], green),
        (&[(1, "-", "success"), (2, "-", "success"), (2, "-", "cancelled")], (3, "test: it ended in error")),
    ] {
        deploys(made, code, says);
    }
}

const LEGS: &str = "on: push\njobs:\n  gates:\n    strategy: { matrix: { os: [linux, mac] } }\n    steps:\n      - uses: OWNER/gatepost@v1\n\
    \x20 docs:\n    steps:\n      - run: make docs\n\
    \x20 staging:\n    needs: gates\n    steps:\n      - uses: OWNER/gatepost@v1\n        with:\n          args: deploy staging\n";

/// A run of those jobs that ended so (`None`: it goes on), of which the leg `linux` has passed.
fn legs(conclusion: Option<&str>, jobs: &[(&str, &str)]) -> Scene {
    let scene = on_github();
    let head = scene.head();
    let id = gatepost::publish::proof::job(Some(CI), Some("gates 0/2"));
    check(&scene, &head, "success", Account::actions(), &format!("{ALL}:{id}:m"));
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.file("main", CI, LEGS).file(&head, CI, LEGS);
        repo.runs[0].conclusion = conclusion.map(str::to_owned);
        let jobs = jobs.iter().map(|(name, end)| Job::new(name, &format!("runner of {name}"), end));
        repo.jobs.insert(15, jobs.collect());
    });
    scene
}

#[test]
fn a_leg_that_died_before_it_posted_is_no_green() {
    let ended = |jobs: &[(&str, &str)], code: i32, says: &str| {
        let conclusion = if jobs.iter().any(|(_, end)| *end == "in_progress") { None } else { Some("failure") };
        legs(conclusion, jobs).call(&["deploy", "staging", "--dry-run"]).with(code).says(&[says]);
    };
    let (linux, green) = (("gates (linux)", "success"), "green: test (check run");
    ended(
        &[linux, ("gates (mac)", "failure")],
        3,
        "its run 15 ended in failure: its job \"gates (mac)\" ended in failure",
    );
    ended(&[linux, ("gates (mac)", "cancelled")], 3, "\"gates (mac)\" ended in cancelled");
    ended(&[linux, ("gates (mac)", "in_progress")], 3, "its run 15 goes on: its job \"gates (mac)\" is in_progress");
    ended(&[linux, ("elsewhere", "failure")], 3, "\"elsewhere\" ended in failure");
    ended(&[], 3, "its run 15 ended in failure: GitHub names none of its jobs");
    // What judges nothing does not matter.
    ended(&[linux, ("gates (mac)", "success"), ("docs", "failure")], 0, green);
    ended(&[linux, ("gates (mac)", "success"), ("docs", "in_progress")], 0, green);
    // A job that may fail does not show in how its run ended.
    let scene = legs(Some("success"), &[linux, ("gates (mac)", "failure")]);
    let says = "its run 15 ended in success: its job \"gates (mac)\" ended in failure";
    scene.call(&["deploy", "staging", "--dry-run"]).with(3).says(&[says]);
    // Run again as a whole, and died.
    let scene = legs(Some("failure"), &[("gates (linux)", "failure"), ("gates (mac)", "failure")]);
    scene.fake.as_ref().unwrap().with(|github| {
        let repo = github.repo("octo/shop");
        repo.runs[0].attempt = 2;
        repo.jobs.get_mut(&15).unwrap().iter_mut().for_each(|job| job.attempt = 2);
    });
    scene.call(&["deploy", "staging", "--dry-run"]).with(3).says(&["test: its run 15 ended in failure"]);
}

#[test]
fn a_job_that_failed_is_judged_by_what_it_posted() {
    let scene = legs(Some("failure"), &[("gates (linux)", "success"), ("gates (mac)", "failure")]);
    let id = gatepost::publish::proof::job(Some(CI), Some("gates 1/2"));
    let says = format!("gatepost:15.1:other:all:-:fe6949ee.0123456789abcdef:{id}:n");
    scene.fake.as_ref().unwrap().with(|github| {
        github.check("octo/shop", &scene.head(), "gatepost/other", "failure", Account::actions());
        github.repo("octo/shop").checks.last_mut().unwrap().external_id = Some(says);
    });
    scene.call(&["deploy", "staging", "--dry-run"]).with(0).says(&["green: test (check run"]);
}

#[test]
fn a_deploy_is_a_job_of_the_run_that_judged() {
    let deploys = |mac: &str, code: i32, says: &str| {
        let staging = ("staging", "in_progress");
        let scene = legs(None, &[("gates (linux)", "success"), ("gates (mac)", mac), ("docs", "failure"), staging]);
        let mut command = scene.command(&["deploy", "staging", "--dry-run"]);
        let done = on_push(&scene, 15, &mut command).env("RUNNER_NAME", "runner of staging").output().unwrap();
        let text = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert_eq!((done.status.code(), text.contains(says)), (Some(code), true), "{text}");
    };
    deploys("success", 0, "green: test (check run");
    deploys("in_progress", 3, "its run 15 goes on: its job \"gates (mac)\" is in_progress");
    deploys("failure", 3, "\"gates (mac)\" ended in failure, and no check run of it says why");
}

#[test]
fn a_scheduled_run_is_no_evidence_and_hides_none() {
    let says = |made: &[(u64, &str)], code: i32, why: &str| {
        let scene = on_github();
        run(&scene, 20, &scene.head(), "schedule");
        for (number, conclusion) in made {
            let id = format!("gatepost:{number}.1:test:all:-:fe6949ee.0123456789abcdef:j:m");
            check(&scene, &scene.head(), conclusion, Account::actions(), &id);
        }
        scene.call(&["deploy", "staging", "--dry-run"]).with(code).says(&[why]);
    };
    says(&[(15, "success"), (20, "success")], 0, "green: test (check run");
    says(&[(15, "failure"), (20, "success")], 3, "test: it ended in fail");
    says(&[(15, "success"), (20, "failure")], 3, "test: it ended in fail");
    says(&[(20, "success")], 3, "test: it has no result");
}

#[test]
fn the_check_run_of_a_configuration_at_another_place_is_no_evidence() {
    let says = |conclusion: &str, config: &str, code: i32, why: &str| {
        let scene = on_github();
        check(&scene, &scene.head(), "success", Account::actions(), ALL);
        let id = format!("gatepost:15.1:test:all:-:{config}:j:m");
        check(&scene, &scene.head(), conclusion, Account::actions(), &id);
        scene.call(&["deploy", "staging", "--dry-run"]).with(code).says(&[why]);
    };
    let here = gatepost::publish::proof::digest("gatepost.toml", "as it was when that commit was judged");
    let there = gatepost::publish::proof::digest("web/gatepost.toml", "");
    says("failure", &here, 3, "test: it ended in fail");
    says("failure", &there, 0, "green: test (check run");
    says("success", "-", 3, "test: its check run does not say by which configuration");
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::actions(), &format!("gatepost:15.1:test:all:-:{there}:j:m"));
    scene.call(&["deploy", "staging"]).with(3).says(&["test: it has no result"]);
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
    refused("gatepost:15.1:test:report:-:fe6949ee.x", &nothing, "only reports");
    refused("gatepost:15.1:test:change:-:fe6949ee.x", &nothing, "nothing is known of what it was compared with");
    let base = "a".repeat(40);
    refused(
        &format!("gatepost:15.1:test:change:{base}:fe6949ee.x"),
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
    let fake = scene.fake.as_ref().unwrap();
    fake.fault("repos/get-environment").refuse(403);
    scene.call(&["deploy", "staging"]).with(3).says(&["could not be read", "the token needs `actions: read`"]);
    fake.forgive();
    // An outage is no refusal.
    fake.fault("repos/get-environment").html(200);
    scene.call(&["deploy", "staging"]).with(4).says(&["could not be read, so that nothing is deployed"]);
}

#[test]
fn githubs_patterns_are_of_branches_of_origin_or_of_tags() {
    let scene = on_github();
    check(&scene, &scene.head(), "success", Account::actions(), ALL);
    let policy = serde_json::json!({ "protected_branches": false, "custom_branch_policies": true });
    let rules = serde_json::json!({ "deployment_branch_policy": policy });
    let fake = scene.fake.as_ref().unwrap();
    fake.with(|github| github.repo("octo/shop").environments.insert("staging".to_owned(), rules));
    let deploys = |pattern: &str, kind: Option<&str>, code: i32| {
        let patterns = vec![(pattern.to_owned(), kind.map(str::to_owned))];
        fake.with(|github| github.repo("octo/shop").branch_policies.insert("staging".to_owned(), patterns));
        scene.call(&["deploy", "staging", "--dry-run"]).with(code)
    };
    let (branch, tag) = (Some("branch"), Some("tag"));
    scene.tree.git(&["branch", "-M", "main"]);
    scene.tree.git(&["branch", "v-evil"]);
    deploys("ma*", branch, 3).says(&["GitHub lets only the branches ma* deploy to staging"]);
    scene.tree.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    for kind in [branch, None] {
        deploys("release/*", kind, 3).says(&["GitHub lets only the branches release/* deploy to staging"]);
        deploys("ma*", kind, 0);
    }
    // A branch is no tag, wherever it is.
    deploys("v*", tag, 3).says(&["GitHub lets only the tags v* deploy to staging"]);
    scene.tree.git(&["update-ref", "refs/remotes/origin/v-evil", "HEAD"]);
    deploys("v*", tag, 3);
    deploys("v*", branch, 0);
    scene.tree.git(&["update-ref", "-d", "refs/remotes/origin/v-evil"]);
    scene.tree.git(&["tag", "v1"]);
    deploys("v*", branch, 3);
    deploys("v*", tag, 0);
}
