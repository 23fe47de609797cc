//! `cargo-audit`: its JSON. It has scores as CVSS vectors only: what it calls a vulnerability is an error, what it warns
//! of (unmaintained, unsound, yanked) a warning.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::{Finding, Level};
use crate::parse::advisories::{Known, document, failed, has_keys, without};
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "cargo-audit",
    about: "cargo-audit with `--json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| has_keys(head, &["database", "lockfile", "vulnerabilities"]),
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `cargo audit --json` prints it";

#[derive(Deserialize)]
struct Report {
    database: Option<Database>,
    lockfile: Option<Lockfile>,
    vulnerabilities: Option<Vulnerabilities>,
    warnings: Option<Warnings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Database {
    advisory_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lockfile {
    dependency_count: u64,
}

#[derive(Deserialize)]
struct Vulnerabilities {
    count: usize,
    list: Vec<Found>,
}

/// By kind; a list of them all up to cargo-audit 0.12.
#[derive(Deserialize)]
#[serde(untagged)]
enum Warnings {
    ByKind(BTreeMap<String, Vec<Found>>),
    All(Vec<Found>),
}

#[derive(Deserialize)]
struct Found {
    kind: Option<String>,
    package: Package,
    /// Missing where a release was yanked.
    advisory: Option<Advisory>,
    versions: Option<Versions>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, notes) = document::<Report>(input, EXPECTED)?;
    let database = report.database.ok_or_else(|| without(EXPECTED, "database"))?;
    let lockfile = report.lockfile.ok_or_else(|| without(EXPECTED, "lockfile"))?;
    let vulnerabilities = report.vulnerabilities.ok_or_else(|| without(EXPECTED, "vulnerabilities"))?;
    if database.advisory_count == 0 {
        return Err(failed("cargo audit", "its database has no advisory"));
    }
    if lockfile.dependency_count == 0 {
        return Err(failed("cargo audit", "it audited nothing: the lockfile names no package"));
    }
    if vulnerabilities.count != vulnerabilities.list.len() {
        let (count, listed) = (vulnerabilities.count, vulnerabilities.list.len());
        let got = format!("a report that counts {count} vulnerabilities and lists {listed}");
        return Err(ParseError::Malformed { expected: EXPECTED, got });
    }
    let warnings = match report.warnings {
        Some(Warnings::ByKind(by_kind)) => by_kind.into_values().flatten().collect(),
        Some(Warnings::All(all)) => all,
        None => Vec::new(),
    };
    let vulnerabilities = vulnerabilities.list.into_iter().map(|found| found.finding(Level::Error));
    let findings = vulnerabilities.chain(warnings.into_iter().map(|found| found.finding(Level::Warning))).collect();
    Ok(Parsed { findings, notes, ..Parsed::default() })
}

impl Found {
    fn finding(self, level: Level) -> Finding {
        let kind = self.kind.unwrap_or_default();
        let (id, title) = match self.advisory {
            Some(advisory) => (advisory.id, advisory.title),
            None => (kind.clone(), format!("the release is {kind}")),
        };
        let known = Known {
            help: id.starts_with("RUSTSEC-").then(|| format!("https://rustsec.org/advisories/{id}")),
            id,
            package: self.package.name,
            version: self.package.version,
            title,
            severity: kind,
            fixed: self.versions.map(|versions| versions.patched.join(", ")).unwrap_or_default(),
            path: Some("Cargo.lock".to_owned()),
            ..Known::default()
        };
        Finding { level, ..known.finding() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_of_nothing_or_against_nothing_is_a_failure() {
        let read = |advisories: usize, packages: usize| {
            let text = format!(
                r#"{{"database":{{"advisory-count":{advisories}}},"lockfile":{{"dependency-count":{packages}}},
                "vulnerabilities":{{"count":0,"list":[]}},"warnings":{{}}}}"#
            );
            parse(text.as_bytes()).map(|parsed| parsed.findings.len()).map_err(|error| error.to_string())
        };
        assert_eq!(read(1, 1), Ok(0));
        assert!(read(0, 1).unwrap_err().contains("its database has no advisory"));
        assert!(read(1, 0).unwrap_err().contains("it audited nothing"));
    }
}
