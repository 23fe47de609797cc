//! The one comment about a deployment: on the pull request that its commit came from, or where a comment asked for it. At
//! most one request every few seconds; without a pull request, or with the ledger in the repository, there is none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::app::site::Site;
use crate::mask::Masker;
use crate::model::call::{Call, Receipt, ReceiptEnd};
use crate::model::sha::Sha;
use crate::model::story::Story;
use crate::publish::deployed;
use crate::publish::interpreter::{Interpreter, Options, Pace};
use crate::world::github::GitHub;

/// The least time between two words; the last one does not wait.
const GAP: Duration = Duration::from_secs(5);
/// The most words before the last one.
const WORDS: usize = 120;
/// How long one word may wait for GitHub.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the comment is to say.
#[derive(Debug, Clone)]
pub struct Page {
    /// The deployment that began it.
    pub deployment: String,
    /// The commit whose pull request is told.
    pub origin: Sha,
    /// All of it.
    pub story: Story,
}

/// Writes it.
pub struct Writer {
    interpreter: Interpreter<GitHub>,
    /// The pull request whose comment asked for the deploy.
    asked_on: Option<u64>,
    /// By commit.
    pulls: BTreeMap<Sha, Option<u64>>,
    server: String,
    masker: Masker,
}

impl Writer {
    /// `None` where the ledger is not on GitHub, and where a reply to a comment tells of it.
    pub fn new(site: &Site) -> Option<Self> {
        let remote = site.remote.as_ref().filter(|_| site.ledger.is_on_github() && !site.by_comment)?;
        // The ledger was opened with the same address.
        let forge = GitHub::new(&remote.api, remote.token.clone()).ok()?;
        let (repository, dry_run) = (remote.repository.clone(), site.dry_run);
        let options = Options { repository, patience: PATIENCE, dry_run, pace: Pace::default() };
        Some(Self {
            interpreter: Interpreter::new(forge, &options),
            asked_on: site.occasion.pull_request.filter(|_| site.occasion.event == "issue_comment"),
            pulls: BTreeMap::new(),
            server: super::server(site).to_owned(),
            masker: site.masker.clone(),
        })
    }

    /// Writes a page; `None` where there is no pull request.
    async fn write(&mut self, page: &Page) -> Option<Receipt> {
        let pull = match self.asked_on.or_else(|| self.pulls.get(&page.origin).copied().flatten()) {
            Some(pull) => pull,
            None if self.pulls.contains_key(&page.origin) => return None,
            None => match self.interpreter.pull_request_of(&page.origin).await {
                Ok(found) => {
                    self.pulls.insert(page.origin.clone(), found);
                    found?
                }
                Err(stop) => {
                    let why = format!("its pull request is not known: {stop}");
                    return Some(Receipt { what: "comment about it".to_owned(), end: ReceiptEnd::Failed(why) });
                }
            },
        };
        let mut comment = deployed::comment(&page.story, &self.server, pull, &page.deployment);
        comment.body = self.masker.mask(&comment.body).into_owned();
        Some(self.interpreter.send(&Call::LiveComment(comment)).await)
    }
}

/// Keeps the comment up to date until the last page was written. The newest receipt is in `last`.
pub async fn keep(
    pages: &mut watch::Receiver<Option<Page>>,
    writer: Option<&mut Writer>,
    last: &RefCell<Option<Receipt>>,
) {
    let Some(writer) = writer else { return };
    let (mut next, mut is_new, mut words) = (Instant::now(), false, 0);
    loop {
        let ended = tokio::select! {
            changed = pages.changed() => changed.is_err(),
            () = sleep_until(next), if is_new && words < WORDS => false,
        };
        is_new |= !ended;
        let page = pages.borrow_and_update().clone();
        if let Some(page) = page.filter(|_| is_new) {
            let is_last = ended || page.story.ending.is_some();
            if is_last || (Instant::now() >= next && words < WORDS) {
                last.replace(writer.write(&page).await);
                (next, is_new, words) = (Instant::now() + GAP, false, words + 1);
            }
        }
        if ended {
            return;
        }
    }
}
