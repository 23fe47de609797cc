//! The invariants of a deploy, over generated orders of events: whatever fails, and wherever a run is killed, one
//! recovery without faults leaves every deployment with exactly one end and the lock free.

mod world;

use proptest::prelude::*;

use super::{ALL, Ask, Ending};
use crate::model::deployment::{INTERRUPTED, Record, live};
use world::{Fate, World, sha};

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
