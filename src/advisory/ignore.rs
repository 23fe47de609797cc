//! Advisories that someone has decided not to act on, with the reason and an end, and what has become of those decisions.

use globset::GlobMatcher;
use jiff::civil::Date;

use super::record::normal_name;
use super::version::Version;
use crate::model::audit::{AuditFinding, Ignored, Standing};
use crate::model::package::Ecosystem;

/// One decision.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The advisory, by any of its names; `*` for all about what the entry narrows to.
    pub id: String,
    /// Why.
    pub reason: String,
    /// The last day; `None` for good.
    pub until: Option<Date>,
    /// Only for packages of this ecosystem.
    pub ecosystem: Option<Ecosystem>,
    /// Only for this package.
    pub package: Option<String>,
    /// Only for these versions.
    pub versions: Option<Versions>,
    /// Only in these lockfiles.
    pub path: Option<GlobMatcher>,
    /// Only where it is used to develop (true), or where it is not (false).
    pub dev: Option<bool>,
    /// The file that it was taken from; `None` for gatepost's own configuration.
    pub origin: Option<String>,
}

/// Versions between bounds: `< 2.0`, `>= 1.0, < 1.5`, `= 1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions(Vec<(Bound, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl Versions {
    /// Reads bounds that are separated by commas; a version alone is itself.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bound = |part: &str| {
            let part = part.trim();
            let (bound, rest) = [
                ("<=", Bound::LessOrEqual),
                (">=", Bound::GreaterOrEqual),
                ("<", Bound::Less),
                (">", Bound::Greater),
                ("=", Bound::Equal),
            ]
            .into_iter()
            .find_map(|(sign, bound)| Some((bound, part.strip_prefix(sign)?.trim_start_matches('='))))
            .unwrap_or((Bound::Equal, part));
            let version = rest.trim();
            if version.is_empty() || version.contains(char::is_whitespace) {
                return Err(format!("{text:?} is no range of versions: write it as \">= 1.0, < 1.5\""));
            }
            Ok((bound, version.to_owned()))
        };
        text.split(',').map(bound).collect::<Result<_, _>>().map(Self)
    }

    fn take(&self, ecosystem: Ecosystem, text: &str) -> bool {
        let Some(version) = Version::parse(ecosystem, text) else {
            return self.0.iter().all(|(bound, written)| *bound == Bound::Equal && written == text);
        };
        self.0.iter().all(|(bound, written)| {
            Version::parse(ecosystem, written).is_some_and(|written| {
                let order = version.order(&written);
                match bound {
                    Bound::Less => order.is_lt(),
                    Bound::LessOrEqual => order.is_le(),
                    Bound::Greater => order.is_gt(),
                    Bound::GreaterOrEqual => order.is_ge(),
                    Bound::Equal => order.is_eq(),
                }
            })
        })
    }
}

impl Ignore {
    fn covers(&self, finding: &AuditFinding) -> bool {
        let named = self.id == "*" || self.id == finding.advisory || finding.aliases.contains(&self.id);
        let normal = |name: &str| normal_name(finding.ecosystem, name);
        named
            && self.ecosystem.is_none_or(|ecosystem| ecosystem == finding.ecosystem)
            && self.package.as_ref().is_none_or(|package| normal(package) == normal(&finding.package))
            && self.versions.as_ref().is_none_or(|versions| versions.take(finding.ecosystem, &finding.version))
            && self.path.as_ref().is_none_or(|path| path.is_match(&finding.lockfile))
            && self.dev.is_none_or(|dev| dev == finding.dev)
    }

    /// `the ignore of RUSTSEC-2020-0071 in deny.toml`.
    fn words(&self) -> String {
        let of = match (&self.package, self.ecosystem, self.id.as_str()) {
            (Some(package), Some(ecosystem), "*") => format!("{package} of {ecosystem}"),
            (Some(package), None, "*") => package.clone(),
            (None, Some(ecosystem), "*") => format!("packages of {ecosystem}"),
            (None, None, "*") => "packages".to_owned(),
            _ => self.id.clone(),
        };
        let origin = self.origin.as_ref().map_or(String::new(), |origin| format!(" in {origin}"));
        format!("the ignore of {of}{origin}")
    }
}

