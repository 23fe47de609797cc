//! What a gate has to say at a line of a file: findings and failed tests, most important first, in the words and
//! limits that check runs and workflow commands share.

use crate::model::finding::Level;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Status};
use crate::model::tests::{Case, CaseOutcome};
use crate::model::text::{clean, one_line};
use crate::publish::words::excused;
use crate::render::figures::count;

/// The most characters of a message: at four bytes each they stay below the API's 64 KB.
const MESSAGE: usize = 16_000;

/// The most characters of a title (the API's limit).
const TITLE: usize = 255;

/// Orders remarks: what counts, then what is on changed lines, then by level. Lower is more important.
pub(super) type Rank = (bool, u8, u8);

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub rank: Rank,
    pub level: Level,
    /// Where it stands in the head commit; `None` where it has no place there.
    pub spot: Option<Spot>,
    pub title: String,
    pub message: String,
    /// What it was made from: its index among the gate's findings; `None` for a test case.
    pub finding: Option<usize>,
}

/// Lines, and columns within one line, of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub path: RepoPath,
    pub start: u32,
    pub end: u32,
    /// First and last column, both inclusive; only on a single line.
    pub columns: Option<(u32, u32)>,
}

/// All remarks of a gate, most important first: every finding, and every failed test that names its line.
pub(super) fn of(gate: &GateReport) -> Vec<Remark> {
    let cases = gate.tests.iter().flat_map(|tests| &tests.cases);
    let mut remarks: Vec<Remark> = cases.filter_map(|case| of_case(gate, case)).collect();
    remarks.extend(gate.findings.iter().enumerate().map(|(at, judged)| of_finding(gate, at, judged)));
    // A stable sort: within a rank the tool's order stays.
    remarks.sort_by_key(|remark| remark.rank);
    remarks
}

/// Whether a remark helps someone who looks at this change: it counts, or lies in a changed file and is not known from
/// before. The others would drown it; they are counted and listed.
pub(super) fn concerns_change(gate: &GateReport, remark: &Remark) -> bool {
    remark.finding.and_then(|at| gate.findings.get(at)).is_none_or(|judged| {
        let here = matches!(judged.relevance, None | Some(Relevance::ChangedLine | Relevance::ChangedFile));
        judged.blocking || (here && judged.status != Some(Status::Existing))
    })
}

fn of_finding(gate: &GateReport, at: usize, judged: &Judged) -> Remark {
    let relevance = match judged.relevance {
        None | Some(Relevance::ChangedLine) => 0,
        Some(Relevance::ChangedFile) => 1,
        Some(Relevance::Unplaced) => 2,
        Some(Relevance::Outside) => 3,
    };
    let finding = &judged.finding;
    let rule = finding.rule.as_deref().filter(|rule| !rule.trim().is_empty()).unwrap_or(finding.level.word());
    let label = match (gate.not_enforced(), excused(judged)) {
        (true, _) => " (not enforced)".to_owned(),
        (false, Some(why)) => format!(" ({why})"),
        (false, None) => String::new(),
    };
    Remark {
        rank: (!judged.blocking, relevance, 2 - level_number(finding.level)),
        level: level(gate, finding.level),
        spot: spot(judged),
        title: one_line(&format!("{}{label}", one_line(rule, TITLE - label.len())), TITLE),
        message: message(&finding.message),
        finding: Some(at),
    }
}

/// What is not enforced is never more than a note.
fn level(gate: &GateReport, level: Level) -> Level {
    if gate.not_enforced() { Level::Note } else { level }
}

const fn level_number(level: Level) -> u8 {
    match level {
        Level::Note => 0,
        Level::Warning => 1,
        Level::Error => 2,
    }
}

fn spot(judged: &Judged) -> Option<Spot> {
    let (path, start) = (judged.path.clone()?, judged.head_line?);
    let finding = &judged.finding;
    let line = finding.line?;
    let last = finding.end_line.unwrap_or(line).max(line);
    // Only the first line is known to stand in the head commit; where it has moved, the rest may not have.
    let end = if start == line { last } else { start };
    let columns = match (finding.column, finding.end_column) {
        (Some(first), after) if last == line => Some((first, after.map_or(first, |after| first.max(after - 1)))),
        _ => None,
    };
    Some(Spot { path, start, end, columns })
}

fn of_case(gate: &GateReport, case: &Case) -> Option<Remark> {
    let broken = matches!(case.outcome, CaseOutcome::Failed | CaseOutcome::Errored);
    let (path, line) = (RepoPath::parse(case.file.as_deref()?).ok()?, case.line.filter(|line| *line > 0)?);
    let label = if gate.not_enforced() { " (not enforced)" } else { "" };
    broken.then(|| Remark {
        rank: (false, 0, 0),
        level: level(gate, Level::Error),
        spot: Some(Spot { path, start: line, end: line, columns: None }),
        title: format!("{}{label}", one_line(&case.name, TITLE - label.len())),
        message: message(case.message.as_deref().unwrap_or("failed")),
        finding: None,
    })
}

/// Cleaned, never empty, and cut at a character, with what was cut counted.
fn message(text: &str) -> String {
    let whole = clean(text);
    let whole = whole.trim();
    let length = whole.chars().count();
    match length {
        0 => "(no message)".to_owned(),
        _ if length > MESSAGE => {
            let shown: String = whole.chars().take(MESSAGE - 100).collect();
            format!("{shown}\n… ({})", count(length - MESSAGE + 100, "more character"))
        }
        _ => whole.to_owned(),
    }
}
