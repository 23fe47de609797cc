//! The command line: what can be asked for. It is read here and resolved elsewhere.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::model::audit::Severity;
use crate::model::finding::Level;
use crate::model::migration::DatabaseKind;
use crate::world::screen::Colour;

/// Quality gates with honest verdicts between a pull request and production.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version, max_term_width = 100)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Work as if started in DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Read this configuration (default: the nearest gatepost.toml or .github/gatepost.toml)
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// How gatepost's own log is written to standard error
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Say more (-v also shows what passing gates printed, -vv traces)
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say only the verdict and what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: When,
}

/// How gatepost's own log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// When something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Where it fits.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<When> for Colour {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

/// The commands. What one takes is looked at when it is asked for; its struct has no words of its own, which would replace
/// these then.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Run the gates (all, or those named); on GitHub Actions also publish
    Run(Run),
    /// Show what is configured, what would run and why
    Plan(Plan),
    /// Read any tool's output into findings and tests
    Parse(Parse),
    /// Find gates that cannot fail: in workflows, package scripts, makefiles, justfiles and the scripts they call
    Integrity(Integrity),
    /// Join reports of several jobs, or of another run, into one verdict, and post it
    Publish(Publish),
    /// Deploy a commit to an environment, verify it, and roll back if it does not work
    #[command(after_long_help = TOLD)]
    Deploy(Deploy),
    /// Go back to the last deployment that was verified, or to a named commit
    Rollback(Rollback),
    /// Deploy to one environment what is live in another
    Promote(Promote),
    /// Show what is live where, how it is, who holds the lock, and what waits
    Status(Status),
    /// Settle what a run that died has left, and finish its rollback
    Recover(Recover),
    /// Record what is live already, once its health was seen
    Adopt(Adopt),
    /// Keep an environment as it is until it is unlocked
    Lock(Lock),
    /// Give an environment back
    Unlock(Unlock),
    /// See whether addresses answer well
    Verify(Verify),
    /// Carry out the commands of the comment that woke the workflow
    Comment(Comment),
    /// Try migrations on a scratch server: what each statement would do to a live database
    Migrations(Migrations),
    /// Show the configuration and the workflow this repository could start with, and write them
    Init(Init),
    /// Look at what these gates need here, in the workflows and on GitHub, and say what to do
    Doctor(Doctor),
    /// Tell a test message, or an event, by the routes of [notify.*]
    Notify(Notify),
    /// Hold the packages of lockfiles against advisories
    Audit(Audit),
    /// Print a JSON Schema
    Schema {
        /// Of what
        what: SchemaOf,
    },
}

/// What commands of an environment are told.
const TOLD: &str = "The environment's command is told by GATEPOST_ENVIRONMENT, GATEPOST_SHA, GATEPOST_REF, GATEPOST_VERSION, \
    GATEPOST_PREVIOUS_SHA, GATEPOST_DEPLOYMENT_ID, GATEPOST_URL and GATEPOST_ROLE (deploy, rollback), and with a strategy by \
    GATEPOST_STRATEGY, GATEPOST_SLOT, GATEPOST_OTHER_SLOT and GATEPOST_PREVIEW_URL too; a hook that moves traffic by \
    GATEPOST_WEIGHT beside.";

