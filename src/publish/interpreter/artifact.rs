//! Finds the report that a push to the base branch left as an artifact. Only runs of this very repository, woken by a
//! push, count: a run of a pull request can keep what it likes under any name.

use serde::Deserialize;

use crate::model::sha::Sha;
use crate::publish::interpreter::answer::Stop;
use crate::publish::interpreter::line::{Line, segment};
use crate::world::forge::Forge;

/// The artifact's name.
pub const ARTIFACT: &str = "gatepost-baseline";

/// How many commits before the base are looked at, each the first parent of the one after it.
pub const DEPTH: usize = 20;

/// The most bytes of the archive.
const LARGEST: usize = 32 << 20;

/// The most runs that are looked at.
const MOST_RUNS: usize = 4;

/// An artifact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The commit whose run kept it.
    pub head: Sha,
    /// How many commits it is before the base; 0: it is the base's.
    pub behind: usize,
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
struct Artifacts {
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Artifact {
    id: u64,
    name: String,
    expired: bool,
    workflow_run: Option<OfRun>,
}

/// The run that kept it, as the list of artifacts tells.
#[derive(Deserialize)]
struct OfRun {
    id: u64,
    repository_id: Option<u64>,
    head_repository_id: Option<u64>,
    head_branch: Option<String>,
    head_sha: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    event: String,
    status: Option<String>,
    conclusion: Option<String>,
    head_sha: String,
    head_branch: Option<String>,
    repository: Option<Repository>,
    head_repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
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
pub async fn find<F: Forge>(line: &mut Line<F>, base: &Sha, branch: &str) -> Result<Kept, NotKept> {
    let path = line.path(&format!("/actions/artifacts?name={ARTIFACT}&per_page=100"));
    let mut kept = line.read::<Artifacts>(path).await?.artifacts;
    kept.retain(|one| one.could_be(branch));
    if kept.is_empty() {
        return Err(NotKept::Never(branch.to_owned()));
    }
    // A run that was made again keeps a newer one.
    kept.sort_by_key(|one| std::cmp::Reverse(one.id));
    let mut looks = 0;
    if let Some(found) = of_commit(line, &kept, (base, 0), branch, &mut looks).await? {
        return Ok(found);
    }
    for (behind, commit) in before(line, base).await?.iter().enumerate() {
        if let Some(found) = of_commit(line, &kept, (commit, behind + 1), branch, &mut looks).await? {
            return Ok(found);
        }
    }
    Err(NotKept::TooFar { base: base.short().to_owned(), branch: branch.to_owned() })
}

impl Artifact {
    /// What can be told without asking for the run.
    fn could_be(&self, branch: &str) -> bool {
        self.name == ARTIFACT
            && !self.expired
            && self.workflow_run.as_ref().is_some_and(|run| {
                run.head_branch.as_deref() == Some(branch)
                    && run.repository_id.is_some()
                    && run.repository_id == run.head_repository_id
            })
    }
}

impl Run {
    fn counts(&self, commit: &Sha, branch: &str) -> bool {
        let id = |repository: &Option<Repository>| repository.as_ref().map(|repository| repository.id);
        self.event == "push"
            && self.status.as_deref() == Some("completed")
            && matches!(self.conclusion.as_deref(), Some("success" | "failure"))
            && self.head_sha == commit.as_str()
            && self.head_branch.as_deref() == Some(branch)
            && id(&self.repository).is_some()
            && id(&self.repository) == id(&self.head_repository)
    }
}

/// The newest that a run of this commit kept.
async fn of_commit<F: Forge>(
    line: &mut Line<F>,
    kept: &[Artifact],
    (commit, behind): (&Sha, usize),
    branch: &str,
    looks: &mut usize,
) -> Result<Option<Kept>, NotKept> {
    for one in kept {
        let Some(run) = one.workflow_run.as_ref() else { continue };
        if run.head_sha.as_deref() != Some(commit.as_str()) || *looks == MOST_RUNS {
            continue;
        }
        *looks += 1;
        let path = line.path(&format!("/actions/runs/{}", run.id));
        if line.read::<Run>(path).await?.counts(commit, branch) {
            let path = line.path(&format!("/actions/artifacts/{}/zip", one.id));
            let archive = line.download(path, LARGEST).await?;
            return Ok(Some(Kept { head: commit.clone(), behind, archive }));
        }
    }
    Ok(None)
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
