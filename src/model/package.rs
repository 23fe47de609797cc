//! Packages that a lockfile holds: what the audit looks up, tells apart and points at.

use std::fmt;
use std::sync::Arc;

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
    /// From a direct dependency down to this package, both included; empty where the file does not tell.
    #[serde(skip)]
    pub path: Way,
}

/// Names along a way, each part of which it shares with the other ways that lead over it: a file made for it has ways
/// whose names are a thousand times its size.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way(Option<Arc<Step>>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    name: String,
    length: usize,
    before: Way,
}

impl Way {
    /// The longest that is told, in names.
    pub const LONGEST: usize = 200;

    /// One step further; `None` where that is longer than anyone reads.
    #[must_use]
    pub fn and(&self, name: &str) -> Option<Self> {
        let length = self.length() + 1;
        (length <= Self::LONGEST)
            .then(|| Self(Some(Arc::new(Step { name: name.to_owned(), length, before: self.clone() }))))
    }

    /// How many names it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.as_ref().map_or(0, |step| step.length)
    }

    /// The name before the last.
    #[must_use]
    pub fn above(&self) -> Option<&str> {
        self.0.as_ref()?.before.0.as_ref().map(|step| step.name.as_str())
    }

    /// The names, the first one first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::iter::successors(self.0.as_ref(), |step| step.before.0.as_ref())
            .map(|step| step.name.clone())
            .collect();
        names.reverse();
        names
    }
}

impl<'n> FromIterator<&'n str> for Way {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        names.into_iter().fold(Self::default(), |way, name| way.and(name).unwrap_or_default())
    }
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
