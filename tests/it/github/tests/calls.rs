//! Every kind of call the program plans: the right one passes, and each of its keys, misspelt, turns the test red.

use serde_json::{Map, Value, json};

use super::*;

struct Planned {
    operation: &'static str,
    method: &'static str,
    path: String,
    query: &'static [(&'static str, &'static str)],
    body: Value,
    status: u16,
}

/// One of each, with every key the program may send. Ids are those of the objects that [`prepare`] makes.
fn planned(check_id: u64, comment_id: u64) -> Vec<Planned> {
    let call = |operation, method, path: &str, body, status| Planned {
        operation,
        method,
        path: format!("/repos/octo/shop/{path}"),
        query: &[],
        body,
        status,
    };
    let mut annotation = annotation(3);
    annotation["start_column"] = json!(2);
    annotation["end_column"] = json!(5);
    annotation["title"] = json!("unused");
    let mut create = check("gatepost/lint");
    create["external_id"] = json!("run-1/lint/1");
    create["started_at"] = json!("2026-01-02T03:04:05Z");
    create["completed_at"] = json!("2026-01-02T03:04:06Z");
    create["details_url"] = json!("https://github.test/octo/shop/actions/runs/1");
    create["output"] = json!({ "title": "2 new", "summary": "two", "text": "all", "annotations": [annotation] });
    let update = json!({ "output": create["output"] });
    let status = json!({ "state": "failure", "context": "gatepost/lint", "description": "2 new", "target_url": "https://github.test/1" });
    let mut list_checks = call("checks/list-for-ref", "GET", &format!("commits/{HEAD}/check-runs"), Value::Null, 200);
    list_checks.query =
        &[("check_name", "gatepost/lint"), ("filter", "all"), ("app_id", "15368"), ("per_page", "100"), ("page", "1")];
    let mut list_comments = call("issues/list-comments", "GET", "issues/7/comments", Value::Null, 200);
    list_comments.query = &[("per_page", "100"), ("page", "1")];
    vec![
        call("checks/create", "POST", "check-runs", create, 201),
        call("checks/update", "PATCH", &format!("check-runs/{check_id}"), update, 200),
        call("checks/get", "GET", &format!("check-runs/{check_id}"), Value::Null, 200),
        list_checks,
        call("issues/create-comment", "POST", "issues/7/comments", json!({ "body": "hello" }), 201),
        call(
            "issues/update-comment",
            "PATCH",
            &format!("issues/comments/{comment_id}"),
            json!({ "body": "hello" }),
            200,
        ),
        call("issues/get-comment", "GET", &format!("issues/comments/{comment_id}"), Value::Null, 200),
        list_comments,
        call("repos/create-commit-status", "POST", &format!("statuses/{HEAD}"), status, 201),
        call("pulls/get", "GET", "pulls/7", Value::Null, 200),
        call("repos/compare-commits-with-basehead", "GET", &format!("compare/{BASE}...{HEAD}"), Value::Null, 200),
        Planned {
            operation: "graphql",
            method: "POST",
            path: "/graphql".to_owned(),
            query: &[],
            body: json!({ "query": "query { viewer { login } }" }),
            status: 200,
        },
        call("issues/delete-comment", "DELETE", &format!("issues/comments/{comment_id}"), Value::Null, 204),
    ]
}

fn prepare() -> (FakeGitHub, Client, Vec<Planned>) {
    let (fake, client) = start();
    let ids = fake.with(|github| {
        let check = github.check("octo/shop", HEAD, "gatepost/test", "success", Account::actions());
        (check, github.comment("octo/shop", 7, Account::actions(), "old"))
    });
    (fake, client, planned(ids.0, ids.1))
}

fn send(client: &Client, call: &Planned, query: &[(String, String)], body: &Value) -> Got {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = if pairs.is_empty() { call.path.clone() } else { format!("{}?{}", call.path, pairs.join("&")) };
    client.send(call.method, &path, (!body.is_null()).then_some(body)).unwrap()
}

