//! The migrations of the change against those of the base: versions, order, and files that databases have run.

use std::collections::BTreeMap;

use super::{DUPLICATE, OLDER, SHIPPED_CHANGED, SHIPPED_DELETED, finding};
use crate::model::finding::Finding;
use crate::model::migration::{Planned, Script};

/// Whether two plans of one version are the same migration.
#[must_use]
pub fn is_same(one: &Planned, other: &Planned) -> bool {
    (one.repeatable, &one.order) == (other.repeatable, &other.order)
        && (one.path == other.path || text(one.up.as_ref()) == text(other.up.as_ref()))
}

/// Everything that the two plans say against each other. `names`: whether the tool remembers what a migration is called.
#[must_use]
pub fn against(here: &[Planned], base: &[Planned], names: bool) -> Vec<Finding> {
    let mut found = duplicates(here, base);
    let newest = base.iter().filter(|planned| !planned.repeatable).map(|planned| &planned.order).max();
    let latest = base.iter().filter_map(|planned| Some((planned.stamp?, planned.path.as_str()))).max();
    for planned in here.iter().filter(|planned| !planned.repeatable) {
        let shipped = base.iter().find(|shipped| is_same(shipped, planned));
        match (shipped, newest) {
            (Some(shipped), _) if text(shipped.up.as_ref()) != text(planned.up.as_ref()) => {
                let what = format!("{} is shipped, and was changed", planned.path);
                found.push(finding(&SHIPPED_CHANGED, &planned.path, 1, &what));
            }
            (Some(shipped), _) if names && shipped.name != planned.name => {
                let what = format!("{} is shipped, and is called {} now", shipped.path, planned.path);
                found.push(finding(&SHIPPED_CHANGED, &planned.path, 1, &what));
            }
            (None, Some(newest)) if planned.order < *newest => {
                let newest = base.iter().find(|shipped| shipped.order == *newest).map_or("", |it| it.version.as_str());
                let what = format!("version {} is older than {newest}, the newest of the base", planned.version);
                found.push(finding(&OLDER, &planned.path, 1, &what));
            }
            (None, _) => found.extend(passed_over(planned, latest)),
            _ => {}
        }
    }
    for shipped in base.iter().filter(|shipped| !shipped.repeatable) {
        if !here.iter().any(|planned| is_same(planned, shipped)) {
            let what = format!("{} is shipped, and is gone", shipped.path);
            found.push(Finding { line: None, ..finding(&SHIPPED_DELETED, &shipped.path, 1, &what) });
        }
    }
    found
}

/// A tool that remembers only the newest date it has applied runs nothing that is not newer.
fn passed_over(planned: &Planned, latest: Option<(u64, &str)>) -> Option<Finding> {
    let (latest, path) = latest.filter(|(latest, _)| planned.stamp.is_some_and(|stamp| stamp <= *latest))?;
    let stamp = planned.stamp.unwrap_or_default();
    let what =
        format!("its date ({stamp}) is not after that of {path} ({latest}): databases that ran that one pass it over");
    Some(finding(&OLDER, &planned.path, 1, &what))
}

fn duplicates(here: &[Planned], base: &[Planned]) -> Vec<Finding> {
    let is_shipped = |planned: &Planned| base.iter().any(|shipped| is_same(shipped, planned));
    let mut by_order: BTreeMap<(bool, &[u64], &str), &Planned> = BTreeMap::new();
    let mut found = Vec::new();
    for planned in here {
        // Files of one number are put in order by their names, where a layout has such; their numbers must differ.
        let name = if planned.order.0.is_empty() || planned.repeatable { planned.order.1.as_str() } else { "" };
        let Some(first) = by_order.insert((planned.repeatable, &planned.order.0, name), planned) else { continue };
        // The newer one is to give way.
        let (newer, older) =
            if is_shipped(planned) && !is_shipped(first) { (first, planned) } else { (planned, first) };
        let what = format!("version {} is that of {} too", newer.version, older.path);
        found.push(finding(&DUPLICATE, &newer.path, 1, &what));
    }
    found
}

/// What is run, as a tool that remembers checksums would see it: line ends do not count.
fn text(script: Option<&Script>) -> Option<String> {
    Some(script?.pieces.iter().map(|piece| piece.text.replace('\r', "")).collect())
}
