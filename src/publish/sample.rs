//! A run as it might be in a small web shop: what the publishers' tests post.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::audit::{AdvisoryKind, Audit, AuditFinding, Audited};
use crate::model::evidence::Exit;
use crate::model::finding::{Edit, Finding, Fix, Level};
use crate::model::gate::{GateName, Mode};
use crate::model::migration::Migrations;
use crate::model::outcome::Outcome;
use crate::model::package::Ecosystem;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Report, Status, Subject, TestsCompared};
use crate::model::settings::PublishSettings;
use crate::model::sha::Sha;
use crate::model::suggestion::{Offer, Suggestion};
use crate::model::tests::{Case, CaseName, CaseOutcome, Tests};
use crate::policy;
use crate::publish::proof::Maker;
use crate::publish::{Context, GateEnd, RunEnd};

pub(super) fn gate(name: &str, outcome: Outcome, reason: &str, took: u64) -> GateReport {
    GateReport {
        outcome,
        reason: reason.to_owned(),
        only: "changed-lines".to_owned(),
        took: Duration::from_millis(took),
        attempts: 1,
        command: vec!["true".to_owned()],
        exit: Some(Exit::Code(0)),
        log: Some(format!("logs/{name}.txt")),
        ..GateReport::unjudged(GateName::parse(name).unwrap(), "lint".to_owned())
    }
}

pub(super) fn finding(level: Level, rule: &str, path: &str, line: u32, message: &str) -> Judged {
    Judged {
        finding: Finding {
            rule: Some(rule.to_owned()),
            level,
            message: message.to_owned(),
            path: Some(path.to_owned()),
            line: Some(line),
            column: Some(9),
            end_line: Some(line),
            end_column: Some(14),
            ..Finding::default()
        },
        path: RepoPath::parse(path).ok(),
        relevance: Some(Relevance::ChangedLine),
        status: Some(Status::New),
        fingerprint: format!("{rule}:{path}"),
        blocking: true,
        line_text: None,
        head_line: Some(line),
        offer: None,
    }
}

pub(super) fn existing(judged: Judged) -> Judged {
    Judged { relevance: Some(Relevance::Outside), status: Some(Status::Existing), blocking: false, ..judged }
}

fn case(name: &str, outcome: CaseOutcome, message: Option<&str>) -> Case {
    Case {
        suite: Some("shop".to_owned()),
        class: Some("cart::tests".to_owned()),
        name: name.to_owned(),
        file: None,
        line: None,
        head_line: None,
        outcome,
        flaky: false,
        took_ms: Some(3),
        message: message.map(str::to_owned),
    }
}

fn lint() -> GateReport {
    let mut lint = gate("lint", Outcome::Fail, "2 warnings on changed lines", 8_412);
    lint.findings = vec![
        finding(
            Level::Warning,
            "clippy::needless_range_loop",
            "src/cart.rs",
            41,
            "the loop variable `i` is only used to index `items`",
        ),
        finding(
            Level::Warning,
            "unused_variables",
            "src/cart.rs",
            58,
            "unused variable: `total`\nhelp: if this is intentional, prefix it with an underscore",
        ),
    ];
    for line in [12, 90, 133] {
        lint.findings.push(existing(finding(
            Level::Warning,
            "dead_code",
            "src/legacy/price list.rs",
            line,
            "function is never used",
        )));
    }
    lint.fixed = Some(1);
    lint
}

fn tests() -> GateReport {
    let mut tests = gate("test", Outcome::Fail, "1 of 128 tests failed", 94_310);
    let mut cases: Vec<Case> = (0..127).map(|at| case(&format!("case_{at}"), CaseOutcome::Passed, None)).collect();
    let message = "assertion `left == right` failed: three for two\n  left: 5997\n right: 3998\nat src/cart.rs:77:9";
    cases.push(Case {
        file: Some("src/cart.rs".to_owned()),
        line: Some(77),
        head_line: Some(77),
        ..case("three_for_two_is_taken_off_once", CaseOutcome::Failed, Some(message))
    });
    tests.tests = Some(Tests { cases, took_ms: Some(90_000) });
    "test".clone_into(&mut tests.kind);
    tests
}

