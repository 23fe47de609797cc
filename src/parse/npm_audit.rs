//! `npm-audit`: the JSON of `npm audit`, of npm 6 and of npm 7 and later. It names no lockfile.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Id, Known, document, ghsa, has_keys, names, without};
use crate::parse::npm_advisories::{Metadata, Report};
use crate::parse::reading::Seen;
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "npm-audit",
    about: "npm 6 and later with `audit --json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| {
        has_keys(head, &["auditReportVersion"])
            || has_keys(head, &["advisories", "runId"])
            || has_keys(head, &["message", "method", "uri"])
            || (has_keys(head, &["error"]) && names(head, "summary"))
    },
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `npm audit --json` prints it";

/// npm 7 and later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Audit {
    #[serde(rename = "auditReportVersion")]
    version: u32,
    vulnerabilities: BTreeMap<String, Vulnerable>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerable {
    /// Advisories against the package itself, and the names of packages that make it vulnerable.
    via: Vec<Via>,
    fix_available: Option<Fix>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Via {
    Advisory(Advisory),
    Name(String),
}

impl Via {
    fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }
}

#[derive(Deserialize)]
struct Advisory {
    source: Id,
    name: String,
    title: Option<String>,
    url: Option<String>,
    severity: Option<String>,
    range: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Fix {
    Upgrade { name: String, version: String },
    Any(bool),
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    if !has_keys(input, &["auditReportVersion"]) {
        let (report, notes) = document::<Report>(input, EXPECTED)?;
        let (findings, unexplained_exit) = report.read("npm audit", EXPECTED, None)?;
        return Ok(Parsed { findings, notes, unexplained_exit, ..Parsed::default() });
    }
    let (audit, notes) = document::<Audit>(input, EXPECTED)?;
    if audit.version != 2 {
        let got = format!("version {} of the report", audit.version);
        return Err(ParseError::Malformed { expected: EXPECTED, got });
    }
    let metadata = audit.metadata.ok_or_else(|| without(EXPECTED, "metadata"))?;
    let mut names = audit.vulnerabilities.values().flat_map(|vulnerable| &vulnerable.via).filter_map(Via::name);
    if let Some(missing) = names.find(|name| !audit.vulnerabilities.contains_key(*name)) {
        let got = format!("a report that names {missing:?} and does not have it");
        return Err(ParseError::Malformed { expected: EXPECTED, got });
    }
    let mut seen = Seen::default();
    let mut findings: Vec<Finding> = audit.vulnerabilities.into_values().flat_map(Vulnerable::findings).collect();
    findings.retain(|finding| seen.is_new(finding));
    // No option of npm's takes from the list what it counts, as those of others do.
    let unexplained_exit = metadata.not_listed(findings.len());
    Ok(Parsed { findings, notes, unexplained_exit, ..Parsed::default() })
}

impl Vulnerable {
    fn findings(self) -> Vec<Finding> {
        let fixed = match &self.fix_available {
            Some(Fix::Upgrade { name, version }) => format!("{name} {version}"),
            Some(Fix::Any(true)) => "a release in range".to_owned(),
            Some(Fix::Any(false)) | None => String::new(),
        };
        let advisories = self.via.into_iter().filter_map(|via| match via {
            Via::Advisory(advisory) => Some(advisory),
            // Its own entry has the advisory.
            Via::Name(_) => None,
        });
        advisories.map(|advisory| advisory.finding(&fixed)).collect()
    }
}

impl Advisory {
    fn finding(self, fixed: &str) -> Finding {
        let id = self.url.as_deref().and_then(ghsa).map(str::to_owned);
        let known = Known {
            id: id.unwrap_or_else(|| self.source.text()),
            package: self.name,
            version: self.range.unwrap_or_default(),
            title: self.title.unwrap_or_default(),
            severity: self.severity.unwrap_or_default(),
            fixed: fixed.to_owned(),
            help: self.url,
            ..Known::default()
        };
        known.finding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_listed() {
        let read = |report: &str| parse(report.as_bytes()).unwrap().unexplained_exit;
        let said = Some("the report counts 3 vulnerabilities and lists none".to_owned());
        for begin in [r#""auditReportVersion":2,"vulnerabilities":{}"#, r#""runId":"x","advisories":{}"#] {
            let counts = |high: u8| format!(r#"{{{begin},"metadata":{{"vulnerabilities":{{"high":{high}}}}}}}"#);
            assert_eq!((read(&counts(3)), read(&counts(0))), (said.clone(), None), "{begin}");
        }
    }
}
