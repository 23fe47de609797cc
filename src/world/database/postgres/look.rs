//! What a statement did: its locks, counters and the catalogs, read inside its own transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::catalog::{self, Known};
use super::{Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

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

/// Of more relations than this that are held at once, only those are read again of which a row was written: to find
/// them, catalogs are read from end to end.
const MANY: usize = 32;

/// The readings before a statement.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    wal: i64,
    lock_timeout_ms: u64,
    /// Of what belongs to no relation: how many rows there are of each kind, and the age of the youngest.
    digest: String,
    /// How often the catalogs of what belongs to no relation were written to.
    others: i64,
    /// How often those of triggers, policies and rules were.
    beside: i64,
    /// How often the other ones of relations were.
    parts: i64,
    /// How many rows of those are gone.
    gone: i64,
    /// How often relations were altered.
    altered: i64,
    /// How often some were dropped.
    dropped: i64,
    /// Rows written to relations that the script made.
    fresh_rows: i64,
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
}

/// What a look found.
struct Seen {
    counters: Counters,
    locks: BTreeMap<i64, LockMode>,
}

impl Seen {
    /// Readings of relations that were left alone stand as they were `before`.
    /// Those made in the script, which are numbered above `file`, need none.
    fn of(rows: &[PgRow], before: Counters, file: i64) -> Result<Self, sqlx::Error> {
        let mut seen = Self { counters: before, locks: BTreeMap::new() };
        for row in rows {
            // The answers of what is no query of ours have other columns.
            let (Ok(oid), Ok(word)) = (row.try_get::<i64, _>(0), row.try_get::<&str, _>(1)) else { continue };
            match word {
                "totals" => seen.counters.total(row)?,
                "digest" => seen.counters.digest = row.try_get(5)?,
                "reading" => {
                    if let Some(mode) = LockMode::of_word(row.try_get(2)?) {
                        let strongest = seen.locks.entry(oid).or_insert(mode);
                        *strongest = mode.max(*strongest);
                    }
                    if oid <= file {
                        let [scans, rows, file] = numbers(row.try_get(5)?);
                        seen.counters.of.insert(oid, Reading { scans, rows, file });
                    }
                }
                _ => {}
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
        let [wal, timeout, uncounted, others, parts, beside, gone, altered, dropped, fresh_rows] =
            numbers(row.try_get(5)?);
        self.wal = wal;
        self.lock_timeout_ms = u64::try_from(timeout).unwrap_or_default();
        self.uncounted = uncounted != 0;
        (self.others, self.beside, self.parts) = (others, beside, parts);
        (self.gone, self.altered, self.dropped) = (gone, altered, dropped);
        self.fresh_rows = fresh_rows;
        Ok(())
    }
}

/// A digest as the next transaction sees it, to which all rows are of one age.
fn at_rest(digest: &str) -> String {
    let counts = digest.split(' ').map(|kind| kind.split('.').next().unwrap_or_default());
    counts.map(|count| format!("{count}.1")).collect::<Vec<_>>().join(" ")
}

fn numbers<const N: usize>(text: &str) -> [i64; N] {
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

impl Postgres {
    /// Prepares what looks are made with.
    pub(super) async fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.rows(catalog::prepared(self.major))
            .await
            .map(|_| ())
            .map_err(|error| lost("while it was prepared", &error))
    }

    /// Opens a transaction, with the readings that its first statement starts from.
    pub(super) async fn first_look(&mut self) -> Result<(), sqlx::Error> {
        self.script.youngest = 1;
        self.look_after(OPEN).await
    }

    /// The readings that the next statement starts from, after `begin`, which sets its savepoint.
    async fn look_after(&mut self, begin: &str) -> Result<(), sqlx::Error> {
        let file = self.script.before.greatest();
        // Counters start with a transaction, once those of earlier ones were handed on. What was taken back is still
        // counted.
        let starts = self.flushes() && begin == OPEN;
        let digest = self.digest.clone().filter(|_| starts);
        let mut sql = format!("{begin}; EXECUTE gatepost_settings; EXECUTE gatepost_look ({file}, 0)");
        if digest.is_none() {
            sql.push_str("; EXECUTE gatepost_digest");
        }
        let before = Counters { digest: digest.unwrap_or_default(), ..Counters::default() };
        if !starts {
            let oids: Vec<String> = self.script.before.relations().map(|(oid, _)| oid.to_string()).collect();
            let _ = write!(sql, "; EXECUTE gatepost_readings ('{{{}}}')", oids.join(","));
        }
        let _ = write!(sql, "; {BACK}");
        self.script.counters = Seen::of(&self.rows(sql).await?, before, file)?.counters;
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

    /// Looks at what the statement just did, within its transaction: locks and counters, and where those tell of changes,
    /// the catalogs.
    pub(super) async fn look(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let before = std::mem::take(&mut self.script.counters);
        let file = self.script.before.greatest();
        let many = self.script.locks.len() > MANY;
        let last = if many { self.script.locks.last_key_value().map_or(file, |(oid, _)| file.max(*oid)) } else { 0 };
        let sql = format!("{NEXT}; EXECUTE gatepost_settings; EXECUTE gatepost_look ({file}, {last}); {BACK}");
        let rows = self.rows(sql).await?;
        let Seen { mut counters, mut locks } = Seen::of(&rows, before.clone(), file)?;
        counters.uncounted |= catalog::hides(&statement.source.sql) || self.known.has_hiding_function();
        let held = std::mem::take(&mut self.script.locks);
        if many {
            let of_the_script = held.range(file.saturating_add(1)..).map(|(oid, mode)| (*oid, *mode));
            locks.extend(of_the_script.collect::<Vec<_>>());
        }
        self.script.locks = locks;
        statement.locks = newly(&self.script.before, &held, &self.script.locks);
        statement.held = self.still_held(&held, &statement.locks);
        self.compare(statement, &before, &counters);
        let changes = if counters.uncounted {
            self.count_again(statement).await?;
            counters.digest.clear();
            self.all_anew().await?
        } else {
            self.changes(&before, &mut counters, many).await?
        };
        self.renewed(statement, &before, &counters).await?;
        self.script.counters = counters;
        statement.changes.extend(changes);
        Ok(())
    }

    /// What changed in the catalogs since, of which only what may have changed is read again.
    async fn changes(
        &mut self,
        before: &Counters,
        after: &mut Counters,
        many: bool,
    ) -> Result<Vec<Change>, sqlx::Error> {
        let mut changes = Vec::new();
        if after.parts != before.parts || after.beside != before.beside {
            changes = self.changes_of_relations(before, after, many).await?;
        } else if after.others != before.others {
            let sql = format!("EXECUTE gatepost_settings; EXECUTE gatepost_digest; {BACK}");
            let Seen { counters, .. } = Seen::of(&self.rows(sql).await?, after.clone(), 0)?;
            *after = counters;
        }
        if after.digest == before.digest {
            return Ok(changes);
        }
        let rows = self.rows(format!("{WHOLE}; EXECUTE gatepost_others; {BACK}")).await?;
        let others = self.learn(&BTreeSet::from([0]), &rows);
        // What has another name now, or other privileges, is named so in relations that nobody had to lock.
        let renamed = others.iter().any(|change| !matches!(change.what, What::Added { .. }));
        changes.extend(others);
        if renamed {
            changes.extend(self.all_anew().await?);
            changes.sort_by(|a, b| a.object.cmp(&b.object));
        }
        Ok(changes)
    }

    /// What changed in relations: of those that are locked so that it may have been, or that were written to.
    async fn changes_of_relations(
        &mut self,
        before: &Counters,
        after: &mut Counters,
        many: bool,
    ) -> Result<Vec<Change>, sqlx::Error> {
        let strong = self.script.locks.iter().filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive);
        let strong: BTreeSet<i64> = strong.map(|(oid, _)| *oid).collect();
        let youngest = self.script.youngest;
        // A row that is gone is nobody's: its relation is among those that are locked.
        let written = many && after.gone == before.gone;
        let mut whole = written || after.beside != before.beside || self.known.has_beside(strong.iter());
        let digest = if after.others == before.others { "" } else { "EXECUTE gatepost_digest; " };
        let named: Vec<String> = strong.iter().map(i64::to_string).collect();
        loop {
            let question = if written {
                format!("gatepost_written ({youngest})")
            } else {
                let (name, altered) = (if whole { "_whole" } else { "" }, after.altered != before.altered);
                format!("gatepost_named{name} ('{{{}}}', {altered}, {youngest})", named.join(","))
            };
            let rows = self.rows(format!("EXECUTE gatepost_settings; {digest}EXECUTE {question}; {BACK}")).await?;
            let mut facts = Vec::new();
            for row in rows {
                match row.try_get::<&str, _>(1) {
                    Ok("digest") => after.digest = row.try_get(5)?,
                    Ok("youngest") => {
                        let age = row.try_get::<Option<&str>, _>(5)?.and_then(|age| age.parse().ok());
                        self.script.youngest = age.unwrap_or(youngest);
                    }
                    Ok(_) => facts.push(row),
                    // The answer of a setting.
                    Err(_) => {}
                }
            }
            let mut owners = if written { BTreeSet::new() } else { strong.clone() };
            owners.extend(facts.iter().filter_map(|row| row.try_get::<i64, _>(0).ok()));
            if whole || !self.known.has_beside(owners.iter()) {
                return Ok(self.learn(&owners, &facts));
            }
            // A relation that nobody locked has triggers, policies or rules, which were not asked for.
            whole = true;
        }
    }

    /// What changed since, whatever that is.
    async fn all_anew(&mut self) -> Result<Vec<Change>, sqlx::Error> {
        let before = self.known.all();
        self.know_all().await?;
        Ok(change::compare(&before, &self.known.all()))
    }

    /// Switches counters on for what follows. What was done under strong locks while they were off is not known to be well.
    async fn count_again(&mut self, statement: &mut Statement) -> Result<(), sqlx::Error> {
        let on = format!("SET track_counts = on; {NEXT}");
        match self.rows(on).await {
            // A role that may not switch them cannot have done so either, but one before it.
            Err(sqlx::Error::Database(_)) => self.control(BACK).await?,
            other => drop(other?),
        }
        if self.script.locks.values().any(|mode| mode.is_dangerous()) {
            statement.error = Some(StatementError {
                message:
                    "what it reads and writes was not counted, or not all of it: track_counts is off, in the session, \
                          in a function or in a part of the statement"
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
        statement.rows = u64::try_from(after.fresh_rows.saturating_sub(before.fresh_rows)).unwrap_or_default();
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
        let sql = format!("{BACK}; DEALLOCATE ALL; {}", catalog::prepared(self.major));
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
        let flush = if self.flushes() && self.script.observe { FLUSH } else { "" };
        let words = if keep { [flush, "COMMIT", then] } else { ["ROLLBACK", flush, then] };
        let sql: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        self.rows(sql.join("; ")).await?;
        if keep && self.script.observe {
            let digest = &self.script.counters.digest;
            self.digest = (!digest.is_empty()).then(|| at_rest(digest));
        }
        Ok(())
    }

    /// Reads the whole schema.
    pub(super) async fn know_all(&mut self) -> Result<(), sqlx::Error> {
        let (open, close) = if self.script.open { (BACK, BACK) } else { (OPEN, "ROLLBACK") };
        let sql = format!("{open}; {WHOLE}; EXECUTE gatepost_all; EXECUTE gatepost_others; {close}");
        let rows = self.rows(sql).await;
        if rows.is_err() && !self.script.open {
            self.control("ROLLBACK").await?;
        }
        self.digest = None;
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
