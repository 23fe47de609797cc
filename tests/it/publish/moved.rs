//! What is checked out is not always what is told, and others may have spoken: merge commits, moved heads, newer runs.

use std::path::Path;

use super::{GATES, Scene, TOKEN, end, git, write};
use crate::github::Token;

/// Five lines above those that the linter speaks of, which only the base branch has.
const ABOVE: &str = "a\nb\nc\nd\ne\n";

fn merged() -> Scene {
    let mut scene = Scene::new(GATES, Token::actions());
    let root = scene.root();
    git(&root, &["checkout", "-q", "main"]);
    write(&root.join("src/a.c"), &format!("{ABOVE}one\ntwo\nthree\nfour\nfive\n"));
    // As the tools see the merged file.
    let shifted =
        super::LINT.replace("a.c:2", "a.c:7").replace("a.c:4", "a.c:9") + "src/a.c:1:1: warning: above [-Wabove]\n";
    write(&root.join("tool/lint.txt"), &shifted);
    super::commit(&root, "base moves on");
    scene.base = git(&root, &["rev-parse", "HEAD"]);
    git(&root, &["checkout", "-q", "--detach"]);
    git(&root, &["merge", "-q", "--no-ff", "-m", "merge", &scene.head]);
    scene.event("octo/shop", "feature");
    scene
}

fn clone(scene: &Scene, name: &str, arguments: &[&str]) -> std::path::PathBuf {
    let root = scene.beside(name);
    let from = format!("file://{}", scene.root().display());
    git(Path::new("/"), &[&["clone", "-q"], arguments, &[&from, root.to_str().unwrap()]].concat());
    root
}

#[test]
fn findings_in_a_merge_stand_at_the_lines_of_the_head() {
    let scene = merged();
    let merge = git(&scene.root(), &["rev-parse", "HEAD"]);
    let ended = end(scene.step(1, &["lint"]).env("GITHUB_SHA", &merge)).with_code(1);
    let report = scene.report();
    assert_eq!(report["gates"][0]["findings"][0]["line"], 7, "{}", ended.out);
    // Line 1 is the base's alone: the head has no place for it.
    assert_eq!(
        scene.checks(),
        [("gatepost/lint".to_owned(), "failure".to_owned(), vec!["src/a.c:2".to_owned(), "src/a.c:4".to_owned()])]
    );
    assert_eq!(report["subject"]["head"], scene.head.as_str());
    scene.fake.finish();
}

#[test]
fn failed_tests_in_a_merge_stand_at_the_lines_of_the_head() {
    let scene = merged();
    let root = scene.root();
    let merge = git(&root, &["rev-parse", "HEAD"]);
    let case = |at: usize, file: &str, line: u32| {
        format!("<testcase name=\"t{at}\" file=\"{file}\" line=\"{line}\"><failure message=\"no\"/></testcase>")
    };
    let absolute = root.join("src/a.c").display().to_string();
    // The second line is the base's alone; no file of the repository is named by the last two.
    let places = [("src/a.c", 8), ("src/a.c", 1), (&absolute, 9), ("lib/gone.c", 3), ("/etc/hosts", 1)];
    let cases: String = places.iter().enumerate().map(|(at, (file, line))| case(at, file, *line)).collect();
    write(&scene.beside("junit.xml"), &format!("<testsuite name=\"shop\">{cases}</testsuite>"));
    let gate =
        "[gates.test]\nkind = \"test\"\ncommand = \"cp ../junit.xml junit.xml; exit 1\"\nreports = [\"junit.xml\"]\n";
    write(&root.join("test.toml"), gate);
    let ended = end(scene.step(1, &["--config", "test.toml"]).env("GITHUB_SHA", &merge)).with_code(1);
    let (_, _, annotated) = scene.checks().remove(0);
    assert_eq!(annotated, ["src/a.c:3", "src/a.c:4"], "{}", ended.out);
    let cases = &scene.report()["gates"][0]["tests"]["cases"];
    assert_eq!((&cases[0]["line"], &cases[0]["head_line"]), (&8.into(), &3.into()));
    assert!(cases[1]["head_line"].is_null() && cases[3]["head_line"].is_null());
    scene.fake.finish();
}

