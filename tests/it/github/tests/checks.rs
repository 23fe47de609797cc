//! Check runs: what is created is there, annotations append, lists filter and page.

use super::*;

fn list(client: &Client, query: &str) -> Value {
    let got = client.get(&format!("/repos/octo/shop/commits/{HEAD}/check-runs{query}"));
    assert_eq!(got.status, 200, "{got:?}");
    got.body["check_runs"].clone()
}

fn names(runs: &Value) -> Vec<&str> {
    runs.as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect()
}

#[test]
fn a_created_check_run_is_there() {
    let (fake, client) = start();
    let mut body = check("gatepost/lint");
    body["external_id"] = json!("run-1");
    body["details_url"] = json!("https://github.test/1");
    body["started_at"] = json!("2026-01-01T00:00:00Z");
    body["completed_at"] = json!("2026-01-01T00:00:09Z");
    body["output"] = json!({ "title": "t", "summary": "s", "text": "x", "annotations": [annotation(3)] });
    let id = create_check(&client, &body);
    let got = client.get(&format!("/repos/octo/shop/check-runs/{id}")).body;
    for key in ["name", "head_sha", "status", "conclusion", "external_id", "details_url", "started_at", "completed_at"]
    {
        assert_eq!(got[key], body[key], "{key}");
    }
    for key in ["title", "summary", "text"] {
        assert_eq!(got["output"][key], body["output"][key], "{key}");
    }
    assert_eq!(got["app"]["slug"], "github-actions");
    assert_eq!(got["output"]["annotations_count"], 1);
    assert!(got["html_url"].as_str().unwrap().ends_with(&id.to_string()));
    assert!(id > u64::from(u32::MAX));
    assert_eq!(list(&client, "")[0]["id"], id);
    assert_eq!(client.get("/repos/octo/shop/check-runs/1").status, 404);
    fake.with(|github| {
        let stored = &github.repo("octo/shop").checks[0];
        assert_eq!(
            (stored.id, stored.external_id.as_deref(), stored.details_url.as_deref(), stored.completed_at.as_deref()),
            (id, Some("run-1"), Some("https://github.test/1"), Some("2026-01-01T00:00:09Z")),
        );
    });
    fake.finish();
}

#[test]
fn an_update_changes_what_it_names_and_appends_annotations() {
    let (fake, client) = start();
    let id = create_check(&client, &json!({ "name": "gatepost/lint", "head_sha": HEAD, "status": "in_progress" }));
    let path = format!("/repos/octo/shop/check-runs/{id}");
    let started = client.get(&path).body["started_at"].clone();
    assert!(started.is_string());
    let page = |lines: std::ops::Range<u32>| lines.map(annotation).collect::<Vec<_>>();
    let first = json!({ "output": { "title": "t", "summary": "s", "text": "x", "annotations": page(1..51) } });
    assert_eq!(client.patch(&path, &first).status, 200);
    let second = json!({
        "conclusion": "failure", "external_id": "run-2", "name": "gatepost/lint2",
        "output": { "title": "t2", "summary": "s2", "annotations": page(51..56) },
    });
    let got = client.patch(&path, &second).body;
    assert_eq!(got["status"], "completed");
    assert_eq!(got["conclusion"], "failure");
    assert!(got["completed_at"].is_string());
    assert_eq!(got["started_at"], started);
    assert_eq!((&got["external_id"], &got["name"]), (&json!("run-2"), &json!("gatepost/lint2")));
    assert_eq!((&got["output"]["title"], &got["output"]["summary"]), (&json!("t2"), &json!("s2")));
    assert_eq!(got["output"]["text"], Value::Null);
    assert_eq!(got["output"]["annotations_count"], 55);
    let annotations = client.get(&format!("{path}/annotations?per_page=50&page=2"));
    assert_eq!(annotations.body.as_array().unwrap().len(), 5);
    assert_eq!(annotations.body[0]["start_line"], 51);
    assert_eq!(annotations.body[0]["title"], Value::Null);
    let again = client.patch(&path, &json!({ "status": "in_progress" })).body;
    assert_eq!((&again["conclusion"], &again["completed_at"]), (&Value::Null, &Value::Null));
    assert_eq!(client.patch("/repos/octo/shop/check-runs/1", &first).status, 404);
    fake.finish();
}

#[test]
fn lists_filter_by_name_app_and_status_and_show_the_latest() {
    let (fake, client) = start();
    let old = create_check(&client, &check("gatepost/lint"));
    let new = create_check(&client, &check("gatepost/lint"));
    create_check(&client, &json!({ "name": "gatepost/test", "head_sha": HEAD }));
    let other = fake.with(|github| {
        github.check("octo/shop", BASE, "elsewhere", "success", Account::actions());
        github.check("octo/shop", HEAD, "gatepost/lint", "success", Account::app(77, "other-app"))
    });
    assert_eq!(names(&list(&client, "")), ["gatepost/lint", "gatepost/test", "gatepost/lint"]);
    assert_eq!(list(&client, "?filter=all").as_array().unwrap().len(), 4);
    let lint = list(&client, "?check_name=gatepost%2Flint&filter=all");
    let ids: Vec<_> = lint.as_array().unwrap().iter().map(|run| run["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [other, new, old]);
    assert_eq!(list(&client, "?check_name=gatepost/lint&app_id=15368")[0]["id"], new);
    assert_eq!(list(&client, "?app_id=77")[0]["id"], other);
    assert_eq!(names(&list(&client, "?status=queued")), ["gatepost/test"]);
    let by_branch = client.get("/repos/octo/shop/commits/feature/check-runs?per_page=1");
    assert_eq!(
        (&by_branch.body["total_count"], by_branch.body["check_runs"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
    assert!(by_branch.headers["link"].contains("per_page=1&page=2>; rel=\"next\""), "{by_branch:?}");
    let unknown = client.get(&format!("/repos/octo/shop/commits/{NEXT}/check-runs"));
    assert_eq!(unknown.status, 422);
    fake.finish();
}

#[test]
fn only_the_app_that_made_it_may_change_it() {
    let (fake, client) = start();
    let id = create_check(&client, &check("gatepost/lint"));
    let other = Client::new(&fake.url(), "other");
    let got = other.patch(&format!("/repos/octo/shop/check-runs/{id}"), &json!({ "name": "mine" }));
    assert_eq!(got.status, 403);
    assert!(got.body["message"].as_str().unwrap().starts_with("Invalid app_id `15368`"), "{got:?}");
    fake.finish();
}

#[test]
fn an_unknown_commit_and_a_refused_annotation_are_answered_not_red() {
    let (fake, client) = start();
    let mut body = check("gatepost/lint");
    body["head_sha"] = json!(NEXT);
    let got = client.post("/repos/octo/shop/check-runs", &body);
    assert_eq!((got.status, &got.body["message"]), (422, &json!(format!("No commit found for SHA: {NEXT}"))));
    fake.with(|github| github.refused_annotations.insert("src/a.rs".to_owned()));
    body["head_sha"] = json!(HEAD);
    body["output"] = json!({ "title": "t", "summary": "s", "annotations": [annotation(1)] });
    let got = client.post("/repos/octo/shop/check-runs", &body);
    assert_eq!((got.status, &got.body["errors"][0]["field"]), (422, &json!("annotations")));
    let id = create_check(&client, &check("gatepost/lint"));
    let got = client.patch(&format!("/repos/octo/shop/check-runs/{id}"), &json!({ "output": body["output"] }));
    assert_eq!(got.status, 422);
    assert_eq!(fake.with(|github| github.repo("octo/shop").checks.len()), 1);
    fake.finish();
}
