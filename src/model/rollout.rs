//! Deploys beside the old version: two slots, and traffic that moves from one to the other at once (blue-green) or in steps
//! (canary). What moves it is not known here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::settings::CommandLine;
use crate::model::sha::Sha;

/// All of the traffic, in percent.
pub const ALL: u8 = 100;

/// How traffic is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// All at once, after the idle slot was seen to work.
    BlueGreen,
    /// In steps, with a look between them.
    Canary,
}

impl Strategy {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
        }
    }
}

/// One of the two places where a version runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Whatever ran before gatepost knew of slots counts as being here.
    Blue,
    /// The other one.
    Green,
}

impl Slot {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    /// As it is told to hooks.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }
}

/// What a deployment's payload says of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// How its traffic is moved.
    pub strategy: Strategy,
    /// Where it runs.
    pub slot: Slot,
}

/// How an environment's deploys go beside the old version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// How traffic is moved.
    pub strategy: Strategy,
    /// The user's hook that moves it: `switch` or `weight`.
    pub hook: CommandLine,
    /// Where a slot answers that has no traffic; `{slot}` stands for its name.
    pub preview: Option<String>,
    /// The steps of a canary, by rising weight; empty for blue-green.
    pub steps: Vec<Step>,
    /// The look between them.
    pub analysis: Analysis,
}

impl Rollout {
    /// Where a slot answers.
    #[must_use]
    pub fn address(&self, slot: Slot) -> Option<String> {
        self.preview.as_ref().map(|preview| preview.replace("{slot}", slot.word()))
    }
}

/// One step of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The share of the new version, 1 to 99 percent.
    pub weight: u8,
    /// How long it is looked at; zero: one round.
    pub watch: Duration,
    /// Whether it then waits for a person.
    pub pause: bool,
}

/// How a step is looked at, in the terms of Argo Rollouts' analyses:
/// <https://argo-rollouts.readthedocs.io/en/stable/features/analysis/>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// Run in every round: 0 is good, 4 inconclusive, any other status bad.
    pub command: Option<CommandLine>,
    /// Before the first round.
    pub initial_delay: Duration,
    /// Between two rounds.
    pub interval: Duration,
    /// Bad rounds that are tolerated.
    pub failure_limit: u32,
    /// Rounds in a row that may fail to measure anything.
    pub consecutive_error_limit: u32,
    /// Rounds that may be inconclusive.
    pub inconclusive_limit: u32,
}

/// Where the traffic of a deployment stood when it was last recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// None of it was touched.
    Untouched,
    /// So many percent of it were about to go to the new version.
    At(u8),
    /// It stands there until a person goes on.
    Paused(u8),
    /// All of it was about to go back.
    Back,
}

impl Traffic {
    /// As it is recorded.
    #[must_use]
    pub fn says(self, why: &str) -> String {
        match self {
            Self::Untouched => why.to_owned(),
            Self::At(weight) => format!("traffic {weight} %: {why}"),
            Self::Paused(weight) => format!("paused at {weight} %: {why}"),
            Self::Back => format!("going back: {why}"),
        }
    }

    /// What was recorded.
    #[must_use]
    pub fn of(says: &str) -> Option<Self> {
        let weight = |rest: &str| rest.split_once(" %").and_then(|(weight, _)| weight.parse().ok());
        if says.starts_with("going back:") || says.starts_with(WENT_BACK) {
            return Some(Self::Back);
        }
        let at = says.strip_prefix("traffic ").and_then(weight).map(Self::At);
        at.or_else(|| says.strip_prefix("paused at ").and_then(weight).map(Self::Paused))
    }
}

const WENT_BACK: &str = "all traffic is with";

impl Traffic {
    /// What the end of a deployment begins with whose traffic went back.
    #[must_use]
    pub fn went_back(to: &Sha) -> String {
        format!("{WENT_BACK} {}", to.short())
    }
}

/// A deployment in one of two slots that has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// What runs in the other one.
    pub old: Option<Sha>,
    /// Where the traffic stood.
    pub traffic: Traffic,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_again() {
        for traffic in [Traffic::At(5), Traffic::At(ALL), Traffic::Paused(50), Traffic::Back] {
            assert_eq!(Traffic::of(&traffic.says("why: 7 %")), Some(traffic));
        }
        let old = Sha::parse(&"a".repeat(40)).unwrap();
        assert_eq!(Traffic::of(&Traffic::went_back(&old)), Some(Traffic::Back));
        assert_eq!(Traffic::of("deploy begun"), None);
        assert_eq!(Traffic::of("paused at 999 %"), None);
    }
}
