//! The ledger on GitHub: deployments with their statuses, by raw routes and our own structs, because states may be new,
//! payloads may be text, and a lost reply must not make a second deployment.

mod lock;
mod overrides;
mod results;
mod rules;
mod runs;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::deployment::{Mark, Payload, Phase, Record, RunPlace};
use crate::model::environments::EnvironmentName;
use crate::model::sha::Sha;
use crate::model::text::shorten;
use crate::world::forge::{Forge, Method, Request};
use crate::world::github::GitHub;
use crate::world::ledger::{LedgerError, New, Step};
use crate::world::line::answer::Stop;
use crate::world::line::pace::Pace;
use crate::world::line::{Creation, Kind, Line, segment};

pub use results::Wanted;
pub use rules::Pattern;

/// By which our deployments are told from those of others, such as GitHub's own for jobs that name an environment.
const TASK: &str = "gatepost";
/// How long one touch of the ledger may wait for retries and rate limits.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a lock is looked at: GitHub gives a workflow 1,000 requests an hour.
const LOOK: Duration = Duration::from_secs(15);
/// Deployments whose statuses are read in any case.
const LEAST: usize = 5;
/// Commits that were verified and not undone, after which older deployments are not read: whatever those left, a later
/// deploy has settled.
const ENOUGH: usize = 4;
/// Characters of a description.
const DESCRIPTION: usize = 140;

/// See the module.
#[derive(Debug)]
pub struct Hub {
    line: Line<GitHub>,
    /// The tree of a lock that we hold, by its nonce: it is written once.
    tree: Option<(String, String)>,
    /// See [`super::Ledger::look`].
    pub(super) look: Duration,
}

impl Hub {
    /// The ledger of `repository` (`owner/name`). Sends nothing yet.
    #[must_use]
    pub fn new(forge: GitHub, repository: &str) -> Self {
        Self::with_pace(forge, repository, Pace::of_process(), LOOK)
    }

    /// The same with other waits; `look`: how often it may be asked whether a lock is still held.
    #[must_use]
    pub fn with_pace(forge: GitHub, repository: &str, pace: Pace, look: Duration) -> Self {
        Self { line: Line::new(forge, repository, pace, false), tree: None, look }
    }

    /// The line, for what else is asked of GitHub; it may wait as long as one touch of the ledger.
    pub fn line(&mut self) -> &mut Line<GitHub> {
        self.line.allow_more(PATIENCE);
        &mut self.line
    }

    /// See [`super::Ledger::records`]. Those of other configurations than `config` are among them, without their steps.
    ///
    /// # Errors
    /// When a page was not got, or is not what it should be.
    pub async fn records(&mut self, environment: &EnvironmentName, config: &str) -> Result<Vec<Record>, LedgerError> {
        let deployments = self.deployments(environment, "").await?;
        let mut records: Vec<Record> = Vec::new();
        let mut read = 0;
        let mut verified: Vec<Sha> = Vec::new();
        let mut undone: Vec<String> = Vec::new();
        for deployment in deployments {
            if read >= LEAST && verified.len() >= ENOUGH {
                break;
            }
            let id = deployment.id;
            let mut record = deployment.record(environment, Vec::new())?;
            if record.is_of_other_than(config).is_some() {
                records.push(record);
                continue;
            }
            record.marks = self.marks(id).await?;
            read += 1;
            undone.extend(record.undoes().map(str::to_owned));
            if record.was_verified() && !undone.contains(&record.id) && !verified.contains(&record.sha) {
                verified.push(record.sha.clone());
            }
            records.push(record);
        }
        Ok(records)
    }

    /// See [`super::Ledger::of_intent`].
    ///
    /// # Errors
    /// When a page was not got, or is not what it should be.
    pub async fn of_intent(
        &mut self,
        environment: &EnvironmentName,
        intent: &str,
    ) -> Result<Option<Record>, LedgerError> {
        let is_it = |one: &Deployment| one.is_of_intent(intent);
        let Some(found) = self.deployments(environment, "").await?.into_iter().find(is_it) else { return Ok(None) };
        let marks = self.marks(found.id).await?;
        Ok(Some(found.record(environment, marks)?))
    }

