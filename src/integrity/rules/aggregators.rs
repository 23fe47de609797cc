//! GI121 and GI122: a job that stands for others, required in their place.

use super::verdicts::{ALLS_GREEN, excuse, runs_after_failure};
use super::{Rule, with_help};
use crate::integrity::command::Invocation;
use crate::integrity::ground::Ground;
use crate::integrity::workflow::{Job, Workflow, any_text, expression};
use crate::model::finding::{Fix, Level};

use super::replace;

pub(super) static GI121: Rule = Rule {
    id: "GI121",
    title: "a job that stands for others without `if: always()`",
    level: Level::Error,
    why: "Where a needed job fails, this one is skipped, and GitHub counts a skipped check as success: the one check that is required is green \
          exactly when it should not be.",
    safe: "`if: always()`, and a step that reads every result: `jq -e 'all(.result == \"success\")' <<< '${{ toJSON(needs) }}'`, or \
           re-actors/alls-green with `jobs: ${{ toJSON(needs) }}`.",
    false_positives: "A job counts as standing for others when it needs jobs with gates and does nothing but say or test something. `!cancelled()` \
                      and `success() || failure()` are taken as `always()`.",
    check: |ground, hits| {
        for (workflow, job) in aggregators(ground).filter(|(_, job)| !runs_always(job)) {
            let what = format!("`{}` is skipped when one of its needs fails, and a skipped check is green", job.id);
            let reads = unread(job).is_empty();
            let help = if reads {
                "write `if: always()`"
            } else {
                "write `if: always()`, and let a step fail unless every `needs.*.result` is success"
            };
            // Without a look at the results `always()` would be greener still.
            let fix = reads.then(|| always(ground, workflow, job)).flatten();
            hits.in_job((workflow, job), job.node.written.key.clone(), true, with_help(&what, help), fix);
        }
    },
};

pub(super) static GI122: Rule = Rule {
    id: "GI122",
    title: "a job that stands for others and does not read every result, or cannot fail for what it reads",
    level: Level::Error,
    why: "It runs whatever became of its needs. A result that it does not read may be failure; one that is read only for `failure` may be \
          `cancelled`, which is what a job that ran out of time ends as. Where the step that reads them is forgiven (`|| true`, \
          `continue-on-error`, `jq` without `-e`) or only prints them, reading changes nothing.",
    safe: "`jq -e 'all(.result == \"success\")' <<< '${{ toJSON(needs) }}'`; or a step that exits 1 `if: contains(needs.*.result, 'failure') || \
           contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')`.",
    false_positives: "`needs.*.result` and `toJSON(needs)` read all of them. Where `cancelled` alone is not read, and where a job only \
                      prints results, it is a warning. Left alone: what is written to the job's summary, and jobs that are called a summary, report or \
                      notification, or run only after a failure.",
    check: |ground, hits| {
        for (workflow, job) in aggregators(ground).filter(|(_, job)| runs_always(job)) {
            let unread = unread(job);
            let (sure, what) = if !unread.is_empty() {
                let names: Vec<String> = unread.iter().take(3).map(|name| format!("`{name}`")).collect();
                (
                    true,
                    format!(
                        "`{}` is green whatever became of {}: nothing reads their results",
                        job.id,
                        names.join(", ")
                    ),
                )
            } else if let Some((sure, why)) = excuse(ground, workflow, job) {
                (sure, format!("`{}` is green whatever became of the jobs it needs: {why}", job.id))
            } else if only_failure(job) {
                (false, format!("`{}` is green when a needed job is cancelled, as one that ran out of time is", job.id))
            } else {
                continue;
            };
            let help = "let a step fail unless every `needs.*.result` is success";
            hits.in_job((workflow, job), job.node.written.key.clone(), sure, with_help(&what, help), None);
        }
    },
};

/// Jobs that do nothing but stand for the jobs with gates that they need.
fn aggregators(ground: &Ground) -> impl Iterator<Item = (&Workflow, &Job)> {
    let jobs = ground.workflows.iter().flat_map(|workflow| workflow.jobs.iter().map(move |job| (workflow, job)));
    jobs.filter(|(workflow, job)| {
        let gated = job.needs.iter().any(|need| {
            workflow
                .jobs
                .iter()
                .any(|other| other.id == *need && ground.gate_of_job(other).is_some_and(|gate| gate.sure))
        });
        gated && !job.steps.is_empty() && stands_for_others(ground, job)
    })
}

