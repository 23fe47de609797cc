//! What a statement did: locks through the eyes of another connection, counters and catalogs through its own.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::{Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

/// A look must not meet what the migration set: its search path, its timeouts. All of it is taken back at once.
const BEFORE: &str = "SAVEPOINT gatepost_look; SET LOCAL statement_timeout = 0; SET LOCAL search_path = pg_catalog";
/// The statement's own savepoint is let go with the look's.
const AFTER: &str = "ROLLBACK TO SAVEPOINT gatepost_look; RELEASE SAVEPOINT gatepost_look; RELEASE SAVEPOINT gatepost";
/// As [`AFTER`], where no statement ran.
const AFTER_FIRST: &str = "ROLLBACK TO SAVEPOINT gatepost_look; RELEASE SAVEPOINT gatepost_look";

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
    /// What is in force for waiting on locks, in milliseconds.
    pub(super) const fn timeout(&self) -> u64 {
        self.lock_timeout_ms
    }
}

impl Postgres {
    /// The readings at the beginning of a script.
    pub(super) async fn first_look(&mut self) -> Result<(), sqlx::Error> {
        let own = !self.script.open;
        if own {
            self.control("BEGIN").await?;
        }
        let oids = self.script.existing.keys().copied().collect();
        let counters = self.counters(&oids, AFTER_FIRST).await;
        if own {
            self.control("ROLLBACK").await?;
        }
        self.script.counters = counters?;
        Ok(())
    }

    /// Looks at what the statement just did, within its transaction.
    pub(super) async fn look(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let held = std::mem::take(&mut self.script.locks);
        let now = self.locks().await?;
        self.script.locks.clone_from(&now);
        statement.locks = newly(&self.script.existing, &held, &now);
        statement.held = self.still_held(&held, &statement.locks);
        let oids: BTreeSet<i64> = now.keys().copied().collect();
        let before = self.script.counters.clone();
        let changed: BTreeSet<i64> =
            now.iter().filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive).map(|(oid, _)| *oid).collect();
        // One way there and back for all of it.
        let after = self.counters(&oids, if changed.is_empty() { AFTER } else { "" }).await?;
        self.compare(statement, &before, &after, &now);
        let others = after.others != before.others;
        // Those of relations that this statement left alone stand.
        self.script.counters = Counters {
            files: merged(before.files, after.files),
            sizes: merged(before.sizes, after.sizes),
            scans: merged(before.scans, after.scans),
            rows: merged(before.rows, after.rows),
            ..after
        };
        if changed.is_empty() {
            if others {
                self.control("SAVEPOINT gatepost").await?;
                self.control(BEFORE).await?;
            } else {
                return Ok(());
            }
        }
        self.changes(statement, &changed, others).await
    }

    /// Reads again what may have changed, and compares. Ends the look.
    async fn changes(
        &mut self,
        statement: &mut Statement,
        oids: &BTreeSet<i64>,
        others: bool,
    ) -> Result<(), sqlx::Error> {
        let mut sql = Vec::new();
        if !oids.is_empty() {
            sql.push(format!("EXECUTE gatepost_some ('{{{}}}')", joined(oids)));
        }
        if others {
            sql.push("EXECUTE gatepost_others".to_owned());
        }
        sql.push(AFTER.to_owned());
        let rows = self.rows(sql.join("; ")).await?;
        let owners: BTreeSet<i64> = rows
            .iter()
            .filter_map(|row| row.try_get(0).ok())
            .chain(oids.iter().copied())
            .chain(others.then_some(0))
            .collect();
        let before = self.known.of(owners.iter().copied());
        self.known.forget(owners.iter().copied());
        self.known.take(&rows);
        let after = self.known.of(owners.iter().copied());
        statement.changes.extend(change::compare(&before, &after));
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

    async fn counters(&mut self, oids: &BTreeSet<i64>, after: &str) -> Result<Counters, sqlx::Error> {
        let sql = format!(
            "SELECT -1::int8, setting::int8, 0::int8, 0::int8, NULL, 0::int8 FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'; \
             {BEFORE}; EXECUTE gatepost_counters ('{{{}}}'); {after}",
            joined(oids)
        );
        let mut counters = Counters::default();
        for row in self.rows(sql).await? {
            let number = |at: usize| row.try_get::<Option<i64>, _>(at).map(Option::unwrap_or_default);
            match number(0)? {
                -1 => counters.lock_timeout_ms = u64::try_from(number(1)?).unwrap_or_default(),
                0 => {
                    counters.wal = number(1)?;
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
    pub(super) async fn after_own_end(
        &mut self,
        statement: &mut Statement,
        held: &BTreeMap<i64, LockMode>,
    ) -> Result<(), DatabaseError> {
        let failed = |error| lost("after a transaction was ended by its file", &error);
        let _ = held;
        self.control("ROLLBACK").await.map_err(failed)?;
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
        let ended = self.control("COMMIT").await;
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
        let sql = format!("{BEFORE}; EXECUTE gatepost_all; EXECUTE gatepost_others; {AFTER_FIRST}");
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

fn joined(oids: &BTreeSet<i64>) -> String {
    oids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The newer readings over the older ones.
fn merged(mut older: BTreeMap<i64, i64>, newer: BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
    older.extend(newer);
    older
}
