//! What pushes and pull requests left: the report of the base, and the pull request that a commit came from.

use super::*;
use crate::publish::interpreter::baseline::NotKept;

fn sha(number: usize) -> String {
    format!("{number:040x}")
}

/// An artifact of our own repository and the branch `main`.
fn artifact(id: u64, run: u64, commit: usize) -> Value {
    json!({ "id": id, "name": "gatepost-baseline", "expired": false, "workflow_run": {
        "id": run, "repository_id": 5, "head_repository_id": 5, "head_branch": "main", "head_sha": sha(commit) } })
}

/// A run of a push to it that ended.
fn run(id: u64, commit: usize) -> Value {
    json!({ "id": id, "event": "push", "head_sha": sha(commit), "head_branch": "main", "conclusion": "success",
        "head_repository": { "full_name": "o/r" }, "html_url": "https://r" })
}

fn with(mut one: Value, key: &str, value: Value) -> Value {
    *one.pointer_mut(key).unwrap() = value;
    one
}

/// Commit 1 is the base, each has the next one as first parent, and a second one that is not of the branch.
fn history(length: usize) -> Value {
    let one = |at: usize| json!({ "sha": sha(at), "parents": [{ "sha": sha(at + 1) }, { "sha": sha(at + 900) }] });
    (1..=length).map(one).collect()
}

fn hub(artifacts: &[Value], runs: &[Value]) -> Hub {
    let hub = Hub::new();
    hub.with(|state| {
        let list = "/actions/artifacts?name=gatepost-baseline&per_page=100".to_owned();
        state.served.push((list, 200, json!({ "artifacts": artifacts })));
        for run in runs {
            state.served.push((format!("/actions/runs/{}", run["id"]), 200, run.clone()));
        }
        state.served.push((format!("/commits?sha={}&per_page=100", sha(1)), 200, history(40)));
        state.downloads = vec![Ok(b"zip".to_vec())];
    });
    hub
}

