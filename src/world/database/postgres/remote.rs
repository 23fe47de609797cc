//! A server that was named, in place of one of our own: a new database is made there and dropped again, and nothing
//! that is shared by its databases is touched.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::{Postgres, lost};
use crate::model::migration::{Form, Source};
use crate::world::database::{DatabaseError, address_of, here_or_allowed};

/// What databases of ours are called.
const PREFIX: &str = "gatepost_";

/// What all databases of a server share. Read before and after a statement, it tells what the statement touched.
pub(super) const SHARED: &str = r"
SELECT pg_catalog.md5(pg_catalog.concat_ws(';',
  (SELECT pg_catalog.string_agg(r::text, ',' ORDER BY r.oid) FROM pg_catalog.pg_roles r),
  (SELECT pg_catalog.string_agg(m::text, ',' ORDER BY m.roleid, m.member) FROM pg_catalog.pg_auth_members m),
  (SELECT pg_catalog.string_agg(d.datname || d.datdba || coalesce(d.datacl::text, ''), ',' ORDER BY d.oid)
   FROM pg_catalog.pg_database d WHERE d.datname !~ '^gatepost_'),
  (SELECT pg_catalog.string_agg(t::text, ',' ORDER BY t.oid) FROM pg_catalog.pg_tablespace t),
  (SELECT pg_catalog.string_agg(s::text, ',' ORDER BY s.setdatabase, s.setrole) FROM pg_catalog.pg_db_role_setting s),
  (SELECT pg_catalog.string_agg(c::text, ',' ORDER BY c.classoid, c.objoid) FROM pg_catalog.pg_shdescription c
   WHERE c.objoid NOT IN (SELECT oid FROM pg_catalog.pg_database WHERE datname ~ '^gatepost_')),
  (SELECT pg_catalog.string_agg(l::text, ',' ORDER BY l.classoid, l.objoid, l.provider) FROM pg_catalog.pg_shseclabel l),
  (SELECT pg_catalog.string_agg(o::text, ',' ORDER BY o.roident) FROM pg_catalog.pg_replication_origin o),
  (SELECT pg_catalog.string_agg(x.slot_name, ',' ORDER BY x.slot_name) FROM pg_catalog.pg_replication_slots x WHERE NOT x.temporary)))
";

/// What keeps the database ours on a server that is not.
pub(super) struct Keeper {
    connection: PgConnection,
    name: String,
    /// Where the server is, as it was given.
    given: String,
}

/// Reads an address, which must not lead to another machine without leave.
fn options(url: &str, allow_remote: bool) -> Result<PgConnectOptions, DatabaseError> {
    // The driver's own message may quote the address, which has a password.
    let options: PgConnectOptions = url.parse().map_err(|_| {
        DatabaseError::Url("it is no address such as postgres://user:password@localhost:5432/postgres".to_owned())
    })?;
    here_or_allowed(options.get_host(), options.get_socket().is_some(), allow_remote)?;
    Ok(options.disable_statement_logging())
}

/// Which server it is: `postgres 16.4`.
///
/// # Errors
/// As [`Postgres::at`].
pub async fn ask(url: &str, allow_remote: bool) -> Result<String, DatabaseError> {
    let failed = |error| lost("while connecting to it", &error);
    let mut connection = PgConnection::connect_with(&options(url, allow_remote)?).await.map_err(failed)?;
    let row = connection.fetch_one(sqlx::raw_sql("SHOW server_version")).await.map_err(failed)?;
    let version: String = row.try_get(0).map_err(failed)?;
    let _ = connection.close().await;
    Ok(format!("postgres {}", version.split_whitespace().next().unwrap_or_default()))
}

