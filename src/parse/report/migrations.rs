//! The part of a gate of kind `migrations`, read back. A word that is not known is taken for what proves the least.

use serde::Deserialize;

use super::{List, MOST, milliseconds, position};
use crate::model::migration::{
    Applied, Form, Lock, LockMode, Migration, Migrations, RoundTrip, Source, Statement, StatementError,
};

#[derive(Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    layout: String,
    database: Option<String>,
    migrations: List<WrittenMigration, MOST>,
    of_the_base: Option<usize>,
    #[serde(default)]
    schema_diff: String,
    #[serde(default)]
    schema_summary: List<String, MOST>,
}

#[derive(Deserialize)]
struct WrittenMigration {
    #[serde(default)]
    version: String,
    #[serde(default)]
    name: String,
    path: String,
    outcome: String,
    error: Option<String>,
    #[serde(default)]
    took_ms: u64,
    #[serde(default)]
    transactional: bool,
    #[serde(default)]
    round_trip: String,
    #[serde(default)]
    round_trip_detail: List<String, MOST>,
    #[serde(default)]
    statements: List<WrittenStatement, MOST>,
}

#[derive(Deserialize)]
struct WrittenStatement {
    line: u32,
    sql: String,
    #[serde(default)]
    took_ms: u64,
    #[serde(default)]
    locks: List<WrittenLock, MOST>,
    #[serde(default)]
    held: List<WrittenLock, MOST>,
    #[serde(default)]
    rewrites: List<String, MOST>,
    #[serde(default)]
    scans: List<String, MOST>,
    #[serde(default)]
    rows: u64,
    #[serde(default)]
    wal_bytes: u64,
    #[serde(default)]
    changes: List<String, MOST>,
    error: Option<WrittenError>,
    not_run: Option<String>,
}

#[derive(Deserialize)]
struct WrittenLock {
    object: String,
    mode: String,
}

#[derive(Deserialize)]
struct WrittenError {
    message: String,
    code: Option<String>,
    hint: Option<String>,
    line: u32,
    column: Option<u32>,
}

impl From<Written> for Migrations {
    fn from(read: Written) -> Self {
        Self {
            layout: read.layout,
            database: read.database,
            migrations: read.migrations.0.into_iter().map(Migration::from).collect(),
            of_the_base: read.of_the_base,
            schema_diff: read.schema_diff,
            schema_summary: read.schema_summary.0,
            ..Self::default()
        }
    }
}

impl From<WrittenMigration> for Migration {
    fn from(read: WrittenMigration) -> Self {
        Self {
            version: read.version,
            name: read.name,
            path: read.path,
            outcome: Applied::of_word(&read.outcome).unwrap_or(Applied::NotRun),
            error: read.error,
            took: milliseconds(read.took_ms),
            transactional: read.transactional,
            round_trip: RoundTrip::of_word(&read.round_trip).unwrap_or_default(),
            round_trip_detail: read.round_trip_detail.0,
            statements: read.statements.0.into_iter().map(Statement::from).collect(),
        }
    }
}

impl From<WrittenStatement> for Statement {
    fn from(read: WrittenStatement) -> Self {
        let locks = |locks: List<WrittenLock, MOST>| {
            let lock = |lock: WrittenLock| Some(Lock { object: lock.object, mode: LockMode::of_word(&lock.mode)? });
            locks.0.into_iter().filter_map(lock).collect()
        };
        Self {
            source: Source { line: read.line, column: 1, sql: read.sql, form: Form::Sql },
            took: milliseconds(read.took_ms),
            locks: locks(read.locks),
            held: locks(read.held),
            rewrites: read.rewrites.0,
            scans: read.scans.0,
            rows: read.rows,
            wal_bytes: read.wal_bytes,
            changes: Vec::new(),
            changes_in_words: read.changes.0,
            lock_timeout_ms: None,
            error: read.error.map(|error| StatementError {
                message: error.message,
                code: error.code,
                hint: error.hint,
                line: error.line,
                column: position(error.column),
            }),
            not_run: read.not_run,
        }
    }
}
