//! Sends parcels, all at once: what may pass is tried again until the patience is over, what is refused is not.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::model::text::{clean, one_line};
use crate::notify::{Answer, Parcel, Post};
use crate::world::http::{Answered, Exchange, Http, HttpError};
use crate::world::mail;

/// How long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For one notice, by all routes together.
    pub patience: Duration,
    /// For one try.
    pub timeout: Duration,
    /// Before the second try; twice as long before each further one.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { patience: Duration::from_mins(1), timeout: Duration::from_secs(10), pause: Duration::from_secs(1) }
    }
}

/// The most bytes that are read of an answer.
const LIMIT: u64 = 64 << 10;

/// What one try came to.
enum Tried {
    Done(Option<String>),
    Later(String, Option<Duration>),
    Refused(String),
}

/// Sends them; for each its number, and the thread that it began or why it was not taken.
pub(super) async fn all(
    http: &Http,
    parcels: Vec<(usize, Parcel)>,
    pace: Pace,
) -> Vec<(usize, Result<Option<String>, String>)> {
    let mut tasks = JoinSet::new();
    for (at, parcel) in parcels {
        let http = http.clone();
        tasks.spawn(async move { (at, until_done(&http, &parcel, pace).await) });
    }
    tasks.join_all().await
}

async fn until_done(http: &Http, parcel: &Parcel, pace: Pace) -> Result<Option<String>, String> {
    let deadline = Instant::now() + pace.patience;
    let (mut pause, mut tries) = (pace.pause, 0);
    loop {
        tries += 1;
        let left = deadline.saturating_duration_since(Instant::now()).min(pace.timeout);
        let (why, asked) = match once(http, parcel, left).await {
            Tried::Done(thread) => return Ok(thread),
            Tried::Refused(why) => return Err(why),
            Tried::Later(why, asked) => (why, asked),
        };
        let wait = asked.unwrap_or(pause);
        if wait >= deadline.saturating_duration_since(Instant::now()) {
            let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
            let asked = asked.map_or_else(String::new, |asked| format!(", and asks to wait {} s", asked.as_secs()));
            return Err(format!("{why} (tried {times}{asked})"));
        }
        tracing::info!("{why}; trying again");
        tokio::time::sleep(wait).await;
        pause *= 2;
    }
}

async fn once(http: &Http, parcel: &Parcel, timeout: Duration) -> Tried {
    match parcel {
        Parcel::Post(post) => match http.exchange(&exchange(post, &headers(post), timeout)).await {
            Ok(answered) => read(post, &answered),
            Err(error) => unanswered(post, error),
        },
        Parcel::Mail(server, message) => match mail::send(server, message, timeout).await {
            Ok(()) => Tried::Done(None),
            Err(error) if error.may_pass() => Tried::Later(error.to_string(), None),
            Err(error) => Tried::Refused(error.to_string()),
        },
    }
}

fn headers(post: &Post) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    headers.extend(post.bearer.iter().map(|token| ("authorization".to_owned(), format!("Bearer {}", token.expose()))));
    headers.extend(post.headers.iter().cloned());
    headers
}

fn exchange<'a>(post: &'a Post, headers: &'a [(String, String)], timeout: Duration) -> Exchange<'a> {
    Exchange { method: "POST", url: post.url.expose(), headers, body: Some(post.body.clone()), timeout, limit: LIMIT }
}

fn read(post: &Post, answered: &Answered) -> Tried {
    let said = || {
        let body = one_line(&String::from_utf8_lossy(&answered.body), 200);
        let said = if body.is_empty() { String::new() } else { format!(": {body}") };
        format!("{} answered {}{said}", post.shown, answered.status)
    };
    match answered.status {
        200..=299 => match (post.read)(&answered.body) {
            Answer::Taken(thread) => Tried::Done(thread),
            Answer::Later(why) => Tried::Later(why, retry_after(answered)),
            Answer::Refused(why) => Tried::Refused(why),
        },
        300..=399 => Tried::Refused(format!("{}, a redirect, which is not followed", said())),
        408 | 425 | 429 | 500..=599 => Tried::Later(said(), retry_after(answered)),
        _ => Tried::Refused(said()),
    }
}

/// Seconds, perhaps with a fraction. A date is not read: the pause is then ours.
fn retry_after(answered: &Answered) -> Option<Duration> {
    let seconds: f64 = answered.header("retry-after")?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The address may be a secret: it is named as it is shown.
fn unanswered(post: &Post, error: HttpError) -> Tried {
    let shown = &post.shown;
    match error {
        HttpError::Broken { why, .. } => Tried::Later(format!("{shown} could not be asked: {why}"), None),
        HttpError::TimedOut { after, .. } => Tried::Later(format!("{shown} did not answer within {after:.1?}"), None),
        HttpError::Address(_) => Tried::Refused(format!("{shown} is no http or https address")),
        HttpError::TooLarge { limit, .. } => Tried::Refused(format!("{shown} answered with more than {limit} bytes")),
        other @ (HttpError::Certificates(_) | HttpError::Status { .. } | HttpError::Keep { .. }) => {
            Tried::Refused(other.to_string())
        }
    }
}

/// A parcel as a dry run shows it: everything that would be sent, but for what is secret.
pub(super) fn shown(parcel: &Parcel) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    match parcel {
        Parcel::Post(post) => {
            let _ = writeln!(out, "POST {}", post.shown);
            if post.bearer.is_some() {
                let _ = writeln!(out, "authorization: Bearer ***");
            }
            for (name, value) in &post.headers {
                let _ = writeln!(out, "{name}: {value}");
            }
            let body: serde_json::Value = serde_json::from_slice(&post.body).unwrap_or_default();
            let _ = write!(out, "{body:#}");
        }
        Parcel::Mail(server, message) => {
            let login = if server.login.is_some() { ", with a login" } else { "" };
            let _ = writeln!(out, "SMTP {}:{} ({:?}{login})", server.host, server.port, server.security);
            let written = mail::written(message).unwrap_or_default();
            out.push_str(&clean(&String::from_utf8_lossy(&written)));
        }
    }
    out
}
