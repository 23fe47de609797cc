//! Which gates somebody has overridden for the commit that is judged: asked of GitHub for pull requests, before the gates run.
//! What cannot be looked at counts for nothing, and is said.

use std::collections::BTreeMap;

use crate::app::posting::Poster;
use crate::app::remote;
use crate::model::environments::GITHUB_ACTIONS;
use crate::model::event::Occasion;
use crate::model::gate::GateName;
use crate::model::report::Subject;
use crate::world::env::Env;
use crate::world::github::GitHub;
use crate::world::ledger::Hub;
use crate::world::repo::Repo;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By whom and why.
    pub(super) gates: BTreeMap<GateName, String>,
    /// Worth saying.
    pub(super) notes: Vec<String>,
}

/// Asks, where the run is a pull request's and posts on it.
pub(super) async fn of(env: &Env, occasion: &Occasion, repo: &Repo, subject: &Subject, poster: &Poster) -> Found {
    let mut found = Found::default();
    let (Some(head), Some(_), true) = (&subject.head, occasion.pull_request, poster.posts()) else { return found };
    let Ok(Some(remote)) = remote::of(env, occasion, repo) else { return found };
    let Ok(forge) = GitHub::new(&remote.api, remote.token.clone()) else { return found };
    match Hub::new(forge, &remote.repository).overridden(head, GITHUB_ACTIONS).await {
        Ok(all) => {
            for (gate, believed) in all {
                match believed {
                    Ok(overridden) => drop(found.gates.insert(gate, overridden.to_string())),
                    Err(why) => found.notes.push(format!("{gate}: its override does not count: {why}")),
                }
            }
        }
        Err(stop) => found.notes.push(format!("whether gates were overridden could not be read, so none is: {stop}")),
    }
    found
}
