//! Databases that migrations are tried on: scratch servers of PostgreSQL and MySQL, SQLite in this process. Each file
//! here runs statements and tells what they did; what that is worth is judged elsewhere. Nothing here writes to a
//! database that it did not create.

pub mod found;
#[cfg(unix)]
pub mod mysql;
#[cfg(unix)]
pub mod packed;
#[cfg(unix)]
pub mod postgres;
pub mod programs;
#[cfg(unix)]
pub mod scratch;
pub mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use crate::model::migration::{DatabaseKind, Facts, Source, Statement, Tables};

/// Why there is no database to try on, or none any more. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No server is installed.
    #[error("no {} server was found on this machine: {help}", kind.word())]
    NoServer {
        /// Which one was looked for.
        kind: DatabaseKind,
        /// How to get one.
        help: String,
    },
    /// The one asked for is not among those that are installed.
    #[error("version {wanted} of {} was asked for, and there is {}: {help}", kind.word(), listed(found))]
    NoVersion {
        /// Which one was looked for.
        kind: DatabaseKind,
        /// What was asked for.
        wanted: String,
        /// What is there.
        found: Vec<String>,
        /// How to get it.
        help: String,
    },
    /// A folder or a file of the scratch server could not be made.
    #[error("the scratch server's folder could not be prepared: {0}")]
    Folder(#[from] std::io::Error),
    /// The server did not come up.
    #[error("the scratch server ({}) did not start: {said}", program.display())]
    NotStarted {
        /// What was run.
        program: PathBuf,
        /// What it printed at last.
        said: String,
    },
    /// It is gone, or cannot go on.
    #[error("the database server was lost {during}: {said}")]
    Lost {
        /// What was being done.
        during: String,
        /// What the driver said.
        said: String,
    },
    /// Its catalogs are not those that are read here.
    #[error("{name} is older than any that is understood: {oldest} or newer is needed")]
    TooOld {
        /// Which one it is.
        name: String,
        /// The oldest that is understood.
        oldest: String,
    },
    /// The server that was named cannot be used.
    #[error("database-url: {0}")]
    Url(String),
}

