//! The invariants of a deploy, over generated orders of events: whatever fails, and wherever a run is killed, one
//! recovery without faults leaves every deployment with exactly one end and the lock free.

use proptest::prelude::*;

use super::{ALL, Ask, Created, Effect, Ending, Event, Phase, Role, Rules, State, step};
use crate::model::deployment::{Hindrance, INTERRUPTED, Mark, Payload, Record, VERIFIED, live};
use crate::model::environments::EnvironmentName;
use crate::model::rollout::{Placed, Slot, Strategy as Moves};
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
    /// The lock waits for a person.
    paused: bool,
    /// The weights of a canary, none of blue-green; `None`: there is one place only.
    weights: Option<Vec<u8>>,
    /// What runs in the slots, and whether well; and how much of the traffic goes to the second one.
    slots: [Option<(Sha, bool)>; 2],
    green: u8,
    /// A hook that was killed with its run may still be at work.
    hook: bool,
    /// The commit that answers, and whether well.
    live: Option<(Sha, bool)>,
    fresh: u8,
    /// What was asked for by this run.
    wanted: Option<Sha>,
    rollbacks: usize,
    /// The newest record of this run.
    made: Option<String>,
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

    /// What answers, whoever asks; nothing is sure while traffic is divided.
    fn answers(&self) -> Option<(Sha, bool)> {
        match (self.weights.is_some(), self.green) {
            (false, _) => self.live.clone(),
            (true, 0) => self.slots[0].clone(),
            (true, ALL) => self.slots[1].clone(),
            (true, _) => None,
        }
    }

    fn is_divided(&self) -> bool {
        !(self.green == 0 || self.green == ALL) && self.slots.iter().all(Option::is_some)
    }

    fn in_slot(&self, id: &str) -> (usize, Option<(Sha, bool)>) {
        let record = self.records.iter().find(|record| record.id == id).unwrap();
        let at = usize::from(record.slot() == Slot::Green);
        (at, self.slots[at].clone())
    }

    fn demand(&mut self, holds: bool, what: &str) {
        if !holds {
            self.broken.push(what.to_owned());
        }
    }

    /// Carries out an effect; `turn` decides how it comes out, 0 being well.
    fn act(&mut self, effect: &Effect, turn: u8, ask: Ask) -> Option<Event> {
        let why = || "why".to_owned();
        Some(match effect {
            Effect::Tell(_) => return None,
            Effect::Lock if turn != 9 && self.paused && ask == Ask::Recover => Event::Attended(Hindrance::Paused, why()),
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
            Effect::Probe(id) => {
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
            Effect::Adopt(_) if turn == 9 => Event::NotCreated(why()),
            Effect::Adopt(id) => {
                let left = self.record(id).clone();
                self.wanted = Some(left.sha);
                let event = self.create(Role::Adopt, None, 0);
                self.records.last_mut().unwrap().payload.as_mut().unwrap().placed = left.payload.unwrap().placed;
                event
            }
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
            Effect::Create(..) if turn == 9 => Event::NotCreated(why()),
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

    fn act_beside(&mut self, effect: &Effect, turn: u8) -> Event {
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

    fn is_new(&mut self, id: &str) -> bool {
        let record = self.record(id);
        let is_new = record.role() == Some(Role::Deploy) && !record.is_begun();
        is_new && self.made.as_deref() == Some(id)
    }

    fn create(&mut self, role: Role, undoes: Option<&String>, turn: u8) -> Event {
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

    fn mark(&mut self, id: &str, phase: &Phase, says: &str) -> Event {
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

    fn run(&mut self, id: &str, turn: u8) -> Event {
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

    fn shift(&mut self, id: &str, weight: u8, turn: u8) -> Event {
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

    fn verify(&mut self, id: &str, accepted: bool, turn: u8) -> Event {
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
    fn play(&mut self, ask: Ask, auto_rollback: bool, fates: &mut impl Iterator<Item = Fate>) -> Option<Ending> {
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

    fn check_settled(&mut self) {
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
    prop_oneof![4 => Just(Ask::Deploy), 1 => Just(Ask::Rollback), 1 => Just(Ask::Continue), 1 => Just(Ask::Recover)]
}

/// In one place, blue-green, and canaries.
fn weights() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(Vec::new())),
        3 => prop::collection::btree_set(1..ALL, 1..4).prop_map(|weights| Some(weights.into_iter().collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn one_recovery_settles_whatever_was_left(
        asks in prop::collection::vec((ask(), any::<bool>()), 1..5),
        weights in weights(),
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        let mut world = World { weights, ..World::default() };
        let mut fates = fates.into_iter();
        for (ask, auto_rollback) in asks {
            let end = world.play(ask, auto_rollback, &mut fates);
            let settled = !matches!(end, None | Some(Ending::Unsettled(_) | Ending::Refused(_)));
            if settled && !world.lock && fates.len() > 0 {
                let open = world.records.iter().filter(|record| record.is_open()).count();
                world.demand(open == 0, "I1: a run that ended left something without an end");
            }
        }
        if world.paused {
            // A person undoes what waits for one.
            let _ = world.play(Ask::Rollback, true, &mut std::iter::empty());
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
fn what_nothing_was_seen_of_is_not_verified_after_a_rollback_either() {
    let mut world = beside(&[5]);
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    // Lock, read, create, begin, run, preview, step, shift, look (bad), mark, back, see the old one: nothing to see it by.
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 7]);
    assert!(matches!(end, Some(Ending::RolledBack { verified: false, .. })), "{end:?}");
    // Lock, read, create, begin, run (sick); its rollback: mark, choose, create, begin, run, verify.
    let mut world = World::default();
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    for (turn, expected) in [(0, true), (9, false)] {
        let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 6, 0, 0, 0, 0, 0, turn]);
        assert!(matches!(end, Some(Ending::RolledBack { verified, .. }) if verified == expected), "{end:?}");
    }
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
    // Cut off while it was looked at: what answers is the very commit, and stays.
    let mut world = World::default();
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 0, 8]);
    assert!(matches!(end, Some(Ending::Interrupted(_))), "{end:?}");
    let end = played(&mut world, Ask::Recover, true, &[]);
    assert!(matches!(end, Some(Ending::Live { verified: false, .. })), "{end:?}");
    assert_eq!(ends(&world), [("deploy", "ended"), ("deploy", "interrupted"), ("adopt", "ended")]);
    assert_eq!((live(&world.newest_first()).unwrap().sha.clone(), world.lock), (sha(2), false));
    assert!(matches!(played(&mut world, Ask::Recover, true, &[]), Some(Ending::Nothing(_))));
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

#[test]
fn an_orphan_whose_command_was_not_seen_to_end_is_not_verified() {
    let mut world = World::default();
    let killed = Fate { turn: 0, kill: Some(false) };
    let going = |times: usize| std::iter::repeat_n(Fate { turn: 0, kill: None }, times);
    // Lock, read, create, begin, run; killed before it is verified. Then lock, read, probe.
    assert_eq!(world.play(Ask::Deploy, true, &mut going(5).chain([killed])), None);
    let end = played(&mut world, Ask::Recover, true, &[0, 0, 7]);
    assert!(matches!(end, Some(Ending::Live { verified: false, .. })), "{end:?}");
    assert!(live(&world.newest_first()).is_some_and(|record| !record.was_verified()));
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

fn beside(weights: &[u8]) -> World {
    World { weights: Some(weights.to_vec()), ..World::default() }
}

/// The marks of the newest deployment.
fn marks(world: &World) -> Vec<&str> {
    world.records.last().unwrap().marks.iter().map(|mark| mark.says.as_str()).collect()
}

#[test]
fn a_canary_goes_step_by_step_and_a_sick_one_goes_back() {
    let mut world = beside(&[5, 50]);
    assert!(matches!(played(&mut world, Ask::Deploy, true, &[]), Some(Ending::Live { .. })), "the first has no steps");
    assert_eq!((world.green, marks(&world).len()), (ALL, 3));
    assert!(matches!(played(&mut world, Ask::Deploy, true, &[]), Some(Ending::Live { verified: true, .. })));
    let steps = ["deploy begun", "traffic 5 %: deploy", "traffic 50 %: deploy", "traffic 100 %: deploy"];
    assert_eq!(marks(&world)[..4], steps);
    assert_eq!(world.answers(), Some((sha(2), true)));
    // Lock, read, create, begin, run, preview, step, shift, look, step, shift, look (bad).
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
    assert!(matches!(end, Some(Ending::RolledBack { ref to, .. }) if *to == sha(2)), "{end:?}");
    assert_eq!(marks(&world)[3..], ["going back: 503", "all traffic is with 0000000: 503"]);
    assert_eq!((world.answers(), world.lock), (Some((sha(2), true)), false));
    // By hand from there: to the one before, which still runs beside it, so that nothing is deployed.
    let slots = world.slots.clone();
    let end = played(&mut world, Ask::Rollback, true, &[]);
    assert!(matches!(end, Some(Ending::Live { .. })), "{end:?}");
    assert_eq!((world.slots.clone(), world.answers()), (slots, Some((sha(2), true))));
    world.check_settled();
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

#[test]
fn what_cannot_be_told_waits_locked_for_a_person() {
    for ask in [Ask::Continue, Ask::Rollback] {
        let mut world = beside(&[5, 50]);
        let _ = played(&mut world, Ask::Deploy, true, &[]);
        let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 0, 0, 0, 0, 7]);
        assert!(matches!(end, Some(Ending::Paused(_))), "{end:?}");
        assert!(world.paused && world.lock && world.is_divided());
        assert!(matches!(played(&mut world, Ask::Deploy, true, &[]), Some(Ending::Refused(_))));
        assert!(matches!(played(&mut world, Ask::Recover, true, &[]), Some(Ending::Nothing(_))));
        assert!(world.paused && world.lock, "it still waits");
        let end = played(&mut world, ask, true, &[]);
        assert!(matches!(end, Some(Ending::Live { verified: true, .. })), "{end:?}");
        let live = if ask == Ask::Continue { sha(2) } else { sha(1) };
        assert_eq!(world.answers(), Some((live, true)));
        assert!(matches!(played(&mut world, Ask::Continue, true, &[]), Some(Ending::Refused(_))));
        world.check_settled();
        assert!(world.broken.is_empty(), "{:?}", world.broken);
    }
}

#[test]
fn traffic_that_cannot_be_moved_back_keeps_the_environment_locked() {
    let mut world = beside(&[50]);
    let _ = played(&mut world, Ask::Deploy, true, &[]);
    // The look is bad, and so is the hook that is to move everything back.
    let end = played(&mut world, Ask::Deploy, true, &[0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 8]);
    assert!(matches!(end, Some(Ending::RollbackFailed { .. })), "{end:?}");
    assert!(world.paused && world.records[1].is_open());
    let end = played(&mut world, Ask::Rollback, true, &[]);
    assert!(matches!(end, Some(Ending::Live { .. })), "{end:?}");
    world.check_settled();
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}

#[test]
fn going_back_to_what_still_runs_deploys_nothing() {
    let mut world = beside(&[]);
    for _ in 0..2 {
        let _ = played(&mut world, Ask::Deploy, true, &[]);
    }
    let slots = world.slots.clone();
    let end = played(&mut world, Ask::Rollback, true, &[]);
    assert!(matches!(end, Some(Ending::Live { .. })), "{end:?}");
    assert_eq!((&world.slots, world.answers()), (&slots, Some((sha(1), true))));
    assert_eq!(marks(&world)[..2], ["rollback begun", "traffic 100 %: rollback"]);
    assert!(world.broken.is_empty(), "{:?}", world.broken);
}
