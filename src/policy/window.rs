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
