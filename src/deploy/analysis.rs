//! What looks at one step of a canary come to: pure. A step is good only if the new version itself was seen to be good.

use crate::model::rollout::Analysis;

/// What one round saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Everything is as it should be; whether the new version was among what answered.
    Good {
        /// It was.
        new: bool,
    },
    /// It is not.
    Bad(String),
    /// Nothing could be measured.
    Error(String),
    /// It cannot be told.
    Unclear(String),
}

/// What is known in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Analysed {
    /// The next step may follow.
    Successful(String),
    /// All traffic goes back.
    Failed(String),
    /// A person decides.
    Inconclusive(String),
}

/// Counts rounds.
#[derive(Debug, Clone)]
pub struct Tally<'a> {
    limits: &'a Analysis,
    rounds: u32,
    new: u32,
    bad: u32,
    errors: u32,
    unclear: u32,
    last_error: String,
}

impl<'a> Tally<'a> {
    /// Nothing was seen yet.
    #[must_use]
    pub const fn new(limits: &'a Analysis) -> Self {
        Self { limits, rounds: 0, new: 0, bad: 0, errors: 0, unclear: 0, last_error: String::new() }
    }

    /// Takes a round; what is known, once it is.
    pub fn see(&mut self, seen: Seen) -> Option<Analysed> {
        self.rounds += 1;
        self.errors = if matches!(seen, Seen::Error(_)) { self.errors + 1 } else { 0 };
        match seen {
            Seen::Good { new } => {
                self.new += u32::from(new);
                None
            }
            Seen::Bad(why) => {
                self.bad += 1;
                let (bad, limit) = (self.bad, self.limits.failure_limit);
                (bad > limit).then(|| Analysed::Failed(format!("{why} ({bad} bad rounds, {limit} are tolerated)")))
            }
            Seen::Error(why) => {
                let (errors, limit) = (self.errors, self.limits.consecutive_error_limit);
                let failed = || Analysed::Failed(format!("{why} ({errors} times in a row, {limit} are tolerated)"));
                let over = (errors > limit).then(failed);
                self.last_error = why;
                over
            }
            Seen::Unclear(why) => {
                self.unclear += 1;
                (self.unclear > self.limits.inconclusive_limit).then_some(Analysed::Inconclusive(why))
            }
        }
    }

    /// The time is up.
    #[must_use]
    pub fn end(&self) -> Analysed {
        if self.new > 0 {
            return Analysed::Successful(format!("the new version was good in {} of {} rounds", self.new, self.rounds));
        }
        let why = if self.last_error.is_empty() { "only the old one answered" } else { &self.last_error };
        Analysed::Inconclusive(format!("the new version was not seen in {} rounds: {why}", self.rounds))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn analysed(rounds: &[Seen]) -> &'static str {
        let limits = Analysis {
            command: None,
            initial_delay: Duration::ZERO,
            interval: Duration::ZERO,
            failure_limit: 1,
            consecutive_error_limit: 2,
            inconclusive_limit: 0,
        };
        let mut tally = Tally::new(&limits);
        let early = rounds.iter().find_map(|seen| tally.see(seen.clone()));
        match early.unwrap_or_else(|| tally.end()) {
            Analysed::Successful(_) => "good",
            Analysed::Failed(_) => "bad",
            Analysed::Inconclusive(_) => "unclear",
        }
    }

    #[test]
    fn a_step_is_good_only_if_the_new_version_was() {
        let (old, new) = (Seen::Good { new: false }, Seen::Good { new: true });
        let bad = || Seen::Bad("500".to_owned());
        let error = || Seen::Error("refused".to_owned());
        let unclear = || Seen::Unclear("4".to_owned());
        assert_eq!(analysed(std::slice::from_ref(&new)), "good");
        assert_eq!(analysed(&[old.clone(), old.clone()]), "unclear", "the old one is no evidence");
        assert_eq!(analysed(&[old.clone(), new.clone()]), "good");
        assert_eq!(analysed(&[new.clone(), bad(), new.clone()]), "good", "one is tolerated");
        assert_eq!(analysed(&[bad(), new.clone(), bad()]), "bad");
        assert_eq!(
            analysed(&[error(), error(), new.clone(), error(), error()]),
            "good",
            "errors must follow one another"
        );
        assert_eq!(analysed(&[new.clone(), error(), error(), error()]), "bad");
        assert_eq!(analysed(&[error(), error()]), "unclear", "nothing was measured");
        assert_eq!(analysed(&[new.clone(), unclear()]), "unclear");
        assert_eq!(analysed(&[bad(), unclear(), bad()]), "unclear", "it is decided by the first");
    }
}