/// Marks what is ignored on the day `today`. Gives back what is to be said: entries that end within `warn_days`, that
/// have ended, and that cover nothing.
pub fn apply(findings: &mut [AuditFinding], ignores: &[Ignore], today: Date, warn_days: i32) -> Vec<String> {
    let mut notes = Vec::new();
    let mut used = vec![false; ignores.len()];
    for finding in findings.iter_mut().filter(|finding| finding.standing != Some(Standing::Fixed)) {
        for (entry, used) in ignores.iter().zip(&mut used) {
            if !entry.covers(finding) {
                continue;
            }
            *used = true;
            match entry.until {
                Some(until) if until < today => finding.expired = Some(until.to_string()),
                until => {
                    let until = until.map(|until| until.to_string());
                    finding.ignored.get_or_insert(Ignored { reason: entry.reason.clone(), until });
                }
            }
        }
        if finding.ignored.is_some() {
            finding.expired = None;
        }
    }
    for (entry, used) in ignores.iter().zip(used) {
        let words = entry.words();
        match entry.until {
            _ if !used => notes.push(format!("{words} covers nothing: remove it")),
            Some(until) if until < today => notes.push(format!("{words} ran out on {until}: what it covered counts")),
            Some(until) => {
                let days = until.since(today).map_or(i32::MAX, |left| left.get_days());
                if days <= warn_days {
                    notes.push(format!(
                        "{words} runs out on {until}, in {days} day{}",
                        if days == 1 { "" } else { "s" }
                    ));
                }
            }
            None => {}
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::AdvisoryKind;

    fn finding(advisory: &str, package: &str, version: &str) -> AuditFinding {
        AuditFinding {
            advisory: advisory.to_owned(),
            aliases: vec!["CVE-1".to_owned()],
            summary: String::new(),
            ecosystem: Ecosystem::PyPi,
            package: package.to_owned(),
            version: version.to_owned(),
            severity: None,
            score: None,
            score_source: None,
            kind: AdvisoryKind::Vulnerability,
            fixed_in: None,
            standing: None,
            ignored: None,
            expired: None,
            dev: true,
            undecided: false,
            remedy: None,
            blocking: false,
            path: Vec::new(),
            lockfile: "web/uv.lock".to_owned(),
            line: 1,
        }
    }

    fn ignore(id: &str, until: Option<&str>) -> Ignore {
        Ignore {
            id: id.to_owned(),
            reason: "why".to_owned(),
            until: until.map(|day| day.parse().unwrap()),
            ecosystem: None,
            package: None,
            versions: None,
            path: None,
            dev: None,
            origin: None,
        }
    }

    const TODAY: Date = jiff::civil::date(2026, 11, 21);

    #[test]
    fn entries_narrow_by_everything_they_name() {
        let covers = |entry: Ignore| {
            let mut findings = [finding("PYSEC-1", "Foo.Bar", "1.5")];
            apply(&mut findings, &[entry], TODAY, 14);
            findings[0].ignored.is_some()
        };
        let versions = |text| Some(Versions::parse(text).unwrap());
        let path = |glob| Some(globset::Glob::new(glob).unwrap().compile_matcher());
        let base = || ignore("CVE-1", None);
        assert!(covers(base()) && covers(ignore("PYSEC-1", None)) && !covers(ignore("PYSEC-2", None)));
        assert!(covers(Ignore { package: Some("foo_bar".to_owned()), ..base() }));
        assert!(!covers(Ignore { package: Some("foo".to_owned()), ..base() }));
        assert!(covers(Ignore { ecosystem: Some(Ecosystem::PyPi), ..base() }));
        assert!(!covers(Ignore { ecosystem: Some(Ecosystem::Npm), ..base() }));
        assert!(covers(Ignore { versions: versions(">= 1.0, < 2"), ..base() }));
        assert!(!covers(Ignore { versions: versions("<= 1.4.9"), ..base() }));
        assert!(covers(Ignore { versions: versions("1.5.0"), ..base() }));
        assert!(
            covers(Ignore { path: path("web/**"), ..base() }) && !covers(Ignore { path: path("api/**"), ..base() })
        );
        assert!(covers(Ignore { dev: Some(true), ..base() }) && !covers(Ignore { dev: Some(false), ..base() }));
        assert!(Versions::parse(">= 1, ").is_err() && Versions::parse("1 2").is_err());
    }

    #[test]
    fn ends_are_told_before_and_after() {
        let mut findings = [finding("PYSEC-1", "a", "1"), finding("PYSEC-2", "b", "1")];
        let entries = [
            ignore("PYSEC-1", Some("2026-11-20")),
            ignore("PYSEC-2", Some("2026-11-21")),
            Ignore { origin: Some("deny.toml".to_owned()), ..ignore("PYSEC-3", Some("2030-01-01")) },
        ];
        let notes = apply(&mut findings, &entries, TODAY, 14);
        assert_eq!(findings[0].expired.as_deref(), Some("2026-11-20"));
        assert!(findings[0].ignored.is_none());
        assert_eq!(findings[1].ignored.as_ref().unwrap().until.as_deref(), Some("2026-11-21"), "its last day is a day");
        assert_eq!(
            notes,
            [
                "the ignore of PYSEC-1 ran out on 2026-11-20: what it covered counts",
                "the ignore of PYSEC-2 runs out on 2026-11-21, in 0 days",
                "the ignore of PYSEC-3 in deny.toml covers nothing: remove it",
            ]
        );
        let mut gone = [AuditFinding { standing: Some(Standing::Fixed), ..finding("PYSEC-1", "a", "1") }];
        let notes = apply(&mut gone, &[ignore("PYSEC-1", None)], TODAY, 14);
        assert_eq!(notes, ["the ignore of PYSEC-1 covers nothing: remove it"]);
    }
}
