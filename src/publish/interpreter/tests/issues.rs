//! The one issue of a marker: opened, updated, closed, and never a second one.

use super::*;
use crate::publish::interpreter::marker::Marker;

const BOT: &str = "github-actions[bot]";
const LIST: &str = "/issues?state=open&sort=created&direction=asc&per_page=100";

pub(super) fn issue(body: &str) -> StickyIssue {
    StickyIssue {
        marker: "audit".to_owned(),
        formerly: "old".to_owned(),
        generation: (12, 1).into(),
        verdict: Outcome::Fail,
        title: "2 advisories".to_owned(),
        body: body.to_owned(),
        open: true,
    }
}

async fn send(hub: &Hub, issue: StickyIssue) -> ReceiptEnd {
    interpreter(hub).send(&Call::StickyIssue(issue)).await.end
}

/// Number, title and state of each.
fn all(hub: &Hub) -> Vec<(u64, String, String)> {
    let one = |issue: &Value| {
        let word = |key: &str| issue[key].as_str().unwrap_or_default().to_owned();
        (issue["number"].as_u64().unwrap(), word("title"), word("state"))
    };
    hub.with(|state| state.issues.iter().map(one).collect())
}

fn is(number: u64, title: &str, state: &str) -> (u64, String, String) {
    (number, title.to_owned(), state.to_owned())
}

fn posted(number: u64) -> ReceiptEnd {
    ReceiptEnd::Posted(Some(format!("https://i/{number}")))
}

#[tokio::test(start_paused = true)]
async fn an_issue_is_opened_updated_and_closed() {
    let hub = Hub::new();
    let closing = || StickyIssue { open: false, ..issue("none") };
    assert_eq!(send(&hub, closing()).await, ReceiptEnd::LeftAlone("there is no issue to close".to_owned()));
    assert_eq!(send(&hub, issue("two")).await, posted(1));
    assert_eq!(send(&hub, issue("two")).await, ReceiptEnd::Unchanged("https://i/1".to_owned()));
    assert_eq!(hub.writes(), 1);
    let titled = StickyIssue { title: "3 advisories".to_owned(), ..issue("two") };
    assert_eq!(send(&hub, titled.clone()).await, posted(1));
    assert_eq!(all(&hub), [is(1, "3 advisories", "open")]);
    let said = StickyIssue { body: "three".to_owned(), ..titled };
    assert_eq!(send(&hub, said.clone()).await, posted(1));
    assert!(hub.with(|state| state.issues[0]["body"].as_str().unwrap().ends_with("-->\nthree")));
    assert_eq!((send(&hub, StickyIssue { open: false, ..said }).await, hub.writes()), (posted(1), 4));
    assert_eq!(hub.with(|state| state.issues[0]["state_reason"].clone()), "completed");
    assert_eq!(all(&hub), [is(1, "3 advisories", "closed")]);
    assert_eq!(send(&hub, issue("two")).await, posted(2));
}

#[tokio::test(start_paused = true)]
async fn a_newer_run_has_the_last_word() {
    let hub = Hub::new();
    send(&hub, StickyIssue { generation: (12, 2).into(), ..issue("newer") }).await;
    let end = send(&hub, issue("older")).await;
    assert_eq!(end, ReceiptEnd::LeftAlone("a newer run (12, attempt 2) has spoken".to_owned()));
    assert_eq!(send(&hub, StickyIssue { generation: (12, 2).into(), ..issue("again") }).await, posted(1));
}

#[tokio::test(start_paused = true)]
async fn of_several_the_oldest_is_kept() {
    let hub = Hub::new();
    send(&hub, issue("two")).await;
    hub.with(|state| {
        let body = state.issues[0]["body"].as_str().unwrap().to_owned();
        state.issue(BOT, &body);
        state.issues.reverse();
    });
    assert_eq!(send(&hub, issue("two")).await, posted(1), "it was not alone, and is written again");
    assert_eq!(all(&hub), [is(2, "", "closed"), is(1, "2 advisories", "open")]);
    assert_eq!(hub.with(|state| state.issues[0]["state_reason"].clone()), "not_planned");
}

