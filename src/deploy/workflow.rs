//! `{ workflow = "deploy.yml" }`: a workflow of the repository deploys; it is started, followed to its end, and its failure
//! is ours. Its job may name the environment, so that GitHub's own rules and secrets are in force there.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::config::DeployerRow;
use crate::deploy::host::{Look, follow};
use crate::deploy::{Deployer, Ground, Job, Kind, Ran};
use crate::model::text::one_line;
use crate::world::forge::{Method, Request};
use crate::world::github::GitHub;
use crate::world::line::answer::{Answer, Stop};
use crate::world::line::pace::Pace;
use crate::world::line::{Kind as Sort, Line, Missing, segment};

/// How long a request may wait for retries and rate limits.
const PATIENCE: Duration = Duration::from_mins(2);
/// The most inputs of a dispatch.
const INPUTS: usize = 25;

pub(super) const KIND: Kind = Kind {
    row: DeployerRow::of::<Settings>("workflow", "a workflow of the repository, started and followed to its end"),
    settle: |own| Ok(Box::new(Dispatch(own.read()?))),
};

/// The keys of this deployer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The file's name in `.github/workflows`; it has `on: workflow_dispatch` with the inputs `environment`, `sha`, `deployment`, `role` and `correlation`, and `correlation` in its `run-name`.
    workflow: String,
    /// The branch whose workflow is run; default: `main`. What is deployed is the input `sha`.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Further inputs.
    inputs: BTreeMap<String, String>,
}

struct Dispatch(Settings);

impl Deployer for Dispatch {
    fn ground(&self) -> Ground {
        Ground::None
    }

    fn deploy<'a>(&'a self, job: Job<'a>) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
        Box::pin(async move {
            let Some(remote) = job.remote else {
                return Ran::Failed(
                    "a workflow is started on GitHub: set GITHUB_TOKEN and GITHUB_REPOSITORY".to_owned(),
                );
            };
            let forge = match GitHub::new(&remote.api, remote.token.clone()) {
                Ok(forge) => forge,
                Err(error) => return Ran::Failed(error.to_string()),
            };
            let mut line = Line::new(forge, &remote.repository, Pace::default(), false);
            line.allow(PATIENCE);
            let id = match self.start(&mut line, &job).await {
                Ok(id) => id,
                Err(why) => return Ran::Failed(why),
            };
            let ran = follow(&job, async || look(&mut line, id).await).await;
            if matches!(ran, Ran::Interrupted(_)) {
                cancel(&mut line, id).await;
            }
            ran
        })
    }
}

impl Dispatch {
    async fn start(&self, line: &mut Line<GitHub>, job: &Job<'_>) -> Result<u64, String> {
        let correlation = format!("gatepost-{}-{}", job.id, crate::deploy::lock::nonce());
        let mut inputs = self.0.inputs.clone();
        let told = [
            ("environment", job.environment.name.to_string()),
            ("sha", job.sha.to_string()),
            ("deployment", job.id.to_owned()),
            ("role", job.role.word().to_owned()),
            ("correlation", correlation.clone()),
        ];
        inputs.extend(told.map(|(name, value)| (name.to_owned(), value)));
        if inputs.len() > INPUTS {
            return Err(format!("{} inputs are more than the {INPUTS} that GitHub takes", inputs.len()));
        }
        let reference = self.0.reference.as_deref().unwrap_or("main");
        let body = json!({"ref": reference, "inputs": inputs, "return_run_details": true});
        let path = line.path(&format!("/actions/workflows/{}/dispatches", segment(&self.0.workflow)));
        let request = Request { method: Method::Post, path, body: Some(body) };
        let id = match dispatch(line, &request).await.map_err(|stop| stop.to_string())? {
            Some(id) => id,
            None => self.find(line, &correlation).await?,
        };
        (job.on_line)(&format!("run {id} of {}", self.0.workflow));
        Ok(id)
    }

    /// An older server does not say which run it is, and a reply may be lost: it is found by its name, and never started
    /// again.
    async fn find(&self, line: &mut Line<GitHub>, correlation: &str) -> Result<u64, String> {
        let file = segment(&self.0.workflow);
        for wait in [1, 2, 3, 5, 8, 13] {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            line.allow_more(PATIENCE);
            let path = line.path(&format!("/actions/workflows/{file}/runs?event=workflow_dispatch&per_page=100"));
            let listed: Listed = line.read(path).await.map_err(|stop| stop.to_string())?;
            if let Some(run) = listed.workflow_runs.iter().find(|run| run.display_title.contains(correlation)) {
                return Ok(run.id);
            }
        }
        Err(format!(
            "{} was started, but no run of it has {correlation:?} in its name: put ${{{{ inputs.correlation }}}} in its run-name",
            self.0.workflow
        ))
    }
}

/// Starts a run once; its id, where the answer tells it.
async fn dispatch(line: &mut Line<GitHub>, request: &Request) -> Result<Option<u64>, Stop> {
    let mut tries = 0;
    loop {
        match line.attempt(request, Sort::Write, Missing::Gone).await? {
            Answer::Done(reply) => {
                let started: Started = serde_json::from_slice(&reply.body).unwrap_or_default();
                return Ok(started.workflow_run_id);
            }
            Answer::Stopped(stop) => return Err(stop),
            Answer::NotSent(why) => line.back_off(&mut tries, why).await?,
            Answer::Unknown(_) => return Ok(None),
        }
    }
}

#[derive(Deserialize)]
struct Run {
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default)]
    html_url: String,
}

async fn look(line: &mut Line<GitHub>, id: u64) -> Result<Look, String> {
    line.allow_more(PATIENCE);
    let run: Run = line.read(line.path(&format!("/actions/runs/{id}"))).await.map_err(|stop| stop.to_string())?;
    let page = one_line(&run.html_url, 200);
    Ok(match (run.status.as_deref(), run.conclusion.as_deref()) {
        (Some("completed"), Some("success")) => Look::Done,
        (Some("completed"), conclusion) => Look::Failed(format!("{page} ended in {}", conclusion.unwrap_or("nothing"))),
        (status, _) => Look::Going(format!("{page} is {}", status.unwrap_or("there"))),
    })
}

/// Best effort: who is cancelled has no time to see to it.
async fn cancel(line: &mut Line<GitHub>, id: u64) {
    let request = Request { method: Method::Post, path: line.path(&format!("/actions/runs/{id}/cancel")), body: None };
    let _ = line.attempt(&request, Sort::Write, Missing::Gone).await;
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Started {
    workflow_run_id: Option<u64>,
}

#[derive(Deserialize)]
struct Listed {
    workflow_runs: Vec<ListedRun>,
}

#[derive(Deserialize)]
struct ListedRun {
    id: u64,
    #[serde(default)]
    display_title: String,
}
