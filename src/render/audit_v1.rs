//! The frozen JSON of `gatepost audit --json`, schema `gatepost.audit/v1`: additive until 1.0.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::audit::{AuditFinding, Audited, Database};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;

/// Lockfiles held against advisories.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Audit")]
pub struct AuditV1<'a> {
    /// `gatepost.audit/v1`.
    pub schema: Cow<'a, str>,
    /// `pass`, `fail`, `skipped` where there is nothing to audit, or `error` where something could not be audited.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: Cow<'a, str>,
    /// What the packages were held against; `null` where no advisories were asked for or had.
    pub database: Option<&'a Database>,
    /// What was audited.
    pub lockfiles: &'a [Audited],
    /// What was found; what only the base had comes last.
    pub findings: &'a [AuditFinding],
    /// What was passed over, is soon to end, or could not be told.
    pub notes: &'a [String],
}

impl<'a> AuditV1<'a> {
    /// Of the judged gate.
    #[must_use]
    pub fn new(gate: &'a GateReport) -> Self {
        let audit = gate.audit.as_ref();
        Self {
            schema: Cow::Borrowed("gatepost.audit/v1"),
            outcome: gate.outcome,
            reason: Cow::Borrowed(&gate.reason),
            database: audit.and_then(|audit| audit.database.as_ref()),
            lockfiles: audit.map_or(&[], |audit| &audit.lockfiles),
            findings: audit.map_or(&[], |audit| &audit.findings),
            notes: &gate.notes,
        }
    }
}
