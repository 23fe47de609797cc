//! What the records of an environment mean: what earlier runs left to be settled, and what can be rolled back to.

use crate::model::deployment::{Phase, Record, Role};
use crate::model::rollout::{ALL, Beside, Slot, Traffic};
use crate::model::sha::Sha;

/// Something that an earlier run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// A deploy without an end (`open`), or the newest one, cut off by a signal.
    Deploy {
        /// Its id.
        id: String,
        /// It has no end.
        open: bool,
        /// Nothing was recorded after it.
        newest: bool,
        /// It is in one of two slots.
        beside: Option<Beside>,
    },
    /// A rollback without an end (`open`), or the newest one, cut off by a signal.
    Rollback {
        /// Its id.
        id: String,
        /// It has no end.
        open: bool,
        /// What it undoes, where that has no end either.
        undoes: Option<String>,
        /// Nothing was recorded after it.
        newest: bool,
        /// It was moving all traffic to its slot.
        moving: bool,
    },
    /// A deploy without an end, whose rollback has worked.
    Undone {
        /// Its id.
        id: String,
        /// The rollback.
        by: String,
    },
    /// A deploy without an end, whose rollback has not worked.
    NotUndone {
        /// Its id.
        id: String,
        /// The rollback.
        by: String,
    },
}

/// What earlier runs left, oldest first. `records` are newest first.
#[must_use]
pub fn leftovers(records: &[Record]) -> Vec<Leftover> {
    let ours: Vec<&Record> = records.iter().filter(|record| record.payload.is_some()).collect();
    let newest = ours.first().map(|record| record.id.as_str());
    let mut left = Vec::new();
    for record in ours.iter().rev() {
        let (id, open) = (record.id.clone(), record.is_open());
        let is_newest = newest == Some(record.id.as_str());
        let cut_off = is_newest && record.was_interrupted();
        if !open && !cut_off {
            continue;
        }
        let undoing = ours.iter().find(|other| other.undoes() == Some(&record.id));
        left.extend(match (record.role(), undoing) {
            (Some(Role::Rollback), _) => {
                let undoes = record.undoes().filter(|undone| ours.iter().any(|one| one.id == *undone && one.is_open()));
                let moving = record.traffic() == Traffic::At(ALL);
                Some(Leftover::Rollback { id, open, undoes: undoes.map(str::to_owned), newest: is_newest, moving })
            }
            // The rollback will end it.
            (_, Some(rollback)) if rollback.is_open() => None,
            (_, Some(rollback)) if open => {
                let by = rollback.id.clone();
                let worked = rollback.end().is_some_and(|end| end.phase == Phase::Success);
                let cut = rollback.was_interrupted() && newest == Some(by.as_str());
                match (worked, cut) {
                    (true, _) => Some(Leftover::Undone { id, by }),
                    (false, true) => None,
                    (false, false) => Some(Leftover::NotUndone { id, by }),
                }
            }
            (_, Some(_)) => None,
            (_, None) => Some(Leftover::Deploy { id, open, newest: is_newest, beside: beside(record) }),
        });
    }
    left
}

/// What is known of the slots of a deployment, where the environment has them.
fn beside(record: &Record) -> Option<Beside> {
    let payload = record.payload.as_ref()?;
    payload.placed?;
    Some(Beside { old: payload.previous.clone(), traffic: record.traffic() })
}

/// The slot that has the traffic: the last one that got all of it, and did not give it back. What was there before
/// slots counts as the first one, and until anything was live that is where nothing is. `records` are newest first.
#[must_use]
pub fn active(records: &[Record]) -> Slot {
    let was_live = |record: &Record| record.marks.iter().any(|mark| mark.phase == Phase::Success);
    if !records.iter().any(was_live) {
        return Slot::Blue;
    }
    let got_all = |record: &&Record| match &record.payload {
        Some(payload) if payload.placed.is_some() => record.traffic() == Traffic::At(ALL),
        Some(_) => has_begun(record),
        None => false,
    };
    records.iter().find(got_all).map_or(Slot::Blue, Record::slot)
}

fn has_begun(record: &Record) -> bool {
    record.marks.iter().any(|mark| mark.phase != Phase::Queued)
}

/// The slot in which a commit still runs, so that going back to it needs no deploy: nothing was deployed over it since
/// it was verified there. `records` are newest first.
#[must_use]
pub fn still_in(records: &[Record], sha: &Sha) -> Option<Slot> {
    let newest = |slot: Slot| {
        let mut here = records.iter().filter(|record| record.payload.is_some() && record.slot() == slot);
        here.find(|record| has_begun(record))
    };
    let runs = |slot: &Slot| newest(*slot).is_some_and(|record| record.sha == *sha && record.was_verified());
    Slot::BOTH.into_iter().find(runs)
}

