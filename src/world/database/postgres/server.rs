//! A scratch PostgreSQL server: found, made from a template that is kept, started on a socket, and stopped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::lost;
use crate::model::migration::DatabaseKind;
use crate::world::database::DatabaseError;
use crate::world::database::programs::{self, Surroundings};
use crate::world::database::scratch::{self, Scratch};
use crate::world::files;
use crate::world::process::{Service, ServiceSpec};

/// The database in which migrations run.
pub(super) const NAME: &str = "gatepost";
/// Where packages put servers, `BELOW` a folder for each version.
const PARENTS: &[&str] = &["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/local/pgsql"];
/// Whom it runs as where gatepost is root.
const USERS: &[&str] = &["postgres"];
/// How long a server may take to come up: a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to stop in order.
const STOPPING: Duration = Duration::from_secs(5);
/// A quarter of a new server's files: maps of free space and of what all may see, which it does without and makes again.
/// To make a thousand files is what a start costs on a disk.
const MAPS: &[&str] = &["_fsm", "_vm"];
/// The end of its log that is quoted, in bytes.
const QUOTED: u64 = 2_000;

/// A running scratch server.
pub struct Server {
    service: Service,
    options: PgConnectOptions,
    // Dropped last: the server runs in it.
    scratch: Scratch,
}

impl Server {
    /// Starts one of the version asked for (`16`), else of the first that is found.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn start(around: Surroundings<'_>, version: Option<&str>) -> Result<Self, DatabaseError> {
        let temp = around.get("TMPDIR").map(PathBuf::from);
        let scratch = Scratch::new(temp.as_deref(), USERS)?;
        let programs = choose(around, &scratch, version).await?;
        let template = scratch::template(around, &programs.join("postgres"));
        scratch::started(
            (scratch, || Scratch::new(temp.as_deref(), USERS)),
            (template.as_deref(), MAPS),
            async |scratch| install(scratch, &programs).await,
            async |scratch| Self::run(scratch, &programs).await,
        )
        .await
    }

    async fn run(scratch: Scratch, programs: &Path) -> Result<Self, DatabaseError> {
        let socket = scratch.path().to_owned();
        let program = programs.join("postgres");
        let data = scratch.path().join("data");
        let mut argv: Vec<OsString> = vec![program.clone().into(), "-D".into(), data.into(), "-k".into()];
        argv.push(socket.clone().into());
        let settings = [
            "listen_addresses=",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
            "jit=off",
            "max_connections=20",
            "max_prepared_transactions=8",
            // As many locks as a server has that takes 100 connections: a first migration may make a thousand tables.
            "max_locks_per_transaction=256",
            "shared_buffers=64MB",
            "unix_socket_permissions=0700",
            "log_min_messages=fatal",
            "log_destination=stderr",
            "logging_collector=off",
            // In its folder, with which it goes also after a kill; containers have little shared memory.
            "dynamic_shared_memory_type=mmap",
        ];
        argv.extend(settings.iter().flat_map(|setting| [OsString::from("-c"), OsString::from(setting)]));
        let mut service = Service::start(&spec(&scratch, argv))?;
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&socket)
            .port(5432)
            .username("postgres")
            .database("template1")
            .ssl_mode(PgSslMode::Disable)
            .disable_statement_logging();
        let mut waited = Duration::ZERO;
        let pause = Duration::from_millis(2);
        loop {
            if socket.join(".s.PGSQL.5432").exists()
                && let Ok(first) = PgConnection::connect_with(&options).await
            {
                name_database(first).await.map_err(|error| lost("while its database was made", &error))?;
                return Ok(Self { service, options, scratch });
            }
            if service.has_ended() || waited > PATIENCE {
                let said = said(&scratch);
                service.end(STOPPING).await;
                return Err(DatabaseError::NotStarted { program, said });
            }
            tokio::time::sleep(pause).await;
            waited += pause;
        }
    }

    /// How to connect to it, to a database that is always there.
    #[must_use]
    pub const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Ends it and removes everything. The last thing is left to another thread, for which the runtime's end waits.
    pub async fn stop(mut self) {
        self.service.end(STOPPING).await;
        drop(tokio::task::spawn_blocking(move || drop(self.scratch)));
    }
}

