//! What a ledger keeps for whom, call by call: locks that others want, and records that cannot be read.

use std::time::{Duration, Instant};

use gatepost::deploy::{Group, lock};
use gatepost::model::deployment::Holder;
use gatepost::model::environments::EnvironmentName;
use gatepost::model::secret::Secret;
use gatepost::world::github::GitHub;
use gatepost::world::ledger::{Hub, Ledger, LedgerError};
use gatepost::world::line::pace::Pace;
use serde_json::json;

use super::bench::{GOOD, someone};
use super::{On, Scene};
use crate::github::{FakeGitHub, Fault, Token};

const RULE: &str = "Repository rule violations found: Cannot create ref due to creations being restricted.";
const LOCK: &str = "refs/heads/gatepost/locks/staging";

fn github() -> FakeGitHub {
    FakeGitHub::start(|github| {
        github.token("secret", Token::personal("ana").limited(1_000_000));
        github.repo("octo/shop").commit(GOOD, &[]);
    })
}

fn ledger(fake: &FakeGitHub) -> Ledger {
    let forge = GitHub::new(&fake.url(), Secret::new("secret".to_owned())).unwrap();
    Ledger::github(Hub::with_pace(forge, "octo/shop", Pace::hasty(), Duration::from_millis(50)), "", false)
}

fn staging() -> EnvironmentName {
    EnvironmentName::parse("staging").unwrap()
}

fn holder(sticky: bool) -> Holder {
    someone("here").holder("x", sticky)
}

#[tokio::test]
async fn what_another_has_taken_since_is_not_deleted_with_ours() {
    let fake = github();
    let mut ours = ledger(&fake);
    let held = ours.swap(&staging(), None, &holder(false)).await.unwrap().unwrap();
    fake.fault("git/delete-ref").nth(1).strike(Fault::LoseReset);
    // Whatever is asked next, the lock is another's by then.
    for (operation, nth) in [("git/get-ref", 1), ("git/delete-ref", 2)] {
        fake.on(operation, nth, |github| {
            github.repo("octo/shop").refs.insert(LOCK.to_owned(), GOOD.to_owned());
        });
    }
    assert!(ours.free(&staging(), &held).await.unwrap());
    assert_eq!(fake.with(|github| github.repo("octo/shop").refs.get(LOCK).cloned()).as_deref(), Some(GOOD));
    fake.forgive();
}

#[tokio::test]
async fn what_a_rule_of_the_repository_refuses_is_no_race() {
    let refused = |error: LedgerError| {
        let words = error.to_string();
        assert!(words.contains("was refused with 422") && words.contains(RULE), "{words}");
    };
    let fake = github();
    let mut ours = ledger(&fake);
    fake.fault("git/create-ref").nth(1).strike(Fault::Says(422, RULE));
    refused(ours.swap(&staging(), None, &holder(false)).await.unwrap_err());
    let held = ours.swap(&staging(), None, &holder(false)).await.unwrap().unwrap();
    fake.fault("git/update-ref").nth(1).strike(Fault::Says(422, RULE));
    refused(ours.swap(&staging(), Some(&held), &holder(false)).await.unwrap_err());
    fake.fault("git/delete-ref").nth(1).strike(Fault::Says(422, RULE));
    refused(ours.free(&staging(), &held).await.unwrap_err());
    // Whoever is slower is told nothing of rules.
    assert!(ours.swap(&staging(), None, &holder(false)).await.unwrap().is_none());
    assert!(ours.swap(&staging(), Some(&held), &holder(false)).await.unwrap().is_none());
    fake.forgive();
}

#[tokio::test]
async fn a_ledger_that_takes_its_time_keeps_none_from_what_goes_on() {
    let fake = github();
    let mut ledger = ledger(&fake);
    let mut held = ledger.swap(&staging(), None, &holder(false)).await.unwrap().unwrap();
    fake.fault("git/get-ref").nth(1).strike(Fault::Secondary(403, Some(3)));
    let begun = Instant::now();
    let work = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        begun.elapsed()
    };
    let done = lock::keep(&mut ledger, &staging(), &mut held, &Group::default(), work).await.unwrap();
    assert!(done < Duration::from_secs(2), "{done:?}");
}

#[tokio::test]
async fn a_freeze_stands_although_somebody_asked_for_the_lock() {
    let fake = github();
    let mut ledger = ledger(&fake);
    let held = ledger.swap(&staging(), None, &holder(false)).await.unwrap().unwrap();
    let asks = Holder { asked: Some("max".to_owned()), ..held.holder.clone() };
    ledger.swap(&staging(), Some(&held), &asks).await.unwrap().unwrap();
    assert!(lock::freeze(&mut ledger, &staging(), held.clone(), &holder(true)).await.unwrap());
    assert!(ledger.lock(&staging()).await.unwrap().unwrap().holder.sticky);
    assert!(!lock::freeze(&mut ledger, &staging(), held, &holder(true)).await.unwrap(), "it is another's");
}

#[test]
fn a_record_of_ours_that_cannot_be_read_is_not_passed_over() {
    let scene = Scene::new(On::GitHub, "");
    scene.deploy().with(0);
    scene.fake.as_ref().unwrap().with(|github| {
        github.repo("octo/shop").deployments[0].given["payload"]["gatepost"]["role"] = json!("of a later version");
    });
    scene.commit(None);
    scene.deploy().with(4).says(&["what deployment", "carries"]);
}

#[test]
fn environments_of_two_configurations_are_two() {
    let scene = Scene::new(On::File, "requires = []\n");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let environment = &config[config.find("[environments.staging]").unwrap()..];
    let production = environment.replace(".staging]", ".production]\nafter = \"staging\"");
    scene.tree.write("api.toml", format!("{config}\n{production}")).commit("another service");
    scene.call(&["deploy", "staging"]).with(0).says(&["healthy"]);
    let production = ["--config", "api.toml", "deploy", "production"];
    scene.call(&production).with(3).says(&["production takes only what is live and healthy in staging"]);
    scene
        .call(&["--config", "api.toml", "promote", "staging", "production"])
        .with(3)
        .says(&["nothing is live in staging"]);
    scene.call(&["--config", "api.toml", "deploy", "staging"]).with(0);
    scene.call(&production).with(0);
}
