//! Carrying a deployment out, and seeing whether it works, while the lock is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Drive;
use crate::deploy::lock::Parted;
use crate::deploy::machine::Event;
use crate::deploy::tally::Verdict;
use crate::deploy::verify::Sight;
use crate::deploy::{Deployer, Ground, Group, Job, Left, Ran, command, lock};
use crate::model::deployment::{Mark, Phase, Record, Role, started};
use crate::model::environments::Pacing;
use crate::model::sha::Sha;
use crate::world::clock;
use crate::world::files;
use crate::world::process::MARK;

/// How long an orphan's own commit may take to answer.
const PROBE: std::time::Duration = std::time::Duration::from_secs(15);

/// The log of what the deployer does.
const DEPLOY: &str = "deploy.txt";
/// In the folder of a deployment: the files of its commit, while it is carried out.
const FILES: &str = "files";

/// Where a command of a deployment runs, and what it is for.
pub(super) struct Place<'p> {
    /// The name of its log.
    pub(super) log: &'p str,
    /// Where logs go.
    pub(super) folder: PathBuf,
    /// Where it runs.
    pub(super) root: PathBuf,
    /// The share of the traffic that it is about, in percent.
    pub(super) weight: Option<u8>,
}

impl Place<'_> {
    /// By which the command's processes are known. What the deployer's leaves running is the service: no other command of
    /// the deployment may be taken for its owner.
    fn mark(&self) -> String {
        let place = if self.log == DEPLOY { self.folder.clone() } else { self.folder.join(self.log) };
        place.display().to_string()
    }
}

impl Drive<'_, '_> {
    pub(super) async fn carry_out(&mut self, id: &str, role: Role) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        if let Some(interrupted) = self.interruption() {
            return interrupted;
        }
        let engine = &*self.engine;
        let (deployer, root) = (if role == Role::Rollback { engine.rollback } else { engine.deployer }, engine.root);
        if engine.dry_run {
            self.say(&format!("would deploy {} to {}", record.sha.short(), record.environment));
            return Event::Done;
        }
        let folder = match self.folder_of(&record) {
            Ok(folder) => folder,
            Err(why) => return Event::Failed(why),
        };
        let repo = engine.repo;
        let elsewhere = match ground(deployer, repo, &record.sha) {
            Ok(elsewhere) => elsewhere,
            Err(why) => return Event::Failed(why),
        };
        // Beside it others may be deployed from this repository.
        let files = match elsewhere.then(|| repo.check_out(&record.sha, &folder.join(FILES))).transpose() {
            Ok(files) => files,
            Err(error) => return Event::Failed(error.to_string()),
        };
        let root = files.as_ref().map_or(root, |files| files.folder()).to_owned();
        let place = Place { log: DEPLOY, folder, root, weight: None };
        let ran = self.kept(&record, role, place, async |job: Job<'_>| deployer.deploy(job).await).await;
        drop(files);
        match ran {
            Err(parted) => {
                let event = self.parted(parted).await;
                self.called_off(id, event).await
            }
            Ok(Ran::Done) => {
                self.say(&format!("deployed {}", record.sha.short()));
                Event::Done
            }
            Ok(Ran::Accepted) => {
                self.say(&format!("handed on {}", record.sha.short()));
                Event::Accepted
            }
            Ok(Ran::Failed(why)) => Event::Failed(why),
            Ok(Ran::Interrupted(why)) => Event::Interrupted(why),
            // The lock is kept, and the record stays without an end: the next run sees to it first.
            Ok(Ran::Unended(why)) => Event::Lost(why),
        }
    }

    /// What becomes of a deployment that was cut off half way, once what it has set going elsewhere was told to end.
    async fn called_off(&mut self, id: &str, event: Event) -> Event {
        let Some(record) = self.record(id).cloned() else { return event };
        match (self.call_off(&record).await, event) {
            (Ok(()), event) => event,
            (Err(why), Event::Lost(lost)) => Event::Lost(format!("{lost}; {why}")),
            (Err(why), _) => Event::Lost(why),
        }
    }

    /// Sees to it that what earlier runs have set going and left has ended, before anything else is done.
    pub(super) async fn call_off_left(&mut self) -> Result<(), String> {
        let left = self.records.iter().filter(|record| record.is_open() && record.is_begun());
        for record in left.cloned().collect::<Vec<_>>() {
            self.call_off(&record).await?;
        }
        Ok(())
    }

