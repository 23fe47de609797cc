//! Which gates somebody has overridden for the commit that is judged: asked of GitHub for pull requests, before the gates run
//! or their reports are joined. What cannot be looked at counts for nothing, and is said.

use std::collections::BTreeMap;

use tokio::time::{Instant, timeout_at};

use crate::app::posting::{Poster, unanswered};
use crate::app::remote;
use crate::model::environments::GITHUB_ACTIONS;
use crate::model::gate::GateName;
use crate::model::report::Subject;
use crate::publish::proof::of_place;
use crate::world::env::Env;
use crate::world::github::GitHub;
use crate::world::ledger::Hub;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By whom and why.
    pub(super) gates: BTreeMap<GateName, String>,
    /// Worth saying.
    pub(super) notes: Vec<String>,
}

/// Asks for gates of the configuration at `place`, where what is judged is a pull request's, and is posted there.
pub(super) async fn of(env: &Env, subject: &Subject, poster: &Poster, place: &str) -> Found {
    let mut found = Found::default();
    let (Some(head), Some(_), true) = (&subject.head, subject.pull_request, poster.posts()) else { return found };
    let Some(remote) = subject.repository.clone().and_then(|repository| remote::at(env, repository)) else {
        return found;
    };
    let Ok(forge) = GitHub::new(&remote.api, remote.token.clone()) else { return found };
    match Hub::new(forge, &remote.repository).overridden(head, GITHUB_ACTIONS, &of_place(place)).await {
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

/// [`of`], as far as GitHub tells it until then: gates wait for it.
pub(super) async fn until(until: Instant, env: &Env, subject: &Subject, poster: &Poster, place: &str) -> Found {
    timeout_at(until, of(env, subject, poster, place)).await.unwrap_or_else(|_| Found {
        notes: vec![format!("whether gates were overridden could not be read, so none is: {}", unanswered())],
        ..Found::default()
    })
}
