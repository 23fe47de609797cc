//! Downloads: what a server can do wrong, and which servers are asked at all.

use super::{Answer, STAND_IN, Scene, sha256};

#[test]
fn a_release_is_downloaded_checked_and_run() {
    let scene = Scene::new(&[Answer::Good]);
    let ended = scene.run(&[]);
    ended.worked();
    assert_eq!(
        scene.releases.requests(),
        [format!("GET /mirror/v9.9.9/gatepost-9.9.9-{}.tar.gz HTTP/1.1", super::TARGET)]
    );
    assert_eq!(ended.outputs["binary"], scene.cached().to_str().unwrap());
    assert_eq!((ended.outputs["binary-version"].as_str(), ended.outputs["verified"].as_str()), ("9.9.9", "checksum"));
    assert_eq!(ended.ran, ["find", "attest", "run"]);
    assert!(ended.log.contains("gatepost 9.9.9, downloaded from 127.0.0.1:"), "{}", ended.log);
    assert_eq!(scene.job.left().len(), 2, "the binary and its marker: {:?}", scene.job.left());
}

#[test]
fn what_may_pass_is_tried_again() {
    for answers in
        [&[Answer::Status(503), Answer::Good][..], &[Answer::Cut, Answer::Good], &[Answer::Status(429), Answer::Good]]
    {
        let scene = Scene::new(answers);
        let ended = scene.run(&[]);
        ended.worked();
        assert_eq!(scene.releases.requests().len(), 2, "{answers:?}");
        assert!(ended.log.contains("attempt 1 got no gatepost-9.9.9-"), "{}", ended.log);
    }
    let scene = Scene::new(&[Answer::Slow(2_000)]);
    scene.run(&[]).worked();
    assert_eq!(scene.releases.requests().len(), 1);
}

#[test]
fn what_stays_wrong_is_the_end() {
    for (answer, said, requests) in [
        (Answer::Status(404), "after 1 of 4 attempts (the last HTTP status was 404)", 1),
        (Answer::Status(403), "HTTP status was 403", 1),
        (Answer::Status(500), "after 4 of 4 attempts (the last HTTP status was 500)", 4),
        (Answer::Cut, "after 4 of 4 attempts", 4),
        (Answer::Half, "is not the released one", 1),
    ] {
        let mut scene = Scene::new(&[answer]);
        scene.job.without_pauses();
        scene.run(&[]).failed(4, said);
        assert_eq!(scene.releases.requests().len(), requests, "{answer:?}");
        assert_eq!(scene.job.pauses(), ["1", "2", "4"][..requests - 1], "{answer:?}");
        assert_eq!(scene.job.left(), [""; 0], "{answer:?}");
        assert!(!scene.job.was_run(), "{answer:?}");
    }
}

#[test]
fn another_archive_is_never_run() {
    let scene = Scene::new(&[Answer::Good]);
    let lock = scene.action.folder().join("action/lock");
    let good = std::fs::read_to_string(&lock).unwrap();
    let release = good.lines().find(|line| line.contains(super::TARGET)).unwrap();
    let whole = release.split(' ').nth(2).unwrap();
    std::fs::write(&lock, good.replace(whole, &"0".repeat(64))).unwrap();
    scene.run(&[]).failed(4, &format!("its SHA-256 is {whole} and must be {}", "0".repeat(64)));
    // The archive is right, and what is in it is not.
    std::fs::write(&lock, good.replace(&sha256(STAND_IN.as_bytes()), &"0".repeat(64))).unwrap();
    scene.run(&[]).failed(4, "the binary in the archive of gatepost 9.9.9");
    assert!(!scene.job.was_run());
    assert_eq!(scene.job.left(), [""; 0]);
}

#[test]
fn no_server_sends_it_on_to_plain_http() {
    let other = Scene::new(&[Answer::Good]);
    let target: &'static str = other.releases.mirror().leak();
    let mut scene = Scene::new(&[Answer::Redirect(target)]);
    scene.job.without_pauses();
    scene.run(&[]).failed(4, "could not download");
    assert_eq!(other.releases.requests(), [""; 0]);
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let mut scene = Scene::new(&[Answer::Good]);
    scene.job.without_pauses();
    let ended = scene.action.run(&scene.job, &[("mirror", "https://me:secret@127.0.0.1:1/mirror/")]);
    ended.failed(4, "from 127.0.0.1:1/mirror after 4 of 4 attempts (the last HTTP status was 000)");
    assert!(!ended.log.contains("secret"), "{}", ended.log);
}

#[test]
fn plain_http_is_for_this_machine_alone() {
    let scene = Scene::new(&[Answer::Good]);
    let port = scene.releases.mirror().rsplit_once(':').unwrap().1.to_owned();
    for mirror in [
        "http://example.com".to_owned(),
        "http://127.0.0.1.example.com".to_owned(),
        format!("http://127.0.0.1@localhost:{port}"),
        format!("http://localhost:80@127.0.0.1:{port}"),
        format!("http://me@127.0.0.1:{port}"),
        "http://127.0.0.1:x/".to_owned(),
        "http://127.1".to_owned(),
        "http://10.0.0.1".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1".to_owned(),
        format!("HTTP://127.0.0.1:{port}"),
        "/srv/mirror".to_owned(),
        "-o/etc/passwd".to_owned(),
    ] {
        scene.action.run(&scene.job, &[("mirror", &mirror)]).failed(2, "the input mirror must begin with https://");
    }
    for mirror in ["https://example.com/a b", "https://example.com/\nheader"] {
        scene.action.run(&scene.job, &[("mirror", mirror)]).failed(2, "is no address");
    }
    assert_eq!(scene.releases.requests(), [""; 0]);
    scene.action.run(&scene.job, &[("mirror", &format!("http://localhost:{port}/"))]).worked();
}

#[test]
fn this_machine_is_asked_without_a_proxy() {
    let mut scene = Scene::new(&[Answer::Good]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        scene.job.env.insert(name.to_owned(), "http://127.0.0.1:1".to_owned());
    }
    scene.run(&[]).worked();
}
