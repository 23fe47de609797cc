//! What one gate once said of one commit, as far as a deploy needs it as evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::gate::GateName;
use crate::model::outcome::Outcome;
use crate::model::sha::Sha;

/// A gate's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// The gate.
    pub gate: GateName,
    /// How it ended.
    pub outcome: Outcome,
    /// False for `mode = "report"`: no evidence.
    pub enforced: bool,
    /// It judged only what differs from `base`.
    pub limited: bool,
    /// What it was compared with.
    pub base: Option<Sha>,
    /// When it was judged, in seconds since 1970.
    pub at: i64,
    /// Where it stands: a report, a check run.
    pub source: String,
    /// It is GitHub's, which has heard every job: what one machine says does not take the place of what is red there.
    #[serde(skip)]
    pub posted: bool,
    /// Why it is not to be believed.
    #[serde(default)]
    pub doubt: Option<String>,
    /// Somebody has decided that the commit may stand although it is not green. It stays what it is.
    #[serde(default)]
    pub overridden: Option<Overridden>,
}

/// Who has decided that a commit may stand although a gate is not green, and why. Never a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    /// Who.
    pub by: String,
    /// Why; their words, on one line.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Where it stands.
    pub source: String,
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}: {:?}", self.by, self.reason)
    }
}
