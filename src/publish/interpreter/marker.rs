//! The hidden first line of our comment or issue: whose it is, which run wrote it, and what it said. Pure.

use std::fmt;

use crate::model::call::{StickyComment, StickyIssue};
use crate::model::outcome::Outcome;
use crate::world::line::segment;

const START: &str = "<!-- gatepost:v1 ";

/// What a marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    key: String,
    /// Run id and attempt.
    pub generation: (u64, u64),
    /// What it told.
    pub verdict: Outcome,
    /// Of the body below it.
    pub hash: String,
}

impl Marker {
    /// The marker of a comment that is to be written.
    #[must_use]
    pub fn of(comment: &StickyComment) -> Self {
        let hash = blake3::hash(comment.body.as_bytes()).to_hex()[..16].to_owned();
        Self { key: segment(&comment.marker), generation: comment.generation, verdict: comment.verdict, hash }
    }

    /// The marker of an issue that is to be written.
    #[must_use]
    pub fn of_issue(issue: &StickyIssue) -> Self {
        let hash = blake3::hash(issue.body.as_bytes()).to_hex()[..16].to_owned();
        Self { key: segment(&issue.marker), generation: issue.generation, verdict: issue.verdict, hash }
    }

    /// The marker in a comment's first line, where that is one in every character.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let line = body.lines().next()?;
        let mut words = line.strip_prefix(START)?.strip_suffix(" -->")?.split(' ');
        let key = words.next()?.strip_prefix("key=")?.to_owned();
        let (run, attempt) = words.next()?.strip_prefix("run=")?.split_once('.')?;
        let verdict = Outcome::of_word(words.next()?.strip_prefix("verdict=")?)?;
        let hash = words.next()?.strip_prefix("hash=")?.to_owned();
        let marker = Self { key, generation: (run.parse().ok()?, attempt.parse().ok()?), verdict, hash };
        (marker.to_string() == line).then_some(marker)
    }

    /// Whether the two mark the same place.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (run, attempt) = self.generation;
        let verdict = self.verdict.word();
        write!(f, "{START}key={} run={run}.{attempt} verdict={verdict} hash={} -->", self.key, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sha::Sha;

    fn comment(marker: &str, body: &str) -> StickyComment {
        let head_sha = Sha::parse(&"a".repeat(40)).unwrap();
        let (marker, body) = (marker.to_owned(), body.to_owned());
        let generation = (u64::MAX, u64::MAX);
        StickyComment { pull_request: 7, head_sha, marker, generation, verdict: Outcome::Fail, body, create: true }
    }

    #[test]
    fn a_marker_is_read_back_as_it_was_written() {
        let marker = Marker::of(&comment("ci --> <b>\n\u{e9}", "hello"));
        let line = marker.to_string();
        assert!(!line[4..line.len() - 3].contains(['<', '>', '\n']), "{line}");
        assert_eq!(Marker::read(&format!("{line}\nhello")), Some(marker.clone()));
        assert_eq!(Marker::read(&format!("{line}\r\nhello")), Some(marker.clone()));
        assert_eq!(marker.generation, (u64::MAX, u64::MAX));
        assert_ne!(marker.hash, Marker::of(&comment("ci", "hello!")).hash);
    }

    #[test]
    fn the_key_tells_places_apart() {
        let [a, b] = ["ci", "nightly"].map(|key| Marker::of(&comment(key, "")));
        assert!(!a.is_beside(&b) && a.is_beside(&a));
    }

    #[test]
    fn anything_that_is_not_exactly_a_marker_on_the_first_line_is_text() {
        let line = Marker::of(&comment("ci", "hello")).to_string();
        for body in [
            format!("hello\n{line}"),
            format!(" {line}"),
            format!("{line} "),
            format!("{line}x"),
            line.replace(" hash", "  hash"),
            line.replace("v1", "v2"),
            line.replace("run=1", "run=+1"),
            line.replace(" -->", " more=1 -->"),
            line.replace("hash=", "mash="),
            line.replace("verdict=fail", "verdict=good"),
            String::new(),
        ] {
            assert_eq!(Marker::read(&body), None, "{body}");
        }
    }
}
