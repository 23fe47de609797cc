//! Posts a commit status: what a token can do that may not write check runs.

use serde::Deserialize;
use serde_json::json;

use crate::model::call::{CommitStatus, ReceiptEnd};
use crate::world::forge::{Forge, Method, Request};
use crate::world::line::answer::Stop;
use crate::world::line::{Creation, Kind, Line};

/// Posts it.
///
/// # Errors
/// When it could not be made.
pub async fn post<F: Forge>(line: &mut Line<F>, status: &CommitStatus, stands_back: bool) -> Result<ReceiptEnd, Stop> {
    if stands_back && status.state == "success" && is_worse_elsewhere(line, status).await? {
        let why = "another run has said worse of this commit, which this one would hide; it looked at less, or at something else";
        return Ok(ReceiptEnd::LeftAlone(why.to_owned()));
    }
    line.create(&New(status)).await?;
    Ok(ReceiptEnd::Posted(status.target_url.clone()))
}

/// Whether the newest status of this name is worse, and of another run: a status says no more of who made it.
async fn is_worse_elsewhere<F: Forge>(line: &mut Line<F>, status: &CommitStatus) -> Result<bool, Stop> {
    let newest = newest(line, status).await.map_err(|stop| match stop {
        stop if stop.is_of_rights() => stop,
        stop => {
            Stop::Failed(format!("it is not posted, as whether it would hide a worse one could not be read: {stop}"))
        }
    })?;
    Ok(newest.is_some_and(|made| made.state != "success" && made.target_url != status.target_url))
}

/// The newest of this name.
async fn newest<F: Forge>(line: &mut Line<F>, status: &CommitStatus) -> Result<Option<Made>, Stop> {
    let path = line.path(&format!("/commits/{}/statuses?per_page=100", status.sha));
    // Newest first.
    Ok(line.pages::<Vec<Made>>(path).await?.into_iter().flatten().find(|made| made.context == status.context))
}

/// A status that is to be created. It has no key: a newest one that says the same is as good as ours.
struct New<'a>(&'a CommitStatus);

#[derive(Default, Deserialize)]
struct Made {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
}

impl Creation for New<'_> {
    type Made = Made;

    /// <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>
    fn request(&self, root: &str) -> Request {
        let status = self.0;
        let mut body = json!({ "state": status.state, "context": status.context, "description": status.description });
        if let Some(url) = &status.target_url {
            body["target_url"] = json!(url);
        }
        Request { method: Method::Post, path: format!("{root}/statuses/{}", status.sha), body: Some(body) }
    }

    fn kind(&self) -> Kind {
        Kind::Write
    }

    async fn find<F: Forge>(&self, line: &mut Line<F>) -> Result<Option<Made>, Stop> {
        let newest = newest(line, self.0).await?;
        Ok(newest.filter(|made| {
            made.state == self.0.state
                && made.description.as_deref().unwrap_or_default() == self.0.description
                && made.target_url == self.0.target_url
        }))
    }
}
