//! Downloads and files: tried again where that may help, given up where it does not.

use super::*;
use crate::model::workflow::WorkflowRun;

async fn download(answers: Vec<Result<Vec<u8>, u16>>) -> (Result<Vec<u8>, String>, usize) {
    let hub = Hub::new();
    hub.with(|state| state.downloads = answers);
    let got = interpreter(&hub).archive(5, 100).await.map_err(|stop| stop.to_string());
    (got, hub.with(|state| state.downloads.len()))
}

#[tokio::test(start_paused = true)]
async fn a_download_is_tried_again_after_an_outage_only() {
    assert_eq!(download(vec![Err(503), Err(429), Ok(b"zip".to_vec())]).await, (Ok(b"zip".to_vec()), 0));
    let (gone, left) = download(vec![Err(410), Ok(b"zip".to_vec())]).await;
    assert!(gone.unwrap_err().contains("/repos/o/r/actions/artifacts/5/zip was answered 410") && left == 1);
    let (away, left) = download(vec![Err(500), Err(502), Err(503), Err(504), Ok(Vec::new())]).await;
    assert!(away.unwrap_err().contains("(tried 4 times)") && left == 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_there_is_told_from_one_that_was_not_got() {
    let got = async |status: u16, body: Value| {
        let hub = Hub::new();
        hub.with(|state| state.served.push(("/contents/a/b%20c.toml?ref=main".to_owned(), status, body)));
        interpreter(&hub).file("a/b c.toml", Some("main")).await.map_err(|stop| stop.to_string())
    };
    let file = |encoding: &str| json!({ "content": "aGVs\nbG8=\n", "encoding": encoding });
    assert_eq!(got(200, file("base64")).await, Ok(Some(b"hello".to_vec())));
    assert!(got(200, file("none")).await.unwrap_err().contains("no file in base64"));
    assert_eq!(got(404, json!({ "message": "Not Found" })).await, Ok(None));
    assert!(got(403, json!({ "message": "no" })).await.unwrap_err().contains("403"));
}

#[tokio::test(start_paused = true)]
async fn the_pull_requests_of_a_run_are_those_of_its_very_fork() {
    let pull = |number: u64, repository: Value| {
        let sha = "a".repeat(40);
        json!({ "number": number, "base": { "sha": sha, "ref": "main", "repo": { "full_name": "o/r" } },
            "head": { "sha": sha, "ref": "topic", "repo": repository } })
    };
    let pulls =
        [pull(1, json!({ "full_name": "ana/r" })), pull(2, json!({ "full_name": "ana/r-2" })), pull(3, json!(null))];
    let hub = Hub::new();
    let path = "/pulls?state=open&head=ana%3Atopic&per_page=100".to_owned();
    hub.with(|state| state.served.push((path, 200, json!(pulls))));
    let run = WorkflowRun {
        id: 9,
        attempt: 1,
        event: "pull_request".to_owned(),
        head: head(),
        branch: Some("topic".to_owned()),
        head_repository: Some("ana/r".to_owned()),
        conclusion: None,
        url: String::new(),
        workflow: None,
    };
    let numbers = async |run: WorkflowRun| -> Vec<u64> {
        interpreter(&hub).pull_requests_of(&run).await.unwrap().iter().map(|pull| pull.number).collect()
    };
    assert_eq!(numbers(run.clone()).await, [1]);
    // Without its fork or branch the list would be that of everybody.
    assert_eq!(numbers(WorkflowRun { head_repository: None, ..run.clone() }).await, [0; 0]);
    assert_eq!(numbers(WorkflowRun { branch: None, ..run }).await, [0; 0]);
    assert_eq!(hub.log().len(), 1);
}
