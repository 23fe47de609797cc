//! The values that Flyway puts into its files, as far as files around them give them.

use std::collections::BTreeMap;

use super::Folder;
use crate::model::yaml::{self, Node, Value};

/// Files that give them: Flyway's own, and Spring's.
pub(super) const GIVING: &[&str] =
    &["flyway.conf", "flyway.toml", "application.properties", "application.yml", "application.yaml"];

pub(super) struct Placeholders {
    values: BTreeMap<String, String>,
    prefix: String,
    suffix: String,
    /// Nothing is put into anything.
    off: bool,
}

impl Placeholders {
    /// The nearest file that gives a value decides.
    pub(super) fn of(folder: &Folder) -> Self {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let giving = folder.near.iter().filter(|(path, _)| GIVING.contains(&name(path).as_str()));
        let mut given =
            Self { values: defaults(), prefix: "${".to_owned(), suffix: "}".to_owned(), off: is_refinery(folder) };
        for (path, text) in giving.rev() {
            let settings = match name(path).rsplit('.').next() {
                Some("toml") => of_toml(text),
                Some("yml" | "yaml") => of_yaml(text),
                _ => of_lines(text),
            };
            for (key, value) in settings {
                given.take(&key, value);
            }
        }
        given
    }

    fn take(&mut self, key: &str, value: String) {
        let Some((_, key)) = key.split_once("flyway.") else { return };
        if let Some((_, name)) = key.split_once("placeholders.") {
            // Spring puts values in as well, from where nobody knows but for the default.
            let known = match value.strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
                Some(inside) => inside.split_once(':').map(|(_, default)| default.to_owned()),
                None => Some(value),
            };
            if let Some(value) = known {
                self.values.insert(name.trim_matches(['"', '[', ']']).to_ascii_lowercase(), value);
            }
            return;
        }
        match key.replace('-', "").to_ascii_lowercase().as_str() {
            "placeholderreplacement" => self.off = value.eq_ignore_ascii_case("false"),
            "placeholderprefix" => self.prefix = value,
            "placeholdersuffix" => self.suffix = value,
            "defaultschema" => {
                self.values.insert("flyway:defaultschema".to_owned(), value);
            }
            _ => {}
        }
    }

    /// The text with its values; else the line and the name of the first that has none. Names are alike in any case.
    pub(super) fn put_into(&self, text: &str, file: &str) -> Result<String, (usize, String)> {
        if self.off || self.prefix.is_empty() || self.suffix.is_empty() {
            return Ok(text.to_owned());
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(&self.prefix) {
            let behind = &rest[at + self.prefix.len()..];
            let Some((name, after)) = behind.split_once(&self.suffix) else { break };
            made.push_str(&rest[..at]);
            match (name, self.values.get(&name.to_ascii_lowercase())) {
                ("flyway:filename", _) => made.push_str(file),
                (_, Some(value)) => made.push_str(value),
                (_, None) => {
                    let line = text[..text.len() - rest.len() + at].matches('\n').count() + 1;
                    return Err((line, format!("{}{name}{}", self.prefix, self.suffix)));
                }
            }
            rest = after;
        }
        made.push_str(rest);
        Ok(made)
    }
}

/// What Flyway gives by itself and a dry run can tell: <https://documentation.red-gate.com/fd/migration-placeholders-275218539.html>.
fn defaults() -> BTreeMap<String, String> {
    [
        ("flyway:defaultschema", "public"),
        ("flyway:table", "flyway_schema_history"),
        ("flyway:timestamp", "1970-01-01 00:00:00"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Refinery, which is a crate, names its files as Flyway does and puts nothing into them.
pub(super) fn is_refinery(folder: &Folder) -> bool {
    let crates = folder.near.iter().any(|(path, text)| path.ends_with("Cargo.toml") && text.contains("refinery"));
    crates || folder.around.iter().any(|name| name == "refinery.toml")
}

fn of_lines(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn of_toml(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(table) = toml::from_str::<toml::Table>(text) {
        flat_toml("", &toml::Value::Table(table), &mut found);
    }
    found
}

fn flat_toml(path: &str, value: &toml::Value, into: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| flat_toml(&below(path, key), value, into)),
        toml::Value::String(text) => into.push((path.to_owned(), text.clone())),
        other => into.push((path.to_owned(), other.to_string())),
    }
}

fn of_yaml(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(tree) = yaml::read(text) {
        flat_yaml("", &tree, &mut found);
    }
    found
}

fn flat_yaml(path: &str, node: &Node, into: &mut Vec<(String, String)>) {
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|(key, node)| flat_yaml(&below(path, key), node, into)),
        Value::Text(text) => into.push((path.to_owned(), text.clone())),
        Value::Null | Value::List(_) => {}
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
