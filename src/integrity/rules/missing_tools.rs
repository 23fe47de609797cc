//! GI106: a gate that is passed over where its tool is not installed.

use std::ops::Range;

use super::{Hits, Rule, with_help};
use crate::integrity::dictionary;
use crate::integrity::ending::does_nothing;
use crate::integrity::flow::Run;
use crate::integrity::script::Script;
use crate::integrity::shell::{Command, Kind, Simple};
use crate::model::finding::Level;

pub(super) static GI106: Rule = Rule {
    id: "GI106",
    title: "a gate is passed over where its tool is missing",
    level: Level::Warning,
    why: "The day an image or a version changes, the tool is gone, the gate is skipped, and everything stays green.",
    safe: "Install the tool in the job, and let a missing one fail: `command -v shellcheck >/dev/null || { echo 'install shellcheck' >&2; exit 1; }`.",
    false_positives: "Left alone: a branch that installs the tool or fails. Scripts for people's own machines that no workflow calls are not \
                      read; a makefile's `lint` that is meant for both is reported.",
    check: |ground, hits| {
        for script in ground.judged_scripts() {
            Search { script }.command(&script.command, hits);
        }
    },
};

struct Search<'a> {
    script: &'a Script,
}

impl Search<'_> {
    fn command(&self, command: &Command, hits: &mut Hits<'_>) {
        match &command.kind {
            Kind::Or(left, right) => {
                if let Some(tool) = self.asks(left)
                    && does_nothing(right)
                    && leaves(right)
                    && self.gates_in(&(right.span.end..usize::MAX), &tool)
                {
                    self.hit(hits, &command.span, &tool);
                }
                self.command(left, hits);
                self.command(right, hits);
            }
            Kind::If { condition, then, otherwise } => {
                let (negated, inner) = match &condition.kind {
                    Kind::Not(inner) => (true, &**inner),
                    _ => (false, &**condition),
                };
                if let Some(tool) = self.asks(inner) {
                    let missing = if negated { Some(&**then) } else { otherwise.as_deref() };
                    let present = if negated { otherwise.as_deref() } else { Some(&**then) };
                    let silent = missing.is_none_or(does_nothing);
                    let gated = match present {
                        Some(present) => self.gates_in(&present.span, &tool),
                        None => leaves(then) && self.gates_in(&(command.span.end..usize::MAX), &tool),
                    };
                    if silent && gated {
                        self.hit(hits, &condition.span, &tool);
                    }
                }
                self.command(then, hits);
                if let Some(otherwise) = otherwise {
                    self.command(otherwise, hits);
                }
            }
            Kind::List(items) => {
                let last = items.len().saturating_sub(1);
                for (at, item) in items.iter().enumerate() {
                    if let Kind::And(left, right) = &item.command.kind
                        && let Some(tool) = self.asks(left)
                        && at < last
                        && self.gates_in(&right.span, &tool)
                    {
                        self.hit(hits, &item.command.span, &tool);
                    }
                    self.command(&item.command, hits);
                }
            }
            Kind::And(left, right) => {
                self.command(left, hits);
                self.command(right, hits);
            }
            Kind::Group(inner, _) | Kind::Subshell(inner, _) | Kind::Function(_, inner) | Kind::Not(inner) => {
                self.command(inner, hits);
            }
            Kind::Loop { body, .. } => self.command(body, hits),
            Kind::Case(bodies) => bodies.iter().for_each(|body| self.command(body, hits)),
            Kind::Simple(_) | Kind::Pipeline(_) | Kind::Test => {}
        }
    }

    fn hit(&self, hits: &mut Hits<'_>, span: &Range<usize>, tool: &str) {
        let what = format!("where `{tool}` is missing this gate is passed over, and the script goes on");
        hits.in_script(self.script, span, true, with_help(&what, "let a missing tool fail: `exit 1`"), None);
    }

    /// The tool that a condition asks for: `command -v eslint`, `[ -x "$(which eslint)" ]`.
    fn asks(&self, command: &Command) -> Option<String> {
        let tool = match &command.kind {
            Kind::Simple(simple) => asked(simple)?,
            Kind::Test => in_test(&self.text(&command.span))?,
            _ => return None,
        };
        Some(tool)
    }

    fn text(&self, span: &Range<usize>) -> String {
        self.script.piece.chars.get(span.clone()).unwrap_or_default().iter().collect()
    }

    /// Whether a gate stands in a part of the script that is run by the tool.
    fn gates_in(&self, part: &Range<usize>, tool: &str) -> bool {
        let runs = self.script.flow.runs.iter().filter(|run| part.start <= run.span.start && run.span.start < part.end);
        let is_gate = |run: &Run| run.gate.as_ref().is_some_and(|gate| gate.sure) || dictionary::is_gate(tool, &[]);
        runs.into_iter().any(|run| run.invocation.program == tool && is_gate(run))
    }
}

fn asked(simple: &Simple) -> Option<String> {
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    let tool = match words.as_slice() {
        ["command", "-v" | "-V", tool, ..]
        | ["type", "-p" | "-P" | "-t", tool, ..]
        | ["which" | "type" | "hash" | "where", tool, ..] => tool,
        ["[" | "test", ..] => {
            return in_test(&simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" "));
        }
        _ => return None,
    };
    let name = tool.rsplit('/').next().unwrap_or(tool);
    (!tool.starts_with('-')).then(|| name.to_owned())
}

fn in_test(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("command -v ").or_else(|| text.split_once("which "))?;
    let tool: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    (!tool.is_empty() && !text.contains("-z ") && !text.contains("! ")).then_some(tool)
}

/// Whether a branch leaves the script (or the function) rather than going on.
fn leaves(command: &Command) -> bool {
    match &command.kind {
        Kind::Simple(simple) => {
            simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "exit" | "return"))
        }
        Kind::List(items) => items.iter().any(|item| leaves(&item.command)),
        Kind::Group(inner, _) | Kind::Subshell(inner, _) => leaves(inner),
        Kind::And(left, right) => leaves(left) || leaves(right),
        _ => false,
    }
}
