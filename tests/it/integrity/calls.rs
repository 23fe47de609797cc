//! Which scripts a command runs besides the one that it names.

use super::{Few, found};

fn workflow(run: &str) -> Few {
    let text = format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n");
    Few::default().with(".github/workflows/a.yml", text)
}

#[test]
fn what_npm_runs_before_and_after_a_script_is_judged() {
    let scripts = |name: &str| {
        format!(
            "{{\"scripts\": {{\n\"pre{name}\": \"eslint . || true\",\n\"{name}\": \"node server.js\",\n\"post{name}\": \"tsc ; exit 0\"\n}}}}"
        )
    };
    let wanted = ["GI101 error 2", "GI103 error 4"];
    for (run, name) in [
        ("npm test", "test"),
        ("npm run build", "build"),
        ("npm start", "start"),
        ("pnpm build", "build"),
        ("yarn build", "build"),
        ("npx run-s build", "build"),
    ] {
        assert_eq!(found(&workflow(run).with("package.json", scripts(name)).check()), wanted, "{run}");
    }
    let run =
        workflow("npm test || true").with("package.json", "{\"scripts\": {\"pretest\": \"tsc\", \"test\": \"./x\"}}");
    assert_eq!(found(&run.check()), ["GI101 error 6"], "what runs before it makes it a gate");
}

#[test]
fn what_nobody_runs_before_a_script_is_not_judged() {
    let scripts = "{\"scripts\": {\"prelint\": \"eslint . || true\", \"pretest\": \"tsc\", \"test\": \"jest\", \"preview\": \"tsc || true\"}}";
    assert_eq!(found(&workflow("npm test").with("package.json", scripts).check()), [""; 0]);
    let scripts = "\"scripts\": {\"pretest\": \"eslint . || true\", \"test\": \"jest\"}}";
    let named = |manager: &str| workflow("yarn test").with("package.json", format!("{{{manager}{scripts}"));
    assert_eq!(found(&named("\"packageManager\": \"yarn@1.22.22\", ").check()), ["GI101 error 1"]);
    assert_eq!(found(&named("\"packageManager\": \"yarn@4.5.0\", ").check()), [""; 0]);
    assert_eq!(found(&named("").with(".yarnrc.yml", "nodeLinker: node-modules\n").check()), [""; 0]);
    let elsewhere = workflow("npm test").with("package.json", "{\"scripts\": {\"test\": \"jest\"}}");
    let elsewhere = elsewhere.with("web/package.json", "{\"scripts\": {\"pretest\": \"tsc || true\"}}");
    assert_eq!(found(&elsewhere.check()), [""; 0]);
}

#[test]
fn actions_of_the_repository_are_looked_into() {
    let action = |steps: &str| format!("runs:\n  using: composite\n  steps:\n{steps}");
    let run = |run: &str| action(&format!("    - shell: bash\n      run: {run}\n"));
    let rules = |uses: &str, text: String| {
        let workflow = format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    continue-on-error: true\n    steps:\n      - uses: {uses}\n"
        );
        found(&Few::default().with(".github/workflows/a.yml", workflow).with("ci/tests/action.yml", text).check())
    };
    for uses in ["./ci/tests", "$/ci/tests", "$/./ci/tests/"] {
        assert_eq!(rules(uses, run("cargo test")), ["GI111 error 5"], "{uses}");
        assert_eq!(rules(uses, run("cargo fetch")), [""; 0], "{uses}");
    }
    // GitHub would not come to an end with these either.
    let itself = action("    - uses: ./ci/tests\n    - uses: $/ci/tests\n");
    assert_eq!(rules("$/ci/tests", itself), [""; 0]);
}

const LOST: &str = "#!/bin/bash\nset -e\ncargo test || true\n";

#[test]
fn scripts_are_looked_up_where_they_run() {
    for (run, path, caller) in [
        ("cd web && ./ci.sh", "web/steps.sh", ("web/ci.sh", "#!/bin/sh\n./steps.sh\n")),
        ("./s/all.sh", "s/ci.sh", ("s/all.sh", "#!/bin/sh\n\"$(dirname \"$0\")/ci.sh\"\n")),
        ("./s/all.sh", "s/ci.sh", ("s/all.sh", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n./ci.sh\n")),
        ("'\"$GITHUB_WORKSPACE/ci.sh\"'", "ci.sh", ("a", "")),
        ("${{ github.workspace }}/ci.sh", "ci.sh", ("a", "")),
        ("cd web && \"$(git rev-parse --show-toplevel)/ci.sh\"", "ci.sh", ("a", "")),
        ("bash < ci.sh", "ci.sh", ("a", "")),
        ("ksh ci.sh", "ci.sh", ("a", "")),
    ] {
        let checked = workflow(run).with(path, LOST).with(caller.0, caller.1).check();
        assert_eq!((found(&checked), checked.notes), (vec!["GI101 error 3".to_owned()], Vec::new()), "{run}");
    }
    assert_eq!(found(&workflow("bash <<< \"cargo test || true\"").check()), ["GI101 error 6"]);
}

#[test]
fn a_called_file_that_is_not_read_is_noted() {
    let notes = |run: &str| workflow(run).with("ci.sh", LOST).check().notes;
    let why = "only the running shell knows where it lies";
    assert_eq!(
        notes("'\"$DIR/ci.sh\"'"),
        [format!(".github/workflows/a.yml:6: what `\"$DIR/ci.sh\"` calls is not read: {why}")]
    );
    assert_eq!(notes("cd $DIR && ./steps.sh").len(), 1);
    assert_eq!(notes("source \"$HOME/.cargo/env\" && ./gone.sh"), [""; 0]);
}

#[test]
fn what_may_not_run_is_no_second_run_in_earnest() {
    let rules =
        |second: &str| found(&workflow(&format!("|\n          cargo test || true\n          {second}")).check());
    for second in ["if [ \"$X\" = y ]; then cargo test; fi", "unused() { cargo test; }", "[ -n \"$X\" ] && cargo test"]
    {
        assert_eq!(rules(second), ["GI101 error 7"], "{second}");
    }
    assert_eq!(rules("cargo test"), [""; 0]);
    assert_eq!(rules("again() { cargo test; }; again"), [""; 0]);
    let both = "if [ -n \"$X\" ]; then cargo test || true; cargo test; fi";
    assert_eq!(found(&workflow(&format!("|\n          {both}")).check()), [""; 0]);
}

#[test]
fn a_step_that_runs_always_is_no_aftermath() {
    let rules = |condition: &str| {
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - if: {condition}\n        run: cargo test || true\n"
        );
        found(&Few::default().with(".github/workflows/a.yml", text).check())
    };
    assert_eq!(rules("failure() || always()"), ["GI101 error 7"]);
    assert_eq!(rules("failure()"), [""; 0]);
}
