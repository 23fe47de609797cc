//! The one place where text that someone else wrote becomes Markdown. Such text is shown inside a code span or a
//! fenced block, where GitHub neither links, mentions, nor renders anything, and nowhere else.

use crate::model::text;
use crate::render::figures::count;

/// A code span of no text: the marks alone would be loose backticks.
const NOTHING: &str = "` `";

/// Text that a tool, a branch or a file name brought along.
#[derive(Debug, Clone, Copy)]
pub struct Untrusted<'a>(pub &'a str);

impl Untrusted<'_> {
    /// A code span on one line, of at most `limit` characters of the text. Not for table cells.
    #[must_use]
    pub fn code(self, limit: usize) -> String {
        span(&folded(self.0, limit))
    }

    /// As [`code`](Self::code), for a table cell, where a bare `|` would start the next one.
    #[must_use]
    pub fn cell(self, limit: usize) -> String {
        cell_span(&folded(self.0, limit))
    }

    /// A fenced block of at most `limit` characters of the text, with a line end after it. `language` is ours
    /// (`text`, `sh`). What was cut is counted in the last line.
    #[must_use]
    pub fn fence(self, language: &'static str, limit: usize) -> String {
        let whole = harmless(&text::clean(self.0));
        let whole = whole.trim_matches('\n').trim_end();
        let length = whole.chars().count();
        let shown: String = whole.chars().take(limit).collect();
        let more =
            if length > limit { format!("\n… ({})", count(length - limit, "more character")) } else { String::new() };
        let marks = "`".repeat(longest_run(&shown).max(2) + 1);
        format!("{marks}{language}\n{shown}{more}\n{marks}\n")
    }
}

/// A sentence of ours that may quote others: plain words stay plain, everything that is not surely harmless (and what
/// stands in double quotes or backticks) becomes a code span. One line of at most `limit` characters of the text.
#[must_use]
pub fn prose(text: &str, limit: usize) -> String {
    sentence(&folded(text, limit), span)
}

/// As [`prose`], for a table cell.
#[must_use]
pub fn prose_cell(text: &str, limit: usize) -> String {
    sentence(&folded(text, limit), cell_span)
}

/// A block that GitHub offers to put in place of the lines that a review comment stands on. Nothing of the text may
/// be changed here: whoever makes it sees to it that every character is visible, and that every line has its end.
#[must_use]
pub fn suggestion(lines: &str) -> String {
    let marks = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{marks}suggestion\n{lines}{marks}\n")
}

/// Cleaned, on one line, cut, and without the beginning of an HTML comment (which could look like our marker to a
/// reader of the raw text).
fn folded(text: &str, limit: usize) -> String {
    let cleaned = text::clean(text);
    let mut line = String::new();
    for word in cleaned.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        // Four bytes a character at most: enough to know that it is cut.
        if line.len() > limit * 4 + 4 {
            break;
        }
    }
    text::shorten(&harmless(&line), limit)
}

fn harmless(text: &str) -> String {
    text.replace("<!--", "<! --")
}

fn span(line: &str) -> String {
    if line.trim().is_empty() {
        return NOTHING.to_owned();
    }
    let marks = "`".repeat(longest_run(line) + 1);
    // A backtick at an end would join the marks. One space on both sides is taken off again by the reader.
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{marks}{pad}{line}{pad}{marks}")
}

fn cell_span(line: &str) -> String {
    // `\|` is a bar in a cell, but readers differ on `\\|`: there the bar is shown broken.
    span(&line.replace("\\|", "\\¦").replace('|', "\\|"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn sentence(line: &str, code: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut held = String::new();
    for token in tokens(line) {
        if is_plain(token, out.is_empty() && held.is_empty()) {
            flush(&mut out, &mut held, code);
            pad(&mut out);
            out.push_str(token);
            continue;
        }
        let (inner, after) = split_end(token);
        if let Some(quoted) =
            inner.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|q| !q.contains('`'))
        {
            flush(&mut out, &mut held, code);
            held.push_str(quoted);
        } else {
            if !held.is_empty() {
                held.push(' ');
            }
            held.push_str(inner);
        }
        if !after.is_empty() {
            flush(&mut out, &mut held, code);
            out.push_str(after);
        }
    }
    flush(&mut out, &mut held, code);
    out
}

fn pad(out: &mut String) {
    if !out.is_empty() {
        out.push(' ');
    }
}

fn flush(out: &mut String, held: &mut String, code: fn(&str) -> String) {
    if !held.is_empty() {
        pad(out);
        out.push_str(&code(held));
        held.clear();
    }
}

/// Words, where white space between double quotes or backticks does not part. A quote that is never closed
/// holds the rest of the line.
fn tokens(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut quote, mut escaped) = (0, None, false);
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) => {
                if c == open && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped;
            }
            None if c == '"' || c == '`' => quote = Some(c),
            None if c == ' ' => {
                found.push(&line[start..at]);
                start = at + 1;
            }
            None => {}
        }
    }
    found.push(&line[start..]);
    found.retain(|token| !token.is_empty());
    found
}

