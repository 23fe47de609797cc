//! Gates beside each other: needs, order, attempts, time, and what is not enforced.

use super::*;

fn gate(name: &str, command: &str, more: &str) -> String {
    format!("[gates.{name}]\nkind = \"command\"\ncommand = '''{command}'''\n{more}\n")
}

#[test]
fn a_gate_whose_need_did_not_pass_is_not_run() {
    let config = [
        gate("last", "touch last", "needs = [\"middle\"]"),
        gate("first", "exit 1", ""),
        gate("middle", "touch middle", "needs = [\"first\", \"good\"]"),
        gate("good", "true", ""),
        gate("broken", "no-such-tool", ""),
        gate("behind", "true", "needs = [\"broken\"]"),
    ];
    let project = Project::on_main(&config.concat());
    let expected = [
        "last: error, not run: middle was not run",
        "first: fail, exit status 1",
        "middle: error, not run: first failed",
        "good: pass, exit status 0",
        "broken: error, exit status 127: a command was not found",
        "behind: error, not run: broken could not be judged",
    ];
    assert_eq!(project.ends(&[]), (1, expected.map(str::to_owned).to_vec()));
    assert!(!project.path("last").exists() && !project.path("middle").exists());
}

#[test]
fn a_need_that_was_skipped_or_is_not_enforced_holds_nothing_back() {
    let config = [
        gate("skipped", "true", "paths = [\"docs/**\"]"),
        gate("soft", "exit 1", "mode = \"report\""),
        gate("behind", "true", "needs = [\"skipped\", \"soft\"]"),
    ];
    let (code, gates) = Project::new(&config.concat()).ends(&[]);
    assert_eq!((code, gates[2].as_str()), (0, "behind: pass, exit status 0"));
}

#[test]
fn a_named_gate_brings_its_needs() {
    let config = [
        gate("a", "true", ""),
        gate("b", "true", "needs = [\"a\"]"),
        gate("c", "true", "needs = [\"b\"]"),
        gate("d", "exit 1", ""),
    ];
    let project = Project::on_main(&config.concat());
    let passed = |names: &[&str]| names.iter().map(|name| format!("{name}: pass, exit status 0")).collect::<Vec<_>>();
    assert_eq!(project.ends(&["c"]), (0, passed(&["a", "b", "c"])));
    assert_eq!(project.ends(&["b", "a"]), (0, passed(&["a", "b"])), "in configuration order");
    assert_eq!(project.ends(&["d"]).0, 1);
}

#[test]
fn jobs_limit_how_many_run_at_a_time() {
    // Each notes that it runs and looks for another that does.
    let command = "mkdir busy 2>/dev/null || touch together; sleep 0.3; rmdir busy 2>/dev/null || true";
    let config: String = ["a", "b", "c"].map(|name| gate(name, command, "")).concat();
    let project = Project::on_main(&config);
    assert_eq!(project.run(&["-j", "1"]).code, Some(0));
    assert!(!project.path("together").exists(), "one at a time");
    assert_eq!(project.run(&["--jobs", "3"]).code, Some(0));
    assert!(project.path("together").exists(), "three at a time");
    assert_eq!(project.run(&["-j", "0"]).code, Some(2));
    let configured = Project::on_main(&format!("[run]\njobs = 1\n{config}"));
    assert_eq!(configured.run(&[]).code, Some(0));
    assert!(!configured.path("together").exists());
}

