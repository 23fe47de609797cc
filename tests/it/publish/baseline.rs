//! The baseline that a push to the base branch keeps and a pull request finds: real runs of both.

use std::path::Path;

use serde_json::{Value, json};

use super::{Ended, Scene, TOKEN, end, git, write};
use crate::archive::{Entry, archive};
use crate::github::{State, Token, WorkflowRun};

const GATES: &str = r#"
[gates.lint]
kind = "lint"
command = "cat tool/lint.txt; exit 1"
format = "gcc"

[gates.test]
kind = "test"
command = "cp tool/junit.xml junit.xml; exit 1"
reports = ["junit.xml"]
"#;

/// In the base: one finding, one failing test of three.
const LINT: &str = "src/a.c:4:5: warning: unused variable 'four' [-Wunused-variable]\n";
const TESTS: &[(&str, bool)] = &[("adds", true), ("removes", false), ("empties", true)];

fn junit(cases: &[(&str, bool)]) -> String {
    let case = |(name, holds): &(&str, bool)| {
        let failure = if *holds { "" } else { "<failure message=\"no\"/>" };
        format!("<testcase classname=\"cart\" name=\"{name}\">{failure}</testcase>\n")
    };
    let cases: String = cases.iter().map(case).collect();
    format!("<testsuite name=\"shop\">\n{cases}</testsuite>")
}

/// A pull request whose base has been pushed before.
struct Kept {
    scene: Scene,
}

impl Kept {
    fn new(gates: &str) -> Self {
        Self { scene: Scene::new(gates, Token::actions()) }
    }

    /// What the tools say.
    fn says(&self, lint: &str, tests: &[(&str, bool)]) {
        write(&self.scene.root().join("tool/lint.txt"), lint);
        write(&self.scene.root().join("tool/junit.xml"), &junit(tests));
    }

    /// Runs the push of the base as its workflow does, and gives the file that it keeps.
    fn pushed(&self) -> Vec<u8> {
        let scene = &self.scene;
        git(&scene.root(), &["checkout", "-q", &scene.base]);
        let payload = json!({"before": scene.base, "after": scene.base, "ref": "refs/heads/main"});
        write(&scene.beside("push.json"), &payload.to_string());
        self.says(LINT, TESTS);
        let mut step = scene.step(1, &["--save-baseline"]);
        step.env("GITHUB_EVENT_NAME", "push").env("GITHUB_EVENT_PATH", scene.beside("push.json"));
        step.env("GITHUB_SHA", &scene.base).env("GITHUB_REF", "refs/heads/main");
        end(&mut step).with_code(1);
        let file = std::fs::read(scene.root().join(".gatepost/baseline.json")).unwrap();
        // What the tools say stands in files of the repository here, which makes the work tree another one.
        let mut report: Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(report["subject"]["dirty"].take(), json!(true));
        report["subject"]["dirty"] = json!(false);
        let file = report.to_string().into_bytes();
        git(&scene.root(), &["checkout", "-q", "--force", "feature"]);
        file
    }

    /// Keeps an archive as the artifact of a push of the base.
    fn keep(&self, archive: Vec<u8>) {
        let sha = &self.scene.base;
        self.scene.fake.with(|github| github.pushed("octo/shop", "gatepost-baseline", sha, archive));
    }

    /// A run of the pull request in which the tools say this.
    fn run(&self, lint: &str, tests: &[(&str, bool)]) -> Ended {
        self.says(lint, tests);
        self.scene.run(2)
    }

    fn gates(&self) -> Vec<String> {
        let report = self.scene.report();
        let word = |gate: &Value, key: &str| gate[key].as_str().unwrap().to_owned();
        let gates = report["gates"].as_array().unwrap().iter();
        gates.map(|gate| format!("{}: {}", word(gate, "outcome"), word(gate, "reason"))).collect()
    }

    fn notes(&self) -> Vec<String> {
        let known = |note: &&Value| !note.as_str().unwrap().contains("an earlier step wrote to them");
        let report = self.scene.report();
        report["notes"].as_array().unwrap().iter().filter(known).map(|note| note.as_str().unwrap().to_owned()).collect()
    }
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    archive(&files.iter().map(|(name, bytes)| Entry::new(name, *bytes)).collect::<Vec<_>>())
}

