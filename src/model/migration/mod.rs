//! Migrations: what their files say, and what a dry run of them saw.

mod lock;
mod run;
mod schema;
mod table;

use std::collections::BTreeMap;

pub use lock::{Lock, LockMode};
pub use run::{Applied, Migration, Migrations, RoundTrip, Statement, StatementError};
pub use schema::{Change, Fact, Facts, Object, ObjectKind, What};
pub use table::{Table, Tables};

/// Where tools keep migrations, below the root or a member of a workspace.
pub const PLACES: &[&str] = &[
    "migrations",
    "db/migrations",
    "db/migrate",
    "database/migrations",
    "prisma/migrations",
    "supabase/migrations",
    "sql/migrations",
    "drizzle",
    "drizzle/migrations",
    "db/migration",
    "src/migrations",
    "src/db/migrations",
    "src/database/migrations",
    "internal/db/migrations",
    "internal/database/migrations",
    "src/main/resources/db/migration",
];

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
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Mysql, Self::Sqlite];

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
    /// Sent to the server as one text, whatever it contains.
    pub whole: bool,
}

/// How a tool runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// All of it in one transaction.
    Whole,
    /// Each statement by itself.
    None,
    /// None is begun, and all is sent as one text: PostgreSQL makes one transaction of several statements.
    OneText,
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
    /// Its date, in milliseconds since 1970, where a tool remembers only the newest date it has applied: what is not newer
    /// than that never runs.
    pub stamp: Option<u64>,
}

/// A place in a tool's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(pub Vec<u64>, pub String);
