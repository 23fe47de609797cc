//! `gatepost rollback`: back to the last deployment that was verified, or to a named commit. It asks for no evidence, no
//! hours and no order.

use crate::app::drive::{Deployed, drive, ended};
use crate::app::site::{Site, Start};
use crate::app::{Failure, outage};
use crate::deploy::engine::{Watch, Wish};
use crate::deploy::machine::Ask;
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
    let (_, back) = site.deployers(&environment)?;
    site.demand_secrets(&environment, &[&*back])?;
    outage::or_stand_in(&mut site, &environment.settings.name, watch).await?;
    let to = request.to.as_deref().map(|to| site.commit(Some(to))).transpose()?;
    let wish = Wish {
        sha: to.clone(),
        reference: request.to.clone().unwrap_or_default(),
        reason: "rollback".to_owned(),
        intent: request.intent.clone(),
        ..Wish::default()
    };
    let outcome = drive(&mut site, &environment, Ask::Rollback, wish, request.allow_irreversible, watch).await?;
    Ok(ended(&site, &environment, to, outcome, Ask::Rollback))
}