    /// See [`super::Ledger::of_commit`].
    ///
    /// # Errors
    /// When a page was not got, or is not what it should be.
    pub async fn of_commit(&mut self, environment: &EnvironmentName, sha: &Sha) -> Result<Vec<Record>, LedgerError> {
        let mut records = Vec::new();
        for deployment in self.deployments(environment, &format!("&sha={sha}")).await? {
            let marks = self.marks(deployment.id).await?;
            records.push(deployment.record(environment, marks)?);
        }
        Ok(records)
    }

    /// All of them that a query asks for, newest first.
    async fn deployments(&mut self, environment: &EnvironmentName, query: &str) -> Result<Vec<Deployment>, Stop> {
        let line = self.line();
        let name = segment(environment.as_str());
        let path = line.path(&format!("/deployments?environment={name}&task={TASK}{query}&per_page=100"));
        Ok(line.pages::<Vec<Deployment>>(path).await?.into_iter().flatten().collect())
    }

    async fn marks(&mut self, id: u64) -> Result<Vec<Mark>, Stop> {
        let line = self.line();
        let path = line.path(&format!("/deployments/{id}/statuses?per_page=100"));
        let mut statuses: Vec<Status> = line.pages::<Vec<Status>>(path).await?.into_iter().flatten().collect();
        // Several may have been made in one second: the number tells their order.
        statuses.sort_by_key(|status| status.id);
        Ok(statuses.into_iter().map(Status::mark).collect())
    }

    /// See [`super::Ledger::create`].
    ///
    /// # Errors
    /// When it was refused, or is not there.
    pub async fn create(&mut self, environment: &EnvironmentName, new: &New) -> Result<Record, LedgerError> {
        let made = self.line().create(&Making { environment, new }).await?;
        let id = made.id;
        let mut record = made.record(environment, Vec::new())?;
        let step = Step { phase: Phase::Queued, says: new.says.clone(), url: None, log: new.payload.link.clone() };
        self.mark(&record.id, &step).await?;
        record.marks = self.marks(id).await.unwrap_or_default();
        Ok(record)
    }

    /// See [`super::Ledger::mark`].
    ///
    /// # Errors
    /// When it was refused, or is not there.
    pub async fn mark(&mut self, id: &str, step: &Step) -> Result<(), LedgerError> {
        let id = id.parse().map_err(|_| LedgerError::Unexpected(format!("{id:?} is no deployment's id")))?;
        self.line().create(&Marking { id, step }).await?;
        Ok(())
    }

    /// See [`super::Ledger::is_over`].
    pub async fn is_over(&mut self, run: &RunPlace) -> Option<bool> {
        let line = self.line();
        let found: Run = line.read(line.path(&format!("/actions/runs/{}", run.id))).await.ok()?;
        if found.status.as_deref() == Some("completed") || found.run_attempt.is_some_and(|now| now > run.attempt) {
            return Some(true);
        }
        // Other jobs of the same run go on: those on the holder's runner tell. An earlier one of the same runner has ended.
        let path = line.path(&format!("/actions/runs/{}/jobs?per_page=100", run.id));
        let pages: Vec<Jobs> = line.pages(path).await.ok()?;
        let jobs = pages.into_iter().flat_map(|page| page.jobs);
        let there = jobs.filter(|job| !run.runner.is_empty() && job.runner_name.as_deref() == Some(&run.runner));
        let mut there = there.peekable();
        there.peek()?;
        Some(there.all(|job| job.status == "completed"))
    }
}

#[derive(Deserialize)]
struct Run {
    status: Option<String>,
    run_attempt: Option<u64>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    status: String,
    runner_name: Option<String>,
}

/// A deployment as GitHub has it: <https://docs.github.com/en/rest/deployments/deployments>
#[derive(Debug, Default, Deserialize)]
struct Deployment {
    id: u64,
    #[serde(default)]
    sha: Option<Sha>,
    #[serde(default, rename = "ref")]
    reference: String,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    created_at: String,
}

