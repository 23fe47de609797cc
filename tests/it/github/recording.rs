//! The log of what was asked, and its stable text for snapshots.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use regex::Regex;
use serde_json::Value;

use super::faults::Fault;

/// One request, as it came in.
#[derive(Debug, Clone)]
pub struct Entry {
    pub operation: String,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    /// Lower-case names; the token is masked.
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
    /// As answered.
    pub status: u16,
    /// What a script did to it.
    pub fault: Option<Fault>,
    pub at: Instant,
}

/// One block per request: what was asked, how it was answered, and the body. Shas, ids, times and durations are replaced
/// by names in order of appearance.
pub fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let query = entry.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let fault = entry.fault.as_ref().map(|fault| format!(" ({fault:?})")).unwrap_or_default();
        let _ = writeln!(text, "{} {}{query} -> {}{fault}", entry.method, entry.path, entry.status);
        if let Some(body) = &entry.body {
            let _ = writeln!(text, "{}", serde_json::to_string_pretty(body).unwrap());
        }
    }
    stable(&text)
}

fn stable(text: &str) -> String {
    let text = numbered(text, r"\b[0-9a-f]{40}\b", "sha");
    let text = numbered(&text, r"\b40000\d{6}\b", "id");
    let times = Regex::new(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").unwrap();
    let text = times.replace_all(&text, "<time>");
    let durations = Regex::new(r"\b\d+(\.\d+)? ?(ms|s)\b").unwrap();
    durations.replace_all(&text, "<duration>").into_owned()
}

fn numbered(text: &str, pattern: &str, name: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let pattern = Regex::new(pattern).unwrap();
    let named = pattern.replace_all(text, |found: &regex::Captures<'_>| {
        let place = known.iter().position(|one| *one == found[0]).unwrap_or_else(|| {
            known.push(found[0].to_owned());
            known.len() - 1
        });
        format!("<{name} {}>", place + 1)
    });
    named.into_owned()
}
