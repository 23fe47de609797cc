//! Deployments and their statuses: <https://docs.github.com/rest/deployments>.

use git2::ObjectType;
use serde_json::{Value, json};

use super::commits::history;
use super::contract::contract;
use super::exchange::{Answer, Ask, Refusal, Reply};
use super::git::sha_of;
use super::server::Operation;
use super::state::{Deployment, DeploymentStatus, Repo, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("repos/create-deployment", create),
    ("repos/list-deployments", list),
    ("repos/get-deployment", get),
    ("repos/delete-deployment", delete),
    ("repos/create-deployment-status", create_status),
    ("repos/list-deployment-statuses", list_statuses),
    ("repos/get-environment", get_environment),
    ("repos/list-deployment-branch-policies", list_branch_policies),
];

/// Characters in a description.
const MOST_DESCRIPTION: usize = 140;

fn create(state: &mut State, ask: &Ask) -> Answer {
    demand_description(ask)?;
    let repo = state.of(ask)?;
    let name = ask.given("ref").unwrap_or_default();
    let sha = repo.resolve(&name).ok_or_else(|| Reply::error(422, &format!("No ref found for: {name}")))?;
    if ask.body["auto_merge"] != false && merges(repo, &name, &sha) {
        let reply = Reply::ok(json!({ "message": format!("Auto-merged main into {name} on deployment.") }));
        return Ok(Reply { status: 202, ..reply });
    }
    if !contexts_are_green(repo, &sha, &ask.body["required_contexts"]) {
        let message = format!("Conflict: Commit status checks failed for {name}.");
        return Err(Reply::error(409, &message).into());
    }
    let deployment = Deployment {
        id: state.next_id(),
        sha,
        given: ask.body.clone(),
        creator: ask.token.account.clone(),
        created_at: state.now(),
        statuses: Vec::new(),
    };
    let json = json_of(&deployment, ask);
    state.of(ask)?.deployments.push(deployment);
    Ok(Reply::created(json))
}

/// A branch that lacks commits of `main` is merged in place of being deployed.
fn merges(repo: &mut Repo, branch: &str, sha: &str) -> bool {
    let branch = format!("refs/heads/{branch}");
    let Some(main) = repo.refs.get("refs/heads/main").cloned() else { return false };
    if !repo.refs.contains_key(&branch) || history(repo, sha).contains(&main) {
        return false;
    }
    let merged = sha_of(ObjectType::Commit, &json!([sha, main]));
    repo.commit(&merged, &[sha, &main]);
    repo.refs.insert(branch, merged);
    true
}

/// All contexts must be green unless the request names those that count; an empty list asks for none.
fn contexts_are_green(repo: &Repo, sha: &str, required: &Value) -> bool {
    let green = |state: &str| ["success", "neutral", "skipped"].contains(&state);
    let mut latest = std::collections::BTreeMap::new();
    for status in repo.statuses.iter().filter(|status| status.sha == sha) {
        latest.insert(status.context.as_str(), green(&status.state));
    }
    for check in repo.checks.iter().filter(|check| check.head_sha == sha) {
        latest.insert(check.name.as_str(), check.conclusion.as_deref().is_some_and(green));
    }
    match required.as_array() {
        None => latest.values().all(|green| *green),
        Some(names) => names.iter().all(|name| latest.get(name.as_str().unwrap_or_default()) == Some(&true)),
    }
}

fn list(state: &mut State, ask: &Ask) -> Answer {
    let wanted = |deployment: &Deployment| {
        let task = deployment.given["task"].as_str().unwrap_or("deploy");
        let name = deployment.given["ref"].as_str().unwrap_or_default();
        let actual = [("sha", deployment.sha.as_str()), ("ref", name), ("task", task)];
        let environment = ("environment", environment(deployment));
        actual.into_iter().chain([environment]).all(|(key, is)| ["", "none", is].contains(&ask.text(key)))
    };
    let deployments = state.of(ask)?.deployments.iter().rev().filter(|deployment| wanted(deployment));
    Ok(ask.page(deployments.map(|deployment| json_of(deployment, ask)).collect(), |page| page))
}

fn get(state: &mut State, ask: &Ask) -> Answer {
    Ok(Reply::ok(json_of(find(state, ask)?, ask)))
}

fn delete(state: &mut State, ask: &Ask) -> Answer {
    let deployment = find(state, ask)?.clone();
    let repo = state.of(ask)?;
    let active = deployment.statuses.last().is_some_and(|status| status.state == "success");
    let others = repo.deployments.iter().filter(|other| environment(other) == environment(&deployment)).count() > 1;
    if active && others {
        let only = "We cannot delete an active deployment unless it is the only deployment in a given environment.";
        let mut reply = Reply::error(422, only);
        reply.body.as_mut().unwrap()["errors"] = json!([only]);
        return Err(reply.into());
    }
    repo.deployments.retain(|other| other.id != deployment.id);
    Ok(Reply::gone())
}

