//! Joins the reports of several jobs into one. A part that should be there and is not could not be judged; reports that
//! do not speak of the same thing are not joined at all.

use std::collections::BTreeMap;

use crate::model::gate::{GateName, Mode};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Report, Subject};
use crate::policy::again::{again, found_nothing};
use crate::policy::{Configured, verdict};

/// A gate that some report should have, or that a configuration knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub name: GateName,
    /// Its kind; empty where it is not known.
    pub kind: String,
    /// What the configuration says of it; `None` without one.
    pub configured: Option<Configured>,
    /// Why it should be there; `None`: it need not.
    pub due: Option<String>,
    /// Whether a report that says that the gate was not run contradicts `due`: that is known of the change itself.
    pub never_skipped: bool,
}

/// A report, and how a person would name it.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its file, or its artifact.
    pub name: String,
    /// What it says.
    pub report: Report,
}

/// Why reports are not joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They judge different things.
    #[error("{one} is of {what} {mine}, {other} of {theirs}: they are not of one change")]
    Different {
        /// A report.
        one: String,
        /// Another.
        other: String,
        /// What differs.
        what: &'static str,
        /// What the one has.
        mine: String,
        /// What the other has.
        theirs: String,
    },
    /// Two of them have the same gate.
    #[error("{one} and {other} both have the gate {gate}: which of them counts cannot be told")]
    Twice {
        /// A report.
        one: String,
        /// Another.
        other: String,
        /// The gate.
        gate: GateName,
    },
}

/// Checks that a part is of `subject`: by run, repository, commit, pull request, and base where both have one. A folder that
/// outlived its run, or an artifact of another, has judged something else, though perhaps of the same commit.
///
/// # Errors
/// When one of them differs.
pub fn same_subject(subject: &Subject, whose: &str, part: &Part) -> Result<(), Refusal> {
    let theirs = &part.report.subject;
    let show = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let folded = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_lowercase());
    let differs = |what, mine: Option<String>, theirs: Option<String>| Refusal::Different {
        one: part.name.clone(),
        other: whose.to_owned(),
        what,
        mine: show(theirs),
        theirs: show(mine),
    };
    let run = |subject: &Subject| subject.run.map(|(id, _)| id.to_string());
    if run(subject) != run(theirs) {
        return Err(differs("the run", run(subject), run(theirs)));
    }
    if folded(&subject.repository) != folded(&theirs.repository) {
        return Err(differs("the repository", subject.repository.clone(), theirs.repository.clone()));
    }
    if subject.head != theirs.head {
        let text = |subject: &Subject| subject.head.as_ref().map(ToString::to_string);
        return Err(differs("the commit", text(subject), text(theirs)));
    }
    if subject.pull_request != theirs.pull_request {
        let text = |subject: &Subject| subject.pull_request.map(|number| format!("#{number}"));
        return Err(differs("the pull request", text(subject), text(theirs)));
    }
    if subject.base.is_some() && theirs.base.is_some() && subject.base != theirs.base {
        let text = |subject: &Subject| subject.base.as_ref().map(ToString::to_string);
        return Err(differs("the base", text(subject), text(theirs)));
    }
    Ok(())
}

/// What is to be said of parts that an earlier attempt of the run than `attempt` made: their jobs may not have run again, or
/// have run and left nothing.
#[must_use]
pub fn of_earlier_attempts(parts: &[Part], attempt: u64) -> Option<String> {
    let of = |part: &Part| part.report.subject.run.map(|(_, of)| of).filter(|of| *of < attempt);
    let earlier: Vec<String> =
        parts.iter().filter_map(|part| Some(format!("{} (attempt {})", part.name, of(part)?))).collect();
    (!earlier.is_empty()).then(|| {
        let names = earlier.join(", ");
        format!("not of attempt {attempt}: {names}; the job did not run again, or left no report when it did")
    })
}

/// Checks that no two parts have the same gate.
///
/// # Errors
/// When two have.
pub fn distinct(parts: &[Part]) -> Result<(), Refusal> {
    let mut known: BTreeMap<&GateName, &str> = BTreeMap::new();
    for part in parts {
        for gate in &part.report.gates {
            if let Some(one) = known.insert(&gate.name, &part.name) {
                let (one, other) = (one.to_owned(), part.name.clone());
                return Err(Refusal::Twice { one, other, gate: gate.name.clone() });
            }
        }
    }
    Ok(())
}

