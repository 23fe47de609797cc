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
        last.reason = format!("{}; after {} attempts", last.reason, last.attempts);
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
        other.outcome.is_broken() && (&other.suite, &other.class, &other.name) == (&case.suite, &case.class, &case.name)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::gate::{GateName, Mode};
    use crate::model::tests::Tests;

    /// One attempt of a second; cases as `name+` or `name-`.
    fn attempt(outcome: Outcome, cases: &[&str]) -> GateReport {
        let case = |text: &&str| {
            let (name, end) = text.split_at(text.len() - 1);
            let outcome = match end {
                "+" => CaseOutcome::Passed,
                "-" => CaseOutcome::Failed,
                "!" => CaseOutcome::Errored,
                _ => CaseOutcome::Skipped,
            };
            let (suite, name) = name.split_once('/').map_or((None, name), |(suite, name)| (Some(suite), name));
            Case {
                suite: suite.map(str::to_owned),
                class: None,
                name: name.to_owned(),
                file: None,
                line: None,
                head_line: None,
                outcome,
                flaky: false,
                took_ms: None,
                message: None,
            }
        };
        GateReport {
            name: GateName::parse("g").unwrap(),
            kind: "test".to_owned(),
            outcome,
            reason: format!("{} it is", outcome.word()),
            mode: Mode::Block,
            only: "all".to_owned(),
            took: Duration::from_secs(1),
            cached: false,
            attempts: 1,
            command: Vec::new(),
            reproduce: String::new(),
            exit: None,
            log: None,
            findings: Vec::new(),
            fixed: None,
            compared: None,
            migrations: None,
            tests: (!cases.is_empty()).then(|| Tests { cases: cases.iter().map(case).collect(), took_ms: None }),
            audit: None,
            overridden: None,
            notes: Vec::new(),
        }
    }

    fn end(report: &GateReport) -> (Outcome, &str) {
        (report.outcome, &report.reason)
    }

    #[test]
    fn the_only_attempt_stays_as_it_is() {
        for outcome in [Outcome::Pass, Outcome::Fail] {
            let only = attempt(outcome, &["a+"]);
            assert_eq!(combine(&[], only.clone(), Flaky::Fail), only);
        }
    }

    #[test]
    fn a_pass_after_failures_is_flaky() {
        let failed = [attempt(Outcome::Error, &[]), attempt(Outcome::Fail, &["a-", "s/b!", "c-", "d+"])];
        let last = attempt(Outcome::Pass, &["a+", "s/b+", "b+", "c?", "d+"]);
        let report = combine(&failed, last.clone(), Flaky::Warn);
        assert_eq!(end(&report), (Outcome::Pass, "pass it is; flaky: passed on attempt 3"));
        assert_eq!((report.attempts, report.took), (3, Duration::from_secs(3)));
        assert_eq!(report.notes, ["flaky: attempt 1 ended in error: error it is"]);
        let flaky = report.tests.unwrap().cases.into_iter().filter(|case| case.flaky);
        let flaky: Vec<_> = flaky.map(|case| (case.suite.unwrap_or_default(), case.name)).collect();
        assert_eq!(flaky, [(String::new(), "a".to_owned()), ("s".to_owned(), "b".to_owned())]);

        let report = combine(&failed, last, Flaky::Fail);
        assert_eq!(end(&report), (Outcome::Fail, "flaky: passed only on attempt 3 (error it is)"));
    }

    #[test]
    fn every_attempt_is_said_where_none_passed() {
        let failed = [attempt(Outcome::Error, &[])];
        for flaky in [Flaky::Warn, Flaky::Fail] {
            let report = combine(&failed, attempt(Outcome::Fail, &["a-"]), flaky);
            assert_eq!(end(&report), (Outcome::Fail, "fail it is; after 2 attempts"));
            assert_eq!((report.attempts, report.took), (2, Duration::from_secs(2)));
            assert!(report.notes.is_empty() && !report.tests.unwrap().cases[0].flaky);
        }
    }
}
