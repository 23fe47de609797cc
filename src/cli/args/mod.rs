//! The command line: what can be asked for. It is read here and resolved elsewhere.

mod checks;
mod environments;
mod gates;
mod setup;
mod talk;

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::world::screen::Colour;

pub use checks::{Audit, Integrity, Migrations};
pub use environments::{Adopt, Deploy, LedgerOf, Lock, OnLedger, Promote, Recover, Rollback, Status, Unlock, Verify};
pub use gates::{Parse, Plan, Publish, Run, Shape};
pub use setup::{Doctor, Init, InitFrom, InitMode, InitWorkflow};
pub use talk::{Comment, Notify};

use environments::TOLD;

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
    /// Say only what came out: the table, what is wrong and the verdict
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

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// gatepost.toml.
    Config,
    /// report.json.
    Report,
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
