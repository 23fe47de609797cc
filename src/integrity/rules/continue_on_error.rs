//! GI110, GI111 and GI112: `continue-on-error` where a gate is.

use super::{Hits, Rule, is_optional, remove_line, with_help};
use crate::integrity::flow::Run;
use crate::integrity::ground::{At, Ground, is_true};
use crate::integrity::pipe::is_same_but_output;
use crate::integrity::workflow::{Job, Workflow, any_text, expression};
use crate::model::finding::Level;
use crate::model::yaml::Node;

const KEY: &str = "continue-on-error";

pub(super) static GI110: Rule = Rule {
    id: "GI110",
    title: "`continue-on-error: true` on a step that is a gate",
    level: Level::Error,
    why: "The step fails, the job is green. Only a small mark in the log tells. `steps.<id>.conclusion` is then success in any case.",
    safe: "Remove it. To do something after a failure, let the later step run `if: failure()`; to fail later, give the step an `id` and end \
           the job with a step that tests `steps.<id>.outcome`.",
    false_positives: "Left alone: steps that are no gates (uploads, comments, clean-up), a step whose outcome or outputs anything else of the \
                      job reads (its conclusion tells nothing), and a report that a later action judges. A step or job that is called non-blocking, experimental or the \
                      like is a note.",
    check: |ground, hits| {
        for workflow in &ground.workflows {
            for job in &workflow.jobs {
                for (index, step) in job.steps.iter().enumerate() {
                    lenient_step(ground, hits, At { workflow, job, step, index });
                }
            }
        }
    },
};

fn lenient_step(ground: &Ground, hits: &mut Hits<'_>, at: At<'_>) {
    let Some(value) = at.step.node.get(KEY) else { return };
    if !is_true(value.text()) || at.step.is_aftermath() || at.job.reads_step(at.step) {
        return;
    }
    let Some(gate) = ground.gate_of_step(at.step) else { return };
    if is_judged_later(ground, at) {
        return;
    }
    let what = format!("`{}` cannot fail the job: `{KEY}` takes its failure away", gate.name);
    let span = value.entry_span();
    let fix = remove_line(ground, at.workflow.file, &span, "remove `continue-on-error`");
    let message = with_help(&what, "remove it, or test `steps.<id>.outcome` in a later step");
    hits.in_workflow(at, span, gate.sure, message, fix);
}

/// Every gate of the step leaves a report that something judges, or runs again in earnest.
fn is_judged_later(ground: &Ground, at: At<'_>) -> bool {
    let Some(script) = ground.script_of(at.step) else { return false };
    let is_judged = |run: &Run| {
        ground.output_is_judged(script, run)
            || ground.runs_in_another_step(script, run, &|other| is_same_but_output(other, &run.invocation))
    };
    script.flow.runs.iter().filter(|run| run.gate.is_some()).all(is_judged)
}

pub(super) static GI111: Rule = Rule {
    id: "GI111",
    title: "`continue-on-error: true` on a job with gates",
    level: Level::Error,
    why: "Whatever its gates find, the job does not fail the run, and jobs that need it start.",
    safe: "Remove it. A job that may fail belongs outside the required checks, under a name that says so.",
    false_positives: "Left alone: jobs without a gate. A job that is called experimental, nightly, advisory or the like is a note.",
    check: |ground, hits| {
        for workflow in &ground.workflows {
            for job in &workflow.jobs {
                let Some(value) = job.node.get(KEY).filter(|value| is_true(value.text())) else { continue };
                let Some(gate) = ground.gate_of_job(job) else { continue };
                let what = format!("the job `{}` with `{}` cannot fail the run", job.id, gate.name);
                let span = value.entry_span();
                let fix = remove_line(ground, workflow.file, &span, "remove `continue-on-error`");
                hits.in_job((workflow, job), span, gate.sure, with_help(&what, "remove `continue-on-error`"), fix);
            }
        }
    },
};

