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
    let Some(token) = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| env.get(name)) else { return Ok(None) };
    let named = occasion.repository.clone().or_else(|| env.get("GITHUB_REPOSITORY").map(str::to_owned));
    let repository = if named.is_some() { named } else { repo.origin_repository()? };
    let api = env.get("GITHUB_API_URL").unwrap_or(API).to_owned();
    Ok(repository.map(|repository| Remote { api, token: Secret::new(token.to_owned()), repository }))
}
