//! Checkstyle XML, which many linters besides Checkstyle write.

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::parse::reading::Range;
use crate::parse::xml::{self, Attributes, Visitor};
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "checkstyle",
    about: "Checkstyle XML: `checkstyle -f xml`, `phpcs --report=checkstyle`, `shellcheck -f checkstyle`, ktlint, detekt",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| xml::root(head).as_deref() == Some("checkstyle"),
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "Checkstyle XML with <checkstyle> as its root";

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let mut report = Report::default();
    let notes = xml::walk(input, EXPECTED, &mut report)?;
    // Checkstyle and ESLint count UTF-16 units; the format itself says nothing.
    Ok(Parsed { findings: report.findings, columns: ColumnUnit::Utf16, notes, ..Parsed::default() })
}

#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
    depth: usize,
    file: Option<String>,
    /// The text of an `<exception>`, while it is open.
    exception: Option<String>,
}

impl Visitor for Report {
    fn open(&mut self, name: &str, attributes: &Attributes) -> Result<(), String> {
        if self.depth == 0 && name != "checkstyle" {
            return Err(format!("<{name}>"));
        }
        self.depth += 1;
        match name {
            "file" => self.file = attributes.owned("name"),
            "error" => self.findings.push(self.error(attributes)),
            "exception" => self.exception = Some(String::new()),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(exception) = &mut self.exception {
            exception.push_str(text);
        }
    }

    fn close(&mut self) {
        self.depth -= 1;
        if self.depth == 1 {
            self.file = None;
        }
        if let Some(exception) = self.exception.take() {
            self.findings.push(Finding {
                level: Level::Error,
                message: format!("the checker itself failed: {}", exception.trim()),
                path: self.file.clone(),
                ..Finding::default()
            });
        }
    }
}

impl Report {
    fn error(&self, attributes: &Attributes) -> Finding {
        let level = match attributes.get("severity").map(str::to_ascii_lowercase).as_deref() {
            Some("warning") => Level::Warning,
            Some("info" | "ignore" | "note") => Level::Note,
            // Checkstyle's own default; a word unknown here is not taken for less.
            _ => Level::Error,
        };
        let mut finding = Finding {
            rule: attributes.owned("source"),
            level,
            message: attributes.owned("message").unwrap_or_else(|| "(no message)".to_owned()),
            path: self.file.clone(),
            ..Finding::default()
        };
        let (line, column) = (attributes.position("line"), attributes.position("column"));
        Range { line, column, ..Range::default() }.apply(&mut finding);
        finding
    }
}
