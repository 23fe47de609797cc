//! What is read for others: the merge base of a comparison, the head of a pull request.

use serde::Deserialize;

use crate::model::sha::Sha;
use crate::world::forge::Forge;
use crate::world::line::answer::Stop;
use crate::world::line::{Line, segment};

#[derive(Deserialize)]
struct Commit {
    sha: Sha,
}

#[derive(Deserialize)]
struct Comparison {
    merge_base_commit: Commit,
}

#[derive(Deserialize)]
struct PullRequest {
    head: Commit,
}

/// <https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit>
#[derive(Deserialize)]
struct Origin {
    number: u64,
    state: Option<String>,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    head: Commit,
}

/// The pull request that a commit came from: the one whose merge made it, else the one whose head it is, else any other
/// that brought it and was not given up.
///
/// # Errors
/// When it was not got.
pub async fn pull_request_of<F: Forge>(line: &mut Line<F>, sha: &Sha) -> Result<Option<u64>, Stop> {
    let path = line.path(&format!("/commits/{sha}/pulls?per_page=100"));
    let pages = match line.pages::<Vec<Origin>>(path).await {
        Ok(pages) => pages,
        // GitHub does not know the commit.
        Err(stop) if stop.refused_with(404).is_some() || stop.refused_with(422).is_some() => return Ok(None),
        Err(stop) => return Err(stop),
    };
    let alive = |one: &Origin| one.merged_at.is_some() || one.state.as_deref() == Some("open");
    let nearness = |one: &Origin| {
        let is_merge = one.merged_at.is_some() && one.merge_commit_sha.as_deref() == Some(sha.as_str());
        (is_merge, one.head.sha == *sha, one.number)
    };
    Ok(pages.into_iter().flatten().filter(alive).max_by_key(nearness).map(|one| one.number))
}

/// The merge base of two commits or branches.
///
/// # Errors
/// When it was not got, or there is none.
pub async fn merge_base<F: Forge>(line: &mut Line<F>, base: &str, head: &str) -> Result<Sha, Stop> {
    let path = line.path(&format!("/compare/{}...{}?per_page=1", segment(base), segment(head)));
    Ok(line.read::<Comparison>(path).await?.merge_base_commit.sha)
}

/// Where a pull request's branch is now.
///
/// # Errors
/// When it was not got.
pub async fn pull_request_head<F: Forge>(line: &mut Line<F>, number: u64) -> Result<Sha, Stop> {
    let path = line.path(&format!("/pulls/{number}"));
    Ok(line.read::<PullRequest>(path).await?.head.sha)
}
