//! What the interpreter does on the good way and in every lesser one, against a GitHub in memory on a paused clock.

mod comments;
mod faults;
mod hub;
mod issues;
mod kept;
mod live;
mod news;
mod reviews;
mod triggered;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Interpreter, Options, Pace};
use crate::model::call::{
    Annotation, Call, CheckRun, CommitStatus, LiveComment, News, ReceiptEnd, Review, ReviewSuggestion, StickyComment,
    StickyIssue,
};
use crate::model::outcome::Outcome;
use crate::model::sha::Sha;
use crate::world::forge::Method;
use hub::{Fault, Hub, Trigger};

const MINUTE: Duration = Duration::from_mins(1);

fn head() -> Sha {
    Sha::parse(&"a".repeat(40)).unwrap()
}

fn options() -> Options {
    Options { repository: "o/r".to_owned(), patience: MINUTE * 10, dry_run: false, pace: Pace::default() }
}

fn interpreter(hub: &Hub) -> Interpreter<Hub> {
    Interpreter::new(hub.clone(), &options())
}

fn annotations(count: u32) -> Vec<Annotation> {
    let one = |line| Annotation {
        path: "src/a.rs".to_owned(),
        start_line: line,
        end_line: line,
        start_column: None,
        end_column: None,
        annotation_level: "warning",
        message: format!("finding {line}"),
        title: None,
    };
    (1..=count).map(one).collect()
}

fn check_run(count: u32) -> CheckRun {
    CheckRun {
        name: "gatepost/lint".to_owned(),
        head_sha: head(),
        external_id: "123.1/lint".to_owned(),
        already: false,
        stands_back: false,
        conclusion: "failure",
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        completed_at: "2026-01-01T00:00:01Z".to_owned(),
        title: "2 new warnings".to_owned(),
        summary: "summary".to_owned(),
        text: Some("text".to_owned()),
        details_url: Some("https://run".to_owned()),
        annotations: annotations(count),
    }
}

fn status() -> CommitStatus {
    CommitStatus {
        sha: head(),
        state: "failure",
        context: "gatepost/lint".to_owned(),
        description: "2 new warnings".to_owned(),
        target_url: Some("https://run".to_owned()),
    }
}

fn comment(run: u64, body: &str) -> StickyComment {
    StickyComment {
        pull_request: 7,
        head_sha: head(),
        marker: "ci".to_owned(),
        generation: (run, 1).into(),
        job: "test".to_owned(),
        made: format!("m{run}"),
        verdict: Outcome::Fail,
        green: false,
        body: body.to_owned(),
        create: true,
    }
}

/// Suggestions on lines 1, 2, …, each another.
fn review(count: u32) -> Review {
    let one = |line| ReviewSuggestion {
        path: "src/a.rs".to_owned(),
        start_line: line,
        end_line: line,
        key: format!("{line:032x}"),
        body: format!("- fix {line}\n"),
    };
    Review { pull_request: 7, head_sha: head(), suggestions: (1..=count).map(one).collect() }
}

fn live(body: &str) -> LiveComment {
    LiveComment { pull_request: 7, marker: "deploy-staging-12".to_owned(), body: body.to_owned() }
}

fn news(id: &str) -> News {
    News {
        key: "production".to_owned(),
        id: id.to_owned(),
        title: "P1: Deploy to production failed".to_owned(),
        body: "It failed.".to_owned(),
        labels: vec!["incident".to_owned()],
        opens: true,
        closes: false,
    }
}

fn downgraded(end: &ReceiptEnd) -> &str {
    match end {
        ReceiptEnd::Downgraded(why) => why,
        other => panic!("{other:?}"),
    }
}

