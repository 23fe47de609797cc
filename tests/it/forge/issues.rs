//! The one issue of a marker, on the fake GitHub.

use gatepost::model::call::{Call, ReceiptEnd, StickyIssue};

use super::{issue, posted, send, start, start_with};
use crate::github::{Account, FakeGitHub, Issue, Scope, Token};

/// `number open|closed body` of every issue, without the marker.
fn issues(fake: &FakeGitHub) -> Vec<String> {
    let one = |(number, issue): (&u64, &Issue)| {
        let text = issue.body.lines().skip(1).collect::<Vec<_>>().join("\n");
        format!("{number} {} {text}", if issue.open { "open" } else { "closed" })
    };
    fake.with(|github| github.repo("octo/shop").issues.iter().map(one).collect())
}

fn call(run: u64, body: &str, open: bool) -> Call {
    Call::StickyIssue(issue(run, body, open))
}

#[tokio::test]
async fn an_issue_is_opened_updated_and_closed_by_itself() {
    let fake = start();
    let end = send(&fake, &call(1, "", false)).await;
    assert!(matches!(&end, ReceiptEnd::LeftAlone(why) if why == "there is no issue to close"), "{end:?}");
    posted(&send(&fake, &call(1, "two", true)).await);
    assert_eq!(issues(&fake), ["8 open two"]);
    let end = send(&fake, &call(2, "two", true)).await;
    assert!(matches!(end, ReceiptEnd::Unchanged(_)), "{end:?}");
    posted(&send(&fake, &call(3, "three", true)).await);
    let end = send(&fake, &call(2, "of an older run", true)).await;
    assert!(matches!(&end, ReceiptEnd::LeftAlone(why) if why.contains("a newer run (3, attempt 1)")), "{end:?}");
    assert_eq!(issues(&fake), ["8 open three"]);
    posted(&send(&fake, &call(4, "none", false)).await);
    assert_eq!(issues(&fake), ["8 closed none"]);
    posted(&send(&fake, &call(5, "again", true)).await);
    assert_eq!(issues(&fake), ["8 closed none", "9 open again"]);
    fake.finish();
}

#[tokio::test]
async fn only_ours_of_the_same_marker_is_touched_and_others_are_merged_into_the_first() {
    let fake = start();
    posted(&send(&fake, &call(1, "ours", true)).await);
    let other = StickyIssue { marker: "issue-licences".to_owned(), ..issue(1, "of another gate", true) };
    posted(&send(&fake, &Call::StickyIssue(other)).await);
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        let ours = repo.issues[&8].clone();
        repo.issues.insert(3, Issue { author: Account::user("mallory"), ..ours.clone() });
        repo.issues.insert(20, ours);
    });
    posted(&send(&fake, &call(2, "new", true)).await);
    assert_eq!(issues(&fake), ["3 open ours", "8 open new", "9 open of another gate", "20 closed ours"]);
    fake.finish();
}

#[tokio::test]
async fn a_token_without_the_right_is_told_once() {
    let fake = start_with(Token::actions().without(Scope::Issues), |_| {});
    let end = send(&fake, &call(1, "two", true)).await;
    assert!(matches!(&end, ReceiptEnd::Denied(why) if why.contains("`issues: write`")), "{end:?}");
    assert_eq!(issues(&fake), [""; 0]);
    fake.finish();
}
