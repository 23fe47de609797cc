//! Several jobs, one verdict: the reports of parallel jobs joined into one comment, and nothing posted twice.

use std::process::Command;

use serde_json::{Value, json};

use super::{GATES, Scene, TOKEN, end, write};
use crate::github::Token;

/// Runs one gate as a job of its own, whose report is left in the folder of its name beside the repository.
fn job(scene: &Scene, run: u32, gate: &str) -> Command {
    scene.step(run, &[gate, "--output", &format!("../{gate}")])
}

fn publish(scene: &Scene, run: u32, arguments: &[&str]) -> Command {
    scene.call(run, &[&["publish"], arguments].concat())
}

/// Names and conclusions, without the annotations.
fn concluded(scene: &Scene) -> Vec<String> {
    scene.checks().into_iter().map(|(name, conclusion, _)| format!("{name} {conclusion}")).collect()
}

#[test]
fn jobs_leave_the_comment_to_one_that_has_all_their_reports() {
    let scene = Scene::new(GATES, Token::actions());
    for (gate, code) in [("lint", 1), ("web", 1), ("test", 1), ("build", 0)] {
        let ended = end(&mut job(&scene, 5, gate)).with_code(code);
        assert!(ended.out.contains("3 more gates of the configuration did not run here"), "{}", ended.out);
    }
    assert_eq!(scene.comments().len(), 0);
    let checks = scene.checks();
    assert_eq!(checks.len(), 4);
    let reports = ["../lint/report.json", "../web", "../test/report.json", "../build/report.json"];
    let ended = end(&mut publish(&scene, 5, &reports)).with_code(1);
    assert_eq!(scene.checks(), checks, "check runs are not made twice");
    let comments = scene.comments();
    assert!(comments.len() == 1 && comments[0].contains("3 of 4 gates failed"), "{comments:?}");
    for gate in ["lint", "web", "test", "build"] {
        assert!(comments[0].contains(&format!("| `{gate}` |")), "{comments:?}");
    }
    assert!(scene.text("summary.md").matches("3 of 4 gates failed").count() == 1);
    assert!(scene.text("output").contains("verdict<<") && ended.out.contains("verdict: fail"), "{}", ended.out);
    // What was found is annotated by the check runs; how each gate ended is said.
    assert_eq!(ended.lines("::error title=gatepost/").len(), 3, "{}", ended.out);
    assert_eq!(ended.lines("::").len(), 3, "{}", ended.out);
    // Again, as a re-run of that job alone does: nothing changes, but that it is said.
    let writes = scene.fake.requests("writes").len();
    end(publish(&scene, 5, &reports).env("GITHUB_RUN_ATTEMPT", "2")).with_code(1);
    assert_eq!((scene.checks(), scene.comments().len()), (checks, 1));
    assert!(scene.comments()[0].contains("not of attempt 2: "), "{:?}", scene.comments());
    assert_eq!(scene.fake.requests("writes").len(), writes + 2, "who we are is asked for");
    scene.fake.finish();
}

