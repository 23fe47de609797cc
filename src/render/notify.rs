//! What became of a notice, for people, and as `gatepost.notify/v1` for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::call::{Receipt, ReceiptEnd};
use crate::model::notice::{Event, Severity};
use crate::model::text::clean;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct NotifyView<'a> {
    /// What was told.
    pub event: &'static Event,
    /// How many routes are configured.
    pub routes: usize,
    /// One for each route that takes it.
    pub receipts: &'a [Receipt],
}

/// A word for the end, and what there is to say about it.
fn end(end: &ReceiptEnd) -> (&'static str, &str) {
    match end {
        ReceiptEnd::Posted(link) => ("sent", link.as_deref().unwrap_or_default()),
        ReceiptEnd::Unchanged(why) => ("unchanged", why),
        ReceiptEnd::LeftAlone(why) => ("left_alone", why),
        ReceiptEnd::Downgraded(why) => ("downgraded", why),
        ReceiptEnd::Failed(why) | ReceiptEnd::Denied(why) => ("failed", why),
        ReceiptEnd::WouldSend(what) => ("would_send", what),
    }
}

/// One line for each route; what a dry run would send stands below it.
#[must_use]
pub fn text(view: &NotifyView<'_>) -> String {
    let event = view.event;
    let of = format!("{} of {} routes", view.receipts.len(), view.routes);
    let mut out = format!("{} ({}): {of}\n", event.name, event.severity);
    for receipt in view.receipts {
        let (word, why) = end(&receipt.end);
        let (word, why) = (word.replace('_', " "), clean(why));
        // Writing to a String cannot fail.
        let _ = match &receipt.end {
            ReceiptEnd::WouldSend(_) => writeln!(out, "  {}: {word}\n{}", receipt.what, indented(&why)),
            _ if why.is_empty() => writeln!(out, "  {}: {word}", receipt.what),
            _ => writeln!(out, "  {}: {word}: {why}", receipt.what),
        };
    }
    out
}

/// What went wrong while others were told, and what a dry run would send; with `everything` what went well, too.
#[must_use]
pub fn told(receipts: &[Receipt], everything: bool) -> String {
    let mut out = String::new();
    for receipt in receipts {
        let (what, (word, why)) = (clean(&receipt.what), end(&receipt.end));
        let (word, why) = (word.replace('_', " "), clean(why));
        // Writing to a String cannot fail.
        let _ = match &receipt.end {
            ReceiptEnd::WouldSend(_) => writeln!(out, "would tell: {what}\n{}", indented(&why)),
            ReceiptEnd::Failed(_) | ReceiptEnd::Denied(_) => writeln!(out, "not told: {what}: {why}"),
            ReceiptEnd::Downgraded(_) => writeln!(out, "told in part: {what}: {why}"),
            _ if !everything => Ok(()),
            _ if why.is_empty() => writeln!(out, "told: {what}: {word}"),
            _ => writeln!(out, "told: {what}: {word}: {why}"),
        };
    }
    out
}

fn indented(text: &str) -> String {
    format!("    {}", text.trim_end().replace('\n', "\n    "))
}

/// `gatepost notify --json`.
#[derive(Debug, Serialize, JsonSchema)]
struct NotifyV1<'a> {
    schema: &'static str,
    event: &'a str,
    severity: Severity,
    routes: Vec<RouteV1<'a>>,
}

/// What became of one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RouteV1<'a> {
    name: &'a str,
    /// `sent`, `unchanged`, `left_alone`, `downgraded`, `failed` or `would_send`.
    state: &'static str,
    /// A link, a reason, or what would be sent.
    detail: Option<&'a str>,
}

/// As JSON.
pub(super) fn route(receipt: &Receipt) -> RouteV1<'_> {
    let (state, detail) = end(&receipt.end);
    RouteV1 { name: &receipt.what, state, detail: Some(detail).filter(|detail| !detail.is_empty()) }
}

/// The JSON, with a line feed at its end.
///
/// # Errors
/// Never for what this program makes.
pub fn json(view: &NotifyView<'_>) -> Result<String, serde_json::Error> {
    let whole = NotifyV1 {
        schema: "gatepost.notify/v1",
        event: view.event.name,
        severity: view.event.severity,
        routes: view.receipts.iter().map(route).collect(),
    };
    serde_json::to_string(&whole).map(|json| json + "\n")
}
