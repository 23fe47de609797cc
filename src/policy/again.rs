//! Judges a gate of a report once more by the evidence that is in the report: what it says of itself may be forged.
//! It only ever makes an outcome worse.

use crate::model::evidence::Exit;
use crate::model::finding::Level;
use crate::model::gate::{Flaky, Mode, Only, Rules};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::policy::{by_exit_status, counts, weigh};

/// What a configuration says of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Its rules.
    pub rules: Rules,
    /// `only`, where it is written there: else the report tells what it amounted to.
    pub only: Option<Only>,
}

/// Judges again. Without a configuration a gate is judged by the defaults, and by what its findings say of themselves.
#[must_use]
pub fn again(mut gate: GateReport, configured: Option<&Configured>) -> GateReport {
    let assumed = Rules {
        only: Only::All,
        fail_on: Level::Warning,
        max_findings: 0,
        min_tests: (gate.kind == "test").then_some(1),
        flaky: Flaky::Warn,
        mode: gate.mode,
    };
    let rules = configured.map_or(&assumed, |configured| &configured.rules);
    if let Some(configured) = configured {
        if rules.mode == Mode::Block {
            gate.mode = Mode::Block;
        }
        let only = configured.only.or_else(|| Only::of_word(&gate.only)).unwrap_or(Only::All);
        for judged in &mut gate.findings {
            let counts = counts(only, judged.status, judged.relevance, judged.finding.line);
            judged.blocking |= counts && judged.level() >= rules.fail_on;
        }
    }
    let (outcome, reason) = judged_anew(&gate, rules);
    if outcome > gate.outcome {
        gate.reason = format!("its report says {} ({}), but shows: {reason}", gate.outcome.word(), gate.reason);
        gate.outcome = outcome;
        gate.fixed = None;
    }
    gate
}

fn judged_anew(gate: &GateReport, rules: &Rules) -> (Outcome, String) {
    let read = gate.tests.is_some() || !gate.findings.is_empty();
    if gate.attempts == 0 && gate.exit.is_none() && !read {
        return match gate.outcome {
            Outcome::Skipped => (Outcome::Skipped, String::new()),
            _ => (Outcome::Error, "no attempt was made".to_owned()),
        };
    }
    match gate.exit {
        Some(Exit::Signal(signal)) => (Outcome::Error, format!("killed by signal {signal}")),
        None if !gate.command.is_empty() => (Outcome::Error, "the command did not end".to_owned()),
        Some(Exit::Code(code)) if gate.kind == "command" && !read => by_exit_status(code),
        _ => weigh(gate, rules, None),
    }
}
