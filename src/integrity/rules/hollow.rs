//! Calls of scripts and targets that are called as gates are and run nothing: a part of GI205.

use std::collections::BTreeSet;

use super::{Hits, with_help};
use crate::integrity::call::Call;
use crate::integrity::dictionary::is_gate_name;
use crate::integrity::flow::Run;
use crate::integrity::ground::Ground;
use crate::integrity::script::{Place, Script};

/// Finds them wherever a workflow comes to.
pub(super) fn check(ground: &Ground, hits: &mut Hits<'_>) {
    let reached = reached(ground);
    for (at, script) in ground.scripts.iter().enumerate() {
        if !reached.contains(&at) || ground.at(script).is_some_and(|at| at.step.is_aftermath()) {
            continue;
        }
        for run in script.flow.runs.iter().filter(|run| is_hollow(ground, run)) {
            let name = run.invocation.call.as_ref().map(Call::names).unwrap_or_default().join("` and `");
            let words = std::iter::once(run.invocation.program.as_str()).chain(run.invocation.arguments());
            let shown = crate::model::text::one_line(&words.take(4).collect::<Vec<_>>().join(" "), 60);
            let what = format!("`{shown}` tests nothing: all that `{name}` does is to say something");
            hits.in_script(script, &run.span, true, with_help(&what, "let it test, or take the call away"), None);
        }
    }
}

/// The scripts that steps are, and those that they call.
fn reached(ground: &Ground) -> BTreeSet<usize> {
    let is_step = |at: &usize| matches!(ground.scripts[*at].place, Place::Step { .. });
    let mut open: Vec<usize> = (0..ground.scripts.len()).filter(is_step).collect();
    let mut reached = BTreeSet::new();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            open.extend(ground.scripts[at].flow.runs.iter().flat_map(|run| &run.calls));
        }
    }
    reached
}

/// Whether a command calls scripts by the names of gates, and none of them runs anything.
fn is_hollow(ground: &Ground, run: &Run) -> bool {
    let Some(call @ (Call::Package { .. } | Call::Make { .. } | Call::Just { .. })) = &run.invocation.call else {
        return false;
    };
    let names = call.names();
    let called: Vec<&Script> = run.calls.iter().map(|called| &ground.scripts[*called]).collect();
    run.handed.is_none()
        && run.gate.as_ref().is_none_or(|gate| !gate.sure)
        && !names.is_empty()
        && names.iter().all(|name| is_gate_name(name))
        && called.iter().any(|script| !script.flow.runs.is_empty())
        && called.iter().all(|script| says_only(script))
}

/// Whether a script says something, or nothing, and ends well.
fn says_only(script: &Script) -> bool {
    let needs = match &script.place {
        Place::Target { needs, .. } | Place::Recipe { needs, .. } => needs.as_slice(),
        _ => &[],
    };
    let text = script.piece.text();
    let says = |run: &Run| {
        let words = run.invocation.arguments();
        let well = match run.invocation.program.as_str() {
            "echo" | "printf" | "true" | ":" => true,
            "exit" => words == ["0"],
            _ => false,
        };
        well && run.outputs.is_empty()
    };
    // `echo "$(jest)"` runs it, and a function may be called as `echo` is.
    let plain = !text.contains("$(") && !text.contains('`') && script.flow.functions.is_empty();
    needs.is_empty() && plain && script.flow.runs.iter().all(says) && !text.contains("[[") && !text.contains("((")
}
