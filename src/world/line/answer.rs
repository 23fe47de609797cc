//! What an answer of GitHub means for the request it answers: done, refused, limited, or unknown. Pure; what follows
//! from it is the line's.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::model::text::{clean, shorten};
use crate::world::forge::{ForgeError, Method, Reply, Request};

/// How much of an answer is kept in an error.
const KEPT: usize = 512;

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out, and the reply is JSON or empty.
    Done(Reply),
    /// It was not carried out, and asking again would not help.
    Stopped(Stop),
    /// It was not carried out: it never got there. Why.
    NotSent(String),
    /// It may have been carried out. Why that is not known.
    Unknown(String),
}

/// A rate limit: the request was not carried out, and may be sent again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Too much at once; GitHub may say how long to wait.
    Secondary(Option<Duration>),
    /// The hour's requests are used up.
    Primary {
        /// Until this second since 1970.
        reset: i64,
        /// What GitHub's clock says now: the one here may be another.
        now: Option<i64>,
    },
}

/// Why something was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// GitHub will not do it.
    #[error("{request} was refused with {status}: {message}{}", hint(*status, message))]
    Refused {
        /// Method and path.
        request: String,
        /// The status.
        status: u16,
        /// GitHub's words.
        message: String,
    },
    /// A rate limit lasts longer than posting may wait.
    #[error("{0}")]
    Limited(String),
    /// It could not be done, or it is not known whether it was.
    #[error("{0}")]
    Failed(String),
}

impl Stop {
    /// GitHub's words where it refused with `wanted`.
    #[must_use]
    pub fn refused_with(&self, wanted: u16) -> Option<&str> {
        match self {
            Self::Refused { status, message, .. } if *status == wanted => Some(message),
            _ => None,
        }
    }

    /// GitHub's words where it refused for what the token may: it would do so again. Other refusals with 403 (an address that an
    /// organization does not let in, a proxy's page, a blocked repository) are of something else.
    #[must_use]
    pub fn is_of_rights(&self) -> bool {
        self.refused_with(403).is_some_and(names_rights)
    }

    /// Whether it was refused because somebody has locked the conversation.
    #[must_use]
    pub fn is_of_a_lock(&self) -> bool {
        self.refused_with(403).is_some_and(|words| words.contains(LOCKED))
    }
}

/// GitHub's words where a conversation is locked, which no permission opens.
const LOCKED: &str = "is locked";

/// GitHub's words where a token lacks a right:
/// <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible>
fn names_rights(message: &str) -> bool {
    let message = message.to_lowercase();
    ["not accessible by", "must authenticate via a github app", "must have ", "write access", "permission to"]
        .iter()
        .any(|words| message.contains(words))
}

fn hint(status: u16, message: &str) -> &'static str {
    match status {
        401 => "; the token is wrong or has expired",
        403 if names_rights(message) => "; look at the token's permissions",
        404 => "; it is not there, or the token may not see it",
        _ => "",
    }
}

/// Reads an answer.
///
/// # Errors
/// When it is a rate limit.
pub fn read(request: &Request, result: Result<Reply, ForgeError>) -> Result<Answer, Limit> {
    let name = format!("{} {}", request.method.word(), request.path);
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => return Ok(read_error(&name, &error)),
    };
    if let Some(limit) = limit(&reply) {
        return Err(limit);
    }
    Ok(match reply.status {
        200 if request.method == Method::Get && reply.body.is_empty() => {
            Answer::Unknown(format!("{name} was answered 200 with an empty body"))
        }
        200..=299 if is_json_or_empty(&reply.body) => Answer::Done(reply),
        200..=299 => {
            Answer::Unknown(format!("{name} was answered {} without JSON: {}", reply.status, start(&reply.body)))
        }
        408 | 500..=599 => Answer::Unknown(format!("{name} was answered {}: {}", reply.status, message(&reply.body))),
        status => Answer::Stopped(Stop::Refused { request: name, status, message: message(&reply.body) }),
    })
}

