//! The runner cancels by a signal to the entry process of the step alone: whatever runs then, nothing is left.

use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::gating::{Push, with_program};
use super::{Answer, Composite, Scene, root};
use crate::leftovers::{left_of, marker, ways_of_the_ended};

/// Sends a signal to a step's own process, and to none of its children, as soon as a condition holds.
fn interrupt(child: &Child, signal: Signal, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(20), "the step did not get so far");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn a_download_is_left_at_once() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let scene = Scene::new(&[Answer::Stalls]);
        let mirror = scene.releases.mirror();
        let mut cancelled = Instant::now();
        let ended = scene.action.run_until(&scene.job, &[("mirror", &mirror)], |_, child| {
            interrupt(child, signal, || !scene.releases.requests().is_empty());
            cancelled = Instant::now();
        });
        assert!(cancelled.elapsed() < Duration::from_secs(5), "{signal}: {:?}", cancelled.elapsed());
        assert_eq!(ended.code, code, "{}", ended.log);
        assert_eq!(ended.ran, ["find"]);
        assert_eq!(left_of(&mirror), [""; 0], "{signal}");
        assert_eq!(scene.job.left(), [""; 0], "{signal}");
        assert!(!scene.job.was_run());
    }
}

#[test]
fn a_build_is_left_with_all_it_started() {
    let marker = marker();
    let mut scene = Scene::new(&[Answer::Good]);
    let rustc = format!("trap '' INT TERM; touch \"$HOME/builds\"; sleep {marker}; sleep {marker}");
    scene.job.program("cargo", &format!("#!/bin/sh\nsh -c '{}' &\nwait\n", rustc.replace('\'', "'\\''")));
    let begun = scene.job.root.path().join("home/builds");
    let ended = scene.action.run_until(&scene.job, &[("build-from-source", "true")], |_, child| {
        interrupt(child, Signal::SIGINT, || begun.exists());
    });
    assert_eq!(ended.code, 130, "{}", ended.log);
    assert_eq!(left_of(&marker), [""; 0]);
}

#[test]
fn a_run_is_gateposts_to_end() {
    let marker = marker();
    let ways: Vec<String> = ways_of_the_ended().map(|way| way.line.replace("MARKER", &marker)).collect();
    let script = format!("{}\necho > started\nsleep {marker}", ways.join("\n"));
    let gate = format!("[gates.g]\nkind = \"command\"\ngrace = \"300ms\"\ncommand = '''{script}'''\n");
    let push = Push::new("", &gate);
    let started = push.tree.dir.join("started");
    let ended = Composite::load(root()).run_until(&push.job, &with_program(&[]), |step, child| {
        if step == "run" {
            interrupt(child, Signal::SIGINT, || started.exists());
        }
    });
    assert_eq!(ended.code, 130, "{}", ended.log);
    assert_eq!(left_of(&marker), [""; 0]);
    assert_eq!(ended.outputs["verdict"], "error");
    let report = std::fs::read_to_string(push.tree.dir.join(".gatepost/report.json")).unwrap();
    assert!(report.contains("cancelled by SIGINT"), "{report}");
}
