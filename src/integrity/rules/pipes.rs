//! GI104: a gate at the beginning of a pipe that is worth its end.

use super::{Rule, is_excused, replace, with_help};
use crate::integrity::flow::{Fate, Loss};
use crate::integrity::ground::Ground;
use crate::integrity::script::{Place, Script};
use crate::model::finding::{Fix, Level};

pub(super) static GI104: Rule = Rule {
    id: "GI104",
    title: "a gate is piped into another program without `pipefail`",
    level: Level::Error,
    why: "A pipe is worth its last command: `cargo test | tee log` is green whenever `tee` could write. The runner's default shell is \
          `bash -e` without pipefail; only with `shell: bash` written does it add `-o pipefail`. Package scripts and makefiles run in \
          `sh`, which has none.",
    safe: "`shell: bash` at the step, under `defaults` or in the job; `set -o pipefail` in a script. In a package script write to a file, \
           then show it.",
    false_positives: "Left alone: `PIPESTATUS` read later, a last command that judges what it reads (`grep`, `reviewdog`, `jq -e`, \
                      `go-junit-report -set-exit-code`, `tap-spec`), output that `tee` keeps and something judges later. Where the last command is \
                      not known to pass on what it reads, it is a warning.",
    check: |ground, hits| {
        for (script, run, gate) in ground.gates() {
            let Fate::Lost(Loss::Piped { into, filter }) = &run.fate else { continue };
            if is_excused(ground, script, run) {
                continue;
            }
            let help = match script.place {
                Place::Step { .. } if !in_action(ground, script) => {
                    "write `shell: bash` at the step: the runner then adds `-o pipefail`"
                }
                Place::Package { .. } => "`sh` has no pipefail: write to a file, then show it",
                _ => "write `set -o pipefail` above",
            };
            let what = format!("`{}` cannot fail here: without pipefail the pipe is worth `{into}`", gate.name);
            let fix = shell_bash(ground, script);
            hits.in_script(script, &run.span, gate.sure && *filter, with_help(&what, help), fix);
        }
    },
};

/// Whether a script is given to an action, which starts its own shell.
fn in_action(ground: &Ground, script: &Script) -> bool {
    ground.at(script).is_some_and(|at| at.step.uses().is_some())
}

/// A line `shell: bash` before the step's `run`.
fn shell_bash(ground: &Ground, script: &Script) -> Option<Fix> {
    let at = ground.at(script).filter(|_| matches!(script.place, Place::Step { .. }))?;
    let start = at.step.node.get("run")?.written.key.start;
    if at.step.node.get("shell").is_some() {
        return None;
    }
    let source = &ground.sources[script.file];
    let (line, column) = source.place(start);
    let before = source.slice(source.line(line).start..start);
    let indent = " ".repeat(usize::try_from(column).unwrap_or(1).saturating_sub(1));
    let text =
        if before.trim().is_empty() || before.trim() == "-" { format!("shell: bash\n{indent}") } else { return None };
    Some(replace(ground, script.file, &(start..start), &text, "run it with `shell: bash`"))
}
