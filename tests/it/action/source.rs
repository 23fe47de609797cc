//! Where the binary comes from: never from a place that was not asked for.

use std::os::unix::fs::symlink;

use super::{Answer, Composite, Job, STAND_IN, Scene, checkout, lock, write_program};

#[test]
fn without_a_release_it_says_what_to_do() {
    let committed = std::fs::read_to_string(super::root().join("action/lock")).unwrap();
    let comments: String =
        committed.lines().filter(|line| line.starts_with('#')).map(|line| line.to_owned() + "\n").collect();
    let folder = checkout(&comments);
    let job = Job::new();
    let ended = Composite::load(folder.path()).run(&job, &[]);
    ended.failed(4, "no released gatepost in its lock file");
    ended.failed(4, "build-from-source: true");
    assert_eq!(job.left(), [""; 0]);
}

#[test]
fn a_given_binary_is_taken_as_it_is() {
    let scene = Scene::new(&[Answer::Good]);
    let place = scene.job.workspace().join("my tools");
    std::fs::create_dir(&place).unwrap();
    write_program(&place.join("gatepost"), STAND_IN);
    let absolute = place.join("gatepost").to_str().unwrap().to_owned();
    for given in ["my tools/gatepost", &absolute] {
        let ended = scene.run(&[("binary", given)]);
        ended.worked();
        assert_eq!(ended.outputs["binary"], absolute);
        assert_eq!(ended.outputs["binary-version"], "9.9.9");
        assert_eq!(ended.outputs["verified"], "no");
        assert!(ended.log.contains("gatepost 9.9.9, given by the input binary, not verified: "), "{}", ended.log);
    }
    assert_eq!(scene.releases.requests(), [""; 0]);
}

#[test]
fn a_given_binary_must_be_one() {
    let scene = Scene::new(&[Answer::Good]);
    let file = scene.job.workspace().join("not-executable");
    std::fs::write(&file, "text").unwrap();
    for given in ["nothing", "not-executable", "."] {
        scene.run(&[("binary", given)]).failed(2, "names no program");
    }
    write_program(&file, "#!/bin/sh\necho 'of another system' >&2; exit 126\n");
    scene.run(&[("binary", "not-executable")]).failed(4, "of another system");
    assert_eq!(scene.releases.requests(), [""; 0], "nothing takes its place");
}

/// Stands for cargo: says where it is and what it sees, and builds the stand-in.
fn cargo(script: &str) -> String {
    format!(
        "#!/bin/sh\npwd -P >\"$HOME/cargo-folder\"\nenv >\"$HOME/cargo-environment\"\necho \"$@\" >\"$HOME/cargo-arguments\"\n{script}\n"
    )
}

const BUILDS: &str =
    "for folder; do :; done\nmkdir -p \"$folder/release\"\ncat >\"$folder/release/gatepost\" <<'END'\n";

#[test]
fn it_is_built_only_when_asked_for() {
    let mut scene = Scene::new(&[Answer::Good]);
    scene.job.program("cargo", &cargo(&format!("{BUILDS}{STAND_IN}END\nchmod 755 \"$folder/release/gatepost\"")));
    scene.job.env.insert("GITHUB_TOKEN".to_owned(), "ghs_of_the_job".to_owned());
    let ended = scene.run(&[("build-from-source", "true")]);
    ended.worked();
    assert_eq!((ended.outputs["verified"].as_str(), ended.outputs["binary-version"].as_str()), ("no", "9.9.9"));
    assert_eq!(scene.releases.requests(), [""; 0]);
    let text = |name: &str| std::fs::read_to_string(scene.job.root.path().join("home").join(name)).unwrap();
    let folder = scene.action.folder().canonicalize().unwrap();
    assert_eq!(text("cargo-folder").trim(), folder.to_str().unwrap(), "the workspace's cargo settings are not heard");
    assert!(text("cargo-arguments").starts_with("build --locked --release --bin gatepost --target-dir "));
    assert!(!text("cargo-environment").contains("ghs_"), "a build script may not act for the workflow");
}

