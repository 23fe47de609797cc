//! One secret in every input: nothing that people, GitHub or later steps get shows it.

use std::path::Path;

use super::{Ended, Scene, TOKEN, end, write};
use crate::github::{Fault, Token};

/// A variable that is named like a secret, in spelling that every place below can hold.
const NAMED: &str = "c4nary-Named-0123456789";
/// A variable that only `pass-env` tells to be one.
const PASSED: &str = "c4nary-Passed-9876543210";
/// What must not be seen: the secrets, or only how they begin, and both in base64 behind `user:`.
const NEEDLES: &[&str] = &["c4nary-N", "c4nary-P", TOKEN, "YzRuYXJ5LU5hbWVk", "YzRuYXJ5LVBhc3NlZ"];

/// Gates that say both secrets in everything that they say.
fn gates() -> String {
    let (first, rest) = PASSED.split_at(4);
    format!(
        r#"
[run]
pass-env = ["REGISTRY", "GITHUB_TOKEN"]

[gates.lint]
kind = "lint"
command = "cat tool/lint.txt; echo $REGISTRY $GITHUB_TOKEN >&2; exit 1"
format = "gcc"
only = "all"

[gates.web]
kind = "lint"
command = "cat tool/eslint.json; exit 1"
format = "eslint"

[gates.cut]
kind = "lint"
command = "echo npm ERR! 401 - GET https://reg.test/_auth/$REGISTRY/left-pad; exit 1"
format = "eslint"

[gates.test]
kind = "test"
command = "cp tool/junit.xml junit.xml; exit 1"
reports = ["junit.xml"]

[gates.build]
kind = "command"
command = "echo {NAMED} {PASSED} c3/$REGISTRY; printf 'user:%s' $REGISTRY | base64; exit 7"

[gates.colours]
kind = "command"
command = "printf '{first}\\033[01;31m\\033[K{rest}\\033[m {first}\\342\\200\\213{rest} {first}\\r{rest}\\n'; exit 1"

[gates.words]
kind = "command"
command = ["sh", "-c", "echo {NAMED}; exit 1"]

[gates.missing]
kind = "command"
command = ["./{NAMED}"]

[gates.late]
kind = "command"
needs = ["build"]
command = "deploy --key {PASSED}"
"#
    )
}

fn plant(root: &Path) {
    write(&root.join(format!("src/{NAMED}.c")), "one\ntwo\n");
    let lint = [NAMED, PASSED, TOKEN].map(|secret| {
        format!("src/{NAMED}.c:1:1: warning: {secret} https://u:{secret}@h/ [-W{secret}]\nsrc/{secret}/x.c:2: error: {secret}\n")
    });
    write(&root.join("tool/lint.txt"), &lint.concat());
    let eslint = format!(
        r#"[{{"filePath":"web/app.js","messages":[{{"ruleId":"{PASSED}","severity":2,"message":"{NAMED}","line":1,"column":1,
        "fix":{{"range":[0,3],"text":"{NAMED}"}}}}]}}]"#
    );
    write(&root.join("tool/eslint.json"), &eslint);
    write(&root.join("web/app.js"), &format!("let key = \"{NAMED}\";\n"));
    let junit = format!(
        r#"<testsuite name="{NAMED}" tests="2" failures="1"><testcase classname="{PASSED}" name="{NAMED}" file="src/{NAMED}.c" line="1">
        <failure message="{PASSED}" type="{NAMED}">{NAMED}</failure><system-out>{PASSED}</system-out></testcase>
        <testcase classname="a" name="b"/></testsuite>"#
    );
    write(&root.join("tool/junit.xml"), &junit);
}

fn scene() -> Scene {
    let scene = Scene::with(&gates(), plant, |github| {
        github.token(TOKEN, Token::actions());
    });
    scene.event("octo/shop", &format!("fix-{NAMED}"));
    scene
}

fn run(scene: &Scene, arguments: &[&str]) -> Ended {
    let mut step = scene.step(1, arguments);
    end(step.env("DEPLOY_SECRET", NAMED).env("REGISTRY", PASSED).env("GITHUB_HEAD_REF", format!("fix-{NAMED}")))
}

#[track_caller]
fn clean(place: &str, text: &str) {
    for needle in NEEDLES {
        let around = text.split(needle).collect::<Vec<_>>();
        let end = |part: &str| part.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        assert_eq!(around.len(), 1, "{needle} in {place} after {}", end(around[0]));
    }
}

/// Every file below, but what gates read or wrote themselves.
fn clean_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // Paths that gates open: the repository shows their names already.
        let for_gates = entry.file_name().unwrap().to_str().unwrap().contains("changed");
        if entry.is_dir() {
            clean_files(&entry);
        } else if !for_gates {
            clean(&entry.display().to_string(), &String::from_utf8_lossy(&std::fs::read(&entry).unwrap()));
        }
    }
}

