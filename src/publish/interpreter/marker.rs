//! The hidden first line of our comment or issue: whose it is, which run wrote it, what it said, and who else has something
//! to say before it may turn green. Pure.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::call::{Generation, StickyComment, StickyIssue};
use crate::model::outcome::Outcome;
use crate::world::line::segment;

const START: &str = "<!-- gatepost:v1 ";

/// The most jobs that are told apart.
const MOST: usize = 100;

/// What a marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    key: String,
    /// Which run wrote it.
    pub generation: Generation,
    /// What it told.
    pub verdict: Outcome,
    /// Of the body below it.
    pub hash: String,
    /// The commit that it speaks of; `-` for an issue.
    pub head: String,
    /// The jobs that ended red for that commit, and have not ended better since.
    pub open: BTreeSet<Open>,
}

/// A job that ended red.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// When.
    pub generation: Generation,
    /// Which.
    pub job: String,
    /// Its process: legs of a matrix may be one job.
    pub made: String,
}

impl Open {
    /// What a comment that is red adds.
    #[must_use]
    pub fn of(comment: &StickyComment) -> Self {
        Self { generation: comment.generation, job: comment.job.clone(), made: comment.made.clone() }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '@');
        let (job, made) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Self { generation: read(parts.next()?)?, job, made })
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}@{}", self.job, self.made, written(self.generation))
    }
}

impl Marker {
    /// The marker of a comment that is to be written, where no other job is in its way.
    #[must_use]
    pub fn of(comment: &StickyComment) -> Self {
        Self {
            key: segment(&comment.marker),
            generation: comment.generation,
            verdict: comment.verdict,
            hash: hash(&comment.body),
            head: comment.head_sha.short().to_owned(),
            open: (!comment.green).then(|| Open::of(comment)).into_iter().collect(),
        }
    }

    /// The marker of an issue that is to be written.
    #[must_use]
    pub fn of_issue(issue: &StickyIssue) -> Self {
        Self {
            key: segment(&issue.marker),
            generation: issue.generation,
            verdict: issue.verdict,
            hash: hash(&issue.body),
            head: "-".to_owned(),
            open: BTreeSet::new(),
        }
    }

    /// The marker in a comment's first line, where that is one in every character.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let line = body.lines().next()?;
        let mut words = line.strip_prefix(START)?.strip_suffix(" -->")?.split(' ');
        let mut word = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
        let key = word("key")?.to_owned();
        let generation = read(word("run")?)?;
        let verdict = Outcome::of_word(word("verdict")?)?;
        let hash = word("hash")?.to_owned();
        let head = word("head")?.to_owned();
        let open = word("open")?.split(',').filter(|text| !text.is_empty()).map(Open::read).collect::<Option<_>>()?;
        let marker = Self { key, generation, verdict, hash, head, open };
        (marker.to_string() == line).then_some(marker)
    }

    /// Whether the two mark the same place.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Whether it marks the place of this key.
    #[must_use]
    pub fn is_of(&self, key: &str) -> bool {
        self.key == segment(key)
    }

    /// Says that these jobs ended red too. Where they are too many to be told apart, none of them can end better.
    pub fn keep_open(&mut self, more: impl IntoIterator<Item = Open>) {
        self.open.extend(more);
        while self.open.len() > MOST {
            self.open.pop_last();
            let nobody = Open { generation: Generation::default(), job: "more".to_owned(), made: "-".to_owned() };
            self.open.insert(nobody);
        }
    }
}

fn hash(body: &str) -> String {
    blake3::hash(body.as_bytes()).to_hex()[..16].to_owned()
}

/// `RUN.ATTEMPT`, and again of the run that tells where it is another.
fn written(Generation { judged, told }: Generation) -> String {
    let further = if told == judged { String::new() } else { format!(".{}.{}", told.0, told.1) };
    format!("{}.{}{further}", judged.0, judged.1)
}

fn read(text: &str) -> Option<Generation> {
    let numbers: Vec<u64> = text.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    match numbers[..] {
        [run, attempt] => Some((run, attempt).into()),
        [run, attempt, by, again] => Some(Generation { judged: (run, attempt), told: (by, again) }),
        _ => None,
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, generation, verdict, hash, head, open } = self;
        let (run, verdict) = (written(*generation), verdict.word());
        let open = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        write!(f, "{START}key={key} run={run} verdict={verdict} hash={hash} head={head} open={open} -->")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sha::Sha;

    fn comment(marker: &str, body: &str) -> StickyComment {
        let head_sha = Sha::parse(&"a".repeat(40)).unwrap();
        let (marker, body) = (marker.to_owned(), body.to_owned());
        StickyComment {
            pull_request: 7,
            head_sha,
            marker,
            generation: Generation { judged: (u64::MAX, u64::MAX), told: (u64::MAX, 1) },
            job: "0a1b2c3d".to_owned(),
            made: "-".to_owned(),
            verdict: Outcome::Fail,
            green: false,
            body,
            create: true,
        }
    }

    #[test]
    fn a_marker_is_read_back_as_it_was_written() {
        let marker = Marker::of(&comment("ci --> <b>\n\u{e9}", "hello"));
        let line = marker.to_string();
        assert!(!line[4..line.len() - 3].contains(['<', '>', '\n']), "{line}");
        assert_eq!(Marker::read(&format!("{line}\nhello")), Some(marker.clone()));
        assert_eq!(Marker::read(&format!("{line}\r\nhello")), Some(marker.clone()));
        assert_eq!(marker.generation.judged, (u64::MAX, u64::MAX));
        let green = Marker { open: BTreeSet::new(), generation: (5, 1).into(), ..marker.clone() };
        assert_eq!(Marker::read(&green.to_string()), Some(green));
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
            line.replace("open=", "open=,"),
            line.replace("@-@", "@"),
            line.replace(" -->", " more=1 -->"),
            line.replace("hash=", "mash="),
            line.replace("verdict=fail", "verdict=good"),
            String::new(),
        ] {
            assert_eq!(Marker::read(&body), None, "{body}");
        }
    }

    #[test]
    fn more_jobs_than_are_told_apart_stay_open() {
        let one = |at: usize| Open { generation: (5, 1).into(), job: format!("{at:08x}"), made: "0a1b2c3d".to_owned() };
        let mut marker = Marker::of(&comment("ci", ""));
        marker.keep_open((0..500).map(one));
        assert_eq!((marker.open.len(), marker.open.iter().filter(|one| one.job == "more").count()), (MOST, 1));
        assert_eq!(Marker::read(&marker.to_string()), Some(marker.clone()));
        assert!(marker.to_string().len() < 5_000, "there is room for it");
    }
}
