//! Blue-green and canary by the real program: the hook is a script, the service answers from two slots, and what it answers
//! is what counts.

use std::collections::BTreeSet;

use gatepost::world::process::MARK;
use serde_json::json;

use super::service::whole;
use super::{BOTH, On, Ran, Scene};

const DEPLOY: &str = "#!/bin/sh\nset -eu\necho \"$GATEPOST_ROLE $GATEPOST_SHA $GATEPOST_SLOT\" >>\"$PLACE/runs\"\n\
    if [ -e slow ]; then sleep 30; fi\nif [ -e broken ]; then echo 'no space left' >&2; exit 3; fi\n\
    for what in sick weak; do\n\
    if [ -e $what ]; then touch \"$PLACE/$GATEPOST_SLOT.$what\"; else rm -f \"$PLACE/$GATEPOST_SLOT.$what\"; fi\ndone\n\
    echo \"$GATEPOST_SHA\" >\"$PLACE/$GATEPOST_SLOT.live\"\n";
const HOOK: &str = "#!/bin/sh\nset -eu\necho \"$GATEPOST_SLOT $GATEPOST_WEIGHT\" >>\"$PLACE/moves\"\n\
    if [ -e \"$PLACE/stuck\" ]; then echo 'no such pool' >&2; exit 2; fi\n\
    echo \"$GATEPOST_SLOT $GATEPOST_WEIGHT\" >\"$PLACE/traffic.new\"\nmv \"$PLACE/traffic.new\" \"$PLACE/traffic\"\n";

const BLUE_GREEN: &str =
    "requires = []\nstrategy = \"blue-green\"\nswitch = \"./traffic.sh\"\npreview = \"URL/{slot}\"\n";
const CANARY: &str = "requires = []\nstrategy = \"canary\"\nweight = \"./traffic.sh\"\npreview = \"URL/{slot}\"\n\
    steps = [{ weight = 10, watch = \"200ms\" }, { weight = 60, watch = \"200ms\" }]\n";

/// A scene with two slots, whose first commit is live.
fn beside(on: On, strategy: &str) -> Scene {
    let scene = Scene::new(on, strategy);
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let analysis = "analysis = { interval = \"10ms\", command = \"./analyse.sh\" }\n";
    let analysis = if strategy.contains("canary") { analysis } else { "" };
    let config = config.replace("deadline = \"5s\"", "deadline = \"2s\"");
    scene.tree.write("gatepost.toml", config.replace("URL", &scene.service.url()) + analysis);
    let analyse = "#!/bin/sh\n[ ! -e \"$PLACE/unclear\" ] || exit 4\n";
    for (name, text) in [("deploy.sh", DEPLOY), ("traffic.sh", HOOK), ("analyse.sh", analyse)] {
        scene.tree.write(name, text);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(scene.tree.dir.join(name), executable).unwrap();
    }
    scene.tree.commit("two slots");
    scene.known();
    std::fs::write(scene.service.place().join("slots"), "").unwrap();
    go(&scene, None).with(0);
    scene
}

fn go(scene: &Scene, file: Option<&str>) -> Ran {
    if file.is_some() {
        let _ = std::fs::remove_file(scene.tree.dir.join("weak"));
        scene.commit(file);
    }
    scene.call(&["deploy", "staging"])
}

