//! `[notify.github-issue]`: one open issue for each environment that something is wrong with, on which further news are
//! comments, and which the next good deploy closes.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{NotifierRow, Own};
use crate::model::call::{Call, News};
use crate::model::notice::{Notice, Severity};
use crate::notify::{Delivery, Notifier, Told, webhook, words};
use crate::render::markdown::Untrusted;

pub(super) static NOTIFIER: Notifier = Notifier {
    row: NotifierRow::of::<Settings>(
        "github-issue",
        "an issue for each environment that something is wrong with, closed by the next good deploy",
        &[&[]],
    ),
    plan,
};

/// The most characters of a title, of the 256 that GitHub takes.
const TITLE: usize = 200;
/// The most characters of why, of the 65,536 that a body may have.
const REASON: usize = 20_000;

/// The keys of this notifier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// Labels of the issue; by the first one it is found again.
    labels: Vec<String>,
    /// Whether a good deploy closes it.
    close: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: vec!["incident".to_owned()], close: true }
    }
}

fn plan(own: &Own, told: &Told<'_>) -> Result<Delivery, String> {
    let settings: Settings = own.read().map_err(|_| "its settings cannot be read".to_owned())?;
    Ok(Delivery::Call(Call::News(news(told.notice, settings.labels, settings.close))))
}

/// What is said on GitHub about a notice.
pub(super) fn news(notice: &Notice, labels: Vec<String>, close: bool) -> News {
    let mut body = String::new();
    if let Some(reason) = words::reason(notice) {
        body.push_str(&Untrusted(&reason).fence("text", REASON));
        body.push('\n');
    }
    for (name, value) in words::facts(notice) {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "- {name}: {}", Untrusted(&value).code(200));
    }
    if let Some(run) = words::run(notice) {
        let _ = writeln!(body, "- [The run]({run})");
    }
    News {
        key: notice.environment.clone(),
        id: webhook::id(notice),
        title: crate::model::text::one_line(&words::title(notice), TITLE),
        body,
        labels,
        opens: notice.event.severity < Severity::P3 || notice.event.name == "test",
        closes: close && notice.event.name == "deploy.succeeded",
    }
}
