//! Workflows and composite actions of GitHub as far as gates depend on them:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>. It reads and judges nothing.

use super::actions;
use super::scalar;
use super::shell::{OPAQUE, Shell};
use super::text::{Piece, Source};
use crate::model::yaml::{Node, Value};

/// A workflow, or a composite action as a workflow of one job.
#[derive(Debug)]
pub struct Workflow {
    /// Its file, as an index.
    pub file: usize,
    /// What wakes it, with the settings of each; empty for an action.
    pub events: Vec<(String, Option<Node>)>,
    /// What it is called.
    pub name: Option<String>,
    /// It is a composite action.
    pub action: bool,
    /// In file order.
    pub jobs: Vec<Job>,
}

/// A job.
#[derive(Debug)]
pub struct Job {
    /// Its key.
    pub id: String,
    /// Everything of it.
    pub node: Node,
    /// The jobs it needs.
    pub needs: Vec<String>,
    /// The workflow that it calls.
    pub uses: Option<String>,
    /// In order.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    /// Everything of it.
    pub node: Node,
    /// What it runs, and how; `None` for an action that is given no script, and for shells that are not read.
    pub run: Option<(Piece, Shell)>,
    /// The folder it runs in, relative to the root.
    pub dir: String,
    /// The number of its script, once that is read.
    pub script: Option<usize>,
    /// It has a `run` for a shell that is not read, and which.
    pub unread: Option<String>,
    /// Where `PowerShell` runs it.
    pub powershell: Machines,
}

/// Some of the machines that a job runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machines {
    /// None of them.
    None,
    /// Those of some legs of its matrix.
    Some,
    /// All of them.
    All,
}

impl Workflow {
    /// Reads a workflow; `None` where the file is no workflow at all.
    #[must_use]
    pub fn of(file: usize, source: &Source, root: &Node) -> Option<Self> {
        let jobs = root.get("jobs")?;
        let defaults = Defaults::default().below(root.get("defaults"));
        let events = root.get("on").map(events).unwrap_or_default();
        let jobs = jobs.entries().iter().map(|(id, node)| job(id, node, &defaults, source)).collect();
        let name = root.get("name").and_then(Node::text).map(str::to_owned);
        Some(Self { file, name, events, action: false, jobs })
    }

    /// Reads an action; `None` where it is not made of steps.
    #[must_use]
    pub fn of_action(file: usize, source: &Source, root: &Node) -> Option<Self> {
        let runs = root.get("runs")?;
        let steps = steps(runs.get("steps")?).into_iter();
        let defaults = Defaults::default();
        let steps = steps.map(|node| step(node, &defaults, Machines::None, source)).collect();
        let job = Job { id: "runs".to_owned(), node: runs.clone(), needs: Vec::new(), uses: None, steps };
        Some(Self { file, name: None, events: Vec::new(), action: true, jobs: vec![job] })
    }

    /// Whether it runs for changes that somebody wants to merge, or has merged.
    #[must_use]
    pub fn judges_changes(&self) -> bool {
        const OF_CHANGES: &[&str] =
            &["pull_request", "pull_request_target", "push", "merge_group", "workflow_call", "workflow_run"];
        self.action
            || self
                .events
                .iter()
                .any(|(event, settings)| OF_CHANGES.contains(&event.as_str()) && !only_tags(event, settings.as_ref()))
    }

    /// Whether an event wakes it.
    #[must_use]
    pub fn wakes_on(&self, event: &str) -> bool {
        self.events.iter().any(|(name, _)| name == event)
    }
}

/// A push of tags is a release.
fn only_tags(event: &str, settings: Option<&Node>) -> bool {
    event == "push"
        && settings.is_some_and(|settings| settings.get("tags").is_some() && settings.get("branches").is_none())
}

fn events(on: &Node) -> Vec<(String, Option<Node>)> {
    match &on.value {
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect(),
        _ => on.texts().iter().map(|event| ((*event).to_owned(), None)).collect(),
    }
}

#[derive(Default, Clone)]
struct Defaults {
    shell: Option<String>,
    dir: Option<String>,
}

impl Defaults {
    fn below(&self, defaults: Option<&Node>) -> Self {
        let run = defaults.and_then(|defaults| defaults.get("run"));
        let word = |key: &str| run.and_then(|run| run.get(key)).and_then(Node::text).map(str::to_owned);
        Self {
            shell: word("shell").or_else(|| self.shell.clone()),
            dir: word("working-directory").or_else(|| self.dir.clone()),
        }
    }
}

fn job(id: &str, node: &Node, defaults: &Defaults, source: &Source) -> Job {
    let defaults = defaults.below(node.get("defaults"));
    let windows = windows(node);
    let steps = node.get("steps").map(steps).unwrap_or_default();
    Job {
        id: id.to_owned(),
        node: node.clone(),
        needs: node.get("needs").map(Node::texts).unwrap_or_default().into_iter().map(str::to_owned).collect(),
        uses: node.get("uses").and_then(Node::text).map(str::to_owned),
        steps: steps.into_iter().map(|node| step(node, &defaults, windows, source)).collect(),
    }
}

