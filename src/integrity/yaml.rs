//! YAML (and with it JSON) as a tree that knows where everything stands. It knows nothing of workflows.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::text::{Piece, Source};

/// Deeper than any file that people write.
const DEEPEST: usize = 64;
/// The most nodes; aliases count again wherever they stand, so that a small file cannot unfold without end.
const MOST: usize = 200_000;

/// A value, and the characters that it was read from.
#[derive(Debug, Clone)]
pub struct Node {
    /// From its first to its last character; for a mapping or list up to its last entry.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// A word, number or text; all as text.
    Scalar {
        /// Its text after quotes and indentation are gone.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// Entries in order.
    Sequence(Vec<Node>),
    /// Keys and values in order.
    Mapping(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A block after `|` or `>`.
    Block,
}

/// Why a text is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The character where it shows.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of a key; of one that stands twice the last, as JSON has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        self.entries().iter().rev().find(|(name, _)| name.text() == Some(key)).map(|(name, value)| (name, value))
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; a scalar is a list of itself, as `needs` and `on` are written.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            Value::Scalar { .. } => std::slice::from_ref(self),
            Value::Mapping(_) => &[],
        }
    }

    /// The text of a scalar with the place of every character.
    #[must_use]
    pub fn piece(&self, source: &Source) -> Piece {
        let Value::Scalar { text, style } = &self.value else { return Piece::default() };
        align(text, *style, self.span.clone(), source)
    }
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

/// A list or mapping that is still open.
struct Frame {
    start: usize,
    anchor: usize,
    items: Vec<Node>,
    /// Items are keys and values by turns.
    mapping: bool,
}

struct Reader<'a> {
    source: &'a Source,
    /// Spaces put before a line, by its number.
    shifts: &'a HashMap<usize, usize>,
    nodes: usize,
    anchors: HashMap<usize, Node>,
    /// Innermost last.
    open: Vec<Frame>,
    root: Option<Node>,
}

/// The most lines that are shifted to the right.
const SHIFTS: usize = 60;

/// Reads the one document of a file; `None` where there is nothing but comments.
///
/// GitHub's reader takes brackets, and lines of quoted text, that stand further to the left than the specification has
/// them (<https://yaml.org/spec/1.2.2/#rule-s-flow-line-prefix>): such lines are shifted to the right and the file is read again.
///
/// # Errors
/// When it is no YAML, has several documents, or is larger or deeper than people write.
pub fn read(source: &Source) -> Result<Option<Node>, Wrong> {
    let mut shifts = HashMap::new();
    loop {
        let text = shifted(source, &shifts);
        let mut reader =
            Reader { source, shifts: &shifts, nodes: 0, anchors: HashMap::new(), open: Vec::new(), root: None };
        let (error, wrong) = match reader.document(&text) {
            Ok(()) => return Ok(reader.root),
            Err((error, wrong)) => (error, wrong),
        };
        let Some(error) = error.filter(|error| error.info().contains("invalid indentation") && shifts.len() < SHIFTS) else {
            return Err(wrong);
        };
        // Of quoted text the error names the first line; the one to blame is a later one.
        let first = error.marker().line() + usize::from(error.info().contains("quoted"));
        let Some(line) = (first..first + SHIFTS).find(|line| !shifts.contains_key(line)) else { return Err(wrong) };
        shifts.insert(line, 40);
    }
}

fn shifted(source: &Source, shifts: &HashMap<usize, usize>) -> String {
    let text = source.slice(0..source.chars.len());
    if shifts.is_empty() {
        return text;
    }
    let lines = text.split_inclusive('\n').enumerate();
    lines.map(|(at, line)| " ".repeat(shifts.get(&(at + 1)).copied().unwrap_or(0)) + line).collect()
}

fn size(node: &Node) -> usize {
    let inside = match &node.value {
        Value::Scalar { .. } => 0,
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    };
    inside + 1
}

impl Reader<'_> {
    fn document(&mut self, text: &str) -> Result<(), (Option<ScanError>, Wrong)> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let wrong = Wrong { at: self.at(error.marker()), what: error.info().to_owned() };
                (Some(error), wrong)
            })?;
            self.event(event, span).map_err(|wrong| (None, wrong))?;
        }
        Ok(())
    }

    /// A place in the file as it is, shifted lines or not.
    fn at(&self, mark: &Marker) -> usize {
        let line = self.source.line(u32::try_from(mark.line()).unwrap_or(u32::MAX));
        let shift = self.shifts.get(&mark.line()).copied().unwrap_or(0);
        line.start + mark.col().saturating_sub(shift)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let span = self.at(&span.start)..self.at(&span.end);
        let wrong = |what: &str| Wrong { at: span.start, what: what.to_owned() };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let value = Value::Scalar { text: text.into_owned(), style };
                self.place(Node { span, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(span.start, anchor, false),
            Event::MappingStart(anchor, _) => self.begin(span.start, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(span.end),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or_else(|| wrong("an alias without its anchor"))?;
                self.nodes += size(&node);
                // Its scripts stand where the anchor is.
                self.place(node, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => Err(wrong("a second document begins here")),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, start: usize, anchor: usize, mapping: bool) -> Result<(), Wrong> {
        if self.open.len() >= DEEPEST {
            return Err(Wrong { at: start, what: format!("nested deeper than {DEEPEST} levels") });
        }
        self.open.push(Frame { start, anchor, items: Vec::new(), mapping });
        Ok(())
    }

    fn end(&mut self, end: usize) -> Result<(), Wrong> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        // The end of a block is where the next thing begins: too late.
        let end = frame.items.last().map_or(end, |item| item.span.end).max(frame.start);
        let value = if frame.mapping { Value::Mapping(pairs(frame.items)) } else { Value::Sequence(frame.items) };
        self.place(Node { span: frame.start..end, value }, frame.anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        self.nodes += 1;
        if self.nodes > MOST {
            return Err(Wrong { at: node.span.start, what: format!("more than {MOST} values") });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(frame) => frame.items.push(node),
        }
        Ok(())
    }
}

fn pairs(items: Vec<Node>) -> Vec<(Node, Node)> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(yaml: &str) -> (String, Vec<String>) {
        let source = Source::new("a", yaml);
        let root = read(&source).unwrap().unwrap();
        let piece = root.get("run").unwrap().piece(&source);
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
            let (read, words) = piece(yaml);
            assert_eq!(read, text);
            for (word, found) in read.split_whitespace().zip(words) {
                assert!(found == word || yaml.contains(['\'', '\\']), "{word:?} is {found:?} in {yaml:?}");
            }
        }
    }

    fn wrong(yaml: &str) -> String {
        read(&Source::new("a", yaml)).unwrap_err().what
    }

    #[test]
    fn what_unfolds_without_end_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{before}]\n");
        }
        assert!(wrong(&text).contains("more than"));
        assert!(wrong(&"[".repeat(100)).contains("deeper"));
        assert!(wrong("a: 1\n---\nb: 2\n").contains("second document"));
        assert!(wrong("a: [1\n").contains("expected"));
        assert!(read(&Source::new("a", "# nothing\n")).unwrap().is_none());
    }
}
