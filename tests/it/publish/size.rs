//! Runs that end early, and runs with much to say.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Scene, end, ended, write};
use crate::github::Token;

const SLOW: &str = r#"
[gates.quick]
kind = "command"
command = "echo done; exit 1"

[gates.slow]
kind = "command"
grace = "60s"
command = "trap '' INT TERM; echo > ../started; sleep 60; sleep 60"

[gates.after]
kind = "command"
needs = ["slow"]
command = "echo never"
"#;

fn interrupted(scene: &Scene) -> super::Ended {
    let child = scene.step(1, &[]).spawn().unwrap();
    let begun = Instant::now();
    while !scene.beside("started").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the gate did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let signalled = Instant::now();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    ended(child, signalled)
}

#[test]
fn a_cancelled_run_leaves_what_it_knows_in_time() {
    let scene = Scene::new(SLOW, Token::actions());
    let ended = interrupted(&scene).with_code(130);
    assert!(ended.took < Duration::from_secs(7), "{:?}", ended.took);
    let mut conclusions: Vec<(String, String)> =
        scene.checks().into_iter().map(|(name, conclusion, _)| (name, conclusion)).collect();
    conclusions.sort();
    let check = |name: &str, conclusion: &str| (format!("gatepost/{name}"), conclusion.to_owned());
    assert_eq!(conclusions, [check("after", "cancelled"), check("quick", "failure"), check("slow", "cancelled")]);
    let outcomes =
        scene.report()["gates"].as_array().unwrap().iter().map(|gate| gate["outcome"].clone()).collect::<Vec<_>>();
    assert_eq!(outcomes, ["fail", "error", "error"]);
    assert!(scene.text("summary.md").contains("cancelled by SIGINT"), "{}", scene.text("summary.md"));
    assert!(scene.text("output").contains("verdict<<"));
    assert_eq!(scene.comments().len(), 1, "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn a_github_that_hangs_does_not_hold_a_cancelled_run() {
    for pattern in ["checks/create", "pulls/get"] {
        let scene = Scene::new(SLOW, Token::actions());
        scene.fake.fault(pattern).hang();
        let ended = interrupted(&scene).with_code(130);
        assert!(ended.took < Duration::from_secs(7), "{pattern} {:?}", ended.took);
        assert_eq!(scene.report()["verdict"], "fail", "{pattern}");
        assert!(scene.text("summary.md").contains("cancelled by SIGINT"), "{pattern} {}", ended.out);
        assert!(scene.text("output").contains("verdict<<"), "{pattern}");
        assert!(ended.out.contains("interrupted before everything was posted"), "{pattern} {}", ended.out);
        scene.fake.finish();
    }
}

#[test]
fn a_signal_after_the_verdict_changes_it_nowhere() {
    let scene = Scene::new("[gates.build]\nkind = \"command\"\ncommand = \"true\"\n", Token::actions());
    // It is waited for until the signal, and then not any more.
    scene.fake.fault("checks/create").secondary_limit(403, Some(50));
    let child = scene.step(1, &[]).spawn().unwrap();
    let begun = Instant::now();
    while scene.fake.requests("checks/create").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was posted");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let ended = ended(child, Instant::now()).with_code(130);
    let verdict = scene.report()["verdict"].as_str().unwrap().to_owned();
    assert!(ended.out.contains(&format!("verdict: {verdict}")), "{verdict}: {}", ended.out);
    let output = scene.text("output");
    let mut lines = output.lines().skip_while(|line| !line.starts_with("verdict<<"));
    assert_eq!(lines.nth(1), Some(&*verdict), "{output}");
    let summary = scene.text("summary.md");
    assert!(summary.contains(if verdict == "pass" { "1 gate passed" } else { "interrupted" }), "{verdict}: {summary}");
    scene.fake.finish();
}

#[test]
fn gates_wait_only_a_moment_for_what_github_could_tell_them() {
    let config = "[gates.build]\nkind = \"command\"\ncommand = \"true\"\n[publish]\ncomment = \"off\"\n";
    let scene = Scene::new(config, Token::actions());
    // It accepts every question and answers none.
    scene.fake.fault("reads").hang();
    let begun = Instant::now();
    let ended = scene.run(1).with_code(0);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    for said in ["no baseline: GitHub did not answer within 15 s", "so none is: GitHub did not answer within 15 s"] {
        assert!(ended.out.contains(said), "{}", ended.out);
    }
    scene.fake.finish();
}

const LINT: &str =
    "[gates.lint]\nkind = \"lint\"\ncommand = \"cat tool/lint.txt; exit 1\"\nformat = \"gcc\"\nonly = \"all\"\n";

/// As many findings, the first two of them in the change.
fn found(count: usize) -> Scene {
    let lines = (1..=count).fold(String::new(), |mut all, at| {
        let (path, line) = if at <= 2 { ("src/a.c", at) } else { ("src/long.c", at) };
        let _ = writeln!(all, "{path}:{line}:1: warning: finding {at} [-Wx]");
        all
    });
    let change = |root: &std::path::Path| {
        write(&root.join("tool/lint.txt"), &lines);
        write(&root.join("src/long.c"), &"x\n".repeat(count));
    };
    Scene::with(LINT, change, |github| {
        github.token(super::TOKEN, Token::actions());
    })
}

/// How many annotations each request about check runs had.
fn pages(scene: &Scene) -> Vec<usize> {
    let requests = scene.fake.requests("checks/*").into_iter().filter_map(|entry| entry.body);
    requests.map(|body| body["output"]["annotations"].as_array().map_or(0, Vec::len)).collect()
}

#[test]
fn annotations_come_in_pages_of_fifty() {
    let scene = found(120);
    scene.run(1).with_code(1);
    assert_eq!(pages(&scene), [50, 50, 20]);
    let checks = scene.checks();
    assert_eq!((checks.len(), checks[0].2.len()), (1, 120));
    assert!(checks[0].2.contains(&"src/long.c:120".to_owned()));
    scene.fake.finish();
}

#[test]
fn beyond_the_most_annotations_the_rest_is_counted() {
    let scene = found(1_234);
    let config = LINT.to_owned() + "[publish]\nmax-annotations = 100\n";
    write(&scene.root().join("gatepost.toml"), &config);
    scene.run(1).with_code(1);
    assert_eq!(pages(&scene), [50, 50]);
    let summary = scene.fake.with(|github| github.repo("octo/shop").checks[0].summary.clone().unwrap());
    assert!(
        summary.contains("100 findings annotated") && summary.contains(" more in `.gatepost/report.json`"),
        "{summary}"
    );
    assert_eq!(scene.report()["gates"][0]["findings"].as_array().unwrap().len(), 1_234);
    scene.fake.finish();
}

#[test]
fn a_thousand_annotations_are_the_most_unless_said() {
    let scene = found(1_040);
    let ended = end(scene.step(1, &[]).env_remove("GITHUB_STEP_SUMMARY")).with_code(1);
    assert_eq!(pages(&scene), [50; 20]);
    assert_eq!(scene.checks()[0].2.len(), 1_000, "{}", ended.out);
    let summary = scene.fake.with(|github| github.repo("octo/shop").checks[0].summary.clone().unwrap());
    assert!(summary.contains("1,000 findings annotated") && summary.contains("40"), "{summary}");
    scene.fake.finish();
}
