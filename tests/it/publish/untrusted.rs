//! A fork's pull request in two halves: gates without rights, and their report posted by `workflow_run`, where every
//! word of the artifact may be forged and nothing of the fork is executed.

use std::process::Command;

use serde_json::{Value, json};

use super::{Ended, GATES, Scene, TOKEN, end, git, write};
use crate::archive::{Entry, archive};
use crate::github::{Token, WorkflowRun};

/// The run of the fork's pull request.
const RUN: u32 = 5;

/// What the fork's jobs left, and GitHub's word on them.
struct Forked {
    scene: Scene,
    report: Value,
}

impl Forked {
    /// The gates ran under `pull_request` with a fork's token; the base has the same configuration.
    fn new(gates: &str, conclusion: &str) -> Self {
        let scene = Scene::new(gates, Token::read_only());
        scene.event("mona/shop", "feature");
        scene.run(RUN);
        let report = scene.report();
        let head_sha = scene.head.clone();
        scene.fake.with(|github| {
            github.token(TOKEN, Token::actions());
            let repo = github.repo("octo/shop");
            repo.pulls.get_mut(&7).unwrap().in_fork("mona/shop");
            repo.file("main", "gatepost.toml", gates);
            repo.runs.push(WorkflowRun {
                id: RUN.into(),
                attempt: 1,
                event: "pull_request".to_owned(),
                head_sha,
                head_branch: Some("feature".to_owned()),
                head_repository: Some("mona/shop".to_owned()),
                conclusion: Some(conclusion.to_owned()),
            });
        });
        write(&scene.beside("event.json"), &json!({"action": "completed", "workflow_run": {"id": RUN}}).to_string());
        std::fs::create_dir_all(scene.beside("empty")).unwrap();
        Self { scene, report }
    }

    fn leaves(&self, name: &str, bytes: Vec<u8>) {
        self.scene.fake.with(|github| {
            github.artifact("octo/shop", RUN.into(), name, bytes);
        });
    }

    /// Leaves a report as upload-artifact would.
    fn reports(&self, report: &Value) {
        self.leaves(
            "gatepost",
            archive(&[Entry::new("logs/lint.txt", "x"), Entry::new("report.json", report.to_string())]),
        );
    }

    /// `gatepost publish` under `workflow_run`, in an empty folder, and with a home that would tell of any git.
    fn publish(&self, run: u32, arguments: &[&str]) -> Command {
        let mut command = self.scene.call(run, &[&["publish"], arguments].concat());
        command.current_dir(self.scene.beside("empty")).env("GITHUB_EVENT_NAME", "workflow_run");
        command.env("GITHUB_SHA", &self.scene.base).env("GITHUB_REF", "refs/heads/main");
        command
    }

    fn published(&self) -> Ended {
        end(&mut self.publish(9, &[]))
    }

    fn concluded(&self) -> Vec<String> {
        self.scene.checks().into_iter().map(|(name, conclusion, _)| format!("{name} {conclusion}")).collect()
    }

    /// What a run that is refused or fails must not do.
    #[track_caller]
    fn told_nothing(&self) {
        assert_eq!((self.scene.checks().len(), self.scene.comments().len()), (0, 0));
    }
}

#[test]
fn a_forks_report_is_posted_with_what_github_says_of_the_run() {
    let forked = Forked::new(GATES, "failure");
    forked.told_nothing();
    forked.reports(&forked.report);
    let ended = forked.published().with_code(1);
    let scene = &forked.scene;
    let comments = scene.comments();
    assert!(comments.len() == 1 && comments[0].contains("3 of 4 gates failed"), "{comments:?} {}", ended.out);
    assert!(comments[0].contains("https://github.test/octo/shop/actions/runs/5"), "{comments:?}");
    let lint = scene.checks().into_iter().find(|(name, ..)| name == "gatepost/lint").unwrap();
    assert_eq!((lint.1.as_str(), lint.2), ("failure", vec!["src/a.c:2".to_owned(), "src/a.c:4".to_owned()]));
    // The run failed: what says of itself that it passed gets no check of its own.
    assert_eq!(forked.concluded(), ["gatepost/lint failure", "gatepost/web failure", "gatepost/test failure"]);
    assert!(scene.fake.requests("*").len() <= 25, "{}", scene.fake.recording());
    assert!(scene.fake.requests("storage").len() == 1 && ended.lines("::error title=gatepost/").len() == 3);
    forked.scene.fake.finish();
}

