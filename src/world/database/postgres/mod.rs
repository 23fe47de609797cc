//! Migrations tried on PostgreSQL: locks, counters and the catalogs tell what a statement did, read in its own transaction
//! or, where it has none, by a second connection. Nothing is concluded from a statement's text.

mod alone;
mod catalog;
mod look;
mod remote;
mod rest;
mod roles;
mod server;
mod tables;
mod unseen;

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use crate::model::migration::{Facts, Form, Lock, LockMode, Source, Statement, StatementError, Tables};
use crate::world::database::programs::Surroundings;
use crate::world::database::{Database, DatabaseError, Ran, unknown};

use catalog::Known;
use look::Sent;
use remote::Keeper;
pub use remote::ask;
use server::Server;
pub use server::programs;

/// A statement that cannot run in a transaction was tried in one.
const IN_TRANSACTION: &str = "25001";
/// The oldest version whose catalogs have what is read here.
const OLDEST: u32 = 12;

/// A timeout that a migration set is for its own statements.
const PATIENT: &str = "SET LOCAL statement_timeout = 0";

/// A PostgreSQL database of our own.
pub struct Postgres {
    server: Option<Server>,
    /// Leads to a database that is always there.
    first: PgConnectOptions,
    options: PgConnectOptions,
    name: String,
    version: String,
    runner: PgConnection,
    watcher: PgConnection,
    runner_pid: i32,
    known: Known,
    /// Whether `known` is the schema as it is.
    current: bool,
    /// Whether a script ran that nobody looked at, or let go of what looks are made with.
    unseen: bool,
    /// The server's version, of which the later numbers change nothing here.
    major: u32,
    script: InScript,
    /// The greatest number of a type that a look saw. Numbers are never given again.
    types: i64,
    /// What was known before going aside.
    kept: Option<Known>,
    /// On a server that is not ours.
    keeper: Option<Keeper>,
    /// Made here, because migrations take them to exist.
    roles: Vec<String>,
    /// Statements that dropped roles.
    dropped: Vec<String>,
}

/// What holds for the script that runs.
#[derive(Default)]
struct InScript {
    /// In one transaction from begin to end.
    transaction: bool,
    /// A transaction is open now.
    open: bool,
    observe: bool,
    /// The schema when it began, which others see until it ends, and for when it is taken back.
    before: Known,
    locks: BTreeMap<i64, LockMode>,
    counters: look::Counters,
    /// The age of the youngest row of the catalogs that was seen; those that the transaction writes now are younger.
    youngest: i64,
}

impl Postgres {
    /// Starts a scratch server with an empty database, and `for_tools` with the one that they connect to first.
    ///
    /// # Errors
    /// When there is no server, or it does not start.
    pub async fn scratch(
        around: Surroundings<'_>,
        version: Option<&str>,
        for_tools: bool,
    ) -> Result<Self, DatabaseError> {
        let server = Server::start(around, version).await?;
        let first = server.options().clone();
        let mut database = Self::on(first, Some(server), server::NAME).await?;
        if for_tools {
            database.elsewhere(&["CREATE DATABASE postgres".to_owned()]).await?;
        }
        Ok(database)
    }

