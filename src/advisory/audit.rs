//! Holds packages against databases: which advisories are about them, how bad they are, and what mends them.

use std::collections::BTreeSet;

use super::index::Index;
use super::matching::{Affected, affects, fixed_in, groups};
use super::record::Advisory;
use super::remedy::remedy;
use super::severity;
use super::version::Version;
use crate::model::audit::{AdvisoryKind, AuditFinding};
use crate::model::package::Package;

/// Holds the packages of the lockfile `path` against all databases together: what was found, worst first.
#[must_use]
pub fn hold(path: &str, packages: &[Package], databases: &[Index]) -> Vec<AuditFinding> {
    let mut findings = Vec::new();
    for package in packages {
        let known = |index: &Index| index.of_package(package.ecosystem, &package.name);
        let advisories: Vec<Advisory> = databases.iter().flat_map(known).collect();
        if advisories.is_empty() {
            continue;
        }
        let version = Version::parse(package.ecosystem, &package.version);
        for group in groups(&advisories) {
            let verdict =
                |advisory: &Advisory| affects(advisory, package.ecosystem, &package.version, version.as_ref());
            let is = |wanted: Affected| -> Vec<&Advisory> {
                group.iter().copied().filter(|advisory| verdict(advisory) == wanted).collect()
            };
            let mut about = is(Affected::Yes);
            let undecided = about.is_empty();
            if undecided {
                about = is(Affected::Undecided);
            }
            // Where another record of the advisory names versions, that one decides.
            if about.is_empty() && group.iter().all(|record| verdict(record) == Affected::Untold) {
                about.clone_from(&group);
            }
            if !about.is_empty() {
                let found = finding(path, package, version.as_ref(), &group, &about, databases);
                findings.push(AuditFinding { undecided, ..found });
            }
        }
    }
    let worst_first = |finding: &AuditFinding| {
        (std::cmp::Reverse((finding.kind == AdvisoryKind::Malware, finding.severity)), finding.package.clone())
    };
    findings.sort_by_cached_key(worst_first);
    findings
}

/// `group` are all records of the advisory, `about` those that speak of this version.
fn finding(
    path: &str,
    package: &Package,
    version: Option<&Version>,
    group: &[&Advisory],
    about: &[&Advisory],
    databases: &[Index],
) -> AuditFinding {
    let mut names: BTreeSet<&str> =
        group.iter().flat_map(|advisory| advisory.aliases.iter().chain([&advisory.id])).map(String::as_str).collect();
    // The first of all, not of those that match: the name stays the same over versions.
    let first = group[0];
    names.remove(first.id.as_str());
    let lent: Vec<_> =
        names.iter().filter_map(|name| databases.iter().find_map(|index| index.severity(name))).collect();
    let same: Vec<&Advisory> = group.iter().copied().filter(|advisory| advisory.id == first.id).collect();
    let rated = severity::of(&same, &lent);
    let fixed_in = version.and_then(|version| fixed_in(group, package.ecosystem, version));
    let summary = about.iter().chain(group).map(|advisory| &advisory.summary).find(|summary| !summary.is_empty());
    AuditFinding {
        aliases: names.into_iter().map(str::to_owned).collect(),
        summary: summary.cloned().unwrap_or_default(),
        severity: rated.map(|rated| rated.severity),
        score: rated.and_then(|rated| rated.score),
        score_source: rated.map(|rated| rated.source),
        kind: about.iter().map(|advisory| advisory.kind).max().unwrap_or_default(),
        ..unjudged(path, package, &first.id, fixed_in)
    }
}