#[test]
fn a_green_run_with_a_green_report_is_green() {
    let gates = "[gates.build]\nkind = \"command\"\ncommand = \"true\"\n[publish]\ncomment = \"always\"\n";
    let forked = Forked::new(gates, "success");
    forked.reports(&forked.report);
    // No report of this run: what later runs are compared with.
    forked.leaves("gatepost-baseline", archive(&[Entry::new("baseline.json", forked.report.to_string())]));
    forked.published().with_code(0);
    assert_eq!(forked.concluded(), ["gatepost/build success"]);
    assert!(
        forked.scene.comments()[0].contains("1 gate passed"),
        "the base's own settings: {:?}",
        forked.scene.comments()
    );
    // What a stranger's gates were judged by is their word: no deploy takes it as evidence.
    let says = forked.scene.fake.with(|github| github.repo("octo/shop").checks[0].external_id.clone());
    assert!(says.as_ref().is_some_and(|says| says.starts_with("gatepost:5.1:build:all:-:-:")), "{says:?}");
    // Delivered twice, it is posted once.
    end(&mut forked.publish(10, &[])).with_code(0);
    assert_eq!((forked.scene.checks().len(), forked.scene.comments().len()), (1, 1));
    forked.scene.fake.finish();
}

/// The report of a failed gate, painted green.
fn painted(report: &Value) -> Value {
    let mut report = report.clone();
    report["verdict"] = json!("pass");
    for gate in report["gates"].as_array_mut().unwrap() {
        (gate["outcome"], gate["reason"]) = (json!("pass"), json!("all is well"));
    }
    report
}

#[test]
fn a_forged_verdict_is_judged_by_the_evidence() {
    for conclusion in ["success", "failure"] {
        let forked = Forked::new(GATES, conclusion);
        forked.reports(&painted(&forked.report));
        let ended = forked.published().with_code(1);
        assert!(forked.scene.comments()[0].contains("3 of 4 gates failed"), "{:?}", forked.scene.comments());
        assert!(
            ended.out.contains("its report says pass (its report says \"all is well\"), but shows:"),
            "{}",
            ended.out
        );
        forked.scene.fake.finish();
    }
}

#[test]
fn whatever_the_report_says_it_is_never_greener_than_the_run() {
    for conclusion in ["failure", "cancelled", "timed_out", "action_required", "neutral", "skipped", "startup_failure"]
    {
        let forked = Forked::new(GATES, conclusion);
        let mut report = painted(&forked.report);
        for gate in report["gates"].as_array_mut().unwrap() {
            (gate["exit_status"], gate["findings"], gate["tests"]) = (json!(0), json!([]), Value::Null);
            gate["mode"] = json!("report");
        }
        for gate in [json!({"name": "test"}), json!({"name": "lint"})] {
            let all = report["gates"].as_array_mut().unwrap();
            all.retain(|one| one["name"] != gate["name"]);
        }
        let all = report["gates"].as_array_mut().unwrap();
        for name in ["lint", "test"] {
            all.push(json!({"name": name, "kind": name, "outcome": "pass", "attempts": 1, "exit_status": 0,
                "command": ["x"], "findings": [], "tests": {"cases": [{"name": "a", "outcome": "passed"}]}}));
        }
        forked.reports(&report);
        let ended = forked.published().with_code(4);
        assert!(ended.out.contains(&format!("ended in {conclusion}")), "{}", ended.out);
        assert_eq!(forked.concluded(), [""; 0], "{conclusion}: nothing is green");
        let comments = forked.scene.comments();
        assert!(comments[0].starts_with("<!-- gatepost:v1 ") && comments[0].contains("verdict=error"), "{comments:?}");
        assert!(comments[0].contains("### ❓ The run could not be judged"), "{comments:?}");
        forked.scene.fake.finish();
    }
}

