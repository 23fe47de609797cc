//! What a dry run of migrations saw: scripts, statements, locks, and the schema as facts that can be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::finding::Finding;
use crate::model::text;

/// Which database migrations are written for.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseKind {
    /// PostgreSQL.
    #[default]
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
}

impl DatabaseKind {
    /// As written in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// A folder of migrations that was come across.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationsFolder {
    /// Where, relative to where was looked.
    pub path: String,
    /// Whose layout it has.
    pub layout: &'static str,
    /// What they are written for, and what tells so.
    pub database: Option<(DatabaseKind, String)>,
    /// Why they cannot be tried here.
    pub hindrance: Option<String>,
}

/// A text of SQL with its place: a whole file, or a section of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file, as findings name it.
    pub path: String,
    /// Its parts in order; the splitter looks into each, unless it is whole.
    pub pieces: Vec<Piece>,
    /// Whether the tool runs it in one transaction.
    pub transaction: Transaction,
}

/// A stretch of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line of the file it begins on, from 1.
    pub line: u32,
    /// The text.
    pub text: String,
    /// One statement, whatever it contains.
    pub whole: bool,
}

/// How a tool runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// All of it in one transaction.
    Whole,
    /// Each statement by itself.
    None,
    /// In one where its statements allow it, else each by itself.
    WhereAllowed,
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The line of its first word in the file, from 1.
    pub line: u32,
    /// The column of its first word, from 1, in characters.
    pub column: u32,
    /// The statement without comments before it and without its terminator.
    pub sql: String,
    /// How it is run.
    pub form: Form,
}

/// What a statement is to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Sent as it is.
    Sql,
    /// `COPY … FROM STDIN`, followed by these lines.
    Copy(String),
    /// `COPY … TO STDOUT`, whose rows are read and let go.
    CopyOut,
    /// A command of the interactive client, which no server understands.
    Meta,
}

/// A migration as its files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The version, as the tool spells it.
    pub version: String,
    /// Its place in the tool's own order.
    pub order: Order,
    /// The description.
    pub name: String,
    /// The file (or, for a folder, its script) that makes it.
    pub path: String,
    /// Every file it consists of, with a digest of what the tool would see.
    pub files: BTreeMap<String, String>,
    /// What is applied; `None` for a step that is code.
    pub up: Option<Script>,
    /// What takes it back.
    pub down: Option<Script>,
    /// Run again whenever it changes, after all others; it has no version.
    pub repeatable: bool,
}

/// A place in a tool's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(pub Vec<u64>, pub String);

/// The modes of a lock on a table, from weak to strong.
/// <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Taken by reading.
    AccessShare,
    /// Taken by SELECT … FOR UPDATE.
    RowShare,
    /// Taken by writing rows.
    RowExclusive,
    /// Taken by VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT.
    ShareUpdateExclusive,
    /// Taken by CREATE INDEX.
    Share,
    /// Taken by CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// Taken by REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Taken by most of ALTER TABLE, DROP, TRUNCATE, REINDEX, CLUSTER, VACUUM FULL.
    AccessExclusive,
}

impl LockMode {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::AccessShare, "AccessShareLock", "ACCESS SHARE"),
        (Self::RowShare, "RowShareLock", "ROW SHARE"),
        (Self::RowExclusive, "RowExclusiveLock", "ROW EXCLUSIVE"),
        (Self::ShareUpdateExclusive, "ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
        (Self::Share, "ShareLock", "SHARE"),
        (Self::ShareRowExclusive, "ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
        (Self::Exclusive, "ExclusiveLock", "EXCLUSIVE"),
        (Self::AccessExclusive, "AccessExclusiveLock", "ACCESS EXCLUSIVE"),
    ];

    /// As `pg_locks` spells it.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(mode, ..)| *mode)
    }

    /// As `pg_locks` spells it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// As the manual spells it.
    #[must_use]
    pub const fn manual(self) -> &'static str {
        Self::ALL[self as usize].2
    }

    /// What others cannot do meanwhile.
    #[must_use]
    pub const fn blocks(self) -> &'static str {
        match self {
            Self::AccessShare | Self::RowShare => "blocks no reads or writes",
            Self::RowExclusive => "blocks CREATE INDEX, not reads or writes",
            Self::ShareUpdateExclusive => "blocks VACUUM and schema changes, not reads or writes",
            Self::Share | Self::ShareRowExclusive => "blocks every write",
            Self::Exclusive => "blocks every write and SELECT … FOR UPDATE",
            Self::AccessExclusive => "blocks every read and write",
        }
    }

    /// Whether it keeps others from writing.
    #[must_use]
    pub fn is_dangerous(self) -> bool {
        self >= Self::Share
    }
}