/// What it means that no reply came.
#[must_use]
pub fn read_error(name: &str, error: &ForgeError) -> Answer {
    let why = format!("{name}: {error}");
    match error {
        ForgeError::Unreachable { .. } => Answer::NotSent(why),
        ForgeError::NotGiven { status: 408 | 429 | 500.., .. }
        | ForgeError::TimedOut { .. }
        | ForgeError::Broken { .. }
        | ForgeError::Cut { .. }
        | ForgeError::TooLarge { .. } => Answer::Unknown(why),
        ForgeError::Address { .. }
        | ForgeError::Token
        | ForgeError::Certificates { .. }
        | ForgeError::Away { .. }
        | ForgeError::NotGiven { .. } => Answer::Stopped(Stop::Failed(why)),
    }
}

/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>
fn limit(reply: &Reply) -> Option<Limit> {
    if !matches!(reply.status, 403 | 429) {
        return None;
    }
    if reply.retry_after.is_some() {
        return Some(Limit::Secondary(reply.retry_after));
    }
    let said = message(&reply.body).to_lowercase();
    // The last request of the hour may be refused for another reason, with nothing remaining.
    let named = reply.status == 429 || said.contains("rate limit");
    match reply.reset {
        Some(reset) if reply.remaining == Some(0) && named => Some(Limit::Primary { reset, now: reply.date }),
        _ if named || said.contains("abuse") => Some(Limit::Secondary(None)),
        _ => None,
    }
}

fn is_json_or_empty(body: &[u8]) -> bool {
    body.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(default)]
    errors: Value,
}

/// GitHub's own words, with the errors it lists; of anything else the beginning.
fn message(body: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else { return start(body) };
    let errors: Vec<String> = match &problem.errors {
        Value::Array(errors) => errors.iter().map(one_error).collect(),
        Value::Null => Vec::new(),
        other => vec![one_error(other)],
    };
    let all = if errors.is_empty() { problem.message } else { format!("{} ({})", problem.message, errors.join(", ")) };
    shorten(&clean(&all), KEPT)
}

