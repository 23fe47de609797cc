//! A deploy beside the old version: what runs gets its traffic in steps, and whatever fails all of it goes back. The lock is
//! never given back while traffic is divided.

use super::{
    ALL, Ask, Beside, Effect, Ending, Event, News, Phase, Role, Stage, State, Traffic, UNVERIFIED, Undone, VERIFIED,
};

impl State {
    /// What came of the effects of this file.
    pub(super) fn moved(&mut self, stage: Stage, event: Event) -> Vec<Effect> {
        match (stage, event) {
            (Stage::Previewing(accepted), Event::Healthy(_) | Event::Unverified) => {
                if accepted {
                    self.verify(true)
                } else {
                    self.next_weight()
                }
            }
            (Stage::Stepping(weight), Event::Marked) => self.shift(weight),
            (Stage::Stepping(_), Event::NotMarked(why)) => {
                self.failed(format!("the step could not be recorded: {why}"))
            }
            (Stage::Shifting(ALL), Event::Done) => self.verify(false),
            (Stage::Shifting(weight), Event::Done) => {
                let Some((id, _)) = self.run.clone() else { return Vec::new() };
                self.go(Stage::Looking(weight), Effect::Look(id, weight))
            }
            (Stage::Shifting(_), Event::Failed(why) | Event::Interrupted(why)) => self.not_shifted(why),
            (Stage::Looking(_), Event::Healthy(_)) => self.next_weight(),
            (Stage::Looking(weight), Event::Inconclusive(why)) => self.pause(weight, &why),
            (Stage::Previewing(_) | Stage::Looking(_), Event::Failed(why) | Event::Inconclusive(why)) => {
                self.failed(why)
            }
            (Stage::Previewing(_) | Stage::Looking(_), Event::Interrupted(why)) => self.interrupted(why),
            (Stage::Pausing, Event::Marked) => self.hold(),
            (Stage::Pausing, Event::NotMarked(why)) => self.failed(format!("the pause could not be recorded: {why}")),
            // Traffic goes back whether or not that could be recorded.
            (Stage::Turning, Event::Marked | Event::NotMarked(_)) => self.turn(),
            (Stage::Returning, Event::Done) => self.returned(),
            (Stage::Returning, Event::Failed(why) | Event::Interrupted(why)) => self.stuck(&why),
            (Stage::SeeingOld, Event::Healthy(_)) => self.closed_back(Ok(true)),
            (Stage::SeeingOld, Event::Unverified | Event::Inconclusive(_)) => self.closed_back(Ok(false)),
            (Stage::SeeingOld, Event::Failed(why)) => self.closed_back(Err(why)),
            (Stage::SeeingOld, Event::Interrupted(why)) => {
                self.back = Some((why, true));
                self.closed_back(Ok(false))
            }
            _ => Vec::new(),
        }
    }

    /// The deployer is done: where there are two slots it is looked at before it gets any traffic.
    pub(super) fn ran(&mut self, accepted: bool) -> Vec<Effect> {
        let Some((id, role)) = self.run.clone() else { return Vec::new() };
        if self.rules.weights.is_none() {
            return self.verify(accepted);
        }
        self.go(Stage::Previewing(accepted), Effect::Preview(id, role, accepted))
    }

    /// Records the next step before anything is moved. A rollback, and a first deploy, move everything at once.
    pub(super) fn next_weight(&mut self) -> Vec<Effect> {
        let Some((id, role)) = self.run.clone() else { return Vec::new() };
        let at = self.weight.unwrap_or_default();
        let steps = self.rules.weights.as_deref().filter(|_| self.old.is_some()).unwrap_or_default();
        let next = steps.iter().copied().find(|weight| *weight > at).unwrap_or(ALL);
        let says = Traffic::At(next).says(role.word());
        self.go(Stage::Stepping(next), Effect::Mark(id, Phase::InProgress, says))
    }

