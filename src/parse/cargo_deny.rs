//! `cargo-deny`: the lines of JSON that it prints to standard error, of all its checks. Their places are those of a list
//! that cargo-deny makes for itself, so none is taken.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::evidence::Parsed;
use crate::model::finding::{Finding, Level};
use crate::parse::advisories::{failed, has_keys};
use crate::parse::reading::not_understood;
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, json};

pub(super) static FORMAT: Format = Format {
    name: "cargo-deny",
    about: "cargo-deny with `--format json check`",
    stream: Stream::Both,
    empty: Empty::Error,
    recognises: |head| has_keys(head, &["type", "fields"]),
    reader: Reader::Lines(|| Box::<CargoDeny>::default()),
};

const EXPECTED: &str = "one JSON object a line, as `cargo deny --format json check` prints them";

#[derive(Deserialize)]
struct Line<'a> {
    r#type: String,
    #[serde(borrow)]
    fields: &'a RawValue,
}

/// What ends the output: how much each check said.
type Summary = BTreeMap<String, Counts>;

#[derive(Deserialize)]
struct Counts {
    errors: usize,
}

#[derive(Deserialize)]
struct Fields {
    severity: Option<String>,
    code: Option<String>,
    message: Option<String>,
    level: Option<String>,
    #[serde(default)]
    graphs: Vec<Graph>,
    advisory: Option<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(rename = "Krate")]
    krate: Option<Krate>,
}

#[derive(Deserialize)]
struct Krate {
    name: String,
    version: String,
}

#[derive(Default)]
struct CargoDeny {
    parsed: Parsed,
    lines: usize,
    /// Bytes read.
    offset: usize,
    summary: Option<Summary>,
    /// Lines of cargo itself, such as those of a download.
    other: usize,
    failed: Option<String>,
    broken: Option<ParseError>,
}

impl LineParser for CargoDeny {
    fn line(&mut self, text: &str) {
        self.offset += text.len() + 1;
        if text.trim().is_empty() || self.broken.is_some() {
            return;
        }
        self.lines += 1;
        if !text.trim_start().starts_with('{') {
            self.other += 1;
            return;
        }
        if let Err(error) = self.object(text) {
            self.broken = Some(error);
        }
    }

    fn end(self: Box<Self>, _: bool) -> Result<Parsed, ParseError> {
        let Self { mut parsed, lines, offset, summary, other, failed: failure, broken } = *self;
        match (broken, failure) {
            (Some(error), _) => return Err(error),
            (None, Some(what)) => return Err(failed("cargo deny", &what)),
            (None, None) => {}
        }
        if lines == 0 {
            return Err(ParseError::Empty { expected: EXPECTED });
        }
        let Some(summary) = summary else {
            let what = "the `summary` that ends it is missing".to_owned();
            return Err(ParseError::Truncated { expected: EXPECTED, offset, what });
        };
        let counted = summary.values().map(|counts| counts.errors).fold(0, usize::saturating_add);
        let seen = parsed.findings.iter().filter(|finding| finding.level == Level::Error).count();
        if counted != seen {
            let got = format!("a summary of {counted} errors behind {seen}");
            return Err(ParseError::Malformed { expected: EXPECTED, got });
        }
        parsed.notes.extend(not_understood(other, lines));
        parsed.not_understood = other;
        Ok(parsed)
    }
}

impl CargoDeny {
    fn object(&mut self, text: &str) -> Result<(), ParseError> {
        let line: Line<'_> = json::read(text, EXPECTED)?;
        match line.r#type.as_str() {
            "diagnostic" => {
                let fields: Fields = json::read(line.fields.get(), EXPECTED)?;
                self.parsed.findings.push(fields.finding());
            }
            "summary" => self.summary = Some(json::read(line.fields.get(), EXPECTED)?),
            "log" => {
                let fields: Fields = json::read(line.fields.get(), EXPECTED)?;
                if fields.level.as_deref() == Some("ERROR") {
                    self.failed = fields.message;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Fields {
    fn finding(self) -> Finding {
        let level = match self.severity.as_deref() {
            Some("error" | "bug") => Level::Error,
            Some("note" | "help") => Level::Note,
            _ => Level::Warning,
        };
        let id = self.advisory.map(|advisory| advisory.id);
        let krate = self.graphs.into_iter().find_map(|graph| graph.krate);
        let message = self.message.unwrap_or_default();
        let help = id.as_deref().filter(|id| id.starts_with("RUSTSEC-"));
        Finding {
            help: help.map(|id| format!("https://rustsec.org/advisories/{id}")),
            path: id.is_some().then(|| "Cargo.lock".to_owned()),
            rule: id.or(self.code),
            level,
            message: match krate {
                Some(krate) => format!("{} {}: {message}", krate.name, krate.version),
                None => message,
            },
            ..Finding::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "{\"type\":\"summary\",\"fields\":{}}\n";

    #[test]
    fn lines_around_the_report_are_counted_and_none_of_it_is_lost() {
        let read = |text: &str| FORMAT.parse(text.as_bytes());
        let denied = "{\"type\":\"diagnostic\",\"fields\":{\"severity\":\"warning\",\"message\":\"old\"}}\n";
        let parsed = read(&format!("Updating\n\n  {denied}\n{SUMMARY}")).unwrap();
        assert_eq!(parsed.findings[0].message, "old");
        let level =
            |word: &str| read(&format!("{}{SUMMARY}", denied.replace("warning", word))).unwrap().findings[0].level;
        assert_eq!(
            ["note", "help", "warning", "?"].map(level),
            [Level::Note, Level::Note, Level::Warning, Level::Warning]
        );
        assert_eq!(parsed.notes, ["1 line of the output was not understood"]);
        assert!(matches!(read("\n\n"), Err(ParseError::Empty { .. })));
        let cut = read(&format!("\n{denied}"));
        assert!(matches!(cut, Err(ParseError::Truncated { offset, .. }) if offset == denied.len() + 1), "{cut:?}");
        let first = read(&format!("{{\"type\":1}}\n{{\"nothing\":2}}\n{SUMMARY}")).unwrap_err().to_string();
        assert!(first.contains("type"), "{first}");
    }
}
