//! Places findings in the repository: each path becomes a file that exists, where there is one, columns become
//! Unicode scalar values, and the text of a finding's line is read for the fingerprint and the excerpt.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::gate::ground::{Ground, Places};
use crate::model::evidence::{Located, Parsed, Place, Understood};
use crate::model::finding::{ColumnUnit, Finding, Folders};
use crate::model::path::RepoPath;
use crate::world::files;

/// A line longer than this many characters has no excerpt; its text still identifies the finding.
const LONGEST_LINE: usize = 2_000;
/// A source file larger than this many bytes is not read for excerpts.
const LARGEST_SOURCE: u64 = 16 << 20;

/// Places everything that was parsed.
#[must_use]
pub fn locate(parsed: Parsed, ground: &Ground<'_>) -> Understood {
    let Parsed { findings, mut tests, columns, not_understood, unexplained_exit, notes: _, breakdowns: _, nothing: _ } =
        parsed;
    for case in tests.iter_mut().flat_map(|tests| &mut tests.cases) {
        if let Some(Place::File(path)) = case.file.as_deref().map(|file| ground.place(file)) {
            case.file = Some(path.to_string());
            // A line of a file that is not known is no place for an annotation.
            case.head_line = case.line;
        }
    }
    let mut placed: Vec<Located> = Vec::with_capacity(findings.len());
    let mut known: HashMap<(String, Folders), Places> = HashMap::new();
    for finding in findings {
        let Places { place, or_at, anywhere } = match &finding.path {
            None => Place::Unplaced.into(),
            Some(raw) => {
                let spelt = (raw.clone(), Arc::clone(&finding.folders));
                known.entry(spelt).or_insert_with(|| ground.places(raw, &finding.folders)).clone()
            }
        };
        placed.push(Located { finding, place, or_at, anywhere, exact: true, at_end: false, line_text: None });
    }
    read_lines(&mut placed, ground, columns);
    Understood { findings: placed, tests, not_understood, unexplained_exit, audit: None, migrations: None }
}

/// Reads each file once, whatever the order of the findings, and holds one at a time.
fn read_lines(placed: &mut [Located], ground: &Ground<'_>, columns: ColumnUnit) {
    let mut order: Vec<usize> = (0..placed.len())
        .filter(|&i| matches!(placed[i].place, Place::File(_)) && placed[i].finding.line.is_some())
        .collect();
    let path_of = |located: &Located| match &located.place {
        Place::File(path) => Some(path.clone()),
        _ => None,
    };
    order.sort_by(|&a, &b| path_of(&placed[a]).cmp(&path_of(&placed[b])));
    let mut open: Option<(RepoPath, Source)> = None;
    for at in order {
        let Some(path) = path_of(&placed[at]) else { continue };
        if open.as_ref().is_none_or(|(known, _)| *known != path) {
            let whole = ground.on_disk(&path);
            let text = files::read_capped(&whole, LARGEST_SOURCE);
            let mut source = Source::new(text.as_deref().unwrap_or_default());
            source.is_known = text.is_some();
            // Tools put the cells of a notebook together in ways of their own.
            let is_new = ground.was_written_to(&whole);
            if is_new || Path::new(path.as_str()).extension().is_some_and(|kind| kind == "ipynb") {
                source.exact = 0;
            }
            open = Some((path, source));
        }
        if let Some((_, source)) = &open {
            let located = &mut placed[at];
            to_scalars(&mut located.finding, source, columns);
            let is_behind = located.finding.line.is_some_and(|line| source.is_behind(line));
            // A tool that speaks of a line which is not there speaks of another file, or of what was made of this one.
            located.anywhere |= is_behind;
            located.exact = !is_behind && located.finding.line.is_none_or(|line| source.is_exact(line));
            located.at_end = !is_behind && located.finding.line.is_some_and(|line| source.is_end(line));
            located.line_text = located.finding.line.and_then(|line| source.line(line)).map(|line| {
                if line.chars().nth(LONGEST_LINE).is_some() {
                    line.chars().take(LONGEST_LINE).collect()
                } else {
                    line.to_owned()
                }
            });
        }
    }
}

/// A file's text with the starts of its lines.
struct Source {
    text: String,
    starts: Vec<usize>,
    /// Up to here, in bytes, every tool counts lines as git does.
    exact: usize,
    /// Whether the file was read.
    is_known: bool,
    /// Of the line that was asked for last: how many units stand before each scalar value, and before its end.
    passed: RefCell<Option<(u32, ColumnUnit, Vec<u32>)>>,
}

/// Lines end at these for the tools of some languages, and not for git; so does a carriage return that stands alone.
const OTHER_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

impl Source {
    fn new(bytes: &[u8]) -> Self {
        // Tools do not count the byte order mark as a column.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes).into_owned();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let lone = text
            .match_indices('\r')
            .map(|(at, _)| at)
            .find(|at| text[at + 1..].chars().next().is_some_and(|c| c != '\n'));
        let exact = lone.into_iter().chain(text.find(OTHER_ENDS)).min().unwrap_or(text.len());
        Self { text, starts, exact, is_known: true, passed: RefCell::default() }
    }

