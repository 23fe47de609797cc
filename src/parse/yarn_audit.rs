//! `yarn-audit`: the JSON of Yarn, one line for each advisory in Yarn 1 and 4, one document in 2 and 3. Yarn 4 prints
//! nothing where it found nothing, and has no end: only the exit status tells that its output is whole.

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Id, Known, failed, ghsa, has_keys};
use crate::parse::encoding::decode;
use crate::parse::lines::NO_LINE_END;
use crate::parse::npm_advisories::{Advisory, Metadata, Report};
use crate::parse::reading::Seen;
use crate::parse::{Empty, Format, ParseError, Reader, Stream, json};

pub(super) static FORMAT: Format = Format {
    name: "yarn-audit",
    about: "Yarn 1 with `audit --json`, Yarn 2 and later with `npm audit --json`",
    stream: Stream::Stdout,
    empty: Empty::Clean,
    recognises: |head| {
        let first = head.trim_ascii_start();
        has_keys(head, &["value", "children"])
            || (has_keys(head, &["type", "data"]))
            // What pnpm prints in many lines, Yarn 2 and 3 print in one.
            || (has_keys(head, &["advisories"]) && first.starts_with(b"{\"actions\":["))
    },
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "JSON, as `yarn audit --json` or `yarn npm audit --json` prints it";
const LOCKFILE: &str = "yarn.lock";

/// A line of any release.
#[derive(Deserialize)]
struct Line<'a> {
    r#type: Option<String>,
    #[serde(borrow)]
    data: Option<&'a serde_json::value::RawValue>,
    value: Option<String>,
    children: Option<About>,
}

/// Yarn 1.
#[derive(Deserialize)]
struct Found {
    advisory: Advisory,
}

/// Yarn 4.
#[derive(Deserialize)]
struct About {
    #[serde(rename = "ID")]
    id: Id,
    #[serde(rename = "Issue")]
    issue: Option<String>,
    #[serde(rename = "URL")]
    url: Option<String>,
    #[serde(rename = "Severity")]
    severity: Option<String>,
    #[serde(rename = "Tree Versions", default)]
    versions: Vec<String>,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let decoded = decode(input);
    let text = decoded.text.trim();
    let mut parsed = Parsed { notes: Vec::from_iter(decoded.note), ..Parsed::default() };
    if json::keys(text.as_bytes()).iter().any(|key| key == "advisories" || key == "metadata") {
        let report: Report = json::read(text, EXPECTED)?;
        let (findings, note) = report.read("yarn npm audit", EXPECTED, Some(LOCKFILE))?;
        parsed.findings = findings;
        parsed.notes.extend(note);
        return Ok(parsed);
    }
    let mut summary = None;
    let mut classic = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line<'_> = json::read(line, EXPECTED)?;
        match (line.r#type.as_deref(), line.data, line.value, line.children) {
            (Some("auditAdvisory"), Some(data), ..) => {
                classic = true;
                let found: Found = json::read(data.get(), EXPECTED)?;
                parsed.findings.extend(found.advisory.findings(Some(LOCKFILE)));
            }
            (Some("auditSummary"), Some(data), ..) => summary = Some(json::read::<Metadata>(data.get(), EXPECTED)?),
            (Some("error"), data, ..) => {
                let words = data.map(|data| serde_json::from_str(data.get()).unwrap_or_else(|_| data.to_string()));
                return Err(failed("yarn audit", &words.unwrap_or_default()));
            }
            (Some(_), ..) => classic = true,
            (None, _, Some(package), Some(about)) => parsed.findings.extend(about.findings(&package)),
            _ => {
                let got = "a line that is no advisory of Yarn's".to_owned();
                return Err(ParseError::Malformed { expected: EXPECTED, got });
            }
        }
    }
    match summary {
        Some(summary) => parsed.notes.extend(summary.not_listed(parsed.findings.len())),
        None if classic => {
            let what = "the `auditSummary` that ends it is missing".to_owned();
            return Err(ParseError::Truncated { expected: EXPECTED, offset: input.len(), what });
        }
        None if decoded.text.ends_with('\n') || text.is_empty() => {}
        None => parsed.notes.push(NO_LINE_END.to_owned()),
    }
    let mut seen = Seen::default();
    parsed.findings.retain(|finding| seen.is_new(finding));
    Ok(parsed)
}

impl About {
    fn findings(self, package: &str) -> Vec<Finding> {
        let from_url = self.url.as_deref().and_then(ghsa).map(str::to_owned);
        let id = from_url.unwrap_or_else(|| self.id.text());
        let versions = if self.versions.is_empty() { vec![String::new()] } else { self.versions };
        let known = |version: String| Known {
            id: id.clone(),
            package: package.to_owned(),
            version,
            title: self.issue.clone().unwrap_or_default(),
            severity: self.severity.clone().unwrap_or_default(),
            path: Some(LOCKFILE.to_owned()),
            help: self.url.clone(),
            ..Known::default()
        };
        versions.into_iter().map(|version| known(version).finding()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_classic_yarn_need_its_summary() {
        let read = |text: &str| parse(text.as_bytes());
        let info = r#"{"type":"info","data":"x"}"#;
        assert!(matches!(read(&format!("{info}\n")), Err(ParseError::Truncated { .. })));
        let summary = r#"{"type":"auditSummary","data":{"vulnerabilities":{"high":0}}}"#;
        assert!(read(&format!("{info}\n{summary}\n")).unwrap().notes.is_empty());
    }
}
