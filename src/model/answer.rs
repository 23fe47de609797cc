//! What became of a command that stood in a comment.

use crate::model::deployment::Ending;
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;

/// What was decided. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// There was nothing to act on, or it was answered already.
    Ignored,
    /// It was done.
    Done,
    /// It would be done: somebody is to confirm it.
    Confirm,
    /// Another command of the comment did not come to a good end.
    Skipped,
    /// It must not be done, and nothing was.
    Refused,
    /// It was begun, and did not end well.
    Failed,
    /// What it needs could not be found out: nothing was done, and it may be tried again.
    Unavailable,
}

impl Decision {
    /// The word, as `decision` has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Done => "done",
            Self::Confirm => "confirm",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The answer to one command, or to a line that looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The line in the comment, from 1.
    pub line: usize,
    /// What stands there, shortened: its author's words.
    pub said: String,
    /// The command's name, where it is one.
    pub command: Option<&'static str>,
    /// The environment that it is about.
    pub environment: Option<String>,
    /// The commit that it is about.
    pub sha: Option<Sha>,
    /// What was decided.
    pub decision: Decision,
    /// Why, in one stable word.
    pub code: &'static str,
    /// Why, in a sentence. It may quote others.
    pub says: String,
    /// The line that confirms it.
    pub confirm: Option<String>,
    /// More, line by line; of others.
    pub more: Option<String>,
    /// The ledger's numbers of deployments that were recorded.
    pub deployments: Vec<String>,
    /// What the process ends with for it.
    pub exit: ExitCode,
}

impl Answer {
    /// An answer to a line that says no more than that.
    #[must_use]
    pub fn new(line: usize, said: &str, decision: Decision, code: &'static str, says: impl Into<String>) -> Self {
        let exit = match decision {
            Decision::Ignored | Decision::Done | Decision::Confirm | Decision::Skipped => ExitCode::Pass,
            Decision::Refused => ExitCode::Refused,
            Decision::Failed => ExitCode::Fail,
            Decision::Unavailable => ExitCode::CouldNotJudge,
        };
        Self {
            line,
            said: said.to_owned(),
            command: None,
            environment: None,
            sha: None,
            decision,
            code,
            says: says.into(),
            confirm: None,
            more: None,
            deployments: Vec::new(),
            exit,
        }
    }

    /// Whether the commands after it are carried out.
    #[must_use]
    pub const fn goes_on(&self) -> bool {
        matches!(self.decision, Decision::Done | Decision::Ignored)
    }
}

/// What the end of a deployment is as an answer, and why in one word.
#[must_use]
pub const fn of_ending(ending: &Ending) -> (Decision, &'static str) {
    match ending {
        Ending::Live { .. } => (Decision::Done, "live"),
        Ending::Nothing(_) => (Decision::Done, "nothing_to_do"),
        Ending::Failed(_) => (Decision::Failed, "deploy_failed"),
        Ending::Inconclusive(_) => (Decision::Failed, "inconclusive"),
        Ending::Paused(_) => (Decision::Failed, "paused"),
        Ending::RolledBack { .. } => (Decision::Failed, "rolled_back"),
        Ending::RollbackFailed { .. } => (Decision::Failed, "rollback_failed"),
        Ending::Refused(_) => (Decision::Refused, "refused"),
        Ending::Interrupted(_) => (Decision::Failed, "interrupted"),
        Ending::Unsettled(_) => (Decision::Failed, "unsettled"),
    }
}

/// The answer that stands for all: the first that did not come to a good end, else the last.
#[must_use]
pub fn whole(answers: &[Answer]) -> Option<&Answer> {
    answers.iter().find(|answer| !answer.goes_on() && answer.decision != Decision::Skipped).or_else(|| answers.last())
}
