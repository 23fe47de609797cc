//! `{ workflow = "deploy.yml" }`: a workflow of the repository deploys; it is started, followed to its end, and its failure
//! is ours. Its job may name the environment, so that GitHub's own rules and secrets are in force there.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::config::DeployerRow;
use crate::deploy::host::{ENDS, Look, cancelling, follow, settled, until_ended};
use crate::deploy::{CalledOff, Deployer, Ground, Job, Kind, Left, Ran, Remote};
use crate::model::environments::Environment;
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
            let mut line = match line(job.remote) {
                Ok(line) => line,
                Err(why) => return Ran::Failed(why),
            };
            let id = match self.start(&mut line, &job).await {
                Ok(id) => id,
                Err(ran) => return ran,
            };
            job.group.run.set(Some(id));
            job.group.known.notify_one();
            let ran = follow(&job, async || look(&mut line, id).await).await;
            settled(ran, async || end(&mut line, id, job.environment, job.on_line).await).await
        })
    }

    fn call_off<'a>(&'a self, left: Left<'a>) -> CalledOff<'a> {
        Box::pin(async move {
            let mut line = line(left.remote)?;
            let runs = match left.run {
                Some(run) => vec![run],
                // It may have been started and not recorded.
                None => self.named(&mut line, &correlation(left.id)).await?,
            };
            for run in runs {
                end(&mut line, run, left.environment, left.on_line).await?;
            }
            Ok(())
        })
    }

    fn ends_within(&self, grace: Duration) -> Duration {
        grace * ENDS
    }
}

fn line(remote: Option<&Remote>) -> Result<Line<GitHub>, String> {
    let remote = remote.ok_or("a workflow is started on GitHub: set GITHUB_TOKEN and GITHUB_REPOSITORY")?;
    let forge = GitHub::new(&remote.api, remote.token.clone()).map_err(|error| error.to_string())?;
    let mut line = Line::new(forge, &remote.repository, Pace::default(), false);
    line.allow(PATIENCE);
    Ok(line)
}

/// What the names of a deployment's runs have in them.
fn correlation(id: &str) -> String {
    format!("gatepost-{id}-")
}

impl Dispatch {
    async fn start(&self, line: &mut Line<GitHub>, job: &Job<'_>) -> Result<u64, Ran> {
        let correlation = format!("{}{}", correlation(job.id), crate::deploy::lock::nonce());
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
            let count = inputs.len();
            return Err(Ran::Failed(format!("{count} inputs are more than the {INPUTS} that GitHub takes")));
        }
        let reference = self.0.reference.as_deref().unwrap_or("main");
        let body = json!({"ref": reference, "inputs": inputs, "return_run_details": true});
        let path = line.path(&format!("/actions/workflows/{}/dispatches", segment(&self.0.workflow)));
        let request = Request { method: Method::Post, path, body: Some(body) };
        let id = match dispatch(line, &request).await.map_err(|stop| Ran::Failed(stop.to_string()))? {
            Some(id) => id,
            // It goes on, and nobody sees it.
            None => self.find(line, &correlation).await.map_err(Ran::Unended)?,
        };
        (job.on_line)(&format!("run {id} of {}", self.0.workflow));
        Ok(id)
    }

    /// An older server does not say which run it is, and a reply may be lost: it is found by its name, and never started
    /// again.
    async fn find(&self, line: &mut Line<GitHub>, correlation: &str) -> Result<u64, String> {
        for wait in [1, 2, 3, 5, 8, 13] {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            if let Some(run) = self.named(line, correlation).await?.first() {
                return Ok(*run);
            }
        }
        Err(format!(
            "{} was started, but no run of it has {correlation:?} in its name: put ${{{{ inputs.correlation }}}} in its run-name",
            self.0.workflow
        ))
    }

    /// The newest runs with that in their names.
    async fn named(&self, line: &mut Line<GitHub>, correlation: &str) -> Result<Vec<u64>, String> {
        line.allow_more(PATIENCE);
        let file = segment(&self.0.workflow);
        let path = line.path(&format!("/actions/workflows/{file}/runs?event=workflow_dispatch&per_page=100"));
        let listed: Listed = line.read(path).await.map_err(|stop| stop.to_string())?;
        let named = listed.workflow_runs.into_iter().filter(|run| run.display_title.contains(correlation));
        Ok(named.map(|run| run.id).collect())
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

/// Cancels a run, and waits until GitHub says that it has ended.
/// <https://docs.github.com/en/rest/actions/workflow-runs#cancel-a-workflow-run>
///
/// # Errors
/// When that was not seen in time.
async fn end(
    line: &mut Line<GitHub>,
    id: u64,
    environment: &Environment,
    on_line: &dyn Fn(&str),
) -> Result<(), String> {
    let (mut cancelled, mut is_gone) = (false, false);
    let path = line.path(&format!("/actions/runs/{id}"));
    let ended = until_ended(environment, async || {
        line.allow_more(PATIENCE);
        is_gone = false;
        let stands = match line.read::<Run>(path.clone()).await {
            Ok(run) if run.status.as_deref() == Some("completed") => return None,
            Ok(run) => run.status.unwrap_or_default(),
            Err(stop) => {
                // One that was deleted; just made it may not be shown yet.
                is_gone = stop.refused_with(404).is_some();
                stop.to_string()
            }
        };
        if !cancelled {
            cancelled = cancel(line, id).await;
            on_line(&format!("run {id} is {}", if cancelled { "cancelled" } else { "to be cancelled" }));
        }
        Some(stands)
    });
    match ended.await {
        Err(why) if !is_gone => Err(format!("run {id} {}, and {why}", cancelling(cancelled))),
        _ => Ok(()),
    }
}

/// Whether GitHub has heard of it; one that has ended is not cancelled any more.
async fn cancel(line: &mut Line<GitHub>, id: u64) -> bool {
    let request = Request { method: Method::Post, path: line.path(&format!("/actions/runs/{id}/cancel")), body: None };
    matches!(line.attempt(&request, Sort::Write, Missing::Gone).await, Ok(Answer::Done(_)))
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
