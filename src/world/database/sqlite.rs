//! Migrations tried on SQLite, in this process and in memory: no file is opened, whatever a migration asks for; for a tool
//! that migrates by itself it is one file of ours. What a statement changed is read from the schema; SQLite has one lock
//! for everything, so there are none to tell of.

mod cascades;

use std::collections::BTreeSet;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use crate::migration::change;
use crate::model::migration::{Fact, Facts, Object, ObjectKind, Source, Statement, StatementError};
#[cfg(unix)]
use crate::world::database::programs::Surroundings;
#[cfg(unix)]
use crate::world::database::scratch::Scratch;
use crate::world::database::{Database, DatabaseError, Ran, unknown};

/// How many steps of its machine pass between two looks at whether it is to stop.
const STEPS: i32 = 10_000;
/// How many tables are asked for rows at a time: SQLite joins 500 questions at most.
const TABLES: usize = 200;

/// Every object, and every column of every table. Rows: kind, table, name, identity, definition.
const SCHEMA: &str = r"
SELECT m.type, m.tbl_name, m.name, m.rootpage, coalesce(m.sql, '') FROM sqlite_schema m
WHERE m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
UNION ALL
SELECT 'column', m.name, c.name, c.cid,
  c.type || CASE WHEN c.pk > 0 THEN ' PRIMARY KEY ' || c.pk ELSE '' END || CASE WHEN c.[notnull] THEN ' NOT NULL' ELSE '' END
  || coalesce(' DEFAULT ' || c.dflt_value, '') || CASE WHEN c.hidden > 1 THEN ' GENERATED ALWAYS' ELSE '' END
FROM sqlite_schema m, pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
UNION ALL
SELECT 'constraint', m.name, 'foreign key ' || group_concat(f.[from], ', '), 0,
  'FOREIGN KEY (' || group_concat(f.[from], ', ') || ') REFERENCES ' || f.[table] || '(' || coalesce(group_concat(f.[to], ', '), '')
  || ') ON UPDATE ' || f.on_update || ' ON DELETE ' || f.on_delete
FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' GROUP BY m.name, f.id
UNION ALL
SELECT 'constraint', m.name, 'unique ' || (SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name) i), 0,
  'UNIQUE (' || (SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name) i) || ')'
FROM sqlite_schema m, pragma_index_list(m.name) l WHERE m.type = 'table' AND l.origin = 'u'
";

/// A SQLite database in memory.
pub struct Sqlite {
    connection: SqliteConnection,
    version: String,
    stop: Arc<AtomicBool>,
    known: Facts,
    schema_version: i64,
    changed_rows: i64,
    transaction: bool,
    observe: bool,
    /// Whether scripts begin with foreign keys that are heeded.
    foreign_keys: bool,
    /// Tables that had rows at the last look, of those whose rows may go with others'.
    filled: BTreeSet<String>,
    /// The database that was copied, while the copy is used.
    kept: Option<Box<(SqliteConnection, Facts)>>,
    /// The file that a tool is given, in a folder that goes with it.
    #[cfg(unix)]
    file: Option<(PathBuf, Scratch)>,
}

fn lost(error: &sqlx::Error) -> DatabaseError {
    DatabaseError::Lost { during: "in this process".to_owned(), said: error.to_string() }
}

impl Sqlite {
    /// Makes an empty database, on whose connection foreign keys are heeded or not.
    ///
    /// # Errors
    /// When there is no memory.
    pub async fn scratch(foreign_keys: bool) -> Result<Self, DatabaseError> {
        Self::on(SqliteConnectOptions::new().in_memory(true), foreign_keys).await
    }

    /// Makes an empty database in a file, which other processes can open.
    ///
    /// # Errors
    /// When there is no room for it.
    #[cfg(unix)]
    pub async fn in_file(around: Surroundings<'_>) -> Result<Self, DatabaseError> {
        let scratch = Scratch::new(around.get("TMPDIR").map(PathBuf::from).as_deref(), &[])?;
        let file = scratch.path().join("scratch.sqlite3");
        let database = Self::on(SqliteConnectOptions::new().filename(&file).create_if_missing(true), false).await?;
        Ok(Self { file: Some((file, scratch)), ..database })
    }

