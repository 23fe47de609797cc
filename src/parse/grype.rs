//! `grype`: its JSON. A report made with a broken database says so, and is an error.

use std::collections::HashSet;

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Known, document, failed, has_keys, names, without};
use crate::parse::reading::at_another_place;
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "grype",
    about: "Grype with `--output json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| has_keys(head, &["matches"]) && (has_keys(head, &["descriptor"]) || names(head, "matchDetails")),
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `grype --output json` prints it";

#[derive(Deserialize)]
struct Report {
    matches: Option<Vec<Match>>,
    descriptor: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    db: Option<Database>,
}

/// Since grype 0.88 its state has a place of its own.
#[derive(Deserialize)]
struct Database {
    error: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Status {
    valid: Option<bool>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Match {
    vulnerability: Vulnerability,
    artifact: Artifact,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    id: String,
    data_source: Option<String>,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    description: String,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    versions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    locations: Vec<Location>,
}

#[derive(Deserialize)]
struct Location {
    path: String,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, notes) = document::<Report>(input, EXPECTED)?;
    let matches = report.matches.ok_or_else(|| without(EXPECTED, "matches"))?;
    let descriptor = report.descriptor.ok_or_else(|| without(EXPECTED, "descriptor"))?;
    let Some(Database { error, status }) = descriptor.db else {
        return Err(failed("grype", "the report names no database"));
    };
    let invalid = status.as_ref().is_some_and(|status| status.valid == Some(false));
    let error = error.or(status.and_then(|status| status.error)).filter(|error| !error.is_empty());
    if invalid || error.is_some() {
        let why = error.unwrap_or_else(|| "it is not valid".to_owned());
        return Err(failed("grype", &format!("its database cannot be used: {why}")));
    }
    Ok(Parsed { findings: matches.into_iter().flat_map(Match::findings).collect(), notes, ..Parsed::default() })
}

impl Match {
    /// One in each file that names the package: any of them may be the one that was changed.
    fn findings(self) -> Vec<Finding> {
        let Self { vulnerability, artifact } = self;
        // Paths begin at the folder that was scanned.
        let mut paths: Vec<_> =
            artifact.locations.iter().map(|place| place.path.trim_start_matches('/').to_owned()).collect();
        let mut seen = HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        let mut paths = paths.into_iter();
        let known = Known {
            id: vulnerability.id,
            package: artifact.name,
            version: artifact.version,
            title: vulnerability.description.lines().next().unwrap_or_default().to_owned(),
            severity: vulnerability.severity,
            fixed: vulnerability.fix.and_then(|fix| fix.versions).unwrap_or_default().join(", "),
            path: paths.next(),
            help: vulnerability.data_source,
            ..Known::default()
        };
        let first = known.finding();
        let others: Vec<_> = paths.map(|path| Finding { path: Some(path), ..at_another_place(&first) }).collect();
        std::iter::once(first).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_names_the_package_counts() {
        let of = |locations: &str| {
            let artifact = format!(r#"{{"name":"p","locations":[{locations}]}}"#);
            let matches = format!(r#"[{{"vulnerability":{{"id":"CVE-1"}},"artifact":{artifact}}}]"#);
            let report = format!(r#"{{"matches":{matches},"descriptor":{{"db":{{"status":{{"valid":true}}}}}}}}"#);
            let findings = parse(report.as_bytes()).unwrap().findings;
            findings.into_iter().map(|finding| finding.path).collect::<Vec<_>>()
        };
        assert_eq!(of(r#"{"path":"/a"},{"path":"/b"},{"path":"a"}"#), [Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(of(""), [None]);
    }

    #[test]
    fn a_database_that_is_not_valid_or_has_an_error_is_a_failure() {
        let read = |database: &str| parse(format!(r#"{{"matches":[],"descriptor":{{"db":{database}}}}}"#).as_bytes());
        assert!(read(r#"{"status":{"valid":true,"error":""}}"#).unwrap().findings.is_empty());
        for (database, why) in [
            (r#"{"status":{"valid":false}}"#, "it is not valid"),
            (r#"{"status":{"valid":true,"error":"old"}}"#, "old"),
            (r#"{"error":"lost"}"#, "lost"),
        ] {
            let error = read(database).unwrap_err().to_string();
            assert!(error.contains(&format!("its database cannot be used: {why}")), "{error}");
        }
    }
}
