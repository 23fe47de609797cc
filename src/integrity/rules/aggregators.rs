//! GI121 and GI122: a job that stands for others, required in their place.

use super::{Rule, with_help};
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
    title: "a job that stands for others and does not read every result",
    level: Level::Error,
    why: "It runs whatever became of its needs. A result that it does not read may be failure; one that is read only for `failure` may be \
          `cancelled`, which is what a job that ran out of time ends as.",
    safe: "`jq -e 'all(.result == \"success\")' <<< '${{ toJSON(needs) }}'`; or a step that exits 1 `if: contains(needs.*.result, 'failure') || \
           contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')`.",
    false_positives: "`needs.*.result` and `toJSON(needs)` read all of them. Where `cancelled` alone is not read, it is a warning.",
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
    job.steps.iter().all(|step| {
        if let Some(uses) = step.uses() {
            return uses.starts_with("re-actors/alls-green@");
        }
        let script =
            ground.scripts.iter().find(|script| ground.at(script).is_some_and(|at| std::ptr::eq(at.step, step)));
        script.is_some_and(|script| {
            let idle = |program: &str| IDLE.contains(&program);
            let records =
                script.flow.runs.iter().any(|run| run.outputs.iter().any(|file| file.contains("GITHUB_OUTPUT")));
            !records && script.flow.runs.iter().all(|run| idle(&run.invocation.program))
        })
    }) && job.node.get("outputs").is_none()
        && job.node.get("environment").is_none()
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
    if job.text("if").is_some_and(|condition| condition.contains("failure()") && !condition.contains("success()")) {
        return Vec::new();
    }
    let needs = job.needs.iter().map(String::as_str);
    needs.filter(|need| !says(&format!("needs.{need}.result")) && !says(&format!("needs['{need}'].result"))).collect()
}

/// `contains(needs.*.result, 'failure')` alone.
fn only_failure(job: &Job) -> bool {
    let mentions = |word: &str| any_text(&job.node, &|text| text.contains(word));
    let by_star = any_text(&job.node, &|text| text.contains("needs.*.result"));
    by_star && mentions("'failure'") && !mentions("cancelled'") && !mentions("'success'") && !mentions("toJSON(needs)")
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
