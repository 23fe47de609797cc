//! `gatepost init`: what it shows, what it writes and when, and that what it writes is sound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatepost::config;
use gatepost::detect::reviewdog::{self, Flags};
use gatepost::model::install::Install;
use gatepost::model::outcome::Outcome;
use gatepost::model::settings::{Checks, CommentWhen, PublishSettings};
use gatepost::model::yaml::{self, Node};
use gatepost::parse::matcher::Matcher;
use gatepost::setup::jobs;
use gatepost::setup::template::{self, Shape, Wanted};
use gatepost::setup::workflow::{Grants, Workflow};
use serde_json::Value;

use crate::bless;
use crate::config::KNOWN;
use crate::repo::Tree;

const ACTION: &str = "octo/gatepost@0123456789abcdef0123456789abcdef01234567";

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

fn templates(shape: Shape, publish: &PublishSettings) -> Vec<(String, String)> {
    let group = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    template::files(&Wanted {
        shape,
        groups: &[group(&["lint"]), group(&["build", "test"]), group(&["7.links"]), group(&["gates"])],
        publish,
        folder: "",
        branch: "main",
        action: ACTION,
        version: "v0.1.0",
        prepare: &[Install { dir: String::new(), lines: vec!["npm ci".to_owned()], remark: None }],
    })
}

/// The permissions of every job, by name.
fn granted(workflow: &Workflow) -> BTreeMap<&str, Vec<String>> {
    let of = |grants: &Grants| match grants {
        Grants::All(_) => panic!("all of them"),
        Grants::Listed(listed) => listed.iter().map(|(name, level)| format!("{name}: {level}")).collect(),
    };
    workflow.jobs.iter().map(|job| (job.id.as_str(), job.grants.as_ref().map(of).unwrap_or_default())).collect()
}

#[test]
fn each_shape_reads_well() {
    for (shape, name) in [(Shape::OneJob, "one-job"), (Shape::SeveralJobs, "several-jobs"), (Shape::Forks, "forks")] {
        let files = templates(shape, &PublishSettings::default());
        let shown: Vec<String> = files.iter().map(|(path, text)| format!("# {path}\n{text}")).collect();
        bless::compare(&fixtures("init").join(name).with_extension("yml"), &shown.join("---\n"));
    }
}

#[test]
fn every_job_has_the_least_rights_and_every_action_a_commit() {
    let post = ["checks: write", "contents: read", "pull-requests: write"].map(str::to_owned).to_vec();
    let read = vec!["contents: read".to_owned()];
    for (shape, expected) in [
        (Shape::OneJob, vec![vec![("gates", post.clone())]]),
        (
            Shape::SeveralJobs,
            vec![vec![
                ("lint", read.clone()),
                ("build", read.clone()),
                ("gate-7-links", read.clone()),
                ("gate-gates", read.clone()),
                ("gates", post.clone()),
            ]],
        ),
        (
            Shape::Forks,
            vec![vec![("gates", read)], vec![("publish", [vec!["actions: read".to_owned()], post.clone()].concat())]],
        ),
    ] {
        let files = templates(shape, &PublishSettings::default());
        let read: Vec<Workflow> = files.iter().map(|(path, text)| Workflow::read(path, text).unwrap()).collect();
        let grants: Vec<_> = read.iter().map(granted).collect();
        let expected: Vec<_> = expected.into_iter().map(|jobs| jobs.into_iter().collect::<BTreeMap<_, _>>()).collect();
        assert_eq!(grants, expected);
        for (_, text) in &files {
            let tree = yaml::read(text).unwrap();
            assert_eq!(tree.get("permissions").unwrap().entries(), [], "nothing by default");
            let timed = |(_, job): &(String, Node)| job.get("timeout-minutes").is_some();
            assert!(tree.get("jobs").unwrap().entries().iter().all(timed));
            for line in text.lines().filter(|line| line.contains("uses:")) {
                let commit = line.split('@').nth(1).unwrap().split(' ').next().unwrap();
                assert_eq!(commit.len(), 40, "{line}");
            }
        }
        // doctor finds nothing to say against them.
        let wrong: Vec<_> = jobs::rows(&read, &PublishSettings::default(), Some(true))
            .into_iter()
            .filter(|row| row.outcome != Outcome::Pass)
            .collect();
        assert_eq!(wrong, []);
    }
}