fn archived(report: &[u8]) -> Vec<u8> {
    zip(&[("baseline.json", report)])
}

const NEW: &str = "src/a.c:4:5: warning: unused variable 'four' [-Wunused-variable]\n\
                   src/a.c:5:5: warning: unused variable 'five' [-Wunused-variable]\n";

#[test]
fn the_bases_report_is_found_and_compared_with() {
    let kept = Kept::new(GATES);
    let report = kept.pushed();
    kept.keep(archived(&report));
    // Line 5 is no changed line, but the finding is new. One test fails as before, one does now, one is gone.
    let ended = kept.run(NEW, &[("adds", false), ("removes", false)]).with_code(1);
    assert_eq!(kept.gates(), ["fail: 1 new warning", "fail: 2 of 2 tests failed (1 new, 1 still failing), 1 removed"]);
    assert_eq!(kept.notes(), [""; 0]);
    for said in ["  still failing: shop › cart › removes", "  removed: shop › cart › empties"] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    let compared = &kept.scene.report()["gates"][1]["compared"];
    let named = |name: &str| json!([{"suite": "shop", "class": "cart", "name": name}]);
    assert_eq!(
        *compared,
        json!({"new_failures": named("adds"), "still_failing": named("removes"), "fixed": [],
            "removed": named("empties"), "newly_skipped": [], "older": false})
    );
    let comment = &kept.scene.comments()[0];
    for said in ["tests: 1 new failure, 1 still failing, 1 removed", "- removed: `shop › cart › empties`"] {
        assert!(comment.contains(said), "{comment}");
        assert!(kept.scene.text("summary.md").contains(said));
    }
    // Two gates: their check runs, the comment and the baseline.
    let calls = kept.scene.fake.requests("*").len() - 2;
    assert!(calls <= 2 * 2 + 10, "{}", kept.scene.fake.recording());
    assert_eq!(kept.scene.fake.requests("storage").len(), 1);
    kept.scene.fake.finish();
}

#[test]
fn with_only_new_what_failed_before_is_shown_and_does_not_block() {
    let kept = Kept::new(&GATES.replace("kind = \"test\"", "kind = \"test\"\nonly = \"new\""));
    let report = kept.pushed();
    kept.keep(archived(&report));
    let ended = kept.run(LINT, TESTS).with_code(0);
    assert_eq!(
        kept.gates(),
        [
            "pass: 1 finding that does not count (exit status 1)",
            "pass: 2 tests passed, 1 still failing (exit status 1)"
        ]
    );
    assert!(ended.out.contains("  still failing: shop › cart › removes"), "{}", ended.out);
    assert!(!ended.out.contains("::error"), "{}", ended.out);
    let ended = kept.run(LINT, &[("adds", true), ("removes", true), ("empties", true)]).with_code(4);
    assert!(ended.out.contains("every test that ran passed"), "{}", ended.out);
    kept.run(LINT, &[("adds", false), ("removes", false), ("empties", true)]).with_code(1);
    assert_eq!(kept.gates()[1], "fail: 2 of 3 tests failed (1 new, 1 still failing)");
    // A second case of the same name is another case.
    kept.run(LINT, &[("adds", true), ("removes", false), ("removes", false), ("empties", true)]).with_code(1);
    assert_eq!(kept.gates()[1], "fail: 2 of 4 tests failed (1 new, 0 still failing)");
    kept.scene.fake.finish();
}

