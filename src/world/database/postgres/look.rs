//! What a statement did: its locks, counters and the catalogs, read inside its own transaction.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::catalog::{self, Known};
use super::{Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

/// A look must not meet what the migration set: its search path, its timeouts. It reads a few relations among many: it is
/// planned once, and by indexes. All of it is taken back with the savepoint.
const SETTINGS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL search_path = pg_catalog; SET LOCAL plan_cache_mode = \
                        force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL \
                        enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
/// All relations are read at once.
const WHOLE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL search_path = pg_catalog";
/// A transaction of our own, as scripts have it.
const OPEN: &str = "BEGIN; SAVEPOINT gatepost";
/// The savepoint stands for the next statement.
const BACK: &str = "ROLLBACK TO SAVEPOINT gatepost";
/// The statement's own savepoint is let go, and the next one's set, in which the look is made.
const NEXT: &str = "RELEASE SAVEPOINT gatepost; SAVEPOINT gatepost";

/// What a script sets stays its own, as with a tool that opens a connection for each.
pub(super) const RESET: &str =
    "RESET ALL; RESET SESSION AUTHORIZATION; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE";
/// Counters are handed on at the end of the transaction, not a second later.
pub(super) const FLUSH: &str = "SELECT pg_catalog.pg_stat_force_next_flush()";

/// The readings before a statement.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    wal: i64,
    lock_timeout_ms: u64,
    /// Writes to the catalogs of what belongs to no relation.
    others: i64,
    /// Writes to catalogs that hold such things and others, and a digest of the former.
    types: i64,
    digest: String,
    /// Writes to the catalog of relations.
    relations: i64,
    of: BTreeMap<i64, Reading>,
}

/// The readings of a relation.
#[derive(Debug, Default, Clone, Copy)]
struct Reading {
    scans: i64,
    rows: i64,
    /// -1 where the relation is gone.
    file: i64,
    size: i64,
}

/// What a look found.
struct Seen {
    counters: Counters,
    locks: BTreeMap<i64, LockMode>,
    /// Rows of facts.
    facts: Vec<PgRow>,
}

impl Seen {
    /// Readings of relations that were left alone stand as they were `before`.
    fn of(rows: Vec<PgRow>, before: Counters) -> Result<Self, sqlx::Error> {
        let mut seen = Self { counters: before, locks: BTreeMap::new(), facts: Vec::new() };
        for row in rows {
            // The answers of what is no query of ours have other columns.
            let (Ok(oid), Ok(word)) = (row.try_get::<i64, _>(0), row.try_get::<&str, _>(1)) else { continue };
            match word {
                "totals" => seen.counters.total(&row)?,
                "reading" => {
                    if let Some(mode) = LockMode::of_word(row.try_get(2)?) {
                        let strongest = seen.locks.entry(oid).or_insert(mode);
                        *strongest = mode.max(*strongest);
                    }
                    let [scans, rows, file, size] = numbers(row.try_get(5)?);
                    seen.counters.of.insert(oid, Reading { scans, rows, file, size });
                }
                _ => seen.facts.push(row),
            }
        }
        Ok(seen)
    }
}

impl Counters {
    /// What is in force for waiting on locks, in milliseconds.
    pub(super) const fn timeout(&self) -> u64 {
        self.lock_timeout_ms
    }

    fn total(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let [wal, timeout, types, others, relations] = numbers(row.try_get(5)?);
        self.wal = wal;
        self.lock_timeout_ms = u64::try_from(timeout).unwrap_or_default();
        (self.types, self.others, self.relations) = (types, others, relations);
        if let Some(digest) = row.try_get(2)? {
            self.digest = digest;
        }
        Ok(())
    }

    /// Whether anything that belongs to no relation was written since.
    fn is_other_than(&self, before: &Self) -> bool {
        self.others != before.others || self.digest != before.digest
    }
}

