//! `pnpm-audit`: the JSON of `pnpm audit`, which audits `pnpm-lock.yaml`.

use crate::model::evidence::Parsed;
use crate::parse::advisories::{document, has_keys, names};
use crate::parse::npm_advisories::Report;
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "pnpm-audit",
    about: "pnpm with `audit --json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| {
        (has_keys(head, &["advisories"]) && (has_keys(head, &["metadata"]) || names(head, "module_name")))
            || (has_keys(head, &["error"]) && head.windows(10).any(|part| part == b"\"ERR_PNPM_"))
    },
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `pnpm audit --json` prints it";

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, mut notes) = document::<Report>(input, EXPECTED)?;
    let (findings, note) = report.read("pnpm audit", EXPECTED, Some("pnpm-lock.yaml"))?;
    notes.extend(note);
    Ok(Parsed { findings, notes, ..Parsed::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_not_listed_is_noted() {
        let report = r#"{"advisories":{},"metadata":{"vulnerabilities":{"high":2}}}"#;
        assert_eq!(parse(report.as_bytes()).unwrap().notes, ["the report counts 2 vulnerabilities and lists none"]);
    }
}
