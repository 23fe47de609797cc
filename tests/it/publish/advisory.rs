//! The advisory start: gates that run, show and block nothing, and what is said of those that would have blocked.

use super::*;

/// The gates of the other tests, none of them enforced.
fn not_enforced() -> String {
    GATES.replace("kind = ", "mode = \"report\"\nkind = ")
}

#[test]
fn what_would_have_blocked_is_said_everywhere() {
    let scene = Scene::new(&not_enforced(), Token::actions());
    let ran = scene.run(1).with_code(0);
    assert_eq!(
        ran.lines("would have blocked"),
        ["would have blocked if enforced: lint (fail), web (fail), test (fail)"]
    );
    assert_eq!(scene.report()["would_have_blocked"], json!(["lint", "web", "test"]));
    assert_eq!(scene.report()["verdict"], "skipped");

    let said = "Would have blocked if enforced: `lint`: fail: 1 warning on changed lines; `web`: fail: 1 error on changed lines; `test`: ";
    let comments = scene.comments();
    assert_eq!(comments.len(), 1, "it is made although nothing blocks");
    assert!(comments[0].contains("\n### ➖ 4 gates, none enforced\n\n"), "{}", comments[0]);
    for page in [&comments[0], &scene.text("summary.md")] {
        assert!(page.contains(said), "{page}");
    }
    for (name, conclusion, places) in scene.checks() {
        assert_eq!(conclusion, if name == "gatepost/build" { "success" } else { "neutral" });
        assert_eq!(places.is_empty(), name == "gatepost/build", "{name} shows what it found");
    }
}

#[test]
fn one_gate_after_another_is_enforced() {
    let scene = Scene::new(&not_enforced(), Token::actions());
    scene.run(1).with_code(0);
    let gates = not_enforced().replacen("mode = \"report\"\n", "", 1);
    write(&scene.root().join("gatepost.toml"), &gates);
    let ran = scene.run(2).with_code(1);
    assert_eq!(ran.lines("would have blocked"), ["would have blocked if enforced: web (fail), test (fail)"]);
    let comments = scene.comments();
    assert_eq!(comments.len(), 1);
    let body = &comments[0];
    assert!(body.contains("\n### ❌ 1 of 1 gate failed, 3 not enforced\n\n`lint`: "), "{body}");
    assert!(body.contains("\n\nWould have blocked if enforced: `web`: "), "{body}");
}

#[test]
fn where_nothing_would_have_blocked_nothing_is_said() {
    let gates = "[gates.build]\nkind = \"command\"\ncommand = \"true\"\nmode = \"report\"\n";
    let scene = Scene::new(gates, Token::actions());
    let ran = scene.run(1).with_code(0);
    assert!(ran.lines("would have blocked").is_empty());
    assert_eq!(scene.report()["would_have_blocked"], json!([]));
    assert!(scene.comments().is_empty() && !scene.text("summary.md").contains("Would have blocked"));
}

/// What could not be judged would have blocked too.
#[test]
fn what_could_not_be_judged_would_have_blocked() {
    let gates = "[gates.build]\nkind = \"command\"\ncommand = [\"./nowhere\"]\nmode = \"report\"\n";
    let scene = Scene::new(gates, Token::actions());
    let ran = scene.run(1).with_code(0);
    assert_eq!(ran.lines("would have blocked"), ["would have blocked if enforced: build (error)"]);
    assert!(
        scene.comments()[0].contains("Would have blocked if enforced: `build`: cannot run "),
        "{:?}",
        scene.comments()
    );
}
