//! Commit statuses: created, listed newest first, combined by context.

use super::*;

fn post(client: &Client, state: &str, context: &str) -> Value {
    let body = json!({ "state": state, "context": context, "description": "d", "target_url": "https://github.test/1" });
    let got = client.post(&format!("/repos/octo/shop/statuses/{HEAD}"), &body);
    assert_eq!(got.status, 201, "{got:?}");
    got.body
}

#[test]
fn statuses_are_listed_and_combined() {
    let (fake, _) = start();
    let client = Client::new(&fake.url(), "person");
    let combined = || client.get(&format!("/repos/octo/shop/commits/{HEAD}/status")).body;
    assert_eq!(combined()["state"], "pending");
    let made = post(&client, "failure", "gatepost/lint");
    assert_eq!((&made["description"], &made["target_url"]), (&json!("d"), &json!("https://github.test/1")));
    assert_eq!(made["creator"]["login"], "mona");
    assert_eq!(combined()["state"], "failure");
    post(&client, "success", "gatepost/test");
    assert_eq!(combined()["state"], "failure");
    post(&client, "success", "gatepost/lint");
    let whole = combined();
    assert_eq!((&whole["state"], &whole["total_count"]), (&json!("success"), &json!(2)));
    assert_eq!(whole["sha"], HEAD);
    post(&client, "pending", "gatepost/deploy");
    assert_eq!(combined()["state"], "pending");
    let listed = client.get("/repos/octo/shop/commits/feature/statuses").body;
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|status| status["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["pending", "success", "success", "failure"]);
    assert!(client.get(&format!("/repos/octo/shop/commits/{BASE}/statuses")).body.as_array().unwrap().is_empty());
    let unknown = client.post(&format!("/repos/octo/shop/statuses/{NEXT}"), &json!({ "state": "success" }));
    assert_eq!(unknown.body["message"], format!("No commit found for SHA: {NEXT}"));
    assert_eq!(client.get(&format!("/repos/octo/shop/commits/{NEXT}/status")).status, 422);
    fake.finish();
}