/// What a rollback undoes: the named deployment, else the newest one, whether it worked or not. A rollback that was cut
/// off before it could work or fail stands for what it was to undo. `records` are newest first.
#[must_use]
pub fn undone<'r>(records: &'r [Record], named: Option<&str>) -> Option<&'r Record> {
    let find = |id: &str| records.iter().find(|record| record.id == id);
    let mut ours = records.iter().filter(|record| record.payload.is_some());
    // What was recorded when another had its place already is not what is there.
    let is_there = |record: &&Record| record.marks.last().is_none_or(|mark| mark.phase != Phase::Inactive);
    let newest = || ours.clone().find(is_there).or_else(|| ours.next());
    let mut undone = named.and_then(find).or_else(newest)?;
    for _ in records {
        let cut_off = undone.role() == Some(Role::Rollback) && undone.end().is_none_or(|end| end.phase == Phase::Error);
        match undone.undoes().filter(|_| cut_off).and_then(find) {
            Some(before) => undone = before,
            None => break,
        }
    }
    Some(undone)
}

/// What to roll back to, and why not to the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The record whose commit is taken.
    pub target: Option<Record>,
    /// Id, commit and reason of each one that was passed over, newest first.
    pub passed: Vec<(String, Sha, String)>,
}

/// The newest deployment that was truly verified, and whose commit is neither `bad` nor was undone since. `records` are newest first.
#[must_use]
pub fn choose(records: &[Record], bad: &Sha, to: Option<&Sha>) -> Choice {
    let mut choice = Choice::default();
    for record in records {
        match objection(records, record, bad, to) {
            None => {
                choice.target = Some(record.clone());
                break;
            }
            Some(why) => choice.passed.push((record.id.clone(), record.sha.clone(), why)),
        }
    }
    choice
}

