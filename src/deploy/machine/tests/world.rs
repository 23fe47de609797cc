//! Everything outside the machine, played: what each effect comes to, and what must hold while it goes on.

use super::super::{ALL, Ask, Created, Effect, Ending, Event, Phase, Role, Rules, State, step};
use crate::model::deployment::{Hindrance, Mark, Payload, Record, VERIFIED, live};
use crate::model::environments::EnvironmentName;
use crate::model::rollout::{Placed, Slot, Strategy as Moves};
use crate::model::sha::Sha;
use crate::policy::deploys;

/// What one effect comes to, and whether the run is killed before or after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) turn: u8,
    pub(super) kill: Option<bool>,
}

/// Everything outside the machine.
#[derive(Default)]
pub(super) struct World {
    /// Oldest first.
    pub(super) records: Vec<Record>,
    pub(super) lock: bool,
    /// The lock waits for a person.
    pub(super) paused: bool,
    /// The weights of a canary, none of blue-green; `None`: there is one place only.
    pub(super) weights: Option<Vec<u8>>,
    /// What runs in the slots, and whether well; and how much of the traffic goes to the second one.
    pub(super) slots: [Option<(Sha, bool)>; 2],
    pub(super) green: u8,
    /// A hook that was killed with its run may still be at work.
    pub(super) hook: bool,
    /// The commit that answers, and whether well.
    pub(super) live: Option<(Sha, bool)>,
    pub(super) fresh: u8,
    /// What was asked for by this run.
    pub(super) wanted: Option<Sha>,
    pub(super) rollbacks: usize,
    /// The newest record of this run.
    pub(super) made: Option<String>,
    pub(super) broken: Vec<String>,
}

pub(super) fn sha(number: u8) -> Sha {
    Sha::parse(&format!("{number:040x}")).unwrap()
}

impl World {
    pub(super) fn record(&mut self, id: &str) -> &mut Record {
        self.records.iter_mut().find(|record| record.id == id).unwrap()
    }

    pub(super) fn newest_first(&self) -> Vec<Record> {
        self.records.iter().rev().cloned().collect()
    }

    /// What answers, whoever asks; nothing is sure while traffic is divided.
    pub(super) fn answers(&self) -> Option<(Sha, bool)> {
        match (self.weights.is_some(), self.green) {
            (false, _) => self.live.clone(),
            (true, 0) => self.slots[0].clone(),
            (true, ALL) => self.slots[1].clone(),
            (true, _) => None,
        }
    }

    pub(super) fn is_divided(&self) -> bool {
        !(self.green == 0 || self.green == ALL) && self.slots.iter().all(Option::is_some)
    }

    pub(super) fn in_slot(&self, id: &str) -> (usize, Option<(Sha, bool)>) {
        let record = self.records.iter().find(|record| record.id == id).unwrap();
        let at = usize::from(record.slot() == Slot::Green);
        (at, self.slots[at].clone())
    }

    pub(super) fn demand(&mut self, holds: bool, what: &str) {
        if !holds {
            self.broken.push(what.to_owned());
        }
    }

    /// Carries out an effect; `turn` decides how it comes out, 0 being well.
    pub(super) fn act(&mut self, effect: &Effect, turn: u8, ask: Ask) -> Option<Event> {
        let why = || "why".to_owned();
        Some(match effect {
            Effect::Tell(_) => return None,
            Effect::Lock if turn != 9 && self.paused && ask == Ask::Recover => {
                Event::Attended(Hindrance::Paused, why())
            }
            Effect::Lock if turn == 9 || (self.paused && !matches!(ask, Ask::Rollback | Ask::Continue)) => {
                Event::NotLocked(None, why())
            }
            Effect::Lock => {
                // A takeover ends what the dead holder had started.
                (self.lock, self.hook, self.paused) = (true, false, false);
                Event::Locked
            }
            Effect::Read if turn == 9 => Event::NotRead(why()),
            Effect::Read => Event::Found(deploys::leftovers(&self.newest_first())),
            Effect::Probe(id) => self.probe(id, turn),
            Effect::Choose(undoes) => {
                let records = self.newest_first();
                let bad = deploys::undone(&records, undoes.as_deref());
                let bad = bad.map_or(sha(0), |record| record.sha.clone());
                match deploys::choose(&records, &bad, None).target {
                    Some(target) if turn < 9 => {
                        self.wanted = Some(target.sha.clone());
                        Event::Chosen(Ok(target.sha))
                    }
                    _ => Event::Chosen(Err((Hindrance::NothingBefore, why()))),
                }
            }
            Effect::Adopt(_) | Effect::Create(..) if turn == 9 => Event::NotCreated(why()),
            Effect::Adopt(id) => self.adopt(id),
            Effect::Create(Role::Deploy, _) if turn == 7 => Event::Withdrawn(None, why()),
            Effect::Create(role, undoes) => self.create(*role, undoes.as_ref(), turn),
            Effect::Mark(..) if turn == 9 => Event::NotMarked(why()),
            Effect::Mark(id, Phase::InProgress, _) if turn == 7 && self.is_new(id) => Event::Withdrawn(None, why()),
            Effect::Mark(id, phase, says) => self.mark(id, phase, says),
            Effect::Run(id, _) => self.run(id, turn),
            Effect::Verify(id, _, accepted) => self.verify(id, *accepted, turn),
            Effect::Preview(..) | Effect::Shift(..) | Effect::Look(..) | Effect::SeeOld(_) | Effect::Hold(..) => {
                self.act_beside(effect, turn)
            }
            Effect::Unlock(_) if turn == 9 => Event::NotUnlocked(why()),
            Effect::Unlock(_) => {
                self.demand(!self.hook, "I2: unlocked while a hook runs");
                self.demand(!self.is_divided(), "unlocked while traffic is divided");
                self.lock = false;
                Event::Unlocked
            }
        })
    }

