//! The commands that set a repository up and look at how it is set up.

use clap::{Args, ValueEnum};

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

#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
}