fn objection(records: &[Record], record: &Record, bad: &Sha, to: Option<&Sha>) -> Option<String> {
    let undone_by = |undone: &Record| {
        records.iter().find(|other| {
            other.role() == Some(Role::Rollback) && other.undoes() == Some(&undone.id) && other.was_verified()
        })
    };
    // What became of the commit when it was live the last time.
    let last = records.iter().find(|other| other.sha == record.sha && other.was_verified());
    if record.payload.is_none() {
        return Some("it was not made by gatepost".to_owned());
    }
    if to.is_some_and(|to| record.sha != *to) {
        return Some("it is another commit than was asked for".to_owned());
    }
    if record.sha == *bad {
        return Some("it is the commit that is undone".to_owned());
    }
    if let Some(by) = undone_by(record).or_else(|| last.and_then(undone_by)) {
        return Some(format!("it was rolled back by {}", by.id));
    }
    if !record.was_verified() {
        return Some(match record.end() {
            None => "it has no end".to_owned(),
            Some(end) if end.phase == Phase::Success => "it was live, but never verified".to_owned(),
            Some(end) => format!("it ended in {}", end.phase.word()),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::{INTERRUPTED, Mark, Payload, VERIFIED};
    use crate::model::environments::EnvironmentName;
    use crate::model::rollout::{Placed, Strategy};

    fn sha(letter: char) -> Sha {
        Sha::parse(&letter.to_string().repeat(40)).unwrap()
    }

    fn record(id: &str, letter: char, role: Role, undoes: Option<&str>, end: Option<(Phase, &str)>) -> Record {
        let mark = |phase: Phase, says: &str| Mark { phase, says: says.to_owned(), at: String::new() };
        let payload = Payload {
            role,
            intent: id.to_owned(),
            previous: None,
            undoes: undoes.map(str::to_owned),
            placed: None,
            forced: None,
            overridden: Vec::new(),
            place: None,
            by: String::new(),
            link: None,
        };
        Record {
            id: id.to_owned(),
            environment: EnvironmentName::parse("staging").unwrap(),
            sha: sha(letter),
            reference: "main".to_owned(),
            payload: Some(payload),
            created_at: String::new(),
            marks: std::iter::once(mark(Phase::Queued, "")).chain(end.map(|(phase, says)| mark(phase, says))).collect(),
        }
    }

    #[test]
    fn every_record_without_an_end_is_left_and_how() {
        let good = || Some((Phase::Success, VERIFIED));
        let one = record("1", 'a', Role::Deploy, None, good());
        let open = record("2", 'b', Role::Deploy, None, None);
        let left = |records: &[&Record]| leftovers(&records.iter().map(|&one| one.clone()).collect::<Vec<_>>());
        assert_eq!(left(&[&one]), []);
        assert_eq!(
            left(&[&open, &one]),
            [Leftover::Deploy { id: "2".to_owned(), open: true, newest: true, beside: None }]
        );
        let undoing = |end| record("3", 'a', Role::Rollback, Some("2"), end);
        let undoes = Some("2".to_owned());
        let id = || "3".to_owned();
        assert_eq!(
            left(&[&undoing(None), &open, &one]),
            [Leftover::Rollback { id: id(), open: true, undoes: undoes.clone(), newest: true, moving: false }]
        );
        assert_eq!(left(&[&undoing(good()), &open, &one]), [Leftover::Undone { id: "2".to_owned(), by: id() }]);
        let ended = record("2", 'b', Role::Deploy, None, good());
        let other = record("1", 'a', Role::Deploy, None, None);
        assert_eq!(
            left(&[&undoing(None), &ended, &other]),
            [
                Leftover::Deploy { id: "1".to_owned(), open: true, newest: false, beside: None },
                Leftover::Rollback { id: id(), open: true, undoes: None, newest: true, moving: false },
            ],
            "what has its end needs none"
        );
        let failed = undoing(Some((Phase::Failure, "x")));
        assert_eq!(left(&[&failed, &open, &one]), [Leftover::NotUndone { id: "2".to_owned(), by: id() }]);
        let cut = undoing(Some((Phase::Error, INTERRUPTED)));
        assert_eq!(
            left(&[&cut, &open]),
            [Leftover::Rollback { id: id(), open: false, undoes, newest: true, moving: false }]
        );
        let other = Record { payload: None, ..open.clone() };
        assert_eq!(left(&[&other, &one]), [], "what GitHub made for a job is nobody's deploy");
    }

    #[test]
    fn only_what_was_verified_and_not_undone_is_rolled_back_to() {
        let good = || Some((Phase::Success, VERIFIED));
        let mut records = vec![
            record("9", 'f', Role::Deploy, None, None),
            Record { payload: None, ..record("8", 'e', Role::Deploy, None, good()) },
            record("7", 'd', Role::Deploy, None, Some((Phase::Success, "live, not verified"))),
            record("6", 'c', Role::Rollback, Some("5"), good()),
            record("5", 'b', Role::Deploy, None, good()),
            record("4", 'f', Role::Deploy, None, good()),
            record("3", 'a', Role::Deploy, None, good()),
        ];
        let choice = choose(&records, &sha('f'), None);
        assert_eq!(choice.target.map(|target| target.id).as_deref(), Some("6"));
        assert_eq!(choice.passed.len(), 3, "{:?}", choice.passed);
        assert_eq!(choice.passed[2].2, "it was live, but never verified");
        let failed = record("10", 'b', Role::Deploy, None, Some((Phase::Failure, "503")));
        assert_eq!(choose(&[failed], &sha('f'), None).passed[0].2, "it ended in failure");
        records.remove(3);
        records[3].payload.as_mut().unwrap().undoes = None;
        assert_eq!(choose(&records, &sha('f'), Some(&sha('a'))).target.map(|target| target.id).as_deref(), Some("3"));
        records.insert(0, record("10", 'a', Role::Rollback, Some("5"), good()));
        let choice = choose(&records, &sha('a'), None);
        assert!(choice.passed.iter().any(|(id, _, why)| id == "5" && why == "it was rolled back by 10"));
        assert_eq!(choice.target.map(|target| target.id).as_deref(), Some("4"));
        assert_eq!(choose(&records, &sha('a'), Some(&sha('7'))).target, None);
    }

    #[test]
    fn a_commit_that_was_undone_is_not_gone_back_to_by_an_older_record_of_it() {
        let good = || Some((Phase::Success, VERIFIED));
        let mut records = vec![
            record("6", 'a', Role::Rollback, Some("5"), good()),
            record("5", 'c', Role::Deploy, None, good()),
            record("4", 'a', Role::Rollback, Some("3"), good()),
            record("3", 'b', Role::Deploy, None, good()),
            record("2", 'a', Role::Deploy, None, good()),
            record("1", 'b', Role::Deploy, None, good()),
        ];
        let choice = choose(&records, &sha('a'), None);
        assert_eq!(choice.target, None);
        assert_eq!(choice.passed.last().unwrap().2, "it was rolled back by 4");
        // Once it worked again it can be gone back to.
        records.insert(0, record("8", 'c', Role::Deploy, None, good()));
        records.insert(1, record("7", 'b', Role::Deploy, None, good()));
        assert_eq!(choose(&records, &sha('c'), None).target.map(|target| target.id).as_deref(), Some("7"));
    }

    #[test]
    fn a_rollback_that_was_cut_off_is_tried_again_and_not_undone() {
        let good = || Some((Phase::Success, VERIFIED));
        let before = [record("2", 'b', Role::Deploy, None, good()), record("1", 'a', Role::Deploy, None, good())];
        let undoes = |end| {
            let mut records = vec![record("3", 'a', Role::Rollback, Some("2"), end)];
            records.extend(before.iter().cloned());
            undone(&records, None).map(|record| record.id.clone()).unwrap()
        };
        assert_eq!(undone(&before, None).map(|record| record.id.as_str()), Some("2"));
        assert_eq!(undone(&before, Some("1")).map(|record| record.id.as_str()), Some("1"));
        assert_eq!(undoes(None), "2");
        assert_eq!(undoes(Some((Phase::Error, "its run ended early"))), "2");
        assert_eq!(undoes(good()), "3", "it worked, and is what is live");
        assert_eq!(undoes(Some((Phase::Failure, "503"))), "3", "what it went to does not work either");
    }

    #[test]
    fn what_was_recorded_when_another_had_its_place_is_not_undone() {
        let late = |ends: Vec<(Phase, &str)>| {
            let mut deployed = record("2", 'b', Role::Deploy, None, None);
            let marks = ends.into_iter().map(|end| record("2", 'b', Role::Deploy, None, Some(end)).marks.remove(1));
            deployed.marks.extend(marks);
            deployed
        };
        let older = record("1", 'a', Role::Deploy, None, Some((Phase::Success, VERIFIED)));
        let undone = |newer| undone(&[newer, older.clone()], None).map(|record| record.id.clone());
        assert_eq!(undone(late(vec![(Phase::Inactive, "")])).as_deref(), Some("1"));
        assert_eq!(
            undone(late(vec![(Phase::Inactive, ""), (Phase::Success, VERIFIED)])).as_deref(),
            Some("2"),
            "its last mark"
        );
    }

    #[test]
    fn the_old_version_is_still_there_until_something_was_deployed_over_it() {
        let placed = |slot| Some(Placed { strategy: Strategy::BlueGreen, slot });
        let good = || Some((Phase::Success, VERIFIED));
        let at = |id: &str, letter: char, slot, end: Option<(Phase, &str)>| {
            let mut one = record(id, letter, Role::Deploy, None, end.clone());
            one.payload.as_mut().unwrap().placed = placed(slot);
            let moved = Mark { phase: Phase::InProgress, says: Traffic::At(ALL).says("deploy"), at: String::new() };
            one.marks.splice(1..1, end.map(|_| moved));
            one
        };
        let before = record("1", 'a', Role::Deploy, None, good());
        assert_eq!(
            (active(&[]), active(std::slice::from_ref(&before))),
            (Slot::Blue, Slot::Blue),
            "what was before is blue"
        );
        let broken = at("1", 'a', Slot::Green, Some((Phase::Failure, "503")));
        assert_eq!(active(&[broken]), Slot::Blue, "nothing was live");
        let of_a_job = Record { payload: None, ..before.clone() };
        assert_eq!(active(&[of_a_job, at("2", 'b', Slot::Green, good())]), Slot::Green, "a record of a job's");
        let mut records = vec![at("2", 'b', Slot::Green, good()), before];
        assert_eq!((active(&records), still_in(&records, &sha('a'))), (Slot::Green, Some(Slot::Blue)));
        records.insert(0, at("3", 'c', Slot::Blue, None));
        assert_eq!(still_in(&records, &sha('a')), Some(Slot::Blue), "recorded, and not begun");
        let mark = |phase, says: String| Mark { phase, says, at: String::new() };
        records[0].marks.push(mark(Phase::InProgress, "deploy begun".to_owned()));
        assert_eq!((active(&records), still_in(&records, &sha('a'))), (Slot::Green, None));
        assert_eq!(still_in(&records, &sha('b')), Some(Slot::Green));
        assert_eq!(still_in(&records, &sha('c')), None, "what is not known to work is none");
        records[0].marks.push(mark(Phase::InProgress, Traffic::At(ALL).says("deploy")));
        assert_eq!(active(&records), Slot::Blue);
        records[0].marks.push(mark(Phase::Failure, Traffic::went_back(&sha('b'))));
        assert_eq!(active(&records), Slot::Green);
    }
}
