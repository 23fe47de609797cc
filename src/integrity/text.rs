//! A file's text by characters, and pieces of it that keep where each of their characters came from. It parses nothing.

use std::ops::Range;

/// A file that is judged.
#[derive(Debug)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its characters.
    pub chars: Vec<char>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Source {
    /// Of a file's text; a byte order mark is no part of it.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let chars: Vec<char> = text.strip_prefix('\u{feff}').unwrap_or(text).chars().collect();
        let ends = chars.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { path: path.to_owned(), chars, lines }
    }

    /// Line and column of a character, from 1.
    #[must_use]
    pub fn place(&self, at: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (number(line), number(at - start + 1))
    }

    /// The characters of a line (from 1), without its end.
    #[must_use]
    pub fn line(&self, line: u32) -> Range<usize> {
        let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(&start) = self.lines.get(index) else { return self.chars.len()..self.chars.len() };
        let end = self.lines.get(index + 1).map_or(self.chars.len(), |next| next - 1);
        let end = if end > start && self.chars.get(end - 1) == Some(&'\r') { end - 1 } else { end };
        start..end
    }

    /// How many lines there are.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        number(self.lines.len())
    }

    /// The text of some characters.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> String {
        let end = range.end.min(self.chars.len());
        self.chars[range.start.min(end)..end].iter().collect()
    }

    /// A part of the file as it stands there.
    #[must_use]
    pub fn piece(&self, range: Range<usize>) -> Piece {
        let mut piece = Piece::default();
        for at in range.clone() {
            // On a machine whose git writes carriage returns they are no part of the script.
            if !(self.chars[at] == '\r' && self.chars.get(at + 1) == Some(&'\n')) {
                piece.push(self.chars[at], at);
            }
        }
        piece.end = range.end;
        piece
    }
}

/// Why a file, or a script in it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The character where it shows, where that is known.
    pub at: Option<usize>,
    /// What is wrong.
    pub what: String,
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Text made from a file, such as the value of a quoted scalar: each character knows the one it came from.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// The characters.
    pub chars: Vec<char>,
    /// Where each of them stands in the file.
    at: Vec<usize>,
    /// Where the last one ends.
    pub end: usize,
}

impl Piece {
    /// Adds a character that came from `at`.
    pub fn push(&mut self, c: char, at: usize) {
        self.chars.push(c);
        self.at.push(at);
        self.end = at + 1;
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// Where a character of it stands in the file.
    #[must_use]
    pub fn origin(&self, at: usize) -> usize {
        self.at.get(at).copied().unwrap_or(self.end)
    }

    /// The characters of the file that a range of it came from.
    #[must_use]
    pub fn span(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.origin(range.start);
        let end = range.end.checked_sub(1).and_then(|last| self.at.get(last)).map_or(start, |last| last + 1);
        start..end.max(start)
    }

    /// A part of it.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let end = self.span(&range).end;
        Self { chars: self.chars[range.clone()].to_vec(), at: self.at[range].to_vec(), end }
    }

    /// The same with every `open … close` replaced by what `value` makes of its inside, as `${{ … }}` is.
    #[must_use]
    pub fn replace(&self, open: &str, close: &str, value: impl Fn(&str) -> String) -> Self {
        let (open, close): (Vec<char>, Vec<char>) = (open.chars().collect(), close.chars().collect());
        let find = |from: usize, what: &[char]| {
            (from..=self.chars.len().saturating_sub(what.len())).find(|&at| self.chars[at..].starts_with(what))
        };
        let mut out = Self::default();
        let mut from = 0;
        while let Some(start) = find(from, &open) {
            let Some(end) = find(start + open.len(), &close) else { break };
            self.copy(from..start, &mut out);
            let inside: String = self.chars[start + open.len()..end].iter().collect();
            for c in value(inside.trim()).chars() {
                out.push(c, self.origin(start));
            }
            from = end + close.len();
        }
        self.copy(from..self.chars.len(), &mut out);
        out.end = self.end;
        out
    }

    /// Adds a part of this to another.
    pub fn copy(&self, range: Range<usize>, into: &mut Self) {
        for at in range {
            into.push(self.chars[at], self.origin(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_know_their_place() {
        let source = Source::new("a", "é x\r\n\nlast");
        assert_eq!(source.place(0), (1, 1));
        assert_eq!(source.place(2), (1, 3));
        assert_eq!(source.place(5), (2, 1));
        assert_eq!(source.place(8), (3, 3));
        assert_eq!(source.slice(source.line(1)), "é x");
        assert_eq!(source.slice(source.line(2)), "");
        assert_eq!(source.line_count(), 3);
    }

    #[test]
    fn what_is_replaced_keeps_the_places_around_it() {
        let source = Source::new("a", "run ${{ env.X }} now");
        let piece = source.piece(0..source.chars.len()).replace("${{", "}}", |inside| {
            assert_eq!(inside, "env.X");
            "?".to_owned()
        });
        assert_eq!(piece.text(), "run ? now");
        assert_eq!(piece.span(&(6..9)), 17..20);
        assert_eq!(piece.origin(4), 4);
    }
}
