//! Suggestions: each once, whatever stands on the pull request and whatever GitHub refuses.

use super::*;

async fn send(hub: &Hub, review: &Review) -> ReceiptEnd {
    interpreter(hub).send(&Call::Review(review.clone())).await.end
}

/// The lines that have a suggestion of ours, in posting order.
fn lines(hub: &Hub) -> Vec<u64> {
    hub.with(|state| state.review_comments.iter().map(|one| one["line"].as_u64().unwrap_or(0)).collect())
}

const BOT: &str = "github-actions[bot]";

#[tokio::test(start_paused = true)]
async fn a_review_is_three_calls_and_never_a_second_one() {
    let hub = Hub::new();
    assert_eq!(send(&hub, &review(3)).await, ReceiptEnd::Posted(Some("https://c/review".to_owned())));
    assert_eq!(hub.log(), ["GET /pulls/7", "GET /pulls/7/comments?per_page=100", "POST /pulls/7/reviews"]);
    let body = hub.with(|state| state.log[2].body.clone()).unwrap();
    assert_eq!(
        body["comments"][1],
        json!({ "path": "src/a.rs", "line": 2, "side": "RIGHT",
            "body": "<!-- gatepost:suggestion:v1 key=00000000000000000000000000000002 -->\n- fix 2\n" })
    );
    assert_eq!((&body["event"], &body["commit_id"]), (&json!("COMMENT"), &json!(head())));

    // Again, with the lines elsewhere, one of them outdated or resolved, and one more fix.
    hub.with(|state| state.review_comments[0]["line"] = json!(null));
    let mut again = review(4);
    again.suggestions.iter_mut().for_each(|one| one.end_line += 10);
    assert!(matches!(send(&hub, &again).await, ReceiptEnd::Posted(_)));
    assert_eq!(lines(&hub), [0, 2, 3, 14]);
    assert_eq!(send(&hub, &again).await, ReceiptEnd::Unchanged("4 suggestions on #7 already".to_owned()));
    assert_eq!(hub.with(|state| state.reviews), 2);
}

#[tokio::test(start_paused = true)]
async fn several_lines_are_a_range() {
    let hub = Hub::new();
    let mut wide = review(1);
    wide.suggestions[0].end_line = 4;
    send(&hub, &wide).await;
    let body = hub.with(|state| state.log[2].body.clone()).unwrap();
    let place = ["start_line", "start_side", "line", "side"].map(|key| body["comments"][0][key].clone());
    assert_eq!(place, [json!(1), json!("RIGHT"), json!(4), json!("RIGHT")]);
}

