//! Deploys of the real program to a service of the test's own, with the ledger in a file and on the fake GitHub: the same
//! rules, by the same tests.

mod bench;
mod crashes;
mod elsewhere;
mod evidence;
mod faults;
mod hosts;
mod ledgers;
mod locks;
mod merged;
mod neighbours;
mod outages;
mod probes;
mod reports;
mod service;
mod services;
mod standstill;
mod stories;
mod telling;
mod traffic;
mod untrusted;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::github::{FakeGitHub, Token};
use crate::repo::Tree;
use service::Service;

/// What is deployed by: the commit's id goes where the service reads which commit it is.
const SCRIPT: &str = "#!/bin/sh\nset -eu\necho \"$GATEPOST_ROLE $GATEPOST_SHA $GATEPOST_DEPLOYMENT_ID\" >>\"$PLACE/runs\"\n\
    if [ -e slow ]; then sleep 30; fi\nif [ -e broken ]; then echo 'no space left' >&2; exit 3; fi\n\
    if [ -e sick ]; then echo sick >\"$PLACE/sick\"; else rm -f \"$PLACE/sick\"; fi\n\
    echo \"$GATEPOST_SHA\" >\"$PLACE/live\"\n";

/// Which ledger a test uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    File,
    GitHub,
}

const BOTH: [On; 2] = [On::File, On::GitHub];

/// A repository, a service and a ledger.
pub struct Scene {
    pub tree: Tree,
    pub service: Service,
    pub fake: Option<FakeGitHub>,
    pub env: Vec<(String, String)>,
}

/// What one call did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Scene {
    /// One commit, that is good, with `staging`; `more` is added to the configuration.
    pub fn new(on: On, more: &str) -> Self {
        let tree = Tree::new();
        let service = Service::start(tree.dir.with_file_name("place"));
        let config = format!(
            "[gates.test]\nkind = \"command\"\ncommand = \"true\"\n\n[environments.staging]\n\
             deploy = {{ command = \"./deploy.sh\" }}\nurl = \"{}\"\nhealth = [\"/health\"]\n\
             verify = {{ version = {{ path = \"/version\" }}, interval = \"10ms\", grace = \"0s\", deadline = \"5s\" }}\n{more}",
            service.url()
        );
        tree.write("gatepost.toml", config).write("deploy.sh", SCRIPT).write(".gitignore", ".gatepost\n");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(tree.dir.join("deploy.sh"), executable).unwrap();
        tree.commit("first");
        let fake = (on == On::GitHub).then(|| {
            FakeGitHub::start(|github| {
                // A test of every point of a deploy asks more than an hour allows.
                github.token("secret", Token::personal("ana").limited(1_000_000));
                github.repo("octo/shop");
            })
        });
        let mut scene = Self { tree, service, fake, env: Vec::new() };
        if let Some(fake) = &scene.fake {
            let url = fake.url();
            for (name, value) in
                [("GITHUB_TOKEN", "secret"), ("GITHUB_API_URL", &url), ("GITHUB_REPOSITORY", "octo/shop")]
            {
                scene.env.push((name.to_owned(), value.to_owned()));
            }
        }
        scene.known();
        scene
    }

    /// GitHub knows the commits that are here.
    pub fn known(&self) {
        let Some(fake) = &self.fake else { return };
        let listed = self.tree.git(&["log", "--all", "--format=%H %P"]);
        fake.with(|github| {
            for line in listed.lines() {
                let mut words = line.split(' ').filter(|word| !word.is_empty());
                let sha = words.next().unwrap();
                let parents: Vec<&str> = words.collect();
                if !github.repo("octo/shop").commits.contains_key(sha) {
                    github.repo("octo/shop").commit(sha, &parents);
                }
            }
        });
    }

    /// One more commit, with this file (`sick`, `broken`, `slow`) in it, or without those.
    pub fn commit(&self, file: Option<&str>) -> String {
        for name in ["sick", "broken", "slow"] {
            let _ = std::fs::remove_file(self.tree.dir.join(name));
        }
        self.tree.write(file.unwrap_or("fine"), format!("{:?}", std::time::Instant::now()));
        self.tree.commit(file.unwrap_or("fine"));
        self.known();
        self.head()
    }

    pub fn head(&self) -> String {
        self.sha("HEAD")
    }

    pub fn sha(&self, name: &str) -> String {
        self.tree.sha(name).to_string()
    }

    /// The files of a commit.
    pub fn tree_of(&self, commit: &str) -> String {
        self.sha(&format!("{commit}^{{tree}}"))
    }

    /// The external id of a check run with the files of a commit in it.
    pub fn of_files(&self, commit: &str, says: &str) -> String {
        let unsaid = 8_usize.saturating_sub(says.split(':').count());
        format!("{says}{}:{}", ":-".repeat(unsaid), self.tree_of(commit))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command
            .args(arguments)
            .current_dir(&self.tree.dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", "/nonexistent")
            .env("USER", "ana")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("PLACE", self.service.place())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Ran {
        let done = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
    }

    /// `gatepost run` makes the evidence.
    pub fn judged(&self) -> &Self {
        let ran = self.call(&["run", "--all-files", "--publish", "never"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        self
    }

    pub fn deploy(&self) -> Ran {
        self.judged().call(&["deploy", "staging"])
    }

    /// `staging` as `status --json` has it.
    pub fn status(&self) -> Value {
        let ran = self.call(&["status", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["environments"][0].clone()
    }

    /// The commit that answers.
    pub fn live(&self) -> String {
        self.service.live()
    }

    /// What the deploy script was run for: `role sha id`.
    pub fn runs(&self) -> Vec<String> {
        let runs = std::fs::read_to_string(self.service.place().join("runs")).unwrap_or_default();
        runs.lines().map(str::to_owned).collect()
    }

    pub fn ledger(&self) -> PathBuf {
        self.tree.dir.join(".git/gatepost/ledger.sqlite")
    }
}

impl Ran {
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Everything in order stands in what was printed.
    pub fn says(self, all: &[&str]) -> Self {
        let text = format!("{}{}", self.out, self.err);
        let mut rest = text.as_str();
        for one in all {
            let at = rest.find(one).unwrap_or_else(|| panic!("{one:?} is not (in this order) in:\n{text}"));
            rest = &rest[at + one.len()..];
        }
        self
    }
}