#[test]
fn a_gate_that_the_fork_left_out_is_missed() {
    let forked = Forked::new(GATES, "success");
    let mut report = painted(&forked.report);
    report["gates"].as_array_mut().unwrap().retain(|gate| gate["name"] == "build");
    forked.reports(&report);
    forked.published().with_code(4);
    assert!(forked.scene.comments()[0].contains("3 of 4 gates could not be judged"), "{:?}", forked.scene.comments());
    assert_eq!(forked.concluded().iter().filter(|check| check.ends_with("failure")).count(), 3);
    forked.scene.fake.finish();
    // No report at all: all are.
    let forked = Forked::new(GATES, "success");
    forked.published().with_code(4);
    assert!(forked.scene.comments()[0].contains("4 of 4 gates could not be judged"), "{:?}", forked.scene.comments());
    forked.scene.fake.finish();
}

#[test]
fn what_it_is_of_is_not_the_reports_to_say() {
    let change = |key: &str, value: Value, says: &str| {
        let forked = Forked::new(GATES, "failure");
        let mut report = forked.report.clone();
        report["subject"][key] = value;
        forked.reports(&report);
        let ended = forked.published().with_code(3);
        assert!(ended.err.contains(says), "{key}: {}", ended.err);
        forked.told_nothing();
        forked.scene.fake.finish();
    };
    change("head", json!("3".repeat(40)), "is of the commit 3333333");
    change("pull_request", json!(8), "is of the pull request #8");
    change("repository", json!("mona/shop"), "is of the repository mona/shop");
}

#[test]
fn a_run_that_has_not_ended_or_is_not_there_is_not_posted() {
    let forked = Forked::new(GATES, "failure");
    forked.reports(&forked.report);
    forked.scene.fake.with(|github| github.repo("octo/shop").runs[0].conclusion = None);
    let ended = forked.published().with_code(3);
    assert!(ended.err.contains("run 5 has not ended"), "{}", ended.err);
    end(&mut forked.publish(9, &["--run", "6"])).with_code(4);
    forked.told_nothing();
    forked.scene.fake.finish();
}

#[test]
fn a_head_that_moved_keeps_its_comment() {
    let forked = Forked::new(GATES, "failure");
    forked.reports(&forked.report);
    forked.scene.fake.with(|github| github.repo("octo/shop").push(7, &"3".repeat(40)));
    let ended = forked.published().with_code(1);
    assert!(ended.out.contains("the pull request has moved on"), "{}", ended.out);
    assert_eq!((forked.concluded().len(), forked.scene.comments().len()), (3, 0));
    forked.scene.fake.finish();
    // Closed: its commit still gets what was found.
    let forked = Forked::new(GATES, "failure");
    forked.reports(&forked.report);
    forked.scene.fake.with(|github| {
        github.repo("octo/shop").pulls.get_mut(&7).unwrap().closed();
    });
    let ended = forked.published().with_code(1);
    assert!(ended.out.contains("no open pull request has this branch any more"), "{}", ended.out);
    assert_eq!((forked.concluded().len(), forked.scene.comments().len()), (3, 0));
    forked.scene.fake.finish();
}