#[tokio::test(start_paused = true)]
async fn each_marker_has_an_issue_and_an_older_versions_is_taken_over_once() {
    let hub = Hub::new();
    send(&hub, StickyIssue { marker: "old".to_owned(), ..issue("two") }).await;
    assert_eq!(send(&hub, issue("two")).await, posted(1), "it is written with the new marker");
    assert_eq!(send(&hub, issue("two")).await, ReceiptEnd::Unchanged("https://i/1".to_owned()));
    let other = StickyIssue { marker: "audit-elsewhere".to_owned(), ..issue("other") };
    assert_eq!(send(&hub, other.clone()).await, posted(2));
    assert_eq!(send(&hub, StickyIssue { open: false, ..other }).await, posted(2));
    assert_eq!(all(&hub), [is(1, "2 advisories", "open"), is(2, "2 advisories", "closed")]);
}

#[tokio::test(start_paused = true)]
async fn strangers_issues_and_pull_requests_are_not_ours() {
    let hub = Hub::new();
    send(&hub, issue("two")).await;
    hub.with(|state| {
        let user = json!({ "login": "mallory", "type": "User" });
        let pull = state.issues[0].clone();
        state.issues.push(pull);
        state.issues[0]["user"] = user;
        state.issues[1]["pull_request"] = json!({ "url": "https://p/1" });
    });
    assert_eq!(send(&hub, issue("two")).await, posted(2));
    // Nobody says who we are.
    hub.with(|state| state.viewer = None);
    assert!(failed(&send(&hub, issue("three")).await).contains("so none is changed"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_leaves_one_issue() {
    for fault in [Fault::LostReply, Fault::Reset, Fault::Cut, Fault::BadGateway] {
        let hub = Hub::new().fault(Trigger::Next(Method::Post, "/issues"), fault);
        // What another run of ours said in the meantime is not what we made.
        hub.with(|state| {
            state.meanwhile = Some((0, |state| {
                let theirs = Marker::of_issue(&StickyIssue { generation: (11, 1).into(), ..issue("two") });
                state.issue(BOT, &format!("{theirs}\ntwo"));
            }));
        });
        let end = send(&hub, issue("two")).await;
        assert!(matches!(end, ReceiptEnd::Posted(_)), "{fault:?} {end:?}");
        let titled = all(&hub).into_iter().filter(|(_, title, _)| title == "2 advisories").count();
        assert_eq!(titled, 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_written_is_told() {
    let denied = Fault::Denied("Resource not accessible by integration");
    let hub = Hub::new().fault(Trigger::Every(Method::Post, "/issues"), denied);
    assert!(failed(&send(&hub, issue("two")).await).contains("needs `issues: write`"));
    let hub = Hub::new();
    hub.with(|state| state.served.push((LIST.to_owned(), 410, json!({ "message": "Issues are disabled" }))));
    let off = "issues are switched off in this repository".to_owned();
    assert_eq!(send(&hub, issue("two")).await, ReceiptEnd::LeftAlone(off));
    let hub = Hub::new().fault(Trigger::Nth(0), Fault::Secondary(Some(900)));
    assert!(failed(&send(&hub, issue("two")).await).starts_with("GitHub's secondary rate limit"));
    let hub = Hub::new().fault(Trigger::Every(Method::Get, "/issues"), Fault::NotFound);
    assert!(failed(&send(&hub, issue("two")).await).contains("404"));
}

#[tokio::test(start_paused = true)]
async fn whoever_made_an_issue_is_known_by_it() {
    let hub = Hub::new();
    let mut sender = interpreter(&hub);
    for body in ["two", "three"] {
        assert_eq!(sender.send(&Call::StickyIssue(issue(body))).await.end, posted(1));
    }
    assert!(!hub.log().iter().any(|line| line.ends_with("/graphql")), "{:?}", hub.log());
}
