//! What the lockfiles written in TOML share. Cut behind a whole table they look whole to a reader of TOML: each
//! format says what it can see of that.

use serde::de::DeserializeOwned;

use super::LockError;
use super::lines::{LineIndex, ended, number};

/// Reads a file that a tool wrote.
///
/// # Errors
/// When it is no TOML or of another shape, or does not end with a line end, as the tools leave it.
pub(super) fn read<T: DeserializeOwned>(text: &str, expected: &'static str) -> Result<T, LockError> {
    ended(text)?;
    if let Some(line) = text.lines().position(is_too_deep) {
        let what = format!("a key has more than {MOST_PARTS} parts");
        return Err(LockError::Malformed { expected, line: number(line + 1), what });
    }
    toml::from_str(text).map_err(|error| {
        let line = LineIndex::new(text).line(&error.span().unwrap_or(0..0));
        let what = error.message().lines().collect::<Vec<_>>().join("; ");
        LockError::Malformed { expected, line, what }
    })
}

/// How many parts a dotted key may have: the reader of TOML takes time with the square of them.
const MOST_PARTS: usize = 200;

fn is_too_deep(line: &str) -> bool {
    line.len() > MOST_PARTS
        && line.split(['=', '[', ']', '{', '}', ',']).any(|part| part.matches('.').count() > MOST_PARTS)
}

/// Whether a text has a table `[name]` or `[[name]]`.
pub(super) fn has_table(text: &str, name: &str) -> bool {
    let header = |line: &str| line.trim_end().trim_matches(['[', ']']) == name && line.starts_with('[');
    text.lines().any(header)
}
