//! Reports that a gate promises: a verdict only on what this run wrote and what could be read.

use super::*;

const GOOD: &str = r#"<testsuite name="s"><testcase name="a"/><testcase name="b"/></testsuite>"#;
const BAD: &str =
    r#"<testsuite name="s"><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>"#;

fn gate(command: &str, reports: &str) -> String {
    format!("[gates.t]\nkind = \"test\"\ncommand = '''{command}'''\nreports = {reports}\n")
}

/// How a gate with this command and `out.xml` as its report ends; `good.xml` and `bad.xml` are there.
fn end(command: &str) -> (i32, Vec<String>) {
    project(command, r#"["out.xml"]"#).ends(&[])
}

fn project(command: &str, reports: &str) -> Project {
    let project = Project::on_main(&gate(command, reports));
    project.tree.write("good.xml", GOOD).write("bad.xml", BAD).commit("reports");
    project
}

#[test]
fn what_was_promised_must_be_there_whole_and_fresh() {
    for (command, code, expected) in [
        ("cp good.xml out.xml", 0, "pass, 2 tests passed"),
        ("cp bad.xml out.xml; exit 1", 1, "fail, 1 of 2 tests failed"),
        ("cp bad.xml out.xml", 1, "fail, 1 of 2 tests failed"),
        ("cp good.xml out.xml; exit 1", 4, "error, exit status 1, but every test that ran passed"),
        ("true", 4, "error, no report matches `out.xml` in the root"),
        ("exit 2", 4, "error, exit status 2, and no report matches `out.xml` in the root"),
        (
            ": > out.xml",
            4,
            "error, the report out.xml is empty, so that no format can be recognised: name it with `format`",
        ),
        (
            "echo what > out.xml",
            4,
            "error, the report out.xml is of no known format (it begins with \"what\"): name it with `format`, or bring a matcher",
        ),
        ("echo '<testsuite/>' > out.xml", 4, "error, 0 tests ran, at least 1 expected"),
        ("mkdir out.xml", 4, "error, no report matches `out.xml` in the root"),
    ] {
        assert_eq!(end(command), (code, vec![format!("t: {expected}")]), "{command}");
    }
    for cut in ["head -c 60 bad.xml > out.xml", "head -c 60 bad.xml > out.xml; exit 1"] {
        let (code, gates) = end(cut);
        assert_eq!(code, 4, "{gates:?}");
        assert!(gates[0].contains("the report out.xml is not readable as junit: "), "{gates:?}");
    }
}

#[test]
fn a_report_of_an_earlier_run_is_stale() {
    let project = project("touch ran", r#"["out.xml"]"#);
    project.tree.write("out.xml", GOOD);
    let stale = "t: error, the report out.xml is stale: it was there before and this run did not write it";
    assert_eq!(project.ends(&[]), (4, vec![stale.to_owned()]));
    project.tree.write("gatepost.toml", gate("cat good.xml > out.xml", r#"["out.xml"]"#));
    assert_eq!(project.ends(&[]).1, ["t: pass, 2 tests passed"], "the same content, written anew");
    project.tree.write("gatepost.toml", gate("exit 7", r#"["out.xml"]"#));
    assert!(project.ends(&[]).1[0].starts_with("t: error, exit status 7, and the report out.xml is stale"));
}

#[test]
fn several_reports_are_judged_together() {
    let project = project("mkdir -p out/deep; cp good.xml out/1.xml; cp bad.xml out/deep/2.xml", r#"["out/**/*.xml"]"#);
    let ran = project.run(&[]);
    assert_eq!(ran.gates(), ["t: fail, 1 of 4 tests failed"]);
    assert_eq!(ran.gate()["tests"]["total"], 4);
    let missing = Project::on_main(&gate("cp good.xml out.xml", r#"["out.xml", "other/*.xml"]"#));
    missing.tree.write("good.xml", GOOD);
    assert_eq!(missing.ends(&[]), (4, vec!["t: error, no report matches `other/*.xml` in the root".to_owned()]));
    let stale = self::project("cp good.xml out/1.xml", r#"["out/*.xml"]"#);
    stale.tree.write("out/1.xml", GOOD).write("out/2.xml", GOOD);
    assert!(stale.ends(&[]).1[0].contains("the report out/2.xml is stale"), "one of them was not written");
}

#[test]
fn the_output_folder_is_fresh() {
    let project = project("cp good.xml \"$GATEPOST_OUTPUT/out.xml\"", r#"["$GATEPOST_OUTPUT/out.xml"]"#);
    assert_eq!(project.ends(&[]), (0, vec!["t: pass, 2 tests passed".to_owned()]));
    project.tree.write("gatepost.toml", gate("true", r#"["$GATEPOST_OUTPUT/out.xml"]"#));
    let (code, gates) = project.ends(&[]);
    assert_eq!(code, 4);
    assert!(gates[0].starts_with("t: error, no report matches `$GATEPOST_OUTPUT/out.xml`"), "{gates:?}");
}

/// What cannot be seen, was seen already, or is not of this run is no evidence.
#[test]
#[cfg(unix)]
fn a_report_counts_once_and_only_if_it_can_be_read() {
    use std::os::unix::fs::symlink;
    let twice = project(
        "mkdir -p out; cp good.xml out/run-1.xml; ln -sf run-1.xml out/latest.xml",
        r#"["out/*.xml", "out/run-1.xml"]"#,
    );
    assert_eq!(twice.ends(&[]), (0, vec!["t: pass, 2 tests passed".to_owned()]));

    let linked = project("mkdir -p real/b; cp good.xml out/a.xml; cp bad.xml real/b/b.xml", r#"["out/**/*.xml"]"#);
    linked.tree.write("out/.keep", "");
    symlink("../real/b", linked.path("out/b")).unwrap();
    assert_eq!(linked.ends(&[]), (1, vec!["t: fail, 1 of 4 tests failed".to_owned()]));

    let turned = project("ln -sfn old.xml out/latest.xml", r#"["out/latest.xml"]"#);
    turned.tree.write("out/old.xml", GOOD);
    symlink("nothing.xml", turned.path("out/latest.xml")).unwrap();
    let stale = "t: error, the report out/latest.xml is stale: it was there before and this run did not write it";
    assert_eq!(turned.ends(&[]), (4, vec![stale.to_owned()]));

    let unseen = project("rm out/latest.xml", r#"["out/*.xml"]"#);
    unseen.tree.write("out/old.xml", GOOD);
    symlink("nothing.xml", unseen.path("out/latest.xml")).unwrap();
    let stale = "t: error, the report out/old.xml is stale: it was there before and this run did not write it";
    assert_eq!(unseen.ends(&[]), (4, vec![stale.to_owned()]), "what stood there could not be listed");

    let nowhere = project("mkdir -p out; cp good.xml out/a.xml; ln -s none out/b.xml", r#"["out/*.xml"]"#);
    let (code, gates) = nowhere.ends(&[]);
    assert!(code == 4 && gates[0].contains("out/b.xml leads nowhere"), "{gates:?}");
}

/// Either may have written it.
#[test]
fn one_report_is_no_evidence_for_two_gates() {
    let wait = |file: &str| format!("until test -f {file}; do sleep 0.01; done");
    let config = gate(&format!("{}; cp good.xml out.xml", wait("begun")), r#"["out.xml"]"#)
        + &gate(&format!("touch begun; {}; sleep 0.2", wait("out.xml")), r#"["out.xml"]"#)
            .replace("gates.t", "gates.u");
    let project = Project::on_main(&config);
    project.tree.write("good.xml", GOOD).commit("reports");
    let (code, mut gates) = project.ends(&["-j", "2"]);
    gates.sort_by_key(|gate| gate.contains("error"));
    assert!(code == 4 && gates[0].ends_with(": pass, 2 tests passed"), "{gates:?}");
    let why = "read it already, and which of the two wrote it is not known; give each its own";
    assert!(gates[1].contains("the report out.xml is stale: gate `") && gates[1].ends_with(why), "{gates:?}");
}

#[test]
fn a_report_older_than_the_change_is_none_of_it() {
    let project = Project::new("[gates.t]\nkind = \"test\"\nreports = [\"out.xml\"]\n");
    project.tree.write("out.xml", GOOD);
    assert_eq!(project.ends(&[]).1, ["t: pass, 2 tests passed"]);
    project.tree.write("src/a.rs", project.text("src/a.rs") + "more\n");
    let why = "t: error, the report out.xml is stale: src/a.rs was changed after it was written";
    assert_eq!(project.ends(&[]), (4, vec![why.to_owned()]));
    assert_eq!(project.ends(&["--all-files"]), (4, vec![why.to_owned()]));
    project.tree.write("out.xml", GOOD);
    assert_eq!(project.ends(&["--all-files"]).1, ["t: pass, 2 tests passed"]);
    // What git does not know may be another tool's output.
    project.tree.write("src/b.rs", "");
    assert_eq!(project.ends(&[]).1, ["t: pass, 2 tests passed"]);
    project.tree.git(&["add", "src/b.rs"]);
    let why = "t: error, the report out.xml is stale: src/b.rs was changed after it was written";
    assert_eq!(project.ends(&[]), (4, vec![why.to_owned()]));
}

#[test]
fn a_gate_of_reports_alone_judges_what_an_earlier_step_made() {
    let gate = "[gates.t]\nkind = \"test\"\nreports = [\"out.xml\"]\n";
    let project = Project::on_main(gate);
    assert_eq!(project.ends(&[]), (4, vec!["t: error, no report matches `out.xml` in the root".to_owned()]));
    project.tree.write("out.xml", GOOD);
    let ran = project.run(&[]);
    assert_eq!((ran.code, ran.gates()), (Some(0), vec!["t: pass, 2 tests passed".to_owned()]));
    assert_eq!((&ran.gate()["exit_status"], &ran.gate()["log"]), (&Value::Null, &Value::Null));
    assert_eq!((&ran.gate()["command"], &ran.gate()["attempts"]), (&json!([]), &json!(1)));
    project.tree.write("out.xml", BAD);
    assert_eq!(project.ends(&[]), (1, vec!["t: fail, 1 of 2 tests failed".to_owned()]));
}

#[test]
fn reports_are_relative_to_dir() {
    let project = project("cp ../good.xml out.xml", r#"["out.xml"]"#);
    let config = project.text("gatepost.toml") + "dir = \"sub\"\n";
    project.tree.write("gatepost.toml", config).write("sub/x", "");
    assert_eq!(project.ends(&[]), (0, vec!["t: pass, 2 tests passed".to_owned()]));
    std::fs::remove_file(project.path("sub/out.xml")).unwrap();
    project.tree.write("gatepost.toml", gate("true", r#"["out.xml"]"#) + "dir = \"sub\"\n");
    assert_eq!(project.ends(&[]).1, ["t: error, no report matches `out.xml` in sub"]);
}

#[test]
fn the_number_of_tests_is_a_promise() {
    for (least, code, expected) in [
        ("", 0, "pass, 2 tests passed"),
        ("min-tests = 0", 0, "pass, 2 tests passed"),
        ("min-tests = 2", 0, "pass, 2 tests passed"),
        ("min-tests = 3", 4, "error, 2 tests ran, at least 3 expected"),
    ] {
        let project = project("cp good.xml out.xml", r#"["out.xml"]"#);
        project.tree.write("gatepost.toml", project.text("gatepost.toml") + least);
        assert_eq!(project.ends(&[]), (code, vec![format!("t: {expected}")]), "{least}");
    }
    for (least, code, expected) in [
        ("", 4, "error, 0 tests ran (2 skipped), at least 1 expected"),
        ("min-tests = 0", 0, "pass, 0 tests passed, 2 skipped"),
    ] {
        let skip = r#"echo '<testsuite><testcase name="a"><skipped/></testcase><testcase name="b"><skipped/></testcase></testsuite>' > out.xml"#;
        let project = project(skip, r#"["out.xml"]"#);
        project.tree.write("gatepost.toml", project.text("gatepost.toml") + least);
        assert_eq!(project.ends(&[]), (code, vec![format!("t: {expected}")]), "{least}");
    }
}

#[test]
fn output_is_recognised_by_its_content_on_either_stream() {
    let lint = |command: &str| {
        let config = format!("[gates.l]\nkind = \"lint\"\nonly = \"all\"\ncommand = '''{command}'''\n");
        Project::on_main(&config).ends(&[])
    };
    let found = (1, vec!["l: fail, 1 warning".to_owned()]);
    assert_eq!(lint("echo src/a.rs:1:1: warning: w; exit 1"), found);
    assert_eq!(lint("echo src/a.rs:1:1: warning: w >&2; exit 1"), found);
    assert_eq!(lint("echo working; echo src/a.rs:1:1: warning: w >&2; exit 1"), found, "on both");
    let (code, gates) = lint("true");
    let silent = "l: error, its output is empty, so that no format can be recognised: name it with `format`, or let its exit \
                  status alone judge, with `kind = \"command\"`";
    assert_eq!((code, gates), (4, vec![silent.to_owned()]));
    let (_, gates) = lint("echo 'npm warn x'; echo; echo Success; : mypy src");
    let mypy = "l: error, its output is of no known format (it begins with \"Success\"): mypy is read with `format = \"gcc\"`, or \
                let its exit status alone judge, with `kind = \"command\"`";
    assert_eq!(gates, [mypy]);
    let (_, gates) = lint(
        "printf 'error: x\\n --> src/a.rs:3:1\\n\\nerror: could not compile `a` (lib) due to 1 previous error\\n' >&2; exit 101",
    );
    assert_eq!(gates, ["l: error, exit status 101, and its output says that `a` (lib) did not compile: src/a.rs:3"]);
    let (code, gates) = lint("echo all is well");
    assert_eq!(code, 4, "{gates:?}");
    assert!(gates[0].contains("its output is of no known format (it begins with \"all is well\")"), "{gates:?}");
}

#[test]
fn what_names_files_or_built_nothing_is_not_clean() {
    let lint = |format: &str, command: &str| {
        let lint = "[gates.l]\nkind = \"lint\"\nonly = \"all\"\n";
        Project::on_main(&format!("{lint}format = \"{format}\"\ncommand = '''{command}'''\n")).run(&[])
    };
    for format in ["diff", "gcc"] {
        let said = format!(
            "l: error, its output names files and no finding (`src/a.rs`), which `{format}` cannot judge: have the tool say what \
             is wrong with them (`path:line: message`), or show what it would change (`gofmt -d`, `black --diff`)"
        );
        assert_eq!(lint(format, "echo src/a.rs").gates(), [said]);
        assert_eq!(lint(format, "echo src/b.rs").gates(), ["l: pass, no findings"]);
    }
    let idle = "l: error, nothing was built (`ninja: no work to do.`), and what an earlier build found is not shown again: build \
                all of it, as `make -B` does";
    assert_eq!(lint("gcc", "echo ninja: no work to do.").gates(), [idle]);
    let part = lint("gcc", "echo \"make: 'a' is up to date.\"; echo cc b.c");
    assert_eq!(part.gates(), ["l: pass, no findings"]);
    let note =
        "not all of it was built (`make: 'a' is up to date.`): what an earlier build found there is not shown again";
    assert!(part.gate_notes().contains(&note), "{:?}", part.gate_notes());
}

/// Two pipes have no order between them: what arrives late on one is not the end of what began on the other.
#[test]
fn tests_recognised_by_their_content_are_those_of_standard_output() {
    let begins = r"printf 'running 2 tests\ntest a ... ok\n'";
    let late = r"printf '     Running tests/late.rs (target/debug/deps/late-0123456789abcdef)\n' >&2";
    let ends =
        r"printf 'test b ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n'";
    let command = format!("{begins}; sleep 0.1; {late}; sleep 0.1; {ends}");

    let project = Project::new("[gates.test]\nkind = \"test\"\ncommand = \"bash tests.sh\"\n");
    project.tree.write("tests.sh", &command);
    assert_eq!(project.ends(&[]), (0, vec!["test: pass, 2 tests passed".to_owned()]));
}

#[test]
fn silence_is_clean_only_for_formats_that_print_nothing_then() {
    let lint = |format: &str, command: &str| {
        let config =
            format!("[gates.l]\nkind = \"lint\"\nonly = \"all\"\nformat = \"{format}\"\ncommand = '''{command}'''\n");
        let (code, gates) = Project::on_main(&config).ends(&[]);
        (code, gates.concat())
    };
    for format in ["gcc", "tsc", "github", "diff", "rdjsonl"] {
        assert_eq!(lint(format, "true"), (0, "l: pass, no findings".to_owned()), "{format}");
        let (code, gate) = lint(format, "exit 1");
        assert_eq!((code, gate.as_str()), (4, "l: error, exit status 1, but its output shows no finding"), "{format}");
    }
    for format in ["eslint", "ruff", "sarif", "checkstyle", "junit", "cargo", "rdjson"] {
        for (command, before) in [("true", ""), ("exit 1", "exit status 1, and ")] {
            let expected = format!("l: error, {before}its output is empty, where {format} was promised");
            assert_eq!(lint(format, command), (4, expected));
        }
    }
}

/// A linter that broke down may have told a part of what there is: findings that do not count do not excuse that.
#[test]
fn a_status_for_breakdowns_is_not_explained_by_findings() {
    let eslint =
        r#"[{"filePath":"old.js","messages":[{"ruleId":"semi","severity":1,"message":"m","line":1,"column":1}]}]"#;
    let ruff = r#"[{"code":"F401","filename":"old.js","message":"m","location":{"row":1,"column":1}}]"#;
    let diff = "--- old.js\n+++ old.js\n@@ -1 +1 @@\n-a\n+b";
    for (format, output) in [("eslint", eslint), ("ruff", ruff), ("diff", diff)] {
        let project = |status: i32| {
            let config = format!(
                "[gates.l]\nkind = \"lint\"\ncommand = '''echo '{output}'; exit {status}'''\nformat = \"{format}\"\n\
                 fail-on = \"error\"\n"
            );
            Project::on_main(&config).ends(&[])
        };
        let known = "l: pass, 1 finding that does not count (exit status 1)";
        assert_eq!(project(1), (0, vec![known.to_owned()]), "{format}");
        let broken =
            "l: error, exit status 2: by which the tool says that it broke down, so what it found may not be all";
        assert_eq!(project(2), (4, vec![broken.to_owned()]), "{format}");
    }
}

/// What comes after such an error was not looked at, be it inside of the change.
#[test]
fn findings_elsewhere_do_not_excuse_a_tool_that_stopped_at_them() {
    let lint = |output: &str| {
        let config = format!("[gates.l]\nkind = \"lint\"\ncommand = '''echo '{output}'; exit 1'''\n");
        Project::new(&config).ends(&[])
    };
    let known = "l: pass, 1 finding that does not count (exit status 1)";
    assert_eq!(lint("gatepost.toml:1:1: error: x"), (0, vec![known.to_owned()]));
    for (output, why) in [
        ("gatepost.toml:1:1: fatal error: no x.h\ncompilation terminated.", "the tool stopped at an error"),
        (
            "gatepost.toml:1: error: Invalid syntax  [syntax]\nFound 1 error in 1 file (errors prevented further checking)",
            "the tool stopped at an error",
        ),
        ("gatepost.toml(1,1): error TS1005: x", "tsc stops at errors of syntax"),
    ] {
        let (code, gates) = lint(output);
        assert_eq!(code, 4, "{gates:?}");
        assert!(gates[0].starts_with(&format!("l: error, exit status 1: {why}")), "{gates:?}");
    }
}

/// A binary that was aborted has no result, and the next one's is not its own.
#[test]
fn an_aborted_test_binary_is_not_ended_by_the_next_one() {
    let next = "running 2 tests\ntest c ... ok\ntest d ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
    let project = Project::new("[gates.test]\nkind = \"test\"\ncommand = \"cat out.txt; exit 101\"\nonly = \"new\"\n");
    project.tree.write("out.txt", format!("\nrunning 2 tests\n\n{next}"));
    let (code, gates) = project.ends(&[]);
    assert_eq!(code, 4, "{gates:?}");
    assert!(gates[0].contains("`test result:` is missing"), "{gates:?}");
}

/// Lines that were not understood may hold what the exit status says.
#[test]
fn a_pass_with_a_status_and_notes_is_shown() {
    let config =
        "[gates.l]\nkind = \"lint\"\ncommand = \"printf 'gatepost.toml:1:1: error: x\\nwhat\\nelse\\n'; exit 1\"\n";
    let ran = Project::new(config).run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert!(ran.out.contains("2 lines of the output were not understood"), "{}", ran.out);
}

#[test]
fn what_was_kept_to_be_read_is_not_left_behind() {
    let config = "[gates.l]\nkind = \"lint\"\ncommand = \"echo src/a.rs:1:1: note: $NPM_TOKEN\"\nformat = \"gcc\"\n\
                  [run]\npass-env = [\"NPM_TOKEN\"]\n";
    let project = Project::on_main(config).env("NPM_TOKEN", "sesame-open-42");
    let ran = project.run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
    assert_eq!(ran.gate()["findings"][0]["message"], "***");
    let found = Command::new("grep").args(["-r", "sesame", ".gatepost"]).current_dir(&project.tree.dir).output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
    assert!(!ran.out.contains("sesame") && !ran.err.contains("sesame"));
}
