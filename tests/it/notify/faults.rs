//! What servers do wrong, and what is made of it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::servers::{Deed, Server, answer};
use super::{PACE, desk, failure, is_sent, notice, told};
use gatepost::model::call::ReceiptEnd;
use gatepost::notify::Pace;

const HOOK: &str = "[notify.slack]\nwebhook = 'env:HOOK'\n";
const BOT: &str = "[notify.slack]\ntoken = 'env:TOKEN'\nchannel = 'C1'\napi = 'http://";

fn ok() -> Deed {
    answer("200 OK", "", "ok")
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn what_passes_is_tried_again_until_it_is_taken() {
    for bad in [
        Deed::Close,
        Deed::Hang,
        Deed::Say("no HTTP at all\r\n\r\n".to_owned()),
        Deed::Say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut".to_owned()),
        answer("500 Internal Server Error", "", "oops"),
        answer("503 Service Unavailable", "retry-after: 0.05\r\n", ""),
        answer("429 Too Many Requests", "retry-after: 0\r\n", ""),
        answer("429 Too Many Requests", "retry-after: soon\r\n", ""),
        answer("408 Request Timeout", "", ""),
    ] {
        let server = Server::web(vec![bad.clone(), bad.clone(), ok()]);
        let receipts = told(&mut desk(HOOK, &[("HOOK", &server.url())], PACE), &notice("rollback")).await;
        assert!(is_sent(&receipts), "{bad:?}: {receipts:?}");
        let sent = server.received();
        assert_eq!(sent.len(), 3, "{bad:?}");
        assert_eq!(body(&sent[0]), body(&sent[2]));
    }
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    for (bad, why) in [
        (answer("400 Bad Request", "", "invalid_blocks"), "env:HOOK answered 400: invalid_blocks"),
        (answer("404 Not Found", "", "no_service\nmore"), "env:HOOK answered 404: no_service"),
        (answer("410 Gone", "", ""), "env:HOOK answered 410"),
    ] {
        let server = Server::web(vec![bad, ok()]);
        let receipts = told(&mut desk(HOOK, &[("HOOK", &server.url())], PACE), &notice("rollback")).await;
        assert_eq!(failure(&receipts), why);
        assert_eq!(server.received().len(), 1);
    }
    let server = Server::web(vec![answer("200 OK", "", &"x".repeat(100_000))]);
    let receipts = told(&mut desk(HOOK, &[("HOOK", &server.url())], PACE), &notice("rollback")).await;
    assert_eq!(failure(&receipts), "env:HOOK answered with more than 65536 bytes");
}

#[tokio::test]
async fn a_redirect_gets_nothing() {
    let other = Server::web(vec![ok()]);
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::web(vec![answer(status, &format!("location: {}\r\n", other.url()), "")]);
        let receipts = told(&mut desk(HOOK, &[("HOOK", &server.url())], PACE), &notice("rollback")).await;
        let code = &status[..3];
        assert_eq!(failure(&receipts), format!("env:HOOK answered {code}, a redirect, which is not followed"));
    }
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn it_is_given_up_within_the_patience_and_without_the_secret() {
    for bad in [Deed::Hang, Deed::Close, answer("502 Bad Gateway", "", "s3cr3t is not said by us")] {
        let server = Server::web(vec![bad.clone()]);
        let mut desk = desk(HOOK, &[("HOOK", &server.url())], PACE);
        let begun = Instant::now();
        let receipts = told(&mut desk, &notice("rollback")).await;
        assert!(begun.elapsed() < PACE.patience + Duration::from_secs(1), "{bad:?}: {:?}", begun.elapsed());
        let why = failure(&receipts);
        assert!(why.starts_with("env:HOOK ") && !why.contains(&server.address) && why.contains("(tried "), "{why}");
        assert!(server.received().len() > 2, "{bad:?}");
    }
    // The second is more than any clock can count to.
    for (wait, shown) in [("3600", "3600"), ("1e19", "10000000000000000000")] {
        let server = Server::web(vec![answer("429 Too Many Requests", &format!("retry-after: {wait}\r\n"), "")]);
        let mut desk = desk(HOOK, &[("HOOK", &server.url())], PACE);
        let begun = Instant::now();
        let receipts = told(&mut desk, &notice("rollback")).await;
        assert_eq!(failure(&receipts), format!("env:HOOK answered 429 (tried once, and asks to wait {shown} s)"));
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_address_that_is_none_or_nobody_is_at_is_told() {
    for (url, why) in [
        ("hooks.slack.com/x", "env:HOOK is no http or https address"),
        ("ftp://h/x", "env:HOOK is no http or https address"),
        ("", "the variable HOOK is not set"),
    ] {
        let receipts = told(&mut desk(HOOK, &[("HOOK", url)], PACE), &notice("rollback")).await;
        assert_eq!(failure(&receipts), why);
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/s3cr3t");
    let receipts = told(&mut desk(HOOK, &[("HOOK", &url)], PACE), &notice("rollback")).await;
    let why = failure(&receipts);
    assert!(why.starts_with("env:HOOK could not be asked: ") && !why.contains("s3cr3t"), "{why}");
}

#[tokio::test]
async fn one_route_that_fails_does_not_hold_up_another() {
    let (bad, good) = (Server::web(vec![Deed::Hang]), Server::web(vec![ok()]));
    let config = "[notify.slack]\nwebhook = 'env:BAD'\n[notify.discord]\nwebhook = 'env:GOOD'\n";
    let mut desk = desk(config, &[("BAD", &bad.url()), ("GOOD", &good.url())], PACE);
    let receipts = told(&mut desk, &notice("deploy.failed")).await;
    assert_eq!(receipts[0].what, "slack");
    assert!(matches!(receipts[0].end, ReceiptEnd::Failed(_)));
    assert_eq!((receipts[1].what.as_str(), &receipts[1].end), ("discord", &ReceiptEnd::Posted(None)));
    let sent = body(&good.received()[0]);
    assert_eq!(sent["allowed_mentions"], json!({"parse": []}));
}

#[tokio::test]
async fn a_bot_puts_one_story_in_one_thread() {
    let said = |ts: &str| answer("200 OK", "", &json!({"ok": true, "ts": ts}).to_string());
    let server = Server::web(vec![said("1.1"), said("1.2"), said("1.3"), said("2.1")]);
    let config = format!("{BOT}{}/api'\n", server.address);
    let mut desk = desk(&config, &[("TOKEN", "xoxb-canary-0123456789")], PACE);
    for name in ["deploy.started", "deploy.failed", "rollback"] {
        assert!(is_sent(&told(&mut desk, &notice(name)).await));
    }
    let mut other = notice("deploy.started");
    other.story = "deployment 8".to_owned();
    assert!(is_sent(&told(&mut desk, &other).await));
    let sent = server.received();
    assert!(sent[0].starts_with("POST /api HTTP/1.1") && sent[0].contains("Bearer xoxb-canary-0123456789"));
    let threads: Vec<Value> = sent.iter().map(|request| body(request)["thread_ts"].clone()).collect();
    assert_eq!(threads, [json!(null), json!("1.1"), json!("1.1"), json!(null)]);
    let loud: Vec<Value> = sent.iter().map(|request| body(request)["reply_broadcast"].clone()).collect();
    assert_eq!(loud, [json!(null), json!(true), json!(false), json!(null)]);
    assert_eq!(body(&sent[0])["channel"], "C1");
}

#[tokio::test]
async fn a_bot_believes_what_the_answer_says_and_not_its_status() {
    for (said, why) in [
        (r#"{"ok":false,"error":"channel_not_found"}"#, "Slack says channel_not_found"),
        (r#"{"ok":false}"#, "Slack says no reason"),
        ("<html>", "Slack's answer is no JSON; is `api` the address of chat.postMessage?"),
    ] {
        let server = Server::web(vec![answer("200 OK", "", said)]);
        let config = format!("{BOT}{}/api'\n", server.address);
        let receipts = told(&mut desk(&config, &[("TOKEN", "xoxb-1")], PACE), &notice("rollback")).await;
        assert_eq!(failure(&receipts), why);
        assert_eq!(server.received().len(), 1);
    }
    let config = format!("{BOT}slack.example/api'\n");
    let receipts = told(&mut desk(&config, &[("TOKEN", "xoxb-1")], PACE), &notice("rollback")).await;
    assert_eq!(failure(&receipts), "`api` is no https address: the token would travel in the clear");
    let later = answer("200 OK", "retry-after: 0\r\n", r#"{"ok":false,"error":"ratelimited"}"#);
    let server = Server::web(vec![later, answer("200 OK", "", r#"{"ok":true,"ts":"1"}"#)]);
    let config = format!("{BOT}{}/api'\n", server.address);
    assert!(is_sent(&told(&mut desk(&config, &[("TOKEN", "xoxb-1")], PACE), &notice("rollback")).await));
}

#[tokio::test]
async fn a_signed_request_can_be_verified_and_keeps_its_id() {
    let server = Server::web(vec![Deed::Close, ok()]);
    let config = "[notify.webhook]\nurl = 'env:URL'\nsecret = 'env:KEY'\n";
    let mut desk = desk(config, &[("URL", &server.url()), ("KEY", "canary-key-0123456789")], PACE);
    assert!(is_sent(&told(&mut desk, &notice("deploy.failed")).await));
    let sent = server.received();
    let header = |request: &str, name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in {request}"))
    };
    for request in &sent {
        let (id, time) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
        assert_eq!(id, header(&sent[0], "webhook-id"));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"canary-key-0123456789");
        let signed = format!("{id}.{time}.{}", request.split_once("\r\n\r\n").unwrap().1);
        let given = header(request, "webhook-signature");
        let tag = base64::engine::general_purpose::STANDARD.decode(given.strip_prefix("v1,").unwrap()).unwrap();
        ring::hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
        assert!(!request.contains("canary"));
    }
    assert_eq!(body(&sent[0])["type"], "deploy.failed");
}

const MAIL: &str = "[notify.email]\nhost = '127.0.0.1'\nsecurity = 'none'\nfrom = 'Gatepost <a@example.com>'\nto = ['b@example.com', 'C <c@example.com>']\n";

fn mail(server: &Server, more: &str) -> String {
    format!("{MAIL}port = {}\n{more}", server.port())
}

fn say(text: &str) -> Deed {
    Deed::Say(text.to_owned())
}

#[tokio::test]
async fn mail_is_one_conversation() {
    let server = Server::mail(vec![say("")]);
    let mut desk = desk(&mail(&server, ""), &[], PACE);
    for name in ["deploy.failed", "rollback"] {
        let receipts = told(&mut desk, &notice(name)).await;
        assert!(is_sent(&receipts), "{receipts:?}");
    }
    let sent = server.received();
    assert!(sent.contains(&"MAIL FROM:<a@example.com>".to_owned()), "{sent:?}");
    assert!(sent.contains(&"RCPT TO:<c@example.com>".to_owned()));
    let mails: Vec<&String> = sent.iter().filter(|line| line.starts_with("From: ")).collect();
    let header = |mail: &str, name: &str| mail.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(mails.len(), 2);
    assert_eq!(header(mails[0], "In-Reply-To"), header(mails[1], "In-Reply-To"));
    assert_ne!(header(mails[0], "Message-ID"), header(mails[1], "Message-ID"));
    assert!(mails[0].contains("GET /api/health answered 500"), "{}", mails[0]);
}

#[tokio::test]
async fn a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    for bad in [say("GREETING 421 busy"), say("RCPT 451 later"), say("END 452 full"), Deed::Close, Deed::Hang] {
        let server = Server::mail(vec![bad.clone(), say("")]);
        let receipts = told(&mut desk(&mail(&server, ""), &[], PACE), &notice("rollback")).await;
        assert!(is_sent(&receipts), "{bad:?}: {receipts:?}");
    }
    for (bad, why) in [("RCPT 550 nobody here", "550"), ("DATA 554 no", "554"), ("END 552 too much", "552")] {
        let server = Server::mail(vec![say(bad), say("")]);
        let receipts = told(&mut desk(&mail(&server, ""), &[], PACE), &notice("rollback")).await;
        let said = failure(&receipts);
        assert!(said.contains(why) && said.contains("did not take the mail"), "{said}");
        let begun = server.received().iter().filter(|line| line.starts_with("EHLO")).count();
        assert_eq!(begun, 1, "{said}");
    }
}

#[tokio::test]
async fn a_password_never_travels_in_the_clear() {
    let login = "username = 'u'\npassword = 'env:PW'\n";
    let server = Server::mail(vec![say("EHLO 250-sink\r\n250 AUTH PLAIN LOGIN")]);
    let variables = [("PW", "canary-password-1")];
    let receipts = told(&mut desk(&mail(&server, login), &variables, PACE), &notice("rollback")).await;
    assert_eq!(failure(&receipts), "with security = \"none\" a password would be sent in the clear");
    for security in ["starttls", "tls"] {
        let config = mail(&server, login).replace("security = 'none'", &format!("security = '{security}'"));
        let receipts = told(&mut desk(&config, &variables, PACE), &notice("rollback")).await;
        assert!(failure(&receipts).contains("did not take the mail"), "{receipts:?}");
    }
    let all = server.received().concat();
    assert!(!all.contains("AUTH") && !all.contains("canary") && !all.contains("MAIL FROM"), "{all}");
}

#[tokio::test]
async fn what_is_not_for_a_route_is_not_sent_by_it() {
    let server = Server::web(vec![ok()]);
    let config = format!("{HOOK}on = ['deploy.failed']\nmin-severity = 'P1'\nenvironments = ['production']\n");
    let mut desk = desk(&config, &[("HOOK", &server.url())], Pace::default());
    let mut elsewhere = notice("deploy.failed");
    elsewhere.environment = "staging".to_owned();
    for other in [notice("deploy.started"), notice("rollback.failed"), elsewhere] {
        assert_eq!(told(&mut desk, &other).await, []);
    }
    assert!(is_sent(&told(&mut desk, &notice("deploy.failed")).await));
    assert_eq!(server.received().len(), 1);
}
