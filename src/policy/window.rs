//! Whether an environment may be deployed to now, and this commit at all: branches, tags, hours, freezes. Pure: what time
//! it is in a zone comes in.

use jiff::civil::DateTime;

use crate::model::environments::Environment;

/// Why it may not be deployed now, if it may not. `at` tells the local time of a zone.
#[must_use]
pub fn closed(environment: &Environment, at: &dyn Fn(&str) -> Result<DateTime, String>) -> Option<String> {
    for freeze in &environment.freezes {
        let today = match at(&freeze.zone) {
            Ok(now) => now.date().to_string(),
            Err(why) => return Some(why),
        };
        if (freeze.from.as_str()..=freeze.until.as_str()).contains(&today.as_str()) {
            return Some(format!("frozen from {} to {}: {}", freeze.from, freeze.until, freeze.reason));
        }
    }
    let mut open = environment.hours.is_empty();
    for hours in &environment.hours {
        let now = match at(&hours.zone) {
            Ok(now) => now,
            Err(why) => return Some(why),
        };
        let day = usize::try_from(now.weekday().to_monday_zero_offset()).unwrap_or_default();
        let minute = u16::try_from(i16::from(now.hour()) * 60 + i16::from(now.minute())).unwrap_or_default();
        open |= hours.days[day] && (hours.from..hours.until).contains(&minute);
    }
    let list = || environment.hours.iter().map(|hours| hours.text.as_str()).collect::<Vec<_>>().join(", ");
    (!open).then(|| format!("it is outside of its hours: {}", list()))
}

