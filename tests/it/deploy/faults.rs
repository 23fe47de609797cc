//! Every fault of GitHub's API at every call of a good deploy, a sick one and a rollback: whatever comes of it is true, and
//! one recovery without faults settles the rest.

use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost::deploy::machine::Ask;
use gatepost::model::deployment::Ending;

use super::bench::{Bench, Beside, Scenario, check_end_of_recovery, spread};
use crate::github::Fault;

/// What may become of any call.
fn of_calls() -> Vec<Fault> {
    vec![
        Fault::Refuse(404),
        Fault::Refuse(422),
        Fault::Refuse(502),
        Fault::Unauthorized,
        Fault::Reset,
        Fault::Hang,
        Fault::Truncate(10),
        Fault::Html(200),
        Fault::Html(502),
        Fault::Secondary(403, Some(0)),
        Fault::Secondary(429, None),
        Fault::Primary(1),
        Fault::Primary(3600),
    ]
}

/// What may become of a write beside that: it is done, and nobody hears of it or sees it.
fn of_writes() -> Vec<Fault> {
    vec![Fault::Lose(502), Fault::LoseReset, Fault::Unseen(2)]
}

/// The nth request of an operation, and what becomes of it.
#[derive(Debug)]
struct Point {
    operation: String,
    nth: usize,
    fault: Fault,
}

fn calls(scenario: Scenario) -> Vec<Point> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let requests = runtime.block_on(async {
        let bench = Bench::new(scenario).await;
        let before = bench.fake.requests("*").len();
        bench.attempt().await;
        bench.fake.requests("*").split_off(before)
    });
    let mut points = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        let nth = requests[..=at].iter().filter(|other| other.operation == request.operation).count();
        let writes = if request.method == "GET" { Vec::new() } else { of_writes() };
        for fault in of_calls().into_iter().chain(writes) {
            points.push(Point { operation: request.operation.clone(), nth, fault });
        }
    }
    points
}

fn every_fault(scenario: Scenario, least: usize) {
    let points = calls(scenario);
    assert!(points.len() >= least, "only {} points", points.len());
    let (live, other) = (AtomicUsize::new(0), AtomicUsize::new(0));
    spread(8, scenario, &points, async |bench, point| {
        let what = format!("{scenario:?}, {point:?}");
        bench.fake.fault(&point.operation).nth(point.nth).strike(point.fault.clone());
        let outcome = bench.attempt().await;
        bench.check_end(&outcome, &what);
        let struck = bench.fake.forgive();
        assert!(struck.is_empty(), "{what}: {struck:?}");
        bench.settle_down().await;
        let recovered = bench.recover().await;
        check_end_of_recovery(&recovered, &what);
        bench.check_settled(&[&outcome, &recovered], &what);
        bench.check_told(&[&outcome, &recovered], &what);
        let counter = if matches!(outcome.ending, Ending::Live { .. }) { &live } else { &other };
        counter.fetch_add(1, Ordering::Relaxed);
        true
    });
    // Most faults pass, and some cannot be overcome: both were seen, unless nothing could come out well.
    let (live, other) = (live.into_inner(), other.into_inner());
    assert!(other > 0 && (live > 0) == (scenario.next != "sick"), "{scenario:?}: {live} went well, {other} did not");
}

#[test]
fn a_good_deploy_under_every_fault() {
    every_fault(Scenario::new(Beside::Nowhere, "good", Ask::Deploy), 300);
}

#[test]
fn a_sick_deploy_under_every_fault() {
    every_fault(Scenario::new(Beside::Nowhere, "sick", Ask::Deploy), 600);
}

#[test]
fn a_rollback_under_every_fault() {
    every_fault(Scenario::new(Beside::Nowhere, "good", Ask::Rollback), 300);
}
