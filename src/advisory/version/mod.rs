//! Versions and their order, as each ecosystem has it. What cannot be ordered is said to be so, never guessed.

mod composer;
mod loose;
mod ruby;

use std::cmp::Ordering;

use crate::model::package::Ecosystem;

/// A version that can be compared with others of its ecosystem.
#[derive(Debug, Clone)]
pub enum Version {
    /// Rust, JavaScript and Go: <https://semver.org/#spec-item-11>.
    Semver(semver::Version),
    /// Python: <https://peps.python.org/pep-0440/>.
    Python(pep440_rs::Version),
    /// Ruby.
    Ruby(ruby::Version),
    /// PHP.
    Composer(composer::Version),
}

impl Version {
    /// Reads a version; `None` where its ecosystem's rules give it no place in an order (a branch, a hash).
    #[must_use]
    pub fn parse(ecosystem: Ecosystem, text: &str) -> Option<Self> {
        let text = text.trim();
        match ecosystem {
            Ecosystem::CratesIo | Ecosystem::Npm => loose::parse(text).map(Self::Semver),
            Ecosystem::Go => loose::parse_go(text).map(Self::Semver),
            Ecosystem::PyPi => text.parse().ok().map(Self::Python),
            Ecosystem::RubyGems => ruby::Version::parse(text).map(Self::Ruby),
            Ecosystem::Packagist => composer::Version::parse(text).map(Self::Composer),
        }
    }

