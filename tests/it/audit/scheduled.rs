//! Audits of the default branch: everything is judged, under a name of its own, and one issue is kept.

use serde_json::{Value, json};

use super::{Place, Ran, cargo_lock, critical, ended, osv};
use crate::github::{FakeGitHub, Token};

const GATES: &str = "[gates.audit]\nkind = \"audit\"\ndatabase = [\"../db\"]\n";

struct Scene {
    place: Place,
    fake: FakeGitHub,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        place.record(&osv("A-time", "crates.io", "time", "9.0.0", &critical()));
        place.tree.write("gatepost.toml", GATES).write("Cargo.lock", cargo_lock(&[("time", "0.1.40")])).commit("first");
        place.tree.write("README.md", "more").commit("second");
        let [head, base] = ["HEAD", "HEAD~1"].map(|name| place.tree.sha(name).to_string());
        let fake = FakeGitHub::start(|github| {
            github.token("ghs_workflowtoken0123456789", Token::actions());
            github.repo("octo/shop").commit(&base, &[]).commit(&head, &[&base]).branch("main", &head);
        });
        Self { place, fake }
    }

    fn run(&self, event: &str, payload: &Value, run: u64) -> Ran {
        self.place.tree.write("../event.json", payload.to_string());
        let head = self.place.tree.sha("HEAD");
        ended(
            self.place
                .command(&["run"])
                .env("GITHUB_ACTIONS", "true")
                .env("GITHUB_EVENT_NAME", event)
                .env("GITHUB_EVENT_PATH", self.place.beside("event.json"))
                .env("GITHUB_REPOSITORY", "octo/shop")
                .env("GITHUB_SHA", head.as_str())
                .env("GITHUB_REF", "refs/heads/main")
                .env("GITHUB_SERVER_URL", "https://github.test")
                .env("GITHUB_RUN_ID", run.to_string())
                .env("GITHUB_RUN_ATTEMPT", "1")
                .env("GITHUB_API_URL", self.fake.url())
                .env("GITHUB_TOKEN", "ghs_workflowtoken0123456789"),
        )
    }

    fn scheduled(&self, run: u64) -> Ran {
        self.run("schedule", &json!({"schedule": "0 6 * * *"}), run)
    }

    fn pushed(&self, run: u64, default_branch: &str) -> Ran {
        let [after, before] = ["HEAD", "HEAD~1"].map(|name| self.place.tree.sha(name).to_string());
        let repository = json!({"full_name": "octo/shop", "default_branch": default_branch});
        self.run("push", &json!({"before": before, "after": after, "repository": repository}), run)
    }

    fn issues(&self) -> Vec<(bool, String, String)> {
        self.fake.with(|github| {
            let issues = github.repo("octo/shop").issues.values();
            issues.map(|issue| (issue.open, issue.title.clone(), issue.body.clone())).collect()
        })
    }

    fn checks(&self) -> Vec<(String, String)> {
        self.fake.with(|github| {
            let checks = github.repo("octo/shop").checks.iter();
            checks.map(|check| (check.name.clone(), check.conclusion.clone().unwrap_or_default())).collect()
        })
    }
}

fn named(name: &str, conclusion: &str) -> (String, String) {
    (name.to_owned(), conclusion.to_owned())
}

#[test]
fn a_scheduled_audit_keeps_one_issue() {
    let scene = Scene::new();
    let ran = scene.scheduled(1);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(scene.checks(), [named("gatepost/audit (scheduled)", "failure")]);
    let issues = scene.issues();
    let [(true, title, body)] = &issues[..] else { panic!("{issues:?}") };
    assert_eq!(title, "gatepost audit: 1 advisory in dependencies");
    assert!(body.contains("| `time` | `0.1.40` | [`A-time`](https://osv.dev/vulnerability/A-time) | critical 9.8 | `9.0.0` | `Cargo.lock:11` |"), "{body}");
    assert!(body.contains("[the last run](https://github.test/octo/shop/actions/runs/1"), "{body}");
    // Nobody looks at a scheduled run: what it could not judge is told as well.
    scene.place.tree.write("gatepost.toml", GATES.replace("../db", "../nowhere"));
    assert_eq!(scene.scheduled(2).code, Some(4));
    assert_eq!(scene.issues()[0].1, "gatepost audit: dependencies could not be audited");
    scene.place.tree.write("gatepost.toml", GATES).write("Cargo.lock", cargo_lock(&[("time", "9.0.0")]));
    let ran = scene.scheduled(3);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let issues = scene.issues();
    assert_eq!((issues.len(), issues[0].0), (1, false));
    assert_eq!(scene.scheduled(4).code, Some(0));
    assert_eq!(scene.issues(), issues);
    scene.fake.finish();
}

#[test]
fn a_push_to_the_default_branch_is_judged_like_it_and_one_to_another_is_not() {
    let scene = Scene::new();
    assert_eq!(scene.pushed(1, "main").code, Some(1), "what stands there counts, although the push did not bring it");
    assert_eq!(scene.issues().len(), 1);
    assert_eq!(scene.pushed(2, "trunk").code, Some(1));
    assert_eq!(scene.checks(), [named("gatepost/audit (scheduled)", "failure"), named("gatepost/audit", "failure")]);
    assert_eq!(scene.issues().len(), 1);
    scene.fake.finish();
}
