//! What is looked at after a deploy, as it is written: health probes, the version, waits and limits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::values::{Time, Whole};
use crate::model::environments::{Pacing, Probe, VersionPlace, VersionProbe};
use crate::model::json_path::JsonPath;

/// `verify = { … }`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Verify {
    /// Where the answering commit is told: `{ path = "/health", json = "$.commit" }`, `header = "…"` in place of `json`, or neither.
    pub version: Option<Version>,
    /// Between two rounds.
    pub interval: Time<10, 3_600_000>,
    /// Good rounds in a row that are enough.
    pub successes: Whole<1, 1000>,
    /// Of one request.
    pub timeout: Time<1, 600_000>,
    /// How long bad rounds at the start count for nothing.
    pub grace: Time<0, 3_600_000>,
    /// For all of it, the watch not included.
    pub deadline: Time<1, 86_400_000>,
    /// How long it is looked at afterwards.
    pub watch: Time<0, 86_400_000>,
}

impl Default for Verify {
    fn default() -> Self {
        let pacing = Pacing::default();
        Self {
            version: None,
            interval: Time(pacing.interval),
            successes: Whole(u64::from(pacing.successes)),
            timeout: Time(pacing.timeout),
            grace: Time(pacing.grace),
            deadline: Time(pacing.deadline),
            watch: Time(pacing.watch),
        }
    }
}

impl Verify {
    /// The waits and limits.
    pub(super) fn pacing(&self) -> Pacing {
        Pacing {
            interval: self.interval.0,
            successes: u32::try_from(self.successes.0).unwrap_or(u32::MAX),
            timeout: self.timeout.0,
            grace: self.grace.0,
            deadline: self.deadline.0,
            watch: self.watch.0,
        }
    }
}

/// A path, or a table.
#[derive(Debug, Clone)]
pub struct Health(pub Probe);

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[derive(Default)]
struct HealthTable {
    path: String,
    method: Option<String>,
    headers: BTreeMap<String, String>,
    status: Option<u16>,
    body: Option<String>,
    json: BTreeMap<String, String>,
    latency: Option<Time<1, 600_000>>,
}

impl HealthTable {
    fn probe<E: Error>(self) -> Result<Probe, E> {
        if self.path.is_empty() {
            return Err(E::custom("a health probe needs a `path`"));
        }
        let method = self.method.unwrap_or_else(|| "GET".to_owned());
        if !["GET", "HEAD", "POST"].contains(&method.as_str()) {
            return Err(E::custom(format_args!("`method` is GET, HEAD or POST, not {method:?}")));
        }
        if self.status.is_some_and(|status| !(100..600).contains(&status)) {
            return Err(E::custom("`status` is an HTTP status, 100 to 599"));
        }
        let json = self.json.into_iter().map(|(path, wanted)| Ok((JsonPath::parse(&path)?, wanted)));
        Ok(Probe {
            method,
            path: self.path,
            headers: self.headers.into_iter().collect(),
            status: self.status,
            body: self.body,
            json: json.collect::<Result<_, String>>().map_err(E::custom)?,
            latency: self.latency.map(|latency| latency.0),
        })
    }
}

impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Probe;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with `path`")
            }
            fn visit_str<E: Error>(self, path: &str) -> Result<Probe, E> {
                HealthTable { path: path.to_owned(), ..HealthTable::default() }.probe()
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Probe, A::Error> {
                HealthTable::deserialize(MapAccessDeserializer::new(map))?.probe()
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.path)
    }
}

impl JsonSchema for Health {
    fn schema_name() -> Cow<'static, str> {
        "Health".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "object", "additionalProperties": false, "required": ["path"], "properties": {
                "path": {"type": "string", "minLength": 1},
                "method": {"enum": ["GET", "HEAD", "POST"]},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "status": {"type": "integer", "minimum": 100, "maximum": 599},
                "body": {"type": "string"},
                "json": {"type": "object", "additionalProperties": {"type": "string"}},
                "latency": {"type": "string"},
            }},
        ]})
    }
}

/// Where the answering commit is told.
#[derive(Debug, Clone)]
pub struct Version(pub VersionProbe);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct VersionTable {
    path: String,
    json: Option<String>,
    header: Option<String>,
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = VersionTable::deserialize(deserializer)?;
        let place = match (table.json, table.header) {
            (Some(_), Some(_)) => return Err(D::Error::custom("`version` has `json` or `header`, not both")),
            (Some(path), None) => VersionPlace::Json(JsonPath::parse(&path).map_err(D::Error::custom)?),
            (None, Some(header)) => VersionPlace::Header(header.to_ascii_lowercase()),
            (None, None) => VersionPlace::Body,
        };
        Ok(Self(VersionProbe { path: table.path, place }))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.path)
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": false, "required": ["path"], "properties": {
            "path": {"type": "string"},
            "json": {"type": "string", "pattern": "^\\$"},
            "header": {"type": "string"},
        }})
    }
}