    /// Whether a tool's number of a line is git's.
    fn is_exact(&self, number: u32) -> bool {
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.starts.get(index).copied().unwrap_or(self.text.len()) <= self.exact
    }

    /// How many lines it has.
    fn lines(&self) -> usize {
        self.starts.len() - usize::from(self.text.ends_with('\n'))
    }

    /// Whether a line is the end of the file, which some tools call a line.
    fn is_end(&self, number: u32) -> bool {
        self.is_known && usize::try_from(number).is_ok_and(|number| number == self.lines() + 1)
    }

    /// Whether a line is behind the last one, and behind the end of the file that some tools call a line.
    fn is_behind(&self, number: u32) -> bool {
        self.is_known && usize::try_from(number).is_ok_and(|number| number > self.lines() + 1)
    }

    fn line(&self, number: u32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = &self.text[start..end];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// A column in the tool's unit as a column in scalar values.
    fn scalars(&self, line: u32, column: u32, unit: ColumnUnit) -> u32 {
        let Some(text) = self.line(line).filter(|text| !text.is_ascii()) else {
            return column;
        };
        let mut last = self.passed.borrow_mut();
        let known = last.take().filter(|(of, in_unit, _)| (*of, *in_unit) == (line, unit));
        let (.., passed) = last.insert(known.unwrap_or_else(|| (line, unit, passed(text, unit))));
        let target = column.saturating_sub(1);
        let scalars = passed.partition_point(|units| *units < target).min(passed.len() - 1);
        u32::try_from(scalars)
            .unwrap_or(u32::MAX)
            .saturating_add(target.saturating_sub(passed[scalars]))
            .saturating_add(1)
    }
}

/// How many units of a line stand before each of its scalar values, and before its end.
fn passed(line: &str, unit: ColumnUnit) -> Vec<u32> {
    let mut passed = 0;
    let units = line.chars().map(|c| {
        passed += match unit {
            ColumnUnit::Scalars => 1,
            ColumnUnit::Utf16 => u32::from(c.len_utf16() > 1) + 1,
            ColumnUnit::Bytes => u32::try_from(c.len_utf8()).unwrap_or(1),
        };
        passed
    });
    std::iter::once(0).chain(units).collect()
}

fn to_scalars(finding: &mut Finding, source: &Source, unit: ColumnUnit) {
    if unit == ColumnUnit::Scalars {
        return;
    }
    let line = finding.line.unwrap_or(1);
    let end_line = finding.end_line.unwrap_or(line);
    finding.column = finding.column.map(|column| source.scalars(line, column, unit));
    finding.end_column = finding.end_column.map(|column| source.scalars(end_line, column, unit));
    for edit in finding.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
        edit.start_column = source.scalars(edit.start_line, edit.start_column, unit);
        edit.end_column = source.scalars(edit.end_line, edit.end_column, unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_scalar_values() {
        let source = Source::new("let s = \"äé😀x\";\r\nplain\n".as_bytes());
        assert_eq!(source.line(1), Some("let s = \"äé😀x\";"));
        assert_eq!(source.line(3), Some(""));
        assert_eq!(source.line(4), None);
        // The x stands after 12 scalars, 13 UTF-16 units and 17 bytes.
        assert_eq!(source.scalars(1, 14, ColumnUnit::Utf16), 13);
        assert_eq!(source.scalars(1, 18, ColumnUnit::Bytes), 13);
        assert_eq!(source.scalars(1, 13, ColumnUnit::Scalars), 13);
        assert_eq!(source.scalars(2, 4, ColumnUnit::Bytes), 4);
        assert_eq!(source.scalars(1, 40, ColumnUnit::Utf16), 39, "past the end the distance is kept");
    }

    #[test]
    fn lines_behind_another_tools_line_end_have_no_certain_number() {
        for (text, exact) in [
            ("a\nb\r\nc\r\n", [true; 5]),
            ("a\nb\rB\nc\n", [true, true, false, false, false]),
            ("a\u{85}b\nc\n", [true, false, false, false, false]),
            ("a\u{2028}b\nc\n", [true, false, false, false, false]),
            ("a\nb\n//\u{2029}", [true, true, true, false, false]),
            ("a\nb\r", [true, true, true, true, true]),
            ("", [true; 5]),
        ] {
            let source = Source::new(text.as_bytes());
            assert_eq!([1, 2, 3, 4, 5].map(|line| source.is_exact(line)), exact, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_behind_the_end_where_no_tool_would_put_it() {
        let behind = |text: &str| [1, 2, 3, 4].map(|line| Source::new(text.as_bytes()).is_behind(line));
        assert_eq!(behind("a\nb\n"), [false, false, false, true]);
        assert_eq!(behind("a\nb"), [false, false, false, true]);
        assert_eq!(behind(""), [false, false, true, true]);
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let source = Source::new("\u{feff}int é;\r\nint b;\n".as_bytes());
        assert_eq!((source.line(1), source.line(2)), (Some("int é;"), Some("int b;")));
        assert_eq!(source.scalars(1, 5, ColumnUnit::Bytes), 5);
        assert_eq!(source.scalars(1, 7, ColumnUnit::Bytes), 6);
        assert_eq!(source.scalars(1, 6, ColumnUnit::Utf16), 6);
    }
}
