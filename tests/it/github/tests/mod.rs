//! The fake itself under test: the right call passes, a misspelt key is caught, every change of state is seen.

mod actions;
mod calls;
mod checks;
mod client;
mod comments;
mod deployments;
mod faults;
mod git;
mod pulls;
mod rules;
mod statuses;

use serde_json::{Value, json};

use super::{Account, FakeGitHub, Fault, State, Token};
use client::{Client, Got};

const BASE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";
const NEXT: &str = "3333333333333333333333333333333333333333";

/// A repository with one pull request, and the tokens of a workflow, of a fork's workflow and of a person.
fn shop(github: &mut State) {
    github.token("actions", Token::actions());
    github.token("fork", Token::read_only());
    github.token("person", Token::personal("mona"));
    github.token("other", Token::app(77, "other-app"));
    github.repo("octo/shop").pull(7, HEAD, BASE).file("src/a.rs", "modified");
}

fn start() -> (FakeGitHub, Client) {
    let fake = FakeGitHub::start(shop);
    let client = Client::new(&fake.url(), "actions");
    (fake, client)
}

fn check(name: &str) -> Value {
    json!({ "name": name, "head_sha": HEAD, "status": "completed", "conclusion": "failure" })
}

fn annotation(line: u32) -> Value {
    json!({ "path": "src/a.rs", "start_line": line, "end_line": line, "annotation_level": "warning", "message": "odd" })
}

fn create_check(client: &Client, body: &Value) -> u64 {
    let got = client.post("/repos/octo/shop/check-runs", body);
    assert_eq!(got.status, 201, "{got:?}");
    got.body["id"].as_u64().unwrap()
}

fn create_comment(client: &Client, text: &str) -> u64 {
    let got = client.post("/repos/octo/shop/issues/7/comments", &json!({ "body": text }));
    assert_eq!(got.status, 201, "{got:?}");
    got.body["id"].as_u64().unwrap()
}
