//! `[notify.slack]`: by an incoming webhook, or by a bot's token, which puts all that is told of one deployment in one
//! thread. <https://docs.slack.dev/reference/block-kit/blocks>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{FromEnv, NotifierRow, Own, Text};
use crate::model::notice::{Notice, Severity};
use crate::notify::words::{self, fit};
use crate::notify::{Answer, Delivery, Notifier, Parcel, Post, Told};

pub(super) static NOTIFIER: Notifier = Notifier {
    row: NotifierRow::of::<Settings>(
        "slack",
        "a message in Slack; with a bot's token one thread for each deployment",
        &[&["webhook"], &["token", "channel"]],
    ),
    plan,
};

/// Where bots post.
const API: &str = "https://slack.com/api/chat.postMessage";

/// The most characters of a header block.
const HEADER: usize = 150;
/// The most characters of why: under the 3,000 of a section, and with all else under the 9,000 that Slack takes in all.
const REASON: usize = 2_500;
/// The most characters of one fact, which may hold 2,000.
const FACT: usize = 400;

/// The keys of this notifier.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The address of an incoming webhook, as `env:NAME`.
    #[schemars(with = "Text<FromEnv>")]
    webhook: Option<Text<FromEnv>>,
    /// In place of it the token of a bot with `chat:write`, as `env:NAME`.
    #[schemars(with = "Text<FromEnv>")]
    token: Option<Text<FromEnv>>,
    /// Where the bot posts: a channel's id or name.
    #[schemars(with = "String")]
    channel: Option<String>,
    /// Another address than `https://slack.com/api/chat.postMessage`, as for government clouds.
    #[schemars(with = "String")]
    api: Option<String>,
}

fn plan(own: &Own, told: &Told<'_>) -> Result<Delivery, String> {
    let settings: Settings = own.read().map_err(|_| "its settings cannot be read".to_owned())?;
    let mut body = message(told.notice);
    let (url, shown, bearer, read): (_, _, _, fn(&[u8]) -> Answer) = match (&settings.token, &settings.webhook) {
        (Some(token), _) => {
            let api = settings.api.as_deref().unwrap_or(API);
            if !api.starts_with("https://") && !api.starts_with("http://127.0.0.1:") {
                return Err("`api` is no https address: the token would travel in the clear".to_owned());
            }
            body["channel"] = json!(settings.channel);
            if let Some(thread) = told.thread {
                body["thread_ts"] = json!(thread);
                // What is bad is seen in the channel too, not only by who follows the thread.
                body["reply_broadcast"] = json!(told.notice.event.severity <= Severity::P1);
            }
            let url = crate::model::secret::Secret::new(api.to_owned());
            (url, api.to_owned(), Some(told.secret(&token.0)?), read)
        }
        (None, Some(webhook)) => (told.secret(&webhook.0)?, webhook.0.clone(), None, |_: &[u8]| Answer::Taken(None)),
        (None, None) => return Err("it has neither `webhook` nor `token`".to_owned()),
    };
    Ok(Delivery::Parcel(Parcel::Post(Post {
        url,
        shown,
        bearer,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
        read,
    })))
}

/// Everything that others wrote stands in plain text, where Slack makes no links, mentions or emphasis of it.
pub(super) fn message(notice: &Notice) -> Value {
    let title = words::title(notice);
    let plain = |text: &str, limit| json!({"type": "plain_text", "text": fit(text, limit, escape), "emoji": false});
    let mut blocks = vec![json!({"type": "header", "text": plain(&title, HEADER)})];
    if let Some(reason) = words::reason(notice) {
        blocks.push(json!({"type": "section", "text": plain(&reason, REASON)}));
    }
    let facts: Vec<Value> =
        words::facts(notice).iter().map(|(name, value)| plain(&format!("{name}\n{value}"), FACT)).collect();
    blocks.push(json!({"type": "section", "fields": facts}));
    if let Some(run) = words::run(notice) {
        let link = format!("<{}|The run>", run.as_str().replace('&', "&amp;"));
        blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": link}]}));
    }
    // Shown where blocks are not: in notifications.
    json!({
        "text": fit(&title, 300, escape),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// <https://docs.slack.dev/messaging/formatting-message-text/#escaping>
fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}

/// The API answers 200 whatever came of it. <https://docs.slack.dev/reference/methods/chat.postMessage>
fn read(body: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Reply {
        ok: bool,
        ts: Option<String>,
        error: Option<String>,
    }
    let Ok(reply) = serde_json::from_slice::<Reply>(body) else {
        return Answer::Refused("Slack's answer is no JSON; is `api` the address of chat.postMessage?".to_owned());
    };
    let error = crate::model::text::one_line(reply.error.as_deref().unwrap_or("no reason"), 200);
    match error.as_str() {
        _ if reply.ok => Answer::Taken(reply.ts),
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout" => Answer::Later(format!("Slack says {error}")),
        _ => Answer::Refused(format!("Slack says {error}")),
    }
}
