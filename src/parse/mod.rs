//! Formats: what tools print, read into findings and tests. Pure: bytes in, [`Parsed`] or [`ParseError`] out.
//! A new format is one file with a [`Format`] and one row in [`ALL`].

mod advisories;
mod arrays;
mod cargo;
mod cargo_audit;
mod cargo_deny;
mod checkstyle;
mod diff;
mod ecmascript;
mod encoding;
mod eslint;
mod folders;
mod gcc;
mod github;
mod gotest;
mod grype;
mod json;
mod junit;
mod libtest;
mod lines;
pub mod matcher;
mod npm_advisories;
mod npm_audit;
mod osv_scanner;
mod pip_audit;
mod pnpm_audit;
mod rdjson;
mod rdjsonl;
mod reading;
pub mod report;
mod ruff;
mod sarif;
#[cfg(test)]
mod tests;
mod trivy;
mod tsc;
mod uri;
mod xml;
mod yarn_audit;
pub mod zip;

use crate::model::evidence::Parsed;

pub use gotest::Compiler;
pub use libtest::not_compiled;
pub use lines::{LineParser, Lines};

/// Every format, in the order in which `auto` tries them: the most particular first.
pub static ALL: &[&Format] = &[
    &sarif::FORMAT,
    &rdjson::FORMAT,
    &rdjsonl::FORMAT,
    &eslint::FORMAT,
    &ruff::FORMAT,
    &npm_audit::FORMAT,
    &yarn_audit::FORMAT,
    &pnpm_audit::FORMAT,
    &pip_audit::FORMAT,
    &cargo_audit::FORMAT,
    &cargo_deny::FORMAT,
    &trivy::FORMAT,
    &grype::FORMAT,
    &osv_scanner::FORMAT,
    &junit::FORMAT,
    &checkstyle::FORMAT,
    &gotest::FORMAT,
    &libtest::FORMAT,
    &cargo::FORMAT,
    &diff::FORMAT,
    &github::FORMAT,
    &tsc::FORMAT,
    &gcc::FORMAT,
    &matcher::FORMAT,
];

/// One tool's or standard's output format.
#[derive(Debug)]
pub struct Format {
    /// The name in `format = "…"` and `--from`.
    pub name: &'static str,
    /// One phrase for the README's table: which tools print it, and how they are asked to.
    pub about: &'static str,
    /// Which output of a command is read.
    pub stream: Stream,
    /// What empty output with exit status 0 means.
    pub empty: Empty,
    /// Whether the beginning of some output (up to 1 MiB) is of this format. Content alone decides.
    pub recognises: fn(&[u8]) -> bool,
    /// How it is read.
    pub reader: Reader,
}

/// Which output of a command a format is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output and standard error in the order they were written: formats meant for people.
    Both,
    /// Standard output alone: formats meant for machines.
    Stdout,
}

/// What empty output with exit status 0 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// Nothing was found.
    Clean,
    /// The tool always prints something: a report was promised and did not come.
    Error,
}

/// How a format is read.
#[derive(Debug, Clone, Copy)]
pub enum Reader {
    /// The whole input at once.
    Whole(fn(&[u8]) -> Result<Parsed, ParseError>),
    /// Line by line, so that any length costs the memory of its findings only.
    Lines(fn() -> Box<dyn LineParser>),
}

/// Why some output could not be read as the format it was promised to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing came where something was promised.
    #[error("expected {expected}, got nothing")]
    Empty {
        /// What the format looks like ("a JSON array of files, as `eslint --format json` prints it").
        expected: &'static str,
    },
    /// It began well and ended too early.
    #[error("expected {expected}, but the input ends early at byte {offset}: {what}")]
    Truncated {
        /// What the format looks like.
        expected: &'static str,
        /// Where it ends.
        offset: usize,
        /// What was open there.
        what: String,
    },
    /// It is something else, or broken.
    #[error("expected {expected}, got {got}")]
    Malformed {
        /// What the format looks like.
        expected: &'static str,
        /// What came: the reader's words and the first characters, cleaned.
        got: String,
    },
    /// It can be read, and says that the tool could not do its work.
    #[error("{tool} reports that its run failed: {what:?}; nothing it found explains that")]
    ToolFailed {
        /// The tool's name; in quotes where it is its word for itself.
        tool: String,
        /// Its words, cleaned.
        what: String,
    },
}

/// Finds a format by name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.name == name)
}

/// The format that `head`, the first bytes of some output (up to 1 MiB), is of.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| (format.recognises)(head))
}

impl Format {
    /// Reads bytes that are all in memory.
    ///
    /// # Errors
    /// When they are not of this format, end early, or are empty where [`Empty::Error`] holds.
    pub fn parse(&self, input: &[u8]) -> Result<Parsed, ParseError> {
        match self.reader {
            Reader::Whole(parse) => parse(input),
            Reader::Lines(start) => {
                let mut lines = Lines::new(start());
                lines.feed(input);
                lines.end()
            }
        }
    }
}
