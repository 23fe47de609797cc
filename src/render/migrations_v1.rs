//! The frozen JSON of a dry run of migrations: `gatepost migrations --json`, schema `gatepost.migrations/v1`, and the
//! same part of a gate in `report.json`. Additive until 1.0.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::migration::{Lock, Migration, Migrations, Statement};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::render::finding_v1::FindingV1;

/// The schema's name.
pub const SCHEMA: &str = "gatepost.migrations/v1";

/// What `gatepost migrations --json` prints.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MigrationsRun")]
pub struct RunV1<'a> {
    /// `gatepost.migrations/v1`.
    pub schema: Cow<'a, str>,
    /// How it ended.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: Cow<'a, str>,
    /// Whose layout the folder is; empty where none was told.
    pub layout: Cow<'a, str>,
    /// The server with its version; `null` where none was reached.
    pub database: Option<Cow<'a, str>>,
    /// The migrations that were judged, in the order they run.
    pub migrations: Vec<MigrationV1<'a>>,
    /// What is wrong or dangerous.
    pub findings: Vec<FindingV1<'a>>,
    /// What the schema becomes, as SQL.
    pub schema_diff: Cow<'a, str>,
    /// The same for a reader: one line for each change.
    #[serde(default)]
    pub schema_summary: Vec<Cow<'a, str>>,
    /// Worth saying beside the outcome.
    pub notes: Vec<Cow<'a, str>>,
}

/// The part of a gate of kind `migrations`; its findings stand beside it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Migrations")]
pub struct MigrationsV1<'a> {
    /// Whose layout the folder is; empty where none was told.
    pub layout: Cow<'a, str>,
    /// The server with its version; `null` where none was reached.
    pub database: Option<Cow<'a, str>>,
    /// The migrations that were judged, in the order they run.
    pub migrations: Vec<MigrationV1<'a>>,
    /// How many the base has, which were not judged; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_the_base: Option<usize>,
    /// What the schema becomes, as SQL.
    pub schema_diff: Cow<'a, str>,
    /// The same for a reader: one line for each change.
    #[serde(default)]
    pub schema_summary: Vec<Cow<'a, str>>,
}

/// One migration.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Migration")]
pub struct MigrationV1<'a> {
    /// As the tool spells it; empty for one that runs again whenever it changes.
    pub version: Cow<'a, str>,
    /// The description.
    pub name: Cow<'a, str>,
    /// The file that makes it.
    pub path: Cow<'a, str>,
    /// `ok`, `error` or `not_run`.
    pub outcome: Cow<'a, str>,
    /// Why it did not end well.
    pub error: Option<Cow<'a, str>>,
    /// Of its statements, in milliseconds.
    pub took_ms: u64,
    /// Whether it ran in one transaction.
    pub transactional: bool,
    /// `exact`, `differs`, `missing_down`, `empty_down`, `down_error`, `reup_error` or `not_run`.
    pub round_trip: Cow<'a, str>,
    /// What differed or failed in the round trip.
    pub round_trip_detail: Vec<Cow<'a, str>>,
    /// Every statement in file order.
    pub statements: Vec<StatementV1<'a>>,
}

/// One statement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Statement")]
pub struct StatementV1<'a> {
    /// Of its first word, from 1.
    pub line: u32,
    /// Without comments before it and without its terminator.
    pub sql: Cow<'a, str>,
    /// In milliseconds.
    pub took_ms: u64,
    /// Newly taken, on relations that existed before this file; a stronger mode is new.
    pub locks: Vec<LockV1<'a>>,
    /// Taken by earlier statements of the transaction, still held, and blocking writes.
    pub held: Vec<LockV1<'a>>,
    /// Existing relations that were written anew.
    pub rewrites: Vec<Cow<'a, str>>,
    /// Existing tables read from end to end while no one could write to them.
    pub scans: Vec<Cow<'a, str>>,
    /// Inserted, updated and deleted.
    pub rows: u64,
    /// Of write-ahead log.
    pub wal_bytes: u64,
    /// Of the schema, one line each.
    pub changes: Vec<Cow<'a, str>>,
    /// What the server said.
    pub error: Option<ErrorV1<'a>>,
    /// Why it was not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_run: Option<Cow<'a, str>>,
}

