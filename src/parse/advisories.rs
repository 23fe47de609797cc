//! What the reports of audit tools share: how an advisory becomes a finding, and how a report of failure an error. It
//! knows none of the tools.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::finding::{Finding, Level};
use crate::model::text::one_line;
use crate::parse::encoding::decode;
use crate::parse::{ParseError, json};

/// An advisory against a package, as a tool tells it.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The advisory's id: what ignores and pages are found by.
    pub id: String,
    pub package: String,
    /// Empty where the tool does not tell.
    pub version: String,
    pub title: String,
    /// The tool's word; empty where it has none.
    pub severity: String,
    /// Versions, or ranges, that mend it; empty where there is none, or none is told.
    pub fixed: String,
    /// Names from a direct dependency down to the package.
    pub way: Vec<String>,
    /// The lockfile, where the tool names it or reads only one.
    pub path: Option<String>,
    pub help: Option<String>,
}

impl Known {
    pub fn finding(self) -> Finding {
        let level = if self.id.starts_with("MAL-") { Level::Error } else { level(&self.severity) };
        let part = |before: &str, text: &str, after: &str| match text.trim() {
            "" => String::new(),
            text => format!("{before}{text}{after}"),
        };
        let above = self.way.split_last().map(|(_, above)| above.join(" > ")).unwrap_or_default();
        let message = [
            self.package,
            part(" ", &self.version, ""),
            part(": ", &self.title, ""),
            part(" (", &self.severity.to_ascii_lowercase(), ")"),
            part("; needed by ", &above, ""),
            part("; fixed in ", &self.fixed, ""),
        ]
        .concat();
        Finding { rule: Some(self.id), level, message, path: self.path, help: self.help, ..Finding::default() }
    }
}

/// A severity without a word, or with an unknown one, is no reason to pass.
fn level(severity: &str) -> Level {
    match severity.to_ascii_lowercase().as_str() {
        "critical" | "high" => Level::Error,
        "low" | "negligible" | "info" | "none" => Level::Note,
        _ => Level::Warning,
    }
}

/// The word for a score of CVSS, from 0 to 10 (<https://www.first.org/cvss/specification-document>); empty for what is
/// no score.
pub(super) fn severity_of(score: &str) -> &'static str {
    match score.parse::<f64>() {
        Ok(score) if score >= 9.0 => "critical",
        Ok(score) if score >= 7.0 => "high",
        Ok(score) if score >= 4.0 => "medium",
        Ok(score) if score > 0.0 => "low",
        _ => "",
    }
}

/// Reads the whole input as one JSON document; also notes what was wrong with its bytes.
pub(super) fn document<T: DeserializeOwned>(
    input: &[u8],
    expected: &'static str,
) -> Result<(T, Vec<String>), ParseError> {
    let decoded = decode(input);
    let read = json::read(&decoded.text, expected)?;
    Ok((read, Vec::from_iter(decoded.note)))
}

/// The error for a report in which a tool says that it could not do its work.
pub(super) fn failed(tool: &str, what: &str) -> ParseError {
    ParseError::ToolFailed { tool: tool.to_owned(), what: one_line(what, 300) }
}

/// The error for a report without one of its parts.
pub(super) fn without(expected: &'static str, part: &str) -> ParseError {
    ParseError::Malformed { expected, got: format!("a document without `{part}`") }
}

/// Whether a document, of which only the beginning may be there, has all these keys.
pub(super) fn has_keys(head: &[u8], wanted: &[&str]) -> bool {
    let keys = json::keys(head);
    wanted.iter().all(|wanted| keys.iter().any(|key| key == wanted))
}

/// Whether a key stands anywhere in the beginning of a document whose first list may be longer than that.
pub(super) fn names(head: &[u8], key: &str) -> bool {
    let quoted = format!("\"{key}\"");
    head.windows(quoted.len()).any(|part| part == quoted.as_bytes())
}

/// An id that is a number in some releases and a text in others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

impl Id {
    pub fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// The GHSA id that ends the address of an advisory.
pub(super) fn ghsa(url: &str) -> Option<&str> {
    url.rsplit('/').next().filter(|id| id.starts_with("GHSA-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_levels() {
        for (severity, expected) in [
            ("CRITICAL", Level::Error),
            ("high", Level::Error),
            ("moderate", Level::Warning),
            ("Medium", Level::Warning),
            ("", Level::Warning),
            ("UNKNOWN", Level::Warning),
            ("low", Level::Note),
        ] {
            assert_eq!(level(severity), expected, "{severity}");
        }
        assert_eq!(
            ["9.8", "9.0", "8.9", "7.0", "6.9", "5", "4.0", "3.9", "0.1", "0.0", "-1", ""].map(severity_of),
            ["critical", "critical", "high", "high", "medium", "medium", "medium", "low", "low", "", "", ""]
        );
    }
}
