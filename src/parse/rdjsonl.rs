//! The Reviewdog Diagnostic Format with one diagnostic a line. The format has no end of its own: output that was cut
//! behind a line looks whole, so only the exit status of the command can tell.

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding};
use crate::parse::rdjson::{Diagnostic, UNKNOWN};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, json};

pub(super) static FORMAT: Format = Format {
    name: "rdjsonl",
    about: "Reviewdog Diagnostic Format, one JSON diagnostic a line",
    stream: Stream::Stdout,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Rdjsonl>::default()),
};

const EXPECTED: &str = "one JSON diagnostic a line, the Reviewdog Diagnostic Format";

fn recognises(head: &[u8]) -> bool {
    let keys = json::keys(head);
    ["message", "location"].iter().all(|key| keys.iter().any(|known| known == key))
}

#[derive(Default)]
struct Rdjsonl {
    findings: Vec<Finding>,
    lines: usize,
    /// The first line that is no diagnostic; nothing after it is trusted.
    broken: Option<(usize, ParseError)>,
}

impl LineParser for Rdjsonl {
    fn line(&mut self, text: &str) {
        self.lines += 1;
        if self.broken.is_some() || text.trim().is_empty() {
            return;
        }
        match json::read::<Diagnostic<'_>>(text, EXPECTED) {
            Ok(diagnostic) if diagnostic.is_one() => self.findings.push(diagnostic.finding(UNKNOWN)),
            Ok(_) => {
                let got = "an object without `message` and `location`".to_owned();
                self.broken = Some((self.lines, ParseError::Malformed { expected: EXPECTED, got }));
            }
            Err(error) => self.broken = Some((self.lines, error)),
        }
    }

    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        match self.broken {
            Some((line, ParseError::Truncated { expected, offset, .. })) if line == self.lines && !complete => {
                let what = format!("the JSON of line {line} is open");
                return Err(ParseError::Truncated { expected, offset, what });
            }
            Some((line, error)) => {
                let got = match error {
                    ParseError::Malformed { got, .. } => got,
                    other => other.to_string(),
                };
                return Err(ParseError::Malformed { expected: EXPECTED, got: format!("line {line}: {got}") });
            }
            None => {}
        }
        let notes = if complete { Vec::new() } else { vec![super::lines::NO_LINE_END.to_owned()] };
        Ok(Parsed { findings: self.findings, columns: ColumnUnit::Bytes, notes, ..Parsed::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Level;

    #[test]
    fn what_has_no_severity_is_an_error() {
        let level = |more: &str| {
            let text = format!("{{\"message\":\"x\"{more}}}\n");
            FORMAT.parse(text.as_bytes()).unwrap().findings[0].level
        };
        assert_eq!([level(""), level(",\"severity\":\"UNKNOWN_SEVERITY\"")], [Level::Error; 2]);
        assert_eq!(level(",\"severity\":\"INFO\""), Level::Note);
    }

    #[test]
    fn empty_lines_are_passed_over_and_the_first_broken_one_is_told() {
        let read = |text: &str| FORMAT.parse(text.as_bytes());
        let one = "{\"message\":\"x\"}\n";
        assert_eq!(read(&format!("\n{one}\n{one}")).unwrap().findings.len(), 2);
        let line = |text: &str| match read(text) {
            Err(ParseError::Malformed { got, .. }) => got.split(':').next().unwrap().to_owned(),
            other => panic!("{text:?} is {other:?}"),
        };
        assert_eq!(line(&format!("{one}{{\n{one}")), "line 2");
        assert_eq!(line(&format!("{{\n{one}{{}}\n")), "line 1");
        assert_eq!(line("{\n{\"message\":\"cut"), "line 1");
        assert_eq!(line(&format!("{one}{{\"message\":\"open\n")), "line 2", "a whole line");
        assert!(matches!(read(&format!("{one}{{\"message\":\"cut")), Err(ParseError::Truncated { .. })));
    }
}
