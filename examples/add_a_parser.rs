//! How to add a format: what hadolint, a linter of Dockerfiles, prints with `--format json`, read through the same seam
//! as every format of gatepost. In the house this file is `src/parse/hadolint.rs` with `FORMAT` in a row of `parse::ALL`.
//!
//! `cargo run --example add_a_parser` shows what is understood; its tests run with all others.

use std::io::{self, Write as _};

use gatepost::model::evidence::Parsed;
use gatepost::model::finding::{Finding, Level};
use gatepost::parse::{Empty, Format, ParseError, Reader, Stream};
use serde::Deserialize;

/// Everything the rest of the program asks about a format: this is the row.
static FORMAT: Format = Format {
    name: "hadolint",
    about: "hadolint with `--format json`",
    // Meant for machines: what it prints on standard error is none of it.
    stream: Stream::Stdout,
    // A clean run prints `[]`, so silence means that it never ran.
    empty: Empty::Error,
    recognises,
    // One JSON document. A format of lines implements `LineParser` and costs no memory but its findings.
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON array of problems, as `hadolint --format json` prints it";

/// Content alone decides, on no more than the beginning. It claims nothing that another tool could have printed.
fn recognises(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let array = text.trim_start().strip_prefix('[');
    array.is_some_and(|inner| inner.trim_start().starts_with('{') && inner.contains(r#""code":"DL"#))
}

/// One problem: only the keys that are used. A key that is always there has no default, so that its absence is noticed.
#[derive(Deserialize)]
struct Problem {
    file: String,
    line: u32,
    column: u32,
    code: String,
    level: String,
    message: String,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    if input.trim_ascii().is_empty() {
        return Err(ParseError::Empty { expected: EXPECTED });
    }
    let problems: Vec<Problem> = serde_json::from_slice(input).map_err(|error| {
        if error.is_eof() {
            ParseError::Truncated { expected: EXPECTED, offset: input.len(), what: error.to_string() }
        } else {
            ParseError::Malformed { expected: EXPECTED, got: error.to_string() }
        }
    })?;
    let mut parsed = Parsed::default();
    for problem in problems {
        let level = match problem.level.as_str() {
            "error" => Level::Error,
            "warning" => Level::Warning,
            "info" | "style" => Level::Note,
            other => {
                // What is not understood is said and counts: a verdict is never greener than its evidence.
                parsed.notes.push(format!("{}: the level {other:?} is unknown and read as an error", problem.code));
                Level::Error
            }
        };
        parsed.findings.push(Finding {
            help: Some(format!("https://github.com/hadolint/hadolint/wiki/{}", problem.code)),
            rule: Some(problem.code),
            level,
            message: problem.message,
            path: Some(problem.file),
            line: Some(problem.line),
            column: Some(problem.column),
            ..Finding::default()
        });
    }
    Ok(parsed)
}

/// In the house: `fixtures/parse/hadolint/good/input`, made by running the tool, beside `empty` and `broken`.
const SAMPLE: &[u8] = br#"[{"code":"DL3007","column":1,"file":"Dockerfile","level":"warning","line":1,
"message":"Using latest is prone to errors if the image will ever update. Pin the version explicitly to a release tag"},
{"code":"DL3020","column":1,"file":"Dockerfile","level":"error","line":3,"message":"Use COPY instead of ADD for files and folders"}]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    for finding in FORMAT.parse(SAMPLE)?.findings {
        let path = finding.path.unwrap_or_default();
        let line = finding.line.unwrap_or_default();
        writeln!(out, "{path}:{line}: {}: {}", finding.level.word(), finding.message)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_findings() {
        let parsed = FORMAT.parse(SAMPLE).unwrap();
        let seen: Vec<_> = parsed.findings.iter().map(|f| (f.rule.as_deref(), f.level, f.line)).collect();
        assert_eq!(seen, [(Some("DL3007"), Level::Warning, Some(1)), (Some("DL3020"), Level::Error, Some(3))]);
        assert!(recognises(SAMPLE) && !recognises(br#"[{"filePath":"a.js","messages":[]}]"#));
        assert_eq!(FORMAT.parse(b"[]\n").unwrap(), Parsed::default());
    }

    #[test]
    fn what_is_not_whole_is_no_result() {
        assert!(matches!(FORMAT.parse(b""), Err(ParseError::Empty { .. })));
        assert!(matches!(FORMAT.parse(b"Segmentation fault\n"), Err(ParseError::Malformed { .. })));
        for cut in 1..SAMPLE.trim_ascii_end().len() {
            assert!(matches!(FORMAT.parse(&SAMPLE[..cut]), Err(ParseError::Truncated { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn an_unknown_level_counts_and_is_said() {
        let fatal = String::from_utf8_lossy(SAMPLE).replace("\"level\":\"warning\"", "\"level\":\"fatal\"");
        let parsed = FORMAT.parse(fatal.as_bytes()).unwrap();
        assert_eq!((parsed.findings[0].level, parsed.notes.len()), (Level::Error, 1));
    }
}
