//! `gatepost rollback`: back to the last deployment that was verified, or to a named commit. It asks for no evidence, no
//! hours and no order.

use crate::app::drive::{self, Deployed};
use crate::app::site::{Site, Start};
use crate::app::{Failure, outage};
use crate::config::Environment;
use crate::deploy::engine::{Watch, Wish};
use crate::model::sha::Sha;
use crate::model::story::Deed;
use crate::world::env::Env;

/// What `gatepost rollback` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where and how.
    pub start: Start,
    /// The environment.
    pub environment: String,
    /// `--to`.
    pub to: Option<String>,
    /// `--allow-irreversible`.
    pub allow_irreversible: bool,
    /// The key of what was asked for: asked for again it is not done again.
    pub intent: Option<String>,
}

/// Rolls an environment back.
///
/// # Errors
/// When it could not be begun.
pub async fn rollback(request: &Request, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(&request.start, env).await?;
    let environment = site.environment(&request.environment)?;
    let reference = request.to.clone().unwrap_or_default();
    let mut story = drive::story(&site, &environment, Deed::Rollback, None, &reference);
    match ready(&mut site, &environment, request, watch).await {
        Ok(to) => story.sha = to,
        Err(failure) => return Ok(drive::refused(&site, story, failure, watch).await),
    }
    let wish = Wish {
        sha: story.sha.clone(),
        reference,
        reason: "rollback".to_owned(),
        intent: request.intent.clone(),
        ..Wish::default()
    };
    drive::drive(&mut site, &environment, story, wish, request.allow_irreversible, watch).await
}

/// The commit that was named, where one was.
async fn ready(
    site: &mut Site,
    environment: &Environment,
    request: &Request,
    watch: &dyn Watch,
) -> Result<Option<Sha>, Failure> {
    let (_, back) = site.deployers(environment)?;
    site.demand_secrets(environment, &[&*back])?;
    outage::or_stand_in(site, &environment.settings, watch).await?;
    request.to.as_deref().map(|to| site.commit(Some(to))).transpose()
}
