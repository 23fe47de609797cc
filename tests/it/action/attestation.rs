//! Build provenance: asked for where it can be, and a no is the end.

use super::{Answer, Scene};

/// Stands for gh: notes what it is asked, and answers by this line.
fn gh(line: &str) -> String {
    format!(
        "#!/bin/sh\necho \"$@\" >>\"$HOME/gh\"\ncase \"$*\" in *--help) exit 0 ;; esac\necho \"token $GH_TOKEN\" >>\"$HOME/gh\"\n{line}\n"
    )
}

fn scene(line: &str) -> Scene {
    let mut scene = Scene::new(&[Answer::Good]);
    scene.job.without_pauses();
    scene.job.program("gh", &gh(line));
    scene.job.env.insert("GITHUB_SERVER_URL".to_owned(), "https://github.com".to_owned());
    scene
}

fn asked(scene: &Scene) -> String {
    std::fs::read_to_string(scene.job.root.path().join("home/gh")).unwrap_or_default()
}

#[test]
fn a_yes_is_an_output() {
    let scene = scene("exit 0");
    let ended = scene.run(&[]);
    ended.worked();
    assert_eq!(ended.outputs["verified"], "attestation");
    let binary = scene.cached().display().to_string();
    let question = format!(
        "attestation verify {binary} --repo octo/gatepost --signer-workflow octo/gatepost/.github/workflows/release.yml\ntoken ghs_workflowtoken0123456789\n"
    );
    assert_eq!(asked(&scene), format!("attestation verify --help\n{question}"));
    // Only what was just downloaded is asked about: a warm start has no network.
    let ended = scene.run(&[]);
    assert_eq!(ended.outputs["verified"], "checksum");
}

#[test]
fn a_no_is_the_end_and_stays_one() {
    let scene = scene("echo '✗ Verification failed' >&2; exit 1");
    for _ in 0..2 {
        let ended = scene.run(&[]);
        ended.failed(4, "could not verify that the release workflow of octo/gatepost built this gatepost");
        assert_eq!(ended.ran, ["find", "attest"]);
        assert!(ended.log.contains("Verification failed"));
        assert!(!scene.cached().exists());
    }
    assert!(!scene.job.was_run());
    assert_eq!(asked(&scene).matches("--repo").count(), 6, "an outage is not a no: three attempts each");
}

#[test]
fn an_outage_may_pass() {
    let scene = scene("test -e \"$HOME/once\" || { touch \"$HOME/once\"; exit 1; }");
    let ended = scene.run(&[]);
    ended.worked();
    assert_eq!(ended.outputs["verified"], "attestation");
}

#[test]
fn where_it_cannot_be_asked_the_checksum_stands_alone() {
    let said = "build provenance was not asked for: ";
    let mut elsewhere = scene("exit 1");
    elsewhere.job.env.insert("GITHUB_SERVER_URL".to_owned(), "https://ghe.example.com".to_owned());
    let mut old = scene("exit 1");
    old.job.program("gh", "#!/bin/sh\nexit 1\n");
    for (scene, token, why) in [
        (elsewhere, "t", "the token is of https://ghe.example.com"),
        (old, "t", "this gh knows no attestations"),
        (scene("exit 1"), "", "there is no token for it"),
    ] {
        let ended = scene.run(&[("github-token", token)]);
        ended.worked();
        assert_eq!(ended.outputs["verified"], "checksum");
        assert!(ended.log.contains(&format!("{said}{why}")), "{}", ended.log);
    }
}