#[test]
fn what_is_not_posted_needs_no_right() {
    let quiet = PublishSettings { checks: Checks::Off, comment: CommentWhen::Off, ..PublishSettings::default() };
    for shape in [Shape::OneJob, Shape::SeveralJobs, Shape::Forks] {
        for (path, text) in templates(shape, &quiet) {
            assert!(!text.contains(": write"), "{path}\n{text}");
        }
    }
}

#[test]
fn a_hostile_name_stays_a_value() {
    for text in ["a: b", "x # y", "'", "\"q\"", "- a", "${{ secrets.X }}", "yes", "12", "a\nb"] {
        let files = template::files(&Wanted {
            shape: Shape::OneJob,
            groups: &[],
            publish: &PublishSettings::default(),
            folder: text,
            branch: text,
            action: ACTION,
            version: "v0.1.0",
            prepare: &[],
        });
        let tree = yaml::read(&files[0].1).unwrap();
        let branches = tree.get("on").unwrap().get("push").unwrap().get("branches").unwrap();
        assert_eq!(branches.texts(), [text]);
    }
}

/// The program in a tree, with nothing of this machine around it but its tools.
pub fn gatepost(tree: &Tree, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command
        .args(arguments)
        .current_dir(&tree.dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null());
    command
}

fn call(tree: &Tree, arguments: &[&str]) -> (i32, String) {
    let done = gatepost(tree, arguments).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), text)
}

fn npm() -> Tree {
    let tree = Tree::new();
    tree.write("package.json", r#"{"scripts": {"lint": "./lint", "test": "./test"}}"#).write("package-lock.json", "{}");
    tree.commit("first");
    tree
}

fn there(tree: &Tree, path: &str) -> Option<String> {
    std::fs::read_to_string(tree.dir.join(path)).ok()
}

const WORKFLOW: &str = ".github/workflows/gatepost.yml";

#[test]
fn nothing_is_written_before_it_is_told() {
    let tree = npm();
    for arguments in [&["init"][..], &["init", "--dry-run"], &["init", "--json"], &["init", "--force"]] {
        let (code, out) = call(&tree, arguments);
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("[gates.lint]") && out.contains("npm ci"), "{out}");
        assert_eq!((there(&tree, "gatepost.toml"), there(&tree, WORKFLOW)), (None, None));
    }
    let (_, out) = call(&tree, &["init"]);
    assert!(out.contains("nothing was written; `gatepost init --yes` writes these 2 files"), "{out}");
    assert!(out.contains("OWNER/gatepost@0000…"), "it says what is to be filled in: {out}");
}

/// A manager that the workflow installs need not be here, and an environment that is here is not there.
#[test]
fn what_is_installed_here_makes_no_difference() {
    let tree = Tree::new();
    tree.write("pyproject.toml", "[project]\nname = \"x\"\n[tool.ruff]\n").write(".gitignore", ".venv\n");
    tree.write(".venv/bin/ruff", "");
    let shown = |tree: &Tree| call(tree, &["init"]).1;
    assert!(shown(&tree).contains("command = [\"ruff\", \"check\""), "{}", shown(&tree));
    tree.write("uv.lock", "version = 1\n").git(&["add", "uv.lock"]);
    let out = shown(&tree);
    assert!(out.contains("command = [\"uv\", \"run\", \"ruff\"") && out.contains("uv sync --locked"), "{out}");
}

