//! What `gatepost parse` prints for people, and the report in which a parsed input is handed to the other writers.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::evidence::Parsed;
use crate::model::finding::Level;
use crate::model::gate::{GateName, GateNameError};
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Report, Subject};
use crate::model::text::one_line;
use crate::render::terminal::{self, Dress, plural};

/// A parsed input as a report of one gate named after its format. `lines` are the texts of the findings' lines,
/// where their files were found. Nothing is judged: what is at least a warning counts.
///
/// # Errors
/// When the format's name cannot name a gate, which none of the formats' does.
pub fn as_report(format: &str, parsed: &Parsed, lines: &[Option<String>]) -> Result<Report, GateNameError> {
    let judged = |(at, finding): (usize, &crate::model::finding::Finding)| Judged {
        path: finding.path.as_deref().and_then(|path| RepoPath::parse(path).ok()),
        relevance: None,
        status: None,
        fingerprint: String::new(),
        blocking: finding.level >= Level::Warning,
        line_text: lines.get(at).cloned().flatten(),
        head_line: finding.line,
        offer: None,
        finding: finding.clone(),
    };
    let findings: Vec<Judged> = parsed.findings.iter().enumerate().map(judged).collect();
    let broken = parsed.tests.as_ref().map_or(0, |tests| tests.counts().failed + tests.counts().errored);
    let outcome =
        if broken > 0 || findings.iter().any(|finding| finding.blocking) { Outcome::Fail } else { Outcome::Pass };
    let gate = GateReport {
        outcome,
        only: "all".to_owned(),
        reproduce: String::new(),
        findings,
        tests: parsed.tests.clone(),
        notes: parsed.notes.iter().chain(&parsed.unexplained_exit).cloned().collect(),
        ..GateReport::unjudged(GateName::parse(format)?, "parse".to_owned())
    };
    let subject = Subject { event: "local".to_owned(), trusted: true, ..Subject::default() };
    Ok(Report {
        verdict: outcome,
        subject,
        started_at: String::new(),
        took: Duration::ZERO,
        gates: vec![gate],
        notes: Vec::new(),
    })
}

/// Every finding with its excerpt, every failed test, the notes, and what was understood in one line.
#[must_use]
pub fn write(report: &Report, dress: Dress) -> String {
    let mut out = String::new();
    for gate in &report.gates {
        let _ = writeln!(out, "{}{}: {}", findings(gate, dress), gate.name, understood(gate));
    }
    out
}

/// Every finding with its excerpt, every failed test, and the notes.
#[must_use]
pub fn findings(gate: &GateReport, dress: Dress) -> String {
    let mut out = String::new();
    for finding in &gate.findings {
        let _ = writeln!(out, "{}\n", terminal::excerpt(finding, dress));
    }
    terminal::failed_tests(&mut out, gate, usize::MAX, dress);
    for note in &gate.notes {
        let _ = writeln!(out, "note: {}", one_line(note, 600));
    }
    out
}

fn understood(gate: &GateReport) -> String {
    let mut parts = Vec::new();
    if let Some(counts) = gate.tests.as_ref().map(crate::model::tests::Tests::counts) {
        parts.push(format!(
            "{} test{}: {} passed, {} failed, {} errored, {} skipped",
            counts.total,
            plural(counts.total),
            counts.passed,
            counts.failed,
            counts.errored,
            counts.skipped
        ));
    }
    if gate.tests.is_none() || !gate.findings.is_empty() {
        let of = |level: Level| gate.findings.iter().filter(|finding| finding.level() == level).count();
        let (errors, warnings, notes) = (of(Level::Error), of(Level::Warning), of(Level::Note));
        parts.push(format!(
            "{} finding{} ({errors} error{}, {warnings} warning{}, {notes} note{})",
            gate.findings.len(),
            plural(gate.findings.len()),
            plural(errors),
            plural(warnings),
            plural(notes),
        ));
    }
    parts.join("; ")
}
