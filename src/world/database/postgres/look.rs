//! What a statement did: locks through the eyes of another connection, counters and catalogs through its own.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::{Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

/// A look must not meet what the migration set: its search path, its timeouts. All of it is taken back at once.
const BEFORE: &str = "SAVEPOINT gatepost_look; SET LOCAL statement_timeout = 0; SET LOCAL search_path = pg_catalog";
/// For a few relations among many: planned once, and by indexes.
const BY_INDEX: &str = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL \
                        enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
const AFTER: &str = "ROLLBACK TO SAVEPOINT gatepost_look; RELEASE SAVEPOINT gatepost_look";
/// The statement's own savepoint is let go, and the next one's set.
const NEXT: &str = "RELEASE SAVEPOINT gatepost; SAVEPOINT gatepost";

/// Counters are handed on at the end of the transaction, not a second later.
pub(super) const FLUSH_AND_COMMIT: &str = "SELECT pg_catalog.pg_stat_force_next_flush(); COMMIT";
/// As [`FLUSH_AND_COMMIT`], for what is taken back.
pub(super) const FLUSH_AND_ROLLBACK: &str = "ROLLBACK; SELECT pg_catalog.pg_stat_force_next_flush()";

/// The readings before a statement.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    wal: i64,
    others: String,
    scans: BTreeMap<i64, i64>,
    rows: BTreeMap<i64, i64>,
    files: BTreeMap<i64, i64>,
    sizes: BTreeMap<i64, i64>,
    lock_timeout_ms: u64,
}

impl Counters {
    /// How many columns a row of readings has; facts have fewer.
    const COLUMNS: usize = 7;

    fn read(rows: &[PgRow]) -> Result<Self, sqlx::Error> {
        let mut counters = Self::default();
        for row in rows.iter().filter(|row| row.len() == Self::COLUMNS) {
            let number = |at: usize| row.try_get::<Option<i64>, _>(at).map(Option::unwrap_or_default);
            match number(0)? {
                0 => {
                    counters.wal = number(1)?;
                    counters.lock_timeout_ms = u64::try_from(number(2)?).unwrap_or_default();
                    counters.others = row.try_get::<Option<String>, _>(4)?.unwrap_or_default();
                }
                oid => {
                    counters.scans.insert(oid, number(1)?);
                    counters.rows.insert(oid, number(2)?);
                    counters.files.insert(oid, number(3)?);
                    counters.sizes.insert(oid, number(5)?);
                }
            }
        }
        Ok(counters)
    }

    /// What is in force for waiting on locks, in milliseconds.
    pub(super) const fn timeout(&self) -> u64 {
        self.lock_timeout_ms
    }
}

impl Postgres {
    /// The readings at the beginning of a script or, where each statement has its own transaction, of a statement.
    pub(super) async fn first_look(&mut self) -> Result<(), sqlx::Error> {
        // Counters of relations start with a transaction, once those of earlier ones were handed on.
        let oids = if self.flushes { BTreeSet::new() } else { self.script.existing.keys().copied().collect() };
        let own = !self.script.open;
        let (open, close) = if own { ("BEGIN; ", "; ROLLBACK") } else { ("", "") };
        let sql = format!("{open}{BEFORE}; {BY_INDEX}; {}; {AFTER}{close}", counters_of(&oids));
        let rows = self.rows(sql).await?;
        self.script.counters = Counters::read(&rows)?;
        let files = &mut self.script.counters.files;
        files.extend(self.known.files.iter().map(|(oid, file)| (*oid, *file)));
        Ok(())
    }

