//! `only = "new"`: compared with a report of the base.

use super::*;

const LINT: &str = r#"
[gates.lint]
kind = "lint"
command = "cat found.txt"
format = "gcc"
"#;

/// A project, and beside it the report of its `main`, where these lines were found.
fn with_baseline(found: &str) -> (Project, String) {
    let project = Project::on_main(LINT);
    project.tree.write("found.txt", found).commit("base");
    assert!(project.run(&[]).code.is_some());
    let baseline = project.tree.dir.with_file_name("base.json");
    std::fs::copy(project.path(".gatepost/report.json"), &baseline).unwrap();
    project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    (project, baseline.to_str().unwrap().to_owned())
}

const BASE: &str = "src/a.rs:1:1: warning: w\nsrc/a.rs:2:1: warning: w\n";

#[test]
fn new_existing_and_fixed() {
    let (project, baseline) = with_baseline(BASE);
    // Line 1 moved down by one, line 2 was mended, and one is new on an old line.
    project.tree.write("src/a.rs", format!("line 0\n{}", numbered(5)));
    project.tree.write("found.txt", "src/a.rs:2:1: warning: w\nsrc/a.rs:6:1: warning: w\n").commit("topic");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!((ran.code, ran.gates()), (Some(1), vec!["lint: fail, 1 new warning".to_owned()]));
    let status: Vec<_> = ran.gate()["findings"].as_array().unwrap().iter().map(|f| f["status"].clone()).collect();
    assert_eq!((status, &ran.gate()["fixed"]), (vec![json!("existing"), json!("new")], &json!(1)));
    assert_eq!(ran.gate_notes(), [""; 0]);

    project.tree.write("found.txt", "src/a.rs:2:1: warning: w\n");
    assert_eq!(
        project.ends(&["--baseline", &baseline]),
        (0, vec!["lint: pass, 1 finding that does not count".to_owned()])
    );
}

#[test]
fn findings_follow_a_renamed_file() {
    let (project, baseline) = with_baseline(BASE);
    project.tree.git(&["mv", "src/a.rs", "src/b.rs"]);
    project.tree.write("found.txt", BASE.replace("a.rs", "b.rs")).commit("moved");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["lint: pass, 2 findings that do not count"]);
    assert_eq!(ran.gate()["fixed"], 0);
}

/// Its own report, say: what fails in it may be new.
#[test]
fn without_a_base_a_baseline_excuses_no_failed_test() {
    let config = "[gates.t]\nkind = \"test\"\ncommand = \"cp bad.xml out.xml; exit 1\"\nreports = [\"out.xml\"]\nonly = \"new\"\n";
    let project = Project::on_main(config);
    let bad = r#"<testsuite name="s"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>"#;
    project.tree.write("bad.xml", bad).commit("bad");
    project.run(&["--all-files"]);
    let baseline = project.tree.dir.with_file_name("own.json");
    std::fs::copy(project.path(".gatepost/report.json"), &baseline).unwrap();
    let ran = project.run(&["--all-files", "--baseline", baseline.to_str().unwrap()]);
    assert_eq!(
        (ran.code, ran.gates()),
        (Some(1), vec!["t: fail, 1 of 2 tests failed (0 new, 1 still failing)".to_owned()])
    );
    assert!(
        ran.notes().iter().any(|note| note.starts_with("no base is known that the baseline of")),
        "{:?}",
        ran.notes()
    );
}

#[test]
fn a_baseline_of_another_commit_or_without_the_gate_is_said() {
    let (project, baseline) = with_baseline(BASE);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("other.rs", "x\n").commit("main goes on");
    project.tree.git(&["checkout", "--quiet", "-b", "later"]);
    project.tree.write("src/a.rs", numbered(9)).commit("later");
    let ran = project.run(&["--baseline", &baseline]);
    let note = redacted(&ran.notes().concat(), &project.tree.dir);
    assert_eq!(
        note,
        "the baseline was made of [COMMIT], the base is [COMMIT]: findings on changed lines and failed tests count even \
         where it has them"
    );
    assert_eq!(ran.gates(), ["lint: pass, 2 findings that do not count"]);
    // On a changed line the base may have been without what an older commit had.
    project.tree.write("src/a.rs", numbered(9).replace("line 1", "  line 1")).commit("indented");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["lint: fail, 1 new warning"]);
    assert_eq!(ran.gate()["fixed"], 0);

    let other = LINT.replace("gates.lint", "gates.other");
    project.tree.write("gatepost.toml", &other).commit("renamed gate");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["other: fail, 1 warning on changed lines"]);
    assert_eq!(ran.notes()[1], "the baseline has no result of `other`: it is judged as without one");
    assert_eq!(ran.gate()["fixed"], Value::Null);

    // Who asks for what is new, and has nothing to compare with, gets everything.
    project.tree.write("gatepost.toml", other + "only = \"new\"\n").commit("only what is new");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["other: fail, 2 new warnings"]);
    assert_eq!(ran.gate_notes(), ["no baseline for this gate: every finding counts as new"]);
}

