//! What a statement did: its locks, counters and the catalogs, read inside its own transaction.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::catalog::{self, Known};
use super::{Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

/// A look must not meet what the migration set: its search path, its timeouts. It reads a few relations among many: it is
/// planned once, and by indexes. All of it is taken back with the savepoint.
const SETTINGS: &str = "SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('statement_timeout', '0'), \
                        ('search_path', 'pg_catalog'), ('plan_cache_mode', 'force_generic_plan'), \
                        ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), \
                        ('enable_mergejoin', 'off')) settings (name, value)";
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
    /// Of what belongs to no relation.
    digest: String,
    /// How often relations were altered.
    altered: i64,
    /// How often some were dropped.
    dropped: i64,
    /// Counters are off, or may have been meanwhile.
    uncounted: bool,
    of: BTreeMap<i64, Reading>,
}

/// The readings of a relation.
#[derive(Debug, Default, Clone, Copy)]
struct Reading {
    scans: i64,
    rows: i64,
    /// -1 where the relation is gone.
    file: i64,
    /// Changes with what is known of it; 0 where that is not so.
    stamp: i64,
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
                    let [scans, rows, file, stamp] = numbers(row.try_get(5)?);
                    seen.counters.of.insert(oid, Reading { scans, rows, file, stamp });
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

    /// The stamps as the server compares them.
    fn stamps(&self) -> String {
        let stamps = self.of.iter().filter(|(_, reading)| reading.stamp != 0);
        stamps.map(|(oid, reading)| format!("\"{oid}\":{}", reading.stamp)).collect::<Vec<_>>().join(",")
    }

    /// Whether nothing that is known of a relation changed since.
    fn is_same(&self, before: &Self, oid: i64) -> bool {
        let stamp = |counters: &Self| counters.of.get(&oid).map_or(0, |reading| reading.stamp);
        stamp(self) != 0 && stamp(self) == stamp(before)
    }

    fn total(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let [wal, timeout, altered, dropped, uncounted] = numbers(row.try_get(5)?);
        self.wal = wal;
        self.lock_timeout_ms = u64::try_from(timeout).unwrap_or_default();
        (self.altered, self.dropped, self.uncounted) = (altered, dropped, uncounted != 0);
        self.digest = row.try_get(2)?;
        Ok(())
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
        let sql = format!("{begin}; {SETTINGS}; EXECUTE gatepost_look (NULL, '{{}}'); {readings}; {BACK}");
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
        let (altered, stamps) = (self.script.counters.altered, self.script.counters.stamps());
        let sql = format!("{NEXT}; {SETTINGS}; EXECUTE gatepost_look ({altered}, '{{{stamps}}}'); {BACK}");
        let rows = self.rows(sql).await?;
        let before = std::mem::take(&mut self.script.counters);
        let Seen { counters, locks, facts } = Seen::of(rows, before.clone())?;
        let held = std::mem::replace(&mut self.script.locks, locks);
        statement.locks = newly(&self.script.before, &held, &self.script.locks);
        statement.held = self.still_held(&held, &statement.locks);
        self.compare(statement, &before, &counters);
        let touched: BTreeSet<i64> = (self.script.locks.iter())
            .filter(|(oid, mode)| **mode >= LockMode::ShareUpdateExclusive && !counters.is_same(&before, **oid))
            .map(|(oid, _)| *oid)
            .collect();
        let others = counters.digest != before.digest;
        let known = others.then(|| self.known.clone());
        if counters.uncounted {
            self.count_again(statement).await?;
        }
        let owners: BTreeSet<i64> = facts.iter().filter_map(|row| row.try_get(0).ok()).chain(touched).collect();
        let mut changes = self.learn(&owners, &facts);
        if others {
            let rows = self.rows(format!("{WHOLE}; EXECUTE gatepost_others; {BACK}")).await?;
            changes.extend(self.learn(&BTreeSet::from([0]), &rows));
        }
        // What has another name now, or other privileges, is named so in relations that nobody had to lock.
        let renamed = others && changes.iter().any(|change| !matches!(change.what, What::Added { .. }));
        if let Some(known) = known.filter(|_| renamed) {
            self.know_all().await?;
            changes = change::compare(&known.all(), &self.known.all());
        }
        self.renewed(statement, &before, &counters).await?;
        self.script.counters = counters;
        statement.changes.extend(changes);
        Ok(())
    }

