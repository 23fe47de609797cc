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
    let serve = "sleep 300 >\"$PLACE/served\" 2>&1 </dev/null &\necho $! >\"$PLACE/service.new\"\n\
        mv \"$PLACE/service.new\" \"$PLACE/service\"\n";
    scene.tree.write(script, text + serve);
}

/// The process that the newest deploy left.
pub fn service(scene: &Scene) -> Pid {
    let told = std::fs::read_to_string(scene.service.place().join("service")).unwrap();
    Pid::from_raw(told.trim().parse().unwrap())
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
    kill(service(&scene), Signal::SIGKILL).unwrap();
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
    kill(service(&scene), Signal::SIGKILL).unwrap();
}
