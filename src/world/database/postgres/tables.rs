//! What tables tell of work that nobody watched: the files they are kept in, whether they have rows, and for which of their
//! indexes and constraints they were read while nobody could write.

use std::collections::BTreeMap;

use sqlx::{Error, Executor as _, Row as _};

use super::Postgres;
use crate::model::migration::{LockMode, Table, Tables};

/// The first version in which the last step of `CREATE INDEX CONCURRENTLY` leaves a row of its own transaction.
const TELLS_STEPS: u32 = 14;

const TABLES: &str = r"
SELECT c.oid::int8, c.relnamespace::regnamespace::text || '.' || pg_catalog.quote_ident(c.relname), c.relfilenode::int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
";

/// What was made and finished by one transaction: its row is as old as what belongs to it and never changes. An index has
/// columns, a constraint depends on its table.
const PARTS: &str = r"
SELECT i.indrelid::int8, 'i' || i.indexrelid::text,
       CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
       THEN 'AccessExclusiveLock' ELSE 'ShareLock' END
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = 1
WHERE i.indexrelid >= 16384 AND i.indisvalid AND i.xmin = a.xmin AND {tells_steps}
UNION ALL
SELECT k.conrelid::int8, 'k' || k.oid::text, CASE k.contype WHEN 'f' THEN 'ShareRowExclusiveLock' ELSE 'AccessExclusiveLock' END
FROM pg_catalog.pg_constraint k
WHERE k.oid >= 16384 AND k.contype IN ('c', 'f') AND k.convalidated
  AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = k.oid
              AND d.xmin = k.xmin)
";

impl Postgres {
    /// Every table as it is.
    pub(super) async fn read_tables(&mut self) -> Result<Tables, Error> {
        let parts = PARTS.replace("{tells_steps}", if self.major >= TELLS_STEPS { "true" } else { "false" });
        let mut of: BTreeMap<i64, BTreeMap<String, LockMode>> = BTreeMap::new();
        for row in self.rows(parts).await? {
            let (table, part, mode): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            if let Some(mode) = LockMode::of_word(&mode) {
                of.entry(table).or_default().insert(part, mode);
            }
        }
        let mut tables = Tables::new();
        for row in self.runner.fetch_all(sqlx::raw_sql(TABLES)).await? {
            let (identity, path): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            let has_rows = self.rows(format!("SELECT EXISTS (SELECT FROM {path})")).await;
            let has_rows = match has_rows {
                Ok(rows) => rows.first().map(|row| row.try_get(0)).transpose()?,
                // Who migrates may not read it.
                Err(Error::Database(_)) => None,
                Err(error) => return Err(error),
            };
            let parts = of.remove(&identity).unwrap_or_default();
            tables.insert(path, Table { identity, file: row.try_get(2)?, has_rows, parts });
        }
        Ok(tables)
    }
}
