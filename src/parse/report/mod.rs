//! Reads `report.json`, version 1, back, as if a stranger had written it: with limits, unknown keys ignored, and every
//! place and text checked. Whether it may be believed is not decided here.

mod migrations;

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::model::audit::Audit;
use crate::model::baseline::{Baseline, GateBaseline};
use crate::model::evidence::Exit;
use crate::model::finding::{Finding, Fix, Level};
use crate::model::gate::{GateName, Mode};
use crate::model::migration::Migrations;
use crate::model::outcome::Outcome;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Report, Status, Subject, TestsCompared};
use crate::model::sha::Sha;
use crate::model::tests::{Case, CaseName, Tests};
use crate::model::text::one_line;

/// The schema's name; `render::json_v1` writes it.
const SCHEMA: &str = "gatepost.report/v1";

/// The most bytes of a report.
pub const LARGEST: u64 = 20 << 20;

/// The deepest nesting: a report needs 8.
const DEEPEST: usize = 32;

/// The most gates of a report, and the most findings, test cases, notes or edits in one list.
const MOST_GATES: usize = 1_000;
const MOST: usize = 250_000;

/// No job of GitHub's lasts longer than 35 days.
const LONGEST: Duration = Duration::from_hours(35 * 24);

/// Why some bytes are no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// More than is read.
    #[error("has {0} bytes; a report has at most {LARGEST}")]
    TooLarge(usize),
    /// Brackets within brackets.
    #[error("nests deeper than {DEEPEST} levels, which no report does")]
    TooDeep,
    /// No JSON, or cut off, or of another shape.
    #[error("is no gatepost report: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Some other JSON, or another version of this one.
    #[error("has the schema {0:?}; this version of gatepost reads {SCHEMA:?}")]
    Schema(String),
    /// It says nothing.
    #[error("has no gates")]
    Empty,
}

/// Reads a report.
///
/// # Errors
/// When it is too large, too deep, cut off, malformed, of another schema, or has no gate.
pub fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    written(bytes).map(Report::from)
}

/// Reads a report as the baseline of a later run. A gate that could not be judged says nothing, and is left out.
///
/// # Errors
/// As [`read`].
pub fn read_baseline(bytes: &[u8]) -> Result<Baseline, ReportError> {
    let mut read = written(bytes)?;
    let version = std::mem::take(&mut read.tool.version);
    let Report { subject, gates, .. } = read.into();
    let judged = gates.into_iter().filter(|gate| matches!(gate.outcome, Outcome::Pass | Outcome::Fail));
    Ok(Baseline {
        head: subject.head,
        tree: subject.tree,
        repository: subject.repository,
        event: subject.event,
        version,
        dirty: subject.dirty,
        gates: judged.map(|gate| (gate.name.clone(), GateBaseline::from(gate))).collect(),
    })
}

fn written(bytes: &[u8]) -> Result<Written, ReportError> {
    if bytes.len() as u64 > LARGEST {
        return Err(ReportError::TooLarge(bytes.len()));
    }
    if depth(bytes) > DEEPEST {
        return Err(ReportError::TooDeep);
    }
    let Schema { schema } = serde_json::from_slice(bytes)?;
    if schema.as_deref() != Some(SCHEMA) {
        return Err(ReportError::Schema(one_line(&schema.unwrap_or_default(), 80)));
    }
    let read: Written = serde_json::from_slice(bytes)?;
    if read.gates.0.is_empty() { Err(ReportError::Empty) } else { Ok(read) }
}

