//! Scripts that are called as gates are and run nothing.

use super::{Few, found};

fn workflow(run: &str) -> Few {
    let text = format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n");
    Few::default().with(".github/workflows/a.yml", text)
}

fn package(scripts: &str) -> String {
    format!("{{\"scripts\": {{{scripts}}}}}")
}

#[test]
fn a_gate_that_runs_nothing_is_found_where_a_workflow_calls_it() {
    for (run, scripts) in [
        ("npm test", "\"test\": \"true\""),
        ("npm run lint", "\"lint\": \"echo 'nothing to lint' && exit 0\""),
        ("pnpm -r test", "\"test\": \":\""),
        ("yarn test", "\"pretest\": \"rimraf out\", \"test\": \"exit 0\""),
    ] {
        assert_eq!(found(&workflow(run).with("package.json", package(scripts)).check()), ["GI205 warning 6"], "{run}");
    }
    for recipe in ["\t@true\n", "\t@echo no tests yet\n", "\t@echo one\n\t@:\n"] {
        let tree = workflow("make test").with("Makefile", format!(".PHONY: test\ntest:\n{recipe}"));
        assert_eq!(found(&tree.check()), ["GI205 warning 6"], "{recipe}");
    }
    let tree = workflow("just test").with("justfile", "test:\n  @echo no tests yet\n");
    assert_eq!(found(&tree.check()), ["GI205 warning 6"]);
    let tree = workflow("npm run ci").with(
        "package.json",
        package("\n\"ci\": \"npm run lint && npm test\",\n\"lint\": \"eslint .\", \"test\": \"true\""),
    );
    assert_eq!(found(&tree.check()), ["GI205 warning 2"]);
}

#[test]
fn a_script_that_runs_something_is_left_alone() {
    for (run, scripts) in [
        ("npm test", "\"test\": \"echo 'no test specified' && exit 1\""),
        ("npm test", "\"pretest\": \"eslint .\", \"test\": \"true\""),
        ("npm test", "\"test\": \"echo $(jest)\""),
        ("npm test", "\"test\": \"echo start; node test.js\""),
        ("npm test", "\"test\": \"echo start > log && ./x\""),
        ("npm test", "\"test\": \"\""),
        ("npm run build", "\"build\": \"echo nothing to build\""),
        ("npm run lint", "\"lint\": \"eslint .\", \"test\": \"true\""),
    ] {
        assert_eq!(found(&workflow(run).with("package.json", package(scripts)).check()), [""; 0], "{scripts}");
    }
    let tree = workflow("pnpm -r test").with("package.json", package("\"test\": \"true\""));
    assert_eq!(found(&tree.with("web/package.json", package("\"test\": \"jest\"")).check()), [""; 0]);
    for makefile in [
        "test: unit\n\t@echo over\nunit:\n\tpytest\n",
        "test: unit\n\t@echo over\ninclude more.mk\n",
        "test:\n\t@echo start\n\t$(RUNNER) tests\n",
        "test::\n\t@echo start\ntest::\n\tpytest\n",
    ] {
        let tree = workflow("make test").with("Makefile", makefile).with("more.mk", "unit:\n\t./x\n");
        assert_eq!(found(&tree.check()), [""; 0], "{makefile}");
    }
}
