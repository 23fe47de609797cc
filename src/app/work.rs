//! The gates of a run as the schedule sees them: each attempt is run, judged and masked here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::app::output::Output;
use crate::environment::{Filter, Told};
use crate::gate::{Gate, Site};
use crate::mask::Masker;
use crate::model::change::Scope;
use crate::model::evidence::{Evidence, Problem, ProblemKind};
use crate::model::gate::Rules;
use crate::model::outcome::Outcome;
use crate::model::progress::{Progress, Watch};
use crate::model::report::GateReport;
use crate::policy::{self, Due, GateBaseline, Ground};
use crate::schedule::{self, Attempt, NotRun};
use crate::world::env::Env;
use crate::world::files;
use crate::world::process::CancelToken;

/// How often a gate that is silent is said to be running.
const HEARTBEAT: Duration = Duration::from_secs(60);

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

/// All gates of a run.
pub struct Gates {
    /// In configuration order.
    pub planned: Vec<Planned>,
    /// The repository's root.
    pub root: PathBuf,
    /// Where logs go.
    pub output: Output,
    /// What is judged.
    pub scope: Scope,
    /// gatepost's own environment.
    pub env: Env,
    /// Which of it gates get.
    pub filter: Filter,
    /// What gates are told, but for their own folder.
    pub told: Told,
    /// Takes secrets out of every report.
    pub masker: Rc<Masker>,
    /// Watches.
    pub watch: Rc<dyn Watch>,
}

impl Gates {
    async fn evidence(&self, planned: &Planned, number: u32, cancel: &CancelToken) -> Evidence {
        let name = &planned.gate.common().name;
        let folder = self.output.of_gate(name);
        let fresh = files::remove(&folder).and_then(|()| files::make_dir(&folder));
        if let Err(error) = fresh {
            let problem = Problem { kind: ProblemKind::NotStarted, what: format!("its output folder is not ready: {error}") };
            return Evidence { problems: vec![problem], ..Evidence::default() };
        }
        let told = Told { output: OsString::from(&folder), ..self.told.clone() };
        let environment = self.filter.apply(self.env.iter(), &told);
        let on_line = |line: &str| self.watch.see(&Progress::Line { gate: name, text: &self.masker.mask(line) });
        let site = Site {
            root: &self.root,
            output: self.output.folder(),
            folder: &folder,
            environment: &environment.variables,
            withheld: &environment.withheld,
            masker: &self.masker,
            attempt: number,
            cancel,
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
            return Attempt { report, retryable: false };
        }
        self.watch.see(&Progress::Started { gate: &common.name, attempt: number });
        let evidence = self.evidence(planned, number, cancel).await;
        let retryable = schedule::may_retry(&evidence.problems);
        let ground = Ground { scope: &self.scope, baseline: planned.baseline.as_ref() };
        let mut report = policy::judge(common, &planned.rules, ground, evidence);
        self.masker.mask_gate(&mut report);
        Attempt { report, retryable }
    }

    fn not_run(&self, node: usize, why: NotRun) -> GateReport {
        let planned = &self.planned[node];
        let outcome = if matches!(planned.due, Due::Skip(_)) { Outcome::Skipped } else { Outcome::Error };
        let reason = match &planned.due {
            Due::Skip(why) => why.clone(),
            Due::Run(_) => why.to_string(),
        };
        policy::unjudged(planned.gate.common(), &planned.rules, outcome, reason)
    }

    fn combine(&self, node: usize, failed: &[GateReport], last: GateReport) -> GateReport {
        policy::combine(failed, last, self.planned[node].rules.flaky)
    }
}
