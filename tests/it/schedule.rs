//! The schedule with gates that only pretend: no process is started.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use gatepost::model::gate::{GateName, Mode};
use gatepost::model::outcome::Outcome;
use gatepost::model::report::GateReport;
use gatepost::schedule::{Attempt, Graph, Limits, Node, NotRun, Work, run};
use gatepost::world::process::{CancelToken, CancelledBy, Signal};

/// Gates by name: what each attempt ends in.
#[derive(Default)]
struct Pretended {
    names: Vec<GateName>,
    ends: BTreeMap<usize, Vec<Outcome>>,
    not_enforced: Vec<usize>,
    hopeless: Vec<usize>,
    slow: Vec<usize>,
    started: RefCell<Vec<String>>,
    running: RefCell<(usize, usize)>,
}

impl Pretended {
    fn report(&self, node: usize, outcome: Outcome, reason: String, attempts: u32) -> GateReport {
        GateReport {
            outcome,
            reason,
            mode: if self.not_enforced.contains(&node) { Mode::Report } else { Mode::Block },
            only: "all".to_owned(),
            attempts,
            reproduce: String::new(),
            ..GateReport::unjudged(self.names[node].clone(), "command".to_owned())
        }
    }
}

impl Work for Pretended {
    async fn attempt(&self, node: usize, attempt: u32, cancel: &CancelToken) -> Attempt {
        self.started.borrow_mut().push(format!("{}{attempt}", self.names[node]));
        let now = self.running.borrow().0 + 1;
        let most = self.running.borrow().1.max(now);
        self.running.replace((now, most));
        let time = Duration::from_millis(if self.slow.contains(&node) { 60_000 } else { 10 });
        let outcome = tokio::select! {
            _ = cancel.cancelled() => None,
            () = tokio::time::sleep(time) => Some(self.ends.get(&node).map_or(Outcome::Pass, |ends| ends[attempt as usize - 1])),
        };
        self.running.borrow_mut().0 -= 1;
        let report = match (outcome, cancel.by()) {
            (Some(outcome), _) => self.report(node, outcome, format!("attempt {attempt}"), 1),
            (None, by) => self.report(node, Outcome::Error, by.unwrap().to_string(), 1),
        };
        Attempt { report, retryable: !self.hopeless.contains(&node) }
    }

    fn not_run(&self, node: usize, why: NotRun) -> GateReport {
        self.report(node, Outcome::Error, why.to_string(), 0)
    }

    fn combine(&self, _node: usize, failed: &[GateReport], mut last: GateReport) -> GateReport {
        last.notes = failed.iter().map(|report| format!("{}: {}", report.reason, report.outcome.word())).collect();
        last.attempts += u32::try_from(failed.len()).unwrap();
        last
    }
}

struct Run {
    /// `name: outcome, reason`, in the order of the reports.
    lines: Vec<String>,
    reports: Vec<GateReport>,
    ended: Vec<String>,
    started: Vec<String>,
    most: usize,
}

/// Runs gates written as `name` or `name < need need`.
fn ran(
    gates: &[&str],
    limits: Limits,
    cancel: &CancelToken,
    retries: u32,
    pretend: impl FnOnce(&mut Pretended),
) -> Run {
    let split: Vec<(&str, Vec<&str>)> = gates
        .iter()
        .map(|gate| {
            gate.split_once(" < ").map_or((*gate, Vec::new()), |(name, needs)| (name, needs.split(' ').collect()))
        })
        .collect();
    let place = |name: &str| split.iter().position(|(other, _)| *other == name).unwrap();
    let names: Vec<GateName> = split.iter().map(|(name, _)| GateName::parse(name).unwrap()).collect();
    let nodes = split
        .iter()
        .zip(&names)
        .map(|((_, needs), name)| Node {
            name: name.clone(),
            needs: needs.iter().map(|need| place(need)).collect(),
            retries,
        })
        .collect();
    let mut work = Pretended { names, ..Pretended::default() };
    pretend(&mut work);
    let work = Rc::new(work);
    let mut ended = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let graph = Graph::new(nodes).unwrap();
    let all = run(&graph, limits, Rc::clone(&work), cancel, |report| ended.push(report.name.to_string()));
    let reports = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), all).await }).unwrap();
    let lines = reports.iter().map(|report| format!("{}: {}, {}", report.name, report.outcome.word(), report.reason));
    let started = work.started.borrow().clone();
    Run { lines: lines.collect(), reports, ended, started, most: work.running.borrow().1 }
}

const MANY: Limits = Limits { jobs: 8, fail_fast: false };
const FAST: Limits = Limits { jobs: 8, fail_fast: true };

