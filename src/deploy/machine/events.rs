//! What the machine is asked for, what it has done, and what it is told: one event answers each effect. No decisions.

use crate::model::deployment::{Ending, Hindrance, Phase, Role};
use crate::model::sha::Sha;
use crate::policy::deploys::Leftover;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Deploy a commit.
    Deploy,
    /// Undo what is live.
    Rollback,
    /// Go on with a deploy that waits for a person.
    Continue,
    /// Settle what earlier runs left.
    Recover,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It begins.
    Begin,
    /// The lock is held.
    Locked,
    /// It is not; why.
    NotLocked(Option<Hindrance>, String),
    /// It is not, for somebody attends to what is there: a person who decides, or a deploy that goes on.
    Attended(Hindrance, String),
    /// The ledger was read; what earlier runs left, oldest first.
    Found(Vec<Leftover>),
    /// The ledger could not be read.
    NotRead(String),
    /// Whether a deployment's own commit answers, and well, and nothing else of it failed.
    Answers(bool),
    /// What to roll back to, or why not.
    Chosen(Result<Sha, (Hindrance, String)>),
    /// The deployment is recorded.
    Created(Created),
    /// It is not.
    NotCreated(String),
    /// What was asked for is not wanted any more, or was done already; why.
    Withdrawn(Option<Hindrance>, String),
    /// The step is recorded.
    Marked,
    /// It is not.
    NotMarked(String),
    /// The deployer has done it.
    Done,
    /// The deployer was told, and does it in its own time.
    Accepted,
    /// It failed, or it does not work.
    Failed(String),
    /// It works.
    Healthy(String),
    /// Nothing is configured to tell whether it works.
    Unverified,
    /// It cannot be told whether it works.
    Inconclusive(String),
    /// A signal ended it.
    Interrupted(String),
    /// The lock is no longer ours: someone else settles this.
    Lost(String),
    /// The lock was given back.
    Unlocked,
    /// It was not; its lease ends it.
    NotUnlocked(String),
}

/// A deployment as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// It is of the commit that was asked for.
    pub same: bool,
    /// What it leaves running beside it, where the environment has two slots.
    pub old: Option<Sha>,
    /// Its commit runs in its slot already: only traffic is moved.
    pub runs: bool,
}

/// What is to be done. Each is answered by one event, but for [`Effect::Tell`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Take the lock.
    Lock,
    /// Read what earlier runs left.
    Read,
    /// See whether the commit of this deployment answers.
    Probe(String),
    /// Record that what this deployment, which was interrupted, left is live.
    Adopt(String),
    /// Choose what to roll back to; the deployment that is undone, where it is one of ours.
    Choose(Option<String>),
    /// Record a deployment.
    Create(Role, Option<String>),
    /// Record a step of a deployment.
    Mark(String, Phase, String),
    /// Deploy what a deployment says.
    Run(String, Role),
    /// See whether it works; whether the deployer only accepted it.
    Verify(String, Role, bool),
    /// See whether it works where it has no traffic yet.
    Preview(String, Role, bool),
    /// Let so many percent of the traffic go to it.
    Shift(String, u8),
    /// Look at it for the step of this weight.
    Look(String, u8),
    /// See whether what was live before it works.
    SeeOld(String),
    /// Keep the environment locked until a person goes on with this deployment or undoes it.
    Hold(String, String),
    /// Give the lock back; whether a rollback was made under it.
    Unlock(bool),
    /// Say what happened.
    Tell(News),
}

/// What others may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A deployment is being carried out.
    Begun(Role),
    /// A deploy failed.
    Failed(String),
    /// What becomes of a deployment that an earlier run left.
    Settled(String, Phase, String),
    /// What an earlier run left is finished; how.
    Resumed(String, String),
    /// Everything is over.
    Ended(Ending),
}
