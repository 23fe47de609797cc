//! Bytes into text for the formats that are read whole: byte order marks, UTF-16 (as Windows shells redirect)
//! and Latin-1 where an XML declaration says so. It never fails: what is not text is replaced and counted.

use std::borrow::Cow;

use crate::parse::reading::count;

/// Text, and what had to be put right to get it.
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub note: Option<String>,
}

/// Reads `bytes` as text. A byte order mark is dropped.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a mark: JSON and XML begin with an ASCII character, so the NUL tells the byte order.
        [first, 0, ..] if first.is_ascii() && *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, first, ..] if first.is_ascii() && *first != 0 => utf16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

/// What a stream of text is written in, once its first bytes have told.
pub(super) enum Text {
    /// Fewer than two bytes have come.
    Unknown(Vec<u8>),
    /// UTF-8, or what is none of these.
    Bytes,
    /// UTF-16, with what is left of the last chunk.
    Utf16(fn([u8; 2]) -> u16, Vec<u8>),
}

impl Text {
    /// The next chunk in UTF-8; `None` where it is so already.
    pub(super) fn read_on(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Bytes => None,
            Self::Unknown(held) => {
                let begun = [held, chunk].concat();
                *self = match begun[..] {
                    [] | [_] => {
                        *held = begun;
                        return Some(Vec::new());
                    }
                    [0xff, 0xfe, ..] => Self::Utf16(u16::from_le_bytes, Vec::new()),
                    [0xfe, 0xff, ..] => Self::Utf16(u16::from_be_bytes, Vec::new()),
                    [first, 0, ..] if first.is_ascii() && first != 0 => Self::Utf16(u16::from_le_bytes, Vec::new()),
                    [0, first, ..] if first.is_ascii() && first != 0 => Self::Utf16(u16::from_be_bytes, Vec::new()),
                    _ => Self::Bytes,
                };
                self.read_on(&begun).or(Some(begun))
            }
            Self::Utf16(unit, left) => {
                left.extend_from_slice(chunk);
                let mut whole = left.len() & !1;
                // The second half of a pair is still to come.
                let last = whole.checked_sub(2).map(|at| unit([left[at], left[at + 1]]));
                if last.is_some_and(|last| (0xd800..0xdc00).contains(&last)) {
                    whole -= 2;
                }
                let text = utf16(&left[..whole], *unit).text;
                left.drain(..whole);
                Some(text.into_owned().into_bytes())
            }
        }
    }

    /// What is left at the end: bytes that are no whole character.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        match self {
            Self::Bytes => Vec::new(),
            Self::Unknown(held) => std::mem::take(held),
            Self::Utf16(unit, left) => utf16(&std::mem::take(left), *unit).text.into_owned().into_bytes(),
        }
    }
}

fn utf8(bytes: &[u8]) -> Decoded<'_> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: Cow::Borrowed(text), note: None };
    }
    if says_latin1(bytes) {
        return Decoded { text: bytes.iter().map(|&byte| char::from(byte)).collect(), note: None };
    }
    let broken = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    Decoded { text: String::from_utf8_lossy(bytes), note: Some(replaced(broken, "UTF-8")) }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded<'static> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut broken = usize::from(!rest.is_empty());
    let text = char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .map(|read| {
            read.unwrap_or_else(|_| {
                broken += 1;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect::<String>();
    let note = (broken > 0).then(|| replaced(broken, "UTF-16"));
    Decoded { text: Cow::Owned(text), note }
}

fn replaced(broken: usize, encoding: &str) -> String {
    format!("{} not {encoding}, and replaced by \u{fffd}", count(broken, "place was", "places were"))
}

fn says_latin1(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    let Some(declaration) = head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split("?>").next()) else {
        return false;
    };
    ["iso-8859-1", "latin1", "windows-1252"].iter().any(|name| declaration.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes).text.into_owned()
    }

    #[test]
    fn the_encodings_of_real_reports_are_read() {
        let little: Vec<u8> = "<é😀>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "<é😀>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&little), "<é😀>");
        assert_eq!(text(&big), "<é😀>");
        assert_eq!(text(&[&[0xff, 0xfe][..], &little].concat()), "<é😀>");
        assert_eq!(text(&[&[0xfe, 0xff][..], &big].concat()), "<é😀>");
        assert_eq!(text("\u{feff}{}".as_bytes()), "{}");
        assert_eq!(text(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>").split('>').nth(2), Some("é</a"));
        assert_eq!(text(b"\n <?xml encoding='latin1'?>\xe9").split('>').nth(1), Some("é"));
    }

    #[test]
    fn a_nul_beside_an_ascii_character_alone_tells_the_byte_order() {
        for bytes in [b"\0\0ab", b"\xc3\0ab", b"\0\xc3ab"] {
            assert!(text(bytes).ends_with("ab"), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_text_is_counted() {
        let read = decode(b"{\"a\": \"\xff\", \"b\": \"\xfe\xff\"}");
        assert_eq!(read.text.matches('\u{fffd}').count(), 3);
        assert_eq!(read.note.unwrap(), "3 places were not UTF-8, and replaced by \u{fffd}");
        let declared = decode(b"<?xml version='1.0' encoding='UTF-8'?>\xe9");
        assert_eq!(declared.note.unwrap(), "1 place was not UTF-8, and replaced by \u{fffd}");
        let half = |end: &[u8]| decode(&[&[b'<', 0, b'a', 0], end].concat()).note;
        assert_eq!(half(&[1]).unwrap(), "1 place was not UTF-16, and replaced by \u{fffd}");
        assert_eq!(half(&[0, 0xd8, b'b', 0]).unwrap(), "1 place was not UTF-16, and replaced by \u{fffd}");
        assert_eq!(half(&[b'b', 0]), None);
    }
}
