//! What a statement did: its locks, counters and the catalogs, read inside its own transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _};

use super::catalog::{self, Known};
use super::{PATIENT, Postgres, lost, newly};
use crate::migration::change;
use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, StatementError, What};
use crate::world::database::DatabaseError;

/// A transaction of our own, as scripts have it.
pub(super) const OPEN: &str = "BEGIN; SAVEPOINT gatepost";
/// The savepoint stands for the next statement.
const BACK: &str = "ROLLBACK TO SAVEPOINT gatepost";
/// The statement's own savepoint is let go, and the next one's set, in which the look is made.
const NEXT: &str = "RELEASE SAVEPOINT gatepost; SAVEPOINT gatepost";
/// How much log there is, in bytes.
const LOG: &str = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8";

/// What a script sets stays its own, as with a tool that opens a connection for each.
pub(super) const RESET: &str =
    "RESET ALL; RESET SESSION AUTHORIZATION; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE";
/// Counters are handed on at the end of the transaction, not a second later.
pub(super) const FLUSH: &str = "SELECT pg_catalog.pg_stat_force_next_flush()";

/// Of more relations than this that are held at once, only those are read again of which a row was written: to find
/// them, catalogs are read from end to end.
const MANY: usize = 32;

/// What has been written to catalogs when a transaction begins, in the look's own words.
const NOTHING: &str = "{0,0,0,0,0,0,0,0,0}";

/// The readings before a statement.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    wal: i64,
    lock_timeout_ms: u64,
    /// How often catalogs were written to, in the look's own words; none before the first.
    moved: Option<String>,
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
    inserted: i64,
    deleted: i64,
}

/// What a look found.
struct Seen {
    counters: Counters,
    locks: BTreeMap<i64, LockMode>,
    /// What the statement took, in microseconds.
    took: u64,
    youngest: i64,
    /// The greatest number of a type.
    types: i64,
    /// Of whom everything that there is was read.
    owners: BTreeSet<i64>,
    facts: Vec<PgRow>,
}

impl Seen {
    /// Readings of relations that were left alone stand as they were `before`.
    /// Those made in the script, which are numbered above `first`, need none.
    fn of(rows: Vec<PgRow>, before: Counters, first: i64) -> Result<Self, sqlx::Error> {
        let mut seen = Self {
            counters: before,
            locks: BTreeMap::new(),
            took: 0,
            youngest: 1,
            types: 0,
            owners: BTreeSet::new(),
            facts: Vec::new(),
        };
        let mut is_whole = false;
        for row in rows {
            let oid: i64 = row.try_get(0)?;
            match row.try_get(1)? {
                "totals" => {
                    seen.total(&row)?;
                    is_whole = true;
                }
                "owners" => {
                    let named = row.try_get::<&str, _>(5)?.split(' ');
                    seen.owners.extend(named.filter_map(|oid| oid.parse::<i64>().ok()));
                }
                "others" => _ = seen.owners.insert(0),
                "reading" => {
                    if let Some(mode) = LockMode::of_word(row.try_get(2)?) {
                        seen.locks.insert(oid, mode);
                    }
                    if oid <= first {
                        let [scans, rows, file, inserted, deleted] = numbers(row.try_get(5)?);
                        seen.counters.of.insert(oid, Reading { scans, rows, file, inserted, deleted });
                    }
                }
                _ => seen.facts.push(row),
            }
        }
        // A look that tells nothing has not seen that nothing happened.
        if is_whole { Ok(seen) } else { Err(sqlx::Error::RowNotFound) }
    }

    fn total(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let [took, wal, timeout, uncounted, fresh_rows, youngest, types] = numbers(row.try_get(5)?);
        self.took = u64::try_from(took).unwrap_or_default();
        self.youngest = youngest;
        self.types = types;
        let counters = &mut self.counters;
        counters.wal = wal;
        counters.lock_timeout_ms = u64::try_from(timeout).unwrap_or_default();
        counters.uncounted = uncounted != 0;
        counters.moved = Some(row.try_get(4)?);
        counters.fresh_rows = fresh_rows;
        Ok(())
    }
}

