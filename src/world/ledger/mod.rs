//! Where deployments, their ends and the locks of environments are kept: on GitHub, or in a file of the repository. It
//! keeps what it is told and decides nothing; every change of a lock is one that only one of two can make.

mod local;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::deployment::{Holder, Payload, Phase, Record, RunPlace};
use crate::model::environments::EnvironmentName;
use crate::model::sha::Sha;
use crate::world::crashpoint;
use crate::world::line::answer::Stop;

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

/// The two ledgers.
#[derive(Debug)]
pub enum Ledger {
    /// A file of the repository.
    Local(Box<Local>),
}

impl Ledger {
    /// As it is shown.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
        }
    }

    /// How often it may be asked whether a lock is still held.
    #[must_use]
    pub const fn look(&self) -> Duration {
        match self {
            Self::Local(_) => Duration::from_millis(500),
        }
    }

    /// All records of an environment, newest first.
    ///
    /// # Errors
    /// When one of them could not be read: the list is whole or none.
    pub async fn records(&mut self, environment: &EnvironmentName) -> Result<Vec<Record>, LedgerError> {
        match self {
            Self::Local(local) => local.records(environment).await,
        }
    }

    /// Records a deployment, of which there is one for its intent, whatever is lost on the way.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn create(&mut self, environment: &EnvironmentName, new: &New) -> Result<Record, LedgerError> {
        crashpoint::pass();
        let created = match self {
            Self::Local(local) => local.create(environment, new).await,
        };
        crashpoint::pass();
        created
    }

    /// Records a step of a deployment.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn mark(&mut self, id: &str, step: &Step) -> Result<(), LedgerError> {
        crashpoint::pass();
        let marked = match self {
            Self::Local(local) => local.mark(id, step).await,
        };
        crashpoint::pass();
        marked
    }

    /// Who holds an environment's lock.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn lock(&mut self, environment: &EnvironmentName) -> Result<Option<Held>, LedgerError> {
        match self {
            Self::Local(local) => local.lock(environment).await,
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
        crashpoint::pass();
        let held = match self {
            Self::Local(local) => local.swap(environment, over, holder).await,
        };
        crashpoint::pass();
        held
    }

    /// Frees the lock, if it is still the one that was seen.
    ///
    /// # Errors
    /// When it is not known.
    pub async fn free(&mut self, environment: &EnvironmentName, held: &Held) -> Result<bool, LedgerError> {
        crashpoint::pass();
        let freed = match self {
            Self::Local(local) => local.free(environment, held).await,
        };
        crashpoint::pass();
        freed
    }

    /// Whether the job that holds a lock has ended; `None` where nobody can be asked.
    pub async fn is_over(&mut self, run: &RunPlace) -> Option<bool> {
        match self {
            Self::Local(_) => {
                let _ = run;
                None
            }
        }
    }
}
