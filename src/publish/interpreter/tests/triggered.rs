//! Downloads: tried again where that may help, given up where it does not.

use super::*;

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
