//! How results are put into words in every place they are posted: titles, counts, labels. Plain text only.

use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, NOT_ENFORCED, OVERRIDDEN, Relevance, Status};
use crate::model::tests::CaseName;
use crate::model::text::one_line;
use crate::policy;
use crate::publish::RunEnd;
use crate::render::figures::{count, grouped};

/// The worst of what the report, its enforced gates and a signal say: never greener than any of them.
pub(super) fn verdict(end: &RunEnd<'_>) -> Outcome {
    let stopped = if end.cancelled { Outcome::Error } else { Outcome::Skipped };
    end.report.verdict.max(policy::verdict(&end.report.gates)).max(stopped)
}

/// One line about a gate's end, at most `limit` characters, with every label it must carry.
pub(super) fn title(gate: &GateReport, limit: usize) -> String {
    let free = match (&gate.overridden, gate.free()) {
        (Some(by), _) => format!("overridden {by}: "),
        (None, Some(why)) => format!("{why}: "),
        (None, None) => String::new(),
    };
    line(&format!("{free}{}", outcome(gate, limit)), limit)
}

/// The same, where whether it is enforced is said around it.
pub(super) fn outcome(gate: &GateReport, limit: usize) -> String {
    let outcome = match gate.outcome {
        Outcome::Error => "could not judge: ",
        Outcome::Skipped => "skipped: ",
        Outcome::Fail if gate.not_enforced() => "fail: ",
        Outcome::Pass | Outcome::Fail => "",
    };
    let cached = if gate.cached { "cached: " } else { "" };
    let reason = if gate.reason.trim().is_empty() { gate.outcome.word() } else { &gate.reason };
    line(&format!("{cached}{outcome}{reason}"), limit)
}

/// As [`one_line`], without tabs: titles are shown as they are.
pub(super) fn line(text: &str, limit: usize) -> String {
    one_line(&text.replace('\t', " "), limit)
}

/// The run in one line: `2 of 4 gates failed, 1 could not be judged`.
pub(super) fn headline(end: &RunEnd<'_>) -> String {
    let report = end.report;
    let of = |outcome| report.gates.iter().filter(|gate| !gate.not_enforced() && gate.outcome == outcome).count();
    let enforced = report.gates.iter().filter(|gate| !gate.not_enforced()).count();
    let (failed, errors, skipped) = (of(Outcome::Fail), of(Outcome::Error), of(Outcome::Skipped));
    let mut line = match verdict(end) {
        Outcome::Fail if failed > 0 && errors > 0 => {
            format!("{failed} of {} failed, {errors} could not be judged", count(enforced, "gate"))
        }
        Outcome::Fail if failed > 0 => format!("{failed} of {} failed", count(enforced, "gate")),
        Outcome::Error if errors > 0 => format!("{errors} of {} could not be judged", count(enforced, "gate")),
        Outcome::Fail => "The run failed".to_owned(),
        Outcome::Error => "The run could not be judged".to_owned(),
        Outcome::Pass if skipped > 0 => {
            format!("{} passed, {skipped} had nothing to judge", count(enforced - skipped, "gate"))
        }
        Outcome::Pass => format!("{} passed", count(enforced, "gate")),
        Outcome::Skipped if enforced == 0 => format!("{}, none enforced", count(report.gates.len(), "gate")),
        Outcome::Skipped => "Nothing to judge: every gate was skipped".to_owned(),
    };
    for (label, holds) in [
        (format!(", {} {OVERRIDDEN}", report.free(OVERRIDDEN)), report.free(OVERRIDDEN) > 0),
        (format!(", {} {NOT_ENFORCED}", report.free(NOT_ENFORCED)), report.free(NOT_ENFORCED) > 0 && enforced > 0),
        (", interrupted".to_owned(), end.cancelled),
    ] {
        if holds {
            line.push_str(&label);
        }
    }
    line
}

/// What a gate found, in few words: `3 of 15 findings count`, `126 of 128 tests passed`.
pub(super) fn found(gate: &GateReport) -> String {
    let mut parts = Vec::new();
    if let Some(counts) = gate.tests.as_ref().map(crate::model::tests::Tests::counts) {
        parts.push(if counts.passed == counts.ran() {
            format!("{} passed", count(counts.passed, "test"))
        } else {
            format!("{} of {} passed", grouped(counts.passed), count(counts.ran(), "test"))
        });
        if counts.skipped > 0 {
            parts.push(format!("{} skipped", grouped(counts.skipped)));
        }
        if counts.flaky > 0 {
            parts.push(format!("{} flaky", grouped(counts.flaky)));
        }
    }
    let (all, blocking) = (gate.findings.len(), gate.blocking().count());
    match (all, blocking) {
        (0, _) => {}
        (_, 0) => parts.push(format!("{}, none counts", count(all, "finding"))),
        _ if all == blocking => parts.push(count(all, "finding")),
        _ => parts.push(format!("{} of {} count", grouped(blocking), count(all, "finding"))),
    }
    parts.join(", ")
}

/// How a gate compares with the baseline: `2 new, 12 existing, 1 fixed`, `tests: 1 new failure, 2 removed`; `None`
/// without one.
pub(super) fn compared(gate: &GateReport) -> Option<String> {
    let fixed = gate.fixed?;
    let of = |status| gate.findings.iter().filter(|judged| judged.status == Some(status)).count();
    let (new, existing) = (of(Status::New), of(Status::Existing));
    let mut parts = Vec::new();
    if gate.compared.is_none() || new + existing + fixed > 0 {
        parts.push(format!("{} new, {} existing, {} fixed", grouped(new), grouped(existing), grouped(fixed)));
    }
    if let Some(compared) = &gate.compared {
        let counted = |(word, names): (&str, &[CaseName])| {
            let word = if names.len() == 1 { word.trim_end_matches('s') } else { word };
            format!("{} {word}", grouped(names.len()))
        };
        let lists: Vec<String> = compared.lists().map(counted).collect();
        let said = if lists.is_empty() { "as in the base".to_owned() } else { lists.join(", ") };
        parts.push(format!("tests: {said}"));
    }
    Some(parts.join("; "))
}

/// Why a finding does not count; `None` for one that does.
pub(super) fn excused(judged: &Judged) -> Option<&'static str> {
    (!judged.blocking).then_some(match (judged.status, judged.relevance) {
        (Some(Status::Existing), _) => "existing",
        (_, Some(Relevance::Outside)) => "outside the change",
        (_, Some(Relevance::ChangedFile)) => "not on a changed line",
        _ => "does not count",
    })
}
