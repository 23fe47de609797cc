//! The shop that README tries gatepost on: its history, and the verdicts that it shows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gatepost::app::project;
use gatepost::config;
use regex::Regex;
use serde_json::{Value, json};

use crate::bless;
use crate::github::{FakeGitHub, Token};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/shop/history.sh");

/// A place for the shop of this test alone, what cargo builds of it included: cargo takes a copy at another place for
/// the same package, and would answer for one with what it found in the other.
fn place(test: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shop").join(test);
    if place.exists() {
        std::fs::remove_dir_all(&place).unwrap();
    }
    place
}

fn history(into: &Path) -> Output {
    // As set by someone's hook and by someone's settings: neither may show.
    let others = [("GIT_DIR", "/nowhere"), ("GIT_AUTHOR_NAME", "Other"), ("TZ", "Asia/Tokyo")];
    Command::new("sh").arg(SCRIPT).arg(into).envs(others).output().unwrap()
}

pub fn shop(test: &str) -> PathBuf {
    let place = place(test);
    let made = history(&place);
    assert!(made.status.success(), "{made:?}");
    place
}

pub fn git(repository: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git").args(arguments).current_dir(repository).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
}

/// `gatepost run`, with what cargo needs of the environment.
fn gatepost(shop: &Path, arguments: &[&str]) -> Command {
    let needed = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let given = needed.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command.current_dir(shop).arg("run").args(arguments).env_clear().envs(given).env("RUST_BACKTRACE", "0");
    // Two tests that panic at the same moment would come in either order, and the hint at backtraces with the first.
    command.env("RUST_TEST_THREADS", "1");
    command
}

/// The exit code and the report.
fn run(shop: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let done = gatepost(shop, arguments).arg("--json").output().unwrap();
    let report = serde_json::from_slice(&done.stdout);
    (done.status.code(), report.unwrap_or_else(|error| panic!("{error}: {done:?}")))
}

/// Without what differs from run to run: times, the width of their column, and numbers of threads.
fn timeless(text: &str) -> String {
    let time = Regex::new(r"\d+(\.\d+)?( |&nbsp;)m?s\b").unwrap().replace_all(text, "<time>").into_owned();
    let thread = Regex::new(r"\(\d+\) panicked").unwrap().replace_all(&time, "(<thread>) panicked").into_owned();
    Regex::new(" +").unwrap().replace_all(&thread, " ").into_owned()
}

fn gate<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["gates"].as_array().unwrap().iter().find(|gate| gate["name"] == name).unwrap()
}

