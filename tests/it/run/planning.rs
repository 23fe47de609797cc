//! `gatepost plan`: what would run, and why not.

use super::*;

const CONFIG: &str = r#"
[gates.lint]
kind = "lint"
command = "touch ran"
format = "gcc"

[gates.docs]
kind = "command"
command = "touch ran"
paths = ["docs/**"]

[gates.main]
kind = "command"
command = "touch ran"
when = ["push:main"]
needs = ["lint"]
"#;

#[test]
fn nothing_is_run_or_written() {
    let project = Project::new(CONFIG);
    let plan = project.call(&["plan"]);
    assert_eq!(plan.code, Some(0));
    expect("plan", &plan.seen(&project.tree.dir));
    assert!(!project.path("ran").exists() && !project.path(".gatepost").exists());
}

#[test]
fn one_gate_and_why_it_would_be_skipped() {
    let project = Project::new(CONFIG);
    let plan = |arguments: &[&str]| project.call(&[&["plan"], arguments].concat());
    let docs = plan(&["docs"]).out;
    assert!(docs.contains("docs  skipped: no changed file matches `docs/**`"), "{docs}");
    assert!(!docs.contains("lint"), "{docs}");
    assert!(plan(&["main"]).out.contains("main  skipped: `when` has `push:main`, this is local"));
    assert!(plan(&["docs", "--all-files"]).out.contains("docs  runs: everything is judged"));
    assert!(plan(&["docs", "--base", "HEAD"]).out.contains("docs  runs: everything is judged"));
    let unknown = plan(&["dosc"]);
    assert_eq!(unknown.code, Some(2));
    expect("plan-unknown", &unknown.seen(&project.tree.dir));
}

#[test]
fn a_plan_for_programs() {
    let project = Project::new(CONFIG);
    let plan: Value = serde_json::from_str(&project.call(&["plan", "--json"]).out).unwrap();
    assert_eq!(plan["schema"], "gatepost.plan/v1");
    let runs: Vec<_> =
        plan["gates"].as_array().unwrap().iter().map(|gate| (gate["name"].clone(), gate["runs"].clone())).collect();
    assert_eq!(runs, [("lint", true), ("docs", false), ("main", false)].map(|(name, runs)| (json!(name), json!(runs))));
    assert_eq!(plan["gates"][0]["only"], "changed-lines");
    let pushed = Project::new(CONFIG).pushed();
    let plan: Value = serde_json::from_str(&pushed.call(&["plan", "--json"]).out).unwrap();
    assert_eq!((&plan["event"], &plan["branch"]), (&json!("push"), &json!("main")));
    assert_eq!((&plan["gates"][0]["only"], &plan["gates"][2]["runs"]), (&json!("all"), &json!(true)));
}
