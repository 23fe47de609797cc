//! A pull request from its first red run to green: what GitHub, the runner and people are told.

use regex::Regex;

use super::{GATES, LINT, Scene, commit, git, write};
use crate::github::Token;

/// The comment has times in its table, a hash over them, and short names of commits.
fn stable(text: &str) -> String {
    let vary = [
        ("hash=[0-9a-f]+ head=[0-9a-f]+", "hash=<hash> head=<short>"),
        (r"[0-9.]+&nbsp;(ms|s)\b", "<duration>"),
        ("`[0-9a-f]{7}`", "`<short>`"),
        ("(\"external_id\": \".+):[0-9a-f]{8}(:<sha [0-9]+>)?(:[a-z_]+)?\"", "$1:<made>$2$3\""),
        ("@[0-9a-f]{8}@", "@<made>@"),
    ];
    vary.iter().fold(text.to_owned(), |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}

/// `name=value` of the step's outputs.
fn outputs(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let three = |entry: &[&str]| {
        let (name, delimiter) = entry[0].split_once("<<").unwrap();
        assert!(delimiter.len() > 32 && delimiter == entry[2], "{entry:?}");
        format!("{name}={}", entry[1])
    };
    lines.chunks(3).map(three).collect()
}

/// What ESLint reports of a file without a problem.
const CLEAN: &str = r#"[{"filePath":"web/cart.js","messages":[]}]"#;

#[test]
fn outputs_begin_behind_the_line_that_another_program_left_open() {
    let scene = Scene::new(GATES, Token::actions());
    std::fs::write(scene.beside("output"), "theirs=1").unwrap();
    scene.run(1001).with_code(1);
    let text = std::fs::read_to_string(scene.beside("output")).unwrap();
    let (theirs, ours) = text.split_once('\n').unwrap();
    assert!(theirs == "theirs=1" && outputs(ours).contains(&"verdict=fail".to_owned()), "{text}");
}

#[test]
fn a_pull_request_is_told_whole_and_in_few_calls() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = scene.run(1001).with_code(1);
    assert_eq!(ended.err, "");

    let check = |name: &str, conclusion: &str, places: &[&str]| {
        let places: Vec<String> = places.iter().map(|&place| place.to_owned()).collect();
        (format!("gatepost/{name}"), conclusion.to_owned(), places)
    };
    let mut checks = scene.checks();
    checks.sort();
    assert_eq!(
        checks,
        [
            check("build", "success", &[]),
            check("lint", "failure", &["src/a.c:2", "src/a.c:4"]),
            check("test", "failure", &["src/a.c:3"]),
            check("web", "failure", &["web/app.js:1"]),
        ]
    );
    assert!(scene.fake.requests("*").len() <= 25, "{}", scene.fake.recording());
    insta::assert_snapshot!("red", stable(&scene.fake.recording()));

    // What no check run shows, as commands: only how the gates ended.
    let commands = ended.lines("::error ");
    assert_eq!(commands.len(), 3, "{}", ended.out);
    assert!(commands.iter().all(|line| line.starts_with("::error title=gatepost/")), "{commands:?}");
    let summary = scene.text("summary.md");
    assert!(summary.contains("3 of 4 gates failed") && summary.contains("unused variable 'two'"), "{summary}");
    let outputs = outputs(&scene.text("output"));
    for said in ["verdict=fail", "report=.gatepost/report.json", "gates-failed=3", "findings=3", "tests-failed=1"] {
        assert!(outputs.contains(&said.to_owned()), "{said}: {outputs:?}");
    }
    assert_eq!(scene.report()["verdict"], "fail");
    scene.fake.finish();
}

#[test]
fn later_runs_update_the_one_comment_down_to_green() {
    let mut scene = Scene::new(GATES, Token::actions());
    scene.run(1001).with_code(1);
    let first = scene.comments();
    assert!(first.len() == 1 && first[0].contains("3 of 4 gates failed"), "{first:?}");

    // The author mends two of the three, and then the last. ESLint lists a file that is clean, too.
    let root = scene.root();
    for (run, code, says, mended) in [
        (1002, 1, "1 of 4 gates failed", [("tool/lint.txt", LINT), ("tool/eslint.json", CLEAN)]),
        (1003, 0, "Green now", [("tool/lint.txt", ""), ("tool/eslint.json", CLEAN)]),
    ] {
        for (file, text) in mended {
            write(&root.join(file), text);
        }
        let gates = GATES.replace("exit 1\"\nreports", "true\"\nreports").replace("eslint.json; exit 1", "eslint.json");
        let gates = if code == 0 { gates.replace("exit 1", "true") } else { gates };
        write(&root.join("gatepost.toml"), &gates);
        let passing = "<testsuite name=\"shop\" tests=\"1\"><testcase classname=\"cart\" name=\"adds\"/></testsuite>";
        write(&root.join("tool/junit.xml"), passing);
        commit(&root, "mend");
        scene.head = git(&root, &["rev-parse", "HEAD"]);
        scene.event("octo/shop", "feature");
        let head = scene.head.clone();
        scene.fake.with(|github| github.repo("octo/shop").push(7, &head));
        scene.run(run).with_code(code);
        let comments = scene.comments();
        assert!(comments.len() == 1 && comments[0].contains(says), "{comments:?}");
        assert!(comments[0].contains(&format!("run={run}.1 ")), "{comments:?}");
    }
    assert_eq!(scene.fake.requests("issues/create-comment").len(), 1);
    scene.fake.finish();
}

#[test]
fn what_a_command_said_last_is_told_where_nothing_else_says_why() {
    let gates = GATES.replace("echo built", "seq 2000; echo 'no rule for @all'; exit 2");
    let scene = Scene::new(&gates, Token::actions());
    scene.run(1001).with_code(1);
    let tail = "1999\n2000\nno rule for @all\n```\n";
    let texts = scene.fake.with(|github| {
        let checks = github.repo("octo/shop").checks.iter();
        checks.filter_map(|check| check.text.clone()).collect::<Vec<_>>()
    });
    for page in [scene.comments().remove(0), scene.text("summary.md")] {
        assert_eq!(page.matches("The end of its log:\n\n```text\n").count(), 1, "what was found says why: {page}");
        assert!(page.contains(tail) && !page.contains("\n100\n"), "{page}");
    }
    assert_eq!(texts.iter().filter(|text| text.starts_with("The end of its log:") && text.contains(tail)).count(), 1);
    assert!(scene.report()["gates"][3]["log_tail"].as_str().unwrap().ends_with("no rule for @all\n"));
    scene.fake.finish();
}

#[test]
fn a_green_pull_request_gets_no_comment() {
    let scene = Scene::new("[gates.build]\nkind = \"command\"\ncommand = \"echo built\"\n", Token::actions());
    let ended = scene.run(1001).with_code(0);
    assert_eq!(scene.comments(), [""; 0]);
    assert_eq!(scene.checks().len(), 1);
    assert_eq!((ended.lines("::error").len(), ended.err.as_str()), (0, ""));
    assert!(scene.fake.requests("writes").len() == 1, "{}", scene.fake.recording());
    scene.fake.finish();
}
