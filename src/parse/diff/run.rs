//! One run of removed and added lines, made into a finding with its fix.

use crate::model::finding::{Edit, Finding, Fix, Level};
use crate::model::text::shorten;

/// Lines of a run that are shown in the message.
const SHOWN: usize = 12;
/// Characters of a line that are shown in the message.
const WIDEST: usize = 200;

/// Removed and added lines that stand together.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// The old line at which it stands, from 1; for pure additions the line that they come before.
    line: u32,
    removed: u32,
    added: u32,
    text: String,
    /// Characters of the last removed line, when that has no line end.
    open_end: Option<u32>,
    last_removed: u32,
    /// Whether a line of it has more than white space.
    has_words: bool,
    shown: Vec<String>,
}

impl Run {
    pub fn at(line: u32) -> Self {
        Self { line, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.removed == 0 && self.added == 0
    }

    pub fn remove(&mut self, text: &str) {
        self.removed = self.removed.saturating_add(1);
        self.last_removed = u32::try_from(text.chars().count()).unwrap_or(u32::MAX - 1);
        self.show('-', text);
    }

    pub fn add(&mut self, text: &str) {
        self.added = self.added.saturating_add(1);
        self.text.push_str(text);
        self.text.push('\n');
        self.show('+', text);
    }

    /// Whether its last line is an added one: a removed one behind that begins the next run.
    pub fn adds(&self) -> bool {
        self.added > 0
    }

    /// `\ No newline at end of file`, after an added line or else a removed one.
    pub fn no_line_end(&mut self) {
        if self.adds() {
            self.text.pop();
        } else if self.removed > 0 {
            self.open_end = Some(self.last_removed);
        }
    }

    fn show(&mut self, sign: char, text: &str) {
        self.has_words |= !text.trim().is_empty();
        if self.shown.len() < SHOWN {
            self.shown.push(format!("{sign}{}", shorten(text.trim_end_matches('\r'), WIDEST)));
        }
    }

    fn only_adds(&self) -> bool {
        self.removed == 0
    }

    fn only_removes(&self) -> bool {
        self.added == 0
    }

    /// Whether what it adds or removes may be the other half of what another run does: blank lines go nowhere.
    fn is_half(&self) -> bool {
        (self.only_adds() || self.only_removes()) && self.has_words
    }

    /// First and last line that it concerns. `more` says that an old line follows.
    fn lines(&self, more: bool) -> (u32, u32) {
        if self.removed > 0 {
            return (self.line, self.line.saturating_add(self.removed - 1));
        }
        // Both neighbours are concerned by what is put between them.
        let above = self.line.saturating_sub(1).max(1);
        (above, if more { self.line } else { above })
    }

    fn edit(self) -> Edit {
        let end = self.line.saturating_add(self.removed);
        let (end_line, end_column) = match self.open_end {
            Some(length) => (end.saturating_sub(1).max(1), length + 1),
            None => (end, 1),
        };
        Edit { start_line: self.line, start_column: 1, end_line, end_column, text: self.text }
    }
}

/// The findings of a hunk's runs, each with whether an old line follows it: one of every run, but one of all that lie
/// between lines that are only removed here and only added there: they move, and half of that is no change to offer.
/// Without `whole` the last one has no fix.
pub(super) fn findings(path: &str, runs: Vec<(Run, bool)>, whole: bool) -> Vec<Finding> {
    let halves = || runs.iter().map(|(run, _)| run).filter(|run| run.is_half());
    let moves = halves().any(Run::only_adds) && halves().any(Run::only_removes);
    let one_sided = |(run, _): &(Run, bool)| moves && run.is_half();
    let first = runs.iter().position(one_sided).unwrap_or(runs.len());
    let last = runs.iter().rposition(one_sided).unwrap_or(0);
    let mut findings = Vec::new();
    let mut between = Vec::new();
    let length = runs.len();
    for (at, run) in runs.into_iter().enumerate() {
        let whole = whole || at + 1 < length;
        if (first..=last).contains(&at) {
            between.push(run);
            if at == last {
                findings.push(finding(path, std::mem::take(&mut between), whole));
            }
        } else {
            findings.push(finding(path, vec![run], whole));
        }
    }
    findings
}

fn finding(path: &str, runs: Vec<(Run, bool)>, whole: bool) -> Finding {
    let what = match &runs[..] {
        [(run, _)] if run.only_removes() => "remove this",
        [(run, _)] if run.only_adds() => "add this",
        _ => "change this",
    };
    let line = runs.first().map(|(run, more)| run.lines(*more).0);
    let end_line = runs.last().map(|(run, more)| run.lines(*more).1);
    let mut message = format!("the tool would {what}:");
    let shown = runs.iter().flat_map(|(run, _)| &run.shown).take(SHOWN);
    shown.for_each(|line| message.extend(["\n", line]));
    let all: usize = runs.iter().map(|(run, _)| run.removed as usize + run.added as usize).sum();
    if all > SHOWN {
        message = format!("{message}\n… and {} more", all - SHOWN);
    }
    let edits = runs.into_iter().map(|(run, _)| run.edit()).collect();
    let fix = whole.then(|| Fix { description: format!("{what} as the tool would"), edits });
    Finding { level: Level::Warning, message, path: Some(path.to_owned()), line, end_line, fix, ..Finding::default() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn blank_lines_do_not_move() {
        let text = "--- x\n+++ x\n@@ -1,6 +1,6 @@\n+\n a\n-b\n+c\n d\n e\n-\n f\n";
        let parsed = super::super::FORMAT.parse(text.as_bytes()).unwrap();
        let lines: Vec<_> = parsed.findings.iter().map(|finding| (finding.line, finding.end_line)).collect();
        assert_eq!(lines, [(Some(1), Some(1)), (Some(2), Some(2)), (Some(5), Some(5))]);
    }
}
