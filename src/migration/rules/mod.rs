//! What is dangerous in what was observed. Each rule has a row in [`ALL`]: its name, its level and the safe way. Nothing
//! here reads a statement's text to learn what it does, save whether every row goes (`emptied`), which shows in no empty
//! table.

mod against;
mod columns;
mod compatibility;
mod emptied;
mod observed;
mod round_trip;
mod taken;
mod walk;

use std::collections::BTreeMap;

use crate::migration::estimate::Sizes;
use crate::model::finding::{Finding, Level};
use crate::model::migration::{Facts, Migration, Statement};

pub use against::{against, is_same};
pub use taken::{OpenPull, taken};
pub use walk::{Known, made_or_dropped, walk};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// As findings and settings name it.
    pub name: &'static str,
    /// Its level unless the settings say another.
    pub level: Level,
    /// What it tells of, in one phrase.
    pub about: &'static str,
    /// What to do in its place, in one phrase.
    pub safe: &'static str,
}

macro_rules! rules {
    ($($name:ident $level:ident $rule:literal: $about:literal, $safe:literal;)*) => {
        $(#[doc = $about] pub static $name: Rule = Rule { name: $rule, level: Level::$level, about: $about, safe: $safe };)*
        /// Every rule.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    FAILED Error "failed-statement": "a statement, or the commit after it, is refused by the server",
        "mend it; the server's message and place are in the finding";
    REWRITE Error "table-rewrite": "an existing table is written anew while nobody can read or write it",
        "add a new column, fill it in batches, switch over, and drop the old one later";
    SCAN Warning "scan-under-lock": "an existing table is read from end to end while nobody can write to it",
        "add the constraint NOT VALID, and VALIDATE it in a later migration; SET NOT NULL is quick after a validated CHECK";
    INDEX Warning "index-without-concurrently": "an index is built on an existing table while nobody can write to it",
        "CREATE INDEX CONCURRENTLY, alone in a migration without a transaction";
    INVALID_INDEX Error "invalid-index": "an index is left behind that no query uses and every write maintains",
        "drop it and build it again";
    LOCK Warning "lock-without-timeout": "a lock that blocks writes is waited for without end; everything behind it waits too",
        "SET lock_timeout = '2s' before it, and run the migration again when it gives up";
    HELD Warning "lock-held-over-work": "a lock that blocks writes is held while other statements of the transaction read or write rows",
        "move the work to a migration of its own, before or after";
    FOREIGN_KEY Warning "foreign-key-without-index": "the columns of a foreign key have no index: deleting what they refer to reads the whole table",
        "an index on them; in PostgreSQL by CREATE INDEX CONCURRENTLY where the table is not new";
    DROP_TABLE Warning "drop-table": "a table goes, with its rows: no down brings them back, and the code that runs now may use it",
        "take it out of the code first, release that, and drop it in a later release";
    DROP_COLUMN Warning "drop-column": "a column goes, with its values: no down brings them back, and the code that runs now may use it",
        "take it out of the code first, release that, and drop it in a later release";
    DROP_OTHER Warning "drop-object": "a view, function, type, sequence or schema goes that the code that runs now may use",
        "take it out of the code first, release that, and drop it in a later release";
    TRUNCATE Warning "delete-all-rows": "every row of an existing table goes: no down brings them back",
        "keep a copy, or delete in batches what is not needed";
    RENAME_TABLE Warning "rename-table": "the code that runs now knows the table by its old name",
        "make a view of the old name in the same transaction, and drop it in a later release";
    RENAME_COLUMN Warning "rename-column": "the code that runs now knows the column by its old name",
        "add a new column, write to both, move over, and drop the old one in a later release";
    RENAME_OTHER Warning "rename-object": "the code that runs now knows the view, function, type, sequence or schema by its old name",
        "make one of the old name beside it, and drop it in a later release";
    NARROWED Warning "type-narrowed": "values that the code that runs now may write do not fit any more",
        "add a new column of the new type, move over, and drop the old one in a later release";
    CHANGED Warning "type-changed": "the code that runs now may read or write a column as what it no longer is",
        "add a new column of the new type, move over, and drop the old one in a later release";
    REQUIRED Warning "required-column": "the code that runs now inserts without the column, which is refused from now on",
        "give it a DEFAULT, or make it NOT NULL in a later release";
    MISSING_DOWN Warning "missing-down": "there is no way back, and the settings ask for one",
        "write the down, or allow it to be missing";
    EMPTY_DOWN Warning "empty-down": "the down does nothing", "write it, or delete the file if there is no way back";
    DOWN_FAILED Error "down-failed": "the down is refused by the server", "mend it";
    DIFFERS Warning "round-trip-differs": "the down does not restore the schema, or the up makes another one the second time",
        "take back in the down everything that the up does";
    UP_AGAIN_FAILED Error "up-again-failed": "the up is refused after the down", "take back in the down everything that the up does";
    DUPLICATE Error "duplicate-version": "two migrations have the same version: only one of them would run",
        "give the newer one a new version";
    OLDER Warning "older-than-newest": "the base has a newer migration: databases that ran that one never run this one, or in another order",
        "give it a version newer than all of the base";
    SHIPPED_CHANGED Error "shipped-file-changed": "a migration that the base has, and databases have run, says something else now",
        "put it back as it was, and write a new migration";
    SHIPPED_DELETED Error "shipped-file-deleted": "a migration that the base has, and databases have run, is gone",
        "put it back, and write a new migration that undoes it";
    TAKEN Warning "version-taken": "an open pull request adds a migration of the same version",
        "agree who comes first; the other one needs a new version";
}

/// What to do where a rule finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing.
    Off,
    /// Show it.
    Note,
    /// As a warning.
    Warning,
    /// As an error.
    Error,
}

impl Severity {
    /// As a finding has it; `None` where there is to be none.
    #[must_use]
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Off => None,
            Self::Note => Some(Level::Note),
            Self::Warning => Some(Level::Warning),
            Self::Error => Some(Level::Error),
        }
    }
}

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The migrations that were judged, in order.
    pub migrations: &'a [Migration],
    /// The schema before the first of them.
    pub before: &'a Facts,
    /// The schema after the last.
    pub after: &'a Facts,
    /// Every migration is judged, as if each were a change of its own.
    pub each_alone: bool,
    /// What tables of production have in them.
    pub sizes: &'a Sizes,
    /// Whether a missing down is told of.
    pub down_required: bool,
}

