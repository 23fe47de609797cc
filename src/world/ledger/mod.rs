//! Where deployments, their ends and the locks of environments are kept: on GitHub, or in a file of the repository. It
//! keeps what it is told and decides nothing; every change of a lock is one that only one of two can make.

mod github;
mod local;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::deployment::{Holder, Payload, Phase, Record, RunPlace};
use crate::model::environments::EnvironmentName;
use crate::model::sha::Sha;
use crate::world::crashpoint;
use crate::world::line::answer::Stop;

pub use github::{Hub, Pattern, Wanted};
pub use local::Local;

/// What a ledger could not do. The text says what was tried and what happened.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file of the local ledger.
    #[error("the ledger {} cannot be used: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        what: String,
    },
    /// GitHub.
    #[error(transparent)]
    GitHub(#[from] Stop),
    /// What is recorded is not what gatepost writes.
    #[error("the ledger holds something unexpected: {0}")]
    Unexpected(String),
}

/// A deployment that is to be recorded.
#[derive(Debug, Clone)]
pub struct New {
    /// What.
    pub sha: Sha,
    /// What was named.
    pub reference: String,
    /// What it carries.
    pub payload: Payload,
    /// One line.
    pub says: String,
    /// What GitHub calls a production environment.
    pub production: bool,
}

/// A step that is to be recorded.
#[derive(Debug, Clone)]
pub struct Step {
    /// The step.
    pub phase: Phase,
    /// One line; what is longer than 140 characters is cut.
    pub says: String,
    /// Where it answers.
    pub url: Option<String>,
    /// A link to the run.
    pub log: Option<String>,
}

/// A lock as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who holds it.
    pub holder: Holder,
    /// By which a change of it is seen.
    pub version: String,
}

/// Where it is kept.
#[derive(Debug)]
enum Place {
    Local(Box<Local>),
    GitHub(Box<Hub>),
}

/// The ledger of one configuration. Another one of the repository may call an environment of its own the same: what that has
/// recorded is never taken for this one's. Under a dry run it reads, and keeps to itself what it would have written.
#[derive(Debug)]
pub struct Ledger {
    place: Place,
    /// The path of the configuration that asks, in the repository.
    config: String,
    /// See [`Ledger::other`].
    other: Option<String>,
    dry: bool,
    planned: Vec<String>,
    /// The lock that a dry run believes to hold.
    believed: Option<Held>,
}

impl Ledger {
    /// In a file of the repository.
    #[must_use]
    pub fn local(local: Local, config: &str, dry: bool) -> Self {
        Self::of(Place::Local(Box::new(local)), config, dry)
    }

    /// On GitHub.
    #[must_use]
    pub fn github(hub: Hub, config: &str, dry: bool) -> Self {
        Self::of(Place::GitHub(Box::new(hub)), config, dry)
    }

    fn of(place: Place, config: &str, dry: bool) -> Self {
        Self { place, config: config.to_owned(), other: None, dry, planned: Vec::new(), believed: None }
    }

