//! The filter modes of reviewdog, said in this program's words to those who write them out of habit.

use crate::model::gate::Only;

/// A filter mode's counterpart here, and what differs. `diff_context` has none: the wider one is named, which misses
/// nothing that it showed.
#[must_use]
pub fn meaning(mode: &str) -> Option<(Only, &'static str)> {
    Some(match mode {
        "added" => (Only::ChangedLines, "findings on lines that the change adds or alters"),
        "diff_context" => {
            (Only::ChangedFiles, "findings anywhere in changed files, also beyond the lines that a diff shows")
        }
        "file" => (Only::ChangedFiles, "findings anywhere in changed files"),
        "nofilter" => (Only::All, "every finding"),
        _ => return None,
    })
}

/// What to write in place of a filter mode.
#[must_use]
pub fn advice(mode: &str) -> Option<String> {
    let (only, what) = meaning(mode)?;
    Some(format!("reviewdog's `{mode}` is `only = \"{}\"` here: {what}", only.word()))
}
