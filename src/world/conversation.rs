//! Reads of GitHub about people and what they say: a comment as it stands, what its author may do now, a pull request's
//! head. Whatever is not surely told is an error or the least right; it decides nothing.

use serde::Deserialize;

use crate::model::conversation::{Proposal, Role, Written};
use crate::model::sha::Sha;
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::author::User;
use crate::world::line::{Line, segment};

#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    html_url: String,
    issue_url: String,
    user: Option<User>,
    #[serde(default)]
    body: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
    #[serde(default)]
    role_name: String,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: String,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: Sha,
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
}

/// A comment as it stands; `None` where it is gone.
///
/// # Errors
/// When it was not got.
pub async fn comment<F: Forge>(line: &mut Line<F>, id: u64) -> Result<Option<Written>, Stop> {
    let found: Comment = match line.read(line.path(&format!("/issues/comments/{id}"))).await {
        Ok(found) => found,
        Err(stop) if [404, 410].iter().any(|status| stop.refused_with(*status).is_some()) => return Ok(None),
        Err(stop) => return Err(stop),
    };
    let issue = found.issue_url.rsplit('/').next().and_then(|number| number.parse().ok());
    let issue = issue.ok_or_else(|| Stop::Failed(format!("what comment {id} is on is not told")))?;
    Ok(Some(Written {
        id: found.id,
        issue,
        by_bot: found.user.as_ref().is_some_and(User::is_bot),
        author: found.user.map(|user| user.login),
        body: found.body.unwrap_or_default(),
        is_edited: found.updated_at != found.created_at,
        created_at: found.created_at,
        url: found.html_url,
    }))
}

/// What somebody may do now. Who is not there may do nothing.
///
/// # Errors
/// When it was not told.
pub async fn role<F: Forge>(line: &mut Line<F>, login: &str) -> Result<Role, Stop> {
    let path = line.path(&format!("/collaborators/{}/permission", segment(login)));
    match line.read::<Permission>(path).await {
        Ok(found) => Ok(Role::of_words(&found.permission, &found.role_name)),
        Err(stop) if stop.refused_with(404).is_some() => Ok(Role::Reader),
        Err(stop) => Err(stop),
    }
}

/// A pull request of `repository` (`owner/name`).
///
/// # Errors
/// When it was not got.
pub async fn proposal<F: Forge>(line: &mut Line<F>, repository: &str, number: u64) -> Result<Proposal, Stop> {
    let found: Pull = line.read(line.path(&format!("/pulls/{number}"))).await?;
    let from = found.head.repo.and_then(|repository| repository.full_name);
    Ok(Proposal {
        number: found.number,
        head: found.head.sha,
        branch: found.head.branch,
        // GitHub writes names as their owner does, and tells them apart whatever the case.
        is_fork: from.is_none_or(|from| !from.eq_ignore_ascii_case(repository)),
        is_open: found.state == "open",
    })
}

#[derive(Deserialize)]
struct Runs {
    workflow_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    head_sha: Sha,
    head_branch: Option<String>,
    event: String,
    created_at: String,
}

/// Whether a pull request was at its head already at a time (RFC 3339). Commits carry whatever date their author likes; that
/// GitHub had started a workflow for that commit on that branch by then is GitHub's own word.
/// <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>
///
/// # Errors
/// When it was not told.
pub async fn stood_before<F: Forge>(line: &mut Line<F>, proposal: &Proposal, time: &str) -> Result<bool, Stop> {
    let unclear = |text: &str| Stop::Failed(format!("{text:?} is no time"));
    let time: jiff::Timestamp = time.parse().map_err(|_| unclear(time))?;
    let path = line.path(&format!("/actions/runs?head_sha={}&per_page=100", proposal.head));
    for run in line.pages::<Runs>(path).await?.into_iter().flat_map(|page| page.workflow_runs) {
        let is_of = run.head_sha == proposal.head && run.head_branch.as_ref() == Some(&proposal.branch);
        let tells = is_of && matches!(run.event.as_str(), "pull_request" | "pull_request_target" | "push");
        let created: jiff::Timestamp = run.created_at.parse().map_err(|_| unclear(&run.created_at))?;
        if tells && created <= time {
            return Ok(true);
        }
    }
    Ok(false)
}
