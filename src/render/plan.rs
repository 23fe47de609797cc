//! The plan of a run: what is configured, what would run and why. Text for people, `gatepost.plan/v1` for programs.

use std::fmt::Write as _;

use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::event::Occasion;
use crate::model::gate::{Flaky, Mode, Only, Rules};
use crate::model::outcome::Outcome;
use crate::model::settings::{CommandLine, Common};
use crate::model::text::{one_line, shorten};
use crate::render::figures::count;
use crate::render::terminal::{Dress, shell_line};

/// The schema's name, the first key of the JSON.
pub const SCHEMA: &str = "gatepost.plan/v1";

/// What is planned.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// Where the settings come from.
    pub source: Source<'a>,
    /// What woke the run.
    pub occasion: &'a Occasion,
    /// What is judged, in words: `12 files changed since 1a2b3c4`, `everything: no base`.
    pub scope: &'a str,
    /// In configuration order.
    pub gates: &'a [Planned<'a>],
    /// Worth saying beside the plan.
    pub notes: &'a [String],
}

/// Where the settings come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A configuration file, as a person would name it.
    File(&'a str),
    /// Detection; `toml` is the same as a gatepost.toml, shown after the gates where it is given.
    Detected {
        /// The text.
        toml: Option<&'a str>,
    },
}

/// One gate of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// What every gate has.
    pub common: &'a Common,
    /// How it is judged, with `only` as it is on this occasion.
    pub rules: &'a Rules,
    /// Whether it would run.
    pub runs: bool,
    /// Why it would run or be skipped.
    pub why: &'a str,
    /// What it was detected from.
    pub found: Option<&'a str>,
}

/// The plan for people.
#[must_use]
pub fn text(view: &PlanView<'_>, dress: Dress) -> String {
    let mut out = String::new();
    let source = match view.source {
        Source::File(file) => format!("from {}", one_line(file, 200)),
        Source::Detected { .. } => "detected, as there is no gatepost.toml".to_owned(),
    };
    let event = match &view.occasion.branch {
        Some(branch) => format!("{} ({})", one_line(&view.occasion.event, 80), one_line(branch, 80)),
        None => one_line(&view.occasion.event, 80),
    };
    let number = view.gates.len();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{number} gate{}, {source}", if number == 1 { "" } else { "s" });
    let _ = writeln!(out, "event {event}; {}\n", one_line(view.scope, 300));
    let width = view.gates.iter().map(|gate| gate.common.name.as_str().len()).max().unwrap_or_default();
    for gate in view.gates {
        let (word, outcome) = if gate.runs { ("runs", Outcome::Pass) } else { ("skipped", Outcome::Skipped) };
        let name = dress.paint(Style::new().bold(), &format!("{:width$}", gate.common.name.as_str()));
        let _ = writeln!(out, "{name}  {}: {}", dress.paint(dress.outcome(outcome), word), one_line(gate.why, 300));
        for line in details(gate) {
            let _ = writeln!(out, "{:width$}  {}", "", one_line(&line, 600));
        }
        out.push('\n');
    }
    for note in view.notes {
        let _ = writeln!(out, "note: {}", one_line(note, 600));
    }
    if let Source::Detected { toml: Some(toml) } = view.source {
        // Each gate leaves a blank line behind itself.
        out.push_str(if view.notes.is_empty() { "" } else { "\n" });
        let _ = write!(out, "The same as this gatepost.toml:\n\n{}", crate::model::text::clean(toml));
    }
    out
}

/// What there is to say about a gate; what is at its default is left out.
fn details(gate: &Planned<'_>) -> Vec<String> {
    let common = gate.common;
    let mut lines = Vec::new();
    match &common.command {
        Some(command) => lines.push(format!("$ {}", command_line(command))),
        None if common.reports.is_empty() => {}
        None => lines.push("judges reports made earlier in the job".to_owned()),
    }
    let listed = |name: &str, words: &[String]| (!words.is_empty()).then(|| format!("{name} {}", words.join(", ")));
    lines.extend((!common.dir.is_empty()).then(|| format!("in {}", common.dir)));
    let is_read = common.format.is_some() || common.command.is_none();
    lines.push(format!("{}; {}", reads(common), judged(gate.rules, is_read)));
    let needs: Vec<String> = common.needs.iter().map(ToString::to_string).collect();
    lines.extend(listed("needs", &needs));
    lines.extend(listed("when", &common.when));
    lines.extend(listed("paths", &common.paths));
    lines.push(timing(common));
    lines.extend(common.label.clone());
    lines.extend(gate.found.map(|found| format!("from {found}")));
    lines
}

fn reads(common: &Common) -> String {
    let format = match common.format.as_deref() {
        None if common.command.is_none() => return format!("kind {}, looks for itself", common.kind),
        None => return format!("kind {}, judged by the exit status", common.kind),
        Some("auto") => "a format recognised by content",
        Some(format) => format,
    };
    let from = if common.reports.is_empty() { String::new() } else { format!(" in {}", common.reports.join(", ")) };
    format!("kind {}, reads {format}{from}", common.kind)
}

