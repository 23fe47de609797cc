//! `[notify.discord]`: by a channel's webhook. <https://docs.discord.com/developers/resources/webhook#execute-webhook>

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{FromEnv, NotifierRow, Own, Text};
use crate::model::notice::{Notice, Severity};
use crate::notify::words::{self, as_it_is, fit};
use crate::notify::{Answer, Delivery, Notifier, Parcel, Post, Told};

pub(super) static NOTIFIER: Notifier = Notifier {
    row: NotifierRow::of::<Settings>("discord", "a message in Discord that mentions nobody", &[&["webhook"]]),
    plan,
};

/// The most characters of an embed's title.
const TITLE: usize = 256;
/// The most characters of why, of the 4,096 that a description may have: with all else under the 6,000 of all embeds.
const REASON: usize = 2_000;
/// The most characters of one fact, of the 1,024 that a field may have.
const FACT: usize = 300;

/// The keys of this notifier.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The address of a channel's webhook, as `env:NAME`.
    #[schemars(with = "Text<FromEnv>")]
    webhook: Option<Text<FromEnv>>,
}

fn plan(own: &Own, told: &Told<'_>) -> Result<Delivery, String> {
    let settings: Settings = own.read().map_err(|_| "its settings cannot be read".to_owned())?;
    let webhook = settings.webhook.ok_or("it has no `webhook`")?.0;
    Ok(Delivery::Parcel(Parcel::Post(Post {
        url: told.secret(&webhook)?,
        shown: webhook,
        bearer: None,
        headers: Vec::new(),
        body: message(told.notice).to_string().into_bytes(),
        read: |_| Answer::Taken(None),
    })))
}

/// What others wrote stands in code, where Discord renders nothing, but for the title, which is escaped.
pub(super) fn message(notice: &Notice) -> Value {
    let colour = match notice.event.severity {
        Severity::P0 | Severity::P1 => 0x00d1_242f,
        Severity::P2 => 0x009a_6700,
        Severity::P3 => 0x001a_7f37,
    };
    let title = fit(&words::title(notice), TITLE, escape);
    let mut embed = json!({"title": title, "color": colour});
    if let Some(run) = words::run(notice) {
        embed["url"] = json!(run.as_str());
    }
    if let Some(reason) = words::reason(notice) {
        embed["description"] = json!(format!("```\n{}\n```", fit(&reason, REASON, code)));
    }
    let facts = words::facts(notice);
    let field = |(name, value): &(&str, String)| json!({"name": name, "value": format!("`{}`", fit(value, FACT, code)), "inline": true});
    embed["fields"] = facts.iter().map(field).collect();
    json!({"content": fit(notice.event.name, 100, as_it_is), "embeds": [embed], "allowed_mentions": {"parse": []}})
}

/// Backticks would end the code around them: the accent that looks like them does not.
fn code(c: char, out: &mut String) {
    out.push(if c == '`' { 'ˋ' } else { c });
}

fn escape(c: char, out: &mut String) {
    if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-') {
        out.push('\\');
    }
    out.push(c);
}
