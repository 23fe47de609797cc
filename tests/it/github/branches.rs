//! Branches and what is required on them: <https://docs.github.com/rest/branches/branches> and
//! <https://docs.github.com/rest/repos/rules>.

use serde_json::{Value, json};

use super::commits;
use super::contract::contract;
use super::exchange::{Answer, Ask, Reply};
use super::server::Operation;
use super::state::{Rule, State};

pub const OPERATIONS: &[(&str, Operation)] =
    &[("repos/get-branch", get_branch), ("repos/get-branch-rules", get_branch_rules)];

fn get_branch(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let name = ask.text("branch");
    let sha = repo.refs.get(&format!("refs/heads/{name}")).ok_or_else(|| Reply::error(404, "Branch not found"))?;
    let required = repo.protected.get(name);
    let checks: Vec<Value> =
        required.into_iter().flatten().map(|(name, app)| json!({ "context": name, "app_id": app })).collect();
    let contexts: Vec<&String> = required.into_iter().flatten().map(|(name, _)| name).collect();
    let level = if required.is_some() { "everyone" } else { "off" };
    let url = ask.url(&format!("branches/{name}"));
    let json = json!({
        "name": name,
        "commit": commits::json_of(&repo.commits[sha], ask),
        "_links": { "self": url, "html": format!("https://github.test/{}/tree/{name}", repo.name) },
        "protected": required.is_some() || repo.rules.contains_key(name),
        "protection": {
            "enabled": required.is_some(),
            "required_status_checks": { "enforcement_level": level, "contexts": contexts, "checks": checks },
        },
        "protection_url": format!("{url}/protection"),
    });
    Ok(Reply::ok(contract().complete("branch-with-protection", json)))
}

/// The active rules of all rulesets together, of a branch that need not be there.
fn get_branch_rules(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let rules = repo.rules.get(ask.text("branch")).into_iter().flatten();
    let json = |rule: &Rule| {
        let mut json = match rule {
            Rule::Checks(checks) => {
                let check = |(name, app): &(String, Option<u64>)| match app {
                    Some(app) => json!({ "context": name, "integration_id": app }),
                    None => json!({ "context": name }),
                };
                json!({
                    "type": "required_status_checks",
                    "parameters": {
                        "strict_required_status_checks_policy": false,
                        "required_status_checks": checks.iter().map(check).collect::<Vec<_>>(),
                    },
                })
            }
            Rule::MergeQueue => json!({
                "type": "merge_queue",
                "parameters": {
                    "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "merge_method": "MERGE",
                    "max_entries_to_build": 5, "max_entries_to_merge": 5, "min_entries_to_merge": 1,
                    "min_entries_to_merge_wait_minutes": 5,
                },
            }),
            Rule::Deletion => json!({ "type": "deletion" }),
        };
        json["ruleset_source_type"] = json!("Repository");
        json["ruleset_source"] = json!(repo.name);
        json["ruleset_id"] = json!(42);
        json
    };
    Ok(ask.page(rules.map(json).collect(), |page| page))
}
