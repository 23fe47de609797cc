//! The invariants of a deploy, over generated orders of events: whatever fails, and wherever a run is killed, one
//! recovery without faults leaves every deployment with exactly one end and the lock free.

use proptest::prelude::*;

use super::{Ask, Effect, Ending, Event, Phase, Role, State, step};
use crate::model::deployment::{INTERRUPTED, Mark, Payload, Record, VERIFIED};
use crate::model::environments::EnvironmentName;
use crate::model::sha::Sha;
use crate::policy::deploys;

/// What one effect comes to, and whether the run is killed before or after it.
#[derive(Debug, Clone, Copy)]
struct Fate {
    turn: u8,
    kill: Option<bool>,
}

/// Everything outside the machine.
#[derive(Default)]
struct World {
    /// Oldest first.
    records: Vec<Record>,
    lock: bool,
    /// A hook that was killed with its run may still be at work.
    hook: bool,
    /// The commit that answers, and whether well.
    live: Option<(Sha, bool)>,
    fresh: u8,
    /// What was asked for by this run.
    wanted: Option<Sha>,
    rollbacks: usize,
    broken: Vec<String>,
}

fn sha(number: u8) -> Sha {
    Sha::parse(&format!("{number:040x}")).unwrap()
}

impl World {
    fn record(&mut self, id: &str) -> &mut Record {
        self.records.iter_mut().find(|record| record.id == id).unwrap()
    }

    fn newest_first(&self) -> Vec<Record> {
        self.records.iter().rev().cloned().collect()
    }

    fn demand(&mut self, holds: bool, what: &str) {
        if !holds {
            self.broken.push(what.to_owned());
        }
    }

    /// Carries out an effect; `turn` decides how it comes out, 0 being well.
    fn act(&mut self, effect: &Effect, turn: u8) -> Option<Event> {
        let why = || "why".to_owned();
        Some(match effect {
            Effect::Tell(_) => return None,
            Effect::Lock if turn == 9 => Event::NotLocked(why()),
            Effect::Lock => {
                // A takeover ends what the dead holder had started.
                (self.lock, self.hook) = (true, false);
                Event::Locked
            }
            Effect::Read if turn == 9 => Event::NotRead(why()),
            Effect::Read => Event::Found(deploys::leftovers(&self.newest_first())),
            Effect::Probe(id) => {
                let sha = self.record(id).sha.clone();
                Event::Answers(self.live == Some((sha, true)) && turn < 8)
            }
            Effect::Choose(undoes) => {
                let records = self.newest_first();
                let bad = undoes.as_ref().map(|id| self.record(id).sha.clone());
                let bad = bad.or_else(|| records.first().map(|record| record.sha.clone())).unwrap_or(sha(0));
                match deploys::choose(&records, &bad, None).target {
                    Some(target) if turn < 9 => {
                        self.wanted = Some(target.sha.clone());
                        Event::Chosen(Ok(target.sha))
                    }
                    _ => Event::Chosen(Err(why())),
                }
            }
            Effect::Create(..) if turn == 9 => Event::NotCreated(why()),
            Effect::Create(Role::Deploy, _) if turn == 7 => Event::Withdrawn(why()),
            Effect::Create(role, undoes) => self.create(*role, undoes.as_ref(), turn),
            Effect::Mark(..) if turn == 9 => Event::NotMarked(why()),
            Effect::Mark(id, Phase::InProgress, _) if turn == 7 && self.record(id).role() == Some(Role::Deploy) => {
                Event::Withdrawn(why())
            }
            Effect::Mark(id, phase, says) => self.mark(id, phase, says),
            Effect::Run(id, _) => self.run(id, turn),
            Effect::Verify(id, _, accepted) => self.verify(id, *accepted, turn),
            Effect::Unlock if turn == 9 => Event::NotUnlocked(why()),
            Effect::Unlock => {
                self.demand(!self.hook, "I2: unlocked while a hook runs");
                self.lock = false;
                Event::Unlocked
            }
        })
    }

