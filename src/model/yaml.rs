//! YAML as a tree that knows its places: what workflows, .reviewdog.yml and lockfiles are read from. It knows none of
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// How deep lists and mappings may lie in one another.
const DEEPEST: usize = 64;
/// How many nodes a document that people write may have, those that aliases repeat included: a small file can name very many.
const MOST_NODES: usize = 100_000;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins, from 1; what has a key begins with that.
    pub line: usize,
    /// What it is.
    pub value: Value,
    /// Where and how it was written.
    pub written: Written,
}

/// Where and how a node was written. Characters are counted from 0, a byte order mark is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Its key; empty where it has none.
    pub key: Range<usize>,
    /// From its first to its last character; a list or mapping ends with its last entry.
    pub span: Range<usize>,
    /// How.
    pub style: Style,
}

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Without quotes; so is what is no text.
    #[default]
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A block after `|` or `>`; its span begins behind its indentation.
    Block,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, a truth value: as it is written.
    Text(String),
    /// Nothing, `~` or `null`.
    Null,
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in file order.
    Map(Vec<(String, Node)>),
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is no YAML.
    #[error("line {line}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// The parser's words.
        what: String,
    },
    /// A key stands twice in one mapping.
    #[error("line {line}: the key {key:?} stands twice")]
    Twice {
        /// From 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A key is a list or a mapping.
    #[error("line {line}: a key must be a text")]
    Key {
        /// From 1.
        line: usize,
    },
    /// More than the caps allow.
    #[error("it is nested deeper than {DEEPEST} or has more than {most} nodes")]
    TooLarge {
        /// How many nodes are read.
        most: usize,
    },
    /// It has no document, or several.
    #[error("expected one YAML document, there are {0}")]
    Documents(usize),
}

/// Reads the one document of a text.
///
/// # Errors
/// When it is no YAML, has a key twice, or is too large.
pub fn read(text: &str) -> Result<Node, YamlError> {
    one(all(text, &Building::new(MOST_NODES))?)
}

/// Reads all documents of a text, of at most `most` nodes together.
///
/// # Errors
/// When it is no YAML, has a key twice, or is too large.
pub fn documents(text: &str, most: usize) -> Result<Vec<Node>, YamlError> {
    all(text, &Building::new(most))
}

/// Reads a text that is known to be JSON, where a key may stand twice, as `"//"` does in a package.json: the last one counts.
///
/// # Errors
/// When it is too large.
pub fn read_json(text: &str) -> Result<Node, YamlError> {
    one(all(text, &Building { last_counts: true, ..Building::new(MOST_NODES) })?)
}

fn one(mut documents: Vec<Node>) -> Result<Node, YamlError> {
    match documents.pop() {
        Some(document) if documents.is_empty() => Ok(document),
        Some(_) => Err(YamlError::Documents(documents.len() + 1)),
        None => Err(YamlError::Documents(0)),
    }
}

/// The most lines that are shifted to the right.
const MOST_SHIFTS: usize = 60;
/// How far.
const SHIFT: usize = 40;

/// Reads the events of a text.
///
/// GitHub's reader takes brackets, and lines of quoted text, that stand further to the left than the specification has them
/// (<https://yaml.org/spec/1.2.2/#rule-s-flow-line-prefix>): such lines are shifted to the right, and the text is read again.
fn all(text: &str, empty: &Building) -> Result<Vec<Node>, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut shifted = BTreeSet::new();
    loop {
        let lines = text.split_inclusive('\n').enumerate();
        let indent = |at: usize| if shifted.contains(&(at + 1)) { " ".repeat(SHIFT) } else { String::new() };
        let moved: String = lines.map(|(at, line)| indent(at) + line).collect();
        let mut building = empty.clone();
        let mut parser = Parser::new_from_str(if shifted.is_empty() { text } else { &moved });
        let error = loop {
            match parser.next_event() {
                Some(Ok((event, span))) => {
                    // Back to the text as it was: less what was put before lines up to there.
                    let at = |mark: &Marker| {
                        let before = shifted.range(..mark.line()).count() * SHIFT;
                        let own = if shifted.contains(&mark.line()) { mark.col().min(SHIFT) } else { 0 };
                        mark.index().saturating_sub(before + own)
                    };
                    building.take(event, span.start.line(), at(&span.start)..at(&span.end))?;
                }
                Some(Err(error)) => break error,
                None => return Ok(building.documents),
            }
        };
        // Of quoted text the error names the first line; the one to blame is a later one.
        let first = error.marker().line() + usize::from(error.info().contains("quoted"));
        let line = (first..first + MOST_SHIFTS).find(|line| !shifted.contains(line));
        match line.filter(|_| error.info().contains("invalid indentation") && shifted.len() < MOST_SHIFTS) {
            Some(line) => shifted.insert(line),
            None => {
                return Err(YamlError::Syntax { line: error.marker().line(), what: error.info().to_owned() });
            }
        };
    }
}
/// A list or mapping that has not ended, and its anchor.
#[derive(Clone)]
struct Open {
    line: usize,
    start: usize,
    anchor: usize,
    mapping: bool,
    /// Of a mapping: keys and values in turn.
    nodes: Vec<Node>,
}

