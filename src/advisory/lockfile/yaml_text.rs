//! What the lockfiles written in YAML share. Cut behind a whole line they look whole to a reader of YAML: each format
//! says what it can see of that.

use super::LockError;
use super::lines::{ended, number};
use crate::model::yaml::{Node, YamlError, documents};

/// How many nodes a lockfile may have: twenty times those of the largest that are known.
const MOST_NODES: usize = 4_000_000;

/// Reads the documents of a file that a tool wrote.
///
/// # Errors
/// When it is no YAML, or does not end with a line end, as the tools leave it.
pub(super) fn read(text: &str, expected: &'static str) -> Result<Vec<Node>, LockError> {
    ended(text)?;
    documents(text, MOST_NODES).map_err(|error| {
        let (line, what) = match error {
            YamlError::Syntax { line, what } => (line, what),
            YamlError::Twice { line, key } => (line, format!("the key {key:?} stands twice")),
            YamlError::Key { line } => (line, "a key must be a text".to_owned()),
            other @ (YamlError::TooLarge { .. } | YamlError::Documents(_)) => (1, other.to_string()),
        };
        LockError::Malformed { expected, line: number(line), what }
    })
}
