//! Migrations tried on MySQL or MariaDB: a scratch server on a socket. It commits at every change of the schema, so
//! nothing is taken back; what a statement changed is read from the catalogs.

mod remote;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::time::Instant;

use crate::migration::change;
use crate::model::migration::{DatabaseKind, Fact, Facts, Object, ObjectKind, Source, Statement, StatementError};
use crate::world::database::programs::{self, Surroundings};
use crate::world::database::scratch::{self, Scratch};
use crate::world::database::{Database, DatabaseError, Ran, unknown};
use crate::world::files;
use crate::world::process::{Service, ServiceSpec};

use remote::Keeper;
pub use remote::ask;

/// Where packages put servers, `sbin` or `bin` below.
const PARENTS: &[&str] = &["/usr", "/opt/homebrew/opt", "/usr/local/opt", "/usr/local"];
/// Where the server's temporary tables are, in its own folder: a server that starts removes those it finds, whoever's.
const TEMPORARY: &str = "tmp";
/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_mins(1);
/// The database in which migrations run.
const NAME: &str = "gatepost";

/// Every object of the database. Rows: kind, table, name, identity, definition.
const SCHEMA: &str = r"
SELECT IF(TABLE_TYPE = 'VIEW', 'view', IF(TABLE_TYPE = 'SEQUENCE', 'sequence', 'table')), TABLE_NAME, '', '',
  CONCAT_WS(' ', ENGINE, TABLE_COLLATION, NULLIF(CREATE_OPTIONS, ''), IF(TABLE_TYPE = 'VIEW' OR TABLE_COMMENT = '', NULL, CONCAT('COMMENT ', QUOTE(TABLE_COMMENT))),
    (SELECT GROUP_CONCAT(CONCAT_WS(' ', PARTITION_METHOD, PARTITION_EXPRESSION, PARTITION_NAME, PARTITION_DESCRIPTION, SUBPARTITION_METHOD,
       SUBPARTITION_EXPRESSION, SUBPARTITION_NAME) ORDER BY PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION SEPARATOR ', ')
     FROM information_schema.PARTITIONS p WHERE p.TABLE_SCHEMA = t.TABLE_SCHEMA AND p.TABLE_NAME = t.TABLE_NAME AND p.PARTITION_NAME IS NOT NULL))
