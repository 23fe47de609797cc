//! Which releases their authors took back, by what cargo keeps of its registry's index. Pure: `world::cargo_index` brings the
//! bytes. No advisory tells of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::audit::unjudged;
use super::version::Version;
use crate::model::audit::{AdvisoryKind, AuditFinding};
use crate::model::package::{Ecosystem, Package};

/// The name of what was found, for `ignore` too: there is no advisory of its own.
pub const NAME: &str = "yanked";

/// The layout of cargo's cache that is read here (`CURRENT_CACHE_VERSION` of cargo since 1.67).
const LAYOUT: u8 = 3;

/// The releases of one crate by version, and whether each was taken back.
pub type Releases = BTreeMap<String, bool>;

#[derive(Deserialize)]
struct Release {
    vers: String,
    #[serde(default)]
    yanked: bool,
}

/// Where the index keeps a crate, relative to its folder
/// (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>); `None` for what is no crate's name.
#[must_use]
pub fn place(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return None;
    }
    match name.len() {
        0 => None,
        1 | 2 => Some(format!("{}/{name}", name.len())),
        3 => Some(format!("3/{}/{name}", &name[..1])),
        _ => Some(format!("{}/{}/{name}", &name[..2], &name[2..4])),
    }
}

/// Reads a crate's file of cargo's cache: a header, the index's own version, then version and JSON of each release, each
/// ended by a zero byte. `None` where it is not laid out so.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Releases> {
    let rest = bytes.strip_prefix(&[LAYOUT])?.get(4..)?;
    let parts = rest.strip_suffix(&[0])?.split(|byte| *byte == 0).skip(1);
    let json: Vec<&[u8]> = parts.skip(1).step_by(2).collect();
    let release = |json: &&[u8]| serde_json::from_slice::<Release>(json).ok();
    json.iter().map(release).map(|release| release.map(|release| (release.vers, release.yanked))).collect()
}

/// What was found of a lockfile's crates.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Those that were taken back.
    pub findings: Vec<AuditFinding>,
    /// Those of which nothing is known.
    pub unknown: Vec<&'a Package>,
}

/// Looks up every crate of the lockfile `path` among those that are known, by name.
#[must_use]
pub fn find<'a>(path: &str, packages: &'a [Package], known: &BTreeMap<String, Releases>) -> Found<'a> {
    let mut found = Found::default();
    for package in packages.iter().filter(|package| package.ecosystem == Ecosystem::CratesIo) {
        match known.get(&package.name).map(|all| (all, all.get(&package.version))) {
            Some((all, Some(true))) => found.findings.push(finding(path, package, all)),
            Some((_, Some(false))) => {}
            _ => found.unknown.push(package),
        }
    }
    found
}

fn finding(path: &str, package: &Package, all: &Releases) -> AuditFinding {
    let fixed_in = next(package, all);
    AuditFinding {
        summary: "its authors took this release back".to_owned(),
        kind: AdvisoryKind::Yanked,
        ..unjudged(path, package, NAME, fixed_in)
    }
}

/// The newest release that may stand in for it: not taken back, no pre-release, of the same major version, and newer.
fn next(package: &Package, all: &Releases) -> Option<String> {
    let version = |text: &str| Version::parse(package.ecosystem, text);
    let now = version(&package.version)?;
    let stands_in = |text: &String| {
        version(text).filter(|one| !one.is_pre_release() && one.major() == now.major() && one.order(&now).is_gt())
    };
    let good = all.iter().filter(|(_, yanked)| !**yanked);
    let newer = good.filter_map(|(text, _)| Some((stands_in(text)?, text)));
    newer.max_by(|(one, _), (two, _)| one.order(two)).map(|(_, text)| text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::Way;

    /// As cargo writes it.
    fn cached(releases: &[(&str, bool)]) -> Vec<u8> {
        let mut bytes = b"\x03\x02\0\0\0etag: \"1\"\0".to_vec();
        for (version, yanked) in releases {
            let json = format!(r#"{{"name":"a","vers":"{version}","deps":[],"cksum":"0","yanked":{yanked}}}"#);
            bytes.extend([version.as_bytes(), b"\0", json.as_bytes(), b"\0"].concat());
        }
        bytes
    }

    fn package(name: &str, version: &str, ecosystem: Ecosystem) -> Package {
        let (name, version) = (name.to_owned(), version.to_owned());
        Package { ecosystem, name, version, dev: false, direct: Some(true), line: 7, path: Way::default() }
    }

    #[test]
    fn a_release_that_was_taken_back_is_found_with_what_stands_in_for_it() {
        let all = cached(&[("1.0.0", false), ("1.1.0", true), ("1.2.0", false), ("1.9.0", true), ("1.3.0-a", false)]);
        let known = BTreeMap::from([("a".to_owned(), read(&all).unwrap())]);
        let packages = [
            package("a", "1.1.0", Ecosystem::CratesIo),
            package("a", "1.0.0", Ecosystem::CratesIo),
            package("a", "7.0.0", Ecosystem::CratesIo),
            package("b", "1.0.0", Ecosystem::CratesIo),
            package("a", "1.1.0", Ecosystem::Npm),
        ];
        let found = find("Cargo.lock", &packages, &known);
        let [one] = &found.findings[..] else { panic!("{:?}", found.findings) };
        assert_eq!((one.advisory.as_str(), one.version.as_str(), one.line), ("yanked", "1.1.0", 7));
        assert_eq!(one.fixed_in.as_deref(), Some("1.2.0"));
        assert_eq!(one.remedy.as_deref(), Some("cargo update -p a@1.1.0 --precise 1.2.0"));
        let unknown: Vec<_> = found.unknown.iter().map(|package| (&*package.name, &*package.version)).collect();
        assert_eq!(unknown, [("a", "7.0.0"), ("b", "1.0.0")]);
    }

    #[test]
    fn a_file_that_is_cut_or_of_another_layout_tells_nothing() {
        let whole = cached(&[("1.0.0", false), ("1.1.0", true)]);
        assert_eq!(read(&whole).unwrap().len(), 2);
        for end in 0..whole.len() {
            let kept = read(&whole[..end]).unwrap_or_default();
            assert!(kept.iter().all(|(version, yanked)| (version == "1.1.0") == *yanked), "cut at {end}");
        }
        assert_eq!(read(&[b"\x04", &whole[1..]].concat()), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn crates_lie_where_the_index_keeps_them() {
        let places = ["a", "ab", "abc", "Serde", "../x", ""].map(place);
        let known = ["1/a", "2/ab", "3/a/abc", "se/rd/serde"].map(|place| Some(place.to_owned()));
        assert_eq!(places[..4], known);
        assert_eq!(places[4..], [None, None]);
    }
}
