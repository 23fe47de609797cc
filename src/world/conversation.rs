//! Reads of GitHub about people and what they say: a comment as it stands, what its author may do now, a pull request's
//! head. Whatever is not surely told is an error or the least right; it decides nothing.

use serde::Deserialize;

use crate::model::conversation::{Proposal, Role, Written};
use crate::model::sha::Sha;
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::author::User;
use crate::world::line::{Line, segment};

/// GitHub lists so many runs of a branch, a hundred a page.
const PAGES: u32 = 10;

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
        from: from.clone(),
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
    head_repository: Option<Repository>,
    event: String,
    created_at: String,
}

impl Run {
    /// Whether it is of the branch that is proposed, and not of one of the same name elsewhere.
    fn is_of(&self, proposal: &Proposal) -> bool {
        let from = self.head_repository.as_ref().and_then(|from| from.full_name.as_ref());
        self.head_branch.as_ref() == Some(&proposal.branch) && from == proposal.from.as_ref()
    }
}

/// How a pull request's head stands to a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stood {
    /// It was the head then, and has been since.
    Then,
    /// It was not seen on the pull request by then.
    Later,
    /// Another commit was the head then.
    Behind(Sha),
    /// It was pushed, or runs were started for it, since: it may have been away.
    Again,
}

/// Whether a pull request was at its head already at a time (RFC 3339), and has been since. Commits carry whatever date their
/// author likes; which workflows GitHub had started on that branch by then, and for which commits, is GitHub's own word. That
/// it was there once is not enough: it may have been taken away before, and pushed again after what stood there was read.
/// <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>
///
/// # Errors
/// When it was not told.
pub async fn stood_at<F: Forge>(line: &mut Line<F>, proposal: &Proposal, time: &str) -> Result<Stood, Stop> {
    let at = moment(time)?;
    let path = line.path(&format!("/actions/runs?head_sha={}&per_page=100", proposal.head));
    let mut seen = Vec::new();
    for run in line.pages::<Runs>(path).await?.into_iter().flat_map(|page| page.workflow_runs) {
        let is_of = run.head_sha == proposal.head && run.is_of(proposal);
        if is_of && matches!(run.event.as_str(), "pull_request" | "pull_request_target" | "push") {
            seen.push(moment(&run.created_at)?);
        }
    }
    let Some(then) = seen.iter().copied().filter(|created| *created <= at).max() else { return Ok(Stood::Later) };
    if let Some(other) = another_since(line, proposal, then, at).await? {
        return Ok(Stood::Behind(other));
    }
    Ok(if seen.iter().any(|created| *created > at) { Stood::Again } else { Stood::Then })
}

/// The newest other commit that the branch was at after `then`, and by `at`. What `pull_request_target` starts is not asked:
/// it runs the base's code, and is no word about the branch.
async fn another_since<F: Forge>(
    line: &mut Line<F>,
    proposal: &Proposal,
    then: jiff::Timestamp,
    at: jiff::Timestamp,
) -> Result<Option<Sha>, Stop> {
    let branch = segment(&proposal.branch);
    let mut newest: Option<(jiff::Timestamp, Sha)> = None;
    // The newest come first: what is older than the head's own is not asked for.
    for page in 1..=PAGES {
        let path = line.path(&format!("/actions/runs?branch={branch}&per_page=100&page={page}"));
        let runs = line.read::<Runs>(path).await?.workflow_runs;
        let mut is_last = runs.len() < 100;
        for run in runs {
            let created = moment(&run.created_at)?;
            is_last |= created < then;
            let tells = run.is_of(proposal) && matches!(run.event.as_str(), "pull_request" | "push");
            let is_other = tells && run.head_sha != proposal.head && created >= then && created <= at;
            if is_other && newest.as_ref().is_none_or(|(known, _)| *known < created) {
                newest = Some((created, run.head_sha));
            }
        }
        if is_last {
            return Ok(newest.map(|(_, sha)| sha));
        }
    }
    let many = PAGES * 100;
    Err(Stop::Failed(format!(
        "the branch {} had more than {many} runs since, and GitHub lists no more",
        proposal.branch
    )))
}

fn moment(text: &str) -> Result<jiff::Timestamp, Stop> {
    text.parse().map_err(|_| Stop::Failed(format!("{text:?} is no time")))
}
