//! `[environments.*]` after it was read and found valid: where a commit is deployed to, and by what rules.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::gate::GateName;
use crate::model::json_path::JsonPath;
use crate::model::rollout::Rollout;
use crate::model::settings::CommandLine;

/// The app whose token a workflow has: the author of its check runs.
pub const GITHUB_ACTIONS: u64 = 15_368;

/// An environment's name: 1 to 64 of `A-Z a-z 0-9 _ . -`, starting with a letter or digit, and fit for a git reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9]([A-Za-z0-9_-]|\.[A-Za-z0-9_-]){0,63}$"))]
pub struct EnvironmentName(String);

/// The text cannot name an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name an environment: use 1 to 64 letters, digits, `_`, `-` or single dots, starting with a letter or digit"
)]
pub struct EnvironmentNameError(String);

impl EnvironmentName {
    /// Reads a name.
    ///
    /// # Errors
    /// When a lock's git reference could not hold it.
    pub fn parse(text: &str) -> Result<Self, EnvironmentNameError> {
        let is_fit_for_a_reference = !text.contains("..")
            && !text.ends_with('.')
            && !std::path::Path::new(text).extension().is_some_and(|end| end.eq_ignore_ascii_case("lock"));
        match GateName::parse(text) {
            Ok(_) if is_fit_for_a_reference => Ok(Self(text.to_owned())),
            _ => Err(EnvironmentNameError(text.chars().take(80).collect())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = EnvironmentNameError;

    fn try_from(text: String) -> Result<Self, EnvironmentNameError> {
        Self::parse(&text)
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0
    }
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own in the configuration")]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Where it answers; what health paths are relative to.
    pub url: Option<String>,
    /// How it is told whether it works.
    pub verify: Verify,
    /// How deploys go beside the old version; `None`: in its place.
    pub rollout: Option<Rollout>,
    /// Whether a deploy that fails is rolled back at once.
    pub auto_rollback: bool,
    /// Gates that must be green; `None`: every gate.
    pub requires: Option<Vec<GateName>>,
    /// How old their results may be.
    pub max_age: Duration,
    /// The environment where the same commit must be live and healthy first.
    pub after: Option<EnvironmentName>,
    /// Branches that may be deployed, perhaps with a `*` at the end; empty, with no tags: every commit.
    pub branches: Vec<String>,
    /// The same of tags.
    pub tags: Vec<String>,
    /// When it may be deployed to; empty: always.
    pub hours: Vec<Hours>,
    /// When it may not.
    pub freezes: Vec<Freeze>,
    /// Variables that must be set before anything starts.
    pub secrets: Vec<String>,
    /// Whether `--force` may stand in for missing evidence.
    pub allow_force: bool,
    /// Longest time of the deploy command, or of following a workflow or a host.
    pub timeout: Duration,
    /// From TERM to KILL of the deploy command.
    pub grace: Duration,
    /// How long the lock outlives a holder that cannot be asked.
    pub lease: Duration,
    /// The folder of migrations; `None`: the usual ones are looked for.
    pub migrations: Option<String>,
    /// The app whose check runs are believed.
    pub app_id: u64,
    /// What GitHub calls a production environment.
    pub production: bool,
    /// Deploys run in a job that names this environment, so that GitHub itself enforces its rules.
    pub in_job: bool,
    /// No deploys after a rollback until the environment is unlocked.
    pub freeze_after_rollback: bool,
}

impl Environment {
    /// The time zones of its hours and freezes, as they are written.
    pub fn zones(&self) -> impl Iterator<Item = &str> {
        let hours = self.hours.iter().map(|hours| hours.zone.as_str());
        hours.chain(self.freezes.iter().map(|freeze| freeze.zone.as_str()))
    }
}

/// How it is told whether an environment works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// All of these must be good.
    pub health: Vec<Probe>,
    /// Which commit answers.
    pub version: Option<VersionProbe>,
    /// Run when the probes are good.
    pub smoke: Option<CommandLine>,
    /// Waits and limits.
    pub pacing: Pacing,
}

impl Verify {
    /// Whether anything at all is looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.health.is_empty() && self.version.is_none() && self.smoke.is_none()
    }
}

/// Waits and limits of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// Between two rounds.
    pub interval: Duration,
    /// Good rounds in a row that are enough.
    pub successes: u32,
    /// Of one request.
    pub timeout: Duration,
    /// How long bad rounds at the start count for nothing.
    pub grace: Duration,
    /// For the whole verification, the watch not included.
    pub deadline: Duration,
    /// How long it is looked at afterwards.
    pub watch: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            interval: seconds(2),
            successes: 2,
            timeout: seconds(5),
            grace: seconds(30),
            deadline: seconds(90),
            watch: Duration::ZERO,
        }
    }
}

/// One request, and what makes its answer a good one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// A path below the environment's `url`, or a whole address.
    pub path: String,
    /// Headers that are sent; a value may be `env:NAME`.
    pub headers: Vec<(String, String)>,
    /// The status; `None`: any from 200 to 299.
    pub status: Option<u16>,
    /// A text that the body must contain.
    pub body: Option<String>,
    /// Values at places of a JSON body.
    pub json: Vec<(JsonPath, String)>,
    /// The longest time until the whole answer is there; `None`: the probe's timeout.
    pub latency: Option<Duration>,
}

/// Where the answering commit is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionProbe {
    /// A path below the environment's `url`, or a whole address.
    pub path: String,
    /// Where in the answer.
    pub place: VersionPlace,
}

/// Where in an answer the version stands. A commit id may be shortened to 7 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionPlace {
    /// At a place of a JSON body.
    Json(JsonPath),
    /// In a header.
    Header(String),
    /// The body is nothing else.
    Body,
}

/// Hours of days of the week, in a time zone: `Mon-Fri 09:00-17:00 Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// As it is written.
    pub text: String,
    /// By day, Monday first.
    pub days: [bool; 7],
    /// Minutes after midnight: the first that is allowed.
    pub from: u16,
    /// The first that is not any more; at most 1440.
    pub until: u16,
    /// An IANA name, or `UTC`.
    pub zone: String,
}

/// Days on which nothing is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// The first day, `2026-12-20`.
    pub from: String,
    /// The last one.
    pub until: String,
    /// Why.
    pub reason: String,
    /// An IANA name, or `UTC`.
    pub zone: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_reference() {
        for good in ["staging", "eu-1", "prod.eu", "A_b"] {
            assert!(EnvironmentName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a..b", "a.", "a.lock", "a/b", "a b", "é"] {
            assert!(EnvironmentName::parse(bad).is_err(), "{bad}");
        }
    }
}