    fn create(&mut self, role: Role, undoes: Option<&String>, turn: u8) -> Event {
        self.demand(self.lock, "I2: a deployment without the lock");
        self.rollbacks += usize::from(role == Role::Rollback);
        if role == Role::Deploy {
            self.fresh += 1;
            self.wanted = Some(sha(self.fresh));
        }
        let id = (self.records.len() + 1).to_string();
        let same = turn != 8;
        let other = sha(255);
        let payload = Payload {
            role,
            intent: id.clone(),
            previous: None,
            undoes: undoes.cloned(),
            forced: None,
            overridden: Vec::new(),
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
        Event::Created(id, same)
    }

    fn mark(&mut self, id: &str, phase: &Phase, says: &str) -> Event {
        let live = self.live.clone();
        let record = self.record(id);
        let again = phase.is_end() && record.end().is_some();
        let is_true = live == Some((record.sha.clone(), true));
        record.marks.push(Mark { phase: phase.clone(), says: says.to_owned(), at: String::new() });
        self.demand(!again, "I1: a second end");
        self.demand(
            *phase != Phase::Success || !says.starts_with(VERIFIED) || is_true,
            "I3: verified what does not work",
        );
        Event::Marked
    }

    fn run(&mut self, id: &str, turn: u8) -> Event {
        let sha = self.record(id).sha.clone();
        let authorised = self.wanted.as_ref() == Some(&sha);
        self.demand(authorised, "I5: another commit than was authorised");
        self.demand(self.lock && !self.hook, "I2: a hook without the lock, or beside another");
        let well = turn < 6;
        match turn {
            0..=4 | 6 => {
                self.live = Some((sha, well));
                if turn == 4 { Event::Accepted } else { Event::Done }
            }
            5 => Event::Failed("it printed an error".to_owned()),
            7 => {
                self.live = Some((sha, false));
                Event::Failed("it broke half way".to_owned())
            }
            8 => Event::Interrupted("SIGTERM".to_owned()),
            _ => {
                self.lock = false;
                Event::Lost("taken over".to_owned())
            }
        }
    }

    fn verify(&mut self, id: &str, accepted: bool, turn: u8) -> Event {
        let sha = self.record(id).sha.clone();
        match turn {
            7 => Event::Inconclusive("no version".to_owned()),
            8 => Event::Interrupted("SIGINT".to_owned()),
            _ if accepted && turn == 6 => Event::Inconclusive("no version".to_owned()),
            _ if self.live == Some((sha, true)) => Event::Healthy("2 good rounds".to_owned()),
            _ => Event::Failed("503".to_owned()),
        }
    }

    /// One run, until it is over or killed.
    fn play(&mut self, ask: Ask, auto_rollback: bool, fates: &mut impl Iterator<Item = Fate>) -> Option<Ending> {
        let before = self.rollbacks;
        let (mut state, mut effects) = step(State::new(ask, auto_rollback), Event::Begin);
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
            let event = self.act(&effect, fate.turn).unwrap();
            if fate.kill == Some(true) {
                self.hook = matches!(effect, Effect::Run(..)) && fate.turn == 3;
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

    fn check_settled(&mut self) {
        for record in &self.records {
            let ends = record.marks.iter().filter(|mark| mark.phase.is_end()).count();
            if ends != 1 {
                self.broken.push(format!("I1: {} has {ends} ends", record.id));
            }
        }
        self.demand(!self.lock, "I2: locked in the end");
        self.demand(!self.hook, "I2: a hook is left");
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    (0..100_u8, 0..40_u8).prop_map(|(turn, kill)| Fate {
        turn: if turn < 55 { 0 } else { turn % 10 },
        kill: match kill {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![3 => Just(Ask::Deploy), 1 => Just(Ask::Rollback), 1 => Just(Ask::Recover)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn one_recovery_settles_whatever_was_left(
        asks in prop::collection::vec((ask(), any::<bool>()), 1..5),
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        let mut world = World::default();
        let mut fates = fates.into_iter();
        for (ask, auto_rollback) in asks {
            let end = world.play(ask, auto_rollback, &mut fates);
            let settled = !matches!(end, None | Some(Ending::Unsettled(_) | Ending::Refused(_)));
            if settled && fates.len() > 0 {
                let open = world.records.iter().filter(|record| record.is_open()).count();
                world.demand(open == 0, "I1: a run that ended left something without an end");
            }
        }
        let _ = world.play(Ask::Recover, true, &mut std::iter::empty());
        world.check_settled();
        prop_assert!(world.broken.is_empty(), "{:?}", world.broken);
    }
}

/// Plays a run whose effects come out by these turns.
fn played(world: &mut World, ask: Ask, auto_rollback: bool, turns: &[u8]) -> Option<Ending> {
    world.play(ask, auto_rollback, &mut turns.iter().map(|turn| Fate { turn: *turn, kill: None }))
}

fn ends(world: &World) -> Vec<(&str, &str)> {
    let end = |record: &Record| {
        record.end().map_or("none", |mark| if mark.says.starts_with(INTERRUPTED) { "interrupted" } else { "ended" })
    };
    world.records.iter().map(|record| (record.role().unwrap().word(), end(record))).collect()
}

#[test]
fn a_sick_deploy_is_rolled_back_once_and_both_are_recorded() {
    let mut world = World::default();
    assert!(matches!(played(&mut world, Ask::Deploy, true, &[]), Some(Ending::Live { verified: true, .. })));
    // Lock, read, create, begin, run (sick).
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 6]);
    assert!(matches!(end, Some(Ending::RolledBack { ref to, .. }) if *to == sha(1)), "{end:?}");
    assert_eq!(ends(&world), [("deploy", "ended"), ("deploy", "ended"), ("rollback", "ended")]);
    assert_eq!(world.live, Some((sha(1), true)));
    // And a rollback that fails is not rolled back.
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 6, 0, 0, 0, 0, 7]);
    assert!(matches!(end, Some(Ending::RollbackFailed { .. })), "{end:?}");
    let end = played(&mut world, Ask::Deploy, false, &[0, 0, 0, 0, 5]);
    assert!(matches!(end, Some(Ending::Failed(_))), "{end:?}");
    world.check_settled();
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

#[test]
fn what_is_not_wanted_any_more_is_not_begun_and_has_an_end() {
    let mut world = World::default();
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    // Lock, read, create; then create, begin.
    for (turns, recorded) in [(&[0, 0, 7][..], 1), (&[0, 0, 0, 7], 2)] {
        let end = played(&mut world, Ask::Deploy, true, turns);
        assert!(matches!(end, Some(Ending::Refused(_))), "{end:?}");
        assert_eq!((world.records.len(), world.live.clone()), (recorded, Some((sha(1), true))));
    }
    world.check_settled();
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

#[test]
fn what_was_interrupted_is_finished_by_a_recovery() {
    let mut world = World::default();
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 8]);
    assert!(matches!(end, Some(Ending::Interrupted(_))), "{end:?}");
    assert!(!world.lock);
    let end = played(&mut world, Ask::Recover, true, &[]);
    assert!(matches!(end, Some(Ending::RolledBack { .. })), "{end:?}");
    assert_eq!(ends(&world), [("deploy", "ended"), ("deploy", "interrupted"), ("rollback", "ended")]);
    assert!(matches!(played(&mut world, Ask::Recover, true, &[]), Some(Ending::Nothing(_))));
}
