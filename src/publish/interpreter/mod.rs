//! Sends calls to GitHub, one at a time, and leaves a receipt for each: retries, rate limits, lesser ways where the
//! token may not write. It decides nothing about verdicts, and one failing call never loses the others.

mod baseline;
mod check_run;
mod comment;
mod issue;
mod live;
mod marker;
mod news;
mod reads;
mod review;
mod status;
#[cfg(test)]
mod tests;
mod triggered;
mod workflow;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::call::{
    Call, CheckRun, CommitStatus, LiveComment, News, Receipt, ReceiptEnd, Review, StickyComment, StickyIssue,
};
use crate::model::sha::Sha;
use crate::publish::commit_status;
use crate::world::forge::Forge;

use crate::world::line::Line;
use crate::world::line::author::Identity;

pub use crate::world::line::answer::Stop;
pub use crate::world::line::pace::Pace;
pub use crate::world::line::segment;
pub use baseline::{ARTIFACT, Kept, NotKept};

/// How calls are sent.
#[derive(Debug, Clone)]
pub struct Options {
    /// `owner/name`.
    pub repository: String,
    /// How long posting may wait in all, over the whole run, for retries and rate limits. Check runs, which are
    /// given up last, may wait twice as long.
    pub patience: Duration,
    /// Reads, but only says what it would write.
    pub dry_run: bool,
    /// The waits; other than the default in tests only.
    pub pace: Pace,
}

/// What the token may do about checks, as far as GitHub has told.
#[derive(Debug, Default)]
enum Checks {
    /// Check runs, until GitHub refuses one.
    #[default]
    Runs,
    /// No check runs: commit statuses of the same names.
    Statuses,
    /// Neither.
    Nothing,
}

/// Sends the calls of one run; knows what GitHub has refused and how fast it may go. Lives as long as the run.
#[derive(Debug)]
pub struct Interpreter<F> {
    line: Line<F>,
    repository: String,
    patience: Duration,
    me: Identity,
    checks: Checks,
    comments_denied: Option<ReceiptEnd>,
    /// The ids of live comments by their first lines; `None` for one that somebody deleted.
    live: BTreeMap<String, Option<u64>>,
}

impl<F: Forge> Interpreter<F> {
    /// Sends through `forge`. Nothing is sent yet.
    pub fn new(forge: F, options: &Options) -> Self {
        let mut line = Line::new(forge, &options.repository, options.pace, options.dry_run);
        line.allow(options.patience);
        Self {
            line,
            repository: options.repository.clone(),
            patience: options.patience,
            me: Identity::default(),
            checks: Checks::default(),
            comments_denied: None,
            live: BTreeMap::new(),
        }
    }

    /// Sends one call. Whatever happens is in the receipt.
    pub async fn send(&mut self, call: &Call) -> Receipt {
        let (what, end) = match call {
            Call::CheckRun(run) => (format!("check run {}", run.name), self.check_run(run).await),
            Call::CommitStatus(status) => (format!("commit status {}", status.context), self.status(status).await),
            Call::StickyComment(comment) => {
                (format!("comment on #{}", comment.pull_request), self.comment(comment).await)
            }
            Call::LiveComment(comment) => (format!("comment on #{}", comment.pull_request), self.live(comment).await),
            Call::Review(review) => {
                (format!("review suggestions on #{}", review.pull_request), self.review(review).await)
            }
            Call::StickyIssue(issue) => (format!("issue {:?}", issue.title), self.issue(issue).await),
            Call::News(news) => (format!("issue about {}", news.key), self.news(news).await),
        };
        let planned = self.line.take_planned();
        let end = match end {
            _ if !planned.is_empty() => ReceiptEnd::WouldSend(planned.join("\n")),
            Ok(end) => end,
            Err(stop) => ReceiptEnd::Failed(stop.to_string()),
        };
        tracing::debug!(what, ?end, "sent");
        Receipt { what, end }
    }

    /// Sends calls in their order; a receipt for each.
    pub async fn send_all(&mut self, calls: &[Call]) -> Vec<Receipt> {
        let mut receipts = Vec::with_capacity(calls.len());
        for call in calls {
            receipts.push(self.send(call).await);
        }
        receipts
    }

    /// The merge base of two commits or branches, as GitHub sees it.
    ///
    /// # Errors
    /// When it was not got, or there is none.
    pub async fn merge_base(&mut self, base: &str, head: &str) -> Result<Sha, Stop> {
        self.line.allow(self.patience);
        reads::merge_base(&mut self.line, base, head).await
    }