    /// In an empty database, which stands already.
    async fn on(first: PgConnectOptions, server: Option<Server>, name: &str) -> Result<Self, DatabaseError> {
        let options = first.clone().database(name);
        let (mut runner, watcher, runner_pid) = connect(&options).await?;
        let version: String = runner
            .fetch_one(sqlx::raw_sql("SHOW server_version"))
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| lost("while its version was asked for", &error))?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        if major < OLDEST {
            let name = format!("postgres {version}");
            return Err(DatabaseError::TooOld { name, oldest: format!("postgres {OLDEST}") });
        }
        let mut database = Self {
            server,
            first,
            options,
            name: name.to_owned(),
            version,
            runner,
            watcher,
            runner_pid,
            known: Known::default(),
            current: true,
            unseen: false,
            major,
            script: InScript::default(),
            types: 0,
            kept: None,
            keeper: None,
            roles: Vec::new(),
            dropped: Vec::new(),
        };
        database.prepare().await?;
        Ok(database)
    }

    /// Whether counters can be handed on at will.
    const fn flushes(&self) -> bool {
        self.major >= 15
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.runner.execute(sqlx::raw_sql(sql)).await.map(|_| ())
    }

    /// Sends a statement as the tool's own client would.
    async fn send(&mut self, source: &Source) -> Result<(), sqlx::Error> {
        if source.form == Form::CopyOut {
            let mut rows = self.runner.copy_out_raw(&source.sql).await?;
            while let Some(row) = std::future::poll_fn(|context| rows.as_mut().poll_next(context)).await {
                row?;
            }
            return Ok(());
        }
        let Form::Copy(data) = &source.form else {
            // Rows of a SELECT are read and let go.
            return self.runner.execute(sqlx::raw_sql(AssertSqlSafe(source.sql.clone()))).await.map(|_| ());
        };
        let mut copy = self.runner.copy_in_raw(&source.sql).await?;
        copy.send(data.as_bytes()).await?;
        copy.finish().await.map(|_| ())
    }

    /// Sends a statement of an observed script, and the look at it where that can go along.
    async fn send_observed(
        &mut self,
        source: &Source,
    ) -> (Result<(), sqlx::Error>, Option<Result<Vec<PgRow>, sqlx::Error>>) {
        // On a server that is not ours a statement may yet have to be taken back, and what may be several statements is
        // known by its own message to have gone wrong.
        let may_be_several = source.form != Form::Sql || source.sql.contains(';');
        if !self.script.observe || self.keeper.is_some() || may_be_several {
            return (self.send(source).await, None);
        }
        match self.send_with_look(&source.sql).await {
            Sent::Refused(error) => (Err(error), None),
            Sent::Done(rows) => (Ok(()), Some(rows)),
        }
    }

    /// Opens a transaction around a statement where the script has none open; its savepoint is set.
    async fn open(&mut self) -> Result<(), sqlx::Error> {
        if self.script.open {
            return Ok(());
        }
        if self.script.observe {
            self.first_look().await?;
        } else {
            self.control("BEGIN; SAVEPOINT gatepost").await?;
        }
        self.script.open = true;
        self.script.locks.clear();
        Ok(())
    }

    /// Remembers a statement that dropped roles.
    fn note_roles(&mut self, source: &Source) {
        if roles::drops(&source.sql) {
            self.dropped.push(source.sql.clone());
        }
    }

    /// A digest of what all databases of a server that is not ours share.
    async fn shared(&mut self) -> Result<String, sqlx::Error> {
        if self.keeper.is_none() {
            return Ok(String::new());
        }
        self.runner.fetch_one(sqlx::raw_sql(remote::SHARED)).await.and_then(|row| row.try_get(0))
    }

    async fn rows(&mut self, sql: String) -> Result<Vec<PgRow>, sqlx::Error> {
        self.runner.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await
    }

    async fn reconnect(&mut self) -> Result<(), DatabaseError> {
        let (runner, watcher, pid) = connect(&self.options).await?;
        let before = [std::mem::replace(&mut self.runner, runner), std::mem::replace(&mut self.watcher, watcher)];
        for connection in before {
            let _ = connection.close().await;
        }
        self.runner_pid = pid;
        self.script = InScript::default();
        self.prepare().await
    }

    /// Runs a statement on the server's own database, while nobody is connected to ours.
    async fn elsewhere(&mut self, sql: &[String]) -> Result<bool, DatabaseError> {
        let failed = |error| lost("while a database was copied", &error);
        let options = self.first.clone();
        let mut first = PgConnection::connect_with(&options).await.map_err(failed)?;
        let mut good = true;
        for sql in sql {
            good &= first.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await.is_ok();
        }
        let _ = first.close().await;
        Ok(good)
    }

    async fn leave(&mut self) -> Result<(), DatabaseError> {
        // Closing is seen by the server a moment later: a copy must not meet the old connections.
        let options = self.first.clone();
        let place = PgConnection::connect_with(&options).await.map_err(|error| lost("between databases", &error))?;
        let other = PgConnection::connect_with(&options).await.map_err(|error| lost("between databases", &error))?;
        let _ = std::mem::replace(&mut self.runner, place).close().await;
        let _ = std::mem::replace(&mut self.watcher, other).close().await;
        Ok(())
    }
}

