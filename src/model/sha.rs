//! A full commit id.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A full git object id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Sha(String);

/// The text is no full commit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a full commit id of 40 or 64 hexadecimal digits")]
pub struct ShaError(String);

impl Sha {
    /// Reads a full id; upper-case digits are folded.
    ///
    /// # Errors
    /// When it is shorter, longer, or has another character.
    pub fn parse(text: &str) -> Result<Self, ShaError> {
        let good = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(ShaError(text.chars().take(80).collect())) }
    }

    /// The id that no commit has.
    #[must_use]
    pub fn zero() -> Self {
        Self("0".repeat(40))
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Sha {
    type Error = ShaError;

    fn try_from(text: String) -> Result<Self, ShaError> {
        Self::parse(&text)
    }
}

impl From<Sha> for String {
    fn from(sha: Sha) -> Self {
        sha.0
    }
}