fn query(call: &Planned) -> Vec<(String, String)> {
    call.query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_right_calls_pass() {
    let (fake, client, calls) = prepare();
    for call in &calls {
        let got = send(&client, call, &query(call), &call.body);
        assert_eq!(got.status, call.status, "{}: {got:?}", call.operation);
        assert_eq!(fake.requests("*").last().unwrap().operation, call.operation);
    }
    fake.finish();
}

#[test]
fn each_key_misspelt_turns_red() {
    let (fake, client, calls) = prepare();
    let mut tried = 0;
    for call in &calls {
        let bodies = misspelt(&call.body).into_iter();
        let mut variants: Vec<_> = bodies.map(|(place, body)| (place, query(call), body)).collect();
        for place in 0..call.query.len() {
            let mut query = query(call);
            query[place].0.push('x');
            variants.push((query[place].0.clone(), query, call.body.clone()));
        }
        for (place, query, body) in variants {
            let got = send(&client, call, &query, &body);
            assert_eq!(got.status, 422, "{} with {place}: {got:?}", call.operation);
            let red = fake.forgive();
            assert!(red.iter().any(|one| one.contains(call.operation)), "{} with {place}: {red:?}", call.operation);
            tried += 1;
        }
    }
    assert!(tried > 40, "only {tried} keys tried");
    fake.finish();
}

/// The body once for each of its keys, with that key misspelt.
fn misspelt(body: &Value) -> Vec<(String, Value)> {
    match body {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                let renamed = renamed(object, key);
                let inner = misspelt(value).into_iter().map(|(place, inner)| {
                    let mut whole = object.clone();
                    whole.insert(key.clone(), inner);
                    (format!("{key}/{place}"), Value::Object(whole))
                });
                std::iter::once((format!("{key}x"), renamed)).chain(inner.collect::<Vec<_>>())
            })
            .collect(),
        Value::Array(items) => {
            let first = items.first().map(misspelt).unwrap_or_default();
            first.into_iter().map(|(place, item)| (format!("0/{place}"), json!([item]))).collect()
        }
        _ => Vec::new(),
    }
}

fn renamed(object: &Map<String, Value>, key: &str) -> Value {
    object
        .iter()
        .map(|(name, value)| (if name == key { format!("{key}x") } else { name.clone() }, value.clone()))
        .collect()
}

#[test]
#[should_panic(expected = "checks/create at request : Additional properties are not allowed ('nam' was unexpected)")]
fn a_violation_fails_the_test_when_the_fake_ends() {
    let (_fake, client) = start();
    let mut body = check("lint");
    body["nam"] = json!("lint");
    client.post("/repos/octo/shop/check-runs", &body);
}

#[test]
fn wrong_types_formats_and_paths_turn_red() {
    let (fake, client) = start();
    let mut dated = check("lint");
    dated["completed_at"] = json!("yesterday");
    let red = |got: Got, what: &str| {
        assert!(got.status == 422 || got.status == 404, "{got:?}");
        let red = fake.forgive();
        assert!(red.iter().any(|one| one.contains(what)), "{red:?}");
    };
    red(client.post("/repos/octo/shop/check-runs", &dated), "completed_at");
    red(client.post("/repos/octo/shop/issues/7/comments", &json!({ "body": 7 })), "string");
    red(client.get("/repos/octo/shop/pulls/seven"), "path parameter pull_number");
    red(client.get("/repos/octo/shop/issues/7/comments?per_page=many"), "query parameter per_page");
    red(client.get(&format!("/repos/octo/shop/commits/{HEAD}/check-runs?filter=newest")), "newest");
    red(client.get("/repos/octo/shop/pull/7"), "there is no such operation");
    red(client.send("DELETE", "/repos/octo/shop/issues/comments/1", Some(&json!({}))).unwrap(), "takes no body");
    red(client.send("POST", "/repos/octo/shop/issues/7/comments", None).unwrap(), "needs a body");
    let got = client.send_text("POST", "/repos/octo/shop/issues/7/comments", "{").unwrap();
    assert_eq!((got.status, got.body["message"].as_str()), (400, Some("Problems parsing JSON")));
    assert!(fake.forgive()[0].contains("not JSON"));
    let got = client.get("/repos/octo/shop/tags");
    assert_eq!(got.status, 404);
    assert!(fake.forgive()[0].contains("does not play"));
    fake.finish();
}
