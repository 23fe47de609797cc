//! What the records of an environment mean: what earlier runs left to be settled, and what can be rolled back to.

use crate::model::deployment::{Phase, Record, Role};
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
                Some(Leftover::Rollback { id, open, undoes: undoes.map(str::to_owned), newest: is_newest })
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
            (_, None) => Some(Leftover::Deploy { id, open, newest: is_newest }),
        });
    }
    left
}

/// What to roll back to, and why not to the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The record whose commit is taken.
    pub target: Option<Record>,
    /// Id, commit and reason of each one that was passed over, newest first.
    pub passed: Vec<(String, Sha, String)>,
}

/// The newest deployment that was truly verified and is neither `bad` nor undone. `records` are newest first.
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
    let undone_by = records.iter().find(|other| {
        other.role() == Some(Role::Rollback) && other.undoes() == Some(&record.id) && other.was_verified()
    });
    if record.payload.is_none() {
        return Some("it was not made by gatepost".to_owned());
    }
    if to.is_some_and(|to| record.sha != *to) {
        return Some("it is another commit than was asked for".to_owned());
    }
    if record.sha == *bad {
        return Some("it is the commit that is undone".to_owned());
    }
    if let Some(by) = undone_by {
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
            forced: None,
            overridden: Vec::new(),
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
        assert_eq!(left(&[&open, &one]), [Leftover::Deploy { id: "2".to_owned(), open: true, newest: true }]);
        let undoing = |end| record("3", 'a', Role::Rollback, Some("2"), end);
        let undoes = Some("2".to_owned());
        let id = || "3".to_owned();
        assert_eq!(
            left(&[&undoing(None), &open, &one]),
            [Leftover::Rollback { id: id(), open: true, undoes: undoes.clone(), newest: true }]
        );
        assert_eq!(left(&[&undoing(good()), &open, &one]), [Leftover::Undone { id: "2".to_owned(), by: id() }]);
        let failed = undoing(Some((Phase::Failure, "x")));
        assert_eq!(left(&[&failed, &open, &one]), [Leftover::NotUndone { id: "2".to_owned(), by: id() }]);
        let cut = undoing(Some((Phase::Error, INTERRUPTED)));
        assert_eq!(left(&[&cut, &open]), [Leftover::Rollback { id: id(), open: false, undoes, newest: true }]);
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
        records.remove(3);
        records[3].payload.as_mut().unwrap().undoes = None;
        assert_eq!(choose(&records, &sha('f'), Some(&sha('a'))).target.map(|target| target.id).as_deref(), Some("3"));
        records.insert(0, record("10", 'a', Role::Rollback, Some("5"), good()));
        let choice = choose(&records, &sha('a'), None);
        assert!(choice.passed.iter().any(|(id, _, why)| id == "5" && why == "it was rolled back by 10"));
        assert_eq!(choice.target.map(|target| target.id).as_deref(), Some("4"));
        assert_eq!(choose(&records, &sha('a'), Some(&sha('7'))).target, None);
    }
}
