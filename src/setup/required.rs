//! Required checks that cannot be trusted: that anyone may report, that never come, or that GitHub counts as a success
//! although nothing was judged. It knows the rules of a branch and the workflows as they are here.

use crate::model::diagnosis::Row;
use crate::setup::coverage::missing_types;
use crate::setup::workflow::{Doing, Job, Step, Workflow};

/// The app that reports the checks of workflows, on github.com.
pub const ACTIONS: u64 = 15_368;

const TOPIC: &str = "required check";

/// A check that a branch requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// Its name.
    pub context: String,
    /// The app that must report it; `None`: whoever does.
    pub app: Option<u64>,
}

/// What a branch requires.
#[derive(Debug, Clone, Default)]
pub struct Protection {
    /// The branch.
    pub branch: String,
    /// The checks.
    pub required: Vec<Required>,
    /// Whether `required` is all of them: every source could be read.
    pub whole: bool,
    /// Whether it has a merge queue, where that can be seen.
    pub merge_queue: Option<bool>,
    /// Name and app of the checks on its last commit, where they can be read.
    pub seen: Option<Vec<(String, Option<u64>)>>,
}

/// The rows of what a branch requires, and of what it should.
#[must_use]
pub fn rows(protection: &Protection, workflows: &[Workflow]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for required in &protection.required {
        let check = Check { protection, required, workflows };
        let faults = check.faults();
        if faults.is_empty() {
            let (name, branch) = (&required.context, &protection.branch);
            let how = if check.jobs().is_empty() {
                format!("no job here makes it, and the last commit of {branch} has it")
            } else {
                "its job cannot be skipped".to_owned()
            };
            rows.push(Row::good(TOPIC, format!("`{name}` on {branch}: its source is fixed, and {how}")));
        }
        rows.extend(faults);
    }
    for workflow in workflows {
        rows.extend(verdict_jobs(workflow).filter_map(|job| unrequired(protection, workflow, job)));
    }
    rows
}

/// The jobs whose exit code is a verdict: the one that joins the others' reports where there is one.
fn verdict_jobs(workflow: &Workflow) -> impl Iterator<Item = &Job> {
    let does = |job: &Job, wanted: fn(Doing) -> bool| job.steps.iter().filter_map(Step::doing).any(wanted);
    let starts = ["pull_request", "merge_group"].iter().any(|event| workflow.on(event).is_some());
    let joins = workflow.jobs.iter().any(|job| does(job, |doing| doing == Doing::Publish));
    workflow.jobs.iter().filter(move |job| {
        let wanted = if joins { |doing| doing == Doing::Publish } else { |doing| doing != Doing::Publish };
        starts && does(job, wanted)
    })
}

fn unrequired(protection: &Protection, workflow: &Workflow, job: &Job) -> Option<Row> {
    let branch = &protection.branch;
    let name = format!("job {} of {}", job.id, workflow.path);
    let Some(check) = &job.check else {
        let what = format!(
            "{name}: the name of its check is made of expressions or a matrix; whether {branch} requires it cannot be told"
        );
        return Some(Row::unknown(TOPIC, what, "give the job that has the verdict one plain name"));
    };
    let required = protection.required.iter().any(|required| required.context == *check);
    let todo = format!("require `{check}`, from GitHub Actions, in a ruleset of {branch}");
    if !required && !protection.whole {
        let what = format!("whether {branch} requires {name} could not be read");
        return Some(Row::unknown(TOPIC, what, todo));
    }
    (!required).then(|| {
        let what = format!("{name} is not required on {branch}: a red verdict does not keep a change out");
        Row::bad(TOPIC, what, todo)
    })
}

struct Check<'a> {
    protection: &'a Protection,
    required: &'a Required,
    workflows: &'a [Workflow],
}

impl<'a> Check<'a> {
    /// The jobs here that make it.
    fn jobs(&self) -> Vec<(&'a Workflow, &'a Job)> {
        let jobs = self.workflows.iter().flat_map(|workflow| workflow.jobs.iter().map(move |job| (workflow, job)));
        jobs.filter(|(_, job)| job.check.as_deref() == Some(&self.required.context)).collect()
    }

    fn faults(&self) -> Vec<Row> {
        let name = &self.required.context;
        let mut rows = Vec::new();
        if self.required.app.is_none() {
            let what = format!("`{name}`: whoever may write statuses can report it, and so turn it green");
            rows.push(Row::bad(TOPIC, what, "choose the app that it is expected from in the ruleset"));
        }
        if name == "gatepost" || name.starts_with("gatepost/") {
            let what =
                format!("`{name}`: gatepost's check runs cannot be written for forks, so that it would never come");
            rows.push(Row::bad(TOPIC, what, "require the job that runs gatepost in its place"));
            return rows;
        }
        match &self.jobs()[..] {
            [] => rows.extend(self.nobody()),
            [(workflow, job)] => rows.extend(self.job(workflow, job)),
            several => {
                let places: Vec<&str> = several.iter().map(|(workflow, _)| workflow.path.as_str()).collect();
                let what =
                    format!("`{name}`: several jobs report it ({}), and one may hide the other", places.join(", "));
                rows.push(Row::bad(TOPIC, what, "give each job a name of its own"));
                rows.extend(several.iter().flat_map(|(workflow, job)| self.job(workflow, job)));
            }
        }
        rows
    }