    /// The order of two versions of one ecosystem. Build metadata does not count.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Semver(one), Self::Semver(two)) => one.cmp_precedence(two),
            (Self::Python(one), Self::Python(two)) => one.cmp(two),
            (Self::Ruby(one), Self::Ruby(two)) => one.cmp(two),
            (Self::Composer(one), Self::Composer(two)) => one.cmp(two),
            // Of two ecosystems: nobody asks.
            _ => Ordering::Equal,
        }
    }

    /// The order of a version and one that an advisory names: a build of one's own (`2.7.1+cu128`) is to PEP 440 the
    /// release that it was made of, unless the advisory names builds.
    #[must_use]
    pub fn order_to_named(&self, named: &Self) -> Ordering {
        match (self, named) {
            (Self::Python(one), Self::Python(two)) if !two.is_local() => one.clone().without_local().cmp(two),
            _ => self.order(named),
        }
    }

    /// Versions that differ in this break what uses them; a fix with the same one is the nearest.
    #[must_use]
    pub fn major(&self) -> (u64, u64) {
        match self {
            // Below 1.0 the second number is the one that breaks.
            Self::Semver(version) if version.major == 0 => (0, version.minor),
            Self::Semver(version) => (version.major, 0),
            Self::Python(version) => (version.release().first().copied().unwrap_or_default(), 0),
            Self::Ruby(version) => (version.major(), 0),
            Self::Composer(version) => (version.major(), 0),
        }
    }

    /// Whether it comes before a release.
    #[must_use]
    pub fn is_pre_release(&self) -> bool {
        match self {
            Self::Semver(version) => !version.pre.is_empty(),
            Self::Python(version) => version.any_prerelease(),
            Self::Ruby(version) => version.is_pre_release(),
            Self::Composer(version) => version.is_pre_release(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ascending(ecosystem: Ecosystem, versions: &[&str]) {
        for pair in versions.windows(2) {
            let [one, two] = [pair[0], pair[1]].map(|text| Version::parse(ecosystem, text).expect(text));
            assert_eq!(one.order(&two), Ordering::Less, "{} < {}", pair[0], pair[1]);
            assert_eq!(two.order(&one), Ordering::Greater, "{} > {}", pair[1], pair[0]);
        }
    }

    fn equal(ecosystem: Ecosystem, one: &str, two: &str) {
        let [one, two] = [one, two].map(|text| Version::parse(ecosystem, text).expect(text));
        assert_eq!(one.order(&two), Ordering::Equal, "{one:?} {two:?}");
    }

    #[test]
    fn each_ecosystem_has_its_order() {
        ascending(Ecosystem::CratesIo, &["0.9.0", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-rc", "1.0.0", "1.0.1"]);
        ascending(Ecosystem::Npm, &["0", "1.2", "1.10.0-0", "1.10.0", "2"]);
        ascending(
            Ecosystem::Go,
            &[
                "v0.0.0-20190308221718-c2843e01d9a2",
                "v0.0.0-20191109021931-daa7c04131f5",
                "0.3.5",
                "v0.3.6-0.20200101000000-abcdefabcdef",
                "0.3.6",
                "1.13beta1",
                "1.13.0-beta.2",
                "1.13rc9",
                "1.13.0-rc.10",
                "1.13",
                "2.0.0+incompatible",
            ],
        );
        ascending(Ecosystem::PyPi, &["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"]);
        ascending(Ecosystem::RubyGems, &["1.0.a", "1.0.b1", "1.0.rc2", "1.0", "1.0.1", "1.9", "1.10"]);
        ascending(
            Ecosystem::Packagist,
            &["1.0-dev", "1.0-alpha1", "1.0-beta2", "1.0-RC1", "v1.0", "1.0-p1", "1.0.1", "1.10", "2"],
        );
        equal(Ecosystem::PyPi, "1.0", "1.0.0");
        equal(Ecosystem::RubyGems, "1.0", "1");
        equal(Ecosystem::RubyGems, "1.0.0-rc1", "1.pre.rc1");
        equal(Ecosystem::Packagist, "v1.0", "1.0.0.0");
        equal(Ecosystem::CratesIo, "1.0.0+a", "1.0.0+b");
        equal(Ecosystem::Go, "v1.2.3+incompatible", "1.2.3");
        for (ecosystem, text) in [
            (Ecosystem::Npm, "git+ssh://host/x"),
            (Ecosystem::Packagist, "dev-main"),
            (Ecosystem::PyPi, "2004d!"),
            (Ecosystem::RubyGems, "1..2"),
            (Ecosystem::CratesIo, ""),
        ] {
            assert!(Version::parse(ecosystem, text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_semver_reads_is_ordered_as_semver_orders_it(
            one in r"(0|[1-9][0-9]{0,2})\.(0|[1-9]?[0-9])\.(0|[1-9]?[0-9])(-(0|[1-9a-z][0-9a-z]{0,3})(\.(0|[1-9a-z-][0-9a-z]{0,3}))?)?",
            two in r"(0|[1-9][0-9]{0,2})\.(0|[1-9]?[0-9])\.(0|[1-9]?[0-9])(-(0|[1-9a-z][0-9a-z]{0,3})(\.(0|[1-9a-z-][0-9a-z]{0,3}))?)?",
        ) {
            if let (Ok(left), Ok(right)) = (semver::Version::parse(&one), semver::Version::parse(&two)) {
                let ours = [&one, &two].map(|text| Version::parse(Ecosystem::Npm, text).unwrap());
                prop_assert_eq!(ours[0].order(&ours[1]), left.cmp_precedence(&right));
            }
        }

        #[test]
        fn every_order_is_total(texts in proptest::collection::vec("[0-9]{1,2}([.-]([0-9]{1,2}|a|rc|dev|beta|pl)){0,3}", 3)) {
            for ecosystem in Ecosystem::ALL {
                let versions: Vec<Version> = texts.iter().filter_map(|text| Version::parse(ecosystem, text)).collect();
                for one in &versions {
                    for two in &versions {
                        prop_assert_eq!(one.order(two), two.order(one).reverse());
                        for three in &versions {
                            if one.order(two).is_le() && two.order(three).is_le() {
                                prop_assert!(one.order(three).is_le(), "{:?} {:?} {:?}", one, two, three);
                            }
                        }
                    }
                }
            }
        }
    }
}
