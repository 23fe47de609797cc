//! Runs of workflows and their artifacts, as GitHub states them: <https://docs.github.com/en/rest/actions>

use serde::Deserialize;

use crate::model::sha::Sha;
use crate::model::workflow::{Artifact, LeftBy, WorkflowRun};
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::{Line, segment};

#[derive(Deserialize)]
struct Run {
    id: u64,
    #[serde(rename = "run_attempt")]
    attempt: Option<u64>,
    event: String,
    head_sha: Sha,
    head_branch: Option<String>,
    head_repository: Option<Repository>,
    conclusion: Option<String>,
    html_url: String,
    path: Option<String>,
}

/// A repository as runs and pull requests show it.
#[derive(Deserialize)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: Option<String>,
}

#[derive(Deserialize)]
struct Artifacts {
    artifacts: Vec<Left>,
}

#[derive(Deserialize)]
struct Left {
    id: u64,
    name: String,
    #[serde(default)]
    size_in_bytes: u64,
    #[serde(default)]
    expired: bool,
    workflow_run: Option<OfRun>,
}

#[derive(Deserialize)]
struct OfRun {
    id: u64,
    repository_id: Option<u64>,
    head_repository_id: Option<u64>,
    head_branch: Option<String>,
    head_sha: Option<Sha>,
}

/// A run.
///
/// # Errors
/// When it was not got.
pub async fn run<F: Forge>(line: &mut Line<F>, id: u64) -> Result<WorkflowRun, Stop> {
    let path = line.path(&format!("/actions/runs/{id}"));
    let run: Run = line.read(path).await?;
    Ok(WorkflowRun {
        id: run.id,
        attempt: run.attempt.unwrap_or(1),
        event: run.event,
        head: run.head_sha,
        branch: run.head_branch,
        head_repository: run.head_repository.and_then(|repository| repository.full_name),
        conclusion: run.conclusion,
        url: run.html_url,
        // `.github/workflows/ci.yml@refs/heads/main` for a called one.
        workflow: run.path.and_then(|path| Some(path.split('@').next()?.to_owned())).filter(|path| !path.is_empty()),
    })
}

/// What a run left behind, of all its attempts.
///
/// # Errors
/// When the list was not got whole.
pub async fn left_by<F: Forge>(line: &mut Line<F>, run: u64) -> Result<Vec<Artifact>, Stop> {
    let path = line.path(&format!("/actions/runs/{run}/artifacts?per_page=100"));
    let all = line.pages::<Artifacts>(path).await?;
    Ok(all.into_iter().flat_map(|page| page.artifacts).map(Artifact::from).collect())
}

/// The newest hundred artifacts of a name, whatever run left them.
///
/// # Errors
/// When the list was not got.
pub async fn newest<F: Forge>(line: &mut Line<F>, name: &str) -> Result<Vec<Artifact>, Stop> {
    let path = line.path(&format!("/actions/artifacts?name={}&per_page=100", segment(name)));
    let found = line.read::<Artifacts>(path).await?.artifacts.into_iter().map(Artifact::from);
    Ok(found.filter(|artifact| artifact.name == name).collect())
}

/// The archive of an artifact, of at most `most` bytes.
///
/// # Errors
/// When it was not got whole.
pub async fn archive<F: Forge>(line: &mut Line<F>, artifact: u64, most: usize) -> Result<Vec<u8>, Stop> {
    let path = line.path(&format!("/actions/artifacts/{artifact}/zip"));
    line.download(&path, most).await
}

impl From<Left> for Artifact {
    fn from(left: Left) -> Self {
        let by = left.workflow_run.map(|run| LeftBy {
            own: run.repository_id.is_some() && run.repository_id == run.head_repository_id,
            run: run.id,
            branch: run.head_branch,
            head: run.head_sha,
        });
        Self { id: left.id, name: left.name, size: left.size_in_bytes, expired: left.expired, by }
    }
}