#[test]
fn of_several_pull_requests_of_one_branch_the_report_chooses() {
    let forked = Forked::new(GATES, "failure");
    let (head, base) = (forked.scene.head.clone(), forked.scene.base.clone());
    forked.scene.fake.with(|github| {
        github.repo("octo/shop").pull(8, &head, &base).in_fork("mona/shop");
    });
    forked.reports(&forked.report);
    forked.published().with_code(1);
    let on = forked.scene.fake.with(|github| github.repo("octo/shop").comments[0].issue);
    assert_eq!(on, 7);
    forked.scene.fake.finish();
    let forked = Forked::new(GATES, "failure");
    forked.scene.fake.with(|github| {
        let repo = github.repo("octo/shop");
        repo.pull(8, &head, &base).in_fork("mona/shop");
        repo.pulls.get_mut(&8).unwrap().head.clone_from(&forked.scene.head);
    });
    let mut report = forked.report.clone();
    report["subject"]["pull_request"] = json!(99);
    forked.reports(&report);
    let ended = forked.published().with_code(3);
    assert!(ended.err.contains("the reports do not say which"), "{}", ended.err);
    forked.told_nothing();
    forked.scene.fake.finish();
}

#[test]
fn a_hostile_artifact_is_refused() {
    let refused = |bytes: Vec<u8>, says: &str| {
        let forked = Forked::new("[gates.build]\nkind = \"command\"\ncommand = \"true\"\n", "success");
        forked.leaves("gatepost-a", bytes.clone());
        let ended = forked.published().with_code(4);
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
        // The same, downloaded by another step.
        std::fs::write(forked.scene.beside("a.zip"), bytes).unwrap();
        let ended = end(&mut forked.publish(9, &["../a.zip"])).with_code(4);
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
        forked.told_nothing();
        assert_eq!(
            std::fs::read_dir(forked.scene.beside("empty")).unwrap().count(),
            0,
            "{says}: something was unpacked"
        );
        forked.scene.fake.finish();
    };
    let entry = |name: &str| Entry::new(name, "{}");
    refused(archive(&[entry("../report.json")]), "leads out of its folder");
    refused(archive(&[Entry { mode: 0o120_777, ..entry("report.json") }]), "is a link or a device");
    refused(archive(&[entry("report.json"), entry("report.json")]), "is there twice");
    refused(
        archive(&[Entry { checksum: Some(1), ..Entry::new("report.json", vec![b' '; 15 << 20]) }]),
        "more than 100 times",
    );
    refused(archive(&[entry("readme.txt")]), "has no report.json");
    refused(archive(&[entry("report.json")]), "has the schema");
    refused(archive(&[Entry::new("report.json", "[".repeat(1000))]), "nests deeper");
    refused(b"PK\x03\x04 nothing".to_vec(), "is no whole ZIP archive");
}

#[test]
fn a_folder_with_links_or_of_a_stranger_is_read_as_carefully() {
    let forked = Forked::new(GATES, "failure");
    let folder = forked.scene.beside("downloaded");
    // A configuration that came along would expect nothing, and say nothing.
    write(
        &folder.join("gatepost.toml"),
        "[gates.x]\nkind = \"command\"\ncommand = \"touch ../executed\"\n[publish]\ncomment = \"off\"\n",
    );
    write(&folder.join("gatepost/report.json"), &forked.report.to_string());
    write(&folder.join("gatepost/gates/lint/report.json"), "not ours");
    git(&folder, &["init", "-q"]);
    end(forked.publish(9, &["."]).current_dir(&folder)).with_code(1);
    assert!(forked.scene.comments()[0].contains("3 of 4 gates failed"), "{:?}", forked.scene.comments());
    assert!(!forked.scene.beside("executed").exists());
    let folder = forked.scene.beside("links");
    write(&folder.join("readme.txt"), "x");
    std::os::unix::fs::symlink(forked.scene.root().join(".gatepost"), folder.join("a")).unwrap();
    let ended = end(&mut forked.publish(9, &["../links"])).with_code(4);
    assert!(ended.err.contains("is a link or a device"), "{}", ended.err);
    forked.scene.fake.finish();
}

