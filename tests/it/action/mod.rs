//! The action, run step by step as a runner would, against a local server of releases.

mod attestation;
mod cache;
mod cancel;
mod download;
mod expression;
mod gating;
mod harness;
mod inputs;
mod lock;
mod releases;
mod source;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use harness::{Composite, Ended, Job};
use releases::{Answer, Releases, TARGET, archive, checkout, lock, sha256};

/// Stands for gatepost where only how it was found and called matters.
const STAND_IN: &str = r#"#!/bin/sh
if [ "$1" = --version ]; then echo "gatepost 9.9.9"; exit; fi
printf '%s\0' "$@" >"$HOME/arguments"
env >"$HOME/environment"
echo verdict=pass >>"$GITHUB_OUTPUT"
"#;

/// A checkout of the action whose lock file knows one release, the server that has it, and a machine.
struct Scene {
    action: Composite,
    releases: Releases,
    job: Job,
    _checkout: TempDir,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Scene {
    fn new(answers: &[Answer]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("gatepost");
        write_program(&program, STAND_IN);
        let archive = archive(&program);
        let checkout = checkout(&lock(&archive, STAND_IN.as_bytes()));
        Self {
            action: Composite::load(checkout.path()),
            releases: Releases::serve(archive, answers),
            job: Job::new(),
            _checkout: checkout,
        }
    }

    /// Runs the action with the server as its mirror.
    fn run(&self, inputs: &[(&str, &str)]) -> Ended {
        self.run_on(&self.job, inputs)
    }

    fn run_on(&self, job: &Job, inputs: &[(&str, &str)]) -> Ended {
        let mirror = self.releases.mirror();
        self.action.run(job, &[inputs, &[("mirror", &mirror)]].concat())
    }

    /// The binary in the tool cache.
    fn cached(&self) -> PathBuf {
        self.job.tools().join("gatepost/9.9.9").join(TARGET).join("gatepost")
    }
}

impl Job {
    /// What the stand-in was called with, empty when it was not.
    fn arguments(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.root.path().join("home/arguments")).unwrap_or_default();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    fn was_run(&self) -> bool {
        self.root.path().join("home/arguments").exists()
    }

    /// Puts a program before all others on PATH.
    fn program(&mut self, name: &str, text: &str) {
        let folder = self.root.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        write_program(&folder.join(name), text);
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        self.env.insert("PATH".to_owned(), path);
    }

    /// Lets every pause pass at once, and notes how long it was to be.
    fn without_pauses(&mut self) {
        self.program("sleep", "#!/bin/sh\necho \"$1\" >>\"$HOME/pauses\"\n");
    }

    /// The pauses so far, in seconds.
    fn pauses(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.root.path().join("home/pauses")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Files that a step left in the folders of the machine, the runner's own and the tool cache's product left out.
    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut folders = vec![self.root.path().join("temp"), self.tools(), self.workspace()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("_runner_file_commands") {
                } else if path.is_dir() {
                    folders.push(path);
                } else {
                    left.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        left
    }
}

impl Ended {
    #[track_caller]
    fn failed(&self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{}", self.log);
        let errors: Vec<&str> = self.log.lines().filter(|line| line.starts_with("::error title=gatepost::")).collect();
        assert_eq!(errors.len(), 1, "{}", self.log);
        assert!(errors[0].contains(said), "{said:?} is not in {}", errors[0]);
        assert_eq!(self.outputs["verdict"], "");
    }

    #[track_caller]
    fn worked(&self) {
        assert_eq!(self.code, 0, "{}", self.log);
        assert_eq!(self.outputs["verdict"], "pass", "{}", self.log);
    }
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
