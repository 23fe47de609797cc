//! The judged result of a run. `render::json_v1` is its frozen shape on disk; this is the shape inside.

use std::time::Duration;

use crate::model::audit::Audit;
use crate::model::evidence::Exit;
use crate::model::finding::{Finding, Level};
use crate::model::gate::{GateName, Mode, Only};
use crate::model::migration::Migrations;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::model::suggestion::Offer;
use crate::model::tests::{Case, CaseName, Tests};

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
    /// It has no place that could be found, or one in a submodule that the change moved; it counts, whatever `only` says.
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
    /// What became of its fix; `None` where it has none, or fixes are not offered.
    pub offer: Option<Offer>,
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

/// How tests compare with those of the base. Each list is sorted and has a name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestsCompared {
    /// Failing, and not, or not as often, in the base.
    pub new_failures: Vec<CaseName>,
    /// Failing, as in the base.
    pub still_failing: Vec<CaseName>,
    /// Failing in the base, and holding now.
    pub fixed: Vec<CaseName>,
    /// In the base, and no longer there, or not as often.
    pub removed: Vec<CaseName>,
    /// Ran in the base, and skipped now.
    pub newly_skipped: Vec<CaseName>,
    /// The baseline is of another commit than the base: it does not excuse what still fails.
    pub older: bool,
}

impl TestsCompared {
    /// Whether a case failed in the base too.
    #[must_use]
    pub fn still_fails(&self, case: &Case) -> bool {
        case.outcome.is_broken() && self.still_failing.binary_search(&case.named()).is_ok()
    }

    /// Its lists with their words, those that have something in them.
    pub fn lists(&self) -> impl Iterator<Item = (&'static str, &[CaseName])> {
        [
            ("new failures", &self.new_failures),
            ("still failing", &self.still_failing),
            ("fixed", &self.fixed),
            ("removed", &self.removed),
            ("newly skipped", &self.newly_skipped),
        ]
        .into_iter()
        .map(|(word, names)| (word, names.as_slice()))
        .filter(|(_, names)| !names.is_empty())
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
    /// The end of it, where the gate is not green and nothing that was found says why. Untrusted.
    pub log_tail: Option<String>,
    /// All findings, blocking or not.
    pub findings: Vec<Judged>,
    /// How many findings of the baseline are gone; `None` without a baseline.
    pub fixed: Option<usize>,
    /// The test cases.
    pub tests: Option<Tests>,
    /// What a dry run of migrations did.
    pub migrations: Option<Migrations>,
    /// How they compare with the baseline's; `None` without one.
    pub compared: Option<TestsCompared>,
    /// What an audit audited and found.
    pub audit: Option<Audit>,
    /// Who has decided that the commit may stand although the outcome is not green, and why. The outcome stays.
    pub overridden: Option<String>,
    /// Worth saying beside the outcome.
    pub notes: Vec<String>,
}

impl GateReport {
    /// Of a gate of which nothing is known: it could not be judged.
    #[must_use]
    pub fn unjudged(name: GateName, kind: String) -> Self {
        Self {
            kind,
            outcome: Outcome::Error,
            reason: String::new(),
            mode: Mode::Block,
            only: String::new(),
            took: Duration::ZERO,
            cached: false,
            attempts: 0,
            command: Vec::new(),
            reproduce: format!("gatepost run {name}"),
            exit: None,
            log: None,
            log_tail: None,
            findings: Vec::new(),
            fixed: None,
            tests: None,
            compared: None,
            migrations: None,
            audit: None,
            overridden: None,
            notes: Vec::new(),
            name,
        }
    }

    /// Whether all there is was judged, and not only what a change adds: of the base's migrations it is known at most
    /// that they apply.
    #[must_use]
    pub fn judged_everything(&self) -> bool {
        let whole = self.migrations.as_ref().is_none_or(|run| run.of_the_base == Some(0));
        self.only == "all" && self.outcome != Outcome::Skipped && whole
    }

    /// Findings that count.
    pub fn blocking(&self) -> impl Iterator<Item = &Judged> {
        self.findings.iter().filter(|finding| finding.blocking)
    }

    /// Whether a finding that counts or a test that failed says why it is not green.
    #[must_use]
    pub fn says_why(&self) -> bool {
        let mut cases = self.tests.iter().flat_map(|tests| &tests.cases);
        self.blocking().next().is_some() || cases.any(|case| case.outcome.is_broken())
    }

    /// Whether it came to an attempt, now or when its result was cached: otherwise it took no time at all.
    #[must_use]
    pub fn was_run(&self) -> bool {
        self.attempts > 0 || self.cached
    }

    /// Whether tests differ from the base's, or fail as there: that is shown even where the gate is green.
    #[must_use]
    pub fn tests_differ(&self) -> bool {
        self.compared.as_ref().is_some_and(|compared| compared.lists().next().is_some())
    }

    /// Whether a broken case is excused: it failed in the base too, and only what is new counts.
    #[must_use]
    pub fn excuses(&self, case: &Case) -> bool {
        let compared = self.compared.as_ref().filter(|compared| self.only == Only::New.word() && !compared.older);
        compared.is_some_and(|compared| compared.still_fails(case))
    }

    /// What it is called on GitHub. What was judged on a schedule or on the default branch, whatever changed, is called
    /// otherwise: it says nothing of a commit.
    #[must_use]
    pub fn called(&self) -> String {
        let scheduled = self.audit.as_ref().is_some_and(|audit| audit.scheduled);
        format!("{}{}", self.name, if scheduled { " (scheduled)" } else { "" })
    }

    /// Whether it is shown but does not block: by its mode, or because it was overridden.
    #[must_use]
    pub fn not_enforced(&self) -> bool {
        self.free().is_some()
    }

    /// What must be said beside its outcome where that does not block.
    #[must_use]
    pub fn free(&self) -> Option<&'static str> {
        match self.mode {
            _ if self.overridden.is_some() => Some(OVERRIDDEN),
            Mode::Report => Some(NOT_ENFORCED),
            Mode::Block => None,
        }
    }
}

/// What is said beside the outcome of a gate that does not block.
pub const NOT_ENFORCED: &str = "not enforced";
/// The same, where somebody has overridden it.
pub const OVERRIDDEN: &str = "overridden";

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
    /// The tree of the files that were judged: of the commit that was checked out, which on a pull request is its merge and
    /// not `head`. `None` where that was no commit's.
    pub tree: Option<Sha>,
    /// The work tree differs from `head`: the verdict is not that commit's.
    pub dirty: bool,
    /// A link to the run.
    pub run_url: Option<String>,
    /// Its id and attempt, on GitHub Actions.
    pub run: Option<(u64, u64)>,
    /// The digest of the configuration that judged; `None` where it is not one.
    pub config: Option<String>,
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

impl Report {
    /// How many gates do not block, for this reason.
    #[must_use]
    pub fn free(&self, why: &str) -> usize {
        self.gates.iter().filter(|gate| gate.free() == Some(why)).count()
    }

    /// Gates that are not enforced and would have blocked if they were.
    pub fn would_have_blocked(&self) -> impl Iterator<Item = &GateReport> {
        let by_mode = |gate: &&GateReport| gate.free() == Some(NOT_ENFORCED) && !gate.outcome.is_green();
        self.gates.iter().filter(by_mode)
    }
}
