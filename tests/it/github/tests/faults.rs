//! Faults and hooks: what the asker sees, and whether the write took effect.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::*;

const COMMENTS: &str = "/repos/octo/shop/issues/7/comments";
const CREATE: &str = "issues/create-comment";

fn try_comment(client: &Client) -> std::io::Result<Got> {
    client.send("POST", COMMENTS, Some(&json!({ "body": "b" })))
}

fn comments(fake: &FakeGitHub) -> usize {
    fake.with(|github| github.repo("octo/shop").comments.len())
}

#[test]
fn a_refused_write_is_not_done_and_a_lost_one_is() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(1).refuse(502);
    fake.fault(CREATE).nth(2).lose(503);
    let refused = try_comment(&client).unwrap();
    assert_eq!((refused.status, comments(&fake)), (502, 0));
    let lost = try_comment(&client).unwrap();
    assert_eq!((lost.status, lost.body["message"].as_str(), comments(&fake)), (503, Some("Server Error"), 1));
    assert_eq!((try_comment(&client).unwrap().status, comments(&fake)), (201, 2));
    fake.finish();
}

#[test]
fn each_fault_strikes_before_or_after_the_write() {
    let late = Duration::from_millis(1);
    for (fault, done) in [
        (Fault::Refuse(500), 0),
        (Fault::Lose(500), 1),
        (Fault::Reset, 0),
        (Fault::LoseReset, 1),
        (Fault::Slow(late), 1),
        (Fault::Truncate(0), 1),
        (Fault::Html(200), 1),
        (Fault::Html(502), 0),
        (Fault::Secondary(403, None), 0),
        (Fault::Primary(60), 0),
        (Fault::Unauthorized, 0),
        (Fault::Unseen(0), 1),
    ] {
        let (fake, client) = start();
        fake.fault(CREATE).strike(fault.clone());
        let _ = try_comment(&client);
        assert_eq!(comments(&fake), done, "{fault:?}");
        fake.finish();
    }
}

#[test]
fn connections_are_reset_before_and_after_the_write() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(1).reset();
    fake.fault(CREATE).nth(2).lose_reset();
    for done in 0..2 {
        assert_eq!(try_comment(&client).unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(comments(&fake), done);
    }
    assert_eq!(try_comment(&client).unwrap().status, 201);
    fake.finish();
}

#[test]
fn replies_are_cut_short_or_meant_for_humans() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(1).truncate(20);
    fake.fault(CREATE).nth(2).html(502);
    fake.fault(CREATE).nth(3).html(201);
    assert_eq!(try_comment(&client).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(comments(&fake), 1);
    for (status, done) in [(502, 1), (201, 2)] {
        let got = try_comment(&client).unwrap();
        assert_eq!((got.status, got.headers["content-type"].as_str()), (status, "text/html"));
        assert!(got.body.as_str().unwrap().starts_with("<!DOCTYPE"));
        assert_eq!(comments(&fake), done);
    }
    fake.finish();
}

#[test]
fn replies_come_late_or_never() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(1).slow(Duration::from_millis(150));
    let before = Instant::now();
    assert_eq!(try_comment(&client).unwrap().status, 201);
    assert!(before.elapsed() >= Duration::from_millis(150));
    fake.fault(CREATE).hang();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| try_comment(&client));
        while comments(&fake) < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        fake.finish();
        assert!(waiting.join().unwrap().is_err());
    });
}

#[test]
fn limits_say_when_to_come_back_or_not() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(1).secondary_limit(403, Some(7));
    fake.fault(CREATE).nth(2).secondary_limit(429, None);
    fake.fault(CREATE).nth(3).primary_limit(90);
    fake.fault(CREATE).nth(4).unauthorized();
    let first = try_comment(&client).unwrap();
    assert_eq!((first.status, first.headers["retry-after"].as_str()), (403, "7"));
    assert!(first.body["message"].as_str().unwrap().contains("secondary rate limit"));
    assert_ne!(first.headers["x-ratelimit-remaining"], "0");
    let second = try_comment(&client).unwrap();
    assert_eq!((second.status, second.headers.get("retry-after")), (429, None));
    let third = try_comment(&client).unwrap();
    assert_eq!((third.status, third.headers["x-ratelimit-remaining"].as_str()), (403, "0"));
    let plain = client.get(COMMENTS).headers["x-ratelimit-reset"].parse::<u64>().unwrap();
    let reset = third.headers["x-ratelimit-reset"].parse::<u64>().unwrap();
    assert!((3500..3520).contains(&(plain - reset)), "{plain} {reset}");
    assert_eq!(try_comment(&client).unwrap().status, 401);
    assert_eq!(comments(&fake), 0);
    fake.finish();
}

#[test]
fn a_write_stays_unseen_for_some_reads() {
    let (fake, client) = start();
    create_comment(&client, "seen");
    fake.fault(CREATE).nth(1).unseen(3);
    let id = create_comment(&client, "unseen");
    let path = format!("/repos/octo/shop/issues/comments/{id}");
    let count = || client.get(COMMENTS).body.as_array().unwrap().len();
    assert_eq!((client.get(&path).status, count()), (404, 1));
    assert_eq!(client.get("/repos/octo/shop/pulls/7").status, 200);
    assert_eq!(client.get(&path).status, 404);
    assert_eq!((client.get(&path).status, count()), (200, 2));
    fake.finish();
}