/// A finding of a rule.
#[must_use]
pub fn finding(rule: &'static Rule, path: &str, line: u32, what: &str) -> Finding {
    Finding {
        rule: Some(rule.name.to_owned()),
        level: rule.level,
        message: format!("{what}\nsafe way: {}", rule.safe),
        path: Some(path.to_owned()),
        line: Some(line),
        ..Finding::default()
    }
}

/// Everything that the rules find, in the order of the migrations.
#[must_use]
pub fn all(seen: Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    walk(seen, |migration, known| {
        found.extend(observed::observed(migration, known, seen.sizes));
        found.extend(compatibility::compatibility(migration, known, seen.after, seen.each_alone));
        found.extend(round_trip::round_trip(migration, seen.down_required));
    });
    found
}

/// Gives findings the level that the settings ask for.
#[must_use]
pub fn with_levels(found: Vec<Finding>, levels: &BTreeMap<String, Severity>) -> Vec<Finding> {
    let leveled = |mut finding: Finding| match finding.rule.as_ref().and_then(|rule| levels.get(rule)) {
        None => Some(finding),
        Some(severity) => {
            finding.level = severity.level()?;
            Some(finding)
        }
    };
    found.into_iter().filter_map(leveled).collect()
}

/// The first line of a statement, for a message.
fn line_of(statement: &Statement) -> u32 {
    statement.source.line
}