FROM information_schema.TABLES t
WHERE TABLE_SCHEMA = DATABASE()
UNION ALL
SELECT 'column', TABLE_NAME, COLUMN_NAME, '', CONCAT(COLUMN_TYPE, IF(IS_NULLABLE = 'NO', ' NOT NULL', ''),
  IF(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL', '', CONCAT(' DEFAULT ', COLUMN_DEFAULT)), IF(EXTRA = '', '', CONCAT(' ', UPPER(EXTRA))),
  IF(CHARACTER_SET_NAME IS NULL OR CHARACTER_SET_NAME = s.DEFAULT_CHARACTER_SET_NAME, '', CONCAT(' CHARACTER SET ', CHARACTER_SET_NAME)),
  IF(COLLATION_NAME IS NULL OR COLLATION_NAME = s.DEFAULT_COLLATION_NAME, '', CONCAT(' COLLATE ', COLLATION_NAME)),
  IF(COALESCE(GENERATION_EXPRESSION, '') = '', '', CONCAT(' AS (', GENERATION_EXPRESSION, ')')),
  IF(COLUMN_COMMENT = '', '', CONCAT(' COMMENT ', QUOTE(COLUMN_COMMENT))))
FROM information_schema.COLUMNS c JOIN information_schema.SCHEMATA s ON s.SCHEMA_NAME = c.TABLE_SCHEMA WHERE TABLE_SCHEMA = DATABASE()
UNION ALL
SELECT 'index', TABLE_NAME, INDEX_NAME, '', CONCAT(IF(MAX(NON_UNIQUE), '', 'UNIQUE '), IF(MAX(INDEX_TYPE) = 'BTREE', '', CONCAT(MAX(INDEX_TYPE), ' ')), 'INDEX (',
  GROUP_CONCAT(CONCAT(COALESCE(COLUMN_NAME, '?'), IF(SUB_PART IS NULL, '', CONCAT('(', SUB_PART, ')')), IF(COLLATION = 'D', ' DESC', ''))
    ORDER BY SEQ_IN_INDEX SEPARATOR ', '), ')', IF(MAX(INDEX_COMMENT) = '', '', CONCAT(' COMMENT ', QUOTE(MAX(INDEX_COMMENT)))))
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME, INDEX_NAME, NON_UNIQUE
UNION ALL
SELECT 'constraint', k.TABLE_NAME, k.CONSTRAINT_NAME, '', CONCAT('FOREIGN KEY (', GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '),
  ') REFERENCES ', k.REFERENCED_TABLE_NAME, '(', GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ')',
  ' ON UPDATE ', MAX(r.UPDATE_RULE), ' ON DELETE ', MAX(r.DELETE_RULE))
FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA
  AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL
GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_NAME
UNION ALL
SELECT 'trigger', EVENT_OBJECT_TABLE, TRIGGER_NAME, '', CONCAT_WS(' ', ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA = DATABASE()
UNION ALL
SELECT 'function', ROUTINE_NAME, '', '', CONCAT_WS(' ', ROUTINE_TYPE, DTD_IDENTIFIER, ROUTINE_DEFINITION, NULLIF(IS_DETERMINISTIC, 'NO'), NULLIF(SQL_DATA_ACCESS, 'CONTAINS SQL'),
  NULLIF(SECURITY_TYPE, 'DEFINER'), (SELECT GROUP_CONCAT(CONCAT_WS(' ', PARAMETER_MODE, PARAMETER_NAME, DTD_IDENTIFIER) ORDER BY ORDINAL_POSITION SEPARATOR ', ')
    FROM information_schema.PARAMETERS p WHERE p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ORDINAL_POSITION > 0))
FROM information_schema.ROUTINES r
WHERE ROUTINE_SCHEMA = DATABASE()
UNION ALL
SELECT 'event', EVENT_NAME, '', '', CONCAT_WS(' ', STATUS, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, EVENT_DEFINITION) FROM information_schema.EVENTS
WHERE EVENT_SCHEMA = DATABASE()
UNION ALL
SELECT 'viewtext', TABLE_NAME, '', '', CONCAT_WS(' ', VIEW_DEFINITION, NULLIF(CONCAT('WITH ', CHECK_OPTION), 'WITH NONE'), NULLIF(CONCAT('SQL SECURITY ', SECURITY_TYPE), 'SQL SECURITY DEFINER')) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()
";

/// Checks as MariaDB lists them, and as MySQL does; older servers have none to tell of.
const CHECKS: [&str; 2] = [
    "SELECT 'constraint', TABLE_NAME, CONSTRAINT_NAME, '', CONCAT('CHECK (', CHECK_CLAUSE, ')') FROM information_schema.CHECK_CONSTRAINTS \
     WHERE CONSTRAINT_SCHEMA = DATABASE()",
    "SELECT 'constraint', t.TABLE_NAME, t.CONSTRAINT_NAME, '', CONCAT('CHECK (', c.CHECK_CLAUSE, ')') FROM \
     information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t ON t.CONSTRAINT_SCHEMA = \
     c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME WHERE c.CONSTRAINT_SCHEMA = DATABASE()",
];

/// A MySQL database of our own.
pub struct Mysql {
    service: Option<Service>,
    connection: MySqlConnection,
    options: MySqlConnectOptions,
    name: String,
    version: String,
    known: Facts,
    current: bool,
    observe: bool,
    /// On a server that is not ours.
    keeper: Option<Keeper>,
    // Dropped last: the server runs in it.
    scratch: Option<Scratch>,
}

/// What sessions are like in which migrations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// As the server has them by itself.
    Plain,
    /// As sqlx makes them: `||` joins texts, times are those of UTC.
    /// <https://docs.rs/sqlx/latest/sqlx/mysql/struct.MySqlConnectOptions.html#method.pipes_as_concat>
    OfSqlx,
}

impl Session {
    fn of(self, options: MySqlConnectOptions) -> MySqlConnectOptions {
        match self {
            Self::Plain => options.pipes_as_concat(false).no_engine_substitution(false).timezone(None),
            Self::OfSqlx => options,
        }
    }
}

/// Where its programs are.
struct Installed {
    server: PathBuf,
    /// Makes a data folder; MySQL's own server does that itself.
    installer: Option<PathBuf>,
}

fn lost(during: &str, error: &sqlx::Error) -> DatabaseError {
    DatabaseError::Lost { during: during.to_owned(), said: error.to_string() }
}

impl Mysql {
    /// Starts a scratch server and makes an empty database on it.
    ///
    /// # Errors
    /// When there is no server, or it does not start.
    pub async fn scratch(
        around: Surroundings<'_>,
        version: Option<&str>,
        session: Session,
    ) -> Result<Self, DatabaseError> {
        let installed = find(around, version)?;
        let temp = around.get("TMPDIR").map(PathBuf::from);
        let folder = || {
            let scratch = Scratch::new(temp.as_deref(), &["mysql"])?;
            scratch.folder(TEMPORARY).map(|_| scratch)
        };
        let template = scratch::template(around, &installed.server);
        scratch::started(
            (folder()?, folder),
            (template.as_deref(), &[]),
            async |scratch| install(scratch, &installed).await,
            async |scratch| Self::start(scratch, &installed, session).await,
        )
        .await
    }

    async fn start(scratch: Scratch, installed: &Installed, session: Session) -> Result<Self, DatabaseError> {
        let socket = scratch.path().join("s");
        let word = |text: &str, path: &Path| {
            let mut word = OsString::from(text);
            word.push(path);
            word
        };
        let data = scratch.path().join("data");
        let mut argv: Vec<OsString> = vec![installed.server.clone().into(), "--no-defaults".into()];
        argv.extend([
            word("--datadir=", &data),
            word("--socket=", &socket),
            word("--pid-file=", &data.join("mysqld.pid")),
        ]);
        let settings =
            ["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-doublewrite=0"];
        argv.extend(settings.map(OsString::from));
        let mut service = Service::start(&spec(&scratch, argv))?;
        let options = session
            .of(MySqlConnectOptions::new())
            .socket(&socket)
            .username("root")
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging();
        let (mut waited, pause) = (Duration::ZERO, Duration::from_millis(10));
        loop {
            if MySqlConnection::connect_with(&options).await.is_ok() {
                break;
            }
            if service.has_ended() || waited > PATIENCE {
                let said = said(&scratch);
                service.kill().await;
                return Err(DatabaseError::NotStarted { program: installed.server.clone(), said });
            }
            tokio::time::sleep(pause).await;
            waited += pause;
        }
        let database = Self::on(&options, NAME, true).await?;
        Ok(Self { service: Some(service), scratch: Some(scratch), ..database })
    }

    /// Connects to a database, which is made first where that is asked for.
    async fn on(options: &MySqlConnectOptions, name: &str, make: bool) -> Result<Self, DatabaseError> {
        let failed = |error| lost("while its database was made", &error);
        let mut connection = MySqlConnection::connect_with(options).await.map_err(failed)?;
        if make {
            let make = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(make))).await.map_err(failed)?;
        }
        connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("USE {name}")))).await.map_err(failed)?;
        let version = version(&mut connection).await.map_err(failed)?;
        Ok(Self {
            service: None,
            connection,
            options: options.clone().database(name),
            name: name.to_owned(),
            version,
            known: Facts::new(),
            current: false,
            observe: false,
            keeper: None,
            scratch: None,
        })
    }

    /// Goes back where a statement has left the database; whether it had.
    async fn goes_back(&mut self, sql: &str) -> Result<bool, DatabaseError> {
        let failed = |error| lost("while it was asked which database is used", &error);
        if !sql.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("use")) {
            return Ok(false);
        }
        let row = self.connection.fetch_one(sqlx::raw_sql("SELECT DATABASE()")).await.map_err(failed)?;
        let is_left = text(&row, 0) != self.name;
        if is_left {
            let back = format!("USE `{}`", self.name);
            self.connection.execute(sqlx::raw_sql(AssertSqlSafe(back))).await.map_err(failed)?;
        }
        Ok(is_left)
    }

    async fn read(&mut self) -> Result<Facts, DatabaseError> {
        let failed = |error| lost("while its catalogs were read", &error);
        self.connection.execute(sqlx::raw_sql("SET SESSION group_concat_max_len = 65536")).await.map_err(failed)?;
        let mut rows = self.connection.fetch_all(sqlx::raw_sql(SCHEMA)).await.map_err(failed)?;
        for checks in CHECKS {
            if let Ok(checks) = self.connection.fetch_all(sqlx::raw_sql(checks)).await {
                rows.extend(checks);
                break;
            }
        }
        let mut facts: Facts = rows.iter().filter_map(fact).collect();
        for row in &rows {
            let text = |at: usize| text(row, at);
            let object = Object { kind: ObjectKind::View, of: text(1), name: String::new() };
            if text(0) == "viewtext"
                && let Some(view) = facts.get_mut(&object)
            {
                view.definition = text(4);
            }
        }
        Ok(facts)
    }
}