async fn install(scratch: &Scratch, programs: &Path) -> Result<(), DatabaseError> {
    let data = scratch.folder("data")?;
    let words = ["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--wal-segsize=1", "-D"];
    finish(scratch, &programs.join("initdb"), words.iter().map(OsString::from).chain([data.into()])).await
}

/// The one that every server starts with is as empty as a new one, which would have to be copied first.
async fn name_database(mut first: PgConnection) -> Result<(), sqlx::Error> {
    let sql = format!("ALTER DATABASE postgres RENAME TO {NAME}");
    first.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    first.close().await
}

fn spec(scratch: &Scratch, argv: Vec<OsString>) -> ServiceSpec {
    let path = scratch.path().to_owned();
    // Without a locale macOS asks one of its own services, by a thread of the server, which refuses to start with two.
    let env = [("PATH", "/usr/bin:/bin"), ("TZ", "UTC"), ("LC_ALL", "C")];
    let env = env.map(|(name, value)| (OsString::from(name), OsString::from(value))).into();
    ServiceSpec { argv, log: path.join("log"), dir: path, env, user: scratch.user() }
}

/// The programs of all servers that are installed.
#[must_use]
pub fn programs(around: Surroundings<'_>) -> Vec<PathBuf> {
    let folders = programs::folders(around, PARENTS, "bin", &["initdb", "postgres"]);
    folders.into_iter().map(|folder| folder.join("postgres")).collect()
}

/// Runs a program of the server to its end.
async fn finish(scratch: &Scratch, program: &Path, words: impl Iterator<Item = OsString>) -> Result<(), DatabaseError> {
    let argv = std::iter::once(program.to_owned().into()).chain(words).collect();
    let mut running = Service::start(&spec(scratch, argv))?;
    if running.wait().await? {
        return Ok(());
    }
    Err(DatabaseError::NotStarted { program: program.to_owned(), said: said(scratch) })
}

/// The end of the server's log as one line.
fn said(scratch: &Scratch) -> String {
    let tail = files::tail(&scratch.path().join("log"), QUOTED).unwrap_or_default();
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it printed nothing".to_owned() } else { lines.join("; ") }
}

/// The folder with the programs of the version that is wanted.
async fn choose(around: Surroundings<'_>, scratch: &Scratch, wanted: Option<&str>) -> Result<PathBuf, DatabaseError> {
    let mut found = Vec::new();
    for folder in programs::folders(around, PARENTS, "bin", &["initdb", "postgres"]) {
        let Some(wanted) = wanted else { return Ok(folder) };
        let Some(version) = version(scratch, &folder).await else { continue };
        if version == wanted || version.starts_with(&format!("{wanted}.")) {
            return Ok(folder);
        }
        found.push(version);
    }
    let help = programs::how_to_get(DatabaseKind::Postgres, wanted);
    Err(match wanted {
        Some(wanted) if !found.is_empty() => {
            DatabaseError::NoVersion { kind: DatabaseKind::Postgres, wanted: wanted.to_owned(), found, help }
        }
        _ => DatabaseError::NoServer { kind: DatabaseKind::Postgres, help },
    })
}

/// `15.18`, as the server's own program says.
async fn version(scratch: &Scratch, folder: &Path) -> Option<String> {
    let log = scratch.path().join("version");
    let mut spec = spec(scratch, vec![folder.join("postgres").into(), "--version".into()]);
    spec.log = log.clone();
    let good = Service::start(&spec).ok()?.wait().await.ok()?;
    let text = String::from_utf8(files::read(&log).ok()?).ok()?;
    let _ = files::remove(&log);
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    good.then(|| version.to_owned())
}
