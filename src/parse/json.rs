//! What the formats written in JSON share: how a broken document becomes a [`ParseError`], numbers as tools write
//! them, and the keys of a document of which only the beginning is there.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::text::one_line;
use crate::parse::ParseError;

/// Reads a whole JSON document.
///
/// # Errors
/// When it is empty, ends early, is broken, has a key twice, or is of another shape.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str, expected: &'static str) -> Result<T, ParseError> {
    if text.trim().is_empty() {
        return Err(ParseError::Empty { expected });
    }
    serde_json::from_str(text).map_err(|error| unreadable(&error, text, expected))
}

/// What a failed reading of `text` was.
pub(super) fn unreadable(error: &serde_json::Error, text: &str, expected: &'static str) -> ParseError {
    if error.is_eof() {
        return ParseError::Truncated { expected, offset: text.len(), what: "a JSON value is open".to_owned() };
    }
    let begins = one_line(text, 60);
    ParseError::Malformed { expected, got: format!("{error} in what begins with {begins:?}") }
}

/// A string, borrowed from the document where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The text, where there is one that is not empty.
pub(super) fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.0.into_owned()).filter(|text| !text.is_empty())
}

/// A line or column: any number, or a number as text; 0, negatives and fractions are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position(pub Option<u32>);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Position;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Position, E> {
                Ok(Position(u32::try_from(number).ok().filter(|&number| number > 0)))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Position, E> {
                Ok(Position(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Position, E> {
                Ok(Position(None))
            }
            fn visit_str<E>(self, text: &str) -> Result<Position, E> {
                Ok(Position(text.parse().ok().filter(|&number| number > 0)))
            }
            fn visit_unit<E>(self) -> Result<Position, E> {
                Ok(Position(None))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// The keys of the first JSON object in `head`, as far as they are there: `head` may be cut anywhere, or
/// be followed by anything. Empty when `head` does not begin with an object.
pub(super) fn keys(head: &[u8]) -> Vec<String> {
    struct Keys<'v>(&'v mut Vec<String>);
    impl<'de> Visitor<'de> for Keys<'_> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key()? {
                self.0.push(key);
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let decoded = super::encoding::decode(head);
    let mut keys = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(&decoded.text);
    // A cut document ends in an error; the keys before it are what is asked for.
    let _ = reader.deserialize_map(Keys(&mut keys));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_cut_object_are_those_before_the_cut() {
        assert_eq!(keys(br#"{"a": [1, {"b": 2}], "runs": [{"results": [1,"#), ["a", "runs"]);
        assert_eq!(keys(br#"{"a": 1} {"b": 2}"#), ["a"]);
        assert_eq!(keys(br#"[{"a": 1}]"#), [""; 0]);
        assert_eq!(keys(b"{\"a"), [""; 0]);
    }

    #[test]
    fn positions_are_whole_numbers_from_one() {
        let read: Vec<Position> = serde_json::from_str(r#"[3, "4", 0, -1, 2.5, null, 99999999999]"#).unwrap();
        let numbers: Vec<Option<u32>> = read.into_iter().map(|position| position.0).collect();
        assert_eq!(numbers, [Some(3), Some(4), None, None, None, None, None]);
    }

    #[test]
    fn a_position_counts_from_one() {
        let read = |json: &str| serde_json::from_str::<Position>(json).unwrap().0;
        assert_eq!(["7", "\"7\"", "1"].map(read), [Some(7), Some(7), Some(1)]);
        assert_eq!(["0", "\"0\"", "-1", "1.5", "\"x\"", "null", "4294967296"].map(read), [None; 7]);
    }
}