#[test]
fn a_shallow_merge_commit_is_enough() {
    let scene = merged();
    let root = scene.root();
    let merge = git(&root, &["rev-parse", "HEAD"]);
    git(&root, &["update-ref", "refs/pull/7/merge", &merge]);
    git(&root, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let shallow = clone(&scene, "shallow", &["--no-checkout", "--depth=1"]);
    git(&shallow, &["fetch", "-q", "--depth=1", "origin", "refs/pull/7/merge"]);
    git(&shallow, &["checkout", "-q", "--detach", "FETCH_HEAD"]);
    let ended = end(scene.step(1, &["lint"]).env("GITHUB_SHA", &merge).current_dir(&shallow)).with_code(1);
    let (_, _, places) = scene.checks().remove(0);
    assert_eq!(places, ["src/a.c:2", "src/a.c:4"], "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn another_commit_than_the_pull_requests_is_not_judged_in_its_place() {
    let scene = merged();
    let merged = git(&scene.root(), &["rev-parse", "HEAD"]);
    git(&scene.root(), &["checkout", "-q", "main"]);
    let ended = end(&mut scene.step(1, &["lint"])).with_code(4);
    assert!(ended.err.contains("GitHub would take its verdict for that of"), "{}{}", ended.out, ended.err);
    assert_eq!(scene.fake.with(|github| github.repo("octo/shop").checks.len()), 0);
    // What stands on top of it has all of it; its verdict is its own.
    git(&scene.root(), &["checkout", "-q", "--detach", &merged]);
    git(&scene.root(), &["commit", "-q", "--allow-empty", "-m", "on top"]);
    let ended = end(&mut scene.step(1, &["lint"])).with_code(1);
    assert_eq!((scene.checks().len(), scene.comments().len()), (0, 0), "{}", ended.out);
    assert!(ended.out.contains("nothing is posted on that one"), "{}", ended.out);
    // After the merge a pull request's job may look at the branch that it went to.
    git(&scene.root(), &["checkout", "-q", "main"]);
    let payload = scene.text("event.json").replacen("\"head\"", "\"state\": \"closed\", \"head\"", 1);
    write(&scene.beside("event.json"), &payload);
    end(&mut scene.step(1, &["lint"])).with_code(1);
    scene.fake.finish();
}

#[test]
fn the_comment_is_left_to_a_head_that_moved() {
    let scene = Scene::new(GATES, Token::actions());
    scene.run(1).with_code(1);
    let before = scene.comments();
    scene.fake.on("pulls/get", 1, |github| {
        github.repo("octo/shop").push(7, "3333333333333333333333333333333333333333");
    });
    let ended = scene.run(2).with_code(1);
    assert_eq!(scene.comments(), before);
    assert!(ended.out.contains("the pull request has moved on"), "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn an_older_run_leaves_the_comment_to_the_newer() {
    let scene = Scene::new(GATES, Token::actions());
    scene.run(9).with_code(1);
    let before = scene.comments();
    let ended = scene.run(8).with_code(1);
    assert_eq!(scene.comments(), before);
    assert!(ended.out.contains("a newer run (9, attempt 1) has spoken"), "{}", ended.out);
    // A second attempt of the newer one is newer still.
    end(scene.step(9, &[]).env("GITHUB_RUN_ATTEMPT", "2")).with_code(1);
    assert!(scene.comments()[0].contains("run=9.2 "), "{:?}", scene.comments());
    scene.fake.finish();
}

#[test]
fn two_runs_at_once_end_with_one_comment() {
    let scene = Scene::new(GATES, Token::actions());
    let other = clone(&scene, "other", &["--branch=feature"]);
    let mut first = scene.step(1, &[]).spawn().unwrap();
    let second = end(scene.step(2, &[]).current_dir(&other)).with_code(1);
    assert_eq!(first.wait().unwrap().code(), Some(1));
    let comments = scene.comments();
    assert!(comments.len() == 1 && comments[0].contains("run=2.1 "), "{comments:?} {}", second.out);
    scene.fake.finish();
}

#[test]
fn a_hidden_merge_base_is_asked_of_github() {
    let scene = Scene::with(
        GATES,
        |_| {},
        |github| {
            github.token(TOKEN, Token::actions());
        },
    );
    git(&scene.root(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let shallow = clone(&scene, "shallow", &["--depth=1", "--branch=feature"]);
    let ended = end(scene.step(1, &["lint"]).current_dir(&shallow)).with_code(1);
    assert_eq!(scene.fake.requests("repos/compare-commits-with-basehead").len(), 1, "{}", ended.out);
    assert_eq!(scene.checks()[0].2, ["src/a.c:2", "src/a.c:4"]);
    assert!(!ended.out.contains("everything was judged"), "{}", ended.out);
    scene.fake.finish();
}
