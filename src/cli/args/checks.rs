//! The commands that check one thing without a configuration: lockfiles, gates that cannot fail, migrations.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::file;
use crate::model::audit::Severity;
use crate::model::finding::Level;
use crate::model::migration::DatabaseKind;

#[derive(Debug, Args)]
pub struct Audit {
    /// Audit this lockfile; its format is known by name or content (default: those that are found)
    #[arg(long, value_name = "[FORMAT:]FILE")]
    pub lockfile: Vec<String>,
    /// Only what was added since this commit fails (default: everything)
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// Advisories: a folder or archive of OSV or RustSec records, the address of a dump, osv.dev for its dumps, or
    /// api.osv.dev (default: api.osv.dev)
    #[arg(long, value_name = "PATH")]
    pub db: Vec<String>,
    /// Ask nothing over the network
    #[arg(long)]
    pub offline: bool,
    /// How old the advisories may be: 7d, 12h or off (default: 7d)
    #[arg(long, value_name = "AGE")]
    pub max_age: Option<String>,
    /// The least severity that fails
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub fail_on: SeverityArg,
    /// Read lockfiles and list their packages; no advisories
    #[arg(long)]
    pub packages_only: bool,
    /// Also write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub sarif: Option<PathBuf>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// How bad an advisory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    /// CVSS below 4.0.
    Low,
    /// CVSS below 7.0.
    Medium,
    /// CVSS below 9.0.
    High,
    /// CVSS from 9.0 on.
    Critical,
}

impl From<SeverityArg> for Severity {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Args)]
pub struct Integrity {
    /// The least level that fails: error where a gate surely cannot fail, warning where it may
    #[arg(long, value_name = "LEVEL", default_value = "warning")]
    pub fail_on: LevelArg,
    /// Also write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub sarif: Option<PathBuf>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Say what a rule catches, why, and the safe form
    #[arg(long, value_name = "RULE", conflicts_with_all = ["json", "sarif"])]
    pub explain: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    /// Worth knowing.
    Note,
    /// Should be mended.
    Warning,
    /// Wrong.
    Error,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Note => Self::Note,
            LevelArg::Warning => Self::Warning,
            LevelArg::Error => Self::Error,
        }
    }
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Migrations {
    /// The migrations folder (default: migrations), or `sizes` to print the query whose result `sizes = "…"` reads
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The database they are written for (default: told by what lies around them)
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseArg>,
    /// The tool whose folder it is (default: detected)
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<String>,
    /// What is there is applied first, unjudged (default: the pull request's base; on a laptop the remote's default
    /// branch)
    #[arg(long, value_name = "REF", conflicts_with = "all")]
    pub base: Option<String>,
    /// Judge every migration, not only those that the change adds
    #[arg(long)]
    pub all: bool,
    /// Do not take each migration back and apply it again
    #[arg(long)]
    pub no_round_trip: bool,
    /// Make a database on this server, and drop it again, in place of starting a scratch server
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Let --database-url lead to another machine
    #[arg(long, requires = "database_url")]
    pub allow_remote: bool,
    /// Also write what the schema becomes, to be read: on PostgreSQL as SQL
    #[arg(long, value_name = "FILE")]
    pub schema_out: Option<PathBuf>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DatabaseArg {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
}

impl From<DatabaseArg> for DatabaseKind {
    fn from(database: DatabaseArg) -> Self {
        match database {
            DatabaseArg::Postgres => Self::Postgres,
            DatabaseArg::Mysql => Self::Mysql,
            DatabaseArg::Sqlite => Self::Sqlite,
        }
    }
}
