//! The effects on the ledger and the lock, and the choice of what to roll back to.

use super::Drive;
use crate::deploy::lock::{self, Claim, Parted, Taken};
use crate::deploy::machine::{Ask, Created, Effect, Event};
use crate::model::deployment::{Hindrance, Mark, Payload, Phase, Record, Role, live};
use crate::model::rollout::Placed;
use crate::model::sha::Sha;
use crate::policy::deploys;
use crate::world::clock;
use crate::world::ledger::{LedgerError, New, Step};

/// Records that were passed over and are named.
const NAMED: usize = 5;

/// Why something must not be recorded, and what that means for what is to be done next.
type Withdrawn = (Option<Hindrance>, String);

impl Drive<'_, '_> {
    pub(super) async fn act(&mut self, effect: Effect) -> Event {
        match effect {
            Effect::Tell(_) => Event::Begin,
            Effect::Lock => self.lock().await,
            Effect::Read => match self.read_first().await {
                Ok(()) => {
                    if !self.engine.dry_run {
                        self.clear_files();
                        if let Err(why) = self.call_off_left().await {
                            return Event::Lost(why);
                        }
                    }
                    self.previous = live(&self.records).map(|record| record.sha.clone());
                    Event::Found(deploys::leftovers(&self.records))
                }
                Err(error) => Event::NotRead(error.to_string()),
            },
            Effect::Probe(id) => self.probe(&id).await,
            Effect::Adopt(id) => self.adopt(&id).await,
            Effect::Choose(undoes) => self.choose(undoes.as_deref()).await,
            Effect::Create(role, undoes) => self.create(role, undoes).await,
            Effect::Mark(id, phase, says) => self.mark(&id, phase, says).await,
            Effect::Run(id, role) => self.carry_out(&id, role).await,
            Effect::Verify(id, role, accepted) => self.verify(&id, role, accepted).await,
            Effect::Preview(id, role, accepted) => self.preview(&id, role, accepted).await,
            Effect::Shift(id, weight) => self.shift(&id, weight).await,
            Effect::Look(id, weight) => Box::pin(self.look(&id, weight)).await,
            Effect::SeeOld(id) => self.see_old(&id).await,
            Effect::Hold(id, says) => self.hold(id, &says).await,
            Effect::Unlock(is_back) => self.unlock(is_back).await,
        }
    }

    async fn lock(&mut self) -> Event {
        let engine = &mut *self.engine;
        let holder = engine.me.holder(&engine.wish.reason, false);
        let name = &engine.environment.name;
        let claim = match self.ask {
            Ask::Rollback => Claim::Undo(engine.deployer.ends_within(engine.environment.grace)),
            Ask::Continue => Claim::Continue,
            Ask::Deploy | Ask::Recover => Claim::Own,
        };
        match lock::take(engine.ledger, name, engine.me, holder, claim).await {
            Ok(Taken::Held(held, over)) => {
                self.held = Some(*held);
                let ledger = self.engine.ledger.name();
                let over = over.map_or_else(String::new, |over| format!(", {over}"));
                if !self.engine.dry_run {
                    self.say(&format!("locked {name} ({ledger} ledger){over}"));
                }
                Event::Locked
            }
            Ok(Taken::Refused { by: Some(by), why }) if self.ask == Ask::Recover && lock::is_attended(&by) => {
                Event::Attended(lock::hindrance(&by), format!("nothing was left to settle: {name} is {why}"))
            }
            Ok(Taken::Refused { by, why }) => {
                Event::NotLocked(by.as_deref().map(lock::hindrance), format!("{name} is {why}"))
            }
            Err(error) => Event::NotLocked(None, format!("the lock of {name} could not be taken: {error}")),
        }
    }

    async fn read(&mut self) -> Result<(), LedgerError> {
        self.records = self.engine.ledger.records(&self.engine.environment.name).await?;
        Ok(())
    }

    /// Reads what is recorded, for the first time. Another configuration of the repository may deploy to an environment that it
    /// calls the same: what that recorded counts for nothing here.
    async fn read_first(&mut self) -> Result<(), LedgerError> {
        self.read().await?;
        let Some(other) = self.engine.ledger.other() else { return Ok(()) };
        let name = &self.engine.environment.name;
        let what = format!("{name} was last deployed to by {other}, whose records are not this configuration's");
        let advice = format!("give one of the two environments another name than {name}");
        if self.engine.environment.rollout.is_some() && self.records.is_empty() {
            let why = format!("{what}: in which slot runs what is live is not known; {advice}");
            return Err(LedgerError::Unexpected(why));
        }
        self.say(&format!("{what}; {advice}"));
        Ok(())
    }