    async fn call_off(&mut self, record: &Record) -> Result<(), String> {
        let engine = &mut *self.engine;
        let deployer = if record.role() == Some(Role::Rollback) { engine.rollback } else { engine.deployer };
        let (environment, watch, masker) = (engine.environment, engine.watch, engine.masker);
        let on_line = |line: &str| watch.line(&masker.mask(line));
        let (id, run) = (record.id.as_str(), record.started_run());
        let work = deployer.call_off(Left { environment, id, run, remote: engine.remote, on_line: &on_line });
        let Some(held) = &mut self.held else { return work.await };
        match lock::keep(engine.ledger, &environment.name, held, &Group::default(), work).await {
            Ok(ended) => ended,
            Err(Parted::Lost(why) | Parted::Asked(why)) => Err(why),
        }
    }

    /// The end that was asked for, by somebody or by a signal, before the next thing is begun.
    pub(super) fn interruption(&mut self) -> Option<Event> {
        let asked = self.asked.take();
        asked.or_else(|| self.engine.cancel.by().map(|by| by.to_string())).map(Event::Interrupted)
    }

    /// Takes away the files that runs which died have left: whoever holds the lock has nobody beside it here.
    pub(super) fn clear_files(&self) {
        let left = self.records.iter().map(|record| self.place_of(record).join(FILES));
        for folder in left.filter(|folder| files::stands(folder)) {
            self.engine.repo.take_away(&folder);
        }
    }

    fn place_of(&self, record: &Record) -> PathBuf {
        self.engine.folder.join(format!("{}-{}", record.environment, record.id))
    }

