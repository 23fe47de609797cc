//! The values that a configuration may hold, each checked where it is read and described for the schema by the same
//! type. They know nothing of other keys.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::settings::CommandLine;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Whole<const MIN: u64, const MAX: u64>(pub u64);

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i128::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(D::Error::custom(format_args!("expected a whole number from {MIN} to {MAX}, got {number}"))),
        }
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A length of time from `MIN` to `MAX` milliseconds, written `500ms`, `5s`, `30m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time<const MIN: u64, const MAX: u64>(pub Duration);

/// The units, longest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Time<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let length = parse_time(text).ok_or_else(|| {
                format!("{text:?} is no length of time: write it as \"500ms\", \"5s\", \"30m\" or \"1h30m\"")
            })?;
            if (MIN..=MAX).contains(&length) {
                return Ok(Self(Duration::from_millis(length)));
            }
            let (least, most) = (show_time(Duration::from_millis(MIN)), show_time(Duration::from_millis(MAX)));
            Err(format!("expected a time from {least} to {most}, got {text}"))
        };
        deserializer.deserialize_str(Checked { expecting: "a time such as \"30m\"", read })
    }
}

/// Milliseconds of `1h30m`: each unit at most once, the longest first.
fn parse_time(text: &str) -> Option<u64> {
    let (mut rest, mut total, mut units) = (text, 0_u64, UNITS.as_slice());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit = &after[..after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len())];
        let at = units.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        rest = &after[unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

/// The length as it is written in the configuration: `1h30m`, `5s`, `500ms`; `0s` for none.
#[must_use]
pub fn show_time(length: Duration) -> String {
    let mut rest = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

impl<const MIN: u64, const MAX: u64> Serialize for Time<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_time(self.0))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Time<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Time_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let some = if MIN > 0 { "(?=.*[1-9])" } else { "" };
        let pattern = format!("^{some}([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$");
        json_schema!({"type": "string", "minLength": 2, "pattern": pattern})
    }
}

/// What makes a string a good one.
pub trait Rule {
    /// What every good string matches, for the schema; the check may ask for more.
    const PATTERN: &'static str;

    /// Looks at the string.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead.
    fn check(text: &str) -> Result<(), String>;
}

/// A string that follows a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<R>(pub String, PhantomData<R>);

impl<'de, R: Rule> Deserialize<'de> for Text<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let checked = |text: &str| R::check(text).map(|()| Self::of(text));
        deserializer.deserialize_str(Checked { expecting: "a string", read: checked })
    }
}

/// Reads a string by a function. What is refused inside a visitor gets the place of the value itself, not that of the
/// array around it.
struct Checked<F> {
    expecting: &'static str,
    read: F,
}

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Checked<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).map_err(E::custom)
    }
}

impl<R> Text<R> {
    /// One that is known to hold.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.to_owned(), PhantomData)
    }
}

impl<R> Default for Text<R> {
    fn default() -> Self {
        Self::of("")
    }
}

impl<R> Serialize for Text<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<R: Rule> JsonSchema for Text<R> {
    fn schema_name() -> Cow<'static, str> {
        R::PATTERN.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": R::PATTERN})
    }
}

/// A command: a string for the shell, or an array of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(pub CommandLine);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = CommandLine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command: a string for the shell, or an array of words")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<CommandLine, E> {
                Ok(CommandLine::Shell(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<CommandLine, A::Error> {
                let mut argv = Vec::new();
                while let Some(word) = words.next_element::<String>()? {
                    argv.push(word);
                }
                Ok(CommandLine::Argv(argv))
            }
        }

        let command = deserializer.deserialize_any(Either)?;
        let (program, rest) = match &command {
            CommandLine::Shell(text) if !text.trim().is_empty() && text.lines().all(is_no_command) => {
                return Err(D::Error::custom(
                    "the command has comments alone and could not fail: nothing would be run",
                ));
            }
            CommandLine::Shell(text) => (text.as_str(), &[][..]),
            CommandLine::Argv(argv) => argv.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest)),
        };
        if program.trim().is_empty() {
            return Err(D::Error::custom("the command is empty: leave it out for a gate that only judges `reports`"));
        }
        if program.contains('\0') || rest.iter().any(|word| word.contains('\0')) {
            return Err(D::Error::custom("a command cannot hold a NUL character"));
        }
        Ok(Self(command))
    }
}

/// Whether a line of a shell's is blank or a comment.
fn is_no_command(line: &str) -> bool {
    matches!(line.trim_start().chars().next(), None | Some('#'))
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            CommandLine::Shell(text) => serializer.serialize_str(text),
            CommandLine::Argv(argv) => argv.serialize(serializer),
        }
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (word, program) = (r"^[^\x00]*$", r"^[^\x00]*[^\s\x00][^\x00]*$");
        // A line of it is neither blank nor a comment.
        let script = r"^([^\x00]*\n)?\s*[^\s#\x00][^\x00]*$";
        json_schema!({"anyOf": [
            {"type": "string", "pattern": script},
            {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "pattern": word},
                "prefixItems": [{"type": "string", "pattern": program}],
            },
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_shown() {
        for (text, length) in
            [("500ms", 500), ("5s", 5000), ("30m", 1_800_000), ("1h30m", 5_400_000), ("1m1ms", 60_001)]
        {
            assert_eq!(parse_time(text), Some(length), "{text}");
            assert_eq!(show_time(Duration::from_millis(length)), text);
        }
        assert_eq!(show_time(Duration::ZERO), "0s");
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5h",
            "5d",
            "5s5s",
            "5s1m",
            "5S",
            "99999999999999999999s",
            "9999999999999999h",
            "٣s",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
