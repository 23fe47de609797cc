//! A rollback that undoes a deploy of another machine: it is asked to end, and only where it does, or is dead, it is undone.

use std::time::Duration;

use gatepost::deploy::lock::Me;
use gatepost::deploy::machine::Ask;
use gatepost::model::deployment::{Ending, RunPlace};

use super::bench::{Bench, Beside, GOOD, NEXT, Scenario, someone};
use crate::github::{Job, WorkflowRun};

async fn until_it_runs(bench: &Bench) {
    while !bench.service.place().join("runs").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_live_deploy_of_another_machine_is_asked_to_end_and_undone() {
    for beside in [Beside::Nowhere, Beside::Canary] {
        let bench = Bench::new(Scenario::new(beside, "slow", Ask::Deploy)).await;
        let (here, there) = (someone("here"), someone("there"));
        let asks = async {
            until_it_runs(&bench).await;
            // Whoever does not undo it waits for it.
            let refused = bench.drive(Ask::Deploy, Some(NEXT), &here).await;
            assert!(
                matches!(&refused.ending, Ending::Refused(why) if why.contains("held by ana on there")),
                "{refused:?}"
            );
            bench.drive(Ask::Rollback, None, &here).await
        };
        let (ended, undone) = tokio::join!(bench.drive(Ask::Deploy, Some(NEXT), &there), asks);
        assert!(
            matches!(&ended.ending, Ending::Interrupted(why) if why.contains("ana on here asks for its end")),
            "{ended:?}"
        );
        assert!(matches!(undone.ending, Ending::Live { verified: true, .. }), "{undone:?}");
        assert_eq!(bench.live().as_deref(), Some(GOOD));
        let called_off = std::fs::read_to_string(bench.service.place().join("called-off")).unwrap();
        assert_eq!([called_off], *ended.made, "what it has set going elsewhere ends before it is undone");
        bench.check_settled(&[&ended, &undone], "asked to end");
        bench.check_told(&[&ended, &undone], "asked to end");
    }
}

#[tokio::test]
async fn one_that_does_not_answer_keeps_its_lock_until_it_is_known_to_be_dead() {
    let mut bench = Bench::new(Scenario::new(Beside::Nowhere, "slow", Ask::Deploy)).await;
    bench.environment.grace = Duration::ZERO;
    // From here on nobody there says a word.
    let there = someone("there");
    tokio::select! {
        outcome = bench.drive(Ask::Deploy, Some(NEXT), &there) => panic!("{outcome:?}"),
        () = until_it_runs(&bench) => {}
    }
    let here = someone("here");
    let refused = bench.drive(Ask::Rollback, None, &here).await;
    assert!(matches!(&refused.ending, Ending::Refused(why) if why.contains("did not within")), "{refused:?}");
    bench.fake.with(|state| {
        let repo = state.repo("octo/shop");
        assert!(repo.refs.keys().any(|name| name.contains("gatepost")), "it is still locked");
        assert_eq!(repo.deployments.len(), 2, "nothing is recorded by who may not");
    });
    // On its own machine it is known to be gone.
    let undone = bench.drive(Ask::Rollback, None, &someone("there")).await;
    assert!(matches!(undone.ending, Ending::Live { verified: true, .. }), "{undone:?}");
    bench.check_settled(&[&refused, &undone], "did not answer");
}

#[tokio::test]
async fn an_earlier_job_on_the_same_runner_does_not_end_a_live_deploy() {
    let bench = Bench::new(Scenario::new(Beside::Nowhere, "slow", Ask::Deploy)).await;
    let run = RunPlace { id: 500, attempt: 1, runner: "runner-1".to_owned() };
    let jobs = |deploys: &str| {
        let jobs =
            [("test", "runner-1", "success"), ("deploy", "runner-1", deploys), ("docs", "runner-2", "in_progress")];
        let jobs = jobs.map(|(name, runner, end)| Job::new(name, runner, end)).to_vec();
        bench.fake.with(|state| state.repo("octo/shop").jobs.insert(500, jobs));
    };
    bench.fake.with(|state| {
        let event = "workflow_dispatch".to_owned();
        let head_sha = NEXT.to_owned();
        let run = WorkflowRun {
            id: 500,
            attempt: 1,
            event,
            head_sha,
            head_branch: None,
            head_repository: Some("octo/shop".to_owned()),
            conclusion: None,
        };
        state.repo("octo/shop").runs.push(run);
    });
    jobs("in_progress");
    // From here on nobody there says a word.
    let there = Me { run: Some(run), ..someone("there") };
    tokio::select! {
        outcome = bench.drive(Ask::Deploy, Some(NEXT), &there) => panic!("{outcome:?}"),
        () = until_it_runs(&bench) => {}
    }
    let here = someone("here");
    let refused = bench.drive(Ask::Deploy, Some(GOOD), &here).await;
    assert!(matches!(&refused.ending, Ending::Refused(why) if why.contains("its run is going on")), "{refused:?}");
    jobs("failure");
    let recovered = bench.drive(Ask::Recover, None, &here).await;
    assert!(recovered.said.iter().any(|said| said.contains("its run has ended")), "{recovered:?}");
}

#[tokio::test]
async fn what_goes_on_elsewhere_is_not_undone_before_it_has_ended() {
    let mut bench = Bench::new(Scenario::new(Beside::Nowhere, "slow", Ask::Deploy)).await;
    bench.environment.grace = Duration::ZERO;
    let goes_on = bench.service.place().join("goes-on");
    std::fs::write(&goes_on, "").unwrap();
    let (here, there) = (someone("here"), someone("there"));
    let asks = async {
        until_it_runs(&bench).await;
        bench.drive(Ask::Rollback, None, &here).await
    };
    let (ended, refused) = tokio::join!(bench.drive(Ask::Deploy, Some(NEXT), &there), asks);
    assert!(matches!(&ended.ending, Ending::Unsettled(why) if why.contains("it goes on")), "{ended:?}");
    assert!(matches!(&refused.ending, Ending::Refused(why) if why.contains("did not within")), "{refused:?}");
    // Whoever takes the lock over from the dead one sees to it too, and keeps it.
    let again = bench.drive(Ask::Recover, None, &there).await;
    assert!(matches!(&again.ending, Ending::Unsettled(why) if why.contains("it goes on")), "{again:?}");
    bench.fake.with(|state| {
        let repo = state.repo("octo/shop");
        assert!(repo.refs.keys().any(|name| name.contains("gatepost")), "it is still locked");
        assert_eq!(repo.deployments.len(), 2, "nothing else is deployed");
    });
    std::fs::remove_file(goes_on).unwrap();
    let undone = bench.drive(Ask::Rollback, None, &there).await;
    assert!(matches!(undone.ending, Ending::Live { verified: true, .. }), "{undone:?}");
    bench.check_settled(&[&ended, &refused, &again, &undone], "goes on elsewhere");
}
