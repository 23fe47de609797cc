//! The comment about something that goes on: one, whoever continues it, at one request for each word.

use super::*;

const FIRST: &str = "<!-- gatepost:live key=deploy-staging-12 -->";

#[tokio::test(start_paused = true)]
async fn it_is_made_once_and_changed_by_one_request_for_each_word() {
    let hub = Hub::new();
    hub.with(|state| state.comment("mallory", &format!("{FIRST}\nforged")));
    let mut one = interpreter(&hub);
    for body in ["going on", "failed", "rolled back"] {
        assert_eq!(
            one.send(&Call::LiveComment(live(body))).await.end,
            ReceiptEnd::Posted(Some("https://c/2".to_owned()))
        );
    }
    assert_eq!(
        hub.log(),
        [
            "GET /issues/7/comments?per_page=100",
            "POST /graphql",
            "POST /issues/7/comments",
            "PATCH /issues/comments/2",
            "PATCH /issues/comments/2"
        ]
    );
    // Another run continues it.
    posted(&interpreter(&hub).send(&Call::LiveComment(live("settled"))).await.end);
    let bodies = hub.with(|state| state.comments.iter().map(|one| one["body"].clone()).collect::<Vec<_>>());
    assert_eq!(bodies, [format!("{FIRST}\nforged"), format!("{FIRST}\nsettled")]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deleted_is_not_made_again() {
    let hub = Hub::new();
    let mut one = interpreter(&hub);
    posted(&one.send(&Call::LiveComment(live("going on"))).await.end);
    hub.with(|state| state.comments.clear());
    for _ in 0..2 {
        let end = one.send(&Call::LiveComment(live("failed"))).await.end;
        assert_eq!(end, ReceiptEnd::LeftAlone("somebody deleted it".to_owned()));
    }
    assert_eq!(hub.with(|state| state.comments.len()), 0);
    assert_eq!(hub.log().iter().filter(|line| line.starts_with("POST /issues")).count(), 1);
}

fn posted(end: &ReceiptEnd) {
    assert!(matches!(end, ReceiptEnd::Posted(_)), "{end:?}");
}
