//! Does what the machine says: one effect after the other, against the ledger, the lock, the deployer and the service. It
//! decides nothing; every answer goes back into the machine.

mod acts;
mod carry;
mod traffic;

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::deploy::lock::{self, Me, Parted};
use crate::deploy::machine::{Ask, Effect, Event, News, Rules, State, step};
use crate::deploy::{Deployer, Remote};
use crate::mask::Masker;
use crate::model::deployment::{Ending, Hindrance, Record};
use crate::model::environments::Environment;
use crate::model::rollout::Rollout;
use crate::model::sha::Sha;
use crate::world::env::Env;
use crate::world::http::Http;
use crate::world::ledger::{Held, Ledger};
use crate::world::process::CancelToken;
use crate::world::repo::Repo;

/// Watches what is done.
pub trait Watch {
    /// Something happened, so long after the beginning.
    fn say(&self, after: Duration, text: &str);
    /// The newest line that a command printed.
    fn line(&self, text: &str);
    /// What is done next is about this deployment, which undoes that one.
    fn of(&self, _record: &Record, _undone: Option<&Record>) {}
    /// What others may want to know.
    fn news(&self, _news: &News) {}
}

/// Looks at two commits (what is rolled back to, what is undone) and says why the first must not follow the second.
pub type Objection<'a> = &'a dyn Fn(&Sha, &Sha) -> Option<String>;

/// Asked, before a deploy is recorded and again before it is begun, whether it is still wanted.
pub trait Consent {
    /// Why it is not.
    fn objection(&self) -> Pin<Box<dyn Future<Output = Option<String>> + '_>>;
}

impl fmt::Debug for dyn Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Consent")
    }
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The commit to deploy, or to roll back to.
    pub sha: Option<Sha>,
    /// As it was named.
    pub reference: String,
    /// Why missing evidence was passed over.
    pub forced: Option<String>,
    /// What the lock says it is for.
    pub reason: String,
    /// The key of what was asked for, where asking again must not do it again.
    pub intent: Option<String>,
    /// Whom to ask whether a deploy is still wanted.
    pub consent: Option<Rc<dyn Consent>>,
    /// The gates that are not green, and were overridden, by whom and why.
    pub overridden: Vec<String>,
}

/// Everything that a deployment stands on.
pub struct Engine<'a> {
    /// Where it is recorded.
    pub ledger: &'a mut Ledger,
    /// Where the commits are.
    pub repo: &'a Repo,
    /// Its root, without links.
    pub root: &'a Path,
    /// Where logs and work trees go.
    pub folder: &'a Path,
    /// Where it is deployed to.
    pub environment: &'a Environment,
    /// What deploys.
    pub deployer: &'a dyn Deployer,
    /// What rolls back.
    pub rollback: &'a dyn Deployer,
    /// Who asks.
    pub me: &'a Me,
    /// What was asked for.
    pub wish: Wish,
    /// Why a rollback must not be made.
    pub objection: Objection<'a>,
    /// gatepost's own environment.
    pub env: &'a Env,
    /// Takes secrets out of everything.
    pub masker: &'a Masker,
    /// Ends it.
    pub cancel: &'a CancelToken,
    /// For probes and hosts.
    pub http: &'a Http,
    /// The repository on GitHub, where one is known.
    pub remote: Option<&'a Remote>,
    /// Watches.
    pub watch: &'a dyn Watch,
    /// Only says what it would do.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The end.
    pub ending: Ending,
    /// What was live before.
    pub previous: Option<Sha>,
    /// The ids of deployments that were recorded, in order.
    pub made: Vec<String>,
    /// From the decision to go back until the old version was seen to answer.
    pub rollback_took: Option<Duration>,
    /// The environment's records, newest first, with what was done; empty where they were never read.
    pub records: Vec<Record>,
    /// What kept it from being done, where what is to be done next depends on it.
    pub hindrance: Option<Hindrance>,
}

