//! GI130: inputs of actions that keep a gate from failing.

use super::narrowed::{forgiving_flag, is_strict};
use super::{Hits, Rule, remove_line, with_help};
use crate::integrity::actions::{carries, runner_of};
use crate::integrity::command::Invocation;
use crate::integrity::flow::Fate;
use crate::integrity::ground::{At, Ground, is_true};
use crate::integrity::pipe::files;
use crate::integrity::workflow::{Step, setting};
use crate::model::finding::Level;
use crate::model::yaml::Node;

pub(super) static GI130: Rule = Rule {
    id: "GI130",
    title: "an action's input that keeps it from failing: `fail-on-error: false`, `soft_fail: true`, `exit-code: 0`, `args: --exit-zero`, …",
    level: Level::Error,
    why: "The action looks, reports, and is green whatever it found.",
    safe: "Leave the input at the value that fails; where findings are too many at first, use the tool's own baseline.",
    false_positives: "Left alone: actions that upload or comment (their failure is no verdict), a step whose outcome or outputs another one reads, a look that another step takes again and fails by, `args` where the \
                      program runs without them in the same job or a later step judges its output, what is retried and is no gate, and inputs that are not written: some actions never fail by default, which only their documentation tells.",
    check: |ground, hits| {
        for workflow in &ground.workflows {
            for job in &workflow.jobs {
                for (index, step) in job.steps.iter().enumerate() {
                    check(ground, hits, At { workflow, job, step, index });
                }
            }
        }
    },
};

/// An input by which any action that has it does not fail, with the values that do so.
const ANY: &[(&str, &[&str])] = &[
    ("fail-on-error", &["false"]),
    ("fail_on_error", &["false"]),
    ("fail-on-failure", &["false"]),
    ("fail_on_failure", &["false"]),
    ("fail-on-findings", &["false"]),
    ("fail-on-issues", &["false"]),
    ("fail-on-vulnerability", &["false"]),
    ("fail_on", &["nothing"]),
    ("action_fail", &["false"]),
    ("fail_level", &["none"]),
    ("fail-build", &["false"]),
    ("soft_fail", &["true"]),
    ("soft-fail", &["true"]),
    ("no-fail", &["true"]),
    ("warn-only", &["true"]),
    ("exit-zero", &["true"]),
    ("failOnErrors", &["false"]),
    ("internal-be-careful-allow-failure", &["true"]),
];

/// An input of one action.
const ONE: &[(&str, &str, &[&str])] = &[
    ("aquasecurity/trivy-action", "exit-code", &["0"]),
    ("lycheeverse/lychee-action", "fail", &["false"]),
    ("docker/scout-action", "exit-code", &["false"]),
    ("microsoft/security-devops-action", "break", &["false"]),
    ("sonarsource/", "args", &["-Dsonar.qualitygate.wait=false"]),
    ("ludeeus/action-shellcheck", "severity", &["none"]),
    ("nick-fields/retry", "continue_on_error", &["true"]),
    ("nick-invision/retry", "continue_on_error", &["true"]),
];

/// Actions that run a program with the words of their input `args`, and the words before those.
const BY_ARGUMENTS: &[(&str, &[&str])] = &[
    ("golangci/golangci-lint-action", &["golangci-lint", "run"]),
    ("astral-sh/ruff-action", &["ruff"]),
    ("chartboost/ruff-action", &["ruff"]),
    ("securego/gosec", &["gosec"]),
];

/// What an action runs, where it is given words to run a program with.
fn program(step: &Step) -> Option<Invocation> {
    let name = step.uses()?.split('@').next()?.to_lowercase();
    let (_, words) = BY_ARGUMENTS.iter().find(|(action, _)| *action == name)?;
    let given = step.node.get("with").and_then(|with| with.get("args")).and_then(Node::text).unwrap_or_default();
    let given = if given.trim().is_empty() && words == &["ruff"] { "check" } else { given };
    Some(Invocation::of_words(&words.iter().copied().chain(given.split_whitespace()).collect::<Vec<_>>()))
}

