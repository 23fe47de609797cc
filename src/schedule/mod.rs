//! When each gate runs: after what it needs, so many at a time, again where it may, until all have ended or the run
//! is cancelled. It never judges: a [`Work`] runs the gates, and every gate ends in exactly one report.

mod graph;

use std::fmt;
use std::rc::Rc;

use tokio::task::{JoinSet, LocalSet};

use crate::model::evidence::{Problem, ProblemKind};
use crate::model::gate::GateName;
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::world::process::{CancelToken, CancelledBy};

pub use graph::{Cycle, Graph, Node};

/// How gates share the machine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Gates at a time; 0 counts as 1.
    pub jobs: usize,
    /// The first enforced gate that does not pass cancels the others.
    pub fail_fast: bool,
}

/// One judged attempt.
#[derive(Debug)]
pub struct Attempt {
    /// Its report, as if it were the only attempt.
    pub report: GateReport,
    /// Whether another attempt could end otherwise: see [`may_retry`].
    pub retryable: bool,
}

/// Why a gate was never started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// A gate it needs did not pass: which, and how that one ended.
    Need {
        /// The needed gate.
        name: GateName,
        /// "failed", "could not be judged", "was not run".
        ended: &'static str,
    },
    /// The run was cancelled before its turn.
    Cancelled(CancelledBy),
}

impl NotRun {
    /// The sort of trouble that it is to the judge.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        match self {
            Self::Need { .. } => ProblemKind::NotRun,
            Self::Cancelled(_) => ProblemKind::Cancelled,
        }
    }
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Need { name, ended } => write!(f, "not run: {name} {ended}"),
            Self::Cancelled(by) => by.fmt(f),
        }
    }
}

/// Runs and judges gates, by their place in the graph.
pub trait Work {
    /// Makes one attempt, `attempt` from 1. Ends soon once `cancel` asks for it, with a report that says so.
    fn attempt(&self, node: usize, attempt: u32, cancel: &CancelToken) -> impl Future<Output = Attempt>;

    /// The report of a gate that was never started.
    fn not_run(&self, node: usize, why: NotRun) -> GateReport;

    /// One report of the last attempt and those before it that did not pass, of which there may be none.
    fn combine(&self, node: usize, failed: &[GateReport], last: GateReport) -> GateReport;
}

/// Whether another attempt could end otherwise. Not when the program cannot be started, when its time was up
/// (another attempt would as long), or when it was stopped.
#[must_use]
pub fn may_retry(problems: &[Problem]) -> bool {
    problems.iter().all(|problem| match problem.kind {
        ProblemKind::Unreadable => true,
        ProblemKind::NotStarted | ProblemKind::TimedOut | ProblemKind::Cancelled | ProblemKind::NotRun => false,
    })
}

/// Runs every gate to its report, in configuration order; `on_end` sees each when it ends. A need that was skipped
/// had nothing to judge and holds nothing back, nor does one that is not enforced; any other need must pass.
/// Cancelled, all gates that have not ended end at once: those that run by their own report, the others not run.
pub async fn run<W: Work + 'static>(
    graph: &Graph,
    limits: Limits,
    work: Rc<W>,
    cancel: &CancelToken,
    mut on_end: impl FnMut(&GateReport),
) -> Vec<GateReport> {
    let tasks = LocalSet::new();
    let mut ended: Vec<Option<GateReport>> = graph.nodes().iter().map(|_| None).collect();
    let mut waiting: Vec<usize> = (0..graph.nodes().len()).collect();
    let mut running = JoinSet::new();
    tasks
        .run_until(async {
            loop {
                while let Some((node, why)) = held_back(graph, &waiting, &ended, cancel) {
                    waiting.retain(|other| *other != node);
                    let report = work.not_run(node, why);
                    on_end(&report);
                    ended[node] = Some(report);
                }
                while running.len() < limits.jobs.max(1)
                    && let Some(at) = waiting.iter().position(|node| is_ready(&graph.nodes()[*node], &ended))
                {
                    let node = waiting.remove(at);
                    let retries = graph.nodes()[node].retries;
                    let (work, cancel) = (Rc::clone(&work), cancel.clone());
                    running.spawn_local(async move { (node, attempts(&*work, node, retries, &cancel).await) });
                }
                let Some(joined) = running.join_next().await else { break };
                let (node, report) = match joined {
                    Ok(done) => done,
                    // A bug in a gate is a bug in gatepost; the run must not go on as if that gate were not there.
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                };
                on_end(&report);
                if limits.fail_fast && holds_back(&report) && cancel.by().is_none() {
                    cancel.cancel(CancelledBy::FailFast(format!("{} {}", report.name, how(&report))));
                }
                ended[node] = Some(report);
            }
        })
        .await;
    ended.into_iter().flatten().collect()
}

/// The attempts of one gate, until one passes or none is left.
async fn attempts<W: Work>(work: &W, node: usize, retries: u32, cancel: &CancelToken) -> GateReport {
    let mut failed = Vec::new();
    let mut number = 1;
    loop {
        let Attempt { report, retryable } = work.attempt(node, number, cancel).await;
        if report.outcome.is_green() || !retryable || number > retries || cancel.by().is_some() {
            return work.combine(node, &failed, report);
        }
        failed.push(report);
        number += 1;
    }
}

/// A waiting gate that will never run, and why.
fn held_back(
    graph: &Graph,
    waiting: &[usize],
    ended: &[Option<GateReport>],
    cancel: &CancelToken,
) -> Option<(usize, NotRun)> {
    waiting.iter().find_map(|&node| {
        let needs = graph.nodes()[node].needs.iter();
        let bad = needs.filter_map(|need| ended.get(*need)?.as_ref()).find(|report| holds_back(report));
        let why = match (cancel.by(), bad) {
            (Some(by), _) => NotRun::Cancelled(by),
            (None, Some(report)) => NotRun::Need { name: report.name.clone(), ended: how(report) },
            (None, None) => return None,
        };
        Some((node, why))
    })
}

fn is_ready(node: &Node, ended: &[Option<GateReport>]) -> bool {
    node.needs.iter().all(|need| ended.get(*need).is_none_or(Option::is_some))
}

fn holds_back(report: &GateReport) -> bool {
    !report.outcome.is_green() && !report.not_enforced()
}

fn how(report: &GateReport) -> &'static str {
    match report.outcome {
        Outcome::Fail => "failed",
        _ if report.attempts == 0 => "was not run",
        _ => "could not be judged",
    }
}
