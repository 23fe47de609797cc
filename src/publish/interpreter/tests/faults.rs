//! Every fault at every request of every kind of call: at most one object, and the receipt tells the truth.

use super::*;
use crate::publish::interpreter::marker::Marker;
use crate::world::clock;
use crate::world::forge::{Forge, ForgeError, Reply, Request};

/// Faults that pass: the call must end as if nothing had been.
const PASSING: [Fault; 11] = [
    Fault::Unreachable,
    Fault::Reset,
    Fault::LostReply,
    Fault::TimedOut,
    Fault::Cut,
    Fault::Html,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::Secondary(None),
    Fault::Secondary(Some(7)),
    Fault::Primary(0),
];

fn calls() -> Vec<Call> {
    vec![
        Call::CheckRun(check_run(120)),
        Call::CheckRun(check_run(0)),
        Call::CommitStatus(status()),
        Call::StickyComment(comment(5, "new")),
        Call::Review(review(3)),
        Call::News(news("1")),
        Call::LiveComment(live("going on")),
        Call::StickyIssue(issues::issue("two")),
    ]
}

/// What stands on GitHub after a call: objects, and everything that was said in them.
fn objects(hub: &Hub, call: &Call) -> (usize, bool) {
    hub.with(|state| match call {
        Call::CheckRun(run) => {
            let whole = state.check_runs.first().is_some_and(|made| {
                let count = made["output"]["annotations"].as_array().map_or(0, Vec::len);
                count == run.annotations.len()
            });
            (state.check_runs.len(), whole)
        }
        Call::CommitStatus(_) => (state.statuses.len(), true),
        Call::StickyComment(comment) => {
            let whole = format!("{}\n{}", Marker::of(comment), comment.body);
            (state.comments.len(), state.comments.first().is_some_and(|one| one["body"] == whole.as_str()))
        }
        Call::LiveComment(comment) => {
            let whole = |one: &Value| one["body"].as_str().is_some_and(|body| body.ends_with(&comment.body));
            (state.comments.len(), state.comments.first().is_some_and(whole))
        }
        Call::Review(review) => (state.reviews, state.review_comments.len() == review.suggestions.len()),
        Call::News(news) => {
            let told = if state.comments.is_empty() { &state.issues } else { &state.comments };
            let whole = |one: &Value| one["body"].as_str().is_some_and(|body| body.ends_with(&news.body));
            (state.issues.len().max(state.comments.len()), told.first().is_some_and(whole))
        }
        Call::StickyIssue(issue) => {
            let whole = format!("{}\n{}", Marker::of_issue(issue), issue.body);
            (state.issues.len(), state.issues.first().is_some_and(|one| one["body"] == whole.as_str()))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn every_passing_fault_at_every_request_ends_with_one_whole_object() {
    let mut points = 0;
    for call in calls() {
        for old in [false, true] {
            let start = || {
                let hub = Hub::new();
                if old && let Call::StickyComment(_) = call {
                    let before = comment(1, "old");
                    let body = format!("{}\nold", Marker::of(&before));
                    hub.with(|state| state.comment("github-actions[bot]", &body));
                }
                if old && let Call::LiveComment(_) = call {
                    hub.with(|state| {
                        state.comment("github-actions[bot]", "<!-- gatepost:live key=deploy-staging-12 -->\nold")
                    });
                }
                if old && let Call::StickyIssue(issue) = &call {
                    let before = Marker::of_issue(&StickyIssue { generation: (11, 1).into(), ..issue.clone() });
                    hub.with(|state| state.issue("github-actions[bot]", &format!("{before}\nold")));
                }
                if old && let Call::News(_) = call {
                    let body = "<!-- gatepost:news key=production id=0 -->\nold";
                    hub.with(|state| state.issue("github-actions[bot]", body));
                }
                hub
            };
            let plain = start();
            interpreter(&plain).send(&call).await;
            for nth in 0..plain.log().len() {
                for fault in PASSING {
                    let hub = start().fault(Trigger::Nth(nth), fault);
                    let receipt = interpreter(&hub).send(&call).await;
                    let at = format!("{} {fault:?} at {nth} old={old}: {:?}", receipt.what, hub.log());
                    assert!(matches!(receipt.end, ReceiptEnd::Posted(_)), "{at}: {:?}", receipt.end);
                    assert_eq!(objects(&hub, &call), (1, true), "{at}");
                    assert!(hub.log().len() > plain.log().len() || fault == Fault::Html || fault == Fault::Cut, "{at}");
                    points += 1;
                }
            }
        }
    }
    assert!(points > 150, "{points}");
}

#[tokio::test(start_paused = true)]
async fn two_faults_in_a_row_never_make_two_objects() {
    for call in calls() {
        for nth in 0..6 {
            for first in PASSING {
                for second in PASSING {
                    let hub = Hub::new().fault(Trigger::Nth(nth), first).fault(Trigger::Nth(nth + 1), second);
                    let receipt = interpreter(&hub).send(&call).await;
                    let at = format!("{} {first:?} {second:?} at {nth}: {:?}", receipt.what, hub.log());
                    let (count, whole) = objects(&hub, &call);
                    assert_eq!((count, whole), (1, true), "{at}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_is_given_up_and_told_without_a_second_object() {
    for fault in PASSING.into_iter().chain([Fault::Primary(clock::now().as_second() + 86_400)]) {
        for call in calls() {
            let hub = Hub::new().fault(Trigger::Every(Method::Post, "/repos"), fault);
            let receipt = interpreter(&hub).send(&call).await;
            let (count, _) = objects(&hub, &call);
            assert!(count <= 1, "{} {fault:?}: {:?}", receipt.what, hub.log());
            // What was created in spite of the lost reply was found.
            let posted = matches!(receipt.end, ReceiptEnd::Posted(_));
            assert_eq!(posted, count == 1, "{} {fault:?}: {:?}", receipt.what, receipt.end);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_does_not_come_about_is_tried_as_often_as_a_read() {
    for call in calls() {
        let hub = Hub::new().fault(Trigger::Every(Method::Post, "/repos"), Fault::Unavailable);
        let receipt = interpreter(&hub).send(&call).await;
        assert!(failed(&receipt.end).contains("tried 4 times, and it is not there"), "{:?}", receipt.end);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_look_up_fails_too_nothing_is_created_again() {
    for call in calls() {
        let hub = Hub::new()
            .fault(Trigger::Next(Method::Post, "/repos"), Fault::LostReply)
            .fault(Trigger::Every(Method::Get, "commits"), Fault::Unavailable)
            .fault(Trigger::Every(Method::Post, "/graphql"), Fault::Unavailable);
        let receipt = interpreter(&hub).send(&call).await;
        assert!(failed(&receipt.end).contains("whether it was carried out is not known"), "{:?}", receipt.end);
        assert_eq!(hub.writes(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_shows_late_is_found_and_not_repeated() {
    let hub = Hub::new().fault(Trigger::Next(Method::Post, "/comments"), Fault::LostReply);
    // One list before the create, two looks that do not show it, and a third that does.
    hub.with(|state| state.lag = 3);
    let receipt = interpreter(&hub).send(&Call::StickyComment(comment(1, "x"))).await;
    assert!(matches!(receipt.end, ReceiptEnd::Posted(_)));
    assert_eq!(hub.with(|state| state.comments.len()), 1);
    assert_eq!(hub.with(|state| state.times.last().unwrap().as_secs()), 6);
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_four_times_over_about_fourteen_seconds() {
    let hub = Hub::new().fault(Trigger::Every(Method::Get, ""), Fault::Unavailable);
    let why = interpreter(&hub).pull_request_head(7).await.unwrap_err().to_string();
    assert_eq!(why, "GET /repos/o/r/pulls/7 was answered 503: planted (tried 4 times)");
    let times = hub.with(|state| state.times.clone());
    let waits: Vec<f32> = times.windows(2).map(|two| (two[1].saturating_sub(two[0])).as_secs_f32()).collect();
    assert_eq!(waits.len(), 3);
    for (wait, base) in waits.iter().zip([1.0, 4.0, 9.0]) {
        assert!((base * 0.74..base * 1.26).contains(wait), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_github_is_gone_only_the_first_call_keeps_trying() {
    let hub = Hub::new()
        .fault(Trigger::Every(Method::Post, ""), Fault::Unreachable)
        .fault(Trigger::Every(Method::Get, ""), Fault::Unreachable);
    let receipts = interpreter(&hub).send_all(&calls()).await;
    assert!(receipts.iter().all(|receipt| failed(&receipt.end).contains("cannot reach https://h")));
    assert!(failed(&receipts[0].end).ends_with("(tried 4 times)"));
    assert_eq!(hub.log().len(), 4 + 7);
    hub.with(|state| state.faults.clear());
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_has_passed_tries_are_full_again() {
    let hub = Hub::new().fault(Trigger::Every(Method::Get, ""), Fault::Unavailable);
    let mut reader = interpreter(&hub);
    reader.pull_request_head(7).await.unwrap_err();
    reader.pull_request_head(7).await.unwrap_err();
    assert_eq!(hub.log().len(), 5);
    hub.with(|state| state.faults.clear());
    reader.pull_request_head(7).await.unwrap();
    let hub = hub.fault(Trigger::Next(Method::Get, ""), Fault::Unavailable);
    reader.pull_request_head(7).await.unwrap();
    assert_eq!(hub.log().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_secondary_limit_pauses_for_as_long_as_it_says_or_doubling() {
    let hub = Hub::new().fault(Trigger::Nth(0), Fault::Secondary(Some(42)));
    interpreter(&hub).send(&Call::CommitStatus(status())).await;
    assert_eq!(hub.with(|state| state.times[1].as_secs()), 42);
    let hub = (0..5).fold(Hub::new(), |hub, nth| hub.fault(Trigger::Nth(nth), Fault::Secondary(None)));
    let mut patient = Interpreter::new(hub.clone(), &Options { patience: MINUTE * 60, ..options() });
    patient.send(&Call::CommitStatus(status())).await;
    let seconds: Vec<u64> =
        hub.with(|state| state.times.windows(2).map(|two| (two[1].saturating_sub(two[0])).as_secs()).collect());
    assert_eq!(seconds, [60, 120, 240, 300, 300]);
    // A success ends the doubling.
    let hub = hub.fault(Trigger::Nth(6), Fault::Secondary(None));
    patient.send(&Call::CommitStatus(status())).await;
    assert_eq!(hub.with(|state| (state.times[7].saturating_sub(state.times[6])).as_secs()), 60);
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_a_wait_is_not_asked_again_at_once() {
    let hub = Hub::new().fault(Trigger::Nth(0), Fault::Secondary(Some(0)));
    interpreter(&hub).send(&Call::CommitStatus(status())).await;
    assert_eq!(hub.with(|state| state.times[1].as_secs()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_an_end_is_told() {
    for fault in [Fault::Secondary(Some(u64::MAX)), Fault::Primary(i64::MAX)] {
        let hub = Hub::new().fault(Trigger::Nth(0), fault);
        let end = interpreter(&hub).send(&Call::CommitStatus(status())).await.end;
        assert!(failed(&end).contains("which is longer than posting may still wait"), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_long_limit_the_comment_gives_way_and_the_check_goes_on_waiting() {
    let hub = Hub::new().fault(Trigger::Nth(0), Fault::Secondary(Some(900)));
    let mut posting = interpreter(&hub);
    let receipt = posting.send(&Call::StickyComment(comment(1, "x"))).await;
    assert!(failed(&receipt.end).starts_with("GitHub's secondary rate limit"), "{:?}", receipt.end);
    let receipt = posting.send(&Call::StickyComment(comment(1, "x"))).await;
    failed(&receipt.end);
    assert_eq!(hub.log().len(), 1, "a closed line is not asked");
    let receipt = posting.send(&Call::CheckRun(check_run(0))).await;
    assert!(matches!(receipt.end, ReceiptEnd::Posted(_)), "{:?}", receipt.end);
    assert_eq!(hub.with(|state| state.times[1].as_secs()), 900);
}

#[tokio::test(start_paused = true)]
async fn waiting_has_an_end_over_all_calls_together() {
    let hub = (0..4).fold(Hub::new(), |hub, nth| hub.fault(Trigger::Nth(nth * 2), Fault::Secondary(Some(400))));
    let mut posting = interpreter(&hub);
    let call = Call::CheckRun(check_run(0));
    let ends: Vec<bool> =
        [posting.send(&call).await, posting.send(&call).await, posting.send(&call).await, posting.send(&call).await]
            .map(|receipt| matches!(receipt.end, ReceiptEnd::Posted(_)))
            .to_vec();
    assert_eq!(ends, [true, true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_hour_fails_at_once_with_the_time() {
    let reset = clock::now().as_second() + 3000;
    let hub = Hub::new().fault(Trigger::Every(Method::Post, ""), Fault::Primary(reset));
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(0))).await;
    let time = jiff::Timestamp::from_second(reset).unwrap().to_string();
    assert!(failed(&receipt.end).contains(&format!("closes this token until {time}")), "{:?}", receipt.end);
    assert_eq!(hub.log().len(), 1);
    let soon = clock::now().as_second() + 100;
    let hub = Hub::new().fault(Trigger::Nth(0), Fault::Primary(soon));
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(0))).await;
    assert!(matches!(receipt.end, ReceiptEnd::Posted(_)));
    assert!((98..=101).contains(&hub.with(|state| state.times[1].as_secs())));
    for ahead in [5000, -5000] {
        let theirs = clock::now().as_second() + ahead;
        let hub = Hub::new().fault(Trigger::Nth(0), Fault::Primary(theirs + 100));
        hub.with(|state| state.date = Some(theirs));
        let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(0))).await;
        assert!(matches!(receipt.end, ReceiptEnd::Posted(_)), "{:?}", receipt.end);
        assert_eq!(hub.with(|state| state.times[1].as_secs()), 100, "by GitHub's clock, not by ours");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_check_run_that_is_not_found_yet_is_asked_for_again() {
    let hub = Hub::new()
        .fault(Trigger::Next(Method::Patch, "/check-runs"), Fault::NotFound)
        .fault(Trigger::Next(Method::Patch, "/check-runs"), Fault::NotFound);
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(60))).await;
    assert!(matches!(receipt.end, ReceiptEnd::Posted(_)));
    assert_eq!(hub.with(|state| state.times[3].as_secs()), 3);
    let hub = Hub::new().fault(Trigger::Every(Method::Patch, "/check-runs"), Fault::NotFound);
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(60))).await;
    assert!(downgraded(&receipt.end).starts_with("50 of 60 annotations placed: PATCH"), "{:?}", receipt.end);
    assert_eq!(hub.with(|state| state.times.last().unwrap().as_secs()), 10);
}

#[tokio::test(start_paused = true)]
async fn pages_that_cannot_be_placed_leave_the_check_standing() {
    let hub = Hub::new().fault(Trigger::Every(Method::Patch, ""), Fault::Unavailable);
    let receipt = interpreter(&hub).send(&Call::CheckRun(check_run(170))).await;
    let why = downgraded(&receipt.end);
    assert!(why.starts_with("50 of 170 annotations placed: ") && why.contains("503"), "{why}");
    let patches = hub.log().iter().filter(|line| line.starts_with("PATCH")).count();
    assert_eq!(patches, 4, "the later pages are not tried");
}

#[tokio::test(start_paused = true)]
async fn writes_are_spaced_after_the_burst() {
    let hub = Hub::new();
    let mut posting = interpreter(&hub);
    for _ in 0..23 {
        posting.send(&Call::CommitStatus(status())).await;
    }
    posting.send(&Call::StickyComment(comment(1, "x"))).await;
    let times: Vec<u64> = hub.with(|state| {
        let writes = state.log.iter().zip(&state.times).filter(|(request, _)| request.method == Method::Post);
        writes.map(|(_, time)| time.as_secs()).collect()
    });
    assert_eq!(times[19..], [0, 1, 2, 3, 6]);
}

#[tokio::test(start_paused = true)]
async fn only_a_status_that_says_the_same_and_is_the_newest_is_taken_for_ours() {
    let same = json!({ "context": "gatepost/lint", "state": "failure", "description": "2 new warnings", "target_url": "https://run" });
    let with = |key: &str, value: &str| {
        let mut other = same.clone();
        other[key] = json!(value);
        other
    };
    let other_place = with("context", "gatepost/test");
    let newest_first = [
        (vec![other_place.clone(), same.clone()], 0),
        (vec![with("state", "success"), same.clone()], 1),
        (vec![with("description", "3 new warnings")], 1),
        (vec![with("target_url", "https://other")], 1),
        (vec![other_place], 1),
    ];
    for (statuses, more) in newest_first {
        // The first try was never carried out.
        let hub = Hub::new().fault(Trigger::Next(Method::Post, "/statuses"), Fault::Unavailable);
        hub.with(|state| state.statuses.clone_from(&statuses));
        let receipt = interpreter(&hub).send(&Call::CommitStatus(status())).await;
        assert!(matches!(receipt.end, ReceiptEnd::Posted(_)));
        assert_eq!(hub.with(|state| state.statuses.len()), statuses.len() + more, "{statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_check_run_with_our_key_is_taken_for_ours() {
    let hub = Hub::new();
    interpreter(&hub).send(&Call::CheckRun(CheckRun { external_id: "122.1/lint".to_owned(), ..check_run(0) })).await;
    let hub = hub.fault(Trigger::Next(Method::Post, "/check-runs"), Fault::Unavailable);
    interpreter(&hub).send(&Call::CheckRun(check_run(0))).await;
    let look = format!("GET /commits/{}/check-runs?check_name=gatepost%2Flint&filter=all&per_page=100", "a".repeat(40));
    assert!(hub.log().contains(&look), "{:?}", hub.log());
    assert_eq!(hub.with(|state| state.check_runs.len()), 2);
}

/// Takes every request, and answers none.
struct Silent;

impl Forge for Silent {
    async fn send(&self, request: &Request) -> Result<Reply, ForgeError> {
        let after = Duration::from_secs(30);
        tokio::time::sleep(after).await;
        Err(ForgeError::TimedOut { url: request.path.clone(), after })
    }

    async fn download(&self, path: &str, _: usize) -> Result<Vec<u8>, ForgeError> {
        self.send(&Request::get(path.to_owned())).await.map(|reply| reply.body)
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_not_asked_for_ever() {
    let mut posting = Interpreter::new(Silent, &options());
    let begun = tokio::time::Instant::now();
    let calls = [vec![Call::CheckRun(check_run(0)); 30], vec![Call::StickyComment(comment(1, "x"))]].concat();
    let receipts = posting.send_all(&calls).await;
    assert!(begun.elapsed() < MINUTE * 2, "{:?}", begun.elapsed());
    for receipt in &receipts[2..] {
        let ReceiptEnd::Failed(why) = &receipt.end else { panic!("{receipt:?}") };
        assert!(why.contains("without an answer") && why.contains("is not asked any more"), "{why}");
    }
    assert_eq!(receipts.len(), 31);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_of_rights_is_of_one_request_alone() {
    let words = "the `octo` organization has an IP allow list enabled, and your IP address is not permitted";
    let hub = Hub::new().fault(Trigger::Next(Method::Post, "/check-runs"), Fault::Denied(words));
    let mut posting = interpreter(&hub);
    let receipts = posting.send_all(&[Call::CheckRun(check_run(0)), Call::CheckRun(check_run(0))]).await;
    let ReceiptEnd::Failed(why) = &receipts[0].end else { panic!("{receipts:?}") };
    assert!(why.ends_with(words), "{why}");
    assert!(matches!(receipts[1].end, ReceiptEnd::Posted(_)), "{receipts:?}");
}
