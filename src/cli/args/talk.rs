//! The commands that tell people and listen to them.

use clap::Args;

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
