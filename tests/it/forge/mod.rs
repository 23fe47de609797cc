//! The interpreter over real HTTP against the fake GitHub: what it says is as GitHub describes it, and it ends well
//! whatever happens on the way. The waits are short; the policy is tested on a paused clock beside the code.

mod issues;
mod wire;

use std::net::TcpListener;
use std::time::Duration;

use gatepost::model::call::{
    Annotation, Call, CheckRun, CommitStatus, LiveComment, News, ReceiptEnd, Review, ReviewSuggestion, StickyComment,
    StickyIssue,
};
use gatepost::model::outcome::Outcome;
use gatepost::model::secret::Secret;
use gatepost::model::sha::Sha;
use gatepost::publish::interpreter::{Interpreter, Options, Pace};
use gatepost::world::forge::{Forge as _, ForgeError, Request};
use gatepost::world::github::{GitHub, Timeouts};

use super::github::{Account, FakeGitHub, Scope, State, Token};

const BASE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "2222222222222222222222222222222222222222";
const TOKEN: &str = "ghs_canary0123456789";

fn start() -> FakeGitHub {
    start_with(Token::actions(), |_| {})
}

fn start_with(token: Token, setup: impl FnOnce(&mut State)) -> FakeGitHub {
    FakeGitHub::start(|github| {
        github.token(TOKEN, token);
        github.repo("octo/shop").pull(7, HEAD, BASE).file("src/a.rs", "modified");
        setup(github);
    })
}

fn github(url: &str) -> GitHub {
    GitHub::new(url, Secret::new(TOKEN.to_owned())).unwrap()
}

fn hasty(url: &str) -> GitHub {
    github(url).with_timeouts(Timeouts { whole: Duration::from_millis(1500), ..Timeouts::default() })
}

fn interpreter(url: &str) -> Interpreter<GitHub> {
    interpreter_on(github(url))
}

fn interpreter_on(github: GitHub) -> Interpreter<GitHub> {
    let millis = Duration::from_millis;
    let pace = Pace {
        retries: [millis(5); 3],
        looks: [millis(5); 4],
        pause: millis(20),
        gap: millis(1),
        loud_gap: millis(1),
        ..Pace::default()
    };
    let repository = "octo/shop".to_owned();
    Interpreter::new(github, &Options { repository, patience: Duration::from_secs(20), dry_run: false, pace })
}

fn annotation(line: u32) -> Annotation {
    Annotation {
        path: "src/a.rs".to_owned(),
        start_line: line,
        end_line: line,
        start_column: Some(1),
        end_column: Some(2),
        annotation_level: "warning",
        message: format!("finding {line}"),
        title: Some("rule".to_owned()),
    }
}

fn check_run(name: &str, count: u32) -> CheckRun {
    CheckRun {
        name: format!("gatepost/{name}"),
        head_sha: Sha::parse(HEAD).unwrap(),
        external_id: format!("gatepost:123.1:{name}"),
        already: false,
        stands_back: false,
        conclusion: "failure",
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        completed_at: "2026-01-01T00:00:01Z".to_owned(),
        title: "2 new warnings".to_owned(),
        summary: "summary".to_owned(),
        text: Some("text".to_owned()),
        details_url: Some("https://github.test/octo/shop/actions/runs/123".to_owned()),
        annotations: (1..=count).map(annotation).collect(),
    }
}

fn status() -> CommitStatus {
    CommitStatus {
        sha: Sha::parse(HEAD).unwrap(),
        state: "failure",
        context: "gatepost/lint".to_owned(),
        description: "2 new warnings".to_owned(),
        target_url: Some("https://github.test/octo/shop/actions/runs/123".to_owned()),
    }
}

fn comment(run: u64, body: &str) -> StickyComment {
    StickyComment {
        pull_request: 7,
        head_sha: Sha::parse(HEAD).unwrap(),
        marker: "gatepost".to_owned(),
        generation: (run, 1).into(),
        verdict: Outcome::Fail,
        job: "test".to_owned(),
        made: format!("m{run}"),
        green: false,
        body: body.to_owned(),
        create: true,
    }
}