fn one_error(error: &Value) -> String {
    match error {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let words = ["field", "code", "message"].iter().filter_map(|key| fields.get(*key)?.as_str());
            words.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

fn start(body: &[u8]) -> String {
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(KEPT)]);
    clean(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        read(&Request::get("/x".to_owned()), Ok(Reply { status, body: body.into(), ..Reply::default() })).unwrap()
    }

    fn limited(status: u16, body: &str, retry_after: Option<u64>, remaining: u64, reset: i64) -> Result<Answer, Limit> {
        let retry_after = retry_after.map(Duration::from_secs);
        let (remaining, reset) = (Some(remaining), Some(reset));
        read(
            &Request::get("/x".to_owned()),
            Ok(Reply { status, retry_after, remaining, reset, body: body.into(), ..Reply::default() }),
        )
    }

    #[test]
    fn a_reply_that_is_not_json_tells_nothing() {
        assert!(matches!(answer(200, "{}"), Answer::Done(_)));
        assert!(matches!(answer(204, ""), Answer::Done(_)));
        assert!(matches!(answer(200, ""), Answer::Unknown(_)), "a read that brings nothing is asked for again");
        let Answer::Unknown(why) = answer(201, "<html>\n<b>Unicorn!</b>") else { panic!() };
        assert_eq!(why, "GET /x was answered 201 without JSON: <html> <b>Unicorn!</b>");
        assert!(matches!(answer(200, "{\"id\":"), Answer::Unknown(_)));
        let Answer::Unknown(why) = answer(502, &"x".repeat(600)) else { panic!() };
        assert_eq!(why.len(), "GET /x was answered 502: ".len() + 512);
        assert!(matches!(answer(500, ""), Answer::Unknown(_)));
        assert!(matches!(answer(599, ""), Answer::Unknown(_)));
        assert!(matches!(answer(408, ""), Answer::Unknown(_)));
    }

    #[test]
    fn a_refusal_keeps_what_github_says() {
        let body =
            r#"{"message":"Validation Failed","errors":[{"resource":"X","field":"path","code":"missing"},"too long"]}"#;
        let Answer::Stopped(stop) = answer(422, body) else { panic!() };
        assert_eq!(stop.to_string(), "GET /x was refused with 422: Validation Failed (path missing, too long)");
        assert_eq!(stop.refused_with(422), Some("Validation Failed (path missing, too long)"));
        assert_eq!(stop.refused_with(403), None);
        let Answer::Stopped(stop) = answer(401, r#"{"message":"Bad credentials"}"#) else { panic!() };
        assert!(stop.to_string().ends_with("Bad credentials; the token is wrong or has expired"));
        for status in [199, 300, 304, 407, 409, 499, 600] {
            assert!(matches!(answer(status, "{}"), Answer::Stopped(_)), "{status}");
        }
    }

    #[test]
    fn rights_are_told_from_other_refusals() {
        let refused = |words: &str| {
            let Answer::Stopped(stop) = answer(403, &serde_json::json!({ "message": words }).to_string()) else {
                panic!()
            };
            assert_eq!(stop.to_string().contains("permissions"), stop.is_of_rights(), "{stop}");
            stop.is_of_rights()
        };
        for words in [
            "Resource not accessible by integration",
            "Resource not accessible by personal access token",
            "You must authenticate via a GitHub App.",
            "Must have admin rights to Repository.",
            "Write access to repository not granted.",
        ] {
            assert!(refused(words), "{words}");
        }
        for words in [
            "Although you appear to have the correct authorization credentials, the `octo` organization has an IP allow list \
             enabled, and your IP address is not permitted to access this resource.",
            "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.",
            "Repository access blocked",
            "Unable to create comment because issue is locked.",
            "Repository was archived so is read-only.",
        ] {
            assert!(!refused(words), "{words}");
        }
        let Answer::Stopped(stop) = answer(403, "<html>Access denied by WebGuard</html>") else { panic!() };
        assert!(!stop.is_of_rights() && !stop.to_string().contains("permissions"), "{stop}");
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let primary = r#"{"message":"API rate limit exceeded for installation."}"#;
        let denied = r#"{"message":"Resource not accessible by integration"}"#;
        assert_eq!(limited(403, secondary, Some(7), 10, 5), Err(Limit::Secondary(Some(Duration::from_secs(7)))));
        assert_eq!(limited(403, secondary, None, 10, 5), Err(Limit::Secondary(None)));
        assert_eq!(limited(429, "", None, 10, 5), Err(Limit::Secondary(None)));
        assert_eq!(limited(403, r#"{"message":"abuse detection"}"#, None, 1, 5), Err(Limit::Secondary(None)));
        assert_eq!(limited(403, primary, None, 0, 5), Err(Limit::Primary { reset: 5, now: None }));
        assert_eq!(limited(429, "", None, 0, 5), Err(Limit::Primary { reset: 5, now: None }));
        assert!(matches!(limited(403, denied, None, 0, 5), Ok(Answer::Stopped(_))));
        assert!(matches!(limited(500, primary, Some(1), 0, 5), Ok(Answer::Unknown(_))));
    }

    #[test]
    fn only_a_missing_connection_is_known_not_to_have_sent() {
        let source = || Box::new(std::io::Error::other("x"));
        let url = || "https://h/x".to_owned();
        let of = |error| read(&Request::get("/x".to_owned()), Err(error)).unwrap();
        assert!(matches!(of(ForgeError::Unreachable { url: url(), source: source() }), Answer::NotSent(_)));
        assert!(matches!(of(ForgeError::Broken { url: url(), source: source() }), Answer::Unknown(_)));
        assert!(matches!(of(ForgeError::TimedOut { url: url(), after: Duration::from_secs(1) }), Answer::Unknown(_)));
        assert!(matches!(of(ForgeError::TooLarge { url: url(), status: 200, limit: 1 }), Answer::Unknown(_)));
        let cut = ForgeError::Cut { url: url(), status: 201, start: "{\"i".to_owned(), source: source() };
        let Answer::Unknown(why) = of(cut) else { panic!() };
        assert!(why.contains("201") && why.contains("{\\\"i"), "{why}");
        assert!(matches!(of(ForgeError::Token), Answer::Stopped(Stop::Failed(_))));
        assert!(matches!(of(ForgeError::Away { url: url(), to: url() }), Answer::Stopped(Stop::Failed(_))));
    }
}
