//! What is said to and asked of GitHub while a comment is answered: reactions, the reply, what the gates said, and runs that
//! are started again. It decides nothing.

mod reply;
mod runs;

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::model::conversation::{Proposal, Role, Written};
use crate::model::secret::Secret;
use crate::model::sha::Sha;
use crate::world::conversation::{self, Stood};
use crate::world::forge::{ForgeError, Method, Request};
use crate::world::github::GitHub;
use crate::world::line::answer::Stop;
use crate::world::line::author::Identity;
use crate::world::line::pace::Pace;
use crate::world::line::{Kind, Line, Missing, segment};

pub use reply::{Claim, Claimed, Reply};
pub use runs::{Judged, Run, Started};

/// How long one thing may wait for retries and rate limits.
const PATIENCE: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Debug)]
pub struct Talk {
    line: Line<GitHub>,
    repository: String,
    me: Identity,
}

#[derive(Deserialize)]
struct Repository {
    default_branch: String,
}

#[derive(Deserialize)]
struct Named {
    sha: Sha,
}

impl Talk {
    /// About `repository` (`owner/name`). Sends nothing yet; under a dry run it only reads.
    ///
    /// # Errors
    /// When the API's address is none.
    pub fn open(api: &str, token: Secret, repository: &str, dry: bool) -> Result<Self, ForgeError> {
        let line = Line::new(GitHub::new(api, token)?, repository, Pace::default(), dry);
        Ok(Self { line, repository: repository.to_owned(), me: Identity::default() })
    }

    fn line(&mut self) -> &mut Line<GitHub> {
        self.line.allow_more(PATIENCE);
        &mut self.line
    }

    /// What a dry run would have sent since the last time.
    pub fn take_planned(&mut self) -> Vec<String> {
        self.line.take_planned()
    }

    /// A comment as it stands; `None` where it is gone.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn comment(&mut self, id: u64) -> Result<Option<Written>, Stop> {
        conversation::comment(self.line(), id).await
    }

    /// What somebody may do now.
    ///
    /// # Errors
    /// When it was not told.
    pub async fn role(&mut self, login: &str) -> Result<Role, Stop> {
        conversation::role(self.line(), login).await
    }

    /// A pull request; `None` where the number is another issue's.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn proposal(&mut self, number: u64) -> Result<Option<Proposal>, Stop> {
        let repository = self.repository.clone();
        match conversation::proposal(self.line(), &repository, number).await {
            Ok(found) => Ok(Some(found)),
            Err(stop) if stop.refused_with(404).is_some() => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// Whether a pull request was at its head already at a time (RFC 3339), and has been since.
    ///
    /// # Errors
    /// When it was not told.
    pub async fn stood_at(&mut self, proposal: &Proposal, time: &str) -> Result<Stood, Stop> {
        conversation::stood_at(self.line(), proposal, time).await
    }

    /// Where the default branch is now.
    ///
    /// # Errors
    /// When it was not got.
    pub async fn default_head(&mut self) -> Result<Sha, Stop> {
        let line = self.line();
        let repository: Repository = line.read(line.path("")).await?;
        let path = line.path(&format!("/commits/{}", segment(&repository.default_branch)));
        Ok(line.read::<Named>(path).await?.sha)
    }

    /// Reacts to a comment. The same reaction made twice is one.
    /// <https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment>
    ///
    /// # Errors
    /// When it was refused, or did not get there.
    pub async fn react(&mut self, comment: u64, content: &'static str) -> Result<(), Stop> {
        let line = self.line();
        let path = line.path(&format!("/issues/comments/{comment}/reactions"));
        let request = Request { method: Method::Post, path, body: Some(json!({ "content": content })) };
        line.repeat(&request, Kind::Write, Missing::Gone).await.map(|_| ())
    }
}
