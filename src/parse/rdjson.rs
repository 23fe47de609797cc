//! The Reviewdog Diagnostic Format as one document, and the diagnostic that `rdjsonl` has one a line of.
//! <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use crate::parse::encoding::decode;
use crate::parse::json::{self, Position, Text, owned};
use crate::parse::reading;
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "rdjson",
    about: "Reviewdog Diagnostic Format, one JSON document: `ruff check --output-format rdjson`, buildifier, many wrappers",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON object with `diagnostics`, the Reviewdog Diagnostic Format";

/// Many tools have `diagnostics`, of a shape of their own (Biome, Deno, Terraform); these are all the keys of this one.
fn recognises(head: &[u8]) -> bool {
    let keys = json::keys(head);
    let own = |key: &String| ["source", "severity", "diagnostics"].contains(&key.as_str());
    keys.iter().any(|key| key == "diagnostics") && keys.iter().all(own)
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    diagnostics: Vec<Diagnostic<'a>>,
    source: Option<Source<'a>>,
    severity: Option<Severity>,
}

#[derive(Deserialize)]
pub(super) struct Diagnostic<'a> {
    #[serde(borrow)]
    message: Option<Text<'a>>,
    location: Option<Location<'a>>,
    severity: Option<Severity>,
    code: Option<Code<'a>>,
    suggestions: Option<Vec<Suggestion<'a>>>,
    #[serde(alias = "originalOutput")]
    original_output: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    path: Option<Text<'a>>,
    range: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    start: Option<Point>,
    end: Option<Point>,
}

#[derive(Deserialize, Default, Clone, Copy)]
struct Point {
    #[serde(default)]
    line: Position,
    #[serde(default)]
    column: Position,
}

#[derive(Deserialize)]
struct Code<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
    url: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Suggestion<'a> {
    range: Option<Range>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

/// The level of what has none: reviewdog fails at it too.
pub(super) const UNKNOWN: Level = Level::Error;

/// By name, or by number as protocol buffers also allow.
#[derive(Deserialize, Clone, Copy)]
#[serde(from = "serde_json::Value")]
struct Severity(Option<Level>);

impl From<serde_json::Value> for Severity {
    fn from(value: serde_json::Value) -> Self {
        Self(match value.as_str().map(str::to_ascii_uppercase).as_deref().or(value.as_u64().map(number)) {
            Some("WARNING") => Some(Level::Warning),
            Some("INFO") => Some(Level::Note),
            None | Some("" | "UNKNOWN_SEVERITY") => None,
            // `ERROR`; and a word unknown here is not taken for less.
            Some(_) => Some(Level::Error),
        })
    }
}

fn number(number: u64) -> &'static str {
    match number {
        1 => "ERROR",
        2 => "WARNING",
        3 => "INFO",
        0 => "UNKNOWN_SEVERITY",
        _ => "of a later version",
    }
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let decoded = decode(input);
    let document: Document<'_> = json::read(&decoded.text, EXPECTED)?;
    let level = document.severity.and_then(|severity| severity.0).unwrap_or(UNKNOWN);
    let ruff = document.source.and_then(|source| source.name).is_some_and(|name| name.0 == "ruff");
    Ok(Parsed {
        findings: document.diagnostics.into_iter().map(|diagnostic| diagnostic.finding(level)).collect(),
        // The format counts bytes; ruff writes its own characters into it.
        columns: if ruff { ColumnUnit::Scalars } else { ColumnUnit::Bytes },
        notes: decoded.note.into_iter().collect(),
        ..Parsed::default()
    })
}

impl Diagnostic<'_> {
    /// Whether it says anything of what a diagnostic is made of.
    pub(super) const fn is_one(&self) -> bool {
        self.message.is_some() || self.location.is_some() || self.original_output.is_some()
    }

    /// `level` is that of the whole document, for a diagnostic that has none.
    pub(super) fn finding(self, level: Level) -> Finding {
        let (path, range) = self.location.map_or((None, None), |location| (location.path, location.range));
        let (rule, help) = self.code.map_or((None, None), |code| (code.value, code.url));
        let message = [self.message, self.original_output].into_iter().flatten().find(|text| !text.0.is_empty());
        let mut finding = Finding {
            rule: owned(rule),
            level: self.severity.and_then(|severity| severity.0).unwrap_or(level),
            message: owned(message).unwrap_or_else(|| "(no message)".to_owned()),
            path: owned(path),
            help: owned(help),
            // Several suggestions are alternatives: one of them is a fix.
            fix: self.suggestions.into_iter().flatten().next().and_then(Suggestion::fix),
            ..Finding::default()
        };
        if let Some(range) = range {
            let (start, end) = (range.start.unwrap_or_default(), range.end.unwrap_or_default());
            let (line, column) = (start.line.0, start.column.0);
            let end_column = end.line.0.and(end.column.0);
            reading::Range { line, column, end_line: end.line.0, end_column }.apply(&mut finding);
        }
        finding
    }
}

