//! What a deploy, a rollback and a recovery do next, whatever has happened: pure, so that every order of events can be
//! tried. It touches nothing; each effect is answered by one event.

mod events;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::VecDeque;

use crate::model::deployment::{Ending, Hindrance, INTERRUPTED, Phase, Role, UNVERIFIED, VERIFIED};
use crate::model::rollout::{ALL, Beside, Traffic};
use crate::model::sha::Sha;
use crate::policy::deploys::Leftover;

pub use events::{Ask, Created, Effect, Event, News};

/// A deployment whose end waits for its rollback's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Undone {
    /// Its id, where it has no end yet.
    open: Option<String>,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Locking,
    Reading,
    Probing,
    Settling,
    Choosing,
    Creating(Role),
    Starting,
    Running,
    Previewing(bool),
    /// The step is being recorded.
    Stepping(u8),
    Shifting(u8),
    Looking(u8),
    Pausing,
    /// That all traffic goes back is being recorded; then it goes; then the old version is looked at.
    Turning,
    Returning,
    SeeingOld,
    Holding,
    Verifying,
    /// The end of what ran is being recorded.
    Closing,
    /// The end of what it undid is being recorded.
    ClosingUndone,
    Unlocking,
    Over,
}

/// By what rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// A deploy that fails is rolled back.
    pub auto_rollback: bool,
    /// The weights before everything moves, where the environment has two slots.
    pub weights: Option<Vec<u8>>,
    /// The commit to roll back to was named.
    pub named: bool,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    ask: Ask,
    rules: Rules,
    stage: Stage,
    left: VecDeque<Leftover>,
    /// The one that is looked at.
    probed: Option<Leftover>,
    /// What runs: its id and role.
    run: Option<(String, Role)>,
    /// What runs beside it.
    old: Option<Sha>,
    /// It runs already, and only traffic is moved.
    runs: bool,
    /// The traffic that it was given, if it was touched.
    weight: Option<u8>,
    /// Why all traffic goes back, and whether a signal wanted that.
    back: Option<(String, bool)>,
    undone: Option<Undone>,
    /// What is rolled back to.
    to: Option<Sha>,
    /// The rollback at hand was asked for, and not brought about by a failure.
    by_hand: bool,
    /// What was asked for is being done: what earlier runs left is settled.
    settled: bool,
    hindrance: Option<Hindrance>,
    end: Option<Ending>,
}

impl State {
    /// Before anything.
    #[must_use]
    pub const fn new(ask: Ask, rules: Rules) -> Self {
        Self {
            ask,
            rules,
            stage: Stage::New,
            left: VecDeque::new(),
            probed: None,
            run: None,
            old: None,
            runs: false,
            weight: None,
            back: None,
            undone: None,
            to: None,
            by_hand: false,
            settled: false,
            hindrance: None,
            end: None,
        }
    }

    /// The end, once everything is over.
    #[must_use]
    pub fn end(&self) -> Option<&Ending> {
        self.end.as_ref().filter(|_| self.stage == Stage::Over)
    }
}

/// One step. An event that answers nothing that was asked changes nothing.
#[must_use]
pub fn step(mut state: State, event: Event) -> (State, Vec<Effect>) {
    let effects = state.take(event);
    (state, effects)
}

