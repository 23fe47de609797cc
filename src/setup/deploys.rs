//! What there is to say of environments and of whom deploys tell. On a laptop variables are rarely set: there a missing
//! one is said, on GitHub Actions it is a fault.

use crate::model::diagnosis::Row;

/// An environment, as far as it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it answers.
    pub url: Option<&'a str>,
    /// What deploys to it.
    pub by: &'a str,
    /// Whether anything tells that it works.
    pub is_verified: bool,
}

/// The row of an environment; `missing` are variables that are not set.
#[must_use]
pub fn environment(place: Place<'_>, missing: &[String], on_actions: bool) -> Row {
    let Place { name, url, by, is_verified } = place;
    let url = url.map_or_else(String::new, |url| format!(", {url}"));
    let what = format!("{name}: deployed by {by}{url}");
    if let Some(row) = not_set("environment", &what, missing, on_actions, "a deploy is refused without them") {
        return row;
    }
    let todo = "add `health` or `verify.version`: what was never verified is never rolled back to".to_owned();
    Row { todo: (!is_verified).then_some(todo), ..Row::good("environment", what) }
}

/// The row of a way to tell people or programs.
#[must_use]
pub fn route(kind: &str, missing: &[String], on_actions: bool) -> Row {
    let what = format!("{kind}: `gatepost notify` sends a test message");
    not_set("notifier", kind, missing, on_actions, "it cannot be told without them")
        .unwrap_or_else(|| Row::good("notifier", what))
}

fn not_set(topic: &'static str, what: &str, missing: &[String], on_actions: bool, so: &str) -> Option<Row> {
    if missing.is_empty() {
        return None;
    }
    let what = format!("{what}: not set here: {}; {so}", missing.join(", "));
    Some(if on_actions {
        Row::bad(topic, what, "set them under `env:` of the job, from `secrets`")
    } else {
        Row::needless(topic, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;

    #[test]
    fn a_missing_variable_is_a_fault_where_deploys_are_made() {
        let place = Place { name: "staging", url: None, by: "command", is_verified: true };
        let missing = ["KEY".to_owned()];
        assert_eq!(environment(place, &[], true), Row::good("environment", "staging: deployed by command"));
        assert_eq!(environment(place, &missing, false).outcome, Outcome::Skipped);
        let row = environment(place, &missing, true);
        assert_eq!(row.outcome, Outcome::Fail);
        assert!(row.what.ends_with("not set here: KEY; a deploy is refused without them"), "{row:?}");
        assert!(environment(Place { is_verified: false, ..place }, &[], true).todo.unwrap().contains("health"));
        assert_eq!(route("slack", &missing, true).outcome, Outcome::Fail);
        assert_eq!(route("slack", &missing, false).outcome, Outcome::Skipped);
        assert_eq!(route("slack", &[], true).outcome, Outcome::Pass);
    }
}