/// The machines of a job on which Windows runs, as far as its matrix tells.
fn windows(job: &Node) -> Machines {
    let Some(runs_on) = job.get("runs-on") else { return Machines::None };
    let labels = || [Some(runs_on), runs_on.get("labels")].into_iter().flatten().flat_map(Node::texts);
    let is_windows = |label: &&str| label.to_lowercase().contains("windows");
    if labels().any(|label| is_windows(&label)) {
        return Machines::All;
    }
    let Some(path) =
        labels().find_map(|label| label.split_once("${{")?.1.split_once("}}")?.0.trim().strip_prefix("matrix."))
    else {
        return Machines::None;
    };
    let mut parts = path.split('.');
    let (name, inner) = (parts.next().unwrap_or_default(), parts.next());
    let matrix = job.get("strategy").and_then(|strategy| strategy.get("matrix"));
    let values = matrix.and_then(|matrix| matrix.get(name)).map(Node::items).unwrap_or_default().iter();
    let included = matrix.and_then(|matrix| matrix.get("include")).map(Node::items).unwrap_or_default().iter();
    let legs = values.chain(included.filter_map(|leg| leg.get(name)));
    let legs: Vec<&str> = legs
        .flat_map(|leg| inner.map_or_else(|| leg.texts(), |key| leg.get(key).map(Node::texts).unwrap_or_default()))
        .collect();
    match legs.iter().filter(|label| is_windows(label)).count() {
        0 => Machines::None,
        count if count == legs.len() => Machines::All,
        _ => Machines::Some,
    }
}

/// The steps of a list. Those of a group, which run at once, are steps of the job as all others:
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsparallel>.
fn steps(list: &Node) -> Vec<&Node> {
    list.items().iter().flat_map(|step| step.get("parallel").map_or_else(|| vec![step], steps)).collect()
}

fn step(node: &Node, defaults: &Defaults, machines: Machines, source: &Source) -> Step {
    let windows = machines == Machines::All;
    let own = Defaults {
        shell: node.get("shell").and_then(Node::text).map(str::to_owned),
        dir: node.get("working-directory").and_then(Node::text).map(str::to_owned),
    };
    let name = own.shell.or_else(|| defaults.shell.clone());
    let run = node.get("run");
    let powershell = match name.as_deref() {
        _ if run.is_none() => Machines::None,
        None => machines,
        Some("pwsh" | "powershell") => Machines::All,
        Some(_) => Machines::None,
    };
    let plain = run.and_then(Node::text).is_some_and(means_the_same_everywhere);
    // PowerShell goes on after a program that failed.
    let shell = shell(name.as_deref(), windows)
        .or((plain && powershell == Machines::All).then_some(Shell { errexit: false, pipefail: false }));
    let dir = own.dir.or_else(|| defaults.dir.clone()).unwrap_or_default();
    let dir = if dir.contains("${{") {
        OPAQUE.to_string()
    } else {
        dir.trim_start_matches("./").trim_matches('/').to_owned()
    };
    let given = given(node, windows);
    let (run, shell) = given.as_ref().map_or((run, shell.ok_or(name)), |(run, shell)| (Some(*run), shell.clone()));
    let read = |(run, shell): (&Node, Shell)| (without_expressions(&scalar::piece(run, source)), shell);
    Step {
        node: node.clone(),
        script: None,
        run: run.zip(shell.as_ref().ok().copied()).map(read),
        unread: run.and(shell.err()).map(|name| name.unwrap_or_else(|| "pwsh".to_owned())),
        dir: if dir == "." { String::new() } else { dir },
        powershell,
    }
}

/// The script that an action is given to run, and how it starts the shell, or the name of one whose scripts are not read.
fn given(node: &Node, windows: bool) -> Option<(&Node, Result<Shell, Option<String>>)> {
    let runner = node.get("uses").and_then(Node::text).and_then(actions::runner_of)?;
    let inputs = node.get("with")?;
    let script = inputs.get(runner.input)?;
    let name = inputs.get("shell").and_then(Node::text).filter(|_| runner.chosen);
    let plain = script.text().is_some_and(means_the_same_everywhere);
    let mut words = name.unwrap_or(if windows && runner.chosen { "powershell" } else { "bash" }).split_whitespace();
    let shell = match words.next().unwrap_or_default() {
        "bash" | "sh" if name.is_some() => Ok(Shell::flagged(words)),
        "bash" | "sh" => Ok(runner.shell),
        "pwsh" | "powershell" if plain => Ok(runner.shell),
        other => Err(Some(other.to_owned())),
    };
    Some((script, shell))
}

/// Text with what only the runner knows taken out.
#[must_use]
pub fn without_expressions(piece: &Piece) -> Piece {
    piece.replace("${{", "}}", |inside| match inside.strip_prefix("env.") {
        None if inside == "github.workspace" => "${GITHUB_WORKSPACE}".to_owned(),
        Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => format!("${{{name}}}"),
        _ => OPAQUE.to_string(),
    })
}

