//! The audit: lockfiles held against databases that each test makes, by the real program and by its library.

mod agreement;
mod comparing;
mod hostile;
mod ignoring;
mod network;
mod scheduled;
mod server;
mod sources;
mod yanked;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::repo::Tree;

/// A day on which every database of these tests is fresh.
pub fn today() -> String {
    jiff::Timestamp::now().to_string().chars().take(10).collect()
}

/// A record of OSV about one package, affected from the beginning up to `fixed`.
pub fn osv(id: &str, ecosystem: &str, name: &str, fixed: &str, more: &Value) -> Value {
    let mut record = json!({
        "id": id, "modified": format!("{}T00:00:00Z", today()), "summary": format!("{name} is bad"),
        "affected": [{
            "package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        record[key] = value.clone();
    }
    record
}

/// What makes a record critical.
pub fn critical() -> Value {
    json!({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]})
}

/// A Cargo.lock in which `app` needs every package.
pub fn cargo_lock(packages: &[(&str, &str)]) -> String {
    let needs: String = packages.iter().flat_map(|(name, version)| [" \"", *name, " ", *version, "\",\n"]).collect();
    let mut text =
        format!("version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n{needs}]\n");
    for (name, version) in packages {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let _ = write!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{}\"\n",
            "0".repeat(64)
        );
    }
    text
}

/// A folder to audit in, and beside it a database and a cache.
pub struct Place {
    pub tree: Tree,
}

/// What the program did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    /// A repository without a commit.
    pub fn new() -> Self {
        Self { tree: Tree::new() }
    }

    /// Writes a record into the database.
    pub fn record(&self, record: &Value) -> &Self {
        self.tree.write(&format!("../db/{}.json", record["id"].as_str().unwrap()), record.to_string());
        self
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.tree.dir.with_file_name(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(arguments)
            .current_dir(&self.tree.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", "/nonexistent")
            .env("GATEPOST_CACHE_DIR", self.beside("cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Ran {
        ended(&mut self.command(arguments))
    }

    /// `gatepost audit --db ../db`.
    pub fn audit(&self, arguments: &[&str]) -> Ran {
        self.call(&[&["audit", "--db", "../db"], arguments].concat())
    }

    /// The same as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.audit(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

pub fn ended(command: &mut Command) -> Ran {
    let done = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: done.status.code(), out: text(&done.stdout), err: text(&done.stderr) }
}

/// `advisory package version status`, with `!` where it counts, of every finding.
pub fn found(report: &Value) -> Vec<String> {
    let one = |finding: &Value| {
        let [advisory, package, version] = ["advisory", "package", "version"].map(|key| finding[key].as_str().unwrap());
        let status = finding["status"].as_str().unwrap_or("-");
        let counts = if finding["blocking"] == true { " !" } else { "" };
        format!("{advisory} {package} {version} {status}{counts}")
    };
    report["findings"].as_array().unwrap().iter().map(one).collect()
}
