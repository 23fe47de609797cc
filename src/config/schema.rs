//! The JSON Schema of gatepost.toml, from the same types as the reader.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::Known;
use super::environments::Section;
use super::gates::FOR_COMMANDS;
use super::kind::{Bare, DeployerRow, KindRow};
use super::sections::{Gate, Publish, Run};
use crate::model::environments::EnvironmentName;
use crate::model::gate::GateName;

/// A problem matcher's file: no folder, and nothing outside the repository.
const MATCHER: &str = r"^matcher:(?!/|\\|[A-Za-z]:)(?!(\./)*\.\.([/\\]|$))[^\x00-\x1f\x7f-\x9f]+$";

/// Makes schemas that stand for themselves.
pub(super) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator()
}

/// The schema of a whole file (draft 2020-12). What depends on other keys, such as the gates that `needs` may name, is
/// the reader's alone.
#[must_use]
pub fn schema(known: &Known<'_>) -> Value {
    let mut generator = generator();
    let kinds: Vec<Value> = known.kinds.iter().map(|row| gate(row, known, &mut generator)).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gatepost.toml",
        "description": "The configuration of gatepost.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "run": object::<Run>(&mut generator),
            "gates": {
                "description": "The gates, by name.",
                "type": "object",
                "propertyNames": GateName::json_schema(&mut generator),
                "additionalProperties": {"anyOf": kinds},
            },
            "environments": {
                "description": "Where commits are deployed to, by name.",
                "type": "object",
                "propertyNames": EnvironmentName::json_schema(&mut generator),
                "additionalProperties": environment(known, &mut generator),
            },
            "publish": object::<Publish>(&mut generator),
            "notify": super::notify::schema(known.notifiers, &mut generator),
        },
    });
    without_null(&mut schema);
    schema
}

fn object<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    T::json_schema(generator).to_value()
}

/// What a gate of one kind may hold: the keys of every gate and its own.
fn gate(row: &KindRow, known: &Known<'_>, generator: &mut SchemaGenerator) -> Value {
    let mut schema = object::<Gate>(generator);
    let own = (row.schema)(generator).to_value();
    if let (Some(properties), Value::Object(own)) = (schema["properties"].as_object_mut(), &own["properties"]) {
        properties.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
        merge(properties, "kind", json!({"const": row.name}));
        let formats: Vec<&str> = known.formats.iter().copied().chain(["auto"]).collect();
        merge(properties, "format", json!({"anyOf": [{"enum": formats}, {"pattern": MATCHER}]}));
    }
    schema["title"] = json!(format!("A gate of kind {}", row.name));
    schema["description"] = json!(row.about);
    schema["required"] = json!(["kind"]);
    if row.bare == Bare::Unjudged {
        return schema;
    }
    if row.bare == Bare::Itself {
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.retain(|key, _| !FOR_COMMANDS.contains(&key.as_str()));
        }
        return schema;
    }
    schema["anyOf"] =
        json!([{"required": ["command"]}, {"required": ["reports"], "properties": {"reports": {"minItems": 1}}}]);
    schema
}

fn environment(known: &Known<'_>, generator: &mut SchemaGenerator) -> Value {
    let mut schema = object::<Section>(generator);
    let means: Vec<Value> = known.deployers.iter().map(|row| deployer(row, generator)).collect();
    if let Some(properties) = schema["properties"].as_object_mut() {
        for (key, about) in [("deploy", "What deploys to it."), ("rollback", "What rolls it back; default: `deploy`.")]
        {
            properties.insert(key.to_owned(), json!({"description": about, "type": "object", "anyOf": means}));
        }
    }
    schema["required"] = json!(["deploy"]);
    schema
}

fn deployer(row: &DeployerRow, generator: &mut SchemaGenerator) -> Value {
    let mut schema = (row.schema)(generator).to_value();
    schema["title"] = json!(format!("A deploy by {}", row.name));
    schema["description"] = json!(row.about);
    schema["required"] = json!([row.name]);
    schema
}

fn merge(properties: &mut Map<String, Value>, key: &str, more: Value) {
    if let (Some(Value::Object(property)), Value::Object(more)) = (properties.get_mut(key), more) {
        property.extend(more);
    }
}

/// TOML has no null: a default of null says only that there is none.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