/// Lines of plain words: `PowerShell` makes of each what every shell does.
#[must_use]
pub fn means_the_same_everywhere(script: &str) -> bool {
    let mut rest = script;
    let mut plain = String::new();
    while let Some((before, behind)) = rest.split_once("${{") {
        plain += before;
        rest = behind.split_once("}}").map_or("$", |(_, behind)| behind);
    }
    plain += rest;
    let mut lines = plain.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.all(|line| line.chars().all(|c| c.is_ascii_alphanumeric() || " ./:=,+-_@\"".contains(c)))
}

/// How the runner starts a shell, `None` for one whose scripts are not read:
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell>.
fn shell(name: Option<&str>, windows: bool) -> Option<Shell> {
    let Some(name) = name else {
        return (!windows).then_some(Shell { errexit: true, pipefail: false });
    };
    let mut words = name.split_whitespace();
    let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match (program, name.contains("{0}")) {
        // msys2/setup-msys2 writes it so that it starts bash.
        ("bash", false) | ("msys2", _) => Some(Shell { errexit: true, pipefail: true }),
        ("sh", false) => Some(Shell { errexit: true, pipefail: false }),
        ("bash" | "sh" | "dash" | "zsh" | "ksh", true) => Some(Shell::flagged(words)),
        _ => None,
    }
}

impl Step {
    /// A key's text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.node.get(key).and_then(Node::text)
    }

    /// The action it uses.
    #[must_use]
    pub fn uses(&self) -> Option<&str> {
        self.text("uses")
    }

    /// It runs only when something has failed already: what it runs is no gate.
    #[must_use]
    pub fn is_aftermath(&self) -> bool {
        self.text("if").filter(|condition| !condition.contains("always()")).is_some_and(|condition| {
            (condition.contains("failure()") && !condition.contains("!failure()") && !condition.contains("success()"))
                || (condition.contains("cancelled()")
                    && !condition.contains("!cancelled()")
                    && !condition.contains("! cancelled()"))
        })
    }

    /// Whether it runs wherever another step of the job does, on this leg of the matrix or on another one.
    #[must_use]
    pub fn runs_wherever(&self, other: &Self) -> bool {
        const NARROW: &[&str] =
            &["github.", "inputs.", "vars.", "secrets.", "env.", "needs.", "failure()", "cancelled()"];
        let condition = |step: &Self| expression(step.text("if").unwrap_or_default()).replace("!cancelled()", "");
        let own = condition(self);
        own == condition(other) || !(own == "false" || NARROW.iter().any(|word| own.contains(word)))
    }
}

impl Job {
    /// A key's text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.node.get(key).and_then(Node::text)
    }

    /// Whether an expression chooses the machine, and with it the shell.
    #[must_use]
    pub fn runs_anywhere(&self) -> bool {
        self.text("runs-on").is_some_and(|runs_on| runs_on.contains("${{"))
    }

    /// Whether anything of the job but a step's own `id` speaks of `steps.<id>.`: its outcome is read. Its `conclusion`
    /// is success whatever happened, once the failure was taken away.
    #[must_use]
    pub fn reads_step(&self, step: &Step) -> bool {
        let Some(id) = step.text("id") else { return false };
        let said = [format!("steps.{id}."), format!("steps['{id}']")];
        let tells = |rest: &str| !rest.trim_start_matches(['.', '[', '\'']).starts_with("conclusion");
        let mentions = |text: &str| {
            said.iter().any(|said| text.match_indices(said.as_str()).any(|(at, _)| tells(&text[at + said.len()..])))
        };
        any_text(&self.node, &mentions)
    }
}

/// Whether a text in a tree, keys aside, is such.
pub fn any_text(node: &Node, is: &dyn Fn(&str) -> bool) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Text(text) => is(text),
        Value::List(items) => items.iter().any(|item| any_text(item, is)),
        Value::Map(entries) => entries.iter().any(|(_, value)| any_text(value, is)),
    }
}

/// The inside of an expression, or the text itself where `${{ }}` may be left out, as in `if`.
#[must_use]
pub fn expression(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")).map_or(text, str::trim)
}

/// A setting as the runner takes it: `True` and `TRUE` are `true` too, and either may stand inside `${{ }}`.
#[must_use]
pub fn setting(text: &str) -> &str {
    match expression(text) {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_are_started_as_the_runner_does() {
        let of = |name, windows| shell(name, windows).map(|shell| (shell.errexit, shell.pipefail));
        assert_eq!(of(None, false), Some((true, false)));
        assert_eq!(of(None, true), None);
        assert_eq!(of(Some("bash"), true), Some((true, true)));
        assert_eq!(of(Some("sh"), false), Some((true, false)));
        assert_eq!(of(Some("bash -l {0}"), false), Some((false, false)));
        assert_eq!(of(Some("bash -el {0}"), false), Some((true, false)));
        assert_eq!(of(Some("bash --noprofile --norc -eo pipefail {0}"), false), Some((true, true)));
        assert_eq!(of(Some("pwsh"), false), None);
        assert_eq!(of(Some("python"), false), None);
    }
}
