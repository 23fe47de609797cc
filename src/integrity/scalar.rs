//! The text of a YAML or TOML string with the place of every character. It reads neither.

use std::ops::Range;

use super::text::{Piece, Source};
use crate::model::yaml::{Node, Style};

/// The text of a node with its places; of anything but a text nothing.
#[must_use]
pub fn piece(node: &Node, source: &Source) -> Piece {
    align(node.text().unwrap_or_default(), node.written.style, node.written.span.clone(), source)
}

/// Finds each character of a scalar's text in the file: both run side by side.
#[must_use]
pub fn align(text: &str, style: Style, span: Range<usize>, source: &Source) -> Piece {
    let mut piece = Piece::default();
    let last = span.end.min(source.chars.len());
    let mut at = span.start + usize::from(matches!(style, Style::Single | Style::Double));
    // A block begins at the first line that is not blank, behind its indentation.
    let indent = source.place(span.start).1.saturating_sub(1);
    for c in text.chars() {
        let here = |at: usize| source.chars.get(at).copied().filter(|_| at < last);
        match style {
            Style::Double if here(at) == Some('\\') => {
                piece.push(c, at);
                at += escape_length(here(at + 1));
                continue;
            }
            Style::Single if c == '\'' && here(at) == Some('\'') => {
                piece.push(c, at);
                at += 2;
                continue;
            }
            _ => {}
        }
        if here(at) == Some(c) {
            piece.push(c, at);
            at += 1;
        } else if c.is_whitespace() {
            // A folded line end, or one that is written with a carriage return.
            piece.push(c, at.min(last));
            while here(at).is_some_and(char::is_whitespace) {
                at += 1;
            }
            continue;
        } else {
            while here(at).is_some_and(|there| there != c) {
                at += 1;
            }
            piece.push(c, at.min(last));
            at += 1;
        }
        if c == '\n' {
            at = skip_indent(source, at, indent, last);
        }
    }
    piece.end = at.min(last);
    piece
}

fn skip_indent(source: &Source, mut at: usize, indent: u32, last: usize) -> usize {
    let mut left = indent;
    while left > 0 && at < last && source.chars.get(at) == Some(&' ') {
        at += 1;
        left -= 1;
    }
    at
}

fn escape_length(kind: Option<char>) -> usize {
    match kind {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::yaml;

    fn read_run(text: &str) -> (String, Vec<String>) {
        let source = Source::new("a", text);
        let root = yaml::read(text).unwrap();
        let piece = piece(root.get("run").unwrap(), &source);
        let ends: Vec<usize> = (0..=piece.chars.len()).map(|at| piece.origin(at)).collect();
        assert!(ends.is_sorted(), "{ends:?}");
        let words = piece.text();
        let found = words.split_whitespace().map(|word| {
            let start = words[..words.find(word).unwrap()].chars().count();
            source.slice(piece.span(&(start..start + word.chars().count())))
        });
        (words.clone(), found.collect())
    }

    #[test]
    fn every_character_is_found_in_the_file() {
        for (yaml, text) in [
            ("run: a && b # no\n", "a && b"),
            ("run: |\n  one\n    two\n\n  three\n", "one\n  two\n\nthree\n"),
            ("run: |-\n\n    one\n    two", "\none\ntwo"),
            ("run: >-\n  one\n  two\n\n  three\n", "one two\nthree"),
            ("run: one\n  two", "one two"),
            ("run: 'it''s one'", "it's one"),
            ("run: \"a\\tb\\\\ c\"", "a\tb\\ c"),
            ("{\n\t\"run\": \"one\\u0041 two\"\n}", "oneA two"),
            ("{\"x\":[],\"run\":\"a \\/ b\"}", "a / b"),
            ("x: [\n]\nrun: >\n  é one\n\n   two\n", "é one\n\n two\n"),
            ("run: |2\n    one\n  two\n", "  one\ntwo\n"),
        ] {
            let (read, words) = read_run(yaml);
            assert_eq!(read, text);
            for (word, found) in read.split_whitespace().zip(words) {
                assert!(found == word || yaml.contains(['\'', '\\']), "{word:?} is {found:?} in {yaml:?}");
            }
        }
    }
}
