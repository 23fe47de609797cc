//! A MySQL or MariaDB server that is not ours: a database and an account of our own are made there, and dropped again,
//! also those that a killed run left behind. The account may write to that database alone, so that no statement
//! reaches another one, whatever it names.

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::{Mysql, Session, lost};
use crate::world::database::{DatabaseError, address_of, here_or_allowed};

/// What databases and accounts of ours are called.
const PREFIX: &str = "gatepost_";

/// Refusals of the server that an account with all rights would not have met: access to another database or table, a
/// right over the whole server, an account that is not one's own, functions where changes are logged.
const LIMITS: &[u16] = &[1044, 1142, 1227, 1370, 1419, 1698];

/// What keeps the database ours on a server that is not.
pub(super) struct Keeper {
    connection: MySqlConnection,
    name: String,
    /// How other programs reach the database by the account that is limited to it.
    pub(super) address: String,
}

/// Reads an address, which must not lead to another machine without leave.
fn options(url: &str, allow_remote: bool) -> Result<MySqlConnectOptions, DatabaseError> {
    // The driver's own message may quote the address, which has a password.
    let options: MySqlConnectOptions = url.parse().map_err(|_| {
        DatabaseError::Url("it is no address such as mysql://user:password@localhost:3306/mysql".to_owned())
    })?;
    here_or_allowed(options.get_host(), options.get_socket().is_some(), allow_remote)?;
    Ok(options.disable_statement_logging())
}

async fn run(connection: &mut MySqlConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(|_| ())
}

/// Which server it is: `mysql 8.0.44`.
///
/// # Errors
/// As [`Mysql::at`].
pub async fn ask(url: &str, allow_remote: bool) -> Result<String, DatabaseError> {
    let failed = |error| lost("while connecting to it", &error);
    let mut connection = MySqlConnection::connect_with(&options(url, allow_remote)?).await.map_err(failed)?;
    let version = super::version(&mut connection).await.map_err(failed)?;
    let _ = connection.close().await;
    Ok(super::named(&version))
}

impl Mysql {
    /// Makes a database on the server at `url`, and an account that is limited to it.
    ///
    /// # Errors
    /// When it is no address, leads to another machine without leave, or they cannot be made there.
    pub async fn at(url: &str, allow_remote: bool, session: Session) -> Result<Self, DatabaseError> {
        let options = session.of(options(url, allow_remote)?);
        let failed = |error| lost("while connecting to it", &error);
        let mut connection = MySqlConnection::connect_with(&options).await.map_err(failed)?;
        sweep(&mut connection).await.map_err(failed)?;
        let mut words = [0_u8; 20];
        getrandom::fill(&mut words).map_err(std::io::Error::other)?;
        let digits: Vec<String> = words.iter().map(|byte| format!("{byte:02x}")).collect();
        let (name, password) = (format!("{PREFIX}{}", digits[..4].concat()), digits[4..].concat());
        // Some servers ask for more than letters and digits.
        let password = format!("Gp!{password}");
        if !taken(&mut connection, &name).await.map_err(failed)? {
            return Err(DatabaseError::Url(format!("another run is using the database {name}: run it again")));
        }
        let address = address_of(url, Some(&format!("{name}:{password}")), &name);
        let mut keeper = Keeper { connection, name: name.clone(), address };
        if let Err(error) = keeper.make(&password).await {
            keeper.drop_database().await;
            return Err(DatabaseError::Url(format!(
                "a database, and an account that may write to it alone, cannot be made there: {error}; name an account \
                 that may CREATE USER and GRANT (in a workflow, root of the service)"
            )));
        }
        let options = options.username(&name).password(&password).database(&name);
        match Self::on(&options, &name, false).await {
            Ok(database) => Ok(Self { keeper: Some(keeper), ..database }),
            Err(error) => {
                keeper.drop_database().await;
                Err(error)
            }
        }
    }
}

impl Keeper {
    async fn make(&mut self, password: &str) -> Result<(), sqlx::Error> {
        let name = &self.name;
        for sql in [
            format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
            format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'"),
            // In a pattern of GRANT an underscore is any character.
            format!("GRANT ALL ON `{}`.* TO '{name}'@'%'", name.replace('_', "\\_")),
        ] {
            run(&mut self.connection, sql).await?;
        }
        Ok(())
    }

    /// Drops what was made.
    pub(super) async fn drop_database(mut self) {
        let _ = drop_all(&mut self.connection, &self.name).await;
        let _ = self.connection.close().await;
    }
}

async fn drop_all(connection: &mut MySqlConnection, name: &str) -> Result<(), sqlx::Error> {
    let database = run(connection, format!("DROP DATABASE IF EXISTS {name}")).await;
    run(connection, format!("DROP USER IF EXISTS '{name}'@'%'")).await?;
    database
}

/// Takes the lock on a name, which goes with the connection.
async fn taken(connection: &mut MySqlConnection, name: &str) -> Result<bool, sqlx::Error> {
    let sql = format!("SELECT CAST(COALESCE(GET_LOCK('{name}', 0), 0) AS SIGNED)");
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}

/// Drops databases whose makers are gone.
async fn sweep(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME REGEXP '^gatepost_[0-9a-f]{8}$'";
    for row in connection.fetch_all(sqlx::raw_sql(sql)).await? {
        let name = super::text(&row, 0);
        if taken(connection, &name).await? {
            // One that another account made may be out of reach, and harms nobody.
            let _ = drop_all(connection, &name).await;
            run(connection, format!("DO RELEASE_LOCK('{name}')")).await?;
        }
    }
    Ok(())
}

/// What of a statement is for the whole server, so that it must not even be tried.
pub(super) fn is_for_all(sql: &str) -> Option<&'static str> {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut next = || words.next().map(str::to_ascii_uppercase).unwrap_or_default();
    let (first, second) = (next(), next());
    match (first.as_str(), second.as_str()) {
        ("CREATE" | "ALTER" | "DROP", "DATABASE" | "SCHEMA") => Some("a database"),
        ("CREATE" | "ALTER" | "DROP" | "RENAME", "USER" | "ROLE") => Some("an account"),
        ("GRANT" | "REVOKE", _) | ("SET", "PASSWORD" | "DEFAULT") => Some("what accounts may do"),
        ("SET", "GLOBAL" | "PERSIST" | "PERSIST_ONLY") => Some("settings"),
        ("CREATE" | "ALTER" | "DROP", "TABLESPACE" | "SERVER" | "LOGFILE" | "INSTANCE")
        | ("INSTALL" | "UNINSTALL" | "FLUSH" | "RESET" | "PURGE" | "CHANGE" | "KILL" | "SHUTDOWN" | "CLONE", _)
        | ("START" | "STOP", "SLAVE" | "REPLICA" | "GROUP_REPLICATION" | "ALL") => Some("the server"),
        _ => None,
    }
}

/// Whether a refusal is of the account's limits.
pub(super) fn is_of_limits(number: u16) -> bool {
    LIMITS.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_whole_server_is_known_by_its_first_words() {
        assert_eq!(is_for_all("create  user x"), Some("an account"));
        assert_eq!(is_for_all("SET @@GLOBAL.x = 1"), Some("settings"));
        assert_eq!(is_for_all("START TRANSACTION"), None);
        assert_eq!(is_for_all("create table user (a int)"), None);
        assert_eq!(is_for_all("SET NAMES utf8mb4"), None);
    }
}