async fn version(connection: &mut MySqlConnection) -> Result<String, sqlx::Error> {
    connection.fetch_one(sqlx::raw_sql("SELECT VERSION()")).await?.try_get(0)
}

/// `mariadb 10.11.14`, from what a server says of itself.
fn named(version: &str) -> String {
    let maker = if version.contains("MariaDB") { "mariadb" } else { "mysql" };
    // MariaDB once put a version before its own, for old clients.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    format!("{maker} {}", version.split('-').next().unwrap_or_default())
}

/// The programs of all servers that are installed.
#[must_use]
pub fn programs(around: Surroundings<'_>) -> Vec<PathBuf> {
    installed(around).into_iter().map(|installed| installed.server).collect()
}

/// All that are installed, MariaDB's first.
fn installed(around: Surroundings<'_>) -> Vec<Installed> {
    let mut all = Vec::new();
    for (server, installer) in [("mariadbd", Some("mariadb-install-db")), ("mysqld", None)] {
        let mut folders: Vec<PathBuf> = programs::folders(around, &[], "", &[server]);
        for below in ["sbin", "bin", "libexec"] {
            let named = PARENTS.iter().map(|parent| Path::new(parent).join(below));
            folders.extend(named.filter(|folder| files::is_file(&folder.join(server))));
            folders.extend(programs::folders(around, &PARENTS[1..3], below, &[server]));
        }
        for folder in folders {
            let beside = installer.and_then(|installer| {
                let mut places = around.path();
                places.extend([folder.clone(), folder.join("../bin"), folder.join("../scripts")]);
                places.into_iter().map(|place| place.join(installer)).find(|path| files::is_file(path))
            });
            let server = folder.join(server);
            // MariaDB's packages have a `mysqld` that is a link to theirs.
            let real = files::real_path(&server);
            let is_known = all.iter().any(|it: &Installed| files::real_path(&it.server) == real);
            if !is_known && (installer.is_none() || beside.is_some()) {
                all.push(Installed { server, installer: beside });
            }
        }
    }
    all
}

