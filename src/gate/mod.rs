//! Floor 3: the kinds of gates, one file each. A new kind is one file with a [`Kind`] and one row in [`ALL`].

pub mod audit;
mod bails;
mod command;
mod compiler;
mod execute;
pub mod ground;
mod idle;
pub mod integrity;
mod lines;
mod lint;
pub mod locate;
pub mod migrations;
mod mixed;
pub mod read;
mod runners;
mod shortened;
mod test;
mod unfinished;
mod unread;

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::SystemTime;

use crate::config::{KindRow, Own, Problem};
use crate::mask::Masker;
use crate::model::environ::Environ;
use crate::model::evidence::Evidence;
use crate::model::gate::{GateName, Only, Rules};
use crate::model::settings::Common;
use crate::world::env::Env;
use crate::world::find::Stamp;
use crate::world::process::CancelToken;
use crate::world::repo::Repo;

use audit::Compared;

/// Every kind, as `kind = "…"` names it.
pub static ALL: &[&Kind] =
    &[&lint::KIND, &test::KIND, &command::KIND, &audit::KIND, &integrity::KIND, &migrations::KIND];

/// Settings in, gate out.
pub type Settle = fn(Common, &Own) -> Result<Box<dyn Gate>, Vec<Problem>>;

/// One kind of gate.
#[derive(Debug)]
pub struct Kind {
    /// Its name, its phrase for the README's table, and its own keys.
    pub row: KindRow,
    /// Makes a gate of its settings, or says everything that is wrong with the kind's own keys.
    pub settle: Settle,
}

/// What a gate may use while it runs.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The repository's root.
    pub root: &'a Path,
    /// The output folder; logs are named relative to it.
    pub output: &'a Path,
    /// This gate's own folder, empty at the start of an attempt.
    pub folder: &'a Path,
    /// The whole environment of its command.
    pub environment: &'a Environ,
    /// Takes secrets out of the log.
    pub masker: &'a Masker,
    /// Variables that were withheld from it.
    pub withheld: &'a [String],
    /// gatepost's own environment.
    pub env: &'a Env,
    /// The repository.
    pub repo: &'a Repo,
    /// With what a kind that compares for itself compares; `None`: everything is judged.
    pub compared: Option<Compared<'a>>,
    /// When the change was read: files that were written to since may have other lines. `None` where there is no change.
    pub since: Option<SystemTime>,
    /// What stands on the default branch is judged, on a schedule or after a push.
    pub scheduled: bool,
    /// From 1.
    pub attempt: u32,
    /// Ends the attempt early.
    pub cancel: &'a CancelToken,
    /// The reports that gates with commands have read.
    pub taken: &'a Taken,
    /// Takes the newest line that was printed, at most ten times a second.
    pub on_line: &'a dyn Fn(&str),
}

impl Site<'_> {
    /// The attempt's log, relative to the output folder. No other gate can be called what a later attempt is.
    #[must_use]
    pub fn log(&self, gate: &GateName) -> String {
        let attempt = if self.attempt > 1 { format!("~attempt-{}", self.attempt) } else { String::new() };
        format!("logs/{gate}{attempt}.txt")
    }
}

/// Reports by their paths without links, as they were when a gate read them, and whose they are.
pub type Taken = RefCell<HashMap<PathBuf, (Stamp, GateName)>>;

/// A gate that can be run: scope and world in, evidence out. It judges nothing.
pub trait Gate {
    /// The settings every kind has.
    fn common(&self) -> &Common;

    /// How its evidence is judged, but for `only` where the configuration leaves it open.
    fn rules(&self) -> Rules;

    /// Which findings count by default on a pull request or a branch.
    fn of_a_change(&self) -> Only {
        Only::All
    }

    /// Judges an audit of a report that was perhaps made under other settings as these have it: sets its bar, and takes
    /// back what they do not ignore.
    fn decide_anew(&self, _audit: &mut crate::model::audit::Audit) {}

    /// Makes one attempt.
    fn run<'a>(&'a self, site: Site<'a>) -> Pin<Box<dyn Future<Output = Evidence> + 'a>>;
}

/// Finds a kind by name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.row.name == name)
}