/// `name: outcome, reason` of every gate.
fn ends(report: &Value) -> Vec<String> {
    let gates = report["gates"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    gates
        .map(|gate| format!("{}: {}, {}", text(&gate["name"]), text(&gate["outcome"]), text(&gate["reason"])))
        .collect()
}

/// What makes a finding count, in the tool's order.
fn findings(gate: &Value) -> Vec<String> {
    let of = |finding: &Value| {
        let [rule, path, relevance] = ["rule", "path", "relevance"].map(|key| finding[key].as_str().unwrap_or("-"));
        format!("{rule} {path}:{} {relevance} blocking={}", finding["line"], finding["blocking"])
    };
    gate["findings"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn only_what_the_branch_brought_counts() {
    let shop = shop("changed");
    let (code, report) = run(&shop, &[]);
    assert_eq!(
        ends(&report),
        [
            "lint: fail, 1 warning on changed lines",
            "fmt: pass, no findings",
            "test: pass, 8 tests passed",
            "smoke: pass, exit status 0",
            "lock: skipped, no changed file matches `Cargo.toml`, `Cargo.lock`",
            "migrations: pass, 1 migration applied",
            "audit: fail, 1 new advisory: GHSA-xvch-5gv4-984h in minimist 1.2.5 (critical 9.8); \
             3 packages in 2 lockfiles against 3 records of 2026-01-02",
        ]
    );
    assert_eq!(
        findings(gate(&report, "lint")),
        [
            "clippy::len_zero src/order.rs:45 outside blocking=false",
            "clippy::manual_range_contains src/price.rs:50 changed_line blocking=true",
        ]
    );
    assert_eq!(
        findings(gate(&report, "audit")),
        [
            "GHSA-xvch-5gv4-984h web/package-lock.json:15 changed_line blocking=true",
            "GHSA-c2qf-rxjj-qqgw web/package-lock.json:31 changed_file blocking=false",
        ]
    );
    assert_eq!(report["verdict"], "fail");
    assert_eq!(code, Some(1));

    git(&shop, &["checkout", "--quiet", "main"]);
    let (code, report) = run(&shop, &["lint"]);
    assert_eq!(ends(&report), ["lint: fail, 1 warning"], "no change is known, and none is spoken of");
    assert_eq!(findings(gate(&report, "lint")), ["clippy::len_zero src/order.rs:45 - blocking=true"]);
    assert_eq!(code, Some(1));
}

#[test]
fn failing_tests_fail_and_what_needs_them_is_not_run() {
    let (code, report) = run(&shop("broken"), &["--config", "broken.toml"]);
    assert_eq!(
        ends(&report),
        [
            "lint: fail, 1 warning on changed lines",
            "test: fail, 2 of 11 tests failed",
            "smoke: error, not run: test failed",
        ]
    );
    let tests = &gate(&report, "test")["tests"];
    assert_eq!([&tests["total"], &tests["passed"], &tests["failed"]], [11, 9, 2]);
    let mut failed: Vec<&str> = tests["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["outcome"] == "failed")
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    failed.sort_unstable();
    assert_eq!(failed, ["an_order_beyond_all_measure_is_priced", "the_discount_counts_the_whole_order"]);
    assert_eq!(code, Some(1));
}

#[test]
fn readme_shows_what_is_printed() {
    let shop = shop("printed");
    let name = shop.file_name().unwrap().to_str().unwrap();
    let done = gatepost(&shop, &["-C", name]).current_dir(shop.parent().unwrap()).output().unwrap();
    let printed = String::from_utf8(done.stdout).unwrap().replace(name, "target/shop");
    // What comes before is in the order in which gates end.
    let printed = &printed[printed.find("\n\n").expect(&printed) + 2..];
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(
        timeless(&readme).contains(&timeless(printed)),
        "README.md does not show what the shop's run prints:\n{printed}"
    );
}

#[test]
fn readme_configures_what_there_is() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let examples = readme.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let read: Vec<_> = examples
        .map(|example| project::with_known(|known| config::read(example.as_bytes(), known)).expect(example))
        .collect();
    let gates: usize = read.iter().map(|config| config.gates.len()).sum();
    let environments: usize = read.iter().map(|config| config.environments.len()).sum();
    assert_eq!((read.len(), gates, environments), (6, 6, 1));
}

/// The text of which `docs/pictures/make.sh` makes the picture.
#[test]
fn the_comment_is_the_one_in_the_picture() {
    let shop = shop("comment");
    let [head, base] = ["HEAD", "main"].map(|name| git(&shop, &["rev-parse", name]));
    let fake = FakeGitHub::start(|github| {
        github.token("ghs_shop", Token::actions());
        github.repo("octo/shop").pull(7, &head, &base).file("src/price.rs", "modified");
    });
    let end = |sha: &str, branch: &str| json!({"sha": sha, "ref": branch, "repo": {"full_name": "octo/shop"}});
    let payload = json!({
        "action": "opened", "number": 7, "repository": {"full_name": "octo/shop"},
        "pull_request": {"number": 7, "head": end(&head, "discount"), "base": end(&base, "main")},
    });
    let event = shop.join(".git/event.json");
    std::fs::write(&event, payload.to_string()).unwrap();
    let ended = gatepost(&shop, &["--config", "broken.toml"])
        .env("GITHUB_EVENT_PATH", &event)
        .envs([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REPOSITORY", "octo/shop"),
            ("GITHUB_SHA", &head),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_API_URL", &fake.url()),
            ("GITHUB_RUN_ID", "1001"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_TOKEN", "ghs_shop"),
        ])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let body = fake.with(|github| github.repo("octo/shop").comments[0].body.clone());
    fake.finish();
    let body = Regex::new("<!-- gatepost:.*?-->\\s*").unwrap().replace_all(&body, "").into_owned();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures/comment.md");
    let expected = std::fs::read_to_string(&picture).unwrap_or_default();
    if timeless(&expected) != timeless(&body) {
        bless::compare(&picture, &body);
    }
}

#[test]
fn the_history_is_the_same_every_time_and_overwrites_nothing() {
    let shop = shop("history");
    let log = git(&shop, &["log", "--all", "--decorate=short", "--date=iso", "--format=%an %ad%d %s"]);
    assert_eq!(
        log,
        "Ada 2026-01-06 09:00:00 +0000 (HEAD -> discount) Give a discount on many of one article\n\
         Ada 2026-01-05 09:00:00 +0000 (origin/main, main) Take orders and price them over HTTP"
    );
    assert_eq!(git(&shop, &["status", "--porcelain"]), "");
    assert!(!shop.join(".git/hooks").exists());
    let again = place("again");
    assert!(history(&again).status.success());
    assert_eq!(git(&shop, &["rev-parse", "HEAD"]), git(&again, &["rev-parse", "HEAD"]));
    let refused = history(&again);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is there already"), "{refused:?}");
}

/// Ends the shop of a test when it ends, however it does.
pub struct Running(pub PathBuf);

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(id) = std::fs::read_to_string(self.0.join("pid")) {
            let _ = Command::new("kill").arg(id.trim()).status();
        }
    }
}

/// What differs from run to run and from machine to machine.
fn plain(text: &str) -> String {
    let numbers = Regex::new(
        r"[0-9a-f]{40}|\b[0-9a-f]{7}\b|report of \S+Z|[0-9.]+ (s|ms)\b|[0-9]+ times|[0-9]+ in all|process [0-9]+|:[0-9]+/",
    )
    .unwrap();
    let text = numbers.replace_all(text, "#");
    // While the service starts again, a probe may find nobody: how often depends on the machine's load.
    let lines = text.lines().filter(|line| !line.contains("could not be asked"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

/// The commands that the README shows of deploys, as they stand there, in a fresh copy on a port of its own.
#[test]
fn the_readmes_deploy_the_sick_one_rolled_back_and_the_status_are_as_it_says() {
    let readme = include_str!("../../README.md");
    let deploys = readme.split_once("\n## Deploys\n").unwrap().1;
    let block = |start: &str| deploys.split_once(start).unwrap().1.split_once("```").unwrap().0.to_owned();
    let (commands, shown) = (block("```sh\n"), block("```text\n"));

    let shop = shop("deploys");
    let running = Running(shop.with_file_name("deploys-place"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = std::fs::read_to_string(shop.join("gatepost.toml")).unwrap();
    std::fs::write(shop.join("gatepost.toml"), config.replace(":8037", &format!(":{port}"))).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_gatepost")).parent().unwrap();
    let path = std::env::join_paths(
        [program.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let path = path.unwrap();
    let sh = |line: &str| {
        let needed = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
        let given = needed.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&shop).env_clear().envs(given).env("PATH", &path);
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@shop.example")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        let done = command.env("SHOP_PLACE", &running.0).env("USER", "ada").output().unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr),
        )
    };
    assert_eq!(sh("git commit --quiet --all --message 'Another port'").0, 0);
    let ended: Vec<(i32, String)> = commands.lines().map(sh).collect();
    let codes: Vec<i32> = ended.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [0, 0, 0, 0, 5, 0], "{ended:?}");
    let said = format!("{}\n{}", ended[4].1, ended[5].1);
    assert_eq!(plain(&said), plain(&shown), "it is now:\n{said}");
    // Under two minutes, with room.
    let took = Regex::new(r"from the decision to the old version: ([0-9]+)\.[0-9] s").unwrap();
    let took: u64 = took.captures(&said).unwrap()[1].parse().unwrap();
    assert!(took < 60, "{said}");
}