/// A lock on something that others can see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// `schema.name` of a table, an index or a sequence.
    pub object: String,
    /// How strong.
    pub mode: LockMode,
}

/// One object of a schema, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The table it belongs to, `schema.name`; for what stands by itself, its own name.
    pub of: String,
    /// Its own name within that; empty for what stands by itself.
    pub name: String,
}

/// What an object of a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An extension of the server.
    Extension,
    /// A namespace.
    Schema,
    /// An enum, a domain, a composite or range type.
    Type,
    /// A counter.
    Sequence,
    /// A table, partitioned or not.
    Table,
    /// A column.
    Column,
    /// A primary key, unique, check, exclusion or foreign key constraint.
    Constraint,
    /// An index.
    Index,
    /// A view.
    View,
    /// A stored view.
    MaterializedView,
    /// A function or procedure.
    Function,
    /// A trigger.
    Trigger,
    /// A row policy.
    Policy,
    /// A rewrite rule.
    Rule,
    /// Who may do what.
    Privileges,
    /// Whose it is, where that is not who runs the migrations.
    Owner,
    /// What is said of an object.
    Comment,
    /// An operator, a cast, statistics, a text search configuration, …; its path says what.
    Other,
}

impl ObjectKind {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Schema => "schema",
            Self::Type => "type",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Privileges => "privileges",
            Self::Owner => "owner of",
            Self::Comment => "comment on",
            Self::Other => "object",
        }
    }
}

impl Object {
    /// `schema.table.column`, or the name of what stands by itself.
    #[must_use]
    pub fn path(&self) -> String {
        if self.name.is_empty() { self.of.clone() } else { format!("{}.{}", self.of, self.name) }
    }
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What stays when it is renamed; empty where the database has no such thing.
    pub identity: String,
    /// Its definition, as the database words it.
    pub definition: String,
}

/// A whole schema.
pub type Facts = BTreeMap<Object, Fact>;

/// How an object changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The object, by its name before where it had one.
    pub object: Object,
    /// What happened.
    pub what: What,
}

impl Change {
    /// One line: `+ column public.orders.total numeric(10,2) NOT NULL`.
    #[must_use]
    pub fn words(&self) -> String {
        let (kind, path) = (self.object.kind.word(), self.object.path());
        let short = |text: &str| text::one_line(text, 160);
        match &self.what {
            What::Added { definition } => format!("+ {kind} {path} {}", short(definition)).trim_end().to_owned(),
            What::Removed { definition } => format!("- {kind} {path} {}", short(definition)).trim_end().to_owned(),
            What::Altered { before, after } => format!("~ {kind} {path}: {} -> {}", short(before), short(after)),
            What::Renamed { to } => format!("~ {kind} {path} renamed to {}", to.path()),
            What::Emptied => format!("- every row of {kind} {path}"),
        }
    }
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Added {
        /// Its definition.
        definition: String,
    },
    /// It is gone.
    Removed {
        /// What it was.
        definition: String,
    },
    /// It is another.
    Altered {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
    /// Its rows are gone at once (TRUNCATE).
    Emptied,
    /// It has another name, and perhaps another definition.
    Renamed {
        /// The new name.
        to: Object,
    },
}

/// What one statement did.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Where it stands and what it says.
    pub source: Source,
    /// How long it took here.
    pub took: Duration,
    /// Newly taken by it on what existed before this file.
    pub locks: Vec<Lock>,
    /// Taken by statements before it in the same transaction, and still held.
    pub held: Vec<Lock>,
    /// Existing tables and indexes that were written anew.
    pub rewrites: Vec<String>,
    /// Existing tables that were read from end to end.
    pub scans: Vec<String>,
    /// Rows inserted, updated and deleted.
    pub rows: u64,
    /// Bytes of write-ahead log.
    pub wal_bytes: u64,
    /// Changes of the schema.
    pub changes: Vec<Change>,
    /// The same as a report says it that was read back; there `changes` is empty.
    pub changes_in_words: Vec<String>,
    /// What was in force for waiting on locks, in milliseconds; 0 is for ever.
    pub lock_timeout_ms: u64,
    /// Why it failed.
    pub error: Option<StatementError>,
    /// Why it was not run.
    pub not_run: Option<String>,
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementError {
    /// What the server said.
    pub message: String,
    /// Its code (`SQLSTATE`), where it gave one.
    pub code: Option<String>,
    /// More, and what the server would do.
    pub hint: Option<String>,
    /// The line in the file, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
}

/// How a migration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was applied.
    Ok,
    /// A statement failed.
    Error,
    /// It was not run, wholly or in part.
    NotRun,
}

