//! What of an audit a change has added. A finding keeps its identity (package, advisory) through bumps of the version,
//! moves within the lockfile, and renames of it: whoever calls pairs the lockfiles.

use std::collections::{BTreeMap, BTreeSet};

use super::record::normal_name;
use crate::model::audit::{AuditFinding, Standing};
use crate::model::package::Ecosystem;

type Key = (Ecosystem, String, String);

fn key(finding: &AuditFinding) -> Key {
    (finding.ecosystem, normal_name(finding.ecosystem, &finding.package), finding.advisory.clone())
}

/// Gives each finding of a lockfile its standing against those of the same lockfile in the base, and adds those that
/// are gone. Both sides were held against one database.
pub fn compare(head: &mut Vec<AuditFinding>, base: Vec<AuditFinding>) {
    let mut old: BTreeMap<Key, Vec<AuditFinding>> = BTreeMap::new();
    for finding in base {
        old.entry(key(&finding)).or_default().push(finding);
    }
    let mut versions: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for finding in &*head {
        versions.entry(key(finding)).or_default().insert(finding.version.clone());
    }
    let added: BTreeMap<Key, Vec<String>> =
        versions.into_iter().map(|(key, versions)| (key.clone(), added(&versions, old.get(&key)))).collect();
    for finding in head.iter_mut() {
        let key = key(finding);
        let more = added.get(&key).is_some_and(|added| added.contains(&finding.version));
        finding.standing = Some(match old.get(&key) {
            None => Standing::New,
            Some(_) if more => Standing::Worsened,
            Some(before) if is_worse(finding, before) => Standing::Worsened,
            Some(_) => Standing::Unchanged,
        });
    }
    let still: BTreeSet<Key> = head.iter().map(key).collect();
    let gone = old.into_iter().filter(|(key, _)| !still.contains(key)).flat_map(|(_, findings)| findings);
    head.extend(gone.map(|finding| AuditFinding { standing: Some(Standing::Fixed), line: 0, ..finding }));
}

/// Versions beyond as many as the base had: a version that took the place of another is none of them.
fn added(versions: &BTreeSet<String>, before: Option<&Vec<AuditFinding>>) -> Vec<String> {
    let before: BTreeSet<&String> = before.into_iter().flatten().map(|finding| &finding.version).collect();
    let more = versions.len().saturating_sub(before.len());
    let other = versions.iter().filter(|version| !before.contains(version));
    other.rev().take(more).cloned().collect()
}

fn is_worse(finding: &AuditFinding, before: &[AuditFinding]) -> bool {
    let was_dev = before.iter().all(|finding| finding.dev);
    let severity = before.iter().map(|finding| finding.severity).max().flatten();
    let was_undecided = before.iter().all(|finding| finding.undecided);
    (was_dev && !finding.dev) || (was_undecided && !finding.undecided) || finding.severity > severity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::{AdvisoryKind, Severity};

    fn finding(package: &str, version: &str, advisory: &str) -> AuditFinding {
        AuditFinding {
            advisory: advisory.to_owned(),
            aliases: Vec::new(),
            summary: String::new(),
            ecosystem: Ecosystem::PyPi,
            package: package.to_owned(),
            version: version.to_owned(),
            severity: Some(Severity::Medium),
            score: None,
            score_source: None,
            kind: AdvisoryKind::Vulnerability,
            fixed_in: None,
            standing: None,
            ignored: None,
            expired: None,
            dev: false,
            undecided: false,
            remedy: None,
            blocking: false,
            path: Vec::new(),
            lockfile: "x".to_owned(),
            line: 7,
        }
    }

    fn standings(mut head: Vec<AuditFinding>, base: Vec<AuditFinding>) -> Vec<(String, Standing)> {
        compare(&mut head, base);
        head.into_iter()
            .map(|finding| (format!("{} {}", finding.package, finding.version), finding.standing.unwrap()))
            .collect()
    }

    #[test]
    fn bumps_and_spellings_change_nothing() {
        let told = standings(
            vec![finding("Foo.Bar", "1.1", "A-1"), finding("foo-bar", "1.1", "A-2")],
            vec![finding("foo_bar", "1.0", "A-1"), finding("gone", "1.0", "A-3")],
        );
        let expected =
            [("Foo.Bar 1.1", Standing::Unchanged), ("foo-bar 1.1", Standing::New), ("gone 1.0", Standing::Fixed)];
        assert_eq!(told, expected.map(|(name, standing)| (name.to_owned(), standing)));
    }

    #[test]
    fn more_versions_more_use_more_severity_and_certainty_are_worse() {
        let told = standings(
            vec![finding("a", "1", "A-1"), finding("a", "2", "A-1"), finding("a", "3", "A-1")],
            vec![finding("a", "1", "A-1"), finding("a", "1.5", "A-1")],
        );
        let standing = |told: &[(String, Standing)]| told.iter().map(|(_, standing)| *standing).collect::<Vec<_>>();
        assert_eq!(standing(&told), [Standing::Unchanged, Standing::Unchanged, Standing::Worsened]);
        let dev = AuditFinding { dev: true, ..finding("a", "1", "A-1") };
        assert_eq!(standing(&standings(vec![finding("a", "1", "A-1")], vec![dev.clone()])), [Standing::Worsened]);
        assert_eq!(standing(&standings(vec![dev], vec![finding("a", "1", "A-1")])), [Standing::Unchanged]);
        let undecided = AuditFinding { undecided: true, ..finding("a", "main", "A-1") };
        assert_eq!(standing(&standings(vec![finding("a", "1", "A-1")], vec![undecided.clone()])), [Standing::Worsened]);
        assert_eq!(standing(&standings(vec![undecided], vec![finding("a", "1", "A-1")])), [Standing::Unchanged]);
        let unscored = AuditFinding { severity: None, ..finding("a", "1", "A-1") };
        assert_eq!(standing(&standings(vec![finding("a", "1", "A-1")], vec![unscored])), [Standing::Worsened]);
    }
}