    /// As it is shown.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.place {
            Place::Local(_) => "local",
            Place::GitHub(_) => "GitHub",
        }
    }

    /// Whether it is GitHub's.
    #[must_use]
    pub const fn is_on_github(&self) -> bool {
        matches!(self.place, Place::GitHub(_))
    }

    /// Whether it keeps to itself what it would have written.
    #[must_use]
    pub const fn is_dry(&self) -> bool {
        self.dry
    }

    /// Notes what a dry run would have done beside writing here.
    pub fn plan(&mut self, what: String) {
        self.planned.push(what);
    }

    /// What a dry run would have done since the last time.
    pub fn take_planned(&mut self) -> Vec<String> {
        std::mem::take(&mut self.planned)
    }

    /// GitHub, where it is there.
    pub const fn hub(&mut self) -> Option<&mut Hub> {
        match &mut self.place {
            Place::Local(_) => None,
            Place::GitHub(hub) => Some(hub),
        }
    }

    /// The file, where it is there.
    pub const fn file(&mut self) -> Option<&mut Local> {
        match &mut self.place {
            Place::Local(local) => Some(local),
            Place::GitHub(_) => None,
        }
    }

    /// How often it may be asked whether a lock is still held.
    #[must_use]
    pub const fn look(&self) -> Duration {
        match &self.place {
            Place::Local(_) => Duration::from_millis(500),
            Place::GitHub(hub) => hub.look,
        }
    }

    /// All records of an environment by this configuration, newest first.
    ///
    /// # Errors
    /// When one of them could not be read: the list is whole or none.
    pub async fn records(&mut self, environment: &EnvironmentName) -> Result<Vec<Record>, LedgerError> {
        let mut records = match &mut self.place {
            Place::Local(local) => local.records(environment, &self.config).await?,
            Place::GitHub(hub) => hub.records(environment, &self.config).await?,
        };
        let newest = records.iter().find(|record| record.payload.is_some());
        self.other = newest.and_then(|newest| newest.is_of_other_than(&self.config)).map(str::to_owned);
        records.retain(|record| record.is_of_other_than(&self.config).is_none());
        Ok(records)
    }

    /// The configuration that deployed last to an environment of this name, where that was another one when its records were
    /// read.
    #[must_use]
    pub fn other(&self) -> Option<&str> {
        self.other.as_deref()
    }

    /// The deployment of an intent, however long ago it was made: [`Ledger::records`] need not go back that far.
    ///
    /// # Errors
    /// When that could not be read.
    pub async fn of_intent(
        &mut self,
        environment: &EnvironmentName,
        intent: &str,
    ) -> Result<Option<Record>, LedgerError> {
        match &mut self.place {
            Place::GitHub(hub) => hub.of_intent(environment, intent).await,
            Place::Local(local) => {
                let is_it = |record: &Record| record.payload.as_ref().is_some_and(|one| one.intent == intent);
                Ok(local.records(environment, &self.config).await?.into_iter().find(is_it))
            }
        }
    }

    /// The deployments of a commit by this configuration, however long ago they were made.
    ///
    /// # Errors
    /// When that could not be read.
    pub async fn of_commit(&mut self, environment: &EnvironmentName, sha: &Sha) -> Result<Vec<Record>, LedgerError> {
        let mut records = match &mut self.place {
            Place::GitHub(hub) => hub.of_commit(environment, sha).await?,
            Place::Local(local) => local.records(environment, &self.config).await?,
        };
        records.retain(|record| record.sha == *sha && record.is_of_other_than(&self.config).is_none());
        Ok(records)
    }

    /// Records a deployment, of which there is one for its intent, whatever is lost on the way.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn create(&mut self, environment: &EnvironmentName, new: &New) -> Result<Record, LedgerError> {
        if self.dry {
            self.planned.push(format!("would record: {} in {environment}", new.says));
            return Ok(self.imagined(environment, new));
        }
        match &mut self.place {
            Place::Local(local) => crashpoint::around(local.create(environment, new)).await,
            Place::GitHub(hub) => hub.create(environment, new).await,
        }
    }

    fn imagined(&self, environment: &EnvironmentName, new: &New) -> Record {
        Record {
            id: format!("dry-run-{}", self.planned.len()),
            environment: environment.clone(),
            sha: new.sha.clone(),
            reference: new.reference.clone(),
            payload: Some(new.payload.clone()),
            created_at: String::new(),
            marks: Vec::new(),
        }
    }

    /// Records a step of a deployment.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn mark(&mut self, id: &str, step: &Step) -> Result<(), LedgerError> {
        if self.dry {
            self.planned.push(format!("would record of {id}: {}, {}", step.phase.word(), step.says));
            return Ok(());
        }
        match &mut self.place {
            Place::Local(local) => crashpoint::around(local.mark(id, step)).await,
            Place::GitHub(hub) => hub.mark(id, step).await,
        }
    }

    /// Who holds an environment's lock.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn lock(&mut self, environment: &EnvironmentName) -> Result<Option<Held>, LedgerError> {
        if self.believed.is_some() {
            return Ok(self.believed.clone());
        }
        match &mut self.place {
            Place::Local(local) => local.lock(environment).await,
            Place::GitHub(hub) => hub.lock(environment).await,
        }
    }

    /// Puts `holder` where `over` is (`None`: where nobody is); `None` when another was quicker.
    ///
    /// # Errors
    /// When it is not known which.
    pub async fn swap(
        &mut self,
        environment: &EnvironmentName,
        over: Option<&Held>,
        holder: &Holder,
    ) -> Result<Option<Held>, LedgerError> {
        if self.dry {
            if self.believed.is_none() {
                self.planned.push(format!("would lock {environment}"));
            }
            self.believed = Some(Held { holder: holder.clone(), version: "dry-run".to_owned() });
            return Ok(self.believed.clone());
        }
        match &mut self.place {
            Place::Local(local) => crashpoint::around(local.swap(environment, over, holder)).await,
            Place::GitHub(hub) => hub.swap(environment, over, holder).await,
        }
    }

    /// Frees the lock, if it is still the one that was seen.
    ///
    /// # Errors
    /// When it is not known.
    pub async fn free(&mut self, environment: &EnvironmentName, held: &Held) -> Result<bool, LedgerError> {
        if self.dry {
            self.planned.push(format!("would unlock {environment}"));
            self.believed = None;
            return Ok(true);
        }
        match &mut self.place {
            Place::Local(local) => crashpoint::around(local.free(environment, held)).await,
            Place::GitHub(hub) => hub.free(environment, held).await,
        }
    }

    /// Whether the job that holds a lock has ended; `None` where nobody can be asked.
    pub async fn is_over(&mut self, run: &RunPlace) -> Option<bool> {
        match &mut self.place {
            Place::Local(_) => None,
            Place::GitHub(hub) => hub.is_over(run).await,
        }
    }
}
