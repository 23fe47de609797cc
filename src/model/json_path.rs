//! A place in a JSON document: `$.build.commit`, `$.nodes[0].version`, `$['odd key']`. Names and numbers alone: no
//! wildcards, no filters.

use serde_json::Value;

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

impl JsonPath {
    /// Reads a place.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no place in a JSON document: write it as $.build.commit or $.nodes[0]");
        let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("['") {
                let (key, after) = after.split_once("']").ok_or_else(wrong)?;
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (number, after) = after.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::Item(number.parse().map_err(|_| wrong())?));
                rest = after;
            } else {
                let after = rest.strip_prefix('.').ok_or_else(wrong)?;
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 || after[..end].contains('*') {
                    return Err(wrong());
                }
                steps.push(Step::Key(after[..end].to_owned()));
                rest = &after[end..];
            }
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands there.
    #[must_use]
    pub fn of<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.steps.iter().try_fold(document, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Item(number) => value.get(number),
        })
    }

    /// What stands there, as text: a string as it is, a number or a truth as JSON writes it.
    #[must_use]
    pub fn text_of(&self, document: &Value) -> Option<String> {
        match self.of(document)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_found() {
        let document = json!({"a": {"b": [1, {"odd.key": "x"}]}, "up": true});
        let at = |path: &str| JsonPath::parse(path).unwrap().text_of(&document);
        assert_eq!(at("$.a.b[0]").as_deref(), Some("1"));
        assert_eq!(at("$.a.b[1]['odd.key']").as_deref(), Some("x"));
        assert_eq!(at("$.up").as_deref(), Some("true"));
        for nothing in ["$.a.c", "$.a.b[7]", "$", "$.a", "$.up.x"] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
        for bad in ["", "a", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$['a", "$.*"] {
            assert!(JsonPath::parse(bad).is_err(), "{bad}");
        }
    }
}
