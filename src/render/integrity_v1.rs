//! The frozen JSON of `gatepost integrity --json`, schema `gatepost.integrity/v1`: additive until 1.0.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::render::finding_v1::FindingV1;

/// Gates of a repository that cannot fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Integrity")]
pub struct IntegrityV1<'a> {
    /// `gatepost.integrity/v1`.
    pub schema: Cow<'a, str>,
    /// `pass`, `fail`, or `error` where a file could not be read or understood.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: Cow<'a, str>,
    /// Level `error` where a gate surely cannot fail, `warning` where it may, `note` where its failure would block nothing anyway.
    pub findings: Vec<FindingV1<'a>>,
    /// What was not read, further files that could not be, and what was allowed.
    pub notes: Vec<Cow<'a, str>>,
}

impl<'a> IntegrityV1<'a> {
    /// Of the judged gate.
    #[must_use]
    pub fn new(gate: &'a GateReport) -> Self {
        Self {
            schema: Cow::Borrowed("gatepost.integrity/v1"),
            outcome: gate.outcome,
            reason: Cow::Borrowed(&gate.reason),
            findings: gate.findings.iter().map(FindingV1::judged).collect(),
            notes: gate.notes.iter().map(|note| Cow::from(note.as_str())).collect(),
        }
    }
}
