//! YAML as a tree that knows its lines: what workflows and .reviewdog.yml are read from. It knows neither of them.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep lists and mappings may lie in one another.
const DEEPEST: usize = 64;
/// How many nodes a tree may have, those that aliases repeat included: a small file can name very many.
const MOST_NODES: usize = 100_000;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it begins, from 1.
    pub line: usize,
    /// What it is.
    pub value: Value,
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
    #[error("it is nested deeper than {DEEPEST} or has more than {MOST_NODES} nodes")]
    TooLarge,
    /// It has no document, or several.
    #[error("expected one YAML document, there are {0}")]
    Documents(usize),
}

/// Reads the one document of a text.
///
/// # Errors
/// When it is no YAML, has a key twice, or is too large.
pub fn read(text: &str) -> Result<Node, YamlError> {
    let mut building = Building::default();
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError::Syntax {
            line: error.marker().line(),
            what: error.info().to_owned(),
        })?;
        building.take(event, span.start.line())?;
    }
    match building.documents.pop() {
        Some(document) if building.documents.is_empty() => Ok(document),
        Some(_) => Err(YamlError::Documents(building.documents.len() + 1)),
        None => Err(YamlError::Documents(0)),
    }
}

/// A list or mapping that has not ended, and its anchor.
struct Open {
    line: usize,
    anchor: usize,
    mapping: bool,
    /// Of a mapping: keys and values in turn.
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Building {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Building {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Text(text.into_owned()) };
                self.add(Node { line, value }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.begin(Open { line, anchor, mapping: false, nodes: Vec::new() }),
            Event::MappingStart(anchor, _) => self.begin(Open { line, anchor, mapping: true, nodes: Vec::new() }),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
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
        if self.open.len() > DEEPEST { Err(YamlError::TooLarge) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(Open { line, anchor, mapping, nodes }) = self.open.pop() else { return Ok(()) };
        let value = if mapping { Value::Map(pairs(nodes)?) } else { Value::List(nodes) };
        self.add(Node { line, value }, anchor, 1)
    }

    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), YamlError> {
        self.nodes += size;
        if self.nodes > MOST_NODES {
            return Err(YamlError::TooLarge);
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

fn pairs(nodes: Vec<Node>) -> Result<Vec<(String, Node)>, YamlError> {
    let mut seen = BTreeSet::new();
    let mut pairs: Vec<(String, Node)> = Vec::with_capacity(nodes.len() / 2);
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
        let line = key.line;
        let key = match key.value {
            Value::Text(text) => text,
            Value::Null => String::new(),
            Value::List(_) | Value::Map(_) => return Err(YamlError::Key { line }),
        };
        if !seen.insert(key.clone()) {
            return Err(YamlError::Twice { line, key });
        }
        pairs.push((key, value));
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
        let tree = read("# words\non:\n  push: {branches: [main, 'null']}\n  pull_request:\nname: |\n  two\n  lines\n").unwrap();
        let keys: Vec<&str> = tree.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["on", "name"]);
        let on = tree.get("on").unwrap();
        assert_eq!(on.line, 3);
        assert_eq!(on.get("push").unwrap().get("branches").unwrap().texts(), ["main", "null"]);
        assert_eq!(on.get("pull_request").unwrap().value, Value::Null);
        assert_eq!(tree.get("name").unwrap().text(), Some("two\nlines\n"));
        assert_eq!(tree.get("name").unwrap().texts(), ["two\nlines\n"]);
        assert_eq!(tree.get("absent"), None);
    }

    #[test]
    fn aliases_are_followed_and_counted() {
        let tree = read("a: &a [x, y]\nb: *a\n").unwrap();
        assert_eq!(tree.get("b").unwrap().texts(), ["x", "y"]);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..9 {
            let last = format!("*a{}", at - 1);
            bomb += &format!("a{at}: &a{at} [{}]\n", vec![last; 10].join(", "));
        }
        assert_eq!(read(&bomb), Err(YamlError::TooLarge));
        assert_eq!(read(&"[".repeat(70)), Err(YamlError::TooLarge));
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
