//! The real program on real repositories: what it judges, prints and ends with.

mod baseline;
mod commands;
mod gates;
mod looked;
mod outputs;
mod parsing;
mod places;
mod planning;
mod reports;
mod scope;
mod strangers;
mod surroundings;
mod terminal;
mod unfinished;
mod unseen;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::repo::{Tree, numbered};

/// A repository whose branch `topic` adds line 6 to `src/a.rs`, five lines long on `main`.
struct Project {
    tree: Tree,
    env: Vec<(String, String)>,
}

/// What one call of the program did.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
    report: Value,
}

impl Project {
    /// With this configuration on both branches.
    fn new(config: &str) -> Self {
        let project = Self::on_main(config);
        project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
        project.tree.write("src/a.rs", numbered(6)).commit("topic");
        project
    }

    /// On `main`, where nothing has changed.
    fn on_main(config: &str) -> Self {
        let tree = Tree::new();
        tree.write("gatepost.toml", config).write("src/a.rs", numbered(5)).commit("first");
        Self { tree, env: Vec::new() }
    }

    /// On a branch that adds a file; on main are an old one, these, and `said`, a finding in its first line.
    fn beside_old(config: &str, [old, new]: [&str; 2], files: &[(&str, &str)]) -> Self {
        let project = Self::on_main(config);
        project.tree.write(old, numbered(5)).write("said", format!("{old}:1:1: warning: w\n"));
        for (path, text) in files {
            project.tree.write(path, text);
        }
        project.tree.commit("old");
        project.tree.git(&["checkout", "--quiet", "-b", "topic"]);
        project.tree.write(new, numbered(3)).commit("new");
        project
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Under GitHub Actions, woken by this event.
    fn woken_by(self, event: &str, payload: &Value) -> Self {
        self.tree.write("../event.json", payload.to_string());
        let file = self.tree.dir.with_file_name("event.json");
        let head = self.tree.sha("HEAD");
        self.env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", file.to_str().unwrap())
            .env("GITHUB_REPOSITORY", "octo/shop")
            .env("GITHUB_SHA", head.as_str())
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_SERVER_URL", "https://github.test")
            .env("GITHUB_RUN_ID", "1")
            .env("GITHUB_RUN_ATTEMPT", "1")
    }

    /// A push of the last commit to `main`.
    fn pushed(self) -> Self {
        let (after, before) = (self.tree.sha("HEAD"), self.tree.sha("HEAD~1"));
        self.woken_by("push", &json!({"before": before, "after": after, "ref": "refs/heads/main"}))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.tree.dir.join(path)
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gatepost(&self.tree.dir, arguments);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn call(&self, arguments: &[&str]) -> Ran {
        let report = self.path(".gatepost/report.json");
        let mut ran = ended(&mut self.command(arguments));
        ran.report = std::fs::read(report).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        ran
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.call(&[&["run"], arguments].concat())
    }

    /// The exit code, and how each gate ended.
    fn ends(&self, arguments: &[&str]) -> (i32, Vec<String>) {
        let ran = self.run(arguments);
        (ran.code.unwrap(), ran.gates())
    }
}

impl Ran {
    /// `name: outcome, reason` of every gate of the report.
    fn gates(&self) -> Vec<String> {
        let word = |gate: &Value, key: &str| gate[key].as_str().unwrap().to_owned();
        let gates = self.report["gates"].as_array().unwrap_or_else(|| panic!("no report: {}{}", self.out, self.err));
        gates
            .iter()
            .map(|gate| format!("{}: {}, {}", word(gate, "name"), word(gate, "outcome"), word(gate, "reason")))
            .collect()
    }

    /// The first gate of the report.
    fn gate(&self) -> &Value {
        &self.report["gates"][0]
    }

    /// `path:line relevance`, with `!` where it counts, of every finding of the first gate.
    fn findings(&self) -> Vec<String> {
        let findings = self.gate()["findings"].as_array().unwrap();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let shown = findings.iter().map(|finding| {
            let counts = if finding["blocking"] == true { " !" } else { "" };
            format!("{}:{} {}{counts}", word(&finding["path"]), finding["line"], word(&finding["relevance"]))
        });
        shown.collect()
    }

    fn notes(&self) -> Vec<&str> {
        strings(&self.report["notes"])
    }

    /// The notes of the first gate.
    fn gate_notes(&self) -> Vec<&str> {
        strings(&self.gate()["notes"])
    }

    /// Everything that is seen, without what differs from run to run.
    fn seen(&self, tree: &Path) -> String {
        let text = format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code.unwrap_or(-1), self.out, self.err);
        redacted(&text, tree)
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// `gatepost` with nothing of this machine but its `PATH`.
fn gatepost(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
}

fn ended(command: &mut Command) -> Ran {
    let done = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: done.status.code(), out: text(&done.stdout), err: text(&done.stderr), report: Value::Null }
}

/// Paths of the temporary folder, commit ids and times are put aside.
fn redacted(text: &str, tree: &Path) -> String {
    let real = tree.canonicalize().unwrap_or_else(|_| tree.to_owned());
    let mut text = text.to_owned();
    for folder in [real.as_path(), tree] {
        text = text.replace(folder.to_str().unwrap(), "[DIR]");
        text = text.replace(folder.parent().unwrap().to_str().unwrap(), "[TEMP]");
    }
    let replaced = |text: &str, pattern: &str, with: &str| {
        regex::Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
    };
    // Columns are padded to the widest time.
    let text = replaced(&text, r"\b\d+(\.\d)? (ms|s)\b *", "[TIME] ");
    let text = replaced(&text, r"\[TIME\] ([):])", "[TIME]$1");
    let text = replaced(&text, r"– +", "– ");
    let text = replaced(&text, r"\btime +counts", "time counts");
    replaced(&text, r"\b[0-9a-f]{7}([0-9a-f]{33})?\b", "[COMMIT]")
}

/// Compares what is seen with `fixtures/run/NAME.txt`.
fn expect(name: &str, seen: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/run").join(name).with_extension("txt");
    crate::bless::compare(&file, seen);
}
