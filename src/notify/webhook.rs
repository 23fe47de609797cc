//! `[notify.webhook]`: a signed request to a program, as <https://www.standardwebhooks.com> has it, for which there are
//! libraries that verify. The id is the same however often a notice is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{FromEnv, NotifierRow, Own, Text};
use crate::model::notice::Notice;
use crate::model::text::{clean, shorten};
use crate::notify::words::{self, as_it_is, fit};
use crate::notify::{Answer, Delivery, Notifier, Parcel, Post, Told};

pub(super) static NOTIFIER: Notifier = Notifier {
    row: NotifierRow::of::<Settings>(
        "webhook",
        "JSON to a program, signed as Standard Webhooks has it (HMAC-SHA256, id, timestamp)",
        &[&["url", "secret"]],
    ),
    plan,
};

/// The most characters of why: with all else far below the 20 KB that receivers are asked to take.
const REASON: usize = 4_000;

/// The keys of this notifier.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// Where it is sent, as `env:NAME`; a redirect is not followed.
    #[schemars(with = "Text<FromEnv>")]
    url: Option<Text<FromEnv>>,
    /// What it is signed with, as `env:NAME`: any text, or `whsec_` and base64.
    #[schemars(with = "Text<FromEnv>")]
    secret: Option<Text<FromEnv>>,
}

fn plan(own: &Own, told: &Told<'_>) -> Result<Delivery, String> {
    let settings: Settings = own.read().map_err(|_| "its settings cannot be read".to_owned())?;
    let (url, secret) = settings.url.zip(settings.secret).ok_or("it needs `url` and `secret`")?;
    let key = key(told.secret(&secret.0)?.expose())?;
    let body = message(told.notice).to_string();
    let id = id(told.notice);
    let headers = [
        ("webhook-signature", signature(&key, &id, told.now, &body)),
        ("webhook-timestamp", told.now.to_string()),
        ("webhook-id", id),
    ];
    Ok(Delivery::Parcel(Parcel::Post(Post {
        url: told.secret(&url.0)?,
        shown: url.0,
        bearer: None,
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: body.into_bytes(),
        read: |_| Answer::Taken(None),
    })))
}

/// The bytes of a secret.
fn key(secret: &str) -> Result<Vec<u8>, String> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => {
            STANDARD.decode(encoded).map_err(|_| "what follows whsec_ in the secret is no base64".to_owned())
        }
        None => Ok(secret.as_bytes().to_vec()),
    }
}

/// The same for the same notice; no receiver can learn anything from it.
pub(super) fn id(notice: &Notice) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [&notice.repository, &notice.story, &notice.environment, notice.event.name, &notice.at] {
        hasher.update(part.as_bytes()).update(b"\0");
    }
    format!("msg_{}", &hasher.finalize().to_hex()[..32])
}

fn signature(key: &[u8], id: &str, timestamp: u64, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    let tag = ring::hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

/// `gatepost.notice/v1`.
pub(super) fn message(notice: &Notice) -> Value {
    let short = |text: &String| shorten(&clean(text), 500);
    json!({
        "schema": "gatepost.notice/v1",
        "type": notice.event.name,
        "timestamp": notice.at,
        "data": {
            "severity": notice.event.severity,
            "title": words::title(notice),
            "environment": short(&notice.environment),
            "story": short(&notice.story),
            "repository": short(&notice.repository),
            "sha": notice.sha,
            "reference": notice.reference.as_ref().map(short),
            "previous": notice.previous,
            "by": notice.by.as_ref().map(short),
            "reason": words::reason(notice).map(|reason| fit(&reason, REASON, as_it_is)),
            "run": notice.run.as_ref().map(short),
            "url": notice.url.as_ref().map(short),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification:
    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    #[test]
    fn signatures_are_those_of_the_specification() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(super::key("whsec_§").is_err());
        assert_eq!(super::key("plain").unwrap(), b"plain");
    }
}