// What is compared with what.
#[derive(Debug, Args)]
pub struct Against {
    /// Compare with this commit (default: the pull request's base; on a laptop the remote's default branch)
    #[arg(long, value_name = "REF", conflicts_with = "all_files")]
    pub base: Option<String>,
    /// Judge everything, not the change
    #[arg(long)]
    pub all_files: bool,
    /// A report.json of the base: findings it has are known
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the flag is called --dry-run")]
pub struct Run {
    /// Gates to run, with the gates they need (default: all)
    #[arg(value_name = "GATE")]
    pub gates: Vec<String>,
    /// What is compared with what.
    #[command(flatten)]
    pub against: Against,
    /// Gates at a time (default: one per core)
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Cancel the others when a gate does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// Where reports and logs are written (default: .gatepost beside the configuration)
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Post to GitHub: auto is on GitHub Actions
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub publish: When,
    /// Also write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub sarif: Option<PathBuf>,
    /// Also write the tests as JUnit XML
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub junit: Option<PathBuf>,
    /// Judge everything, and keep the report as a baseline (default: baseline.json in the output folder)
    #[arg(long, value_name = "FILE", value_parser = file(), num_args = 0..=1, require_equals = true, conflicts_with_all = ["base", "baseline"])]
    #[expect(clippy::option_option, reason = "absent, without a value, with one")]
    pub save_baseline: Option<Option<PathBuf>>,
    /// Print the report as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Run the gates, and print what would be posted in place of posting it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    /// One gate (default: all)
    #[arg(value_name = "GATE")]
    pub gate: Option<String>,
    /// What is compared with what.
    #[command(flatten)]
    pub against: Against,
    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Parse {
    /// The format: a name, `matcher:FILE`, or auto to recognise it by content
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub from: String,
    /// How the result is printed
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub to: Shape,
    /// The same as --to json
    #[arg(long, conflicts_with = "to")]
    pub json: bool,
    /// What to read (`-` or nothing: standard input)
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Publish {
    /// Files, or folders or ZIP archives with report.json in them (default, of another run: its artifacts
    /// that are named gatepost, or gatepost-…)
    #[arg(value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// Gates that must be there (default: those that are due by the configuration)
    #[arg(long, value_name = "GATE", value_delimiter = ',')]
    pub expect: Vec<String>,
    /// The reports are of this run (default: the one that woke this one)
    #[arg(long, value_name = "ID")]
    pub run: Option<u64>,
    /// Print the joined report as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Print what would be posted in place of posting it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Notify {
    /// The event, such as deploy.failed (default: a test that every route gets)
    #[arg(value_name = "EVENT")]
    pub event: Option<String>,
    /// The environment it is about
    #[arg(long, value_name = "ENV")]
    pub environment: Option<String>,
    /// The commit it is about, with all its digits (default: that of the event, else HEAD)
    #[arg(long, value_name = "SHA")]
    pub sha: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where the environment answers
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// What the event belongs to: one conversation in mail (default: the run, else environment and commit)
    #[arg(long, value_name = "WORD")]
    pub story: Option<String>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Print what would be sent in place of sending it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Comment {
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Read, check and say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Init {
    /// Where the gates are taken from
    #[arg(long, value_name = "WHAT", default_value = "detection")]
    pub from: InitFrom,
    /// The shape of the workflow
    #[arg(long, value_name = "SHAPE", default_value = "one-job")]
    pub workflow: InitWorkflow,
    /// Whether the gates block, or only report to begin with
    #[arg(long, value_name = "MODE", default_value = "block")]
    pub mode: InitMode,
    /// The commit of gatepost's action that the workflow uses, with a full commit id
    #[arg(long, value_name = "OWNER/NAME@COMMIT")]
    pub action: Option<String>,
    /// Write the files (default: ask on a terminal, else only show them)
    #[arg(long)]
    pub yes: bool,
    /// Overwrite files that stand there already
    #[arg(long)]
    pub force: bool,
    /// Only show them
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Print the files as JSON; they are written with --yes alone
    #[arg(long)]
    pub json: bool,
}

/// Where gates are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitFrom {
    /// Manifests and installed tools.
    Detection,
    /// The runners of .reviewdog.yml.
    Reviewdog,
}

/// The shapes of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitWorkflow {
    /// All gates in one job.
    OneJob,
    /// A job for each gate, and one that joins what they found.
    SeveralJobs,
    /// Two halves: one runs strangers' code without rights, one posts.
    Forks,
    /// No workflow.
    None,
}

/// Whether gates block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitMode {
    /// They do.
    Block,
    /// They run and show, and block nothing.
    Report,
}

/// How a parsed result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// For people.
    Text,
    /// gatepost.parse/v1.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
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
    /// Make a database on this PostgreSQL server, and drop it again, in place of starting a scratch server
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Let --database-url lead to another machine
    #[arg(long, requires = "database_url")]
    pub allow_remote: bool,
    /// Also write what the schema becomes, as SQL
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

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// gatepost.toml.
    Config,
    /// report.json.
    Report,
}

// What every command about environments takes.
#[derive(Debug, Args)]
pub struct OnLedger {
    /// Where deployments and locks are kept (default: on GitHub where there is a token, else in the repository)
    #[arg(long, value_name = "LEDGER")]
    pub ledger: Option<LedgerOf>,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Read, check and say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Where deployments are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerOf {
    /// As GitHub deployments.
    Github,
    /// In a file of the repository.
    Local,
}

// What deploys take.
#[derive(Debug, Args)]
pub struct Anyway {
    /// Deploy although gates are not green, where the environment allows that
    #[arg(long, requires = "reason")]
    pub force: bool,
    /// Why; shown everywhere after
    #[arg(long, value_name = "TEXT", requires = "force")]
    pub reason: Option<String>,
    /// Roll back over migrations that cannot be undone
    #[arg(long)]
    pub allow_irreversible: bool,
}

#[derive(Debug, Args)]
pub struct Deploy {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// A branch, tag or commit
    #[arg(value_name = "REF", default_value = "HEAD")]
    pub reference: String,
    /// Go on with the canary that waits for a person, at its next step
    #[arg(long = "continue", conflicts_with_all = ["reference", "force", "allow_irreversible"])]
    pub go_on: bool,
    /// What deploys take.
    #[command(flatten)]
    pub anyway: Anyway,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// A branch, tag or commit (default: the last deployment that was verified)
    #[arg(long, value_name = "REF")]
    pub to: Option<String>,
    /// Roll back over migrations that cannot be undone
    #[arg(long)]
    pub allow_irreversible: bool,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Promote {
    /// What is live here …
    #[arg(value_name = "FROM")]
    pub from: String,
    /// … is deployed there
    #[arg(value_name = "TO")]
    pub to: String,
    /// What deploys take.
    #[command(flatten)]
    pub anyway: Anyway,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Status {
    /// The environment (default: all)
    #[arg(value_name = "ENV")]
    pub environment: Option<String>,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Recover {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Adopt {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// The commit that is live there
    #[arg(long, value_name = "SHA")]
    pub sha: String,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Lock {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Unlock {
    /// The environment
    #[arg(value_name = "ENV")]
    pub environment: String,
    /// Take the lock from a deploy that is going on, too
    #[arg(long)]
    pub force: bool,
    /// What every command about environments takes.
    #[command(flatten)]
    pub on: OnLedger,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Addresses that must all answer well
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// The status that is wanted (default: any from 200 to 299)
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..600))]
    pub status: Option<u16>,
    /// What the body must contain
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// Good rounds in a row that are enough
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub successes: u32,
    /// Seconds between two rounds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub interval: f64,
    /// Seconds of one request
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub timeout: f64,
    /// Seconds in which bad rounds at the start count for nothing
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub grace: f64,
    /// Seconds for all of it
    #[arg(long, value_name = "SECONDS", default_value_t = 90.0)]
    pub deadline: f64,
    /// Seconds that it is looked at afterwards
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub watch: f64,
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// A file to write: `-` would be one of that name, where most programs take it for standard output.
fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let is_name = path.as_os_str() != "-";
        is_name.then_some(path).ok_or("standard output is /dev/stdout, and a file of this name ./-")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn a_command_says_of_itself_what_the_list_of_commands_says() {
        let about = |cli: &clap::Command| -> Vec<String> {
            let own = cli.get_subcommands().filter(|command| command.get_name() != "help");
            own.map(|command| command.get_about().unwrap_or_default().to_string()).collect()
        };
        let mut cli = Cli::command();
        let listed = about(&cli);
        cli.build();
        assert_eq!(about(&cli), listed);
    }
}
