//! Which advisories are about a version of a package, and which records are one advisory in several databases.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::record::{Advisory, Event};
use super::version::Version;
use crate::model::audit::AdvisoryKind;
use crate::model::package::Ecosystem;

/// Whether an advisory is about a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affected {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It speaks of a range, and the version has no place in the order; or it was named for the version and cannot be read.
    Undecided,
    /// It does not say which versions it is about, or by commits alone.
    Untold,
}

/// Decides by the list of versions first, then by the ranges.
#[must_use]
pub fn affects(advisory: &Advisory, ecosystem: Ecosystem, text: &str, version: Option<&Version>) -> Affected {
    if !advisory.named_for.is_empty() {
        let is_named = advisory.named_for.iter().any(|named| named == text);
        return if is_named { Affected::Undecided } else { Affected::No };
    }
    let listed = advisory.versions.iter().any(|listed| {
        plain(listed) == plain(text)
            || version.zip(Version::parse(ecosystem, listed)).is_some_and(|(one, two)| one.order_to_named(&two).is_eq())
    });
    // What attacks and says nothing of versions does so in all of them.
    let all = advisory.kind == AdvisoryKind::Malware && advisory.ranges.is_empty() && advisory.versions.is_empty();
    if listed || all {
        return Affected::Yes;
    }
    if advisory.ranges.is_empty() && advisory.versions.is_empty() {
        return Affected::Untold;
    }
    match version {
        None if advisory.ranges.is_empty() => Affected::No,
        None => Affected::Undecided,
        Some(version) if advisory.ranges.iter().any(|range| is_in(range, ecosystem, version)) => Affected::Yes,
        Some(_) => Affected::No,
    }
}

