//! A server that was named, in place of one of our own: a new database is made there and dropped again, and nothing
//! that is shared by its databases is touched.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::{Postgres, lost};
use crate::world::database::{DatabaseError, here_or_allowed};

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
  (SELECT pg_catalog.string_agg(s::text, ',' ORDER BY s.setdatabase, s.setrole) FROM pg_catalog.pg_db_role_setting s)))
";

/// What keeps the database ours on a server that is not.
pub(super) struct Keeper {
    connection: PgConnection,
    name: String,
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
        let keeper = Keeper { connection, name: name.clone() };
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

/// What of a statement would touch what all databases of the server share, so that it must not even be tried: no
/// transaction takes it back.
pub(super) fn is_for_all(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut next = || words.next().map(str::to_ascii_uppercase).unwrap_or_default();
    let (first, second) = (next(), next());
    match (first.as_str(), second.as_str()) {
        ("ALTER", "SYSTEM") => Some("ALTER SYSTEM"),
        ("CREATE" | "ALTER" | "DROP", "DATABASE") => Some("a database"),
        ("CREATE" | "ALTER" | "DROP", "TABLESPACE") => Some("a tablespace"),
        ("CREATE" | "ALTER" | "DROP", "SUBSCRIPTION") => Some("a subscription"),
        ("CREATE" | "ALTER" | "DROP", "ROLE" | "GROUP") => Some("a role"),
        ("CREATE" | "ALTER" | "DROP", "USER") if next() != "MAPPING" => Some("a role"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_known_by_its_first_words() {
        assert_eq!(is_for_all("create  role x"), Some("a role"));
        assert_eq!(is_for_all("CREATE USER MAPPING FOR x"), None);
        assert_eq!(is_for_all("drop user x"), Some("a role"));
        assert_eq!(is_for_all("create table role(a int)"), None);
    }
}
