//! `gatepost migrations` and gates of kind `migrations`, on real servers that the program itself starts.

mod against;
mod commands;
mod databases;
mod detected;
mod faults;
mod foreign_keys;
mod judged;
mod known;
mod layouts;
mod observed;
mod open_pulls;
mod roles;
mod sessions;
mod trips;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder of its own, in which servers make theirs, and what lies in it.
struct Place {
    temp: PathBuf,
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
    json: Value,
}

impl Place {
    fn new() -> Self {
        let mut word = [0_u8; 8];
        getrandom(&mut word);
        // Short, and open to the user that servers run as when tests run as root. A server has a thousand files, and a
        // disk's file system takes its time over so many that come and go.
        let temp = if has_room(Path::new("/dev/shm")) { "/dev/shm" } else { "/tmp" };
        let temp = Path::new(temp).join(format!("gpt-{:016x}", u64::from_le_bytes(word)));
        std::fs::create_dir(&temp).unwrap();
        std::fs::create_dir(temp.join("work")).unwrap();
        Self { temp }
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let place = Self::new();
        for (path, text) in files {
            place.write(path, text);
        }
        place
    }

    fn work(&self) -> PathBuf {
        self.temp.join("work")
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.work().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.work().join(path)).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"]);
        let output = command.args(arguments).current_dir(self.work()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Everything that lies there becomes the base.
    fn commit(&self) {
        if !self.work().join(".git").exists() {
            self.git(&["init", "-q"]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "base"]);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(arguments)
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home)
            .env("TMPDIR", &self.temp)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("COLUMNS", "120")
            .stdin(Stdio::null());
        command
    }

    /// `gatepost migrations … --json`; nothing may be left behind.
    fn migrations(&self, arguments: &[&str]) -> Ran {
        let ran = Ran::of(&self.command(&[&["migrations", "--json"], arguments].concat()).output().unwrap());
        self.nothing_is_left();
        ran
    }

    /// Neither a folder nor a process of a server.
    fn nothing_is_left(&self) {
        assert_eq!(self.folders(), Vec::<String>::new());
        assert_eq!(self.servers(), Vec::<i32>::new());
    }

    fn folders(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.temp).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).filter(|name| name != "work").collect()
    }

    /// Processes with this place among their arguments.
    fn servers(&self) -> Vec<i32> {
        let sign = format!("{}/gatepost-db-", self.temp.display());
        let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,command="]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let found = lines.lines().filter(|line| line.contains(&sign));
        found.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.temp);
    }
}

/// Containers may have as little as 64 MiB of shared memory.
fn has_room(folder: &Path) -> bool {
    nix::sys::statvfs::statvfs(folder)
        .is_ok_and(|found| u128::from(found.blocks_available()) * u128::from(found.fragment_size()) > 2 << 30)
}

fn getrandom(bytes: &mut [u8]) {
    use std::io::Read as _;
    std::fs::File::open("/dev/urandom").unwrap().read_exact(bytes).unwrap();
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let out = text(&output.stdout);
        let json = serde_json::from_str(&out).unwrap_or(Value::Null);
        Self { code: output.status.code(), out, err: text(&output.stderr), json }
    }

    /// The exit code, the outcome and why.
    fn verdict(&self) -> String {
        let word = |key: &str| self.json[key].as_str().unwrap_or("-").to_owned();
        format!("{} {}: {}", self.code.unwrap_or(-1), word("outcome"), word("reason"))
    }

    /// `path:line rule`, with `!` where it counts, notes left out.
    fn findings(&self) -> Vec<String> {
        let findings = self.json["findings"].as_array().unwrap_or_else(|| panic!("{}{}", self.out, self.err));
        let told = findings.iter().filter(|finding| finding["level"] != "note");
        told.map(|finding| {
            let file = finding["path"].as_str().unwrap_or("-").rsplit('/').next().unwrap();
            format!("{file}:{} {}", finding["line"], finding["rule"].as_str().unwrap())
        })
        .collect()
    }

    /// The message of the first finding of a rule.
    fn message(&self, rule: &str) -> &str {
        let found = self.json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == rule);
        found.unwrap_or_else(|| panic!("no {rule} in {}", self.out))["message"].as_str().unwrap()
    }

    fn migration(&self, number: usize) -> &Value {
        &self.json["migrations"][number]
    }

    fn statement(&self, migration: usize, number: usize) -> &Value {
        &self.migration(migration)["statements"][number]
    }

    fn round_trips(&self) -> Vec<&str> {
        self.json["migrations"].as_array().unwrap().iter().map(|it| it["round_trip"].as_str().unwrap()).collect()
    }
}

/// `object mode` of each lock.
fn locks(locks: &Value) -> Vec<String> {
    let lock = |lock: &Value| format!("{} {}", lock["object"].as_str().unwrap(), lock["mode"].as_str().unwrap());
    locks.as_array().unwrap().iter().map(lock).collect()
}