#[test]
fn what_is_excused_in_a_job_of_its_own_is_excused_in_the_verdict_of_all() {
    let kept = Kept::new(&GATES.replace("kind = \"test\"", "kind = \"test\"\nonly = \"new\""));
    let report = kept.pushed();
    kept.keep(archived(&report));
    kept.run(LINT, TESTS).with_code(0);
    let part = kept.scene.root().join(".gatepost/report.json");
    let publish = || end(&mut kept.scene.call(2, &["publish", &part.display().to_string()]));
    publish().with_code(0);
    // The configuration alone excuses.
    write(&kept.scene.root().join("gatepost.toml"), GATES);
    let ended = publish().with_code(1);
    assert!(ended.out.contains("1 of 3 tests failed (0 new, 1 still failing)"), "{}", ended.out);
    assert!(
        kept.scene.comments()[0].contains("- still failing: `shop › cart › removes`"),
        "{:?}",
        kept.scene.comments()
    );
    kept.scene.fake.finish();
}

/// One more commit on `main` that the pull request is based on, which no run has kept a report of.
fn advanced(mut kept: Kept) -> Kept {
    let root = kept.scene.root();
    git(&root, &["checkout", "-q", "--force", "-B", "main", &kept.scene.base]);
    write(&root.join("README.md"), "more\n");
    super::commit(&root, "more");
    let old = std::mem::replace(&mut kept.scene.base, git(&root, &["rev-parse", "HEAD"]));
    git(&root, &["checkout", "-q", "feature"]);
    git(&root, &["rebase", "-q", "main"]);
    kept.scene.head = git(&root, &["rev-parse", "HEAD"]);
    let (base, head) = (kept.scene.base.clone(), kept.scene.head.clone());
    kept.scene.fake.with(|github| {
        github.repo("octo/shop").commit(&base, &[&old]).push(7, &head);
    });
    kept.scene.event("octo/shop", "feature");
    kept
}

#[test]
fn an_older_report_excuses_nothing_that_the_change_touched() {
    let kept = Kept::new(&GATES.replace("kind = \"test\"", "kind = \"test\"\nonly = \"new\""));
    // The base's report had a finding on the line that is changed now, too.
    let report = String::from_utf8(kept.pushed()).unwrap();
    kept.keep(archived(report.as_bytes()));
    let kept = advanced(kept);
    kept.run(LINT, TESTS).with_code(1);
    assert_eq!(
        kept.gates(),
        ["pass: 1 finding that does not count (exit status 1)", "fail: 1 of 3 tests failed (0 new, 1 still failing)"]
    );
    let notes = kept.notes();
    assert!(notes[0].starts_with("the baseline was made of ") && notes[0].contains("count even where"), "{notes:?}");
    kept.scene.fake.finish();
}

/// Changes what GitHub knows of the artifact before the pull request's run, which must not take it.
#[track_caller]
fn not_taken(change: impl FnOnce(&mut State), archive: impl FnOnce(&[u8]) -> Vec<u8>, why: &str) {
    let kept = Kept::new(&GATES.replace("kind = \"lint\"", "kind = \"lint\"\nonly = \"new\""));
    let report = kept.pushed();
    kept.keep(archive(&report));
    kept.scene.fake.with(change);
    kept.run(LINT, TESTS).with_code(1);
    assert_eq!(kept.gates()[0], "fail: 1 new warning");
    let notes = kept.notes();
    assert!(notes.len() == 1 && notes[0].starts_with("no baseline: ") && notes[0].contains(why), "{why}: {notes:?}");
    kept.scene.fake.finish();
}

#[test]
fn only_an_ended_push_to_the_base_branch_of_this_repository_counts() {
    let run = |change: fn(&mut WorkflowRun)| move |github: &mut State| change(&mut github.repo("octo/shop").runs[0]);
    let far = "none has a run of a push to `main`";
    not_taken(run(|run| run.event = "pull_request".to_owned()), archived, far);
    not_taken(run(|run| run.event = "workflow_dispatch".to_owned()), archived, far);
    not_taken(run(|run| run.conclusion = None), archived, far);
    not_taken(run(|run| run.conclusion = Some("cancelled".to_owned())), archived, far);
    not_taken(run(|run| run.head_sha = "9".repeat(40)), archived, far);
    not_taken(run(|run| run.head_repository = Some("mallory/shop".to_owned())), archived, "no push to `main` has kept");
    not_taken(run(|run| run.head_branch = Some("other".to_owned())), archived, "no push to `main` has kept");
    not_taken(|github| github.repo("octo/shop").artifacts[0].expired = true, archived, "no push to `main` has kept");
}

