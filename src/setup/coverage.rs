//! Whether pull requests are gated at all: what starts the workflows that run gates, and which gates these run.

use crate::model::diagnosis::Row;
use crate::setup::workflow::{Doing, Step, Workflow};

/// A gate of the configuration.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The gates it needs, which are run with it.
    pub needs: Vec<String>,
    /// It is enforced for pull requests.
    pub enforced: bool,
}

/// The types of activity by which a pull request gets new commits, or comes to be judged.
const TYPES: [&str; 3] = ["opened", "synchronize", "reopened"];

/// Whether a workflow starts for every new commit of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Starts {
    Always,
    /// Another repository may call it.
    NotKnown,
    Not(String),
}

/// The rows about the workflows with gates, of which there may be none.
#[must_use]
pub fn rows(workflows: &[Workflow], gates: &[Wanted]) -> Vec<Row> {
    let runs = |step: &Step| step.doing().is_some_and(|doing| doing != Doing::Publish);
    let gating: Vec<&Workflow> =
        workflows.iter().filter(|workflow| workflow.jobs.iter().any(|job| job.steps.iter().any(runs))).collect();
    let started: Vec<(&Workflow, Starts)> =
        gating.into_iter().map(|workflow| (workflow, starts(workflow, workflows, 0))).collect();
    let mut rows: Vec<Row> = nothing_gated(&started).into_iter().collect();
    let of_changes = started.iter().filter(|(_, starts)| !matches!(starts, Starts::Not(_)));
    let of_changes: Vec<&Workflow> = of_changes.map(|(workflow, _)| *workflow).collect();
    rows.extend(judged(&of_changes, workflows, gates));
    rows
}

/// What a trigger `pull_request` leaves out.
#[must_use]
pub fn missing_types(types: Option<&[String]>) -> Vec<&'static str> {
    let lacks = |wanted: &&str| types.is_some_and(|types| !types.iter().any(|one| one == wanted));
    TYPES.into_iter().filter(lacks).collect()
}

fn starts(workflow: &Workflow, all: &[Workflow], depth: usize) -> Starts {
    if workflow.on("merge_group").is_some() {
        return Starts::Always;
    }
    if let Some(trigger) = workflow.on("pull_request").or_else(|| workflow.on("pull_request_target")) {
        return match &missing_types(trigger.types.as_deref())[..] {
            [] => Starts::Always,
            missing => Starts::Not(format!("its `types` leave out {}", missing.join(", "))),
        };
    }
    let events: Vec<&str> = workflow.triggers.iter().map(|trigger| trigger.event.as_str()).collect();
    let not = Starts::Not(format!("it starts on {} alone", events.join(", ")));
    if workflow.on("workflow_call").is_none() || depth > all.len() {
        return not;
    }
    let name = format!("./{}", workflow.path);
    let calls = |other: &&Workflow| other.jobs.iter().any(|job| job.uses.as_deref() == Some(&name));
    let callers: Vec<Starts> = all.iter().filter(calls).map(|caller| starts(caller, all, depth + 1)).collect();
    match callers.iter().find(|starts| **starts == Starts::Always) {
        Some(always) => always.clone(),
        None if callers.is_empty() || callers.contains(&Starts::NotKnown) => Starts::NotKnown,
        None => Starts::Not("what calls it starts for no pull request".to_owned()),
    }
}

fn nothing_gated(started: &[(&Workflow, Starts)]) -> Option<Row> {
    let topic = "trigger";
    let first = started.first()?;
    if started.iter().any(|(_, starts)| *starts == Starts::Always) {
        return None;
    }
    if let Some((workflow, _)) = started.iter().find(|(_, starts)| *starts == Starts::NotKnown) {
        let what = format!("whether a pull request is gated is not known: no workflow here calls {}", workflow.path);
        return Some(Row::unknown(topic, what, "call it from a workflow that starts on `pull_request`"));
    }
    let (workflow, Starts::Not(why)) = first else { return None };
    let what = format!("no pull request is gated by {}: {why}", workflow.path);
    Some(Row::bad(topic, what, "add `pull_request:` to the workflow's `on`, without `types`"))
}

/// What is judged of the gates, where it can be told: what joins reports misses those that are not among them.
fn judged(of_changes: &[&Workflow], all: &[Workflow], gates: &[Wanted]) -> Vec<Row> {
    let mut steps = all.iter().flat_map(|workflow| &workflow.jobs).flat_map(|job| &job.steps);
    let joins = steps.any(|step| step.doing() == Some(Doing::Publish));
    let mut rows = Vec::new();
    let mut judged: Vec<&str> = Vec::new();
    let mut known = !joins && !of_changes.is_empty();
    for workflow in of_changes {
        for (job, step) in workflow.jobs.iter().flat_map(|job| job.steps.iter().map(move |step| (job, step))) {
            if step.doing().is_none_or(|doing| doing == Doing::Publish) {
                continue;
            }
            let Some(named) = step.gates() else {
                known = false;
                continue;
            };
            for name in named.iter().filter(|name| !gates.iter().any(|gate| gate.name == **name)) {
                let what = format!("{}:{} job {}: there is no gate `{name}`", workflow.path, step.line, job.id);
                rows.push(Row::bad("verdict", what, "name gates of the configuration, or none: all are run then"));
            }
            let all = gates.iter().map(|gate| gate.name.as_str()).filter(|_| named.is_empty());
            judged.extend(all);
            judged.extend(with_needs(&named, gates));
        }
    }
    let missing: Vec<&str> = gates.iter().filter(|gate| gate.enforced).map(|gate| gate.name.as_str()).collect();
    let (number, missing): (usize, Vec<&str>) =
        (missing.len(), missing.into_iter().filter(|name| !judged.contains(name)).collect());
    if known && !missing.is_empty() {
        let judged = number - missing.len();
        let what = format!(
            "the jobs of pull requests judge {judged} of {number} gates: none runs {}",
            missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        );
        let todo = "run them there too; `when` in a gate's section names the events that it is for";
        rows.push(Row::bad("verdict", what, todo));
    }
    rows
}

/// Named gates, and what they need.
fn with_needs<'a>(named: &[String], gates: &'a [Wanted]) -> Vec<&'a str> {
    let mut open: Vec<&str> = named.iter().map(String::as_str).collect();
    let mut found: Vec<&'a str> = Vec::new();
    while let Some(name) = open.pop() {
        let Some(gate) = gates.iter().find(|gate| gate.name == name) else { continue };
        if !found.contains(&gate.name.as_str()) {
            found.push(&gate.name);
            open.extend(gate.needs.iter().map(String::as_str));
        }
    }
    found
}
