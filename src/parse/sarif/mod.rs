//! SARIF 2.1.0, leniently: what tools really write, as long as nothing that may be a finding is passed over in
//! silence. Results that are none (passed, suppressed, gone) are counted in notes.

mod log;
mod message;
mod place;
mod run;

use crate::model::evidence::Parsed;
use crate::model::finding::ColumnUnit;
use crate::model::text::one_line;
use crate::parse::encoding::decode;
use crate::parse::{Empty, Format, ParseError, Reader, Stream, json};
use run::{Left, RunReader};

pub(super) static FORMAT: Format = Format {
    name: "sarif",
    about: "SARIF 2.1.0: CodeQL, Semgrep, Trivy, gcc, `ruff check --output-format sarif`, ESLint with a formatter, and many more",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| json::keys(head).iter().any(|key| key == "runs"),
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a SARIF 2.1.0 log: a JSON object with `version` and `runs`";

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let decoded = decode(input);
    let log: log::Log<'_> = json::read(&decoded.text, EXPECTED)?;
    let version = log.version.as_ref().map_or("none", |version| version.0.as_ref());
    if !version.starts_with("2.1") {
        return Err(malformed(&format!("version {version}")));
    }
    if log.beside.iter().flatten().any(|beside| beside.results.as_ref().is_some_and(|results| !results.is_empty())) {
        return Err(malformed("a log that keeps results in `inlineExternalProperties`"));
    }
    if log.runs.is_empty() {
        return Err(malformed("a log without runs: no tool ran"));
    }
    let mut parsed = Parsed { notes: decoded.note.into_iter().collect(), ..Parsed::default() };
    let mut left = Left::default();
    let mut unit = None;
    for mut run in log.runs {
        let results = run.results.take();
        let run = RunReader::new(&run);
        let ((mut findings, doubt), columns) = (run.read(results, &mut left)?, run.columns);
        parsed.unexplained_exit = parsed.unexplained_exit.or(doubt);
        if !findings.is_empty() && *unit.get_or_insert(columns) != columns {
            // One report has one unit; without the file's text the other cannot be converted.
            for finding in &mut findings {
                (finding.column, finding.end_column, finding.fix) = (None, None, None);
            }
            parsed.notes.push("runs count columns differently: those of the later runs were left out".to_owned());
        }
        parsed.findings.extend(findings);
    }
    parsed.columns = unit.unwrap_or(ColumnUnit::Utf16);
    parsed.notes.extend(left.notes());
    Ok(parsed)
}

fn malformed(got: &str) -> ParseError {
    ParseError::Malformed { expected: EXPECTED, got: one_line(got, 200) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_beside_the_runs_are_not_passed_over() {
        let read = |results: &str| {
            let run = r#"{"tool":{"driver":{"name":"x"}},"results":[]}"#;
            let beside = format!(r#"[{{"runGuid":"1","results":[{results}]}}]"#);
            let log = format!(r#"{{"version":"2.1.0","inlineExternalProperties":{beside},"runs":[{run}]}}"#);
            parse(log.as_bytes()).is_ok()
        };
        assert!(read("") && !read(r#"{"message":{"text":"m"}}"#));
    }
}
