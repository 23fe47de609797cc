//! What is to be said to GitHub, as data. Publishers make these; one interpreter sends them.

use serde::Serialize;

use crate::model::outcome::Outcome;
use crate::model::sha::Sha;

/// Which run speaks. Of the runs of one workflow a newer one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// Id and attempt of the run that judged.
    pub judged: (u64, u64),
    /// Those of the run that tells of it: the same, or one that was woken by it.
    pub told: (u64, u64),
}

impl From<(u64, u64)> for Generation {
    fn from(run: (u64, u64)) -> Self {
        Self { judged: run, told: run }
    }
}

/// One thing to do on GitHub. `key` names it in receipts and lets a create that lost its reply be found again.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// A check run that is complete from its birth, with further pages of annotations.
    CheckRun(CheckRun),
    /// A commit status: what a token that may not write check runs can do.
    CommitStatus(CommitStatus),
    /// The one comment of a pull request: created, updated in place, or left alone.
    StickyComment(StickyComment),
    /// A comment that tells of something while it goes on.
    LiveComment(LiveComment),
    /// A review with fixes to apply; those that stand on the pull request already are left out.
    Review(Review),
    /// The one issue of a marker: opened, updated in place, closed, or left alone.
    StickyIssue(StickyIssue),
    /// News on an issue: opened with them, or told in a comment where one is open.
    News(News),
}

/// A completed check run.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRun {
    /// As [`check_id::name`](crate::model::check_id::name) makes it.
    pub name: String,
    /// The commit it is shown on.
    pub head_sha: Sha,
    /// Names the process, run, gate and attempt, so that a lost reply can be looked up.
    pub external_id: String,
    /// Other jobs of the same run may have made it: one that stands there already and concludes the same is not made again.
    pub already: bool,
    /// It is not made where a run of another event has said worse of the commit under this name: it would hide it.
    pub stands_back: bool,
    /// `success`, `failure`, `neutral`, `skipped` or `cancelled`.
    pub conclusion: &'static str,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub completed_at: String,
    /// At most 255 characters.
    pub title: String,
    /// Markdown, at most 65,535 bytes.
    pub summary: String,
    /// Markdown, at most 65,535 bytes.
    pub text: Option<String>,
    /// A page about the run.
    pub details_url: Option<String>,
    /// In posting order; the interpreter sends pages of 50.
    pub annotations: Vec<Annotation>,
}

/// One annotation, as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// Relative to the root.
    pub path: String,
    /// From 1.
    pub start_line: u32,
    /// Never before `start_line`.
    pub end_line: u32,
    /// Only where start and end are on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    /// Only where start and end are on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// `notice`, `warning` or `failure`.
    pub annotation_level: &'static str,
    /// At most 64 KB.
    pub message: String,
    /// At most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A commit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// The commit.
    pub sha: Sha,
    /// `success`, `failure` or `error`.
    pub state: &'static str,
    /// The name of the check run that it stands for.
    pub context: String,
    /// At most 140 characters.
    pub description: String,
    /// A page about the run.
    pub target_url: Option<String>,
}

/// The one comment of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyComment {
    /// The pull request.
    pub pull_request: u64,
    /// The head it speaks of: when the pull request has moved on, the comment is left alone.
    pub head_sha: Sha,
    /// Identifies our comment among others; believed only with our author.
    pub marker: String,
    /// A comment of a newer generation is not overwritten.
    pub generation: Generation,
    /// The job and the process that speak: what another job said of this head is never replaced by what is greener.
    pub job: String,
    /// See `job`.
    pub made: String,
    /// The verdict it tells.
    pub verdict: Outcome,
    /// Nothing of it is red: no other job is in its way later.
    pub green: bool,
    /// Markdown without the marker, at most 65,536 characters with it.
    pub body: String,
    /// Whether to create it where there is none; a green run only updates what an earlier one left.
    pub create: bool,
}

/// A comment that is made once and then says what is new, whoever continues it: the last word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveComment {
    /// The pull request, or the issue.
    pub pull_request: u64,
    /// Identifies it among others; believed only with our author.
    pub marker: String,
    /// Markdown without the marker, at most 65,536 characters with it.
    pub body: String,
}

/// A review of suggestions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The pull request.
    pub pull_request: u64,
    /// The head whose lines the suggestions replace: when the pull request has moved on, nothing is posted.
    pub head_sha: Sha,
    /// In posting order.
    pub suggestions: Vec<ReviewSuggestion>,
}

/// One suggestion: a comment on lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewSuggestion {
    /// Relative to the root.
    pub path: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Names it among those on the pull request, whatever line it has moved to: 32 hexadecimal digits. Several of one
    /// run have the same where the same lines stand several times in a file.
    pub key: String,
    /// Markdown without the key; with it at most 65,536 characters.
    pub body: String,
}

/// The one issue of a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyIssue {
    /// Identifies our issue among others; believed only with our author.
    pub marker: String,
    /// The marker of earlier versions: where none has ours, one that has this is taken over.
    pub formerly: String,
    /// What a newer generation said is not overwritten.
    pub generation: Generation,
    /// The verdict it tells.
    pub verdict: Outcome,
    /// One line of at most 256 characters.
    pub title: String,
    /// Markdown without the marker, at most 65,536 characters with it.
    pub body: String,
    /// Whether there is something to do: otherwise the issue is closed, where there is one.
    pub open: bool,
}

/// News about something that is wrong. Unlike what is updated in place, each is seen by whoever follows the issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What they are about: of one key there is one open issue.
    pub key: String,
    /// Names these news, so that they are told once.
    pub id: String,
    /// At most 256 characters.
    pub title: String,
    /// Markdown; with its marker at most 65,536 characters.
    pub body: String,
    /// Labels of an issue that is opened; by the first one it is looked for.
    pub labels: Vec<String>,
    /// Whether one is opened where there is none.
    pub opens: bool,
    /// Whether it is closed after these news.
    pub closes: bool,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it was about (`check run gatepost/lint`, `comment on #7`).
    pub what: String,
    /// How it ended.
    pub end: ReceiptEnd,
}

/// The ends of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptEnd {
    /// It stands on GitHub; the link where there is one.
    Posted(Option<String>),
    /// It was already so.
    Unchanged(String),
    /// It was left alone on purpose, and why (the head moved, a newer run spoke).
    LeftAlone(String),
    /// It was posted in a lesser way, or in part, and why.
    Downgraded(String),
    /// It could not be posted, and why.
    Failed(String),
    /// The token may not write there, as those of forks may not.
    Denied(String),
    /// `--dry-run`: these requests would have been sent; empty without a token, as GitHub is asked first what there is.
    WouldSend(String),
}
