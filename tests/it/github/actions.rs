//! Runs of workflows and their artifacts: <https://docs.github.com/rest/actions>.

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{Artifact, State, WorkflowRun};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("actions/list-artifacts-for-repo", list_artifacts),
    ("actions/get-workflow-run", get_run),
    ("actions/download-artifact", download),
];

/// The newest first.
fn list_artifacts(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let name = ask.text("name");
    let wanted = repo.artifacts.iter().rev().filter(|one| name.is_empty() || one.name == name);
    let shown: Vec<Value> =
        wanted.map(|one| artifact(one, repo.runs.iter().find(|run| run.id == one.run).unwrap(), ask)).collect();
    let total = shown.len();
    Ok(ask.page(shown, |page| json!({ "total_count": total, "artifacts": page })))
}

fn get_run(state: &mut State, ask: &Ask) -> Answer {
    let id = ask.number("run_id");
    let run = state.of(ask)?.runs.iter().find(|run| run.id == id).ok_or_else(Reply::not_found)?;
    let json = json!({
        "id": run.id,
        "event": run.event,
        "status": if run.conclusion.is_some() { "completed" } else { "in_progress" },
        "conclusion": run.conclusion,
        "head_sha": run.head_sha,
        "head_branch": run.head_branch,
        "repository": repository(&ask.repository()),
        "head_repository": repository(&run.head_repo),
    });
    Ok(Reply::ok(contract().complete("workflow-run", json)))
}

/// GitHub sends the asker to a store of its own, with an address that needs no token.
fn download(state: &mut State, ask: &Ask) -> Answer {
    let id = ask.number("artifact_id");
    let blobs = state.blobs.clone();
    let found = state.of(ask)?.artifacts.iter().find(|one| one.id == id).ok_or_else(Reply::not_found)?;
    if found.expired {
        return Err(Reply::error(410, "Artifact has expired").into());
    }
    let store = blobs.expect("a test that downloads gives `State::blobs`");
    Ok(Reply {
        status: 302,
        headers: vec![("location".to_owned(), format!("{store}/{id}?sig=c2lnbmF0dXJl"))],
        body: None,
    })
}

fn artifact(one: &Artifact, run: &WorkflowRun, ask: &Ask) -> Value {
    let json = json!({
        "id": one.id,
        "name": one.name,
        "expired": one.expired,
        "url": ask.url(&format!("actions/artifacts/{}", one.id)),
        "archive_download_url": ask.url(&format!("actions/artifacts/{}/zip", one.id)),
        "workflow_run": {
            "id": run.id,
            "repository_id": number(&ask.repository()),
            "head_repository_id": number(&run.head_repo),
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
        },
    });
    contract().complete("artifact", json)
}

fn repository(name: &str) -> Value {
    contract().complete("minimal-repository", json!({ "id": number(name), "full_name": name }))
}

/// A number of its own for each name.
fn number(repository: &str) -> u64 {
    repository.bytes().fold(7, |id, byte| (id * 31 + u64::from(byte)) % 1_000_003)
}