    /// Looks at what the statement just did, within its transaction: the locks first, then all else in one way there
    /// and back.
    pub(super) async fn look(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let held = std::mem::take(&mut self.script.locks);
        let now = self.locks().await?;
        self.script.locks.clone_from(&now);
        statement.locks = newly(&self.script.existing, &held, &now);
        statement.held = self.still_held(&held, &statement.locks);
        let oids: BTreeSet<i64> = now.keys().copied().collect();
        let changed: BTreeSet<i64> =
            now.iter().filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive).map(|(oid, _)| *oid).collect();
        let mut sql = vec![BEFORE.to_owned(), BY_INDEX.to_owned(), counters_of(&oids)];
        if !changed.is_empty() {
            sql.push(format!("EXECUTE gatepost_some ('{{{}}}')", joined(&changed)));
        }
        sql.extend([AFTER.to_owned(), NEXT.to_owned()]);
        let rows = self.rows(sql.join("; ")).await?;
        let after = Counters::read(&rows)?;
        let before = std::mem::take(&mut self.script.counters);
        self.compare(statement, &before, &after, &now);
        let mut rows: Vec<PgRow> = rows.into_iter().filter(|row| row.len() < Counters::COLUMNS).collect();
        let others = after.others != before.others;
        if others {
            rows.extend(self.rows(format!("{BEFORE}; EXECUTE gatepost_others; {AFTER}")).await?);
        }
        // Readings of relations that this statement left alone stand.
        self.script.counters = Counters {
            files: merged(before.files, after.files),
            sizes: merged(before.sizes, after.sizes),
            scans: merged(before.scans, after.scans),
            rows: merged(before.rows, after.rows),
            ..after
        };
        let owners: BTreeSet<i64> =
            rows.iter().filter_map(|row| row.try_get(0).ok()).chain(changed).chain(others.then_some(0)).collect();
        let before = self.known.of(owners.iter().copied());
        self.known.forget(owners.iter().copied());
        self.known.take(&rows);
        statement.changes.extend(change::compare(&before, &self.known.of(owners.into_iter())));
        Ok(())
    }

    /// The strongest lock of the runner on each relation, as the watcher sees it.
    pub(super) async fn locks(&mut self) -> Result<BTreeMap<i64, LockMode>, sqlx::Error> {
        let sql = format!(
            "SELECT relation::int8, mode FROM pg_catalog.pg_locks WHERE pid = {} AND locktype = 'relation' AND granted \
             AND relation >= 16384",
            self.runner_pid
        );
        let rows = self.watcher.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        let mut locks = BTreeMap::new();
        for row in &rows {
            let mode: String = row.try_get(1)?;
            if let Some(mode) = LockMode::of_word(&mode) {
                let strongest = locks.entry(row.try_get(0)?).or_insert(mode);
                *strongest = mode.max(*strongest);
            }
        }
        Ok(locks)
    }

    fn compare(&self, statement: &mut Statement, before: &Counters, after: &Counters, locks: &BTreeMap<i64, LockMode>) {
        let more =
            |old: &BTreeMap<i64, i64>, oid: &i64, new: i64| new.saturating_sub(old.get(oid).copied().unwrap_or(0));
        statement.wal_bytes = u64::try_from(after.wal.saturating_sub(before.wal)).unwrap_or_default();
        statement.rows = after
            .rows
            .iter()
            .map(|(oid, new)| more(&before.rows, oid, *new))
            .filter_map(|n| u64::try_from(n).ok())
            .sum();
        statement.lock_timeout_ms = after.lock_timeout_ms;
        let mut indexes = Vec::new();
        for (oid, path) in &self.script.existing {
            let scanned = after.scans.get(oid).is_some_and(|new| more(&before.scans, oid, *new) > 0);
            let blocked = locks.get(oid).is_some_and(|mode| mode.is_dangerous());
            if scanned && blocked && !self.known.indexes.contains(oid) {
                statement.scans.push(path.clone());
            }
            let (old, new) = (before.files.get(oid), after.files.get(oid));
            let written_anew = matches!((old, new), (Some(old), Some(new)) if old != new && *new > 0 && *old > 0);
            let stands = new.is_some_and(|file| *file >= 0);
            let had = before.sizes.get(oid).is_some_and(|size| *size > 0);
            let has = after.sizes.get(oid).is_some_and(|size| *size > 0);
            if stands && had && !has && after.sizes.contains_key(oid) && !self.known.indexes.contains(oid) {
                statement.changes.push(emptied(path));
            } else if written_anew && self.known.indexes.contains(oid) {
                indexes.push(path.clone());
            } else if written_anew && scanned {
                statement.rewrites.push(path.clone());
            } else if written_anew {
                // A new file that nothing was read for has nothing in it.
                statement.changes.push(emptied(path));
            }
        }
        if statement.rewrites.is_empty() && statement.changes.is_empty() {
            // Those of a table that is written anew go without saying.
            statement.rewrites = indexes;
        }
    }

    /// What earlier statements of the transaction locked and this one did not lock again.
    fn still_held(&self, held: &BTreeMap<i64, LockMode>, new: &[Lock]) -> Vec<Lock> {
        if !self.script.transaction {
            return Vec::new();
        }
        let locks = newly(&self.script.existing, &BTreeMap::new(), held);
        locks
            .into_iter()
            .filter(|lock| lock.mode.is_dangerous() && !new.iter().any(|new| new.object == lock.object))
            .collect()
    }

    /// The statement ended the transaction it ran in (COMMIT, ROLLBACK in the file): the rest runs by itself.
    pub(super) async fn after_own_end(&mut self, statement: &mut Statement) -> Result<(), DatabaseError> {
        let failed = |error| lost("after a transaction was ended by its file", &error);
        // It may also have let go of what was prepared.
        self.control("ROLLBACK; DEALLOCATE ALL").await.map_err(failed)?;
        self.prepare().await?;
        self.script.open = false;
        self.script.transaction = false;
        self.script.locks.clear();
        let before = self.known.all();
        self.know_all().await.map_err(failed)?;
        statement.changes = change::compare(&before, &self.known.all());
        Ok(())
    }

    /// Ends the transaction around a statement that has one to itself.
    pub(super) async fn close_one(&mut self, statement: &mut Statement) -> Result<(), DatabaseError> {
        let ended = self.control(if self.flushes { FLUSH_AND_COMMIT } else { "COMMIT" }).await;
        self.script.open = false;
        match ended {
            Err(sqlx::Error::Database(error)) => {
                let message = error.message().to_owned();
                let source = &statement.source;
                let code = error.code().map(std::borrow::Cow::into_owned);
                statement.error.get_or_insert(StatementError {
                    message,
                    code,
                    hint: None,
                    line: source.line,
                    column: None,
                });
                Ok(())
            }
            other => other.map_err(|error| lost("at a commit", &error)),
        }
    }

    /// Reads the whole schema.
    pub(super) async fn know_all(&mut self) -> Result<(), sqlx::Error> {
        let own = !self.script.open;
        if own {
            self.control("BEGIN").await?;
        }
        let sql = format!("{BEFORE}; EXECUTE gatepost_all; EXECUTE gatepost_others; {AFTER}");
        let rows = self.rows(sql).await;
        if own {
            self.control("ROLLBACK").await?;
        }
        self.known = super::Known::default();
        self.known.take(&rows?);
        self.current = true;
        Ok(())
    }
}

fn emptied(path: &str) -> Change {
    let object = Object { kind: ObjectKind::Table, of: path.to_owned(), name: String::new() };
    Change { object, what: What::Emptied }
}

fn counters_of(oids: &BTreeSet<i64>) -> String {
    format!("EXECUTE gatepost_counters ('{{{}}}')", joined(oids))
}

fn joined(oids: &BTreeSet<i64>) -> String {
    oids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The newer readings over the older ones.
fn merged(mut older: BTreeMap<i64, i64>, newer: BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
    older.extend(newer);
    older
}