#[test]
fn a_build_that_fails_is_the_end() {
    let mut scene = Scene::new(&[Answer::Good]);
    scene.job.program("cargo", &cargo("echo 'error: could not compile' >&2; exit 101"));
    let ended = scene.run(&[("build-from-source", "true")]);
    ended.failed(4, "cargo could not build gatepost");
    assert!(ended.log.contains("could not compile"));
    assert_eq!(scene.releases.requests(), [""; 0], "nothing takes its place");
    scene.run(&[("build-from-source", "true"), ("binary", "x")]).failed(2, "exclude each other");
    scene.run(&[("build-from-source", "yes")]).failed(2, "is true or false, not: yes");
}

#[test]
fn another_version_must_be_in_the_lock_file() {
    let scene = Scene::new(&[Answer::Good]);
    for same in ["9.9.9", "v9.9.9"] {
        scene.run(&[("version", same)]).worked();
    }
    scene.run(&[("version", "1.0.0")]).failed(2, "has no gatepost 1.0.0 for x86_64-unknown-linux-musl");
    scene.run(&[("version", "1.0.0")]).failed(2, "it has: 9.9.9 9.9.8");
    // Its checksums are of another archive than the server has.
    scene.run(&[("version", "9.9.8")]).failed(4, "is not the released one");
    let last = scene.releases.requests().pop().unwrap();
    assert_eq!(last, format!("GET /mirror/v9.9.8/gatepost-9.9.8-{}.tar.gz HTTP/1.1", super::TARGET));
}

#[test]
fn a_damaged_lock_file_runs_nothing() {
    let sums = |text: &str| lock(b"archive", b"program").replace(&super::sha256(b"archive"), text);
    for text in [sums("abc"), sums(""), lock(b"a", b"b").replace("repository octo/gatepost\n", "")] {
        let folder = checkout(&text);
        let job = Job::new();
        Composite::load(folder.path()).run(&job, &[]).failed(4, "is damaged at 9.9.9");
    }
}

#[test]
fn a_system_without_a_release_is_named() {
    let mut scene = Scene::new(&[Answer::Good]);
    for (system, machine) in [("Windows", "X64"), ("Linux", "ARM"), ("macOS", "")] {
        scene.job.env.insert("RUNNER_OS".to_owned(), system.to_owned());
        scene.job.env.insert("RUNNER_ARCH".to_owned(), machine.to_owned());
        scene.run(&[]).failed(4, &format!("no release of gatepost for {system} {machine}"));
    }
    for (system, machine) in [("Linux", "ARM64"), ("macOS", "X64")] {
        scene.job.env.insert("RUNNER_OS".to_owned(), system.to_owned());
        scene.job.env.insert("RUNNER_ARCH".to_owned(), machine.to_owned());
        scene.run(&[]).failed(2, "has no gatepost");
    }
    scene.job.env.insert("RUNNER_ARCH".to_owned(), "ARM64".to_owned());
    scene.run(&[]).failed(4, "for aarch64-apple-darwin from 127.0.0.1");
    assert_eq!(scene.releases.requests(), ["GET /mirror/v9.9.9/gatepost-9.9.9-aarch64-apple-darwin.tar.gz HTTP/1.1"]);
}

/// What a runner has without jq, wget, gh, node and git.
const FEW: &[&str] = &[
    "bash", "cat", "chmod", "cut", "env", "gzip", "head", "mkdir", "mktemp", "mv", "printf", "rm", "sed", "sh",
    "sleep", "tar", "tr", "xargs",
];

#[test]
fn few_programs_are_enough() {
    let mut scene = Scene::new(&[Answer::Good]);
    let folder = scene.job.root.path().join("few");
    std::fs::create_dir(&folder).unwrap();
    let link = |name: &str| {
        let path = std::env::var("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        found.is_some_and(|found| symlink(found, folder.join(name)).is_ok())
    };
    for name in FEW {
        assert!(link(name), "{name}");
    }
    scene.job.env.insert("PATH".to_owned(), folder.to_str().unwrap().to_owned());
    scene.run(&[]).failed(4, "curl is not installed");
    assert!(link("curl"));
    scene.run(&[]).failed(4, "neither sha256sum nor shasum");
    assert!(!scene.job.was_run());
    assert!(link("sha256sum") || (link("shasum") && link("perl")));
    scene.run(&[]).worked();
}
