//! Objects and references made by API.

use super::*;

fn made(client: &Client, path: &str, body: &Value) -> Value {
    let got = client.post(&format!("/repos/octo/shop/git/{path}"), body);
    assert_eq!(got.status, 201, "{got:?}");
    got.body
}

fn refused(client: &Client, path: &str, body: &Value, message: &str) {
    let got = client.post(&format!("/repos/octo/shop/git/{path}"), body);
    assert_eq!((got.status, &got.body["message"]), (422, &json!(message)));
}

#[test]
fn a_commit_grows_from_blobs_and_trees() {
    let (fake, client) = start();
    let get = |path: String| client.get(&format!("/repos/octo/shop/git/{path}"));
    let blob = made(&client, "blobs", &json!({ "content": "hello\n", "encoding": "utf-8" }));
    assert_eq!(blob["sha"], "ce013625030ba8dba906f756967f9e9ca394464a");
    let sha = |object: &Value| object["sha"].as_str().unwrap().to_owned();
    assert_eq!(get(format!("blobs/{}", sha(&blob))).body["content"], "hello\n");
    let entry = |path: &str| json!({ "path": path, "mode": "100644", "type": "blob" });
    let mut by_sha = entry("a");
    by_sha["sha"] = blob["sha"].clone();
    let mut by_content = entry("b");
    by_content["content"] = json!("there");
    let tree = made(&client, "trees", &json!({ "tree": [by_sha, by_content] }));
    let mut taken_out = entry("a");
    taken_out["sha"] = Value::Null;
    let less = made(&client, "trees", &json!({ "base_tree": tree["sha"], "tree": [taken_out] }));
    let paths = |sha: String| get(format!("trees/{sha}")).body["tree"].as_array().unwrap().len();
    assert_eq!((paths(sha(&tree)), paths(sha(&less))), (2, 1));
    let body = json!({ "message": "m", "tree": less["sha"], "parents": [HEAD] });
    let commit = made(&client, "commits", &body);
    let got = get(format!("commits/{}", sha(&commit))).body;
    assert_eq!(
        (&got["message"], &got["tree"]["sha"], &got["parents"][0]["sha"]),
        (&json!("m"), &less["sha"], &json!(HEAD))
    );
    assert_eq!(client.get(&format!("/repos/octo/shop/compare/{HEAD}...{}", sha(&commit))).body["status"], "ahead");
    for path in [format!("blobs/{}", sha(&tree)), format!("trees/{}", sha(&blob)), format!("commits/{NEXT}")] {
        assert_eq!(get(path).status, 404);
    }
    by_sha["sha"] = json!(NEXT);
    refused(&client, "trees", &json!({ "tree": [by_sha] }), "tree.sha is not a valid blob");
    refused(&client, "trees", &json!({ "base_tree": NEXT, "tree": [] }), "base_tree is not a valid tree oid");
    refused(&client, "commits", &json!({ "message": "m", "tree": NEXT }), "Tree SHA does not exist");
    let orphan = json!({ "message": "m", "tree": less["sha"], "parents": [NEXT] });
    refused(&client, "commits", &orphan, "Parent SHA does not exist or is not a commit object");
    fake.finish();
}

#[test]
fn references_move_forward_unless_forced() {
    let (fake, client) = start();
    let path = "/repos/octo/shop/git";
    made(&client, "refs", &json!({ "ref": "refs/heads/deploy/a", "sha": BASE }));
    let at = || client.get(&format!("{path}/ref/heads/deploy/a")).body["object"]["sha"].clone();
    assert_eq!(at(), BASE);
    let move_to = |sha: &str, force: bool| {
        client.patch(&format!("{path}/refs/heads/deploy/a"), &json!({ "sha": sha, "force": force })).status
    };
    assert_eq!((move_to(HEAD, false), at()), (200, json!(HEAD)));
    assert_eq!((move_to(BASE, false), at()), (422, json!(HEAD)));
    assert_eq!((move_to(BASE, true), at()), (200, json!(BASE)));
    assert_eq!(move_to(NEXT, true), 422);
    refused(&client, "refs", &json!({ "ref": "refs/heads/deploy/a", "sha": HEAD }), "Reference already exists");
    refused(&client, "refs", &json!({ "ref": "refs/heads/x", "sha": NEXT }), "Object does not exist");
    assert_eq!(client.get(&format!("{path}/matching-refs/heads/deploy")).body.as_array().unwrap().len(), 1);
    assert_eq!(client.delete(&format!("{path}/refs/heads/deploy/a")).status, 204);
    assert_eq!(client.get(&format!("{path}/ref/heads/deploy/a")).status, 404);
    assert_eq!(client.delete(&format!("{path}/refs/heads/deploy/a")).status, 422);
    assert_eq!(client.patch(&format!("{path}/refs/heads/deploy/a"), &json!({ "sha": HEAD })).status, 422);
    assert_eq!(client.post(&format!("{path}/refs"), &json!({ "ref": "main2", "sha": HEAD })).status, 422);
    let red = fake.forgive();
    assert!(red.len() == 1 && red[0].contains("named in full"), "{red:?}");
    fake.finish();
}

#[test]
fn an_annotated_tag_leads_to_its_commit() {
    let (fake, client) = start();
    let body = json!({ "tag": "v1", "message": "first", "object": HEAD, "type": "commit" });
    let tag = made(&client, "tags", &body);
    let sha = tag["sha"].as_str().unwrap();
    assert_eq!(client.get(&format!("/repos/octo/shop/git/tags/{sha}")).body["message"], "first");
    let made_ref = made(&client, "refs", &json!({ "ref": "refs/tags/v1", "sha": sha }));
    assert_eq!((&made_ref["object"]["type"], &made_ref["object"]["sha"]), (&json!("tag"), &json!(sha)));
    assert_eq!(client.get("/repos/octo/shop/commits/v1").body["sha"], HEAD);
    let nothing = json!({ "tag": "v2", "message": "m", "object": NEXT, "type": "commit" });
    refused(&client, "tags", &nothing, "Could not resolve to a node with the given object.");
    fake.finish();
}