impl Postgres {
    /// Makes a database on the server at `url`.
    ///
    /// # Errors
    /// When it is no address, leads to another machine without leave, or a database cannot be made there.
    pub async fn at(url: &str, allow_remote: bool) -> Result<Self, DatabaseError> {
        let options = options(url, allow_remote)?;
        let failed = |error| lost("while connecting to it", &error);
        let mut connection = PgConnection::connect_with(&options).await.map_err(failed)?;
        sweep(&mut connection).await.map_err(failed)?;
        let mut word = [0_u8; 4];
        getrandom::fill(&mut word).map_err(std::io::Error::other)?;
        let name = format!("{PREFIX}{:08x}", u32::from_le_bytes(word));
        let lock = format!("SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext('{name}'))");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(lock))).await.map_err(failed)?;
        // The encoding is what production has, whatever the server's default.
        let make = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(make))).await.map_err(failed)?;
        let keeper = Keeper { connection, name: name.clone(), given: url.to_owned() };
        match Self::on(options, None, &name).await {
            Ok(database) => Ok(Self { keeper: Some(keeper), ..database }),
            Err(error) => {
                keeper.drop_databases().await;
                Err(error)
            }
        }
    }
}

impl Keeper {
    /// How other programs reach the database.
    pub(super) fn address(&self) -> String {
        address_of(&self.given, None, &self.name)
    }

    /// Drops what was made.
    pub(super) async fn drop_databases(mut self) {
        for name in [format!("{}_aside", self.name), self.name] {
            for sql in drop_database(&name) {
                let _ = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
            }
        }
        let _ = self.connection.close().await;
    }
}

/// Drops a database, whoever is connected to it; `WITH (FORCE)` is new in version 13.
pub(super) fn drop_database(name: &str) -> [String; 2] {
    [
        format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = '{name}'"
        ),
        format!("DROP DATABASE IF EXISTS {name}"),
    ]
}

/// Drops databases whose makers are gone: the lock on the name went with their connection.
async fn sweep(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let sql = "SELECT datname::text FROM pg_catalog.pg_database WHERE datname ~ '^gatepost_[0-9a-f]{8}(_aside)?$'";
    for row in connection.fetch_all(sqlx::raw_sql(sql)).await? {
        let name: String = row.try_get(0)?;
        let first = name.trim_end_matches("_aside");
        let lock = format!("SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('{first}'))");
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(lock))).await?;
        if row.try_get(0)? {
            for sql in drop_database(&name) {
                let _ = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
            }
            let unlock = format!("SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('{first}'))");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(unlock))).await?;
        }
    }
    Ok(())
}

/// What of a statement would reach beyond its own database, so that it must not even be tried: no transaction takes it
/// back. It is known by its words alone; what a block or a function puts together, and what one calls that is defined
/// elsewhere, is not.
pub(super) fn is_for_all(source: &Source) -> Option<String> {
    let sql = source.sql.as_str();
    let words: Vec<String> = sql
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    let shared = match (word(0), word(1), word(2)) {
        ("ALTER", "SYSTEM", _) => Some("ALTER SYSTEM"),
        ("CREATE" | "ALTER" | "DROP", "DATABASE", _) => Some("a database"),
        ("CREATE" | "ALTER" | "DROP", "TABLESPACE", _) => Some("a tablespace"),
        ("CREATE" | "ALTER" | "DROP", "SUBSCRIPTION", _) => Some("a subscription"),
        ("CREATE" | "ALTER" | "DROP", "ROLE" | "GROUP", _) => Some("a role"),
        ("CREATE" | "ALTER" | "DROP", "USER", next) if next != "MAPPING" => Some("a role"),
        ("COMMENT", "ON", "DATABASE" | "ROLE" | "TABLESPACE") => Some("a comment"),
        _ => None,
    };
    if let Some(what) = shared {
        return Some(shares(what));
    }
    if is_definition(&words) {
        return None;
    }
    let what = if copies_to_files(source, &words) { Some(FILES) } else { calls(sql) };
    what.map(|what| format!("it reaches {what}, beyond its own database"))
}

/// Why a statement that changes what databases share is not run.
pub(super) fn shares(what: &str) -> String {
    format!("it changes {what} that all databases of the server share")
}

const FILES: &str = "files or programs of the server's machine";