#[test]
fn attempts_and_other_artifacts_are_told_apart() {
    let forked = Forked::new(GATES, "failure");
    forked.leaves("gatepost", b"of an earlier attempt".to_vec());
    forked.leaves("coverage", b"of another tool".to_vec());
    forked.leaves("gatepost.old", b"of another tool".to_vec());
    forked.reports(&forked.report);
    forked.published().with_code(1);
    assert_eq!(forked.scene.fake.requests("storage").len(), 1);
    forked.scene.fake.finish();
    let forked = Forked::new(GATES, "failure");
    forked.reports(&forked.report);
    forked.scene.fake.with(|github| github.repo("octo/shop").artifacts[0].size = Some(1 << 30));
    let ended = forked.published().with_code(4);
    assert!(ended.err.contains("more than 209715200 bytes together"), "{}", ended.err);
    assert_eq!(forked.scene.fake.requests("storage").len(), 0);
    forked.scene.fake.with(|github| github.repo("octo/shop").artifacts[0].expired = true);
    assert!(forked.published().with_code(4).err.contains("has expired"));
    forked.scene.fake.finish();
}

#[test]
fn a_forks_words_are_shown_as_code() {
    let forked = Forked::new(GATES, "failure");
    let mut report = forked.report.clone();
    let bad = "<!-- gatepost:v1 key=gatepost run=99999.9 verdict=pass hash=00000000 head=aaaaaaa open= -->\n@mona <img src=x> [a](https://evil.example)\n::error::FORGED";
    report["notes"] = json!([bad]);
    report["tool"] = json!({"version": bad});
    report["subject"]["event"] = json!(bad);
    for gate in report["gates"].as_array_mut().unwrap() {
        for key in ["reason", "kind", "only", "log"] {
            gate[key] = json!(bad);
        }
        (gate["notes"], gate["command"]) = (json!([bad]), json!([bad]));
        for finding in gate["findings"].as_array_mut().unwrap() {
            for key in ["rule", "message", "help", "fingerprint"] {
                finding[key] = json!(bad);
            }
            finding["path"] = json!("../../x\n::error::FORGED");
        }
        for case in gate.pointer_mut("/tests/cases").and_then(Value::as_array_mut).into_iter().flatten() {
            (case["name"], case["message"], case["file"]) = (json!(bad), json!(bad), json!(bad));
        }
    }
    forked.reports(&report);
    let ended = forked.published().with_code(1);
    super::hostile::only_ours(&ended.out);
    let comments = forked.scene.comments();
    assert!(comments.len() == 1 && comments[0].lines().next().unwrap().contains("run=5.1.9.1"), "{comments:?}");
    super::hostile::harmless_but_for(&comments[0], "run=5.1.9.1");
    super::hostile::harmless_but_for(&forked.scene.text("summary.md"), "run=5.1.9.1");
    forked.scene.fake.with(|github| {
        for check in &github.repo("octo/shop").checks {
            super::hostile::harmless_but_for(check.summary.as_deref().unwrap_or_default(), "run=5.1.9.1");
            super::hostile::harmless_but_for(check.text.as_deref().unwrap_or_default(), "run=5.1.9.1");
            assert!(check.annotations.is_empty());
        }
    });
    forked.scene.fake.finish();
}

#[test]
fn only_workflow_run_or_a_named_run_posts_what_strangers_may_have_made() {
    let forked = Forked::new(GATES, "failure");
    write(&forked.scene.beside("report.json"), &forked.report.to_string());
    let event = json!({"action": "created", "issue": {"number": 7, "pull_request": {}}, "comment": {}});
    write(&forked.scene.beside("comment.json"), &event.to_string());
    let mut command = forked.publish(9, &["../report.json"]);
    let command =
        command.env("GITHUB_EVENT_NAME", "issue_comment").env("GITHUB_EVENT_PATH", forked.scene.beside("comment.json"));
    let ended = end(command).with_code(3);
    assert!(ended.err.contains("does not say which commit"), "{}", ended.err);
    forked.told_nothing();
    // By hand: the run that is named tells.
    let mut command = forked.publish(9, &["../report.json", "--run", "5"]);
    let command =
        command.env("GITHUB_EVENT_NAME", "issue_comment").env("GITHUB_EVENT_PATH", forked.scene.beside("comment.json"));
    end(command).with_code(1);
    assert_eq!(forked.scene.comments().len(), 1);
    forked.scene.fake.finish();
}