#[test]
fn what_is_wrong_with_the_artifact_is_said_and_nothing_of_it_is_used() {
    let nothing = |_: &mut State| {};
    let text = |report: &[u8]| String::from_utf8(report.to_vec()).unwrap();
    not_taken(nothing, |_| b"<html>".to_vec(), "the artifact is no whole ZIP archive");
    not_taken(nothing, |report| zip(&[("../baseline.json", report)]), "leads out of its folder");
    not_taken(nothing, |report| zip(&[("other.txt", report)]), "does not hold one baseline.json");
    not_taken(nothing, |report| zip(&[("a/baseline.json", report), ("b/report.json", report)]), "does not hold one");
    not_taken(nothing, |report| archived(&report[..report.len() / 2]), "baseline.json is no gatepost report");
    not_taken(
        nothing,
        |report| archived(text(report).replace("octo/shop", "octo/mall").as_bytes()),
        "another repository",
    );
    not_taken(
        nothing,
        |report| archived(text(report).replace("\"push\"", "\"pull_request\"").as_bytes()),
        "not of the push",
    );
    not_taken(
        nothing,
        |report| {
            let mut report: Value = serde_json::from_slice(report).unwrap();
            report["subject"]["head"] = json!("9".repeat(40));
            archived(report.to_string().as_bytes())
        },
        "not of the push",
    );
}

#[test]
fn where_there_is_none_it_is_said_in_the_log_alone() {
    let kept = Kept::new(GATES);
    kept.says(NEW, &[("adds", true)]);
    let ended = kept.scene.run(1);
    assert!(
        ended.out.contains("no baseline: no push to `main` has kept an artifact `gatepost-baseline`"),
        "{}",
        ended.out
    );
    assert_eq!(
        (kept.gates()[0].as_str(), kept.notes().len()),
        ("pass: 2 findings that do not count (exit status 1)", 0)
    );
    assert_eq!(kept.scene.fake.requests("actions/*").len(), 1);
    let ended = end(kept.scene.step(2, &[]).env_remove("GITHUB_TOKEN"));
    assert!(!ended.out.contains("no baseline"), "{}", ended.out);
    kept.scene.fake.finish();
}

#[test]
fn a_token_that_may_not_read_artifacts_is_told_which_right_it_lacks() {
    let kept = Kept::new(&GATES.replace("kind = \"lint\"", "kind = \"lint\"\nonly = \"new\""));
    kept.scene.fake.with(|github| {
        github.repo("octo/shop").private();
        github.token(TOKEN, Token::actions().blind(crate::github::Scope::Actions));
    });
    kept.says(LINT, TESTS);
    kept.scene.run(1).with_code(1);
    assert!(kept.notes()[0].contains("needs `actions: read`"), "{:?}", kept.notes());
    kept.scene.fake.finish();
}

#[test]
fn a_saved_baseline_stands_where_it_was_asked_for() {
    let kept = Kept::new(GATES);
    let named = |file: &str| Path::new(&kept.scene.beside(file)).to_owned();
    let argument = format!("--save-baseline={}", named("base.json").display());
    kept.says(LINT, TESTS);
    end(&mut kept.scene.step(1, &[&argument])).with_code(1);
    let report = std::fs::read(kept.scene.root().join(".gatepost/report.json")).unwrap();
    assert_eq!(std::fs::read(named("base.json")).unwrap(), report);
    assert_eq!(kept.scene.report()["subject"]["base"], Value::Null, "everything was judged");
    assert!(!kept.scene.root().join(".gatepost/baseline.json").exists());
    // A folder is neither replaced nor emptied.
    let argument = format!("--save-baseline={}", kept.scene.root().join("src").display());
    let ended = end(&mut kept.scene.step(1, &[&argument]));
    assert!(ended.out.contains("not written: ") && kept.scene.root().join("src/a.c").exists(), "{}", ended.out);
    kept.scene.fake.finish();
}