/// A lock on a table, an index or a sequence.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lock")]
pub struct LockV1<'a> {
    /// `schema.name`.
    pub object: Cow<'a, str>,
    /// As `pg_locks` spells it.
    pub mode: Cow<'a, str>,
    /// What others cannot do meanwhile.
    pub blocks: Cow<'a, str>,
}

/// What the server said of a statement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatementError")]
pub struct ErrorV1<'a> {
    /// Its message.
    pub message: Cow<'a, str>,
    /// Its code.
    pub code: Option<Cow<'a, str>>,
    /// Detail and hint.
    pub hint: Option<Cow<'a, str>>,
    /// The line in the file.
    pub line: u32,
    /// The column.
    pub column: Option<u32>,
}

impl<'a> RunV1<'a> {
    /// A dry run that was judged.
    #[must_use]
    pub fn new(gate: &'a GateReport, migrations: &'a Migrations) -> Self {
        let MigrationsV1 { layout, database, migrations, schema_diff, schema_summary, .. } =
            MigrationsV1::from(migrations);
        Self {
            schema: Cow::Borrowed(SCHEMA),
            outcome: gate.outcome,
            reason: Cow::Borrowed(&gate.reason),
            layout,
            database,
            migrations,
            findings: gate.findings.iter().map(FindingV1::judged).collect(),
            schema_diff,
            schema_summary,
            notes: borrowed(&gate.notes),
        }
    }
}

impl<'a> From<&'a Migrations> for MigrationsV1<'a> {
    fn from(migrations: &'a Migrations) -> Self {
        Self {
            layout: Cow::Borrowed(&migrations.layout),
            database: migrations.database.as_deref().map(Cow::Borrowed),
            migrations: migrations.migrations.iter().map(MigrationV1::from).collect(),
            of_the_base: migrations.of_the_base,
            schema_diff: Cow::Borrowed(&migrations.schema_diff),
            schema_summary: borrowed(&migrations.schema_summary),
        }
    }
}

impl<'a> From<&'a Migration> for MigrationV1<'a> {
    fn from(migration: &'a Migration) -> Self {
        Self {
            version: Cow::Borrowed(&migration.version),
            name: Cow::Borrowed(&migration.name),
            path: Cow::Borrowed(&migration.path),
            outcome: Cow::Borrowed(migration.outcome.word()),
            error: migration.error.as_deref().map(Cow::Borrowed),
            took_ms: milliseconds(migration.took),
            transactional: migration.transactional,
            round_trip: Cow::Borrowed(migration.round_trip.word()),
            round_trip_detail: borrowed(&migration.round_trip_detail),
            statements: migration.statements.iter().map(StatementV1::from).collect(),
        }
    }
}

impl<'a> From<&'a Statement> for StatementV1<'a> {
    fn from(statement: &'a Statement) -> Self {
        let changes = statement.changes.iter().map(|change| Cow::Owned(change.words()));
        Self {
            line: statement.source.line,
            sql: Cow::Borrowed(&statement.source.sql),
            took_ms: milliseconds(statement.took),
            locks: statement.locks.iter().map(LockV1::from).collect(),
            held: statement.held.iter().map(LockV1::from).collect(),
            rewrites: borrowed(&statement.rewrites),
            scans: borrowed(&statement.scans),
            rows: statement.rows,
            wal_bytes: statement.wal_bytes,
            changes: changes.chain(borrowed(&statement.changes_in_words)).collect(),
            error: statement.error.as_ref().map(|error| ErrorV1 {
                message: Cow::Borrowed(&error.message),
                code: error.code.as_deref().map(Cow::Borrowed),
                hint: error.hint.as_deref().map(Cow::Borrowed),
                line: error.line,
                column: error.column,
            }),
            not_run: statement.not_run.as_deref().map(Cow::Borrowed),
        }
    }
}

impl<'a> From<&'a Lock> for LockV1<'a> {
    fn from(lock: &'a Lock) -> Self {
        Self {
            object: Cow::Borrowed(&lock.object),
            mode: Cow::Borrowed(lock.mode.word()),
            blocks: Cow::Borrowed(lock.mode.blocks()),
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn borrowed(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}