/// The commit whose report was found.
async fn found(artifacts: &[Value], runs: &[Value]) -> Result<usize, NotKept> {
    let base = Sha::parse(&sha(1)).unwrap();
    let kept = interpreter(&hub(artifacts, runs)).kept_report(&base, "main").await?;
    assert_eq!(kept.archive, b"zip");
    Ok(usize::from_str_radix(kept.head.as_str(), 16).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_report_of_the_nearest_commit_is_taken() {
    assert_eq!(found(&[artifact(1, 9, 1)], &[run(9, 1)]).await, Ok(1));
    assert_eq!(found(&[artifact(1, 9, 3), artifact(2, 8, 2)], &[run(8, 2), run(9, 3)]).await, Ok(2));
    assert_eq!(found(&[artifact(1, 9, 3), artifact(2, 8, 1)], &[run(8, 1), run(9, 3)]).await, Ok(1));
    assert_eq!(found(&[artifact(1, 9, 21)], &[run(9, 21)]).await, Ok(21), "twenty commits before");
    for far in [22, 901] {
        let why = found(&[artifact(1, 9, far)], &[run(9, far)]).await.unwrap_err();
        assert!(matches!(why, NotKept::TooFar { .. }), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_push_to_the_branch_of_this_repository_counts() {
    for (key, value) in [
        ("/expired", json!(true)),
        ("/name", json!("gatepost-baseline-2")),
        ("/workflow_run/head_repository_id", json!(6)),
        ("/workflow_run/head_branch", json!("topic")),
        ("/workflow_run", json!(null)),
    ] {
        let why = found(&[with(artifact(1, 9, 1), key, value)], &[run(9, 1)]).await.unwrap_err();
        assert_eq!(why, NotKept::Never("main".to_owned()), "{key}");
    }
    let nowhere = ["repository_id", "head_repository_id"].map(|key| format!("/workflow_run/{key}"));
    let unknown = nowhere.iter().fold(artifact(1, 9, 1), |one, key| with(one, key, json!(null)));
    assert_eq!(found(&[unknown], &[run(9, 1)]).await, Err(NotKept::Never("main".to_owned())));
    for (key, value, counts) in [
        ("/event", json!("pull_request"), false),
        ("/conclusion", json!("cancelled"), false),
        ("/conclusion", json!(null), false),
        ("/conclusion", json!("failure"), true),
        ("/head_branch", json!("topic"), false),
        ("/head_repository", json!(null), false),
        ("/head_repository/full_name", json!("mallory/r"), false),
        ("/head_repository/full_name", json!("O/R"), true),
        ("/head_sha", json!(sha(2)), false),
    ] {
        let is = found(&[artifact(1, 9, 1)], &[with(run(9, 1), key, value.clone())]).await;
        assert_eq!(is.is_ok(), counts, "{key} {value}: {is:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_runs_of_a_commit_the_newest_four_are_looked_at() {
    let artifacts: Vec<Value> = (1..=5).map(|id| artifact(id, 10 + id, 1)).collect();
    let runs = |good: u64| -> Vec<Value> {
        let conclusion = |id| if id == good { "success" } else { "cancelled" };
        (11..=15).map(|id| with(run(id, 1), "/conclusion", json!(conclusion(id)))).collect()
    };
    for good in 12..=15 {
        assert_eq!(found(&artifacts, &runs(good)).await, Ok(1), "{good}");
    }
    assert!(matches!(found(&artifacts, &runs(11)).await, Err(NotKept::TooFar { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_look_is_told_from_an_outage() {
    let why = async |fault| {
        let hub = Hub::new().fault(Trigger::Every(Method::Get, "/actions"), fault);
        interpreter(&hub).kept_report(&head(), "main").await.unwrap_err()
    };
    assert!(matches!(why(Fault::Denied("Resource not accessible by integration")).await, NotKept::Denied(_)));
    assert!(matches!(why(Fault::Unavailable).await, NotKept::Stopped(_)));
}

#[tokio::test(start_paused = true)]
async fn the_pull_request_of_a_commit_is_the_nearest_that_was_not_given_up() {
    let pull = |number: u64, state: &str, merge: Option<&Sha>, its_head: &str| {
        json!({ "number": number, "state": state, "merged_at": merge.map(|_| "2026-01-01T00:00:00Z"),
            "merge_commit_sha": merge.map_or("b".repeat(40), |sha| sha.as_str().to_owned()),
            "head": { "sha": its_head.repeat(40) } })
    };
    let of = async |status: u16, pulls: &[Value]| {
        let hub = Hub::new();
        let path = format!("/commits/{}/pulls?per_page=100", head());
        hub.with(|state| state.served.push((path, status, json!(pulls))));
        interpreter(&hub).pull_request_of(&head()).await.map_err(|_| ())
    };
    let other = Sha::parse(&"c".repeat(40)).unwrap();
    let merged = pull(3, "closed", Some(&head()), "d");
    let at_head = pull(4, "open", None, "a");
    let brought = [pull(5, "open", None, "d"), pull(6, "closed", Some(&other), "d")];
    let given_up = pull(9, "closed", None, "a");
    assert_eq!(of(200, &[]).await, Ok(None));
    assert_eq!(of(200, std::slice::from_ref(&given_up)).await, Ok(None));
    assert_eq!(of(200, &brought).await, Ok(Some(6)));
    let all = [&brought[..], &[at_head, given_up]].concat();
    assert_eq!(of(200, &all).await, Ok(Some(4)));
    assert_eq!(of(200, &[&all[..], &[merged]].concat()).await, Ok(Some(3)));
    // An open one whose branch may be merged as this very commit was not merged as it.
    let mut maybe = pull(2, "open", None, "d");
    maybe["merge_commit_sha"] = json!(head());
    assert_eq!(of(200, &[maybe, brought[0].clone()]).await, Ok(Some(5)));
    assert_eq!((of(404, &[]).await, of(422, &[]).await, of(403, &[]).await), (Ok(None), Ok(None), Err(())));
}