/// One drive.
struct Drive<'e, 'a> {
    engine: &'e mut Engine<'a>,
    ask: Ask,
    begun: Instant,
    held: Option<Held>,
    /// Newest first.
    records: Vec<Record>,
    /// What a rollback goes back to, and as it was named.
    target: Option<(Sha, String)>,
    /// What that undoes.
    undone: Option<String>,
    /// When it was decided to go back: by the failure, or by whoever asked.
    decided_at: Option<Instant>,
    rollback_took: Option<Duration>,
    made: Vec<String>,
    previous: Option<Sha>,
    nonce: String,
    /// Somebody asks for the end, to undo it.
    asked: Option<String>,
}

impl Engine<'_> {
    /// Does what was asked for, to its end.
    pub async fn drive(&mut self, ask: Ask) -> Outcome {
        let rules = self.rules();
        let mut drive = Drive {
            engine: self,
            ask,
            begun: Instant::now(),
            held: None,
            records: Vec::new(),
            target: None,
            undone: None,
            decided_at: (ask == Ask::Rollback).then(Instant::now),
            rollback_took: None,
            made: Vec::new(),
            previous: None,
            nonce: lock::nonce(),
            asked: None,
        };
        let (ending, hindrance) = Box::pin(drive.run(State::new(ask, rules))).await;
        let ending = match ending {
            Ending::Live { .. } | Ending::RolledBack { .. } if drive.engine.dry_run => {
                Ending::Nothing("a dry run: nothing was done".to_owned())
            }
            ending => ending,
        };
        let Drive { previous, made, rollback_took, records, .. } = drive;
        Outcome { ending, previous, made, rollback_took, records, hindrance }
    }

    fn rules(&self) -> Rules {
        let weights = |rollout: &Rollout| rollout.steps.iter().map(|step| step.weight).collect();
        Rules {
            auto_rollback: self.environment.auto_rollback,
            weights: self.environment.rollout.as_ref().map(weights),
            named: self.wish.sha.is_some(),
        }
    }
}

impl Drive<'_, '_> {
    async fn run(&mut self, state: State) -> (Ending, Option<Hindrance>) {
        let (mut state, mut effects) = step(state, Event::Begin);
        loop {
            let mut answer = None;
            for effect in effects {
                match effect {
                    Effect::Tell(news) => self.tell(&news),
                    effect => answer = Some(Box::pin(self.act(effect)).await),
                }
                for planned in self.engine.ledger.take_planned() {
                    self.say(&planned);
                }
            }
            let Some(event) = answer else { break };
            (state, effects) = step(state, event);
        }
        let ending = state.end().cloned();
        (ending.unwrap_or_else(|| Ending::Unsettled("it stopped half way".to_owned())), state.hindrance())
    }

    /// What it means that the lock could not be kept. Whoever asks for the end finds nothing running.
    async fn parted(&mut self, parted: Parted) -> Event {
        match parted {
            Parted::Lost(why) => Event::Lost(why),
            Parted::Asked(why) => {
                if let Some(held) = &self.held {
                    let survivors = lock::end(&held.holder, self.engine.me).await;
                    if survivors > 0 {
                        return Event::Lost(format!("{why}: {}", lock::not_ended(survivors, &held.holder)));
                    }
                }
                Event::Interrupted(why)
            }
        }
    }

    fn say(&mut self, text: &str) {
        let (after, text) = (self.begun.elapsed(), self.engine.masker.text(text));
        self.engine.watch.say(after, &text);
    }

    fn tell(&mut self, news: &News) {
        match news {
            News::Failed(why) => {
                self.decided_at = Some(Instant::now());
                self.say(&format!("failed: {why}"));
            }
            News::Settled(id, phase, says) => {
                if let Some(record) = self.record(id) {
                    self.engine.watch.of(record, None);
                }
                let is = if self.engine.dry_run { "would be" } else { "is" };
                self.say(&format!("deployment {id} {is} settled: {}, {says}", phase.word()));
            }
            News::Resumed(id, says) => self.say(&format!("deployment {id} {says}")),
            News::Begun(_) | News::Ended(_) => {}
        }
        self.engine.watch.news(news);
    }
}
