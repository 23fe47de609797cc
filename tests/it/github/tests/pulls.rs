//! Pull requests, comparisons, reviews and review comments.

use super::*;

#[test]
fn a_pull_request_shows_its_head_and_where_it_comes_from() {
    let (fake, client) = start();
    let pull = client.get("/repos/octo/shop/pulls/7").body;
    assert_eq!((&pull["head"]["sha"], &pull["base"]["sha"]), (&json!(HEAD), &json!(BASE)));
    assert_eq!((&pull["head"]["ref"], &pull["base"]["ref"]), (&json!("feature"), &json!("main")));
    assert_eq!((&pull["state"], &pull["head"]["repo"]["full_name"]), (&json!("open"), &json!("octo/shop")));
    assert_eq!(client.get("/repos/octo/shop/pulls/8").status, 404);
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        repo.push(7, NEXT);
        repo.pulls.get_mut(&7).unwrap().in_fork("mallory/shop").closed();
    });
    let pull = client.get("/repos/octo/shop/pulls/7").body;
    assert_eq!((&pull["head"]["sha"], &pull["state"]), (&json!(NEXT), &json!("closed")));
    assert_eq!(
        (&pull["head"]["repo"]["full_name"], &pull["head"]["repo"]["fork"]),
        (&json!("mallory/shop"), &json!(true))
    );
    let commits = client.get("/repos/octo/shop/pulls/7/commits").body;
    let shas: Vec<_> = commits.as_array().unwrap().iter().map(|commit| commit["sha"].as_str().unwrap()).collect();
    assert_eq!(shas, [HEAD, NEXT]);
    assert_eq!(client.get("/repos/octo/shop/pulls/7/files").body[0]["filename"], "src/a.rs");
    fake.finish();
}

#[test]
fn pull_requests_are_found_by_state_branch_and_commit() {
    let (fake, client) = start();
    let numbers = |path: &str| -> Vec<u64> {
        let got = client.get(&format!("/repos/octo/shop/{path}"));
        got.body.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect()
    };
    fake.with(|github| {
        github.repo("octo/shop").pull(8, NEXT, BASE).in_fork("mallory/shop").closed();
    });
    assert_eq!(numbers("pulls"), [7]);
    assert_eq!(numbers("pulls?state=closed"), [8]);
    assert_eq!(numbers("pulls?state=all&base=main"), [8, 7]);
    assert_eq!(numbers("pulls?state=all&head=mallory:feature"), [8]);
    assert_eq!(numbers("pulls?base=release"), [0; 0]);
    assert_eq!(numbers(&format!("commits/{HEAD}/pulls")), [7]);
    assert_eq!(numbers(&format!("commits/{NEXT}/pulls")), [0; 0]);
    fake.finish();
}

#[test]
fn a_comparison_finds_the_merge_base() {
    let (fake, client) = start();
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        repo.commit(NEXT, &[BASE]).branch("main", NEXT).commit(&"4".repeat(40), &[]);
    });
    let compare = |basehead: &str| client.get(&format!("/repos/octo/shop/compare/{basehead}"));
    let got = compare("main...mallory:feature").body;
    assert_eq!(got["merge_base_commit"]["sha"], BASE);
    assert_eq!(got["base_commit"]["sha"], NEXT);
    assert_eq!((&got["status"], &got["ahead_by"], &got["behind_by"]), (&json!("diverged"), &json!(1), &json!(1)));
    assert_eq!(got["commits"][0]["sha"], HEAD);
    assert_eq!(compare(&format!("{BASE}...{HEAD}")).body["status"], "ahead");
    assert_eq!(compare(&format!("{HEAD}...{BASE}")).body["status"], "behind");
    assert_eq!(compare(&format!("{HEAD}...{HEAD}")).body["status"], "identical");
    assert_eq!(compare(&format!("{BASE}...{}", "4".repeat(40))).status, 404);
    assert_eq!(compare(&format!("{BASE}...{}", "5".repeat(40))).status, 404);
    assert_eq!(client.get("/repos/octo/shop/commits/main").body["sha"], NEXT);
    assert_eq!(client.get("/repos/octo/shop/commits/nowhere").status, 422);
    fake.finish();
}