#[derive(Clone, Default)]
struct Building {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    documents: Vec<Node>,
    nodes: usize,
    most: usize,
    /// A key may stand twice.
    last_counts: bool,
}

impl Building {
    fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    fn too_large(&self) -> YamlError {
        YamlError::TooLarge { most: self.most }
    }

    fn take(&mut self, event: Event<'_>, line: usize, span: Range<usize>) -> Result<(), YamlError> {
        let start = span.start;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Text(text.into_owned()) };
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.add(Node { line, value, written: Written { key: 0..0, span, style } }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(Open { line, start, anchor, mapping: false, nodes: Vec::new() })
            }
            Event::MappingStart(anchor, _) => {
                self.begin(Open { line, start, anchor, mapping: true, nodes: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span),
            Event::Alias(anchor) => {
                // An anchor inside of itself has not ended, and is not known yet.
                let what = "the alias names no anchor that has ended".to_owned();
                let node = self.anchors.get(&anchor).cloned().ok_or(YamlError::Syntax { line, what })?;
                let size = node.size();
                self.add(node, 0, size)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), YamlError> {
        self.open.push(open);
        if self.open.len() > DEEPEST { Err(self.too_large()) } else { Ok(()) }
    }

    fn end(&mut self, sign: &Range<usize>) -> Result<(), YamlError> {
        let Some(Open { line, start, anchor, mapping, nodes }) = self.open.pop() else { return Ok(()) };
        // Without a bracket the parser ends a block where the next thing begins: too late.
        let last = nodes.last().filter(|_| sign.is_empty());
        let end = last.map_or(sign.end, |last| last.written.span.end).max(start);
        let value = if mapping { Value::Map(pairs(nodes, self.last_counts)?) } else { Value::List(nodes) };
        self.add(Node { line, value, written: Written { span: start..end, ..Written::default() } }, anchor, 1)
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        self.nodes += size;
        if self.nodes > self.most {
            return Err(self.too_large());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn pairs(nodes: Vec<Node>, last_counts: bool) -> Result<Vec<(String, Node)>, YamlError> {
    let mut seen = BTreeSet::new();
    let mut pairs: Vec<(String, Node)> = Vec::with_capacity(nodes.len() / 2);
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        let line = key.line;
        let name = match key.value {
            Value::Text(text) => text,
            Value::Null => String::new(),
            Value::List(_) | Value::Map(_) => return Err(YamlError::Key { line }),
        };
        if !seen.insert(name.clone()) {
            if !last_counts {
                return Err(YamlError::Twice { line, key: name });
            }
            pairs.retain(|(other, _)| *other != name);
        }
        let written = Written { key: key.written.span, ..value.written };
        pairs.push((name, Node { line, value: value.value, written }));
    }
    Ok(pairs)
}

impl Node {
    /// How many nodes it is.
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Text(_) | Value::Null => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(pairs) => pairs.iter().map(|(_, node)| node.size()).sum(),
        }
    }

    /// What a mapping has under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// From the first character of its key to its last.
    #[must_use]
    pub fn entry_span(&self) -> Range<usize> {
        let Written { key, span, .. } = &self.written;
        if key.is_empty() { span.clone() } else { key.start..span.end.max(key.end) }
    }

    /// The text of a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The entries of a mapping; of anything else none.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        if let Value::Map(pairs) = &self.value { pairs } else { &[] }
    }

    /// The items of a list; of anything else none.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The texts of a list, or the one text: where GitHub and others take either.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::Text(text) => vec![text],
            _ => self.items().iter().filter_map(Self::text).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_knows_its_lines_and_its_order() {
        let tree = read("# words\non:\n  push: {branches: [main, 'null']}\n  pull_request:\nname: |\n  two\n  lines\n")
            .unwrap();
        let keys: Vec<&str> = tree.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["on", "name"]);
        let on = tree.get("on").unwrap();
        assert_eq!(on.line, 2);
        assert_eq!(on.get("push").unwrap().get("branches").unwrap().texts(), ["main", "null"]);
        assert_eq!(on.get("pull_request").unwrap().value, Value::Null);
        assert_eq!(tree.get("name").unwrap().text(), Some("two\nlines\n"));
        assert_eq!(tree.get("name").unwrap().texts(), ["two\nlines\n"]);
        assert_eq!(tree.get("absent"), None);
    }

