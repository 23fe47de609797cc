//! Comments: created, found, changed in place, deleted, paged.

use super::*;

const LIST: &str = "/repos/octo/shop/issues/7/comments";

fn bodies(got: &Got) -> Vec<&str> {
    got.body.as_array().unwrap().iter().map(|comment| comment["body"].as_str().unwrap()).collect()
}

#[test]
fn a_comment_lives_from_creation_to_deletion() {
    let (fake, client) = start();
    let id = create_comment(&client, "first");
    let path = format!("/repos/octo/shop/issues/comments/{id}");
    let created = client.get(&path).body;
    assert_eq!(created["body"], "first");
    assert_eq!(created["user"]["login"], "github-actions[bot]");
    assert_eq!(created["user"]["type"], "Bot");
    assert_eq!(created["performed_via_github_app"]["slug"], "github-actions");
    assert_eq!(created["created_at"], created["updated_at"]);
    let updated = client.patch(&path, &json!({ "body": "second" })).body;
    assert_eq!((&updated["id"], &updated["body"]), (&json!(id), &json!("second")));
    assert_eq!(updated["created_at"], created["created_at"]);
    assert_ne!(updated["updated_at"], created["updated_at"]);
    assert_eq!(bodies(&client.get(LIST)), ["second"]);
    let deleted = client.delete(&path);
    assert_eq!((deleted.status, &deleted.body), (204, &Value::Null));
    assert_eq!(bodies(&client.get(LIST)), [""; 0]);
    assert_eq!(client.get(&path).status, 404);
    assert_eq!(client.patch(&path, &json!({ "body": "third" })).status, 404);
    assert_eq!(client.delete(&path).status, 404);
    fake.finish();
}

#[test]
fn comments_stay_on_their_issue_and_with_their_author() {
    let (fake, client) = start();
    fake.with(|github| {
        github.repo("octo/shop").issue(9);
        github.comment("octo/shop", 9, Account::user("mallory"), "elsewhere");
        github.comment("octo/shop", 7, Account::user("mallory"), "theirs");
    });
    create_comment(&client, "ours");
    let got = client.get(LIST);
    assert_eq!(bodies(&got), ["theirs", "ours"]);
    assert_eq!(got.body[1]["user"]["login"], "github-actions[bot]");
    let person = Client::new(&fake.url(), "person");
    let hers = person.post("/repos/octo/shop/issues/9/comments", &json!({ "body": "hers" })).body;
    assert_eq!((&hers["user"]["login"], &hers["author_association"]), (&json!("mona"), &json!("CONTRIBUTOR")));
    assert_eq!((&got.body[0]["user"]["login"], &got.body[0]["user"]["type"]), (&json!("mallory"), &json!("User")));
    assert_eq!(got.body[0]["performed_via_github_app"], Value::Null);
    assert_eq!(bodies(&client.get("/repos/octo/shop/issues/9/comments")), ["elsewhere", "hers"]);
    let since = got.body[1]["updated_at"].as_str().unwrap();
    assert_eq!(bodies(&client.get(&format!("{LIST}?since={since}"))), ["ours"]);
    assert_eq!(client.get("/repos/octo/shop/issues/8/comments").status, 404);
    assert_eq!(client.post("/repos/octo/shop/issues/8/comments", &json!({ "body": "x" })).status, 404);
    fake.finish();
}

#[test]
fn pages_link_to_their_neighbours() {
    let (fake, client) = start();
    fake.with(|github| {
        for number in 0..35 {
            github.comment("octo/shop", 7, Account::user("mona"), &number.to_string());
        }
    });
    let first = client.get(LIST);
    assert_eq!(first.body.as_array().unwrap().len(), 30);
    let at = format!("{}{LIST}", fake.url());
    assert_eq!(first.headers["link"], format!("<{at}?page=2>; rel=\"next\", <{at}?page=2>; rel=\"last\""));
    let second = client.get(&format!("{LIST}?per_page=10&page=2"));
    assert_eq!(bodies(&second)[0], "10");
    for (rel, page) in [("prev", 1), ("next", 3), ("last", 4), ("first", 1)] {
        let link = format!("<{at}?per_page=10&page={page}>; rel=\"{rel}\"");
        assert!(second.headers["link"].contains(&link), "{:?}", second.headers);
    }
    let last = client.get(&format!("{LIST}?per_page=10&page=4"));
    assert_eq!(last.body.as_array().unwrap().len(), 5);
    assert!(!last.headers["link"].contains("next"));
    let all = client.get(&format!("{LIST}?per_page=500"));
    assert_eq!(all.body.as_array().unwrap().len(), 35);
    assert!(!all.headers.contains_key("link"));
    assert!(client.get(&format!("{LIST}?page=9")).body.as_array().unwrap().is_empty());
    fake.with(|github| github.link_origin = Some("http://elsewhere.test".to_owned()));
    assert!(client.get(LIST).headers["link"].starts_with("<http://elsewhere.test/repos/octo/shop/issues/7"));
    fake.finish();
}

#[test]
fn a_page_is_never_longer_than_a_hundred() {
    let (fake, client) = start();
    fake.with(|github| {
        for _ in 0..101 {
            github.comment("octo/shop", 7, Account::user("mona"), "again");
        }
    });
    assert_eq!(client.get(&format!("{LIST}?per_page=500")).body.as_array().unwrap().len(), 100);
    fake.finish();
}