impl State {
    fn take(&mut self, event: Event) -> Vec<Effect> {
        match (self.stage, event) {
            (Stage::New, Event::Begin) => self.go(Stage::Locking, Effect::Lock),
            (Stage::Locking, Event::Locked) => self.go(Stage::Reading, Effect::Read),
            (Stage::Locking, Event::NotLocked(hindrance, why)) => {
                self.hindrance = hindrance;
                self.over(Ending::Refused(why))
            }
            (Stage::Locking, Event::Attended(hindrance, why)) => {
                self.hindrance = Some(hindrance);
                self.over(Ending::Nothing(why))
            }
            (Stage::Reading, Event::Found(left)) => {
                self.left = left.into();
                self.next_left()
            }
            (Stage::Reading, Event::NotRead(why)) | (Stage::Probing, Event::Interrupted(why)) => {
                self.unlock(Ending::Unsettled(why))
            }
            (Stage::Probing, Event::Answers(answers)) => self.probed(answers, None),
            (Stage::Probing, Event::Inconclusive(doubt)) => self.probed(true, Some(&doubt)),
            (Stage::Settling, Event::Marked) => self.next_left(),
            (Stage::Choosing, Event::Chosen(chosen)) => self.chosen(chosen),
            (Stage::Creating(role), Event::Created(created)) => self.created(created, role),
            (Stage::Creating(_), Event::NotCreated(why)) => self.not_created(&why),
            (Stage::Creating(_), Event::Withdrawn(hindrance, why)) => {
                self.hindrance = hindrance;
                self.unlock(Ending::Refused(why))
            }
            (Stage::Starting, Event::Marked) => self.start(),
            (Stage::Starting, Event::Withdrawn(hindrance, why)) => {
                self.hindrance = hindrance;
                self.withdrawn(why)
            }
            (Stage::Starting, Event::NotMarked(why)) => self.close(Phase::Error, format!("not begun: {why}")),
            (Stage::Running, Event::Done) => self.ran(false),
            (Stage::Running, Event::Accepted) => self.ran(true),
            (Stage::Running | Stage::Verifying, Event::Failed(why)) => self.failed(why),
            (Stage::Verifying, Event::Healthy(says)) => self.close(Phase::Success, format!("{VERIFIED}: {says}")),
            (Stage::Verifying, Event::Unverified) => {
                self.close(Phase::Success, format!("{UNVERIFIED}: nothing is configured to verify by"))
            }
            (Stage::Verifying, Event::Inconclusive(why)) if self.old.is_some() => self.pause(ALL, &why),
            (Stage::Verifying, Event::Inconclusive(why)) => self.close(Phase::Error, format!("inconclusive: {why}")),
            (Stage::Running | Stage::Verifying, Event::Interrupted(why)) => self.interrupted(why),
            (Stage::Closing, Event::Marked) => self.closed(),
            (Stage::ClosingUndone, Event::Marked) => self.finish(),
            (Stage::Settling | Stage::Closing | Stage::ClosingUndone, Event::NotMarked(why)) => self.not_settled(&why),
            (Stage::New | Stage::Over, _) => Vec::new(),
            (_, Event::Lost(why)) => self.over(Ending::Unsettled(why)),
            (Stage::Unlocking | Stage::Holding, Event::Unlocked | Event::NotUnlocked(_)) => {
                let end = self.end.take().unwrap_or_else(|| Ending::Nothing("nothing was left to do".to_owned()));
                self.over(end)
            }
            (stage, event) => self.moved(stage, event),
        }
    }

    /// What kept what was asked for from being done, where that is known.
    #[must_use]
    pub const fn hindrance(&self) -> Option<Hindrance> {
        self.hindrance
    }

    fn not_settled(&mut self, why: &str) -> Vec<Effect> {
        let says = match &self.end {
            Some(Ending::Failed(failed)) => {
                self.hindrance = Some(Hindrance::Unrecorded);
                format!("{failed}; and its end could not be recorded: {why}")
            }
            _ => format!("the end could not be recorded: {why}"),
        };
        self.unlock(Ending::Unsettled(says))
    }

    fn go(&mut self, stage: Stage, effect: Effect) -> Vec<Effect> {
        self.stage = stage;
        vec![effect]
    }

    fn over(&mut self, end: Ending) -> Vec<Effect> {
        self.stage = Stage::Over;
        self.end = Some(end.clone());
        vec![Effect::Tell(News::Ended(end))]
    }

    fn unlock(&mut self, end: Ending) -> Vec<Effect> {
        // What an earlier run left may have its traffic divided: the next run takes the lock over from this one.
        if matches!(end, Ending::Unsettled(_)) && !self.settled && self.rules.weights.is_some() {
            return self.over(end);
        }
        let is_back = match &end {
            Ending::RolledBack { .. } => true,
            Ending::Live { .. } => self.ask == Ask::Rollback,
            _ => false,
        };
        self.end = Some(end);
        self.go(Stage::Unlocking, Effect::Unlock(is_back))
    }

