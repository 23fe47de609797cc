//! Ships what was judged: the machine that decides what comes next, the engine that does it, and the deployers, one file
//! each. None of them judges gates.

pub mod analysis;
mod command;
pub mod engine;
mod host;
pub mod lock;
pub mod machine;
mod render;
pub mod tally;
mod vercel;
pub mod verify;
mod webhook;
mod workflow;

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use crate::config::{DeployerRow, Own, Problem};
use crate::mask::Masker;
use crate::model::deployment::Role;
use crate::model::environments::Environment;
use crate::model::secret::Secret;
use crate::model::sha::Sha;
use crate::world::http::Http;
use crate::world::process::CancelToken;

/// Every deployer.
pub static ALL: &[Kind] = &[command::KIND, workflow::KIND, webhook::KIND, vercel::KIND, render::KIND];

/// A deployer, or what is wrong with its settings.
pub type Settled = Result<Box<dyn Deployer>, Vec<Problem>>;

/// A row: how it is configured, and how it is made.
pub struct Kind {
    /// For the configuration.
    pub row: DeployerRow,
    /// Makes one of its settings.
    pub settle: fn(&Own) -> Settled,
}

/// Where a deployer's command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// It needs no files.
    None,
    /// Among the files of the commit: the work tree if it is that commit, else a work tree of its own.
    Commit,
    /// In the work tree, whatever it is at.
    WorkTree,
}

/// One deployment that is to be carried out.
pub struct Job<'a> {
    /// Where.
    pub environment: &'a Environment,
    /// What.
    pub sha: &'a Sha,
    /// As it was named.
    pub reference: &'a str,
    /// The ledger's number.
    pub id: &'a str,
    /// Why.
    pub role: Role,
    /// Where commands run.
    pub root: &'a Path,
    /// What commands get.
    pub variables: &'a [(OsString, OsString)],
    /// Where what commands print is written.
    pub log: PathBuf,
    /// Takes secrets out of it.
    pub masker: &'a Masker,
    /// Ends it.
    pub cancel: &'a CancelToken,
    /// Is given the newest line.
    pub on_line: &'a dyn Fn(&str),
    /// The command's process group, once there is one.
    pub group: &'a Group,
    /// For deployers that ask others.
    pub http: &'a Http,
    /// For those that ask GitHub, where there is a token and a repository.
    pub remote: Option<&'a Remote>,
}

/// A repository on GitHub.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where the API is.
    pub api: String,
    /// With which it is asked.
    pub token: Secret,
    /// `owner/name`.
    pub repository: String,
}

/// What a deployment has set going, told to who keeps the lock: a command's process group, or a run of a workflow.
#[derive(Debug, Default)]
pub struct Group {
    /// The ledger's number of the deployment.
    pub deployment: String,
    /// The group's number.
    pub leader: Cell<Option<i32>>,
    /// The run's, which is recorded: whoever comes later must see it end.
    pub run: Cell<Option<u64>>,
    /// Whether that is done.
    pub recorded: Cell<bool>,
    /// Wakes who waits for it.
    pub known: tokio::sync::Notify,
}

/// What a deployment that is not to go on may have set going elsewhere.
pub struct Left<'a> {
    /// Where.
    pub environment: &'a Environment,
    /// The ledger's number of the deployment.
    pub id: &'a str,
    /// The run of a workflow that was recorded with it.
    pub run: Option<u64>,
    /// For those that ask GitHub.
    pub remote: Option<&'a Remote>,
    /// Is given the newest line.
    pub on_line: &'a dyn Fn(&str),
}

/// Whether it is seen to have ended; why not.
pub type CalledOff<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It is done.
    Done,
    /// It was handed on, and is done by someone else in its own time.
    Accepted,
    /// It failed.
    Failed(String),
    /// A signal ended it.
    Interrupted(String),
    /// It did not end well, and what it has set going elsewhere was not seen to end: it may go live yet.
    Unended(String),
}

/// Brings a commit to an environment.
pub trait Deployer {
    /// Where it runs.
    fn ground(&self) -> Ground;

    /// Variables that it needs.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Carries a deployment out.
    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>>;

    /// Ends what a deployment has set going where its commands' processes are not, and waits until that has ended.
    fn call_off<'a>(&'a self, _left: Left<'a>) -> CalledOff<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// How long that may take where a command gets `grace` to end.
    fn ends_within(&self, grace: Duration) -> Duration {
        grace
    }
}

/// The deployer of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.row.name == name)
}
