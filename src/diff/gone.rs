//! Words that a change took away from a file: what a linter says of one elsewhere in the file (`os` is not defined, `a` is
//! never used) may be due to that.

use std::collections::{BTreeMap, BTreeSet};

use super::Hunk;
use crate::model::text::identifiers;

/// Longer lines are none that people write.
const LONGEST: usize = 4096;

/// How often each word stood in the lines that are gone, less how often it stands in new ones.
#[derive(Debug, Default)]
pub struct Gone(BTreeMap<String, i64>);

impl Gone {
    /// Takes a line that is gone.
    pub fn take(&mut self, line: &[u8]) {
        self.count(line, 1);
    }

    /// Takes a line that is new.
    pub fn give(&mut self, line: &[u8]) {
        self.count(line, -1);
    }

    fn count(&mut self, line: &[u8], by: i64) {
        if line.len() <= LONGEST {
            for word in identifiers(&String::from_utf8_lossy(line)) {
                *self.0.entry(word.to_owned()).or_default() += by;
            }
        }
    }

    /// The words of which there are fewer than before.
    #[must_use]
    pub fn words(self) -> BTreeSet<String> {
        self.0.into_iter().filter(|(_, times)| *times > 0).map(|(word, _)| word).collect()
    }

    /// The same of two texts and where they differ.
    #[must_use]
    pub fn between(old: &[u8], new: &[u8], hunks: &[Hunk]) -> BTreeSet<String> {
        let mut gone = Self::default();
        let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (lines(old), lines(new));
        for hunk in hunks {
            for line in part(&old, hunk.old_start, hunk.old_lines) {
                gone.take(line);
            }
            for line in part(&new, hunk.new_start, hunk.new_lines) {
                gone.give(line);
            }
        }
        gone.words()
    }
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b'\n').collect()
}

fn part<'a, 'b>(lines: &'a [&'b [u8]], start: u32, number: u32) -> &'a [&'b [u8]] {
    let (start, number) = (start.saturating_sub(1) as usize, number as usize);
    lines.get(start..(start + number).min(lines.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_became_fewer_are_gone() {
        let hunk = |old_start, old_lines, new_start, new_lines| Hunk { old_start, old_lines, new_start, new_lines };
        let gone = |old: &str, new: &str, hunks: &[Hunk]| {
            Gone::between(old.as_bytes(), new.as_bytes(), hunks).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(gone("import os\nos.a()\n", "os.a()\n", &[hunk(1, 1, 0, 0)]), "import os");
        assert_eq!(gone("x = os.b(a, a)\n", "x = os.c(a)\n", &[hunk(1, 1, 1, 1)]), "a b");
        assert_eq!(gone("a\nb", "b\na", &[hunk(1, 1, 0, 0), hunk(2, 0, 2, 1)]), "", "it moved");
        assert_eq!(gone(&"a ".repeat(4000), "", &[hunk(1, 1, 0, 0)]), "");
    }
}
