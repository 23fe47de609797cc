//! The adapter against servers that do what the fake GitHub cannot: redirects, endless and cut replies, silence.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use gatepost::world::forge::{Forge as _, ForgeError, Method, Reply, Request};
use gatepost::world::github::Timeouts;

use super::{TOKEN, github, hasty};

/// A server for what the fake cannot say: answers each connection with the next of `answers`, and keeps what it got.
fn serve(answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || answers.iter().map(|answer| serve_one(&listener, answer)).collect());
    (url, server)
}

fn serve_one(listener: &TcpListener, answer: &[u8]) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let got = read_request(&mut stream);
    // The client may have seen enough and gone.
    let _ = stream.write_all(answer);
    got
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        if body.len() >= length {
            return text;
        }
    }
}

fn redirect(status: &str, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn post() -> Request {
    let body = Some(serde_json::json!({ "a": 1 }));
    Request { method: Method::Post, path: "/repos/o/r/check-runs".to_owned(), body }
}

#[tokio::test]
async fn a_redirect_is_followed_as_it_was_on_the_same_origin_only() {
    let (url, server) = serve(vec![redirect("307 Temporary Redirect", "/repositories/1/check-runs"), ok("{}")]);
    let reply = github(&url).send(&post()).await.unwrap();
    assert_eq!((reply.status, reply.body), (200, b"{}".to_vec()));
    let got = server.join().unwrap();
    assert!(got[0].starts_with("POST /repos/o/r/check-runs HTTP/1.1"));
    assert!(
        got[1].starts_with("POST /repositories/1/check-runs HTTP/1.1") && got[1].ends_with("{\"a\":1}"),
        "{}",
        got[1]
    );
    assert!(got.iter().all(|request| request.contains(&format!("authorization: Bearer {TOKEN}\r\n"))));
    assert!(got.iter().all(|request| request.matches("user-agent:").count() == 1));

    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let away = format!("http://{}/steal", elsewhere.local_addr().unwrap());
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let (url, server) = serve(vec![redirect(status, &away)]);
        let error = github(&url).send(&post()).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Away { to, .. } if *to == away), "{error}");
        server.join().unwrap();
    }
    assert!(elsewhere.accept().is_err(), "nobody came");

    let round = || redirect("302 Found", "/again");
    let (url, server) = serve(vec![round(), round(), round(), round()]);
    let error = github(&url).send(&post()).await.unwrap_err();
    assert!(error.to_string().contains("more than 3 redirects"), "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_reply_is_read_up_to_a_limit_and_a_cut_one_is_told() {
    let most = 32 << 20;
    for (size, fits) in [(most, true), (most + 1, false)] {
        let (url, server) = serve(vec![ok(&" ".repeat(size))]);
        match github(&url).send(&Request::get("/x".to_owned())).await {
            Ok(Reply { body, .. }) => assert!(fits && body.len() == size),
            Err(error) => assert!(!fits && matches!(error, ForgeError::TooLarge { status: 200, .. }), "{error}"),
        }
        server.join().unwrap();
    }
    let mut cut = ok(&"x".repeat(1000));
    cut.truncate(cut.len() - 100);
    let (url, server) = serve(vec![cut]);
    let error = github(&url).send(&Request::get("/x".to_owned())).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Cut { status: 200, start, .. } if start.len() == 512), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
    server.join().unwrap();
    let (url, server) = serve(vec![Vec::new()]);
    let error = github(&url).send(&post()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Broken { .. }), "{error:?}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_after_a_while() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let error = hasty(&url).send(&post()).await.unwrap_err();
    assert!(matches!(error, ForgeError::TimedOut { .. }), "{error}");
    let timeouts = Timeouts { read: Duration::from_millis(50), ..Timeouts::default() };
    let error = github(&url).with_timeouts(timeouts).send(&post()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Broken { .. }), "{error}");
}