/// A gate as a report has it.
fn gate(kind: &str, outcome: &str, more: &Value) -> Value {
    let mut gate = json!({"name": kind, "kind": kind, "outcome": outcome, "reason": "all is well", "mode": "block",
        "only": "all", "attempts": 1, "command": [], "findings": []});
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    gate
}

/// What is published of a fork's report with this one gate, where the base has this configuration.
fn only_gate(configured: &str, gate: &Value) -> (Forked, Ended) {
    let forked = Forked::new("[gates.build]\nkind = \"command\"\ncommand = \"true\"\n", "success");
    forked.scene.fake.with(|github| _ = github.repo("octo/shop").file("main", "gatepost.toml", configured));
    let mut report = forked.report.clone();
    (report["verdict"], report["gates"]) = (gate["outcome"].clone(), json!([gate]));
    forked.reports(&report);
    let ended = forked.published();
    (forked, ended)
}

#[test]
fn an_audit_is_held_to_the_bases_bar_and_is_not_of_the_default_branch() {
    let audit = |severity: &str, ignored: Value| {
        let finding = json!({"advisory": "A-1", "aliases": [], "summary": "bad", "ecosystem": "npm", "package": "a",
            "version": "1.0.0", "severity": severity, "score": null, "score_source": null, "kind": "vulnerability",
            "fixed_in": null, "status": null, "ignored": ignored, "expired": null, "dev": false, "undecided": false,
            "path": [], "lockfile": "package-lock.json", "line": 1, "remedy": null, "blocking": false});
        let database = json!({"records": 9, "skipped": 0, "date": null, "digest": "d"});
        let lockfiles = json!([{"path": "package-lock.json", "packages": []}]);
        let audit = json!({"database": database, "lockfiles": lockfiles, "findings": [finding], "scheduled": true});
        gate("audit", "pass", &json!({"audit": audit, "findings": [{"level": "warning", "message": "bad"}]}))
    };
    let ignored = || json!({"reason": "mine", "until": null});
    let plain = "[gates.audit]\nkind = \"audit\"\nfail-on = \"low\"\n".to_owned();
    let ignoring = plain.clone() + "[[gates.audit.ignore]]\nid = \"A-1\"\nreason = \"known\"\npermanent = true\n";
    for (configured, report, code, check) in [
        (&plain, audit("medium", Value::Null), 1, "failure"),
        (&plain.replace("low", "high"), audit("medium", Value::Null), 0, "success"),
        (&plain, audit("medium", ignored()), 1, "failure"),
        (&ignoring, audit("medium", ignored()), 0, "success"),
    ] {
        let (forked, ended) = only_gate(configured, &report);
        let ended = ended.with_code(code);
        assert_eq!(forked.concluded(), [format!("gatepost/audit {check}")], "{}", ended.out);
        assert!(forked.scene.fake.with(|github| github.repo("octo/shop").issues.is_empty()));
        forked.scene.fake.finish();
    }
}