    pub(super) fn probe(&mut self, id: &str, turn: u8) -> Event {
        let sha = self.record(id).sha.clone();
        self.demand(!self.is_divided(), "one answer of many is asked for");
        match turn {
            8 => Event::Answers(false),
            9 => Event::Interrupted("SIGINT".to_owned()),
            _ if self.answers() != Some((sha, true)) => Event::Answers(false),
            7 => Event::Inconclusive("its command was not seen to end".to_owned()),
            _ => Event::Answers(true),
        }
    }

    pub(super) fn adopt(&mut self, id: &str) -> Event {
        let left = self.record(id).clone();
        self.wanted = Some(left.sha);
        let event = self.create(Role::Adopt, None, 0);
        self.records.last_mut().unwrap().payload.as_mut().unwrap().placed = left.payload.unwrap().placed;
        event
    }

    pub(super) fn act_beside(&mut self, effect: &Effect, turn: u8) -> Event {
        let why = || "why".to_owned();
        match effect {
            Effect::Preview(id, ..) => match (turn, self.in_slot(id).1) {
                (8, _) => Event::Interrupted("SIGINT".to_owned()),
                (0..=5, Some((_, true))) => Event::Healthy(why()),
                _ => Event::Failed("503".to_owned()),
            },
            Effect::Shift(id, weight) => self.shift(id, *weight, turn),
            Effect::Look(id, _) => match (turn, self.in_slot(id).1) {
                (7, _) => Event::Inconclusive("4".to_owned()),
                (8, _) => Event::Interrupted("SIGINT".to_owned()),
                (0..=5, Some((_, true))) => Event::Healthy(why()),
                _ => Event::Failed("503".to_owned()),
            },
            Effect::SeeOld(id) => {
                let old = self.record(id).payload.as_ref().unwrap().previous.clone().unwrap();
                self.demand(!self.is_divided(), "the old one is looked at among the new");
                match turn {
                    7 => Event::Unverified,
                    8 => Event::Interrupted("SIGINT".to_owned()),
                    _ if self.answers() == Some((old, true)) => Event::Healthy(why()),
                    _ => Event::Failed("503".to_owned()),
                }
            }
            Effect::Hold(..) if turn == 9 => Event::NotUnlocked(why()),
            Effect::Hold(..) => {
                self.paused = true;
                Event::Unlocked
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let record = self.record(id);
        let is_new = record.role() == Some(Role::Deploy) && !record.is_begun();
        is_new && self.made.as_deref() == Some(id)
    }

    pub(super) fn create(&mut self, role: Role, undoes: Option<&String>, turn: u8) -> Event {
        self.demand(self.lock, "I2: a deployment without the lock");
        self.rollbacks += usize::from(role == Role::Rollback);
        if role == Role::Deploy {
            self.fresh += 1;
            self.wanted = Some(sha(self.fresh));
        }
        let id = (self.records.len() + 1).to_string();
        self.made = Some(id.clone());
        let same = turn != 8;
        let other = sha(255);
        let records = self.newest_first();
        let wanted = self.wanted.clone().unwrap();
        let previous = live(&records).map(|record| record.sha.clone());
        let still = deploys::still_in(&records, &wanted).filter(|_| role == Role::Rollback);
        let slot = still.unwrap_or_else(|| deploys::active(&records).other());
        let strategy = self.weights.as_ref().map(|all| if all.is_empty() { Moves::BlueGreen } else { Moves::Canary });
        let placed = strategy.map(|strategy| Placed { strategy, slot });
        let payload = Payload {
            role,
            intent: id.clone(),
            previous: previous.clone(),
            undoes: undoes.cloned(),
            placed,
            forced: None,
            overridden: Vec::new(),
            place: None,
            by: String::new(),
            link: None,
        };
        self.records.push(Record {
            id: id.clone(),
            environment: EnvironmentName::parse("staging").unwrap(),
            sha: if same { self.wanted.clone().unwrap() } else { other },
            reference: String::new(),
            payload: Some(payload),
            created_at: String::new(),
            marks: Vec::new(),
        });
        let old = previous.filter(|_| placed.is_some());
        Event::Created(Created { id, same, old, runs: placed.is_some() && still.is_some() })
    }

    pub(super) fn mark(&mut self, id: &str, phase: &Phase, says: &str) -> Event {
        let live = self.answers();
        let divided = self.is_divided();
        let record = self.record(id);
        let again = phase.is_end() && record.end().is_some();
        let is_true = live == Some((record.sha.clone(), true));
        record.marks.push(Mark { phase: phase.clone(), says: says.to_owned(), at: String::new() });
        self.demand(!again, "I1: a second end");
        self.demand(!phase.is_end() || !divided, "an end while traffic is divided");
        self.demand(
            *phase != Phase::Success || !says.starts_with(VERIFIED) || is_true,
            "I3: verified what does not work",
        );
        Event::Marked
    }

    pub(super) fn run(&mut self, id: &str, turn: u8) -> Event {
        let sha = self.record(id).sha.clone();
        let authorised = self.wanted.as_ref() == Some(&sha);
        self.demand(authorised, "I5: another commit than was authorised");
        self.demand(self.lock && !self.hook, "I2: a hook without the lock, or beside another");
        let well = turn < 6;
        let (slot, _) = self.in_slot(id);
        let beside = self.weights.is_some();
        if beside {
            let share = if slot == 1 { self.green } else { ALL - self.green };
            let is_first = live(&self.newest_first()).is_none();
            self.demand(share == 0 || is_first, "deployed over what has traffic");
        }
        let mut put = |well| {
            if beside {
                self.slots[slot] = Some((sha.clone(), well));
            } else {
                self.live = Some((sha.clone(), well));
            }
        };
        match turn {
            0..=4 | 6 => {
                put(well);
                if turn == 4 && !beside { Event::Accepted } else { Event::Done }
            }
            5 => Event::Failed("it printed an error".to_owned()),
            7 => {
                put(false);
                Event::Failed("it broke half way".to_owned())
            }
            8 => Event::Interrupted("SIGTERM".to_owned()),
            _ => {
                self.lock = false;
                Event::Lost("taken over".to_owned())
            }
        }
    }

    pub(super) fn shift(&mut self, id: &str, weight: u8, turn: u8) -> Event {
        self.demand(self.lock && !self.hook, "I2: traffic is moved without the lock, or beside another hook");
        let (slot, _) = self.in_slot(id);
        let green = if slot == 1 { weight } else { ALL - weight };
        match turn {
            0..=6 => {
                self.green = green;
                Event::Done
            }
            7 => {
                // It stopped half way.
                self.green = u8::midpoint(self.green, green);
                Event::Failed("no such pool".to_owned())
            }
            8 => Event::Failed("it did nothing".to_owned()),
            _ => {
                self.lock = false;
                Event::Lost("taken over".to_owned())
            }
        }
    }

    pub(super) fn verify(&mut self, id: &str, accepted: bool, turn: u8) -> Event {
        let sha = self.record(id).sha.clone();
        match turn {
            7 => Event::Inconclusive("no version".to_owned()),
            8 => Event::Interrupted("SIGINT".to_owned()),
            9 if !accepted => Event::Unverified,
            _ if accepted && turn == 6 => Event::Inconclusive("no version".to_owned()),
            _ if self.answers() == Some((sha, true)) => Event::Healthy("2 good rounds".to_owned()),
            _ => Event::Failed("503".to_owned()),
        }
    }

    /// One run, until it is over or killed.
    pub(super) fn play(
        &mut self,
        ask: Ask,
        auto_rollback: bool,
        fates: &mut impl Iterator<Item = Fate>,
    ) -> Option<Ending> {
        let before = self.rollbacks;
        self.made = None;
        let rules = Rules { auto_rollback, weights: self.weights.clone(), named: false };
        let (mut state, mut effects) = step(State::new(ask, rules), Event::Begin);
        for _ in 0..200 {
            let Some(effect) = effects.iter().find(|effect| !matches!(effect, Effect::Tell(_))).cloned() else { break };
            self.demand(
                effects.iter().filter(|effect| !matches!(effect, Effect::Tell(_))).count() == 1,
                "one thing at a time",
            );
            let fate = fates.next().unwrap_or(Fate { turn: 0, kill: None });
            if fate.kill == Some(false) {
                return None;
            }
            let event = self.act(&effect, fate.turn, ask).unwrap();
            if fate.kill == Some(true) {
                self.hook = matches!(effect, Effect::Run(..) | Effect::Shift(..)) && fate.turn == 3;
                return None;
            }
            (state, effects) = step(state, event);
        }
        let end = state.end().cloned();
        self.demand(end.is_some(), "it comes to an end");
        // One for what an earlier run had begun, one for its own.
        self.demand(self.rollbacks - before <= 2, "a rollback in a loop");
        end
    }

    pub(super) fn check_settled(&mut self) {
        for record in &self.records {
            let ends = record.marks.iter().filter(|mark| mark.phase.is_end()).count();
            if ends != 1 {
                self.broken.push(format!("I1: {} has {ends} ends", record.id));
            }
        }
        self.demand(!self.lock, "I2: locked in the end");
        self.demand(!self.hook, "I2: a hook is left");
        self.demand(!self.is_divided(), "traffic is divided in the end");
    }
}
