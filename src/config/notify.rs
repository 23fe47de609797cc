//! `[notify.*]`: who is told of what. Which notifiers there are, and what their own keys mean, is theirs.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Known;
use super::kind::{self, Own};
use super::nearest::{self, listed};
use super::problems::Problem;
use super::reading::{self, Keys, keys_of};
use super::rules::{FromEnv, NoticeName};
use super::values::{Rule, Text};
use crate::model::notice::{Filter, Severity};

/// A notifier as the configuration sees it.
#[derive(Debug, Clone, Copy)]
pub struct NotifierRow {
    /// As in `[notify.NAME]`.
    pub name: &'static str,
    /// One phrase for the schema and the README's table.
    pub about: &'static str,
    /// Keys that it cannot do without: all of one of these lists.
    pub needs: &'static [&'static [&'static str]],
    pub(super) keys: fn() -> Keys,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) read: fn(&DeTable<'_>) -> (Own, Vec<Problem>),
}

impl NotifierRow {
    /// A notifier whose own keys are those of the struct `T`, as for the kinds of gates.
    #[must_use]
    pub const fn of<T>(name: &'static str, about: &'static str, needs: &'static [&'static [&'static str]]) -> Self
    where
        T: DeserializeOwned + JsonSchema + Default + Send + Sync + 'static,
    {
        Self { name, about, needs, keys: keys_of::<T>, schema: T::json_schema, read: kind::read::<T> }
    }
}

/// One way to tell.
#[derive(Debug, Clone)]
pub struct NotifyRoute {
    /// The notifier, one of the rows.
    pub kind: &'static str,
    /// What it is told.
    pub filter: Filter,
    /// The notifier's own settings.
    pub own: Own,
    /// The variables that are named as `env:NAME`.
    pub variables: Vec<String>,
}

/// What every route may say.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Route {
    /// Events that are told, or the first word of several (`deploy`); default: every one.
    on: Vec<Text<NoticeName>>,
    /// The least severity that is told, from `P0` (the worst) to `P3`.
    min_severity: Severity,
    /// Environments that are told of; default: every one.
    #[schemars(with = "Vec<String>")]
    environments: Vec<Spanned<String>>,
}

/// Reads every route; those without a problem are added to `into`. `environments` are those that are configured.
pub(super) fn read(
    table: &DeTable<'_>,
    known: &Known<'_>,
    environments: &[&str],
    into: &mut Vec<NotifyRoute>,
) -> Vec<Problem> {
    let words: Vec<&str> = known.notifiers.iter().map(|row| row.name).collect();
    let strange = table.keys().filter(|key| !words.contains(&key.get_ref().as_ref()));
    let mut problems: Vec<Problem> =
        strange.map(|key| reading::unknown_key(key.get_ref(), key.span(), "[notify]", &words)).collect();
    for row in known.notifiers {
        let Some((key, value)) = table.get_key_value(row.name) else { continue };
        let routes = match value.get_ref() {
            DeValue::Table(_) => vec![value],
            DeValue::Array(routes) => routes.iter().collect(),
            _ => Vec::new(),
        };
        let tables: Vec<_> =
            routes.iter().filter_map(|route| Some((route.span(), route.get_ref().as_table()?))).collect();
        if tables.is_empty() || tables.len() < routes.len() {
            let message = format!("`notify.{}`: expected a table, or several", row.name);
            let help = format!("write a section [notify.{0}], or [[notify.{0}]] for each of several", row.name);
            problems.push(Problem::new(value.span(), message).help(help));
        }
        for (span, route) in tables {
            let span = if span.is_empty() { key.span() } else { span };
            let found = one(row, route, &Spanned::new(span, ()), environments, into);
            problems.extend(found);
        }
    }
    problems
}

fn one(
    row: &NotifierRow,
    table: &DeTable<'_>,
    place: &Spanned<()>,
    environments: &[&str],
    into: &mut Vec<NotifyRoute>,
) -> Vec<Problem> {
    let words = [keys_of::<Route>(), (row.keys)()].concat();
    let name = format!("[notify.{}]", row.name);
    let strange = table.keys().filter(|key| !words.contains(&key.get_ref().as_ref()));
    let mut problems: Vec<Problem> =
        strange.map(|key| reading::unknown_key(key.get_ref(), key.span(), &name, &words)).collect();
    let (route, wrong) = reading::read::<Route>(table);
    problems.extend(wrong);
    let (own, wrong) = (row.read)(table);
    problems.extend(wrong);
    // Without a section of them the environments are not gatepost's to know.
    for named in route.environments.iter().filter(|_| !environments.is_empty()) {
        if !environments.contains(&named.get_ref().as_str()) {
            let message = format!("there is no environment named {:?}", named.get_ref());
            problems.push(Problem::new(named.span(), message).help(nearest::advice(named.get_ref(), environments)));
        }
    }
    if !row.needs.iter().any(|keys| keys.iter().all(|key| table.contains_key(*key))) {
        let ways: Vec<String> = row.needs.iter().map(|keys| listed(keys)).collect();
        problems.push(Problem::new(place.span(), format!("{name} needs {}", ways.join(", or "))));
    }
    if problems.is_empty() {
        let filter = Filter {
            on: route.on.into_iter().map(|on| on.0).collect(),
            min_severity: route.min_severity,
            environments: route.environments.into_iter().map(Spanned::into_inner).collect(),
        };
        let mut variables = Vec::new();
        table.values().for_each(|value| secrets(value.get_ref(), &mut variables));
        into.push(NotifyRoute { kind: row.name, filter, own, variables });
    }
    problems
}

/// The variables that are named as `env:NAME` anywhere in a section.
pub(super) fn secrets(value: &DeValue<'_>, into: &mut Vec<String>) {
    match value {
        DeValue::String(text) if FromEnv::check(text).is_ok() => {
            into.extend(text.strip_prefix("env:").map(str::to_owned));
        }
        DeValue::Array(items) => items.iter().for_each(|item| secrets(item.get_ref(), into)),
        DeValue::Table(entries) => entries.values().for_each(|entry| secrets(entry.get_ref(), into)),
        _ => {}
    }
}

/// What the section may hold: for each notifier one route, or several.
pub(super) fn schema(notifiers: &[NotifierRow], generator: &mut SchemaGenerator) -> Value {
    let kinds = notifiers.iter().map(|row| {
        let mut route = Route::json_schema(generator).to_value();
        route["properties"]["on"]["items"] = json!({"enum": NoticeName::words()});
        let own = (row.schema)(generator).to_value();
        if let (Some(properties), Value::Object(own)) = (route["properties"].as_object_mut(), &own["properties"]) {
            properties.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        route["title"] = json!(format!("Telling by {}", row.name));
        route["description"] = json!(row.about);
        route["anyOf"] = row.needs.iter().map(|keys| json!({"required": keys})).collect();
        (row.name.to_owned(), json!({"anyOf": [route, {"type": "array", "minItems": 1, "items": route}]}))
    });
    json!({
        "description": "Who is told of what.",
        "type": "object",
        "additionalProperties": false,
        "properties": kinds.collect::<serde_json::Map<_, _>>(),
    })
}