#[test]
fn an_unseen_change_leaves_lists_stale() {
    let (fake, client) = start();
    let id = create_comment(&client, "old");
    let path = format!("/repos/octo/shop/issues/comments/{id}");
    fake.fault("issues/update-comment").unseen(1);
    client.patch(&path, &json!({ "body": "new" }));
    let body = || client.get(COMMENTS).body[0]["body"].clone();
    assert_eq!((body(), body()), (json!("old"), json!("new")));
    fake.fault("issues/delete-comment").unseen(1);
    client.delete(&path);
    assert_eq!((body(), body()), (json!("new"), Value::Null));
    fake.finish();
}

#[test]
fn a_kept_connection_serves_many_requests_and_survives_none_that_is_cut() {
    let (fake, _) = start();
    fake.fault(CREATE).nth(2).truncate(9);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let octocrab =
            octocrab::Octocrab::builder().base_uri(fake.url()).unwrap().personal_token("actions").build().unwrap();
        let issues = octocrab.issues("octo", "shop");
        let comment = || issues.create_comment(7, "b");
        comment().await.unwrap();
        assert!(comment().await.is_err());
        assert!(comment().await.is_ok());
        let pull = octocrab.pulls("octo", "shop").get(7).await.unwrap();
        assert_eq!(pull.head.sha, HEAD);
    });
    assert_eq!(comments(&fake), 3);
    fake.finish();
}

#[test]
fn scripts_pick_by_family_count_and_kind() {
    let (fake, client) = start();
    fake.fault("issues/*").every(2).refuse(500);
    let statuses: Vec<u16> = (0..4).map(|_| client.get(COMMENTS).status).collect();
    assert_eq!(statuses, [200, 500, 200, 500]);
    assert!(fake.forgive().is_empty());
    fake.fault("writes").first(2).refuse(422);
    let statuses: Vec<u16> = (0..3).map(|_| try_comment(&client).unwrap().status).collect();
    assert_eq!((statuses, client.get(COMMENTS).status), (vec![422, 422, 201], 200));
    fake.fault("reads").refuse(404);
    assert_eq!((client.get(COMMENTS).status, client.get(COMMENTS).status), (404, 404));
    assert_eq!(try_comment(&client).unwrap().status, 201);
    fake.finish();
}

#[test]
fn a_fault_or_hook_that_never_came_to_pass_turns_red() {
    let (fake, client) = start();
    fake.fault(CREATE).nth(2).reset();
    fake.on("checks/create", 1, |_| {});
    try_comment(&client).unwrap();
    let red = fake.forgive();
    assert_eq!(red, ["the fault Reset on issues/create-comment never struck", "request 1 of checks/create never came"]);
    fake.finish();
}

#[test]
fn the_state_changes_between_two_calls() {
    let (fake, client) = start();
    fake.on("pulls/get", 2, |github| github.repo("octo/shop").push(7, NEXT));
    fake.on("writes", 1, |github| {
        github.comment("octo/shop", 7, Account::actions(), "another run's");
    });
    let head = || client.get("/repos/octo/shop/pulls/7").body["head"]["sha"].as_str().unwrap().to_owned();
    assert_eq!((head(), head()), (HEAD.to_owned(), NEXT.to_owned()));
    assert_eq!(comments(&fake), 0);
    create_comment(&client, "ours");
    let bodies: Vec<Value> =
        client.get(COMMENTS).body.as_array().unwrap().iter().map(|comment| comment["body"].clone()).collect();
    assert_eq!(bodies, ["another run's", "ours"]);
    fake.finish();
}

#[test]
fn the_log_keeps_everything_but_the_token() {
    let (fake, client) = start();
    let before = Instant::now();
    fake.fault(CREATE).nth(2).lose(502);
    create_comment(&client, "b");
    try_comment(&client).unwrap();
    client.get(&format!("{COMMENTS}?page=2"));
    let log = fake.requests("issues/*");
    assert_eq!(log.len(), 3);
    assert_eq!((log[0].method.as_str(), log[0].path.as_str(), log[0].status), ("POST", COMMENTS, 201));
    assert_eq!(log[0].body, Some(json!({ "body": "b" })));
    assert_eq!(log[0].headers["authorization"], "Bearer ***");
    assert_eq!(log[0].headers["user-agent"], "test");
    assert!(log[0].fault.is_none() && log[1].fault.is_some());
    assert_eq!((log[1].status, log[2].query.as_deref()), (502, Some("page=2")));
    assert!(before <= log[0].at && log[0].at <= log[1].at);
    assert_eq!(fake.requests("reads").len(), 1);
    fake.finish();
}

#[test]
fn the_recording_is_the_same_each_time() {
    let conversation = || {
        let (fake, client) = start();
        fake.fault("checks/update").nth(1).lose(502);
        let mut body = check("gatepost/lint");
        body["completed_at"] = json!(jiff::Timestamp::now().to_string());
        body["output"] = json!({ "title": "1 new", "summary": "took 812 ms" });
        let id = create_check(&client, &body);
        client.patch(&format!("/repos/octo/shop/check-runs/{id}"), &json!({ "conclusion": "neutral" }));
        client.get(&format!("/repos/octo/shop/commits/{HEAD}/check-runs?filter=all"));
        fake.recording()
    };
    insta::assert_snapshot!(conversation(), @r#"
    POST /repos/octo/shop/check-runs -> 201
    {
      "completed_at": "<time>",
      "conclusion": "failure",
      "head_sha": "<sha 1>",
      "name": "gatepost/lint",
      "output": {
        "summary": "took <duration>",
        "title": "1 new"
      },
      "status": "completed"
    }
    PATCH /repos/octo/shop/check-runs/<id 1> -> 502 (Lose(502))
    {
      "conclusion": "neutral"
    }
    GET /repos/octo/shop/commits/<sha 1>/check-runs?filter=all -> 200
    "#);
    assert_eq!(conversation(), conversation());
}
