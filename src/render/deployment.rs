//! How a deploy, a rollback or a recovery ended: in a few lines, and as JSON, version 1.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::model::deployment::Ending;
use crate::model::sha::Sha;
use crate::model::text::clean;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where.
    pub environment: &'a str,
    /// What was asked for.
    pub sha: Option<&'a Sha>,
    /// What was live before.
    pub previous: Option<&'a Sha>,
    /// The end.
    pub ending: &'a Ending,
    /// The ledger's numbers, in order.
    pub deployments: &'a [String],
    /// From the failure until the old version answered.
    pub rollback_took: Option<Duration>,
    /// What was said, with its time.
    pub said: &'a [(Duration, String)],
    /// What to do next.
    pub next: Option<&'a str>,
}

/// For people.
#[must_use]
pub fn text(view: &View<'_>) -> String {
    let mut out = format!("\n{}: {}\n", view.environment, clean(&view.ending.to_string()));
    // Writing to a String cannot fail.
    if let Some(took) = view.rollback_took {
        let _ = writeln!(out, "from the failure to the old version: {:.1} s", took.as_secs_f64());
    }
    if let Some(next) = view.next {
        let _ = writeln!(out, "next: {next}");
    }
    out
}

/// For programs.
#[must_use]
pub fn json(view: &View<'_>) -> String {
    let written = Written {
        schema: "gatepost.deploy/v1",
        environment: view.environment,
        outcome: view.ending.word(),
        says: view.ending.to_string(),
        verified: matches!(view.ending, Ending::Live { verified: true, .. } | Ending::RolledBack { .. }),
        sha: view.sha.map(Sha::as_str),
        previous: view.previous.map(Sha::as_str),
        rolled_back_to: match view.ending {
            Ending::RolledBack { to, .. } => Some(to.as_str()),
            _ => None,
        },
        deployments: view.deployments,
        rollback_took_ms: view.rollback_took.map(milliseconds),
        stages: view.said.iter().map(|(at, says)| Stage { at_ms: milliseconds(*at), says }).collect(),
        next: view.next,
    };
    serde_json::to_string(&written).unwrap_or_default() + "\n"
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    environment: &'a str,
    outcome: &'static str,
    says: String,
    verified: bool,
    sha: Option<&'a str>,
    previous: Option<&'a str>,
    rolled_back_to: Option<&'a str>,
    deployments: &'a [String],
    rollback_took_ms: Option<u64>,
    stages: Vec<Stage<'a>>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Stage<'a> {
    at_ms: u64,
    says: &'a str,
}