async fn connect(options: &PgConnectOptions) -> Result<(PgConnection, PgConnection, i32), DatabaseError> {
    let failed = |error| lost("while connecting to it", &error);
    let both = tokio::try_join!(PgConnection::connect_with(options), PgConnection::connect_with(options));
    let (mut runner, watcher) = both.map_err(failed)?;
    let row = runner.fetch_one(sqlx::raw_sql("SELECT pg_catalog.pg_backend_pid()")).await.map_err(failed)?;
    Ok((runner, watcher, row.try_get(0).map_err(failed)?))
}

/// The driver's words for what ended a connection.
fn lost(during: &str, error: &sqlx::Error) -> DatabaseError {
    DatabaseError::Lost { during: during.to_owned(), said: error.to_string() }
}

/// What the server said of a statement, with the place in the file; `None` where the connection broke.
fn failure(source: &Source, error: &sqlx::Error) -> Option<StatementError> {
    let sqlx::Error::Database(error) = error else { return None };
    let error = error.try_downcast_ref::<PgDatabaseError>()?;
    let position = match error.position() {
        Some(PgErrorPosition::Original(at)) => Some(at),
        _ => None,
    };
    let (line, column) = place(source, position);
    let hint = [error.detail(), error.hint(), error.r#where()].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Some(StatementError {
        message: error.message().to_owned(),
        code: Some(error.code().to_owned()),
        hint: Some(hint).filter(|hint| !hint.is_empty()),
        line,
        column,
    })
}

/// A position in a statement, from 1 in characters, as a place in the file.
fn place(source: &Source, position: Option<usize>) -> (u32, Option<u32>) {
    let Some(position) = position else { return (source.line, None) };
    let before: String = source.sql.chars().take(position.saturating_sub(1)).collect();
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
    let last = u32::try_from(before.rsplit('\n').next().unwrap_or_default().chars().count()).unwrap_or(u32::MAX);
    let first = if lines == 0 { source.column } else { 1 };
    (source.line.saturating_add(lines), Some(first.saturating_add(last)))
}

impl Database for Postgres {
    fn name(&self) -> String {
        format!("postgres {}", self.version)
    }

    async fn begin(&mut self, transaction: bool, observe: bool) -> Result<(), DatabaseError> {
        if observe && std::mem::take(&mut self.unseen) {
            // Which may have let go of what looks are made with.
            self.prepare().await?;
        }
        if observe && !self.current {
            self.know_all().await.map_err(|error| lost("while its catalogs were read", &error))?;
        }
        self.script = InScript {
            before: if observe { self.known.clone() } else { Known::default() },
            transaction,
            observe,
            ..InScript::default()
        };
        if transaction {
            self.open().await.map_err(|error| lost("at BEGIN", &error))?;
        }
        Ok(())
    }

    async fn at_once(&mut self, sources: &[Source]) -> Result<bool, DatabaseError> {
        self.run_at_once(sources).await.map_err(|error| lost("in the midst of a script", &error))
    }

