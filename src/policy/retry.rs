//! What several attempts of one gate amount to.

use crate::model::gate::Flaky;
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::model::tests::{Case, CaseOutcome};

/// Puts the last attempt together with the failed ones before it. A pass after a failure is flaky: it is said,
/// the cases that changed are marked, and under `flaky = "fail"` it fails.
#[must_use]
pub fn combine(failed: &[GateReport], mut last: GateReport, flaky: Flaky) -> GateReport {
    let Some(first) = failed.first() else {
        return last;
    };
    last.attempts += failed.iter().map(|report| report.attempts).sum::<u32>();
    last.took += failed.iter().map(|report| report.took).sum();
    if last.outcome != Outcome::Pass {
        return last;
    }
    if let Some(tests) = &mut last.tests {
        for case in &mut tests.cases {
            case.flaky |= case.outcome == CaseOutcome::Passed && failed.iter().any(|report| broke(report, case));
        }
    }
    last.notes.push(format!("flaky: attempt 1 ended in {}: {}", first.outcome.word(), first.reason));
    let attempts = last.attempts;
    match flaky {
        Flaky::Warn => last.reason = format!("{}; flaky: passed on attempt {attempts}", last.reason),
        Flaky::Fail => {
            last.outcome = Outcome::Fail;
            last.reason = format!("flaky: passed only on attempt {attempts} ({})", first.reason);
        }
    }
    last
}

fn broke(report: &GateReport, case: &Case) -> bool {
    report.tests.iter().flat_map(|tests| &tests.cases).any(|other| {
        matches!(other.outcome, CaseOutcome::Failed | CaseOutcome::Errored)
            && (&other.suite, &other.class, &other.name) == (&case.suite, &case.class, &case.name)
    })
}
