//! Statements that refuse to run in a transaction: CREATE INDEX CONCURRENTLY and the like. While one runs, a third
//! connection holds an old snapshot open, and reads every table; those that wait for either are met with their locks.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use super::{Postgres, catalog, failure, look, lost, lost_statement, newly};
use crate::migration::change;
use crate::model::migration::{Fact, Facts, LockMode, Object, ObjectKind, Statement};
use crate::world::database::{DatabaseError, Ran};

/// How often the locks of a statement that does not wait are read.
const SAMPLING: Duration = Duration::from_millis(2);
/// Opens a transaction that sees nothing that comes after it.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";

impl Postgres {
    /// Runs a statement outside any transaction, and reads its locks meanwhile.
    pub(super) async fn run_alone(&mut self, mut statement: Statement) -> Result<Ran, DatabaseError> {
        let failed = |error| lost("around a statement outside a transaction", &error);
        if self.script.open {
            self.control("COMMIT").await.map_err(failed)?;
            self.script.open = false;
        }
        let mut before = Readings::default();
        let hold = hold(&self.known.all());
        let mut holder = None;
        if self.script.observe {
            holder = Some(held(&self.options, &hold).await.map_err(failed)?);
            before = self.readings().await.map_err(failed)?;
        }
        let begun = Instant::now();
        let pid = self.runner_pid;
        let (sent, locks) = {
            let running = self.runner.execute(sqlx::raw_sql(AssertSqlSafe(statement.source.sql.clone())));
            tokio::pin!(running);
            let mut seen = BTreeMap::new();
            let sent = loop {
                tokio::select! {
                    biased;
                    sent = &mut running => break sent,
                    () = tokio::time::sleep(SAMPLING), if self.script.observe => {
                        let waits = sample(&mut self.watcher, pid, &mut seen).await.map_err(failed)?;
                        let old = if waits == Waits::No { None } else { holder.take() };
                        // It waits for those that are here now; its next step is to meet another one.
                        if waits == Waits::ForOthers && old.is_some() {
                            holder = Some(held(&self.options, &hold).await.map_err(failed)?);
                        }
                        if let Some(old) = old {
                            let _ = old.close().await;
                        }
                    }
                }
            };
            (sent, seen)
        };
        statement.took = begun.elapsed();
        if let Some(holder) = holder {
            let _ = holder.close().await;
        }
        if let Err(error) = &sent {
            match failure(&statement.source, error) {
                Some(failure) => statement.error = Some(failure),
                None => return Ok(Ran::Lost(Box::new(lost_statement(statement, error)))),
            }
        }
        if self.script.observe {
            self.tell_of_alone(&mut statement, &before, &locks).await.map_err(failed)?;
        }
        Ok(Ran::Done(Box::new(statement)))
    }
}

/// What is counted of a server and its tables.
#[derive(Default)]
struct Readings {
    wal: i64,
    scans: BTreeMap<i64, i64>,
}

impl Postgres {
    /// What it did, read from the outside: it has no transaction that could be looked into.
    async fn tell_of_alone(
        &mut self,
        statement: &mut Statement,
        before: &Readings,
        locks: &BTreeMap<i64, LockMode>,
    ) -> Result<(), sqlx::Error> {
        statement.locks = newly(&self.script.before, &BTreeMap::new(), locks);
        let after = self.readings().await?;
        statement.wal_bytes = u64::try_from(after.wal.saturating_sub(before.wal)).unwrap_or_default();
        let known = self.known.clone();
        if self.know_all().await.is_err() {
            // It let go of what looks are made with, as DISCARD ALL does.
            self.rows(catalog::prepared(self.major)).await?;
            self.know_all().await?;
        }
        statement.changes = change::compare(&known.all(), &self.known.all());
        for (oid, owner) in known.relations().filter(|(_, owner)| !owner.is_index) {
            let now = self.known.get(oid).and_then(|owner| owner.file);
            if now.is_some() && owner.file.is_some() && now != owner.file {
                statement.rewrites.push(owner.path.clone());
            }
            let scanned = before.scans.get(&oid).is_some_and(|old| after.scans.get(&oid).is_some_and(|new| new != old));
            if scanned && locks.get(&oid).is_some_and(|mode| mode.is_dangerous()) {
                statement.scans.push(owner.path.clone());
            }
        }
        self.look_after(look::OPEN).await?;
        statement.lock_timeout_ms = Some(self.script.counters.timeout());
        self.control("ROLLBACK").await
    }

