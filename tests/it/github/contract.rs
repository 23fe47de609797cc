//! GitHub's own description of its API: finds the operation of a request, holds requests and replies against it, and
//! completes replies with what it requires. Knows no state.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Error bodies carry `status` beside what is described: with rules the only replies that stay open.
const OPEN: [&str; 2] = ["validation-error", "validation-error-simple"];
/// What GitHub answers on any operation, described there or not.
const EVERYWHERE: [u16; 8] = [400, 401, 403, 404, 410, 415, 422, 429];

/// The description, ready to judge by.
pub struct Contract {
    document: Value,
    routes: Vec<Route>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation: a method on a path template.
pub struct Route {
    pub operation: String,
    method: String,
    template: Vec<Segment>,
    pointer: String,
}

enum Segment {
    Literal(String),
    One(String),
    Several(String),
}

/// A request or reply that is not as GitHub describes it.
#[derive(Debug, Clone)]
pub struct Violation {
    pub operation: String,
    pub pointer: String,
    pub value: String,
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at {}: {} (value: {})", self.operation, self.pointer, self.message, self.value)
    }
}

impl Violation {
    pub fn new(operation: &str, pointer: &str, value: &Value, message: impl Into<String>) -> Self {
        let value: String = value.to_string().chars().take(200).collect();
        Self { operation: operation.to_owned(), pointer: pointer.to_owned(), value, message: message.into() }
    }
}

/// The one description, read once.
pub fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        Contract::read(
            include_str!("../../../fixtures/github/openapi.json"),
            include_str!("../../../fixtures/github/extra.json"),
        )
    })
}

