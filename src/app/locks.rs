//! `gatepost lock` and `gatepost unlock`: a person keeps an environment as it is, or gives it back.

use crate::app::site::{Site, Start};
use crate::app::{Failure, drive, herald};
use crate::config::Environment;
use crate::deploy::lock::{self, Claim, Standing, Taken};
use crate::model::call::Receipt;
use crate::model::story::Deed;
use crate::world::env::Env;

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// In one line.
    pub says: String,
    /// Whom it was told.
    pub told: Vec<Receipt>,
}

impl Done {
    fn quietly(says: String) -> Self {
        Self { says, told: Vec::new() }
    }
}

async fn told(site: &Site, environment: &Environment, event: &str, reason: &str, says: String) -> Done {
    let story = drive::story(site, environment, Deed::Deploy, None, "");
    let told = herald::tell(site, story, event, Some(reason).filter(|reason| !reason.is_empty())).await;
    Done { says, told }
}

/// Locks an environment until somebody unlocks it; what to say of it.
///
/// # Errors
/// When somebody else has it.
pub async fn lock(start: &Start, name: &str, reason: Option<&str>, env: &Env) -> Result<Done, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let me = site.me(environment.settings.lease);
    let reason = reason.unwrap_or_default();
    let holder = me.holder(reason, true);
    if site.dry_run {
        return Ok(told(&site, &environment, "locked", reason, format!("would lock {name}")).await);
    }
    match lock::take(&mut site.ledger, &environment.settings.name, &me, holder, Claim::Own).await? {
        Taken::Held(held, _) => {
            let says = format!("{name} is {}; gatepost unlock {name} gives it back", lock::words(&held.holder));
            Ok(told(&site, &environment, "locked", reason, says).await)
        }
        Taken::Refused { why, .. } => {
            Err(Failure::refused(format!("{name} is {why}")).because("locked").help(format!("gatepost unlock {name}")))
        }
    }
}

/// Gives an environment back; what to say of it.
///
/// # Errors
/// When a live deploy has it, without `force`.
pub async fn unlock(start: &Start, name: &str, force: bool, env: &Env) -> Result<Done, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let name = &environment.settings.name;
    let me = site.me(environment.settings.lease);
    for _ in 0..5 {
        let Some(held) = site.ledger.lock(name).await? else {
            return Ok(Done::quietly(format!("{name} is not locked")));
        };
        let words = lock::words(&held.holder);
        if let Standing::Live { why, .. } = lock::look(&mut site.ledger, &held.holder, &me).await
            && !force
        {
            return Err(Failure::refused(format!("{name} is {words}: {why}")).because("locked").help(format!(
                "wait for it, or undo it: gatepost rollback {name}; or take the lock away: gatepost unlock {name} --force"
            )));
        }
        if held.holder.paused.is_some() && !force {
            return Err(Failure::refused(format!("{name} is {words}: its traffic is divided")).because("paused").help(format!(
                "gatepost deploy {name} --continue, or gatepost rollback {name}; gatepost unlock {name} --force leaves it so"
            )));
        }
        if site.dry_run {
            let says = format!("would unlock {name}, {words}");
            return Ok(told(&site, &environment, "unlocked", &format!("it was {words}"), says).await);
        }
        let survivors = lock::end(&held.holder, &me).await;
        if survivors > 0 && !force {
            let why = format!("{name} is {}", lock::not_ended(survivors, &held.holder));
            return Err(Failure::refused(why)
                .because("locked")
                .help(format!("gatepost unlock {name} --force leaves them")));
        }
        if site.ledger.free(name, &held).await? {
            let says = format!("{name} is free; it was {words}");
            return Ok(told(&site, &environment, "unlocked", &format!("it was {words}"), says).await);
        }
    }
    Err(Failure::outside(format!("the lock of {name} changed again and again")).help(format!("gatepost status {name}")))
}
