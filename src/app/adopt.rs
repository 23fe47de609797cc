//! `gatepost adopt`: records what is live already, once its health was seen, so that a first deploy has something to go
//! back to.

use std::time::Duration;

use crate::app::drive;
use crate::app::site::{Site, Start};
use crate::app::{Failure, herald, outage};
use crate::deploy::Group;
use crate::deploy::engine::Watch;
use crate::deploy::lock::{self, Claim, Parted, Taken};
use crate::deploy::tally::Verdict;
use crate::deploy::verify::Sight;
use crate::model::call::Receipt;
use crate::model::deployment::{Payload, Phase, Role, VERIFIED};
use crate::model::environments::Environment;
use crate::model::rollout::Placed;
use crate::model::sha::Sha;
use crate::model::story::Deed;
use crate::policy::deploys;
use crate::world::env::Env;
use crate::world::ledger::{Held, New, Step};

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// The deployment's number.
    pub id: String,
    /// The commit.
    pub sha: Sha,
    /// How its health was seen.
    pub says: String,
    /// Whom it was told.
    pub told: Vec<Receipt>,
    /// It would have been recorded.
    pub dry_run: bool,
}

/// Adopts a commit.
///
/// # Errors
/// When it does not answer well, the environment is locked, or the ledger could not be written.
pub async fn adopt(start: &Start, name: &str, sha: &str, env: &Env, watch: &dyn Watch) -> Result<Adopted, Failure> {
    let mut site = Site::open(start, env).await?;
    let environment = site.environment(name)?;
    let settings = &environment.settings;
    let sha = site.commit(Some(sha))?;
    let verify = &settings.verify;
    if verify.health.is_empty() && verify.version.is_none() {
        return Err(Failure::refused(format!("nothing tells whether {name} works, so that nothing can be adopted"))
            .because("nothing_to_look_at")
            .help("add `url` and `health` to the environment"));
    }
    let me = site.me(settings.lease);
    let holder = me.holder(&format!("adopt {}", sha.short()), false);
    let mut held = match lock::take(&mut site.ledger, &settings.name, &me, holder, Claim::Own).await? {
        Taken::Held(held, _) => *held,
        Taken::Refused { why, .. } => {
            let refused = Failure::refused(format!("{name} is {why}")).because("locked");
            return Err(refused.help(format!("gatepost status {name}")));
        }
    };
    let recorded = record(&mut site, &environment, &sha, &me, &mut held, watch).await;
    lock::give_back(&mut site.ledger, &settings.name, held).await?;
    let mut adopted = recorded?;
    let story = drive::story(&site, &environment, Deed::Deploy, Some(&adopted.sha), "");
    if let Ok(records) = site.ledger.records(&settings.name).await {
        outage::keep(&mut site, &settings.name, &records).await;
    }
    adopted.told = herald::tell(&site, story, "adopted", Some(&adopted.says)).await;
    Ok(adopted)
}

/// How its health was seen, while the lock is kept.
async fn look(
    site: &mut Site,
    settings: &Environment,
    sha: &Sha,
    held: &mut Held,
    watch: &dyn Watch,
) -> Result<String, Failure> {
    let sight = Sight::of(settings, Some(sha), &site.env);
    let masker = site.masker.clone();
    let told = |why: &str| watch.line(&masker.mask(why));
    let look = async {
        tokio::select! {
            verdict = sight.judge(&site.http, &told) => Ok(verdict),
            by = site.cancel.cancelled() => Err(by),
        }
    };
    match lock::keep(&mut site.ledger, &settings.name, held, &Group::default(), look).await {
        Ok(Ok(Verdict::Healthy(says))) => Ok(site.masker.text(&says)),
        Ok(Err(by)) => Err(site.interrupted(&by)),
        Err(Parted::Lost(why) | Parted::Asked(why)) => {
            Err(Failure::outside(format!("{} is not adopted: {why}", sha.short())))
        }
        Ok(Ok(Verdict::Unhealthy(why))) => Err(Failure::refused(format!("{} is not adopted: {why}", sha.short()))
            .because("not_healthy")
            .help(format!("see what answers: gatepost status {}", settings.name))),
    }
}

async fn record(
    site: &mut Site,
    environment: &crate::config::Environment,
    sha: &Sha,
    me: &lock::Me,
    held: &mut Held,
    watch: &dyn Watch,
) -> Result<Adopted, Failure> {
    let settings = &environment.settings;
    let says = look(site, settings, sha, held, watch).await?;
    watch.say(Duration::ZERO, &format!("healthy: {says}"));
    let placed = match &settings.rollout {
        None => None,
        Some(rollout) => {
            let slot = deploys::active(&site.ledger.records(&settings.name).await?);
            Some(Placed { strategy: rollout.strategy, slot })
        }
    };
    let payload = Payload {
        role: Role::Adopt,
        intent: lock::nonce(),
        previous: None,
        undoes: None,
        placed,
        forced: None,
        overridden: Vec::new(),
        place: Some(me.place.clone()),
        by: me.owner.clone(),
        link: me.link.clone(),
    };
    let new = New {
        sha: sha.clone(),
        reference: sha.to_string(),
        payload,
        says: format!("adopt {}", sha.short()),
        production: settings.production,
    };
    let record = site.ledger.create(&settings.name, &new).await?;
    let says = format!("{VERIFIED}: {says}");
    let step = Step { phase: Phase::Success, says: says.clone(), url: settings.url.clone(), log: me.link.clone() };
    site.ledger.mark(&record.id, &step).await?;
    Ok(Adopted { id: record.id, sha: sha.clone(), says, told: Vec::new(), dry_run: site.dry_run })
}
