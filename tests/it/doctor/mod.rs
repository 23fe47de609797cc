//! `gatepost doctor` as a person runs it: in real repositories, with the fake GitHub behind real HTTP.

mod github;
mod machine;
mod workflows;

use gatepost::render::doctor;
use serde_json::Value;

use crate::github::{FakeGitHub, Rule, State, Token};
use crate::init::gatepost;
use crate::repo::Tree;

/// The app behind the checks of workflows.
const ACTIONS: Option<u64> = Some(15_368);
const ACTION: &str = "octo/gatepost@0123456789abcdef0123456789abcdef01234567";
const WORKFLOW: &str = ".github/workflows/gatepost.yml";
const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
const GATES: &str = "[gates.lint]\nkind = \"lint\"\ncommand = [\"./lint\"]\nformat = \"gcc\"\n\n\
                     [gates.test]\nkind = \"command\"\ncommand = \"./test | cat\"\n";

/// A repository as `gatepost init` leaves it, and GitHub with the right rules: nothing is to be said.
struct Scene {
    tree: Tree,
    fake: FakeGitHub,
    variables: Vec<(&'static str, String)>,
}

/// What it said.
struct Said {
    code: i32,
    out: String,
}

impl Scene {
    fn new() -> Self {
        Self::with("one-job", |github| {
            github.repo("octo/shop").rule("main", required(&[("gates", ACTIONS)]));
        })
    }

    fn with(shape: &str, setup: impl FnOnce(&mut State)) -> Self {
        let tree = Tree::new();
        tree.write("gatepost.toml", GATES).write("lint", "#!/bin/sh\n").write("test", "#!/bin/sh\n");
        tree.commit("first");
        let made = gatepost(&tree, &["init", "--yes", "--workflow", shape, "--action", ACTION]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let head = tree.commit("gates");
        tree.git(&["update-ref", "refs/remotes/origin/main", head.as_str()]);
        tree.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
        let fake = FakeGitHub::start(|github| {
            github.token(TOKEN, Token::classic("mona", "repo, gist"));
            github.repo("octo/shop").commit(head.as_str(), &[]).branch("main", head.as_str());
            setup(github);
        });
        let url = fake.url();
        let mut scene = Self { tree, fake, variables: Vec::new() };
        scene.set("GITHUB_API_URL", &url).set("GITHUB_REPOSITORY", "octo/shop").set("GITHUB_TOKEN", TOKEN);
        scene
    }

    fn set(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(known, _)| *known != name);
        self
    }

    /// Changes a file; what is replaced must be there.
    fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = std::fs::read_to_string(self.tree.dir.join(path)).unwrap();
        assert!(text.contains(from), "{from}\n{text}");
        self.tree.write(path, text.replacen(from, to, 1));
        self
    }

    fn call(&self, arguments: &[&str]) -> Said {
        let done = gatepost(&self.tree, arguments).envs(self.variables.iter().cloned()).output().unwrap();
        let written = self.fake.requests("writes");
        assert!(written.is_empty(), "it only reads: {written:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: done.status.code().unwrap(), out: text(done.stdout) + &text(done.stderr) }
    }

    /// The rows that are neither well nor needless, as `topic outcome what → todo`.
    fn complaints(&self) -> Vec<String> {
        let said = self.call(&["doctor", "--json"]);
        let found: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}\n{}", said.out));
        let schema = serde_json::to_value(doctor::schema()).unwrap();
        assert!(jsonschema::is_valid(&schema, &found), "{found:#}");
        let outcome = |row: &Value| row["outcome"].as_str().unwrap().to_owned();
        let rows = found["rows"].as_array().unwrap();
        // One that could not be told is not well either.
        let worst = ["fail", "error", "pass"].into_iter().find(|one| rows.iter().any(|row| outcome(row) == *one));
        assert_eq!(found["outcome"].as_str(), worst);
        assert_eq!(said.code, if worst == Some("fail") { 1 } else { 4 * i32::from(worst == Some("error")) });
        let wrong = rows.iter().filter(|row| ["fail", "error"].contains(&outcome(row).as_str()));
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_else(|| panic!("no {key}: {row}")).to_owned();
        wrong
            .map(|row| {
                let (topic, what, todo) = (text(row, "topic"), text(row, "what"), text(row, "todo"));
                format!("{topic} {}: {what} → {todo}", outcome(row))
            })
            .collect()
    }

    /// There is exactly one complaint, and it begins and goes on like this.
    #[track_caller]
    fn complains(&self, start: &str, parts: &[&str]) {
        let complaints = self.complaints();
        assert_eq!(complaints.len(), 1, "{complaints:#?}");
        assert!(complaints[0].starts_with(start), "{start}\n{complaints:#?}");
        for part in parts {
            assert!(complaints[0].contains(part), "{part}\n{complaints:#?}");
        }
    }

    /// Nothing is to be said.
    #[track_caller]
    fn is_well(&self) {
        assert_eq!(self.complaints(), Vec::<String>::new());
    }
}

/// What was said, without the breaks of its lines.
fn flat(said: &Said) -> String {
    said.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A ruleset's required checks.
fn required(checks: &[(&str, Option<u64>)]) -> Rule {
    Rule::checks(checks)
}

#[test]
fn what_init_writes_is_well_once_it_is_required() {
    for shape in ["one-job", "several-jobs", "forks"] {
        let scene = Scene::with(shape, |github| {
            let shop = github.repo("octo/shop");
            shop.rule("main", Rule::Deletion)
                .rule("main", required(&[("gates", ACTIONS)]))
                .rule("main", Rule::MergeQueue);
        });
        scene.is_well();
    }
}

#[test]
fn the_table_says_what_was_looked_at_and_what_to_do() {
    let scene = Scene::new();
    scene.edit(WORKFLOW, "      checks: write         # check runs\n", "").edit(WORKFLOW, ACTION, "octo/gatepost@v1");
    let said = scene.call(&["doctor"]);
    assert_eq!(said.code, 1);
    let version = regex::Regex::new(r"(?m)^(✓ well +tool +(?:bash|cat) .*?\): ).*$").unwrap();
    let shown = version.replace_all(&said.out, "$1(version)");
    insta::assert_snapshot!(shown.replace(&scene.tree.sha("HEAD").as_str()[..7], "(commit)"));
}

#[test]
fn a_token_is_shown_nowhere() {
    let scene = Scene::new();
    scene.edit("gatepost.toml", "./lint", &format!("./{TOKEN}"));
    for arguments in [&["doctor"][..], &["doctor", "--json"], &["doctor", "-vv"]] {
        let said = scene.call(arguments);
        assert!(said.out.contains("is not there") && !said.out.contains(TOKEN), "{}", said.out);
    }
}
