//! The four ends of a gate, and their order. The run's verdict is the worst of its enforced gates.

use serde::{Deserialize, Serialize};

/// How a gate, or a whole run, ended. Ordered from best to worst to report:
/// skipped < pass < error < fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to judge, and the reason is stated.
    Skipped,
    /// It was judged, and it is good.
    Pass,
    /// It could not be judged: tool missing, report absent, outage, timeout, cancelled.
    Error,
    /// It was judged, and it is not good.
    Fail,
}

impl Outcome {
    /// The word used in reports, tables and check runs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }

    /// The outcome of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Skipped, Self::Pass, Self::Error, Self::Fail].into_iter().find(|outcome| outcome.word() == word)
    }

    /// Whether this outcome lets a change through.
    #[must_use]
    pub const fn is_green(self) -> bool {
        matches!(self, Self::Skipped | Self::Pass)
    }
}