impl Suggestion<'_> {
    fn fix(self) -> Option<Fix> {
        let range = self.range?;
        let start = range.start?;
        let end = range.end.unwrap_or(start);
        let mut text = self.text.map(|text| text.0.into_owned()).unwrap_or_default();
        let start_line = start.line.0?;
        let end_line = end.line.0.unwrap_or(start_line);
        let (end_line, end_column) = match (start.column.0, end.column.0) {
            // Whole lines: the replacement has no line end of its own.
            (None, None) => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                (end_line.checked_add(1)?, 1)
            }
            (_, end_column) => (end_line, end_column?),
        };
        let start_column = start.column.0.unwrap_or(1);
        let edit = Edit { start_line, start_column, end_line, end_column, text };
        ((start_line, start_column) <= (end_line, end_column))
            .then(|| Fix { description: String::new(), edits: vec![edit] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, range: &str) -> Option<Edit> {
        let suggestion = format!(r#"{{"range":{range},"text":"{text}"}}"#);
        serde_json::from_str::<Suggestion<'_>>(&suggestion).unwrap().fix().map(|fix| fix.edits[0].clone())
    }

    #[test]
    fn whole_lines_are_replaced_by_whole_lines() {
        let lines = r#"{"start":{"line":2},"end":{"line":3}}"#;
        for (text, expected) in [("", ""), ("a", "a\n"), ("a\\n", "a\n"), ("a\\nb", "a\nb\n")] {
            let edit = edit(text, lines).unwrap();
            assert_eq!((edit.start_line, edit.start_column, edit.end_line, edit.end_column), (2, 1, 4, 1), "{text:?}");
            assert_eq!(edit.text, expected, "{text:?}");
        }
    }

    #[test]
    fn a_place_in_a_line_is_taken_as_it_is_given() {
        let of =
            |range: &str| edit("a", range).map(|e| (e.start_line, e.start_column, e.end_line, e.end_column, e.text));
        let at = |place: (u32, u32, u32, u32)| Some((place.0, place.1, place.2, place.3, "a".to_owned()));
        assert_eq!(of(r#"{"start":{"line":2,"column":3},"end":{"line":2,"column":5}}"#), at((2, 3, 2, 5)));
        assert_eq!(of(r#"{"start":{"line":2,"column":3}}"#), at((2, 3, 2, 3)));
        assert_eq!(of(r#"{"start":{"line":2},"end":{"line":2,"column":5}}"#), at((2, 1, 2, 5)));
        for wrong in [
            r#"{"start":{"line":2,"column":3},"end":{"line":2,"column":2}}"#,
            r#"{"start":{"line":2,"column":3},"end":{"line":1,"column":9}}"#,
            r#"{"start":{"line":2,"column":3},"end":{"line":4}}"#,
            r#"{"end":{"line":4}}"#,
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn columns_are_bytes_but_for_ruff() {
        let columns = |source: &str| parse(format!(r#"{{"diagnostics":[]{source}}}"#).as_bytes()).unwrap().columns;
        assert_eq!(columns(r#","source":{"name":"ruff"}"#), ColumnUnit::Scalars);
        assert_eq!([columns(r#","source":{"name":"other"}"#), columns("")], [ColumnUnit::Bytes; 2]);
    }

    #[test]
    fn severities_are_words_or_numbers() {
        let level = |severity: &str| serde_json::from_str::<Severity>(severity).unwrap().0;
        assert_eq!(["1", "\"ERROR\"", "\"error\""].map(level), [Some(Level::Error); 3]);
        assert_eq!(["2", "\"WARNING\""].map(level), [Some(Level::Warning); 2]);
        assert_eq!(["3", "\"INFO\""].map(level), [Some(Level::Note); 2]);
        assert_eq!(["0", "\"UNKNOWN_SEVERITY\"", "\"\"", "null"].map(level), [None; 4]);
        assert_eq!(["4", "\"CRITICAL\""].map(level), [Some(Level::Error); 2], "it is not known");
    }
}
