//! Runs of workflows, what they left, files of branches.

use super::*;
use crate::github::WorkflowRun;

fn run(conclusion: Option<&str>) -> WorkflowRun {
    WorkflowRun {
        id: 5,
        attempt: 2,
        event: "pull_request".to_owned(),
        head_sha: HEAD.to_owned(),
        head_branch: Some("feature".to_owned()),
        head_repository: Some("mona/shop".to_owned()),
        conclusion: conclusion.map(str::to_owned),
    }
}

#[test]
fn a_run_of_a_fork_names_no_pull_request() {
    let (fake, client) = start();
    fake.with(|github| github.repo("octo/shop").runs.push(run(Some("success"))));
    let got = client.get("/repos/octo/shop/actions/runs/5").body;
    assert_eq!(
        (&got["pull_requests"], &got["run_attempt"], &got["status"]),
        (&json!([]), &json!(2), &json!("completed"))
    );
    assert_eq!((&got["head_repository"]["full_name"], &got["head_sha"]), (&json!("mona/shop"), &json!(HEAD)));
    fake.with(|github| github.repo("octo/shop").runs[0] = run(None));
    let got = client.get("/repos/octo/shop/actions/runs/5").body;
    assert_eq!((&got["conclusion"], &got["status"]), (&json!(null), &json!("in_progress")));
    assert_eq!(client.get("/repos/octo/shop/actions/runs/6").status, 404);
    fake.finish();
}

#[test]
fn artifacts_are_listed_newest_first_and_lead_to_another_origin() {
    let (fake, client) = start();
    let id = fake.with(|github| {
        github.artifact("octo/shop", 6, "other", Vec::new());
        github.artifact("octo/shop", 5, "a", b"old".to_vec());
        github.artifact("octo/shop", 5, "a", b"new".to_vec()).id
    });
    let got = client.get("/repos/octo/shop/actions/runs/5/artifacts?per_page=1").body;
    assert_eq!((&got["total_count"], &got["artifacts"][0]["id"]), (&json!(2), &json!(id)));
    let got = client.get(&format!("/repos/octo/shop/actions/artifacts/{id}/zip"));
    assert_eq!(got.status, 302);
    assert!(got.headers["location"].starts_with("http://localhost:"), "{:?}", got.headers);
    fake.with(|github| github.repo("octo/shop").artifacts.iter_mut().for_each(|artifact| artifact.expired = true));
    assert_eq!(client.get(&format!("/repos/octo/shop/actions/artifacts/{id}/zip")).status, 410);
    fake.finish();
}

#[test]
fn the_storage_gives_to_anyone_and_takes_no_token() {
    let (fake, client) = start();
    let id = fake.with(|github| github.artifact("octo/shop", 5, "a", b"bytes".to_vec()).id);
    let path = format!("/storage/{id}?sig=signature");
    client.get(&path);
    assert_eq!(fake.forgive(), ["storage at request: the token was sent elsewhere (value: null)"]);
    let anyone = client.with("authorization", "");
    assert_eq!(anyone.get(&path).body, json!("bytes"));
    assert_eq!(anyone.get("/storage/7").status, 404);
    fake.finish();
}

#[test]
fn files_are_those_of_their_branch() {
    let (fake, client) = start();
    fake.with(|github| {
        github.repo("octo/shop").file("main", ".github/a.toml", "x = 1\n").file("release", "b", "y");
    });
    let file = |path: &str| client.get(&format!("/repos/octo/shop/contents/{path}"));
    let got = file(".github/a.toml").body;
    assert_eq!((&got["encoding"], &got["content"]), (&json!("base64"), &json!("eCA9IDEK\n")));
    assert_eq!((file("b").status, file("b?ref=release").status, file("c").status), (404, 200, 404));
    fake.finish();
}
