//! What happens while gates run, as a stream of events. The terminal is one reader of it.

use std::time::Duration;

use crate::model::gate::GateName;
use crate::model::report::GateReport;

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Progress<'a> {
    /// A gate's command starts; `attempt` counts from 1.
    Started {
        /// Which gate.
        gate: &'a GateName,
        /// From 1.
        attempt: u32,
    },
    /// The newest complete line a gate printed (cleaned of control characters, at most 200 characters).
    Line {
        /// Which gate.
        gate: &'a GateName,
        /// The line. Untrusted.
        text: &'a str,
    },
    /// A gate is still running after a silent while.
    Heartbeat {
        /// Which gate.
        gate: &'a GateName,
        /// How long it has run.
        running: Duration,
    },
    /// A gate ended and was judged.
    Ended {
        /// Its part of the report.
        report: &'a GateReport,
        /// The folder that `report.log` is in, as a person would name it.
        folder: &'a str,
    },
    /// Something to say once, now ("a read-only token: check runs become annotations").
    Said {
        /// The sentence.
        text: &'a str,
    },
}

/// Watches a run. Called from one thread, in order; must not block.
pub trait Watch {
    /// Takes one step in.
    fn see(&self, step: &Progress<'_>);
}
