//! What is asked of GitHub about a run whose report is posted by another: the run, its pull request, what it left
//! behind, and the base's own configuration. Nothing of it comes from the report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::model::sha::Sha;
use crate::model::workflow::{Artifact, PullRequest, WorkflowRun};
use crate::publish::interpreter::Interpreter;
use crate::publish::interpreter::workflow::{self, Repository};
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::segment;

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: End,
    base: End,
}

#[derive(Deserialize)]
struct End {
    sha: Sha,
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    encoding: String,
    #[serde(default)]
    content: String,
}

impl<F: Forge> Interpreter<F> {
    /// A run of a workflow: <https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run>
    ///
    /// # Errors
    /// When it was not got.
    pub async fn workflow_run(&mut self, id: u64) -> Result<WorkflowRun, Stop> {
        self.line.allow(self.patience);
        workflow::run(&mut self.line, id).await
    }

    /// The open pull requests of the branch that a run is of, whatever fork it is in; the run itself names none of a
    /// fork's: <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests>
    ///
    /// # Errors
    /// When they were not got.
    pub async fn pull_requests_of(&mut self, run: &WorkflowRun) -> Result<Vec<PullRequest>, Stop> {
        let owner = run.head_repository.as_deref().and_then(|name| name.split_once('/')).map(|(owner, _)| owner);
        let (Some(owner), Some(branch)) = (owner, &run.branch) else { return Ok(Vec::new()) };
        self.line.allow(self.patience);
        let head = segment(&format!("{owner}:{branch}"));
        let path = self.line.path(&format!("/pulls?state=open&head={head}&per_page=100"));
        let found = self.line.pages::<Vec<Pull>>(path).await?.into_iter().flatten().map(|pull| PullRequest {
            number: pull.number,
            head: pull.head.sha,
            head_repository: pull.head.repo.and_then(|repository| repository.full_name),
            base: pull.base.branch,
        });
        // One owner may have several forks, and an unknown branch would list every pull request.
        Ok(found.filter(|pull| pull.head_repository == run.head_repository).collect())
    }

    /// What a run left behind, of all its attempts: <https://docs.github.com/en/rest/actions/artifacts>
    ///
    /// # Errors
    /// When the list was not got whole.
    pub async fn artifacts(&mut self, run: u64) -> Result<Vec<Artifact>, Stop> {
        self.line.allow(self.patience);
        workflow::left_by(&mut self.line, run).await
    }

    /// The archive of an artifact, of at most `most` bytes.
    ///
    /// # Errors
    /// When it was not got whole.
    pub async fn archive(&mut self, artifact: u64, most: usize) -> Result<Vec<u8>, Stop> {
        self.line.allow(self.patience);
        workflow::archive(&mut self.line, artifact, most).await
    }

    /// A file as a branch or commit has it; `None` where it has none. `at`: `None` is the default branch.
    /// <https://docs.github.com/en/rest/repos/contents#get-repository-content>
    ///
    /// # Errors
    /// When it was not got.
    pub async fn file(&mut self, path: &str, at: Option<&str>) -> Result<Option<Vec<u8>>, Stop> {
        self.line.allow(self.patience);
        let query = at.map_or_else(String::new, |at| format!("?ref={}", segment(at)));
        let parts: Vec<String> = path.split('/').map(segment).collect();
        let path = self.line.path(&format!("/contents/{}{query}", parts.join("/")));
        let file: File = match self.line.read(path.clone()).await {
            Ok(file) => file,
            Err(stop) if stop.refused_with(404).is_some() => return Ok(None),
            Err(stop) => return Err(stop),
        };
        let packed: String = file.content.split_ascii_whitespace().collect();
        let content = STANDARD.decode(packed).ok().filter(|_| file.encoding == "base64");
        let content = content.ok_or_else(|| Stop::Failed(format!("GET {path} was answered with no file in base64")))?;
        Ok(Some(content))
    }
}
