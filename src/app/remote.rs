//! The repository on GitHub that a command speaks with, where one is known.

use crate::app::Failure;
use crate::deploy::Remote;
use crate::model::event::Occasion;
use crate::model::secret::Secret;
use crate::world::env::Env;
use crate::world::github::API;
use crate::world::repo::Repo;

/// The repository on GitHub, where there is a token and it is known.
///
/// # Errors
/// When the repository's own addresses cannot be read.
pub fn of(env: &Env, occasion: &Occasion, repo: &Repo) -> Result<Option<Remote>, Failure> {
    if token(env).is_none() {
        return Ok(None);
    }
    let named = occasion.repository.clone().or_else(|| env.get("GITHUB_REPOSITORY").map(str::to_owned));
    let repository = if named.is_some() { named } else { repo.origin_repository()? };
    Ok(repository.and_then(|repository| at(env, repository)))
}

/// A repository whose name is known, where there is a token.
#[must_use]
pub fn at(env: &Env, repository: String) -> Option<Remote> {
    let api = env.get("GITHUB_API_URL").unwrap_or(API).to_owned();
    token(env).map(|token| Remote { api, token: Secret::new(token.to_owned()), repository })
}

fn token(env: &Env) -> Option<&str> {
    ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name))
}
