//! Reads a table into a type, entry by entry, so that one mistake does not hide the next. Types say what is right; this
//! file puts what they object to into words.

use std::ops::Range;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error, ValueDeserializer};

use super::nearest::advice;
use super::problems::Problem;
use super::reviewdog;

/// The keys of a table.
pub(super) type Keys = &'static [&'static str];

/// The keys of `T`, a struct: what it asks its format for. Its schema has them too, and takes hundreds of allocations.
pub(super) fn keys_of<T: DeserializeOwned>() -> Keys {
    let mut keys: Keys = &[];
    // Nothing is read.
    let _ = T::deserialize(Asked(&mut keys));
    keys
}

/// Keeps the keys that a struct asks for, and has nothing to give.
struct Asked<'a>(&'a mut Keys);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &str, keys: Keys, visitor: V) -> Result<V::Value, Self::Error> {
        *self.0 = keys;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What is said about a key of `T`.
fn about<T: JsonSchema>(key: &str) -> Option<String> {
    let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
    schema["properties"][key]["description"].as_str().map(str::to_owned)
}

/// Problems after which a table is read no further: more help nobody, and each costs a reading.
const MOST: usize = 50;

/// Reads every entry of `T`'s own keys that can be read; the others stay at their defaults and are told.
pub(super) fn read<T: DeserializeOwned + JsonSchema + Default>(table: &DeTable<'_>) -> (T, Vec<Problem>) {
    let keys = keys_of::<T>();
    let own = table.iter().filter(|(key, _)| keys.contains(&key.get_ref().as_ref()));
    let own: DeTable<'_> = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Ok(whole) = deserialize(own.clone()) {
        return (whole, Vec::new());
    }
    let mut good = DeTable::new();
    let mut problems = Vec::new();
    for (key, mut value) in own {
        let mut wrong_before = false;
        let holds = loop {
            let Err(error) = deserialize::<T>([(key.clone(), value.clone())].into_iter().collect()) else { break true };
            let place = error.span().unwrap_or_else(|| value.span());
            let missing = error.message().starts_with("missing field");
            // A wrong value was taken out just before: it is missing because of that.
            if !(missing && wrong_before) {
                problems.push(describe::<T>(key.get_ref(), &error, place.clone()));
            }
            wrong_before = !missing && !error.message().starts_with("unknown field");
            if problems.len() >= MOST || !remove_at(&mut value, &place) {
                break false;
            }
        };
        if holds {
            good.insert(key, value);
        }
    }
    (deserialize(good).unwrap_or_default(), problems)
}

fn deserialize<T: DeserializeOwned>(table: DeTable<'_>) -> Result<T, Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(0..0, DeValue::Table(table))))
}

/// Removes the innermost element or entry that covers `place`; false when `value` has none. A table written under a
/// header spans that header alone, so what is inside is looked at first.
fn remove_at(value: &mut Spanned<DeValue<'_>>, place: &Range<usize>) -> bool {
    let covers = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    match value.get_mut() {
        DeValue::Array(items) => {
            if items.iter_mut().any(|item| remove_at(item, place)) {
                return true;
            }
            let Some(at) = items.iter().position(|item| covers(item.span())) else { return false };
            let kept = std::mem::replace(items, DeArray::new()).into_iter().enumerate();
            *items = kept.filter(|(index, _)| *index != at).map(|(_, item)| item).collect();
            true
        }
        DeValue::Table(entries) => {
            if entries.iter_mut().any(|(_, item)| remove_at(item, place)) {
                return true;
            }
            let found = entries.iter().find(|(key, item)| covers(key.span()) || covers(item.span()));
            let Some(key) = found.map(|(key, _)| key.clone()) else { return false };
            entries.remove(&key).is_some()
        }
        _ => false,
    }
}

/// A key that the table does not have.
pub(super) fn unknown_key(key: &str, span: Range<usize>, table: &str, known: &[&str]) -> Problem {
    Problem::new(span, format!("unknown key {} in {table}", quoted(key))).help(advice(key, known))
}

/// A word of the file, between backticks.
pub(super) fn quoted(word: &str) -> String {
    format!("`{}`", crate::model::text::shorten(&word.escape_debug().to_string(), 60))
}

/// serde's words, put as a user of TOML would.
fn describe<T: JsonSchema>(key: &str, error: &Error, span: Range<usize>) -> Problem {
    let message = error.message();
    if let Some((word, words)) = unknown_word(message, "unknown variant ") {
        let habit = if key == "only" { reviewdog::advice(word) } else { None };
        let help = habit.unwrap_or_else(|| advice(word, &words));
        return Problem::new(span, format!("`{key}` cannot be {}", quoted(word))).help(help);
    }
    if let Some((word, words)) = unknown_word(message, "unknown field ") {
        return unknown_key(word, span, &format!("`{key}`"), &words);
    }
    let message = match message.split_once(", expected ") {
        Some((got, wanted)) if got.starts_with("invalid ") => {
            let got = got.split_once(": ").map_or(got, |(_, got)| got);
            format!("`{key}`: expected {}, got {}", plain(wanted), plain(got))
        }
        _ if message.starts_with("wanted string or table") => format!("`{key}`: expected a string"),
        _ => format!("`{key}`: {message}"),
    };
    Problem { span, message, help: about::<T>(key) }
}

/// The word and the right ones of serde's message, whose shape `serde::de::Error::unknown_variant` gives.
fn unknown_word<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (word, rest) = message.strip_prefix(prefix)?.strip_prefix('`')?.rsplit_once("`, expected ")?;
    Some((word, rest.split('`').skip(1).step_by(2).collect()))
}

fn plain(words: &str) -> String {
    match words {
        "map" => "a table".to_owned(),
        "sequence" | "a sequence" => "an array".to_owned(),
        "i128" | "i64" | "i32" => "a whole number".to_owned(),
        "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number, 0 or more".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        /// How many.
        count: u8,
        words: Vec<crate::model::gate::Mode>,
        ignore: Vec<Ignore>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Ignore {
        id: String,
    }

    #[test]
    fn every_mistake_is_told_and_the_rest_is_read() {
        let text = "count = 'x'\nwords = ['blok', 'report', 3]\n[[ignore]]\nid = 'a'\n[[ignore]]\nod = 'b'\n[[ignore]]\nid = 4\n";
        let table = DeTable::parse(text).unwrap().into_inner();
        let (sample, problems) = read::<Sample>(&table);
        let told: Vec<(&str, &str, Option<&str>)> = problems
            .iter()
            .map(|problem| (&text[problem.span.clone()], problem.message.as_str(), problem.help.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("'x'", "`count`: expected a whole number, 0 or more, got string \"x\"", Some("How many.")),
                ("od", "unknown key `od` in `ignore`", Some("did you mean `id`?")),
                ("[[ignore]]", "`ignore`: missing field `id`", None),
                ("4", "`ignore`: expected a string, got integer `4`", None),
                ("'blok'", "`words` cannot be `blok`", Some("did you mean `block`?")),
                ("3", "`words`: expected a string", None),
            ]
        );
        assert_eq!(sample.words, [crate::model::gate::Mode::Report]);
        assert_eq!(sample.ignore, [Ignore { id: "a".to_owned() }]);
    }
}
