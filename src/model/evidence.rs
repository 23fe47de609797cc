//! What running a gate brought to light, before anything was judged.

use std::time::Duration;

use crate::model::audit::Audit;
use crate::model::finding::{ColumnUnit, Finding};
use crate::model::migration::Migrations;
use crate::model::path::RepoPath;
use crate::model::tests::Tests;

/// What a parser understood of a tool's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What the tool complained about, in its order.
    pub findings: Vec<Finding>,
    /// The test cases; `None` where the format has no tests.
    pub tests: Option<Tests>,
    /// The unit of every column in `findings`.
    pub columns: ColumnUnit,
    /// What was not understood, or was put right while reading.
    pub notes: Vec<String>,
    /// Lines of a text that are no finding and are not known to be anything else: one among them may be a finding in
    /// another shape. 0 for formats that leave no room for such lines.
    pub not_understood: usize,
    /// Set when the findings above may not be all that there is, with the reason ("the build failed without an error
    /// message"): they explain no exit status, and a gate that would pass is an error, whatever the status.
    pub unexplained_exit: Option<String>,
    /// The exit statuses that the findings above never explain.
    pub breakdowns: Breakdowns,
    /// By what it says that the tool looked at nothing; a note says so too.
    pub nothing: Option<&'static str>,
}

/// Exit statuses that no finding explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakdowns {
    /// Those that the tool has for a breakdown of its own.
    Of(&'static [i32]),
    /// All but 0, with the reason: the tool says that its own work went well, so something else has failed.
    Any(&'static str),
}

impl Default for Breakdowns {
    fn default() -> Self {
        Self::Of(&[])
    }
}

impl Breakdowns {
    /// Why no finding explains the status `code`; `None` where one may.
    #[must_use]
    pub fn why(self, code: i32) -> Option<&'static str> {
        match self {
            Self::Of(codes) => codes
                .contains(&code)
                .then_some("by which the tool says that it broke down, so what it found may not be all"),
            Self::Any(why) => (code != 0).then_some(why),
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this status.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

/// A finding with its place in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The finding as parsed; its columns are Unicode scalar values by now.
    pub finding: Finding,
    /// Where it is.
    pub place: Place,
    /// Where else it may be: the tool's path leads to other files from the gate's folder, from the root or from folders
    /// that were entered.
    pub or_at: Vec<RepoPath>,
    /// Whether its path may be relative to any folder, or be that of a copy: where the tool ran is not known, or no such
    /// line is in the file.
    pub anywhere: bool,
    /// Whether its line has the number that git gives it.
    pub exact: bool,
    /// Whether its line is the end of its file, behind the last line.
    pub at_end: bool,
    /// The text of its first line in the judged tree, for the fingerprint and the excerpt.
    pub line_text: Option<String>,
}

/// Where a finding lies, after looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of the repository.
    File(RepoPath),
    /// A file that exists, outside the repository.
    Outside,
    /// No path, or one that leads nowhere: it cannot be said to be outside the change, so it counts.
    Unplaced,
}

/// Everything one attempt of a gate left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// How the command ended; `None` for a gate with only `reports`.
    pub exit: Option<Exit>,
    /// Set when a parser read something; `None` for a gate judged by its exit status alone.
    pub understood: Option<Understood>,
    /// Why it could not be judged, if so: tool missing, report absent, stale, malformed, timeout, cancelled.
    pub problems: Vec<Problem>,
    /// Why there was nothing to judge, if so.
    pub nothing: Option<String>,
    /// Worth saying beside the outcome.
    pub notes: Vec<String>,
    /// Wall time of the attempt.
    pub took: Duration,
    /// The log, relative to the output folder.
    pub log: Option<String>,
    /// Whether the middle of the log was cut.
    pub log_cut: bool,
}

/// The parsed part of the evidence, placed in the repository.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Understood {
    /// Findings with their places, in the tool's order.
    pub findings: Vec<Located>,
    /// Test cases of all reports together.
    pub tests: Option<Tests>,
    /// As [`Parsed::not_understood`], of all outputs and reports together.
    pub not_understood: usize,
    /// As [`Parsed::unexplained_exit`].
    pub unexplained_exit: Option<String>,
    /// What a dry run of migrations did; its findings stand in `findings`.
    pub migrations: Option<Migrations>,
    /// What an audit found, of which each [`present`](Audit::present) finding stands in `findings`, in that order.
    pub audit: Option<Audit>,
}

/// Why a gate could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What sort of trouble, so that retries and exit codes can tell them apart.
    pub kind: ProblemKind,
    /// What was tried, on what, what happened and what to do next.
    pub what: String,
}

/// The sorts of trouble that keep a gate from being judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The program could not be started.
    NotStarted,
    /// It ran longer than its `timeout`.
    TimedOut,
    /// It was stopped: by a signal to gatepost, or by `--fail-fast`.
    Cancelled,
    /// A gate it needs did not pass.
    NotRun,
    /// A report that was promised is absent, empty, stale or malformed, or output could not be kept.
    Unreadable,
}
