//! Commit statuses: <https://docs.github.com/rest/commits/statuses>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::checks::demand_sha;
use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{CommitStatus, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("repos/create-commit-status", create),
    ("repos/list-commit-statuses-for-ref", list),
    ("repos/get-combined-status-for-ref", combined),
];

/// Characters in a description.
const MOST_DESCRIPTION: usize = 140;

fn create(state: &mut State, ask: &Ask) -> Answer {
    let sha = ask.text("sha").to_owned();
    demand_sha(ask, "path parameter sha", &sha)?;
    let length = ask.body["description"].as_str().map_or(0, |text| text.chars().count());
    ask.demand(length <= MOST_DESCRIPTION, "/description", &json!(length), "more than 140 characters")?;
    let target = &ask.body["target_url"];
    let web = target.as_str().is_none_or(|url| url.starts_with("https://") || url.starts_with("http://"));
    ask.demand(web, "/target_url", target, "must use http(s) scheme")?;
    if !state.of(ask)?.commits.contains_key(&sha) {
        return Err(Reply::no_commit(&sha).into());
    }
    let status = CommitStatus {
        id: state.next_id(),
        sha,
        state: ask.given("state").unwrap_or_default(),
        context: ask.given("context").unwrap_or_else(|| "default".to_owned()),
        description: ask.given("description"),
        target_url: ask.given("target_url"),
        creator: ask.token.account.clone(),
        created_at: state.now(),
    };
    let mut reply = json_of(&status, ask);
    reply["creator"] = status.creator.json();
    state.of(ask)?.statuses.push(status);
    Ok(Reply::created(contract().complete("status", reply)))
}

fn list(state: &mut State, ask: &Ask) -> Answer {
    let statuses = newest_first(state, ask)?;
    let whole = |status: &CommitStatus| {
        let mut json = json_of(status, ask);
        json["creator"] = status.creator.json();
        contract().complete("status", json)
    };
    Ok(ask.page(statuses.iter().map(whole).collect(), |page| page))
}

/// The latest of each context; the worst of them is the state of the whole.
fn combined(state: &mut State, ask: &Ask) -> Answer {
    let mut seen = BTreeSet::new();
    let mut latest = newest_first(state, ask)?;
    latest.retain(|status| seen.insert(status.context.clone()));
    let any = |wanted: &[&str]| latest.iter().any(|status| wanted.contains(&status.state.as_str()));
    let whole = match () {
        () if any(&["error", "failure"]) => "failure",
        () if latest.is_empty() || any(&["pending"]) => "pending",
        () => "success",
    };
    let repo = state.of(ask)?;
    let sha = repo.resolve(ask.text("ref")).unwrap_or_default();
    let repository = contract().complete("minimal-repository", json!({ "full_name": repo.name }));
    let total = latest.len();
    let statuses = latest.iter().map(|status| json_of(status, ask)).collect();
    Ok(ask.page(statuses, |page| {
        let combined = json!({
            "state": whole, "sha": sha, "total_count": total, "statuses": page, "repository": repository,
            "url": ask.url(&format!("commits/{sha}/status")),
        });
        contract().complete("combined-commit-status", combined)
    }))
}

fn newest_first(state: &mut State, ask: &Ask) -> Result<Vec<CommitStatus>, Reply> {
    let repo = state.of(ask)?;
    let sha = repo.resolve(ask.text("ref")).ok_or_else(|| Reply::no_commit(ask.text("ref")))?;
    Ok(repo.statuses.iter().rev().filter(|status| status.sha == sha).cloned().collect())
}

fn json_of(status: &CommitStatus, ask: &Ask) -> Value {
    json!({
        "id": status.id,
        "node_id": format!("SC_{}", status.id),
        "url": ask.url(&format!("statuses/{}", status.sha)),
        "avatar_url": null,
        "state": status.state,
        "context": status.context,
        "description": status.description,
        "target_url": status.target_url,
        "created_at": status.created_at,
        "updated_at": status.created_at,
    })
}
