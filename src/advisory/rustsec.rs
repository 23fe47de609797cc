//! One record in RustSec's own format, a block of TOML before Markdown:
//! <https://github.com/RustSec/advisory-db/blob/main/README.md#advisory-format>.

use semver::{Op, Prerelease, Version, VersionReq};
use serde::Deserialize;

use super::osv::kind;
use super::record::{Advisory, Event, Record, RecordError, is_name, is_withdrawn, normal_name};
use crate::model::package::Ecosystem;
use crate::model::text::one_line;

#[derive(Deserialize)]
struct File {
    advisory: Front,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Front {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    aliases: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Versions {
    patched: Vec<String>,
    unaffected: Vec<String>,
}

/// Reads one record; `rust` says that it is about what comes with Rust, not about a crate.
///
/// # Errors
/// When it is malformed.
pub fn read(bytes: &[u8], rust: bool) -> Result<Record, RecordError> {
    let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Encoding)?.replace("\r\n", "\n");
    let (front, body) =
        text.strip_prefix("```toml\n").and_then(|rest| rest.split_once("\n```")).ok_or(RecordError::FrontMatter)?;
    let File { advisory, versions } = toml::from_str(front)?;
    if !is_name(&advisory.id) || !is_name(&advisory.package) {
        return Err(RecordError::Id);
    }
    let title = body.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    let package = Advisory {
        id: advisory.id.clone(),
        aliases: advisory.aliases.into_iter().filter(|alias| is_name(alias)).collect(),
        summary: one_line(title, 200),
        kind: kind(&advisory.id, advisory.informational.as_deref()),
        vectors: advisory.cvss.clone().into_iter().collect(),
        rating: None,
        ranges: affected(&versions)?,
        versions: Vec::new(),
        named_for: Vec::new(),
    };
    let name = normal_name(Ecosystem::CratesIo, &advisory.package);
    Ok(Record {
        id: advisory.id,
        modified: advisory.date,
        withdrawn: is_withdrawn(advisory.withdrawn.as_deref()),
        packages: if rust { Vec::new() } else { vec![(Ecosystem::CratesIo, name, package)] },
        vectors: advisory.cvss.into_iter().collect(),
        rating: None,
    })
}

/// Versions from the first on, up to and without the second; `None` has no end.
type Interval = (Version, Option<Version>);

/// RustSec names what is not affected; what lies between is.
fn affected(versions: &Versions) -> Result<Vec<Vec<Event>>, RecordError> {
    let written = versions.patched.iter().chain(&versions.unaffected);
    let mut good: Vec<Interval> = written.map(|text| interval(text)).collect::<Result<_, _>>()?;
    good.sort_by(|one, two| one.0.cmp_precedence(&two.0));
    let mut events = vec![Event::Introduced("0".to_owned())];
    let mut covered: Option<Version> = None;
    for (from, to) in good {
        if covered.as_ref().is_some_and(|covered| from.cmp_precedence(covered).is_lt()) {
            return Err(RecordError::Requirement(from.to_string()));
        }
        events.push(Event::Fixed(from.to_string()));
        let Some(to) = to else { return Ok(vec![events]) };
        events.push(Event::Introduced(to.to_string()));
        covered = Some(to);
    }
    Ok(vec![events])
}

/// A requirement as an interval of the whole order, where `>= 1.2.3` takes in pre-releases of what follows.
fn interval(text: &str) -> Result<Interval, RecordError> {
    let wrong = || RecordError::Requirement(one_line(text, 60));
    let requirement = VersionReq::parse(text).map_err(|_| wrong())?;
    let mut from = None;
    let mut to = None;
    for part in &requirement.comparators {
        let version = Version {
            pre: part.pre.clone(),
            ..Version::new(part.major, part.minor.unwrap_or_default(), part.patch.unwrap_or_default())
        };
        let (low, high) = match part.op {
            Op::Greater => (Some(first_above(part, &version)), None),
            Op::GreaterEq => (Some(version), None),
            Op::Less => (None, Some(version)),
            Op::LessEq => (None, Some(just_after(&version))),
            Op::Exact => (Some(version.clone()), Some(just_after(&version))),
            Op::Caret | Op::Tilde => {
                let end = compatible_end(part);
                (Some(version), Some(end))
            }
            _ => return Err(wrong()),
        };
        if (low.is_some() && from.is_some()) || (high.is_some() && to.is_some()) {
            return Err(wrong());
        }
        from = from.or(low);
        to = to.or(high);
    }
    let begins = from.is_some();
    let from = from.unwrap_or_else(|| lowest(Version::new(0, 0, 0)));
    // `< 0.0.0-0` is no version, and no contradiction.
    if to.as_ref().is_some_and(|to| to.cmp_precedence(&from).is_le() && begins) {
        return Err(wrong());
    }
    Ok((from, to))
}

/// The first version that `^` and `~` do not take, its pre-releases included.
fn compatible_end(part: &semver::Comparator) -> Version {
    let (major, minor) = (part.major, part.minor.unwrap_or_default());
    lowest(match (part.op, part.major, part.minor, part.patch) {
        (Op::Caret, 0, Some(0), Some(patch)) => Version::new(0, 0, patch + 1),
        (Op::Caret, 0, Some(_), _) | (Op::Tilde, _, Some(_), _) => Version::new(major, minor + 1, 0),
        _ => Version::new(major + 1, 0, 0),
    })
}

/// The lowest pre-release of a version.
fn lowest(version: Version) -> Version {
    Version { pre: Prerelease::new("0").unwrap_or_default(), ..version }
}

/// The next version in the whole order (<https://semver.org/#spec-item-11>).
fn just_after(version: &Version) -> Version {
    if version.pre.is_empty() {
        return lowest(Version::new(version.major, version.minor, version.patch + 1));
    }
    let longer = Prerelease::new(&format!("{}.0", version.pre)).unwrap_or_default();
    Version { pre: longer, ..version.clone() }
}

/// The first version that `>` takes: behind every one that begins with what is written. Other tools take `1.2` for `1.2.0`
/// here too; of two readings the one counts that calls less good.
fn first_above(part: &semver::Comparator, version: &Version) -> Version {
    match (part.minor, part.patch) {
        (Some(_), Some(_)) => just_after(version),
        (Some(minor), None) => lowest(Version::new(part.major, minor + 1, 0)),
        (None, _) => lowest(Version::new(part.major + 1, 0, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::AdvisoryKind;

    fn record(versions: &str) -> Result<Record, RecordError> {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"2020-11-18\"\n\
             aliases = [\"CVE-2020-26235\"]\ninformational = \"unsound\"\n[versions]\n{versions}\n```\n\n# A title\n\ntext\n"
        );
        read(text.as_bytes(), false)
    }

    fn shown(versions: &str) -> String {
        let record = record(versions).unwrap();
        let [range] = &record.packages[0].2.ranges[..] else { panic!() };
        let event = |event: &Event| match event {
            Event::Introduced(version) => format!("+{version}"),
            other => format!("-{}", other.version()),
        };
        range.iter().map(event).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_not_affected_leaves_what_is() {
        for (versions, events) in [
            ("patched = []", "+0"),
            ("patched = [\">= 0.2.23\"]", "+0 -0.2.23"),
            (
                "patched = [\"^0.2.5\", \">= 1.1\"]\nunaffected = [\"< 0.1.0\"]",
                "+0 -0.0.0-0 +0.1.0 -0.2.5 +0.3.0-0 -1.1.0",
            ),
            ("patched = [\">= 1.2.3, < 2.0.0\", \"> 2.1.0-rc\"]", "+0 -1.2.3 +2.0.0 -2.1.0-rc.0"),
            ("patched = []\nunaffected = [\"= 1.0.0\", \"<= 0.5.0\"]", "+0 -0.0.0-0 +0.5.1-0 -1.0.0 +1.0.1-0"),
            ("patched = [\"< 0.0.0-0\", \">= 1\"]", "+0 -0.0.0-0 +0.0.0-0 -1.0.0"),
            ("patched = [\"~1.4\", \"^0.0.3\"]", "+0 -0.0.3 +0.0.4-0 -1.4.0 +1.5.0-0"),
            ("patched = [\"> 1.2\"]", "+0 -1.3.0-0"),
            ("patched = [\"> 1\"]\nunaffected = [\"= 0.3\"]", "+0 -0.3.0 +0.3.1-0 -2.0.0-0"),
        ] {
            assert_eq!(shown(versions), events, "{versions}");
        }
        let good = record("patched = [\"> 1\"]").unwrap();
        let advisory = &good.packages[0].2;
        assert_eq!((advisory.summary.as_str(), advisory.kind), ("A title", AdvisoryKind::Unsound));
        assert_eq!((good.modified.as_str(), &advisory.aliases[..]), ("2020-11-18", &["CVE-2020-26235".to_owned()][..]));
    }

    #[test]
    fn contradictions_and_broken_files_are_refused() {
        for versions in [
            "patched = [\"one\"]",
            "patched = [\">= 2, < 1\"]",
            "patched = [\">= 1, >= 2\"]",
            "patched = [\"^1\", \"< 1.5\"]",
            "patched = 4",
        ] {
            assert!(record(versions).is_err(), "{versions}");
        }
        for text in ["", "# title", "```toml\nx = 1\n```\n", "```toml\n[advisory]\nid = \"\"\n"] {
            assert!(read(text.as_bytes(), false).is_err(), "{text}");
        }
    }
}