    async fn run(&mut self, source: &Source) -> Result<Ran, DatabaseError> {
        let during = format!("before line {}", source.line);
        if let Some(what) = self.keeper.as_ref().and_then(|_| remote::is_for_all(source)) {
            return Ok(Ran::Done(Box::new(for_all(unknown(source), &what))));
        }
        if !self.script.observe && self.keeper.is_none() {
            return Ok(self.run_unseen(source).await);
        }
        self.open().await.map_err(|error| lost(&during, &error))?;
        let mut statement = unknown(source);
        self.current &= self.script.observe;
        let shared = self.shared().await.map_err(|error| lost(&during, &error))?;
        let begun = Instant::now();
        let (sent, look) = self.send_observed(source).await;
        statement.took = begun.elapsed();
        if sent.is_ok() && self.script.open && self.shared().await.is_ok_and(|now| now != shared) {
            self.take_back().await.map_err(|error| lost(&during, &error))?;
            // What others of the server do is not taken back with it.
            let stays = self.shared().await.map_err(|error| lost(&during, &error))? != shared;
            let why = remote::shares(if stays { "something, unless another did so meanwhile," } else { "something" });
            return Ok(Ran::Done(Box::new(for_all(unknown(source), &why))));
        }
        if let Err(error) = &sent {
            let Some(failure) = failure(source, error) else {
                return Ok(Ran::Lost(Box::new(lost_statement(statement, error))));
            };
            let alone = failure.code.as_deref() == Some(IN_TRANSACTION) && !self.script.transaction;
            if let Err(error) = self.take_back().await {
                statement.error = Some(failure);
                return Ok(Ran::Lost(Box::new(lost_statement(statement, &error))));
            }
            if self.make_role(&failure).await && (!self.script.open || self.control(roles::HEAR).await.is_ok()) {
                return Box::pin(self.run(source)).await;
            }
            statement.error = Some(self.with_advice(failure));
            if alone {
                return self.run_alone(unknown(source)).await;
            }
        }
        if statement.error.is_none() {
            self.note_roles(source);
        }
        if statement.error.is_none() && self.script.observe {
            let looked = match look.transpose() {
                Ok(rows) => self.look(&mut statement, rows).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(()) => {}
                Err(sqlx::Error::Database(_)) => self.look_again(&mut statement).await?,
                Err(error) => return Err(lost(&format!("after line {}", source.line), &error)),
            }
        }
        if !self.script.transaction && self.script.open {
            self.close_one(&mut statement).await?;
        }
        Ok(Ran::Done(Box::new(statement)))
    }

    async fn end(&mut self, keep: bool) -> Result<Option<String>, DatabaseError> {
        let (mut refused, was_open) = (None, self.script.open);
        if was_open {
            let ended = self.finish(keep, look::RESET).await;
            self.script.open = false;
            match ended {
                Err(sqlx::Error::Database(error)) => refused = Some(error.message().to_owned()),
                other => other.map_err(|error| lost("at the end of the script", &error))?,
            }
            if !keep && self.script.observe {
                self.known = std::mem::take(&mut self.script.before);
            }
            self.current &= refused.is_none();
        }
        if refused.is_some() || !was_open {
            self.control(look::RESET).await.map_err(|error| lost("at the end of the script", &error))?;
        }
        Ok(refused)
    }

    async fn facts(&mut self) -> Result<Facts, DatabaseError> {
        if !self.current {
            self.know_all().await.map_err(|error| lost("while its catalogs were read", &error))?;
        }
        Ok(self.known.all())
    }

    async fn rest(&mut self) -> Result<Facts, DatabaseError> {
        self.read_rest().await.map_err(|error| lost("while its catalogs were read", &error))
    }

    async fn facts_anew(&mut self) -> Result<Facts, DatabaseError> {
        self.current = false;
        self.facts().await
    }

    async fn tables(&mut self) -> Result<Tables, DatabaseError> {
        self.read_tables().await.map_err(|error| lost("while its tables were looked at", &error))
    }

