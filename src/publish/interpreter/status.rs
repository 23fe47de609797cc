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
pub async fn post<F: Forge>(line: &mut Line<F>, status: &CommitStatus) -> Result<ReceiptEnd, Stop> {
    line.create(&New(status)).await?;
    Ok(ReceiptEnd::Posted(status.target_url.clone()))
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
        let path = line.path(&format!("/commits/{}/statuses?per_page=100", self.0.sha));
        // Newest first.
        let newest =
            line.pages::<Vec<Made>>(path).await?.into_iter().flatten().find(|made| made.context == self.0.context);
        Ok(newest.filter(|made| {
            made.state == self.0.state
                && made.description.as_deref().unwrap_or_default() == self.0.description
                && made.target_url == self.0.target_url
        }))
    }
}
