//! The gates of a run as the schedule sees them: each attempt is run, judged and masked here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::app::Failure;
use crate::app::offer::Offers;
use crate::app::output::Output;
use crate::app::project::{self, Project};
use crate::app::scope::Judged;
use crate::environment::{Environment, Filter, Told};
use crate::gate::audit::Compared;
use crate::gate::{Gate, Site, Taken};
use crate::mask::Masker;
use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::evidence::{Evidence, Problem, ProblemKind};
use crate::model::gate::{GateName, Only, Rules};
use crate::model::outcome::Outcome;
use crate::model::progress::{Progress, Watch};
use crate::model::report::GateReport;
use crate::model::sha::Sha;
use crate::policy::{self, Baseline, Due, GateBaseline};
use crate::schedule::{self, Attempt, NotRun};
use crate::world::env::Env;
use crate::world::files;
use crate::world::process::CancelToken;
use crate::world::repo::Repo;

/// How often a gate that is silent is said to be running.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// A gate with everything it is judged by.
pub struct Planned {
    /// The gate.
    pub gate: Box<dyn Gate>,
    /// How its evidence is judged.
    pub rules: Rules,
    /// Whether it is to be run at all.
    pub due: Due,
    /// Its part of the baseline.
    pub baseline: Option<GateBaseline>,
}

/// What the gates of a run stand on.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// gatepost's own environment.
    pub env: &'a Env,
    /// What woke the run.
    pub occasion: &'a Occasion,
    /// What is judged.
    pub judged: &'a Judged,
    /// `--all-files`: the commit is judged whole, for its own sake.
    pub all_files: bool,
    /// A report of the base.
    pub baseline: Option<&'a Baseline>,
    /// The repository's root.
    pub root: &'a Path,
    /// Where logs go.
    pub output: &'a Output,
    /// What is written behind `gatepost run GATE` to judge as this run does.
    pub again: &'a str,
    /// Takes secrets out of every report.
    pub masker: &'a Rc<Masker>,
    /// Watches.
    pub watch: &'a Rc<dyn Watch>,
    /// The repository.
    pub repo: &'a Rc<Repo>,
    /// Gates that were overridden for this commit, by whom and why.
    pub overridden: &'a BTreeMap<GateName, String>,
}

/// All gates of a run.
pub struct Gates {
    planned: Vec<Planned>,
    root: PathBuf,
    output: Output,
    again: String,
    scope: Scope,
    env: Env,
    environment: Environment,
    masker: Rc<Masker>,
    watch: Rc<dyn Watch>,
    offers: Option<Offers>,
    repo: Rc<Repo>,
    scheduled: bool,
    since: Option<SystemTime>,
    taken: Taken,
    overridden: BTreeMap<GateName, String>,
}

impl Ground<'_> {
    /// Decides for every gate whether it is due and what counts.
    ///
    /// # Errors
    /// When a pattern of `paths` is no glob.
    pub fn plan(self, project: Project) -> Result<Gates, Failure> {
        let judged = self.judged;
        let told = Told {
            base: judged.base.as_ref().map(Sha::to_string),
            head: judged.head.as_ref().map(Sha::to_string),
            changed_files: judged.scope.change().map(|_| OsString::from(self.output.changed_files())),
        };
        let offers = self.offers(project.config.publish.suggestions);
        let pass_env = project.config.run.pass_env.iter().map(String::as_str);
        let secrets = project::secrets(&project.config);
        let filter = Filter::new(secrets.iter().map(String::as_str), pass_env);
        let planned = project.gates.into_iter().map(|gate| {
            let (rules, due) = decide(&*gate, self.occasion, judged, self.baseline)?;
            let baseline = self.baseline.and_then(|baseline| baseline.gates.get(&gate.common().name)).cloned();
            Ok(Planned { gate, rules, due, baseline })
        });
        Ok(Gates {
            planned: planned.collect::<Result<_, Failure>>()?,
            root: self.root.to_owned(),
            output: self.output.clone(),
            again: self.again.to_owned(),
            scope: judged.scope.clone(),
            env: self.env.clone(),
            environment: filter.apply(self.env.iter(), &told),
            masker: Rc::clone(self.masker),
            watch: Rc::clone(self.watch),
            offers,
            repo: Rc::clone(self.repo),
            scheduled: self.occasion.is_of_default_branch() && !(self.all_files && self.occasion.event == "push"),
            // That file was written right after the change was read.
            since: files::changed_at(&self.output.changed_files()),
            taken: Taken::default(),
            overridden: self.overridden.clone(),
        })
    }

    /// Where fixes are offered: on pull requests, where that is wanted.
    fn offers(&self, wanted: bool) -> Option<Offers> {
        self.occasion.pull_request.filter(|_| wanted)?;
        Some(Offers {
            repo: Rc::clone(self.repo),
            root: self.root.to_owned(),
            judged: self.judged.head.clone()?,
            head: self.judged.posted_on.clone()?,
            change: self.judged.scope.change()?.clone(),
        })
    }
}

