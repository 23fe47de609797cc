//! `strategy` and what belongs to it, as it is written: the hook that moves traffic, the steps, the look between them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::values::{Command, Time, Whole};
use crate::model::rollout::{self as model, Rollout, Strategy};

/// How long a step is looked at that does not say so.
const WATCH: Duration = Duration::from_mins(1);

/// `analysis = { … }`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Analysis {
    /// Run in every round, with the variables of the hook `weight`: 0 is good, 4 inconclusive, any other exit status bad.
    #[schemars(with = "Command")]
    pub command: Option<Command>,
    /// Before the first round of a step.
    pub initial_delay: Time<0, 3_600_000>,
    /// Between two rounds.
    pub interval: Time<10, 3_600_000>,
    /// Bad rounds that are tolerated.
    pub failure_limit: Whole<0, 1000>,
    /// Rounds in a row that may fail to measure anything.
    pub consecutive_error_limit: Whole<0, 1000>,
    /// Rounds that may be inconclusive.
    pub inconclusive_limit: Whole<0, 1000>,
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            command: None,
            initial_delay: Time(Duration::ZERO),
            interval: Time(Duration::from_secs(5)),
            failure_limit: Whole(0),
            consecutive_error_limit: Whole(4),
            inconclusive_limit: Whole(0),
        }
    }
}

/// A weight, or a table.
#[derive(Debug, Clone)]
pub struct Step(model::Step);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepTable {
    weight: i64,
    watch: Option<Time<0, 604_800_000>>,
    #[serde(default)]
    pause: bool,
}

impl StepTable {
    fn step<E: Error>(self) -> Result<model::Step, E> {
        let weight = u8::try_from(self.weight).ok().filter(|weight| (1..model::ALL).contains(weight));
        let weight = weight.ok_or_else(|| {
            E::custom(format_args!(
                "a step's weight is 1 to 99 percent, not {}; after the last step everything moves by itself",
                self.weight
            ))
        })?;
        Ok(model::Step { weight, watch: self.watch.map_or(WATCH, |watch| watch.0), pause: self.pause })
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = model::Step;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a weight, or a table with `weight`")
            }
            fn visit_i64<E: Error>(self, weight: i64) -> Result<model::Step, E> {
                StepTable { weight, watch: None, pause: false }.step()
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<model::Step, A::Error> {
                StepTable::deserialize(MapAccessDeserializer::new(map))?.step()
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0.weight)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 99},
            {"type": "object", "additionalProperties": false, "required": ["weight"], "properties": {
                "weight": {"type": "integer", "minimum": 1, "maximum": 99},
                "watch": {"type": "string"},
                "pause": {"type": "boolean"},
            }},
        ]})
    }
}

/// What does not go together: the key, what is wrong, what to do.
pub(super) type Wrong = (&'static str, String, String);

/// The keys that only a strategy gives a meaning.
pub(super) const KEYS: [&str; 5] = ["switch", "weight", "preview", "steps", "analysis"];

/// What a section says of its strategy.
pub(super) struct Given<'g> {
    pub(super) strategy: Option<Strategy>,
    pub(super) switch: Option<&'g Command>,
    pub(super) weight: Option<&'g Command>,
    pub(super) preview: Option<&'g str>,
    pub(super) steps: &'g [Step],
    pub(super) analysis: &'g Analysis,
    /// Where the version is told.
    pub(super) version: Option<&'g str>,
    pub(super) auto_rollback: bool,
}

/// What does not go together in a section. `has` tells which keys are written; `by_command`: a command deploys.
pub(super) fn objections(section: &Given<'_>, has: &dyn Fn(&str) -> bool, by_command: bool) -> Vec<Wrong> {
    let Some(strategy) = section.strategy else {
        let alone = KEYS.into_iter().filter(|key| has(key));
        let help = "add strategy = \"blue-green\" or strategy = \"canary\"";
        return alone.map(|key| (key, format!("`{key}` needs a strategy"), help.to_owned())).collect();
    };
    let (word, mut wrong) = (strategy.word(), Vec::new());
    let (hook, foreign): (&str, &[&str]) = match strategy {
        Strategy::BlueGreen => ("switch", &["weight", "steps", "analysis"]),
        Strategy::Canary => ("weight", &["switch"]),
    };
    let mut say = |key, what: String, help: &str| wrong.push((key, what, help.to_owned()));
    if !has(hook) {
        let help = format!("add {hook} = \"./traffic.sh\": it is told by GATEPOST_SLOT and GATEPOST_WEIGHT what to do");
        say("strategy", format!("strategy `{word}` needs the hook `{hook}`"), &help);
    }
    for key in KEYS.into_iter().filter(|key| foreign.contains(key) && has(key)) {
        say(key, format!("`{key}` is nothing to strategy `{word}`"), "remove it, or choose the other strategy");
    }
    match section.version {
        None => say(
            "strategy",
            format!("strategy `{word}` needs `version`: without it the old version would answer as well"),
            "add verify = { version = { path = \"/version\" } }",
        ),
        Some(version) if section.preview.is_some() && version.starts_with("http") => say(
            "preview",
            "the `version` is a whole address, and would be asked where traffic arrives".to_owned(),
            "write its path alone",
        ),
        Some(_) => {}
    }
    if strategy == Strategy::BlueGreen && section.preview.is_none() {
        let what = "strategy `blue-green` needs `preview`: where the idle slot is looked at before it gets traffic";
        say("strategy", what.to_owned(), "add preview = \"https://{slot}.example.com\"");
    }
    let rising = section.steps.windows(2).all(|two| two[0].0.weight < two[1].0.weight);
    if strategy == Strategy::Canary && (section.steps.is_empty() || !rising) {
        let key = if has("steps") { "steps" } else { "strategy" };
        say(key, "strategy `canary` needs `steps` of rising weight".to_owned(), "write steps = [5, 25, 50]");
    }
    if !section.auto_rollback {
        let what = format!("strategy `{word}` moves traffic back when it fails, so that it is never left divided");
        say("auto-rollback", what, "remove auto-rollback = false");
    }
    if !by_command {
        let what = format!("strategy `{word}` needs deploy = {{ command = … }}, which can be told the slot");
        say("strategy", what, "call the other deployer from a command");
    }
    wrong
}

/// The strategy of a section without objections.
pub(super) fn settled(section: &Given<'_>) -> Option<Rollout> {
    let strategy = section.strategy?;
    let hook = match strategy {
        Strategy::BlueGreen => section.switch?,
        Strategy::Canary => section.weight?,
    };
    let analysis = section.analysis;
    let number = |limit: &Whole<0, 1000>| u32::try_from(limit.0).unwrap_or(u32::MAX);
    Some(Rollout {
        strategy,
        hook: hook.0.clone(),
        preview: section.preview.map(str::to_owned),
        steps: section.steps.iter().map(|step| step.0).collect(),
        analysis: model::Analysis {
            command: analysis.command.as_ref().map(|command| command.0.clone()),
            initial_delay: analysis.initial_delay.0,
            interval: analysis.interval.0,
            failure_limit: number(&analysis.failure_limit),
            consecutive_error_limit: number(&analysis.consecutive_error_limit),
            inconclusive_limit: number(&analysis.inconclusive_limit),
        },
    })
}