    /// No job here is known to make it.
    fn nobody(&self) -> Option<Row> {
        let Required { context: name, app } = self.required;
        let Protection { branch, seen, .. } = self.protection;
        let by = |seen: &(String, Option<u64>)| seen.0 == *name && (app.is_none() || seen.1 == *app);
        if seen.as_ref().is_some_and(|seen| seen.iter().any(by)) {
            return None;
        }
        let looked = match seen {
            Some(_) => format!("and the last commit of {branch} does not have it"),
            None => format!("and the checks on {branch} could not be read"),
        };
        let unclear = self.workflows.iter().flat_map(|workflow| &workflow.jobs).any(|job| job.check.is_none());
        let what = format!("`{name}`: no job here has this name, {looked}");
        let todo = "take it out of the rules if nothing reports it: pull requests wait for it for ever";
        Some(if *app == Some(ACTIONS) && !unclear && seen.is_some() {
            Row::bad(TOPIC, what, todo)
        } else {
            Row::unknown(TOPIC, format!("{what}; a matrix, another workflow or another app may report it"), todo)
        })
    }

    fn job(&self, workflow: &Workflow, job: &Job) -> Vec<Row> {
        let name = &self.required.context;
        let place = format!("`{name}` ({}:{})", workflow.path, job.line);
        let mut rows = Vec::new();
        let mut bad = |what: String, todo: &str| rows.push(Row::bad(TOPIC, format!("{place} {what}"), todo));
        if let Some(app) = self.required.app.filter(|app| *app != ACTIONS) {
            bad(
                format!("is expected from app {app}, and a job reports it as app {ACTIONS}"),
                "choose GitHub Actions as its source",
            );
        }
        let condition = job.condition.as_deref().unwrap_or_default();
        let bare = condition.trim().trim_start_matches("${{").trim_end_matches("}}").trim();
        let always = bare == "always()";
        if !condition.is_empty() && !always {
            let todo = "take the `if` away; a gate has `paths` and `when` of its own";
            bad(format!("has `if: {condition}`: skipped, it counts as a success"), todo);
        }
        if !job.needs.is_empty() && !always {
            let needs = job.needs.join(", ");
            bad(
                format!("needs {needs}: when one of them fails it is skipped, which counts as a success (GI121)"),
                "set `if: ${{ always() }}` on it, and have it look at what it needs",
            );
        }
        if job.may_fail {
            bad("has `continue-on-error`".to_owned(), "take it away: the check is green whatever happens");
        }
        if self.protection.merge_queue == Some(true) && workflow.on("merge_group").is_none() {
            bad(
                "does not start on `merge_group`, and the branch has a merge queue".to_owned(),
                "add `merge_group:` to the workflow's `on`",
            );
        }
        rows.extend(self.starts(workflow, &place));
        rows
    }

    /// Whether the workflow starts for every pull request to the branch.
    fn starts(&self, workflow: &Workflow, place: &str) -> Vec<Row> {
        let branch = &self.protection.branch;
        let Some(trigger) = workflow.on("pull_request").or_else(|| workflow.on("pull_request_target")) else {
            let what = format!("{place} does not start on `pull_request`: it never comes");
            return vec![Row::bad(TOPIC, what, "add `pull_request:` to the workflow's `on`")];
        };
        let mut rows = Vec::new();
        if let Some(filter) = trigger.paths {
            let what = format!("{place} starts for some files alone (`{filter}`): for other changes it never comes");
            rows.push(Row::bad(
                TOPIC,
                what,
                "take the filter away; a gate has `paths` of its own, and says when it is skipped",
            ));
        }
        let missing = missing_types(trigger.types.as_deref());
        if !missing.is_empty() {
            let what = format!("{place} has `types` without {}: for such commits it never comes", missing.join(", "));
            rows.push(Row::bad(TOPIC, what, "take `types` away, or name these too"));
        }
        let todo = format!("take the filter away, or name {branch} in it");
        let named = |list: &[String]| list.iter().any(|one| one == branch || one == "**");
        let pattern = |list: &[String]| list.iter().any(|one| one.contains(['*', '?', '!', '[', '+']));
        let listed = trigger.branches.as_deref();
        if trigger.ignored.iter().any(|one| one == branch) || listed.is_some_and(|list| !named(list) && !pattern(list))
        {
            rows.push(Row::bad(TOPIC, format!("{place} does not start for pull requests to {branch}"), todo));
        } else if pattern(&trigger.ignored) || listed.is_some_and(|list| !named(list)) {
            rows.push(Row::unknown(
                TOPIC,
                format!("{place} starts for some branches: whether {branch} is one was not worked out"),
                todo,
            ));
        }
        if self.protection.merge_queue.is_none() && workflow.on("merge_group").is_none() {
            let what = format!(
                "{place} does not start on `merge_group`, and whether {branch} has a merge queue cannot be seen"
            );
            rows.push(Row::unknown(
                TOPIC,
                what,
                "add `merge_group:` to the workflow's `on`: it costs nothing without a queue",
            ));
        }
        rows
    }
}
