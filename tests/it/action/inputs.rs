//! Inputs that want to be more than text.

use super::{Answer, Scene};

/// Each would leave a file `pwned`, end a step or give the runner a command if anything but text was made of it.
const HOSTILE: &[&str] = &[
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "x' ; touch pwned ; '",
    "x\" ; touch pwned ; \"",
    "x\n::error::forged\n::set-output name=verdict::pass",
    "x%0A::error::forged",
    "${{ github.token }}",
    "${IFS}touch${IFS}pwned",
    "*",
    "--help",
    "x\\",
    "EOF\nverdict=pass",
];

/// The stand-in is in the cache already, so that nothing else is looked at.
fn scene() -> Scene {
    let scene = Scene::new(&[Answer::Good]);
    scene.run(&[]).worked();
    std::fs::remove_file(scene.job.root.path().join("home/arguments")).unwrap();
    scene
}

#[test]
fn a_path_is_passed_on_as_it_is() {
    let scene = scene();
    for (input, flag) in [("config", "--config"), ("working-directory", "--directory")] {
        for value in HOSTILE {
            scene.run(&[(input, value)]).worked();
            assert_eq!(scene.job.arguments(), [format!("{flag}={value}"), "run".to_owned()]);
        }
    }
    assert_eq!(scene.job.left().len(), 2, "only the cache: {:?}", scene.job.left());
}

#[test]
fn gates_are_names_and_nothing_else() {
    let scene = scene();
    std::fs::write(scene.job.workspace().join("a-file"), "").unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("", &["run"]),
        (" \n", &["run"]),
        ("lint", &["run", "--", "lint"]),
        ("lint,test\n  build, ", &["run", "--", "lint", "test", "build"]),
        ("--help", &["run", "--", "--help"]),
        ("*", &["run", "--", "*"]),
        ("$(touch pwned) \"a b\"", &["run", "--", "$(touch", "pwned)", "\"a", "b\""]),
    ];
    for (gates, expected) in cases {
        scene.run(&[("gates", gates)]).worked();
        assert_eq!(scene.job.arguments(), *expected, "{gates:?}");
    }
}

#[test]
fn arguments_are_words_and_nothing_is_expanded() {
    let scene = scene();
    std::fs::write(scene.job.workspace().join("a-file"), "").unwrap();
    let cases: &[(&str, &[&str])] = &[
        (" \n ", &["run"]),
        ("--base main\n--sarif out.sarif", &["run", "--base", "main", "--sarif", "out.sarif"]),
        ("--sarif 'my file.sarif' --base \"a  b\"", &["run", "--sarif", "my file.sarif", "--base", "a  b"]),
        (r"--output my\ folder", &["run", "--output", "my folder"]),
        ("--base $HOME --output *", &["run", "--base", "$HOME", "--output", "*"]),
        ("--base $(touch${IFS}pwned) `touch`", &["run", "--base", "$(touch${IFS}pwned)", "`touch`"]),
        // An expression that was empty is a word too: without it the next one would be taken for its value.
        ("--base '' --all-files \"\"", &["run", "--base", "", "--all-files", ""]),
        ("-- a;b|c&d>e", &["run", "--", "a;b|c&d>e"]),
        ("publish a.json 'b c.json'", &["publish", "a.json", "b c.json"]),
        ("run --all-files", &["run", "--all-files"]),
        ("%s %d \\\\n", &["%s", "%d", "\\n"]),
    ];
    for (args, expected) in cases {
        scene.run(&[("args", args)]).worked();
        assert_eq!(scene.job.arguments(), *expected, "{args:?}");
    }
    scene
        .run(&[("args", "--all-files"), ("gates", "lint"), ("config", "c.toml"), ("working-directory", "web")])
        .worked();
    assert_eq!(scene.job.arguments(), ["--directory=web", "--config=c.toml", "run", "--all-files", "--", "lint"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let scene = scene();
    scene.run(&[("args", "--base it's")]).failed(2, "the input args cannot be split");
    scene.run(&[("args", "publish a.json"), ("gates", "lint")]).failed(2, "args asks for gatepost publish");
    assert!(!scene.job.was_run());
}

#[test]
fn whatever_looks_for_the_binary_takes_no_commands() {
    let scene = scene();
    for input in ["binary", "version", "build-from-source", "mirror"] {
        for value in HOSTILE {
            let ended = scene.action.run(&scene.job, &[(input, value)]);
            ended.failed(2, "");
            assert_eq!(ended.ran, ["find"]);
            let commands = ended.log.lines().filter(|line| line.starts_with("::")).count();
            assert_eq!(commands, 1, "{input} {value:?}: {}", ended.log);
        }
    }
    // The runner would make a line end of %0A.
    scene.action.run(&scene.job, &[("binary", "x%0A::error::forged")]).failed(2, "/x%250A::error::forged");
    assert!(!scene.job.was_run());
    assert_eq!(scene.job.left().len(), 2, "only the cache: {:?}", scene.job.left());
}

#[test]
fn gates_do_not_see_what_the_action_told_itself() {
    let mut scene = scene();
    scene.job.env.insert("BINARY".to_owned(), "mine".to_owned());
    scene.job.env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
    scene.run(&[("gates", "lint")]).worked();
    let environment = std::fs::read_to_string(scene.job.root.path().join("home/environment")).unwrap();
    for kept in ["BINARY=mine", "LC_ALL=C.UTF-8", "GITHUB_TOKEN=ghs_workflowtoken0123456789"] {
        assert!(environment.lines().any(|line| line == kept), "{kept}: {environment}");
    }
    assert!(!environment.contains("INPUT_") && !environment.contains("GATEPOST_BINARY"), "{environment}");
}

#[test]
fn another_token_is_taken() {
    let scene = scene();
    scene.run(&[("github-token", "ghp_another")]).worked();
    let environment = std::fs::read_to_string(scene.job.root.path().join("home/environment")).unwrap();
    assert!(environment.contains("GITHUB_TOKEN=ghp_another") && !environment.contains("ghs_workflowtoken"));
}