fn plain(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

/// Walks the events in the order of their versions (<https://ossf.github.io/osv-schema/#evaluation>).
fn is_in(range: &[Event], ecosystem: Ecosystem, version: &Version) -> bool {
    let place = |event: &Event| match event {
        Event::Introduced(first) if first == "0" => None,
        event => Version::parse(ecosystem, event.version()),
    };
    let mut limits = range.iter().filter(|event| matches!(event, Event::Limit(_))).peekable();
    let below = |event: &Event| place(event).is_none_or(|limit| version.order_to_named(&limit).is_lt());
    if limits.peek().is_some() && !limits.any(below) {
        return false;
    }
    let mut events: Vec<(Option<Version>, &Event)> = range.iter().map(|event| (place(event), event)).collect();
    // Stable: of one version's events the order of the record holds.
    events.sort_by(|one, two| match (&one.0, &two.0) {
        (Some(one), Some(two)) => one.order(two),
        (one, two) => one.is_some().cmp(&two.is_some()),
    });
    let mut affected = false;
    for (place, event) in events {
        let order = place.map_or(Ordering::Greater, |place| version.order_to_named(&place));
        match event {
            Event::Introduced(_) if order.is_ge() => affected = true,
            Event::Fixed(_) if order.is_ge() => affected = false,
            Event::LastAffected(_) if order.is_gt() => affected = false,
            _ => {}
        }
    }
    affected
}

/// The first version after this one that no record of the group is about: of the same major version where there is
/// one, a release before a pre-release.
#[must_use]
pub fn fixed_in(group: &[&Advisory], ecosystem: Ecosystem, version: &Version) -> Option<String> {
    let events = group.iter().flat_map(|advisory| advisory.ranges.iter().flatten());
    let fixes = events.filter_map(|event| match event {
        Event::Fixed(text) => Some((Version::parse(ecosystem, text)?, text)),
        _ => None,
    });
    let is_good = |fix: &Version, text: &str| {
        fix.order(version).is_gt()
            && group.iter().all(|advisory| affects(advisory, ecosystem, text, Some(fix)) == Affected::No)
    };
    let good = fixes.filter(|(fix, text)| is_good(fix, text));
    let best = good.min_by(|(one, _), (two, _)| {
        let rank = |fix: &Version| (fix.major() != version.major(), fix.is_pre_release());
        rank(one).cmp(&rank(two)).then_with(|| one.order(two))
    });
    best.map(|(_, text)| text.clone())
}

/// Joins the records of different databases that name one another, or the same third one. Two records of one database
/// are two advisories, whatever they share. Within a group the database nearest to the ecosystem is first.
#[must_use]
pub fn groups(records: &[Advisory]) -> Vec<Vec<&Advisory>> {
    let mut sorted: Vec<&Advisory> = records.iter().collect();
    let by_database = |advisory: &&Advisory| (rank(database(&advisory.id)), advisory.id.clone());
    sorted.sort_by_key(by_database);
    let mut groups: Vec<Vec<&Advisory>> = Vec::new();
    for advisory in sorted {
        let mut joined = vec![advisory];
        let mut apart = Vec::new();
        for group in groups {
            if share_a_name(&group, &joined) && !share_a_database(&group, &joined) {
                joined.extend(group);
            } else {
                apart.push(group);
            }
        }
        joined.sort_by_key(by_database);
        apart.push(joined);
        groups = apart;
    }
    groups.sort_by_key(|group| group.first().map(by_database));
    groups
}

fn share_a_name(one: &[&Advisory], two: &[&Advisory]) -> bool {
    let names = |group: &[&Advisory]| -> BTreeSet<String> {
        group.iter().flat_map(|advisory| advisory.aliases.iter().chain([&advisory.id])).cloned().collect()
    };
    !names(one).is_disjoint(&names(two))
}

fn share_a_database(one: &[&Advisory], two: &[&Advisory]) -> bool {
    one.iter().any(|one| two.iter().any(|two| one.id != two.id && database(&one.id) == database(&two.id)))
}

fn database(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

fn rank(database: &str) -> u8 {
    match database {
        "MAL" => 0,
        "GHSA" => 2,
        "CVE" => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(events: &str) -> Vec<Event> {
        let event = |text: &str| {
            let (sign, version) = text.split_at(1);
            let version = version.to_owned();
            match sign {
                "+" => Event::Introduced(version),
                "-" => Event::Fixed(version),
                "=" => Event::LastAffected(version),
                _ => Event::Limit(version),
            }
        };
        events.split(' ').map(event).collect()
    }

    fn advisory(id: &str, aliases: &[&str], ranges: &[&str]) -> Advisory {
        Advisory {
            id: id.to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            ranges: ranges.iter().map(|events| range(events)).collect(),
            ..Advisory::default()
        }
    }

    fn hits(advisory: &Advisory, ecosystem: Ecosystem, versions: &str) -> String {
        let hit =
            |text: &&str| affects(advisory, ecosystem, text, Version::parse(ecosystem, text).as_ref()) == Affected::Yes;
        versions.split(' ').filter(hit).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ranges_are_walked_in_the_order_of_versions() {
        for (ranges, versions, hit) in [
            (&["+0 -1.2.0"][..], "0.0.1 1.1.9 1.2.0-rc.1 1.2.0 2.0.0", "0.0.1 1.1.9 1.2.0-rc.1"),
            (&["-1.2.0 +1.0.0"], "0.9.0 1.0.0 1.1.0 1.2.0", "1.0.0 1.1.0"),
            (&["+1.0.0 -1.2.0 +2.0.0 -2.3.0"], "1.1.0 1.5.0 2.0.0 2.3.0 3.0.0", "1.1.0 2.0.0"),
            (&["+1.0.0 =1.2.0"], "0.9.9 1.0.0 1.2.0 1.2.1", "1.0.0 1.2.0"),
            (&["+1.0.0 -2.0.0", "+3.0.0"], "1.5.0 2.5.0 3.0.0 9.0.0", "1.5.0 3.0.0 9.0.0"),
            (&["+0 <2.0.0 <1.0.0"], "0.1.0 1.5.0 2.0.0", "0.1.0 1.5.0"),
            (&["+0 <*"], "0.1.0 9.0.0", "0.1.0 9.0.0"),
            (&["+1.0.0 -1.0.0"], "0.1.0 1.0.0 2.0.0", ""),
            (&["+0 -1.0.0 +1.0.0 -2.0.0"], "0.5.0 1.0.0 2.0.0", "0.5.0 1.0.0"),
            (
                &["+0 -0.0.0-20200101000000-abcdefabcdef"],
                "0.0.0-20190101000000-abcdefabcdef 0.0.1",
                "0.0.0-20190101000000-abcdefabcdef",
            ),
        ] {
            assert_eq!(hits(&advisory("A-1", &[], ranges), Ecosystem::Go, versions), hit, "{ranges:?}");
        }
    }

    #[test]
    fn listed_versions_hit_by_name_or_by_order() {
        let listed = |versions: &[&str]| Advisory {
            versions: versions.iter().map(|&version| version.to_owned()).collect(),
            ..advisory("A-1", &[], &[])
        };
        assert_eq!(hits(&listed(&["1.0.0", "2004d"]), Ecosystem::PyPi, "1.0 1.0.1 2004d"), "1.0 2004d");
        assert_eq!(
            hits(&listed(&["v1.0.0", "dev-main"]), Ecosystem::Packagist, "1.0.0 dev-main dev-x"),
            "1.0.0 dev-main"
        );
        let ranged = advisory("A-1", &[], &["+0"]);
        assert_eq!(affects(&ranged, Ecosystem::Npm, "file:../x", None), Affected::Undecided);
        assert_eq!(affects(&listed(&["1.0.0"]), Ecosystem::Npm, "file:../x", None), Affected::No);
        for version in [None, Version::parse(Ecosystem::Npm, "1.0.0")] {
            let untold = affects(&advisory("A-1", &[], &[]), Ecosystem::Npm, "1.0.0", version.as_ref());
            assert_eq!(untold, Affected::Untold);
        }
        let malware = Advisory { kind: AdvisoryKind::Malware, ..advisory("MAL-1", &[], &[]) };
        assert_eq!(hits(&malware, Ecosystem::Npm, "1.0.0 file:../x"), "1.0.0 file:../x");
    }

    #[test]
    fn a_build_of_a_release_is_as_bad_as_the_release() {
        let hits = |advisory: &Advisory| hits(advisory, Ecosystem::PyPi, "2.7.1 2.7.1+cu128 2.7.1+cu129 2.7.2+cu128");
        assert_eq!(hits(&advisory("A-1", &[], &["+0 =2.7.1"])), "2.7.1 2.7.1+cu128 2.7.1+cu129");
        assert_eq!(hits(&advisory("A-1", &[], &["+2.7.1 -2.7.2"])), "2.7.1 2.7.1+cu128 2.7.1+cu129");
        assert_eq!(hits(&advisory("A-1", &[], &["+0 =2.7.1+cu128"])), "2.7.1 2.7.1+cu128");
        let listed = |version: &str| Advisory { versions: vec![version.to_owned()], ..advisory("A-1", &[], &[]) };
        assert_eq!(hits(&listed("2.7.1")), "2.7.1 2.7.1+cu128 2.7.1+cu129");
        assert_eq!(hits(&listed("2.7.1+cu128")), "2.7.1+cu128");
    }

    #[test]
    fn the_nearest_fix_is_in_the_same_major() {
        let one = advisory("A-1", &[], &["+0 -1.2.3", "+2.0.0-0 -2.1.0-rc.1 +2.1.0-rc.2 -2.1.0"]);
        let fix = |group: &[&Advisory], version: &str| {
            fixed_in(group, Ecosystem::CratesIo, &Version::parse(Ecosystem::CratesIo, version).unwrap())
        };
        assert_eq!(fix(&[&one], "1.0.0").as_deref(), Some("1.2.3"));
        assert_eq!(fix(&[&one], "2.0.0").as_deref(), Some("2.1.0"));
        assert_eq!(fix(&[&one], "0.5.0").as_deref(), Some("1.2.3"), "another major where there is no other");
        let other = advisory("B-1", &[], &["+0 -1.3.0"]);
        assert_eq!(fix(&[&one, &other], "1.0.0").as_deref(), Some("1.3.0"), "a fix must be one for every database");
        assert_eq!(fix(&[&advisory("C-1", &[], &["+0"])], "1.0.0"), None);
    }

    #[test]
    fn groups_join_databases_and_never_records_of_one() {
        let shown = |records: &[Advisory]| -> Vec<String> {
            let ids =
                |group: Vec<&Advisory>| group.iter().map(|record| record.id.as_str()).collect::<Vec<_>>().join("+");
            groups(records).into_iter().map(ids).collect()
        };
        let [a, b] = ["RUSTSEC-1", "RUSTSEC-2"].map(|id| advisory(id, &["CVE-1"], &[]));
        let ghsa = advisory("GHSA-1", &["CVE-1", "RUSTSEC-2"], &[]);
        assert_eq!(shown(&[ghsa.clone(), b.clone(), a.clone()]), ["RUSTSEC-1+GHSA-1", "RUSTSEC-2"]);
        assert_eq!(shown(&[advisory("PYSEC-1", &[], &[]), advisory("GHSA-2", &["PYSEC-1"], &[])]), ["PYSEC-1+GHSA-2"]);
        let bridge = [
            advisory("PYSEC-1", &["CVE-1"], &[]),
            advisory("OSV-2", &["CVE-2"], &[]),
            advisory("GHSA-1", &["CVE-1", "CVE-2"], &[]),
        ];
        assert_eq!(shown(&bridge), ["OSV-2+PYSEC-1+GHSA-1"]);
        assert_eq!(shown(&[a, advisory("GHSA-9", &["CVE-9"], &[])]), ["RUSTSEC-1", "GHSA-9"]);
    }
}