    async fn on(options: SqliteConnectOptions, foreign_keys: bool) -> Result<Self, DatabaseError> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut connection = open(options.foreign_keys(foreign_keys), &stop).await.map_err(|error| lost(&error))?;
        let row = connection.fetch_one(sqlx::raw_sql("SELECT sqlite_version()")).await.map_err(|error| lost(&error))?;
        let version = row.try_get(0).map_err(|error| lost(&error))?;
        Ok(Self {
            connection,
            version,
            stop,
            known: Facts::new(),
            schema_version: -1,
            changed_rows: 0,
            transaction: false,
            observe: false,
            foreign_keys,
            filled: BTreeSet::new(),
            kept: None,
            #[cfg(unix)]
            file: None,
        })
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.connection.execute(sqlx::raw_sql(sql)).await.map(|_| ())
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, DatabaseError> {
        let row = self.connection.fetch_one(sqlx::raw_sql(sql)).await.map_err(|error| lost(&error))?;
        row.try_get(0).map_err(|error| lost(&error))
    }

    async fn look(&mut self, statement: &mut Statement) -> Result<(), DatabaseError> {
        let rows = self.number("SELECT total_changes()").await?;
        statement.rows = u64::try_from(rows.saturating_sub(self.changed_rows)).unwrap_or_default();
        self.changed_rows = rows;
        let version = self.number("PRAGMA schema_version").await?;
        let mut emptied = BTreeSet::new();
        if version != self.schema_version {
            self.schema_version = version;
            let before = std::mem::take(&mut self.known);
            self.known = self.read().await?;
            statement.changes = change::compare(&before, &self.known);
            emptied = cascades::of_dropped(&before, &statement.changes);
            if !emptied.is_empty() && !self.heeded_foreign_keys(statement).await? {
                emptied.clear();
            }
        } else if statement.rows == 0 {
            return Ok(());
        }
        let filled = self.filled().await?;
        // What a statement deletes by the table's own name its words tell, and whether that is all of it.
        let went = self.filled.difference(&filled).filter(|table| !statement.source.sql.contains(table.as_str()));
        emptied.extend(went.cloned());
        self.filled = filled;
        let tables: BTreeSet<&str> = cascades::tables(&self.known);
        let emptied = emptied.into_iter().filter(|table| tables.contains(table.as_str()));
        statement.changes.extend(emptied.map(cascades::emptied).collect::<Vec<_>>());
        Ok(())
    }

    /// Whether they were while the statement ran. In a transaction nothing changes that.
    async fn heeded_foreign_keys(&mut self, statement: &Statement) -> Result<bool, DatabaseError> {
        let names_them = statement.source.sql.to_ascii_lowercase().contains("foreign_keys");
        Ok((self.transaction || !names_them) && self.number("PRAGMA foreign_keys").await? == 1)
    }

    /// The tables that have rows, of those whose rows may go with others'.
    async fn filled(&mut self) -> Result<BTreeSet<String>, DatabaseError> {
        let tables: Vec<&str> = cascades::tables(&self.known).into_iter().collect();
        let mut filled = BTreeSet::new();
        for some in tables.chunks(TABLES) {
            let question = sqlx::raw_sql(AssertSqlSafe(cascades::question(some)));
            let rows = self.connection.fetch_all(question).await.map_err(|error| lost(&error))?;
            filled.extend(rows.iter().filter_map(|row| row.try_get::<String, _>(0).ok()));
        }
        Ok(filled)
    }

    /// A copy in memory, on a connection of its own.
    async fn copied(&mut self) -> Result<SqliteConnection, sqlx::Error> {
        let copy = self.connection.serialize(None).await?;
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(self.foreign_keys);
        let mut connection = open(options, &self.stop).await?;
        connection.deserialize(None, copy, false).await?;
        Ok(connection)
    }

    async fn read(&mut self) -> Result<Facts, DatabaseError> {
        let rows = self.connection.fetch_all(sqlx::raw_sql(SCHEMA)).await.map_err(|error| lost(&error))?;
        Ok(rows.iter().filter_map(fact).collect())
    }
}

async fn open(options: SqliteConnectOptions, stop: &Arc<AtomicBool>) -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(&options.disable_statement_logging()).await?;
    let stop = Arc::clone(stop);
    connection.lock_handle().await?.set_progress_handler(STEPS, move || !stop.load(Ordering::Relaxed));
    Ok(connection)
}

