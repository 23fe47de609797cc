//! What several formats need to put a tool's words into findings: ranges that make sense, identical findings said
//! once, notes on what was not understood. It knows no format.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Component, Path, PathBuf};

use crate::model::finding::{Edit, Finding, Fix, Folder};
use crate::model::text;

/// A place as a tool gave it, `None` where it gave nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub end_line: Option<u32>,
    /// Exclusive.
    pub end_column: Option<u32>,
}

impl Range {
    /// Puts the place into `finding`, without zeros, columns that have no line and ends before the start.
    pub fn apply(self, finding: &mut Finding) {
        let good = |number: Option<u32>| number.filter(|&number| number > 0);
        finding.line = good(self.line);
        finding.column = finding.line.and(good(self.column));
        finding.end_column = finding.column.and(good(self.end_column));
        finding.end_line = finding.line.and(good(self.end_line).or(finding.end_column.and(finding.line)));
        end_inside(finding);
    }
}

/// Puts right a range that ends before its start, or just before the first column of a line: it ends with the
/// line before, and a change on the line after is no concern of it.
fn end_inside(finding: &mut Finding) {
    let start = (finding.line, finding.column);
    if finding.end_line.is_some() && (finding.end_line, finding.end_column.or(Some(u32::MAX))) < start {
        (finding.end_line, finding.end_column) = (None, None);
    }
    if let (Some(line), Some(end_line), Some(1)) = (finding.line, finding.end_line, finding.end_column)
        && end_line > line
    {
        (finding.end_line, finding.end_column) = (Some(end_line - 1), None);
    }
}

/// A fix of edits that lie apart, each once and in order; `None` where there is none or two overlap.
pub(super) fn fix(description: String, mut edits: Vec<Edit>) -> Option<Fix> {
    edits.sort_by_key(|edit| (edit.start_line, edit.start_column, edit.end_line, edit.end_column));
    edits.dedup();
    let apart = edits.is_sorted_by(|a, b| (a.end_line, a.end_column) <= (b.start_line, b.start_column));
    (apart && !edits.is_empty()).then_some(Fix { description, edits })
}

/// What is shown of a message at the further places of its problem, in characters.
const LONGEST_AGAIN: usize = 2_000;

/// The same problem at another of its places, which the caller puts in: without the fix, which is made once, and without
/// the rest of a message so long that it cannot be said at every one of many places.
pub(super) fn at_another_place(finding: &Finding) -> Finding {
    let (rule, help) = (finding.rule.clone(), finding.help.clone());
    Finding {
        rule,
        help,
        level: finding.level,
        message: text::shorten(&finding.message, LONGEST_AGAIN),
        ..Finding::default()
    }
}

/// Tells whether a finding was seen before, in every word: several targets or compilation units repeat them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    state: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Whether `finding` is new. Two different ones are taken for the same with a chance of one in 2^64.
    pub fn is_new(&mut self, finding: &Finding) -> bool {
        let place = (finding.line, finding.column, finding.end_line, finding.end_column);
        let (folder, package) = match finding.folders.first() {
            Some(Folder::At(folder)) => (&**folder, None),
            Some(package @ Folder::Package { .. }) => ("", Some(package)),
            None => ("", None),
        };
        // From two folders, `../a.h` may be one file.
        let path = finding.path.as_deref().map(|path| without_dots(&Path::new(folder).join(path)));
        let words = (&finding.rule, path, package, &finding.message, finding.level);
        self.hashes.insert(self.state.hash_one((place, words)))
    }
}

/// The path with `.` and inner `..` resolved by its words alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            _ => clean.push(part),
        }
    }
    clean
}

/// The first characters of `input`, cleaned and quoted.
pub(super) fn beginning(input: &str) -> String {
    format!("{:?}", text::one_line(input, 60))
}

/// "1 line", "2 lines".
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// The note for lines that a text format did not understand; `None` where there are none.
pub(super) fn not_understood(unknown: usize, lines: usize) -> Option<String> {
    match unknown {
        0 => None,
        _ if unknown == lines => {
            Some(format!("nothing of the output was understood ({})", count(lines, "line", "lines")))
        }
        1 => Some("1 line of the output was not understood".to_owned()),
        _ => Some(format!("{unknown} lines of the output were not understood")),
    }
}

/// Splits `…SEPARATOR123` before the separator; looks only at the end.
pub(super) fn ends_with_number(text: &str, separator: char) -> Option<(&str, u32)> {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text[head.len()..].parse().ok()?;
    Some((head.strip_suffix(separator)?, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_no_zeros_and_does_not_end_before_its_start() {
        let place = |line, column, end_line, end_column| {
            let mut finding = Finding::default();
            Range { line, column, end_line, end_column }.apply(&mut finding);
            (finding.line, finding.column, finding.end_line, finding.end_column)
        };
        let some = Some::<u32>;
        assert_eq!(place(some(5), some(2), some(6), some(3)), (some(5), some(2), some(6), some(3)));
        assert_eq!(place(some(5), some(2), None, some(3)), (some(5), some(2), some(5), some(3)));
        assert_eq!(place(some(0), some(2), some(6), some(3)), (None, None, None, None));
        assert_eq!(place(some(5), some(0), some(6), some(0)), (some(5), None, some(6), None));
        assert_eq!(place(some(5), some(2), some(0), some(0)), (some(5), some(2), None, None));
        assert_eq!(place(some(5), None, some(3), None), (some(5), None, None, None), "it ends before its start");
        assert_eq!(place(some(5), some(4), some(5), some(3)), (some(5), some(4), None, None));
        assert_eq!(place(some(5), some(4), some(5), some(4)), (some(5), some(4), some(5), some(4)));
        assert_eq!(
            place(some(5), some(4), some(6), some(1)),
            (some(5), some(4), some(5), None),
            "with the line before"
        );
    }
}
