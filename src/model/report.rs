//! The judged result of a run. `render::json_v1` is its frozen shape on disk; this is the shape inside.

use std::time::Duration;

use crate::model::evidence::Exit;
use crate::model::finding::{Finding, Level};
use crate::model::gate::{GateName, Mode};
use crate::model::migration::Migrations;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::model::tests::Tests;

use serde::{Deserialize, Serialize};

/// How a finding lies to the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relevance {
    /// On a line that the change adds or changes.
    ChangedLine,
    /// In a file of the change, on another line.
    ChangedFile,
    /// Elsewhere.
    Outside,
    /// It has no place that could be found; it counts, whatever `only` says.
    Unplaced,
}

/// How a finding compares with the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The baseline does not have it.
    New,
    /// The baseline has it.
    Existing,
}

/// A finding with everything that was decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What the tool said; `finding.path` is its raw spelling, `path` the real one.
    pub finding: Finding,
    /// The file in the repository.
    pub path: Option<RepoPath>,
    /// How it lies to the change; `None` where everything is judged.
    pub relevance: Option<Relevance>,
    /// How it compares with the baseline; `None` without one.
    pub status: Option<Status>,
    /// Identity over line shifts: see `policy::fingerprint`.
    pub fingerprint: String,
    /// Whether it counts against the gate.
    pub blocking: bool,
    /// The text of its first line, for excerpts.
    pub line_text: Option<String>,
    /// Its first line in the head commit that receives annotations; `None` where it has no counterpart there.
    pub head_line: Option<u32>,
}

impl Judged {
    /// Its level.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.finding.level
    }

    /// The file to show: the one in the repository, else the tool's own spelling (untrusted, and no place to link to).
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.path.as_ref().map(RepoPath::as_str).or(self.finding.path.as_deref())
    }
}

/// One gate's end.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReport {
    /// Its name.
    pub name: GateName,
    /// Its kind (`lint`, `test`, `command`).
    pub kind: String,
    /// How it ended.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: String,
    /// Whether the outcome may block.
    pub mode: Mode,
    /// What `only` amounted to (`all`, `new`, `changed-files`, `changed-lines`).
    pub only: String,
    /// Wall time over all attempts.
    pub took: Duration,
    /// Taken from the cache.
    pub cached: bool,
    /// How many attempts were made; 0 when it never started.
    pub attempts: u32,
    /// What was executed, argv; empty for a gate with only `reports`.
    pub command: Vec<String>,
    /// A command line a person can paste to run this gate alone.
    pub reproduce: String,
    /// How the command of the last attempt ended.
    pub exit: Option<Exit>,
    /// The log, relative to the output folder.
    pub log: Option<String>,
    /// All findings, blocking or not.
    pub findings: Vec<Judged>,
    /// How many findings of the baseline are gone; `None` without a baseline.
    pub fixed: Option<usize>,
    /// The test cases.
    pub tests: Option<Tests>,
    /// What a dry run of migrations did.
    pub migrations: Option<Migrations>,
    /// Worth saying beside the outcome.
    pub notes: Vec<String>,
}

impl GateReport {
    /// Findings that count.
    pub fn blocking(&self) -> impl Iterator<Item = &Judged> {
        self.findings.iter().filter(|finding| finding.blocking)
    }

    /// Whether it came to an attempt, now or when its result was cached: otherwise it took no time at all.
    #[must_use]
    pub fn was_run(&self) -> bool {
        self.attempts > 0 || self.cached
    }

    /// Whether it is shown but never blocks.
    #[must_use]
    pub fn not_enforced(&self) -> bool {
        self.mode == Mode::Report
    }
}

/// What was judged, and for whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// `owner/name`.
    pub repository: Option<String>,
    /// The commit that receives check runs; `None` in a repository without a commit.
    pub head: Option<Sha>,
    /// The commit compared with.
    pub base: Option<Sha>,
    /// The pull request's number.
    pub pull_request: Option<u64>,
    /// GitHub's event name, or `local`.
    pub event: String,
    /// False for a pull request of a fork.
    pub trusted: bool,
    /// The work tree differs from `head`: the verdict is not that commit's.
    pub dirty: bool,
    /// A link to the run.
    pub run_url: Option<String>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The worst of the enforced gates.
    pub verdict: Outcome,
    /// What was judged.
    pub subject: Subject,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time.
    pub took: Duration,
    /// In configuration order.
    pub gates: Vec<GateReport>,
    /// About the run as a whole ("no base: everything was judged", "interrupted by SIGINT").
    pub notes: Vec<String>,
}