pub(super) static GI112: Rule = Rule {
    id: "GI112",
    title: "`continue-on-error` from the matrix that lets ordinary legs fail",
    level: Level::Warning,
    why: "A leg that may fail is no gate. For a coming version that is the point; where every leg may fail, or an ordinary one, the matrix \
          only looks like a gate.",
    safe: "`continue-on-error: ${{ matrix.experimental }}` with `experimental: true` only on the legs of versions to come.",
    false_positives: "Left alone: expressions other than of the matrix, and legs that name a nightly, beta, development or preview version.",
    check: |ground, hits| {
        for workflow in &ground.workflows {
            for job in &workflow.jobs {
                check_matrix(ground, hits, workflow, job, &job.node);
                for step in &job.steps {
                    if ground.gate_of_step(step).is_some() && !job.reads_step(step) {
                        check_matrix(ground, hits, workflow, job, &step.node);
                    }
                }
            }
        }
    },
};

fn check_matrix(ground: &Ground, hits: &mut Hits<'_>, workflow: &Workflow, job: &Job, node: &Node) {
    let Some(value) = node.get(KEY) else { return };
    let Some(text) = value.text() else { return };
    let Some(name) = expression(text).strip_prefix("matrix.") else { return };
    let Some(matrix) = job.node.get("strategy").and_then(|strategy| strategy.get("matrix")) else { return };
    let Some(gate) = ground.gate_of_job(job) else { return };
    let name = name.trim();
    let Some(what) = lenient_legs(matrix, name) else { return };
    let span = value.entry_span();
    let what = format!("{what} cannot fail the run with `{}`: `matrix.{name}` is true there", gate.name);
    let help = "set it only for versions to come, such as nightly or beta";
    hits.in_job((workflow, job), span, true, with_help(&what, help), None);
}

/// The legs with the variable true that are ordinary, in words.
fn lenient_legs(matrix: &Node, name: &str) -> Option<String> {
    if let Some(values) = matrix.get(name) {
        let all_true = !values.texts().is_empty() && values.texts().iter().all(|value| is_true(Some(value)));
        return all_true.then(|| "every leg of the matrix".to_owned());
    }
    let legs = matrix.get("include")?.items();
    let is_lenient = |leg: &&Node| is_true(leg.get(name).and_then(Node::text));
    let ordinary: Vec<&Node> = legs.iter().filter(is_lenient).filter(|leg| !any_text(leg, &is_to_come)).collect();
    if ordinary.is_empty() {
        return None;
    }
    let bases = matrix.entries().iter().any(|(key, _)| !matches!(key.as_str(), "include" | "exclude"));
    if !bases && legs.iter().all(|leg| is_lenient(&leg)) {
        return Some("every leg of the matrix".to_owned());
    }
    let shown = ordinary.first().map(|leg| words(leg, name)).unwrap_or_default();
    Some(format!("the leg {shown}"))
}

fn words(leg: &Node, name: &str) -> String {
    let entries = leg.entries().iter().filter(|(key, _)| key != name).take(3);
    let pairs = entries.filter_map(|(key, value)| Some(format!("{key}: {}", value.text()?)));
    let text = pairs.collect::<Vec<_>>().join(", ");
    format!("`{}`", crate::model::text::one_line(&text, 80))
}

/// A version that is still to come, or the leg's own word for it.
fn is_to_come(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "nightly",
        "beta",
        "dev",
        "alpha",
        "head",
        "rc",
        "edge",
        "preview",
        "next",
        "latest",
        "master",
        "main",
        "snapshot",
        "-ea",
        "trunk",
        "unstable",
        "experimental",
        "prerelease",
        "pre-release",
        "tip",
        "devel",
        "lts/*",
        "pypy",
        "graal",
        "freethreaded",
    ];
    let value = value.to_lowercase();
    let runner = ["ubuntu", "windows", "macos"].iter().any(|system| value.starts_with(system));
    is_optional(&value) || (!runner && WORDS.iter().any(|word| value.contains(word)))
}
