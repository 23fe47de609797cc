//! What rounds of looking at a service come to: pure. One bad round is no failure, and one good one no success.

use std::time::Duration;

use crate::config::show_time;
use crate::model::environments::Pacing;

/// Bad rounds in a row that are a failure, once the grace is over.
const BAD: u32 = 3;
/// Rounds in a row in which the service could not be asked that are a failure: more than four errors of the probe.
const ERRORS: u32 = 5;
/// Times that a service may go from good to bad.
const FLAPS: u32 = 2;

/// What one round saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Round {
    /// Everything is as it should be.
    Good,
    /// Another version answers.
    Waiting(String),
    /// It answered, and not well.
    Bad(String),
    /// It could not be asked.
    Error(String),
}

/// What is known in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It works; how that is known.
    Healthy(String),
    /// It does not.
    Unhealthy(String),
}

/// Counts rounds.
#[derive(Debug, Clone)]
pub struct Tally {
    pacing: Pacing,
    rounds: u32,
    good: u32,
    bad: u32,
    errors: u32,
    flaps: u32,
    /// Errors in all.
    missed: u32,
    was_good: bool,
    last: String,
}

impl Tally {
    /// Nothing was seen yet.
    #[must_use]
    pub const fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            rounds: 0,
            good: 0,
            bad: 0,
            errors: 0,
            flaps: 0,
            missed: 0,
            was_good: false,
            last: String::new(),
        }
    }

    /// Takes a round that ended so long after the beginning; a verdict, once there is one.
    pub fn see(&mut self, round: Round, after: Duration) -> Option<Verdict> {
        self.rounds += 1;
        // A service that has started needs no more time to start.
        let in_grace = after < self.pacing.grace && !self.was_good;
        let Some(why) = self.count(round) else {
            if self.good >= self.pacing.successes {
                let times = self.good;
                return Some(Verdict::Healthy(format!("{times} good rounds in a row, {} in all", self.rounds)));
            }
            return self.out_of_time(after);
        };
        self.last.clone_from(&why);
        if !in_grace && self.flaps >= FLAPS {
            return Some(Verdict::Unhealthy(format!("flapping: good, then bad, {} times; last: {why}", self.flaps)));
        }
        if !in_grace && self.bad >= BAD {
            return Some(Verdict::Unhealthy(format!("{why} ({} times in a row)", self.bad)));
        }
        if !in_grace && self.errors >= ERRORS {
            return Some(Verdict::Unhealthy(format!("{why} ({} times in a row)", self.errors)));
        }
        self.out_of_time(after)
    }

    /// The same while a service that was healthy is watched: `None` as long as it stays so.
    pub fn watch(&mut self, round: Round) -> Option<Verdict> {
        self.rounds += 1;
        let why = self.count(match round {
            // Ours had answered: another one now is no waiting.
            Round::Waiting(why) => Round::Bad(why),
            other => other,
        })?;
        // A good round in between does not make those good that were not answered.
        let failed = self.flaps >= FLAPS || self.bad >= FLAPS || self.missed >= ERRORS;
        failed.then(|| Verdict::Unhealthy(format!("it did not stay healthy: {why}")))
    }

    /// Why the round is not a good one.
    fn count(&mut self, round: Round) -> Option<String> {
        let (good, bad, errors) = match &round {
            Round::Good => (self.good + 1, 0, 0),
            Round::Waiting(_) => (0, 0, 0),
            Round::Bad(_) => (0, self.bad + 1, 0),
            Round::Error(_) => (0, self.bad, self.errors + 1),
        };
        self.flaps += u32::from(self.good > 0 && matches!(round, Round::Bad(_)));
        self.missed += u32::from(matches!(round, Round::Error(_)));
        self.was_good |= good > 0;
        (self.good, self.bad, self.errors) = (good, bad, errors);
        match round {
            Round::Good => None,
            Round::Waiting(why) | Round::Bad(why) | Round::Error(why) => Some(why),
        }
    }

    fn out_of_time(&self, after: Duration) -> Option<Verdict> {
        let limit = self.pacing.deadline;
        (after >= limit).then(|| {
            let last = if self.last.is_empty() { "not enough good rounds in a row" } else { &self.last };
            Verdict::Unhealthy(format!("it did not become healthy within {}; last: {last}", show_time(limit)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad() -> Round {
        Round::Bad("503".to_owned())
    }

    fn error() -> Round {
        Round::Error("refused".to_owned())
    }

    /// The number of the round with the verdict, and whether it is a good one. A round takes a second.
    fn judged(grace: u64, rounds: &[Round]) -> Option<(usize, bool)> {
        let seconds = Duration::from_secs;
        let pacing = Pacing { grace: seconds(grace), deadline: seconds(60), ..Pacing::default() };
        let mut tally = Tally::new(pacing);
        rounds.iter().enumerate().find_map(|(at, round)| {
            let verdict = tally.see(round.clone(), seconds(at as u64 + 1))?;
            Some((at + 1, matches!(verdict, Verdict::Healthy(_))))
        })
    }

    #[test]
    fn a_verdict_needs_more_than_one_round() {
        let good = Round::Good;
        assert_eq!(judged(0, std::slice::from_ref(&good)), None);
        assert_eq!(judged(0, &[good.clone(), good.clone()]), Some((2, true)));
        assert_eq!(judged(0, &[bad(), good.clone(), good.clone()]), Some((3, true)));
        assert_eq!(judged(0, &vec![bad(); 9]), Some((3, false)));
        assert_eq!(judged(0, &vec![error(); 9]), Some((5, false)), "errors of the probe must repeat");
        assert_eq!(judged(0, &[error(), error(), bad(), error(), bad(), bad()]), Some((6, false)));
        let flapping = [good.clone(), bad(), good.clone(), bad(), good.clone()];
        assert_eq!(judged(0, &flapping), Some((4, false)));
        assert_eq!(judged(20, &vec![bad(); 40]), Some((20, false)), "bad rounds at the start count for nothing");
        assert_eq!(judged(20, &[bad(), bad(), bad(), bad(), good.clone(), good.clone()]), Some((6, true)));
        let mut started = vec![good.clone()];
        started.extend(vec![bad(); 9]);
        assert_eq!(judged(20, &started), Some((4, false)), "the grace ends when it has started");
        assert_eq!(judged(0, &vec![Round::Waiting("the old one".to_owned()); 99]), Some((60, false)));
        let slow = [Round::Waiting(String::new()), good.clone(), Round::Waiting(String::new()), good.clone(), good];
        assert_eq!(judged(0, &slow), Some((5, true)), "the old one among the new is no flapping");
    }

    #[test]
    fn a_watched_service_must_stay_as_it_is() {
        let mut tally = Tally::new(Pacing::default());
        assert_eq!(tally.watch(Round::Good), None);
        assert_eq!(tally.watch(bad()), None);
        assert_eq!(tally.watch(Round::Good), None);
        assert!(matches!(tally.watch(Round::Waiting("old".to_owned())), Some(Verdict::Unhealthy(_))));
        // One that does not answer every second time is not healthy because it answers in between.
        let mut tally = Tally::new(Pacing::default());
        let rounds = [error(), Round::Good].into_iter().cycle().take(20);
        assert_eq!(rounds.map(|round| tally.watch(round)).position(|verdict| verdict.is_some()), Some(8));
    }
}
