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