fn review() -> Review {
    let one = |line: u32| ReviewSuggestion {
        path: "src/a.rs".to_owned(),
        start_line: line,
        end_line: line + 1,
        key: format!("{line:032x}"),
        body: "- `x`\n\n```suggestion\ny\n```\n".to_owned(),
    };
    Review { pull_request: 7, head_sha: Sha::parse(HEAD).unwrap(), suggestions: vec![one(3), one(9)] }
}

fn issue(run: u64, body: &str, open: bool) -> StickyIssue {
    StickyIssue {
        marker: "issue-audit".to_owned(),
        formerly: String::new(),
        generation: (run, 1).into(),
        verdict: if open { Outcome::Fail } else { Outcome::Pass },
        title: "gatepost audit".to_owned(),
        body: body.to_owned(),
        open,
    }
}

fn calls() -> [Call; 3] {
    [
        Call::CheckRun(check_run("lint", 60)),
        Call::CommitStatus(status()),
        Call::StickyComment(comment(1, "2 new warnings")),
    ]
}

/// Check runs with their annotations, statuses, and comments on GitHub.
fn counts(fake: &FakeGitHub) -> (Vec<usize>, usize, usize) {
    fake.with(|github| {
        let repo = github.repo("octo/shop");
        let checks = repo.checks.iter().map(|check| check.annotations.len()).collect();
        (checks, repo.statuses.len(), repo.comments.len())
    })
}

fn bodies(fake: &FakeGitHub) -> Vec<String> {
    fake.with(|github| {
        let comments = github.repo("octo/shop").comments.iter();
        comments.map(|comment| comment.body.lines().skip(1).collect::<Vec<_>>().join("\n")).collect()
    })
}

fn operations(fake: &FakeGitHub) -> Vec<String> {
    fake.requests("*").into_iter().map(|entry| entry.operation).collect()
}

async fn send(fake: &FakeGitHub, call: &Call) -> ReceiptEnd {
    interpreter(&fake.url()).send(call).await.end
}

#[track_caller]
fn posted(end: &ReceiptEnd) {
    assert!(matches!(end, ReceiptEnd::Posted(Some(link)) if link.starts_with("https://github.test/")), "{end:?}");
}

