//! What a check run says of itself in its external id: who made it, of which gate and of how much. Whoever believes it asks
//! GitHub first.

use std::fmt;

/// `gatepost:RUN.ATTEMPT:GATE:SCOPE:BASE:CONFIG:JOB:MADE:TREE`; what is not known is `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckId<'a> {
    /// Run id and attempt; outside of Actions `local` and a moment.
    pub run: &'a str,
    /// The gate.
    pub gate: &'a str,
    /// `all`, `change` or `report`; [`EDITED`], [`OVERRIDE`].
    pub scope: &'a str,
    /// The commit that was compared with; of an override the comment.
    pub base: &'a str,
    /// The configuration that judged: of its place, then of its text, 8 and 16 digits; of an override the place alone.
    pub config: &'a str,
    /// The job and the leg of its matrix: that of a later attempt is the same.
    pub job: &'a str,
    /// Of one process, so that what it sent is told from what its neighbour did.
    pub made: &'a str,
    /// The tree of the files that were judged: on a pull request those of its merge, not of the commit it stands on.
    pub tree: &'a str,
}

/// The scope of a check run of files that are no commit's: they were edited before the gate ended.
pub const EDITED: &str = "edited";

/// The scope of a check run that says that its gate was overridden.
pub const OVERRIDE: &str = "override";

/// A job in 8 digits, by its workflow, its name and the leg of its matrix; `-` where none is known.
#[must_use]
pub fn job(workflow: Option<&str>, job: Option<&str>) -> String {
    job.map_or_else(|| "-".to_owned(), |job| digits(&format!("{}\n{job}", workflow.unwrap_or_default()), 8))
}

/// The first digits of a text's hash.
#[must_use]
pub fn digits(text: &str, count: usize) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(count).collect()
}

/// Whether the configurations of two digests stood at the same place, whatever they said.
#[must_use]
pub fn is_same_place(config: &str, other: &str) -> bool {
    let place = |config: &str| config.split_once('.').map(|(place, _)| place.to_owned());
    place(config).is_some() && place(config) == place(other)
}

impl<'a> CheckId<'a> {
    /// Reads one of a gate.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["gatepost", run, gate, scope, base, config, by @ ..] = &parts[..] else { return None };
        let by = |at: usize| by.get(at).copied().unwrap_or("-");
        Some(Self { run, gate, scope, base, config, job: by(0), made: by(1), tree: by(2) })
    }

    /// Run id and attempt, where GitHub Actions ran it.
    #[must_use]
    pub fn generation(&self) -> Option<(u64, u64)> {
        let (run, attempt) = self.run.split_once('.')?;
        Some((run.parse().ok()?, attempt.parse().ok()?))
    }

    /// The place of the configuration: the first part of its digest, or all of one that has no parts.
    #[must_use]
    pub fn place(&self) -> &'a str {
        self.config.split_once('.').map_or(self.config, |(place, _)| place)
    }

    /// Whether the configuration stood at the same place as that of this digest.
    #[must_use]
    pub fn is_configured_where(&self, config: &str) -> bool {
        is_same_place(self.config, config)
    }
}

impl fmt::Display for CheckId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, gate, scope, base, config, job, made, tree } = self;
        write!(f, "gatepost:{run}:{gate}:{scope}:{base}:{config}:{job}:{made}:{tree}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let by =
            CheckId { job: "ab", made: "cd", tree: "ef", ..CheckId::parse("gatepost:5.2:lint:all:-:0a.1b").unwrap() };
        let all = CheckId { run: "5.2", gate: "lint", scope: "all", base: "-", config: "0a.1b", ..by };
        let text = all.to_string();
        assert_eq!(CheckId::parse(&text), Some(all));
        assert_eq!(all.generation(), Some((5, 2)));
        assert_eq!(CheckId { run: "local.5", ..all }.generation(), None);
        assert_eq!(CheckId::parse("gatepost:5.2:9ab"), None, "a whole run's");
        let short = CheckId::parse("gatepost:5.2:lint:override:7:-").unwrap();
        assert_eq!((short.scope, short.base, short.made, short.tree), (OVERRIDE, "7", "-", "-"));
    }

    #[test]
    fn jobs_are_told_apart_by_workflow_name_and_leg() {
        let one = job(Some(".github/workflows/ci.yml"), Some("test 0/2"));
        assert_eq!((one.len(), job(Some("ci"), None)), (8, "-".to_owned()));
        assert_ne!(one, job(Some(".github/workflows/ci.yml"), Some("test 1/2")));
        assert_ne!(one, job(Some(".github/workflows/nightly.yml"), Some("test 0/2")));
    }

    #[test]
    fn a_configuration_is_known_by_its_place() {
        let of = |config| CheckId { config, ..CheckId::parse("gatepost:5.2:lint:all:-:-").unwrap() };
        assert!(of("0a.1b").is_configured_where("0a.2c"));
        for (one, other) in [("0a.1b", "0b.1b"), ("-", "-"), ("0a", "0a"), ("0a.1b", "-")] {
            assert!(!of(one).is_configured_where(other), "{one} {other}");
        }
    }
}
