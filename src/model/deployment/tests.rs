//! What recorded deployments tell of what is live.

use super::*;
use crate::model::rollout::{Placed, Strategy};

/// A record with these marks, oldest first.
fn record(id: &str, marks: &[(Phase, &str)], placed: Option<Strategy>) -> Record {
    let mark =
        |(phase, says): &(Phase, &str)| Mark { phase: phase.clone(), says: (*says).to_owned(), at: String::new() };
    Record {
        id: id.to_owned(),
        environment: EnvironmentName::parse("staging").unwrap(),
        sha: Sha::parse(&"a".repeat(40)).unwrap(),
        reference: "main".to_owned(),
        payload: Some(Payload {
            role: Role::Deploy,
            intent: id.to_owned(),
            previous: None,
            undoes: None,
            placed: placed.map(|strategy| Placed { strategy, slot: Slot::Green }),
            forced: None,
            overridden: Vec::new(),
            place: None,
            by: String::new(),
            link: None,
        }),
        created_at: String::new(),
        marks: marks.iter().map(mark).collect(),
    }
}

const BEGUN: (Phase, &str) = (Phase::InProgress, "begun");
const LIVE: (Phase, &str) = (Phase::Success, VERIFIED);

#[test]
fn what_was_begun_over_the_live_one_leaves_in_doubt_which_of_them_answers() {
    let live = || record("1", &[BEGUN, LIVE], None);
    let over = |newer: Record| begun_over(&[newer, live()]).is_some();
    assert!(over(record("2", &[BEGUN], None)));
    assert!(over(record("2", &[BEGUN, (Phase::Failure, "unhealthy")], None)));
    assert!(!over(record("2", &[], None)), "nothing was done for it");
    assert!(!over(record("2", &[BEGUN, LIVE], None)), "it is the live one itself");
    assert!(!over(Record { payload: None, ..record("2", &[BEGUN], None) }), "not gatepost's");
    let beside = |marks: &[(Phase, &str)]| over(record("2", marks, Some(Strategy::Canary)));
    assert!(!beside(&[BEGUN, (Phase::Failure, "unhealthy")]), "it never had traffic");
    assert!(beside(&[BEGUN, (Phase::InProgress, "traffic 10 %")]));
    assert!(beside(&[BEGUN, (Phase::InProgress, "paused at 10 %")]));
    let back = Traffic::went_back(&live().sha);
    assert!(!beside(&[BEGUN, (Phase::InProgress, "traffic 10 %"), (Phase::Failure, &back)]));
    assert!(beside(&[BEGUN, (Phase::InProgress, "going back: unhealthy")]), "it is on its way");
    let older = [live(), record("0", &[BEGUN], None)];
    assert_eq!((begun_over(&older), surely_live(&older)), (None, Ok(&older[0])), "it was overtaken");
    let doubtful = [record("2", &[BEGUN], None), live()];
    assert!(surely_live(&doubtful).unwrap_err().contains("has no end yet"));
    assert_eq!(surely_live(&[record("2", &[BEGUN], None)]), Err("nothing is live there".to_owned()));
}

#[test]
fn what_was_live_once_is_known_when_another_has_its_place() {
    let was = |marks: &[(Phase, &str)]| {
        let record = record("1", marks, None);
        (record.was_live(), record.was_verified(), record.is_live())
    };
    let gone = |says| (Phase::Inactive, says);
    assert_eq!(was(&[BEGUN, LIVE]), (true, true, true));
    assert_eq!(was(&[BEGUN, LIVE, gone("")]), (true, true, false));
    assert_eq!(was(&[BEGUN, gone(VERIFIED)]), (true, true, false), "recorded when another was live already");
    assert_eq!(was(&[BEGUN, (Phase::Success, UNVERIFIED)]), (true, false, true));
    assert_eq!(was(&[BEGUN, (Phase::Success, UNVERIFIED), gone("")]), (true, false, false));
    assert_eq!(was(&[BEGUN, (Phase::Failure, VERIFIED), gone("")]), (false, false, false));
}