    #[test]
    fn a_tree_knows_its_characters() {
        let text = "é: [a, \"b\"]\nrun: |\n\n    two\n    lines\n\nlast: {x: 1}\n";
        let tree = read(text).unwrap();
        let slice = |span: Range<usize>| text.chars().skip(span.start).take(span.len()).collect::<String>();
        let of = |key: &str| tree.get(key).unwrap();
        assert_eq!(slice(of("é").entry_span()), "é: [a, \"b\"]");
        assert_eq!(slice(of("é").items()[1].written.span.clone()), "\"b\"");
        assert_eq!(of("é").items()[1].written.style, Style::Double);
        assert_eq!(slice(of("run").written.key.clone()), "run");
        assert_eq!(slice(of("last").written.span.clone()), "{x: 1}");
        let left = "a: [\n]\nb: \"x\ny\"\nc: {\n}\n";
        let tree = read(left).unwrap();
        let slice = |key: &str| left[tree.get(key).unwrap().entry_span()].to_owned();
        assert_eq!([slice("a"), slice("b"), slice("c")], ["a: [\n]", "b: \"x\ny\"", "c: {\n}"]);
        let twice = "{\"//\": \"a\", \"//\": \"b\"}";
        assert_eq!(read_json(twice).unwrap().get("//").unwrap().text(), Some("b"));
        assert!(matches!(read(twice), Err(YamlError::Twice { .. })));
    }

    #[test]
    fn aliases_are_followed_and_counted() {
        let tree = read("a: &a [x, y]\nb: *a\n").unwrap();
        assert_eq!(tree.get("b").unwrap().texts(), ["x", "y"]);
        let line = |at: usize| {
            let last = if at == 0 { "x".to_owned() } else { format!("*a{}", at - 1) };
            format!("a{at}: &a{at} [{}]\n", vec![last; 10].join(", "))
        };
        let bomb: Vec<String> = (0..9).map(line).collect();
        let bomb = bomb.concat();
        assert_eq!(read(&bomb), Err(YamlError::TooLarge { most: MOST_NODES }));
        assert_eq!(read(&"[".repeat(70)), Err(YamlError::TooLarge { most: MOST_NODES }));
        assert!(matches!(read("a: &a [*a]\n"), Err(YamlError::Syntax { line: 1, .. })));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        assert!(matches!(read("a: [1\nb: 2\n"), Err(YamlError::Syntax { .. })));
        assert_eq!(read("a: 1\nb: 2\na: 3\n"), Err(YamlError::Twice { line: 3, key: "a".to_owned() }));
        assert_eq!(read("? [a]\n: b\n"), Err(YamlError::Key { line: 1 }));
        assert_eq!(read(""), Err(YamlError::Documents(0)));
        assert_eq!(read("a\n---\nb\n"), Err(YamlError::Documents(2)));
    }
}