impl Contract {
    fn read(main: &str, extra: &str) -> Self {
        let mut document: Value = serde_json::from_str(main).unwrap();
        let extra: Value = serde_json::from_str(extra).unwrap();
        for (path, item) in extra["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(document["paths"][path][method].is_null(), "{method} {path} is in both descriptions");
                document["paths"][path][method] = operation.clone();
            }
        }
        for (name, schema) in extra["components"]["schemas"].as_object().unwrap() {
            document["components"]["schemas"][name] = schema.clone();
        }
        modernise(&mut document, true);
        let routes = routes(&document);
        Self { document, routes, compiled: Mutex::default() }
    }

    /// The operation a request means, with its decoded path parameters. The template with most literal parts wins.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Route, BTreeMap<String, String>)> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fits = self.routes.iter().filter(|route| route.method == method);
        let mut found: Vec<_> = fits
            .filter_map(|route| {
                let mut parameters = BTreeMap::new();
                matches(&route.template, &parts, &mut parameters).then_some((route, parameters))
            })
            .collect();
        found
            .sort_by_key(|(route, _)| route.template.iter().filter(|part| matches!(part, Segment::Literal(_))).count());
        found.pop()
    }

    /// Path and query parameters in the types they are described with, and what is wrong with them.
    pub fn parameters(
        &self,
        route: &Route,
        path: &BTreeMap<String, String>,
        query: &[(String, String)],
    ) -> (Map<String, Value>, Vec<Violation>) {
        let mut typed = Map::new();
        let mut wrong = Vec::new();
        let described = self.document.pointer(&format!("{}/parameters", route.pointer));
        let described: Vec<&Value> =
            described.and_then(Value::as_array).into_iter().flatten().map(|one| self.resolve(one)).collect();
        for (place, name, text) in path
            .iter()
            .map(|(name, text)| ("path", name, text))
            .chain(query.iter().map(|(name, text)| ("query", name, text)))
        {
            let Some(one) = described.iter().find(|one| one["in"] == place && one["name"] == **name) else {
                let message = format!("there is no {place} parameter of this name");
                wrong.push(Violation::new(
                    &route.operation,
                    &format!("{place} parameter {name}"),
                    &json!(text),
                    message,
                ));
                continue;
            };
            let value = typed_value(&one["schema"], text);
            let validator = self.validator(&format!("{} {place} {name}", route.operation), &one["schema"]);
            for error in validator.iter_errors(&value) {
                let place = format!("{place} parameter {name}");
                wrong.push(Violation::new(&route.operation, &place, &value, error.to_string()));
            }
            typed.insert(name.clone(), value);
        }
        (typed, wrong)
    }

    /// What is wrong with a request's body.
    pub fn request(&self, route: &Route, body: Option<&Value>) -> Vec<Violation> {
        let described = self.document.pointer(&format!("{}/requestBody", route.pointer));
        let schema = described.and_then(|described| described.pointer("/content/application~1json/schema"));
        match (schema, body) {
            (None, Some(body)) => {
                vec![Violation::new(&route.operation, "request", body, "this operation takes no body")]
            }
            (Some(schema), Some(body)) => self.hold(&route.operation, "request", schema, body),
            (Some(_), None) if described.is_some_and(|described| described["required"] == true) => {
                vec![Violation::new(&route.operation, "request", &Value::Null, "this operation needs a body")]
            }
            (_, None) => Vec::new(),
        }
    }

    /// What is wrong with a reply of the fake.
    pub fn reply(&self, route: &Route, status: u16, body: Option<&Value>) -> Vec<Violation> {
        let responses = self.document.pointer(&format!("{}/responses", route.pointer)).unwrap();
        let described = match (responses.get(status.to_string()), EVERYWHERE.contains(&status)) {
            (Some(described), _) => self.resolve(described),
            (None, true) => &self.document["components"]["responses"]["validation_failed"],
            (None, false) => {
                let message = "this operation never answers with this status";
                return vec![Violation::new(&route.operation, "reply", &json!(status), message)];
            }
        };
        match (described.pointer("/content/application~1json/schema"), body) {
            (Some(schema), Some(body)) => self.hold(&route.operation, &format!("reply {status}"), schema, body),
            (None, None) => Vec::new(),
            // Some refusals are described by their status alone.
            (None, Some(_)) if status >= 400 => Vec::new(),
            (_, body) => vec![Violation::new(&route.operation, "reply", &json!(body), "body missing or unexpected")],
        }
    }

    fn hold(&self, operation: &str, what: &str, schema: &Value, body: &Value) -> Vec<Violation> {
        let validator = self.validator(&format!("{operation} {what}"), schema);
        let errors = validator.iter_errors(body);
        errors
            .map(|error| {
                let pointer = format!("{what} {}", error.instance_path());
                Violation::new(operation, &pointer, error.instance(), error.to_string())
            })
            .collect()
    }

    fn validator(&self, key: &str, schema: &Value) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap();
        let build = || {
            let mut used = BTreeMap::new();
            self.collect(schema, &mut used);
            let mut root = schema.clone();
            root["components"] = json!({ "schemas": used });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&root).unwrap_or_else(|error| panic!("schema of {key}: {error}")))
        };
        Arc::clone(compiled.entry(key.to_owned()).or_insert_with(build))
    }

    /// The named schemas below one: compiling all of them each time would cost more than the tests.
    fn collect(&self, schema: &Value, used: &mut BTreeMap<String, Value>) {
        match schema {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, used)),
            Value::Object(object) => {
                let reference = object.get("$ref").and_then(Value::as_str);
                if let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"))
                    && !used.contains_key(name)
                {
                    let named = &self.document["components"]["schemas"][name];
                    used.insert(name.to_owned(), named.clone());
                    self.collect(named, used);
                }
                object.values().for_each(|value| self.collect(value, used));
            }
            _ => {}
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.resolve(self.document.pointer(&reference[1..]).unwrap()),
            None => schema,
        }
    }

    /// `given` completed with everything the schema of this name requires.
    pub fn complete(&self, name: &str, given: Value) -> Value {
        self.fill(&self.document["components"]["schemas"][name], Some(given))
    }

    fn fill(&self, schema: &Value, given: Option<Value>) -> Value {
        let schema = self.resolve(schema);
        if let Some(first) = ["allOf", "oneOf", "anyOf"].iter().find_map(|key| schema[key].get(0)) {
            return self.fill(first, given);
        }
        match given {
            Some(Value::Array(items)) => items.into_iter().map(|one| self.fill(&schema["items"], Some(one))).collect(),
            Some(Value::Object(given)) => self.fill_object(schema, given),
            Some(given) => given,
            None => match kind(schema) {
                "object" => self.fill_object(schema, Map::new()),
                "array" => json!([]),
                "integer" | "number" => json!(0),
                "boolean" => json!(false),
                "string" => plain_string(schema),
                _ => Value::Null,
            },
        }
    }

    fn fill_object(&self, schema: &Value, given: Map<String, Value>) -> Value {
        let mut whole = Map::new();
        for (name, value) in given {
            let value = self.fill(&schema["properties"][&name], Some(value));
            whole.insert(name, value);
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !whole.contains_key(name) {
                let filled = self.fill(&schema["properties"][name], None);
                // Addresses are not always described as such, but clients read them so.
                let address = filled == "" && (name.ends_with("url") || name == "href");
                whole.insert(name.to_owned(), if address { json!("https://github.test/") } else { filled });
            }
        }
        Value::Object(whole)
    }
}

