//! What `--sarif` and `--junit` write, read back by our own parsers: nothing is lost, nothing gets greener.

use std::time::Duration;

use gatepost::model::evidence::Exit;
use gatepost::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use gatepost::model::gate::{GateName, Mode};
use gatepost::model::outcome::Outcome;
use gatepost::model::path::RepoPath;
use gatepost::model::report::{GateReport, Judged, Relevance, Report, Status, Subject};
use gatepost::model::tests::{Case, CaseOutcome, Tests};
use gatepost::parse;
use gatepost::render::{junit, sarif};

fn gate(name: &str, outcome: Outcome, reason: &str) -> GateReport {
    GateReport {
        outcome,
        reason: reason.to_owned(),
        only: "all".to_owned(),
        took: Duration::from_millis(1500),
        attempts: 1,
        reproduce: String::new(),
        exit: Some(Exit::Code(1)),
        ..GateReport::unjudged(GateName::parse(name).unwrap(), "lint".to_owned())
    }
}

fn report(gates: Vec<GateReport>) -> Report {
    Report {
        verdict: Outcome::Fail,
        subject: Subject::default(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        took: Duration::from_secs(3),
        gates,
        notes: vec![],
    }
}

fn judged(path: Option<&str>, finding: Finding) -> Judged {
    Judged {
        finding,
        path: path.map(|path| RepoPath::parse(path).unwrap()),
        relevance: Some(Relevance::ChangedLine),
        status: Some(Status::New),
        fingerprint: "f00d".to_owned(),
        blocking: true,
        line_text: None,
        head_line: None,
        offer: None,
    }
}

fn lint() -> GateReport {
    let edit = Edit { start_line: 3, start_column: 2, end_line: 4, end_column: 1, text: "x\n".to_owned() };
    let finding = Finding {
        rule: Some("no-odd".to_owned()),
        level: Level::Error,
        message: "an \u{1b}[31modd\u{1b}[0m name, see [this](https://example.com)".to_owned(),
        line: Some(3),
        column: Some(2),
        end_line: Some(3),
        end_column: Some(9),
        help: Some("https://example.com/no-odd".to_owned()),
        fix: Some(Fix { description: "rename it".to_owned(), edits: vec![edit] }),
        ..Finding::default()
    };
    let outside = Finding { path: Some("/usr/include/a b.h".to_owned()), ..Finding::default() };
    let note = Finding { level: Level::Note, help: Some("javascript:alert(1)".to_owned()), ..finding.clone() };
    let note = Judged { status: Some(Status::Existing), blocking: false, ..judged(Some("src/b.rs"), note) };
    let findings = vec![judged(Some("src/50% é:1.rs"), finding), judged(None, outside), note];
    GateReport { findings, ..gate("lint", Outcome::Fail, "2 findings") }
}

fn case(name: &str, outcome: CaseOutcome) -> Case {
    Case {
        suite: Some("shop".to_owned()),
        class: None,
        name: name.to_owned(),
        file: Some("src/lib.rs".to_owned()),
        line: Some(7),
        head_line: Some(7),
        outcome,
        flaky: false,
        took_ms: Some(12),
        message: None,
    }
}

fn test(outcome: Outcome) -> GateReport {
    let failed = Case {
        message: Some("left: 1\nright: <2>\u{0}\u{fffe}\u{ffff}".to_owned()),
        ..case("adds", CaseOutcome::Failed)
    };
    let flaky = Case { flaky: true, message: Some("too early".to_owned()), ..case("in time", CaseOutcome::Passed) };
    let cases = vec![
        failed,
        flaky,
        case("errs", CaseOutcome::Errored),
        case("skips", CaseOutcome::Skipped),
        case("passes", CaseOutcome::Passed),
    ];
    GateReport { tests: Some(Tests { cases, took_ms: None }), ..gate("test", outcome, "1 of 5 tests failed") }
}

#[test]
fn sarif_comes_back_whole() {
    let text = sarif::write(&report(vec![lint(), gate("docs", Outcome::Skipped, "no path matched")]));
    let format = parse::recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name, "sarif");
    let parsed = format.parse(text.as_bytes()).unwrap();
    assert_eq!((parsed.columns, parsed.notes.len()), (ColumnUnit::Scalars, 0));
    let wanted = lint().findings;
    assert_eq!(parsed.findings.len(), wanted.len());
    let first = Finding {
        path: Some("src/50% é:1.rs".to_owned()),
        message: "an odd name, see [this] (https://example.com)".to_owned(),
        ..wanted[0].finding.clone()
    };
    assert_eq!(parsed.findings[0], first);
    assert_eq!(parsed.findings[1].path.as_deref(), Some("/usr/include/a b.h"));
    assert_eq!(parsed.findings[2].level, Level::Note);

    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "a gate that had nothing to judge is no run");
    let results = &runs[0]["results"];
    assert_eq!(results[0]["ruleIndex"], 0);
    assert_eq!(results[0]["baselineState"], "new");
    assert_eq!(results[2]["baselineState"], "unchanged");
    assert_eq!(results[2]["properties"]["blocking"], false);
    assert_eq!(results[0]["partialFingerprints"]["gatepost/v1"], "f00d");
    assert_eq!(runs[0]["automationDetails"]["id"], "gatepost/lint/");
    assert_eq!(runs[0]["invocations"][0]["exitCode"], 1);
}