/// How deep brackets nest outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[derive(Deserialize)]
struct Schema {
    schema: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    tool: WrittenTool,
    verdict: Outcome,
    #[serde(default)]
    subject: WrittenSubject,
    #[serde(default)]
    started_at: String,
    #[serde(default)]
    took_ms: u64,
    gates: List<WrittenGate, MOST_GATES>,
    #[serde(default)]
    notes: List<String, MOST>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenTool {
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenSubject {
    repository: Option<String>,
    head: Option<Sha>,
    base: Option<Sha>,
    pull_request: Option<u64>,
    event: String,
    trusted: bool,
    tree: Option<Sha>,
    dirty: bool,
    config: Option<String>,
    run: Option<WrittenRun>,
}

#[derive(Deserialize)]
struct WrittenRun {
    id: u64,
    attempt: u64,
}

#[derive(Deserialize)]
struct WrittenGate {
    name: GateName,
    outcome: Outcome,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    only: String,
    #[serde(default)]
    took_ms: u64,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    command: List<String, MOST>,
    exit_status: Option<i32>,
    signal: Option<i32>,
    log_tail: Option<String>,
    #[serde(default)]
    findings: List<WrittenFinding, MOST>,
    fixed: Option<usize>,
    tests: Option<WrittenTests>,
    compared: Option<WrittenCompared>,
    audit: Option<Audit>,
    migrations: Option<migrations::Written>,
    #[serde(default)]
    notes: List<String, MOST>,
}

#[derive(Deserialize)]
struct WrittenFinding {
    level: Level,
    message: String,
    rule: Option<String>,
    path: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    head_line: Option<u32>,
    relevance: Option<Relevance>,
    status: Option<Status>,
    fingerprint: Option<String>,
    help: Option<String>,
    fix: Option<Fix>,
    #[serde(default)]
    blocking: bool,
}

/// The counts are made anew from the cases.
#[derive(Deserialize)]
struct WrittenTests {
    took_ms: Option<u64>,
    cases: List<Case, MOST>,
}

#[derive(Deserialize)]
struct WrittenCompared {
    new_failures: List<CaseName, MOST>,
    still_failing: List<CaseName, MOST>,
    fixed: List<CaseName, MOST>,
    removed: List<CaseName, MOST>,
    newly_skipped: List<CaseName, MOST>,
    older: bool,
}

/// A list of at most `N` items.
struct List<T, const N: usize>(Vec<T>);

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for List<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const N: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Items<T, N> {
            type Value = List<T, N>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a list of at most {N} items")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    if list.len() == N {
                        return Err(serde::de::Error::invalid_length(N + 1, &self));
                    }
                    list.push(item);
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}

impl From<Written> for Report {
    fn from(read: Written) -> Self {
        let subject = read.subject;
        Self {
            verdict: read.verdict,
            subject: Subject {
                repository: subject.repository,
                head: subject.head,
                base: subject.base,
                pull_request: subject.pull_request,
                event: subject.event,
                trusted: subject.trusted,
                tree: subject.tree,
                dirty: subject.dirty,
                run_url: None,
                run: subject.run.map(|run| (run.id, run.attempt)),
                config: subject.config,
            },
            started_at: moment(&read.started_at),
            took: milliseconds(read.took_ms),
            gates: read.gates.0.into_iter().map(GateReport::from).collect(),
            notes: read.notes.0,
        }
    }
}

/// RFC 3339 in UTC; the beginning of time for what is none.
fn moment(text: &str) -> String {
    text.parse::<jiff::Timestamp>().unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

fn milliseconds(time: u64) -> Duration {
    Duration::from_millis(time).min(LONGEST)
}

impl From<WrittenGate> for GateReport {
    fn from(read: WrittenGate) -> Self {
        let exit = read.signal.map(Exit::Signal).or(read.exit_status.map(Exit::Code));
        let kind_is_a_name = GateName::parse(&read.kind).is_ok();
        Self {
            reproduce: format!("gatepost run {}", read.name),
            name: read.name,
            kind: if kind_is_a_name { read.kind } else { String::new() },
            outcome: read.outcome,
            reason: read.reason,
            mode: read.mode,
            only: read.only,
            took: milliseconds(read.took_ms),
            cached: read.cached,
            attempts: read.attempts,
            command: read.command.0,
            exit,
            // It is not beside the report any more.
            log: None,
            log_tail: read.log_tail,
            findings: read.findings.0.into_iter().map(Judged::from).collect(),
            fixed: read.fixed,
            tests: read
                .tests
                .map(|tests| Tests { cases: tests.cases.0.into_iter().map(placed).collect(), took_ms: tests.took_ms }),
            migrations: read.migrations.map(Migrations::from),
            compared: read.compared.map(TestsCompared::from),
            audit: read.audit,
            // Whoever wrote the report may not say so.
            overridden: None,
            notes: read.notes.0,
        }
    }
}

impl From<WrittenCompared> for TestsCompared {
    fn from(read: WrittenCompared) -> Self {
        let sorted = |List(mut names): List<CaseName, MOST>| {
            names.sort();
            names.dedup();
            names
        };
        Self {
            new_failures: sorted(read.new_failures),
            still_failing: sorted(read.still_failing),
            fixed: sorted(read.fixed),
            removed: sorted(read.removed),
            newly_skipped: sorted(read.newly_skipped),
            older: read.older,
        }
    }
}

fn placed(case: Case) -> Case {
    Case { line: position(case.line), head_line: position(case.head_line), ..case }
}

/// Lines and columns count from 1.
fn position(number: Option<u32>) -> Option<u32> {
    number.filter(|number| *number > 0)
}

impl From<WrittenFinding> for Judged {
    fn from(read: WrittenFinding) -> Self {
        // What is written is the real path where there is one. One that leaves the repository is no place in it.
        let path = read.path.as_deref().and_then(|path| RepoPath::parse(path).ok());
        Self {
            finding: Finding {
                rule: read.rule,
                level: read.level,
                message: read.message,
                path: read.path,
                line: position(read.line),
                column: position(read.column),
                end_line: position(read.end_line),
                end_column: position(read.end_column),
                help: read.help,
                fix: read.fix,
                ..Finding::default()
            },
            path,
            relevance: read.relevance,
            status: read.status,
            fingerprint: read.fingerprint.unwrap_or_default(),
            blocking: read.blocking,
            line_text: None,
            head_line: position(read.head_line),
            offer: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"schema":"gatepost.report/v1","verdict":"fail","of a later version":[{}],
      "subject":{"repository":"o/r","head":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","pull_request":7,"event":"push"},
      "started_at":"2026-01-02T03:04:05+01:00","took_ms":18446744073709551615,
      "gates":[{"name":"lint","kind":"x<b>","outcome":"fail","signal":9,"exit_status":0,"log":"../../x",
        "findings":[{"level":"error","message":"m","path":"../../etc/passwd","line":0,"column":0,"head_line":0},
                    {"level":"note","message":"n","path":"a.rs","line":3,"head_line":4,"blocking":true}],
        "tests":{"total":9,"passed":9,"cases":[{"name":"t","outcome":"failed","line":0}]}}]}"#;

    fn error(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_there_is_read_and_checked() {
        let report = read(WHOLE.as_bytes()).unwrap();
        assert_eq!((report.started_at.as_str(), report.took), ("2026-01-02T02:04:05Z", LONGEST));
        assert_eq!(report.subject.head.unwrap().as_str(), "a".repeat(40));
        let gate = &report.gates[0];
        assert_eq!((gate.kind.as_str(), gate.exit, &gate.log), ("", Some(Exit::Signal(9)), &None));
        let place = |at: usize| {
            let judged = &gate.findings[at];
            (judged.path.as_ref().map(RepoPath::as_str), judged.finding.line, judged.head_line)
        };
        assert_eq!((place(0), place(1)), ((None, None, None), (Some("a.rs"), Some(3), Some(4))));
        assert_eq!(gate.findings[0].finding.path.as_deref(), Some("../../etc/passwd"));
        let tests = gate.tests.as_ref().unwrap();
        assert_eq!((tests.counts().failed, tests.cases[0].line), (1, None));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(error("").starts_with("is no gatepost report: EOF"));
        for length in [1, 40, 300, WHOLE.len() - 1] {
            assert!(error(&WHOLE[..length]).contains("is no gatepost report"), "{length}");
        }
        assert_eq!(
            error(r#"{"version":"2.1.0","runs":[]}"#),
            format!("has the schema \"\"; this version of gatepost reads {SCHEMA:?}")
        );
        assert!(error(&WHOLE.replace("/v1", "/v2")).starts_with("has the schema \"gatepost.report/v2\""));
        assert!(error(r#"{"schema":"gatepost.report/v1","verdict":"pass","gates":[]}"#).contains("has no gates"));
        for (good, bad) in [("\"fail\"", "\"good\""), ("\"lint\"", "\"../x\""), ("AAAA", "-AAA"), (":7", ":-7")] {
            assert!(error(&WHOLE.replacen(good, bad, 1)).starts_with("is no gatepost report"), "{bad}");
        }
        // A key twice: whoever reads the first and whoever reads the last would see two reports.
        assert!(
            error(&WHOLE.replacen("\"verdict\"", "\"verdict\":\"pass\",\"verdict\"", 1)).contains("duplicate field")
        );
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        let deep = |levels: usize| WHOLE.replacen("[{}]", &("[".repeat(levels) + &"]".repeat(levels)), 1);
        assert!(read(deep(DEEPEST - 1).as_bytes()).is_ok());
        assert!(error(&deep(DEEPEST)).starts_with("nests deeper"));
        assert!(error(&deep(1_000_000)).starts_with("nests deeper"));
        assert!(read(WHOLE.replacen("\"m\"", &format!("\"\\\"{}\"", "[".repeat(99)), 1).as_bytes()).is_ok());
        let gate = r#"{"name":"a","outcome":"pass"},"#;
        let many = WHOLE.replacen("\"gates\":[", &format!("\"gates\":[{}", gate.repeat(MOST_GATES)), 1);
        assert!(
            error(&many).contains("invalid length 1001, expected a list of at most 1000 items"),
            "{}",
            error(&many)
        );
        let notes = WHOLE.replacen("\"signal\"", &format!("\"notes\":[{}\"\"],\"signal\"", "\"\",".repeat(MOST)), 1);
        assert!(error(&notes).contains("at most 250000 items"));
        assert!(
            read(&vec![b' '; usize::try_from(LARGEST).unwrap() + 1])
                .unwrap_err()
                .to_string()
                .contains("20971521 bytes")
        );
    }

    #[test]
    fn only_what_was_judged_is_a_baseline() {
        let gate = |outcome: &str| format!(r#"{{"name":"{outcome}","outcome":"{outcome}"}}"#);
        let gates = ["pass", "fail", "error", "skipped"].map(gate).join(",");
        let text = format!(r#"{{"schema":"{SCHEMA}","verdict":"fail","gates":[{gates}]}}"#);
        let baseline = read_baseline(text.as_bytes()).unwrap();
        let mut names: Vec<_> = baseline.gates.keys().map(ToString::to_string).collect();
        names.sort();
        assert_eq!(names, ["fail", "pass"]);
    }

    #[test]
    fn depth_is_counted_behind_escapes_and_sizes_to_the_last_byte() {
        assert_eq!(
            [r#"{"a":["\n[[["]}"#, r#"{"a":"\n","b":[[]]}"#, r#"["\"[","\\",[[]]]"#].map(|text| depth(text.as_bytes())),
            [2, 3, 3]
        );
        let mut largest = WHOLE.as_bytes().to_vec();
        largest.resize(usize::try_from(LARGEST).unwrap(), b' ');
        assert!(read(&largest).is_ok());
    }

    #[test]
    fn compared_names_are_sorted_and_each_there_once() {
        let name = |name: &str| format!(r#"{{"suite":null,"class":null,"name":"{name}"}}"#);
        let fixed = ["b", "a", "b"].map(name).join(",");
        let none = r#""new_failures":[],"still_failing":[],"removed":[],"newly_skipped":[],"older":false"#;
        let gate = format!(r#"{{"name":"t","outcome":"pass","compared":{{{none},"fixed":[{fixed}]}}}}"#);
        let text = format!(r#"{{"schema":"{SCHEMA}","verdict":"pass","gates":[{gate}]}}"#);
        let compared = read(text.as_bytes()).unwrap().gates.remove(0).compared.unwrap();
        assert_eq!(compared.fixed.iter().map(|name| name.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
