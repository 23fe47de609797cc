//! A path inside the repository: relative to its root, with `/`, never leaving it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A clean path relative to the repository's root. It has no `.`, `..`, empty part, drive, NUL or line break.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPath(String);

/// Why some text is no path inside the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing is left of it.
    #[error("path is empty")]
    Empty,
    /// It starts at a root or names a drive.
    #[error("path {0:?} is absolute")]
    Absolute(String),
    /// `..` leads out of the repository.
    #[error("path {0:?} leads out of the repository")]
    Escapes(String),
    /// NUL, a line break or another control character.
    #[error("path {0:?} has a control character")]
    Control(String),
}

impl RepoPath {
    /// Reads a relative path; `\` counts as `/`, `.` and inner `..` are resolved.
    ///
    /// # Errors
    /// When the text is empty, absolute, has a control character or leads out of the repository.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::join("", text)
    }

    /// Reads a path relative to `dir`, itself relative to the root (`""` is the root).
    ///
    /// # Errors
    /// As [`RepoPath::parse`].
    pub fn join(dir: &str, text: &str) -> Result<Self, PathError> {
        if text.chars().any(char::is_control) {
            return Err(PathError::Control(text.to_owned()));
        }
        let text = text.replace('\\', "/");
        let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
        if text.starts_with('/') || drive {
            return Err(PathError::Absolute(text));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in dir.split('/').chain(text.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err(PathError::Escapes(text));
                    }
                }
                other => parts.push(other),
            }
        }
        if parts.is_empty() {
            return Err(PathError::Empty);
        }
        Ok(Self(parts.join("/")))
    }

    /// The text, with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies in this folder, however deep.
    #[must_use]
    pub fn is_below(&self, folder: &Self) -> bool {
        self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RepoPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(RepoPath::parse("./a//b/../c").unwrap().as_str(), "a/c");
        assert_eq!(RepoPath::join("packages/web", "src\\a.js").unwrap().as_str(), "packages/web/src/a.js");
        assert_eq!(RepoPath::join("packages/web", "../api/x.js").unwrap().as_str(), "packages/api/x.js");
        assert!(matches!(RepoPath::parse("../x"), Err(PathError::Escapes(_))));
        assert!(matches!(RepoPath::parse("a/../../x"), Err(PathError::Escapes(_))));
        assert!(matches!(RepoPath::parse("/etc/passwd"), Err(PathError::Absolute(_))));
        assert!(matches!(RepoPath::parse("C:\\x"), Err(PathError::Absolute(_))));
        assert!(matches!(RepoPath::parse("a\nb"), Err(PathError::Control(_))));
        assert!(matches!(RepoPath::parse("."), Err(PathError::Empty)));
    }
}