/// The first of the version asked for (`10.11`), else the first.
fn find(around: Surroundings<'_>, wanted: Option<&str>) -> Result<Installed, DatabaseError> {
    let (kind, help) = (DatabaseKind::Mysql, programs::how_to_get(DatabaseKind::Mysql, wanted));
    let mut others = Vec::new();
    for installed in installed(around) {
        let Some(wanted) = wanted else { return Ok(installed) };
        match programs::look_at(&installed.server) {
            Some(found) if found.is(wanted) => return Ok(installed),
            Some(found) => others.push(format!("{} {}", found.name, found.version)),
            None => {}
        }
    }
    Err(match wanted {
        Some(wanted) if !others.is_empty() => {
            DatabaseError::NoVersion { kind, wanted: wanted.to_owned(), found: others, help }
        }
        _ => DatabaseError::NoServer { kind, help },
    })
}

async fn install(scratch: &Scratch, programs: &Installed) -> Result<(), DatabaseError> {
    let data = scratch.folder("data")?;
    let mut folder = OsString::from("--datadir=");
    folder.push(&data);
    let argv: Vec<OsString> = match &programs.installer {
        Some(installer) => {
            let words =
                ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
            let words = words.into_iter().map(OsString::from);
            std::iter::once(installer.clone().into()).chain(words).chain([folder]).collect()
        }
        None => vec![programs.server.clone().into(), "--no-defaults".into(), "--initialize-insecure".into(), folder],
    };
    let program = argv.first().map(PathBuf::from).unwrap_or_default();
    let mut running = Service::start(&spec(scratch, argv))?;
    if running.wait().await? {
        return Ok(());
    }
    Err(DatabaseError::NotStarted { program, said: said(scratch) })
}