/// Why a commit with these names may not be deployed, if it may not.
#[must_use]
pub fn foreign(environment: &Environment, branches: &[String], tags: &[String]) -> Option<String> {
    let (allowed, allowed_tags) = (&environment.branches, &environment.tags);
    if allowed.is_empty() && allowed_tags.is_empty() {
        return None;
    }
    let fits = |patterns: &[String], names: &[String]| {
        patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(stem) => names.iter().any(|name| name.starts_with(stem)),
            None => names.contains(pattern),
        })
    };
    if fits(allowed, branches) || fits(allowed_tags, tags) {
        return None;
    }
    let mut may = Vec::new();
    may.extend((!allowed.is_empty()).then(|| format!("of the branches {}", allowed.join(", "))));
    may.extend((!allowed_tags.is_empty()).then(|| format!("at the tags {}", allowed_tags.join(", "))));
    Some(format!("only commits {} may be deployed there", may.join(" or ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::date;

    use super::*;
    use crate::model::environments::{EnvironmentName, Freeze, Hours, Pacing, Verify};

    fn environment() -> Environment {
        Environment {
            name: EnvironmentName::parse("production").unwrap(),
            url: None,
            verify: Verify { health: Vec::new(), version: None, smoke: None, pacing: Pacing::default() },
            rollout: None,
            auto_rollback: true,
            requires: None,
            max_age: Duration::ZERO,
            after: None,
            branches: Vec::new(),
            tags: Vec::new(),
            hours: Vec::new(),
            freezes: Vec::new(),
            secrets: Vec::new(),
            allow_force: false,
            timeout: Duration::ZERO,
            grace: Duration::ZERO,
            lease: Duration::ZERO,
            migrations: None,
            app_id: 0,
            production: true,
            in_job: false,
            freeze_after_rollback: false,
        }
    }

    /// Monday, 23 November 2026 in UTC; an hour later in every other zone but `Nowhere`.
    fn at(hour: i8, minute: i8) -> impl Fn(&str) -> Result<DateTime, String> {
        move |zone| match zone {
            "UTC" => Ok(date(2026, 11, 23).at(hour, minute, 0, 0)),
            "Nowhere" => Err("no zone is called Nowhere".to_owned()),
            _ => Ok(date(2026, 11, 23).at(hour + 1, minute, 0, 0)),
        }
    }

    fn hours(text: &str, days: [bool; 7], from: u16, until: u16, zone: &str) -> Hours {
        Hours { text: text.to_owned(), days, from, until, zone: zone.to_owned() }
    }

    #[test]
    fn hours_are_those_of_their_zone_and_days() {
        let monday = [true, false, false, false, false, false, false];
        let open = |hours: &[Hours], hour, minute| {
            closed(&Environment { hours: hours.to_vec(), ..environment() }, &at(hour, minute))
        };
        assert_eq!(open(&[], 3, 0), None);
        let day = [hours("Mon 09:05-17:00 UTC", monday, 9 * 60 + 5, 17 * 60, "UTC")];
        let outside = Some("it is outside of its hours: Mon 09:05-17:00 UTC".to_owned());
        for (hour, minute, expected) in
            [(9, 4, &outside), (9, 5, &None), (16, 59, &None), (17, 0, &outside), (0, 0, &outside)]
        {
            assert_eq!(&open(&day, hour, minute), expected, "{hour}:{minute}");
        }
        let tuesday = [hours("Tue", [false, true, true, true, true, true, true], 0, 1440, "UTC")];
        assert_eq!(open(&tuesday, 12, 0).unwrap(), "it is outside of its hours: Tue");
        let both = [tuesday[0].clone(), hours("east", [true; 7], 13 * 60, 1440, "East")];
        assert_eq!(
            (open(&both, 12, 0), open(&both, 11, 59).unwrap()),
            (None, "it is outside of its hours: Tue, east".to_owned())
        );
        assert_eq!(open(&[hours("x", [true; 7], 0, 1440, "Nowhere")], 12, 0).unwrap(), "no zone is called Nowhere");
    }

    #[test]
    fn a_freeze_holds_from_its_first_day_to_its_last() {
        let frozen = |from: &str, until: &str, zone: &str| {
            let [from, until, reason, zone] = [from, until, "holidays", zone].map(str::to_owned);
            closed(&Environment { freezes: vec![Freeze { from, until, reason, zone }], ..environment() }, &at(12, 0))
        };
        for (from, until) in [("2026-11-23", "2026-11-23"), ("2026-11-01", "2026-11-23"), ("2026-11-23", "2027-01-02")]
        {
            assert_eq!(frozen(from, until, "UTC"), Some(format!("frozen from {from} to {until}: holidays")));
        }
        assert_eq!(
            [frozen("2026-11-24", "2026-12-01", "UTC"), frozen("2026-11-01", "2026-11-22", "UTC")],
            [None, None]
        );
        assert!(frozen("2027-01-01", "2027-01-02", "Nowhere").is_some(), "what is not known is closed");
    }

    #[test]
    fn commits_of_other_branches_and_tags_are_refused() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let why = |allowed: (&[&str], &[&str]), branches: &[&str], tags: &[&str]| {
            let environment = Environment { branches: words(allowed.0), tags: words(allowed.1), ..environment() };
            foreign(&environment, &words(branches), &words(tags)).unwrap_or_default()
        };
        assert_eq!(why((&[], &[]), &["x"], &[]), "");
        let both: (&[&str], &[&str]) = (&["main", "release/*"], &["v*"]);
        for (branches, tags) in
            [(["x", "main"], ["x", "y"]), (["x", "release/1"], ["x", "y"]), (["x", "y"], ["x", "v1"])]
        {
            assert_eq!(why(both, &branches, &tags), "", "{branches:?} {tags:?}");
        }
        let refused = "only commits of the branches main, release/* or at the tags v* may be deployed there";
        for (branches, tags) in [(["mainly", "release"], ["x", "main"]), (["v1", "y"], ["x", "y"])] {
            assert_eq!(why(both, &branches, &tags), refused, "{branches:?} {tags:?}");
        }
        assert_eq!(why((&["main"], &[]), &["x"], &["main"]), "only commits of the branches main may be deployed there");
        assert_eq!(why((&[], &["v*"]), &["v1"], &[]), "only commits at the tags v* may be deployed there");
    }
}