    /// Switches counters on for what follows. What was done under strong locks while they were off is not known to be well.
    async fn count_again(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let on = format!("SET track_counts = on; {NEXT}");
        match self.rows(on).await {
            // A role that may not switch them cannot have done so either, but one before it.
            Err(sqlx::Error::Database(_)) => self.control(BACK).await?,
            other => drop(other?),
        }
        if statement.wal_bytes > 0 && self.script.locks.values().any(|mode| mode.is_dangerous()) {
            statement.error = Some(StatementError {
                message:
                    "what it reads and writes was not counted: track_counts is off, in the session or in a function"
                        .to_owned(),
                code: None,
                hint: Some("leave track_counts on, without which scans are not seen".to_owned()),
                line: statement.source.line,
                column: None,
            });
        }
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
        for (oid, new) in &after.of {
            let old = before.of.get(oid).copied().unwrap_or_default();
            statement.rows += u64::try_from(new.rows.saturating_sub(old.rows)).unwrap_or_default();
            let Some(existing) = self.script.before.get(*oid) else { continue };
            let is_index = self.known.get(*oid).is_some_and(|known| known.is_index);
            let blocked = self.script.locks.get(oid).is_some_and(|mode| mode.is_dangerous());
            if new.scans > old.scans && blocked && !is_index {
                statement.scans.push(existing.path.clone());
            }
        }
    }

    /// Tells what has another file than before: written anew, or emptied.
    async fn renewed(
        &mut self,
        statement: &mut Statement,
        before: &Counters,
        after: &Counters,
    ) -> Result<(), sqlx::Error> {
        let mut indexes = Vec::new();
        for (oid, new) in &after.of {
            let (Some(existing), Some(known)) = (self.script.before.get(*oid), self.known.get(*oid)) else { continue };
            let file = before.of.get(oid).map_or_else(|| existing.file.unwrap_or_default(), |old| old.file);
            if file == new.file || file <= 0 || new.file <= 0 || known.is(ObjectKind::Sequence) {
                continue;
            }
            let path = existing.path.clone();
            if known.is_index {
                indexes.push(path);
                continue;
            }
            let is_view = known.is(ObjectKind::MaterializedView);
            let [was, is] = self.sizes([file, new.file]).await?;
            let is_emptied = !is_view && Self::is_emptied(*oid, is, before, after);
            if is_emptied || (!is_view && was > 0 && is == 0) {
                statement.changes.push(emptied(&path));
            }
            if !is_emptied {
                statement.rewrites.push(path);
            }
        }
        if statement.rewrites.is_empty() && statement.changes.is_empty() {
            // Those of a table that is written anew go without saying.
            statement.rewrites = indexes;
        }
        Ok(())
    }

    /// Whether a table got a new file of `size` bytes because it was emptied: a table is written anew by way of another,
    /// which is dropped. What is in it was inserted since.
    fn is_emptied(table: i64, size: i64, before: &Counters, after: &Counters) -> bool {
        let rows = |counters: &Counters| counters.of.get(&table).map_or(0, |reading| reading.rows);
        after.dropped == before.dropped && !after.uncounted && (size <= 0 || rows(after) > rows(before))
    }

    /// The sizes of two files in bytes; -1 where that cannot be told: they lie elsewhere, or only a superuser may ask.
    async fn sizes(&mut self, files: [i64; 2]) -> Result<[i64; 2], sqlx::Error> {
        match self.watcher.fetch_one(sqlx::raw_sql(AssertSqlSafe(catalog::sizes(files)))).await {
            Ok(row) => Ok([row.try_get(0)?, row.try_get(1)?]),
            Err(sqlx::Error::Database(_)) => Ok([-1, -1]),
            Err(error) => Err(error),
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
