//! One deploy at a time, and what becomes of a holder that is gone.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{BOTH, On, Scene};

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A scene with a good commit, which is live, while the next one is being deployed.
fn slow(on: On) -> (Scene, String, Child) {
    let scene = Scene::new(on, "");
    let good = scene.head();
    scene.deploy().with(0);
    scene.commit(Some("slow"));
    scene.judged();
    let deploy = scene.command(&["deploy", "staging"]).stdout(Stdio::null()).spawn().unwrap();
    until("the slow deploy runs", || scene.runs().len() == 2);
    (scene, good, deploy)
}

#[test]
fn a_persons_lock_stands_until_it_is_given_back() {
    for on in BOTH {
        let scene = Scene::new(on, "");
        scene.call(&["lock", "staging", "--reason", "incident 7"]).with(0).says(&["locked by ana on", "(incident 7)"]);
        scene.deploy().with(3).says(&["locked by ana", "next: gatepost unlock staging"]);
        scene.call(&["lock", "staging"]).with(3);
        assert!(scene.status()["lock"].as_str().unwrap().contains("incident 7"));
        assert_eq!(scene.runs(), [""; 0]);
        scene.call(&["unlock", "staging"]).with(0).says(&["staging is free"]);
        scene.call(&["unlock", "staging"]).with(0).says(&["staging is not locked"]);
        // Its words are nobody's but its own.
        scene.call(&["lock", "staging", "--reason", "paused by ana, kept locked by max, held by eve"]).with(0);
        let ran = scene.call(&["deploy", "staging", "--json"]).with(3).says(&["\"next\":\"gatepost unlock staging\""]);
        assert!(ran.out.contains("\"reason\":\"locked\""), "{}", ran.out);
        scene.call(&["unlock", "staging"]).with(0);
        scene.deploy().with(0);
    }
}

#[test]
fn after_any_rollback_it_stays_frozen_where_that_is_wanted() {
    let scene = Scene::new(On::File, "requires = []\nfreeze-after-rollback = true\n");
    let frozen = || {
        assert!(scene.status()["lock"].as_str().unwrap_or_default().contains("frozen after a rollback"));
        scene.call(&["deploy", "staging"]).with(3).says(&["frozen after a rollback", "gatepost unlock staging"]);
        scene.call(&["unlock", "staging"]).with(0);
    };
    scene.call(&["deploy", "staging"]).with(0);
    assert!(scene.status()["lock"].is_null());
    scene.commit(Some("sick"));
    scene.call(&["deploy", "staging"]).with(5);
    frozen();
    scene.commit(None);
    scene.call(&["deploy", "staging"]).with(0);
    assert!(scene.status()["lock"].is_null());
    scene.call(&["rollback", "staging"]).with(0).says(&["stays locked after its rollback"]);
    frozen();
    scene.commit(Some("slow"));
    let mut killed = scene.command(&["deploy", "staging"]).stdout(Stdio::null()).spawn().unwrap();
    until("the slow deploy runs", || scene.runs().len() == 6);
    killed.kill().unwrap();
    killed.wait().unwrap();
    scene.call(&["recover", "staging"]).with(0).says(&["rolled back"]);
    frozen();
}

#[test]
fn of_two_deploys_one_waits_for_the_other_to_end() {
    for on in BOTH {
        let (scene, _, mut first) = slow(on);
        scene.call(&["deploy", "staging"]).with(3).says(&["held by ana", "runs on this machine"]);
        scene.call(&["unlock", "staging"]).with(3).says(&["gatepost unlock staging --force"]);
        assert!(first.try_wait().unwrap().is_none());
        // A rollback takes it over, ends its command, and is the end of it.
        scene.call(&["rollback", "staging"]).with(0).says(&["taken over", "rolling back to"]);
        assert_ne!(first.wait().unwrap().code(), Some(0));
        let status = scene.status();
        assert_eq!(
            (&status["lock"], &status["health"], &status["newest"]),
            (&json!(null), &json!("healthy"), &json!(null))
        );
        assert!(!leftover("sleep 30"), "the command of the first one is ended");
    }
}

#[test]
fn a_dry_run_ends_nobodys_command() {
    for on in BOTH {
        let (scene, _, mut live) = slow(on);
        let id = commands(&live);
        scene.call(&["rollback", "staging", "--dry-run"]).with(0).says(&[
            "would take over staging, held by ana",
            "and end what it runs here",
            "nothing was done",
        ]);
        assert!(live.try_wait().unwrap().is_none() && commands(&live) == id, "the deploy goes on");
        let command = id.expect("its command runs");
        live.kill().unwrap();
        live.wait().unwrap();
        for dry in [["recover", "staging", "--dry-run"], ["deploy", "staging", "--dry-run"]] {
            scene.call(&dry).says(&["would take over staging"]);
            assert!(lives(command), "what a dead deploy left is only told of: {dry:?}");
        }
        scene.call(&["recover", "staging"]).with(0);
        assert!(!lives(command));
    }
}

/// Whether a process is there, and not only its end, which the test's own process may have to take note of.
fn lives(process: i32) -> bool {
    let listed = std::process::Command::new("ps").args(["-o", "stat=", "-p", &process.to_string()]).output().unwrap();
    matches!(String::from_utf8_lossy(&listed.stdout).trim().chars().next(), Some(state) if state != 'Z')
}

/// The process of the command that a deploy runs.
fn commands(deploy: &Child) -> Option<i32> {
    let listed = std::process::Command::new("ps").args(["-A", "-ww", "-o", "ppid=,pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let deploy = deploy.id().to_string();
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.find(|words| words[0] == deploy && words.contains(&"./deploy.sh")).map(|words| words[1].parse().unwrap())
}

/// Whether a process with this command line is left in the test's own session.
fn leftover(command: &str) -> bool {
    let mine = std::process::id().to_string();
    let listed = std::process::Command::new("ps").args(["-A", "-ww", "-o", "ppid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    text.lines().any(|line| line.trim_start().starts_with(&format!("{mine} ")) && line.contains(command))
}

#[test]
fn a_killed_deploy_is_taken_over_at_once_and_its_command_ended() {
    for on in BOTH {
        let (scene, good, mut killed) = slow(on);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let status = scene.status();
        assert!(status["lock"].as_str().unwrap().ends_with("which is dead"), "{status}");
        let begun = Instant::now();
        scene.call(&["recover", "staging"]).with(0).says(&[
            "taken over",
            "does not answer",
            "rolling back to",
            "rolled back",
        ]);
        assert!(begun.elapsed() < Duration::from_secs(20), "the command is not waited for");
        assert_eq!(scene.live(), good);
        let status = scene.status();
        assert_eq!((&status["lock"], &status["sha"], &status["newest"]), (&json!(null), &json!(good), &json!(null)));
        scene.call(&["recover", "staging"]).with(0).says(&["nothing was left to settle"]);
    }
}

#[test]
fn a_signal_ends_the_command_records_the_end_and_gives_the_lock_back() {
    use nix::sys::signal::Signal;

    for (on, signal, code) in [(On::File, Signal::SIGHUP, 129), (On::GitHub, Signal::SIGINT, 130)] {
        let (scene, good, mut stopped) = slow(on);
        let id = nix::unistd::Pid::from_raw(i32::try_from(stopped.id()).unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
        assert_eq!(stopped.wait().unwrap().code(), Some(code));
        let status = scene.status();
        assert_eq!((&status["lock"], &status["newest"]["end"]), (&json!(null), &json!("error")));
        scene.call(&["recover", "staging"]).with(0).says(&["rolled back"]);
        assert_eq!(scene.status()["sha"], json!(good));
    }
}
