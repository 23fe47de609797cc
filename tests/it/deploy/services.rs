//! What a deployer leaves running is the service: no other command of its deployment ends it, however that itself ends.

use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::locks::until;
use super::{On, Scene};

/// Waits as long as it is held up, and is content unless something is `bad`.
const SMOKE: &str = "#!/bin/sh\necho >>\"$PLACE/smokes\"\nwhile [ -e \"$PLACE/hold\" ]; do sleep 0.05; done\n\
    [ ! -e \"$PLACE/bad\" ]\n";

/// Adds to a script that it leaves a process running.
pub fn leaves_a_service(scene: &Scene, script: &str) {
    let text = std::fs::read_to_string(scene.tree.dir.join(script)).unwrap();
    let serve = "sleep 300 >\"$PLACE/served\" 2>&1 </dev/null &\necho $! >>\"$PLACE/services\"\n";
    scene.tree.write(script, text + serve);
}

/// Ends what all deploys of a test have left.
pub fn end_services(scene: &Scene) {
    let told = std::fs::read_to_string(scene.service.place().join("services")).unwrap();
    for service in told.lines() {
        let _ = kill(Pid::from_raw(service.parse().unwrap()), Signal::SIGKILL);
    }
}

/// The process that the newest deploy left.
pub fn service(scene: &Scene) -> Pid {
    let told = std::fs::read_to_string(scene.service.place().join("services")).unwrap();
    Pid::from_raw(told.lines().last().unwrap().parse().unwrap())
}

pub fn runs(service: Pid) -> bool {
    kill(service, None).is_ok()
}

/// A scene whose deploys leave a process running and whose smoke command is a script.
fn smoking(more: &str) -> Scene {
    let scene = Scene::new(On::File, &format!("requires = []\nsmoke = \"sh smoke.sh\"\n{more}"));
    scene.tree.write("smoke.sh", SMOKE);
    leaves_a_service(&scene, "deploy.sh");
    scene.tree.commit("a service");
    scene
}

fn put(scene: &Scene, name: &str) {
    std::fs::write(scene.service.place().join(name), "").unwrap();
}

fn take(scene: &Scene, name: &str) {
    std::fs::remove_file(scene.service.place().join(name)).unwrap();
}

/// A deploy whose smoke command goes on.
fn held_up(scene: &Scene) -> Child {
    let smokes = || std::fs::read_to_string(scene.service.place().join("smokes")).unwrap_or_default().len();
    let before = smokes();
    put(scene, "hold");
    let deploy = scene.command(&["deploy", "staging"]).stdout(Stdio::null()).spawn().unwrap();
    until("the smoke command runs", || smokes() > before);
    deploy
}

#[test]
fn a_smoke_command_that_fails_leaves_the_service_alone() {
    let scene = smoking("auto-rollback = false\n");
    put(&scene, "bad");
    scene.call(&["deploy", "staging"]).with(1).says(&["failed, and left as it is: the smoke command"]);
    assert!(runs(service(&scene)), "left as it is");
    kill(service(&scene), Signal::SIGKILL).unwrap();

    let mut deploy = held_up(&scene);
    kill(Pid::from_raw(i32::try_from(deploy.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(deploy.wait().unwrap().code(), Some(143));
    assert!(runs(service(&scene)), "the signal was for the smoke command");
    end_services(&scene);
}

#[test]
fn a_recovery_ends_the_smoke_command_of_a_dead_deploy_and_not_its_service() {
    let scene = smoking("");
    let mut deploy = held_up(&scene);
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    take(&scene, "hold");
    scene.call(&["recover", "staging"]).with(0).says(&["taken over", "its commit", "answers"]);
    assert!(runs(service(&scene)));
    assert_eq!(scene.status()["sha"], json!(scene.head()));
    end_services(&scene);
}

#[test]
fn an_orphan_is_verified_only_by_all_that_verifies() {
    let scene = smoking("");
    let mut deploy = held_up(&scene);
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    put(&scene, "bad");
    take(&scene, "hold");
    scene.call(&["recover", "staging"]).with(1).says(&["its commit", "answers", "the smoke command: exit status 1"]);
    assert_eq!(scene.status()["sha"], json!(null));
    kill(service(&scene), Signal::SIGKILL).unwrap();
    // It answers already, but what deploys it has more to do.
    take(&scene, "bad");
    let script = std::fs::read_to_string(scene.tree.dir.join("deploy.sh")).unwrap();
    let rest = "while [ -e \"$PLACE/hold\" ]; do sleep 0.05; done\n";
    scene.tree.write("deploy.sh", script + rest).commit("more to do");
    put(&scene, "hold");
    let mut deploy = scene.command(&["deploy", "staging"]).stdout(Stdio::null()).spawn().unwrap();
    until("it answers", || scene.live() == scene.head());
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    take(&scene, "hold");
    let end =
        "live, not verified: its run ended early, and its commit answers, but what deployed it was not seen to end";
    scene.call(&["recover", "staging"]).with(0).says(&[end]);
    let status = scene.status();
    assert_eq!((&status["sha"], &status["verified"]), (&json!(scene.head()), &json!(false)));
    end_services(&scene);
}

#[test]
fn what_was_cut_off_by_a_signal_and_answers_is_not_rolled_back() {
    let scene = smoking("");
    scene.call(&["deploy", "staging"]).with(0);
    scene.commit(None);
    for times in [1, 2] {
        let mut deploy = held_up(&scene);
        kill(Pid::from_raw(i32::try_from(deploy.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert_eq!(deploy.wait().unwrap().code(), Some(143));
        take(&scene, "hold");
        scene.call(&["recover", "staging"]).with(0).says(&["was interrupted, and its commit answers: it stays"]);
        assert_eq!(scene.status()["sha"], json!(scene.head()));
        assert!(scene.runs().len() == 1 + times && runs(service(&scene)), "nothing was deployed for it");
        scene.call(&["recover", "staging"]).with(0).says(&["nothing was left to settle"]);
    }
    end_services(&scene);
}
