//! `gatepost verify`: whether addresses answer well; no configuration, no repository.

use std::time::Duration;

use crate::app::{Failure, secrets};
use crate::deploy::engine::Watch;
use crate::deploy::tally::Verdict;
use crate::deploy::verify::Sight;
use crate::model::environments::{Pacing, Probe};
use crate::world::env::Env;
use crate::world::http::Http;

/// What `gatepost verify` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The addresses, all of which must be good.
    pub urls: Vec<String>,
    /// The status that is wanted.
    pub status: Option<u16>,
    /// What the body must contain.
    pub body: Option<String>,
    /// Waits and limits.
    pub pacing: Pacing,
}

/// Looks until it is known; the second is how that is known, without secrets.
///
/// # Errors
/// When there is nothing to look at.
pub async fn verify(request: &Request, env: &Env, watch: &dyn Watch) -> Result<(bool, String), Failure> {
    if let Some(bad) = request.urls.iter().find(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        let shown = crate::model::text::one_line(bad, 80);
        return Err(Failure::usage(format!("{shown:?} is no address")).help("write it whole: https://host/health"));
    }
    let probe = |url: &String| Probe {
        path: url.clone(),
        status: request.status,
        body: request.body.clone(),
        ..Probe::default()
    };
    let health: Vec<Probe> = request.urls.iter().map(probe).collect();
    let http = Http::new(Duration::from_secs(30), Duration::from_secs(1))
        .map_err(|error| Failure::outside(error.to_string()))?;
    let sight = Sight { url: None, health: &health, version: None, pacing: request.pacing, env };
    let masker = secrets::masker(env, &[]);
    let verdict = match sight.judge(&http, &|why| watch.line(&masker.mask(why))).await {
        Verdict::Healthy(says) => match sight.watch(&http).await {
            None => Verdict::Healthy(says),
            Some(verdict) => verdict,
        },
        verdict @ Verdict::Unhealthy(_) => verdict,
    };
    let (good, says) = match verdict {
        Verdict::Healthy(says) => (true, format!("healthy: {says}")),
        Verdict::Unhealthy(why) => (false, format!("not healthy: {why}")),
    };
    Ok((good, masker.text(&says)))
}
