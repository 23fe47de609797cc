//! GI130: inputs of actions that keep a gate from failing.

use super::{Hits, Rule, remove_line, with_help};
use crate::integrity::actions::script_input;
use crate::integrity::ground::{At, Ground, is_true};
use crate::integrity::workflow::setting;
use crate::model::finding::Level;
use crate::model::yaml::Node;

pub(super) static GI130: Rule = Rule {
    id: "GI130",
    title: "an action's input that keeps it from failing: `fail-on-error: false`, `soft_fail: true`, `exit-code: 0`, …",
    level: Level::Error,
    why: "The action looks, reports, and is green whatever it found.",
    safe: "Leave the input at the value that fails; where findings are too many at first, use the tool's own baseline.",
    false_positives: "Left alone: actions that upload or comment (their failure is no verdict), a step whose outcome or outputs another one reads, what is retried \
                      and is no gate, and inputs that are not written: some actions never fail by default, which only their documentation tells.",
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

/// Actions whose failure is no verdict.
const CARRIERS: &[&str] = &[
    "codecov/",
    "coverallsapp/",
    "actions/upload",
    "actions/download",
    "actions/cache",
    "peter-evans/",
    "softprops/",
    "slackapi/",
    "test-summary/",
];

fn check(ground: &Ground, hits: &mut Hits<'_>, at: At<'_>) {
    let Some(uses) = at.step.uses() else { return };
    let name = uses.split('@').next().unwrap_or(uses);
    let lower = name.to_lowercase();
    if CARRIERS.iter().any(|carrier| lower.starts_with(carrier)) || at.job.reads_step(at.step) || at.step.is_aftermath()
    {
        return;
    }
    if script_input(uses).is_some() && ground.gate_of_step(at.step).is_none() {
        return;
    }
    let inputs = at.step.node.get("with").map(Node::entries).unwrap_or_default();
    for (input, value) in inputs {
        let Some(text) = value.text() else { continue };
        let any = ANY.iter().any(|(known, values)| known == input && values.contains(&setting(text)));
        let one = ONE.iter().any(|(action, known, values)| {
            lower.starts_with(action)
                && known == input
                && values.iter().any(|value| *value == setting(text) || (value.len() > 5 && text.contains(value)))
        });
        if any || one {
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
