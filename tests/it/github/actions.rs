//! Runs of workflows, what they left behind, and the storage that the API leads to for it:
//! <https://docs.github.com/rest/actions>.

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{Artifact, Job, State, WorkflowRun};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("actions/get-workflow-run", get_run),
    ("actions/list-jobs-for-workflow-run", list_jobs),
    ("actions/cancel-workflow-run", cancel),
    ("actions/create-workflow-dispatch", dispatch),
    ("actions/list-workflow-runs", list_runs),
    ("actions/list-workflow-runs-for-repo", list_all_runs),
    ("actions/re-run-workflow", rerun),
    ("actions/re-run-workflow-failed-jobs", rerun_failed),
    ("actions/list-artifacts-for-repo", list_artifacts),
    ("actions/list-workflow-run-artifacts", list_artifacts_of_run),
    ("actions/download-artifact", download),
];

/// Where files lie: another origin than the API's, which must not be sent the token.
pub const STORAGE: &str = "/storage/";

fn get_run(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let run = repo.runs.iter().find(|run| run.id == ask.number("run_id")).ok_or_else(Reply::not_found)?;
    Ok(Reply::ok(json_of(run, &path_of(repo, run), ask)))
}

fn path_of(repo: &super::state::Repo, run: &WorkflowRun) -> String {
    repo.run_paths.get(&run.id).cloned().unwrap_or_else(|| ".github/workflows/ci.yml".to_owned())
}

fn list_jobs(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let id = ask.number("run_id");
    // A run that ended well has at least one job.
    let has_one = || repo.runs.iter().any(|run| run.id == id && run.conclusion.as_deref() == Some("success"));
    let one = || has_one().then(|| Job::new("gates", "runner", "success")).into_iter().collect();
    let jobs = repo.jobs.get(&id).cloned().unwrap_or_else(one);
    let job = |job: Job| {
        let status = job.end.as_ref().err().map_or("completed", String::as_str);
        contract().complete(
            "job",
            json!({
                "runner_name": job.runner, "status": status, "conclusion": job.end.as_ref().ok(), "name": job.name,
                "run_attempt": job.attempt, "html_url": null,
            }),
        )
    };
    let jobs: Vec<Value> = jobs.into_iter().map(job).collect();
    let total = jobs.len();
    Ok(ask.page(jobs, |jobs| json!({ "total_count": total, "jobs": jobs })))
}

fn cancel(state: &mut State, ask: &Ask) -> Answer {
    let id = ask.number("run_id");
    let repo = state.of(ask)?;
    let dispatched = repo.dispatches.len();
    let run = repo.runs.iter_mut().find(|run| run.id == id).ok_or_else(Reply::not_found)?;
    if run.conclusion.is_some() {
        return Err(Reply::error(409, "Cannot cancel a workflow run that is completed.").into());
    }
    repo.cancels.push((id, dispatched));
    if !repo.never_ends {
        run.conclusion = Some("cancelled".to_owned());
    }
    let mut reply = Reply::ok(json!({}));
    reply.status = 202;
    Ok(reply)
}

/// Starts a run that ends at once as the test has set.
fn dispatch(state: &mut State, ask: &Ask) -> Answer {
    let id = state.next_id();
    let repo = state.of(ask)?;
    let (workflow, name) = (ask.text("workflow_id").to_owned(), ask.given("ref").unwrap_or_default());
    let sha = repo.resolve(&name).ok_or_else(|| Reply::error(422, &format!("No ref found for: {name}")))?;
    if repo.not_by_hand.contains(&workflow) {
        let why = "Workflow does not have 'workflow_dispatch' trigger";
        return Err(Reply::error(422, why).into());
    }
    let inputs = ask.body["inputs"].clone();
    ask.demand(inputs.as_object().is_none_or(|all| all.len() <= 25), "/inputs", &inputs, "more than 25 inputs")?;
    let hangs = inputs["role"].as_str().is_some_and(|role| repo.hangs.contains(role));
    repo.dispatches.push((workflow.clone(), name, inputs));
    repo.run_paths.insert(id, format!(".github/workflows/{workflow}"));
    repo.runs.push(WorkflowRun {
        id,
        attempt: 1,
        event: "workflow_dispatch".to_owned(),
        head_sha: sha,
        head_branch: None,
        head_repository: Some(repo.name.clone()),
        conclusion: repo.dispatched.clone().filter(|_| !hangs),
    });
    if repo.tells_no_run || ask.body["return_run_details"] != true {
        return Ok(Reply::gone());
    }
    let url = ask.url(&format!("actions/runs/{id}"));
    let page = format!("https://github.test/{}/actions/runs/{id}", repo.name);
    Ok(Reply::ok(json!({ "workflow_run_id": id, "run_url": url, "html_url": page })))
}