#[test]
fn sarif_of_a_gate_without_findings_is_not_clean() {
    for gate in [gate("lint", Outcome::Error, "the report is missing"), test(Outcome::Fail)] {
        let text = sarif::write(&report(vec![gate.clone()]));
        let parsed = parse::find("sarif").unwrap().parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.findings.len(), 1);
        assert_eq!((parsed.findings[0].level, &parsed.findings[0].message), (Level::Error, &gate.reason));
    }
    let text = sarif::write(&report(vec![gate("lint", Outcome::Pass, "clean")]));
    assert_eq!(parse::find("sarif").unwrap().parse(text.as_bytes()).unwrap().findings, []);
}

#[test]
fn sarif_has_a_place_for_every_finding() {
    let finding = Finding { message: "no licence".to_owned(), line: Some(7), ..Finding::default() };
    let text = sarif::write(&report(vec![GateReport { findings: vec![judged(None, finding)], ..lint() }]));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let result = &json["runs"][0]["results"][0];
    assert_eq!(result["message"]["text"], "no licence (this was reported without a place)");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"gatepost.toml".into(), &1.into())
    );
}

#[test]
fn sarif_has_no_more_runs_than_code_scanning_takes() {
    let gates = |lints: usize, commands: usize, outcome| -> Vec<GateReport> {
        let command = |at| GateReport { kind: "command".to_owned(), ..gate(&format!("c{at}"), outcome, "") };
        let lint = |at| gate(&format!("l{at}"), Outcome::Pass, "");
        (0..commands).map(command).chain((0..lints).map(lint)).collect()
    };
    let runs = |gates: &[GateReport]| {
        let json: serde_json::Value = serde_json::from_str(&sarif::write(&report(gates.to_vec()))).unwrap();
        let runs = json["runs"].as_array().unwrap().iter();
        runs.map(|run| run["properties"]["gate"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(runs(&gates(10, 10, Outcome::Pass)).len(), 20);
    let many = gates(18, 9, Outcome::Fail);
    assert_eq!(runs(&many)[..3], ["c7", "c8", "l0"], "the first that have nothing to show are left out");
    assert_eq!((runs(&many).len(), sarif::too_many(&many)), (20, None));
    let unjudged = gates(18, 3, Outcome::Error);
    assert_eq!(runs(&unjudged).len(), 21, "what could not be judged is never left out");
    assert!(sarif::too_many(&unjudged).unwrap().starts_with("the SARIF file has 21 runs"));
    let finding = judged(None, Finding { message: "m".to_owned(), ..Finding::default() });
    let findings =
        |number| vec![GateReport { findings: vec![finding.clone(); number], ..gate("l", Outcome::Fail, "") }];
    assert_eq!(sarif::too_many(&findings(25_000)), None);
    assert!(sarif::too_many(&findings(25_001)).unwrap().starts_with("the SARIF file has 25001 results of gate `l`"));
}

#[test]
fn junit_comes_back_with_the_same_counts() {
    let gates = vec![
        lint(),
        test(Outcome::Fail),
        gate("build", Outcome::Error, "cargo is missing"),
        gate("docs", Outcome::Skipped, "no path matched"),
        GateReport { mode: Mode::Report, ..gate("links", Outcome::Pass, "0 findings") },
    ];
    let text = junit::write(&report(gates));
    let format = parse::recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name, "junit");
    let parsed = format.parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.notes, [""; 0]);
    let tests = parsed.tests.unwrap();
    let counts = tests.counts();
    let found = (counts.total, counts.passed, counts.failed, counts.errored, counts.skipped, counts.flaky);
    // Five cases of `test`, and one each of lint, build, docs, links.
    assert_eq!(found, (9, 3, 2, 2, 2, 1));
    let lint = tests.cases.iter().find(|case| case.name == "lint").unwrap();
    assert!(lint.message.as_ref().unwrap().contains("src/50% é:1.rs:3:2: error: an odd name"), "{lint:?}");
    let adds = tests.cases.iter().find(|case| case.name == "adds").unwrap();
    assert_eq!((adds.suite.as_deref(), adds.class.as_deref()), (Some("test"), Some("shop")));
    assert_eq!((adds.file.as_deref(), adds.line, adds.took_ms), (Some("src/lib.rs"), Some(7), Some(12)));
    assert_eq!(adds.message.as_deref(), Some("left: 1\nright: <2>"));
}

#[test]
fn junit_of_a_gate_that_fails_beyond_its_tests_says_so() {
    let mut good = test(Outcome::Fail);
    good.reason = "1 test passed only on a retry".to_owned();
    good.tests = Some(Tests { cases: vec![case("passes", CaseOutcome::Passed)], took_ms: None });
    for (outcome, failed, errored) in [(Outcome::Fail, 1, 0), (Outcome::Error, 0, 1), (Outcome::Pass, 0, 0)] {
        let text = junit::write(&report(vec![GateReport { outcome, ..good.clone() }]));
        let counts = parse::find("junit").unwrap().parse(text.as_bytes()).unwrap().tests.unwrap().counts();
        assert_eq!((counts.passed, counts.failed, counts.errored), (1, failed, errored), "{outcome:?}");
    }
}
