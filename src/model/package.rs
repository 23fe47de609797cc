//! Packages that a lockfile holds: what the audit looks up, tells apart and points at.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose names and versions these are, by the word that OSV uses
/// (<https://ossf.github.io/osv-schema/#defined-ecosystems>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Ecosystem {
    /// Rust.
    #[serde(rename = "crates.io")]
    CratesIo,
    /// JavaScript.
    #[serde(rename = "npm")]
    Npm,
    /// Python.
    #[serde(rename = "PyPI")]
    PyPi,
    /// Go, its standard library included as the package `stdlib`.
    Go,
    /// Ruby.
    RubyGems,
    /// PHP.
    Packagist,
}

impl Ecosystem {
    /// Every ecosystem.
    pub const ALL: [Self; 6] = [Self::CratesIo, Self::Npm, Self::PyPi, Self::Go, Self::RubyGems, Self::Packagist];

    /// OSV's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CratesIo => "crates.io",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Go => "Go",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
        }
    }

    /// The ecosystem of OSV's word; what follows a colon (`Go:1.21`) is left out.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.split(':').next().unwrap_or_default();
        Self::ALL.into_iter().find(|ecosystem| ecosystem.word() == word)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One package of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// As the file has it; it is normalised only to be matched.
    pub name: String,
    /// As the file has it, a leading `v` of Go left out.
    pub version: String,
    /// Used only to develop, build or test; false where the file does not tell.
    pub dev: bool,
    /// Asked for by the project itself; `None` where the file does not tell.
    pub direct: Option<bool>,
    /// Where it stands in the lockfile, from 1; 0 where the format has no lines of its own.
    pub line: u32,
    /// Names from a direct dependency down to this package, both included; empty where the file does not tell.
    #[serde(skip)]
    pub path: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for ecosystem in Ecosystem::ALL {
            assert_eq!(Ecosystem::parse(ecosystem.word()), Some(ecosystem));
            assert_eq!(serde_json::json!(ecosystem), ecosystem.word());
        }
        assert_eq!(Ecosystem::parse("Go:1.21"), Some(Ecosystem::Go));
        assert_eq!(Ecosystem::parse("npm2"), None);
    }
}