fn numbers<const N: usize>(text: &str) -> [i64; N] {
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

impl Postgres {
    /// Prepares what looks are made with.
    pub(super) async fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.rows(catalog::prepared()).await.map(|_| ()).map_err(|error| lost("while it was prepared", &error))
    }

    /// Opens a transaction, with the readings that its first statement starts from.
    pub(super) async fn first_look(&mut self) -> Result<(), sqlx::Error> {
        self.look_after(OPEN).await
    }

    /// The readings that the next statement starts from, after `begin`, which sets its savepoint.
    async fn look_after(&mut self, begin: &str) -> Result<(), sqlx::Error> {
        // Counters of relations start with a transaction, once those of earlier ones were handed on. What was taken back
        // is still counted.
        let all = !self.flushes || begin == BACK;
        let oids: Vec<String> =
            self.script.before.relations().filter(|_| all).map(|(oid, _)| oid.to_string()).collect();
        let readings = format!("EXECUTE gatepost_readings ('{{{}}}')", oids.join(","));
        let sql = format!("{begin}; {SETTINGS}; EXECUTE gatepost_look (-1); {readings}; {BACK}");
        self.script.counters = Seen::of(self.rows(sql).await?, Counters::default())?.counters;
        Ok(())
    }

    /// A statement that failed: what it did is taken back, or its transaction is gone already.
    pub(super) async fn take_back(&mut self) -> Result<(), sqlx::Error> {
        let back = if self.script.observe { self.look_after(BACK).await } else { self.control(BACK).await };
        if let Err(sqlx::Error::Database(_)) = back {
            self.control("ROLLBACK").await?;
            self.script.open = false;
            return Ok(());
        }
        back
    }

    /// Looks at what the statement just did, within its transaction: locks, counters, and what it may have changed, in
    /// one way there and back.
    pub(super) async fn look(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let sql = format!("{NEXT}; {SETTINGS}; EXECUTE gatepost_look ({}); {BACK}", self.script.counters.types);
        let rows = self.rows(sql).await?;
        let before = std::mem::take(&mut self.script.counters);
        let Seen { counters, locks, facts } = Seen::of(rows, before.clone())?;
        let held = std::mem::replace(&mut self.script.locks, locks);
        statement.locks = newly(&self.script.before, &held, &self.script.locks);
        statement.held = self.still_held(&held, &statement.locks);
        self.compare(statement, &before, &counters);
        let touched: BTreeSet<i64> = (self.script.locks.iter())
            .filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive)
            .map(|(oid, _)| *oid)
            .collect();
        let elsewhere = counters.relations != before.relations && touched.is_empty();
        let others = counters.is_other_than(&before);
        let known = (elsewhere || others).then(|| self.known.clone());
        self.script.counters = counters;
        let owners: BTreeSet<i64> = facts.iter().filter_map(|row| row.try_get(0).ok()).chain(touched).collect();
        let mut changes = self.learn(&owners, &facts);
        if others {
            let rows = self.rows(format!("{WHOLE}; EXECUTE gatepost_others; {BACK}")).await?;
            changes.extend(self.learn(&BTreeSet::from([0]), &rows));
        }
        // What has another name now, or other privileges, is named so in relations that nobody had to lock.
        let renamed = others && changes.iter().any(|change| !matches!(change.what, What::Added { .. }));
        if let Some(known) = known.filter(|_| elsewhere || renamed) {
            self.know_all().await?;
            changes = change::compare(&known.all(), &self.known.all());
        }
        statement.changes.extend(changes);
        Ok(())
    }

    /// Takes what was read of some owners, of which nothing else is left; what is new of it.
    fn learn(&mut self, owners: &BTreeSet<i64>, rows: &[PgRow]) -> Vec<Change> {
        let before = self.known.of(owners.iter().copied());
        self.known.forget(owners.iter().copied());
        self.known.take(rows);
        change::compare(&before, &self.known.of(owners.iter().copied()))
    }

    fn compare(&self, statement: &mut Statement, before: &Counters, after: &Counters) {
        statement.wal_bytes = u64::try_from(after.wal.saturating_sub(before.wal)).unwrap_or_default();
        statement.lock_timeout_ms = after.lock_timeout_ms;
        let mut indexes = Vec::new();
        for (oid, new) in &after.of {
            let old = before.of.get(oid).copied().unwrap_or_default();
            statement.rows += u64::try_from(new.rows.saturating_sub(old.rows)).unwrap_or_default();
            let Some(existing) = self.script.before.get(*oid) else { continue };
            let path = &existing.path;
            let is_index = self.known.get(*oid).is_some_and(|known| known.is_index);
            let scanned = new.scans > old.scans;
            let blocked = self.script.locks.get(oid).is_some_and(|mode| mode.is_dangerous());
            if scanned && blocked && !is_index {
                statement.scans.push(path.clone());
            }
            let file = if before.of.contains_key(oid) { old.file } else { existing.file.unwrap_or_default() };
            let written_anew = file != new.file && new.file > 0 && file > 0;
            if new.file >= 0 && old.size > 0 && new.size == 0 && !is_index {
                statement.changes.push(emptied(path));
            } else if written_anew && is_index {
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
        let locks = newly(&self.script.before, &BTreeMap::new(), held);
        locks
            .into_iter()
            .filter(|lock| lock.mode.is_dangerous() && !new.iter().any(|new| new.object == lock.object))
            .collect()
    }

    /// The look failed: the statement let go of what was prepared for it, or ended the transaction it ran in (COMMIT,
    /// ROLLBACK in the file), after which the rest runs by itself.
    pub(super) async fn look_again(&mut self, statement: &mut Statement) -> Result<(), DatabaseError> {
        let failed = |error| lost("after a transaction was ended by its file", &error);
        let before = self.known.all();
        let sql = format!("{BACK}; DEALLOCATE ALL; {}", catalog::prepared());
        if self.rows(sql).await.is_ok() {
            self.know_all().await.map_err(failed)?;
            self.look_after(BACK).await.map_err(failed)?;
        } else {
            self.control("ROLLBACK; DEALLOCATE ALL").await.map_err(failed)?;
            self.prepare().await?;
            self.script.open = false;
            self.script.transaction = false;
            self.script.locks.clear();
            self.know_all().await.map_err(failed)?;
        }
        statement.changes = change::compare(&before, &self.known.all());
        Ok(())
    }

    /// Ends the transaction around a statement that has one to itself.
    pub(super) async fn close_one(&mut self, statement: &mut Statement) -> Result<(), DatabaseError> {
        let ended = self.finish(true, "").await;
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

    /// Ends a transaction, and goes on if that was not refused.
    pub(super) async fn finish(&mut self, keep: bool, then: &str) -> Result<(), sqlx::Error> {
        let flush = if self.flushes && self.script.observe { FLUSH } else { "" };
        let words = if keep { [flush, "COMMIT", then] } else { ["ROLLBACK", flush, then] };
        let sql: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        self.rows(sql.join("; ")).await.map(|_| ())
    }

    /// Reads the whole schema.
    pub(super) async fn know_all(&mut self) -> Result<(), sqlx::Error> {
        let (open, close) = if self.script.open { (BACK, BACK) } else { (OPEN, "ROLLBACK") };
        let sql = format!("{open}; {WHOLE}; EXECUTE gatepost_all; EXECUTE gatepost_others; {close}");
        let rows = self.rows(sql).await;
        if rows.is_err() && !self.script.open {
            self.control("ROLLBACK").await?;
        }
        self.known = Known::default();
        self.known.take(&rows?);
        self.current = true;
        Ok(())
    }
}

fn emptied(path: &str) -> Change {
    let object = Object { kind: ObjectKind::Table, of: path.to_owned(), name: String::new() };
    Change { object, what: What::Emptied }
}
