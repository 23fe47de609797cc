//! A report as `JUnit` XML, for `--junit` and tools that show tests: a suite for each gate, and a case for each test. What a
//! gate's tests do not show (findings, errors, a gate without tests) is a case of its own.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Report};
use crate::model::tests::{Case, CaseOutcome};

/// Findings listed in the case of a gate; the rest is in report.json.
const MOST_LISTED: usize = 50;

/// Writes the report. Characters that XML cannot hold are left out.
#[must_use]
pub fn write(report: &Report) -> String {
    let mut out = quick_junit::Report::new("gatepost");
    out.set_time(report.took);
    out.add_test_suites(report.gates.iter().map(suite));
    // Writing to memory does not fail; if it did, no reader takes these words for a report.
    let mut text = out.to_string().unwrap_or_else(|error| error.to_string());
    text.retain(is_of_xml);
    text
}

/// <https://www.w3.org/TR/xml/#charsets>
const fn is_of_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn suite(gate: &GateReport) -> TestSuite {
    let mut suite = TestSuite::new(gate.name.as_str());
    suite.set_time(gate.took);
    let cases = gate.tests.iter().flat_map(|tests| &tests.cases);
    suite.add_test_cases(cases.clone().map(test_case));
    let shown = match gate.outcome {
        Outcome::Error => false,
        Outcome::Fail => gate.blocking().next().is_none() && cases.clone().any(|case| case.outcome.is_broken()),
        Outcome::Pass | Outcome::Skipped => gate.tests.is_some(),
    };
    if !shown {
        let mut case = TestCase::new(gate.name.as_str(), status(gate));
        case.set_classname("gatepost").set_time(gate.took);
        suite.add_test_case(case);
    }
    suite
}

fn status(gate: &GateReport) -> TestCaseStatus {
    let mut status = match gate.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    let enforced = gate.free().map_or_else(String::new, |why| format!(" ({why})"));
    status.set_message(format!("{}{enforced}", gate.reason));
    let listed = listed(gate);
    if !listed.is_empty() {
        status.set_description(listed);
    }
    status
}

/// The blocking findings, one a line, as compilers print them.
fn listed(gate: &GateReport) -> String {
    let mut text = String::new();
    for Judged { finding, path, .. } in gate.blocking().take(MOST_LISTED) {
        let path = path.as_ref().map(RepoPath::as_str).or(finding.path.as_deref()).unwrap_or("(no file)");
        let _ = write!(text, "{path}");
        for number in [finding.line, finding.line.and(finding.column)].into_iter().flatten() {
            let _ = write!(text, ":{number}");
        }
        let _ = write!(text, ": {}: {}", finding.level.word(), finding.message.trim());
        let _ = finding.rule.as_ref().map_or(Ok(()), |rule| write!(text, " [{rule}]"));
        text.push('\n');
    }
    let more = gate.blocking().skip(MOST_LISTED).count();
    if more > 0 {
        let _ = writeln!(text, "{more} more in report.json");
    }
    text
}

fn test_case(case: &Case) -> TestCase {
    let mut status = match case.outcome {
        CaseOutcome::Passed => TestCaseStatus::success(),
        CaseOutcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        CaseOutcome::Errored => TestCaseStatus::non_success(NonSuccessKind::Error),
        CaseOutcome::Skipped => TestCaseStatus::skipped(),
    };
    let message = case.message.as_deref().unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    if !first.is_empty() {
        status.set_message(first);
    }
    if first.len() < message.len() {
        status.set_description(message);
    }
    if case.flaky {
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        rerun.set_message(first).set_description(message);
        status.add_rerun(rerun);
    }
    let mut written = TestCase::new(case.name.as_str(), status);
    if let Some(class) = case.class.as_deref().or(case.suite.as_deref()) {
        written.set_classname(class);
    }
    if let Some(took_ms) = case.took_ms {
        written.set_time(std::time::Duration::from_millis(took_ms));
    }
    let line = case.line.map(|line| line.to_string());
    for (name, value) in [("file", case.file.as_deref()), ("line", line.as_deref())] {
        if let Some(value) = value {
            written.extra.insert(name.into(), value.into());
        }
    }
    written
}
