//! Statements that refuse to run in a transaction: CREATE INDEX CONCURRENTLY and the like. While one runs, a third
//! connection holds an old snapshot open; those that wait for it are met holding their locks.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use super::{Postgres, failure, lost, lost_statement, newly};
use crate::migration::change;
use crate::model::migration::{LockMode, Statement};
use crate::world::database::{DatabaseError, Ran};

/// How often the locks of a statement that does not wait are read.
const SAMPLING: Duration = Duration::from_millis(2);

impl Postgres {
    /// Runs a statement outside any transaction, and reads its locks meanwhile.
    pub(super) async fn run_alone(&mut self, mut statement: Statement) -> Result<Ran, DatabaseError> {
        let failed = |error| lost("around a statement outside a transaction", &error);
        if self.script.open {
            self.control("COMMIT").await.map_err(failed)?;
            self.script.open = false;
        }
        let mut snapshot = PgConnection::connect_with(&self.options).await.map_err(failed)?;
        let hold = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";
        if self.script.observe {
            snapshot.execute(sqlx::raw_sql(hold)).await.map_err(failed)?;
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
                        if waits {
                            let _ = snapshot.execute(sqlx::raw_sql("ROLLBACK")).await;
                        }
                    }
                }
            };
            (sent, seen)
        };
        statement.took = begun.elapsed();
        let _ = snapshot.close().await;
        if let Err(error) = &sent {
            match failure(&statement.source, error) {
                Some(failure) => statement.error = Some(failure),
                None => return Ok(Ran::Lost(Box::new(lost_statement(statement, error)))),
            }
        }
        if self.script.observe {
            statement.locks = newly(&self.script.existing, &BTreeMap::new(), &locks);
            let before = self.known.all();
            self.know_all().await.map_err(failed)?;
            statement.changes = change::compare(&before, &self.known.all());
            self.first_look().await.map_err(failed)?;
            statement.lock_timeout_ms = self.script.counters.timeout();
        }
        Ok(Ran::Done(Box::new(statement)))
    }
}

/// Adds the runner's locks to those seen; whether it waits for another transaction.
async fn sample(watcher: &mut PgConnection, pid: i32, seen: &mut BTreeMap<i64, LockMode>) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "SELECT coalesce(relation::int8, 0), mode, granted, locktype FROM pg_catalog.pg_locks WHERE pid = {pid} AND \
         (locktype = 'virtualxid' OR (locktype = 'relation' AND relation >= 16384))"
    );
    let mut waits = false;
    for row in watcher.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await? {
        let (oid, mode, granted): (i64, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        waits |= !granted;
        if let Some(mode) = LockMode::of_word(&mode).filter(|_| oid > 0) {
            let strongest = seen.entry(oid).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    Ok(waits)
}
