//! One record in the format of OSV: <https://ossf.github.io/osv-schema/>. What matching does not need is passed over.

use serde::Deserialize;

use super::record::{Advisory, Event, Record, RecordError, is_name, is_withdrawn, normal_name};
use crate::model::audit::AdvisoryKind;
use crate::model::package::Ecosystem;
use crate::model::text::one_line;

#[derive(Deserialize)]
struct Osv {
    id: String,
    #[serde(default)]
    modified: String,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    #[serde(default)]
    severity: Option<Vec<Score>>,
    #[serde(default)]
    affected: Option<Vec<Affected>>,
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Score {
    score: String,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Named>,
    #[serde(default)]
    severity: Option<Vec<Score>>,
    #[serde(default)]
    ranges: Option<Vec<Range>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    database_specific: Option<Specific>,
    ecosystem_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Named {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

/// Databases put anything there; a word of another type is none.
#[derive(Deserialize, Default)]
struct Specific {
    severity: Option<serde_json::Value>,
    informational: Option<serde_json::Value>,
}

/// Reads one record.
///
/// # Errors
/// When it is malformed, or a range of a known ecosystem has no order and no list of versions beside it.
pub fn read(bytes: &[u8]) -> Result<Record, RecordError> {
    let osv: Osv = serde_json::from_slice(bytes)?;
    if !is_name(&osv.id) {
        return Err(RecordError::Id);
    }
    let vectors = scores(osv.severity.as_deref());
    let specific = osv.database_specific.unwrap_or_default();
    let rating = word(specific.severity.as_ref());
    let summary = osv.summary.or(osv.details).unwrap_or_default();
    let whole = Advisory {
        id: osv.id.clone(),
        aliases: osv.aliases.unwrap_or_default().into_iter().filter(|alias| is_name(alias)).collect(),
        summary: one_line(&summary, 200),
        ..Advisory::default()
    };
    let mut packages = Vec::new();
    for affected in osv.affected.unwrap_or_default() {
        let Some(package) = &affected.package else { continue };
        let Some(ecosystem) = Ecosystem::parse(&package.ecosystem) else { continue };
        if !is_name(&package.name) {
            return Err(RecordError::Id);
        }
        let name = normal_name(ecosystem, &package.name);
        let informational = [&affected.database_specific, &affected.ecosystem_specific]
            .into_iter()
            .flatten()
            .find_map(|specific| word(specific.informational.as_ref()))
            .or_else(|| word(specific.informational.as_ref()));
        let own_rating = [&affected.ecosystem_specific, &affected.database_specific]
            .into_iter()
            .flatten()
            .find_map(|specific| word(specific.severity.as_ref()));
        let versions = affected.versions.unwrap_or_default();
        let ranges = ordered(affected.ranges.unwrap_or_default(), ecosystem, &name, !versions.is_empty())?;
        let advisory = Advisory {
            kind: kind(&osv.id, informational.as_deref()),
            vectors: scores(affected.severity.as_deref()).into_iter().chain(vectors.iter().cloned()).collect(),
            rating: own_rating.or_else(|| rating.clone()),
            ranges,
            versions,
            ..whole.clone()
        };
        packages.push((ecosystem, name, advisory));
    }
    let withdrawn = is_withdrawn(osv.withdrawn.as_deref());
    Ok(Record { id: osv.id, modified: osv.modified, withdrawn, packages, vectors, rating })
}

/// What can be had of a record that [`read`] refuses and a service named for these packages (ecosystem, name, version): it
/// leaves them undecided. `None` where the text does not even say that it is the record `id`.
#[must_use]
pub fn unread(bytes: &[u8], id: &str, packages: &[(Ecosystem, String, String)]) -> Option<Record> {
    let text: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    if text["id"] != id || !is_name(id) {
        return None;
    }
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let words = |values: Vec<serde_json::Value>| values.iter().filter_map(|value| word(Some(value))).collect();
    let aliases: Vec<String> = words(list(&text["aliases"]));
    let vectors: Vec<String> = words(list(&text["severity"]).iter().map(|one| one["score"].clone()).collect());
    let rating = word(Some(&text["database_specific"]["severity"]));
    let summary = text["summary"].as_str().or_else(|| text["details"].as_str()).unwrap_or_default();
    let advisory = Advisory {
        id: id.to_owned(),
        aliases: aliases.into_iter().filter(|alias| is_name(alias)).collect(),
        summary: one_line(summary, 200),
        kind: kind(id, None),
        vectors: vectors.clone(),
        rating: rating.clone(),
        ..Advisory::default()
    };
    let packages = packages.iter().map(|(ecosystem, name, version)| {
        let advisory = Advisory { named_for: vec![version.clone()], ..advisory.clone() };
        (*ecosystem, normal_name(*ecosystem, name), advisory)
    });
    let modified = word(Some(&text["modified"])).unwrap_or_default();
    let withdrawn = is_withdrawn(text["withdrawn"].as_str());
    Some(Record { id: id.to_owned(), modified, withdrawn, packages: packages.collect(), vectors, rating })
}

/// Ranges over versions; those over commits (`GIT`) are passed over. One without an order or a beginning is left out where
/// the versions are listed as well.
fn ordered(ranges: Vec<Range>, ecosystem: Ecosystem, name: &str, listed: bool) -> Result<Vec<Vec<Event>>, RecordError> {
    let mut kept = Vec::new();
    for range in ranges.into_iter().filter(|range| range.kind != "GIT") {
        let begins = range.events.iter().any(|event| matches!(event, Event::Introduced(_)));
        match range.events.iter().find(|event| !event.is_ordered(ecosystem)) {
            None if begins => kept.push(range.events),
            _ if listed => {}
            None => return Err(RecordError::Range { package: name.to_owned() }),
            Some(event) => {
                return Err(RecordError::Version {
                    package: name.to_owned(),
                    version: one_line(event.version(), 60),
                    ecosystem,
                });
            }
        }
    }
    Ok(kept)
}

fn scores(scores: Option<&[Score]>) -> Vec<String> {
    scores.unwrap_or_default().iter().map(|score| score.score.clone()).collect()
}

fn word(value: Option<&serde_json::Value>) -> Option<String> {
    value?.as_str().map(str::to_owned)
}

/// What a record is about, by its name and RustSec's word for what is no vulnerability.
pub(super) fn kind(id: &str, informational: Option<&str>) -> AdvisoryKind {
    match informational {
        _ if id.starts_with("MAL-") => AdvisoryKind::Malware,
        Some("unmaintained") => AdvisoryKind::Unmaintained,
        Some("unsound") => AdvisoryKind::Unsound,
        Some(_) => AdvisoryKind::Notice,
        None => AdvisoryKind::Vulnerability,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_package_by_package() {
        let text = r#"{
            "id": "GHSA-1", "modified": "2026-01-02T03:04:05Z", "aliases": ["CVE-1"], "summary": "bad thing\nmore",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}],
            "database_specific": {"severity": "HIGH", "cwe_ids": []},
            "affected": [
                {"package": {"ecosystem": "PyPI", "name": "Foo.Bar"}, "ranges": [
                    {"type": "GIT", "repo": "x", "events": [{"introduced": "abc"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}]},
                {"package": {"ecosystem": "Debian:12", "name": "foo"}, "versions": ["1"]},
                {"package": {"ecosystem": "crates.io", "name": "foo"}, "versions": ["1.0.0"],
                 "database_specific": {"informational": "unsound"}}
            ]}"#;
        let record = read(text.as_bytes()).unwrap();
        assert_eq!(
            (record.id.as_str(), record.modified.as_str(), record.withdrawn),
            ("GHSA-1", "2026-01-02T03:04:05Z", false)
        );
        let [(pypi, name, python), (crates, _, rust)] = &record.packages[..] else { panic!("{record:?}") };
        assert_eq!((*pypi, name.as_str(), *crates), (Ecosystem::PyPi, "foo-bar", Ecosystem::CratesIo));
        assert_eq!(python.ranges, [[Event::Introduced("0".to_owned()), Event::Fixed("1.2".to_owned())]]);
        assert_eq!((python.summary.as_str(), python.rating.as_deref()), ("bad thing", Some("HIGH")));
        assert_eq!((rust.kind, python.kind), (AdvisoryKind::Unsound, AdvisoryKind::Vulnerability));
        assert_eq!(rust.versions, ["1.0.0"]);
    }

    #[test]
    fn what_cannot_be_matched_is_refused() {
        let with = |range: &str, versions: &str| {
            let text = format!(
                r#"{{"id":"X-1","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"ranges":[{range}],"versions":{versions}}}]}}"#
            );
            read(text.as_bytes())
        };
        let unordered = r#"{"type":"SEMVER","events":[{"introduced":"one"}]}"#;
        assert!(matches!(with(unordered, "[]"), Err(RecordError::Version { .. })));
        assert_eq!(with(unordered, r#"["1.0.0"]"#).unwrap().packages[0].2.ranges, Vec::<Vec<Event>>::new());
        assert!(matches!(with(r#"{"type":"SEMVER","events":[{"intro":"1"}]}"#, "[]"), Err(RecordError::Json(_))));
        for nowhere in [r#"{"type":"SEMVER","events":[{"fixed":"1.0.0"}]}"#, r#"{"type":"SEMVER","events":[]}"#] {
            assert!(matches!(with(nowhere, "[]"), Err(RecordError::Range { .. })), "{nowhere}");
            assert_eq!(with(nowhere, r#"["1.0.0"]"#).unwrap().packages[0].2.versions, ["1.0.0"]);
        }
        for text in ["", "[]", "{}", r#"{"id": 4}"#, r#"{"id": "a\nb"}"#, r#"{"id":"X","affected":{}}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let withdrawn = |when: serde_json::Value| {
            read(serde_json::json!({"id": "X", "withdrawn": when}).to_string().as_bytes()).unwrap().withdrawn
        };
        assert!(withdrawn("2026-01-01T00:00:00Z".into()) && !withdrawn("".into()) && !withdrawn(().into()));
    }

    #[test]
    fn what_cannot_be_read_is_undecided_for_what_it_was_named_for() {
        let text = r#"{"id": "GHSA-1", "aliases": ["CVE-1", 3], "summary": "bad", "severity": 7,
            "database_specific": {"severity": "HIGH"}, "affected": [{"package": {"ecosystem": "npm", "name": "Lodash"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21.1-sec"}]}]}]}"#;
        let packages = [(Ecosystem::Npm, "Lodash".to_owned(), "4.17.20".to_owned())];
        assert!(read(text.as_bytes()).is_err());
        let record = unread(text.as_bytes(), "GHSA-1", &packages).unwrap();
        let [(Ecosystem::Npm, name, advisory)] = &record.packages[..] else { panic!("{record:?}") };
        assert_eq!((name.as_str(), &advisory.named_for[..]), ("lodash", &["4.17.20".to_owned()][..]));
        assert_eq!((&advisory.aliases[..], record.rating.as_deref()), (&["CVE-1".to_owned()][..], Some("HIGH")));
        assert_eq!(unread(text.as_bytes(), "GHSA-2", &packages), None);
        for text in ["", "{}", "[]", "<html>GHSA-1</html>"] {
            assert_eq!(unread(text.as_bytes(), "GHSA-1", &packages), None, "{text}");
        }
    }
}
