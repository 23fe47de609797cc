//! Text that someone else wrote, made harmless for a terminal. Markdown has its own renderer.

use std::borrow::Cow;

/// Removes ANSI escapes (CSI, OSC and the rest), C0 and C1 controls except tab and line feed, carriage
/// returns, and the Unicode characters that reorder or hide text (bidi controls, zero width, tags).
#[must_use]
pub fn clean(text: &str) -> String {
    without(text, unseen).into_owned()
}

/// Removes ANSI escapes and nothing else: for reading what a tool printed in colour.
#[must_use]
pub fn without_escapes(text: &str) -> Cow<'_, str> {
    without(text, escape)
}

/// Whether a byte is a character of its own that is seen.
#[must_use]
pub const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b' '..=b'~')
}

/// How many bytes at the beginning of `text` [`clean`] removes; 0 where it begins with what is seen, or with what is no
/// character.
#[must_use]
pub fn unseen(text: &[u8]) -> usize {
    match text.first() {
        None | Some(b'\t' | b'\n' | b' '..=b'~') => 0,
        Some(0x1b) => escape(text),
        Some(0..=0x7f) => 1,
        Some(_) => match first(text) {
            Some('\u{9b}') => escape(text),
            Some(c) if c.is_control() || is_invisible(c) => c.len_utf8(),
            _ => 0,
        },
    }
}

fn without(text: &str, length: impl Fn(&[u8]) -> usize) -> Cow<'_, str> {
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    // What is removed begins with no plain byte.
    while let Some(plain) = text.as_bytes()[at..].iter().position(|byte| !is_plain(*byte)) {
        at += plain;
        match length(&text.as_bytes()[at..]) {
            0 => at += 1,
            removed => {
                out.push_str(&text[kept..at]);
                at += removed;
                kept = at;
            }
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// The first line of `text`, cleaned, at most `limit` characters; an ellipsis stands for what was cut.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let cleaned = clean(text.trim_start().lines().next().unwrap_or_default());
    shorten(&cleaned, limit)
}

/// At most `limit` characters; an ellipsis stands for what was cut.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A time of RFC 3339 without the fractions of its second.
#[must_use]
pub fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, fraction)) => format!("{whole}{}", fraction.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => time.to_owned(),
    }
}

/// The character at the beginning.
fn first(text: &[u8]) -> Option<char> {
    let length = match text.first()? {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    std::str::from_utf8(text.get(..length)?).ok()?.chars().next()
}

/// How long the escape at the beginning is, in bytes; 0 where there is none.
fn escape(text: &[u8]) -> usize {
    match text {
        [0x1b, b'[', ..] | [0xc2, 0x9b, ..] => 2 + parameters(&text[2..]),
        // OSC, DCS, SOS, PM, APC.
        [0x1b, b']' | b'P' | b'X' | b'^' | b'_', ..] => 2 + string(&text[2..]),
        // An escape with an intermediate character has one more.
        [0x1b, b' '..=b'/', rest @ ..] => 2 + first(rest).map_or(0, char::len_utf8),
        [0x1b, rest @ ..] => 1 + first(rest).map_or(0, char::len_utf8),
        _ => 0,
    }
}

/// The rest of a CSI: parameters, and the letter that ends it.
fn parameters(text: &[u8]) -> usize {
    let length = text.iter().take_while(|byte| (b' '..=b'?').contains(byte)).count();
    length + usize::from(text.get(length).is_some_and(|byte| (b'@'..=b'~').contains(byte)))
}

/// A string up to BEL or ESC \, never past the line.
fn string(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match &text[at..] {
            [] | [b'\n', ..] => return at,
            [0xc2, 0x9c, ..] | [0x1b, b'\\', ..] => return at + 2,
            [0x7 | 0x1b, ..] => return at + 1,
            _ => at += 1,
        }
    }
}

/// Characters that change how the text around them is shown, or show nothing: soft hyphen, fillers, bidi
/// controls, zero width, variation selectors (which can carry hidden data), tags.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A text with one space between its words.
#[must_use]
pub fn fold_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// A text with each number as `0`. The digits of a name (`CVE-2022-22965`, `x86`) are no number.
#[must_use]
pub fn fold_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Whether the digit before was one of a number.
    let mut folds = None;
    for c in text.chars() {
        if !c.is_ascii_digit() {
            folds = None;
            out.push(c);
            continue;
        }
        let is_number =
            *folds.get_or_insert_with(|| !out.ends_with(|c: char| c.is_alphabetic() || matches!(c, '-' | '_')));
        if !is_number {
            out.push(c);
        } else if !out.ends_with('0') {
            out.push('0');
        }
    }
    out
}

/// The words of a text that may be names in a program.
pub fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(to_the_second("2026-11-21T20:47:50.584534193Z"), "2026-11-21T20:47:50Z");
        assert_eq!(to_the_second("2026-11-21T20:47:50.5+01:00"), "2026-11-21T20:47:50+01:00");
        assert_eq!(to_the_second("2026-11-21T20:47:50Z"), "2026-11-21T20:47:50Z");
    }

    #[test]
    fn escapes_and_reordering_are_removed() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\r\n"), "red\n");
        assert_eq!(clean("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\!"), "link!");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{0}d\u{9b}1me"), "abcde");
        assert_eq!(clean("\u{1b}]0;never ends\nnext"), "\nnext");
        assert_eq!(clean("a\u{3164}b\u{fe0f}c\u{e0100}d\u{2800}e"), "abcde");
        assert_eq!(one_line("  first\nsecond", 80), "first");
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(without_escapes("\u{1b}[1;31ma\u{200b}\u{1b}(B\u{1b}[m\r"), "a\u{200b}\r");
    }
}