/// What stands in a deployment's payload.
#[derive(Deserialize)]
struct Carried {
    gatepost: Payload,
    #[serde(default)]
    reference: Option<String>,
}

impl Deployment {
    /// What we gave it to carry; `None` of one that is another's. One of ours that cannot be read may be what is live.
    fn carried(&self) -> Result<Option<Carried>, LedgerError> {
        let payload = match &self.payload {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        };
        if payload["gatepost"].is_null() {
            return Ok(None);
        }
        let read = Carried::deserialize(&payload).map(Some);
        read.map_err(|error| LedgerError::Unexpected(format!("what deployment {} carries: {error}", self.id)))
    }

    fn is_of_intent(&self, intent: &str) -> bool {
        self.carried().ok().flatten().is_some_and(|carried| carried.gatepost.intent == intent)
    }

    fn record(self, environment: &EnvironmentName, marks: Vec<Mark>) -> Result<Record, LedgerError> {
        let carried = self.carried()?;
        let reference = carried.as_ref().and_then(|carried| carried.reference.clone()).unwrap_or(self.reference);
        Ok(Record {
            id: self.id.to_string(),
            environment: environment.clone(),
            sha: self.sha.unwrap_or_else(Sha::zero),
            reference,
            payload: carried.map(|carried| carried.gatepost),
            created_at: self.created_at,
            marks,
        })
    }
}

/// <https://docs.github.com/en/rest/deployments/statuses>
#[derive(Debug, Default, Deserialize)]
struct Status {
    id: u64,
    state: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    created_at: String,
}

impl Status {
    fn mark(self) -> Mark {
        Mark { phase: Phase::of_word(&self.state), says: self.description.unwrap_or_default(), at: self.created_at }
    }
}

/// A deployment that is to be created; found again by its intent.
struct Making<'a> {
    environment: &'a EnvironmentName,
    new: &'a New,
}

impl Creation for Making<'_> {
    type Made = Deployment;

    fn request(&self, root: &str) -> Request {
        let new = self.new;
        let body = json!({
            // By its id: a branch may have moved since.
            "ref": new.sha.as_str(),
            "task": TASK,
            // Else GitHub may merge in place of deploying, and answers 202 without a deployment.
            "auto_merge": false,
            // Else our own running job would be a check that is not green: the gates were looked at by us.
            "required_contexts": [],
            "payload": {"gatepost": new.payload, "reference": new.reference},
            "environment": self.environment.as_str(),
            "description": shorten(&new.says, DESCRIPTION),
            "transient_environment": false,
            "production_environment": new.production,
        });
        Request { method: Method::Post, path: format!("{root}/deployments"), body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Write
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Deployment>, Stop> {
        let (name, sha) = (segment(self.environment.as_str()), &self.new.sha);
        let path = line.path(&format!("/deployments?environment={name}&task={TASK}&sha={sha}&per_page=100"));
        let intent = &self.new.payload.intent;
        let ours = |one: &Deployment| one.is_of_intent(intent);
        Ok(line.pages::<Vec<Deployment>>(path).await?.into_iter().flatten().find(ours))
    }
}

/// A status that is to be created. It has no key: of one deployment a newest one that says the same is ours.
struct Marking<'a> {
    id: u64,
    step: &'a Step,
}

impl Creation for Marking<'_> {
    type Made = Status;

    fn request(&self, root: &str) -> Request {
        let mut body = json!({
            "state": self.step.phase.word(),
            "description": shorten(&self.step.says, DESCRIPTION),
        });
        for (key, value) in [("environment_url", &self.step.url), ("log_url", &self.step.log)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        Request { method: Method::Post, path: format!("{root}/deployments/{}/statuses", self.id), body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Write
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Status>, Stop> {
        let path = line.path(&format!("/deployments/{}/statuses?per_page=100", self.id));
        let all = line.pages::<Vec<Status>>(path).await?.into_iter().flatten();
        let says = shorten(&self.step.says, DESCRIPTION);
        let newest = all.max_by_key(|status| status.id);
        Ok(newest.filter(|status| {
            status.state == self.step.phase.word() && status.description.as_deref().unwrap_or_default() == says
        }))
    }
}
