//! Floor 3, telling: each place a result is posted to is one file here and one row in [`ALL`]. Pure: an ended gate or
//! run in, [`Posting`]s out. Reports must be masked before they come here; the verdict is fixed by then.

pub mod check_run;
pub mod comment;
pub mod commit_status;
pub mod deployed;
pub mod interpreter;
pub mod issue;
pub mod outputs;
pub mod review;
pub mod summary;
pub mod workflow_commands;

#[cfg(test)]
mod canary;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod nothing_lost;
mod page;
pub mod proof;
mod remarks;
#[cfg(test)]
mod sample;
mod words;

use std::collections::BTreeSet;

use crate::model::call::{Call, Generation};
use crate::model::check_id;
use crate::model::gate::GateName;
use crate::model::report::{GateReport, Report, Subject};
use crate::model::settings::PublishSettings;
use crate::publish::proof::Maker;

/// Every publisher, in posting order.
pub static ALL: &[&Publisher] = &[
    &check_run::PUBLISHER,
    &comment::PUBLISHER,
    &review::PUBLISHER,
    &issue::PUBLISHER,
    &summary::PUBLISHER,
    &workflow_commands::PUBLISHER,
    &outputs::PUBLISHER,
];

/// A place where results are posted.
#[derive(Debug)]
pub struct Publisher {
    /// Its name in receipts and in the README's table.
    pub name: &'static str,
    /// One phrase for that table: what is posted, and when.
    pub about: &'static str,
    /// What is posted as soon as a gate has ended.
    pub on_gate: Option<fn(&GateEnd<'_>) -> Vec<Posting>>,
    /// What is posted when the whole run has ended.
    pub on_end: Option<fn(&RunEnd<'_>) -> Vec<Posting>>,
}

/// Something to post.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are a handful of them in a run")]
pub enum Posting {
    /// To be sent to GitHub.
    Call(Call),
    /// To be added to the file that `GITHUB_STEP_SUMMARY` names.
    Summary(String),
    /// To be added to the file that `GITHUB_OUTPUT` names.
    Outputs(String),
    /// Lines for standard output, where the runner reads commands: not between `::stop-commands::` and its end.
    Commands(Vec<String>),
}

/// What is the same for all that is posted in a run.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What was judged.
    pub subject: &'a Subject,
    /// `[publish]`.
    pub settings: &'a PublishSettings,
    /// `GITHUB_SERVER_URL`: `https://github.com`, or a GitHub Enterprise server.
    pub server: &'a str,
    /// The version of gatepost.
    pub version: &'a str,
    /// Where a person finds the whole report (`.gatepost/report.json`).
    pub report_path: &'a str,
    /// Where the configuration stands in the repository.
    pub place: &'a str,
    /// The leg of the job's matrix.
    pub leg: Option<&'a str>,
}

impl Context<'_> {
    /// The name of a gate's check run.
    #[must_use]
    pub fn check_name(&self, gate: &GateReport) -> String {
        check_id::name(self.place, Some(&gate.called()), self.leg)
    }
}

/// A gate that has ended.
#[derive(Debug, Clone, Copy)]
pub struct GateEnd<'a> {
    /// What is the same for the whole run.
    pub context: Context<'a>,
    /// The gate's part of the report, masked.
    pub gate: &'a GateReport,
    /// RFC 3339.
    pub started_at: &'a str,
    /// RFC 3339.
    pub completed_at: &'a str,
    /// Names this run, gate and attempt.
    pub external_id: &'a str,
    /// A signal to gatepost ended it.
    pub cancelled: bool,
}

/// A run that has ended.
#[derive(Debug, Clone, Copy)]
pub struct RunEnd<'a> {
    /// What is the same for the whole run.
    pub context: Context<'a>,
    /// The whole report, masked.
    pub report: &'a Report,
    /// RFC 3339.
    pub completed_at: &'a str,
    /// Names this run and attempt.
    pub external_id: &'a str,
    /// A signal to gatepost ended it.
    pub cancelled: bool,
    /// Which run speaks.
    pub generation: Generation,
    /// The process that speaks.
    pub by: &'a Maker,
    /// Names the workflow and the configuration, as [`comment::key`] does: each has its own comment.
    pub comment_key: &'a str,
    /// A fresh random word that ends values in `GITHUB_OUTPUT`.
    pub delimiter: &'a str,
    /// How many bytes of [`summary::LIMIT`] are left in this step's summary.
    pub summary_room: usize,
    /// How many gates of the configuration were not asked for: what stands for the whole is then left to a run, or a
    /// `gatepost publish`, that has them all.
    pub left_out: usize,
    /// Gates whose findings stand on GitHub as annotations of a check run: they are not annotated twice.
    pub annotated: &'a BTreeSet<GateName>,
    /// Sentences about check runs that were not made because they would have hidden worse ones.
    pub left_alone: &'a [String],
}

/// Everything that is posted when a gate has ended.
#[must_use]
pub fn on_gate(end: &GateEnd<'_>) -> Vec<Posting> {
    ALL.iter().filter_map(|publisher| publisher.on_gate).flat_map(|plan| plan(end)).collect()
}

/// Everything that is posted when the run has ended.
#[must_use]
pub fn on_end(end: &RunEnd<'_>) -> Vec<Posting> {
    ALL.iter().filter_map(|publisher| publisher.on_end).flat_map(|plan| plan(end)).collect()
}