/// What is said of a package in the lockfile at `path`, before anything is known of the advisory but its name.
pub(super) fn unjudged(path: &str, package: &Package, advisory: &str, fixed_in: Option<String>) -> AuditFinding {
    AuditFinding {
        advisory: advisory.to_owned(),
        aliases: Vec::new(),
        summary: String::new(),
        ecosystem: package.ecosystem,
        package: package.name.clone(),
        version: package.version.clone(),
        severity: None,
        score: None,
        score_source: None,
        kind: AdvisoryKind::default(),
        remedy: fixed_in.as_deref().and_then(|fixed| remedy(path, package, fixed)),
        fixed_in,
        standing: None,
        ignored: None,
        expired: None,
        dev: package.dev,
        undecided: false,
        path: package.path.names(),
        lockfile: path.to_owned(),
        line: package.line,
        blocking: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::index::Builder;
    use crate::advisory::osv;
    use crate::model::audit::{ScoreSource, Severity};
    use crate::model::package::{Ecosystem, Way};

    fn database(records: &[&str]) -> Index {
        let mut builder = Builder::default();
        for record in records {
            builder.add(osv::read(record.as_bytes()).unwrap(), "9999");
        }
        builder.finish(String::new(), String::new())
    }

    fn package(name: &str, version: &str) -> Package {
        Package {
            ecosystem: Ecosystem::CratesIo,
            name: name.to_owned(),
            version: version.to_owned(),
            dev: false,
            direct: None,
            line: 7,
            path: Way::default(),
        }
    }

    const NATIVE: &str = r#"{"id":"RUSTSEC-1","aliases":["CVE-1"],"summary":"a","affected":[
        {"package":{"ecosystem":"crates.io","name":"time"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.2.23"}]}]}]}"#;
    const ALIAS: &str = r#"{"id":"GHSA-1","aliases":["CVE-1"],"summary":"b","database_specific":{"severity":"CRITICAL"},"affected":[
        {"package":{"ecosystem":"crates.io","name":"time"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.2.24"}]}]}]}"#;
    const WITHDRAWN: &str = r#"{"id":"RUSTSEC-2","withdrawn":"2026-01-01T00:00:00Z","affected":[
        {"package":{"ecosystem":"crates.io","name":"time"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;

    #[test]
    fn one_advisory_of_two_databases_is_one_finding() {
        let databases = [database(&[NATIVE, WITHDRAWN]), database(&[ALIAS])];
        let held = hold("Cargo.lock", &[package("time", "0.1.40"), package("other", "1.0.0")], &databases);
        let [finding] = &held[..] else { panic!("{held:?}") };
        assert_eq!((finding.advisory.as_str(), finding.aliases.join(" ").as_str()), ("RUSTSEC-1", "CVE-1 GHSA-1"));
        assert_eq!((finding.severity, finding.score_source), (Some(Severity::Critical), Some(ScoreSource::Alias)));
        assert_eq!((finding.fixed_in.as_deref(), finding.summary.as_str()), (Some("0.2.24"), "a"));
        assert_eq!(finding.remedy, None, "nobody knows what asks for the old major version");
        let between = hold("Cargo.lock", &[package("time", "0.2.23")], &databases);
        assert_eq!((between[0].advisory.as_str(), between[0].summary.as_str()), ("RUSTSEC-1", "b"));
        assert_eq!(hold("Cargo.lock", &[package("time", "0.2.24")], &databases), []);
    }

    #[test]
    fn an_advisory_that_names_commits_alone_is_decided_by_another_database_or_not_at_all() {
        let commits = r#"{"id":"OSV-1","aliases":["CVE-1"],"affected":[{"package":{"ecosystem":"crates.io","name":"time"},
            "ranges":[{"type":"GIT","repo":"x","events":[{"introduced":"0"},{"fixed":"abc"}]}]}]}"#;
        let held = |records: &[&str], version| {
            let found = hold("Cargo.lock", &[package("time", version)], &[database(records)]);
            found.into_iter().map(|finding| (finding.advisory, finding.undecided)).collect::<Vec<_>>()
        };
        assert_eq!(held(&[commits], "1.0.0"), [("OSV-1".to_owned(), true)]);
        assert_eq!(held(&[commits, NATIVE], "1.0.0"), []);
        assert_eq!(held(&[commits, NATIVE], "0.1.0"), [("OSV-1".to_owned(), false)], "under the name of both");
        let listed = commits.replace("\"ranges\"", "\"versions\":[\"1.0.0\"],\"ranges\"");
        assert_eq!(held(&[&listed], "1.0.0"), [("OSV-1".to_owned(), false)]);
        assert_eq!(held(&[&listed], "1.0.1"), []);
    }

    #[test]
    fn a_version_without_an_order_is_not_called_clean() {
        let held = hold("Cargo.lock", &[package("time", "main"), package("other", "main")], &[database(&[NATIVE])]);
        let [finding] = &held[..] else { panic!("{held:?}") };
        assert!(finding.undecided && finding.fixed_in.is_none());
    }
}
