//! `gatepost lock` and `gatepost unlock`: a person keeps an environment as it is, or gives it back.

use crate::app::Failure;
use crate::app::site::{Site, Start};
use crate::deploy::lock::{self, Claim, Standing, Taken};
use crate::world::env::Env;

/// Locks an environment until somebody unlocks it; what to say of it.
///
/// # Errors
/// When somebody else has it.
pub async fn lock(start: &Start, name: &str, reason: Option<&str>, env: &Env) -> Result<String, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let me = site.me(environment.settings.lease);
    let holder = me.holder(reason.unwrap_or_default(), true);
    if site.dry_run {
        return Ok(format!("would lock {name}"));
    }
    match lock::take(&mut site.ledger, &environment.settings.name, &me, holder, Claim::Own).await? {
        Taken::Held(held, _) => {
            Ok(format!("{name} is {}; gatepost unlock {name} gives it back", lock::words(&held.holder)))
        }
        Taken::Refused(why) => {
            Err(Failure::refused(format!("{name} is {why}")).help(format!("gatepost unlock {name}")))
        }
    }
}

/// Gives an environment back; what to say of it.
///
/// # Errors
/// When a live deploy has it, without `force`.
pub async fn unlock(start: &Start, name: &str, force: bool, env: &Env) -> Result<String, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let name = &environment.settings.name;
    let me = site.me(environment.settings.lease);
    for _ in 0..5 {
        let Some(held) = site.ledger.lock(name).await? else { return Ok(format!("{name} is not locked")) };
        let words = lock::words(&held.holder);
        if let Standing::Live { why, .. } = lock::look(&mut site.ledger, &held.holder, &me).await
            && !force
        {
            return Err(Failure::refused(format!("{name} is {words}: {why}")).help(format!(
                "wait for it, or undo it: gatepost rollback {name}; or take the lock away: gatepost unlock {name} --force"
            )));
        }
        if held.holder.paused.is_some() && !force {
            return Err(Failure::refused(format!("{name} is {words}: its traffic is divided")).help(format!(
                "gatepost deploy {name} --continue, or gatepost rollback {name}; gatepost unlock {name} --force leaves it so"
            )));
        }
        if site.dry_run {
            return Ok(format!("would unlock {name}, {words}"));
        }
        lock::end(&held.holder, &me).await;
        if site.ledger.free(name, &held).await? {
            return Ok(format!("{name} is free; it was {words}"));
        }
    }
    Err(Failure::outside(format!("the lock of {name} changed again and again")).help(format!("gatepost status {name}")))
}
