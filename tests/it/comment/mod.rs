//! Commands in comments: the real program, woken by comments on a pull request of the fake GitHub, with a service that it
//! deploys to.

mod deploys;
mod forks;
mod overrides;
mod replays;
mod reruns;
mod rights;
mod spoken;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::deploy::{On, Scene};
use crate::github::{Account, FakeGitHub, Token, WorkflowRun};

const REPO: &str = "octo/shop";
const CI: &str = ".github/workflows/ci.yml";

/// The run that is woken.
const RUN: u64 = 77;

/// A pull request (#7, from the branch `feature`) on a service with an environment `staging`. Ana may push, Max may also
/// change settings, Eve may read.
struct Chat {
    scene: Scene,
    head: String,
}

/// What a comment came to.
struct Answered {
    code: i32,
    json: Value,
    err: String,
}

impl Chat {
    fn new(more: &str) -> Self {
        let scene = Scene::new(On::GitHub, more);
        scene.tree.git(&["branch", "-M", "main"]);
        let main = scene.head();
        scene.tree.git(&["checkout", "--quiet", "-b", "feature"]);
        let head = scene.commit(None);
        scene.tree.git(&["checkout", "--quiet", "main"]);
        let chat = Self { scene, head };
        chat.github(|github| {
            github.token("secret", Token::actions().limited(1_000_000));
            let repo = github.repo(REPO);
            repo.collaborator("ana", "write").collaborator("max", "maintain").collaborator("eve", "read");
            repo.pull(7, &chat.head, &main);
            repo.issue(8);
            repo.file("main", CI, "on: push").file(&main, CI, "on: push").file(&chat.head, CI, "on: push");
        });
        chat.run(15, &chat.head, "pull_request", Some("success"));
        chat.run(RUN, &main, "issue_comment", None);
        chat.check("success", "gatepost:15.1:test:all:-:fe6949ee.0123456789abcdef");
        chat
    }

    fn fake(&self) -> &FakeGitHub {
        self.scene.fake.as_ref().unwrap()
    }

    fn github<T>(&self, act: impl FnOnce(&mut crate::github::State) -> T) -> T {
        self.fake().with(act)
    }

    /// A run of a workflow on the branch `feature`.
    fn run(&self, id: u64, sha: &str, event: &str, conclusion: Option<&str>) {
        let run = WorkflowRun {
            id,
            attempt: 1,
            event: event.to_owned(),
            head_sha: sha.to_owned(),
            head_branch: Some("feature".to_owned()),
            head_repository: Some(REPO.to_owned()),
            conclusion: conclusion.map(str::to_owned),
        };
        self.github(|github| github.repo(REPO).runs.push(run));
    }

    /// A check run of the gate `test` for the pull request's head, just now.
    fn check(&self, conclusion: &str, says: &str) -> u64 {
        let now = gatepost::world::clock::now().to_string();
        let says = self.scene.of_files(&self.head, says);
        self.github(|github| {
            let id = github.check(REPO, &self.head, "gatepost/test", conclusion, Account::actions());
            let check = github.repo(REPO).checks.last_mut().unwrap();
            (check.external_id, check.completed_at) = (Some(says), Some(now));
            id
        })
    }

    /// Somebody comments on the pull request.
    fn say(&self, author: &str, body: &str) -> u64 {
        self.github(|github| github.comment(REPO, 7, Account::user(author), body))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scene.tree.dir.with_file_name(name)
    }

    /// The program, as the workflow starts it for an event.
    fn command(&self, event: &str, payload: &Value, actor: &str) -> Command {
        let path = self.file(&format!("event-{}.json", payload["comment"]["id"]));
        std::fs::write(&path, payload.to_string()).unwrap();
        let mut command = self.scene.command(&["comment", "--json"]);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", path)
            .env("GITHUB_SHA", self.scene.head())
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_SERVER_URL", "https://github.test")
            .env("GITHUB_RUN_ID", RUN.to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_ACTOR", actor)
            .env("GITHUB_TRIGGERING_ACTOR", actor)
            .env("GITHUB_OUTPUT", self.file("output"))
            .env("GITHUB_STEP_SUMMARY", self.file("summary"));
        command
    }

    /// The event of a comment, as GitHub sends it when it was written.
    fn event(&self, id: u64) -> Value {
        self.github(|github| {
            let repo = github.repo(REPO);
            let comment = repo.comments.iter().find(|comment| comment.id == id).unwrap();
            let issue = if repo.pulls.contains_key(&comment.issue) {
                json!({ "number": comment.issue, "pull_request": { "url": "x" } })
            } else {
                json!({ "number": comment.issue })
            };
            let user = json!({ "login": comment.author.login, "type": if comment.author.app.is_some() { "Bot" } else { "User" } });
            json!({
                "action": "created",
                "issue": issue,
                "comment": { "id": id, "body": comment.body, "user": user },
                "sender": user,
                "repository": { "full_name": REPO, "default_branch": "main" },
            })
        })
    }

    /// The workflow is woken by a comment.
    fn wake(&self, id: u64) -> Answered {
        let event = self.event(id);
        let actor = event["sender"]["login"].as_str().unwrap().to_owned();
        answered(&mut self.command("issue_comment", &event, &actor))
    }

    fn ask(&self, author: &str, body: &str) -> Answered {
        let id = self.say(author, body);
        self.wake(id)
    }

    /// The newest reply.
    fn reply(&self) -> String {
        self.github(|github| {
            let comments = &github.repo(REPO).comments;
            comments
                .iter()
                .rfind(|one| one.author == Account::actions())
                .map(|one| one.body.clone())
                .unwrap_or_default()
        })
    }

    fn replies(&self) -> usize {
        self.github(|github| github.repo(REPO).comments.iter().filter(|one| one.author == Account::actions()).count())
    }

    /// Commits and states of the recorded deployments.
    fn deployments(&self) -> Vec<(String, String)> {
        self.github(|github| {
            let state =
                |one: &crate::github::Deployment| one.statuses.last().map_or("none", |step| &step.state).to_owned();
            github.repo(REPO).deployments.iter().map(|one| (one.sha.clone(), state(one))).collect()
        })
    }

    fn reactions(&self) -> Vec<String> {
        self.github(|github| github.repo(REPO).reactions.iter().map(|(_, _, content)| content.clone()).collect())
    }

    fn confirmed(&self) -> String {
        format!("/deploy staging {}", self.head)
    }
}

fn answered(command: &mut Command) -> Answered {
    let done = command.output().unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    let json = serde_json::from_str(&out).unwrap_or(Value::Null);
    Answered { code: done.status.code().unwrap_or(-1), json, err }
}

impl Answered {
    #[track_caller]
    fn is(self, code: i32, decision: &str, reason: &str) -> Self {
        let got = (self.code, self.json["decision"].as_str(), self.json["reason_code"].as_str());
        assert_eq!(got, (code, Some(decision), Some(reason)), "{:#}\n{}", self.json, self.err);
        self
    }

    #[track_caller]
    fn says(self, what: &str) -> Self {
        let all = self.json["commands"].to_string();
        assert!(all.contains(what), "{what:?} is not in {all}\n{}", self.err);
        self
    }
}