/// Joins the parts, which are distinct: `expected` first and in its order, then what else they have. What was `overridden`, by
/// whom and why, is believed of nobody else.
#[must_use]
pub fn join(
    subject: Subject,
    parts: Vec<Part>,
    expected: &[Expected],
    overridden: &BTreeMap<GateName, String>,
) -> Report {
    let mut trees = parts.iter().map(|part| part.report.subject.tree.clone());
    let tree = trees.next().flatten().filter(|tree| trees.all(|other| other.as_ref() == Some(tree)));
    let mut report = Report {
        verdict: Outcome::Skipped,
        started_at: parts.iter().map(|part| part.report.started_at.clone()).min().unwrap_or_default(),
        took: parts.iter().map(|part| part.report.took).max().unwrap_or_default(),
        subject: Subject { tree, ..subject },
        gates: Vec::new(),
        notes: Vec::new(),
    };
    let mut gates: BTreeMap<GateName, GateReport> = BTreeMap::new();
    let mut order = Vec::new();
    for part in parts {
        // Where a run says worse than its gates do, it was cut short.
        if part.report.verdict > verdict(&part.report.gates) {
            report.verdict = report.verdict.max(part.report.verdict);
        }
        report.subject.dirty |= part.report.subject.dirty;
        for note in part.report.notes {
            if !report.notes.contains(&note) {
                report.notes.push(note);
            }
        }
        for gate in part.report.gates {
            order.push(gate.name.clone());
            gates.insert(gate.name.clone(), gate);
        }
    }
    for wanted in expected {
        match gates.remove(&wanted.name) {
            Some(gate) => report.gates.push(judged(gate, wanted)),
            None => report.gates.extend(wanted.due.as_ref().map(|why| missing(wanted, why))),
        }
    }
    let others = order.iter().filter_map(|name| gates.remove(name)).map(|gate| again(gate, None));
    report.gates.extend(others);
    for gate in report.gates.iter_mut().filter(|gate| !gate.outcome.is_green()) {
        gate.overridden = overridden.get(&gate.name).cloned();
    }
    report.verdict = report.verdict.max(verdict(&report.gates));
    report
}

fn judged(gate: GateReport, wanted: &Expected) -> GateReport {
    let mut gate = again(gate, wanted.configured.as_ref());
    let contradicted = match &wanted.due {
        Some(why) if wanted.never_skipped && gate.outcome == Outcome::Skipped && !found_nothing(&gate) => {
            Some(format!("it is due ({why}), but its report says skipped: {}", gate.reason))
        }
        _ if wanted.configured.is_some() && gate.kind != wanted.kind => {
            let (kind, said) = (&wanted.kind, if gate.kind.is_empty() { "no kind" } else { &gate.kind });
            Some(format!(
                "it is configured as kind {kind}, but its report is of {said}: that is not what had to be judged"
            ))
        }
        _ => None,
    };
    if let Some(why) = contradicted.filter(|_| gate.outcome < Outcome::Error) {
        (gate.outcome, gate.reason) = (Outcome::Error, why);
    }
    gate
}