fn list_runs(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let path = format!(".github/workflows/{}", ask.text("workflow_id"));
    let event = ask.text("event");
    let fits = |run: &&WorkflowRun| path_of(repo, run) == path && (event.is_empty() || run.event == event);
    let name = |run: &WorkflowRun| {
        let at = repo.runs.iter().filter(|one| one.event == "workflow_dispatch").position(|one| one.id == run.id);
        at.and_then(|at| repo.dispatches.get(at)).map(|(_, _, inputs)| format!("Deploy {}", inputs["correlation"]))
    };
    let runs: Vec<Value> = repo
        .runs
        .iter()
        .rev()
        .filter(fits)
        .map(|run| {
            let mut json = json_of(run, &path_of(repo, run), ask);
            json["display_title"] = json!(name(run).unwrap_or_default());
            json
        })
        .collect();
    let total = runs.len();
    Ok(ask.page(runs, |runs| json!({ "total_count": total, "workflow_runs": runs })))
}

fn list_all_runs(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let named = |key: &str, is: &str| ["", is].contains(&ask.text(key));
    let branch = |run: &WorkflowRun| named("branch", run.head_branch.as_deref().unwrap_or("-"));
    let fits = |run: &&WorkflowRun| named("head_sha", &run.head_sha) && named("event", &run.event) && branch(run);
    let runs: Vec<Value> = repo
        .runs
        .iter()
        .rev()
        .filter(fits)
        .map(|run| timed(repo, run, json_of(run, &path_of(repo, run), ask)))
        .collect();
    let total = runs.len();
    Ok(ask.page(runs, |runs| json!({ "total_count": total, "workflow_runs": runs })))
}

fn timed(repo: &super::state::Repo, run: &WorkflowRun, mut json: Value) -> Value {
    let at = repo.run_times.get(&run.id).map_or("2026-01-01T00:00:00Z", String::as_str);
    json["created_at"] = json!(at);
    json
}

fn rerun(state: &mut State, ask: &Ask) -> Answer {
    again(state, ask, false)
}

fn rerun_failed(state: &mut State, ask: &Ask) -> Answer {
    again(state, ask, true)
}

/// A further attempt, of a run that has ended.
fn again(state: &mut State, ask: &Ask, failed_only: bool) -> Answer {
    let id = ask.number("run_id");
    let repo = state.of(ask)?;
    let run = repo.runs.iter_mut().find(|run| run.id == id).ok_or_else(Reply::not_found)?;
    if run.conclusion.is_none() {
        return Err(Reply::error(403, "This workflow is already running").into());
    }
    if failed_only && run.conclusion.as_deref() == Some("success") {
        return Err(Reply::error(403, "This workflow run has no failed jobs").into());
    }
    (run.attempt, run.conclusion) = (run.attempt + 1, None);
    repo.reruns.push((id, failed_only));
    Ok(Reply::created(json!({})))
}

fn list_artifacts(state: &mut State, ask: &Ask) -> Answer {
    listed(state, ask, |_| true)
}

fn list_artifacts_of_run(state: &mut State, ask: &Ask) -> Answer {
    let id = ask.number("run_id");
    listed(state, ask, |artifact| artifact.run == id)
}