    /// Turns to what the next earlier run left, and when nothing is left to what was asked for.
    fn next_left(&mut self) -> Vec<Effect> {
        let Some(leftover) = self.left.pop_front() else { return self.begin() };
        match leftover {
            Leftover::Deploy { id, open: true, newest, beside: Some(beside) }
                if self.is_finished_by_traffic(&beside) =>
            {
                self.left_beside(id, newest, beside)
            }
            Leftover::Rollback { id, open: true, moving: true, undoes, newest } => self.left_moving(id, newest, undoes),
            Leftover::Deploy { id, open: true, newest: true, .. } if self.ask == Ask::Rollback => {
                self.undone = Some(Undone { open: Some(id), why: "undone while it was not settled".to_owned() });
                self.next_left()
            }
            Leftover::Deploy { ref id, open: true, .. } | Leftover::Rollback { ref id, open: true, .. } => {
                let probe = Effect::Probe(id.clone());
                self.probed = Some(leftover);
                self.go(Stage::Probing, probe)
            }
            Leftover::Deploy { ref id, open: false, newest, .. } => {
                if newest && self.ask == Ask::Recover && self.rules.auto_rollback {
                    let probe = Effect::Probe(id.clone());
                    self.probed = Some(leftover);
                    return self.go(Stage::Probing, probe);
                }
                self.next_left()
            }
            Leftover::Rollback { open: false, undoes, .. } => {
                self.finish_rollback(undoes, "its rollback was interrupted")
            }
            Leftover::Undone { id, by } => self.settle(id, Phase::Failure, format!("rolled back by {by}")),
            Leftover::NotUndone { id, by } => self.settle(id, Phase::Failure, format!("its rollback {by} failed")),
        }
    }

    fn settle(&mut self, id: String, phase: Phase, says: String) -> Vec<Effect> {
        self.stage = Stage::Settling;
        let news = News::Settled(id.clone(), phase.clone(), says.clone());
        vec![Effect::Tell(news), Effect::Mark(id, phase, says)]
    }

    /// An orphan is good only if its own commit answers; where there is a doubt about it, it is not verified.
    fn probed(&mut self, answers: bool, doubt: Option<&str>) -> Vec<Effect> {
        const GONE: &str = "its run ended early, and its commit does not answer";
        let Some(leftover) = self.probed.take() else { return self.next_left() };
        let (id, next) = match leftover {
            Leftover::Deploy { id, open: false, .. } if answers => {
                let news = News::Resumed(id.clone(), "was interrupted, and its commit answers: it stays".to_owned());
                self.stage = Stage::Creating(Role::Adopt);
                return vec![Effect::Tell(news), Effect::Adopt(id)];
            }
            Leftover::Deploy { open: false, .. } => {
                return self.undo(Undone { open: None, why: "it was interrupted".to_owned() });
            }
            Leftover::Deploy { id, newest, .. } => {
                if !answers && newest && self.ask == Ask::Recover && self.rules.auto_rollback {
                    return self.undo(Undone { open: Some(id), why: GONE.to_owned() });
                }
                (id, None)
            }
            Leftover::Rollback { id, undoes, .. } if answers => {
                let undone = undoes.map(|undone| Leftover::Undone { id: undone, by: id.clone() });
                (id, undone)
            }
            Leftover::Rollback { id, undoes, newest: true, .. } => {
                (id.clone(), Some(Leftover::Rollback { id, open: false, undoes, newest: true, moving: false }))
            }
            Leftover::Rollback { id, undoes, .. } => {
                let undone = undoes.map(|undone| Leftover::NotUndone { id: undone, by: id.clone() });
                (id, undone)
            }
            Leftover::Undone { id, .. } | Leftover::NotUndone { id, .. } => (id, None),
        };
        if let Some(next) = next {
            self.left.push_front(next);
        }
        if answers {
            let says = match doubt {
                None => format!("{VERIFIED}: its run ended early, and its commit answers"),
                Some(doubt) => format!("{UNVERIFIED}: its run ended early, and its commit answers, but {doubt}"),
            };
            let verified = doubt.is_none();
            let end = if verified { "what an earlier run had begun is live, and settled" } else { says.as_str() };
            self.end = Some(Ending::Live { verified, says: end.to_owned() });
            return self.settle(id, Phase::Success, says);
        }
        self.settle(id, Phase::Error, GONE.to_owned())
    }

