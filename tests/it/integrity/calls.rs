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