/// Whether the words that an action is given keep its program from failing, and nothing in the job makes up for it.
fn by_arguments(ground: &Ground, at: At<'_>) -> bool {
    let Some(invocation) = program(at.step).filter(|invocation| forgiving_flag(invocation).is_some()) else {
        return false;
    };
    let lenient = |step: &Step| is_true(step.text("continue-on-error"));
    let in_actions = at.job.steps.iter().filter(|step| !lenient(step)).filter_map(program);
    let in_scripts = ground.scripts_of(&at).filter(|(index, _)| !lenient(&at.job.steps[*index]));
    let mut runs = in_scripts.flat_map(|(_, script)| &script.flow.runs);
    let strict = in_actions.into_iter().any(|other| is_strict(&invocation, &other))
        || runs.any(|run| run.fate == Fate::Counts && run.gate.is_some() && is_strict(&invocation, &run.invocation));
    let outputs = files(&invocation.arguments);
    let judged =
        !outputs.is_empty() && ground.is_judged_behind(at, &outputs.iter().map(String::as_str).collect::<Vec<_>>());
    !strict && !judged
}

/// Whether another step has the same action look at the same and fails by this input.
fn looks_again(at: At<'_>, input: &str) -> bool {
    const OBJECTS: &[&str] = &["type", "ref", "path", "image", "input", "dir", "target", "scanner"];
    let action = |step: &Step| step.uses().and_then(|uses| uses.split('@').next()).map(str::to_lowercase);
    let inputs = |step: &Step| step.node.get("with").map(Node::entries).unwrap_or_default().to_vec();
    let looked_at = |step: &Step| -> Vec<(String, Option<String>)> {
        let named = inputs(step).into_iter().filter(|(name, _)| OBJECTS.iter().any(|part| name.contains(part)));
        named.map(|(name, value)| (name, value.text().map(str::to_owned))).collect()
    };
    at.job.steps.iter().any(|other| {
        let value = other.node.get("with").and_then(|with| with.get(input)).and_then(Node::text);
        action(other) == action(at.step)
            && value.is_some_and(|value| !forgives(&action(other).unwrap_or_default(), input, value))
            && looked_at(other) == looked_at(at.step)
            && other.runs_wherever(at.step)
            && !is_true(other.text("continue-on-error"))
    })
}

/// Whether an action with this value of an input is green whatever it finds.
fn forgives(action: &str, input: &str, value: &str) -> bool {
    let any = ANY.iter().any(|(known, values)| *known == input && values.contains(&setting(value)));
    let one = ONE.iter().any(|(known, name, values)| {
        let is_given =
            |forgiven: &&str| *forgiven == setting(value) || (forgiven.len() > 5 && value.contains(forgiven));
        action.starts_with(known) && *name == input && values.iter().any(is_given)
    });
    any || one
}

fn check(ground: &Ground, hits: &mut Hits<'_>, at: At<'_>) {
    let Some(uses) = at.step.uses() else { return };
    let name = uses.split('@').next().unwrap_or(uses);
    let lower = name.to_lowercase();
    if carries(uses) || at.job.reads_step(at.step) || at.step.is_aftermath() {
        return;
    }
    if runner_of(uses).is_some() && ground.gate_of_step(at.step).is_none() {
        return;
    }
    let inputs = at.step.node.get("with").map(Node::entries).unwrap_or_default();
    for (input, value) in inputs {
        let Some(text) = value.text() else { continue };
        let by_words = input == "args" && by_arguments(ground, at);
        if by_words || (forgives(&lower, input, text) && !looks_again(at, input)) {
            let span = value.entry_span();
            let what = format!("`{name}` cannot fail: `{input}: {}`", crate::model::text::one_line(text, 40));
            let fix = remove_line(ground, at.workflow.file, &span, &format!("remove `{input}`"));
            hits.in_workflow(at, span, true, with_help(&what, "leave it at the value that fails"), fix);
        }
    }
    let disabled = at.step.node.get("env").and_then(|env| env.get("DISABLE_ERRORS"));
    if let Some(value) = disabled.filter(|value| is_true(value.text()) && lower.contains("linter")) {
        let span = value.entry_span();
        let fix = remove_line(ground, at.workflow.file, &span, "remove `DISABLE_ERRORS`");
        hits.in_workflow(
            at,
            span,
            true,
            with_help(&format!("`{name}` cannot fail: `DISABLE_ERRORS: true`"), "remove it"),
            fix,
        );
    }
}
