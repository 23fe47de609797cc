//! Why a command could not do its work at all. The exit code comes with it; the text says what was tried, on what,
//! what happened and what to do next.

use std::io::ErrorKind;

use crate::model::exit::ExitCode;

/// A command's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process ends with.
    pub code: ExitCode,
    /// What was tried and what happened.
    pub what: String,
    /// `what` is an excerpt of a file with its own headings and colours, and without anything that could command a terminal.
    pub is_rendered: bool,
    /// What to do next.
    pub help: Option<String>,
    /// Why in one stable word, for programs, where the exit code alone says too little.
    pub reason: Option<&'static str>,
}

impl Failure {
    /// Asked for in a way that cannot be done.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self { code: ExitCode::Usage, what: what.into(), is_rendered: false, help: None, reason: None }
    }

    /// The outside world failed.
    #[must_use]
    pub fn outside(what: impl Into<String>) -> Self {
        Self { code: ExitCode::CouldNotJudge, what: what.into(), is_rendered: false, help: None, reason: None }
    }

    /// Not allowed here.
    #[must_use]
    pub fn refused(what: impl Into<String>) -> Self {
        Self { code: ExitCode::Refused, what: what.into(), is_rendered: false, help: None, reason: None }
    }

    /// A bug in gatepost.
    #[must_use]
    pub fn bug(what: impl std::fmt::Display) -> Self {
        Self { code: ExitCode::Bug, what: what.to_string(), is_rendered: false, help: None, reason: None }
    }

    /// What is wrong with a file, as it is shown.
    #[must_use]
    pub fn rendered(self) -> Self {
        Self { is_rendered: true, ..self }
    }

    /// Says why in one word.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Why in one stable word; where there is no other, by the exit code.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.reason.unwrap_or(match self.code {
            ExitCode::Usage => "usage",
            ExitCode::Refused => "refused",
            ExitCode::Interrupted(_) => "interrupted",
            ExitCode::Bug => "bug",
            _ => "unavailable",
        })
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl From<crate::world::files::FileError> for Failure {
    fn from(error: crate::world::files::FileError) -> Self {
        let failure = Self::outside(error.to_string());
        match error.source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => failure.help("make room on that disk"),
            _ => failure,
        }
    }
}
