//! A workflow file as far as gates depend on it: what starts it, what its token may do, and the jobs that run gatepost.

use std::collections::BTreeMap;

use crate::model::gate::GateName;
use crate::model::yaml::{self, Node, Value, YamlError};

/// One workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Relative to the root.
    pub path: String,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// In file order.
    pub jobs: Vec<Job>,
}

/// What starts a workflow.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// `pull_request`, `push`, …
    pub event: String,
    /// `paths` or `paths-ignore`: the workflow does not start for every change.
    pub paths: Option<&'static str>,
    /// `types`; `None`: those that the event has by itself.
    pub types: Option<Vec<String>>,
    /// `branches`; `None`: every branch, but for those that `branches-ignore` names.
    pub branches: Option<Vec<String>>,
    /// `branches-ignore`.
    pub ignored: Vec<String>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its key.
    pub id: String,
    /// From 1.
    pub line: usize,
    /// Its name as it is written, perhaps with expressions; else its key.
    pub name: String,
    /// The workflow whose jobs it is.
    pub uses: Option<String>,
    /// The name of its check; `None` where it is made of expressions, a matrix or another workflow's jobs.
    pub check: Option<String>,
    /// `needs`.
    pub needs: Vec<String>,
    /// `if`.
    pub condition: Option<String>,
    /// `continue-on-error`, but for a plain `false`.
    pub may_fail: bool,
    /// The job's `permissions`, else the workflow's; `None` where neither has any.
    pub grants: Option<Grants>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// What `permissions:` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    /// `read-all` (false) or `write-all` (true).
    All(bool),
    /// By name: `read`, `write` or `none`.
    Listed(BTreeMap<String, String>),
}

impl Grants {
    /// Whether it allows that much.
    #[must_use]
    pub fn allows(&self, name: &str, write: bool) -> bool {
        match self {
            Self::All(all) => *all || !write,
            Self::Listed(listed) => {
                listed.get(name).is_some_and(|level| level == "write" || (!write && level == "read"))
            }
        }
    }
}

/// A step.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// From 1.
    pub line: usize,
    /// `uses`.
    pub uses: Option<String>,
    /// `run`.
    pub run: Option<String>,
    /// `with`, as text.
    pub inputs: BTreeMap<String, String>,
    /// `if`.
    pub condition: Option<String>,
    /// The words of every command of `run`, as the shell sees them; `None`: nobody has looked, or they cannot be read.
    pub commands: Option<Vec<Vec<String>>>,
    /// `continue-on-error`, but for a plain `false`.
    pub may_fail: bool,
    /// It uses the action at the repository's root, and that is gatepost's.
    pub own_action: bool,
}

/// What a step does with gatepost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It runs gates and posts what they found.
    Run,
    /// It runs gates and posts nothing (`--publish never`, `--dry-run`).
    RunQuietly,
    /// It posts reports.
    Publish,
}

impl Step {
    /// What it does with gatepost: its action, or the program by name.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        let (command, words) = self.said()?;
        let quiet = words.windows(2).any(|pair| pair == ["--publish", "never"])
            || words.iter().any(|word| matches!(*word, "--publish=never" | "--dry-run"));
        match command {
            "run" if quiet => Some(Doing::RunQuietly),
            "run" => Some(Doing::Run),
            "publish" => Some(Doing::Publish),
            _ => None,
        }
    }

    /// What gatepost is asked for here, and the words behind that.
    fn said(&self) -> Option<(&str, Vec<&str>)> {
        let asked = |words: &[&'_ str]| words.iter().position(|word| matches!(*word, "run" | "publish"));
        if self.own_action || self.uses.as_deref().is_some_and(is_gatepost) {
            let words: Vec<&str> =
                self.inputs.get("args").map(|said| said.split_whitespace().collect()).unwrap_or_default();
            return Some(match words.split_first() {
                Some((command, rest)) if !command.starts_with('-') => (*command, rest.to_vec()),
                _ => ("run", words),
            });
        }
        let is_program = |word: &str| word.rsplit('/').next() == Some("gatepost");
        let Some(commands) = &self.commands else {
            // Nobody could read it as a shell does.
            let words: Vec<&str> = self.run.as_deref()?.split_whitespace().collect();
            let words = &words[words.iter().position(|word| is_program(word))?..];
            let at = asked(words)?;
            return Some((words[at], words[at + 1..].to_vec()));
        };
        commands.iter().find_map(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (_, rest) = words.split_first().filter(|(program, _)| is_program(program))?;
            let at = asked(rest)?;
            Some((rest[at], [&rest[at + 1..], &rest[..at]].concat()))
        })
    }

    /// The gates that a run is asked for, none where that is all of them; `None` where that cannot be told, or they are another
    /// configuration's.
    #[must_use]
    pub fn gates(&self) -> Option<Vec<String>> {
        let (_, words) = self.said()?;
        let is_elsewhere = |word: &&&str| ELSEWHERE.iter().any(|flag| word.starts_with(flag));
        let moved =
            ["config", "working-directory"].iter().any(|name| self.inputs.get(*name).is_some_and(|at| !at.is_empty()));
        if moved || words.iter().any(|word| is_elsewhere(&word)) {
            return None;
        }
        // Whoever starts it by hand may choose some; for a change the input is empty.
        let chosen = |named: &&String| !(named.starts_with("${{ inputs.") && named.matches("${{").count() == 1);
        let given = self.inputs.get("gates").filter(chosen);
        let mut named: Vec<&str> = given.map(|named| named.split([' ', ',', '\n']).collect()).unwrap_or_default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if WITH_VALUE.contains(&word) {
                words.next();
            } else if !word.starts_with('-') {
                named.push(word);
            }
        }
        named.retain(|name| !name.is_empty());
        let known = named.iter().all(|name| GateName::parse(name).is_ok());
        known.then(|| named.into_iter().map(str::to_owned).collect())
    }
}

