//! Where things stand in a text, and what must not stand in any lockfile. It knows no format.

use std::ops::Range;

use super::LockError;

/// The line of each offset of a text.
pub(super) struct LineIndex {
    /// The offset at which each line begins.
    starts: Vec<usize>,
}

impl LineIndex {
    pub fn new(text: &str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after).collect() }
    }

    /// The line, from 1, on which a span begins.
    pub fn line(&self, span: &Range<usize>) -> u32 {
        number(self.starts.partition_point(|&start| start <= span.start))
    }
}

/// A line number; files are shorter than 2^32 lines.
pub(super) fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// Refuses a text that does not end with a line end, as the tools that write it leave it.
pub(super) fn ended(text: &str) -> Result<(), LockError> {
    if text.ends_with('\n') {
        return Ok(());
    }
    Err(LockError::Truncated { what: format!("line {} has no line end", text.lines().count()) })
}

/// The line of the first mark that git left at a conflict.
pub(super) fn conflict(text: &str) -> Option<u32> {
    let marks = ["<<<<<<< ", ">>>>>>> ", "||||||| "];
    let is_mark = |line: &str| marks.iter().any(|mark| line.starts_with(mark)) || line == "=======";
    text.lines().position(is_mark).map(|at| number(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_lines() {
        let index = LineIndex::new("a\nbc\n\nd");
        assert_eq!([0, 1, 2, 4, 5, 6].map(|at| index.line(&(at..at))), [1, 1, 2, 2, 3, 4]);
    }

    #[test]
    fn marks_of_a_conflict_are_seen() {
        assert_eq!(conflict("a\n<<<<<<< HEAD\nb\n"), Some(2));
        assert_eq!(conflict("a\r\n=======\r\n"), Some(2));
        assert_eq!(conflict("a <<<<<<< HEAD\n======== \n"), None);
    }
}
