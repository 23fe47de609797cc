//! While GitHub cannot be reached a rollback goes by what was last seen there, and records itself in the repository; what
//! was recorded so is sent when GitHub answers again.

use crate::app::Failure;
use crate::app::site::Site;
use crate::deploy::engine::Watch;
use crate::model::deployment::{Phase, Record};
use crate::model::environments::EnvironmentName;
use crate::world::ledger::{Ledger, LedgerError, Local, New, Step};
use crate::world::line::answer::Stop;

/// Keeps what GitHub has of an environment, after it was sent what this repository recorded without it.
///
/// # Errors
/// When GitHub could not be asked.
pub async fn meet(site: &mut Site, name: &EnvironmentName, watch: &dyn Watch) -> Result<(), Failure> {
    if site.ledger.hub().is_none() {
        return Ok(());
    }
    let mut records = site.ledger.records(name).await?;
    let mut local = Local::open(&site.state.join("ledger.sqlite")).await?;
    let unsent = local.unsent(name).await?;
    if !unsent.is_empty() && !site.dry_run {
        for record in unsent {
            send(&mut site.ledger, name, &record, &records).await?;
            local.sent(&record.id).await?;
            watch.say(
                std::time::Duration::ZERO,
                &format!("sent to GitHub: what was recorded here as deployment {}", record.id),
            );
        }
        records = site.ledger.records(name).await?;
    }
    local.see(name, &records).await?;
    Ok(())
}

async fn send(
    ledger: &mut Ledger,
    name: &EnvironmentName,
    record: &Record,
    known: &[Record],
) -> Result<(), LedgerError> {
    let Some(payload) = record.payload.clone() else { return Ok(()) };
    let is_there = |one: &&Record| one.payload.as_ref().is_some_and(|other| other.intent == payload.intent);
    let there = known.iter().find(is_there).cloned();
    let there = if let Some(there) = there {
        there
    } else {
        let says = format!("{} made {} without GitHub", payload.role.word(), record.created_at);
        let (sha, reference) = (record.sha.clone(), record.reference.clone());
        ledger.create(name, &New { sha, reference, payload, says, production: name.as_str() == "production" }).await?
    };
    // What has no end here has none there: the next recovery settles it.
    let end = record.end().filter(|_| there.end().is_none());
    if let Some(end) = end {
        let step = Step { phase: end.phase.clone(), says: end.says.clone(), url: None, log: None };
        ledger.mark(&there.id, &step).await?;
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
pub async fn or_stand_in(site: &mut Site, name: &EnvironmentName, watch: &dyn Watch) -> Result<(), Failure> {
    if site.ledger.hub().is_none() {
        return Ok(());
    }
    let why = match site.ledger.records(name).await {
        Ok(_) => return meet(site, name, watch).await,
        Err(LedgerError::GitHub(Stop::Failed(why) | Stop::Limited(why))) => why,
        Err(refused) => return Err(refused.into()),
    };
    let mut local = Local::open(&site.state.join("ledger.sqlite")).await?;
    local.stand_in();
    let seen = local.seen(name).await?;
    let seen = seen.map_or_else(
        || "nothing was ever seen there from here".to_owned(),
        |(at, _)| format!("by what was seen there at {at}"),
    );
    let says =
        format!("GitHub cannot be reached ({why}): going on {seen}, with the lock and the record in this repository");
    watch.say(std::time::Duration::ZERO, &says);
    site.ledger = Ledger::local(local, site.dry_run);
    Ok(())
}
