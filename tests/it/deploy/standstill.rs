//! Runs within this process that never come back from a write to GitHub, at each one, before and after it: one recovery
//! settles everything, and traffic is never left divided with the lock given back.

use gatepost::deploy::machine::Ask;
use gatepost::world::crashpoint;

use super::bench::{Beside, GOOD, NEXT, Scenario, check_end_of_recovery, spread};

/// How many points there are at the very least.
fn every_point(scenario: Scenario, least: usize) {
    let points: Vec<usize> = (1..400).collect();
    let reached = std::sync::atomic::AtomicUsize::new(0);
    spread(4, scenario, &points, async |bench, nth| {
        let what = format!("{scenario:?}, stopped at point {nth}");
        let stopped = crashpoint::stand_still(*nth);
        let died = tokio::select! {
            outcome = bench.attempt() => Some(outcome),
            () = stopped.notified() => None,
        };
        let _ = crashpoint::stand_still(usize::MAX);
        if let Some(outcome) = &died {
            // There are fewer points than that: it went as it should, and so would all that follow.
            bench.check_end(outcome, &what);
            bench.check_settled(&[outcome], &what);
            return false;
        }
        reached.fetch_max(*nth, std::sync::atomic::Ordering::Relaxed);
        let recovered = bench.recover().await;
        check_end_of_recovery(&recovered, &what);
        bench.check_settled(&[&recovered], &what);
        let live = bench.live();
        let possible: &[&str] = if scenario.next == "good" { &[GOOD, NEXT] } else { &[GOOD] };
        assert!(live.as_deref().is_some_and(|live| possible.contains(&live)), "{what}: {live:?} is live");
        true
    });
    let reached = reached.into_inner();
    assert!((least..points.len()).contains(&reached), "{scenario:?}: {reached} points");
}

#[test]
fn a_deploy_that_stops_anywhere_is_recovered() {
    every_point(Scenario::new(Beside::Nowhere, "good", Ask::Deploy), 20);
    every_point(Scenario::new(Beside::Nowhere, "sick", Ask::Deploy), 40);
    every_point(Scenario::new(Beside::Nowhere, "good", Ask::Rollback), 20);
}

#[test]
fn a_blue_green_deploy_that_stops_anywhere_is_recovered() {
    every_point(Scenario::new(Beside::BlueGreen, "good", Ask::Deploy), 30);
    every_point(Scenario::new(Beside::BlueGreen, "sick", Ask::Deploy), 20);
    every_point(Scenario::new(Beside::BlueGreen, "weak", Ask::Deploy), 40);
    every_point(Scenario::new(Beside::BlueGreen, "good", Ask::Rollback), 20);
}

#[test]
fn a_canary_that_stops_anywhere_is_recovered() {
    every_point(Scenario::new(Beside::Canary, "good", Ask::Deploy), 60);
    every_point(Scenario::new(Beside::Canary, "weak", Ask::Deploy), 40);
    every_point(Scenario::new(Beside::Canary, "good", Ask::Rollback), 20);
}