fn failed(end: &ReceiptEnd) -> &str {
    match end {
        ReceiptEnd::Failed(why) | ReceiptEnd::Denied(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_run_is_created_complete_and_filled_in_pages_of_fifty() {
    let hub = Hub::new();
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(120))).await;
    assert_eq!(receipt.what, "check run gatepost/lint");
    assert_eq!(receipt.end, ReceiptEnd::Posted(Some("https://k/1".to_owned())));
    assert_eq!(hub.log(), ["POST /check-runs", "PATCH /check-runs/1", "PATCH /check-runs/1"]);
    hub.with(|state| {
        let first = state.log[0].body.as_ref().unwrap();
        let expected = json!({
            "name": "gatepost/lint", "head_sha": "a".repeat(40), "external_id": "123.1/lint", "status": "completed",
            "conclusion": "failure", "started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:00:01Z",
            "details_url": "https://run",
            "output": { "title": "2 new warnings", "summary": "summary", "text": "text", "annotations": annotations(50) }
        });
        assert_eq!(first, &expected);
        let last = state.log[2].body.as_ref().unwrap();
        assert_eq!(last["output"]["text"], "text");
        assert_eq!(last["output"]["title"], "2 new warnings");
        assert_eq!(last["output"]["annotations"].as_array().unwrap().len(), 20);
        assert_eq!(state.check_runs[0]["output"]["annotations"], json!(annotations(120)));
        assert_eq!(state.times.last().unwrap().as_secs(), 0, "no wait on the good way");
    });
}

#[tokio::test(start_paused = true)]
async fn a_check_run_of_another_job_of_the_same_run_is_not_made_again() {
    let hub = Hub::new();
    let made = |by: &str| CheckRun { external_id: format!("gatepost:{by}"), ..check_run(2) };
    interpreter(&hub).send(&Call::CheckRun(made("123.1:lint:all:-:a.b:j1:m1"))).await;
    let ours = CheckRun { already: true, ..made("123.2:lint:all:-:a.b:j2:m2") };
    let link = ReceiptEnd::Unchanged("https://k/1".to_owned());
    assert_eq!(interpreter(&hub).send(&Call::CheckRun(ours.clone())).await.end, link);
    assert_eq!(hub.writes(), 1);
    // One of another run or configuration, or that concluded otherwise, does not stand for ours.
    for other in [
        CheckRun { already: true, ..made("123.2:lint:all:-:c.b:j2:m2") },
        CheckRun { already: true, ..made("124.1:lint:all:-:a.b:j2:m2") },
        CheckRun { conclusion: "success", ..ours.clone() },
        made("124.1:lint:all:-:a.b:j2:m3"),
    ] {
        let before = hub.writes();
        interpreter(&hub).send(&Call::CheckRun(other)).await;
        assert_eq!(hub.writes(), before + 1);
    }
    // Whether a token that may not read them may make them is told when it is tried; an outage is none of that.
    let denied = Fault::Denied("Resource not accessible by integration");
    let hub = Hub::new().fault(Trigger::Next(Method::Get, "/check-runs"), denied);
    assert!(matches!(interpreter(&hub).send(&Call::CheckRun(ours.clone())).await.end, ReceiptEnd::Posted(_)));
    let hub = Hub::new().fault(Trigger::Every(Method::Get, "/check-runs"), Fault::NotFound);
    failed(&interpreter(&hub).send(&Call::CheckRun(ours)).await.end);
    assert_eq!(hub.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_job_said_in_another_attempt_is_not_taken_back_by_another_jobs_word() {
    let made = |conclusion, attempt: u32, by: &str| {
        let external_id = format!("gatepost:123.{attempt}:lint:all:-:a.b:{by}");
        Call::CheckRun(CheckRun { external_id, conclusion, already: attempt > 1, ..check_run(0) })
    };
    for (earlier, now, job, is_made) in [
        ("failure", "success", "j2", true),
        ("failure", "failure", "j2", false),
        ("failure", "success", "j3", false),
        // Jobs without a name are not told apart.
        ("failure", "success", "-", false),
    ] {
        let hub = Hub::new();
        let theirs = if job == "-" { "-:m1" } else { "j2:m1" };
        interpreter(&hub).send(&made(earlier, 1, theirs)).await;
        let Call::CheckRun(between) = made(now, 2, "j1:m2") else { panic!() };
        interpreter(&hub).send(&Call::CheckRun(CheckRun { already: false, ..between })).await;
        let end = interpreter(&hub).send(&made(now, 2, &format!("{job}:m3"))).await.end;
        let link = |number: u32| format!("https://k/{number}");
        let expected = if is_made { ReceiptEnd::Posted(Some(link(3))) } else { ReceiptEnd::Unchanged(link(2)) };
        assert_eq!(end, expected, "{earlier}, {now}, {job}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_reply_the_check_run_of_another_leg_is_not_taken_for_ours() {
    let made = |by: &str| CheckRun { external_id: format!("gatepost:5.1:lint:all:-:a.b:{by}"), ..check_run(0) };
    for legs in [["j1:m1", "j2:m2"], ["-:m1", "-:m2"]] {
        for conclusion in ["success", "failure"] {
            let hub = Hub::new();
            let first = CheckRun { conclusion, ..made(legs[0]) };
            interpreter(&hub).send(&Call::CheckRun(first)).await;
            let hub = hub.fault(Trigger::Next(Method::Post, "/check-runs"), Fault::BadGateway);
            let end = interpreter(&hub).send(&Call::CheckRun(made(legs[1]))).await.end;
            assert_eq!(end, ReceiptEnd::Posted(Some("https://k/2".to_owned())));
            assert_eq!(hub.with(|state| state.check_runs[1]["conclusion"].clone()), "failure");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_annotation_is_placed_or_told_of() {
    for (count, bad_every) in [(1, 1), (50, 7), (51, 50), (120, 119), (130, 3), (60, 1)] {
        let hub = Hub::new();
        let mut run = check_run(count);
        for one in run.annotations.iter_mut().skip(1).step_by(bad_every) {
            one.message = "BAD".to_owned();
        }
        let end = interpreter(&hub).send(&Call::CheckRun(run)).await.end;
        let (placed, text) = hub.with(|state| {
            let output = &state.check_runs[0]["output"];
            (output["annotations"].as_array().map_or(0, Vec::len), output["text"].as_str().unwrap().to_owned())
        });
        let told = text.matches("src/a.rs:").count();
        assert_eq!(placed + told, count as usize, "{text}");
        if told == 0 {
            assert_eq!(end, ReceiptEnd::Posted(Some("https://k/1".to_owned())));
        } else {
            let says = format!("{placed} of {count} annotations placed; GitHub refused {told}");
            assert!(downgraded(&end).starts_with(&says), "{end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refused_annotations_are_looked_for_only_so_long() {
    for bad_every in [1, 2] {
        let hub = Hub::new();
        let mut run = check_run(1000);
        for one in run.annotations.iter_mut().step_by(bad_every) {
            one.message = "BAD".to_owned();
        }
        let end = interpreter(&hub).send(&Call::CheckRun(run)).await.end;
        assert!(hub.log().len() < 100, "{}", hub.log().len());
        let placed = hub.with(|state| state.check_runs[0]["output"]["annotations"].as_array().map_or(0, Vec::len));
        let says = format!("{placed} of 1000 annotations placed; GitHub refused {}", 1000 - placed);
        assert!(downgraded(&end).starts_with(&says), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_call_does_not_have_is_not_sent() {
    let hub = Hub::new();
    let run = CheckRun { text: None, details_url: None, ..check_run(0) };
    interpreter(&hub).send(&Call::CheckRun(run)).await;
    let body = hub.with(|state| state.log[0].body.clone().unwrap());
    assert!(body.get("details_url").is_none() && body["output"].get("text").is_none());
    assert!(body["output"].get("annotations").is_none());
}

#[tokio::test(start_paused = true)]
async fn refused_annotations_are_found_and_written_into_the_text() {
    let hub = Hub::new();
    let mut run = check_run(120);
    for at in [3, 70] {
        run.annotations[at].message = format!("BAD {at}");
    }
    let receipt = interpreter(&hub).send(&Call::CheckRun(run)).await;
    let why = downgraded(&receipt.end);
    assert!(
        why.starts_with("118 of 120 annotations placed; GitHub refused 2 (Invalid request (annotation is bad))"),
        "{why}"
    );
    hub.with(|state| {
        assert_eq!(state.check_runs.len(), 1);
        let output = &state.check_runs[0]["output"];
        let placed: Vec<_> =
            output["annotations"].as_array().unwrap().iter().map(|one| one["start_line"].clone()).collect();
        let good: Vec<u32> = (1..=120).filter(|line| ![4, 71].contains(line)).collect();
        assert_eq!(json!(placed), json!(good), "in their order, each once");
        let text = output["text"].as_str().unwrap();
        assert!(text.starts_with("text\n") && text.contains("src/a.rs:4: BAD 3\nsrc/a.rs:71: BAD 70\n"), "{text}");
    });
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_about_annotations_fails_once() {
    let hub = Hub::new();
    hub.with(|state| state.page = 1);
    let hub = hub.fault(Trigger::Every(Method::Post, "/check-runs"), Fault::NotFound);
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(10))).await;
    assert!(failed(&receipt.end).contains("404: Not Found; it is not there, or the token may not see it"));
    assert_eq!(hub.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_personal_token_posts_statuses_from_then_on() {
    for words in ["You must authenticate via a GitHub App.", "Resource not accessible by personal access token"] {
        let hub = Hub::new().fault(Trigger::Every(Method::Post, "/check-runs"), Fault::Denied(words));
        let calls = [Call::CheckRun(check_run(10)), Call::CheckRun(check_run(0))];
        let receipts = interpreter(&hub).send_all(&calls).await;
        assert!(receipts.iter().all(|receipt| downgraded(&receipt.end).contains("commit status")));
        let sha = "a".repeat(40);
        assert_eq!(
            hub.log(),
            ["POST /check-runs".to_owned(), format!("POST /statuses/{sha}"), format!("POST /statuses/{sha}")]
        );
        let posted = hub.with(|state| state.statuses[0].clone());
        assert_eq!(
            posted,
            json!({ "state": "failure", "context": "gatepost/lint", "description": "2 new warnings", "target_url": "https://run" })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_only_read_is_told_once_and_asked_once() {
    let words = "Resource not accessible by integration";
    let hub = Hub::new()
        .fault(Trigger::Every(Method::Post, "/check-runs"), Fault::Denied(words))
        .fault(Trigger::Every(Method::Post, "/comments"), Fault::Denied(words));
    let calls = [
        Call::CheckRun(check_run(10)),
        Call::CheckRun(check_run(0)),
        Call::StickyComment(comment(1, "x")),
        Call::StickyComment(comment(1, "x")),
    ];
    let receipts = interpreter(&hub).send_all(&calls).await;
    let whys: Vec<&str> = receipts.iter().map(|receipt| failed(&receipt.end)).collect();
    assert!(whys[0].contains("`checks: write`") && whys[0].contains(words), "{}", whys[0]);
    assert_eq!(whys[1], "the token may not write checks, as said above");
    assert!(whys[2].contains("`pull-requests: write`") && whys[2].contains(words), "{}", whys[2]);
    assert_eq!(whys[3], "no comment may be written, as said above");
    assert_eq!(hub.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_personal_token_without_statuses_is_told_so() {
    let hub = Hub::new()
        .fault(Trigger::Every(Method::Post, "/check-runs"), Fault::Denied("You must authenticate via a GitHub App."))
        .fault(
            Trigger::Every(Method::Post, "/statuses"),
            Fault::Denied("Resource not accessible by personal access token"),
        );
    let receipts = interpreter(&hub).send_all(&[Call::CheckRun(check_run(1)), Call::CheckRun(check_run(1))]).await;
    assert!(failed(&receipts[0].end).contains("`statuses: write`"));
    assert_eq!(failed(&receipts[1].end), "the token may not write checks, as said above");
    assert_eq!(hub.log().len(), 2);
    let receipt = interpreter(&hub).send(&Call::CommitStatus(status())).await;
    assert!(failed(&receipt.end).contains("`statuses: write`"));
}

#[tokio::test(start_paused = true)]
async fn a_status_says_what_it_is_given() {
    let hub = Hub::new();
    let receipt = interpreter(&hub).send(&Call::CommitStatus(status())).await;
    assert_eq!(receipt.what, "commit status gatepost/lint");
    assert_eq!(receipt.end, ReceiptEnd::Posted(Some("https://run".to_owned())));
    let bare = CommitStatus { target_url: None, ..status() };
    interpreter(&hub).send(&Call::CommitStatus(bare)).await;
    let posted = hub.with(|state| state.statuses[0].clone());
    assert_eq!(posted, json!({ "state": "failure", "context": "gatepost/lint", "description": "2 new warnings" }));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_fails_each_call_with_what_to_do() {
    let hub = Hub::new()
        .fault(Trigger::Every(Method::Post, ""), Fault::Unauthorized)
        .fault(Trigger::Every(Method::Get, ""), Fault::Unauthorized);
    let calls = [Call::CheckRun(check_run(10)), Call::CommitStatus(status()), Call::StickyComment(comment(1, "x"))];
    let receipts = interpreter(&hub).send_all(&calls).await;
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|receipt| failed(&receipt.end).ends_with("the token is wrong or has expired")));
    assert_eq!(hub.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_and_says_what_it_would_write() {
    let hub = Hub::new();
    let mut dry = Interpreter::new(hub.clone(), &Options { dry_run: true, ..options() });
    let calls = [Call::CheckRun(check_run(60)), Call::CommitStatus(status()), Call::StickyComment(comment(1, "hello"))];
    let receipts = dry.send_all(&calls).await;
    let said: Vec<&str> = receipts
        .iter()
        .map(|receipt| match &receipt.end {
            ReceiptEnd::WouldSend(said) => said.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    let lines: Vec<&str> = said[0].lines().collect();
    assert!(
        lines[0].starts_with("POST /repos/o/r/check-runs {") && lines[0].contains("\"annotations\":\"50 items\""),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("PATCH /repos/o/r/check-runs/{id} {") && lines[1].contains("\"annotations\":\"10 items\""),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 2);
    assert!(said[1].contains(&format!("POST /repos/o/r/statuses/{}", "a".repeat(40))));
    assert!(said[2].starts_with("POST /repos/o/r/issues/7/comments {\"body\":\"<!-- gatepost:v1 "), "{}", said[2]);
    assert_eq!(hub.writes(), 0);
    assert!(hub.log().contains(&"GET /pulls/7".to_owned()));
    let update = Hub::new();
    interpreter(&update).send(&Call::StickyComment(comment(1, "old"))).await;
    let before = update.writes();
    let mut dry = Interpreter::new(update.clone(), &Options { dry_run: true, ..options() });
    let receipt = dry.send(&Call::StickyComment(comment(2, "new"))).await;
    assert!(
        matches!(&receipt.end, ReceiptEnd::WouldSend(said) if said.starts_with("PATCH /repos/o/r/issues/comments/1 "))
    );
    let receipt = dry.send(&Call::StickyComment(comment(1, "old"))).await;
    assert!(matches!(receipt.end, ReceiptEnd::Unchanged(_)), "what would not be sent is not said to be");
    assert_eq!(update.writes(), before);
}

#[tokio::test(start_paused = true)]
async fn commits_and_heads_are_read() {
    let hub = Hub::new();
    let mut reader = interpreter(&hub);
    assert_eq!(reader.merge_base("main", "topic/ä").await, Ok(head()));
    assert_eq!(reader.pull_request_head(7).await, Ok(head()));
    assert_eq!(hub.log(), ["GET /compare/main...topic%2F%C3%A4?per_page=1", "GET /pulls/7"]);
    let odd = Interpreter::new(hub.clone(), &Options { repository: "o/r?x#y".to_owned(), ..options() });
    assert_eq!(odd.line.path("/z"), "/repos/o/r%3Fx%23y/z");
}

#[tokio::test(start_paused = true)]
async fn a_normal_pull_request_costs_few_calls() {
    let hub = Hub::new();
    let calls = [
        Call::CheckRun(check_run(10)),
        Call::CheckRun(check_run(0)),
        Call::CheckRun(check_run(60)),
        Call::StickyComment(comment(1, "first")),
    ];
    let mut posting = interpreter(&hub);
    posting.send_all(&calls).await;
    let first = hub.log().len();
    assert_eq!(first, 8, "{:?}", hub.log());
    posting.send(&Call::StickyComment(comment(2, "second"))).await;
    assert_eq!(hub.log().len() - first, 4, "{:?}", hub.log());
}
