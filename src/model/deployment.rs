//! Deployments as they are recorded: what was deployed where, by whom, and how it ended. Where they are kept is not known
//! here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::environments::EnvironmentName;
use crate::model::rollout::{Placed, Slot, Traffic};
use crate::model::sha::Sha;

/// Why a deployment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Someone asked for this commit.
    Deploy,
    /// It undoes another one.
    Rollback,
    /// It was live before gatepost knew of it.
    Adopt,
}

impl Role {
    /// As it is shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Adopt => "adopt",
        }
    }
}

/// What a deployment carries from its birth, so that any later run can settle it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Why it was made.
    pub role: Role,
    /// Its key: of one intent there is one deployment.
    pub intent: String,
    /// The commit that was live before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Sha>,
    /// The deployment that this rollback undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Where it runs beside the old one, where the environment has a strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
    /// Why missing evidence was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// The gates that were not green, and were overridden, by whom and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
    /// The path of the configuration in the repository, which names the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who asked.
    #[serde(default)]
    pub by: String,
    /// A link to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A step in the life of a deployment, in GitHub's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Phase {
    /// Recorded.
    Queued,
    /// It is being carried out.
    InProgress,
    /// It was live.
    Success,
    /// It did not work.
    Failure,
    /// It is not known what became of it.
    Error,
    /// Another took its place.
    Inactive,
    /// Some other word.
    Other(String),
}

impl Phase {
    /// GitHub's word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Inactive => "inactive",
            Self::Other(word) => word,
        }
    }

    /// The phase of a word; every word is one.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let known = [Self::Queued, Self::InProgress, Self::Success, Self::Failure, Self::Error, Self::Inactive];
        known.into_iter().find(|phase| phase.word() == word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }

    /// Whether it is an end. Being replaced comes after one.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Error)
    }
}

impl From<String> for Phase {
    fn from(word: String) -> Self {
        Self::of_word(&word)
    }
}

impl From<Phase> for String {
    fn from(phase: Phase) -> Self {
        phase.word().to_owned()
    }
}

/// What a successful end begins with that was verified.
pub const VERIFIED: &str = "verified";

/// What a successful end begins with that was not.
pub const UNVERIFIED: &str = "live, not verified";

/// What the end of a deployment begins with that a signal cut off.
pub const INTERRUPTED: &str = "interrupted";

/// What a step begins with that tells which run of a workflow a deployment has started.
const STARTED: &str = "started run ";

/// What is recorded of a run of a workflow that a deployment has started.
#[must_use]
pub fn started(run: u64) -> String {
    format!("{STARTED}{run}")
}

/// One step that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The step.
    pub phase: Phase,
    /// One line, at most 140 characters.
    pub says: String,
    /// RFC 3339.
    pub at: String,
}

/// A recorded deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The ledger's number for it.
    pub id: String,
    /// Where.
    pub environment: EnvironmentName,
    /// What.
    pub sha: Sha,
    /// What was named: a branch, a tag, a commit.
    pub reference: String,
    /// `None`: not gatepost's, such as those GitHub makes for jobs that name an environment.
    pub payload: Option<Payload>,
    /// RFC 3339.
    pub created_at: String,
    /// Oldest first.
    pub marks: Vec<Mark>,
}

impl Record {
    /// The path of the configuration that made it, where that is another one than `place`. Earlier versions did not record
    /// it: what does not say so is everybody's.
    #[must_use]
    pub fn is_of_other_than(&self, place: &str) -> Option<&str> {
        self.payload.as_ref()?.place.as_deref().filter(|of| *of != place)
    }

