//! `report.json`, version 1: its own structs, not a dump of inner types. Additive until 1.0, frozen then.
//! `parse::report` reads it back.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::audit::Audit;
use crate::model::evidence::Exit;
use crate::model::gate::{GateName, Mode};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Report};
use crate::render::finding_v1::FindingV1;
use crate::render::migrations_v1::MigrationsV1;
use crate::render::tests_v1::{ComparedV1, TestsV1};

/// The schema's name, the first key of the file.
pub const SCHEMA: &str = "gatepost.report/v1";

/// A whole run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub struct ReportV1<'a> {
    /// `gatepost.report/v1`.
    pub schema: Cow<'a, str>,
    /// What wrote it.
    pub tool: ToolV1<'a>,
    /// The worst of the enforced gates.
    pub verdict: Outcome,
    /// What was judged.
    pub subject: SubjectV1<'a>,
    /// RFC 3339, UTC.
    pub started_at: Cow<'a, str>,
    /// Wall time in milliseconds.
    pub took_ms: u64,
    /// In configuration order.
    pub gates: Vec<GateV1<'a>>,
    /// Gates with `"mode": "report"` that would have blocked if they were enforced.
    #[serde(default)]
    pub would_have_blocked: Vec<Cow<'a, str>>,
    /// About the run as a whole.
    #[serde(default)]
    pub notes: Vec<Cow<'a, str>>,
}

/// What wrote the report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
pub struct ToolV1<'a> {
    /// gatepost's version.
    pub version: Cow<'a, str>,
}

/// What was judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
pub struct SubjectV1<'a> {
    /// `owner/name`.
    pub repository: Option<Cow<'a, str>>,
    /// The commit that receives check runs; `null` in a repository without a commit.
    pub head: Option<Cow<'a, str>>,
    /// The commit compared with; `null` where everything was judged.
    pub base: Option<Cow<'a, str>>,
    /// The pull request's number.
    pub pull_request: Option<u64>,
    /// GitHub's event name, or `local`.
    pub event: Cow<'a, str>,
    /// The git tree of the files that were judged: of the commit that was checked out, which on a pull request is its merge
    /// and not `head`. `null` where it is not known.
    #[serde(default)]
    pub tree: Option<Cow<'a, str>>,
    /// False for a pull request of a fork.
    pub trusted: bool,
    /// The work tree differed from `head`: the verdict is not that commit's.
    #[serde(default)]
    pub dirty: bool,
    /// The digest of the configuration that judged; `null` where that is not one.
    #[serde(default)]
    pub config: Option<Cow<'a, str>>,
    /// The run on GitHub Actions that judged; `null` elsewhere.
    #[serde(default)]
    pub run: Option<RunV1>,
}

/// A run on GitHub Actions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunV1 {
    /// Its id.
    pub id: u64,
    /// From 1.
    pub attempt: u64,
}

/// One gate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Gate")]
pub struct GateV1<'a> {
    /// Its name.
    pub name: Cow<'a, GateName>,
    /// Its kind.
    pub kind: Cow<'a, str>,
    /// How it ended.
    pub outcome: Outcome,
    /// One line: why.
    pub reason: Cow<'a, str>,
    /// `block`, or `report`: shown, never blocking, no evidence.
    #[serde(default)]
    pub mode: Mode,
    /// Which findings counted: `all`, `new`, `changed-files` or `changed-lines`.
    #[serde(default)]
    pub only: Cow<'a, str>,
    /// Wall time over all attempts, in milliseconds.
    pub took_ms: u64,
    /// Taken from the cache.
    pub cached: bool,
    /// How many attempts were made; 0 when it never started.
    pub attempts: u32,
    /// What was executed; empty for a gate with only `reports`.
    pub command: Vec<Cow<'a, str>>,
    /// The exit status of the last attempt; `null` when it had none.
    pub exit_status: Option<i32>,
    /// The signal that ended it, where one did.
    #[serde(default)]
    pub signal: Option<i32>,
    /// The log, relative to this file's folder.
    pub log: Option<Cow<'a, str>>,
    /// The end of the log, where the gate is not green and nothing that was found says why.
    #[serde(default)]
    pub log_tail: Option<Cow<'a, str>>,
    /// All findings, blocking or not.
    pub findings: Vec<FindingV1<'a>>,
    /// How many findings of the baseline are gone; `null` without one.
    #[serde(default)]
    pub fixed: Option<usize>,
    /// The test cases; `null` where the gate has none.
    pub tests: Option<TestsV1<'a>>,
    /// What a dry run of migrations did; absent for other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<MigrationsV1<'a>>,
    /// How the tests compare with the baseline's; `null` without one.
    #[serde(default)]
    pub compared: Option<ComparedV1<'a>>,
    /// What an audit audited and found; `null` for every other kind.
    #[serde(default)]
    pub audit: Option<Cow<'a, Audit>>,
    /// Who has decided that the commit may stand although the outcome is not green, and why; `null` where nobody has. Such a
    /// gate does not count in the verdict, and is no evidence by itself.
    #[serde(default)]
    pub overridden: Option<Cow<'a, str>>,
    /// Worth saying beside the outcome.
    #[serde(default)]
    pub notes: Vec<Cow<'a, str>>,
}

