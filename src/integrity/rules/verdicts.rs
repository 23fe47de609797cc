//! Whether a job that reads the results of others can fail for them. It asks only jobs that run in any case.

use super::is_optional;
use crate::integrity::ground::{Ground, is_true};
use crate::integrity::shell::{Command, Kind, Simple};
use crate::integrity::workflow::{Job, Step, Workflow, any_text};
use crate::model::yaml::Node;

/// The action that judges the results it is given.
pub(super) const ALLS_GREEN: &str = "re-actors/alls-green@";

/// Whether only a failure wakes a job.
pub(super) fn runs_after_failure(job: &Job) -> bool {
    job.text("if").is_some_and(|condition| condition.contains("failure()") && !condition.contains("success()"))
}

/// Why a job cannot fail for what it reads, and whether it surely was meant to.
pub(super) fn excuse(ground: &Ground, workflow: &Workflow, job: &Job) -> Option<(bool, String)> {
    // A job that runs only after a failure is there to tell of it.
    let asks = job.text("if").is_some_and(|condition| condition.contains("'failure'"));
    if asks || runs_after_failure(job) || tells_only(job) {
        return None;
    }
    if is_true(job.text("continue-on-error")) {
        return Some((true, "`continue-on-error` takes its failure away".to_owned()));
    }
    if let Some(name) = allowed(ground, workflow, job) {
        return Some((true, format!("`allowed-failures` takes away that of `{name}`")));
    }
    if job.steps.iter().any(|step| decides(ground, step)) {
        return None;
    }
    let tests = |step: &Step| {
        let asks = step.text("if").is_some_and(|condition| condition.contains(".result"));
        asks || step.uses().is_some_and(|uses| uses.starts_with(ALLS_GREEN))
            || ground.script_of(step).is_some_and(|script| looks(&script.command))
    };
    let sure = job.steps.iter().any(tests);
    let reports = any_text(&job.node, &|text| text.contains("STEP_SUMMARY"));
    (sure || !reports).then(|| (sure, "it reads their results, and no step of it can fail".to_owned()))
}

/// A job that is called a report is hardly what others wait for.
fn tells_only(job: &Job) -> bool {
    let names = [job.text("name"), Some(job.id.as_str())].into_iter().flatten().map(str::to_lowercase);
    names.into_iter().any(|name| ["summary", "report", "notif"].iter().any(|word| name.contains(word)))
}

/// A needed job with a gate whose failure alls-green is told to allow.
fn allowed(ground: &Ground, workflow: &Workflow, job: &Job) -> Option<String> {
    let judges = job.steps.iter().filter(|step| step.uses().is_some_and(|uses| uses.starts_with(ALLS_GREEN)));
    let lists = judges.filter_map(|step| step.node.get("with")?.get("allowed-failures").and_then(Node::text));
    let named: Vec<&str> =
        lists.flat_map(|list| list.split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c))).collect();
    let gated = |id: &str| {
        workflow.jobs.iter().any(|job| job.id == id && ground.gate_of_job(job).is_some_and(|gate| gate.sure))
    };
    let mut needs = job.needs.iter().filter(|need| named.contains(&need.as_str()) && !is_optional(need));
    needs.find(|need| gated(need)).cloned()
}

/// Whether a step can fail, and with it the job.
fn decides(ground: &Ground, step: &Step) -> bool {
    if is_true(step.text("continue-on-error")) {
        return false;
    }
    match step.uses() {
        Some(uses) => uses.starts_with(ALLS_GREEN),
        None => ground.script_of(step).is_some_and(|script| fails(&script.command)),
    }
}

/// Whether a command may end in failure, or end the script so.
fn fails(command: &Command) -> bool {
    match &command.kind {
        Kind::Simple(simple) => may_fail(simple),
        Kind::Test | Kind::Not(_) => true,
        Kind::Pipeline(parts) | Kind::Case(parts) => parts.iter().any(fails),
        Kind::And(left, right) => fails(left) || fails(right),
        Kind::Or(left, right) => exits(left) || fails(right),
        Kind::List(items) => items.iter().any(|item| fails(&item.command)),
        Kind::If { then, otherwise, .. } => fails(then) || otherwise.as_deref().is_some_and(fails),
        Kind::Loop { body: inner, .. }
        | Kind::Group(inner, _)
        | Kind::Subshell(inner, _)
        | Kind::Function(_, inner) => fails(inner),
    }
}

/// `exit 1` ends the script whatever stands behind it.
fn exits(command: &Command) -> bool {
    match &command.kind {
        Kind::Simple(simple) => simple.words.first().is_some_and(|word| word.text == "exit") && may_fail(simple),
        Kind::And(left, right) | Kind::Or(left, right) => exits(left) || exits(right),
        Kind::List(items) => items.iter().any(|item| exits(&item.command)),
        Kind::If { then, otherwise, .. } => exits(then) || otherwise.as_deref().is_some_and(exits),
        Kind::Loop { body: inner, .. } | Kind::Group(inner, _) => exits(inner),
        _ => false,
    }
}

fn may_fail(simple: &Simple) -> bool {
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    let tells = |word: &&str| {
        let short = word.starts_with('-') && !word.starts_with("--") && word.contains('e');
        short || *word == "--exit-status" || word.contains("error")
    };
    match words.as_slice() {
        [] | ["exit" | "return", "0"] | ["echo" | "printf" | "cat" | "date" | "sleep" | "set" | "true" | ":", ..] => {
            false
        }
        ["jq", rest @ ..] => rest.iter().any(tells),
        _ => true,
    }
}

/// Whether a script tests anything, be it in vain.
fn looks(command: &Command) -> bool {
    let mut found = false;
    command.each(&mut |command| {
        found |= match &command.kind {
            Kind::Simple(simple) => may_fail(simple) || simple.words.first().is_some_and(|word| word.text == "jq"),
            Kind::Test => true,
            _ => false,
        };
    });
    found
}