/// The newest first.
fn listed(state: &mut State, ask: &Ask, wanted: impl Fn(&Artifact) -> bool) -> Answer {
    let repo = state.of(ask)?;
    let name = ask.text("name");
    let left = repo.artifacts.iter().rev().filter(|artifact| wanted(artifact));
    let left: Vec<Value> = left
        .filter(|artifact| name.is_empty() || artifact.name == name)
        .map(|artifact| artifact_json(artifact, repo.runs.iter().find(|run| run.id == artifact.run), ask))
        .collect();
    let total = left.len();
    Ok(ask.page(left, |left| json!({ "total_count": total, "artifacts": left })))
}

fn download(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let id = ask.number("artifact_id");
    let artifact = repo.artifacts.iter().find(|artifact| artifact.id == id).ok_or_else(Reply::not_found)?;
    if artifact.expired {
        return Err(Reply::error(410, "Artifact has expired").into());
    }
    // The same machine by another name is another origin.
    let origin = ask.origin.replace("127.0.0.1", "localhost");
    let origin = origin.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let mut reply = Reply::gone().with("location", &format!("{origin}{STORAGE}{id}?sig=signature"));
    reply.status = 302;
    Ok(reply)
}

/// A file of the storage; `Err` for one who shows a token there.
pub fn stored(state: &State, path: &str, has_token: bool) -> Result<Option<Vec<u8>>, ()> {
    if has_token {
        return Err(());
    }
    let id = path.trim_start_matches(STORAGE).parse::<u64>().ok();
    let all = state.repos.values().flat_map(|repo| &repo.artifacts);
    Ok(all.into_iter().find(|artifact| Some(artifact.id) == id).map(|artifact| artifact.bytes.clone()))
}

fn json_of(run: &WorkflowRun, path: &str, ask: &Ask) -> Value {
    let head = run.head_repository.as_ref().map(|name| {
        let (owner, short) = name.split_once('/').unwrap_or((name, ""));
        let owner = super::tokens::Account::user(owner).json();
        json!({ "full_name": name, "name": short, "owner": owner, "fork": *name != ask.repository() })
    });
    let mut json = contract().complete(
        "workflow-run",
        json!({
            "id": run.id,
            "path": path,
            "run_attempt": run.attempt,
            "event": run.event,
            "status": if run.conclusion.is_some() { "completed" } else { "in_progress" },
            "conclusion": run.conclusion,
            "head_sha": run.head_sha,
            "head_branch": run.head_branch,
            "head_repository": head.clone().unwrap_or_default(),
            // Of forks there are none.
            "pull_requests": [],
            "html_url": format!("https://github.test/{}/actions/runs/{}", ask.repository(), run.id),
            "url": ask.url(&format!("actions/runs/{}", run.id)),
        }),
    );
    if head.is_none() {
        json.as_object_mut().unwrap().remove("head_repository");
    }
    json
}

fn artifact_json(artifact: &Artifact, run: Option<&WorkflowRun>, ask: &Ask) -> Value {
    let head_repository = run.and_then(|run| run.head_repository.as_deref());
    let json = json!({
        "id": artifact.id,
        "name": artifact.name,
        "size_in_bytes": artifact.size.unwrap_or(artifact.bytes.len() as u64),
        "expired": artifact.expired,
        "archive_download_url": ask.url(&format!("actions/artifacts/{}/zip", artifact.id)),
        "workflow_run": {
            "id": artifact.run,
            "repository_id": number(&ask.repository()),
            "head_repository_id": number(head_repository.unwrap_or_default()),
            "head_branch": run.and_then(|run| run.head_branch.as_deref()).unwrap_or_default(),
            "head_sha": run.map_or("0000000000000000000000000000000000000000", |run| &run.head_sha),
        },
    });
    contract().complete("artifact", json)
}

/// A number of its own for each name.
fn number(repository: &str) -> u64 {
    repository.bytes().fold(7, |id, byte| (id * 31 + u64::from(byte)) % 1_000_003)
}
