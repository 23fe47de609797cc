//! `gatepost recover`: settles what runs that died have left, and finishes a rollback that was cut off.

use crate::app::drive::{self, Deployed};
use crate::app::site::{Site, Start};
use crate::app::{Failure, outage};
use crate::deploy::engine::{Watch, Wish};
use crate::model::story::Deed;
use crate::world::env::Env;

/// Recovers an environment.
///
/// # Errors
/// When it could not be begun.
pub async fn recover(start: &Start, name: &str, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    outage::meet(&mut site, &environment.settings, watch).await?;
    let wish = Wish { reason: "recover".to_owned(), ..Wish::default() };
    let story = drive::story(&site, &environment, Deed::Recovery, None, "");
    drive::drive(&mut site, &environment, story, wish, false, watch).await
}