#[test]
fn what_was_shown_is_written_and_planned() {
    let tree = npm();
    let planned = |tree: &Tree| {
        let plan: Value = serde_json::from_str(&call(tree, &["plan", "--json"]).1).unwrap();
        let gates = plan["gates"].as_array().unwrap().iter();
        gates.map(|gate| format!("{} {} {}", gate["name"], gate["kind"], gate["command"])).collect::<Vec<_>>()
    };
    let detected = planned(&tree);
    let (code, out) = call(&tree, &["init", "--yes", "--action", ACTION]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("wrote gatepost.toml\nwrote .github/workflows/gatepost.yml\n"), "{out}");
    let (toml, workflow) = (there(&tree, "gatepost.toml").unwrap(), there(&tree, WORKFLOW).unwrap());
    config::read(toml.as_bytes(), &KNOWN).unwrap();
    assert!(workflow.contains(ACTION) && !out.contains("0000"), "{workflow}");
    assert_eq!(planned(&tree), detected);

    // Again: both stand so already.
    let (_, out) = call(&tree, &["init", "--yes", "--action", ACTION]);
    assert!(out.ends_with("nothing to write\n"), "{out}");
    // The action's commit is taken over from the workflow that is there.
    let (_, out) = call(&tree, &["init", "--workflow", "forks"]);
    assert!(out.contains(ACTION) && out.contains("gatepost-publish.yml (new)"), "{out}");
}

