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

#[test]
fn a_baseline_of_another_commit_or_without_the_gate_is_said() {
    let (project, baseline) = with_baseline(BASE);
    project.tree.git(&["checkout", "--quiet", "main"]);
    project.tree.write("other.rs", "x\n").commit("main goes on");
    project.tree.git(&["checkout", "--quiet", "-b", "later"]);
    project.tree.write("src/a.rs", numbered(9)).commit("later");
    let ran = project.run(&["--baseline", &baseline]);
    let note = redacted(&ran.notes().concat(), &project.tree.dir);
    assert_eq!(note, "the baseline was made of [COMMIT], the base is [COMMIT]");

    project.tree.write("gatepost.toml", LINT.replace("gates.lint", "gates.other")).commit("renamed gate");
    let ran = project.run(&["--baseline", &baseline]);
    assert_eq!(ran.gates(), ["other: fail, 2 new warnings"]);
    assert_eq!(ran.gate_notes(), ["no baseline for this gate: every finding counts as new"]);
    assert_eq!(ran.gate()["fixed"], Value::Null);
}

#[test]
fn a_gate_that_could_not_be_judged_in_the_base_is_no_baseline() {
    let (project, baseline) = with_baseline("src/a.rs:1:1: warning: w\nsrc/a.rs:2:1: warning: w\n");
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
