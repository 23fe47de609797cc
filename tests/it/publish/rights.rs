//! With which rights a run posts: a fork's token, a person's, none, a wrong one; another server; asked to or not.

use super::{GATES, Scene, TOKEN, end, git, write};
use crate::github::{FakeGitHub, Fault, Token};

const PASS: &str = "[gates.build]\nkind = \"command\"\ncommand = \"echo built\"\n";

/// Annotations, summary and report are there; nothing was written on GitHub.
#[track_caller]
fn told_without_github(scene: &Scene, out: &str) {
    let has = |start: &str| out.lines().any(|line| line.starts_with(start));
    assert!(has("::warning title=-Wunused-variable,file=src/a.c,line=2"), "{out}");
    assert!(has("::error title=no-unused-vars,file=web/app.js,line=1"), "{out}");
    assert!(has("::error title=removes,file=src/a.c,line=3"), "{out}");
    assert!(scene.text("summary.md").contains("3 of 4 gates failed"));
    assert!(scene.text("output").contains("verdict<<"));
    assert_eq!(scene.report()["verdict"], "fail");
    assert_eq!((scene.checks().len(), scene.comments().len()), (0, 0));
}

#[test]
fn a_forks_token_is_told_of_once_and_costs_nothing() {
    let scene = Scene::new(GATES, Token::read_only());
    scene.event("mona/shop", "feature");
    let ended = scene.run(1).with_code(1);
    told_without_github(&scene, &ended.out);
    assert_eq!(ended.out.matches("the token may only read here").count(), 2, "{}", ended.out);
    assert_eq!(scene.fake.requests("writes").len(), 2, "one check run and one comment were tried");
    assert_eq!(scene.report()["subject"]["trusted"], false);
    scene.fake.finish();

    // A pass stays one: missing rights are no failure.
    let scene = Scene::new(PASS, Token::read_only());
    let ended = scene.run(1).with_code(0);
    assert_eq!((ended.lines("::error").len(), ended.lines("::warning").len()), (0, 0), "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn a_persons_token_writes_commit_statuses() {
    let scene = Scene::new(GATES, Token::personal("mona"));
    let ended = scene.run(1).with_code(1);
    let mut statuses = scene.fake.with(|github| {
        let all = github.repo("octo/shop").statuses.iter();
        all.map(|one| (one.context.clone(), one.state.clone(), one.sha == scene.head)).collect::<Vec<_>>()
    });
    statuses.sort();
    let status = |name: &str, state: &str| (format!("gatepost/{name}"), state.to_owned(), true);
    let expected =
        [status("build", "success"), status("lint", "failure"), status("test", "failure"), status("web", "failure")];
    assert_eq!(statuses, expected);
    assert_eq!(scene.comments().len(), 1);
    // A status has no annotations: the commands carry them.
    assert_eq!(ended.lines("::error title=no-unused-vars,file=web/app.js").len(), 1, "{}", ended.out);
    assert_eq!(ended.out.matches("posted as a commit status").count(), 1, "{}", ended.out);
    scene.fake.finish();
}

#[test]
fn no_token_is_said_once() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = end(scene.step(1, &[]).env_remove("GITHUB_TOKEN")).with_code(1);
    told_without_github(&scene, &ended.out);
    assert_eq!(ended.out.matches("there is no token").count(), 1, "{}", ended.out);
    assert_eq!(scene.fake.requests("*").len(), 0);
    scene.fake.finish();
}

#[test]
fn a_wrong_token_does_not_change_the_verdict() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = end(scene.step(1, &[]).env("GITHUB_TOKEN", "ghs_wrongtoken")).with_code(1);
    told_without_github(&scene, &ended.out);
    assert!(ended.out.contains("the token is wrong or has expired"), "{}", ended.out);
    assert!(!ended.out.contains("ghs_wrongtoken"));
    scene.fake.forgive();
    let scene = Scene::new(PASS, Token::actions());
    let ended = end(scene.step(1, &[]).env("GITHUB_TOKEN", "ghs_wrongtoken")).with_code(0);
    assert!(ended.out.contains("the token is wrong or has expired"), "{}", ended.out);
    scene.fake.forgive();
}

#[test]
fn everything_that_was_refused_is_named() {
    let scene = Scene::new(GATES, Token::actions());
    scene.fake.fault("checks/create").strike(Fault::Says(422, "Validation Failed"));
    let words = "Unable to create comment because issue is locked.";
    scene.fake.fault("issues/create-comment").strike(Fault::Says(403, words));
    let room = 1 << 20;
    write(&scene.beside("summary.md"), &"x".repeat(room - 9));
    let ended = scene.run(1).with_code(1);
    let said = ended.lines("check run gatepost/lint").concat();
    for name in ["gatepost/web", "gatepost/test", "gatepost/build", "could not be posted"] {
        assert!(said.contains(name), "{name}: {}", ended.out);
    }
    let locked = ended.lines("comment on #7").concat();
    assert!(locked.contains("the conversation is locked") && !locked.contains("permission"), "{}", ended.out);
    assert!(ended.out.contains("job summary left alone: what other programs wrote into it"), "{}", ended.out);
    assert_eq!(scene.text("summary.md").len(), room - 9);
    scene.fake.forgive();
}