fn create_status(state: &mut State, ask: &Ask) -> Answer {
    demand_description(ask)?;
    let status = DeploymentStatus {
        id: state.next_id(),
        state: ask.given("state").unwrap_or_default(),
        given: ask.body.clone(),
        creator: ask.token.account.clone(),
        created_at: state.now(),
    };
    let deployment = find(state, ask)?;
    deployment.statuses.push(status.clone());
    let deployment = deployment.clone();
    if status.state == "success" && ask.body["auto_inactive"] != false {
        retire(state, ask, &deployment)?;
    }
    Ok(Reply::created(status_json(&deployment, &status, ask)))
}

/// Earlier successful deployments of an environment that is neither transient nor production become inactive.
fn retire(state: &mut State, ask: &Ask, by: &Deployment) -> Result<(), Reply> {
    let (id, created_at) = (state.next_id(), state.now());
    for earlier in state.of(ask)?.deployments.iter_mut().filter(|one| one.id < by.id) {
        let lasting = earlier.given["transient_environment"] == true || is_production(earlier);
        let live = earlier.statuses.last().is_some_and(|status| status.state == "success");
        if environment(earlier) == environment(by) && live && !lasting {
            let creator = ask.token.account.clone();
            let (state, created_at) = ("inactive".to_owned(), created_at.clone());
            earlier.statuses.push(DeploymentStatus { id, state, given: json!({}), creator, created_at });
        }
    }
    Ok(())
}

fn list_statuses(state: &mut State, ask: &Ask) -> Answer {
    let deployment = find(state, ask)?;
    let statuses = deployment.statuses.iter().rev();
    Ok(ask.page(statuses.map(|status| status_json(deployment, status, ask)).collect(), |page| page))
}

fn get_environment(state: &mut State, ask: &Ask) -> Answer {
    let found = state.of(ask)?.environments.get(ask.text("environment_name")).cloned();
    let given = found.ok_or_else(Reply::not_found)?;
    let mut json = contract().complete("environment", json!({ "name": ask.text("environment_name") }));
    json.as_object_mut().unwrap().extend(given.as_object().cloned().unwrap_or_default());
    Ok(Reply::ok(json))
}

fn list_branch_policies(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let patterns = repo.branch_policies.get(ask.text("environment_name")).cloned().unwrap_or_default();
    let policy = |(name, kind): &(String, Option<String>)| match kind {
        Some(kind) => json!({ "id": 1, "name": name, "type": kind }),
        None => json!({ "id": 1, "name": name }),
    };
    let policies: Vec<Value> = patterns.iter().map(policy).collect();
    let total = policies.len();
    Ok(ask.page(policies, |policies| json!({ "total_count": total, "branch_policies": policies })))
}

fn find<'a>(state: &'a mut State, ask: &Ask) -> Result<&'a mut Deployment, Reply> {
    let id = ask.number("deployment_id");
    state.of(ask)?.deployments.iter_mut().find(|deployment| deployment.id == id).ok_or_else(Reply::not_found)
}

fn demand_description(ask: &Ask) -> Result<(), Refusal> {
    let length = ask.body["description"].as_str().map_or(0, |text| text.chars().count());
    ask.demand(length <= MOST_DESCRIPTION, "/description", &json!(length), "more than 140 characters")
}

fn environment(deployment: &Deployment) -> &str {
    deployment.given["environment"].as_str().unwrap_or("production")
}

fn is_production(deployment: &Deployment) -> bool {
    deployment.given["production_environment"].as_bool().unwrap_or(environment(deployment) == "production")
}

fn json_of(deployment: &Deployment, ask: &Ask) -> Value {
    let url = ask.url(&format!("deployments/{}", deployment.id));
    let given = |key: &str, or: Value| if deployment.given[key].is_null() { or } else { deployment.given[key].clone() };
    let json = json!({
        "id": deployment.id,
        "url": url,
        "statuses_url": format!("{url}/statuses"),
        "sha": deployment.sha,
        "ref": deployment.given["ref"],
        "task": given("task", json!("deploy")),
        "payload": given("payload", json!("")),
        "environment": environment(deployment),
        "description": given("description", json!("")),
        "creator": deployment.creator.json(),
        "created_at": deployment.created_at,
        "updated_at": deployment.statuses.last().map_or(&deployment.created_at, |status| &status.created_at),
        "transient_environment": given("transient_environment", json!(false)),
        "production_environment": is_production(deployment),
        "performed_via_github_app": deployment.creator.app_json(),
    });
    contract().complete("deployment", json)
}

fn status_json(deployment: &Deployment, status: &DeploymentStatus, ask: &Ask) -> Value {
    let given = |key: &str| status.given[key].as_str().unwrap_or_default();
    let url = ask.url(&format!("deployments/{}", deployment.id));
    let json = json!({
        "id": status.id,
        "url": format!("{url}/statuses/{}", status.id),
        "deployment_url": url,
        "state": status.state,
        "description": given("description"),
        "environment": status.given["environment"].as_str().unwrap_or(environment(deployment)),
        "creator": status.creator.json(),
        "created_at": status.created_at,
        "updated_at": status.created_at,
    });
    let mut json = contract().complete("deployment-status", json);
    for key in ["target_url", "log_url", "environment_url"].into_iter().filter(|key| !given(key).is_empty()) {
        json[key] = json!(given(key));
    }
    json
}
