//! Runs a composite action as the runner does: each step by `bash --noprofile --norc -e -o pipefail FILE`, with files of
//! its own for outputs and the like, inputs only through expressions. What it does not know is a panic. It stands alone,
//! so that the benchmark can use it too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Map, Value};
use tempfile::TempDir;

use super::expression::{Contexts, fill, holds};

/// The files by which a step talks to the runner.
const COMMAND_FILES: [&str; 5] = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"];

/// An `action.yml` and the checkout that it stands in.
pub struct Composite {
    folder: PathBuf,
    action: Value,
}

/// The machine that a job runs on.
pub struct Job {
    pub root: TempDir,
    /// Variables of the job, over those that the runner sets.
    pub env: BTreeMap<String, String>,
    pub token: String,
}

/// How a run of the action ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status of the step that failed; 0: none did.
    pub code: i32,
    /// Steps that ran, by id.
    pub ran: Vec<String>,
    /// Both outputs of every step.
    pub log: String,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Composite {
    /// Reads the action of a checkout.
    pub fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("action.yml")).unwrap();
        Self { folder: folder.to_owned(), action: crate::tree::json(&text) }
    }

    /// The checkout.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A part of `action.yml` that is a map.
    pub fn part(&self, name: &str) -> &Map<String, Value> {
        self.action[name].as_object().unwrap_or_else(|| panic!("action.yml: {name} is no map"))
    }

    /// The steps.
    pub fn steps(&self) -> &[Value] {
        self.part("runs")["steps"].as_array().unwrap()
    }

    /// Runs it in a job with these inputs.
    pub fn run(&self, job: &Job, inputs: &[(&str, &str)]) -> Ended {
        self.run_until(job, inputs, |_, _| {})
    }

    /// The same; `meanwhile` sees each step by its id as soon as it has been started.
    pub fn run_until(&self, job: &Job, inputs: &[(&str, &str)], mut meanwhile: impl FnMut(&str, &Child)) -> Ended {
        assert_eq!(self.part("runs")["using"], "composite");
        let mut contexts = self.contexts(job, inputs);
        let mut ended =
            Ended { code: 0, ran: Vec::new(), log: String::new(), outputs: BTreeMap::new(), summary: String::new() };
        for (at, step) in self.steps().iter().enumerate() {
            let step = Step::read(step);
            if step.condition.is_some_and(|condition| !holds(condition, &contexts)) {
                contexts.steps.insert(step.id.to_owned(), BTreeMap::new());
                continue;
            }
            let files = job.root.path().join(format!("temp/_runner_file_commands/{at}"));
            let child = self.start(job, &step, &contexts, &files);
            meanwhile(step.id, &child);
            let code = wait(child);
            ended.ran.push(step.id.to_owned());
            ended.log += &std::fs::read_to_string(files.join("log")).unwrap();
            ended.summary += &std::fs::read_to_string(files.join("GITHUB_STEP_SUMMARY")).unwrap();
            for unsupported in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"] {
                assert_eq!(std::fs::read_to_string(files.join(unsupported)).unwrap(), "", "{unsupported}");
            }
            contexts.steps.insert(step.id.to_owned(), outputs(&files.join("GITHUB_OUTPUT")));
            if code != 0 {
                ended.code = code;
                break;
            }
        }
        ended.outputs = self.outputs(&contexts);
        ended
    }

    fn contexts(&self, job: &Job, given: &[(&str, &str)]) -> Contexts {
        let github = BTreeMap::from([("token".to_owned(), job.token.clone())]);
        let strategy = [("job-index", "0"), ("job-total", "1")];
        let strategy = strategy.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut contexts = Contexts { github, strategy, ..Contexts::default() };
        for (name, input) in self.part("inputs") {
            let default = input["default"].as_str().unwrap_or_else(|| panic!("{name}: the default is no text"));
            let value = given.iter().find(|(given, _)| given == name).map(|(_, value)| (*value).to_owned());
            let value = value.unwrap_or_else(|| fill(default, &contexts));
            contexts.inputs.insert(name.clone(), value);
        }
        for (name, _) in given {
            assert!(contexts.inputs.contains_key(*name), "the action has no input {name}");
        }
        contexts
    }

    /// The action's outputs. Those of steps that were not reached are empty.
    fn outputs(&self, contexts: &Contexts) -> BTreeMap<String, String> {
        let mut contexts = contexts.clone();
        for step in self.steps() {
            contexts.steps.entry(Step::read(step).id.to_owned()).or_default();
        }
        let outputs = self.part("outputs").iter();
        outputs.map(|(name, output)| (name.clone(), fill(output["value"].as_str().unwrap(), &contexts))).collect()
    }

    fn start(&self, job: &Job, step: &Step<'_>, contexts: &Contexts, files: &Path) -> Child {
        let _ = std::fs::remove_dir_all(files);
        std::fs::create_dir_all(files).unwrap();
        let script = files.join("script.sh");
        std::fs::write(&script, fill(step.run, contexts)).unwrap();
        let log = std::fs::File::create(files.join("log")).unwrap();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&script)
            .current_dir(job.workspace())
            .env_clear()
            .envs(job.runner_env())
            .envs(&job.env)
            .env("GITHUB_ACTION_PATH", &self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        for name in COMMAND_FILES {
            let path = files.join(name);
            std::fs::write(&path, "").unwrap();
            command.env(name, path);
        }
        for (name, value) in step.env {
            command.env(name, fill(value.as_str().unwrap(), contexts));
        }
        command.spawn().unwrap()
    }
}

