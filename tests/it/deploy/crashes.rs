//! A run that is killed before or after any write to GitHub or to the ledger's file: one recovery settles it.

use serde_json::json;

use super::{BOTH, On, Scene};

/// Deploys with a kill at the nth point, two for each write; whether it was killed.
fn killed_at(scene: &Scene, touch: usize) -> bool {
    let mut command = scene.command(&["deploy", "staging"]);
    let done = command.env("GATEPOST_CRASHPOINT", touch.to_string()).output().unwrap();
    done.status.code().is_none()
}

/// Every deployment has one end, the lock is free, and what is recorded as live is what answers.
fn settled(scene: &Scene, what: &str) {
    let status = scene.status();
    assert_eq!(status["lock"], json!(null), "{what}");
    assert_eq!(status["health"], "healthy", "{what}: {status}");
    assert_eq!(status["sha"], json!(scene.live()), "{what}");
    if let Some(fake) = &scene.fake {
        fake.with(|github| {
            for deployment in &github.repo("octo/shop").deployments {
                let steps: Vec<&str> = deployment.statuses.iter().map(|step| step.state.as_str()).collect();
                let ends = steps.iter().filter(|step| ["success", "failure", "error"].contains(step)).count();
                assert_eq!(ends, 1, "{what}: deployment {} has {steps:?}", deployment.id);
            }
        });
    }
}

/// What is the same at every point is asked for once, elsewhere: the evidence, and the pace that GitHub asks for. An orphan
/// that does not answer is not waited for long.
pub fn hasty(on: On) -> Scene {
    let mut scene = Scene::new(on, "requires = []\n");
    scene.env.push(("GATEPOST_HASTE".to_owned(), String::new()));
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("deadline = \"5s\"", "deadline = \"1s\"")).commit("less patience");
    scene.known();
    scene
}

fn every_touch(on: On, file: Option<&str>) {
    let scene = hasty(on);
    let first = scene.head();
    scene.call(&["deploy", "staging"]).with(0);
    let mut touch = 1;
    loop {
        // One that is sick is taken back each time, and can be tried again.
        let head = if file.is_none() || touch == 1 { scene.commit(file) } else { scene.head() };
        let what = format!("{on:?}, {file:?}, killed at touch {touch}");
        if !killed_at(&scene, touch) {
            break;
        }
        let recovered = scene.call(&["recover", "staging"]);
        assert_eq!(recovered.code, 0, "{what}: {}{}", recovered.out, recovered.err);
        settled(&scene, &what);
        let live = scene.live();
        assert!(file.is_none() || live == first, "{what}: {live} is live");
        assert!(live == first || file.is_none() || live == head, "{what}");
        // And the next deploy goes on as if nothing had been.
        touch += 1;
    }
    assert!(touch > if on == On::File { 12 } else { 24 }, "only {touch} points were tried");
    scene.call(&["recover", "staging"]);
    settled(&scene, "in the end");
}

#[test]
fn a_good_deploy_killed_anywhere_is_recovered() {
    every_touch(On::File, None);
}

#[test]
fn a_good_deploy_killed_anywhere_is_recovered_on_github() {
    every_touch(On::GitHub, None);
}

#[test]
fn a_sick_deploy_killed_anywhere_is_recovered() {
    every_touch(On::File, Some("sick"));
}

#[test]
fn a_sick_deploy_killed_anywhere_is_recovered_on_github() {
    every_touch(On::GitHub, Some("sick"));
}

#[test]
fn the_next_deploy_settles_what_was_left_by_itself() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        scene.deploy().with(0);
        scene.commit(None);
        scene.judged();
        // Recorded, and not begun.
        assert!(killed_at(&scene, if on == On::File { 7 } else { 11 }));
        let head = scene.commit(None);
        scene.judged();
        scene.call(&["deploy", "staging", "--dry-run"]).says(&["would be settled"]);
        scene.deploy().with(0).says(&["taken over", "is settled"]);
        assert_eq!(scene.live(), head);
        settled(&scene, "after the next deploy");
    }
}