#[tokio::test(start_paused = true)]
async fn a_key_counts_with_our_author_only_and_on_any_page() {
    let mark = |line: u32| format!("<!-- gatepost:suggestion:v1 key={line:032x} -->\nx");
    let hub = Hub::new();
    hub.with(|state| {
        state.page = 1;
        state.review_comment("mallory", Some(1), &mark(1));
        state.review_comment(BOT, Some(9), &format!("> {}", mark(1)));
        state.review_comment(BOT, Some(2), &mark(2));
    });
    assert!(matches!(send(&hub, &review(2)).await, ReceiptEnd::Posted(_)));
    assert_eq!(lines(&hub), [1, 9, 2, 1]);

    // Nobody says who we are: nothing is posted that may stand already.
    let hub = Hub::new();
    hub.with(|state| {
        state.viewer = None;
        state.review_comment(BOT, Some(2), &mark(2));
    });
    assert!(failed(&send(&hub, &review(2)).await).contains("none is posted twice"));
    assert_eq!(hub.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn equal_lines_have_a_suggestion_each() {
    let mut equal = review(3);
    equal.suggestions.iter_mut().for_each(|one| one.key = "e".repeat(32));
    let hub = Hub::new();
    let first = Review { suggestions: vec![equal.suggestions[1].clone()], ..equal.clone() };
    send(&hub, &first).await;
    send(&hub, &equal).await;
    assert_eq!(lines(&hub), [2, 1, 3]);
    send(&hub, &equal).await;
    // The first was applied and the others moved up.
    let mut moved = Review { suggestions: equal.suggestions[..2].to_vec(), ..equal };
    moved.suggestions.iter_mut().for_each(|one| one.end_line += 40);
    assert!(matches!(send(&hub, &moved).await, ReceiptEnd::Unchanged(_)));
    assert_eq!(lines(&hub), [2, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn thirty_a_run_and_the_rest_in_the_next() {
    let hub = Hub::new();
    let end = send(&hub, &review(37)).await;
    assert_eq!(downgraded(&end), "30 of 37 suggestions placed; 7 suggestions for the next run: a review holds 30");
    assert!(downgraded(&send(&Hub::new(), &review(31)).await).contains("1 suggestion for the next run"));
    assert!(matches!(send(&hub, &review(37)).await, ReceiptEnd::Posted(_)));
    assert_eq!(lines(&hub), (1..=37).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_bad_place_costs_itself_alone() {
    let hub = Hub::new();
    let mut some = review(8);
    some.suggestions[4].body = "BAD".to_owned();
    let end = send(&hub, &some).await;
    let words = "Unprocessable Entity (Pull request review thread line must be part of the diff)";
    assert_eq!(downgraded(&end), format!("7 of 8 suggestions placed; GitHub refused the rest ({words})"));
    assert_eq!(lines(&hub), [1, 2, 3, 4, 6, 7, 8]);

    // All are bad: it is given up in good time.
    let hub = Hub::new();
    let mut all = review(30);
    all.suggestions.iter_mut().for_each(|one| one.body = "BAD".to_owned());
    assert!(downgraded(&send(&hub, &all).await).starts_with("0 of 30 suggestions placed; GitHub refused"));
    assert_eq!(hub.writes(), 12);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_is_told_beside_what_stopped_the_rest() {
    let mut two = review(2);
    two.suggestions[0].body = "BAD".to_owned();
    let hub = Hub::new().fault(Trigger::Nth(4), Fault::Denied("Resource not accessible by integration"));
    let end = send(&hub, &two).await;
    let said = downgraded(&end);
    assert!(said.starts_with("0 of 2 suggestions placed; GitHub refused the rest"), "{said}");
    assert!(said.contains("Resource not accessible"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_told_from_what_stood_and_from_what_others_post() {
    let mut equal = review(3);
    equal.suggestions.iter_mut().for_each(|one| one.key = "e".repeat(32));
    for fault in [Fault::LostReply, Fault::Reset, Fault::Cut] {
        let hub = Hub::new();
        send(&hub, &Review { suggestions: vec![equal.suggestions[1].clone()], ..equal.clone() }).await;
        let hub = hub.fault(Trigger::Next(Method::Post, "/reviews"), fault);
        send(&hub, &equal).await;
        assert_eq!(lines(&hub), [2, 1, 3], "{fault:?}");
    }
    // Nor is it taken for what another review of the same run has placed.
    equal.suggestions[2].body = "BAD".to_owned();
    let hub = Hub::new().fault(Trigger::Nth(5), Fault::Unavailable);
    send(&hub, &equal).await;
    assert_eq!(lines(&hub), [1, 2], "{:?}", hub.log());
    let hub = Hub::new().fault(Trigger::Next(Method::Post, "/reviews"), Fault::Reset);
    hub.with(|state| {
        state.meanwhile = Some((1, |state| {
            let theirs = format!("<!-- gatepost:suggestion:v1 key={:032x} -->\nx", 9);
            state.review_comment(BOT, Some(9), &theirs);
        }));
    });
    send(&hub, &review(2)).await;
    assert_eq!(lines(&hub), [9, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_moved_head_and_a_token_that_reads_only_get_nothing() {
    let hub = Hub::new();
    hub.with(|state| state.head = "b".repeat(40));
    let end = send(&hub, &review(3)).await;
    assert_eq!(end, ReceiptEnd::LeftAlone("the pull request has moved on from aaaaaaa to bbbbbbb".to_owned()));
    assert_eq!(hub.log().len(), 1);

    let denied = Fault::Denied("Resource not accessible by integration");
    let hub = Hub::new().fault(Trigger::Every(Method::Post, "/repos"), denied);
    let mut sender = interpreter(&hub);
    let end = sender.send(&Call::Review(review(3))).await.end;
    assert!(failed(&end).contains("needs `pull-requests: write`"), "{end:?}");
    let end = sender.send(&Call::Review(review(3))).await.end;
    assert!(failed(&end).contains("as said above"), "{end:?}");
    assert_eq!(hub.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_it_would_post() {
    let hub = Hub::new();
    let options = Options { dry_run: true, ..options() };
    let end = Interpreter::new(hub.clone(), &options).send(&Call::Review(review(3))).await.end;
    let ReceiptEnd::WouldSend(what) = end else { panic!("{end:?}") };
    assert!(what.starts_with("POST /repos/o/r/pulls/7/reviews") && what.contains("3 items"), "{what}");
    assert_eq!(hub.writes(), 0);
}
