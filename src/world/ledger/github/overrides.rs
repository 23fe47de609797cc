//! Whether a gate was overridden for a commit: the check run that says so only leads to the comment, which is asked for again,
//! and so is what its author may do now.

use serde::Deserialize;

use crate::chat::{self, Act};
use crate::model::gate::GateName;
use crate::model::gate_result::Overridden;
use crate::model::sha::Sha;
use crate::world::conversation::{self, Stood};
use crate::world::github::GitHub;
use crate::world::line::Line;
use crate::world::line::answer::Stop;

#[derive(Deserialize)]
struct Run {
    event: String,
}

/// A check run that says that its gate was overridden.
pub(super) struct Claim<'a> {
    /// Its number.
    pub check: u64,
    /// The gate.
    pub gate: &'a GateName,
    /// The commit that it stands on.
    pub sha: &'a Sha,
    /// The run that made it.
    pub run: u64,
    /// The comment's number, as the check run has it.
    pub comment: &'a str,
    /// When it was made, in seconds since 1970.
    pub at: i64,
}

/// Who has overridden it and why; or why that is not to be believed.
///
/// # Errors
/// When it could not be found out.
pub(super) async fn believed(line: &mut Line<GitHub>, claim: &Claim<'_>) -> Result<Result<Overridden, String>, Stop> {
    let number = claim.comment;
    let run: Run = line.read(line.path(&format!("/actions/runs/{}", claim.run))).await?;
    if run.event != "issue_comment" {
        return Ok(Err(format!("the run {} that it names was not woken by a comment", claim.run)));
    }
    let Ok(id) = number.parse() else { return Ok(Err("it names no comment".to_owned())) };
    let Some(written) = conversation::comment(line, id).await? else {
        return Ok(Err(format!("the comment {number} is gone")));
    };
    let Some(author) = written.author.filter(|_| !written.by_bot && !written.is_edited) else {
        return Ok(Err(format!("the comment {number} was edited, or is a bot's")));
    };
    let commands = chat::read(&written.body).commands.into_iter();
    let mut reasons = commands.filter_map(|command| match command.act {
        Act::Override { gate, reason } if gate == *claim.gate => Some(reason),
        _ => None,
    });
    let Some(reason) = reasons.next_back() else { return Ok(Err(format!("the comment {number} does not say so"))) };
    let proposal = conversation::proposal(line, "", written.issue).await?;
    if proposal.head != *claim.sha {
        return Ok(Err(format!("the comment {number} is on a pull request that is at {}", proposal.head.short())));
    }
    match conversation::stood_at(line, &proposal, &written.created_at).await? {
        Stood::Then => {}
        Stood::Later => return Ok(Err(format!("the commit came after the comment {number}"))),
        Stood::Behind(other) => {
            return Ok(Err(format!("the comment {number} was written when {} was the head", other.short())));
        }
        Stood::Again => return Ok(Err(format!("the commit was pushed again after the comment {number}"))),
    }
    if conversation::role(line, &author).await? < chat::OVERRIDES {
        return Ok(Err(format!("{author} may not override gates (any more)")));
    }
    Ok(Ok(Overridden { by: author, reason, at: claim.at, source: format!("check run {}", claim.check) }))
}