fn spec(scratch: &Scratch, argv: Vec<OsString>) -> ServiceSpec {
    let path = scratch.path().to_owned();
    let env = vec![
        (OsString::from("PATH"), OsString::from("/usr/sbin:/usr/bin:/sbin:/bin")),
        (OsString::from("TMPDIR"), path.join(TEMPORARY).into()),
    ];
    ServiceSpec { argv, log: path.join("log"), dir: path, env, user: scratch.user() }
}

fn said(scratch: &Scratch) -> String {
    let tail = files::tail(&scratch.path().join("log"), 1_000).unwrap_or_default();
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it printed nothing".to_owned() } else { lines.join("; ") }
}

/// Catalogs give some columns as bytes.
fn text(row: &MySqlRow, at: usize) -> String {
    let plain = row.try_get::<Option<String>, _>(at).ok().flatten();
    plain
        .or_else(|| {
            let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(at).ok().flatten()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        })
        .unwrap_or_default()
}

fn fact(row: &MySqlRow) -> Option<(Object, Fact)> {
    let kind = match text(row, 0).as_str() {
        "table" => ObjectKind::Table,
        "view" => ObjectKind::View,
        "column" => ObjectKind::Column,
        "index" => ObjectKind::Index,
        "constraint" => ObjectKind::Constraint,
        "trigger" => ObjectKind::Trigger,
        "function" => ObjectKind::Function,
        "sequence" => ObjectKind::Sequence,
        "event" => {
            let object = Object { kind: ObjectKind::Other, of: "event".to_owned(), name: text(row, 1) };
            return Some((object, Fact { identity: String::new(), definition: text(row, 4) }));
        }
        _ => return None,
    };
    let object = Object { kind, of: text(row, 1), name: text(row, 2) };
    Some((object, Fact { identity: String::new(), definition: text(row, 4) }))
}

/// A statement that is not for a server which others use.
fn not_for_all(mut statement: Statement, what: &str) -> Statement {
    statement.not_run = Some(format!(
        "it is for more than this database ({what}); on a server named by `database-url` the rest is left alone"
    ));
    statement
}

impl Database for Mysql {
    fn name(&self) -> String {
        named(&self.version)
    }

    async fn begin(&mut self, transaction: bool, observe: bool) -> Result<(), DatabaseError> {
        self.observe = observe;
        if observe && !self.current {
            self.known = self.read().await?;
        }
        self.current = observe;
        if transaction {
            let begun = self.connection.execute(sqlx::raw_sql("START TRANSACTION")).await;
            begun.map_err(|error| lost("at the beginning of a script", &error))?;
        }
        Ok(())
    }

