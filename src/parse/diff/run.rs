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

    /// `\ No newline at end of file`, after an added line or else a removed one.
    pub fn no_line_end(&mut self, after_added: bool) {
        if after_added {
            self.text.pop();
        } else {
            self.open_end = Some(self.last_removed);
        }
    }

    fn show(&mut self, sign: char, text: &str) {
        if self.shown.len() < SHOWN {
            self.shown.push(format!("{sign}{}", shorten(text.trim_end_matches('\r'), WIDEST)));
        }
    }

    /// The finding. `more` says that an old line follows the run; `path` is that of the old file, and a fix is made
    /// unless the run is not whole.
    pub fn finding(self, path: &str, more: bool, whole: bool) -> Finding {
        let end = self.line.saturating_add(self.removed);
        let (line, end_line) = if self.removed > 0 {
            (self.line, end - 1)
        } else {
            // Both neighbours are concerned by what is put between them.
            let above = self.line.saturating_sub(1).max(1);
            (above, if more { self.line } else { above })
        };
        let (end_line_of_edit, end_column) = match self.open_end {
            Some(length) => (end.saturating_sub(1).max(1), length + 1),
            None => (end, 1),
        };
        let edit =
            Edit { start_line: self.line, start_column: 1, end_line: end_line_of_edit, end_column, text: self.text };
        let what = match (self.removed, self.added) {
            (_, 0) => "remove this",
            (0, _) => "add this",
            _ => "change this",
        };
        let mut message = format!("the tool would {what}:");
        for line in &self.shown {
            message.push('\n');
            message.push_str(line);
        }
        let unseen = (self.removed as usize + self.added as usize).saturating_sub(self.shown.len());
        if unseen > 0 {
            message = format!("{message}\n… and {unseen} more");
        }
        let fix = whole.then(|| Fix { description: format!("{what} as the tool would"), edits: vec![edit] });
        Finding {
            level: Level::Warning,
            message,
            path: Some(path.to_owned()),
            line: Some(line),
            end_line: Some(end_line),
            fix,
            ..Finding::default()
        }
    }
}
