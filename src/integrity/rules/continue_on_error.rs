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

/// Whether it is true, or is true where a change is judged.
fn forgives(workflow: &Workflow, value: &Node) -> bool {
    let compact = |text: &str| expression(text).replace(' ', "") == "github.event_name=='pull_request'";
    is_true(value.text()) || (workflow.wakes_on("pull_request") && value.text().is_some_and(compact))
}

fn lenient_step(ground: &Ground, hits: &mut Hits<'_>, at: At<'_>) {
    let Some(value) = at.step.node.get(KEY) else { return };
    if !forgives(at.workflow, value) || at.step.is_aftermath() || at.job.reads_step(at.step) {
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
    false_positives: "Left alone: jobs without a gate, and expressions other than that the event is a pull request. A job that is called experimental, nightly, advisory or the like is a note.",
    check: |ground, hits| {
        for workflow in &ground.workflows {
            for job in &workflow.jobs {
                let Some(value) = job.node.get(KEY).filter(|value| forgives(workflow, value)) else { continue };
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
    false_positives: "Left alone: expressions other than `matrix.x`, alone or held against one value, legs that name a nightly, beta, development or preview \
                      version, and the newest of several versions.",
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
    let Some(asked) = Test::of(expression(text)) else { return };
    let Some(matrix) = job.node.get("strategy").and_then(|strategy| strategy.get("matrix")) else { return };
    let Some(gate) = ground.gate_of_job(job) else { return };
    let Some(what) = lenient_legs(matrix, &asked) else { return };
    let span = value.entry_span();
    let what = format!("{what} cannot fail the run with `{}`: `{}` is true there", gate.name, expression(text));
    let help = "set it only for versions to come, such as nightly or beta";
    hits.in_job((workflow, job), span, true, with_help(&what, help), None);
}

/// What is asked of a variable of the matrix: `matrix.x`, `matrix.x == 'a'`, `matrix.x != 'a'`.
struct Test<'a> {
    name: &'a str,
    /// A value, and whether it must be that one.
    value: Option<(&'a str, bool)>,
}

impl<'a> Test<'a> {
    fn of(condition: &'a str) -> Option<Self> {
        let rest = condition.strip_prefix("matrix.")?;
        let sign = ["==", "!="].into_iter().find_map(|sign| Some((rest.split_once(sign)?, sign == "==")));
        let Some(((name, value), wanted)) = sign else { return Some(Self { name: rest.trim(), value: None }) };
        let value = value.trim();
        let text = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let text = text.or_else(|| matches!(value, "true" | "false").then_some(value))?;
        (!text.contains('\'')).then_some(Self { name: name.trim(), value: Some((text, wanted)) })
    }

    fn holds(&self, value: &str) -> bool {
        self.value.map_or_else(|| is_true(Some(value)), |(text, wanted)| value.eq_ignore_ascii_case(text) == wanted)
    }
}

/// The legs that a test holds for and that are ordinary, in words.
fn lenient_legs(matrix: &Node, test: &Test<'_>) -> Option<String> {
    if let Some(values) = matrix.get(test.name) {
        let values = values.texts();
        let mut held = values.iter().filter(|value| test.holds(value));
        if !values.is_empty() && held.clone().count() == values.len() {
            return Some("every leg of the matrix".to_owned());
        }
        let known: Vec<&str> = values.iter().copied().chain(included(matrix, test.name)).collect();
        let ordinary = test.value.and_then(|_| held.find(|value| !is_to_come(value) && !is_newest(value, &known)))?;
        return Some(format!("the leg `{}: {}`", test.name, crate::model::text::one_line(ordinary, 60)));
    }
    let legs = matrix.get("include")?.items();
    let is_lenient = |leg: &&Node| leg.get(test.name).and_then(Node::text).is_some_and(|value| test.holds(value));
    let known: Vec<&str> = included(matrix, test.name).collect();
    let newest = |leg: &Node| leg.get(test.name).and_then(Node::text).is_some_and(|value| is_newest(value, &known));
    let to_come = |leg: &Node| any_text(leg, &is_to_come) || newest(leg);
    let ordinary: Vec<&Node> = legs.iter().filter(is_lenient).filter(|leg| !to_come(leg)).collect();
    if ordinary.is_empty() {
        return None;
    }
    let bases = matrix.entries().iter().any(|(key, _)| !matches!(key.as_str(), "include" | "exclude"));
    if !bases && legs.iter().all(|leg| is_lenient(&leg)) {
        return Some("every leg of the matrix".to_owned());
    }
    let skipped = if test.value.is_none() { test.name } else { "" };
    let shown = ordinary.first().map(|leg| words(leg, skipped)).unwrap_or_default();
    Some(format!("the leg {shown}"))
}

/// The values that further legs have for a variable.
fn included<'a>(matrix: &'a Node, name: &'a str) -> impl Iterator<Item = &'a str> {
    let legs = matrix.get("include").map(Node::items).unwrap_or_default().iter();
    legs.filter_map(move |leg| leg.get(name).and_then(Node::text))
}

/// The newest of several versions, which may be one that is still to come.
fn is_newest(value: &str, known: &[&str]) -> bool {
    let version = |text: &str| text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<u32>>>();
    let others: Vec<Vec<u32>> =
        known.iter().filter(|other| **other != value).filter_map(|other| version(other)).collect();
    version(value).is_some_and(|own| !others.is_empty() && others.iter().all(|other| *other < own))
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