/// Whether it is only written down what is to be done.
fn is_definition(words: &[String]) -> bool {
    let kind = words
        .iter()
        .skip(1)
        .find(|word| !matches!(word.as_str(), "OR" | "REPLACE" | "TEMP" | "TEMPORARY" | "RECURSIVE"));
    let kinds = ["FUNCTION", "PROCEDURE", "VIEW", "RULE", "TRIGGER", "POLICY"];
    words.first().is_some_and(|word| word == "CREATE") && kind.is_some_and(|kind| kinds.contains(&kind.as_str()))
}

/// Whether it is a COPY that is no talk with the client, or has one in it, and does not only read a file.
fn copies_to_files(source: &Source, words: &[String]) -> bool {
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let first = words.first().map(String::as_str);
    let is_program = words.windows(2).any(|pair| matches!(pair[0].as_str(), "TO" | "FROM") && pair[1] == "PROGRAM");
    is_program && has("COPY")
        || source.form == Form::Sql && first == Some("COPY") && has("TO")
        || first == Some("DO") && has("COPY") && has("TO") && !has("STDOUT")
}

/// What the functions that it calls would reach.
fn calls(sql: &str) -> Option<&'static str> {
    let sql = sql.to_ascii_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = sql.as_str();
    while let Some(start) = rest.find(is_word) {
        let word = &rest[start..];
        let length = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let behind = &word[length..];
        let reached = reached_by(&word[..length]);
        if reached.is_some() && behind.trim_start_matches(|c: char| c == '"' || c.is_whitespace()).starts_with('(') {
            return reached;
        }
        rest = behind;
    }
    None
}

/// What a function writes to that is not of its database.
/// <https://www.postgresql.org/docs/current/functions-admin.html>
fn reached_by(function: &str) -> Option<&'static str> {
    match function {
        "pg_get_replication_slots" => None,
        _ if function.starts_with("pg_") && function.contains("_replication_slot") => Some("a replication slot"),
        _ if function.starts_with("pg_replication_origin_") => Some("an origin of replication"),
        _ if function.starts_with("dblink") => Some("another database"),
        "lo_export" | "pg_file_write" | "pg_file_rename" | "pg_file_unlink" | "pg_file_sync" => Some(FILES),
        "pg_terminate_backend" | "pg_cancel_backend" => Some("connections of others"),
        "pg_reload_conf"
        | "pg_rotate_logfile"
        | "pg_switch_wal"
        | "pg_create_restore_point"
        | "pg_promote"
        | "pg_stat_reset_shared" => Some("the server itself"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_beyond_a_database_is_known_by_its_words() {
        let told = |form: Form, sql: &str| is_for_all(&Source { line: 1, column: 1, sql: sql.to_owned(), form });
        for (sql, words) in [
            ("create  role x", "changes a role"),
            ("drop user x", "changes a role"),
            ("COMMENT ON DATABASE postgres IS 'x'", "changes a comment"),
            ("select pg_create_physical_replication_slot('s')", "reaches a replication slot"),
            ("do $$ begin perform pg_catalog.\"pg_drop_replication_slot\" ('s'); end $$", "reaches a replication slot"),
            ("copy t to '/tmp/stdout'", "reaches files"),
            ("COPY (select 1) TO PROGRAM 'cat'", "reaches files"),
            ("copy t from program 'ls'", "reaches files"),
            ("do $$ begin copy t to '/tmp/x'; end $$", "reaches files"),
            ("select dblink_exec('dbname=postgres', 'drop table t')", "reaches another database"),
            ("create table x as select * from dblink('dbname=postgres', 'select 1') as t(a int)", "reaches another"),
        ] {
            let told = told(Form::Sql, sql).unwrap_or_default();
            assert!(told.starts_with(&format!("it {words}")), "{sql}: {told}");
        }
        for sql in [
            "CREATE USER MAPPING FOR x",
            "create table role(a int)",
            "comment on table t is 'x'",
            "copy t from '/data/in.csv'",
            "create extension dblink",
            "create or replace function f() returns void language sql as $$ select dblink_exec('x', 'y') $$",
            "select * from pg_replication_slots",
            "insert into t select 'to' from u",
        ] {
            assert_eq!(told(Form::Sql, sql), None, "{sql}");
        }
        assert_eq!(told(Form::CopyOut, "copy t to stdout"), None);
    }
}
