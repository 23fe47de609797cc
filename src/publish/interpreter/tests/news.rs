//! Issues: one that is open for a key, news told once, closed where the news say so.

use super::*;

async fn told(hub: &Hub, one: News) -> ReceiptEnd {
    interpreter(hub).send(&Call::News(one)).await.end
}

#[tokio::test]
async fn the_first_news_open_an_issue_and_further_ones_are_comments_on_it() {
    let hub = Hub::new();
    assert_eq!(told(&hub, news("a")).await, ReceiptEnd::Posted(Some("https://i/1".to_owned())));
    assert_eq!(told(&hub, news("b")).await, ReceiptEnd::Posted(Some("https://i/1".to_owned())));
    let (issues, comments) = hub.with(|state| (state.issues.len(), state.comments.clone()));
    assert_eq!((issues, comments.len()), (1, 1));
    assert_eq!(comments[0]["body"], "<!-- gatepost:news key=production id=b -->\nIt failed.");
    for again in ["a", "b"] {
        assert_eq!(told(&hub, news(again)).await, ReceiptEnd::Unchanged("it was told already".to_owned()));
    }
    assert_eq!(hub.with(|state| (state.issues.len(), state.comments.len())), (1, 1));
}

#[tokio::test]
async fn good_news_open_nothing_and_close_what_is_open() {
    let hub = Hub::new();
    let good = |id| News { opens: false, closes: true, ..news(id) };
    assert_eq!(told(&hub, good("a")).await, ReceiptEnd::LeftAlone("no issue is open about it".to_owned()));
    assert_eq!(hub.writes(), 0);
    told(&hub, news("b")).await;
    told(&hub, good("c")).await;
    assert_eq!(hub.with(|state| (state.issues[0]["state"].clone(), state.comments.len())), (json!("closed"), 1));
    told(&hub, news("d")).await;
    assert_eq!(hub.with(|state| state.issues.len()), 2, "a closed one is not opened again");
}

#[tokio::test]
async fn only_our_own_issue_about_the_same_is_taken_for_it() {
    let marker = "<!-- gatepost:news key=production id=x -->\n";
    for (author, body) in [
        ("mallory", format!("{marker}mine")),
        ("github-actions[bot]", format!("hello\n{marker}")),
        ("github-actions[bot]", marker.replace("production", "staging")),
    ] {
        let hub = Hub::new();
        hub.with(|state| state.issue(author, &body));
        told(&hub, news("a")).await;
        assert_eq!(hub.with(|state| (state.issues.len(), state.comments.len())), (2, 0), "{author} {body}");
    }
    // A stranger's comment with our marker does not keep the news from being told.
    let hub = Hub::new();
    told(&hub, news("a")).await;
    hub.with(|state| state.comment("mallory", "<!-- gatepost:news key=production id=b -->\n"));
    told(&hub, news("b")).await;
    assert_eq!(hub.with(|state| state.comments.len()), 2);
    // A pull request is listed among the issues.
    let hub = Hub::new();
    hub.with(|state| {
        state.issue("github-actions[bot]", marker);
        state.issues[0]["pull_request"] = json!({"url": "https://p/1"});
    });
    told(&hub, news("a")).await;
    assert_eq!(hub.with(|state| state.issues.len()), 2);
}

#[tokio::test]
async fn it_is_looked_for_by_its_first_label() {
    let hub = Hub::new();
    told(&hub, News { labels: vec!["on call & co".to_owned(), "b".to_owned()], ..news("a") }).await;
    assert_eq!(hub.log()[0], "GET /issues?state=open&per_page=100&labels=on%20call%20%26%20co");
}