/// `null` where the schema allows it.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(types) if types.iter().any(|one| one == "null") => "null",
        Value::String(one) => one,
        _ => "null",
    }
}

fn plain_string(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["format"].as_str() {
        Some("uri") => json!("https://github.test/"),
        Some("date-time") => json!("2026-01-02T03:04:05Z"),
        _ => json!("0".repeat(schema["minLength"].as_u64().map_or(0, |length| usize::try_from(length).unwrap()))),
    }
}

/// Turns the description (`OpenAPI` 3.0) into JSON Schema (`nullable` becomes a type) and closes every object, because GitHub ignores
/// unknown keys and a misspelt one would be lost silently. Objects whose keys are spread over `allOf` stay open.
fn modernise(schema: &mut Value, close: bool) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| modernise(item, close)),
        Value::Object(object) => {
            let own = object.get("properties").is_some_and(Value::is_object);
            if own && close && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            if object.remove("nullable") == Some(json!(true)) {
                allow_null(object);
            }
            for (key, value) in object.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("properties", Value::Object(named)) => named.values_mut().for_each(|one| modernise(one, true)),
                    ("schemas", Value::Object(named)) => {
                        // A rule is described in two halves, each of which must bear the other's keys.
                        let open = |name: &str| OPEN.contains(&name) || name.starts_with("repository-rule-");
                        named.iter_mut().for_each(|(name, one)| modernise(one, !open(name)));
                    }
                    ("allOf", _) => modernise(value, false),
                    ("enum" | "default" | "required" | "type", _) => {}
                    _ => modernise(value, true),
                }
            }
        }
        _ => {}
    }
}

fn allow_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.push(Value::Null);
    }
    if let Some(kind) = object.get_mut("type") {
        *kind = json!([kind, "null"]);
    } else {
        let inner = std::mem::take(object);
        object.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
    }
}

fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let pointer = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
            let several = |name: &str| {
                operation["parameters"].as_array().into_iter().flatten().any(|one| {
                    let one = one["$ref"].as_str().map_or(one, |to| document.pointer(&to[1..]).unwrap());
                    one["name"] == name && one["x-multi-segment"] == true
                })
            };
            let segment = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if several(name) => Segment::Several(name.to_owned()),
                Some(name) => Segment::One(name.to_owned()),
                None => Segment::Literal(part.to_owned()),
            };
            routes.push(Route {
                operation: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                template: path[1..].split('/').map(segment).collect(),
                pointer,
            });
        }
    }
    routes
}

fn matches(template: &[Segment], parts: &[&str], found: &mut BTreeMap<String, String>) -> bool {
    let Some((first, rest)) = template.split_first() else { return parts.is_empty() };
    let most = if matches!(first, Segment::Several(_)) { parts.len() } else { parts.len().min(1) };
    (1..=most).any(|length| {
        let text = percent_decoded(&parts[..length].join("/"));
        if !matches(rest, &parts[length..], found) || text.is_empty() {
            return false;
        }
        match first {
            Segment::Literal(literal) => *literal == text,
            Segment::One(name) | Segment::Several(name) => {
                found.insert(name.clone(), text);
                true
            }
        }
    })
}

/// `%2F` and friends as text.
pub fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn typed_value(schema: &Value, text: &str) -> Value {
    let wants = |kind: &str| schema["type"] == kind;
    match text.parse::<i64>() {
        Ok(number) if wants("integer") => json!(number),
        _ if wants("boolean") && text == "true" => json!(true),
        _ if wants("boolean") && text == "false" => json!(false),
        _ => json!(text),
    }
}
