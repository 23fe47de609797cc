//! What the description does not say: limits, permissions, allowances, identity.

use super::super::{Scope, contract::contract};
use super::*;

/// A breach is answered 422 and turns the test red.
fn breach(fake: &FakeGitHub, got: &Got, what: &str) {
    assert_eq!(got.status, 422, "{got:?}");
    let red = fake.forgive();
    assert!(red.len() == 1 && red[0].contains(what), "{what}: {red:?}");
}

#[test]
fn check_runs_obey_the_documented_limits() {
    let (fake, client) = start();
    let output = |key: &str, value: Value| {
        let mut body = check("lint");
        body["output"] = json!({ "title": "t", "summary": "s" });
        body["output"][key] = value;
        body
    };
    let annotated = |changes: Value| {
        let mut one = annotation(3);
        one.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        output("annotations", json!([one]))
    };
    let root = |changes: Value| {
        let mut body = json!({ "name": "lint", "head_sha": HEAD });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let long = |bytes: usize| json!("x".repeat(bytes));
    let wide = json!("é".repeat(40_000));
    let cases = [
        (root(json!({ "status": "completed" })), "needs a conclusion"),
        (root(json!({ "status": "queued", "conclusion": "success" })), "makes the status"),
        (root(json!({ "conclusion": "stale" })), "only GitHub"),
        (root(json!({ "head_sha": "2222222" })), "40 hexadecimal"),
        (root(json!({ "head_sha": HEAD.replace('2', "A") })), "40 hexadecimal"),
        (output("title", long(256)), "255 characters"),
        (output("summary", wide.clone()), "65,535 bytes"),
        (output("text", wide), "65,535 bytes"),
        (annotated(json!({ "start_line": 4 })), "before start_line"),
        (annotated(json!({ "start_line": 0 })), "count from 1"),
        (annotated(json!({ "end_line": 4, "start_column": 1 })), "one line"),
        (annotated(json!({ "end_line": 4, "end_column": 1 })), "one line"),
        (annotated(json!({ "start_column": 4, "end_column": 3 })), "end_column"),
        (annotated(json!({ "title": long(256) })), "255 characters"),
        (annotated(json!({ "message": long(65_537) })), "64 KB"),
        (annotated(json!({ "path": "../a" })), "relative"),
        (annotated(json!({ "path": "/a" })), "relative"),
        (annotated(json!({ "path": "" })), "relative"),
        (output("annotations", (0..51).map(annotation).collect()), "50 items"),
    ];
    for (body, what) in &cases {
        breach(&fake, &client.post("/repos/octo/shop/check-runs", body), what);
    }
    let id = create_check(&client, &check("lint"));
    let path = format!("/repos/octo/shop/check-runs/{id}");
    breach(&fake, &client.patch(&path, &json!({ "output": { "summary": "s" } })), "title and a summary");
    breach(&fake, &client.patch(&path, &json!({ "status": "completed" })), "not valid under any");
    let mut most = output("summary", long(65_535));
    most["output"]["annotations"] = (1..51).map(annotation).collect();
    most["output"]["title"] = long(255);
    create_check(&client, &most);
    fake.finish();
}

#[test]
fn comments_and_statuses_obey_their_limits() {
    let (fake, client) = start();
    let comments = "/repos/octo/shop/issues/7/comments";
    breach(&fake, &client.post(comments, &json!({ "body": " \n" })), "blank");
    breach(&fake, &client.post(comments, &json!({ "body": "é".repeat(65_537) })), "65,536");
    let id = create_comment(&client, &"é".repeat(65_536));
    let path = format!("/repos/octo/shop/issues/comments/{id}");
    breach(&fake, &client.patch(&path, &json!({ "body": "" })), "blank");
    let statuses = format!("/repos/octo/shop/statuses/{HEAD}");
    let long = |length: usize| json!({ "state": "success", "description": "é".repeat(length) });
    breach(&fake, &client.post(&statuses, &long(141)), "140");
    assert_eq!(client.post(&statuses, &long(140)).status, 201);
    breach(&fake, &client.post(&statuses, &json!({ "state": "success", "target_url": "x:y" })), "http(s)");
    breach(&fake, &client.post("/repos/octo/shop/statuses/main", &json!({ "state": "success" })), "40 hex");
    fake.finish();
}

#[test]
fn reviews_obey_their_limits() {
    let (fake, client) = start();
    let reviews = "/repos/octo/shop/pulls/7/reviews";
    breach(&fake, &client.post(reviews, &json!({ "event": "COMMENT" })), "needs a body");
    let comment = json!({ "path": "src/a.rs", "start_line": 3, "line": 3, "body": "b" });
    breach(&fake, &client.post(reviews, &json!({ "comments": [comment] })), "start_line");
    fake.finish();
}

#[test]
fn tokens_decide_what_may_be_written() {
    let fake = FakeGitHub::start(|github| {
        shop(github);
        github.token("narrow", Token::actions().without(Scope::Issues).without(Scope::PullRequests));
        github.token("pulls", Token::actions().without(Scope::Issues));
        github.repo("octo/shop").issue(9);
    });
    let write = |token: &str, path: &str, body: Value| {
        let got = Client::new(&fake.url(), token).post(&format!("/repos/octo/shop/{path}"), &body);
        (got.status, got.body["message"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (403, "Resource not accessible by integration".to_owned());
    let comment = json!({ "body": "b" });
    let status = json!({ "state": "success" });
    assert_eq!(write("fork", "check-runs", check("lint")), refused);
    assert_eq!(write("fork", "issues/7/comments", comment.clone()), refused);
    assert_eq!(write("fork", &format!("statuses/{HEAD}"), status.clone()), refused);
    assert_eq!(write("narrow", "issues/7/comments", comment.clone()), refused);
    assert_eq!(write("narrow", "check-runs", check("lint")).0, 201);
    assert_eq!(write("pulls", "issues/7/comments", comment.clone()).0, 201);
    assert_eq!(write("pulls", "issues/9/comments", comment.clone()), refused);
    let own = fake.with(|github| github.repo("octo/shop").comments[0].id);
    let update = |token: &str| {
        Client::new(&fake.url(), token).patch(&format!("/repos/octo/shop/issues/comments/{own}"), &comment).status
    };
    assert_eq!((update("pulls"), update("narrow")), (200, 403));
    assert_eq!(
        write("person", "check-runs", check("lint")),
        (403, "You must authenticate via a GitHub App.".to_owned())
    );
    assert_eq!(write("person", &format!("statuses/{HEAD}"), status).0, 201);
    assert_eq!(Client::new(&fake.url(), "fork").get("/repos/octo/shop/issues/7/comments").status, 200);
    fake.finish();
}

#[test]
fn what_is_not_seen_is_not_found() {
    let fake = FakeGitHub::start(|github| {
        shop(github);
        github.token("blind", Token::actions().blind(Scope::PullRequests));
        github.repo("octo/secret").private().pull(1, HEAD, BASE);
    });
    let client = Client::new(&fake.url(), "blind");
    assert_eq!(client.get("/repos/octo/shop/pulls/7").status, 200);
    assert_eq!(client.get("/repos/octo/secret/pulls/1").status, 403);
    assert_eq!(client.get("/repos/octo/secret").body["private"], true);
    let got = client.get("/repos/octo/nowhere/pulls/1");
    assert_eq!((got.status, &got.body["message"], &got.body["status"]), (404, &json!("Not Found"), &json!("404")));
    assert!(got.body["documentation_url"].is_string());
    fake.finish();
}

#[test]
fn requests_introduce_themselves() {
    let (fake, client) = start();
    let user = "/repos/octo/shop/pulls/7";
    assert_eq!(client.get(user).status, 200);
    let asking = |name: &'static str, value: &str| Client::new(&fake.url(), "actions").with(name, value).get(user);
    assert_eq!(asking("user-agent", "").status, 403);
    assert_eq!(asking("accept", "text/html").status, 415);
    assert_eq!(asking("accept", "").status, 200);
    assert_eq!(asking("x-github-api-version", "2020-01-01").status, 400);
    assert_eq!(asking("x-github-api-version", "").status, 200);
    assert_eq!(asking("authorization", "token actions").status, 200);
    for wrong in ["", "Bearer wrong", "Basic actions", "actions"] {
        let got = asking("authorization", wrong);
        assert_eq!((got.status, &got.body["message"]), (401, &json!("Bad credentials")), "{wrong}");
    }
    fake.finish();
}

#[test]
fn the_hourly_allowance_runs_out() {
    let fake = FakeGitHub::start(|github| {
        shop(github);
        github.token("short", Token::actions().limited(2));
    });
    let client = Client::new(&fake.url(), "short");
    let first = client.get("/repos/octo/shop/pulls/7");
    assert_eq!(
        (first.headers["x-ratelimit-limit"].as_str(), first.headers["x-ratelimit-remaining"].as_str()),
        ("2", "1")
    );
    assert_eq!(client.get("/rate_limit").body["rate"]["remaining"], 1);
    assert_eq!(client.get("/repos/octo/shop/pulls/7").headers["x-ratelimit-used"], "2");
    let over = client.get("/repos/octo/shop/pulls/7");
    assert_eq!((over.status, over.headers["x-ratelimit-remaining"].as_str()), (403, "0"));
    assert!(over.body["message"].as_str().unwrap().starts_with("API rate limit exceeded"));
    assert!(over.headers.contains_key("x-ratelimit-reset"));
    fake.finish();
}

#[test]
fn the_viewer_is_known_by_graphql_alone_for_an_app() {
    let (fake, client) = start();
    let viewer = |client: &Client, fields: &str| {
        client.post("/graphql", &json!({ "query": format!("query {{ viewer {{ {fields} }} }}") })).body
    };
    assert_eq!(viewer(&client, "login"), json!({ "data": { "viewer": { "login": "github-actions[bot]" } } }));
    assert_eq!(viewer(&client, "databaseId __typename id")["data"]["viewer"]["databaseId"], 41_898_282);
    let got = client.get("/user");
    assert_eq!((got.status, &got.body["message"]), (403, &json!("Resource not accessible by integration")));
    let person = Client::new(&fake.url(), "person");
    assert_eq!(person.get("/user").body["login"], "mona");
    assert_eq!(viewer(&person, "login")["data"]["viewer"]["login"], "mona");
    breach(&fake, &client.post("/graphql", &json!({ "query": "query { viewer { loginn } }" })), "no such field");
    breach(&fake, &client.post("/graphql", &json!({ "query": "mutation { x }" })), "alone");
    fake.finish();
}

#[test]
fn an_enterprise_server_lies_below_a_path() {
    let fake = FakeGitHub::start(|github| {
        shop(github.base_path("/api/v3"));
    });
    assert!(fake.url().ends_with("/api/v3"));
    let client = Client::new(&fake.url(), "actions");
    assert_eq!(client.get("/repos/octo/shop/pulls/7").status, 200);
    let listed = client.get("/repos/octo/shop/pulls?per_page=1").body;
    assert!(listed[0]["url"].as_str().unwrap().starts_with(&fake.url()));
    let query = json!({ "query": "{ viewer { login } }" });
    let beside = Client::new(fake.graphql_url().trim_end_matches("/graphql"), "actions");
    assert_eq!(beside.post("/graphql", &query).body["data"]["viewer"]["login"], "github-actions[bot]");
    assert_eq!(client.post("/graphql", &query).status, 404);
    let root = Client::new(fake.url().trim_end_matches("/api/v3"), "actions");
    assert_eq!(root.get("/repos/octo/shop/pulls/7").status, 404);
    assert_eq!(fake.forgive().len(), 2);
    fake.finish();
}

#[test]
fn replies_are_held_against_the_description_too() {
    let (fake, client) = start();
    let id = create_comment(&client, "b");
    fake.with(|github| github.repo("octo/shop").comments[0].created_at = "yesterday".to_owned());
    assert_eq!(client.get(&format!("/repos/octo/shop/issues/comments/{id}")).status, 200);
    let red = fake.forgive();
    assert!(red.len() == 1 && red[0].starts_with("issues/get-comment at reply 200 /created_at"), "{red:?}");
    fake.finish();
    let (route, _) = contract().find("GET", "/repos/octo/shop/issues/comments/1").unwrap();
    let whole = contract().complete("issue-comment", json!({ "id": 1 }));
    assert!(contract().reply(route, 200, Some(&whole)).is_empty());
    let mut misspelt = whole.clone();
    misspelt["bdy"] = json!("b");
    assert_eq!(contract().reply(route, 200, Some(&misspelt)).len(), 1);
    let mut wrong = whole;
    wrong["created_at"] = json!("today");
    assert_eq!(contract().reply(route, 200, Some(&wrong)).len(), 1);
    assert_eq!(contract().reply(route, 201, None).len(), 1);
    assert_eq!(contract().reply(route, 200, None).len(), 1);
}
