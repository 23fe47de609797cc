//! Posts a commit status: what a token can do that may not write check runs.

use serde::Deserialize;
use serde_json::json;

use crate::model::call::{CheckRun, CommitStatus, ReceiptEnd};
use crate::model::text::one_line;
use crate::publish::interpreter::answer::Stop;
use crate::publish::interpreter::line::{Creation, Kind, Line};
use crate::world::forge::{Forge, Method, Request};

/// The most characters of a status's description.
const DESCRIPTION_LIMIT: usize = 140;

/// Posts it.
///
/// # Errors
/// When it could not be made.
pub async fn post<F: Forge>(line: &mut Line<F>, status: &CommitStatus) -> Result<ReceiptEnd, Stop> {
    line.create(&New(status)).await?;
    Ok(ReceiptEnd::Posted(status.target_url.clone()))
}

/// What a check run says, as far as a status can; never greener.
#[must_use]
pub fn of_check_run(run: &CheckRun) -> CommitStatus {
    let state = match run.conclusion {
        "success" | "neutral" | "skipped" => "success",
        "failure" => "failure",
        _ => "error",
    };
    CommitStatus {
        sha: run.head_sha.clone(),
        state,
        context: run.name.clone(),
        description: run.title.clone(),
        target_url: run.details_url.clone(),
    }
}

/// A status that is to be created. It has no key: a newest one that says the same is as good as ours.
struct New<'a>(&'a CommitStatus);

impl New<'_> {
    fn description(&self) -> String {
        one_line(&self.0.description, DESCRIPTION_LIMIT)
    }
}

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
        let mut body = json!({ "state": status.state, "context": status.context, "description": self.description() });
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
                && made.description.as_deref().unwrap_or_default() == self.description()
                && made.target_url == self.0.target_url
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sha::Sha;

    #[test]
    fn a_status_is_never_greener_than_its_check_run() {
        let states = ["success", "neutral", "skipped", "failure", "cancelled", "timed_out"].map(|conclusion| {
            let run = CheckRun {
                name: "gatepost/lint".to_owned(),
                head_sha: Sha::parse(&"a".repeat(40)).unwrap(),
                external_id: "1".to_owned(),
                conclusion,
                started_at: String::new(),
                completed_at: String::new(),
                title: "t".to_owned(),
                summary: String::new(),
                text: None,
                details_url: Some("https://x".to_owned()),
                annotations: Vec::new(),
            };
            let status = of_check_run(&run);
            assert_eq!((&*status.context, &*status.description), ("gatepost/lint", "t"));
            assert_eq!((status.target_url, status.sha), (run.details_url, run.head_sha));
            status.state
        });
        assert_eq!(states, ["success", "success", "success", "failure", "error", "error"]);
    }
}
