//! Semantic versions as they are written in the wild: a leading `v`, numbers left out, zeros in front.

use semver::{BuildMetadata, Prerelease};

/// Reads a version as semver does; where that refuses, once more leniently: `v1.2` is `1.2.0`, `1.02.3` is `1.2.3`.
pub(super) fn parse(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text).ok().or_else(|| lenient(text))
}

/// Reads a version of a module, or of Go itself, whose pre-releases are written `1.21rc2` and which its advisories
/// call `1.21.0-rc.2`.
pub(super) fn parse_go(text: &str) -> Option<semver::Version> {
    let is_release = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let own = ["beta", "rc"].iter().find_map(|word| {
        let (release, number) = text.split_once(word)?;
        is_release(release).then(|| format!("{release}-{word}.{number}"))
    });
    parse(own.as_deref().unwrap_or(text))
}

fn lenient(text: &str) -> Option<semver::Version> {
    let text = text.trim_start_matches(['=', 'v', 'V', ' ']);
    let core_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (core, rest) = text.split_at(core_end);
    let mut numbers = [0; 3];
    let mut written = core.split('.');
    for (at, part) in written.by_ref().take(3).enumerate() {
        numbers[at] = part.parse().ok()?;
    }
    if written.next().is_some() {
        return None;
    }
    let (pre, build) = rest.split_once('+').unwrap_or((rest, ""));
    let pre = pre.strip_prefix('-').unwrap_or(pre);
    let identifiers: Vec<&str> = pre.split('.').map(without_zeros).collect();
    Some(semver::Version {
        pre: Prerelease::new(&identifiers.join(".")).ok()?,
        build: BuildMetadata::new(build).ok()?,
        ..semver::Version::new(numbers[0], numbers[1], numbers[2])
    })
}

fn without_zeros(identifier: &str) -> &str {
    if identifier.len() < 2 || !identifier.bytes().all(|byte| byte.is_ascii_digit()) {
        return identifier;
    }
    let number = identifier.trim_start_matches('0');
    if number.is_empty() { "0" } else { number }
}