    /// Where a pull request's branch is now.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn pull_request_head(&mut self, number: u64) -> Result<Sha, Stop> {
        self.line.allow(self.patience);
        reads::pull_request_head(&mut self.line, number).await
    }

    /// The pull request that a commit came from; `None` where it came from none.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn pull_request_of(&mut self, sha: &Sha) -> Result<Option<u64>, Stop> {
        self.line.allow_more(self.patience);
        reads::pull_request_of(&mut self.line, sha).await
    }

    /// The report that a push to `branch` left behind, of `base` or of the nearest commit before it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn kept_report(&mut self, base: &Sha, branch: &str) -> Result<Kept, NotKept> {
        self.line.allow(self.patience);
        baseline::find(&mut self.line, &self.repository, base, branch).await
    }

    async fn check_run(&mut self, run: &CheckRun) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience * 2);
        if matches!(self.checks, Checks::Runs) {
            match check_run::post(&mut self.line, run).await {
                Err(stop) if is_not_an_app(&stop) => self.checks = Checks::Statuses,
                Err(stop) if stop.is_of_rights() => {
                    self.checks = Checks::Nothing;
                    return Ok(ReceiptEnd::Denied(read_only("checks: write", &stop)));
                }
                other => return other,
            }
        }
        if matches!(self.checks, Checks::Nothing) {
            return Ok(ReceiptEnd::Denied("the token may not write checks, as said above".to_owned()));
        }
        match status::post(&mut self.line, &commit_status::instead_of(run), run.stands_back).await {
            Ok(ReceiptEnd::LeftAlone(why)) => Ok(ReceiptEnd::LeftAlone(why)),
            Ok(_) => Ok(ReceiptEnd::Downgraded(
                "posted as a commit status: GitHub lets only an app's token write check runs".to_owned(),
            )),
            Err(stop) if stop.is_of_rights() => {
                self.checks = Checks::Nothing;
                Ok(ReceiptEnd::Denied(read_only("statuses: write", &stop)))
            }
            Err(stop) => Err(stop),
        }
    }

    /// Posts a check run, and nothing in its place where the token may not: what a status cannot say is not said by one.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn only_as_check_run(&mut self, run: &CheckRun) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience * 2);
        check_run::post(&mut self.line, run).await
    }

    async fn status(&mut self, status: &CommitStatus) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience * 2);
        match status::post(&mut self.line, status, false).await {
            Err(stop) if stop.is_of_rights() => Ok(ReceiptEnd::Denied(read_only("statuses: write", &stop))),
            other => other,
        }
    }

    async fn comment(&mut self, comment: &StickyComment) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience);
        if let Some(end) = &self.comments_denied {
            return Ok(end.clone());
        }
        match comment::post(&mut self.line, &mut self.me, comment).await {
            Err(stop) if stop.is_of_rights() || stop.is_of_a_lock() => Ok(self.deny_comments(&stop)),
            other => other,
        }
    }

    async fn live(&mut self, comment: &LiveComment) -> Result<ReceiptEnd, Stop> {
        // Something may go on for longer than any one word may wait.
        self.line.allow_more(self.patience);
        if let Some(end) = &self.comments_denied {
            return Ok(end.clone());
        }
        match live::post(&mut self.line, &mut self.me, &mut self.live, comment).await {
            Err(stop) if stop.is_of_rights() || stop.is_of_a_lock() => Ok(self.deny_comments(&stop)),
            other => other,
        }
    }

    async fn news(&mut self, news: &News) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience);
        news::post(&mut self.line, &mut self.me, news).await
    }

    async fn review(&mut self, review: &Review) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience);
        if let Some(end) = &self.comments_denied {
            return Ok(end.clone());
        }
        match review::post(&mut self.line, &mut self.me, review).await {
            Err(stop) if stop.is_of_rights() || stop.is_of_a_lock() => Ok(self.deny_comments(&stop)),
            Err(Stop::Limited(why)) => Ok(ReceiptEnd::Downgraded(format!("left to the annotations: {why}"))),
            other => other,
        }
    }

    /// No other comment is tried.
    fn deny_comments(&mut self, stop: &Stop) -> ReceiptEnd {
        let end = unwritable("pull-requests: write", stop);
        let again = "no comment may be written, as said above".to_owned();
        let is_left = matches!(end, ReceiptEnd::LeftAlone(_));
        self.comments_denied = Some(if is_left { ReceiptEnd::LeftAlone(again) } else { ReceiptEnd::Denied(again) });
        end
    }

    async fn issue(&mut self, issue: &StickyIssue) -> Result<ReceiptEnd, Stop> {
        self.line.allow(self.patience);
        match issue::post(&mut self.line, &mut self.me, issue).await {
            Err(stop) if stop.is_of_rights() || stop.is_of_a_lock() => Ok(unwritable("issues: write", &stop)),
            Err(stop) if stop.refused_with(410).is_some() => {
                Ok(ReceiptEnd::LeftAlone("issues are switched off in this repository".to_owned()))
            }
            other => other,
        }
    }
}

/// GitHub's words for a token that is a person's: <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
fn is_not_an_app(stop: &Stop) -> bool {
    stop.refused_with(403).is_some_and(|words| {
        words.contains("authenticate via a GitHub App") || words.contains("not accessible by personal access token")
    })
}

/// Why a comment or an issue is not there. What people have locked is left alone, with any token.
fn unwritable(permission: &str, stop: &Stop) -> ReceiptEnd {
    if stop.is_of_a_lock() {
        return ReceiptEnd::LeftAlone(format!("the conversation is locked; {stop}"));
    }
    ReceiptEnd::Denied(read_only(permission, stop))
}

fn read_only(permission: &str, stop: &Stop) -> String {
    format!(
        "the token may only read here (it needs `{permission}`; for pull requests from forks GitHub never grants it); {stop}"
    )
}
