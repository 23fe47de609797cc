//! The words of a gate's configuration that judging and reporting share.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::finding::Level;

/// A gate's name: 1 to 64 of `A-Z a-z 0-9 _ . -`, starting with a letter or digit. It names folders and check runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"))]
pub struct GateName(String);

/// The text cannot name a gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a gate: use 1 to 64 letters, digits, `_`, `.` or `-`, starting with a letter or digit")]
pub struct GateNameError(String);

impl GateName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has a character that cannot stand in a file name everywhere.
    pub fn parse(text: &str) -> Result<Self, GateNameError> {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if good { Ok(Self(text.to_owned())) } else { Err(GateNameError(text.chars().take(80).collect())) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GateName {
    type Error = GateNameError;

    fn try_from(text: String) -> Result<Self, GateNameError> {
        Self::parse(&text)
    }
}

impl From<GateName> for String {
    fn from(name: GateName) -> Self {
        name.0
    }
}

/// Which findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    /// Every finding.
    All,
    /// Those that a report of the base does not have.
    New,
    /// Those in files that the change touches.
    ChangedFiles,
    /// Those on lines that the change adds or changes.
    ChangedLines,
}

impl Only {
    /// As written in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::New => "new",
            Self::ChangedFiles => "changed-files",
            Self::ChangedLines => "changed-lines",
        }
    }

    /// What a word of the configuration or of a report means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::All, Self::New, Self::ChangedFiles, Self::ChangedLines].into_iter().find(|only| only.word() == word)
    }
}

/// Whether a gate's outcome may block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Its outcome counts.
    #[default]
    Block,
    /// It runs and is shown as "not enforced"; it never blocks and is no evidence.
    Report,
}

/// What a pass that needed a retry is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flaky {
    /// It passes, and the flakiness is shown.
    #[default]
    Warn,
    /// It fails.
    Fail,
}

/// The settings by which evidence is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Which findings count.
    pub only: Only,
    /// The least level that blocks.
    pub fail_on: Level,
    /// How many blocking findings are tolerated; default 0.
    pub max_findings: usize,
    /// The least number of tests that must have run; `None` where the gate promises no tests.
    pub min_tests: Option<usize>,
    /// What a pass that needed a retry is worth.
    pub flaky: Flaky,
    /// Whether the outcome may block.
    pub mode: Mode,
}
/// How a script that is taken for a gate loses failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// It cannot fail at all; else a part of it cannot.
    pub all: bool,
    /// What loses them.
    pub why: String,
}
