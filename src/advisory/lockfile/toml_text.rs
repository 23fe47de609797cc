//! What the lockfiles written in TOML share. Cut behind a whole table they look whole to a reader of TOML: each
//! format says what it can see of that.

use serde::de::DeserializeOwned;

use super::LockError;
use super::lines::{LineIndex, ended};

/// Reads a file that a tool wrote.
///
/// # Errors
/// When it is no TOML or of another shape, or does not end with a line end, as the tools leave it.
pub(super) fn read<T: DeserializeOwned>(text: &str, expected: &'static str) -> Result<T, LockError> {
    ended(text)?;
    toml::from_str(text).map_err(|error| {
        let line = LineIndex::new(text).line(&error.span().unwrap_or(0..0));
        let what = error.message().lines().collect::<Vec<_>>().join("; ");
        LockError::Malformed { expected, line, what }
    })
}

/// Whether a text has a table `[name]` or `[[name]]`.
pub(super) fn has_table(text: &str, name: &str) -> bool {
    let header = |line: &str| line.trim_end().trim_matches(['[', ']']) == name && line.starts_with('[');
    text.lines().any(header)
}
