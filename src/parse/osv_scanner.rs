//! `osv-scanner`: its JSON. It does not say how many packages were looked up, nor in which database: a report without
//! results is clean only as far as osv-scanner's exit status is.

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::{Finding, Level};
use crate::parse::advisories::{Known, document, severity_of, without};
use crate::parse::{Empty, Format, ParseError, Reader, Stream, json};

pub(super) static FORMAT: Format = Format {
    name: "osv-scanner",
    about: "OSV-Scanner with `--format json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Whole(parse),
};

const EXPECTED: &str = "a JSON report, as `osv-scanner --format json` prints it";

/// Many tools have `results`; these are all the keys of osv-scanner's.
fn recognises(head: &[u8]) -> bool {
    let keys = json::keys(head);
    let own = |key: &String| {
        ["results", "experimental_config", "experimental_generic_findings", "image_metadata", "license_summary"]
            .contains(&key.as_str())
    };
    keys.iter().any(|key| key == "results") && keys.iter().all(own)
}

#[derive(Deserialize)]
struct Report {
    results: Option<Vec<Source>>,
}

#[derive(Deserialize)]
struct Source {
    source: Place,
    /// It may be null and not missing.
    #[serde(deserialize_with = "Deserialize::deserialize")]
    packages: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
}

#[derive(Deserialize)]
struct Listed {
    package: Package,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
    /// Records of several databases that speak of the same.
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    license_violations: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
struct Group {
    ids: Vec<String>,
    max_severity: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    summary: Option<String>,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    fixed: Option<String>,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (report, mut notes) = document::<Report>(input, EXPECTED)?;
    let results = report.results.ok_or_else(|| without(EXPECTED, "results"))?;
    if results.is_empty() {
        notes.push("the report names no file: it does not tell what was scanned".to_owned());
    }
    let findings = results.into_iter().flat_map(Source::findings).collect();
    Ok(Parsed { findings, notes, ..Parsed::default() })
}

impl Source {
    fn findings(self) -> Vec<Finding> {
        let path = &self.source.path;
        self.packages.unwrap_or_default().into_iter().flat_map(|listed| listed.findings(path)).collect()
    }
}

impl Listed {
    fn findings(self, path: &str) -> Vec<Finding> {
        let known = |id: &str, title: String, severity: &str, fixed: String| Known {
            id: id.to_owned(),
            package: self.package.name.clone(),
            version: self.package.version.clone(),
            title,
            severity: severity.to_owned(),
            fixed,
            path: Some(path.to_owned()),
            ..Known::default()
        };
        // Without groups, every record stands for itself.
        let grouped = |id: &str| self.groups.iter().any(|group| group.ids.iter().any(|known| known == id));
        let alone = self.vulnerabilities.iter().map(|record| &record.id).filter(|id| !grouped(id));
        let alone = alone.map(|id| (vec![id.clone()], None));
        let groups = self.groups.iter().map(|group| (group.ids.clone(), group.max_severity.clone()));
        let advisories = groups.chain(alone).filter_map(|(ids, score)| {
            let id = ids.first()?;
            let record = self.vulnerabilities.iter().find(|record| ids.contains(&record.id));
            let title = record.and_then(|record| record.summary.clone()).unwrap_or_default();
            let fixed = record.map(|record| record.fixed(&self.package.name)).unwrap_or_default();
            let help = Some(format!("https://osv.dev/{id}"));
            Some(Known { help, ..known(id, title, severity_of(&score.unwrap_or_default()), fixed) }.finding())
        });
        let licences = self.license_violations.iter().map(|licence| {
            let title = format!("its licence {licence} is not allowed");
            Finding { level: Level::Error, ..known("licence", title, "", String::new()).finding() }
        });
        advisories.chain(licences).collect()
    }
}

impl Vulnerability {
    fn fixed(&self, package: &str) -> String {
        let of_package = |affected: &&Affected| affected.package.as_ref().is_some_and(|named| named.name == package);
        let ranges = self.affected.iter().filter(of_package).flat_map(|affected| &affected.ranges);
        let mut versions: Vec<&str> =
            ranges.flat_map(|range| &range.events).filter_map(|event| event.fixed.as_deref()).collect();
        versions.dedup();
        versions.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_among_its_own_keys_tell_it() {
        for own in [r#"{"results":[]}"#, r#"{"results":[],"experimental_config":{},"image_metadata":{}}"#] {
            assert!(recognises(own.as_bytes()), "{own}");
        }
        for other in [r#"{"results":[],"metrics":{}}"#, r#"{"experimental_config":{}}"#, "{}", "[]", ""] {
            assert!(!recognises(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_was_scanned_has_packages() {
        let read =
            |packages: &str| parse(format!(r#"{{"results":[{{"source":{{"path":"a"}}{packages}}}]}}"#).as_bytes());
        assert!(read(r#","packages":[]"#).is_ok() && read(r#","packages":null"#).is_ok());
        assert!(read("").is_err() && read(r#","other":[]"#).is_err());
    }

    #[test]
    fn a_record_of_any_group_does_not_stand_alone() {
        let report = r#"{"results":[{"source":{"path":"Cargo.lock"},"packages":[{"package":{"name":"p","version":"1.0.0"},
            "vulnerabilities":[{"id":"A-1"},{"id":"A-2"},{"id":"A-3"}],"groups":[{"ids":["A-1"]},{"ids":["A-2"]}]}]}]}"#;
        let rules: Vec<_> = parse(report.as_bytes()).unwrap().findings.into_iter().filter_map(|one| one.rule).collect();
        assert_eq!(rules, ["A-1", "A-2", "A-3"]);
    }
}