    fn finish_rollback(&mut self, undoes: Option<String>, why: &str) -> Vec<Effect> {
        let undone = Undone { open: undoes, why: why.to_owned() };
        if self.ask == Ask::Rollback {
            self.undone = Some(undone);
            return self.next_left();
        }
        self.undo(undone)
    }

    /// What was asked for.
    fn begin(&mut self) -> Vec<Effect> {
        self.settled = true;
        if self.ask != Ask::Recover {
            self.hindrance = None;
        }
        match self.ask {
            Ask::Recover => {
                let end = self.end.take().unwrap_or_else(|| Ending::Nothing("nothing was left to settle".to_owned()));
                self.unlock(end)
            }
            Ask::Continue => self.unlock(Ending::Refused("nothing waits for a person here".to_owned())),
            Ask::Deploy => {
                self.end = None;
                self.go(Stage::Creating(Role::Deploy), Effect::Create(Role::Deploy, None))
            }
            Ask::Rollback => {
                self.by_hand = true;
                let open = self.undone.as_ref().and_then(|undone| undone.open.clone());
                self.go(Stage::Choosing, Effect::Choose(open))
            }
        }
    }

    fn undo(&mut self, undone: Undone) -> Vec<Effect> {
        let open = undone.open.clone();
        self.undone = Some(undone);
        self.go(Stage::Choosing, Effect::Choose(open))
    }

    fn chosen(&mut self, chosen: Result<Sha, (Hindrance, String)>) -> Vec<Effect> {
        let undoes = self.undone.as_ref().and_then(|undone| undone.open.clone());
        match chosen {
            Ok(sha) => {
                self.to = Some(sha);
                self.go(Stage::Creating(Role::Rollback), Effect::Create(Role::Rollback, undoes))
            }
            Err((hindrance, why)) => {
                self.hindrance = Some(hindrance);
                self.not_rolled_back(why)
            }
        }
    }

    /// There is nothing to roll back to, or it may not be, or it could not be recorded.
    fn not_rolled_back(&mut self, why: String) -> Vec<Effect> {
        let undone = self.undone.take();
        self.run = None;
        if self.by_hand {
            return self.unlock(Ending::Refused(why));
        }
        let failed = undone.as_ref().map_or_else(String::new, |undone| undone.why.clone());
        let says = format!("{failed}; not rolled back: {why}");
        self.end = Some(Ending::Failed(says.clone()));
        match undone.and_then(|undone| undone.open) {
            Some(id) => self.go(Stage::ClosingUndone, Effect::Mark(id, Phase::Failure, says)),
            None => self.finish(),
        }
    }

    fn not_created(&mut self, why: &str) -> Vec<Effect> {
        if self.undone.is_some() && !self.by_hand {
            return self.not_rolled_back(format!("it could not be recorded: {why}"));
        }
        self.unlock(Ending::Unsettled(format!("nothing was deployed, for it could not be recorded: {why}")))
    }

    fn created(&mut self, created: Created, role: Role) -> Vec<Effect> {
        let id = created.id;
        self.run = Some((id.clone(), role));
        (self.runs, self.weight, self.back) = (created.runs, None, None);
        self.old = created.old.filter(|_| role == Role::Deploy);
        if !created.same {
            return self.close(Phase::Error, "the record is of another commit than was asked for".to_owned());
        }
        if role == Role::Adopt {
            let says = "a deploy of it was interrupted, and its commit answers";
            return self.close(Phase::Success, format!("{UNVERIFIED}: {says}"));
        }
        self.go(Stage::Starting, Effect::Mark(id, Phase::InProgress, format!("{} begun", role.word())))
    }

