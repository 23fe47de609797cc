//! Services that flap, hang, redirect and lie, and what is said of them.

use std::sync::{Arc, Mutex};

use super::service::{Service, reply};
use super::{On, Scene};

/// A deploy to a service that answers so on `/health`, told to `verify` too.
fn against(answer: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> super::Ran {
    let mut scene = Scene::new(On::File, "");
    let place = scene.service.place().to_owned();
    let odd = Service::answering(place.join("odd"), Arc::new(move |asked, _| answer(asked.number)));
    let health = format!("{}/health", odd.url());
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let config =
        config.replace("\"/health\"", &format!("{health:?}")).replace("interval", "timeout = \"300ms\", interval");
    scene.tree.write("gatepost.toml", config).commit("another service");
    scene.env.push(("RUST_BACKTRACE".to_owned(), "0".to_owned()));
    scene.deploy()
}

#[test]
fn a_service_that_is_not_well_is_not_taken_for_healthy() {
    let ok = || Some(reply("200 OK", "{\"status\":\"ok\"}"));
    let sick = || Some(reply("500 Internal Server Error", "oops"));
    against(move |number| if number % 2 == 0 { ok() } else { sick() }).with(1).says(&["flapping"]);
    against(|_| None).with(1).says(&["did not answer within 300ms (5 times in a row)"]);
    against(|_| Some("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n".to_owned()))
        .with(1)
        .says(&["answered 302, a redirect to /login"]);
    against(|_| Some(reply("200 OK", "{\"status\":\"DOWN\",\"db\":\"gone\"}")))
        .with(1)
        .says(&["says its status is \"DOWN\""]);
    for body in [
        "\u{feff}{\"status\":\"DOWN\"}",
        "{\"status\":\"DOWN \"}",
        "{\"Status\":\"down\"}",
        "{\"status\":false}",
        "{\"status\":503}",
        "{\"status\":\"red\"}",
    ] {
        against(move |_| Some(reply("200 OK", body))).with(1).says(&["and says its status is"]);
    }
    against(|_| Some("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx".to_owned()))
        .with(1)
        .says(&["sent its body as gzip"]);
    against(|_| Some("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_owned()))
        .with(1)
        .says(&["could not be asked"]);
    against(|_| Some(String::new())).with(1).says(&["could not be asked"]);
    against(|number| if number < 4 { Some(String::new()) } else { Some(reply("200 OK", "fine")) }).with(0);
}

#[test]
fn the_old_version_that_answers_well_is_no_success() {
    let scene = Scene::new(On::File, "");
    scene.deploy().with(0);
    scene.tree.write("deploy.sh", "#!/bin/sh\necho nothing is done\n").commit("a deploy that does nothing");
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    scene.tree.write("gatepost.toml", config.replace("5s", "600ms")).commit("less patience");
    scene.deploy().with(5).says(&["answers as", "did not become healthy within 600ms"]);
}

#[test]
fn a_page_that_tells_the_version_is_asked_how_it_is_too() {
    let told = |before: &'static str, more: &'static str| {
        let scene = Scene::new(On::File, "requires = []\n");
        let place = scene.service.place().to_owned();
        let answer = move |place: &std::path::Path| {
            let live = std::fs::read_to_string(place.join("../live")).unwrap_or_default();
            reply("200 OK", &format!("{before}{{\"commit\":\"{}\"{more}}}", live.trim()))
        };
        let page = Service::answering(place.join("page"), Arc::new(move |_, place| Some(answer(place))));
        let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
        let version = format!("path = \"{}/version\", json = \"$.commit\"", page.url());
        let config = config.replace("path = \"/version\"", &version).replace("health = [\"/health\"]", "health = []");
        scene.tree.write("gatepost.toml", config).commit("another service");
        scene.call(&["deploy", "staging"])
    };
    told("", ",\"status\":\"ok\"").with(0).says(&["live: verified"]);
    told("", ",\"status\":\"down\"").with(1).says(&["says its status is \"down\""]);
    told("\u{feff}", "").with(0);
}

#[test]
fn a_signal_ends_a_look_before_anything_is_recorded() {
    use nix::sys::signal::{Signal, kill};

    let more = "requires = []\n\n[environments.production]\ndeploy = { command = \"./deploy.sh\" }\nafter = \"staging\"\n\
                requires = []\n";
    let scene = Scene::new(On::File, more);
    let place = scene.service.place().to_owned();
    let page = Service::answering(
        place.join("page"),
        Arc::new(|_, place| {
            let is_bad = place.join("bad").exists();
            std::fs::write(place.join("asked"), is_bad.to_string()).unwrap();
            Some(if is_bad { reply("503 Service Unavailable", "") } else { reply("200 OK", "") })
        }),
    );
    let config = std::fs::read_to_string(scene.tree.dir.join("gatepost.toml")).unwrap();
    let config = config.replace("\"/health\"", &format!("\"{}/health\"", page.url()));
    let config = config.replace("grace = \"0s\", deadline = \"5s\"", "grace = \"60s\", deadline = \"60s\"");
    scene.tree.write("gatepost.toml", config).commit("much patience");
    let head = scene.head();
    let ended = |arguments: &[&str], signal: Signal| {
        let _ = std::fs::remove_file(place.join("page/asked"));
        std::fs::write(place.join("page/bad"), "").unwrap();
        let mut run = scene.command(arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
        super::locks::until("it looks", || place.join("page/asked").exists());
        kill(nix::unistd::Pid::from_raw(i32::try_from(run.id()).unwrap()), signal).unwrap();
        std::fs::remove_file(place.join("page/bad")).unwrap();
        run.wait().unwrap().code()
    };
    std::fs::write(place.join("live"), &head).unwrap();
    assert_eq!(ended(&["adopt", "staging", "--sha", &head], Signal::SIGINT), Some(130));
    let status = scene.status();
    assert!(status["lock"].is_null() && status["newest"].is_null() && status["sha"].is_null(), "{status}");
    scene.call(&["adopt", "staging", "--sha", &head]).with(0);
    assert_eq!(ended(&["deploy", "production"], Signal::SIGTERM), Some(143));
    assert!(!scene.call(&["status"]).with(0).out.contains("deployment 2"));
}

#[test]
fn every_look_has_a_connection_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let asked_for = Arc::clone(&kept);
    let service = Service::answering(
        place.path().to_owned(),
        Arc::new(move |asked, _| {
            asked_for.lock().unwrap().push(asked.headers.get("connection").cloned());
            Some(reply("200 OK", "fine"))
        }),
    );
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(["verify", &service.url(), "--interval", "0.01"])
        .env_clear()
        .status()
        .unwrap();
    assert!(done.success());
    // One that was kept could lead to the instance from before, or be closed just when it is used.
    assert_eq!(*kept.lock().unwrap(), [Some("close".to_owned()), Some("close".to_owned())]);
}

#[test]
fn a_watch_does_not_end_before_it_is_known_how_it_is() {
    // Two good rounds, then this; the watch alone has too few rounds to fail.
    let watched = |answer: fn(usize) -> bool| {
        let place = tempfile::tempdir().unwrap();
        let service = Service::answering(
            place.path().to_owned(),
            Arc::new(move |asked, _| {
                Some(if asked.number < 2 || answer(asked.number) { reply("200 OK", "fine") } else { String::new() })
            }),
        );
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(["verify", &service.url(), "--interval", "0.1", "--watch", "0.15"])
            .env_clear()
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, says) = watched(|_| false);
    assert!(code == Some(1) && says.contains("it did not stay healthy"), "{says}");
    assert_eq!(watched(|number| number == 4).0, Some(0), "it came back");
}

#[test]
fn verify_alone_needs_no_repository() {
    let place = tempfile::tempdir().unwrap();
    let service = Service::start(place.path().to_owned());
    let verify = |more: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(["verify", &format!("{}/health", service.url()), "--interval", "0.01"])
            .args(more)
            .current_dir(place.path())
            .env_clear()
            .output()
            .unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    assert_eq!(verify(&[]).0, Some(0));
    assert_eq!(verify(&["--body", "ok", "--status", "200", "--watch", "0.1"]).0, Some(0));
    assert_eq!(verify(&["--body", "else"]).0, Some(1));
    let (code, json) = verify(&["--status", "204", "--json"]);
    assert!(code == Some(1) && json.contains("\"outcome\":\"unhealthy\""), "{json}");
    assert_eq!(verify(&["--interval", "-1"]).0, Some(2));
}
