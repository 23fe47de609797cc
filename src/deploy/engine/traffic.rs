//! Two slots: looking at the idle one, moving traffic by the user's hook, looking between two steps, and keeping the
//! environment locked while a person decides.

use super::Drive;
use super::carry::Place;
use crate::deploy::analysis::{Analysed, Seen, Tally};
use crate::deploy::lock;
use crate::deploy::machine::Event;
use crate::deploy::tally::Round;
use crate::deploy::verify::Sight;
use crate::deploy::{Group, Job, Ran, command};
use crate::model::deployment::{Holder, Record, Role};
use crate::model::environments::{Environment, Pacing, Probe, VersionProbe};
use crate::model::rollout::{Rollout, Step};
use crate::model::sha::Sha;
use crate::world::env::Env;
use crate::world::http::Http;
use crate::world::process::CancelToken;

/// What a slot is looked at by where it has no traffic: a whole address would lead to where traffic arrives.
struct Idle {
    url: String,
    health: Vec<Probe>,
    version: Option<VersionProbe>,
}

impl Idle {
    fn of(environment: &Environment, record: &Record) -> Option<Self> {
        let is_path = |path: &str| !path.starts_with("http://") && !path.starts_with("https://");
        let verify = &environment.verify;
        Some(Self {
            url: environment.rollout.as_ref()?.address(record.slot())?,
            health: verify.health.iter().filter(|probe| is_path(&probe.path)).cloned().collect(),
            version: verify.version.clone().filter(|version| is_path(&version.path)),
        })
    }

    fn sight<'s>(&'s self, sha: &'s Sha, pacing: Pacing, env: &'s Env) -> Sight<'s> {
        let version = self.version.as_ref().map(|probe| (probe, sha));
        Sight { url: Some(&self.url), health: &self.health, version, pacing, env }
    }
}

impl Drive<'_, '_> {
    pub(super) async fn preview(&mut self, id: &str, role: Role, accepted: bool) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        let environment = self.engine.environment;
        let Some(idle) = Idle::of(environment, &record).filter(|_| !self.engine.dry_run && !accepted) else {
            return Event::Unverified;
        };
        let sight = idle.sight(&record.sha, environment.verify.pacing, self.engine.env);
        match self.judged(&sight).await {
            Ok(says) => {
                self.say(&format!("the {} in slot {} is healthy: {says}", role.word(), record.slot().word()));
                Event::Healthy(says)
            }
            Err(event) => event,
        }
    }

    /// Moves traffic. A signal does not stop it: half moved is worse than moved.
    pub(super) async fn shift(&mut self, id: &str, weight: u8) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        let (environment, root) = (self.engine.environment, self.engine.root.to_owned());
        let Some(rollout) = &environment.rollout else {
            return Event::Failed("the environment has no strategy any more".to_owned());
        };
        let slots = (record.slot().word(), record.slot().other().word());
        let moved = if weight == 0 {
            format!("all traffic to slot {}", slots.1)
        } else {
            format!("{weight} % of the traffic to {} in slot {}", record.sha.short(), slots.0)
        };
        if self.engine.dry_run {
            self.say(&format!("would move {moved}"));
            return Event::Done;
        }
        let folder = match self.folder_of(&record) {
            Ok(folder) => folder,
            Err(why) => return Event::Failed(why),
        };
        let role = record.role().unwrap_or(Role::Deploy);
        let place = Place { log: "traffic.txt", folder, root, weight: Some(weight) };
        let calm = CancelToken::new(None);
        let hook = async |job: Job<'_>| {
            let job = Job { cancel: &calm, ..job };
            command::run(&rollout.hook, &job, environment.timeout).await
        };
        match self.kept(&record, role, place, hook).await {
            Err(parted) => self.parted(parted).await,
            Ok(Ran::Failed(why) | Ran::Interrupted(why) | Ran::Unended(why)) => {
                Event::Failed(format!("the hook that moves traffic, at {weight} %: {why}"))
            }
            Ok(Ran::Done | Ran::Accepted) => {
                self.say(&format!("moved {moved}"));
                Event::Done
            }
        }
    }

    /// The look for one step of a canary.
    pub(super) async fn look(&mut self, id: &str, weight: u8) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        if let Some(interrupted) = self.interruption() {
            return interrupted;
        }
        let environment = self.engine.environment;
        let Some(rollout) = &environment.rollout else {
            return Event::Failed("the environment has no strategy any more".to_owned());
        };
        let Some(step) = rollout.steps.iter().find(|step| step.weight == weight) else {
            return Event::Inconclusive(format!("the configuration has no step of {weight} % any more"));
        };
        if self.engine.dry_run {
            return Event::Healthy("a dry run".to_owned());
        }
        let folder = match self.folder_of(&record) {
            Ok(folder) => folder,
            Err(why) => return Event::Failed(why),
        };
        let (env, watch, masker) = (self.engine.env, self.engine.watch, self.engine.masker);
        let root = self.engine.root.to_owned();
        let idle = Idle::of(environment, &record);
        let place = Place { log: "analysis.txt", folder, root, weight: Some(weight) };
        let work = async |job: Job<'_>| {
            let look = Looking { environment, rollout, idle: idle.as_ref(), record: &record, env };
            let told = |why: &str| watch.line(&masker.mask(why));
            tokio::select! {
                analysed = look.at(step, &job, &told) => Ok(analysed),
                by = job.cancel.cancelled() => Err(by.to_string()),
            }
        };
        match self.kept(&record, Role::Deploy, place, work).await {
            Err(parted) => self.parted(parted).await,
            Ok(Err(by)) => Event::Interrupted(by),
            Ok(Ok(Analysed::Failed(why))) => Event::Failed(format!("at {weight} %: {why}")),
            Ok(Ok(Analysed::Inconclusive(why))) => Event::Inconclusive(why),
            Ok(Ok(Analysed::Successful(says))) => {
                self.say(&format!("at {weight} %: {says}"));
                if step.pause {
                    Event::Inconclusive("the step asks for a person".to_owned())
                } else {
                    Event::Healthy(says)
                }
            }
        }
    }

    /// Whether what was live before works, now that all traffic is with it again.
    pub(super) async fn see_old(&mut self, id: &str) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        let old = record.payload.as_ref().and_then(|payload| payload.previous.clone());
        let (environment, env) = (self.engine.environment, self.engine.env);
        let verify = &environment.verify;
        let (Some(old), false) = (old, self.engine.dry_run) else { return Event::Unverified };
        if verify.health.is_empty() && verify.version.is_none() {
            return Event::Unverified;
        }
        let sight = Sight::of(environment, Some(&old), env);
        match self.judged(&sight).await {
            Ok(says) => {
                self.is_back(Role::Rollback);
                self.say(&format!("{} is healthy: {says}", old.short()));
                Event::Healthy(says)
            }
            Err(event) => event,
        }
    }

    /// The lock becomes one that only a person ends: who goes on, or who goes back.
    pub(super) async fn hold(&mut self, id: String, says: &str) -> Event {
        let Some(mut held) = self.held.take() else { return Event::Unlocked };
        let engine = &mut *self.engine;
        let name = &engine.environment.name;
        // What was put on top of our own word is seen first.
        let _ = lock::check(engine.ledger, name, &mut held).await;
        let holder = Holder { paused: Some(id), ..engine.me.holder(&engine.masker.text(says), true) };
        match engine.ledger.swap(name, Some(&held), &holder).await {
            Ok(Some(_)) => {
                self.say(&format!("{} stays locked", self.engine.environment.name));
                Event::Unlocked
            }
            Ok(None) => Event::NotUnlocked("the lock changed".to_owned()),
            Err(error) => Event::NotUnlocked(error.to_string()),
        }
    }
}

