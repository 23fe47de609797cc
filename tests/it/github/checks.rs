//! Check runs and their annotations: <https://docs.github.com/rest/checks/runs>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::contract::contract;
use super::exchange::{Answer, Ask, Refusal, Reply};
use super::server::Operation;
use super::state::{CheckRun, State};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("checks/create", create),
    ("checks/update", update),
    ("checks/get", get),
    ("checks/list-for-ref", list_for_ref),
    ("checks/list-annotations", list_annotations),
];

/// Bytes in `summary` and `text`.
const MOST_BYTES: usize = 65_535;
/// Bytes in an annotation's `message` and `raw_details`.
const MOST_ANNOTATION_BYTES: usize = 64 * 1024;
/// Characters in a title.
const MOST_TITLE: usize = 255;

fn create(state: &mut State, ask: &Ask) -> Answer {
    let sha = ask.given("head_sha").unwrap_or_default();
    obey_rules(ask)?;
    demand_sha(ask, "/head_sha", &sha)?;
    if !state.of(ask)?.commits.contains_key(&sha) {
        return Err(Reply::no_commit(&sha).into());
    }
    accept_annotations(state, ask)?;
    let (id, now) = (state.next_id(), state.now());
    let mut check = CheckRun::new(id, &sha, &ask.given("name").unwrap_or_default(), ask.token.account.clone());
    check.started_at = Some(now.clone());
    apply(&mut check, ask, &now);
    let reply = json_of(&check, ask);
    state.of(ask)?.checks.push(check);
    Ok(Reply::created(reply))
}

fn update(state: &mut State, ask: &Ask) -> Answer {
    obey_rules(ask)?;
    let owner = find(state, ask)?.owner.clone();
    if owner != ask.token.account {
        let app = owner.app.map(|(id, _)| id).unwrap_or_default();
        let message =
            format!("Invalid app_id `{app}` - check run can only be modified by the GitHub App that created it.");
        return Err(Reply::error(403, &message).into());
    }
    accept_annotations(state, ask)?;
    let now = state.now();
    let check = find(state, ask)?;
    apply(check, ask, &now);
    Ok(Reply::ok(json_of(check, ask)))
}

fn get(state: &mut State, ask: &Ask) -> Answer {
    Ok(Reply::ok(json_of(find(state, ask)?, ask)))
}

fn list_for_ref(state: &mut State, ask: &Ask) -> Answer {
    let repo = state.of(ask)?;
    let sha = repo.resolve(ask.text("ref")).ok_or_else(|| Reply::no_commit(ask.text("ref")))?;
    let wanted = |key: &str, actual: &str| ask.arguments.get(key).is_none_or(|wanted| wanted == actual);
    let app = ask.arguments.get("app_id").and_then(Value::as_u64);
    let mut seen = BTreeSet::new();
    let newest_first = repo.checks.iter().rev().filter(|check| check.head_sha == sha);
    let runs: Vec<Value> = newest_first
        .filter(|check| wanted("check_name", &check.name) && wanted("status", &check.status))
        .filter(|check| app.is_none_or(|app| check.owner.app.as_ref().is_some_and(|(id, _)| *id == app)))
        .filter(|check| ask.text("filter") == "all" || seen.insert((check.owner.id, check.name.clone())))
        .map(|check| json_of(check, ask))
        .collect();
    let total = runs.len();
    Ok(ask.page(runs, |runs| json!({ "total_count": total, "check_runs": runs })))
}

fn list_annotations(state: &mut State, ask: &Ask) -> Answer {
    let annotations = find(state, ask)?.annotations.clone();
    Ok(ask.page(annotations, |page| page))
}

fn find<'a>(state: &'a mut State, ask: &Ask) -> Result<&'a mut CheckRun, Reply> {
    let id = ask.number("check_run_id");
    state.of(ask)?.checks.iter_mut().find(|check| check.id == id).ok_or_else(Reply::not_found)
}

/// A sha in full, in lower case.
pub fn demand_sha(ask: &Ask, place: &str, sha: &str) -> Result<(), Refusal> {
    let full = sha.len() == 40 && sha.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ask.demand(full, place, &json!(sha), "a sha is 40 hexadecimal digits")
}

/// What the API's pages demand beyond the description.
fn obey_rules(ask: &Ask) -> Result<(), Refusal> {
    let (status, conclusion) = (&ask.body["status"], &ask.body["conclusion"]);
    let ended = status == "completed" && conclusion.is_null();
    ask.demand(!ended, "/status", status, "`completed` needs a conclusion")?;
    let contrary = !conclusion.is_null() && !status.is_null() && status != "completed";
    ask.demand(!contrary, "/status", status, "a conclusion makes the status `completed`")?;
    ask.demand(conclusion != "stale", "/conclusion", conclusion, "only GitHub may say `stale`")?;
    let output = &ask.body["output"];
    if output.is_null() {
        return Ok(());
    }
    for key in ["title", "summary"] {
        ask.demand(output[key].is_string(), "/output", output, "output needs a title and a summary")?;
    }
    for key in ["summary", "text"] {
        let bytes = output[key].as_str().map_or(0, str::len);
        ask.demand(bytes <= MOST_BYTES, &format!("/output/{key}"), &json!(bytes), "more than 65,535 bytes")?;
    }
    demand_title(ask, "/output", output)?;
    for (index, annotation) in output["annotations"].as_array().into_iter().flatten().enumerate() {
        obey_annotation_rules(ask, &format!("/output/annotations/{index}"), annotation)?;
    }
    Ok(())
}

