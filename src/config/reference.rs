//! The README's tables of keys, from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::Known;
use super::notify::Route;
use super::reading::{Keys, keys_of};
use super::schema::{generator, schema};
use super::sections::Gate;

/// Markdown: every section with its keys, values, defaults and meanings. A kind's table has only what it adds.
#[must_use]
pub fn reference(known: &Known<'_>) -> String {
    let schema = schema(known);
    let sections = &schema["properties"];
    let kinds = &sections["gates"]["additionalProperties"]["anyOf"];
    let mut out = String::new();
    table(&mut out, "`[run]`", &sections["run"], None);
    table(&mut out, "`[gates.NAME]`, every kind", &kinds[0], Some(keys_of::<Gate>()));
    for (row, kind) in known.kinds.iter().zip(kinds.as_array().into_iter().flatten()) {
        let heading = format!("`[gates.NAME]` with `kind = \"{}\"`: {}", row.name, row.about);
        table(&mut out, &heading, kind, Some((row.keys)()));
    }
    table(&mut out, "`[environments.NAME]`", &sections["environments"]["additionalProperties"], None);
    for row in known.deployers {
        let schema = (row.schema)(&mut generator()).to_value();
        table(&mut out, &format!("`deploy = {{ {} = … }}`: {}", row.name, row.about), &schema, None);
    }
    table(&mut out, "`[publish]`", &sections["publish"], None);
    let notify = &sections["notify"]["properties"];
    if let Some(first) = known.notifiers.first() {
        table(&mut out, "`[notify.KIND]`, every kind", &notify[first.name]["anyOf"][0], Some(keys_of::<Route>()));
    }
    for row in known.notifiers {
        let heading = format!("`[notify.{}]`: {}", row.name, row.about);
        table(&mut out, &heading, &notify[row.name]["anyOf"][0], Some((row.keys)()));
    }
    // The table of every kind was made from the first one's schema.
    if let Some(first) = known.kinds.first() {
        let all: Vec<String> = known.kinds.iter().map(|row| format!("`{}`", row.name)).collect();
        out = out.replacen(&format!("| `kind` | `{}` |", first.name), &format!("| `kind` | {} |", all.join(", ")), 1);
    }
    out
}

fn table(out: &mut String, heading: &str, object: &Value, wanted: Option<Keys>) {
    let properties = object["properties"].as_object().into_iter().flatten();
    let rows: Vec<_> =
        properties.filter(|(key, _)| wanted.is_none_or(|wanted| wanted.contains(&key.as_str()))).collect();
    if rows.is_empty() {
        return;
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "{heading}\n\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for (key, property) in rows {
        let (value, default) = (values(property), default(property));
        let about = property["description"].as_str().unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(out, "| `{key}` | {value} | {default} | {about} |");
    }
    out.push('\n');
}

fn values(property: &Value) -> String {
    let words: Vec<String> = ["enum", "oneOf"]
        .iter()
        .filter_map(|list| property[list].as_array())
        .flatten()
        .filter_map(|item| item.as_str().or_else(|| item["const"].as_str()))
        .map(|word| format!("`{word}`"))
        .collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    if let Some(only) = property.get("const") {
        return format!("`{}`", only.as_str().map_or_else(|| only.to_string(), str::to_owned));
    }
    match (type_of(property), &property["minimum"], &property["maximum"]) {
        (Some("integer"), Value::Number(least), Value::Number(most)) => format!("{least} to {most}"),
        (Some("array"), ..) => format!("list of {}", values(&property["items"])),
        (Some("boolean"), ..) => "`true`, `false`".to_owned(),
        (Some(other), ..) => other.to_owned(),
        (None, ..) => {
            let ways = property["anyOf"].as_array().into_iter().flatten().filter_map(way);
            ways.collect::<Vec<_>>().join(" or ")
        }
    }
}

/// The type, but for `null`, by which a key that is not there is told.
fn type_of(property: &Value) -> Option<&str> {
    let several = property["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    property["type"].as_str().or_else(|| several.into_iter().find(|one| *one != "null"))
}

/// One of several things that a key may be.
fn way(one: &Value) -> Option<String> {
    match type_of(one) {
        Some("null") => None,
        Some("array") => Some("list".to_owned()),
        _ => Some(values(one)),
    }
}

fn default(property: &Value) -> String {
    match &property["default"] {
        Value::Null => String::new(),
        Value::String(empty) if empty.is_empty() => String::new(),
        other => format!("`{other}`"),
    }
}
