//! Takes secrets out of text before it is written or posted: known values in the spellings in which they leak, and
//! tokens known by their shape. Escapes and invisible characters hide none: it looks at what people see.

#[cfg(test)]
pub(crate) mod canary;
mod forms;
mod keys;
mod migrations;
pub mod names;
mod report;
mod seen;
mod stream;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::Regex;

use crate::model::secret::Secret;

use seen::Seen;

pub use keys::KeyWatch;
pub use stream::MaskStream;

/// What stands for a secret.
pub const MASK: &str = "***";

/// What stands for the rest of a text that was cut: see [`shorten`](crate::model::text::shorten).
pub const CUT: &str = "…";

/// A value, or a line of one, with fewer characters is not masked: `true` or `1` would tear ordinary text apart.
pub const SHORTEST: usize = 6;

/// No beginning of a private key and no token that is known by its shape is longer, in bytes.
const LONGEST_TOKEN: usize = 2100;

/// More bytes of patterns than this are searched by the smaller, slower automaton.
const DENSE: usize = 8 << 10;

/// Tokens of GitHub, AWS, Slack, npm, GitLab, by the prefixes that their makers document. Installation tokens of GitHub are
/// an application's number and a JWT by now.
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)(?:gh[pour]_[A-Za-z0-9_]{16,255}|ghs_[A-Za-z0-9._-]{16,2048}|github_pat_[A-Za-z0-9_]{16,255}|A(?:KIA|SIA)[A-Z0-9]{16}|xox[a-z]-[A-Za-z0-9-]{10,255}|npm_[A-Za-z0-9]{16,255}|glpat-[A-Za-z0-9_.-]{16,255}|[sr]k_live_[A-Za-z0-9]{16,255}|dckr_pat_[A-Za-z0-9_-]{16,255}|pypi-AgE[A-Za-z0-9_-]{16,1024}|hooks\.slack\.com/services/[A-Za-z0-9_/]{16,255})",
    )
    .ok()
});

/// The beginning of a token that was cut off.
static CUT_TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)(?:gh[pousr]_|github_pat_|A(?:KIA|SIA)|xox[a-z]-|npm_|glpat-)[A-Za-z0-9_.-]{3,2048}\xe2\x80\xa6")
        .ok()
});

/// How what is known by its shape begins. Nearly no text has any of it, and compiling the shapes costs more than a short
/// run does otherwise. `None` on processors without the instructions for it: then the shapes are looked for.
static BEGINNINGS: LazyLock<Option<Searcher>> = LazyLock::new(|| {
    let known = [
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "AKIA",
        "ASIA",
        "xox",
        "npm_",
        "glpat-",
        "k_live_",
        "dckr_pat_",
        "pypi-AgE",
        "hooks.slack.com/",
        "-----BEGIN ",
    ];
    Searcher::new(known)
});

/// Finds secrets and puts [`MASK`] in their place.
#[derive(Debug, Clone)]
pub struct Masker {
    values: Option<AhoCorasick>,
    /// What `values` finds, sorted.
    spellings: Arc<[String]>,
    /// No match is longer, in bytes.
    longest: usize,
}

impl Masker {
    /// Knows these values: whole, line by line, and as base64 (at any alignment), hexadecimal, percent-encoded, and
    /// escaped for JSON, HTML, XML or a shell. Values shorter than [`SHORTEST`] are not masked. Where [`CUT`] stands for the
    /// rest of one, its beginning is.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut patterns: Vec<String> = secrets.into_iter().flat_map(|secret| forms::of(secret.expose())).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let bytes: usize = patterns.iter().map(String::len).sum();
        let longest = patterns.iter().map(String::len).max().unwrap_or(0).max(LONGEST_TOKEN + keys::LONGEST);
        let kind = if bytes <= DENSE { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let values = (!patterns.is_empty())
            .then(|| {
                AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(Some(kind)).build(&patterns).ok()
            })
            .flatten();
        Self { values, spellings: patterns.into(), longest }
    }

