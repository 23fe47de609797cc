//! The commands of gates: what is run, shown, read and posted.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{When, file};

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
