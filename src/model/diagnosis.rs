//! What `doctor` says: one row for everything it looked at, or could not look at.

use crate::model::outcome::Outcome;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is about: `configuration`, `tool`, `base`, `permissions`, `action`, `token`, `required check`, …
    pub topic: &'static str,
    /// `pass`: looked at, and well. `fail`: looked at, and not. `error`: could not be told. `skipped`: not needed.
    pub outcome: Outcome,
    /// What was looked at, and what was seen.
    pub what: String,
    /// What to do; always there where the outcome is `fail` or `error`.
    pub todo: Option<String>,
}

impl Row {
    /// It was looked at, and is well.
    #[must_use]
    pub fn good(topic: &'static str, what: impl Into<String>) -> Self {
        Self { topic, outcome: Outcome::Pass, what: what.into(), todo: None }
    }

    /// It was looked at, and is not well.
    #[must_use]
    pub fn bad(topic: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { topic, outcome: Outcome::Fail, what: what.into(), todo: Some(todo.into()) }
    }

    /// It could not be told.
    #[must_use]
    pub fn unknown(topic: &'static str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { topic, outcome: Outcome::Error, what: what.into(), todo: Some(todo.into()) }
    }

    /// It is not needed here, and why.
    #[must_use]
    pub fn needless(topic: &'static str, what: impl Into<String>) -> Self {
        Self { topic, outcome: Outcome::Skipped, what: what.into(), todo: None }
    }
}

/// The worst of the rows: with one that could not be told nothing is well.
#[must_use]
pub fn outcome(rows: &[Row]) -> Outcome {
    rows.iter().map(|row| row.outcome).max().unwrap_or(Outcome::Skipped)
}