impl Counters {
    /// What is in force for waiting on locks, in milliseconds.
    pub(super) const fn timeout(&self) -> u64 {
        self.lock_timeout_ms
    }

    /// How many relations were dropped.
    fn dropped(&self) -> i64 {
        let moved = self.moved.as_deref().unwrap_or_default().trim_matches(['{', '}']);
        moved.split(',').nth(4).and_then(|number| number.parse().ok()).unwrap_or_default()
    }
}

fn numbers<const N: usize>(text: &str) -> [i64; N] {
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

/// What a statement sent together with its look came to.
pub(super) enum Sent {
    /// The statement was refused, or the connection is gone.
    Refused(sqlx::Error),
    /// It was done, and looked at.
    Done(Result<Vec<PgRow>, sqlx::Error>),
}

impl Postgres {
    /// Prepares what looks are made with.
    pub(super) async fn prepare(&mut self) -> Result<(), DatabaseError> {
        let flush = if self.flushes() { FLUSH } else { "" };
        self.rows(format!("{}; {flush}", catalog::prepared(self.major)))
            .await
            .map(|_| ())
            .map_err(|error| lost("while it was prepared", &error))
    }

    /// Opens a transaction, with the readings that its first statement starts from.
    pub(super) async fn first_look(&mut self) -> Result<(), sqlx::Error> {
        self.script.youngest = 1;
        if !self.flushes() {
            return self.look_after(OPEN).await;
        }
        // Counters start with the transaction, as those of earlier ones were handed on.
        let rows = self.rows(format!("{OPEN}; {LOG}")).await?;
        let wal = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        self.script.counters = Counters { wal, moved: Some(NOTHING.to_owned()), ..Counters::default() };
        Ok(())
    }

    /// The readings that the next statement starts from, after `begin`, which sets its savepoint: of every relation, as
    /// what was taken back is still counted.
    pub(super) async fn look_after(&mut self, begin: &str) -> Result<(), sqlx::Error> {
        let look = self.look_of(&Counters::default(), 0);
        let oids: Vec<String> = self.script.before.relations().map(|(oid, _)| oid.to_string()).collect();
        let sql = format!("{begin}; {PATIENT}; {look}; {}; {BACK}", catalog::readings(&oids));
        let rows = self.rows(sql).await?;
        let seen = Seen::of(rows, Counters::default(), self.script.before.greatest())?;
        self.script.counters = seen.counters;
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

    /// The call that tells what happened since `before`. Relations up to `upto` that the script made are passed over.
    fn look_of(&self, before: &Counters, upto: i64) -> String {
        let first = self.script.before.greatest();
        let was = before.moved.as_ref().map_or_else(|| "NULL".to_owned(), |moved| format!("'{moved}'"));
        let beside: Vec<String> = self.known.beside().iter().map(i64::to_string).collect();
        let (youngest, beside, types) = (self.script.youngest, beside.join(","), self.types);
        format!("SELECT * FROM pg_temp.gatepost_look({first}, {upto}, {was}, {youngest}, '{{{beside}}}', {types})")
    }

    /// Up to which of the relations that the script made none is read again; 0 where all are.
    fn upto(&self) -> i64 {
        if self.script.locks.len() <= MANY {
            return 0;
        }
        let first = self.script.before.greatest();
        self.script.locks.last_key_value().map_or(first, |(oid, _)| first.max(*oid)).max(1)
    }

    /// What is sent to look at the statement that was just done.
    fn look_now(&self) -> String {
        format!("{NEXT}; {PATIENT}; {}; {BACK}", self.look_of(&self.script.counters, self.upto()))
    }

    /// Sends a statement and the look at it as one message: to wait for each costs more than what it asks.
    pub(super) async fn send_with_look(&mut self, sql: &str) -> Sent {
        // A comment may end the statement's last line.
        let sql = format!("{sql}\n; {}", self.look_now());
        let mut answers = self.runner.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        let mut rows = None::<Vec<PgRow>>;
        while let Some(answer) = std::future::poll_fn(|context| answers.as_mut().poll_next(context)).await {
            match (answer, &mut rows) {
                (Err(error), None) => return Sent::Refused(error),
                (Err(error), Some(_)) => return Sent::Done(Err(error)),
                // The statement is done; its own rows are read and let go.
                (Ok(Either::Left(_)), None) => rows = Some(Vec::new()),
                (Ok(Either::Right(row)), Some(rows)) => rows.push(row),
                (Ok(_), _) => {}
            }
        }
        Sent::Done(Ok(rows.unwrap_or_default()))
    }

    /// Looks at what the statement just did, within its transaction: locks, counters and what changed in the catalogs;
    /// in `rows` where that was asked for together with the statement.
    pub(super) async fn look(
        &mut self,
        statement: &mut Statement,
        rows: Option<Vec<PgRow>>,
    ) -> Result<(), sqlx::Error> {
        let upto = self.upto();
        let is_timed = rows.is_some();
        let rows = match rows {
            Some(rows) => rows,
            None => self.rows(self.look_now()).await?,
        };
        let before = std::mem::take(&mut self.script.counters);
        let first = self.script.before.greatest();
        let seen = Seen::of(rows, before.clone(), first)?;
        let (mut counters, mut locks) = (seen.counters, seen.locks);
        if is_timed {
            statement.took = Duration::from_micros(seen.took);
        }
        (self.script.youngest, self.types) = (seen.youngest, seen.types);
        counters.uncounted |= catalog::hides(&statement.source.sql) || self.known.has_hiding_function();
        let held = std::mem::take(&mut self.script.locks);
        if upto > 0 {
            let of_the_script = held.range(first.saturating_add(1)..).map(|(oid, mode)| (*oid, *mode));
            locks.extend(of_the_script.collect::<Vec<_>>());
        }
        self.script.locks = locks;
        statement.locks = newly(&self.script.before, &held, &self.script.locks);
        statement.held = self.still_held(&held, &statement.locks);
        self.compare(statement, &before, &counters);
        let changes = if counters.uncounted {
            self.count_again(statement).await?;
            self.all_anew().await?
        } else {
            self.changes(seen.owners, &seen.facts).await?
        };
        self.renewed(statement, &before, &counters).await?;
        self.script.counters = counters;
        statement.changes.extend(changes);
        Ok(())
    }

    /// What changed in the catalogs, of which only what may have changed was read.
    async fn changes(&mut self, mut owners: BTreeSet<i64>, facts: &[PgRow]) -> Result<Vec<Change>, sqlx::Error> {
        let others = owners.remove(&0);
        let (of_none, of_relations): (Vec<&PgRow>, Vec<&PgRow>) =
            facts.iter().partition(|row| row.try_get::<i64, _>(0).is_ok_and(|oid| oid == 0));
        let mut changes = self.learn(&owners, &of_relations);
        // What has another name now, or other privileges, is named so in relations that nobody had to lock.
        let mut is_named_elsewhere = changes.iter().any(|change| matches!(change.what, What::Renamed { .. }));
        if others {
            let others = self.learn(&BTreeSet::from([0]), &of_none);
            is_named_elsewhere |= others.iter().any(|change| !matches!(change.what, What::Added { .. }));
            changes.extend(others);
        }
        if is_named_elsewhere {
            changes.extend(self.all_anew().await?);
            changes.sort_by(|a, b| a.object.cmp(&b.object));
        }
        Ok(changes)
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
    fn learn(&mut self, owners: &BTreeSet<i64>, rows: &[&PgRow]) -> Vec<Change> {
        let before = self.known.of(owners.iter().copied());
        self.known.forget(owners.iter().copied());
        self.known.take(rows.iter().copied());
        change::compare(&before, &self.known.of(owners.iter().copied()))
    }

    fn compare(&self, statement: &mut Statement, before: &Counters, after: &Counters) {
        statement.wal_bytes = u64::try_from(after.wal.saturating_sub(before.wal)).unwrap_or_default();
        statement.lock_timeout_ms = Some(after.lock_timeout_ms);
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
            let deleted = before.of.get(oid).map_or(0, |old| old.deleted);
            if file == new.file && new.deleted > deleted {
                let path = existing.path.clone();
                if self.is_left_empty(*oid, *new, after).await? {
                    statement.changes.push(emptied(&path));
                }
                continue;
            }
            if file == new.file || file <= 0 || new.file <= 0 || known.is(ObjectKind::Sequence) {
                continue;
            }
            let path = existing.path.clone();
            if known.is_index {
                indexes.push(path);
                continue;
            }
            let is_view = known.is(ObjectKind::MaterializedView);
            let [was, is, lived] = self.sizes([file, new.file], *oid).await?;
            let is_emptied = !is_view && Self::is_emptied(*oid, is, before, after);
            // Rows that were dead before are no loss, where that is known.
            let is_lost = lived > 0 || !self.flushes() || after.uncounted;
            if is_emptied || (!is_view && is_lost && was > 0 && is == 0) {
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
        after.dropped() == before.dropped() && !after.uncounted && (size <= 0 || rows(after) > rows(before))
    }

    /// Whether the transaction deleted as many rows as there were and came.
    async fn is_left_empty(&mut self, table: i64, now: Reading, after: &Counters) -> Result<bool, sqlx::Error> {
        if !self.flushes() || after.uncounted {
            return Ok(false);
        }
        let [_, _, lived] = self.sizes([now.file, now.file], table).await?;
        Ok(lived > 0 && lived + now.inserted <= now.deleted)
    }

    /// The sizes of two files in bytes, and how many rows their relation had before the transaction. Sizes are -1 where
    /// that cannot be told: they lie elsewhere, or only a superuser may ask; it is then taken to have had rows.
    async fn sizes(&mut self, files: [i64; 2], of: i64) -> Result<[i64; 3], sqlx::Error> {
        match self.watcher.fetch_one(sqlx::raw_sql(AssertSqlSafe(catalog::sizes(files, of)))).await {
            Ok(row) => Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]),
            Err(sqlx::Error::Database(_)) => Ok([-1, -1, 1]),
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
        let sql = format!("{BACK}; {}; {NEXT}", catalog::prepared(self.major));
        if self.rows(sql).await.is_ok() {
            // It goes with the transaction, if that is taken back.
            self.unseen = true;
            let looked = self.look(statement, None).await;
            return looked.map_err(|error| lost("while a statement was looked at again", &error));
        }
        self.control("ROLLBACK").await.map_err(failed)?;
        self.prepare().await?;
        self.script.open = false;
        self.script.transaction = false;
        self.script.locks.clear();
        self.know_all().await.map_err(failed)?;
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
        self.rows(sql.join("; ")).await.map(|_| ())
    }

    /// Reads the whole schema.
    pub(super) async fn know_all(&mut self) -> Result<(), sqlx::Error> {
        let (open, close) = if self.script.open { (BACK, BACK) } else { (OPEN, "ROLLBACK") };
        let sql = format!("{open}; {PATIENT}; SELECT * FROM pg_temp.gatepost_all(); {close}");
        let rows = self.rows(sql).await;
        if rows.is_err() && !self.script.open {
            self.control("ROLLBACK").await?;
        }
        self.known = Known::default();
        self.known.take(rows?.iter());
        self.current = true;
        Ok(())
    }
}

fn emptied(path: &str) -> Change {
    let object = Object { kind: ObjectKind::Table, of: path.to_owned(), name: String::new() };
    Change { object, what: What::Emptied }
}