    /// Its end, where it has one: the first one recorded.
    #[must_use]
    pub fn end(&self) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.phase.is_end())
    }

    /// The run of a workflow that it has started last.
    #[must_use]
    pub fn started_run(&self) -> Option<u64> {
        self.marks.iter().rev().find_map(|mark| mark.says.strip_prefix(STARTED)?.parse().ok())
    }

    /// Whether anything was done for it.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.marks.iter().any(|mark| mark.phase == Phase::InProgress)
    }

    /// Whether gatepost made it and it has no end yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.payload.is_some() && self.end().is_none() && !self.marks.iter().any(|mark| mark.phase == Phase::Inactive)
    }

    /// Whether it is gatepost's, and once worked under the eyes of its checks. What was recorded only when another had its
    /// place already says so in the mark of that.
    #[must_use]
    pub fn was_verified(&self) -> bool {
        let worked = |mark: &Mark| matches!(mark.phase, Phase::Success | Phase::Inactive);
        let verified = |mark: &Mark| worked(mark) && mark.says.starts_with(VERIFIED);
        self.payload.is_some() && self.marks.iter().any(verified)
    }

    /// Whether it was live once, verified or not.
    #[must_use]
    pub fn was_live(&self) -> bool {
        self.was_verified() || self.marks.iter().any(|mark| mark.phase == Phase::Success)
    }

    /// Whether its newest word is that it is live.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.payload.is_some() && self.marks.last().is_some_and(|mark| mark.phase == Phase::Success)
    }

    /// The role, where it is gatepost's.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.payload.as_ref().map(|payload| payload.role)
    }

    /// What it undoes.
    #[must_use]
    pub fn undoes(&self) -> Option<&str> {
        self.payload.as_ref().and_then(|payload| payload.undoes.as_deref())
    }

    /// Where its traffic stood when that was last recorded.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.marks.iter().rev().find_map(|mark| Traffic::of(&mark.says)).unwrap_or(Traffic::Untouched)
    }

    /// Whether what was live before it still has all of the traffic, untouched or given back to it.
    fn left_alone(&self) -> bool {
        let is_placed = self.payload.as_ref().is_some_and(|payload| payload.placed.is_some());
        match self.traffic() {
            Traffic::Untouched => is_placed,
            Traffic::Back => self.end().is_some(),
            Traffic::At(_) | Traffic::Paused(_) => false,
        }
    }

    /// Where it runs.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.payload.as_ref().and_then(|payload| payload.placed).map_or(Slot::Blue, |placed| placed.slot)
    }

    /// Whether a signal cut it off.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.end().is_some_and(|mark| mark.phase == Phase::Error && mark.says.starts_with(INTERRUPTED))
    }
}

/// The live one of an environment's records, which are newest first.
#[must_use]
pub fn live(records: &[Record]) -> Option<&Record> {
    records.iter().find(|record| record.is_live())
}

/// What was begun after the live one was, was not live itself, and did not leave that alone: which of the two answers by
/// now is not known. `records` are newest first.
#[must_use]
pub fn begun_over(records: &[Record]) -> Option<&Record> {
    let mut newer = records.iter().take_while(|record| !record.is_live());
    newer.find(|record| record.payload.is_some() && record.is_begun() && !record.left_alone())
}

/// What is live, as far as the records alone tell; why they do not. `records` are newest first.
///
/// # Errors
/// When nothing is, or something was begun over it.
pub fn surely_live(records: &[Record]) -> Result<&Record, String> {
    let record = live(records).ok_or("nothing is live there")?;
    match begun_over(records) {
        None => Ok(record),
        Some(over) => Err(format!(
            "deployment {} of {} was begun over {}, and {}: which of the two is live is not known",
            over.id,
            over.sha.short(),
            record.sha.short(),
            over.end().map_or("has no end yet".to_owned(), |end| format!("ended in {}", end.phase.word()))
        )),
    }
}

