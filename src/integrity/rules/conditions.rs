//! GI113: `if` that never holds, or that the author of a change decides by what they write.

use super::{Hits, Rule, with_help};
use crate::integrity::flow::Gate;
use crate::integrity::ground::{At, Ground};
use crate::integrity::workflow::{Workflow, expression};
use crate::model::finding::Level;
use crate::model::yaml::Node;

pub(super) static GI113: Rule = Rule {
    id: "GI113",
    title: "a gate under `if: false`, or skipped by text that the author of the change writes",
    level: Level::Error,
    why: "A job that is skipped reports success, even where it is required; a skipped step leaves its job green. Titles, descriptions, commit \
          messages and branch names are the author's: `[skip tests]` in one of them turns the gate off.",
    safe: "Remove what does not run, or let it run. To skip by intent use a label (`github.event.pull_request.labels`), which needs rights in the \
           repository.",
    false_positives: "Left alone: conditions that turn a further gate *on* by such text, and workflows that no change wakes. The runner's own \
                      texts, such as `[skip ci]`, need no condition, so that one changes nothing: they leave a required check waiting. Where the text only reaches pushes, it is a warning.",
    check: |ground, hits| {
        for workflow in ground.workflows.iter().filter(|workflow| workflow.judges_changes()) {
            for job in &workflow.jobs {
                if let (Some(value), Some(gate)) = (job.node.get("if"), ground.gate_of_job(job))
                    && let Some((sure, what)) = reason(workflow, value)
                {
                    hits.in_job((workflow, job), value.entry_span(), sure, message(&gate, &what), None);
                    continue;
                }
                for (index, step) in job.steps.iter().enumerate() {
                    check_step(ground, hits, At { workflow, job, step, index });
                }
            }
        }
    },
};

fn check_step(ground: &Ground, hits: &mut Hits<'_>, at: At<'_>) {
    if let (Some(value), Some(gate)) = (at.step.node.get("if"), ground.gate_of_step(at.step))
        && let Some((sure, what)) = reason(at.workflow, value)
    {
        hits.in_workflow(at, value.entry_span(), sure, message(&gate, &what), None);
    }
}

fn message(gate: &Gate, what: &str) -> String {
    with_help(&format!("`{}` is skipped, and a skipped gate is green: {what}", gate.name), "let it run, or remove it")
}

/// Why a condition keeps a gate from running, and whether it surely does.
fn reason(workflow: &Workflow, condition: &Node) -> Option<(bool, String)> {
    let inside = expression(condition.text()?);
    if matches!(inside, "false" | "False" | "FALSE" | "0" | "''" | "!true" | "always() && false" | "false && always()")
        || inside.starts_with("false &&")
    {
        return Some((true, "`if` is never true".to_owned()));
    }
    let source = authored(workflow, inside)?;
    let of_requests = source.contains("pull_request") || source == "github.head_ref";
    Some((of_requests, format!("the author of the change writes `{source}`")))
}

/// Text of the author's that is tested so that it turns something off.
fn authored(workflow: &Workflow, inside: &str) -> Option<&'static str> {
    const SOURCES: &[(&str, &str)] = &[
        ("github.event.pull_request.title", "pull_request"),
        ("github.event.pull_request.body", "pull_request"),
        ("github.head_ref", "pull_request"),
        ("github.event.pull_request.head.ref", "pull_request"),
        ("github.event.head_commit.message", "push"),
        ("github.event.commits[0].message", "push"),
    ];
    let compact: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    SOURCES.iter().find_map(|(source, event)| {
        let woken = workflow.action || workflow.wakes_on(event) || workflow.wakes_on("pull_request_target");
        let off = ["contains(", "startsWith(", "endsWith("].iter().any(|test| {
            let test = format!("!{test}{source}");
            let mut tests = compact.split(&test).skip(1);
            tests.any(|behind| !(source.ends_with("message") && is_of_the_runner(behind)))
        });
        let differs = compact.contains(&format!("{source}!="));
        (woken && (off || differs)).then_some(*source)
    })
}

/// `,'[skipci]')…`: with that text in the message of a commit no condition is asked any more:
/// <https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs>.
fn is_of_the_runner(behind: &str) -> bool {
    const TEXTS: &[&str] = &["[skipci]", "[ciskip]", "[noci]", "[skipactions]", "[actionsskip]"];
    let text = behind.strip_prefix(",'").and_then(|rest| rest.split_once('\''));
    text.is_some_and(|(text, _)| TEXTS.contains(&text))
}
