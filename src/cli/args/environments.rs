//! The commands of environments.

use clap::{Args, ValueEnum};

/// What commands of an environment are told.
pub(super) const TOLD: &str = "The environment's command is told by GATEPOST_ENVIRONMENT, GATEPOST_SHA, GATEPOST_REF, GATEPOST_VERSION, \
    GATEPOST_PREVIOUS_SHA, GATEPOST_DEPLOYMENT_ID, GATEPOST_URL and GATEPOST_ROLE (deploy, rollback), and with a strategy by \
    GATEPOST_STRATEGY, GATEPOST_SLOT, GATEPOST_OTHER_SLOT and GATEPOST_PREVIEW_URL too; a hook that moves traffic by \
    GATEPOST_WEIGHT beside.";

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