#[test]
fn by_default_the_others_go_on_and_fail_fast_stops_them() {
    let config = [
        gate("soft", "exit 1", "mode = \"report\""),
        gate("bad", "until test -e started; do sleep 0.05; done; exit 1", "needs = [\"soft\"]"),
        gate("slow", "touch started; sleep 2; touch finished", ""),
        gate("late", "touch late", "needs = [\"slow\"]"),
    ];
    let project = Project::on_main(&config.concat());
    assert_eq!(project.run(&["-j", "4"]).code, Some(1));
    assert!(project.path("finished").exists() && project.path("late").exists());
    for file in ["started", "finished", "late"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    let (code, gates) = project.ends(&["-j", "4", "--fail-fast"]);
    assert_eq!(code, 1);
    assert_eq!(
        gates,
        [
            "soft: fail, exit status 1",
            "bad: fail, exit status 1",
            "slow: error, cancelled by --fail-fast: bad failed",
            "late: error, cancelled by --fail-fast: bad failed"
        ]
    );
    assert!(!project.path("finished").exists() && !project.path("late").exists());
}

#[test]
fn a_pass_after_a_failure_is_flaky() {
    let second = "test -e tried || { touch tried; echo no; exit 1; }; echo yes";
    let run = |more: &str| {
        let project = Project::on_main(&gate("g", second, more));
        let ran = project.run(&[]);
        (project, ran)
    };
    let (project, ran) = run("retries = 2");
    assert_eq!(
        (ran.code, ran.gates()),
        (Some(0), vec!["g: pass, exit status 0; flaky: passed on attempt 2".to_owned()])
    );
    assert_eq!((&ran.gate()["attempts"], &ran.gate()["log"]), (&json!(2), &json!("logs/g~attempt-2.txt")));
    assert_eq!(ran.gate_notes(), ["flaky: attempt 1 ended in fail: exit status 1"]);
    assert_eq!(project.text(".gatepost/logs/g.txt"), "no\n");
    assert_eq!(project.text(".gatepost/logs/g~attempt-2.txt"), "yes\n");

    // A gate may be called as a later attempt's log was.
    let other = gate("\"g.attempt-2\"", "echo other", "");
    let project = Project::on_main(&(gate("g", second, "retries = 2") + &other));
    project.run(&[]);
    let logs = ["g~attempt-2", "g.attempt-2"].map(|log| project.text(&format!(".gatepost/logs/{log}.txt")));
    assert_eq!(logs, ["yes\n", "other\n"]);

    let (_, ran) = run("retries = 1\nflaky = \"fail\"");
    let expected = "g: fail, flaky: passed only on attempt 2 (exit status 1)";
    assert_eq!((ran.code, ran.gates()), (Some(1), vec![expected.to_owned()]));
    let (_, ran) = run("");
    assert_eq!(ran.gates(), ["g: fail, exit status 1"]);

    let never = Project::on_main(&gate("g", "echo x >> tries; exit 1", "retries = 2"));
    assert_eq!(never.ends(&[]), (1, vec!["g: fail, exit status 1; after 3 attempts".to_owned()]));
    assert_eq!(never.text("tries"), "x\nx\nx\n");
    let absent = Project::on_main("[gates.g]\nkind = \"command\"\ncommand = [\"no-such-tool\"]\nretries = 3\n");
    assert_eq!(absent.run(&[]).gate()["attempts"], 0, "another attempt could not end otherwise");
}

#[test]
fn flaky_cases_are_marked_whoever_tried_again() {
    let report = |first: &str| {
        format!(
            "if test -e tried; then end='/>'; else touch tried; end='>{first}</testcase>'; fi; \
             echo \"<testsuite><testcase name='a'/><testcase name='b'$end</testsuite>\" > out.xml"
        )
    };
    let config = |command: &str, more: &str| {
        format!("[gates.t]\nkind = \"test\"\ncommand = '''{command}'''\nreports = [\"out.xml\"]\n{more}\n")
    };
    let failed = report("<failure/>");
    let ran = Project::on_main(&config(&failed, "retries = 1")).run(&[]);
    assert_eq!(ran.gates(), ["t: pass, 2 tests passed; flaky: passed on attempt 2"]);
    let flaky: Vec<bool> =
        ran.gate()["tests"]["cases"].as_array().unwrap().iter().map(|case| case["flaky"] == true).collect();
    assert_eq!((flaky, &ran.gate()["tests"]["flaky"]), (vec![false, true], &json!(1)));

    // The tool itself tried again.
    let retried = report("<flakyFailure/>");
    assert_eq!(
        Project::on_main(&config(&retried, "")).ends(&[]),
        (0, vec!["t: pass, 2 tests passed, 1 flaky".to_owned()])
    );
    assert_eq!(
        Project::on_main(&config(&retried, "flaky = \"fail\"")).ends(&[]),
        (1, vec!["t: fail, 1 test passed only on a retry".to_owned()])
    );
}

#[test]
fn a_timeout_is_an_error_and_is_not_tried_again() {
    let project = Project::on_main(&gate("g", "touch started; sleep 60", "timeout = \"500ms\"\nretries = 2"));
    let ran = project.run(&[]);
    assert_eq!((ran.code, &ran.gate()["attempts"]), (Some(4), &json!(1)));
    assert_eq!(ran.gates(), ["g: error, ran longer than its timeout of 500ms and was ended"]);
    let read = "[gates.l]\nkind = \"lint\"\nformat = \"gcc\"\ntimeout = \"1s\"\n\
                command = \"echo src/a.rs:1:1: error: e; sleep 60\"\n";
    assert_eq!(Project::on_main(read).ends(&[]).1, ["l: error, ran longer than its timeout of 1s and was ended"]);
}

#[test]
fn what_is_not_enforced_is_shown_and_never_blocks() {
    let report = "mode = \"report\"";
    let config =
        [gate("soft", "echo why; exit 1", report), gate("gone", "no-such-tool", report), gate("good", "true", "")];
    let ran = Project::on_main(&config.concat()).run(&[]);
    assert_eq!((ran.code, &ran.report["verdict"]), (Some(0), &json!("pass")));
    assert_eq!(ran.gates()[0], "soft: fail, exit status 1");
    assert_eq!(ran.gate()["mode"], "report");
    assert!(ran.out.contains("soft fail (not enforced): exit status 1") && ran.out.contains("│ why"), "{}", ran.out);
    assert!(ran.out.contains("2 not enforced"), "{}", ran.out);
    let alone = Project::on_main(&gate("soft", "exit 1", report)).run(&[]);
    assert_eq!((alone.code, &alone.report["verdict"]), (Some(0), &json!("skipped")));
}

#[test]
fn failed_goes_before_not_judged() {
    let fail = gate("a", "exit 1", "");
    let error = gate("b", "no-such-tool", "");
    assert_eq!(Project::on_main(&(fail.clone() + &error)).run(&[]).code, Some(1));
    assert_eq!(Project::on_main(&error).run(&[]).code, Some(4));
    assert_eq!(Project::on_main(&fail).run(&[]).code, Some(1));
}
