//! `trivy`: its JSON, of all its scanners: vulnerabilities, misconfigurations, secrets and licences.

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Known, document, failed, has_keys};
use crate::parse::reading::Range;
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "trivy",
    about: "Trivy with `--format json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| has_keys(head, &["SchemaVersion", "ArtifactName"]),
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `trivy --format json` prints it";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    schema_version: u32,
    /// Left out where nothing was scanned.
    results: Option<Vec<Scanned>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scanned {
    #[serde(rename = "Target")]
    path: String,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(default)]
    misconfigurations: Vec<Misconfiguration>,
    #[serde(default)]
    secrets: Vec<Secret>,
    #[serde(default)]
    licenses: Vec<License>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    pkg_name: String,
    #[serde(default)]
    installed_version: String,
    #[serde(default)]
    fixed_version: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    severity: String,
    #[serde(rename = "PrimaryURL")]
    url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    status: String,
    #[serde(rename = "PrimaryURL")]
    url: Option<String>,
    cause_metadata: Option<Lines>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lines {
    start_line: Option<u32>,
    end_line: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "RuleID")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    severity: String,
    #[serde(flatten)]
    lines: Lines,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct License {
    #[serde(default)]
    severity: String,
    #[serde(default)]
    pkg_name: String,
    #[serde(default)]
    file_path: String,
    name: String,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, notes) = document::<Report>(input, EXPECTED)?;
    if report.schema_version != 2 {
        let got = format!("version {} of the report", report.schema_version);
        return Err(ParseError::Malformed { expected: EXPECTED, got });
    }
    let targets = report.results.unwrap_or_default();
    if targets.is_empty() {
        return Err(failed("trivy", "it scanned nothing: the report names no target"));
    }
    Ok(Parsed { findings: targets.into_iter().flat_map(Scanned::findings).collect(), notes, ..Parsed::default() })
}

impl Scanned {
    fn findings(self) -> Vec<Finding> {
        let target = self.path;
        let vulnerabilities = self.vulnerabilities.into_iter().map(|found| {
            let known = Known {
                id: found.id,
                package: found.pkg_name,
                version: found.installed_version,
                title: found.title,
                severity: found.severity,
                fixed: found.fixed_version,
                path: Some(target.clone()),
                help: found.url,
                ..Known::default()
            };
            known.finding()
        });
        let failed = self.misconfigurations.into_iter().filter(|found| found.status != "PASS");
        let misconfigurations = failed.map(|found| {
            let known = Known {
                id: found.id,
                package: found.title,
                title: found.message,
                severity: found.severity,
                path: Some(target.clone()),
                help: found.url,
                ..Known::default()
            };
            at(found.cause_metadata.as_ref(), known.finding())
        });
        let secrets = self.secrets.into_iter().map(|found| {
            let path = Some(target.clone());
            let known =
                Known { id: found.id, package: found.title, severity: found.severity, path, ..Known::default() };
            at(Some(&found.lines), known.finding())
        });
        let licences = self.licenses.into_iter().map(|found| {
            let path = if found.file_path.is_empty() { target.clone() } else { found.file_path };
            let known = Known {
                package: if found.pkg_name.is_empty() { path.clone() } else { found.pkg_name },
                title: format!("has the licence {}", found.name),
                id: found.name,
                severity: found.severity,
                path: Some(path),
                ..Known::default()
            };
            known.finding()
        });
        vulnerabilities.chain(misconfigurations).chain(secrets).chain(licences).collect()
    }
}

/// Puts a finding on some lines of its file.
fn at(lines: Option<&Lines>, mut finding: Finding) -> Finding {
    if let Some(Lines { start_line, end_line }) = lines {
        Range { line: *start_line, end_line: *end_line, ..Range::default() }.apply(&mut finding);
    }
    finding
}