fn obey_annotation_rules(ask: &Ask, place: &str, annotation: &Value) -> Result<(), Refusal> {
    let number = |key: &str| annotation[key].as_i64();
    let (start, end) = (number("start_line"), number("end_line"));
    ask.demand(start >= Some(1), place, annotation, "lines count from 1")?;
    ask.demand(end >= start, place, annotation, "end_line lies before start_line")?;
    let columns = number("start_column").or(number("end_column"));
    ask.demand(columns.is_none() || start == end, place, annotation, "columns are for annotations of one line")?;
    if let (Some(from), Some(to)) = (number("start_column"), number("end_column")) {
        ask.demand(to >= from, place, annotation, "end_column lies before start_column")?;
    }
    for key in ["message", "raw_details"] {
        let bytes = annotation[key].as_str().map_or(0, str::len);
        ask.demand(bytes <= MOST_ANNOTATION_BYTES, place, &json!(bytes), "more than 64 KB")?;
    }
    let path = annotation["path"].as_str().unwrap_or_default();
    let inside = !path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == "..");
    ask.demand(inside, place, annotation, "a path is relative to the repository")?;
    demand_title(ask, place, annotation)
}

fn demand_title(ask: &Ask, place: &str, of: &Value) -> Result<(), Refusal> {
    let length = of["title"].as_str().map_or(0, |title| title.chars().count());
    ask.demand(length <= MOST_TITLE, &format!("{place}/title"), &json!(length), "a title of more than 255 characters")
}

/// Refuses paths that the test declared unacceptable, as GitHub refuses what it cannot place.
fn accept_annotations(state: &State, ask: &Ask) -> Result<(), Refusal> {
    let annotations = ask.body["output"]["annotations"].as_array().into_iter().flatten();
    let mut paths = annotations.filter_map(|annotation| annotation["path"].as_str());
    match paths.find(|path| state.refused_annotations.contains(*path)) {
        Some(path) => {
            Err(Reply::unprocessable("CheckRun", "annotations", "invalid", &format!("{path} is not valid")).into())
        }
        None => Ok(()),
    }
}

fn apply(check: &mut CheckRun, ask: &Ask, now: &str) {
    let set = |field: &mut Option<String>, key: &str| {
        if let Some(value) = ask.given(key) {
            *field = Some(value);
        }
    };
    set(&mut check.external_id, "external_id");
    set(&mut check.details_url, "details_url");
    set(&mut check.started_at, "started_at");
    set(&mut check.completed_at, "completed_at");
    set(&mut check.conclusion, "conclusion");
    check.name = ask.given("name").unwrap_or_else(|| check.name.clone());
    check.status = ask.given("status").unwrap_or_else(|| check.status.clone());
    if ask.given("conclusion").is_some() {
        "completed".clone_into(&mut check.status);
        check.completed_at.get_or_insert_with(|| now.to_owned());
    } else if check.status != "completed" {
        check.conclusion = None;
        check.completed_at = None;
    }
    let output = &ask.body["output"];
    if output.is_object() {
        // GitHub does not say whether an output without `text` keeps the old one; forgetting it is the harsher reading.
        let part = |key: &str| output[key].as_str().map(str::to_owned);
        (check.title, check.summary, check.text) = (part("title"), part("summary"), part("text"));
        for given in output["annotations"].as_array().into_iter().flatten() {
            check.annotations.push(annotation_json(given, ask, &check.head_sha));
        }
    }
}

fn annotation_json(given: &Value, ask: &Ask, sha: &str) -> Value {
    let mut annotation = given.clone();
    let path = given["path"].as_str().unwrap_or_default();
    annotation["blob_href"] = json!(format!("https://github.test/{}/blob/{sha}/{path}", ask.repository()));
    contract().complete("check-annotation", annotation)
}

fn json_of(check: &CheckRun, ask: &Ask) -> Value {
    let url = ask.url(&format!("check-runs/{}", check.id));
    let run = json!({
        "id": check.id,
        "node_id": format!("CR_{}", check.id),
        "head_sha": check.head_sha,
        "name": check.name,
        "external_id": check.external_id.clone().unwrap_or_default(),
        "url": url,
        "html_url": format!("https://github.test/{}/runs/{}", ask.repository(), check.id),
        "details_url": check.details_url,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": check.started_at,
        "completed_at": check.completed_at,
        "app": check.owner.app_json(),
        "check_suite": { "id": 1 },
        "pull_requests": [],
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
    });
    contract().complete("check-run", run)
}
