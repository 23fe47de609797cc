//! While GitHub cannot be reached a rollback goes by what was last seen there, and records itself in the repository; what
//! was recorded so is sent when GitHub answers again.

use crate::app::Failure;
use crate::app::remembered::LEDGER;
use crate::app::site::Site;
use crate::deploy::engine::Watch;
use crate::model::deployment::{Phase, Record, UNVERIFIED, VERIFIED};
use crate::model::environments::{Environment, EnvironmentName};
use crate::world::ledger::{Ledger, LedgerError, Local, New, Step};
use crate::world::line::answer::Stop;

/// Keeps what GitHub has of an environment, after it was sent what this repository recorded without it.
///
/// # Errors
/// When GitHub could not be asked.
pub async fn meet(site: &mut Site, environment: &Environment, watch: &dyn Watch) -> Result<(), Failure> {
    let name = &environment.name;
    if site.ledger.hub().is_none() {
        return Ok(());
    }
    let mut records = site.ledger.records(name).await?;
    let mut local = Local::open(&site.state.join(LEDGER)).await?;
    let unsent = local.unsent(name, &site.config_place).await?;
    if !unsent.is_empty() && !site.dry_run {
        let seen = local.seen(name, &site.config_place).await?.map(|(_, records)| records);
        for record in unsent {
            send(&mut site.ledger, environment, &record, &records, seen.as_deref()).await?;
            local.sent(&record.id).await?;
            watch.say(
                std::time::Duration::ZERO,
                &format!("sent to GitHub: what was recorded here as deployment {}", record.id),
            );
        }
        records = site.ledger.records(name).await?;
    }
    local.see(name, &site.config_place, &records).await?;
    Ok(())
}

/// Keeps what is known of an environment after something was done there: the next thing may be asked for without GitHub.
pub async fn keep(site: &mut Site, name: &EnvironmentName, records: &[Record]) {
    if site.ledger.hub().is_none() || site.dry_run || records.is_empty() {
        return;
    }
    let kept = async { Local::open(&site.state.join(LEDGER)).await?.see(name, &site.config_place, records).await };
    if let Err(error) = kept.await {
        tracing::warn!("what was done in {name} could not be kept for a time without GitHub: {error}");
    }
}

/// Sends what was recorded here. What others have begun since GitHub was seen for the last time took its place.
async fn send(
    ledger: &mut Ledger,
    environment: &Environment,
    record: &Record,
    known: &[Record],
    seen: Option<&[Record]>,
) -> Result<(), LedgerError> {
    let name = &environment.name;
    let Some(payload) = record.payload.clone() else { return Ok(()) };
    let is_there = |one: &&Record| one.payload.as_ref().is_some_and(|other| other.intent == payload.intent);
    let there = known.iter().find(is_there).cloned();
    let there = if let Some(there) = there {
        there
    } else {
        let says = format!("{} made {} without GitHub", payload.role.word(), record.created_at);
        let (sha, reference) = (record.sha.clone(), record.reference.clone());
        ledger.create(name, &New { sha, reference, payload, says, production: environment.production }).await?
    };
    // What has no end here has none there: the next recovery settles it.
    let end = record.end().filter(|_| there.is_open());
    if let Some(end) = end {
        let is_new = |one: &&Record| {
            let was_seen = |seen: &[Record]| seen.iter().any(|old| old.id == one.id);
            one.is_begun() && one.id != there.id && !seen.is_none_or(was_seen)
        };
        let replaced = known.iter().find(is_new).filter(|_| end.phase == Phase::Success);
        let (phase, says) = match replaced {
            None => (end.phase.clone(), end.says.clone()),
            Some(by) => {
                let seen = if record.was_verified() { VERIFIED } else { UNVERIFIED };
                (Phase::Inactive, format!("{seen}, without GitHub; replaced by deployment {} since", by.id))
            }
        };
        ledger.mark(&there.id, &Step { phase, says, url: None, log: None }).await?;
        // What it undid is not live any more, whatever it ended in.
        let undone = there.undoes().filter(|_| end.phase == Phase::Success);
        if let Some(open) = undone.and_then(|id| known.iter().find(|one| one.id == *id && one.is_open())) {
            let says = format!("rolled back by {}", there.id);
            ledger.mark(&open.id, &Step { phase: Phase::Failure, says, url: None, log: None }).await?;
        }
    }
    Ok(())
}

/// Turns to the ledger of the repository where GitHub cannot be reached. What it refuses is no outage.
///
/// # Errors
/// When GitHub refused, or nothing was ever seen there.
pub async fn or_stand_in(site: &mut Site, environment: &Environment, watch: &dyn Watch) -> Result<(), Failure> {
    let name = &environment.name;
    if site.ledger.hub().is_none() {
        return Ok(());
    }
    let why = match site.ledger.records(name).await {
        Ok(_) => return meet(site, environment, watch).await,
        Err(LedgerError::GitHub(Stop::Failed(why) | Stop::Limited(why))) => why,
        Err(refused) => return Err(refused.into()),
    };
    let mut local = Local::open(&site.state.join(LEDGER)).await?;
    local.stand_in();
    let seen = local.seen(name, &site.config_place).await?;
    let seen = seen.map_or_else(
        || "nothing was ever seen there from here".to_owned(),
        |(at, _)| format!("by what was seen there at {at}"),
    );
    let says =
        format!("GitHub cannot be reached ({why}): going on {seen}, with the lock and the record in this repository");
    watch.say(std::time::Duration::ZERO, &says);
    site.ledger = Ledger::local(local, &site.config_place, site.dry_run);
    Ok(())
}
