//! Text that someone else wrote, made harmless for a terminal. Markdown has its own renderer.

use std::borrow::Cow;

/// Removes ANSI escapes (CSI, OSC and the rest), C0 and C1 controls except tab and line feed, carriage
/// returns, and the Unicode characters that reorder or hide text (bidi controls, zero width, tags).
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_csi(&mut rest),
            '\t' | '\n' => out.push(c),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Removes ANSI escapes and nothing else: for reading what a tool printed in colour.
#[must_use]
pub fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains(['\u{1b}', '\u{9b}']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_csi(&mut rest),
            c => out.push(c),
        }
    }
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

fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => skip_csi(rest),
        // OSC, DCS, SOS, PM, APC: a string up to BEL or ESC \, never past the line.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(&c) = rest.peek() {
                if c == '\n' {
                    break;
                }
                rest.next();
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    rest.next_if_eq(&'\\');
                    break;
                }
            }
        }
        // An escape with an intermediate character has one more.
        Some(' '..='/') => {
            rest.next();
        }
        _ => {}
    }
}

fn skip_csi(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = rest.next_if(|c| (' '..='?').contains(c)) {
        let _ = c;
    }
    rest.next_if(|c| ('@'..='~').contains(c));
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
