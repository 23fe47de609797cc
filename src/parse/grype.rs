//! `grype`: its JSON. A report made with a broken database says so, and is an error.

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Known, document, failed, has_keys, names, without};
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
    Ok(Parsed { findings: matches.into_iter().map(Match::finding).collect(), notes, ..Parsed::default() })
}

impl Match {
    fn finding(self) -> Finding {
        let Self { vulnerability, artifact } = self;
        // Paths begin at the folder that was scanned.
        let path = artifact.locations.into_iter().next().map(|place| place.path.trim_start_matches('/').to_owned());
        let known = Known {
            id: vulnerability.id,
            package: artifact.name,
            version: artifact.version,
            title: vulnerability.description.lines().next().unwrap_or_default().to_owned(),
            severity: vulnerability.severity,
            fixed: vulnerability.fix.and_then(|fix| fix.versions).unwrap_or_default().join(", "),
            path,
            help: vulnerability.data_source,
            ..Known::default()
        };
        known.finding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
