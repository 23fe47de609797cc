//! Whether a gate has anything to judge here, before it is started.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::gate::Only;
use crate::model::settings::Common;

/// Whether a gate is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It is, and why.
    Run(String),
    /// It has nothing to judge, and why.
    Skip(String),
}

/// Decides by `when` and `paths`. Changed paths that no report can name match every pattern: it cannot be said that
/// they do not.
///
/// # Errors
/// When a pattern of `paths` is no glob; the text says which and why.
pub fn due(common: &Common, occasion: &Occasion, scope: &Scope) -> Result<Due, String> {
    if !common.when.is_empty() && !common.when.iter().any(|when| occasion.fits(when)) {
        return Ok(Due::Skip(format!("`when` has {}, this is {}", quoted(&common.when), occasion_words(occasion))));
    }
    if common.paths.is_empty() {
        return Ok(Due::Run("every path".to_owned()));
    }
    let Some(change) = scope.change() else {
        return Ok(Due::Run("everything is judged".to_owned()));
    };
    if let Some(path) = change.unnameable.first() {
        return Ok(Due::Run(format!("{path} changed, and may match")));
    }
    let globs = globs(&common.paths)?;
    let matched = change
        .files
        .iter()
        .find(|(path, file)| {
            globs.is_match(path.as_str()) || file.old_path.as_ref().is_some_and(|old| globs.is_match(old.as_str()))
        })
        .map(|(path, _)| path);
    Ok(match matched {
        Some(path) => Due::Run(format!("{path} changed")),
        None => Due::Skip(format!("none of the {} changed files match {}", change.files.len(), quoted(&common.paths))),
    })
}

/// Which findings count where the configuration leaves it open: `new` with a baseline; else changed lines for a kind
/// that judges the change, on a pull request, in a merge queue or on a laptop; else all.
#[must_use]
pub fn default_only(judges_the_change: bool, occasion: &Occasion, has_baseline: bool) -> Only {
    let of_a_change =
        matches!(occasion.event.as_str(), "pull_request" | "pull_request_target" | "merge_group" | "local");
    match (has_baseline, judges_the_change && of_a_change) {
        (true, _) => Only::New,
        (false, true) => Only::ChangedLines,
        (false, false) => Only::All,
    }
}

/// Patterns as `paths` and `reports` have them: `*` stays within a folder, `**` does not.
///
/// # Errors
/// When one is no glob.
fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern.trim_start_matches("./")).literal_separator(true).build();
        set.add(glob.map_err(|error| format!("{pattern:?} is no path pattern: {error}"))?);
    }
    set.build().map_err(|error| format!("path patterns do not combine: {error}"))
}

fn occasion_words(occasion: &Occasion) -> String {
    match &occasion.branch {
        Some(branch) if occasion.event == "push" => format!("push:{branch}"),
        _ => occasion.event.clone(),
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
