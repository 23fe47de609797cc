//! The step's outputs (`GITHUB_OUTPUT`), for later steps of the workflow.

use crate::model::finding::Level;
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, Status};
use crate::model::tests::{Counts, Tests};
use crate::publish::words::verdict;
use crate::publish::{Posting, Publisher, RunEnd};

/// The row of this publisher.
pub static PUBLISHER: Publisher = Publisher {
    name: "outputs",
    about: "the step's outputs: the verdict, the path of the report, and counts",
    on_gate: None,
    on_end: Some(on_end),
};

/// One output.
#[derive(Debug)]
pub struct Output {
    /// Its name: `steps.<id>.outputs.<name>`.
    pub name: &'static str,
    /// What it holds, for the README's table.
    pub about: &'static str,
    value: fn(&RunEnd<'_>) -> String,
}

/// Every output. Counts are over all gates, those that are not enforced included unless said.
pub static ALL: &[Output] = &[
    row("verdict", "`pass`, `fail`, `error` (could not be judged) or `skipped`", |end| verdict(end).word().to_owned()),
    row("report", "the path of report.json", |end| end.context.report_path.to_owned()),
    row("gates", "how many gates there were", |end| sum(end, |_| 1)),
    row("gates-failed", "enforced gates that failed", |end| sum(end, |gate| ended(gate, Outcome::Fail))),
    row("gates-errored", "enforced gates that could not be judged", |end| sum(end, |gate| ended(gate, Outcome::Error))),
    row("findings", "all findings", |end| sum(end, |gate| gate.findings.len())),
    row("blocking", "findings that count against an enforced gate", |end| {
        sum(end, |gate| if gate.not_enforced() { 0 } else { gate.blocking().count() })
    }),
    row("new", "findings that the baseline does not have; empty without a baseline", |end| {
        if compared(end) {
            sum(end, |gate| findings(gate, |judged| judged.status == Some(Status::New)))
        } else {
            String::new()
        }
    }),
    row("fixed", "findings of the baseline that are gone; empty without a baseline", |end| {
        if compared(end) { sum(end, |gate| gate.fixed.unwrap_or(0)) } else { String::new() }
    }),
    row("errors", "findings of level error", |end| {
        sum(end, |gate| findings(gate, |judged| judged.level() == Level::Error))
    }),
    row("warnings", "findings of level warning", |end| {
        sum(end, |gate| findings(gate, |judged| judged.level() == Level::Warning))
    }),
    row("notes", "findings of level note", |end| {
        sum(end, |gate| findings(gate, |judged| judged.level() == Level::Note))
    }),
    row("tests", "all test cases", |end| sum(end, |gate| tests(gate).total)),
    row("tests-failed", "test cases that failed or did not end", |end| {
        sum(end, |gate| tests(gate).failed + tests(gate).errored)
    }),
    row("tests-skipped", "test cases that did not run", |end| sum(end, |gate| tests(gate).skipped)),
    row("tests-flaky", "test cases that passed only on a retry", |end| sum(end, |gate| tests(gate).flaky)),
];

/// The outputs of `gatepost comment`: their names and what they hold.
pub static OF_COMMENT: &[(&str, &str)] = &[DECISION, REASON];

const DECISION: (&str, &str) = (
    "decision",
    "of `comment`: `done`, `confirm`, `refused`, `failed`, `unavailable` or `ignored`; of several commands the first that was not done",
);
const REASON: (&str, &str) = ("reason_code", "of `comment`: why, in one word that does not change");

const fn row(name: &'static str, about: &'static str, value: fn(&RunEnd<'_>) -> String) -> Output {
    Output { name, about, value }
}

fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    vec![Posting::Outputs(plan(end))]
}

/// The text to add to the file.
#[must_use]
pub fn plan(end: &RunEnd<'_>) -> String {
    ALL.iter().map(|output| entry(output.name, &(output.value)(end), end.delimiter)).collect()
}

/// What the answer to a comment adds to the file.
#[must_use]
pub fn answer(decision: &str, code: &str, delimiter: &str) -> String {
    entry(DECISION.0, decision, delimiter) + &entry(REASON.0, code, delimiter)
}

pub(super) fn entry(name: &str, value: &str, delimiter: &str) -> String {
    // The delimiter is random: a value that has it cannot be an accident, and is not passed on.
    let value = if value.contains(delimiter) { "" } else { value };
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

fn sum(end: &RunEnd<'_>, of: fn(&GateReport) -> usize) -> String {
    end.report.gates.iter().map(of).sum::<usize>().to_string()
}

fn ended(gate: &GateReport, outcome: Outcome) -> usize {
    usize::from(gate.outcome == outcome && !gate.not_enforced())
}

fn findings(gate: &GateReport, are: fn(&Judged) -> bool) -> usize {
    gate.findings.iter().filter(|judged| are(judged)).count()
}

fn tests(gate: &GateReport) -> Counts {
    gate.tests.as_ref().map(Tests::counts).unwrap_or_default()
}

fn compared(end: &RunEnd<'_>) -> bool {
    end.report.gates.iter().any(|gate| gate.fixed.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::PublishSettings;
    use crate::publish::sample::{ended, report};

    #[test]
    fn every_output_is_a_value_between_delimiters() {
        let text = ended(&report(), &PublishSettings::default(), |end| plan(&end));
        let pairs: Vec<String> = text
            .split("ghadelimiter_c0ffee\n")
            .collect::<Vec<_>>()
            .chunks(2)
            .map(|pair| pair.concat().replace("<<", "="))
            .collect();
        insta::assert_snapshot!(pairs.concat());
        let path = ended(&report(), &PublishSettings::default(), |mut end| {
            end.context.report_path = "a\nghadelimiter_c0ffee\nverdict=pass";
            plan(&end)
        });
        assert!(path.contains("report<<ghadelimiter_c0ffee\n\nghadelimiter_c0ffee\n"), "{path}");
    }
}
