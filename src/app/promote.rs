//! `gatepost promote`: deploys to one environment what is live in another.

use crate::app::drive::{self, Deployed};
use crate::app::site::{Site, Start};
use crate::app::{Failure, deploy};
use crate::deploy::engine::Watch;
use crate::model::deployment::live;
use crate::model::story::Deed;
use crate::world::env::Env;

/// What `gatepost promote` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where and how.
    pub start: Start,
    /// What is live here …
    pub from: String,
    /// … goes there.
    pub to: String,
    /// `--force --reason TEXT`.
    pub force: Option<String>,
    /// `--allow-irreversible`.
    pub allow_irreversible: bool,
    /// The key of what was asked for: asked for again it is not done again.
    pub intent: Option<String>,
}

/// Promotes.
///
/// # Errors
/// As [`deploy::deploy`].
pub async fn promote(request: &Request, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(&request.start, env).await?;
    let from = site.environment(&request.from)?;
    let to = site.environment(&request.to)?;
    let records = site.ledger.records(&from.settings.name).await?;
    let Some(sha) = live(&records).map(|record| record.sha.clone()) else {
        let failure = Failure::refused(format!("nothing is live in {}", request.from))
            .because("nothing_live")
            .help(format!("deploy there first: gatepost deploy {}", request.from));
        let story = drive::story(&site, &to, Deed::Deploy, None, "");
        return Ok(drive::refused(&site, story, failure, watch).await);
    };
    drop(site);
    let request = deploy::Request {
        start: request.start.clone(),
        environment: request.to.clone(),
        reference: Some(sha.to_string()),
        force: request.force.clone(),
        allow_irreversible: request.allow_irreversible,
        order: deploy::Order { intent: request.intent.clone(), ..deploy::Order::default() },
    };
    Box::pin(deploy::deploy(&request, env, watch)).await
}