fn lines(scene: &Scene, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(scene.service.place().join(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn touch(scene: &Scene, name: &str) {
    std::fs::write(scene.service.place().join(name), "").unwrap();
}

fn untouch(scene: &Scene, name: &str) {
    std::fs::remove_file(scene.service.place().join(name)).unwrap();
}

fn live(scene: &Scene) -> Option<String> {
    whole(scene.service.place())
}

#[test]
fn a_canary_goes_up_step_by_step_and_every_step_is_recorded() {
    for on in BOTH {
        let scene = beside(on, CANARY);
        go(&scene, Some("fine")).with(0).says(&[
            "(canary, slot blue)",
            "the deploy in slot blue is healthy",
            "moved 10 % of the traffic",
            "at 10 %: the new version was good",
            "moved 60 %",
            "moved 100 %",
            "live: verified",
        ]);
        assert_eq!(live(&scene), Some(scene.head()));
        assert_eq!(lines(&scene, "moves"), ["green 100", "blue 10", "blue 60", "blue 100"]);
        if let Some(fake) = scene.fake {
            fake.with(|github| {
                let deployment = &github.repo("octo/shop").deployments[1];
                assert_eq!(
                    deployment.given["payload"]["gatepost"]["placed"],
                    json!({ "strategy": "canary", "slot": "blue" })
                );
                let said: Vec<&str> =
                    deployment.statuses.iter().map(|one| one.given["description"].as_str().unwrap()).collect();
                assert_eq!(said[2..5], ["traffic 10 %: deploy", "traffic 60 %: deploy", "traffic 100 %: deploy"]);
            });
        }
    }
}

#[test]
fn a_canary_that_fails_gets_no_traffic_any_more_and_the_old_one_is_seen_to_work() {
    let scene = beside(On::File, CANARY);
    let good = scene.head();
    go(&scene, Some("weak")).with(5).says(&[
        "moved 10 %",
        "failed: at 10 %: ",
        "answered 503",
        "moved all traffic to slot green",
        "is healthy",
        "rolled back to",
        "from the decision to the old version",
    ]);
    assert_eq!(lines(&scene, "moves"), ["green 100", "blue 10", "blue 0"]);
    let status = scene.status();
    assert_eq!((live(&scene), &status["sha"], &status["lock"]), (Some(good.clone()), &json!(good), &json!(null)));
    assert_eq!(status["newest"]["end"], "failure");
    // And the next one goes on as if nothing had been.
    go(&scene, Some("fine")).with(0);
    assert_eq!(live(&scene), Some(scene.head()));
}

#[test]
fn blue_green_switches_what_was_seen_to_work_and_switches_back_without_a_deploy() {
    let scene = beside(On::File, BLUE_GREEN);
    let first = scene.head();
    // Sick where nobody is: no traffic is moved at all.
    go(&scene, Some("sick")).with(5).says(&["/blue/health answered 503", "rolled back to"]);
    go(&scene, Some("broken")).with(5).says(&["no space left", "rolled back to"]);
    assert_eq!(lines(&scene, "moves"), ["green 100"]);
    // Sick only under traffic: back at once.
    go(&scene, Some("weak")).with(5).says(&["moved 100 %", "answered 503", "moved all traffic to slot green"]);
    assert_eq!(live(&scene), Some(first.clone()));
    go(&scene, Some("fine")).with(0);
    assert_eq!(live(&scene), Some(scene.head()));
    // By hand: the old one still runs.
    let runs = scene.runs();
    scene.call(&["rollback", "staging"]).with(0).says(&["rolling back to", "moved 100 % of the traffic"]);
    assert_eq!((live(&scene), scene.runs()), (Some(first), runs));
}

#[test]
fn what_cannot_be_told_stops_and_asks() {
    let scene = beside(On::File, CANARY);
    let first = scene.head();
    scene.call(&["deploy", "staging", "--continue"]).with(3).says(&["nothing waits for a person here"]);
    touch(&scene, "unclear");
    let next = "next: gatepost deploy staging --continue, or gatepost rollback staging";
    go(&scene, Some("fine")).with(4).says(&["stays locked", "paused at 10 %", "cannot tell", next]);
    assert_eq!((live(&scene), scene.status()["newest"]["end"].clone()), (None, json!(null)));
    assert!(scene.status()["lock"].as_str().unwrap().contains("paused by ana"));
    scene.call(&["deploy", "staging"]).with(3).says(&["paused by ana", next]);
    // There is nothing to recover: it waits as it should.
    scene.call(&["recover", "staging"]).with(0).says(&["nothing was left to settle", "paused by ana", "at 10 %", next]);
    scene.call(&["unlock", "staging"]).with(3).says(&["its traffic is divided", "--continue"]);
    untouch(&scene, "unclear");
    scene.call(&["deploy", "staging", "--continue"]).with(0).says(&["goes on", "moved 60 %", "live: verified"]);
    let second = scene.head();
    assert_eq!(live(&scene), Some(second.clone()));
    assert!(!lines(&scene, "moves")[2..].contains(&"blue 10".to_owned()), "it goes on at the next step");
    // The other way out.
    touch(&scene, "unclear");
    go(&scene, Some("fine")).with(4);
    scene.call(&["rollback", "staging"]).with(0).says(&["all traffic goes back", "is healthy"]);
    assert_eq!((live(&scene), &scene.status()["lock"]), (Some(second), &json!(null)));
    assert_ne!(live(&scene), Some(first));
    // Left alone by force, the next one settles it first.
    go(&scene, Some("fine")).with(4);
    scene.call(&["unlock", "staging", "--force"]).with(0);
    untouch(&scene, "unclear");
    go(&scene, Some("fine")).with(0).says(&["had no end: all traffic goes back"]);
    assert_eq!(live(&scene), Some(scene.head()));
}

#[test]
fn an_analysis_ends_neither_version() {
    let scene = beside(On::File, CANARY);
    super::services::leaves_a_service(&scene, "deploy.sh");
    for (file, analysis, code) in [("unclear", "exit 4", 4), ("bad", "exit 1", 5)] {
        let _ = scene.call(&["rollback", "staging"]);
        scene.tree.write("analyse.sh", format!("#!/bin/sh\n{analysis}\n"));
        go(&scene, Some(file)).with(code);
        let service = super::services::service(&scene);
        assert!(super::services::runs(service), "{analysis}");
        nix::sys::signal::kill(service, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
}

#[test]
fn a_step_may_ask_for_a_person_itself() {
    let scene = beside(On::File, &CANARY.replace("watch = \"200ms\" }]", "watch = \"200ms\", pause = true }]"));
    go(&scene, Some("fine")).with(4).says(&["at 60 %: the new version was good", "the step asks for a person"]);
    scene.call(&["deploy", "staging", "--continue"]).with(0).says(&["moved 100 %"]);
    assert_eq!(live(&scene), Some(scene.head()));
}

#[test]
fn traffic_that_cannot_be_moved_back_keeps_the_lock() {
    let scene = beside(On::File, CANARY);
    let good = scene.head();
    touch(&scene, "stuck");
    go(&scene, Some("fine")).with(6).says(&["traffic could not be moved", "no such pool", "next: gatepost rollback"]);
    scene.call(&["recover", "staging"]).with(3).says(&[
        "kept locked by ana",
        "the rollback failed",
        "next: gatepost rollback staging",
    ]);
    scene.call(&["rollback", "staging"]).with(6);
    untouch(&scene, "stuck");
    scene.call(&["rollback", "staging"]).with(0);
    assert_eq!((live(&scene), &scene.status()["lock"]), (Some(good), &json!(null)));
}

#[test]
fn a_signal_and_a_rollback_end_a_canary_with_its_traffic_gone_back() {
    let long = CANARY.replace("watch = \"200ms\"", "watch = \"60s\"");
    for on in BOTH {
        let scene = beside(on, &long);
        let good = scene.head();
        let begin = |moves: usize| {
            scene.commit(Some("fine"));
            let canary = scene.command(&["deploy", "staging"]).stdout(std::process::Stdio::null()).spawn().unwrap();
            super::locks::until("the canary has traffic", || lines(&scene, "moves").len() == moves);
            canary
        };
        let mut canary = begin(2);
        let id = nix::unistd::Pid::from_raw(i32::try_from(canary.id()).unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
        assert_eq!(canary.wait().unwrap().code(), Some(130));
        assert_eq!((live(&scene), &scene.status()["lock"]), (Some(good.clone()), &json!(null)));
        scene.call(&["recover", "staging"]).with(0).says(&["nothing was left to settle"]);
        let mut canary = begin(4);
        scene.call(&["rollback", "staging"]).with(0).says(&["taken over", "all traffic goes back"]);
        assert_ne!(canary.wait().unwrap().code(), Some(0));
        assert_eq!((live(&scene), &scene.status()["lock"]), (Some(good), &json!(null)));
    }
}

#[test]
fn a_dry_run_tells_the_steps_and_moves_nothing() {
    let scene = beside(On::File, CANARY);
    let moves = lines(&scene, "moves");
    scene.commit(None);
    let ran = scene.call(&["deploy", "staging", "--dry-run"]).with(0);
    ran.says(&["would move 10 %", "would move 60 %", "would move 100 %", "nothing was done"]);
    assert_eq!(lines(&scene, "moves"), moves);
}

/// Killed at every write to the ledger's file.
fn killed_everywhere(strategy: &str, file: &str) {
    let scene = beside(On::File, strategy);
    let mut good = scene.head();
    let mut touch = 1;
    loop {
        let _ = std::fs::remove_file(scene.tree.dir.join("weak"));
        let head = scene.commit(Some(file));
        let mut command = scene.command(&["deploy", "staging"]);
        let done = command.env("GATEPOST_CRASHPOINT", touch.to_string()).output().unwrap();
        if done.status.code().is_some() {
            break;
        }
        let what = format!("{strategy}{file}, killed at touch {touch}");
        let recovered = scene.call(&["recover", "staging"]);
        assert_eq!(recovered.code, 0, "{what}: {}{}", recovered.out, recovered.err);
        let (status, live) = (scene.status(), live(&scene));
        assert_eq!((&status["lock"], &status["health"]), (&json!(null), &json!("healthy")), "{what}: {status}");
        assert_eq!(json!(live), status["sha"], "{what}");
        let live = live.unwrap();
        assert!(live == good || (file == "fine" && live == head), "{what}: {live} is live");
        good = live;
        touch += 1;
    }
    assert!(touch > 20, "only {touch} points were tried");
}

#[test]
fn a_weak_canary_killed_anywhere_is_recovered() {
    killed_everywhere(CANARY, "weak");
}

#[test]
fn a_good_blue_green_deploy_killed_anywhere_is_recovered() {
    killed_everywhere(BLUE_GREEN, "fine");
}

#[test]
fn what_hooks_are_told_by_is_in_the_schema_and_in_the_help() {
    let scene = beside(On::File, CANARY);
    for name in ["deploy.sh", "traffic.sh"] {
        let script = std::fs::read_to_string(scene.tree.dir.join(name)).unwrap();
        scene.tree.write(name, script + "env >>\"$PLACE/env\"\n");
    }
    go(&scene, Some("fine")).with(0);
    let all = lines(&scene, "env");
    let own = all.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned());
    let told: BTreeSet<String> = own.filter(|name| name.starts_with("GATEPOST_") && name != MARK).collect();
    assert_eq!(told.len(), 13, "{told:?}");
    for place in [&["schema", "config"][..], &["deploy", "--help"]] {
        let shown = scene.call(place).with(0).out;
        for name in &told {
            assert!(shown.contains(name.as_str()), "{name} is not in {place:?}");
        }
    }
}
