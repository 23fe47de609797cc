//! Bytes into text for the formats that are read whole: byte order marks, UTF-16 (as Windows shells redirect)
//! and Latin-1 where an XML declaration says so. It never fails: what is not text is replaced and counted.

use std::borrow::Cow;

use crate::parse::reading::count;

/// Text, and what had to be put right to get it.
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub note: Option<String>,
}

/// So many bytes tell whether what begins like UTF-16 is it.
const ENOUGH: usize = 64;

type Unit = fn([u8; 2]) -> u16;

/// Reads `bytes` as text. A byte order mark is dropped.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    let text = without_mark(bytes);
    utf16_unit(bytes).map_or_else(|| utf8(text), |unit| utf16(text, unit))
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        _ => bytes,
    }
}

/// The byte order that the first two bytes tell, if they begin UTF-16.
fn begins_utf16(bytes: &[u8]) -> Option<Unit> {
    match bytes {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        // Without a mark: JSON and XML begin with an ASCII character, so the NUL tells the byte order.
        [first, 0, ..] if first.is_ascii() && *first != 0 => Some(u16::from_le_bytes),
        [0, first, ..] if first.is_ascii() && *first != 0 => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// The byte order of UTF-16, if what follows bears that out. A stray mark or NUL before other text would make signs of
/// it that nobody reads, and all findings would be lost.
fn utf16_unit(bytes: &[u8]) -> Option<Unit> {
    let unit = begins_utf16(bytes)?;
    let rest = &bytes[2..bytes.len().min(ENOUGH)];
    // What a tool prints has some ASCII, the end of a line at least.
    let has_ascii = rest.as_chunks::<2>().0.iter().any(|&pair| (1..0x80).contains(&unit(pair)));
    let is_utf8 = std::str::from_utf8(rest).map_or_else(|error| error.error_len().is_none(), |text| !text.is_empty());
    (has_ascii || !is_utf8).then_some(unit)
}

/// What a stream of text is written in, once its first bytes have told.
pub(super) enum Text {
    /// Too little has come.
    Unknown(Vec<u8>),
    /// UTF-8, or what is none of these.
    Bytes,
    /// UTF-16, with what is left of the last chunk.
    Utf16(Unit, Vec<u8>),
}

impl Text {
    /// The next chunk in UTF-8; `None` where it is so already.
    pub(super) fn read_on(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Bytes => None,
            Self::Unknown(held) => {
                held.extend_from_slice(chunk);
                let needed = if begins_utf16(held).is_some() { ENOUGH } else { 2 };
                Some(if held.len() < needed { Vec::new() } else { self.decide() })
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
            Self::Unknown(_) => [self.decide(), self.rest()].concat(),
            Self::Utf16(unit, left) => utf16(&std::mem::take(left), *unit).text.into_owned().into_bytes(),
        }
    }

    /// Tells by what was held back what it is, and reads that.
    fn decide(&mut self) -> Vec<u8> {
        let Self::Unknown(held) = self else { return Vec::new() };
        let begun = std::mem::take(held);
        if let Some(unit) = utf16_unit(&begun) {
            *self = Self::Utf16(unit, Vec::new());
            return self.read_on(&begun).unwrap_or_default();
        }
        *self = Self::Bytes;
        without_mark(&begun).to_vec()
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
        // Of UTF-32, which has two units for a character.
        .filter(|&read| read != '\0')
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
    fn a_stray_beginning_makes_no_utf16_of_other_text() {
        let text_of = |bytes: &[u8]| {
            let whole = text(bytes);
            for size in [1, 2, 3, 7, 64, 1000] {
                let mut stream = Text::Unknown(Vec::new());
                let pieces = bytes.chunks(size).map(|chunk| stream.read_on(chunk).unwrap_or_else(|| chunk.to_vec()));
                let mut read: Vec<u8> = pieces.collect::<Vec<_>>().concat();
                read.extend(stream.rest());
                assert_eq!(String::from_utf8_lossy(&read).trim_start_matches('\u{feff}'), whole, "in pieces of {size}");
            }
            whole
        };
        let line = "src/a.c:6:1: warning: w, and more of the same, so that it is longer than what decides\n";
        for before in [&b"\xff\xfe"[..], b"\xfe\xff", b"\0", b"\xff\xfe\0", b"a\0", b""] {
            for line in [line, "a.c:1:1: warning: w\n", "sr\u{e7}/a.c:1:1: warning: w\n"] {
                let read = text_of(&[before, line.as_bytes()].concat());
                assert!(read.ends_with(line), "{before:?}: {read:?}");
            }
        }
        let utf32: Vec<u8> = line.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
        assert_eq!(text_of(&[&b"\xff\xfe\0\0"[..], &utf32].concat()), line);
        for line in [line, "警告: 使われていない変数\n"] {
            let little: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = line.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(text_of(&[&b"\xff\xfe"[..], &little].concat()), line);
            assert_eq!(text_of(&[&b"\xfe\xff"[..], &big].concat()), line);
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