/// The command by which a statement would touch a file; SQLite has no way to hide one in another.
fn touches_files(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let first = words.next()?.to_ascii_uppercase();
    match first.as_str() {
        "ATTACH" => Some("ATTACH"),
        "VACUUM" if words.any(|word| word.eq_ignore_ascii_case("into")) => Some("VACUUM INTO"),
        _ => None,
    }
}

fn fact(row: &SqliteRow) -> Option<(Object, Fact)> {
    let text = |at: usize| row.try_get::<Option<String>, _>(at).ok().flatten().unwrap_or_default();
    let (word, table, name, sql) = (text(0), text(1), text(2), text(4));
    let number: i64 = row.try_get::<Option<i64>, _>(3).ok().flatten().unwrap_or_default();
    let kind = match word.as_str() {
        "table" => ObjectKind::Table,
        "column" => ObjectKind::Column,
        "constraint" => ObjectKind::Constraint,
        "index" => ObjectKind::Index,
        "view" => ObjectKind::View,
        "trigger" => ObjectKind::Trigger,
        _ => return None,
    };
    let own = matches!(kind, ObjectKind::Table | ObjectKind::View);
    let identity = match kind {
        ObjectKind::Table => format!("r{number}"),
        ObjectKind::Column => format!("{table}.{number}"),
        _ => String::new(),
    };
    let definition = match kind {
        ObjectKind::Table => options(&sql),
        _ => sql.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let object =
        Object { kind, of: if own { name.clone() } else { table }, name: if own { String::new() } else { name } };
    Some((object, Fact { identity, definition }))
}

/// What the columns of a table do not tell: its checks, what is computed, how text is compared, when references are
/// checked, what is done on a conflict, and what stands behind the last parenthesis; of a virtual table all of it.
fn options(sql: &str) -> String {
    let plain = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let upper = plain.to_ascii_uppercase();
    if upper.starts_with("CREATE VIRTUAL") {
        return plain;
    }
    let mut found = in_parentheses(&plain, &upper, "CHECK");
    found.extend(in_parentheses(&plain, &upper, " AS ("));
    let words: Vec<&str> =
        upper.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|it| !it.is_empty()).collect();
    for (at, word) in words.iter().enumerate() {
        let length = match (*word, words.get(at + 1)) {
            ("COLLATE" | "INITIALLY", Some(_)) | ("NOT", Some(&"DEFERRABLE")) => 2,
            ("ON", Some(&"CONFLICT")) => 3,
            _ => continue,
        };
        found.push(words[at..words.len().min(at + length)].join(" "));
    }
    found.sort();
    found.extend(upper.contains("AUTOINCREMENT").then(|| "AUTOINCREMENT".to_owned()));
    let behind = upper.rsplit(')').next().unwrap_or_default().trim();
    found.extend((!behind.is_empty() && upper.contains(')')).then(|| behind.to_owned()));
    found.join(" ")
}

/// Each place of a word, up to the end of the parentheses behind it.
fn in_parentheses(plain: &str, upper: &str, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(check) = upper[at..].find(word) {
        let start = at + check;
        let mut depth = 0_usize;
        let end = upper[start..].char_indices().find(|(_, c)| {
            depth = depth + usize::from(*c == '(') - usize::from(*c == ')' && depth > 0);
            *c == ')' && depth == 0
        });
        let end = end.map_or(upper.len(), |(end, _)| start + end + 1);
        found.push(plain[start..end].trim().to_owned());
        at = end;
    }
    found
}

impl Database for Sqlite {
    fn name(&self) -> String {
        format!("sqlite {}", self.version)
    }

    async fn begin(&mut self, transaction: bool, observe: bool) -> Result<(), DatabaseError> {
        (self.transaction, self.observe) = (transaction, observe);
        if observe {
            self.filled = self.filled().await?;
        }
        if transaction {
            self.control("BEGIN").await.map_err(|error| lost(&error))?;
        }
        Ok(())
    }