#[test]
fn a_long_wait_for_github_is_said() {
    let scene = Scene::new(PASS, Token::actions());
    scene.fake.fault("checks/create").nth(1).secondary_limit(403, Some(5));
    let ended = scene.run(1).with_code(0);
    assert!(ended.err.contains("closes this token for 5 s: waiting"), "{}{}", ended.out, ended.err);
    assert_eq!(scene.checks().len(), 1);
    scene.fake.finish();
}

#[test]
fn an_api_that_is_away_does_not_change_the_verdict() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = end(scene.step(1, &[]).env("GITHUB_API_URL", "http://127.0.0.1:9")).with_code(1);
    told_without_github(&scene, &ended.out);
    assert!(ended.out.contains("http://127.0.0.1:9"), "{}", ended.out);
    assert!(ended.took.as_secs() < 60, "{:?}", ended.took);
    scene.fake.finish();
}

#[test]
fn an_enterprise_server_is_told_below_its_path() {
    let scene = Scene::with(
        GATES,
        |_| {},
        |github| {
            github.base_path("/api/v3").token(TOKEN, Token::actions());
        },
    );
    scene.run(1).with_code(1);
    scene.run(2).with_code(1);
    assert_eq!((scene.checks().len(), scene.comments().len()), (8, 1));
    assert!(scene.fake.requests("*").iter().all(|entry| entry.path.starts_with("/api/")), "{}", scene.fake.recording());
    scene.fake.finish();
}

#[test]
fn publish_never_says_nothing_anywhere() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = end(&mut scene.step(1, &["--publish", "never"])).with_code(1);
    assert_eq!(scene.fake.requests("*").len(), 0);
    assert_eq!((scene.text("summary.md"), scene.text("output")), (String::new(), String::new()));
    assert_eq!(ended.lines("::error").len(), 0, "{}", ended.out);
    scene.fake.finish();
}

/// A laptop: no event, a token of one's own.
fn laptop(scene: &Scene, fake: &FakeGitHub, arguments: &[&str]) -> std::process::Command {
    let mut command = scene.program(&[&["run", "--all-files"], arguments].concat());
    command.env("GITHUB_TOKEN", TOKEN).env("GITHUB_REPOSITORY", "octo/shop").env("GITHUB_API_URL", fake.url());
    command
}

#[test]
fn publish_always_posts_on_the_laptops_head() {
    let scene = Scene::new(PASS, Token::actions());
    end(&mut laptop(&scene, &scene.fake, &["--publish", "always"])).with_code(0);
    assert_eq!(scene.checks(), [("gatepost/build".to_owned(), "success".to_owned(), vec![])]);
    // On a laptop nothing is posted unasked.
    end(&mut laptop(&scene, &scene.fake, &[])).with_code(0);
    assert_eq!(scene.checks().len(), 1);
    // Without GITHUB_REPOSITORY the remote names it.
    git(&scene.root(), &["remote", "add", "origin", "https://github.com/octo/shop.git"]);
    end(laptop(&scene, &scene.fake, &["--publish", "always"]).env_remove("GITHUB_REPOSITORY")).with_code(0);
    assert_eq!(scene.checks().len(), 2);

    write(&scene.root().join("src/a.c"), "changed\n");
    let ended = end(&mut laptop(&scene, &scene.fake, &["--publish", "always"])).with_code(3);
    assert!(ended.err.contains("the work tree has changes"), "{}", ended.err);
    assert_eq!(scene.checks().len(), 2);
    scene.fake.finish();
}

#[test]
fn a_pass_that_had_to_be_posted_and_was_not_is_none() {
    let scene = Scene::new(PASS, Token::actions());
    scene.fake.fault("checks/create").refuse(422);
    let ended = end(&mut laptop(&scene, &scene.fake, &["--publish", "always"])).with_code(4);
    assert!(ended.out.contains("check run gatepost/build could not be posted"), "{}", ended.out);
    let ended = end(laptop(&scene, &scene.fake, &["--publish", "always"]).env_remove("GITHUB_TOKEN")).with_code(2);
    assert!(ended.err.contains("there is no token"), "{}", ended.err);
    scene.fake.finish();

    // A verdict that is not green stays what it is.
    let scene = Scene::new(GATES, Token::actions());
    scene.fake.fault("checks/create").refuse(422);
    end(&mut laptop(&scene, &scene.fake, &["--publish", "always"])).with_code(1);
    scene.fake.finish();
}

#[test]
fn a_dry_run_prints_what_it_would_write() {
    let scene = Scene::new(GATES, Token::actions());
    let ended = end(&mut scene.step(1, &["--dry-run"])).with_code(1);
    assert_eq!(scene.fake.requests("writes").len(), 0, "{}", scene.fake.recording());
    for said in [
        "check run gatepost/lint would be posted: ",
        "/repos/octo/shop/check-runs",
        "/repos/octo/shop/issues/7/comments",
        "\"annotations\":\"1 item\"",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    assert_eq!((scene.text("summary.md"), scene.text("output")), (String::new(), String::new()));

    let ended = end(scene.step(1, &["--dry-run"]).env_remove("GITHUB_TOKEN")).with_code(1);
    let check = |gate: &str| format!("check run gatepost/{gate} would be posted; with a token its calls are shown");
    let said = ["lint", "web", "test", "build"].map(check);
    assert_eq!(ended.lines("check run"), said);
    assert_eq!(ended.lines("comment on").len(), 1, "{}", ended.out);
    scene.fake.finish();
}