    fn start(&mut self) -> Vec<Effect> {
        let Some((id, role)) = self.run.clone() else { return Vec::new() };
        if self.runs {
            return self.next_weight();
        }
        self.stage = Stage::Running;
        vec![Effect::Tell(News::Begun(role)), Effect::Run(id, role)]
    }

    fn verify(&mut self, accepted: bool) -> Vec<Effect> {
        let Some((id, role)) = self.run.clone() else { return Vec::new() };
        self.go(Stage::Verifying, Effect::Verify(id, role, accepted))
    }

    /// What ran has failed: it is undone, once, if it is no rollback itself.
    fn failed(&mut self, why: String) -> Vec<Effect> {
        match &self.run {
            Some((_, Role::Deploy)) if self.old.is_some() => self.go_back(why, false),
            Some((id, Role::Deploy)) if self.rules.auto_rollback => {
                let undone = Undone { open: Some(id.clone()), why: why.clone() };
                let mut effects = vec![Effect::Tell(News::Failed(why))];
                effects.extend(self.undo(undone));
                effects
            }
            _ => self.close(Phase::Failure, why),
        }
    }

    fn interrupted(&mut self, why: String) -> Vec<Effect> {
        if self.old.is_some() {
            return self.go_back(why, true);
        }
        self.close(Phase::Error, format!("{INTERRUPTED}: {why}"))
    }

    /// It is recorded, and must not be begun.
    fn withdrawn(&mut self, why: String) -> Vec<Effect> {
        let effects = self.close(Phase::Error, format!("not begun: {why}"));
        self.end = Some(Ending::Refused(why));
        effects
    }

    /// Records the end of what ran.
    fn close(&mut self, phase: Phase, says: String) -> Vec<Effect> {
        let Some((id, role)) = self.run.clone() else { return self.unlock(Ending::Unsettled(says)) };
        self.end = Some(self.ending(&phase, role, &says));
        self.go(Stage::Closing, Effect::Mark(id, phase, says))
    }

    fn ending(&self, phase: &Phase, role: Role, says: &str) -> Ending {
        let says = says.to_owned();
        let verified = says.starts_with(VERIFIED);
        let undone = self.undone.as_ref().map_or_else(String::new, |undone| undone.why.clone());
        match (phase, role) {
            (Phase::Success, Role::Rollback) if !self.by_hand => match &self.to {
                Some(to) => Ending::RolledBack { why: undone, to: to.clone(), verified },
                None => Ending::Live { verified, says },
            },
            (Phase::Success, _) => Ending::Live { verified, says },
            _ if says.starts_with(INTERRUPTED) => Ending::Interrupted(says),
            (_, Role::Rollback) => Ending::RollbackFailed { why: undone, rollback: says },
            (Phase::Error, _) if says.starts_with("inconclusive") => Ending::Inconclusive(says),
            (Phase::Error, _) => Ending::Unsettled(says),
            _ => Ending::Failed(says),
        }
    }

    /// The end of what ran is recorded: now that of what it undid.
    fn closed(&mut self) -> Vec<Effect> {
        let Some(Undone { open: Some(id), why }) = self.undone.take() else { return self.finish() };
        let became = match &self.end {
            Some(Ending::RolledBack { to, .. }) => format!("rolled back to {}: {why}", to.short()),
            Some(Ending::Live { .. }) => format!("rolled back: {why}"),
            Some(Ending::Interrupted(_)) => format!("its rollback was interrupted: {why}"),
            _ => format!("its rollback failed: {why}"),
        };
        self.go(Stage::ClosingUndone, Effect::Mark(id, Phase::Failure, became))
    }

    /// One thing is done: what was asked for, or a rollback that an earlier run had begun.
    fn finish(&mut self) -> Vec<Effect> {
        (self.run, self.undone, self.to, self.old) = (None, None, None, None);
        if self.settled || matches!(self.end, Some(Ending::Interrupted(_))) {
            let end = self.end.take().unwrap_or_else(|| Ending::Nothing("nothing was left to do".to_owned()));
            return self.unlock(end);
        }
        self.next_left()
    }
}
