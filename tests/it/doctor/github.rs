//! What GitHub says: the token, what it may do, and what the default branch requires.

use super::*;
use crate::github::{Account, Scope};

/// Checks with their apps, what is wrong with one of them, and what to do.
type Case<'a> = (&'a [(&'a str, Option<u64>)], &'a str, &'a str);

const REQUIRED: &str = "required check fail: ";

#[test]
fn a_check_that_is_not_required_keeps_nothing_out() {
    let scene = Scene::with("one-job", |_| {});
    scene.complains(
        REQUIRED,
        &["job gates of .github/workflows/gatepost.yml is not required on main", "require `gates`"],
    );
}

#[test]
fn a_required_check_that_cannot_be_trusted_is_named() {
    let cases: [Case<'_>; 4] = [
        (&[("gates", None)], "`gates`: whoever may write statuses can report it", "choose the app"),
        (&[("gates", Some(77))], "is expected from app 77, and a job reports it as app 15368", "choose GitHub Actions"),
        (
            &[("gates", ACTIONS), ("gatepost/lint", ACTIONS)],
            "`gatepost/lint`: gatepost's check runs cannot be written for forks",
            "require the job that runs gatepost",
        ),
        (
            &[("gates", ACTIONS), ("build", ACTIONS)],
            "`build`: no job here has this name, and the last commit of main does not have it",
            "pull requests wait for it for ever",
        ),
    ];
    for (checks, what, todo) in cases {
        let rules = Scene::with("one-job", |github| {
            github.repo("octo/shop").rule("main", required(checks));
        });
        rules.complains(REQUIRED, &[what, todo]);
        // A branch's own protection says it as well as a ruleset does. Whether it has a queue cannot be seen there.
        let protection = Scene::with("one-job", |github| {
            github.repo("octo/shop").protect("main", checks);
        });
        protection.complains(REQUIRED, &[what, todo]);
    }
}

#[test]
fn a_check_of_another_app_is_believed_where_it_was_seen() {
    let scene = Scene::with("one-job", |github| {
        let shop = github.repo("octo/shop");
        shop.rule("main", required(&[("gates", ACTIONS), ("ci/build", Some(77))]));
    });
    scene.complains("required check error: `ci/build`", &["another app may report it"]);
    let head = scene.tree.sha("HEAD");
    scene.fake.with(|github| {
        github.check("octo/shop", head.as_str(), "ci/build", "success", Account::app(77, "other-ci"));
    });
    scene.is_well();
    let said = scene.call(&["doctor"]);
    assert!(flat(&said).contains("no job here makes it, and the last commit of main has it"), "{}", said.out);
}

#[test]
fn rules_on_further_pages_count() {
    let scene = Scene::with("one-job", |github| {
        let shop = github.repo("octo/shop");
        for _ in 0..100 {
            shop.rule("main", Rule::Deletion);
        }
        shop.rule("main", required(&[("gates", None)]));
    });
    scene.complains(REQUIRED, &["whoever may write statuses"]);
    assert_eq!(scene.fake.requests("repos/get-branch-rules").len(), 2);
}

#[test]
fn a_job_that_can_be_skipped_is_no_required_check() {
    let paths = "  pull_request:\n    paths: ['src/**']\n";
    let branches = "  pull_request:\n    branches: [develop]\n";
    for (from, to, what) in [
        ("    runs-on:", "    if: ${{ github.actor != 'bot' }}\n    runs-on:", "skipped, it counts as a success"),
        ("    runs-on:", "    needs: [build]\n    runs-on:", "needs build: when one of them fails it is skipped"),
        ("  pull_request:\n", paths, "starts for some files alone (`paths`): for other changes it never comes"),
        ("  pull_request:\n", branches, "does not start for pull requests to main"),
        ("  merge_group:\n", "", "does not start on `merge_group`, and the branch has a merge queue"),
    ] {
        let scene = Scene::with("one-job", |github| {
            github.repo("octo/shop").rule("main", required(&[("gates", ACTIONS)])).rule("main", Rule::MergeQueue);
        });
        scene.edit(WORKFLOW, from, to);
        scene.complains(REQUIRED, &[&format!("`gates` ({WORKFLOW}:"), what]);
    }
    // The last job of several has `always()`: what it needs may fail.
    let scene = Scene::with("several-jobs", |github| {
        github.repo("octo/shop").rule("main", required(&[("gates", ACTIONS)]));
    });
    scene.is_well();
    scene
        .edit(WORKFLOW, "    if: ${{ always() }}\n", "")
        .complains(REQUIRED, &["it is skipped, which counts as a success"]);
}

#[test]
fn two_jobs_of_one_name_hide_each_other() {
    let scene = Scene::new();
    let job = "on: pull_request\npermissions: {}\njobs:\n  x:\n    name: gates\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n";
    scene.tree.write(".github/workflows/other.yml", job);
    scene.complains(REQUIRED, &["several jobs report it", "other.yml"]);
}

#[test]
fn a_token_is_judged_by_what_github_says_of_it() {
    for (token, private, start, part) in [
        (Token::classic("mona", "public_repo"), true, "token rights fail:", "not enough for a private repository"),
        (Token::classic("mona", ""), false, "token rights fail:", "no scope"),
        (Token::personal("mona"), false, "token rights error:", "cannot be told by reading"),
        (Token::app(77, "other"), false, "token rights error:", "cannot be told by reading"),
        (
            Token::classic("mona", "repo").blind(Scope::Checks),
            true,
            "token rights fail:",
            "check runs could not be read",
        ),
        (
            Token::classic("mona", "repo").blind(Scope::PullRequests),
            true,
            "token rights fail:",
            "pull requests could not be read",
        ),
    ] {
        let scene = Scene::new();
        scene.fake.with(|github| {
            github.token(TOKEN, token).repo("octo/shop").private = private;
        });
        scene.complains(start, &[part]);
    }
    let scene = Scene::new();
    scene.fake.with(|github| {
        github.token(TOKEN, Token::classic("mona", "public_repo"));
    });
    scene.is_well();
}

#[test]
fn a_token_that_does_not_work_leaves_the_rules_unread() {
    let mut scene = Scene::new();
    let unread = |scene: &Scene, parts: &[&str]| {
        let complaints = scene.complaints();
        assert_eq!(complaints.len(), 2, "{complaints:#?}");
        assert!(parts.iter().all(|part| complaints[0].contains(part)), "{parts:?}\n{complaints:#?}");
        assert!(complaints[1].starts_with("required check error: what octo/"), "{complaints:#?}");
    };
    scene.set("GITHUB_TOKEN", "ghp_ffffffffffffffffffffffffffffffffffff");
    unread(&scene, &["token fail: GitHub answers 401: Bad credentials", "make a new one"]);
    scene.set("GITHUB_TOKEN", TOKEN).set("GITHUB_REPOSITORY", "octo/other");
    unread(&scene, &["token fail: it cannot see octo/other", "mend GITHUB_REPOSITORY"]);
    scene.set("GITHUB_REPOSITORY", "octo/shop");
    scene.fake.fault("repos/get").refuse(503);
    unread(&scene, &["token error: GitHub answers 503", "try again later"]);
}

#[test]
fn rules_that_cannot_be_read_are_not_called_well() {
    for operation in ["repos/get-branch", "repos/get-branch-rules"] {
        let scene = Scene::new();
        scene.fake.fault(operation).refuse(500);
        let complaints = scene.complaints();
        let unread = |one: &String| {
            one.starts_with("required check error: ") && one.contains("could not be read: GitHub answers 500")
        };
        assert!(complaints.iter().any(unread), "{complaints:#?}");
    }
}

#[test]
fn without_a_token_it_is_said_what_is_not_known() {
    let mut scene = Scene::new();
    scene
        .unset("GITHUB_TOKEN")
        .complains("required check error: what octo/shop requires was not read", &["set GITHUB_TOKEN"]);
    // Nothing on GitHub: nothing to ask there.
    scene.unset("GITHUB_REPOSITORY").unset("GITHUB_API_URL").is_well();
    assert!(scene.fake.requests("*").is_empty());
}

/// In a step of the workflow itself the `permissions` of its job tell what its token may write.
#[test]
fn in_a_job_its_own_permissions_tell() {
    let mut scene = Scene::new();
    let event = scene.tree.dir.with_file_name("event.json");
    std::fs::write(&event, r#"{"ref": "refs/heads/main"}"#).unwrap();
    let head = scene.tree.sha("HEAD");
    let workflow = format!("octo/shop/{WORKFLOW}@refs/heads/main");
    scene.fake.with(|github| {
        github.token("ghs_workflowtoken0123456789", Token::actions());
    });
    scene.set("GITHUB_ACTIONS", "true").set("GITHUB_EVENT_NAME", "push").set("GITHUB_SHA", head.as_str());
    scene.set("GITHUB_EVENT_PATH", event.to_str().unwrap()).set("GITHUB_REF", "refs/heads/main");
    scene.set("GITHUB_WORKFLOW_REF", &workflow).set("GITHUB_JOB", "gates");
    scene.set("GITHUB_TOKEN", "ghs_workflowtoken0123456789").is_well();
    scene.edit(WORKFLOW, "      pull-requests: write  # the comment\n", "");
    let complaints = scene.complaints();
    let told =
        |one: &String| one.starts_with("token rights fail: ") && one.contains("do not let it write pull-requests");
    assert!(complaints.iter().any(told), "{complaints:#?}");
    scene.unset("GITHUB_TOKEN");
    let complaints = scene.complaints();
    let none = |one: &String| one.starts_with("token fail: there is none in this step");
    assert!(complaints.iter().any(none), "{complaints:#?}");
}
