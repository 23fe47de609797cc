//! JSON as a tree that knows its lines, with the comments and trailing commas that bun writes. It knows no lockfile.

use std::collections::HashSet;

use super::LockError;
use super::lines::number;
use crate::model::yaml::{Node, Value, Written};

/// How deep lists and objects may lie in one another.
const DEEPEST: usize = 200;

/// Reads the one value of a text. Numbers and truth values become text as they are written.
///
/// # Errors
/// When it ends early, is no JSON, or has a key twice.
pub(super) fn read(text: &str, expected: &'static str) -> Result<Node, LockError> {
    let mut reader = Reader { rest: text, line: 1, depth: 0, expected };
    let node = reader.value()?;
    match reader.peek()? {
        None => Ok(node),
        Some(_) => Err(reader.malformed("something follows the end")),
    }
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    depth: usize,
    expected: &'static str,
}

impl<'t> Reader<'t> {
    fn malformed(&self, what: impl Into<String>) -> LockError {
        LockError::Malformed { expected: self.expected, line: number(self.line), what: what.into() }
    }

    fn cut(&self) -> LockError {
        LockError::Truncated { what: format!("the JSON is open at its end, line {}", self.line) }
    }

    fn skip(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    /// The next character that means something.
    fn peek(&mut self) -> Result<Option<char>, LockError> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.skip(blank);
            if self.rest.starts_with("//") {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| self.cut())?;
                self.skip(end + 2);
            } else {
                return Ok(self.rest.chars().next());
            }
        }
    }

    fn value(&mut self) -> Result<Node, LockError> {
        let first = self.peek()?.ok_or_else(|| self.cut())?;
        let line = self.line;
        let value = match first {
            '{' => self.nested(Self::object)?,
            '[' => self.nested(Self::list)?,
            '"' => Value::Text(self.string()?),
            _ => match self.word() {
                "null" => Value::Null,
                word if matches!(word, "true" | "false") || word.parse::<f64>().is_ok() => Value::Text(word.to_owned()),
                "" => return Err(self.malformed(format!("{first:?} stands where a value was expected"))),
                _ if self.rest.is_empty() => return Err(self.cut()),
                word => return Err(self.malformed(format!("{word:?} is no value"))),
            },
        };
        Ok(Node { line, value, written: Written::default() })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, LockError>) -> Result<Value, LockError> {
        self.skip(1);
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.malformed(format!("it is nested deeper than {DEEPEST}")));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, LockError> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut seen = HashSet::new();
        while self.more('}')? {
            let line = self.line;
            if !self.rest.starts_with('"') {
                return Err(self.malformed("a key in quotes was expected"));
            }
            let key = self.string()?;
            match self.peek()? {
                Some(':') => self.skip(1),
                Some(_) => return Err(self.malformed(format!("no colon follows the key {key:?}"))),
                None => return Err(self.cut()),
            }
            let value = self.value()?.value;
            if !seen.insert(key.clone()) {
                return Err(self.malformed(format!("the key {key:?} stands twice")));
            }
            // The line of an entry is that of its key.
            entries.push((key, Node { line, value, written: Written::default() }));
            self.comma('}')?;
        }
        Ok(Value::Map(entries))
    }

    fn list(&mut self) -> Result<Value, LockError> {
        let mut items = Vec::new();
        while self.more(']')? {
            items.push(self.value()?);
            self.comma(']')?;
        }
        Ok(Value::List(items))
    }

    /// Whether another item follows; the closing sign is taken.
    fn more(&mut self, close: char) -> Result<bool, LockError> {
        let closes = self.peek()?.ok_or_else(|| self.cut())? == close;
        if closes {
            self.skip(1);
        }
        Ok(!closes)
    }

    fn comma(&mut self, close: char) -> Result<(), LockError> {
        match self.peek()? {
            Some(',') => self.skip(1),
            Some(sign) if sign == close => {}
            Some(sign) => return Err(self.malformed(format!("{sign:?} stands where a comma was expected"))),
            None => return Err(self.cut()),
        }
        Ok(())
    }

    fn word(&mut self) -> &'t str {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = &self.rest[word.len()..];
        word
    }

    /// A text in quotes; `serde_json` knows its escapes.
    fn string(&mut self) -> Result<String, LockError> {
        let mut end = 1;
        loop {
            let Some(at) = self.rest[end..].find(['"', '\\']) else { return Err(self.cut()) };
            end += at;
            if self.rest.as_bytes()[end] == b'"' {
                break;
            }
            // Past the escaped character, which is ASCII where the escape is good.
            end += 2;
            if !self.rest.is_char_boundary(end) {
                return Err(if end > self.rest.len() { self.cut() } else { self.malformed("an escape is broken") });
            }
        }
        let text = serde_json::from_str(&self.rest[..=end]).map_err(|error| self.malformed(error.to_string()))?;
        self.skip(end + 1);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_the_line_of_their_key() {
        let text =
            "// words\n{\n  \"a\": [1, true, null, \"x\\u00e9\\\"\"], /* more\n */ \"b\": {\n\"c\":\n-1.5e3,},\n}\n";
        let tree = read(text, "lockfile").unwrap();
        assert_eq!(tree.get("a").unwrap().line, 3);
        assert_eq!(tree.get("a").unwrap().texts(), ["1", "true", "x\u{e9}\""]);
        assert_eq!(tree.get("b").unwrap().line, 4);
        let c = tree.get("b").and_then(|b| b.get("c")).unwrap();
        assert_eq!((c.line, c.text()), (5, Some("-1.5e3")));
    }

    #[test]
    fn every_cut_is_seen() {
        let text = r#"{"a": ["b\"", 12, {"c": null}], "d": true}"#;
        read(text, "lockfile").unwrap();
        for end in 0..text.len() {
            assert!(read(&text[..end], "lockfile").is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["{} {}", "{\"a\": 1, \"a\": 2}", "{a: 1}", "[1 2]", "[nul]", "{\"a\" 1}", "[\"\\é\"]", "[\"\\x\"]"]
        {
            assert!(matches!(read(text, "lockfile"), Err(LockError::Malformed { .. })), "{text}");
        }
        assert!(matches!(read(&"[".repeat(300), "lockfile"), Err(LockError::Malformed { .. })));
    }
}
