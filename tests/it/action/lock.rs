//! The lock file, and the script that writes a release into it.

use std::path::Path;
use std::process::{Command, Output};

use super::{Composite, Job, STAND_IN, archive, root, write_program};

const TARGETS: [&str; 4] =
    ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];

fn cargo_version() -> String {
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    manifest["package"]["version"].as_str().unwrap().to_owned()
}

/// `(version, target)` of every line.
fn locked(folder: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join("action/lock")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("repository "));
    let words = lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_sum = |sum: &&str| sum.len() == 64 && sum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(words.len() == 4 && words[2..].iter().all(is_sum), "{line}");
        (words[0].to_owned(), words[1].to_owned())
    });
    words.collect()
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn the_lock_file_is_whole_and_never_ahead() {
    let locked = locked(root());
    for release in locked.chunks(TARGETS.len()) {
        assert!(release.iter().all(|(version, _)| *version == release[0].0), "{release:?}");
        assert_eq!(release.iter().map(|(_, target)| target.as_str()).collect::<Vec<_>>(), TARGETS);
    }
    if let Some((newest, _)) = locked.first() {
        assert!(numbers(newest) <= numbers(&cargo_version()), "{newest} is released, and Cargo.toml is behind");
        assert!(locked.chunks(TARGETS.len()).is_sorted_by(|a, b| numbers(&a[0].0) > numbers(&b[0].0)));
    }
}

#[test]
fn a_tagged_commit_has_its_own_version() {
    let git = Command::new("git").args(["tag", "--points-at", "HEAD"]).current_dir(root()).output().unwrap();
    let tags = String::from_utf8(git.stdout).unwrap();
    for tag in tags.lines().filter(|tag| tag.starts_with('v')) {
        assert_eq!(tag, format!("v{}", cargo_version()));
        assert_eq!(locked(root())[0].0, cargo_version(), "{tag} locks another release");
    }
}

/// A checkout to be released, and its archives.
fn before_a_release() -> (tempfile::TempDir, tempfile::TempDir) {
    let folder = super::checkout(&format!(
        "# The lock.\nrepository octo/old\n0.0.1 {} {} {}\n",
        TARGETS[0],
        "0".repeat(64),
        "1".repeat(64)
    ));
    for file in ["Cargo.toml", "action/lock.sh"] {
        std::fs::copy(root().join(file), folder.path().join(file)).unwrap();
    }
    let archives = tempfile::tempdir().unwrap();
    let program = archives.path().join("gatepost");
    write_program(&program, STAND_IN);
    for target in TARGETS {
        let name = format!("gatepost-{}-{target}.tar.gz", cargo_version());
        std::fs::write(archives.path().join(name), archive(&program)).unwrap();
    }
    (folder, archives)
}

fn write_lock(folder: &Path, tag: &str, archives: &Path) -> Output {
    let script = folder.join("action/lock.sh");
    Command::new("bash").arg(script).args(["octo/gatepost", tag]).arg(archives).output().unwrap()
}

#[test]
fn a_release_is_locked_by_its_tag_which_is_cargos_version() {
    let (folder, archives) = before_a_release();
    let tag = format!("v{}", cargo_version());
    let before = std::fs::read_to_string(folder.path().join("action/lock")).unwrap();
    let refused = write_lock(folder.path(), "v0.0.2", archives.path());
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("the tag is v0.0.2"));
    assert_eq!(std::fs::read_to_string(folder.path().join("action/lock")).unwrap(), before);

    let written = write_lock(folder.path(), &tag, archives.path());
    assert!(written.status.success(), "{written:?}");
    let after = locked(folder.path());
    let new = TARGETS.map(|target| (cargo_version(), target.to_owned()));
    assert_eq!(after[..4], new);
    assert_eq!(after[4..], [("0.0.1".to_owned(), TARGETS[0].to_owned())], "older releases stay");

    // What it wrote is what the action reads.
    let server = super::Releases::serve(
        std::fs::read(archives.path().join(format!("gatepost-{}-{}.tar.gz", cargo_version(), TARGETS[0]))).unwrap(),
        &[super::Answer::Good],
    );
    let ended = Composite::load(folder.path()).run(&Job::new(), &[("mirror", &server.mirror())]);
    ended.worked();
    assert_eq!(ended.outputs["binary-version"], cargo_version());

    let again = write_lock(folder.path(), &tag, archives.path());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is locked already"));
}

#[test]
fn a_release_without_one_of_its_archives_is_not_locked() {
    let (folder, archives) = before_a_release();
    let before = std::fs::read_to_string(folder.path().join("action/lock")).unwrap();
    std::fs::remove_file(archives.path().join(format!("gatepost-{}-{}.tar.gz", cargo_version(), TARGETS[3]))).unwrap();
    assert!(!write_lock(folder.path(), &format!("v{}", cargo_version()), archives.path()).status.success());
    assert_eq!(std::fs::read_to_string(folder.path().join("action/lock")).unwrap(), before);
}
