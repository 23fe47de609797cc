//! A deploy, a rollback or a recovery as it is told, while it goes on and when it is over. Each place that shows one has
//! its own way with it; nothing is decided here.

use std::time::Duration;

use crate::model::deployment::Ending;
use crate::model::sha::Sha;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A deploy, or a promotion.
    Deploy,
    /// A rollback by hand.
    Rollback,
    /// What a dead run left is settled.
    Recovery,
}

/// Everything that is told. Secrets are masked in all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What was asked for.
    pub deed: Deed,
    /// Where.
    pub environment: String,
    /// What was asked for: the commit.
    pub sha: Option<Sha>,
    /// As it was named: a branch, a tag, a commit.
    pub reference: Option<String>,
    /// What was live before.
    pub previous: Option<Sha>,
    /// Who asked.
    pub by: String,
    /// On what it stands.
    pub evidence: Proofs,
    /// The ledger's numbers of the deployments that were recorded, in order.
    pub deployments: Vec<String>,
    /// What has happened, with the time since the beginning.
    pub stages: Vec<(Duration, String)>,
    /// How it ended; `None` while it goes on.
    pub ending: Option<Ending>,
    /// Why it was refused, in one stable word.
    pub reason: Option<&'static str>,
    /// From the decision to go back until the old version was seen to answer.
    pub rollback_took: Option<Duration>,
    /// Where the environment answers.
    pub url: Option<String>,
    /// The page of the run.
    pub run: Option<String>,
    /// What to do next, a command where there is one.
    pub next: Option<String>,
    /// `owner/name`, where it is known.
    pub repository: Option<String>,
}

/// The evidence of a deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Gates that are green, and where that stands.
    pub green: Vec<(String, String)>,
    /// Gates that are not, and whose result somebody overrode: by whom and why.
    pub overridden: Vec<String>,
    /// What is not.
    pub missing: Vec<String>,
    /// Why that was passed over.
    pub forced: Option<String>,
}

impl Story {
    /// One that has not begun.
    #[must_use]
    pub fn new(deed: Deed, environment: &str) -> Self {
        Self {
            deed,
            environment: environment.to_owned(),
            sha: None,
            reference: None,
            previous: None,
            by: String::new(),
            evidence: Proofs::default(),
            deployments: Vec::new(),
            stages: Vec::new(),
            ending: None,
            reason: None,
            rollback_took: None,
            url: None,
            run: None,
            next: None,
            repository: None,
        }
    }

    /// Whether what is live now was seen to work.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        matches!(self.ending, Some(Ending::Live { verified: true, .. } | Ending::RolledBack { verified: true, .. }))
    }
}