    async fn run(&mut self, source: &Source) -> Result<Ran, DatabaseError> {
        let mut statement: Statement = unknown(source);
        if let Some(what) = self.keeper.as_ref().and_then(|_| remote::is_for_all(&source.sql)) {
            return Ok(Ran::Done(Box::new(not_for_all(statement, what))));
        }
        let begun = Instant::now();
        let sent = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(source.sql.clone()))).await;
        statement.took = begun.elapsed();
        match sent {
            Ok(done) => statement.rows = done.rows_affected(),
            Err(error) => {
                let refused =
                    error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
                if self.keeper.is_some() && refused.is_some_and(|it| remote::is_of_limits(it.number())) {
                    let what = refused.map_or("", |it| it.message());
                    return Ok(Ran::Done(Box::new(not_for_all(statement, what))));
                }
                statement.error = Some(StatementError {
                    message: refused
                        .map_or_else(|| format!("the connection was lost: {error}"), |it| it.message().to_owned()),
                    code: refused.map(|it| it.number().to_string()),
                    hint: None,
                    line: source.line,
                    column: None,
                });
                if refused.is_none() {
                    return Ok(Ran::Lost(Box::new(statement)));
                }
            }
        }
        if statement.error.is_none() && self.goes_back(&source.sql).await? {
            statement.error = Some(StatementError {
                message: "it leaves the database in which migrations are tried: what follows would not be seen"
                    .to_owned(),
                code: None,
                hint: Some("leave it to the connection which database is used".to_owned()),
                line: source.line,
                column: None,
            });
        }
        if self.observe {
            let before = std::mem::take(&mut self.known);
            self.known = self.read().await?;
            statement.changes = change::compare(&before, &self.known);
        }
        Ok(Ran::Done(Box::new(statement)))
    }

    async fn end(&mut self, keep: bool) -> Result<Option<String>, DatabaseError> {
        let ended = self.connection.execute(sqlx::raw_sql(if keep { "COMMIT" } else { "ROLLBACK" })).await;
        ended.map_err(|error| lost("at the end of a script", &error))?;
        let back = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("USE {}", self.name)))).await;
        back.map_err(|error| lost("at the end of a script", &error))?;
        Ok(None)
    }

    async fn facts(&mut self) -> Result<Facts, DatabaseError> {
        if !self.current {
            self.known = self.read().await?;
            self.current = true;
        }
        Ok(self.known.clone())
    }

    async fn rest(&mut self) -> Result<Facts, DatabaseError> {
        Ok(Facts::new())
    }

    async fn facts_anew(&mut self) -> Result<Facts, DatabaseError> {
        self.current = false;
        self.facts().await
    }

    fn address(&self) -> Vec<(&'static str, String)> {
        let Some(scratch) = &self.scratch else {
            let address = self.keeper.as_ref().map(|keeper| ("DATABASE_URL", keeper.address.clone()));
            return address.into_iter().collect();
        };
        let socket = scratch.path().join("s").display().to_string();
        let url = format!("mysql://root@localhost/{NAME}?socket={socket}");
        vec![("DATABASE_URL", url), ("MYSQL_UNIX_PORT", socket)]
    }

    fn takes_back(&self) -> bool {
        false
    }

    async fn afresh(&mut self) -> Result<(), DatabaseError> {
        let fresh =
            MySqlConnection::connect_with(&self.options).await.map_err(|error| lost("between scripts", &error))?;
        let _ = std::mem::replace(&mut self.connection, fresh).close().await;
        self.current = false;
        Ok(())
    }

    async fn aside(&mut self) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    async fn back(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn extensions(&mut self) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn stop(mut self) {
        let _ = self.connection.close_hard().await;
        if let Some(keeper) = self.keeper.take() {
            keeper.drop_database().await;
        }
        if let Some(mut service) = self.service.take() {
            service.kill().await;
        }
    }
}
