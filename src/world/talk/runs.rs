//! What the gates said of a commit, and the runs of workflows that said so, to be started again. Nothing of a pull request runs
//! here: GitHub runs it again where it ran before, with the rights it had.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Talk;
use crate::model::check_id::{self, CheckId, OVERRIDE};
use crate::model::gate::GateName;
use crate::model::sha::Sha;
use crate::world::forge::{Method, Request};
use crate::world::line::answer::{Answer, Stop};
use crate::world::line::{Kind, Missing, segment};

/// A gate's newest check run by a job, with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The gate.
    pub gate: GateName,
    /// The check run's name.
    pub name: String,
    /// GitHub's word for how it ended.
    pub conclusion: String,
    /// The run that made it.
    pub run: u64,
    /// Its configuration, as the check run has it.
    config: String,
}

impl Judged {
    /// Whether nothing of it blocks: it passed, was skipped, or does not count.
    #[must_use]
    pub fn is_green(&self) -> bool {
        check_id::is_green(&self.conclusion)
    }

    /// Whether a configuration judged it that stood at the same place as that of this digest; one that is not known may have.
    #[must_use]
    pub fn stands_at(&self, config: &str) -> bool {
        let place = |digest: &str| digest.split_once('.').map(|(place, _)| place.to_owned());
        self.config == "-" || place(&self.config) == place(config)
    }
}

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// The commit it is of.
    pub head: Sha,
    /// What woke it.
    pub event: String,
    /// Its workflow's file name in `.github/workflows`.
    pub file: Option<String>,
    attempt: u64,
    completed: bool,
}

/// What came of starting something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It runs.
    Yes,
    /// GitHub will not; its words.
    No(String),
}

#[derive(Deserialize)]
struct Page {
    check_runs: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    id: u64,
    name: String,
    conclusion: Option<String>,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    id: u64,
    head_sha: Sha,
    event: String,
    path: Option<String>,
    status: Option<String>,
    run_attempt: Option<u64>,
}

impl Talk {
    /// The newest check run of each gate, job and configuration on a commit, but for those that only say that a gate was
    /// overridden. Whoever may write checks may have made them: the run is to be looked at.
    ///
    /// # Errors
    /// When a page was not got, or is malformed.
    pub async fn judged(&mut self, sha: &Sha) -> Result<Vec<Judged>, Stop> {
        let line = self.line();
        let path = line.path(&format!("/commits/{sha}/check-runs?filter=all&per_page=100"));
        let checks = line.pages::<Page>(path).await?.into_iter().flat_map(|page| page.check_runs);
        let mut newest: BTreeMap<_, (u64, Judged)> = BTreeMap::new();
        for check in checks {
            let Some((by, judged)) = judged(&check) else { continue };
            let key = (judged.gate.clone(), by);
            if newest.get(&key).is_none_or(|(id, _)| *id < check.id) {
                newest.insert(key, (check.id, judged));
            }
        }
        Ok(newest.into_values().map(|(_, judged)| judged).collect())
    }

    /// A run.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn run(&mut self, id: u64) -> Result<Run, Stop> {
        let line = self.line();
        let found: Found = line.read(line.path(&format!("/actions/runs/{id}"))).await?;
        // `.github/workflows/ci.yml@refs/heads/main` for a called one.
        let path = found.path.as_deref().map(|path| path.split('@').next().unwrap_or_default());
        Ok(Run {
            id: found.id,
            head: found.head_sha,
            event: found.event,
            file: path.and_then(|path| path.strip_prefix(".github/workflows/")).map(str::to_owned),
            attempt: found.run_attempt.unwrap_or(1),
            completed: found.status.as_deref() == Some("completed"),
        })
    }

    /// Whether an attempt of a run has ended.
    ///
    /// # Errors
    /// When it was not told.
    pub async fn is_over(&mut self, id: u64, attempt: u64) -> Result<bool, Stop> {
        match self.run(id).await {
            Ok(run) => Ok(run.completed || run.attempt > attempt),
            Err(stop) if stop.refused_with(404).is_some() => Ok(true),
            Err(stop) => Err(stop),
        }
    }

    /// Starts a run again: all its jobs, or those that did not end well and what needs them. Once, whatever reply is lost.
    /// <https://docs.github.com/en/rest/actions/workflow-runs#re-run-a-workflow>
    ///
    /// # Errors
    /// When it is not known whether it runs.
    pub async fn rerun(&mut self, run: &Run, failed_only: bool) -> Result<Started, Stop> {
        let how = if failed_only { "rerun-failed-jobs" } else { "rerun" };
        let path = self.line.path(&format!("/actions/runs/{}/{how}", run.id));
        let request = Request { method: Method::Post, path, body: None };
        let mut tries = 0;
        loop {
            let line = self.line();
            let why = match line.attempt(&request, Kind::Write, Missing::Gone).await? {
                Answer::Done(_) => return Ok(Started::Yes),
                Answer::Stopped(stop) => return refused(stop),
                Answer::NotSent(why) => why,
                Answer::Unknown(why) => {
                    if self.run(run.id).await?.attempt > run.attempt {
                        return Ok(Started::Yes);
                    }
                    why
                }
            };
            self.line.back_off(&mut tries, why).await?;
        }
    }

    /// Starts a workflow by hand, as it is on `branch`. Never twice: after a lost reply it may run.
    /// <https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event>
    ///
    /// # Errors
    /// When it is not known whether it runs.
    pub async fn dispatch(&mut self, file: &str, branch: &str, inputs: Value) -> Result<Started, Stop> {
        let line = self.line();
        let path = line.path(&format!("/actions/workflows/{}/dispatches", segment(file)));
        let request = Request { method: Method::Post, path, body: Some(json!({ "ref": branch, "inputs": inputs })) };
        let mut tries = 0;
        loop {
            match line.attempt(&request, Kind::Write, Missing::Gone).await? {
                Answer::Done(_) => return Ok(Started::Yes),
                Answer::Stopped(stop) => return refused(stop),
                Answer::NotSent(why) => line.back_off(&mut tries, why).await?,
                Answer::Unknown(why) => return Err(Stop::Failed(why)),
            }
        }
    }
}

fn refused(stop: Stop) -> Result<Started, Stop> {
    match stop {
        Stop::Refused { message, status: 403 | 404 | 409 | 422, .. } => Ok(Started::No(message)),
        other => Err(other),
    }
}

/// What a check run says, and of which configuration's place and which job.
fn judged(check: &Check) -> Option<((String, String), Judged)> {
    let gate = check_id::gate(&check.name)?;
    let said = CheckId::parse(check.external_id.as_deref()?)?;
    let (run, _) = said.generation()?;
    let conclusion = check.conclusion.clone().unwrap_or_default();
    let by = (said.place().to_owned(), said.job.to_owned());
    (said.gate == gate.as_str() && said.scope != OVERRIDE).then(|| {
        let (name, config) = (check.name.clone(), said.config.to_owned());
        (by, Judged { gate, name, conclusion, run, config })
    })
}