#[test]
fn no_output_shows_a_secret() {
    for token in [Token::actions(), Token::read_only(), Token::personal("mona")] {
        let scene = scene();
        scene.fake.with(|github| drop(github.tokens.insert(TOKEN.to_owned(), token)));
        let (sarif, junit) = (scene.beside("out.sarif"), scene.beside("out.xml"));
        let files = ["--sarif", sarif.to_str().unwrap(), "--junit", junit.to_str().unwrap()];
        let ended = run(&scene, &[&files[..], &["-vvv"]].concat()).with_code(1);
        // The secrets were there to be seen, and masked.
        assert!(ended.out.matches("***").count() > 10, "{}", ended.out);
        clean("standard output", &ended.out);
        clean("standard error", &ended.err);
        clean("GitHub", &scene.fake.recording());
        for file in ["out.sarif", "out.xml", "summary.md", "output"] {
            assert!(!scene.text(file).is_empty(), "{file}");
            clean(file, &scene.text(file));
        }
        clean_files(&scene.root().join(".gatepost"));
        scene.fake.finish();
    }
}

#[test]
fn no_other_way_to_ask_shows_a_secret() {
    let scene = scene();
    for arguments in [&["--dry-run"][..], &["--json", "--publish", "never"], &["--fail-fast"], &["--quiet"]] {
        let ended = run(&scene, arguments).with_code(1);
        clean(&format!("{arguments:?}"), &(ended.out + &ended.err));
    }
    // Mistakes are told with what was given, or with an excerpt of the configuration.
    for arguments in [&["--base", NAMED][..], &[NAMED], &["--baseline", NAMED]] {
        let ended = run(&scene, arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?} {}", ended.out);
        clean(&format!("{arguments:?}"), &(ended.out + &ended.err));
    }
    for plan in [&["plan"][..], &["plan", "--json"], &["plan", "build"]] {
        let mut program = scene.program(plan);
        let ended =
            end(program.env("DEPLOY_SECRET", NAMED).env("REGISTRY", PASSED).env("GITHUB_TOKEN", TOKEN)).with_code(0);
        clean(&format!("{plan:?}"), &(ended.out + &ended.err));
    }
    for mistake in [format!("[gates.x]\ncomand = \"{NAMED}\"\n"), format!("[gates.x]\nkind = \"{NAMED}\n")] {
        write(&scene.root().join("gatepost.toml"), &mistake);
        let ended = run(&scene, &[]).with_code(2);
        clean(&mistake, &(ended.out + &ended.err));
    }
    scene.fake.finish();
}

#[test]
fn what_github_answers_shows_no_secret() {
    let scene = scene();
    let encoded = "bad credentials: basic eC1hY2Nlc3MtdG9rZW46Z2hzX3dvcmtmbG93dG9rZW4wMTIzNDU2Nzg5";
    scene.fake.fault("checks/create").first(2).strike(Fault::Says(422, TOKEN));
    scene.fake.fault("issues/create-comment").strike(Fault::Says(400, encoded));
    let ended = run(&scene, &[]).with_code(1);
    assert!(
        ended.out.contains("could not be posted: ")
            && ended.out.contains("bad credentials: basic eC1hY2Nlc3MtdG9rZW46***"),
        "{}",
        ended.out
    );
    clean("standard output", &(ended.out + &ended.err));
    scene.fake.finish();
}

#[test]
fn what_needs_no_configuration_shows_no_secret() {
    let scene = Scene::with(
        "",
        |root| {
            plant(root);
            let run = format!("jobs:\n  a:\n    steps:\n      - run: |\n          pytest --key {NAMED} || true\n");
            write(&root.join(".github/workflows/a.yml"), &format!("on: [push]\n{run}"));
        },
        |_| {},
    );
    let ran = |arguments: &[&str]| {
        let mut program = scene.program(arguments);
        let ended = end(program.env("DEPLOY_SECRET", NAMED).env("SOME_PASSWORD", PASSED).env("GITHUB_TOKEN", TOKEN));
        assert!(ended.out.contains("***"), "{arguments:?} {} {}", ended.out, ended.err);
        clean(&format!("{arguments:?}"), &(ended.out + &ended.err));
    };
    for (format, file, other) in [
        ("gcc", "tool/lint.txt", "sarif"),
        ("eslint", "tool/eslint.json", "sarif"),
        ("junit", "tool/junit.xml", "junit"),
    ] {
        for shape in ["text", "json", other] {
            ran(&["parse", "--from", format, "--to", shape, file]);
        }
    }
    let sarif = scene.beside("out.sarif");
    ran(&["integrity"]);
    ran(&["integrity", "--json", "--sarif", sarif.to_str().unwrap()]);
    clean("SARIF", &scene.text("out.sarif"));
    let verify = ["verify", &format!("http://127.0.0.1:9/?key={NAMED}"), "--deadline", "0.1", "--interval", "0.01"];
    ran(&verify);
    ran(&[&verify[..], &["--json"]].concat());
    scene.fake.finish();
}
