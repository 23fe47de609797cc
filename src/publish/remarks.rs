//! What a gate has to say at a line of a file: findings and failed tests, most important first, in the words and
//! limits that check runs and workflow commands share.

use crate::model::finding::Level;
use crate::model::path::RepoPath;
use crate::model::report::{GateReport, Judged, Relevance, Status};
use crate::model::suggestion::Offer;
use crate::model::tests::Case;
use crate::model::text::clean;
use crate::publish::words::{excused, line};
use crate::render::figures::count;

/// The most characters of a message: at four bytes each they stay below the API's 64 KB.
const MESSAGE: usize = 15_900;

/// The most characters of a title (the API's limit).
const TITLE: usize = 255;

/// Orders remarks: what counts, then what is on changed lines, then by level. Lower is more important.
pub(super) type Rank = (bool, u8, u8);

/// One thing to say. Its text is made when it is asked for: most remarks of a large report are never shown.
#[derive(Debug, Clone)]
pub(super) struct Remark<'a> {
    pub rank: Rank,
    pub level: Level,
    /// Where it stands in the head commit; `None` where it has no place there.
    pub spot: Option<Spot>,
    about: About<'a>,
    enforced: bool,
    /// A test that fails in the base too.
    still_fails: bool,
}

#[derive(Debug, Clone, Copy)]
enum About<'a> {
    Finding(&'a Judged),
    Case(&'a Case),
}

/// Lines, and columns within one line, of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub path: RepoPath,
    pub start: u32,
    pub end: u32,
    /// First and last column, both inclusive; only on a single line.
    pub columns: Option<(u32, u32)>,
    /// No line was named: an annotation needs one, and stands at the first.
    pub whole_file: bool,
}

/// All remarks of a gate, most important first: every finding, and every failed test that names its line.
pub(super) fn of(gate: &GateReport) -> Vec<Remark<'_>> {
    let cases = gate.tests.iter().flat_map(|tests| &tests.cases);
    let abouts = cases.filter(|case| case.outcome.is_broken()).map(About::Case);
    let abouts = abouts.chain(gate.findings.iter().map(About::Finding));
    let mut remarks: Vec<Remark<'_>> = abouts.filter_map(|about| Remark::new(gate, about)).collect();
    // A stable sort: within a rank the tool's order stays.
    remarks.sort_by_key(|remark| remark.rank);
    remarks
}

impl<'a> Remark<'a> {
    fn new(gate: &GateReport, about: About<'a>) -> Option<Self> {
        let (rank, level, spot) = match about {
            About::Finding(judged) => (rank(judged), judged.level(), spot(judged)),
            About::Case(case) => ((gate.excuses(case), 0, 0), Level::Error, Some(case_spot(case)?)),
        };
        let enforced = !gate.not_enforced();
        let still_fails = match about {
            About::Case(case) => gate.compared.as_ref().is_some_and(|compared| compared.still_fails(case)),
            About::Finding(_) => false,
        };
        // What is not enforced is never more than a note.
        Some(Self { rank, level: if enforced { level } else { Level::Note }, spot, about, enforced, still_fails })
    }

    /// The finding it was made from; `None` for a failed test.
    pub fn judged(&self) -> Option<&'a Judged> {
        match self.about {
            About::Finding(judged) => Some(judged),
            About::Case(_) => None,
        }
    }

    /// Whether it helps someone who looks at this change: it counts, or lies in a changed file and is not known from
    /// before. The others would drown it; they are counted and listed.
    pub fn concerns_change(&self) -> bool {
        // A test that is excused comes after everything that counts.
        self.judged().map_or(!self.rank.0, |judged| {
            let here = matches!(judged.relevance, None | Some(Relevance::ChangedLine | Relevance::ChangedFile));
            judged.blocking || (here && judged.status != Some(Status::Existing))
        })
    }

    /// The rule or the test's name, with why it does not block; at most 255 characters.
    pub fn title(&self) -> String {
        let (name, excuse) = match self.about {
            About::Finding(judged) => (judged.finding.rule.as_deref().unwrap_or_default(), excused(judged)),
            About::Case(case) => (case.name.as_str(), self.still_fails.then_some("still failing")),
        };
        let name = if name.trim().is_empty() { self.level.word() } else { name };
        let excuse = if self.enforced { excuse } else { Some("not enforced") };
        let label = excuse.map_or_else(String::new, |why| format!(" ({why})"));
        line(name, TITLE - label.len()) + &label
    }

    /// What the tool said: cleaned, never empty, and cut at a character, with what was cut counted.
    pub fn message(&self) -> String {
        let text = match self.about {
            About::Finding(judged) => &judged.finding.message,
            About::Case(case) => case.message.as_deref().unwrap_or("failed"),
        };
        let whole = clean(text);
        let whole = whole.trim();
        let unfit = match self.judged().and_then(|judged| judged.offer.as_ref()) {
            Some(Offer::Unfit(why)) => format!("\n(its fix is not offered as a suggestion: {why})"),
            _ => String::new(),
        };
        let shown = match whole.chars().count() {
            0 => "(no message)".to_owned(),
            length if length > MESSAGE => {
                let shown: String = whole.chars().take(MESSAGE).collect();
                format!("{shown}\n… ({})", count(length - MESSAGE, "more character"))
            }
            _ => whole.to_owned(),
        };
        let whole_file = self.spot.as_ref().is_some_and(|spot| spot.whole_file);
        shown + if whole_file { "\n(about the whole file: no line was named)" } else { "" } + &unfit
    }
}

const fn rank(judged: &Judged) -> Rank {
    let relevance = match judged.relevance {
        None | Some(Relevance::ChangedLine) => 0,
        Some(Relevance::ChangedFile) => 1,
        Some(Relevance::Unplaced) => 2,
        Some(Relevance::Outside) => 3,
    };
    let level = match judged.level() {
        Level::Error => 0,
        Level::Warning => 1,
        Level::Note => 2,
    };
    (!judged.blocking, relevance, level)
}

fn spot(judged: &Judged) -> Option<Spot> {
    let path = judged.path.clone()?;
    let finding = &judged.finding;
    let Some(line) = finding.line else {
        return Some(Spot { path, start: 1, end: 1, columns: None, whole_file: true });
    };
    let start = judged.head_line?;
    let last = finding.end_line.unwrap_or(line).max(line);
    // Only the first line is known to stand in the head commit; where it has moved, the rest may not have.
    let end = if start == line { last } else { start };
    let columns = match (finding.column, finding.end_column) {
        (Some(first), after) if last == line => Some((first, after.map_or(first, |after| first.max(after - 1)))),
        _ => None,
    };
    Some(Spot { path, start, end, columns, whole_file: false })
}

fn case_spot(case: &Case) -> Option<Spot> {
    let (path, line) = (RepoPath::parse(case.file.as_deref()?).ok()?, case.head_line?);
    Some(Spot { path, start: line, end: line, columns: None, whole_file: false })
}