/// What up, down and up again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoundTrip {
    /// Down restores the schema, and up makes the same again.
    Exact,
    /// Something is not as it was.
    Differs,
    /// There is no down.
    MissingDown,
    /// The down does nothing.
    EmptyDown,
    /// The down fails.
    DownError,
    /// Up fails the second time.
    ReupError,
    /// It was not tried.
    #[default]
    NotRun,
}

impl RoundTrip {
    const ALL: [Self; 7] = [
        Self::Exact,
        Self::Differs,
        Self::MissingDown,
        Self::EmptyDown,
        Self::DownError,
        Self::ReupError,
        Self::NotRun,
    ];

    /// By the word in the report.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The word in the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differs => "differs",
            Self::MissingDown => "missing_down",
            Self::EmptyDown => "empty_down",
            Self::DownError => "down_error",
            Self::ReupError => "reup_error",
            Self::NotRun => "not_run",
        }
    }
}

impl Applied {
    /// By the word in the report.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Ok, Self::Error, Self::NotRun].into_iter().find(|known| known.word() == word)
    }

    /// The word in the report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::NotRun => "not_run",
        }
    }
}

/// One migration after the dry run.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The version, as the tool spells it.
    pub version: String,
    /// The description.
    pub name: String,
    /// The file that makes it.
    pub path: String,
    /// How it ended.
    pub outcome: Applied,
    /// Why it did not end well.
    pub error: Option<String>,
    /// Wall time of its statements, without observing.
    pub took: Duration,
    /// Whether it ran in one transaction.
    pub transactional: bool,
    /// Up, down and up again.
    pub round_trip: RoundTrip,
    /// What differed, or failed.
    pub round_trip_detail: Vec<String>,
    /// In file order; empty for one that was applied but not observed.
    pub statements: Vec<Statement>,
}

impl Migration {
    /// One of which nothing was run.
    #[must_use]
    pub fn not_run(path: &str) -> Self {
        Self {
            version: String::new(),
            name: String::new(),
            path: path.to_owned(),
            outcome: Applied::NotRun,
            error: None,
            took: Duration::ZERO,
            transactional: false,
            round_trip: RoundTrip::NotRun,
            round_trip_detail: Vec::new(),
            statements: Vec::new(),
        }
    }
}

/// A whole dry run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migrations {
    /// The layout's name.
    pub layout: String,
    /// The server, with its version; `None` where none was reached.
    pub database: Option<String>,
    /// Those that were judged, in the order they run.
    pub migrations: Vec<Migration>,
    /// How many of the base were applied before, unobserved.
    pub of_the_base: usize,
    /// What was found, in file order.
    pub findings: Vec<Finding>,
    /// What the schema becomes, as SQL.
    pub schema_diff: String,
    /// The same for a reader: one line for each change.
    pub schema_summary: Vec<String>,
}