    /// Where the logs of a deployment are.
    pub(super) fn folder_of(&self, record: &Record) -> Result<PathBuf, String> {
        let folder = self.place_of(record);
        files::make_dir(&folder).map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// Does work that runs commands for a deployment while the lock is kept.
    pub(super) async fn kept<T>(
        &mut self,
        record: &Record,
        role: Role,
        place: Place<'_>,
        work: impl AsyncFnOnce(Job<'_>) -> T,
    ) -> Result<T, Parted> {
        let mark = place.mark();
        let variables = self.variables(record, role, &mark, place.weight);
        let engine = &mut *self.engine;
        let Some(held) = &mut self.held else { return Err(Parted::Lost("the lock is not held".to_owned())) };
        let environment = engine.environment;
        // Known before the command is: who takes over from a dead holder finds what it had just started.
        lock::say(engine.ledger, &environment.name, held, None, Some(mark)).await?;
        let group = Group { deployment: record.id.clone(), ..Group::default() };
        let on_line = |line: &str| engine.watch.line(&engine.masker.mask(line));
        let job = Job {
            environment,
            sha: &record.sha,
            reference: reference(record, role),
            id: &record.id,
            role,
            root: &place.root,
            variables: &variables,
            log: place.folder.join(place.log),
            masker: engine.masker,
            cancel: engine.cancel,
            on_line: &on_line,
            group: &group,
            http: engine.http,
            remote: engine.remote,
        };
        let done = lock::keep(engine.ledger, &environment.name, held, &group, work(job)).await;
        if let Some(run) = group.run.get() {
            let mark = Mark { phase: Phase::InProgress, says: started(run), at: clock::now().to_string() };
            let here = self.records.iter_mut().filter(|one| one.id == record.id);
            here.for_each(|record| record.marks.push(mark.clone()));
        }
        let done = done?;
        lock::say(engine.ledger, &environment.name, held, None, None).await?;
        Ok(done)
    }

    fn variables(&self, record: &Record, role: Role, mark: &str, weight: Option<u8>) -> Vec<(OsString, OsString)> {
        let engine = &*self.engine;
        let previous = record.payload.as_ref().and_then(|payload| payload.previous.as_ref());
        let mut told = vec![
            ("GATEPOST_ENVIRONMENT", record.environment.to_string()),
            ("GATEPOST_SHA", record.sha.to_string()),
            ("GATEPOST_REF", reference(record, role).to_owned()),
            ("GATEPOST_VERSION", self.version(&record.sha)),
            ("GATEPOST_PREVIOUS_SHA", previous.map_or_else(String::new, Sha::to_string)),
            ("GATEPOST_DEPLOYMENT_ID", record.id.clone()),
            ("GATEPOST_URL", engine.environment.url.clone().unwrap_or_default()),
            ("GATEPOST_ROLE", role.word().to_owned()),
            (MARK, mark.to_owned()),
        ];
        if let Some(rollout) = &engine.environment.rollout {
            let slot = record.slot();
            told.extend([
                ("GATEPOST_STRATEGY", rollout.strategy.word().to_owned()),
                ("GATEPOST_SLOT", slot.word().to_owned()),
                ("GATEPOST_OTHER_SLOT", slot.other().word().to_owned()),
                ("GATEPOST_PREVIEW_URL", rollout.address(slot).unwrap_or_default()),
            ]);
            told.extend(weight.map(|weight| ("GATEPOST_WEIGHT", weight.to_string())));
        }
        let is_told = |name: &OsString| told.iter().any(|(own, _)| name == *own);
        let inherited = engine.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut variables: Vec<(OsString, OsString)> = inherited.filter(|(name, _)| !is_told(name)).collect();
        variables.extend(told.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        variables
    }

    /// A tag at the commit, else its short id.
    fn version(&self, sha: &Sha) -> String {
        let tags = self.engine.repo.names_of(sha).map(|names| names.tags).unwrap_or_default();
        tags.into_iter().next_back().unwrap_or_else(|| sha.short().to_owned())
    }

    /// Whether the commit of an orphan answers, and well; and whether all that was to be done for it is known to be done.
    pub(super) async fn probe(&mut self, id: &str) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Answers(false) };
        let (environment, env) = (self.engine.environment, self.engine.env);
        let verify = &environment.verify;
        // Without a version any instance may be the one that answers.
        if verify.version.is_none() {
            return Event::Answers(false);
        }
        let deadline = PROBE.min(verify.pacing.deadline);
        let pacing = Pacing { grace: std::time::Duration::ZERO, deadline, ..verify.pacing };
        let sight = Sight { pacing, ..Sight::of(environment, Some(&record.sha), env) };
        let says = match self.judged(&sight).await {
            Ok(says) => says,
            Err(event) => return self.not_well(&record, event),
        };
        self.say(&format!("the run of deployment {id} ended early; its commit {} answers: {says}", record.sha.short()));
        if !self.engine.dry_run
            && let Some(event) = self.smoke(&record, record.role().unwrap_or(Role::Deploy)).await
        {
            return self.not_well(&record, event);
        }
        let place = self.place_of(&record);
        let cut_off = self.held.as_ref().map(|held| held.holder.cut_off.as_slice()).unwrap_or_default();
        // The folder itself is the mark of what deploys; its beginning is another one where that was another machine.
        if cut_off.iter().any(|mark| Path::new(mark).file_name() == place.file_name()) {
            return Event::Inconclusive("what deployed it was not seen to end".to_owned());
        }
        Event::Answers(true)
    }

    fn not_well(&mut self, record: &Record, event: Event) -> Event {
        let Event::Failed(why) = event else { return event };
        let (id, sha) = (&record.id, record.sha.short());
        self.say(&format!(
            "the run of deployment {id} ended early; its commit {sha} does not answer as it should: {why}"
        ));
        Event::Answers(false)
    }

    pub(super) async fn verify(&mut self, id: &str, role: Role, accepted: bool) -> Event {
        let Some(record) = self.record(id).cloned() else { return Event::Failed(format!("{id} is not recorded")) };
        let engine = &mut *self.engine;
        let environment = engine.environment;
        let verify = &environment.verify;
        if accepted && verify.version.is_none() {
            let why = "the deploy was only handed on, and without a `version` the old instance would answer as well";
            return Event::Inconclusive(why.to_owned());
        }
        if verify.is_empty() {
            self.is_back(role);
            return Event::Unverified;
        }
        if engine.dry_run {
            let paths = verify.health.iter().map(|probe| probe.path.clone());
            let version = verify.version.as_ref().map(|probe| format!("{} as {}", probe.path, record.sha.short()));
            let smoke = verify.smoke.as_ref().map(|_| "the smoke command".to_owned());
            let looks: Vec<String> = paths.chain(version).chain(smoke).collect();
            self.say(&format!("would verify: {}", looks.join(", ")));
            return Event::Healthy("if it is well".to_owned());
        }
        let sight = Sight::of(environment, Some(&record.sha), engine.env);
        let says = if verify.health.is_empty() && verify.version.is_none() {
            "there is only the smoke command".to_owned()
        } else {
            match self.judged(&sight).await {
                Ok(says) => says,
                Err(event) => return event,
            }
        };
        self.is_back(role);
        self.say(&format!("healthy: {says}"));
        if let Some(event) = self.smoke(&record, role).await {
            return event;
        }
        self.watch(&record).await.unwrap_or(Event::Healthy(says))
    }

    /// Looks until there is a verdict; anything but health is an event.
    pub(super) async fn judged(&mut self, sight: &Sight<'_>) -> Result<String, Event> {
        if let Some(interrupted) = self.interruption() {
            return Err(interrupted);
        }
        let engine = &mut *self.engine;
        let Some(held) = &mut self.held else { return Err(Event::Lost("the lock is not held".to_owned())) };
        let (http, watch, masker, cancel) = (engine.http, engine.watch, engine.masker, engine.cancel);
        let told = |why: &str| watch.line(&masker.mask(why));
        let look = async {
            tokio::select! {
                verdict = sight.judge(http, &told) => Ok(verdict),
                by = cancel.cancelled() => Err(by.to_string()),
            }
        };
        let kept = lock::keep(engine.ledger, &engine.environment.name, held, &Group::default(), look).await;
        match kept {
            Err(parted) => Err(self.parted(parted).await),
            Ok(Err(by)) => Err(Event::Interrupted(by)),
            Ok(Ok(Verdict::Unhealthy(why))) => Err(Event::Failed(why)),
            Ok(Ok(Verdict::Healthy(says))) => Ok(says),
        }
    }

    /// After a rollback: the old version answers.
    pub(super) fn is_back(&mut self, role: Role) {
        if role == Role::Rollback {
            self.rollback_took = self.decided_at.map(|at| at.elapsed());
        }
    }

    /// The smoke command; `None` when it is content.
    async fn smoke(&mut self, record: &Record, role: Role) -> Option<Event> {
        let smoke = self.engine.environment.verify.smoke.as_ref()?;
        let folder = match self.folder_of(record) {
            Ok(folder) => folder,
            Err(why) => return Some(Event::Failed(why)),
        };
        let place = Place { log: "smoke.txt", folder, root: self.engine.root.to_owned(), weight: None };
        let timeout = self.engine.environment.timeout;
        match self.kept(record, role, place, async |job: Job<'_>| command::run(smoke, &job, timeout).await).await {
            Err(parted) => Some(self.parted(parted).await),
            Ok(Ran::Failed(why) | Ran::Unended(why)) => Some(Event::Failed(format!("the smoke command: {why}"))),
            Ok(Ran::Interrupted(why)) => Some(Event::Interrupted(why)),
            Ok(Ran::Done | Ran::Accepted) => {
                self.say("the smoke command is content");
                None
            }
        }
    }

    /// The watch period; `None` when it stayed healthy.
    async fn watch(&mut self, record: &Record) -> Option<Event> {
        let engine = &mut *self.engine;
        let environment = engine.environment;
        let verify = &environment.verify;
        if verify.pacing.watch.is_zero() || (verify.health.is_empty() && verify.version.is_none()) {
            return None;
        }
        let sight = Sight::of(environment, Some(&record.sha), engine.env);
        let held = self.held.as_mut()?;
        let (http, cancel) = (engine.http, engine.cancel);
        let look = async {
            tokio::select! {
                verdict = sight.watch(http) => Ok(verdict),
                by = cancel.cancelled() => Err(by.to_string()),
            }
        };
        match lock::keep(engine.ledger, &environment.name, held, &Group::default(), look).await {
            Err(parted) => Some(self.parted(parted).await),
            Ok(Err(by)) => Some(Event::Interrupted(by)),
            Ok(Ok(Some(Verdict::Unhealthy(why)))) => Some(Event::Failed(why)),
            Ok(Ok(_)) => {
                self.say(&format!("stayed healthy for {} s", verify.pacing.watch.as_secs()));
                None
            }
        }
    }
}

/// As the commit was named. A branch may be elsewhere by the time of a rollback, at the commit that is undone even.
fn reference(record: &Record, role: Role) -> &str {
    if role == Role::Rollback { record.sha.as_str() } else { &record.reference }
}

/// Whether the deployer needs the commit's files in a work tree of their own.
fn ground(deployer: &dyn Deployer, repo: &crate::world::repo::Repo, sha: &Sha) -> Result<bool, String> {
    match deployer.ground() {
        Ground::None | Ground::WorkTree => Ok(false),
        Ground::Commit => {
            let is_here = repo.head().map_err(|error| error.to_string())?.as_ref() == Some(sha);
            let is_clean = is_here && !repo.is_dirty().map_err(|error| error.to_string())?;
            Ok(!is_clean)
        }
    }
}