    /// The text without secrets; the same text where there are none.
    #[must_use]
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(text.len());
        let at = replace(text.as_bytes(), found, &mut out);
        out.extend_from_slice(&text.as_bytes()[at..]);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// Where secrets are: sorted, disjoint.
    fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = self.find_as_it_stands(bytes);
        if let Some(seen) = Seen::of(bytes) {
            found.extend(self.find_as_it_stands(&seen.bytes).iter().map(|range| seen.place(range)));
        }
        merged(found)
    }

    fn find_as_it_stands(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> =
            self.values.iter().flat_map(|values| values.find_iter(bytes).map(|hit| hit.range())).collect();
        found.extend(self.find_cut(bytes));
        if BEGINNINGS.as_ref().is_some_and(|beginnings| beginnings.find(bytes).is_none()) {
            return found;
        }
        found.extend(TOKENS.iter().flat_map(|tokens| tokens.find_iter(bytes).map(|hit| hit.range())));
        let cut = CUT_TOKENS.iter().flat_map(|tokens| tokens.find_iter(bytes));
        found.extend(cut.map(|hit| hit.start()..hit.end() - CUT.len()));
        let mut from = 0;
        while let Some(key) = keys::find(bytes, from) {
            from = key.end;
            found.push(key);
        }
        found
    }

    /// The beginnings of values that stand right before an ellipsis: excerpts are cut before they are masked.
    fn find_cut(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.spellings.is_empty() {
            return found;
        }
        let mut from = 0;
        for (end, _) in bytes.windows(CUT.len()).enumerate().filter(|(_, bytes)| *bytes == CUT.as_bytes()) {
            let line = bytes[from..end].iter().rposition(|byte| *byte == b'\n').map_or(from, |at| from + at + 1);
            let begins = |start: &usize| {
                let cut = &bytes[*start..end];
                let at = self.spellings.partition_point(|spelling| spelling.as_bytes() < cut);
                self.spellings.get(at).is_some_and(|spelling| spelling.as_bytes().starts_with(cut))
            };
            let first = line.max(end.saturating_sub(self.longest));
            found.extend((first..(end + 1).saturating_sub(SHORTEST)).find(begins).map(|start| start..end));
            from = end + CUT.len();
        }
        found
    }
}

