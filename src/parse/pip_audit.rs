//! `pip-audit`: its JSON. It exits with 0 when the index did not know a package, and says so only in the report: what
//! could not be audited is an error here.

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::Finding;
use crate::parse::advisories::{Known, document, failed, has_keys, names};
use crate::parse::reading::count;
use crate::parse::{Empty, Format, ParseError, Reader, Stream, arrays};

pub(super) static FORMAT: Format = Format {
    name: "pip-audit",
    about: "pip-audit with `--format json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| {
        let of_first = arrays::keys_of_first(head).unwrap_or_default();
        let has = |wanted: &str| of_first.iter().any(|key| key == wanted);
        (has_keys(head, &["dependencies"]) && (has_keys(head, &["fixes"]) || names(head, "vulns")))
            || (has("name") && (has("vulns") || has("skip_reason")))
    },
    reader: Reader::Whole(parse),
};

/// pip-audit's own words.
const EDITABLE: &str = "distribution marked as editable";
const EXPECTED: &str = "a JSON report, as `pip-audit --format json` prints it";

#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Now {
        dependencies: Vec<Dependency>,
    },
    /// Up to 2.4.
    Before(Vec<Dependency>),
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    skip_reason: Option<String>,
    vulns: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default)]
    fix_versions: Vec<String>,
    description: Option<String>,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, mut notes) = document::<Report>(input, EXPECTED)?;
    let (Report::Now { dependencies } | Report::Before(dependencies)) = report;
    if dependencies.is_empty() {
        return Err(failed("pip-audit", "it audited nothing: the report names no dependency"));
    }
    let all = dependencies.len();
    let mut findings = Vec::new();
    let mut skipped = Vec::new();
    for dependency in dependencies {
        match (dependency.skip_reason, dependency.vulns, dependency.version) {
            (None, Some(vulnerabilities), Some(version)) => {
                findings.extend(vulnerabilities.into_iter().map(|found| found.finding(&dependency.name, &version)));
            }
            // Asked for with `--skip-editable`.
            (Some(reason), ..) if reason == EDITABLE => {
                notes.push(format!("{:?} was not audited: {reason}", dependency.name));
            }
            (reason, ..) => skipped.push(reason.unwrap_or(dependency.name)),
        }
    }
    if skipped.is_empty() {
        return Ok(Parsed { findings, notes, ..Parsed::default() });
    }
    let missing = format!("{} of {} not audited", skipped.len(), count(all, "dependency was", "dependencies were"));
    Err(failed("pip-audit", &format!("{missing}: {}", skipped.join("; "))))
}

impl Vulnerability {
    fn finding(self, package: &str, version: &str) -> Finding {
        let known = Known {
            help: Some(format!("https://osv.dev/vulnerability/{}", self.id)),
            id: self.id,
            package: package.to_owned(),
            version: version.to_owned(),
            title: self.description.unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
            fixed: self.fix_versions.join(", "),
            ..Known::default()
        };
        known.finding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_to_be_edited_is_excused() {
        let read = |reason: &str| {
            let skipped = format!(r#"{{"name":"b","skip_reason":"{reason}"}}"#);
            parse(format!(r#"{{"dependencies":[{{"name":"a","version":"1","vulns":[]}},{skipped}]}}"#).as_bytes())
        };
        assert_eq!(read(EDITABLE).unwrap().notes.len(), 1);
        assert!(read("Dependency not found on PyPI and could not be audited: my-editable-table (1.2)").is_err());
    }

    #[test]
    fn its_shapes_are_told_from_other_lists_of_packages() {
        let recognises = |text: &str| (FORMAT.recognises)(text.as_bytes());
        for own in [
            r#"{"dependencies":[{"name":"a","version":"1","vulns":[]}],"fixes":[]}"#,
            r#"{"dependencies":[{"name":"a","version":"1","vulns":[]}]}"#,
            r#"[{"name":"a","version":"1","vulns":[]}]"#,
            r#"[{"name":"a","skip_reason":"not on PyPI"}]"#,
        ] {
            assert!(recognises(own), "{own}");
        }
        for other in [
            r#"{"dependencies":[{"name":"a"}]}"#,
            r#"{"fixes":[],"vulns":[]}"#,
            r#"[{"name":"a","version":"1"}]"#,
            r#"[{"vulns":[]}]"#,
        ] {
            assert!(!recognises(other), "{other}");
        }
    }
}