pub(super) fn report() -> Report {
    let reason = "the report `target/audit.json` was promised and is not there: did the command write it elsewhere?";
    let mut types = gate("types", Outcome::Pass, "no findings", 3_020);
    types.cached = true;
    let mut spelling = gate("spelling", Outcome::Fail, "1 note", 210);
    spelling.mode = Mode::Report;
    spelling.findings = vec![finding(Level::Note, "typo", "README.md", 7, "`recieve` should be `receive`")];
    let docs = gate("docs", Outcome::Skipped, "none of the 3 changed files match `docs/**`", 0);
    let gates = vec![lint(), tests(), gate("audit", Outcome::Error, reason, 1_204), types, spelling, docs];
    Report {
        verdict: policy::verdict(&gates),
        subject: Subject {
            repository: Some("acme/shop".to_owned()),
            head: Sha::parse(&"3f9c2e71".repeat(5)).ok(),
            base: Sha::parse(&"a04b1d55".repeat(5)).ok(),
            pull_request: Some(7),
            event: "pull_request".to_owned(),
            trusted: true,
            tree: Sha::parse(&"5e1f".repeat(10)).ok(),
            dirty: false,
            run_url: Some("https://github.com/acme/shop/actions/runs/15".to_owned()),
            run: Some((15, 1)),
            config: None,
        },
        started_at: "2026-03-02T10:00:00Z".to_owned(),
        took: Duration::from_secs(95),
        gates,
        notes: Vec::new(),
    }
}

/// Everything that a gate may carry beside findings and tests, with `next` in every field that may be someone else's.
pub(super) fn carry(gate: &mut GateReport, next: &mut dyn FnMut() -> String) {
    gate.log_tail = Some(next());
    // The others stay enforced.
    gate.overridden = (gate.mode == Mode::Report).then(&mut *next);
    let mut name = || CaseName { suite: Some(next()), class: Some(next()), name: next() };
    gate.compared = Some(TestsCompared {
        new_failures: vec![name()],
        still_failing: vec![name()],
        fixed: vec![name()],
        removed: vec![name()],
        newly_skipped: vec![name()],
        older: false,
    });
    gate.migrations = Some(Migrations {
        layout: next(),
        schema_diff: next(),
        schema_summary: vec![next(), next()],
        ..Migrations::default()
    });
    let finding = AuditFinding {
        advisory: next(),
        aliases: vec![next()],
        summary: next(),
        ecosystem: Ecosystem::Npm,
        package: next(),
        version: next(),
        severity: None,
        score: None,
        score_source: None,
        kind: AdvisoryKind::Vulnerability,
        fixed_in: Some(next()),
        standing: None,
        ignored: None,
        expired: None,
        dev: false,
        undecided: false,
        path: vec![next()],
        lockfile: next(),
        line: 3,
        remedy: Some(next()),
        blocking: true,
    };
    let lockfiles = vec![Audited { path: next(), packages: Vec::new() }];
    gate.audit = Some(Audit { findings: vec![finding], lockfiles, scheduled: true, ..Audit::default() });
    for (line, judged) in (1..).zip(&mut gate.findings) {
        let edit = Edit { start_line: 1, start_column: 1, end_line: 1, end_column: 2, text: next() };
        judged.finding.fix = Some(Fix { description: next(), edits: vec![edit] });
        let suggestion = Suggestion { start: line, end: line, text: next() + "\n", key: format!("{line:032x}") };
        judged.offer = Some(Offer::Suggestion(suggestion));
    }
}

/// Calls `with` with the end of the run `report`.
pub(super) fn ended<T>(report: &Report, settings: &PublishSettings, with: impl FnOnce(RunEnd<'_>) -> T) -> T {
    with(RunEnd {
        context: Context {
            subject: &report.subject,
            settings,
            server: "https://github.com",
            version: "0.1.0",
            report_path: ".gatepost/report.json",
            place: "gatepost.toml",
            leg: None,
        },
        report,
        completed_at: "2026-03-02T10:01:35Z",
        external_id: "15.1",
        cancelled: false,
        generation: (15, 1).into(),
        by: &Maker { run: "15.1".to_owned(), job: "0a1b2c3d".to_owned(), made: "4e5f6a7b".to_owned() },
        comment_key: "gatepost-8c9d0e1f",
        delimiter: "ghadelimiter_c0ffee",
        summary_room: super::summary::LIMIT,
        left_out: 0,
        annotated: &BTreeSet::new(),
        left_alone: &[],
    })
}

/// The end of one gate of the run.
pub(super) fn gate_end<'a>(end: &RunEnd<'a>, gate: &'a GateReport) -> GateEnd<'a> {
    GateEnd {
        context: end.context,
        gate,
        started_at: "2026-03-02T10:00:00Z",
        completed_at: "2026-03-02T10:00:08Z",
        external_id: "15.1.lint",
        cancelled: false,
    }
}
