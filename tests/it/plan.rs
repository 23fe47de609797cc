//! The plan as people and programs read it.

use std::path::Path;

use gatepost::config;
use gatepost::model::event::Occasion;
use gatepost::model::finding::Level;
use gatepost::model::gate::{Only, Rules};
use gatepost::render::plan::{self, PlanView, Planned, Source};
use gatepost::render::terminal::Dress;

use crate::bless;
use crate::config::KNOWN;

const CONFIG: &str = r#"
[gates.lint]
kind = "lint"
command = "npx eslint . --format json"
format = "eslint"
dir = "packages/web"
paths = ["**/*.js"]

[gates.unit]
kind = "test"
command = ["cargo", "test", "--", "it's one"]
when = ["push:main"]
needs = ["lint"]
retries = 2
timeout = "90s"
grace = "1500ms"

[gates.reports]
kind = "test"
reports = ["out/*.xml"]
mode = "report"
max-findings = 3

[gates.script]
kind = "command"
command = """
set -x
make
make check
"""
"#;

fn with_plan(source: Source<'_>, notes: &[String], check: impl FnOnce(&PlanView<'_>)) {
    let config = config::read(CONFIG.as_bytes(), &KNOWN).unwrap();
    let rules: Vec<Rules> = config
        .gates
        .iter()
        .map(|gate| Rules {
            only: if gate.common.kind == "lint" { Only::ChangedLines } else { Only::All },
            fail_on: Level::Warning,
            max_findings: gate.common.max_findings,
            min_tests: (gate.common.kind == "test").then_some(1),
            flaky: gate.common.flaky,
            mode: gate.common.mode,
        })
        .collect();
    let gates: Vec<Planned<'_>> = config
        .gates
        .iter()
        .zip(&rules)
        .map(|(gate, rules)| Planned {
            common: &gate.common,
            rules,
            runs: gate.common.when.is_empty(),
            why: if gate.common.when.is_empty() {
                "every path"
            } else {
                "`when` has `push:main`,\nthis is \u{1b}[31mlocal"
            },
            found: matches!(source, Source::Detected { .. }).then_some("Cargo.toml"),
        })
        .collect();
    let occasion = Occasion::local();
    check(&PlanView { source, occasion: &occasion, scope: "2 files changed since 1a2b3c4", gates: &gates, notes });
}

fn expected(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plan").join(name)
}

#[test]
fn people_read_what_runs_and_why() {
    with_plan(Source::File("gatepost.toml"), &[], |view| {
        bless::compare(&expected("file.txt"), &plan::text(view, Dress { colour: false, width: 100 }));
        let coloured = plan::text(view, Dress { colour: true, width: 100 });
        assert!(coloured.contains("\u{1b}[1m") && !coloured.contains("\u{1b}[31mlocal"), "{coloured}");
    });
    let notes = ["node_modules is missing".to_owned()];
    with_plan(Source::Detected { toml: Some("[gates.test]\nkind = \"test\"\n") }, &notes, |view| {
        bless::compare(&expected("detected.txt"), &plan::text(view, Dress { colour: false, width: 100 }));
    });
}

#[test]
fn programs_read_the_same() {
    with_plan(Source::File("gatepost.toml"), &["a note".to_owned()], |view| {
        let text = plan::json(view).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(jsonschema::is_valid(&serde_json::to_value(plan::schema()).unwrap(), &value));
        bless::compare(&expected("file.json"), &(serde_json::to_string_pretty(&value).unwrap() + "\n"));
    });
}
