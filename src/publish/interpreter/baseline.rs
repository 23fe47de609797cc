//! Finds the report that a push to the base branch left as an artifact. Only runs of this very repository, woken by a
//! push, count: a run of a pull request can keep what it likes under any name.

use serde::Deserialize;

use crate::model::sha::Sha;
use crate::model::workflow::{Artifact, WorkflowRun};
use crate::publish::interpreter::workflow;
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::{Line, segment};

/// The artifact's name.
pub const ARTIFACT: &str = "gatepost-baseline";

/// How many commits before the base are looked at, each the first parent of the one after it.
const DEPTH: usize = 20;

/// The most bytes of the archive.
const LARGEST: usize = 32 << 20;

/// The most runs that are looked at.
const MOST_RUNS: usize = 4;

/// An artifact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The commit whose run kept it.
    pub head: Sha,
    /// The ZIP archive as it came.
    pub archive: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Nobody keeps any here.
    #[error("no push to `{0}` has kept an artifact `{ARTIFACT}` (see `gatepost run --save-baseline`)")]
    Never(String),
    /// The token may not look.
    #[error("the token may not read artifacts (it needs `actions: read`): {0}")]
    Denied(Stop),
    /// There are some, but none that counts.
    #[error(
        "of the base {base} and the {DEPTH} commits before it, none has a run of a push to `{branch}` that ended and kept an artifact `{ARTIFACT}`"
    )]
    TooFar {
        /// The base, shortened.
        base: String,
        /// The base branch.
        branch: String,
    },
    /// GitHub did not answer.
    #[error("{0}")]
    Stopped(Stop),
}

impl From<Stop> for NotKept {
    fn from(stop: Stop) -> Self {
        if stop.refused_with(403).is_some() { Self::Denied(stop) } else { Self::Stopped(stop) }
    }
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

/// Finds it.
///
/// # Errors
/// Why there is none.
pub async fn find<F: Forge>(line: &mut Line<F>, repository: &str, base: &Sha, branch: &str) -> Result<Kept, NotKept> {
    let mut kept = workflow::newest(line, ARTIFACT).await?;
    kept.retain(|one| !one.expired && one.by.as_ref().is_some_and(|by| by.own && by.branch.as_deref() == Some(branch)));
    if kept.is_empty() {
        return Err(NotKept::Never(branch.to_owned()));
    }
    // A run that was made again keeps a newer one.
    kept.sort_by_key(|one| std::cmp::Reverse(one.id));
    let counts = |run: &WorkflowRun| {
        run.event == "push"
            && matches!(run.conclusion.as_deref(), Some("success" | "failure"))
            && run.branch.as_deref() == Some(branch)
            && run.head_repository.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(repository))
    };
    let mut looks = 0;
    let mut commits = vec![base.clone()];
    while let Some(commit) = commits.pop() {
        let of_it = |one: &&Artifact| one.by.as_ref().is_some_and(|by| by.head.as_ref() == Some(&commit));
        for one in kept.iter().filter(of_it) {
            let Some(by) = one.by.as_ref().filter(|_| looks < MOST_RUNS) else { continue };
            looks += 1;
            let run = workflow::run(line, by.run).await?;
            if run.head == commit && counts(&run) {
                let archive = workflow::archive(line, one.id, LARGEST).await?;
                return Ok(Kept { head: commit, archive });
            }
        }
        if commit == *base {
            commits = before(line, base).await?;
            commits.reverse();
        }
    }
    Err(NotKept::TooFar { base: base.short().to_owned(), branch: branch.to_owned() })
}

/// The commits before one, each the first parent of the one after it: the history of the branch itself. A shallow
/// clone has none of them.
async fn before<F: Forge>(line: &mut Line<F>, base: &Sha) -> Result<Vec<Sha>, NotKept> {
    let path = line.path(&format!("/commits?sha={}&per_page=100", segment(base.as_str())));
    let commits = line.read::<Vec<Commit>>(path).await?;
    let mut now = base.as_str();
    let mut found = Vec::new();
    while found.len() < DEPTH {
        let commit = commits.iter().find(|commit| commit.sha == now);
        let Some(parent) = commit.and_then(|commit| commit.parents.first()) else { break };
        let Ok(sha) = Sha::parse(&parent.sha) else { break };
        found.push(sha);
        now = &parent.sha;
    }
    Ok(found)
}
