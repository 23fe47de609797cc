//! A report as SARIF 2.1.0, for `--sarif` and code scanning: a run for each gate that was due, all findings with whether
//! they block. A gate that could not be judged is a run that did not succeed, so that no reader takes it for clean: GitHub
//! refuses the file then, and closes no alert.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Serialize;

use crate::model::check_id;
use crate::model::evidence::Exit;
use crate::model::finding::{Edit, Fix, Level};
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, Relevance, Report, Status};
use crate::model::text::clean;

/// GitHub refuses a file with more runs.
const MOST_RUNS: usize = 20;

/// What a finding without a place is shown at: GitHub refuses a file for one result without, and does not ask whether the
/// place exists.
const NO_PLACE: &str = "gatepost.toml";

/// Writes the log.
#[must_use]
pub fn write(report: &Report) -> String {
    write_of(report, "", None)
}

/// The same of the configuration at `place`, by this leg of a matrix: of two uploads that name a gate alike GitHub keeps one.
#[must_use]
pub fn write_of(report: &Report, place: &str, leg: Option<&str>) -> String {
    let named = |gate| run(gate, &check_id::name(place, Some(gate.name.as_str()), leg));
    let runs = shown(&report.gates).into_iter().map(named).collect();
    let log = Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs };
    // Nothing in these types is without a form in JSON; were it so, no reader takes these words for a log.
    serde_json::to_string(&log).unwrap_or_else(|error| error.to_string())
}

/// The most results of one of them.
const MOST_RESULTS: usize = 25_000;

/// That GitHub will not take the log, where these gates, or the findings of one, are too many for one.
#[must_use]
pub fn too_many(gates: &[GateReport]) -> Option<String> {
    let shown = shown(gates);
    if let Some(gate) = shown.iter().find(|gate| gate.findings.len() > MOST_RESULTS) {
        return Some(format!(
            "the SARIF file has {} results of gate `{}`, and code scanning takes no file with more than {MOST_RESULTS} in a run",
            gate.findings.len(),
            gate.name
        ));
    }
    let runs = shown.len();
    (runs > MOST_RUNS).then(|| {
        format!(
            "the SARIF file has {runs} runs, one for each gate, and code scanning takes no file with more than {MOST_RUNS}: \
             write one in each of several runs, `gatepost run GATE… --sarif FILE`"
        )
    })
}

/// The gates that were due. Of too many those are left out that were judged and never have anything to show.
fn shown(gates: &[GateReport]) -> Vec<&GateReport> {
    let mut due: Vec<_> = gates.iter().filter(|gate| gate.outcome != Outcome::Skipped).collect();
    let mut over = due.len().saturating_sub(MOST_RUNS);
    due.retain(|gate| {
        let has_none = matches!(gate.kind.as_str(), "command" | "test") && gate.findings.is_empty();
        let is_left_out = over > 0 && has_none && gate.outcome != Outcome::Error;
        over -= usize::from(is_left_out);
        !is_left_out
    });
    due
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: Id,
    column_kind: &'a str,
    invocations: [Invocation<'a>; 1],
    results: Vec<SarifResult<'a>>,
    properties: RunProperties<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
struct Driver<'a> {
    name: &'a str,
    version: &'a str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'a str>,
}

#[derive(Serialize)]
struct Id {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'a str,
    message: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct RunProperties<'a> {
    gate: &'a str,
    outcome: Outcome,
    reason: String,
    enforced: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'a str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<SarifFix<'a>>,
    properties: ResultProperties,
}

#[derive(Serialize)]
struct ResultProperties {
    blocking: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    relevance: Option<Relevance>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifFix<'a> {
    description: Text,
    artifact_changes: [ArtifactChange<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange<'a> {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    text: &'a str,
}

fn run<'a>(gate: &'a GateReport, name: &str) -> Run<'a> {
    let mut rules = Vec::new();
    let mut index = HashMap::new();
    for finding in gate.findings.iter().map(|judged| &judged.finding) {
        if let Some(id) = finding.rule.as_deref() {
            index.entry(id).or_insert_with(|| {
                rules.push(Rule { id, help_uri: finding.help.as_deref().filter(|uri| is_link(uri)) });
                rules.len() - 1
            });
        }
    }
    // Without a result that says why, a reader would take the run for clean.
    let unexplained = match gate.outcome {
        Outcome::Error => true,
        Outcome::Fail => gate.blocking().next().is_none(),
        Outcome::Pass | Outcome::Skipped => false,
    };
    let notification = Notification { level: "error", message: text(&gate.reason) };
    Run {
        tool: Tool { driver: Driver { name: "gatepost", version: env!("CARGO_PKG_VERSION"), rules } },
        // GitHub tells the runs of one file apart by this.
        automation_details: Id { id: format!("{name}/") },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: gate.outcome != Outcome::Error,
            exit_code: gate.exit.and_then(|exit| match exit {
                Exit::Code(code) => Some(code),
                Exit::Signal(_) => None,
            }),
            tool_execution_notifications: unexplained.then_some(notification).into_iter().collect(),
        }],
        results: gate.findings.iter().map(|judged| result(judged, &index)).collect(),
        properties: RunProperties {
            gate: gate.name.as_str(),
            outcome: gate.outcome,
            reason: clean(&gate.reason),
            enforced: !gate.not_enforced(),
        },
    }
}