    pub(super) fn record(&self, id: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.id == id)
    }

    async fn choose(&mut self, undoes: Option<&str>) -> Event {
        // A rollback while the ledger cannot be read goes by what was read before.
        if let Err(error) = self.read().await {
            self.say(&format!("the ledger could not be read again: {error}"));
        }
        let undone = deploys::undone(&self.records, undoes);
        let bad = undone.map(|record| record.sha.clone());
        self.undone = undone.map(|record| record.id.clone());
        if let (Ask::Rollback, Some(to)) = (self.ask, self.engine.wish.sha.clone()) {
            return self.checked(to, self.engine.wish.reference.clone(), bad.as_ref());
        }
        let Some(bad) = bad else {
            let why = "nothing was ever deployed here by gatepost".to_owned();
            return Event::Chosen(Err((Hindrance::NothingBefore, why)));
        };
        let choice = deploys::choose(&self.records, &bad, None);
        for (id, sha, why) in choice.passed.iter().take(NAMED) {
            self.say(&format!("not {} of deployment {id}: {why}", sha.short()));
        }
        let Some(target) = choice.target else {
            let why = "no earlier deployment of another commit was ever verified".to_owned();
            return Event::Chosen(Err((Hindrance::NothingBefore, why)));
        };
        self.checked(target.sha, target.reference, Some(&bad))
    }

    fn checked(&mut self, to: Sha, reference: String, bad: Option<&Sha>) -> Event {
        if let Some(why) = bad.and_then(|bad| (self.engine.objection)(&to, bad)) {
            return Event::Chosen(Err((Hindrance::Irreversible, why)));
        }
        self.say(&format!("rolling back to {}", to.short()));
        self.decided_at.get_or_insert_with(tokio::time::Instant::now);
        self.target = Some((to.clone(), reference));
        Event::Chosen(Ok(to))
    }

    async fn create(&mut self, role: Role, undoes: Option<String>) -> Event {
        let wish = &self.engine.wish;
        let wanted = match role {
            Role::Rollback => self.target.clone(),
            _ => wish.sha.clone().map(|sha| (sha, wish.reference.clone())),
        };
        let Some((sha, reference)) = wanted else { return Event::NotCreated("no commit was named".to_owned()) };
        let intent = self.engine.wish.intent.clone().filter(|_| self.is_asked_for(role));
        match self.withdrawn(role, intent.as_deref()).await {
            Ok(None) => {}
            Ok(Some((hindrance, why))) => return Event::Withdrawn(hindrance, why),
            Err(error) => return Event::NotCreated(format!("whether it was done already is not known: {error}")),
        }
        if let Err(why) = self.still_locked().await {
            return Event::Lost(why);
        }
        let engine = &mut *self.engine;
        let forced = engine.wish.forced.clone().filter(|_| role == Role::Deploy);
        let overridden = if role == Role::Deploy { engine.wish.overridden.clone() } else { Vec::new() };
        let says = match &forced {
            Some(why) => format!("{} by force: {why}", role.word()),
            None if !overridden.is_empty() => {
                format!("{} of {}, overridden: {}", role.word(), sha.short(), overridden.join(", "))
            }
            None => format!("{} of {}", role.word(), sha.short()),
        };
        let previous = live(&self.records).map(|record| record.sha.clone());
        let still = deploys::still_in(&self.records, &sha).filter(|_| role == Role::Rollback);
        let slot = still.unwrap_or_else(|| deploys::active(&self.records).other());
        let rollout = engine.environment.rollout.as_ref();
        let placed = rollout.map(|rollout| Placed { strategy: rollout.strategy, slot });
        let payload = Payload {
            role,
            intent: intent.unwrap_or_else(|| format!("{}/{}", self.nonce, self.made.len())),
            previous: previous.clone(),
            placed,
            undoes: undoes.or_else(|| self.undone.clone().filter(|_| role == Role::Rollback)),
            forced,
            overridden,
            place: Some(engine.me.place.clone()),
            by: engine.me.owner.clone(),
            link: engine.me.link.clone(),
        };
        let new = New { sha: sha.clone(), reference, payload, says, production: engine.environment.production };
        match self.recorded(&new).await {
            Ok(record) => {
                let (id, same) = (record.id, record.sha == sha);
                let place = placed.map_or_else(String::new, |placed| {
                    format!(" ({}, slot {})", placed.strategy.word(), placed.slot.word())
                });
                self.say(&format!("deployment {id}: {} of {}{place}", role.word(), sha.short()));
                let old = previous.filter(|_| placed.is_some());
                Event::Created(Created { id, same, old, runs: placed.is_some() && still.is_some() })
            }
            Err(error) => Event::NotCreated(error.to_string()),
        }
    }

    async fn recorded(&mut self, new: &New) -> Result<Record, LedgerError> {
        let record = self.engine.ledger.create(&self.engine.environment.name, new).await?;
        self.made.push(record.id.clone());
        let undone = record.undoes().and_then(|undone| self.record(undone));
        self.engine.watch.of(&record, undone);
        self.records.insert(0, record.clone());
        Ok(record)
    }

    /// Records what a deploy that has its end, but was cut off, left there: it is what answers.
    async fn adopt(&mut self, id: &str) -> Event {
        let found = self.record(id).and_then(|record| Some((record.clone(), record.payload.clone()?)));
        let Some((left, payload)) = found else { return Event::NotCreated(format!("{id} is not recorded")) };
        if let Err(why) = self.still_locked().await {
            return Event::Lost(why);
        }
        let me = self.engine.me;
        let payload = Payload {
            role: Role::Adopt,
            intent: format!("{}/{}", self.nonce, self.made.len()),
            previous: live(&self.records).map(|record| record.sha.clone()),
            undoes: None,
            by: me.owner.clone(),
            link: me.link.clone(),
            ..payload
        };
        let says = format!("{} of {}", Role::Adopt.word(), left.sha.short());
        let Record { sha, reference, .. } = left;
        let new = New { sha, reference, payload, says, production: self.engine.environment.production };
        match self.recorded(&new).await {
            Ok(record) => {
                self.say(&format!("deployment {}: {}", record.id, new.says));
                Event::Created(Created { id: record.id, same: true, old: None, runs: false })
            }
            Err(error) => Event::NotCreated(error.to_string()),
        }
    }

    /// Whether a deployment of this role is what was asked for, and not what followed from it.
    fn is_asked_for(&self, role: Role) -> bool {
        matches!((self.ask, role), (Ask::Deploy, Role::Deploy) | (Ask::Rollback, Role::Rollback))
    }

    /// Why what was asked for must not be recorded: it was done already, or is not wanted any more.
    async fn withdrawn(&mut self, role: Role, intent: Option<&str>) -> Result<Option<Withdrawn>, LedgerError> {
        let engine = &mut *self.engine;
        let done = match intent {
            // Not among those that were read: they go back no further than it takes to tell what is live.
            Some(intent) => engine.ledger.of_intent(&engine.environment.name, intent).await?,
            None => None,
        };
        if let Some(record) = done {
            let end = record.end().map_or("has no end yet", |end| end.phase.word());
            let says = format!("it was done already, by deployment {}: {end}", record.id);
            return Ok(Some((Some(Hindrance::Done), says)));
        }
        Ok(self.objection(role).await.map(|why| (None, why)))
    }

    async fn objection(&self, role: Role) -> Option<String> {
        match &self.engine.wish.consent {
            Some(consent) if role == Role::Deploy => consent.objection().await,
            _ => None,
        }
    }

    /// Whether the lock is ours: asked before anything is done that only its holder may do.
    pub(super) async fn still_locked(&mut self) -> Result<(), String> {
        let Some(held) = &mut self.held else { return Err("the lock is not held".to_owned()) };
        match lock::check(self.engine.ledger, &self.engine.environment.name, held).await {
            Ok(()) => Ok(()),
            Err(Parted::Lost(why)) => Err(why),
            // What is being recorded is recorded; then it ends.
            Err(Parted::Asked(why)) => {
                self.asked = Some(why);
                Ok(())
            }
        }
    }

    async fn mark(&mut self, id: &str, phase: Phase, says: String) -> Event {
        if let Err(why) = self.still_locked().await {
            return Event::Lost(why);
        }
        // Asked before it is begun: half way the way back is a rollback.
        let begins = phase == Phase::InProgress && self.made.last().is_some_and(|made| made == id);
        let new = self.record(id).filter(|record| begins && !record.is_begun());
        if let Some(role) = new.and_then(Record::role)
            && let Some(why) = self.objection(role).await
        {
            return Event::Withdrawn(None, why);
        }
        let engine = &mut *self.engine;
        let url = engine.environment.url.clone();
        let step = Step { phase, says: engine.masker.text(&says), url, log: engine.me.link.clone() };
        match engine.ledger.mark(id, &step).await {
            Ok(()) => {
                let mark = Mark { phase: step.phase, says: step.says, at: clock::now().to_string() };
                self.records
                    .iter_mut()
                    .filter(|record| record.id == id)
                    .for_each(|record| record.marks.push(mark.clone()));
                Event::Marked
            }
            Err(error) => Event::NotMarked(error.to_string()),
        }
    }

    async fn unlock(&mut self, is_back: bool) -> Event {
        let Some(held) = self.held.take() else { return Event::Unlocked };
        let engine = &mut *self.engine;
        let environment = engine.environment;
        let name = &environment.name;
        if is_back && engine.environment.freeze_after_rollback {
            let holder = engine.me.holder("frozen after a rollback", true);
            return match lock::freeze(engine.ledger, name, held, &holder).await {
                Ok(true) => {
                    self.say(&format!("{name} stays locked after its rollback"));
                    Event::Unlocked
                }
                Ok(false) => {
                    self.say(&format!("{name} was taken over by another, and is not frozen after this rollback"));
                    Event::Unlocked
                }
                Err(error) => {
                    let what = format!("whether it stays locked after its rollback is not known: {error}");
                    self.say(&what);
                    Event::NotUnlocked(what)
                }
            };
        }
        match lock::give_back(engine.ledger, name, held).await {
            Ok(()) => Event::Unlocked,
            Err(error) => {
                let what = format!("the lock could not be given back, its lease ends it: {error}");
                self.say(&what);
                Event::NotUnlocked(what)
            }
        }
    }
}
