//! What several attempts of one gate amount to.

use std::collections::BTreeSet;

use crate::model::gate::Flaky;
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::model::tests::{Case, CaseName, CaseOutcome};
use crate::model::text::one_line;

/// How many tests a reason names.
const NAMED: usize = 3;

/// Puts the last attempt together with the failed ones before it. A pass after a failure is flaky: it is said,
/// the cases that changed are marked, and under `flaky = "fail"` it fails. A test that failed must have passed since, and a
/// finding that counted stays.
#[must_use]
pub fn combine(failed: &[GateReport], mut last: GateReport, flaky: Flaky) -> GateReport {
    let Some(first) = failed.first() else {
        return last;
    };
    last.attempts += failed.iter().map(|report| report.attempts).sum::<u32>();
    last.took += failed.iter().map(|report| report.took).sum();
    let attempts = last.attempts;
    let with = |report: &GateReport, reason: String| GateReport { reason, attempts, took: last.took, ..report.clone() };
    // What is built once is not built, and complained of, again.
    let kept = failed.iter().filter(|report| !repeats(&last, report)).max_by_key(|report| report.outcome);
    match kept {
        Some(report) if report.outcome > last.outcome => {
            let end = if last.outcome == Outcome::Pass { String::new() } else { format!(": {}", last.reason) };
            return with(
                report,
                format!("{}; attempt {attempts} does not take back what was found{end}", report.reason),
            );
        }
        _ => {}
    }
    if last.outcome != Outcome::Pass {
        last.reason = format!("{}; after {attempts} attempts", last.reason);
        return last;
    }
    if let Some(tests) = &mut last.tests {
        for case in &mut tests.cases {
            case.flaky |= case.outcome == CaseOutcome::Passed && failed.iter().any(|report| broke(report, case));
        }
    }
    let unseen = not_run_again(failed, &last);
    if !unseen.is_empty() {
        let names: Vec<String> = unseen.iter().take(NAMED).map(|name| one_line(&name.to_string(), 120)).collect();
        let more = if unseen.len() > NAMED { format!(" and {} more", unseen.len() - NAMED) } else { String::new() };
        last.outcome = Outcome::Error;
        last.reason = format!(
            "failed and did not run again: {}{more}; without, it passed on attempt {}",
            names.join(", "),
            attempts
        );
        return last;
    }
    last.notes.push(format!("flaky: attempt 1 ended in {}: {}", first.outcome.word(), first.reason));
    match flaky {
        Flaky::Warn => last.reason = format!("{}; flaky: passed on attempt {attempts}", last.reason),
        Flaky::Fail => {
            last.outcome = Outcome::Fail;
            last.reason = format!("flaky: passed only on attempt {attempts} ({})", first.reason);
        }
    }
    last
}

/// Whether an attempt has every finding that counted in an earlier one.
fn repeats(last: &GateReport, earlier: &GateReport) -> bool {
    earlier.blocking().all(|found| last.findings.iter().any(|other| other.fingerprint == found.fingerprint))
}

fn broke(report: &GateReport, case: &Case) -> bool {
    namesakes(report, case).any(|other| other.outcome.is_broken())
}

fn cases(report: &GateReport) -> impl Iterator<Item = &Case> {
    report.tests.iter().flat_map(|tests| &tests.cases)
}

fn namesakes<'a>(report: &'a GateReport, case: &'a Case) -> impl Iterator<Item = &'a Case> {
    cases(report)
        .filter(move |other| (&other.suite, &other.class, &other.name) == (&case.suite, &case.class, &case.name))
}

