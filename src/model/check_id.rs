//! How check runs are named, and what one says of itself in its external id: who made it, of which gate and of how much.
//! Whoever believes it asks GitHub first.

use std::fmt;

use crate::model::gate::GateName;

/// What the names of check runs begin with; of one for the whole it is all of it.
const OURS: &str = "gatepost";

/// The name of a check run: `gatepost/test`, `gatepost/web/test (2/3)`. On GitHub a newer one hides an older one of the same
/// name on the same commit, so that each configuration (by its place in the repository) and each leg of a matrix has its own. Without
/// a gate it is that of the whole: `gatepost`, `gatepost/web/*`.
#[must_use]
pub fn name(place: &str, gate: Option<&str>, leg: Option<&str>) -> String {
    let section = section(place);
    let gate = gate.or_else(|| (!section.is_empty()).then_some("*"));
    let parts: Vec<&str> = [OURS, section].into_iter().chain(gate).filter(|part| !part.is_empty()).collect();
    parts.join("/") + &leg.map(|leg| format!(" ({leg})")).unwrap_or_default()
}

/// The folder of a configuration that is found without being named; of another one its path. One from outside the
/// repository is known by its file's name.
fn section(place: &str) -> &str {
    let is_path = |part: &str| matches!(part, "" | "..") || part.ends_with(':');
    let inside = !place.split('/').any(is_path);
    let place = if inside { place } else { place.rsplit('/').next().unwrap_or_default() };
    let folder = match place.strip_suffix("gatepost.toml") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
        _ => return place,
    };
    let folder = folder.trim_end_matches('/');
    folder
        .strip_suffix(".github")
        .filter(|above| above.is_empty() || above.ends_with('/'))
        .unwrap_or(folder)
        .trim_end_matches('/')
}

/// The gate of a check run of this name, whatever configuration and leg it is of.
#[must_use]
pub fn gate(name: &str) -> Option<GateName> {
    let rest = name.strip_prefix(OURS)?.strip_prefix('/')?;
    let is_leg = |leg: &str| {
        leg.starts_with("leg ") || leg.split_once('/').is_some_and(|(at, of)| is_number(at) && is_number(of))
    };
    let split = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    let rest = split.filter(|(_, leg)| is_leg(leg)).map_or(rest, |(rest, _)| rest);
    GateName::parse(rest.rsplit('/').next()?).ok()
}