/// Writes `bytes` up to the end of the last range, with the mask in place of each range; gives that end.
fn replace(bytes: &[u8], ranges: impl IntoIterator<Item = Range<usize>>, out: &mut Vec<u8>) -> usize {
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(&bytes[at..range.start]);
        out.extend_from_slice(MASK.as_bytes());
        at = range.end;
    }
    at
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::canary::{PLACEMENTS, SECRET, needle, tokens};
    use super::*;

    fn masker() -> Masker {
        Masker::new(&[Secret::new(SECRET.to_owned()), Secret::new("line one of it\nab\n  line two of it\n".to_owned())])
    }

    #[test]
    fn every_spelling_is_masked() {
        let masker = masker();
        for (how, text) in PLACEMENTS {
            let shown = masker.text(&format!("before {text} after"));
            assert!(shown.contains(MASK) && !shown.contains(&needle(text)), "{how}: {shown}");
            assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{how}: {shown}");
        }
        assert_eq!(masker.text("x line two of it\nline one of it"), "x ***\n***");
        assert_eq!(masker.text("a line one of it\nab\n  line two of it"), "a ***");
    }

    #[test]
    fn wrapped_base64_is_masked_line_by_line() {
        let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~";
        let masker = Masker::new(&[Secret::new(long.to_owned())]);
        let shown =
            masker.text("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTU5PUFFSU1RV\nVldYWVotLl9+");
        assert_eq!(shown, "***\n***");
    }

    #[test]
    fn wrapped_base64_is_masked_wherever_it_begins() {
        use base64::Engine as _;
        let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~";
        let masker = Masker::new(&[Secret::new(long.to_owned())]);
        for (width, before) in [76, 64].into_iter().flat_map(|width| (0..80).map(move |before| (width, before))) {
            let whole = "u".repeat(before) + long + ":x";
            let encoded = base64::engine::general_purpose::STANDARD.encode(whole);
            let lines: Vec<&str> =
                encoded.as_bytes().chunks(width).filter_map(|line| str::from_utf8(line).ok()).collect();
            let left = masker.text(&lines.join("\n")).replace(MASK, "").replace('\n', "");
            // What is not the secret's, and less than seven characters at each end of a line.
            assert!(left.len() < (before + 2) * 4 / 3 + 4 + 2 * 7, "{width}, {before}: {left}");
        }
    }

    #[test]
    fn what_a_shell_quotes_is_masked() {
        let masker = Masker::new(&[Secret::new("Pa$$ w0rd-\"k9`Q\\".to_owned())]);
        for quoted in [r#"declare -x DB="Pa\$\$ w0rd-\"k9\`Q\\""#, r#"DB=Pa\$\$\ w0rd-\"k9\`Q\\"#] {
            let shown = masker.text(quoted);
            assert!(shown.contains(MASK) && !shown.contains("w0rd"), "{shown}");
        }
    }

    #[test]
    fn tokens_are_known_by_their_shape() {
        let masker = Masker::new([]);
        for token in tokens() {
            assert_eq!(masker.mask(&format!("({token})")).replace(')', ""), "(***", "{token}");
        }
        for text in ["ghp_short", "xoxo", "-----BEGIN PUBLIC KEY-----", "AKIA", "nothing at all"] {
            assert!(matches!(masker.mask(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_is_split_by_what_nobody_sees_is_masked() {
        let masker = Masker::new(&[Secret::new("hunter2-VerySecret".to_owned())]);
        let token = tokens().remove(0);
        for unseen in ["\u{1b}[01;31m\u{1b}[K", "\u{200b}", "\u{ad}", "\r", "\u{9b}1m", "\u{1b}]8;;http://x\u{7}", "\0"]
        {
            let split = format!(
                "\u{1b}[1mhunter{unseen}2-Very{unseen}Secret\u{1b}[m,{unseen}{}{unseen}{}\r\n",
                &token[..9],
                &token[9..]
            );
            let mut out = Vec::new();
            let mut stream = MaskStream::new(masker.clone());
            stream.push(split.as_bytes(), &mut out);
            stream.finish(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("\u{1b}[1m***\u{1b}[m,{unseen}***\r\n"), "{unseen:?}");
            assert_eq!(masker.text(&masker.mask(&split)), "***,***\n");
        }
        for unseen in ["\u{1b}[1m", "\0", "\0\0\0"] {
            let once = |at: usize| format!("{}{unseen}{}", &"hunter2-VerySecret"[..at], &"hunter2-VerySecret"[at..]);
            assert_eq!(masker.mask(&format!("{}, {}", once(6), once(17))), "***, ***", "{unseen:?}");
            assert_eq!(masker.mask(&once(0)), format!("{unseen}***"));
        }
        let carriage = Masker::new(&[Secret::new("line\r\nline".to_owned())]);
        assert_eq!(carriage.mask("line\r\nline\u{1b}[m"), "***\u{1b}[m", "what is in a value is looked for as well");
    }

    #[test]
    fn the_beginning_of_a_secret_that_was_cut_is_masked() {
        let masker = masker();
        for (how, text) in PLACEMENTS.iter().filter(|(how, _)| !how.contains("before") && !how.contains("longer")) {
            let whole = format!("before {text}");
            let begins = |at| crate::model::text::clean(&text[at..]).chars().take(SHORTEST).collect();
            let begins: String = text.find("p4ss").map_or_else(|| needle(text), begins);
            for limit in 8..whole.chars().count() {
                let shown = masker.text(&crate::model::text::one_line(&whole, limit));
                assert!(!shown.contains(&begins), "{how}: {shown}");
            }
        }
        let token = tokens().remove(0);
        assert_eq!(masker.mask("p4ss/W0rd… and p4ss/… p4ss…"), "***… and p4ss/… p4ss…");
        assert_eq!(masker.mask("a p4ss/W0rd…\np4ss/W0rd… and p4ss/W0r…"), "a ***…\n***… and ***…");
        assert_eq!(masker.mask(&format!("{}… {}…", &token[..9], &token[..6])), format!("***… {}…", &token[..6]));
    }

    #[test]
    fn short_values_are_left_alone() {
        let masker = Masker::new(&[Secret::new("true".to_owned()), Secret::new("12345\n".to_owned())]);
        assert_eq!(masker.mask("true 12345 dHJ1ZQ=="), "true 12345 dHJ1ZQ==");
    }

    #[test]
    fn a_stream_masks_as_the_whole_does() {
        let masker = masker();
        let secrets: Vec<&str> = PLACEMENTS.iter().map(|(_, text)| *text).collect();
        let keys = tokens();
        let mut text = String::new();
        for turn in 0..9000 {
            text.push_str(match turn % 3 {
                0 => secrets[turn % secrets.len()],
                1 => &keys[turn % keys.len()],
                _ => " words between the secrets, and\n more of them ",
            });
        }
        for size in [1, 7, 4096, 65_537, text.len()] {
            let mut stream = MaskStream::new(masker.clone());
            let mut out = Vec::new();
            // One byte at a time is slow over the whole, and shows the same at the first borders.
            let part = &text.as_bytes()[..if size == 1 { 700_000.min(text.len()) } else { text.len() }];
            for chunk in part.chunks(size) {
                stream.push(chunk, &mut out);
            }
            stream.finish(&mut out);
            let whole = masker.mask(std::str::from_utf8(part).unwrap());
            assert!(out == whole.as_bytes(), "chunks of {size}");
        }
    }
}
