//! Publishing end to end: the real program, on real repositories, against the fake GitHub over real HTTP.

mod advisory;
mod baseline;
mod events;
mod fan_in;
mod hostile;
mod moved;
mod names;
mod proxies;
mod rights;
mod scenario;
mod secrets;
mod size;
mod suggestions;
mod untrusted;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::github::{FakeGitHub, State, Token};

/// The token of the workflow.
const TOKEN: &str = "ghs_workflowtoken0123456789";

const GATES: &str = r#"
[gates.lint]
kind = "lint"
command = "cat tool/lint.txt; exit 1"
format = "gcc"

[gates.web]
kind = "lint"
command = "cat tool/eslint.json; exit 1"
format = "eslint"

[gates.test]
kind = "test"
command = "cp tool/junit.xml junit.xml; exit 1"
reports = ["junit.xml"]

[gates.build]
kind = "command"
command = "echo built"
"#;

/// Line 2 is changed, line 4 is not.
const LINT: &str = "src/a.c:2:5: warning: unused variable 'two' [-Wunused-variable]\n\
                    src/a.c:4:5: warning: unused variable 'four' [-Wunused-variable]\n";

const ESLINT: &str = r#"[{"filePath":"web/app.js","messages":[{"ruleId":"no-unused-vars","severity":2,
"message":"'x' is defined but never used.","line":1,"column":5,"endLine":1,"endColumn":6}]}]"#;

const JUNIT: &str = r#"<testsuite name="shop" tests="2" failures="1">
<testcase classname="cart" name="adds" time="0.1"/>
<testcase classname="cart" name="removes" time="0.1" file="src/a.c" line="3"><failure message="expected 1, got 2">at cart</failure></testcase>
</testsuite>"#;

/// A repository whose pull request is gated, and the GitHub that is told.
struct Scene {
    folder: TempDir,
    fake: FakeGitHub,
    base: String,
    head: String,
}

/// What a run did.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
    took: Duration,
}

impl Scene {
    /// A pull request that changes line 2 of `src/a.c` and adds `web/app.js`, and these gates.
    fn new(gates: &str, token: Token) -> Self {
        Self::with(
            gates,
            |_| {},
            |github| {
                github.token(TOKEN, token);
            },
        )
    }

    /// The same, with more files in the pull request and more on GitHub.
    fn with(gates: &str, change: impl FnOnce(&Path), setup: impl FnOnce(&mut State)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        std::fs::create_dir_all(&root).unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        for (file, text) in [
            ("gatepost.toml", gates),
            ("src/a.c", "one\ntwo\nthree\nfour\nfive\n"),
            ("tool/lint.txt", LINT),
            ("tool/eslint.json", ESLINT),
            ("tool/junit.xml", JUNIT),
        ] {
            write(&root.join(file), text);
        }
        commit(&root, "base");
        let base = git(&root, &["rev-parse", "HEAD"]);
        git(&root, &["checkout", "-q", "-b", "feature"]);
        write(&root.join("src/a.c"), "one\nTWO\nthree\nfour\nfive\n");
        write(&root.join("web/app.js"), "let x;\n");
        change(&root);
        commit(&root, "head");
        let head = git(&root, &["rev-parse", "HEAD"]);
        let fake = FakeGitHub::start(|github| {
            setup(github);
            github.repo("octo/shop").pull(7, &head, &base).file("src/a.c", "modified").file("web/app.js", "added");
        });
        let scene = Self { folder, fake, base, head };
        scene.event("octo/shop", "feature");
        scene
    }

    /// Writes the event's payload.
    fn event(&self, head_repo: &str, branch: &str) {
        let end = |sha: &str, branch: &str, repo: &str| json!({"sha": sha, "ref": branch, "repo": {"full_name": repo}});
        let payload = json!({
            "action": "synchronize", "number": 7,
            "repository": {"full_name": "octo/shop"},
            "pull_request": {
                "number": 7,
                "head": end(&self.head, branch, head_repo),
                "base": end(&self.base, "main", "octo/shop"),
            },
        });
        write(&self.beside("event.json"), &payload.to_string());
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Text of a file beside the repository, empty where there is none.
    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.beside(name)).unwrap_or_default()
    }

    /// `gatepost` in the repository with nothing but a PATH.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `gatepost run` as a step of this workflow run. Gates run one by one, so that every conversation is the same.
    fn step(&self, run: u32, arguments: &[&str]) -> Command {
        self.call(run, &[&["run", "-j", "1"], arguments].concat())
    }

    /// `gatepost` as a step of this workflow run.
    fn call(&self, run: u32, arguments: &[&str]) -> Command {
        let mut command = self.program(arguments);
        let run = run.to_string();
        let variables: [(&str, OsString); 13] = [
            ("GITHUB_ACTIONS", "true".into()),
            ("GITHUB_EVENT_NAME", "pull_request".into()),
            ("GITHUB_EVENT_PATH", self.beside("event.json").into()),
            ("GITHUB_REPOSITORY", "octo/shop".into()),
            ("GITHUB_SHA", self.head.clone().into()),
            ("GITHUB_REF", "refs/pull/7/merge".into()),
            ("GITHUB_SERVER_URL", "https://github.test".into()),
            ("GITHUB_API_URL", self.fake.url().into()),
            ("GITHUB_RUN_ID", run.into()),
            ("GITHUB_RUN_ATTEMPT", "1".into()),
            ("GITHUB_STEP_SUMMARY", self.beside("summary.md").into()),
            ("GITHUB_OUTPUT", self.beside("output").into()),
            ("GITHUB_TOKEN", TOKEN.into()),
        ];
        command.envs(variables);
        command
    }

    fn run(&self, run: u32) -> Ended {
        end(&mut self.step(run, &[]))
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.root().join(".gatepost/report.json")).unwrap()).unwrap()
    }

    /// Check runs on GitHub: name, conclusion, and `path:line` of every annotation.
    fn checks(&self) -> Vec<(String, String, Vec<String>)> {
        let place = |note: &Value| format!("{}:{}", note["path"].as_str().unwrap(), note["start_line"]);
        self.fake.with(|github| {
            let checks = github.repo("octo/shop").checks.iter();
            let shown = checks.map(|check| {
                assert_eq!((check.head_sha.as_str(), check.status.as_str()), (self.head.as_str(), "completed"));
                let places = check.annotations.iter().map(place).collect();
                (check.name.clone(), check.conclusion.clone().unwrap(), places)
            });
            shown.collect()
        })
    }

    /// Bodies of the comments on the pull request.
    fn comments(&self) -> Vec<String> {
        self.fake.with(|github| github.repo("octo/shop").comments.iter().map(|one| one.body.clone()).collect())
    }
}

fn end(command: &mut Command) -> Ended {
    let begun = Instant::now();
    ended(command.spawn().unwrap(), begun)
}

fn ended(child: Child, begun: Instant) -> Ended {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr), took: begun.elapsed() }
}

impl Ended {
    #[track_caller]
    fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// The lines of standard output that begin like this.
    fn lines(&self, start: &str) -> Vec<&str> {
        self.out.lines().filter(|line| line.starts_with(start)).collect()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "--all"]);
    git(root, &["commit", "-q", "-m", message]);
}

fn git(root: &Path, arguments: &[&str]) -> String {
    crate::repo::git_in(root, arguments).trim().to_owned()
}