/// The file's text, with a line end.
///
/// # Errors
/// Never in practice: every key is a string and every number finite.
pub fn write(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string(&ReportV1::from(report)).map(|text| text + "\n")
}

/// The JSON Schema of the file.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(ReportV1<'static>)
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn borrowed(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}

impl<'a> From<&'a Report> for ReportV1<'a> {
    fn from(report: &'a Report) -> Self {
        let subject = &report.subject;
        Self {
            schema: Cow::Borrowed(SCHEMA),
            tool: ToolV1 { version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) },
            verdict: report.verdict,
            subject: SubjectV1 {
                repository: subject.repository.as_deref().map(Cow::Borrowed),
                head: subject.head.as_ref().map(|sha| Cow::Borrowed(sha.as_str())),
                base: subject.base.as_ref().map(|sha| Cow::Borrowed(sha.as_str())),
                pull_request: subject.pull_request,
                event: Cow::Borrowed(&subject.event),
                tree: subject.tree.as_ref().map(|tree| Cow::Borrowed(tree.as_str())),
                trusted: subject.trusted,
                dirty: subject.dirty,
                config: subject.config.as_deref().map(Cow::Borrowed),
                run: subject.run.map(|(id, attempt)| RunV1 { id, attempt }),
            },
            started_at: Cow::Borrowed(&report.started_at),
            took_ms: milliseconds(report.took),
            gates: report.gates.iter().map(GateV1::from).collect(),
            would_have_blocked: report.would_have_blocked().map(|gate| Cow::Borrowed(gate.name.as_str())).collect(),
            notes: borrowed(&report.notes),
        }
    }
}

impl<'a> From<&'a GateReport> for GateV1<'a> {
    fn from(gate: &'a GateReport) -> Self {
        Self {
            name: Cow::Borrowed(&gate.name),
            kind: Cow::Borrowed(&gate.kind),
            outcome: gate.outcome,
            reason: Cow::Borrowed(&gate.reason),
            mode: gate.mode,
            only: Cow::Borrowed(&gate.only),
            took_ms: milliseconds(gate.took),
            cached: gate.cached,
            attempts: gate.attempts,
            command: borrowed(&gate.command),
            exit_status: match gate.exit {
                Some(Exit::Code(code)) => Some(code),
                _ => None,
            },
            signal: match gate.exit {
                Some(Exit::Signal(signal)) => Some(signal),
                _ => None,
            },
            log: gate.log.as_deref().map(Cow::Borrowed),
            log_tail: gate.log_tail.as_deref().map(Cow::Borrowed),
            findings: gate.findings.iter().map(FindingV1::judged).collect(),
            fixed: gate.fixed,
            tests: gate.tests.as_ref().map(TestsV1::from),
            migrations: gate.migrations.as_ref().map(MigrationsV1::from),
            compared: gate.compared.as_ref().map(ComparedV1::from),
            audit: gate.audit.as_ref().map(Cow::Borrowed),
            overridden: gate.overridden.as_deref().map(Cow::Borrowed),
            notes: borrowed(&gate.notes),
        }
    }
}