/// The leg of a matrix as names show it, from `GATEPOST_LEG` (`1/3` is the second of three, `1` the second); `None` for the only
/// one there is.
#[must_use]
pub fn leg(text: &str) -> Option<String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| is_number(text));
    if let Some((at, of)) = text.split_once('/').and_then(|(at, of)| number(at).zip(number(of))) {
        return (of > 1).then(|| format!("{}/{of}", at.saturating_add(1)));
    }
    if let Some(at) = number(text) {
        return Some(format!("leg {}", at.saturating_add(1)));
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '-' };
    Some(format!("leg {}", text.chars().take(40).map(plain).collect::<String>()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether GitHub counts a check run with this conclusion as passed.
#[must_use]
pub fn is_green(conclusion: &str) -> bool {
    matches!(conclusion, "success" | "neutral" | "skipped")
}

/// The external id of the check run of a whole run.
#[must_use]
pub fn of_whole(run: &str, made: &str, event: &str) -> String {
    format!("{OURS}:{run}:{made}:{event}")
}

/// The event that woke the run of a check run with this external id; `None` where it does not say.
#[must_use]
pub fn event(external_id: &str) -> Option<&str> {
    let event = match external_id.split(':').collect::<Vec<_>>()[..] {
        [OURS, _, _, event] => event,
        _ => CheckId::parse(external_id)?.event,
    };
    (event != "-").then_some(event)
}

/// `gatepost:RUN.ATTEMPT:GATE:SCOPE:BASE:CONFIG:JOB:MADE:TREE:EVENT`; what is not known is `-`.
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
    /// GitHub's name of the event that woke the run.
    pub event: &'a str,
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
        let [OURS, run, gate, scope, base, config, by @ ..] = &parts[..] else { return None };
        let by = |at: usize| by.get(at).copied().unwrap_or("-");
        Some(Self { run, gate, scope, base, config, job: by(0), made: by(1), tree: by(2), event: by(3) })
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
        let Self { run, gate, scope, base, config, job, made, tree, event } = self;
        write!(f, "{OURS}:{run}:{gate}:{scope}:{base}:{config}:{job}:{made}:{tree}:{event}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let by = CheckId {
            job: "ab",
            made: "cd",
            tree: "ef",
            event: "push",
            ..CheckId::parse("gatepost:5.2:lint:all:-:0a.1b").unwrap()
        };
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
    fn every_configuration_and_leg_has_a_name_of_its_own() {
        for (place, leg, one, whole) in [
            ("gatepost.toml", None, "gatepost/test", "gatepost"),
            (".github/gatepost.toml", None, "gatepost/test", "gatepost"),
            ("", Some("2/3"), "gatepost/test (2/3)", "gatepost (2/3)"),
            ("web/gatepost.toml", None, "gatepost/web/test", "gatepost/web/*"),
            ("web/.github/gatepost.toml", Some("leg 2"), "gatepost/web/test (leg 2)", "gatepost/web/* (leg 2)"),
            ("apps/web", None, "gatepost/apps/web/test", "gatepost/apps/web/*"),
            ("nightly.toml", None, "gatepost/nightly.toml/test", "gatepost/nightly.toml/*"),
            ("ci/mygatepost.toml", None, "gatepost/ci/mygatepost.toml/test", "gatepost/ci/mygatepost.toml/*"),
            ("/home/dev/web/gatepost.toml", None, "gatepost/test", "gatepost"),
            ("../other/strict.toml", None, "gatepost/strict.toml/test", "gatepost/strict.toml/*"),
            (
                "a (b)/c.github/gatepost.toml",
                Some("leg x"),
                "gatepost/a (b)/c.github/test (leg x)",
                "gatepost/a (b)/c.github/* (leg x)",
            ),
        ] {
            assert_eq!((name(place, Some("test"), leg), name(place, None, leg)), (one.to_owned(), whole.to_owned()));
            assert_eq!(gate(one).unwrap().as_str(), "test", "{one}");
            assert_eq!(gate(whole), None, "{whole}");
        }
        for other in ["gatepost/audit (scheduled)", "gatepost/audit (scheduled) (1/2)", "gatepostx/test", "gates/test"]
        {
            assert_eq!(gate(other), None, "{other}");
        }
    }

    #[test]
    fn legs_are_counted_from_one() {
        for (text, shown) in [
            ("0/1", None),
            ("0/2", Some("1/2")),
            ("2/3", Some("3/3")),
            ("1", Some("leg 2")),
            ("linux", Some("leg linux")),
            ("a (b)/2", Some("leg a--b--2")),
            ("+1/2", Some("leg +1-2")),
        ] {
            assert_eq!(leg(text).as_deref(), shown, "{text}");
            let name = name("web/gatepost.toml", Some("test"), leg(text).as_deref());
            assert_eq!(gate(&name).unwrap().as_str(), "test", "{name}");
        }
    }

    #[test]
    fn the_event_is_told_by_every_check_run() {
        assert_eq!(event(&of_whole("5.2", "9ab", "push")), Some("push"));
        assert_eq!(event("gatepost:5.2:lint:all:-:0a.1b:ab:cd:ef:push"), Some("push"));
        for silent in
            ["gatepost:5.2:lint:all:-:0a.1b:ab:cd:ef", "gatepost:5.2:lint:all:-:0a.1b:ab:cd:ef:-", "", "other"]
        {
            assert_eq!(event(silent), None, "{silent}");
        }
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
