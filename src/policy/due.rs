//! Whether a gate has anything to judge here, before it is started.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::settings::Common;

/// Whether a gate is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It is, and why.
    Run(String),
    /// It has nothing to judge, and why.
    Skip(String),
}

/// Decides by `when` and `paths`. `unreadable_paths` are changed paths that are not UTF-8: they match every pattern,
/// since it cannot be said that they do not.
///
/// # Errors
/// When a pattern of `paths` is no glob; the text says which and why.
pub fn due(common: &Common, occasion: &Occasion, scope: &Scope, unreadable_paths: usize) -> Result<Due, String> {
    if !common.when.is_empty() && !common.when.iter().any(|when| occasion.fits(when)) {
        return Ok(Due::Skip(format!("`when` has {}, this is {}", quoted(&common.when), occasion_words(occasion))));
    }
    if common.paths.is_empty() {
        return Ok(Due::Run("every path".to_owned()));
    }
    let Some(change) = scope.change() else {
        return Ok(Due::Run("everything is judged".to_owned()));
    };
    if unreadable_paths > 0 {
        return Ok(Due::Run(format!("{unreadable_paths} changed paths are not UTF-8 and may match")));
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