fn calm() -> CancelToken {
    CancelToken::new(None)
}

#[test]
fn gates_run_after_their_needs_and_are_reported_in_order() {
    let run = ran(&["a < c", "b < a", "c"], MANY, &calm(), 0, |_| {});
    assert_eq!(run.lines, ["a: pass, attempt 1", "b: pass, attempt 1", "c: pass, attempt 1"]);
    assert_eq!(run.started, ["c1", "a1", "b1"]);
    assert_eq!(run.ended, ["c", "a", "b"]);
}

#[test]
fn no_more_gates_than_jobs_run_at_a_time() {
    for (jobs, most) in [(0, 1), (1, 1), (3, 3), (8, 5)] {
        let run = ran(&["a", "b", "c", "d", "e"], Limits { jobs, fail_fast: false }, &calm(), 0, |_| {});
        assert_eq!((run.most, run.ended.len()), (most, 5));
    }
}

#[test]
fn a_gate_whose_need_did_not_pass_is_not_run_and_names_it() {
    let gates = ["lint", "audit", "test < lint", "ship < test", "scan < audit", "docs"];
    let run = ran(&gates, MANY, &calm(), 0, |work| {
        work.ends.insert(0, vec![Outcome::Fail]);
        work.ends.insert(1, vec![Outcome::Error]);
    });
    assert_eq!(
        run.lines,
        [
            "lint: fail, attempt 1",
            "audit: error, attempt 1",
            "test: error, not run: lint failed",
            "ship: error, not run: test was not run",
            "scan: error, not run: audit could not be judged",
            "docs: pass, attempt 1",
        ]
    );
    assert_eq!(run.ended.len(), 6);
}

#[test]
fn a_need_that_was_skipped_or_is_not_enforced_holds_nothing_back() {
    let run = ran(&["lint", "trial", "test < lint trial"], MANY, &calm(), 0, |work| {
        work.ends.insert(0, vec![Outcome::Skipped]);
        work.ends.insert(1, vec![Outcome::Fail]);
        work.not_enforced.push(1);
    });
    assert_eq!(run.lines[2], "test: pass, attempt 1");
}

#[test]
fn fail_fast_cancels_what_runs_and_what_waits() {
    let run = ran(&["lint", "long", "test < long", "docs < lint"], FAST, &calm(), 0, |work| {
        work.ends.insert(0, vec![Outcome::Fail]);
        work.slow.push(1);
    });
    assert_eq!(
        run.lines,
        [
            "lint: fail, attempt 1",
            "long: error, cancelled by --fail-fast: lint failed",
            "test: error, cancelled by --fail-fast: lint failed",
            "docs: error, cancelled by --fail-fast: lint failed",
        ]
    );
}

#[test]
fn fail_fast_heeds_only_enforced_gates() {
    let run = ran(&["trial", "test < trial"], FAST, &calm(), 0, |work| {
        work.ends.insert(0, vec![Outcome::Fail]);
        work.not_enforced.push(0);
    });
    assert_eq!(run.lines, ["trial: fail, attempt 1", "test: pass, attempt 1"]);
}

#[test]
fn a_signal_loses_no_gate() {
    let cancel = calm();
    let later = cancel.clone();
    let run = ran(&["quick", "long", "next < long"], MANY, &cancel, 3, |work| {
        work.slow.push(1);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            later.cancel(CancelledBy::Signal(Signal::Interrupt));
        });
    });
    assert_eq!(
        run.lines,
        ["quick: pass, attempt 1", "long: error, cancelled by SIGINT", "next: error, cancelled by SIGINT"]
    );
    assert_eq!(run.started, ["quick1", "long1"], "a cancelled gate is not tried again");
}

#[test]
fn an_attempt_that_did_not_pass_is_made_again() {
    use Outcome::{Error, Fail, Pass};
    let run = ran(&["flaky", "broken", "hopeless"], MANY, &calm(), 2, |work| {
        work.ends.insert(0, vec![Fail, Error, Pass]);
        work.ends.insert(1, vec![Fail, Fail, Fail]);
        work.ends.insert(2, vec![Error]);
        work.hopeless.push(2);
    });
    assert_eq!(run.lines, ["flaky: pass, attempt 3", "broken: fail, attempt 3", "hopeless: error, attempt 1"]);
    assert_eq!(run.reports[0].notes, ["attempt 1: fail", "attempt 2: error"]);
    let attempts: Vec<u32> = run.reports.iter().map(|report| report.attempts).collect();
    assert_eq!(attempts, [3, 3, 1]);
}