/// A report of a pull request is of its merge, and names the head.
#[test]
fn a_baseline_of_other_files_or_of_another_repository_is_said() {
    let (project, baseline) = with_baseline(BASE);
    project.tree.git(&["remote", "add", "origin", "https://github.com/acme/shop.git"]);
    project.tree.write("src/a.rs", numbered(5).replace("line 1\n", "  line 1\n")).commit("indented");
    let with = |key: &str, value: &str| {
        let mut report: Value = serde_json::from_str(&std::fs::read_to_string(&baseline).unwrap()).unwrap();
        report["subject"][key] = json!(value);
        std::fs::write(&baseline, report.to_string()).unwrap();
        let ran = project.run(&["--baseline", &baseline]);
        (ran.gates().remove(0), redacted(&ran.notes().concat(), &project.tree.dir))
    };
    assert_eq!(with("repository", "Acme/Shop").0, "lint: pass, 2 findings that do not count");
    let (said, note) = with("tree", &"1".repeat(40));
    assert_eq!(said, "lint: fail, 1 new warning");
    assert!(note.starts_with("the baseline names [COMMIT] and judged other files than that has: "), "{note}");
    let (said, note) = with("repository", "other/shop");
    assert_eq!(
        (said.as_str(), note.as_str()),
        ("lint: fail, 1 warning on changed lines", "no baseline: the one given is of other/shop")
    );
}

#[test]
fn a_baseline_of_another_make_is_said() {
    let (project, baseline) = with_baseline(BASE);
    let mut report: Value = serde_json::from_slice(&std::fs::read(&baseline).unwrap()).unwrap();
    report["tool"]["version"] = json!("0.0.1");
    report["gates"][0]["command"] = json!(["other"]);
    std::fs::write(&baseline, report.to_string()).unwrap();
    project.tree.write("README.md", "x\n").commit("topic");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["lint: pass, 2 findings that do not count"]);
    assert!(ran.notes()[0].starts_with("the baseline was made by gatepost 0.0.1, this is "), "{:?}", ran.notes());
    assert_eq!(ran.notes()[1..], ["in the baseline `lint` ran another command"]);

    report["gates"][0]["kind"] = json!("test");
    std::fs::write(&baseline, report.to_string()).unwrap();
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.notes()[1..], ["in the baseline `lint` is of kind `test`: it is judged as without one"]);
    assert_eq!(ran.gate()["fixed"], Value::Null);

    // A work tree that was not the commit's proves as little as an older commit.
    report["gates"][0]["kind"] = json!("lint");
    report["subject"]["dirty"] = json!(true);
    std::fs::write(&baseline, report.to_string()).unwrap();
    project.tree.write("src/a.rs", numbered(5).replace("line 1", "line one")).commit("line 1");
    let notes = redacted(&project.run(&["--baseline", &baseline]).notes().join("\n"), &project.tree.dir);
    assert!(notes.starts_with("the baseline was made of a work tree that differed from [COMMIT]: "), "{notes}");
}

#[test]
fn a_saved_baseline_has_every_gate_and_is_read_back() {
    let limited = format!("{LINT}paths = [\"docs/**\"]\n");
    let project = Project::on_main(&limited);
    project.tree.write("found.txt", BASE).commit("base");
    // Without a change in docs/ the gate would be skipped.
    assert_eq!(project.ends(&["--save-baseline"]), (1, vec!["lint: fail, 2 warnings".to_owned()]));
    project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
    project
        .tree
        .write("docs/a.md", "x\n")
        .write("found.txt", format!("{BASE}src/a.rs:4:1: warning: w\n"))
        .commit("topic");
    let ended = project.ends(&["--baseline", ".gatepost/baseline.json"]);
    assert_eq!(ended, (1, vec!["lint: fail, 1 new warning".to_owned()]));
    for wrong in [["--save-baseline", "--baseline=x"], ["--save-baseline", "--base=main"]] {
        assert_eq!(project.run(&wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_gate_that_could_not_be_judged_in_the_base_is_no_baseline() {
    let (project, baseline) = with_baseline(BASE);
    project.tree.write("gatepost.toml", format!("{LINT}only = \"new\"\n"));
    let text = std::fs::read_to_string(&baseline).unwrap();
    std::fs::write(&baseline, text.replace("\"outcome\":\"fail\"", "\"outcome\":\"error\"")).unwrap();
    project.tree.write("src/a.rs", numbered(6)).commit("topic");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gate_notes(), ["no baseline for this gate: every finding counts as new"]);
}

#[test]
fn a_file_that_is_no_report_is_refused() {
    let project = Project::new(LINT);
    project.tree.write("found.txt", "").write("half.json", "{\"schema\":\"gatepost.rep");
    project.tree.write("other.json", r#"{"schema":"gatepost.report/v9"}"#).write("list.json", "[]");
    for file in ["none.json", "half.json", "other.json", "list.json", "src"] {
        let ran = project.run(&["--baseline", file]);
        assert_eq!((ran.code, &ran.report), (Some(2), &Value::Null), "{file}");
        assert!(ran.err.contains("--baseline: ") && ran.err.contains(file), "{}", ran.err);
    }
    let ran = project.run(&["--baseline", "none.json"]);
    expect("baseline-missing", &ran.seen(&project.tree.dir));
}