/// Programs of a step that says or tests something and does nothing else.
const IDLE: &[&str] = &[
    "echo", "printf", "exit", "true", "false", ":", "test", "[", "jq", "grep", "cat", "sleep", "date", "", "set",
    "for", "node", "python", "python3", "done",
];

fn stands_for_others(ground: &Ground, job: &Job) -> bool {
    let uses = || job.steps.iter().filter_map(|step| step.uses());
    // With the files at hand a job may well do something of its own, unless it asks what became of the others.
    let has_files = uses().any(|uses| uses.starts_with("actions/checkout@"));
    let asks = || any_text(&job.node, &|text| text.contains("needs.") || text.to_lowercase().contains("tojson(needs)"));
    job.steps.iter().all(|step| {
        if let Some(uses) = step.uses() {
            return [ALLS_GREEN, "actions/checkout@"].iter().any(|known| uses.starts_with(known));
        }
        let script =
            ground.scripts.iter().find(|script| ground.at(script).is_some_and(|at| std::ptr::eq(at.step, step)));
        script.is_some_and(|script| {
            let records =
                script.flow.runs.iter().any(|run| run.outputs.iter().any(|file| file.contains("GITHUB_OUTPUT")));
            !records && script.flow.runs.iter().all(|run| is_idle(&run.invocation))
        })
    }) && (!has_files || asks())
        && job.node.get("outputs").is_none()
        && job.node.get("environment").is_none()
}

/// Whether a command says or tests something and does nothing else; a program in a file does what it likes.
fn is_idle(invocation: &Invocation) -> bool {
    let arguments = invocation.arguments();
    let given =
        arguments.is_empty() || arguments.iter().any(|word| matches!(*word, "-c" | "-e" | "-p" | "-" | "--eval"));
    IDLE.contains(&invocation.program.as_str())
        && (given || !matches!(invocation.program.as_str(), "node" | "python" | "python3"))
}

fn runs_always(job: &Job) -> bool {
    let Some(condition) = job.text("if") else { return false };
    let compact: String = expression(condition).chars().filter(|c| !c.is_whitespace()).collect();
    ["always()", "!cancelled()", "success()||failure()", "failure()||success()"].iter().any(|form| compact.contains(form))
        // It runs only to fail: what is skipped then is right.
        || compact.contains("failure()")
        || compact.contains("'failure'")
}

/// The needs whose results nothing reads.
fn unread(job: &Job) -> Vec<&str> {
    let says = |what: &str| {
        let compact = what.to_lowercase();
        any_text(&job.node, &|text| {
            text.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect::<String>().contains(&compact)
        })
    };
    if says("needs.*.result") || says("tojson(needs)") || says("needs.*.outputs") {
        return Vec::new();
    }
    // A job that runs only on failure reads them all by that.
    if runs_after_failure(job) {
        return Vec::new();
    }
    let needs = job.needs.iter().map(String::as_str);
    needs.filter(|need| !says(&format!("needs.{need}.result")) && !says(&format!("needs['{need}'].result"))).collect()
}

/// Whether results are held against `failure` alone, in whatever way.
fn only_failure(job: &Job) -> bool {
    // Who runs only after a failure, and who has the results judged, says the word as it likes.
    let judged = job.steps.iter().filter_map(|step| step.uses()).any(|uses| uses.starts_with(ALLS_GREEN));
    let says = |word: &str| any_text(&job.node, &|text| has_word(text, word));
    !runs_after_failure(job)
        && !judged
        && says("failure")
        && !["success", "cancelled", "canceled"].iter().any(|word| says(word))
}

/// Whether a text has a word other than as a function's name.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, found)| {
        let behind = &text[at + found.len()..];
        !text[..at].ends_with(is_part) && !behind.starts_with(is_part) && !behind.starts_with('(')
    })
}

fn always(ground: &Ground, workflow: &Workflow, job: &Job) -> Option<Fix> {
    if job.node.get("if").is_some() {
        return None;
    }
    let source = &ground.sources[workflow.file];
    let (_, first) = job.node.entries().first()?;
    let start = first.written.key.start;
    let (line, column) = source.place(start);
    let before = source.slice(source.line(line).start..start);
    let indent = " ".repeat(usize::try_from(column).unwrap_or(1).saturating_sub(1));
    before
        .trim()
        .is_empty()
        .then(|| replace(ground, workflow.file, &(start..start), &format!("if: always()\n{indent}"), "run it always"))
}