/// The token without the punctuation that ends a phrase, and that punctuation: a parenthesis too, where another token
/// opened it.
fn split_end(token: &str) -> (&str, &str) {
    let closes = !token.contains('(');
    let core = token.trim_end_matches(|c| matches!(c, '.' | ',' | ';' | ':' | '!' | '?') || (closes && c == ')'));
    if core.is_empty() { (token, "") } else { token.split_at(core.len()) }
}

/// Whether no reader of Markdown, and none of GitHub's filters, sees more in a token than letters: an allow-list.
fn is_plain(token: &str, first: bool) -> bool {
    if matches!(token, "—" | "–" | "…" | "·" | "→") {
        return true;
    }
    let core = token.trim_start_matches('(').trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '…']);
    let digits = core.bytes().all(|b| b.is_ascii_digit());
    // `1.` and `1)` begin a list.
    if core.is_empty() || (first && digits && core.len() < token.len()) {
        return false;
    }
    // Seven hexadecimal digits link to a commit, where readers differ on what ends a word; a hyphen and a digit to a ticket.
    let commit = core.as_bytes().windows(7).any(|run| run.iter().all(u8::is_ascii_hexdigit));
    if core.starts_with(|c: char| c.is_ascii_digit()) && core.bytes().all(|b| b.is_ascii_digit() || b"%.,".contains(&b))
    {
        return !commit;
    }
    let ticket = core.as_bytes().windows(2).any(|pair| pair[0] == b'-' && pair[1].is_ascii_digit());
    let word = core.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’'));
    word && core.chars().any(char::is_alphanumeric) && !core.starts_with('-') && !commit && !ticket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_any_backticks() {
        assert_eq!(Untrusted("a\n  b\t| c").code(80), "`a b | c`");
        assert_eq!(Untrusted("`a``b").code(80), "``` `a``b ```");
        assert_eq!(Untrusted("\u{200b} \n").code(80), "` `");
        assert_eq!(Untrusted("abcdef").code(4), "`abc…`");
        assert_eq!(Untrusted(r"a|b\|c").cell(80), r"`a\|b\¦c`");
        assert_eq!(Untrusted("<!-- gatepost -->").code(80), "`<! -- gatepost -->`");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(Untrusted("x\n````\n<!--y\r\n\n").fence("text", 80), "`````text\nx\n````\n<! --y\n`````\n");
        assert_eq!(Untrusted("äöü").fence("text", 2), "```text\näö\n… (1 more character)\n```\n");
        assert_eq!(Untrusted("").fence("sh", 2), "```sh\n\n```\n");
    }

    #[test]
    fn our_sentences_read_as_sentences() {
        assert_eq!(prose("fail (check run 40000000002); run f(x)", 200), "fail (check run `40000000002`); run `f(x)`");
        for plain in [
            "2 new warnings on changed lines",
            "1 of 128 tests failed, 1,204 ran (85.5% of them green): look.",
            "it isn't enforced — not run",
        ] {
            assert_eq!(prose(plain, 200), plain);
        }
        assert_eq!(
            prose("report out/x.xml is stale: run `npm test` again, see https://evil.example", 200),
            "report `out/x.xml` is stale: run `npm test` again, see `https://evil.example`"
        );
        assert_eq!(
            prose(r#"expected JSON, got "@all \"x\" *y*", really"#, 99),
            r#"expected JSON, got `"@all \"x\" *y*"`, really"#
        );
        assert_eq!(prose("open \"quote @x and #1", 99), "open `\"quote @x and #1`");
        assert_eq!(prose("by @a #1 now", 99), "by `@a #1` now");
    }

    #[test]
    fn what_github_would_act_on_is_code() {
        for word in [
            "@all",
            "#1",
            "GH-1",
            "o/r#1",
            "deadbeef",
            "deadbeefé",
            "1234567",
            "1234567%",
            "1.2345678",
            ":smile:",
            "www.evil.com",
            "a@b.c",
            "**b**",
            "$x$",
            "1.",
            "-",
        ] {
            assert!(prose(word, 99).starts_with('`'), "{word}");
        }
        assert_eq!(prose("`` 1. a", 99), "`1`. a", "an empty quotation is nothing");
        assert_eq!(prose_cell("a|b c", 99), r"`a\|b` c");
    }
}