/// A process group of a holder's hook, on the holder's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookGroup {
    /// The leader's process id, which is the group's.
    pub leader: i32,
    /// When the leader was started, in the system's own words: a number alone may be another process by now.
    pub started: String,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Fresh for every time a lock is taken.
    pub nonce: String,
    /// A person, or a workflow and its actor.
    pub owner: String,
    /// What for.
    #[serde(default)]
    pub reason: String,
    /// A link to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Taken by a person's command until it is given back.
    #[serde(default)]
    pub sticky: bool,
    /// The deployment whose traffic is divided: it waits for a person, who goes on or goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Who asks the holder to end its deploy, because it is to be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The machine, as long as it is up.
    #[serde(default)]
    pub machine: String,
    /// gatepost's process id there.
    #[serde(default)]
    pub process: i32,
    /// When that process was started.
    #[serde(default)]
    pub started: String,
    /// GitHub's run, and the runner that its job is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunPlace>,
    /// The hook's process group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookGroup>,
    /// The value by which the hook's processes are known wherever they went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The marks of commands of earlier holders that were not seen to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<String>,
    /// When it was taken, RFC 3339.
    pub since: String,
    /// When the holder was last heard of, RFC 3339.
    pub heard: String,
    /// How long after that the lock holds, in seconds.
    pub lease: u64,
    /// It was given back and is about to vanish.
    #[serde(default)]
    pub released: bool,
}

/// A job of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlace {
    /// The run's id.
    pub id: u64,
    /// Its attempt.
    pub attempt: u64,
    /// The runner's name.
    #[serde(default)]
    pub runner: String,
}

/// What kept something from being done, where what is to be done next depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// The same was done already.
    Done,
    /// A deploy waits there for a person.
    Paused,
    /// Traffic could not be moved back, and the environment is kept locked.
    Stuck,
    /// A person keeps it locked.
    Locked,
    /// Somebody is at work there.
    Held,
    /// A migration in between cannot be taken back.
    Irreversible,
    /// Nothing is known that could be gone back to.
    NothingBefore,
    /// A deploy failed, and neither its rollback nor its end could be recorded.
    Unrecorded,
}

/// How a deploy, a rollback or a recovery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The commit is live; whether it was verified, and by what.
    Live {
        /// False where nothing is configured to verify by.
        verified: bool,
        /// One line.
        says: String,
    },
    /// There was nothing to do.
    Nothing(String),
    /// It failed, and the environment was left as it is.
    Failed(String),
    /// It could not be told whether it works, and the environment was left as it is.
    Inconclusive(String),
    /// Its traffic is divided, and a person goes on or goes back; the environment stays locked.
    Paused(String),
    /// It failed, and an earlier commit is live again.
    RolledBack {
        /// Why.
        why: String,
        /// To which.
        to: Sha,
        /// Whether that was seen to work: false where nothing is configured to verify by, or it could not be told.
        verified: bool,
    },
    /// It failed, and so did the rollback.
    RollbackFailed {
        /// Why the deploy failed.
        why: String,
        /// Why the rollback did.
        rollback: String,
    },
    /// It was not begun.
    Refused(String),
    /// A signal ended it.
    Interrupted(String),
    /// The ledger could not be written, or the lock was lost: the next run settles it.
    Unsettled(String),
}

impl Ending {
    /// As the JSON has it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Live { .. } => "live",
            Self::Nothing(_) => "nothing",
            Self::Failed(_) => "failed",
            Self::Inconclusive(_) => "inconclusive",
            Self::Paused(_) => "paused",
            Self::RolledBack { .. } => "rolled_back",
            Self::RollbackFailed { .. } => "rollback_failed",
            Self::Refused(_) => "refused",
            Self::Interrupted(_) => "interrupted",
            Self::Unsettled(_) => "unsettled",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live { says, verified: true } => write!(f, "live: {says}"),
            // The one begins with that word, of the other there is nothing live to tell.
            Self::Live { says, verified: false } | Self::Nothing(says) => f.write_str(says),
            Self::Failed(why) => write!(f, "failed, and left as it is: {why}"),
            Self::Inconclusive(why) => write!(f, "it could not be told whether it works: {why}"),
            Self::Paused(why) => write!(f, "waits for a person, and stays locked: {why}"),
            Self::RolledBack { why, to, verified } => {
                let doubt = if *verified { "" } else { " (not verified)" };
                write!(f, "rolled back to {}{doubt}: {why}", to.short())
            }
            Self::RollbackFailed { why, rollback } => write!(f, "the rollback failed: {rollback}; it was for: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            // It begins with the word.
            Self::Interrupted(why) => f.write_str(why),
            Self::Unsettled(why) => write!(f, "not settled: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