/// What is looked at between two steps.
struct Looking<'l> {
    environment: &'l Environment,
    rollout: &'l Rollout,
    idle: Option<&'l Idle>,
    record: &'l Record,
    env: &'l Env,
}

impl Looking<'_> {
    async fn at(&self, step: &Step, job: &Job<'_>, told: &dyn Fn(&str)) -> Analysed {
        let analysis = &self.rollout.analysis;
        tokio::time::sleep(analysis.initial_delay).await;
        let begun = tokio::time::Instant::now();
        let mut tally = Tally::new(analysis);
        loop {
            let seen = self.round(job).await;
            if let Seen::Bad(why) | Seen::Error(why) | Seen::Unclear(why) = &seen {
                told(why);
            }
            if let Some(analysed) = tally.see(seen) {
                return analysed;
            }
            if begun.elapsed() + analysis.interval > step.watch {
                return tally.end();
            }
            tokio::time::sleep(analysis.interval).await;
        }
    }

    /// One look: at the slot itself, at what the mixed traffic answers, and by the command.
    async fn round(&self, job: &Job<'_>) -> Seen {
        let verify = &self.environment.verify;
        let (sha, pacing) = (&self.record.sha, verify.pacing);
        let mut new = false;
        if let Some(idle) = self.idle {
            match slot_round(idle.sight(sha, pacing, self.env), job.http).await {
                Seen::Good { .. } => new = true,
                other => return other,
            }
        }
        if !verify.health.is_empty() || verify.version.is_some() {
            let sight = Sight::of(self.environment, Some(sha), self.env);
            match sight.round(job.http).await {
                Round::Good => new |= verify.version.is_some(),
                // The old one answered: it has its share.
                Round::Waiting(_) => {}
                Round::Bad(why) => return Seen::Bad(why),
                Round::Error(why) => return Seen::Error(why),
            }
        }
        match &self.rollout.analysis.command {
            None => Seen::Good { new },
            Some(command) => self.command(command, job).await,
        }
    }

    async fn command(&self, command: &crate::model::settings::CommandLine, job: &Job<'_>) -> Seen {
        let group = Group::default();
        let job = Job { group: &group, log: job.log.clone(), ..*job };
        match command::status(command, &job, self.environment.timeout).await {
            Ok((0, _)) => Seen::Good { new: true },
            Ok((command::INCONCLUSIVE, said)) => Seen::Unclear(format!("the analysis' command cannot tell{said}")),
            Ok((126 | 127, said)) => Seen::Error(format!("the analysis' command could not be run{said}")),
            Ok((code, said)) => Seen::Bad(format!("the analysis' command ended in {code}{said}")),
            Err(why) => Seen::Error(format!("the analysis' command: {why}")),
        }
    }
}

/// A look at the slot of the new version: another one there is no waiting.
async fn slot_round(sight: Sight<'_>, http: &Http) -> Seen {
    match sight.round(http).await {
        Round::Good => Seen::Good { new: true },
        Round::Waiting(why) | Round::Bad(why) => Seen::Bad(why),
        Round::Error(why) => Seen::Error(why),
    }
}