/// How a gate is judged here, and whether it is due.
///
/// # Errors
/// When a pattern of `paths` is no glob.
pub fn decide(
    gate: &dyn Gate,
    occasion: &Occasion,
    judged: &Judged,
    baseline: Option<&Baseline>,
) -> Result<(Rules, Due), Failure> {
    let common = gate.common();
    let known = baseline.is_some_and(|baseline| baseline.gates.contains_key(&common.name));
    let only = common.only.unwrap_or_else(|| policy::default_only(gate.of_a_change(), occasion, known));
    let only = match only {
        // It compares with the base itself: without one nothing is new.
        Only::New if gate.of_a_change() == Only::New && judged.scope.change().is_none() => Only::All,
        // No change is known: every line counts, and nothing may be said of changed ones.
        Only::ChangedLines | Only::ChangedFiles if judged.scope.change().is_none() => Only::All,
        only => only,
    };
    let due = policy::due(common, occasion, &judged.scope).map_err(Failure::usage)?;
    Ok((Rules { only, ..gate.rules() }, due))
}

impl Gates {
    fn compared(&self) -> Option<Compared<'_>> {
        let change = self.scope.change()?;
        Some(Compared { repo: &self.repo, base: change.base.as_ref(), change })
    }

    /// A report as it is shown: reproducible, and without secrets.
    fn shown(&self, mut report: GateReport) -> GateReport {
        report.reproduce += &self.again;
        if !report.outcome.is_green() {
            report.overridden = self.overridden.get(&report.name).cloned();
        }
        self.masker.gate(&report)
    }

    async fn evidence(&self, planned: &Planned, number: u32, cancel: &CancelToken) -> Evidence {
        let name = &planned.gate.common().name;
        let folder = self.output.of_gate(name);
        // For the first attempt it was emptied with all others, before any gate ran.
        let emptied = if number > 1 { files::empty(&folder, |_, _| false) } else { Ok(()) };
        let ready = emptied.and_then(|()| self.output.furnish()).and_then(|()| files::make_dir(&folder));
        if let Err(error) = ready {
            let problem =
                Problem { kind: ProblemKind::NotStarted, what: format!("its output folder is not ready: {error}") };
            return Evidence { problems: vec![problem], ..Evidence::default() };
        }
        let environment = self.environment.of_gate(folder.as_os_str());
        let on_line = |line: &str| self.watch.see(&Progress::Line { gate: name, text: &self.masker.mask(line) });
        let site = Site {
            root: &self.root,
            output: self.output.folder(),
            folder: &folder,
            environment: &environment,
            withheld: &self.environment.withheld,
            masker: &self.masker,
            env: &self.env,
            repo: &self.repo,
            compared: self.compared(),
            since: self.since,
            scheduled: self.scheduled,
            attempt: number,
            cancel,
            taken: &self.taken,
            on_line: &on_line,
        };
        let mut run = planned.gate.run(site);
        let begun = tokio::time::Instant::now();
        loop {
            match tokio::time::timeout(HEARTBEAT, &mut run).await {
                Ok(evidence) => return evidence,
                Err(_) => self.watch.see(&Progress::Heartbeat { gate: name, running: begun.elapsed() }),
            }
        }
    }
}

impl schedule::Work for Gates {
    async fn attempt(&self, node: usize, number: u32, cancel: &CancelToken) -> Attempt {
        let planned = &self.planned[node];
        let common = planned.gate.common();
        if let Due::Skip(why) = &planned.due {
            let report = policy::unjudged(common, &planned.rules, Outcome::Skipped, why.clone());
            return Attempt { report: self.shown(report), retryable: false };
        }
        self.watch.see(&Progress::Started { gate: &common.name, attempt: number });
        let evidence = self.evidence(planned, number, cancel).await;
        let retryable = schedule::may_retry(&evidence.problems);
        let ground = policy::Ground { scope: &self.scope, baseline: planned.baseline.as_ref() };
        let mut report = policy::judge(common, &planned.rules, ground, evidence);
        if let Some(offers) = &self.offers {
            offers.make(&mut report);
        }
        if !report.outcome.is_green() && !report.says_why() {
            report.log_tail = self.output.tail(&report);
        }
        Attempt { report: self.shown(report), retryable }
    }

    fn not_run(&self, node: usize, why: NotRun) -> GateReport {
        let planned = &self.planned[node];
        let outcome = if matches!(planned.due, Due::Skip(_)) { Outcome::Skipped } else { Outcome::Error };
        let reason = match &planned.due {
            Due::Skip(why) => why.clone(),
            Due::Run(_) => why.to_string(),
        };
        self.shown(policy::unjudged(planned.gate.common(), &planned.rules, outcome, reason))
    }

    fn combine(&self, node: usize, failed: &[GateReport], last: GateReport) -> GateReport {
        policy::combine(failed, last, self.planned[node].rules.flaky)
    }
}