fn missing(wanted: &Expected, why: &str) -> GateReport {
    GateReport {
        reason: format!("no report has it, and it was expected ({why}): its job did not run, or left no report"),
        mode: wanted.configured.as_ref().map_or(Mode::Block, |configured| configured.rules.mode),
        ..GateReport::unjudged(wanted.name.clone(), wanted.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sha::Sha;
    use crate::policy::again;
    use crate::policy::tests::{claimed, rules};

    fn subject() -> Subject {
        Subject {
            repository: Some("o/r".to_owned()),
            head: Sha::parse(&"a".repeat(40)).ok(),
            pull_request: Some(7),
            base: Sha::parse(&"b".repeat(40)).ok(),
            run: Some((5, 2)),
            ..Subject::default()
        }
    }

    fn part(name: &str, gates: &[(&str, Outcome)]) -> Part {
        let report = Report {
            verdict: Outcome::Skipped,
            subject: subject(),
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            took: std::time::Duration::from_secs(1),
            gates: gates.iter().map(|(name, outcome)| claimed(name, *outcome)).collect(),
            notes: vec!["a note".to_owned()],
        };
        Part { name: name.to_owned(), report }
    }

    fn expected(name: &str, due: bool, never_skipped: bool) -> Expected {
        let due = due.then(|| "every path".to_owned());
        Expected { name: GateName::parse(name).unwrap(), kind: String::new(), configured: None, due, never_skipped }
    }

    #[test]
    fn the_whole_begins_with_its_first_part_and_takes_as_long_as_its_longest() {
        let at = |name: &str, started_at: &str, seconds| {
            let mut part = part(name, &[]);
            part.report.started_at = started_at.to_owned();
            part.report.took = std::time::Duration::from_secs(seconds);
            part
        };
        let parts = vec![
            at("a", "2026-01-01T00:00:05Z", 3),
            at("b", "2026-01-01T00:00:02Z", 9),
            at("c", "2026-01-01T00:00:07Z", 1),
        ];
        let mut whole = join(subject(), parts.clone(), &[], &BTreeMap::new());
        assert!(!whole.subject.dirty);
        assert_eq!((whole.started_at.as_str(), whole.took.as_secs()), ("2026-01-01T00:00:02Z", 9));
        let mut dirty = parts;
        dirty[1].report.subject.dirty = true;
        whole = join(subject(), dirty, &[], &BTreeMap::new());
        assert!(whole.subject.dirty, "one part saw changes that were not committed");
    }

    fn ends(report: &Report) -> Vec<(String, Outcome)> {
        report.gates.iter().map(|gate| (gate.name.to_string(), gate.outcome)).collect()
    }

    #[test]
    fn parts_are_joined_in_the_order_of_the_configuration() {
        let parts = vec![
            part("b", &[("test", Outcome::Pass), ("extra", Outcome::Pass)]),
            part("a", &[("lint", Outcome::Fail)]),
        ];
        let all = [expected("lint", true, true), expected("docs", false, false), expected("test", true, true)];
        let report = join(subject(), parts, &all, &BTreeMap::new());
        let is = |name: &str, outcome| (name.to_owned(), outcome);
        assert_eq!(ends(&report), [is("lint", Outcome::Fail), is("test", Outcome::Pass), is("extra", Outcome::Pass)]);
        assert_eq!((report.verdict, report.notes.len()), (Outcome::Fail, 1));
    }

    #[test]
    fn what_is_missing_or_skipped_against_the_configuration_is_an_error() {
        let skipped = |never_skipped| {
            let mut part = part("a", &[("lint", Outcome::Skipped)]);
            (part.report.gates[0].attempts, part.report.gates[0].exit) = (0, None);
            let expected = [expected("lint", true, never_skipped)];
            join(subject(), vec![part], &expected, &BTreeMap::new()).verdict
        };
        assert_eq!((skipped(true), skipped(false)), (Outcome::Error, Outcome::Skipped));
        // It was run, and found that the change has nothing for it.
        for gate in again::tests::found_nothing_to_judge() {
            let mut part = part("a", &[]);
            let expected = [Expected { kind: gate.kind.clone(), ..expected(gate.name.as_str(), true, true) }];
            part.report.gates = vec![gate];
            let verdict = |part| join(subject(), vec![part], &expected, &BTreeMap::new()).verdict;
            assert_eq!(verdict(part.clone()), Outcome::Skipped);
            part.report.gates[0].attempts = 0;
            (part.report.gates[0].audit, part.report.gates[0].migrations) = (None, None);
            assert_eq!(verdict(part), Outcome::Error);
        }
        let report = join(subject(), Vec::new(), &[expected("lint", true, true)], &BTreeMap::new());
        assert_eq!((report.verdict, ends(&report).len()), (Outcome::Error, 1));
        assert!(report.gates[0].reason.starts_with("no report has it, and it was expected (every path)"));
    }

    #[test]
    fn a_gate_is_judged_as_the_kind_that_is_configured() {
        let configured = |kind: &str| {
            let configured = Some(Configured { rules: rules(), only: None });
            Expected { kind: kind.to_owned(), configured, ..expected("test", true, true) }
        };
        let end = |claims: &str, outcome, wanted: Expected| {
            let mut part = part("a", &[("test", outcome)]);
            claims.clone_into(&mut part.report.gates[0].kind);
            let mut report = join(subject(), vec![part], &[wanted], &BTreeMap::new());
            (report.verdict, report.gates.remove(0).reason)
        };
        let says = "it is configured as kind test, but its report is of command: that is not what had to be judged";
        assert_eq!(end("command", Outcome::Pass, configured("test")), (Outcome::Error, says.to_owned()));
        assert!(end("", Outcome::Pass, configured("test")).1.contains("its report is of no kind"));
        assert_eq!(end("command", Outcome::Fail, configured("test")).0, Outcome::Fail);
        assert_eq!(end("command", Outcome::Pass, expected("test", true, true)).0, Outcome::Pass, "by its name alone");
    }

    #[test]
    fn a_part_is_never_worth_more_than_it_says() {
        let mut interrupted = part("a", &[("lint", Outcome::Pass)]);
        interrupted.report.verdict = Outcome::Error;
        let verdict = |overridden: &BTreeMap<GateName, String>| {
            join(subject(), vec![interrupted.clone()], &[], overridden).verdict
        };
        assert_eq!(verdict(&BTreeMap::new()), Outcome::Error);
        assert_eq!(verdict(&overridden("lint")), Outcome::Error, "what was overridden is a gate, not a run");
    }

    fn overridden(gate: &str) -> BTreeMap<GateName, String> {
        BTreeMap::from([(GateName::parse(gate).unwrap(), "by max: flaky".to_owned())])
    }

    #[test]
    fn what_was_overridden_keeps_its_outcome_and_is_left_out_of_the_verdict() {
        let parts = || {
            vec![part("a", &[("lint", Outcome::Fail), ("docs", Outcome::Pass)]), part("b", &[("test", Outcome::Error)])]
        };
        let says = |overridden: &BTreeMap<GateName, String>| {
            let mut parts = parts();
            for part in &mut parts {
                part.report.verdict = verdict(&part.report.gates);
            }
            let report = join(subject(), parts, &[], overridden);
            let marked: Vec<String> = report
                .gates
                .iter()
                .filter(|gate| gate.overridden.is_some())
                .map(|gate| gate.name.to_string())
                .collect();
            (report.verdict, report.gates[0].outcome, marked)
        };
        assert_eq!(says(&BTreeMap::new()), (Outcome::Fail, Outcome::Fail, vec![]));
        assert_eq!(says(&overridden("lint")), (Outcome::Error, Outcome::Fail, vec!["lint".to_owned()]));
        assert_eq!(says(&overridden("docs")), (Outcome::Fail, Outcome::Fail, vec![]), "it needs none");
    }

    #[test]
    fn parts_of_different_things_are_told_apart() {
        let mine = part("a", &[]);
        assert_eq!(same_subject(&Subject { repository: Some("O/R".to_owned()), ..subject() }, "b", &mine), Ok(()));
        let wrong = |other: Subject| same_subject(&other, "b", &mine).unwrap_err().to_string();
        assert_eq!(
            wrong(Subject { repository: None, ..subject() }),
            "a is of the repository o/r, b of none: they are not of one change"
        );
        assert!(wrong(Subject { head: None, ..subject() }).contains("of the commit aaaa"));
        assert!(wrong(Subject { pull_request: Some(8), ..subject() }).contains("of the pull request #7, b of #8"));
        assert_eq!(
            wrong(Subject { run: Some((6, 2)), ..subject() }),
            "a is of the run 5, b of 6: they are not of one change"
        );
        assert!(wrong(Subject { run: None, ..subject() }).contains("of the run 5, b of none"));
        assert!(wrong(Subject { base: subject().head, ..subject() }).contains("of the base bbbb"));
        let same = Subject { run: Some((5, 1)), base: None, ..subject() };
        assert_eq!(same_subject(&same, "b", &mine), Ok(()), "of another attempt, and everything was judged");
        let parts = vec![part("a", &[("x", Outcome::Pass)]), part("b", &[("x", Outcome::Fail)])];
        assert_eq!(of_earlier_attempts(&parts, 2), None);
        let says = of_earlier_attempts(&parts, 3).unwrap();
        assert!(
            says.starts_with("not of attempt 3: a (attempt 2), b (attempt 2); the job did not run again"),
            "{says}"
        );
        let twice = distinct(&parts);
        assert!(matches!(twice, Err(Refusal::Twice { one, other, .. }) if one == "a" && other == "b"));
    }
}