#[tokio::test]
async fn a_pull_request_is_told_in_few_calls_as_github_describes_them() {
    let fake = start();
    let mut posting = interpreter(&fake.url());
    for (name, count) in [("lint", 60), ("test", 3), ("audit", 0)] {
        posted(&posting.send(&Call::CheckRun(check_run(name, count))).await.end);
    }
    posted(&posting.send(&Call::StickyComment(comment(1, "red"))).await.end);
    assert_eq!(counts(&fake), (vec![60, 3, 0], 0, 1));
    assert_eq!(fake.requests("*").len(), 8, "{:?}", operations(&fake));
    let end = posting.send(&Call::StickyComment(comment(2, "green"))).await.end;
    posted(&end);
    assert_eq!(bodies(&fake), ["green"]);
    let first = fake.with(|github| github.repo("octo/shop").comments[0].body.lines().next().unwrap().to_owned());
    assert!(first.starts_with("<!-- gatepost:v1 key=gatepost run=2.1 verdict=fail hash="), "{first}");
    assert_eq!(posting.merge_base(BASE, HEAD).await.map(|sha| sha.to_string()), Ok(BASE.to_owned()));
    assert_eq!(posting.pull_request_head(7).await.map(|sha| sha.to_string()), Ok(HEAD.to_owned()));
    fake.finish();
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_below_a_path() {
    let fake = start_with(Token::actions(), |github| {
        github.base_path("/api/v3");
    });
    assert!(fake.url().ends_with("/api/v3"));
    for call in calls() {
        assert!(matches!(send(&fake, &call).await, ReceiptEnd::Posted(_)));
    }
    // A second run has to ask whose the comment is, by GraphQL, which is not below /v3.
    posted(&send(&fake, &Call::StickyComment(comment(2, "green"))).await);
    assert!(operations(&fake).contains(&"graphql".to_owned()), "{:?}", operations(&fake));
    assert_eq!((counts(&fake), bodies(&fake)), ((vec![60], 1, 1), vec!["green".to_owned()]));
    fake.finish();
}

#[tokio::test]
async fn the_comment_is_found_among_more_than_a_page() {
    let fake = start_with(Token::actions(), |github| {
        for _ in 0..130 {
            github.comment("octo/shop", 7, Account::user("mona"), "hello");
        }
    });
    posted(&send(&fake, &Call::StickyComment(comment(1, "red"))).await);
    posted(&send(&fake, &Call::StickyComment(comment(2, "green"))).await);
    assert_eq!(bodies(&fake)[130..], ["green"]);
    fake.finish();
}

#[tokio::test]
async fn a_list_that_goes_on_elsewhere_is_not_followed() {
    let fake = start_with(Token::actions(), |github| {
        github.link_origin = Some("http://127.0.0.1:9".to_owned());
        for _ in 0..130 {
            github.comment("octo/shop", 7, Account::user("mona"), "hello");
        }
    });
    let end = send(&fake, &Call::StickyComment(comment(1, "red"))).await;
    assert!(matches!(&end, ReceiptEnd::Failed(why) if why.contains("leads to http://127.0.0.1:9")), "{end:?}");
    assert_eq!(counts(&fake).2, 130, "half a list is no ground to create");
    fake.finish();
}

fn live() -> LiveComment {
    LiveComment { pull_request: 7, marker: "deploy-staging-12".to_owned(), body: "going on".to_owned() }
}

fn news() -> News {
    News {
        key: "production".to_owned(),
        id: "msg_1".to_owned(),
        title: "P1: Deploy to production failed".to_owned(),
        body: "It failed.".to_owned(),
        labels: vec!["incident".to_owned()],
        opens: true,
        closes: false,
    }
}

#[tokio::test]
async fn a_lost_reply_to_any_write_leaves_one_object() {
    let writes = [
        ("checks/create", calls()[0].clone()),
        ("checks/update", calls()[0].clone()),
        ("repos/create-commit-status", calls()[1].clone()),
        ("issues/create-comment", calls()[2].clone()),
        ("pulls/create-review", Call::Review(review())),
        ("issues/create", Call::StickyIssue(issue(1, "2 advisories", true))),
        ("issues/create", Call::News(news())),
        ("issues/create-comment", Call::LiveComment(live())),
    ];
    for (operation, call) in writes {
        for fault in 0..8 {
            let fake = start();
            let faulty = fake.fault(operation).nth(1);
            match fault {
                0 => faulty.lose(502),
                1 => faulty.lose_reset(),
                2 => faulty.truncate(20),
                3 => faulty.html(201),
                4 => faulty.hang(),
                5 => faulty.reset(),
                6 => faulty.refuse(503),
                _ => faulty.slow(Duration::from_millis(50)),
            }
            let end = interpreter_on(hasty(&fake.url())).send(&call).await.end;
            assert!(matches!(end, ReceiptEnd::Posted(_)), "{operation} {fault}: {end:?}");
            let expected = match call {
                Call::CheckRun(_) => (vec![60], 0, 0),
                Call::CommitStatus(_) => (vec![], 1, 0),
                Call::StickyComment(_) | Call::LiveComment(_) => (vec![], 0, 1),
                Call::Review(_) | Call::StickyIssue(_) | Call::News(_) => (vec![], 0, 0),
            };
            let reviewed = fake.with(|github| github.repo("octo/shop").review_comments.len());
            assert_eq!(reviewed, if operation == "pulls/create-review" { 2 } else { 0 }, "{operation} {fault}");
            let issues = usize::from(operation == "issues/create");
            assert_eq!(fake.with(|github| github.repo("octo/shop").issues.len()), issues, "{operation} {fault}");
            assert_eq!(counts(&fake), expected, "{operation} {fault}: {:?}", operations(&fake));
            fake.finish();
        }
    }
}

#[tokio::test]
async fn reads_and_updates_are_tried_again() {
    for operation in ["pulls/get", "issues/list-comments", "issues/update-comment"] {
        let fake = start();
        send(&fake, &Call::StickyComment(comment(1, "red"))).await;
        fake.fault(operation).first(2).lose_reset();
        fake.fault(operation).nth(3).html(502);
        posted(&send(&fake, &Call::StickyComment(comment(2, "green"))).await);
        assert_eq!(bodies(&fake), ["green"]);
        fake.finish();
    }
}

#[tokio::test]
async fn what_does_not_show_yet_is_waited_for() {
    let fake = start();
    fake.fault("issues/create-comment").nth(1).unseen(2);
    fake.fault("checks/create").nth(1).unseen(1);
    for call in [&calls()[0], &calls()[2]] {
        posted(&send(&fake, call).await);
    }
    assert_eq!(counts(&fake), (vec![60], 0, 1));
    fake.finish();
}

#[tokio::test]
async fn a_secondary_limit_is_waited_out() {
    for status in [403, 429] {
        let fake = start();
        fake.fault("checks/create").nth(1).secondary_limit(status, Some(1));
        let before = std::time::Instant::now();
        posted(&send(&fake, &calls()[0]).await);
        assert!(before.elapsed() >= Duration::from_secs(1));
        assert_eq!(counts(&fake).0, [60]);
        fake.finish();
    }
}

#[tokio::test]
async fn a_used_up_hour_is_told_at_once() {
    let fake = start();
    fake.fault("*").primary_limit(3000);
    let end = send(&fake, &calls()[0]).await;
    assert!(
        matches!(&end, ReceiptEnd::Failed(why) if why.contains("GitHub's rate limit closes this token until 20")),
        "{end:?}"
    );
    assert_eq!(fake.requests("*").len(), 1);
    fake.finish();
}

#[tokio::test]
async fn a_forks_token_posts_nothing_and_says_so_once() {
    let fake = start_with(Token::read_only(), |_| {});
    let mut posting = interpreter(&fake.url());
    let receipts = posting.send_all(&[calls()[0].clone(), calls()[0].clone(), calls()[2].clone()]).await;
    let whys: Vec<&str> = receipts
        .iter()
        .map(|receipt| match &receipt.end {
            ReceiptEnd::Denied(why) => why.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(
        whys[0].contains("`checks: write`") && whys[0].contains("Resource not accessible by integration"),
        "{whys:?}"
    );
    assert!(whys[1].ends_with("as said above"), "{whys:?}");
    assert!(whys[2].contains("`pull-requests: write`"), "{whys:?}");
    assert_eq!(fake.requests("writes").len(), 2);
    fake.finish();
}

#[tokio::test]
async fn a_workflow_that_may_write_checks_only_still_writes_them() {
    let fake = start_with(Token::actions().without(Scope::Issues).without(Scope::PullRequests), |_| {});
    let mut posting = interpreter(&fake.url());
    posted(&posting.send(&calls()[0]).await.end);
    assert!(matches!(posting.send(&calls()[2]).await.end, ReceiptEnd::Denied(_)));
    fake.finish();
}

#[tokio::test]
async fn a_personal_token_writes_statuses_and_the_comment() {
    let fake = start_with(Token::personal("mona"), |_| {});
    let mut posting = interpreter(&fake.url());
    for name in ["lint", "test"] {
        let end = posting.send(&Call::CheckRun(check_run(name, 60))).await.end;
        assert!(matches!(&end, ReceiptEnd::Downgraded(why) if why.starts_with("posted as a commit status")), "{end:?}");
    }
    posted(&posting.send(&calls()[2]).await.end);
    posted(&send(&fake, &Call::StickyComment(comment(2, "green"))).await);
    assert_eq!((counts(&fake), bodies(&fake)), ((vec![], 2, 1), vec!["green".to_owned()]));
    let contexts =
        fake.with(|github| github.repo("octo/shop").statuses.iter().map(|one| one.context.clone()).collect::<Vec<_>>());
    assert_eq!(contexts, ["gatepost/lint", "gatepost/test"]);
    fake.finish();
}

#[tokio::test]
async fn refused_annotations_are_told_and_the_others_placed() {
    let fake = start_with(Token::actions(), |github| {
        github.refused_annotations.insert("src/gone.rs".to_owned());
    });
    let mut run = check_run("lint", 60);
    "src/gone.rs".clone_into(&mut run.annotations[5].path);
    let end = send(&fake, &Call::CheckRun(run)).await;
    assert!(
        matches!(&end, ReceiptEnd::Downgraded(why) if why.starts_with("59 of 60 annotations placed; GitHub refused 1 (")),
        "{end:?}"
    );
    assert_eq!(counts(&fake).0, [59]);
    let text = fake.with(|github| github.repo("octo/shop").checks[0].text.clone().unwrap());
    assert!(text.starts_with("text\n") && text.contains("src/gone.rs:6: finding 6"), "{text}");
    fake.finish();
}

#[tokio::test]
async fn two_runs_racing_on_one_comment_end_with_the_newer_ones() {
    for (first, second) in [(2, 3), (3, 2)] {
        let fake = start();
        let (one, two) = (Call::StickyComment(comment(first, "one")), Call::StickyComment(comment(second, "two")));
        let (a, b) = tokio::join!(send(&fake, &one), send(&fake, &two));
        let newer = if first > second { "one" } else { "two" };
        assert_eq!(bodies(&fake), [newer], "{a:?} {b:?}: {:?}", operations(&fake));
        fake.finish();
    }
}

#[tokio::test]
async fn a_comment_is_left_to_a_newer_run_and_to_a_newer_head() {
    let fake = start();
    send(&fake, &Call::StickyComment(comment(9, "newer"))).await;
    let end = send(&fake, &Call::StickyComment(comment(2, "older"))).await;
    assert!(matches!(&end, ReceiptEnd::LeftAlone(why) if why.contains("newer run (9, attempt 1)")), "{end:?}");
    let next = "3333333333333333333333333333333333333333";
    fake.on("pulls/get", 1, |github| {
        github.repo("octo/shop").pull(7, "3333333333333333333333333333333333333333", BASE);
    });
    let end = send(&fake, &Call::StickyComment(comment(10, "of the old head"))).await;
    assert!(matches!(&end, ReceiptEnd::LeftAlone(why) if why.contains(&next[..7])), "{end:?}");
    assert_eq!(bodies(&fake), ["newer"]);
    fake.finish();
}

#[tokio::test]
async fn a_forged_marker_is_not_believed() {
    let fake = start();
    send(&fake, &Call::StickyComment(comment(9, "red"))).await;
    let forged = fake.with(|github| {
        let repo = github.repo("octo/shop");
        let whole = repo.comments.remove(0).body;
        github.comment("octo/shop", 7, Account::user("mallory"), &whole);
        whole
    });
    posted(&send(&fake, &Call::StickyComment(comment(2, "red"))).await);
    let left =
        fake.with(|github| github.repo("octo/shop").comments.iter().map(|one| one.body.clone()).collect::<Vec<_>>());
    assert_eq!((left.len(), &left[0]), (2, &forged));
    fake.finish();
}

#[tokio::test]
async fn a_wrong_token_and_no_api_at_all_are_told_with_what_to_do() {
    let fake = start();
    let wrong = GitHub::new(&fake.url(), Secret::new("ghs_wrong".to_owned())).unwrap();
    let reply = wrong.send(&Request::get("/repos/octo/shop/pulls/7".to_owned())).await.unwrap();
    assert_eq!(reply.status, 401);
    fake.fault("*").unauthorized();
    let end = send(&fake, &calls()[0]).await;
    assert!(
        matches!(&end, ReceiptEnd::Failed(why) if why.contains("401: Bad credentials; the token is wrong")),
        "{end:?}"
    );
    fake.finish();

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let receipts = interpreter(&format!("http://{nobody}")).send_all(&calls()).await;
    for receipt in receipts {
        let ReceiptEnd::Failed(why) = &receipt.end else { panic!("{receipt:?}") };
        assert!(why.contains(&format!("cannot reach http://{nobody}/repos/octo/shop")), "{why}");
        assert!(why.contains("refused") && why.contains("check the network and GITHUB_API_URL"), "{why}");
        assert!(!why.contains(TOKEN), "{why}");
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_told_without_showing_it() {
    let fake = start();
    let github = GitHub::new(&fake.url(), Secret::new("ghs_\nx".to_owned())).unwrap();
    let error = github.send(&Request::get("/x".to_owned())).await.unwrap_err();
    assert!(matches!(error, ForgeError::Token) && !error.to_string().contains("ghs_"), "{error}");
    assert!(!format!("{github:?}").contains("ghs_"));
    fake.finish();
}

/// The app sends from a task of its own.
#[tokio::test]
async fn an_interpreter_may_move_to_another_task() {
    let fake = start();
    let mut posting = interpreter(&fake.url());
    let receipts = tokio::spawn(async move { posting.send_all(&calls()).await }).await.unwrap();
    assert!(receipts.iter().all(|receipt| matches!(receipt.end, ReceiptEnd::Posted(_))), "{receipts:?}");
    fake.finish();
}