    async fn run(&mut self, source: &Source) -> Result<Ran, DatabaseError> {
        let mut statement = unknown(source);
        if let Some(command) = touches_files(&source.sql) {
            statement.not_run = Some(format!("{command} would touch a file, which a dry run does not"));
            return Ok(Ran::Done(Box::new(statement)));
        }
        let begun = Instant::now();
        let sent = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(source.sql.clone()))).await;
        statement.took = begun.elapsed();
        match sent {
            Ok(_) if self.observe => self.look(&mut statement).await?,
            Ok(_) => {}
            Err(sqlx::Error::Database(error)) => {
                statement.error = Some(StatementError {
                    message: error.message().to_owned(),
                    code: error.code().map(std::borrow::Cow::into_owned),
                    hint: None,
                    line: source.line,
                    column: None,
                });
            }
            Err(error) => return Err(lost(&error)),
        }
        Ok(Ran::Done(Box::new(statement)))
    }

    async fn end(&mut self, keep: bool) -> Result<Option<String>, DatabaseError> {
        let refused = match self.control(if keep { "COMMIT" } else { "ROLLBACK" }).await {
            Ok(()) => None,
            // The script ended it, or there was none.
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction is active") => None,
            Err(sqlx::Error::Database(error)) => {
                let message = error.message().to_owned();
                let _ = self.control("ROLLBACK").await;
                Some(message)
            }
            Err(error) => return Err(lost(&error)),
        };
        let foreign_keys = if self.foreign_keys { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" };
        self.control(foreign_keys).await.map_err(|error| lost(&error))?;
        self.control("PRAGMA writable_schema = OFF").await.map_err(|error| lost(&error))?;
        Ok(refused.filter(|_| self.transaction))
    }

    async fn facts(&mut self) -> Result<Facts, DatabaseError> {
        self.known = self.read().await?;
        self.schema_version = self.number("PRAGMA schema_version").await?;
        self.changed_rows = self.number("SELECT total_changes()").await?;
        let mut facts = self.known.clone();
        // Over several statements another table may have taken the same page.
        for fact in facts.values_mut() {
            fact.identity.clear();
        }
        Ok(facts)
    }

    async fn rest(&mut self) -> Result<Facts, DatabaseError> {
        Ok(Facts::new())
    }

    async fn facts_anew(&mut self) -> Result<Facts, DatabaseError> {
        self.facts().await
    }

    fn address(&self) -> Vec<(&'static str, String)> {
        #[cfg(unix)]
        if let Some((file, _)) = &self.file {
            let path = file.display().to_string();
            // Four slashes: an absolute path to those that count three and to those that count two.
            return vec![("DATABASE_URL", format!("sqlite:///{path}")), ("DATABASE_PATH", path)];
        }
        Vec::new()
    }

    fn takes_back(&self) -> bool {
        true
    }

    async fn afresh(&mut self) -> Result<(), DatabaseError> {
        self.connection = self.copied().await.map_err(|error| lost(&error))?;
        Ok(())
    }

    async fn aside(&mut self) -> Result<bool, DatabaseError> {
        let connection = self.copied().await.map_err(|error| lost(&error))?;
        let first = std::mem::replace(&mut self.connection, connection);
        self.kept = Some(Box::new((first, self.known.clone())));
        Ok(true)
    }

    async fn back(&mut self) -> Result<(), DatabaseError> {
        if let Some(kept) = self.kept.take() {
            (self.connection, self.known) = *kept;
        }
        self.facts().await.map(|_| ())
    }

    async fn extensions(&mut self) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn stop(self) {
        // A statement that still runs is told to end.
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_a_file_is_known() {
        assert_eq!(touches_files("attach database 'x' as y"), Some("ATTACH"));
        assert_eq!(touches_files("VACUUM main INTO 'x'"), Some("VACUUM INTO"));
        assert_eq!(touches_files("vacuum"), None);
        assert_eq!(options("CREATE TABLE t(a CHECK (a > (1)), b) STRICT"), "CHECK (a > (1)) STRICT");
        assert_eq!(options("create table t(a text collate nocase, b as (a || 'x'))"), "COLLATE NOCASE as (a || 'x')");
        assert_eq!(options("CREATE TABLE t(a REFERENCES u DEFERRABLE INITIALLY DEFERRED)"), "INITIALLY DEFERRED");
        assert_ne!(options("CREATE VIRTUAL TABLE t USING fts5(a)"), options("CREATE VIRTUAL TABLE t USING fts5(a, b)"));
    }
}
