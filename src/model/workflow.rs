//! What GitHub itself says of a workflow's run: the only source for what a report of it may claim.

use crate::model::sha::Sha;

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Its number in addresses.
    pub id: u64,
    /// From 1; a re-run is a further attempt.
    pub attempt: u64,
    /// What woke it.
    pub event: String,
    /// The commit it is of: for a pull request its head.
    pub head: Sha,
    /// The branch of that commit, in `head_repository`.
    pub branch: Option<String>,
    /// `owner/name` of the repository that the commit comes from; `None` where that is gone.
    pub head_repository: Option<String>,
    /// `success`, `failure`, `cancelled`, …; `None` until it has ended.
    pub conclusion: Option<String>,
    /// Its page.
    pub url: String,
    /// The path of its workflow's file.
    pub workflow: Option<String>,
}

impl WorkflowRun {
    /// Whether GitHub says that all of it went well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.conclusion.as_deref() == Some("success")
    }
}

/// An open pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Where its branch is now.
    pub head: Sha,
    /// `owner/name` of the repository of its branch; `None` where that is gone.
    pub head_repository: Option<String>,
    /// The branch that it is to be merged into.
    pub base: String,
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its size in bytes, packed.
    pub size: u64,
    /// Its content is gone.
    pub expired: bool,
    /// The run that left it, where GitHub says.
    pub by: Option<LeftBy>,
}

/// The run that left an artifact, as the list of artifacts tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBy {
    /// Its number.
    pub run: u64,
    /// The branch that it is of.
    pub branch: Option<String>,
    /// The commit that it is of.
    pub head: Option<Sha>,
    /// That commit comes from the repository itself, from no fork.
    pub own: bool,
}