impl Job {
    /// A job on a fresh machine: an empty workspace, no tool in the cache.
    pub fn new() -> Self {
        // By its real name, as a runner has it: on macOS temporary folders are behind a link.
        let root = tempfile::tempdir_in(std::env::temp_dir().canonicalize().unwrap()).unwrap();
        for folder in ["workspace", "temp", "tools", "home"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root, env: BTreeMap::new(), token: "ghs_workflowtoken0123456789".to_owned() }
    }

    pub fn workspace(&self) -> PathBuf {
        self.root.path().join("workspace")
    }

    /// The runner's tool cache, which jobs on one machine share.
    pub fn tools(&self) -> PathBuf {
        self.root.path().join("tools")
    }

    /// What every runner sets. The release of a system is found by its name, whatever machine the tests run on.
    fn runner_env(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.root.path().join(name).to_str().unwrap().to_owned();
        let pairs = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_WORKSPACE", path("workspace")),
            ("HOME", path("home")),
            ("PATH", std::env::var("PATH").unwrap()),
            ("RUNNER_ARCH", "X64".to_owned()),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_TOOL_CACHE", path("tools")),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

struct Step<'a> {
    id: &'a str,
    condition: Option<&'a str>,
    run: &'a str,
    env: &'a Map<String, Value>,
}

impl<'a> Step<'a> {
    fn read(step: &'a Value) -> Self {
        let keys = step.as_object().unwrap();
        for key in keys.keys() {
            assert!(
                ["name", "id", "if", "shell", "env", "run"].contains(&key.as_str()),
                "unsupported in a step: {key}"
            );
        }
        assert_eq!(keys["shell"], "bash", "unsupported shell");
        let text = |key: &str| keys[key].as_str().unwrap();
        let env = keys["env"].as_object().unwrap();
        Self { id: text("id"), condition: keys.contains_key("if").then(|| text("if")), run: text("run"), env }
    }
}

/// A step's exit status, as a shell counts it.
fn wait(mut child: Child) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let status = child.wait().unwrap();
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap()
}

/// `name=value` and `name<<DELIMITER` of an output file, read as the runner reads them.
fn outputs(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, value) = match (line.find('='), line.find("<<")) {
            (Some(equals), heredoc) if heredoc.is_none_or(|at| equals < at) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(at)) => {
                let delimiter = &line[at + 2..];
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
                (&line[..at], value.join("\n"))
            }
            _ => panic!("{line:?} is no output"),
        };
        found.insert(name.to_owned(), value);
    }
    found
}