#[test]
fn what_stands_is_kept_unless_it_is_told() {
    let tree = npm();
    let own = "[gates.mine]\nkind = \"command\"\ncommand = \"true\"\n";
    tree.write("gatepost.toml", own).write(WORKFLOW, "on: push\n");
    let (code, out) = call(&tree, &["init", "--yes", "--workflow", "several-jobs"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("gatepost.toml (stands already and is kept; --force overwrites it)"), "{out}");
    assert!(out.ends_with("nothing to write\n"), "{out}");
    assert_eq!(there(&tree, "gatepost.toml").as_deref(), Some(own));
    assert_eq!(there(&tree, WORKFLOW).as_deref(), Some("on: push\n"));

    // The workflow is made for the gates that stand.
    std::fs::remove_file(tree.dir.join(WORKFLOW)).unwrap();
    let (_, out) = call(&tree, &["init", "--yes", "--workflow", "several-jobs"]);
    assert!(out.contains(&format!("wrote {WORKFLOW}\n")) && !out.contains("wrote gatepost.toml"), "{out}");
    assert!(there(&tree, WORKFLOW).unwrap().contains("gates: mine"), "{out}");

    let (_, out) = call(&tree, &["init", "--yes", "--force", "--workflow", "none", "--mode", "report"]);
    assert!(out.contains("wrote gatepost.toml\n"), "{out}");
    let toml = there(&tree, "gatepost.toml").unwrap();
    assert_eq!(toml.matches("mode = \"report\"").count(), 3, "two scripts, and the workflow: {toml}");
}

#[test]
fn workflows_that_are_here_are_looked_at_and_not_enforced_at_first() {
    let tree = npm();
    assert!(!call(&tree, &["init"]).1.contains("integrity"));
    let unmasked = "on: push\njobs:\n  test:\n    runs-on: x\n    steps:\n      - run: npx jest || true\n";
    tree.write(".github/workflows/ci.yml", unmasked);
    let (code, out) = call(&tree, &["init", "--yes", "--workflow", "none"]);
    assert_eq!(code, 0, "{out}");
    let (code, out) = call(&tree, &["run", "integrity", "--all-files"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("GI101") && out.contains("would have blocked if enforced: integrity"), "{out}");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let (code, out) = call(&Tree::new(), &["init", "--yes"]);
    assert_eq!(code, 2);
    assert!(out.contains("nothing to gate was detected"), "{out}");
    assert!(out.contains("[gates.test]\n") && out.lines().all(|line| line.chars().count() <= 100), "{out}");
    let tree = npm();
    for action in ["octo/gatepost@v1", "gatepost@0123456789abcdef0123456789abcdef01234567", "octo/gatepost"] {
        let (code, out) = call(&tree, &["init", "--action", action]);
        assert_eq!(code, 2, "{out}");
        assert!(out.contains("full commit id"), "{out}");
    }
    let (code, out) = call(&tree, &["init", "--from", "reviewdog"]);
    assert_eq!(code, 2);
    assert!(out.contains(".reviewdog.yml"), "{out}");
    tree.write("gatepost.toml", "[gates.x]\nkind = \"command\"\ncommand = \"true\"\n")
        .write(".reviewdog.yml", "runner: {}\n");
    let (code, out) = call(&tree, &["init", "--from", "reviewdog"]);
    assert_eq!(code, 2);
    assert!(out.contains("a gatepost.toml stands already"), "{out}");
    let (code, out) = call(&tree, &["init", "--from", "reviewdog", "--force"]);
    assert_eq!(code, 2);
    assert!(out.contains("no runner of reviewdog's can be carried over"), "{out}");
}

#[test]
fn a_person_is_asked_on_a_terminal() {
    let asked = |answer: &str| {
        let tree = npm();
        let script = r"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'init'])
seen = b''
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    if seen.endswith(b'[y/N] '):
        os.write(terminal, sys.argv[2].encode() + b'\n')
os.write(1, seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
        let done = Command::new("python3")
            .args(["-c", script, env!("CARGO_BIN_EXE_gatepost"), answer])
            .current_dir(&tree.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", "/nonexistent")
            .env("TERM", "xterm")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{out}");
        assert!(out.contains("Write these 2 files? [y/N]"), "{out}");
        (there(&tree, "gatepost.toml").is_some(), there(&tree, WORKFLOW).is_some())
    };
    assert_eq!(asked("y"), (true, true));
    assert_eq!(asked(""), (false, false));
    assert_eq!(asked("no"), (false, false));
}

#[test]
fn a_folder_of_a_monorepo_gets_its_own_file_and_the_root_the_workflow() {
    let tree = Tree::new();
    tree.write("web/package.json", r#"{"scripts": {"test": "./test"}}"#).write("web/package-lock.json", "{}");
    tree.commit("first");
    let (code, out) = call(&tree, &["-C", "web", "init", "--yes", "--workflow", "several-jobs"]);
    assert_eq!(code, 0, "{out}");
    assert!(there(&tree, "web/gatepost.toml").is_some(), "{out}");
    let workflow = there(&tree, WORKFLOW).unwrap();
    for line in ["working-directory: web", "path: web/.gatepost/report.json", "args: publish ../reports"] {
        assert!(workflow.contains(line), "{line}\n{workflow}");
    }
}

#[test]
fn a_configuration_above_is_not_overwritten_from_a_folder() {
    let tree = npm();
    tree.write("web/package.json", r#"{"scripts": {"test": "node --test"}}"#).write("gatepost.toml", "# ours\n");
    let (code, said) = call(&tree, &["-C", "web", "init", "--force", "--yes", "--workflow", "none"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("gatepost.toml is left as it is; in web web/gatepost.toml is read in its place"), "{said}");
    assert_eq!(there(&tree, "gatepost.toml").as_deref(), Some("# ours\n"));
    assert!(there(&tree, "web/gatepost.toml").unwrap().contains("[gates.test]"));
    let named = ["init", "--config", "web/gatepost.toml", "--force", "--yes", "--workflow", "none"];
    let (code, said) = call(&tree, &named);
    assert_eq!(code, 0, "{said}");
    let written = there(&tree, "web/gatepost.toml").unwrap();
    assert!(!written.contains("gates.lint"), "the gates of the folder that the file speaks of: {written}");
}

#[test]
fn a_folder_that_is_an_expression_gets_no_workflow() {
    let tree = Tree::new();
    tree.write("a${{ github.token }}/package.json", r#"{"scripts": {"test": "node --test"}}"#).commit("first");
    let (code, said) = call(&tree, &["-C", "a${{ github.token }}", "init", "--yes"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("GitHub reads an expression in it"), "{said}");
    assert_eq!(call(&tree, &["-C", "a${{ github.token }}", "init", "--yes", "--workflow", "none"]).0, 0);
}

#[test]
fn a_workflow_that_cannot_be_read_is_said_where_reviewdog_is_taken_over() {
    let tree = Tree::new();
    tree.write(".reviewdog.yml", "runner:\n  words:\n    cmd: ./words\n    format: golint\n    level: warning\n");
    tree.write("Makefile", "lint:\n\treviewdog -fail-level=any\n").write(".github/workflows/r.yml", "on: [push\n");
    let (code, said) = call(&tree, &["init", "--from", "reviewdog", "--yes", "--workflow", "none"]);
    assert_eq!(code, 0, "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no call of reviewdog was found in the workflows"), "{said}");
    assert!(said.contains(".github/workflows/r.yml cannot be read"), "{said}");
    let toml = there(&tree, "gatepost.toml").unwrap();
    assert!(!toml[..toml.find("[gates.integrity]").unwrap_or(toml.len())].contains("mode = \"report\""), "{toml}");
}

/// What becomes of a `.reviewdog.yml`, with the flags that `flags.sh` beside it has.
#[test]
fn each_reviewdog_file_is_taken_over_as_expected() {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(fixtures("reviewdog")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    for case in cases {
        let text = std::fs::read_to_string(case.join("reviewdog.yml")).unwrap();
        let mut flags = Flags::default();
        flags.see(&std::fs::read_to_string(case.join("flags.sh")).unwrap_or_default());
        let shown = match reviewdog::adopt(&text, ".reviewdog.yml", &flags) {
            Err(error) => format!("error: {error}\n"),
            Ok(adopted) => {
                let toml = adopted.to_toml();
                config::read(toml.as_bytes(), &KNOWN)
                    .unwrap_or_else(|problems| panic!("{}", problems.render("adopted", false)));
                // Every runner is a gate or named.
                let runners = yaml::read(&text).unwrap().get("runner").unwrap().entries().len();
                assert_eq!(adopted.gates.len() + adopted.left.len(), runners, "{}", case.display());
                for (path, text) in &adopted.files {
                    Matcher::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
                }
                let files = adopted.files.iter().map(|(path, text)| format!("---- {path}\n{text}"));
                let notes = adopted.notes.iter().map(|note| format!("note: {note}\n"));
                format!("{toml}----\n{}{}", notes.collect::<String>(), files.collect::<String>())
            }
        };
        bless::compare(&case.join("expected.txt"), &shown);
    }
}

#[test]
fn a_matcher_finds_what_its_errorformat_found() {
    let adopt = |patterns: &str, level: &str, output: &str| {
        let text = format!("runner:\n  x:\n    cmd: x\n    level: {level}\n    errorformat: {patterns}\n");
        let adopted = reviewdog::adopt(&text, ".reviewdog.yml", &Flags::default()).unwrap();
        let matcher = Matcher::from_json(adopted.files[0].1.as_bytes()).unwrap();
        let mut lines = gatepost::parse::Lines::new(matcher.start());
        lines.feed(output.as_bytes());
        let found = lines.end().unwrap().findings;
        let shown = found.into_iter().map(|one| {
            let place =
                format!("{}:{}:{}", one.path.unwrap_or_default(), one.line.unwrap_or(0), one.column.unwrap_or(0));
            format!("{place} {} {} {}", one.level.word(), one.rule.unwrap_or_default(), one.message)
        });
        shown.collect::<Vec<_>>()
    };
    let rubocop = adopt(
        r#"["%f:%l:%c: %t: %m", "%-G%.%#"]"#,
        "warning",
        "a.rb:1:2: E: one\na b.rb:1:2: E: not a name\nC:/b.rb:3:4: W: two\nc.rb:5:6: I: three\nd.rb:7:8: C: four\n2 files\n",
    );
    assert_eq!(
        rubocop,
        ["a.rb:1:2 error  one", "C:/b.rb:3:4 warning  two", "c.rb:5:6 note  three", "d.rb:7:8 warning  four"]
    );
    let vim = adopt(r"['%f(%l\,%c): %*[^0-9]%n %m']", "error", "src/x.ts(4,5): error TS2304 no name\n");
    assert_eq!(vim, ["src/x.ts:4:5 error 2304 no name"]);
    let literal = adopt(r"['[%%] %f.%l|%.%#| %m']", "info", "[%] a.b.12|any| (x)\nx[%] a.b.12|any| y\n");
    assert_eq!(literal, ["a.b:12:0 note  (x)"]);
    let typed = adopt(r"['%E%f:%l> %m', '%W%f:%l- %m']", "info", "a:1> x\nb:2- y\n");
    assert_eq!(typed, ["a:1:0 error  x", "b:2:0 warning  y"]);
}
