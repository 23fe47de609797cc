//! What a dry run saw: each statement, each migration, and the whole.

use std::time::Duration;

use super::{Change, Lock, Source};
use crate::model::finding::Finding;

/// What one statement did.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Where it stands and what it says.
    pub source: Source,
    /// How long it took here.
    pub took: Duration,
    /// Newly taken by it on what existed before this file.
    pub locks: Vec<Lock>,
    /// Taken by statements before it in the same transaction, and still held.
    pub held: Vec<Lock>,
    /// Existing tables and indexes that were written anew.
    pub rewrites: Vec<String>,
    /// Existing tables that were read from end to end.
    pub scans: Vec<String>,
    /// Rows inserted, updated and deleted.
    pub rows: u64,
    /// Bytes of write-ahead log.
    pub wal_bytes: u64,
    /// Changes of the schema.
    pub changes: Vec<Change>,
    /// The same as a report says it that was read back; there `changes` is empty.
    pub changes_in_words: Vec<String>,
    /// What was in force for waiting on locks, in milliseconds; 0 is for ever. `None` where nobody knows.
    pub lock_timeout_ms: Option<u64>,
    /// Why it failed.
    pub error: Option<StatementError>,
    /// Why it was not run.
    pub not_run: Option<String>,
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementError {
    /// What the server said.
    pub message: String,
    /// Its code (`SQLSTATE`), where it gave one.
    pub code: Option<String>,
    /// More, and what the server would do.
    pub hint: Option<String>,
    /// The line in the file, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
}

/// How a migration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was applied.
    Ok,
    /// A statement failed.
    Error,
    /// It was not run, wholly or in part.
    NotRun,
}

/// What up, down and up again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoundTrip {
    /// Down restores the schema, and up makes the same again.
    Exact,
    /// Something is not as it was.
    Differs,
    /// There is no down.
    MissingDown,
    /// The down does nothing.
    EmptyDown,
    /// The down fails.
    DownError,
    /// Up fails the second time.
    ReupError,
    /// It was not tried.
    #[default]
    NotRun,
}

impl RoundTrip {
    const ALL: [Self; 7] = [
        Self::Exact,
        Self::Differs,
        Self::MissingDown,
        Self::EmptyDown,
        Self::DownError,
        Self::ReupError,
        Self::NotRun,
    ];

    /// By the word in the report.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The word in the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differs => "differs",
            Self::MissingDown => "missing_down",
            Self::EmptyDown => "empty_down",
            Self::DownError => "down_error",
            Self::ReupError => "reup_error",
            Self::NotRun => "not_run",
        }
    }
}

impl Applied {
    /// By the word in the report.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Ok, Self::Error, Self::NotRun].into_iter().find(|known| known.word() == word)
    }

    /// The word in the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::NotRun => "not_run",
        }
    }
}

/// One migration after the dry run.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The version, as the tool spells it.
    pub version: String,
    /// The description.
    pub name: String,
    /// The file that makes it.
    pub path: String,
    /// How it ended.
    pub outcome: Applied,
    /// Why it did not end well.
    pub error: Option<String>,
    /// Wall time of its statements, without observing.
    pub took: Duration,
    /// Whether it ran in one transaction.
    pub transactional: bool,
    /// Up, down and up again.
    pub round_trip: RoundTrip,
    /// What differed, or failed.
    pub round_trip_detail: Vec<String>,
    /// In file order; empty for one that was applied but not observed.
    pub statements: Vec<Statement>,
}

impl Migration {
    /// One of which nothing was run.
    #[must_use]
    pub fn not_run(path: &str) -> Self {
        Self {
            version: String::new(),
            name: String::new(),
            path: path.to_owned(),
            outcome: Applied::NotRun,
            error: None,
            took: Duration::ZERO,
            transactional: false,
            round_trip: RoundTrip::NotRun,
            round_trip_detail: Vec::new(),
            statements: Vec::new(),
        }
    }
}

/// A whole dry run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migrations {
    /// The layout's name.
    pub layout: String,
    /// The server, with its version; `None` where none was reached.
    pub database: Option<String>,
    /// Those that were judged, in the order they run.
    pub migrations: Vec<Migration>,
    /// How many the base has, which were not judged; `None` where that is not known.
    pub of_the_base: Option<usize>,
    /// What was found, in file order.
    pub findings: Vec<Finding>,
    /// What the schema becomes, as SQL.
    pub schema_diff: String,
    /// The same for a reader: one line for each change.
    pub schema_summary: Vec<String>,
}
