//! YAML as JSON values, by the program's own reader: what tests read of the action and of workflows.

use gatepost::model::yaml::{self, Node, Value as Yaml};
use serde_json::Value;

/// A text as a tree; every scalar is a string, as it is written.
#[track_caller]
pub fn json(text: &str) -> Value {
    value(&yaml::read(text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}

fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Text(text) => Value::from(text.as_str()),
        Yaml::Null => Value::Null,
        Yaml::List(items) => items.iter().map(value).collect(),
        Yaml::Map(entries) => entries.iter().map(|(key, node)| (key.clone(), value(node))).collect(),
    }
}
