//! `gatepost promote`: deploys to one environment what is live in another.

use crate::app::drive::{self, Deployed};
use crate::app::site::{Site, Start};
use crate::app::{Failure, deploy};
use crate::deploy::engine::Watch;
use crate::model::deployment::{live, surely_live};
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
    let sha = match surely_live(&records) {
        Ok(record) => record.sha.clone(),
        Err(why) => {
            let (what, reason) = match live(&records) {
                None => (format!("nothing is live in {}", request.from), "nothing_live"),
                Some(_) => (format!("nothing is promoted from {}: {why}", request.from), "not_known_live"),
            };
            let failure = Failure::refused(what)
                .because(reason)
                .help(format!("deploy there first: gatepost deploy {}", request.from));
            let story = drive::story(&site, &to, Deed::Deploy, None, "");
            return Ok(drive::refused(&site, story, failure, watch).await);
        }
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