    /// What the runner has counted so far, once it has handed that on.
    async fn readings(&mut self) -> Result<Readings, sqlx::Error> {
        if self.flushes() {
            self.control("SELECT pg_catalog.pg_stat_force_next_flush()").await?;
        }
        let sql = "SELECT 0::int8, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8 UNION ALL \
                   SELECT c.oid::int8, pg_catalog.pg_stat_get_numscans(c.oid) FROM pg_catalog.pg_class c WHERE c.oid >= 16384";
        let mut readings = Readings::default();
        for row in self.watcher.fetch_all(sqlx::raw_sql(sql)).await? {
            match row.try_get(0)? {
                0 => readings.wal = row.try_get(1)?,
                oid => _ = readings.scans.insert(oid, row.try_get(1)?),
            }
        }
        Ok(readings)
    }
}

/// How to hold a snapshot, and the weakest lock on every table.
fn hold(known: &Facts) -> String {
    let is_table = |(object, fact): &(&Object, &Fact)| {
        let others = ["FOREIGN", "COMPOSITE"];
        object.kind == ObjectKind::Table && !fact.definition.split(' ').any(|word| others.contains(&word))
    };
    let tables: Vec<String> = known.iter().filter(is_table).map(|(object, _)| format!("ONLY {}", object.of)).collect();
    if tables.is_empty() {
        SNAPSHOT.to_owned()
    } else {
        // The statement may have asked for a stronger one meanwhile and wait for the holder before this one: to wait behind
        // it would be to wait for each other.
        format!("{SNAPSHOT}; LOCK TABLE {} IN ACCESS SHARE MODE NOWAIT", tables.join(", "))
    }
}

/// A connection that holds them until it is closed.
async fn held(options: &PgConnectOptions, hold: &str) -> Result<PgConnection, sqlx::Error> {
    let mut holder = PgConnection::connect_with(options).await?;
    if holder.execute(sqlx::raw_sql(AssertSqlSafe(hold.to_owned()))).await.is_err() {
        // More tables than there are locks, or one that is not to be had: what holds its own for a moment alone may be missed.
        holder.execute(sqlx::raw_sql("ROLLBACK")).await?;
        holder.execute(sqlx::raw_sql(SNAPSHOT)).await?;
    }
    Ok(holder)
}

/// What a statement waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    No,
    /// The end of transactions that began before it.
    ForOthers,
    /// A lock that another one's stands against.
    ForLock,
}

/// Adds the runner's locks to those seen, and tells what it waits for.
async fn sample(
    watcher: &mut PgConnection,
    pid: i32,
    seen: &mut BTreeMap<i64, LockMode>,
) -> Result<Waits, sqlx::Error> {
    let sql = format!(
        "SELECT coalesce(relation::int8, 0), mode, granted, locktype FROM pg_catalog.pg_locks WHERE pid = {pid} AND \
         (locktype = 'virtualxid' OR (locktype = 'relation' AND relation >= 16384))"
    );
    let mut waits = Waits::No;
    for row in watcher.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await? {
        let (oid, mode, granted): (i64, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !granted {
            waits = if oid > 0 { Waits::ForLock } else { Waits::ForOthers };
        }
        if let Some(mode) = LockMode::of_word(&mode).filter(|_| oid > 0) {
            let strongest = seen.entry(oid).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    Ok(waits)
}