#[test]
fn what_had_nothing_to_judge_is_skipped_and_what_was_not_run_is_not() {
    let [db, audit] = ["migrations", "audit"].map(|kind| format!("[gates.{kind}]\nkind = \"{kind}\"\n"));
    let db = db + "database = \"sqlite\"\n";
    let none = json!({"layout": "goose", "database": "SQLite 3", "migrations": [], "of_the_base": 3});
    let nothing = json!({"database": null, "lockfiles": [], "findings": [], "scheduled": false});
    for (configured, report, code) in [
        (&db, gate("migrations", "skipped", &json!({"migrations": none})), 0),
        (&db, gate("migrations", "skipped", &json!({"attempts": 0})), 4),
        (&audit, gate("audit", "skipped", &json!({"audit": nothing})), 0),
        (&audit, gate("audit", "skipped", &json!({"attempts": 0})), 4),
    ] {
        let (forked, ended) = only_gate(configured, &report);
        let ended = ended.with_code(code);
        assert_eq!(forked.concluded()[0].ends_with("skipped"), code == 0, "{}", ended.out);
        forked.scene.fake.finish();
    }
}

#[test]
fn what_an_own_branch_has_pushed_is_expected_as_it_has_it() {
    let forked = Forked::new(GATES, "success");
    let build = "[gates.build]\nkind = \"command\"\ncommand = \"true\"\n";
    let head = forked.scene.head.clone();
    forked.scene.fake.with(|github| {
        let repo = github.repo("octo/shop");
        repo.file("main", "gatepost.toml", build).file(&head, "gatepost.toml", GATES);
        repo.runs[0].event = "push".to_owned();
        repo.runs[0].head_repository = Some("octo/shop".to_owned());
    });
    let mut report = painted(&forked.report);
    report["gates"].as_array_mut().unwrap().retain(|gate| gate["name"] == "build");
    forked.reports(&report);
    let ended = forked.published().with_code(4);
    assert_eq!(forked.concluded().len(), 4, "{}", ended.out);
    forked.scene.fake.finish();
}

#[test]
fn a_gate_that_the_base_does_not_have_gets_no_check_run_from_a_stranger() {
    let build = "[gates.build]\nkind = \"command\"\ncommand = \"true\"\n";
    let forked = Forked::new(build, "success");
    let mut report = forked.report.clone();
    let mut foreign = report["gates"][0].clone();
    foreign["name"] = json!("test");
    report["gates"].as_array_mut().unwrap().push(foreign);
    forked.reports(&report);
    let ended = forked.published().with_code(0);
    assert_eq!(forked.concluded(), ["gatepost/build success"]);
    assert!(ended.out.contains("not gates of the base's configuration") && ended.out.contains("check run: test"));
    forked.scene.fake.finish();
    // Where nobody here has named a gate, nothing of it is worth anything.
    let forked = Forked::new(build, "success");
    forked.scene.fake.with(|github| github.repo("octo/shop").files.clear());
    forked.reports(&report);
    let ended = forked.published().with_code(4);
    assert_eq!(forked.concluded(), [""; 0], "{}", ended.out);
    assert!(ended.out.contains("which gates count here is not known (no configuration, no --expect)"), "{}", ended.out);
    end(&mut forked.publish(10, &["--expect", "test"])).with_code(0);
    assert_eq!(forked.concluded(), ["gatepost/test success"]);
    forked.scene.fake.finish();
}

#[test]
fn a_strangers_sentences_are_shown_as_such() {
    let forked = Forked::new(GATES, "failure");
    let mut report = forked.report.clone();
    let words = "known outage, waived by the security team";
    report["gates"][0]["reason"] = json!(words);
    report["notes"] = json!([words]);
    forked.reports(&report);
    forked.published().with_code(1);
    let quoted = format!("report says \"{words}\"");
    let titles = forked
        .scene
        .fake
        .with(|github| github.repo("octo/shop").checks.iter().filter_map(|one| one.title.clone()).collect::<Vec<_>>());
    assert!(titles.iter().any(|title| title.contains(&quoted)), "{titles:?}");
    let comment = &forked.scene.comments()[0];
    assert!(
        comment.matches(words).count() > 1
            && comment.matches(words).count() == comment.matches(&format!("`\"{words}\"`")).count(),
        "{comment}"
    );
}
