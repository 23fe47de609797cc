//! The one comment: whose it is, when it is left alone, and how several runs end with one.

use super::*;
use crate::publish::interpreter::marker::Marker;

fn text(comment: &StickyComment) -> String {
    format!("{}\n{}", Marker::of(comment), comment.body)
}

fn bodies(hub: &Hub) -> Vec<String> {
    hub.with(|state| state.comments.iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect())
}

fn left_alone(end: &ReceiptEnd) -> &str {
    match end {
        ReceiptEnd::LeftAlone(why) => why,
        other => panic!("{other:?}"),
    }
}

async fn post(hub: &Hub, comment: &StickyComment) -> ReceiptEnd {
    interpreter(hub).send(&Call::StickyComment(comment.clone())).await.end
}

#[tokio::test(start_paused = true)]
async fn it_is_created_updated_in_place_and_not_touched_when_it_says_so_already() {
    let hub = Hub::new();
    assert_eq!(post(&hub, &comment(1, "red")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert_eq!(
        hub.log(),
        [
            "GET /pulls/7",
            "GET /issues/7/comments?per_page=100",
            "POST /issues/7/comments",
            "GET /issues/7/comments?per_page=100"
        ]
    );
    assert_eq!(post(&hub, &comment(1, "red")).await, ReceiptEnd::Unchanged("https://c/1".to_owned()));
    assert_eq!(post(&hub, &comment(3, "green")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert_eq!(bodies(&hub), [text(&comment(3, "green"))]);
    assert_eq!(hub.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_green_run_only_updates() {
    let hub = Hub::new();
    let green = StickyComment { create: false, ..comment(1, "green") };
    assert_eq!(post(&hub, &green).await, ReceiptEnd::LeftAlone("there is no comment to update".to_owned()));
    assert_eq!(hub.writes(), 0);
    hub.with(|state| state.comment("github-actions[bot]", &text(&comment(0, "red"))));
    assert!(matches!(post(&hub, &green).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&green)]);
}

#[tokio::test(start_paused = true)]
async fn only_our_author_our_key_and_the_first_line_make_it_ours() {
    let hub = Hub::new();
    let ours = text(&comment(9, "forged"));
    let other = StickyComment { marker: "nightly".to_owned(), ..comment(9, "other place") };
    hub.with(|state| {
        state.comment("mallory", &ours);
        state.comment("github-actions", &ours);
        state.comment("other-app[bot]", &ours);
        state.comment("github-actions[bot]", &format!("quoted:\n{ours}"));
        state.comment("github-actions[bot]", &text(&other));
    });
    let before = bodies(&hub);
    assert_eq!(post(&hub, &comment(1, "real")).await, ReceiptEnd::Posted(Some("https://c/6".to_owned())));
    assert_eq!(bodies(&hub)[..5], before);
    assert_eq!(bodies(&hub)[5], text(&comment(1, "real")));
}

#[tokio::test(start_paused = true)]
async fn an_app_is_known_by_its_name_with_and_without_bot() {
    let hub = Hub::new();
    hub.with(|state| {
        state.viewer = Some("my-app");
        state.comment("my-app[bot]", &text(&comment(1, "old")));
    });
    assert!(matches!(post(&hub, &comment(2, "new")).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&comment(2, "new"))]);
    hub.with(|state| state.comments[0]["user"]["type"] = json!("User"));
    post(&hub, &StickyComment { create: false, ..comment(3, "newer") }).await;
    assert_eq!(bodies(&hub), [text(&comment(2, "new"))], "a person with such a name is somebody else");
}

#[tokio::test(start_paused = true)]
async fn when_github_does_not_say_who_we_are_nothing_of_others_is_changed() {
    let hub = Hub::new();
    hub.with(|state| {
        state.viewer = None;
        state.comment("github-actions[bot]", &text(&comment(1, "old")));
    });
    let green = StickyComment { create: false, ..comment(2, "green") };
    let end = post(&hub, &green).await;
    assert!(failed(&end).contains("whose the comments are cannot be told"), "{end:?}");
    assert_eq!(hub.writes(), 0);
    // Our own comment tells who we are, and then the older one is kept.
    assert_eq!(post(&hub, &comment(3, "red")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert_eq!(bodies(&hub), [text(&comment(3, "red"))]);
}

#[tokio::test(start_paused = true)]
async fn it_is_found_on_any_page() {
    let hub = Hub::new();
    hub.with(|state| {
        state.page = 2;
        for _ in 0..5 {
            state.comment("alice", "hi");
        }
        state.comment("github-actions[bot]", &text(&comment(1, "old")));
    });
    assert_eq!(post(&hub, &comment(2, "new")).await, ReceiptEnd::Posted(Some("https://c/6".to_owned())));
    assert_eq!(hub.with(|state| state.comments.len()), 6);
}

#[tokio::test(start_paused = true)]
async fn it_is_left_alone_when_the_head_has_moved() {
    let hub = Hub::new();
    hub.with(|state| state.head = "b".repeat(40));
    let end = post(&hub, &comment(1, "x")).await;
    assert_eq!(end, ReceiptEnd::LeftAlone("the pull request has moved on from aaaaaaa to bbbbbbb".to_owned()));
    assert_eq!(hub.log(), ["GET /pulls/7"]);
}

#[tokio::test(start_paused = true)]
async fn it_is_left_alone_when_a_newer_run_has_spoken() {
    for newer in [(9, 1), (5, 2)] {
        let hub = Hub::new();
        let theirs = text(&StickyComment { generation: newer.into(), ..comment(0, "newer") });
        hub.with(|state| state.comment("github-actions[bot]", &theirs));
        let end = post(&hub, &comment(5, "older")).await;
        assert_eq!(end, ReceiptEnd::LeftAlone(format!("a newer run ({}, attempt {}) has spoken", newer.0, newer.1)));
        assert_eq!(bodies(&hub), [theirs]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_older_run_that_was_run_again_takes_back_what_a_newer_one_said_better_of_the_same_commit() {
    let green = StickyComment { verdict: Outcome::Pass, green: true, ..comment(9, "green") };
    let again = StickyComment { generation: (5, 2).into(), ..comment(5, "again") };
    let mended =
        StickyComment { generation: (5, 3).into(), ..StickyComment { body: "mended".to_owned(), ..green.clone() } };
    let hub = Hub::new();
    for (said, shown) in [(&green, None), (&again, None), (&comment(5, "late"), Some(&again)), (&mended, None)] {
        post(&hub, said).await;
        assert_eq!(bodies(&hub), [text(shown.unwrap_or(said))]);
    }
    // What is no worse leaves the newer one's words; so does an attempt that a later one of the same run has overtaken.
    for (stands, late) in
        [(comment(9, "red"), &again), (StickyComment { generation: (5, 3).into(), ..green.clone() }, &again)]
    {
        let hub = Hub::new();
        hub.with(|state| state.comment("github-actions[bot]", &text(&stands)));
        assert!(left_alone(&post(&hub, late).await).starts_with("a newer run ("));
        assert_eq!(bodies(&hub), [text(&stands)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_job_of_the_same_run_said_is_not_replaced_by_what_is_greener() {
    let hub = Hub::new();
    let of = |job: &str, body: &str| StickyComment { job: job.to_owned(), ..comment(5, body) };
    let green = StickyComment { verdict: Outcome::Pass, green: true, ..of("a", "green") };
    let error = StickyComment { verdict: Outcome::Error, ..of("b", "unclear") };
    let red = of("c", "red");
    let says = |hub: &Hub| bodies(hub)[0].rsplit('\n').next().unwrap().to_owned();
    for posted in [&green, &error, &red] {
        assert!(matches!(post(&hub, posted).await, ReceiptEnd::Posted(_)));
    }
    assert_eq!(says(&hub), "red");
    for greener in [&green, &error] {
        assert!(left_alone(&post(&hub, greener).await).starts_with("another job has said fail of this commit"));
    }
    assert_eq!(says(&hub), "red");
    // Each of those that were red must end better, in whichever later attempt or run; those that were not are no help.
    let again = |one: &StickyComment, generation: (u64, u64)| StickyComment {
        generation: generation.into(),
        ..StickyComment { job: one.job.clone(), ..green.clone() }
    };
    for one in [again(&green, (5, 2)), again(&error, (5, 2)), again(&green, (6, 1))] {
        assert!(left_alone(&post(&hub, &one).await).starts_with("another job has said fail of this commit"));
        assert_eq!(says(&hub), "red");
    }
    // Nothing older than the run that took a job off the red ones may write over it.
    assert_eq!(Marker::read(&bodies(&hub)[0]).unwrap().generation, (5, 2).into());
    assert_eq!(left_alone(&post(&hub, &error).await), "a newer run (5, attempt 2) has spoken");
    assert!(matches!(post(&hub, &again(&red, (6, 1))).await, ReceiptEnd::Posted(_)));
    assert_eq!(says(&hub), "green");
    // The other job spoke between our look and our comment: ours goes.
    let hub = Hub::new();
    hub.with(|state| {
        let red = |state: &mut hub::State| {
            state.comment("github-actions[bot]", &text(&comment(5, "red")));
        };
        state.meanwhile = Some((1, red));
    });
    post(&hub, &green).await;
    assert_eq!(bodies(&hub), [text(&comment(5, "red"))]);
}

#[tokio::test(start_paused = true)]
async fn legs_that_are_not_told_apart_are_counted() {
    let leg = |made: &str, attempt: u64, verdict: Outcome| {
        let made = made.to_owned();
        let (green, generation) = (verdict.is_green(), (5, attempt).into());
        StickyComment { generation, made, verdict, green, ..comment(5, verdict.word()) }
    };
    let says = |hub: &Hub| bodies(hub)[0].rsplit('\n').next().unwrap().to_owned();
    let hub = Hub::new();
    for (made, attempt, verdict, shown) in [
        ("a", 1, Outcome::Fail, "fail"),
        ("b", 1, Outcome::Fail, "fail"),
        ("c", 1, Outcome::Pass, "fail"),
        ("d", 2, Outcome::Pass, "fail"),
        ("e", 3, Outcome::Fail, "fail"),
        ("f", 3, Outcome::Pass, "fail"),
        ("g", 4, Outcome::Pass, "pass"),
    ] {
        post(&hub, &leg(made, attempt, verdict)).await;
        assert_eq!(says(&hub), shown, "{made}");
    }
    // Another head is another matter.
    let hub = Hub::new();
    post(&hub, &leg("a", 1, Outcome::Fail)).await;
    hub.with(|state| state.head = "b".repeat(40));
    let moved = StickyComment { head_sha: Sha::parse(&"b".repeat(40)).unwrap(), ..leg("b", 1, Outcome::Pass) };
    post(&hub, &StickyComment { job: "other".to_owned(), generation: (6, 1).into(), ..moved }).await;
    assert_eq!(says(&hub), "pass");
}

#[tokio::test(start_paused = true)]
async fn what_another_job_wrote_over_without_having_seen_it_is_said_again() {
    let hub = Hub::new();
    // After our comment was created, before we read again.
    hub.with(|state| {
        state.meanwhile = Some((2, |state| {
            let theirs = StickyComment { job: "other".to_owned(), ..comment(1, "theirs") };
            state.comments[0]["body"] = json!(text(&theirs));
        }));
    });
    assert!(matches!(post(&hub, &comment(1, "ours")).await, ReceiptEnd::Posted(_)));
    let open = Marker::read(&bodies(&hub)[0]).unwrap().open;
    assert_eq!(open.iter().map(|one| one.job.as_str()).collect::<Vec<_>>(), ["other", "test"]);
    assert_eq!(hub.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_that_tell_of_others_the_one_that_judged_later_has_the_last_word() {
    use crate::model::call::Generation;
    let told = |judged: u64, told: u64, body: &str| {
        let generation = Generation { judged: (judged, 1), told: (told, 1) };
        StickyComment { generation, made: body.to_owned(), ..comment(judged, body) }
    };
    let hub = Hub::new();
    post(&hub, &told(6, 20, "new")).await;
    // The older run took longer.
    assert_eq!(left_alone(&post(&hub, &told(5, 21, "old")).await), "a newer run (6, attempt 1) has spoken");
    // Told anew, as after an override.
    let again = StickyComment { verdict: Outcome::Pass, green: true, ..told(6, 22, "again") };
    assert!(matches!(post(&hub, &again).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&again)]);
}

#[tokio::test(start_paused = true)]
async fn duplicates_collapse_to_the_oldest() {
    let hub = Hub::new();
    hub.with(|state| {
        for body in ["one", "two", "three"] {
            state.comment("github-actions[bot]", &text(&comment(1, body)));
        }
        state.comment("mallory", &text(&comment(1, "two")));
    });
    assert_eq!(post(&hub, &comment(2, "new")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert_eq!(bodies(&hub), [text(&comment(2, "new")), text(&comment(1, "two"))]);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_cannot_be_removed_is_said() {
    let hub = Hub::new().fault(Trigger::Every(Method::Delete, ""), Fault::Denied("no"));
    hub.with(|state| {
        for _ in 0..2 {
            state.comment("github-actions[bot]", &text(&comment(1, "old")));
        }
    });
    let end = post(&hub, &comment(2, "new")).await;
    assert!(downgraded(&end).contains("an older comment of ours is still there"), "{end:?}");
    assert_eq!(bodies(&hub)[0], text(&comment(2, "new")));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_another_run_has_removed_is_no_failure() {
    let hub = Hub::new();
    hub.with(|state| {
        for _ in 0..2 {
            state.comment("github-actions[bot]", &text(&comment(1, "old")));
        }
        // After our update, and after we read again.
        state.meanwhile = Some((4, |state| drop(state.comments.pop())));
    });
    assert_eq!(post(&hub, &comment(2, "new")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert!(hub.log().contains(&"DELETE /issues/comments/2".to_owned()), "{:?}", hub.log());
}

/// Two runs at once, with every order of their requests that a few seeds give.
#[tokio::test(start_paused = true)]
async fn two_runs_at_once_end_with_one_comment_of_the_newer() {
    for (first, second) in [(1, 2), (2, 1), (1, 1)] {
        for head_start in 0..12 {
            for old in [false, true] {
                let hub = Hub::new();
                if old {
                    hub.with(|state| state.comment("github-actions[bot]", &text(&comment(0, "before"))));
                }
                let (one, two) = (comment(first, "from one"), comment(second, "from two"));
                let (a, b) = tokio::join!(post(&hub, &one), async {
                    for _ in 0..head_start {
                        tokio::task::yield_now().await;
                    }
                    post(&hub, &two).await
                });
                let left = bodies(&hub);
                assert_eq!(left.len(), 1, "{first} {second} {head_start} {old}: {left:?} {a:?} {b:?}");
                if first > second {
                    assert_eq!(left[0], text(&one), "{head_start} {old}");
                }
                if second > first {
                    assert_eq!(left[0], text(&two), "{head_start} {old}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_does_not_show_at_once_is_waited_for_and_then_adopted() {
    for (lag, seconds) in [(1, 0), (2, 1), (3, 3), (4, 6), (5, 10), (100, 10)] {
        let hub = Hub::new();
        hub.with(|state| state.lag = lag);
        assert_eq!(post(&hub, &comment(1, "x")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
        assert_eq!(bodies(&hub), [text(&comment(1, "x"))], "{lag}");
        assert_eq!(hub.with(|state| state.times.last().unwrap().as_secs()), seconds, "{lag}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_does_not_show_at_once_is_not_sent_again() {
    for (stale, seconds) in [(1, 1), (3, 6), (100, 10)] {
        let hub = Hub::new();
        hub.with(|state| {
            state.comment("github-actions[bot]", &text(&comment(1, "before")));
            state.stale = stale;
        });
        assert_eq!(post(&hub, &comment(2, "new")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
        assert_eq!(hub.writes(), 1, "{stale}");
        assert_eq!(hub.with(|state| state.times.last().unwrap().as_secs()), seconds, "{stale}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_job_of_the_same_run_may_have_the_last_word() {
    let hub = Hub::new();
    // After our comment was created, before we read again.
    hub.with(|state| {
        state.meanwhile = Some((2, |state| state.comments[0]["body"] = json!(text(&comment(1, "theirs")))));
    });
    assert!(matches!(post(&hub, &comment(1, "ours")).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&comment(1, "theirs"))]);
    assert_eq!(hub.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_never_stops_writing_over_us_is_let() {
    let hub = Hub::new();
    hub.with(|state| {
        state.comment("github-actions[bot]", &text(&comment(1, "before")));
        state.always = Some(|state| {
            let count = state.log.len();
            state.comments[0]["body"] = json!(text(&comment(2, &format!("again {count}"))));
        });
    });
    let end = post(&hub, &comment(5, "new")).await;
    assert_eq!(downgraded(&end), "another run keeps writing over the comment");
    assert_eq!(hub.writes(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_an_older_run_writes_over_us_is_written_again() {
    let hub = Hub::new();
    hub.with(|state| {
        state.comment("github-actions[bot]", &text(&comment(1, "before")));
        // After our update, before we read again.
        state.meanwhile = Some((3, |state| state.comments[0]["body"] = json!(text(&comment(2, "late and old")))));
    });
    assert!(matches!(post(&hub, &comment(5, "new")).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&comment(5, "new"))]);
}

#[tokio::test(start_paused = true)]
async fn a_comment_removed_by_another_is_no_failure() {
    let hub = Hub::new();
    hub.with(|state| {
        for _ in 0..2 {
            state.comment("github-actions[bot]", &text(&comment(1, "before")));
        }
        // After we listed it.
        state.meanwhile = Some((2, |state| drop(state.comments.remove(0))));
    });
    assert_eq!(post(&hub, &comment(5, "new")).await, ReceiptEnd::Posted(Some("https://c/2".to_owned())));
    assert_eq!(bodies(&hub), [text(&comment(5, "new"))]);
}

#[tokio::test(start_paused = true)]
async fn runs_on_a_laptop_have_no_order() {
    let hub = Hub::new();
    post(&hub, &comment(0, "red")).await;
    let green = StickyComment { verdict: Outcome::Pass, green: true, made: "x".to_owned(), ..comment(0, "green") };
    assert!(matches!(post(&hub, &green).await, ReceiptEnd::Posted(_)));
    assert_eq!(bodies(&hub), [text(&green)]);
}

/// Another job of the run says the same after we looked, and ours is not shown at once.
fn beside_another_job() -> Hub {
    let hub = Hub::new();
    hub.with(|state| {
        state.lag = 2;
        state.meanwhile = Some((1, |state| {
            state.comment("github-actions[bot]", &text(&comment(1, "x")));
        }));
    });
    hub
}

#[tokio::test(start_paused = true)]
async fn a_comment_of_ours_that_does_not_show_yet_is_waited_for_beside_another_of_ours() {
    let hub = beside_another_job();
    assert_eq!(post(&hub, &comment(1, "x")).await, ReceiptEnd::Posted(Some("https://c/1".to_owned())));
    assert_eq!(bodies(&hub), [text(&comment(1, "x"))]);
    let hub = beside_another_job().fault(Trigger::Every(Method::Delete, ""), Fault::Denied("no"));
    let end = post(&hub, &comment(1, "x")).await;
    assert!(downgraded(&end).contains("an older comment of ours is still there"), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_not_comment_is_not_tried_twice() {
    let denied = Fault::Denied("Resource not accessible by integration");
    let hub = Hub::new().fault(Trigger::Every(Method::Post, "/comments"), denied);
    let mut sender = interpreter(&hub);
    for words in ["needs `pull-requests: write`", "as said above"] {
        let end = sender.send(&Call::StickyComment(comment(1, "x"))).await.end;
        assert!(failed(&end).contains(words), "{end:?}");
    }
    assert_eq!(hub.writes(), 1);
    let mut sender = interpreter(&hub);
    for words in ["needs `pull-requests: write`", "as said above"] {
        let end = sender.send(&Call::LiveComment(live("x"))).await.end;
        assert!(failed(&end).contains(words), "{end:?}");
    }
    assert_eq!(hub.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_refused_is_told_and_not_made_up_for() {
    let denied = Fault::Denied("Resource not accessible by integration");
    let hub = Hub::new().fault(Trigger::Every(Method::Patch, "/comments"), denied);
    hub.with(|state| state.comment("github-actions[bot]", &text(&comment(1, "old"))));
    let end = post(&hub, &comment(2, "new")).await;
    assert!(failed(&end).contains("needs `pull-requests: write`"), "{end:?}");
    assert_eq!((hub.writes(), bodies(&hub)), (1, vec![text(&comment(1, "old"))]));
}