fn listed(found: &[String]) -> String {
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

/// Refuses a server on another machine, unless there is leave.
#[cfg(unix)]
fn here_or_allowed(host: &str, by_socket: bool, allow_remote: bool) -> Result<(), DatabaseError> {
    let is_here = by_socket || host.starts_with('/') || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
    if is_here || allow_remote {
        return Ok(());
    }
    Err(DatabaseError::Url(format!("{host} is another machine; `allow-remote = true` lets a database be made there")))
}

/// An address that was given, of a database of ours on that server, perhaps for an account of ours. The rest stays as it is
/// written: each client has its own words behind the `?`, and those of the driver here may be none of them.
#[cfg(unix)]
fn address_of(given: &str, account: Option<&str>, name: &str) -> String {
    let (scheme, rest) = given.split_once("://").unwrap_or((given, ""));
    let (place, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (own, host) = place.rsplit_once('@').map_or((None, place), |(own, host)| (Some(own), host));
    let login = account.or(own).map_or(String::new(), |login| format!("{login}@"));
    let words = behind.split('#').next().and_then(|behind| behind.split_once('?')).map_or("", |(_, words)| words);
    let is_kept = |word: &&str| {
        !word.is_empty() && !["dbname=", "statement-cache-capacity="].iter().any(|key| word.starts_with(key))
    };
    let words: Vec<&str> = words.split('&').filter(is_kept).collect();
    let words = if words.is_empty() { String::new() } else { format!("?{}", words.join("&")) };
    format!("{scheme}://{login}{host}/{name}{words}")
}

/// How a statement ended.
pub enum Ran {
    /// It was run, whether it succeeded or not.
    Done(Box<Statement>),
    /// The connection did not survive it.
    Lost(Box<Statement>),
    /// What it lacked was made, and the script's transaction begun anew: the script is to be run from its start.
    Again,
}

/// A database while migrations are tried on it.
#[expect(async_fn_in_trait, reason = "it is used on one thread, and by this crate alone")]
pub trait Database {
    /// With its version: `postgres 15.18`.
    fn name(&self) -> String;

    /// Starts a script. With `observe`, what its statements do is looked at.
    ///
    /// # Errors
    /// When the server is gone.
    async fn begin(&mut self, transaction: bool, observe: bool) -> Result<(), DatabaseError>;

    /// Runs a whole script in a transaction of its own, while nobody looks; false where it has to be run statement by
    /// statement, of which nothing was done.
    ///
    /// # Errors
    /// When the server is gone.
    async fn at_once(&mut self, _sources: &[Source]) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    /// Runs one statement of the script; one that fails leaves the others unharmed.
    ///
    /// # Errors
    /// When the server is gone for another reason than the statement.
    async fn run(&mut self, source: &Source) -> Result<Ran, DatabaseError>;

    /// Ends a script: its transaction is committed, or taken back. What the commit itself refuses is told.
    ///
    /// # Errors
    /// When the server is gone.
    async fn end(&mut self, keep: bool) -> Result<Option<String>, DatabaseError>;

    /// The schema as it is, within the script's transaction too.
    ///
    /// # Errors
    /// When the server is gone.
    async fn facts(&mut self) -> Result<Facts, DatabaseError>;

    /// What a schema has beside the facts that each statement is compared by; it is read where whole schemas are.
    ///
    /// # Errors
    /// When the server is gone.
    async fn rest(&mut self) -> Result<Facts, DatabaseError>;

    /// The schema, read anew: another connection may have changed it.
    ///
    /// # Errors
    /// When the server is gone.
    async fn facts_anew(&mut self) -> Result<Facts, DatabaseError>;

    /// What its tables tell of work that nobody watched; none where they tell nothing.
    ///
    /// # Errors
    /// When the server is gone.
    async fn tables(&mut self) -> Result<Tables, DatabaseError> {
        Ok(Tables::new())
    }

    /// The variables by which a tool reaches it; none where no other process can.
    fn address(&self) -> Vec<(&'static str, String)>;

    /// Whether a transaction takes back changes of the schema too.
    fn takes_back(&self) -> bool;

    /// Goes on with a new connection, which has nothing of what a session keeps for itself. No script is under way.
    ///
    /// # Errors
    /// When the server is gone.
    async fn afresh(&mut self) -> Result<(), DatabaseError>;

    /// A database of its own that is a copy of this one; [`Database::back`] drops it again. False where that cannot be.
    ///
    /// # Errors
    /// When the server is gone.
    async fn aside(&mut self) -> Result<bool, DatabaseError>;

    /// Goes back to the database that was copied.
    ///
    /// # Errors
    /// When the server is gone.
    async fn back(&mut self) -> Result<(), DatabaseError>;

    /// Extensions that the server can make.
    ///
    /// # Errors
    /// When the server is gone.
    async fn extensions(&mut self) -> Result<Vec<String>, DatabaseError>;

    /// What was taken for granted, as notes.
    fn taken_for_granted(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends what was started here, and removes what was made.
    async fn stop(self);
}

/// A statement of which nothing is known but its text.
#[must_use]
pub fn unknown(source: &Source) -> Statement {
    Statement {
        source: source.clone(),
        took: Duration::ZERO,
        locks: Vec::new(),
        held: Vec::new(),
        rewrites: Vec::new(),
        scans: Vec::new(),
        rows: 0,
        wal_bytes: 0,
        changes: Vec::new(),
        changes_in_words: Vec::new(),
        lock_timeout_ms: None,
        error: None,
        not_run: None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_all_but_the_database() {
        for (given, account, address) in [
            ("postgres://u:p%40@h:5/db?sslmode=require", None, "postgres://u:p%40@h:5/gatepost_1?sslmode=require"),
            ("postgresql://h", None, "postgresql://h/gatepost_1"),
            ("postgres:///db?host=/s&dbname=x&statement-cache-capacity=5", None, "postgres:///gatepost_1?host=/s"),
            ("mysql://root@h/mysql?socket=/s", Some("a:b"), "mysql://a:b@h/gatepost_1?socket=/s"),
        ] {
            assert_eq!(address_of(given, account, "gatepost_1"), address, "{given}");
        }
    }
}