fn result<'a>(judged: &'a Judged, rules: &HashMap<&str, usize>) -> SarifResult<'a> {
    let finding = &judged.finding;
    let mut message = text(&finding.message);
    let physical_location = if let Some(artifact_location) = artifact(judged) {
        let region = finding.line.map(|line| Region {
            start_line: line,
            start_column: finding.column,
            end_line: finding.end_line,
            end_column: finding.end_column,
        });
        PhysicalLocation { artifact_location, region }
    } else {
        message.text += " (this was reported without a place)";
        let region = Some(Region { start_line: 1, start_column: None, end_line: None, end_column: None });
        PhysicalLocation { artifact_location: in_repository(NO_PLACE), region }
    };
    let fix = finding.fix.as_ref().and_then(|fix| fixed(fix, artifact(judged)?));
    SarifResult {
        rule_id: finding.rule.as_deref(),
        rule_index: finding.rule.as_deref().and_then(|id| rules.get(id).copied()),
        level: match finding.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        },
        message,
        locations: [Location { physical_location }],
        // The second is the name by which code scanning follows an alert over line shifts.
        partial_fingerprints: ["gatepost/v1", "primaryLocationLineHash"]
            .into_iter()
            // What was only parsed has none.
            .filter(|_| !judged.fingerprint.is_empty())
            .map(|name| (name, judged.fingerprint.as_str()))
            .collect(),
        baseline_state: judged.status.map(|status| match status {
            Status::New => "new",
            Status::Existing => "unchanged",
        }),
        fixes: fix.into_iter().collect(),
        properties: ResultProperties { blocking: judged.blocking, relevance: judged.relevance },
    }
}

fn in_repository(path: &str) -> ArtifactLocation {
    ArtifactLocation { uri: encode(path), uri_base_id: Some("%SRCROOT%") }
}

fn artifact(judged: &Judged) -> Option<ArtifactLocation> {
    if let Some(path) = &judged.path {
        return Some(in_repository(path.as_str()));
    }
    let path = judged.finding.path.as_deref()?.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    let root = if drive {
        "file:///"
    } else if path.starts_with('/') {
        "file://"
    } else {
        ""
    };
    Some(ArtifactLocation { uri: format!("{root}{}", encode(&path)), uri_base_id: None })
}

fn fixed(fix: &Fix, artifact_location: ArtifactLocation) -> Option<SarifFix<'_>> {
    let replacements: Vec<_> = fix.edits.iter().map(replacement).collect();
    (!replacements.is_empty()).then(|| SarifFix {
        description: text(&fix.description),
        artifact_changes: [ArtifactChange { artifact_location, replacements }],
    })
}

fn replacement(edit: &Edit) -> Replacement<'_> {
    Replacement {
        deleted_region: Region {
            start_line: edit.start_line,
            start_column: Some(edit.start_column),
            end_line: Some(edit.end_line),
            end_column: Some(edit.end_column),
        },
        inserted_content: Content { text: &edit.text },
    }
}

/// Untrusted text as a plain message; `[words](target)` would be shown as a link.
fn text(text: &str) -> Text {
    let text = clean(text).replace("](", "] (");
    Text { text: if text.is_empty() { "(no message)".to_owned() } else { text } }
}

fn is_link(uri: &str) -> bool {
    (uri.starts_with("https://") || uri.starts_with("http://")) && uri.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Percent-encodes a path, so that whatever a file is called cannot be read as another URI.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