    fn address(&self) -> Vec<(&'static str, String)> {
        let socket = self.options.get_socket().map(|socket| socket.display().to_string());
        let host = socket.unwrap_or_else(|| self.options.get_host().to_owned());
        let (user, port, name) = (self.options.get_username(), self.options.get_port(), self.name.clone());
        let url = match &self.keeper {
            // With the password, without which nobody gets in.
            Some(keeper) => keeper.address(),
            None => format!("postgresql://{user}@localhost:{port}/{name}?host={host}"),
        };
        vec![
            ("DATABASE_URL", url),
            ("PGHOST", host),
            ("PGPORT", port.to_string()),
            ("PGUSER", user.to_owned()),
            ("PGDATABASE", name),
        ]
    }

    fn takes_back(&self) -> bool {
        true
    }

    async fn afresh(&mut self) -> Result<(), DatabaseError> {
        self.reconnect().await?;
        self.unseen = false;
        Ok(())
    }

    async fn aside(&mut self) -> Result<bool, DatabaseError> {
        let (name, copy) = (self.name.clone(), format!("{}_aside", self.name));
        self.leave().await?;
        let sql = [format!("DROP DATABASE IF EXISTS {copy}"), format!("CREATE DATABASE {copy} TEMPLATE {name}")];
        let good = self.elsewhere(&sql).await?;
        self.kept = Some(self.known.clone());
        self.options = self.options.clone().database(if good { &copy } else { &name });
        self.reconnect().await?;
        Ok(good)
    }

    async fn back(&mut self) -> Result<(), DatabaseError> {
        self.leave().await?;
        let copy = format!("{}_aside", self.name);
        self.elsewhere(&remote::drop_database(&copy)).await?;
        self.options = self.options.clone().database(&self.name);
        if let Some(kept) = self.kept.take() {
            self.known = kept;
            self.current = true;
        }
        self.reconnect().await
    }

    async fn extensions(&mut self) -> Result<Vec<String>, DatabaseError> {
        let failed = |error| lost("while its extensions were listed", &error);
        let sql = "SELECT name::text FROM pg_catalog.pg_available_extensions ORDER BY 1";
        let rows = self.watcher.fetch_all(sqlx::raw_sql(sql)).await.map_err(failed)?;
        rows.iter().map(|row| row.try_get(0).map_err(failed)).collect()
    }

    fn taken_for_granted(&self) -> Vec<String> {
        let note =
            |role: &String| format!("role {role} made on the scratch server: it is taken to exist in production");
        self.roles.iter().map(note).collect()
    }

    async fn stop(mut self) {
        let _ = self.runner.close_hard().await;
        let _ = self.watcher.close_hard().await;
        if let Some(keeper) = self.keeper.take() {
            keeper.drop_databases().await;
        }
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

/// A statement that is not for a server which others use.
fn for_all(mut statement: Statement, why: &str) -> Statement {
    statement.not_run = Some(format!("{why}; on a server named by `database-url` that is left alone"));
    statement
}

/// A statement whose connection broke, with what is known of why.
fn lost_statement(mut statement: Statement, error: &sqlx::Error) -> Statement {
    let source = &statement.source;
    statement.error.get_or_insert_with(|| StatementError {
        message: format!("the connection to the server was lost: {error}"),
        code: None,
        hint: None,
        line: source.line,
        column: None,
    });
    statement
}

/// The locks that are new: on what existed, and stronger than what was held.
fn newly(existing: &Known, held: &BTreeMap<i64, LockMode>, now: &BTreeMap<i64, LockMode>) -> Vec<Lock> {
    let stronger = now.iter().filter(|(oid, mode)| held.get(*oid).is_none_or(|held| held < *mode));
    let mut locks: Vec<Lock> = stronger
        .filter(|(_, mode)| **mode > LockMode::AccessShare)
        .filter_map(|(oid, mode)| Some(Lock { object: existing.get(*oid)?.path.clone(), mode: *mode }))
        .collect();
    locks.sort();
    locks
}