#[test]
fn reviews_carry_comments_on_changed_files() {
    let (fake, client) = start();
    let comment = |path: &str| json!({ "path": path, "line": 3, "side": "RIGHT", "body": "```suggestion\nx\n```" });
    let review =
        json!({ "event": "COMMENT", "body": "see below", "commit_id": HEAD, "comments": [comment("src/a.rs")] });
    let got = client.post("/repos/octo/shop/pulls/7/reviews", &review);
    assert_eq!((got.status, &got.body["state"]), (200, &json!("COMMENTED")));
    let mut alone = comment("src/a.rs");
    alone["commit_id"] = json!(HEAD);
    assert_eq!(client.post("/repos/octo/shop/pulls/7/comments", &alone).status, 201);
    let comments = client.get("/repos/octo/shop/pulls/7/comments").body;
    assert_eq!(comments.as_array().unwrap().len(), 2);
    assert_eq!(comments[0]["pull_request_review_id"], got.body["id"]);
    assert_eq!((&comments[1]["line"], &comments[1]["pull_request_review_id"]), (&json!(3), &Value::Null));
    assert_eq!(client.get("/repos/octo/shop/pulls/7/reviews").body[0]["body"], "see below");
    let mut elsewhere = review.clone();
    elsewhere["comments"] = json!([comment("src/b.rs")]);
    let got = client.post("/repos/octo/shop/pulls/7/reviews", &elsewhere);
    assert_eq!((got.status, &got.body["errors"][0]), (422, &json!("Path could not be resolved")));
    elsewhere = comment("src/b.rs");
    elsewhere["commit_id"] = json!(HEAD);
    let got = client.post("/repos/octo/shop/pulls/7/comments", &elsewhere);
    assert_eq!((got.status, &got.body["errors"][0]["field"]), (422, &json!("path")));
    for (event, state) in [("APPROVE", "APPROVED"), ("REQUEST_CHANGES", "CHANGES_REQUESTED")] {
        let got = client.post("/repos/octo/shop/pulls/7/reviews", &json!({ "event": event, "body": "so" }));
        assert_eq!(got.body["state"], state);
    }
    assert_eq!(client.post("/repos/octo/shop/pulls/7/reviews", &json!({})).body["state"], "PENDING");
    assert_eq!(fake.with(|github| github.repo("octo/shop").reviews.len()), 4);
    fake.finish();
}

#[test]
fn review_comments_stand_in_one_hunk_of_the_diff() {
    let (fake, client) = start();
    fake.with(|github| {
        let pull = github.repo("octo/shop").pulls.get_mut(&7).unwrap();
        pull.hunk("src/a.rs", 1, 4).hunk("src/a.rs", 20, 25);
    });
    let post = |places: &[(Option<u64>, u64)]| {
        let comment = |(start, line): &(Option<u64>, u64)| {
            let mut comment = json!({ "path": "src/a.rs", "line": line, "side": "RIGHT", "body": "x" });
            if let Some(start) = start {
                comment["start_line"] = json!(start);
            }
            comment
        };
        let comments: Vec<Value> = places.iter().map(comment).collect();
        let review = json!({ "event": "COMMENT", "body": "b", "commit_id": HEAD, "comments": comments });
        let got = client.post("/repos/octo/shop/pulls/7/reviews", &review);
        (got.status, got.body["errors"][0].as_str().unwrap_or_default().to_owned())
    };
    let outside = |what: &str| (422, format!("Pull request review thread {what}"));
    assert_eq!(post(&[(None, 1), (Some(20), 25)]), (200, String::new()));
    assert_eq!(post(&[(None, 1), (None, 5)]), outside("line must be part of the diff"));
    assert_eq!(post(&[(Some(4), 20)]), outside("start line must be part of the same hunk as the line."));
    assert_eq!(fake.with(|github| github.repo("octo/shop").review_comments.len()), 2, "all or nothing");
    fake.finish();
}
