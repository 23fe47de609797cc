//! Issues: <https://docs.github.com/rest/issues/issues>.

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Refusal, Reply};
use super::server::Operation;
use super::state::{Issue, State};

pub const OPERATIONS: &[(&str, Operation)] =
    &[("issues/list-for-repo", list), ("issues/create", create), ("issues/get", get), ("issues/update", update)];

/// Characters in a title, and in a body.
const MOST_TITLE: usize = 256;
const MOST_BODY: usize = 65_536;

/// Pull requests are issues here too.
fn list(state: &mut State, ask: &Ask) -> Answer {
    let wanted = ask.text("state");
    let labels: Vec<String> =
        ask.text("labels").split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect();
    let repo = state.of(ask)?;
    let fits = |open: bool| match wanted {
        "all" => true,
        "closed" => !open,
        _ => open,
    };
    let mut all: Vec<(u64, Value)> = repo
        .issues
        .iter()
        .filter(|(_, issue)| fits(issue.open) && labels.iter().all(|label| issue.labels.contains(label)))
        .map(|(number, issue)| (*number, json_of(*number, issue, ask)))
        .collect();
    for pull in repo.pulls.values().filter(|pull| fits(pull.open) && labels.is_empty()) {
        let issue = Issue { title: pull.title.clone(), open: pull.open, ..Issue::default() };
        let mut json = json_of(pull.number, &issue, ask);
        json["pull_request"] = json!({
            "url": ask.url(&format!("pulls/{}", pull.number)), "html_url": null, "diff_url": null, "patch_url": null,
        });
        all.push((pull.number, json));
    }
    all.sort_by_key(|(number, _)| *number);
    if ask.text("direction") != "asc" {
        all.reverse();
    }
    Ok(ask.page(all.into_iter().map(|(_, json)| json).collect(), |page| page))
}

fn create(state: &mut State, ask: &Ask) -> Answer {
    let (title, body) = (title(ask)?, body(ask)?);
    let now = state.now();
    let repo = state.of(ask)?;
    let last = repo.issues.keys().chain(repo.pulls.keys()).max().copied().unwrap_or(0);
    let labels = ask.body["labels"].as_array().into_iter().flatten();
    let labels = labels.filter_map(|label| label.as_str().map(str::to_owned)).collect();
    let issue = Issue { title, body, labels, author: ask.token.account.clone(), created_at: now, ..Issue::default() };
    let json = json_of(last + 1, &issue, ask);
    repo.issues.insert(last + 1, issue);
    Ok(Reply::created(json))
}

fn get(state: &mut State, ask: &Ask) -> Answer {
    let number = ask.number("issue_number");
    let issue = state.of(ask)?.issues.get(&number).ok_or_else(Reply::not_found)?;
    Ok(Reply::ok(json_of(number, issue, ask)))
}

fn update(state: &mut State, ask: &Ask) -> Answer {
    let number = ask.number("issue_number");
    let title = ask.given("title").map(|_| title(ask)).transpose()?;
    let body = ask.given("body").map(|_| body(ask)).transpose()?;
    let issue = state.of(ask)?.issues.get_mut(&number).ok_or_else(Reply::not_found)?;
    issue.title = title.unwrap_or_else(|| issue.title.clone());
    issue.body = body.unwrap_or_else(|| issue.body.clone());
    if let Some(state) = ask.given("state") {
        issue.open = state == "open";
        issue.reason = ask.given("state_reason");
    }
    Ok(Reply::ok(json_of(number, issue, ask)))
}

fn title(ask: &Ask) -> Result<String, Refusal> {
    let title = ask.given("title").unwrap_or_default();
    ask.demand(!title.trim().is_empty(), "/title", &json!(title), "a title cannot be blank")?;
    let length = title.chars().count();
    ask.demand(length <= MOST_TITLE, "/title", &json!(length), "more than 256 characters")?;
    Ok(title)
}

fn body(ask: &Ask) -> Result<String, Refusal> {
    let body = ask.given("body").unwrap_or_default();
    let length = body.chars().count();
    ask.demand(length <= MOST_BODY, "/body", &json!(length), "more than 65,536 characters")?;
    Ok(body)
}

fn json_of(number: u64, issue: &Issue, ask: &Ask) -> Value {
    let json = json!({
        "number": number,
        "url": ask.url(&format!("issues/{number}")),
        "html_url": format!("https://github.test/{}/issues/{number}", ask.repository()),
        "title": issue.title,
        "body": issue.body,
        "labels": issue.labels,
        "user": issue.author.json(),
        "state": if issue.open { "open" } else { "closed" },
        "state_reason": issue.reason,
        "created_at": issue.created_at,
        "author_association": "NONE",
        "performed_via_github_app": issue.author.app_json(),
    });
    contract().complete("issue", json)
}