/// The tests that broke in an attempt and did not run in a later one. What could not be run to its end may stand for a whole
/// binary that crashed, and has no namesake when it does not: there it tells that as many tests ran.
fn not_run_again(failed: &[GateReport], last: &GateReport) -> BTreeSet<CaseName> {
    let mut unseen = BTreeSet::new();
    for (at, report) in failed.iter().enumerate() {
        let later: Vec<&GateReport> = failed[at + 1..].iter().chain([last]).collect();
        for case in cases(report).filter(|case| case.outcome.is_broken() && !report.excuses(case)) {
            // Several may have one name: of as many as broke it is known how they end.
            let broken = namesakes(report, case).filter(|other| other.outcome.is_broken()).count();
            let is_gone = later.iter().all(|report| namesakes(report, case).next().is_none());
            let has_run = |other: &&Case| other.outcome != CaseOutcome::Skipped;
            let ran = later.iter().any(|report| namesakes(report, case).filter(has_run).count() >= broken);
            let stood_for_others =
                is_gone && case.outcome == CaseOutcome::Errored && cases(last).count() >= cases(report).count();
            if !ran && !stood_for_others {
                unseen.insert(case.named());
            }
        }
    }
    unseen
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::finding::Level;
    use crate::model::gate::GateName;
    use crate::model::tests::Tests;
    use crate::policy::tests::shown;

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
            outcome,
            reason: format!("{} it is", outcome.word()),
            only: "all".to_owned(),
            took: Duration::from_secs(1),
            attempts: 1,
            reproduce: String::new(),
            tests: (!cases.is_empty()).then(|| Tests { cases: cases.iter().map(case).collect(), took_ms: None }),
            ..GateReport::unjudged(GateName::parse("g").unwrap(), "test".to_owned())
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
        let failed = [attempt(Outcome::Error, &[]), attempt(Outcome::Fail, &["a-", "s/b!", "d+"])];
        let last = attempt(Outcome::Pass, &["a+", "s/b+", "b+", "d+"]);
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
    fn what_failed_must_have_run_again() {
        let fail = |cases: &[&str]| attempt(Outcome::Fail, cases);
        for (failed, last, expected) in [
            (vec![fail(&["a-", "b+"])], vec!["a+"], "pass"),
            // As runners do that repeat only what failed.
            (vec![fail(&["a-", "b-", "c+"]), fail(&["a+", "b-"])], vec!["b+"], "pass"),
            (vec![fail(&["a-", "b+"])], vec!["b+"], "a"),
            (vec![fail(&["a-", "b+"])], vec!["a?", "b+"], "a"),
            (vec![fail(&["a-", "b-", "c-"])], vec!["f+"], "a, b, c"),
            (vec![fail(&["a-", "b-", "c-", "s/d-", "e-"])], vec!["f+"], "a, b, c and 2 more"),
            (vec![fail(&["s/a-"]), fail(&["b-"])], vec!["b+", "a+"], "s › a"),
            (vec![attempt(Outcome::Error, &["a+", "binary!"])], vec!["a+", "b+"], "pass"),
            (vec![attempt(Outcome::Error, &["a+", "b!"])], vec!["a+"], "b"),
            // Several of one name.
            (vec![fail(&["a-", "a-"])], vec!["a+"], "a"),
            (vec![fail(&["a-", "a+"])], vec!["a+", "a+"], "pass"),
        ] {
            let attempts = failed.len() + 1;
            let report = combine(&failed, attempt(Outcome::Pass, &last), Flaky::Warn);
            let expected = if expected == "pass" {
                (Outcome::Pass, format!("pass it is; flaky: passed on attempt {attempts}"))
            } else {
                let text =
                    format!("failed and did not run again: {expected}; without, it passed on attempt {attempts}");
                (Outcome::Error, text)
            };
            assert_eq!((report.outcome, report.reason), expected);
        }
    }

    #[test]
    fn a_finding_that_counted_stays() {
        let found =
            |outcome, blocking| GateReport { findings: vec![shown(Level::Warning, blocking)], ..attempt(outcome, &[]) };
        for flaky in [Flaky::Warn, Flaky::Fail] {
            let report = combine(&[found(Outcome::Fail, true)], attempt(Outcome::Pass, &[]), flaky);
            assert_eq!(end(&report), (Outcome::Fail, "fail it is; attempt 2 does not take back what was found"));
            assert_eq!((report.attempts, report.took, report.findings.len()), (2, Duration::from_secs(2), 1));
        }
        let gone = combine(&[found(Outcome::Fail, true)], attempt(Outcome::Error, &[]), Flaky::Warn);
        let reason = "fail it is; attempt 2 does not take back what was found: error it is";
        assert_eq!((end(&gone), gone.findings.len()), ((Outcome::Fail, reason), 1));
        let several = [found(Outcome::Error, true), found(Outcome::Fail, true)];
        assert_eq!(combine(&several, attempt(Outcome::Pass, &[]), Flaky::Warn).outcome, Outcome::Fail, "the worst");
        let (passed, again) = (attempt(Outcome::Pass, &[]), found(Outcome::Pass, false));
        for (failed, last) in [(found(Outcome::Error, false), passed), (found(Outcome::Fail, true), again)] {
            assert_eq!(combine(&[failed], last, Flaky::Warn).outcome, Outcome::Pass);
        }
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
