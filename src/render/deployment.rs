//! How a deploy, a rollback or a recovery ended: in a few lines, and as JSON, version 1.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::model::call::Receipt;
use crate::model::deployment::Ending;
use crate::model::sha::Sha;
use crate::model::story::Story;
use crate::model::text::clean;
use crate::render::notify::{RouteV1, route};

/// For people.
#[must_use]
pub fn text(story: &Story) -> String {
    let ending = story.ending.as_ref().map_or_else(|| "going on".to_owned(), Ending::to_string);
    let mut out = format!("\n{}: {}\n", story.environment, clean(&ending));
    // Writing to a String cannot fail.
    if let Some(took) = story.rollback_took {
        let _ = writeln!(out, "from the decision to the old version: {:.1} s", took.as_secs_f64());
    }
    if let Some(next) = &story.next {
        let _ = writeln!(out, "next: {next}");
    }
    out
}

/// For programs.
#[must_use]
pub fn json(story: &Story, told: &[Receipt]) -> String {
    let ending = story.ending.as_ref();
    let proof = |(gate, source): &(String, String)| Green { gate: gate.clone(), source: source.clone() };
    let written = Written {
        schema: "gatepost.deploy/v1",
        environment: &story.environment,
        outcome: ending.map_or("", Ending::word),
        reason: story.reason,
        says: ending.map(Ending::to_string).unwrap_or_default(),
        verified: story.is_verified(),
        sha: story.sha.as_ref().map(Sha::as_str),
        previous: story.previous.as_ref().map(Sha::as_str),
        rolled_back_to: match ending {
            Some(Ending::RolledBack { to, .. }) => Some(to.as_str()),
            _ => None,
        },
        by: &story.by,
        url: story.url.as_deref(),
        evidence: story.evidence.green.iter().map(proof).collect(),
        missing: &story.evidence.missing,
        overridden: &story.evidence.overridden,
        forced: story.evidence.forced.as_deref(),
        deployments: &story.deployments,
        rollback_took_ms: story.rollback_took.map(milliseconds),
        stages: story.stages.iter().map(|(at, says)| Stage { at_ms: milliseconds(*at), says }).collect(),
        told: told.iter().map(route).collect(),
        next: story.next.as_deref(),
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
    reason: Option<&'static str>,
    says: String,
    verified: bool,
    sha: Option<&'a str>,
    previous: Option<&'a str>,
    rolled_back_to: Option<&'a str>,
    by: &'a str,
    url: Option<&'a str>,
    evidence: Vec<Green>,
    missing: &'a [String],
    overridden: &'a [String],
    forced: Option<&'a str>,
    deployments: &'a [String],
    rollback_took_ms: Option<u64>,
    stages: Vec<Stage<'a>>,
    told: Vec<RouteV1<'a>>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Green {
    gate: String,
    source: String,
}

#[derive(Serialize)]
struct Stage<'a> {
    at_ms: u64,
    says: &'a str,
}