fn judged(rules: &Rules, findings: bool) -> String {
    let mut parts = Vec::new();
    if findings {
        let place = match rules.only {
            Only::All => "everywhere",
            Only::New => "that the base does not have",
            Only::ChangedFiles => "in changed files",
            Only::ChangedLines => "on changed lines",
        };
        parts.push(format!("findings from {} {place} count", rules.fail_on.word()));
    }
    if rules.max_findings > 0 {
        parts.push(format!("{} tolerated", rules.max_findings));
    }
    if let Some(least) = rules.min_tests {
        parts.push(format!("at least {least} test{} must run", if least == 1 { "" } else { "s" }));
    }
    parts.push(if rules.mode == Mode::Report { "not enforced" } else { "blocks" }.to_owned());
    parts.join(", ")
}

fn timing(common: &Common) -> String {
    let mut line = format!("timeout {}, grace {}", time(common.timeout), time(common.grace));
    if common.retries > 0 {
        let flaky = if common.flaky == Flaky::Fail { "fails" } else { "is shown as flaky" };
        let number = count(usize::try_from(common.retries).unwrap_or(usize::MAX), "more attempt");
        let _ = write!(line, ", up to {number} (a pass that needs one {flaky}, and none follows a timeout)");
    }
    line
}

fn time(length: std::time::Duration) -> String {
    let ms = length.as_millis();
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// The command as it could be typed; of a script the first line.
fn command_line(command: &CommandLine) -> String {
    match command {
        CommandLine::Argv(_) => shell_line(command).into_owned(),
        CommandLine::Shell(script) => {
            let mut lines = script.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
            let first = lines.next().unwrap_or_default();
            let more = lines.count();
            if more == 0 { first.to_owned() } else { format!("{} … ({more} more lines)", shorten(first, 400)) }
        }
    }
}

/// The plan for programs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
pub struct PlanV1<'a> {
    /// `gatepost.plan/v1`.
    schema: &'a str,
    /// The configuration file; `null` where the gates were detected.
    file: Option<&'a str>,
    /// GitHub's event name, or `local`.
    event: &'a str,
    /// The branch of a push, or the base of a pull request.
    branch: Option<&'a str>,
    /// What is judged, in words.
    scope: &'a str,
    /// In configuration order.
    gates: Vec<GateV1<'a>>,
    /// Worth saying beside the plan.
    notes: &'a [String],
}

/// One gate of the plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlannedGate")]
struct GateV1<'a> {
    /// Its name.
    name: &'a str,
    /// Its kind.
    kind: &'a str,
    /// Whether it would run.
    runs: bool,
    /// Why it would run or be skipped.
    why: &'a str,
    /// What it was detected from; `null` where it was configured.
    found: Option<&'a str>,
    /// Said beside its outcome.
    label: Option<&'a str>,
    /// What is executed; empty for a gate with only `reports`.
    command: Vec<String>,
    /// Where, relative to the root; empty: the root.
    dir: &'a str,
    /// The format read, `auto` (by content) or `null`: the exit status decides.
    format: Option<&'a str>,
    /// Patterns of report files.
    reports: &'a [String],
    /// Patterns of changed files that make it run; empty: all.
    paths: &'a [String],
    /// Events on which it runs; empty: all.
    when: &'a [String],
    /// Gates that must pass first; one with `mode = "report"` must only have ended.
    needs: Vec<&'a str>,
    /// Which findings count: `all`, `new`, `changed-files` or `changed-lines`.
    only: &'a str,
    /// The least level that blocks: `note`, `warning` or `error`.
    fail_on: &'a str,
    /// How many findings that count are tolerated.
    max_findings: usize,
    /// How many tests must run; `null` where none are promised.
    min_tests: Option<usize>,
    /// `block` or `report`.
    mode: Mode,
    /// Further attempts.
    retries: u32,
    /// What a pass that needed a retry is worth: `warn` or `fail`.
    flaky: Flaky,
    /// Longest time of an attempt, in milliseconds.
    timeout_ms: u64,
    /// From TERM to KILL, in milliseconds.
    grace_ms: u64,
}

/// The JSON, with a line end.
///
/// # Errors
/// Never in practice: every key is a string and every number finite.
pub fn json(view: &PlanView<'_>) -> Result<String, serde_json::Error> {
    let plan = PlanV1 {
        schema: SCHEMA,
        file: if let Source::File(file) = view.source { Some(file) } else { None },
        event: &view.occasion.event,
        branch: view.occasion.branch.as_deref(),
        scope: view.scope,
        gates: view.gates.iter().map(GateV1::from).collect(),
        notes: view.notes,
    };
    serde_json::to_string(&plan).map(|text| text + "\n")
}

impl<'a> From<&Planned<'a>> for GateV1<'a> {
    fn from(gate: &Planned<'a>) -> Self {
        let (common, rules) = (gate.common, gate.rules);
        let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            name: common.name.as_str(),
            kind: &common.kind,
            runs: gate.runs,
            why: gate.why,
            found: gate.found,
            label: common.label.as_deref(),
            command: common.command.as_ref().map(CommandLine::argv).unwrap_or_default(),
            dir: &common.dir,
            format: common.format.as_deref(),
            reports: &common.reports,
            paths: &common.paths,
            when: &common.when,
            needs: common.needs.iter().map(crate::model::gate::GateName::as_str).collect(),
            only: rules.only.word(),
            fail_on: rules.fail_on.word(),
            max_findings: rules.max_findings,
            min_tests: rules.min_tests,
            mode: rules.mode,
            retries: common.retries,
            flaky: rules.flaky,
            timeout_ms: milliseconds(common.timeout),
            grace_ms: milliseconds(common.grace),
        }
    }
}

/// The JSON Schema of the plan.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(PlanV1<'static>)
}