    fn shift(&mut self, weight: u8) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        self.weight = Some(weight);
        self.go(Stage::Shifting(weight), Effect::Shift(id, weight))
    }

    /// A rollback that could not move traffic may have divided it: it stays locked until that is tried again.
    fn not_shifted(&mut self, why: String) -> Vec<Effect> {
        if matches!(self.run, Some((_, Role::Rollback))) {
            return self.stuck(&why);
        }
        self.failed(why)
    }

    pub(super) fn pause(&mut self, weight: u8, why: &str) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        let says = Traffic::Paused(weight).says(why);
        self.end = Some(Ending::Paused(says.clone()));
        self.go(Stage::Pausing, Effect::Mark(id, Phase::InProgress, says))
    }

    fn hold(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        let says = self.end.as_ref().map_or_else(String::new, |end| match end {
            Ending::Paused(says) => says.clone(),
            other => other.to_string(),
        });
        self.go(Stage::Holding, Effect::Hold(id, says))
    }

    /// Traffic could not be moved back: nobody else may believe that it is whole.
    fn stuck(&mut self, why: &str) -> Vec<Effect> {
        let undone = self.undone.as_ref().map(|undone| undone.why.clone());
        let wanted = self.back.take().map(|(why, _)| why).or(undone).unwrap_or_default();
        self.end = Some(Ending::RollbackFailed { why: wanted, rollback: format!("traffic could not be moved: {why}") });
        self.hold()
    }

    /// All traffic goes back to the old version.
    pub(super) fn go_back(&mut self, why: String, interrupted: bool) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        let says = Traffic::Back.says(&why);
        let mut effects = vec![Effect::Tell(News::Failed(why.clone()))];
        self.back = Some((why, interrupted));
        if self.weight.is_none() {
            effects.extend(self.returned());
            return effects;
        }
        self.stage = Stage::Turning;
        effects.push(Effect::Mark(id, Phase::InProgress, says));
        effects
    }

    fn turn(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        self.go(Stage::Returning, Effect::Shift(id, 0))
    }

    /// Nothing goes to the new version: now it is to be seen that the old one works, unless there is no time for it.
    fn returned(&mut self) -> Vec<Effect> {
        let Some((id, _)) = self.run.clone() else { return Vec::new() };
        if matches!(self.back, Some((_, true))) {
            return self.closed_back(Ok(false));
        }
        self.go(Stage::SeeingOld, Effect::SeeOld(id))
    }

    /// The end of a deploy whose traffic went back: whether the old version was seen to work, or why it does not.
    fn closed_back(&mut self, seen: Result<bool, String>) -> Vec<Effect> {
        let (Some((id, _)), Some(to)) = (self.run.clone(), self.old.clone()) else { return Vec::new() };
        let (why, interrupted) = self.back.take().unwrap_or_default();
        let back = Traffic::went_back(&to);
        let (says, end) = match seen {
            Err(sick) => {
                let says = format!("{back}, which does not work: {sick}; it was for: {why}");
                (says, Ending::RollbackFailed { why, rollback: sick })
            }
            Ok(_) if interrupted => (format!("{back}, cut off: {why}"), Ending::Interrupted(format!("{why}; {back}"))),
            Ok(verified) if self.by_hand => {
                let seen = if verified { VERIFIED } else { UNVERIFIED };
                (format!("{back}: {why}"), Ending::Live { verified, says: format!("{seen}: {back}") })
            }
            Ok(verified) => (format!("{back}: {why}"), Ending::RolledBack { why, to, verified }),
        };
        self.end = Some(end);
        self.go(Stage::Closing, Effect::Mark(id, Phase::Failure, says))
    }

    /// Whether moving traffic is what is left to do: back, or, of a first deploy, on.
    pub(super) fn is_finished_by_traffic(&self, beside: &Beside) -> bool {
        beside.old.is_some() || (beside.traffic == Traffic::At(ALL) && self.ask != Ask::Rollback)
    }

    /// A deploy that an earlier run left beside the old version: a person goes on with it; everything was about to be
    /// its own, and that is finished; or all traffic goes back.
    pub(super) fn left_beside(&mut self, id: String, newest: bool, beside: Beside) -> Vec<Effect> {
        const LEFT: &str = "its run ended early";
        self.run = Some((id.clone(), Role::Deploy));
        (self.old, self.back) = (beside.old, None);
        let by_hand = self.ask == Ask::Rollback && newest;
        let (says, effects) = match beside.traffic {
            Traffic::Paused(weight) if self.ask == Ask::Continue && newest => {
                (self.weight, self.settled) = (Some(weight), true);
                ("goes on", self.next_weight())
            }
            Traffic::At(ALL) if !by_hand => {
                ("had no end, and was getting all traffic: that is finished", self.shift(ALL))
            }
            // Whatever was recorded last, more may have been done.
            _ if by_hand => {
                (self.weight, self.by_hand, self.settled) = (Some(0), true, !self.rules.named);
                ("is undone: all traffic goes back", self.go_back("asked for".to_owned(), false))
            }
            _ => {
                self.weight = Some(0);
                ("had no end: all traffic goes back", self.go_back(LEFT.to_owned(), false))
            }
        };
        [vec![Effect::Tell(News::Resumed(id, says.to_owned()))], effects].concat()
    }

    /// A rollback that an earlier run left while it moved all traffic: that is finished.
    pub(super) fn left_moving(&mut self, id: String, newest: bool, undoes: Option<String>) -> Vec<Effect> {
        let resumed = News::Resumed(id.clone(), "had no end, and was getting all traffic: that is finished".to_owned());
        self.run = Some((id, Role::Rollback));
        self.undone = Some(Undone { open: undoes, why: "its rollback was interrupted".to_owned() });
        if self.ask == Ask::Rollback && newest {
            (self.by_hand, self.settled) = (true, !self.rules.named);
        }
        [vec![Effect::Tell(resumed)], self.shift(ALL)].concat()
    }
}