/// Flags of `gatepost run` by which it takes another configuration.
const ELSEWHERE: [&str; 4] = ["-C", "--directory", "--config", "$"];
/// Those whose value is a word of its own.
const WITH_VALUE: [&str; 10] =
    ["--base", "--baseline", "--color", "--jobs", "--junit", "--log-format", "--output", "--publish", "--sarif", "-j"];

/// Whether `uses` names gatepost's action, in whatever account it lies.
#[must_use]
pub fn is_gatepost(uses: &str) -> bool {
    uses.split('@').next().is_some_and(|name| name.split('/').nth(1) == Some("gatepost") && !name.starts_with('.'))
}

impl Workflow {
    /// Reads a workflow.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn read(path: &str, text: &str) -> Result<Self, YamlError> {
        let tree = yaml::read(text)?;
        let grants = tree.get("permissions").map(grants);
        let jobs = tree.get("jobs").map(Node::entries).unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            triggers: tree.get("on").map(triggers).unwrap_or_default(),
            jobs: jobs.iter().map(|(id, node)| job(id, node, grants.as_ref())).collect(),
        })
    }

    /// Takes `uses: ./` for gatepost's action: the repository is its own.
    pub fn lies_with_gatepost(&mut self) {
        for step in self.jobs.iter_mut().flat_map(|job| &mut job.steps) {
            step.own_action = step.uses.as_deref() == Some("./");
        }
    }

    /// Has the scripts of its steps read: `commands` gives the words of every command of one, where it can be read.
    pub fn understand(&mut self, commands: &dyn Fn(&str) -> Option<Vec<Vec<String>>>) {
        for step in self.jobs.iter_mut().flat_map(|job| &mut job.steps) {
            step.commands = step.run.as_deref().and_then(commands);
        }
    }

    /// The trigger of an event.
    #[must_use]
    pub fn on(&self, event: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.event == event)
    }
}

fn triggers(on: &Node) -> Vec<Trigger> {
    if on.entries().is_empty() {
        let plain = |event: &str| Trigger {
            event: event.to_owned(),
            paths: None,
            types: None,
            branches: None,
            ignored: Vec::new(),
        };
        return on.texts().into_iter().map(plain).collect();
    }
    let entries = on.entries().iter();
    entries
        .map(|(event, node)| {
            let texts =
                |key: &str| node.get(key).map(|node| node.texts().into_iter().map(str::to_owned).collect::<Vec<_>>());
            Trigger {
                event: event.clone(),
                paths: ["paths", "paths-ignore"].into_iter().find(|filter| node.get(filter).is_some()),
                types: texts("types"),
                branches: texts("branches"),
                ignored: texts("branches-ignore").unwrap_or_default(),
            }
        })
        .collect()
}

fn grants(node: &Node) -> Grants {
    match node.text() {
        Some("write-all") => Grants::All(true),
        Some("read-all") => Grants::All(false),
        _ => {
            let listed = node.entries().iter();
            Grants::Listed(listed.filter_map(|(name, level)| Some((name.clone(), level.text()?.to_owned()))).collect())
        }
    }
}

fn job(id: &str, node: &Node, default: Option<&Grants>) -> Job {
    let name = node.get("name").and_then(Node::text).unwrap_or(id);
    let uses = node.get("uses").and_then(Node::text).map(str::to_owned);
    let several = node.get("strategy").is_some() || node.get("uses").is_some() || name.contains("${{");
    Job {
        id: id.to_owned(),
        line: node.line,
        name: name.to_owned(),
        uses,
        check: (!several).then(|| name.to_owned()),
        needs: node.get("needs").map(Node::texts).unwrap_or_default().into_iter().map(str::to_owned).collect(),
        condition: node.get("if").and_then(Node::text).map(str::to_owned),
        may_fail: may_fail(node),
        grants: node.get("permissions").map(grants).or_else(|| default.cloned()),
        steps: node.get("steps").map(Node::items).unwrap_or_default().iter().map(step).collect(),
    }
}

fn step(node: &Node) -> Step {
    let text = |key: &str| node.get(key).and_then(Node::text).map(|text| text.trim().to_owned());
    let inputs = node.get("with").map(Node::entries).unwrap_or_default();
    Step {
        line: node.line,
        uses: text("uses"),
        run: text("run"),
        inputs: inputs
            .iter()
            .filter_map(|(name, value)| Some((name.to_lowercase(), value.text()?.trim().to_owned())))
            .collect(),
        condition: text("if"),
        commands: None,
        may_fail: may_fail(node),
        own_action: false,
    }
}

fn may_fail(node: &Node) -> bool {
    node.get("continue-on-error").is_some_and(|node| node.value != Value::Text("false".to_owned()))
}
