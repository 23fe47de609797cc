//! Finds out what woke this run: the event of GitHub Actions, or a person at a laptop.

use std::path::PathBuf;

use crate::event::{self, EventError, Variables};
use crate::model::event::Occasion;

use super::env::Env;
use super::files::{self, FileError};

/// Why the occasion is not known. What is to be judged is then not known either: could not judge.
#[derive(Debug, thiserror::Error)]
pub enum OccasionError {
    /// On Actions without a payload.
    #[error("GITHUB_EVENT_PATH is not set, although GITHUB_ACTIONS is true")]
    NoPath,
    /// The payload's file.
    #[error("{0}, which GITHUB_EVENT_PATH names")]
    File(#[from] FileError),
    /// The runner's variables or the payload.
    #[error("cannot read the event in {}: {source}", path.display())]
    Event {
        /// The file that `GITHUB_EVENT_PATH` names.
        path: PathBuf,
        /// What is wrong.
        source: EventError,
    },
}

impl OccasionError {
    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoPath | Self::File(_) => {
                "the runner sets it for every step; in a container, mount the runner's _github_workflow folder and pass the variable on"
            }
            Self::Event { .. } => {
                "the runner writes it for every job; a step must not overwrite it, nor the GITHUB_… variables"
            }
        }
    }
}

/// The event of this run and its payload; `None` outside GitHub Actions.
///
/// # Errors
/// When the payload cannot be read.
pub fn payload(env: &Env) -> Result<Option<(String, Vec<u8>)>, OccasionError> {
    if env.get("GITHUB_ACTIONS") != Some("true") {
        return Ok(None);
    }
    Ok(Some((env.get("GITHUB_EVENT_NAME").unwrap_or_default().to_owned(), files::read(&path(env)?)?)))
}

fn path(env: &Env) -> Result<PathBuf, OccasionError> {
    env.os("GITHUB_EVENT_PATH").filter(|path| !path.is_empty()).map(PathBuf::from).ok_or(OccasionError::NoPath)
}

/// The occasion of this run. Outside GitHub Actions (`GITHUB_ACTIONS` is not `true`) it is a local one.
///
/// # Errors
/// On Actions, when the event cannot be read.
pub fn read(env: &Env) -> Result<Occasion, OccasionError> {
    if env.get("GITHUB_ACTIONS") != Some("true") {
        return Ok(Occasion::local());
    }
    let path = path(env)?;
    let payload = files::read(&path)?;
    let variables = Variables {
        event_name: env.get("GITHUB_EVENT_NAME"),
        repository: env.get("GITHUB_REPOSITORY"),
        sha: env.get("GITHUB_SHA"),
        git_ref: env.get("GITHUB_REF"),
        server_url: env.get("GITHUB_SERVER_URL"),
        run_id: env.get("GITHUB_RUN_ID"),
        run_attempt: env.get("GITHUB_RUN_ATTEMPT"),
        workflow_ref: env.get("GITHUB_WORKFLOW_REF"),
        workflow: env.get("GITHUB_WORKFLOW"),
        job: env.get("GITHUB_JOB"),
        leg: env.get("GATEPOST_LEG"),
        leg_name: env.get("GATEPOST_LEG_NAME"),
    };
    event::read(&variables, &payload).map_err(|source| OccasionError::Event { path, source })
}