#[test]
fn a_part_that_is_missing_could_not_be_judged() {
    let scene = Scene::new(GATES, Token::actions());
    end(&mut job(&scene, 5, "build")).with_code(0);
    end(&mut publish(&scene, 5, &["../build", "--expect", "build"])).with_code(0);
    assert_eq!(scene.comments().len(), 0, "all that was expected is there, and green");
    // By name, though the file was named as well.
    let again = |attempt: &str, arguments: &[&str]| {
        end(publish(&scene, 5, arguments).env("GITHUB_RUN_ATTEMPT", attempt)).with_code(4)
    };
    let ended = again("2", &["../build", "../lint/report.json", "--expect", "build,lint"]);
    assert!(ended.out.contains("not there: ../lint/report.json") && ended.out.contains("--expect"), "{}", ended.out);
    assert!(scene.comments()[0].contains("1 of 2 gates could not be judged"), "{:?}", scene.comments());
    assert_eq!(concluded(&scene), ["gatepost/build success", "gatepost/lint failure"]);
    // By the configuration: whatever is due.
    again("3", &["../build"]);
    assert!(scene.comments()[0].contains("3 of 4 gates could not be judged"), "{:?}", scene.comments());
    // Nothing at all: the file that was named is missing, whatever is expected.
    let ended = again("4", &["../nothing.json", "--expect", "build"]);
    assert!(ended.out.contains("not there: ../nothing.json"), "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn a_gate_that_is_not_due_is_not_missed_and_one_that_is_may_not_be_skipped() {
    let gates = r#"
[gates.lint]
kind = "command"
command = "true"
paths = ["src/**"]

[gates.docs]
kind = "command"
command = "true"
paths = ["docs/**"]

[gates.nightly]
kind = "command"
command = "true"
when = ["schedule"]
"#;
    let scene = Scene::new(gates, Token::actions());
    end(&mut job(&scene, 5, "lint")).with_code(0);
    end(&mut publish(&scene, 5, &["../lint"])).with_code(0);
    let file = scene.beside("lint/report.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    report["gates"][0] = json!({"name": "lint", "kind": "command", "outcome": "skipped", "reason": "no time"});
    report["verdict"] = json!("skipped");
    write(&file, &report.to_string());
    let ended = end(&mut publish(&scene, 5, &["../lint", "--json"])).with_code(4);
    let joined: Value =
        serde_json::from_str(&ended.out[ended.out.find('{').unwrap()..=ended.out.rfind('}').unwrap()]).unwrap();
    assert_eq!(joined["gates"][0]["reason"], "it is due (src/a.c changed), but its report says skipped: no time");
    scene.fake.finish();
}

#[test]
fn a_checkout_without_the_configuration_expects_what_the_commit_has() {
    let scene = Scene::new(GATES, Token::actions());
    end(&mut job(&scene, 5, "build")).with_code(0);
    let elsewhere = scene.beside("tools");
    std::fs::create_dir_all(&elsewhere).unwrap();
    super::git(&elsewhere, &["init", "-q"]);
    scene.fake.with(|github| _ = github.repo("octo/shop").file(&scene.head, "gatepost.toml", GATES));
    end(publish(&scene, 5, &["../build"]).current_dir(&elsewhere)).with_code(4);
    assert!(scene.comments()[0].contains("3 of 4 gates could not be judged"), "{:?}", scene.comments());
    scene.fake.finish();
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let scene = Scene::new(GATES, Token::actions());
    end(&mut job(&scene, 5, "lint")).with_code(1);
    let text = scene.text("lint/report.json");
    let refused = |name: &str, content: &str, code: i32, says: &str| {
        write(&scene.beside(name), content);
        let before = scene.fake.requests("*").len();
        let named = format!("../{name}");
        let ended = end(&mut publish(&scene, 5, &["../lint", &named, "--expect", "lint"])).with_code(code);
        assert!(ended.err.contains(says), "{name}: {}", ended.err);
        assert_eq!(scene.fake.requests("*").len(), before, "{name}: GitHub was told something");
    };
    refused("twice.json", &text, 2, "both have the gate lint");
    refused("sha.json", &text.replace(&scene.head, &"3".repeat(40)), 3, "is of the commit 3333333");
    refused("repository.json", &text.replace("octo/shop", "octo/other"), 3, "is of the repository octo/other");
    refused("number.json", &text.replace("\"pull_request\":7", "\"pull_request\":8"), 3, "is of the pull request #8");
    // A folder that a self-hosted runner has kept.
    refused("run.json", &text.replace("{\"id\":5,", "{\"id\":4,"), 3, "is of the run 4, this run of 5");
    refused("base.json", &text.replace(&scene.base, &"4".repeat(40)), 3, "is of the base 4444444");
    refused("cut.json", &text[..text.len() / 2], 4, "is no gatepost report");
    refused("empty.json", "", 4, "is no gatepost report");
    refused("other.json", r#"{"version":"2.1.0","runs":[]}"#, 4, "has the schema");
    refused("later.json", &text.replace("report/v1", "report/v2"), 4, "has the schema \"gatepost.report/v2\"");
    refused("folder/readme.txt", "x", 4, "is no gatepost report");
    let ended = end(&mut publish(&scene, 5, &["../folder"])).with_code(4);
    assert!(ended.err.contains("../folder has no report.json"), "{}", ended.err);
    let ended = end(&mut publish(&scene, 5, &[])).with_code(2);
    assert!(ended.err.contains("no report was named"), "{}", ended.err);
    let ended = end(&mut publish(&scene, 5, &["../lint", "--expect", "lnit"])).with_code(2);
    assert!(ended.err.contains("lnit") && ended.err.contains("lint"), "{}", ended.err);
    scene.fake.finish();
}

#[test]
fn a_check_run_that_is_made_here_says_what_its_own_report_is_of() {
    let scene = Scene::new(GATES, Token::actions());
    end(job(&scene, 5, "build").env_remove("GITHUB_TOKEN")).with_code(0);
    end(&mut publish(&scene, 5, &["../build", "--expect", "build,lint"])).with_code(4);
    let digest = gatepost::publish::proof::digest("gatepost.toml", GATES);
    let says = |github: &mut crate::github::State| {
        let checks = github.repo("octo/shop").checks.iter();
        checks.map(|check| check.external_id.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    let says = scene.fake.with(says);
    assert!(says[0].starts_with(&format!("gatepost:5.1:lint:change:{}:-:", scene.base)), "{says:?}");
    assert!(says[1].starts_with(&format!("gatepost:5.1:build:all:{}:{digest}:", scene.base)), "{says:?}");
    scene.fake.finish();
}

#[test]
fn a_posting_that_fails_is_4_unless_the_token_only_reads() {
    let scene = Scene::new(GATES, Token::actions());
    end(job(&scene, 5, "build").env_remove("GITHUB_TOKEN")).with_code(0);
    end(publish(&scene, 5, &["../build", "--expect", "build"]).env("GITHUB_TOKEN", "ghs_wrong")).with_code(4);
    let ended = end(publish(&scene, 5, &["../build"]).env_remove("GITHUB_TOKEN")).with_code(2);
    assert!(ended.err.contains("there is no token"), "{}", ended.err);
    scene.fake.with(|github| {
        github.token(TOKEN, Token::read_only());
    });
    let ended = end(&mut publish(&scene, 5, &["../build", "--expect", "build"])).with_code(0);
    assert!(ended.out.contains("could not be posted: the token may only read here"), "{}", ended.out);
    // What a token posts in a lesser way is posted.
    scene.fake.with(|github| {
        github.token(TOKEN, Token::personal("mona"));
    });
    let ended = end(&mut publish(&scene, 5, &["../build", "--expect", "build"])).with_code(0);
    assert!(ended.out.contains("posted in a lesser way: posted as a commit status"), "{}", ended.out);
    scene.fake.forgive();
}

#[test]
fn a_dry_run_says_what_it_would_post() {
    let scene = Scene::new(GATES, Token::actions());
    end(job(&scene, 5, "lint").env_remove("GITHUB_TOKEN")).with_code(1);
    let ended = end(&mut publish(&scene, 5, &["../lint", "--expect", "lint", "--dry-run"])).with_code(1);
    assert!(ended.out.contains("POST /repos/octo/shop/check-runs"), "{}", ended.out);
    assert!(ended.out.contains("POST /repos/octo/shop/issues/7/comments"), "{}", ended.out);
    assert_eq!((scene.checks().len(), scene.comments().len()), (0, 0));
    scene.fake.finish();
}

#[test]
fn a_run_of_some_gates_does_not_replace_what_a_whole_one_said() {
    let gates = r#"
[gates.test]
kind = "command"
command = "exit $(cat tool/code)"

[gates.build]
kind = "command"
command = "true"
"#;
    let scene = Scene::with(
        gates,
        |root| write(&root.join("tool/code"), "1"),
        |github| {
            github.token(TOKEN, Token::actions());
        },
    );
    scene.run(5).with_code(1);
    let before = scene.comments();
    assert_eq!(before.len(), 1);
    end(&mut job(&scene, 6, "build")).with_code(0);
    assert_eq!(scene.comments(), before);
    // A matrix: jobs of one run that each run every gate. The greener one does not get the last word.
    write(&scene.root().join("tool/code"), "0");
    let ended = scene.run(5).with_code(0);
    assert_eq!(scene.comments(), before);
    assert!(ended.out.contains("another job has said fail of this commit"), "{}", ended.out);
    scene.run(7).with_code(0);
    assert!(scene.comments()[0].contains("Green now"), "{:?}", scene.comments());
    scene.fake.finish();
}

#[test]
fn every_workflow_and_every_configuration_has_its_own_comment() {
    let gates = |command: &str| format!("[gates.test]\nkind = \"command\"\ncommand = {command:?}\n");
    let scene = Scene::with(
        &gates("false"),
        |root| {
            write(&root.join("security.toml"), &gates("true"));
            write(&root.join("web/gatepost.toml"), &gates("false"));
        },
        |github| _ = github.token(TOKEN, Token::actions()),
    );
    let run = |run: u32, workflow: &str, arguments: &[&str], code: i32| {
        let mut command = scene.call(run, &[arguments, &["run"]].concat());
        end(command.env("GITHUB_WORKFLOW_REF", format!("octo/shop/.github/workflows/{workflow}@refs/pull/7/merge")))
            .with_code(code)
    };
    run(1000, "ci.yml", &[], 1);
    // Green, and there is nothing of it to update.
    run(1001, "ci.yml", &["--config", "security.toml"], 0);
    run(1002, "ci.yml", &["-C", "web"], 1);
    run(1003, "nightly.yml", &[], 1);
    let bodies = scene.comments();
    assert!(bodies.len() == 3 && bodies.iter().all(|body| body.contains("1 of 1 gate failed")), "{bodies:?}");
    // The other order, and again: each has its own.
    run(999, "nightly.yml", &["-C", "web"], 1);
    run(1004, "ci.yml", &["-C", "web"], 1);
    assert_eq!(scene.comments().len(), 4);
    scene.fake.finish();
}

#[test]
fn a_leg_that_failed_keeps_the_comment_red_until_it_is_run_again() {
    let gates = "[gates.test]\nkind = \"command\"\ncommand = \"exit $(cat tool/code)\"\n";
    let scene = Scene::new(gates, Token::actions());
    let leg = |leg: &str, attempt: &str, code: i32| {
        write(&scene.root().join("tool/code"), &code.to_string());
        let mut command = scene.step(5, &[]);
        command.env("GITHUB_JOB", "test").env("GATEPOST_LEG", leg).env("GITHUB_RUN_ATTEMPT", attempt);
        end(&mut command).with_code(code)
    };
    leg("0/2", "1", 1);
    leg("1/2", "1", 1);
    let ended = leg("0/2", "2", 0);
    assert!(ended.out.contains("another job has said fail of this commit"), "{}", ended.out);
    assert!(scene.comments()[0].contains("1 of 1 gate failed"), "{:?}", scene.comments());
    leg("1/2", "3", 0);
    assert!(scene.comments()[0].contains("Green now"), "{:?}", scene.comments());
    scene.fake.finish();
}

#[test]
fn on_a_laptop_the_report_says_what_it_is_of() {
    let scene = Scene::new(GATES, Token::actions());
    end(&mut job(&scene, 5, "lint")).with_code(1);
    let local = |arguments: &[&str]| {
        let mut command = scene.program(&[&["publish"], arguments].concat());
        command.env("GITHUB_TOKEN", TOKEN).env("GITHUB_API_URL", scene.fake.url());
        end(&mut command)
    };
    let checks = scene.checks().len();
    local(&["../lint", "--expect", "lint"]).with_code(1);
    assert_eq!((scene.checks().len(), scene.comments().len()), (checks + 1, 1));
    let text = scene.text("lint/report.json");
    write(&scene.beside("dirty.json"), &text.replace("\"dirty\":false", "\"dirty\":true"));
    let ended = local(&["../dirty.json"]).with_code(3);
    assert!(ended.err.contains("work tree with changes"), "{}", ended.err);
    // Who names a repository posts in no other one.
    let mut elsewhere = scene.program(&["publish", "../lint"]);
    elsewhere.env("GITHUB_TOKEN", TOKEN).env("GITHUB_API_URL", scene.fake.url()).env("GITHUB_REPOSITORY", "acme/other");
    let ended = end(&mut elsewhere).with_code(3);
    assert!(ended.err.contains("is a report of octo/shop, and GITHUB_REPOSITORY is acme/other"), "{}", ended.err);
    scene.fake.finish();
}

#[test]
fn migrations_are_shown_as_a_direct_run_shows_them() {
    let gates = "[gates.db]\nkind = \"migrations\"\ndatabase = \"sqlite\"\n";
    let change = |root: &std::path::Path| {
        write(&root.join("migrations/1_a.up.sql"), "CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT);\n");
        write(&root.join("migrations/1_a.down.sql"), "DROP TABLE a;\n");
        write(&root.join("migrations/2_b.up.sql"), "CREATE INDEX a_n ON a (n);\nINSERT INTO b VALUES (1);\n");
        write(&root.join("migrations/2_b.down.sql"), "DROP INDEX a_n;\n");
    };
    let scene = || Scene::with(gates, change, |github| _ = github.token(TOKEN, Token::actions()));
    let (direct, fanned) = (scene(), scene());
    end(&mut direct.step(5, &[])).with_code(1);
    end(&mut fanned.step(5, &["--publish", "never", "--output", "../db"])).with_code(1);
    let ended = end(&mut publish(&fanned, 5, &["../db", "--json"])).with_code(1);
    let section = |scene: &Scene| {
        let comments = scene.comments();
        let start = comments[0].find("The schema after it:").unwrap_or_else(|| panic!("{comments:?}"));
        comments[0][start..].split("</details>").next().unwrap().to_owned()
    };
    assert_eq!(section(&fanned), section(&direct));
    assert!(section(&direct).contains("+ index a.a_n"), "{}", section(&direct));
    let written: Value = serde_json::from_str(&fanned.text("db/report.json")).unwrap();
    let joined: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(joined["gates"][0]["migrations"], written["gates"][0]["migrations"]);
    assert_eq!(written["gates"][0]["migrations"]["migrations"][0]["round_trip"], "exact");
    direct.fake.finish();
    fanned.fake.finish();
}

#[test]
fn a_token_that_only_reads_makes_no_verdict_red() {
    let scene = Scene::new(GATES, Token::read_only());
    scene.event("mona/shop", "feature");
    for gate in ["build", "lint"] {
        end(&mut job(&scene, 5, gate));
    }
    let ended = end(&mut publish(&scene, 5, &["../build", "--expect", "build"])).with_code(0);
    assert_eq!(ended.out.matches("the token may only read here").count(), 1, "{}", ended.out);
    assert!(scene.text("summary.md").contains("1 gate passed"), "{}", scene.text("summary.md"));
    let ended = end(&mut publish(&scene, 5, &["../build", "../lint", "--expect", "build,lint"])).with_code(1);
    assert!(ended.out.contains("the token may only read here"), "{}", ended.out);
    assert_eq!((scene.checks().len(), scene.comments().len()), (0, 0));
    scene.fake.finish();
}

#[test]
fn a_failed_gate_is_told_by_the_exit_code_whatever_could_not_be_posted() {
    let scene = Scene::new(GATES, Token::actions());
    for gate in ["build", "lint"] {
        end(&mut job(&scene, 5, gate));
    }
    scene.fake.fault("issues/create-comment").refuse(422);
    end(&mut publish(&scene, 5, &["../lint", "--expect", "lint"])).with_code(1);
    scene.fake.fault("checks/list-for-ref").refuse(422);
    let ended = end(&mut publish(&scene, 5, &["../build", "--expect", "build"])).with_code(4);
    assert!(ended.out.contains("could not be posted"), "{}", ended.out);
    scene.fake.forgive();
}
