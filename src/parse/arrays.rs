//! Reads the JSON arrays that linters print, one or several in a row, with whatever a script runner wrote around
//! them. It must not lose an array: what cannot be read is an error, what is left over is noted.

use serde::de::DeserializeOwned;

use crate::parse::encoding::decode;
use crate::parse::reading::{beginning, count};
use crate::parse::{ParseError, json};

/// The elements of all arrays in `input`, and notes about the lines around them.
pub(super) fn read<T: DeserializeOwned>(
    expected: &'static str,
    input: &[u8],
) -> Result<(Vec<T>, Vec<String>), ParseError> {
    let decoded = decode(input);
    if decoded.text.trim().is_empty() {
        return Err(ParseError::Empty { expected });
    }
    let mut elements = Vec::new();
    let mut around = 0;
    let mut found = false;
    let mut rest = &*decoded.text;
    while let Some(at) = next_array(rest, &mut around) {
        let text = &rest[at..];
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Vec<T>>();
        match stream.next() {
            Some(Ok(mut more)) => elements.append(&mut more),
            Some(Err(error)) => return Err(json::unreadable(&error, text, expected)),
            None => break,
        }
        found = true;
        rest = &text[stream.byte_offset()..];
    }
    if !found {
        return Err(ParseError::Malformed { expected, got: beginning(&decoded.text) });
    }
    let mut notes = Vec::from_iter(decoded.note);
    if around > 0 {
        notes.push(format!("{} not part of the report", count(around, "line was", "lines were")));
    }
    Ok((elements, notes))
}

/// The keys of the first object of the first array in the beginning of some output; `None` without an array, or with
/// an empty one.
pub(super) fn keys_of_first(head: &[u8]) -> Option<Vec<String>> {
    let decoded = decode(head);
    let at = next_array(&decoded.text, &mut 0)?;
    Some(json::keys(decoded.text[at + 1..].as_bytes())).filter(|keys| !keys.is_empty())
}

/// Where the next array opens, at the beginning of a line or behind what a script left on it; other lines are counted.
fn next_array(text: &str, around: &mut usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text[at..].trim_ascii_start();
        at = text.len() - rest.len();
        if rest.is_empty() || rest.starts_with('[') {
            return (!rest.is_empty()).then_some(at);
        }
        *around += 1;
        let line = rest.find('\n').map_or(rest, |end| &rest[..end]);
        // One of objects, or one that the line ends in.
        if let Some(inner) = line.find("[{").or_else(|| line.trim_end().strip_suffix('[').map(str::len)) {
            return Some(at + inner);
        }
        at += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<(Vec<u8>, Vec<String>), ParseError> {
        read("numbers", text.as_bytes())
    }

    #[test]
    fn no_array_is_lost() {
        let (all, notes) = numbers("\n> lint\n> tool .\n\n[1, 2][3]\n[4]\nDone in 1s.\n").unwrap();
        assert_eq!(all, [1, 2, 3, 4]);
        assert_eq!(notes, ["3 lines were not part of the report"]);
        assert!(matches!(numbers(" \n"), Err(ParseError::Empty { .. })));
        assert!(matches!(numbers("[1, 2"), Err(ParseError::Truncated { .. })));
        assert!(matches!(numbers("[1][2"), Err(ParseError::Truncated { .. })));
        assert!(matches!(numbers("no report"), Err(ParseError::Malformed { .. })));
        assert!(matches!(numbers("[1]\n[oops"), Err(ParseError::Malformed { .. })));
        let (all, notes) = numbers("web: [\n1]\n[2]\nfine []\n").unwrap();
        assert_eq!((all, notes), (vec![1, 2], vec!["2 lines were not part of the report".to_owned()]));
        assert!(matches!(numbers("[1]\nweb: [{\"a\":1}]\n"), Err(ParseError::Malformed { .. })), "an array of others");
    }
}
