//! GI102, GI103 and GI105: scripts that go on after a gate has failed, and end well.

use std::collections::BTreeSet;

use super::{Hits, Rule, is_excused, replace, with_help};
use crate::integrity::flow::{Because, Fate, Gate, Loss, Run};
use crate::integrity::ground::Ground;
use crate::integrity::script::{Place, Script};
use crate::integrity::workflow::{Machines, means_the_same_everywhere};
use crate::model::finding::{Fix, Level};

pub(super) static GI102: Rule = Rule {
    id: "GI102",
    title: "the script goes on after a gate failed: `set +e` without a look at `$?`, no `-e` at all, `gate && …` before other lines",
    level: Level::Error,
    why: "A script ends with the status of its last command. Without `-e` every earlier failure is forgotten; with it, so is one \
          on the left of `&&`. Custom shells (`shell: bash -l {0}`) lack the `-e` that the runner otherwise gives. Where no shell is named, \
          Windows starts PowerShell, which goes on after every program that failed.",
    safe: "`set -e` at the top (`shell: bash -el {0}`), `shell: bash` where Windows is among the machines, one gate a line. Where the status is needed: `set +e; gate; status=$?; set -e`, \
           and `exit \"$status\"` at the end.",
    false_positives: "Left alone: a status that the next line reads, conditions, variables that are used later, output that is judged \
                      later, files that are read into another shell (`source`), whose `-e` is the caller's, and in PowerShell a build behind which the \
                      same program runs again. Where only some legs of a matrix run on Windows, it is a warning.",
    check: |ground, hits| {
        let mut seen = BTreeSet::new();
        for (script, run, gate, because) in going_on(ground).filter(|(script, ..)| !script.is_one_line()) {
            let (what, help) = match because {
                Because::SetPlusE(_) => {
                    ("`set +e` stands above and nobody looks at `$?`", "keep it: `status=$?` on the next line")
                }
                Because::NeverSet if is_powershell(ground, script) => {
                    if is_built_again(script, run) {
                        continue;
                    }
                    (POWERSHELL, "write `shell: bash` at the step")
                }
                Because::NeverSet => ("this script never sets `-e`, and goes on", "write `set -e` at its top"),
                Because::AndList => {
                    ("on the left of `&&` a failure ends nothing, and the script goes on", "give it a line of its own")
                }
                Because::Background => {
                    ("it runs in the background, and nobody asks for its status", "`wait $!`, which gives its status")
                }
                Because::ExitsZero(_) => continue,
            };
            // One cause, one finding a script.
            if *because == Because::NeverSet && !seen.insert((script.file, script.piece.origin(0))) {
                continue;
            }
            let message = with_help(&format!("`{}` cannot fail here: {what}", gate.name), help);
            hits.in_script(script, &run.span, gate.sure, message, None);
        }
        on_some_machines(ground, hits);
    },
};

const POWERSHELL: &str = "PowerShell goes on after a program that failed, and the step is worth its last line";

fn is_powershell(ground: &Ground, script: &Script) -> bool {
    matches!(script.place, Place::Step { .. })
        && ground.at(script).is_some_and(|at| at.step.powershell == Machines::All)
}

/// The legs of a matrix on which Windows runs start PowerShell where no shell is named.
fn on_some_machines(ground: &Ground, hits: &mut Hits<'_>) {
    for script in ground.judged_scripts().filter(|script| matches!(script.place, Place::Step { .. })) {
        let Some(at) = ground.at(script).filter(|at| at.step.powershell == Machines::Some) else { continue };
        let elsewhere = at
            .step
            .text("if")
            .is_some_and(|condition| ["matrix.", "runner.", "false"].iter().any(|word| condition.contains(word)));
        let Some(text) = at.step.text("run").filter(|text| !elsewhere && means_the_same_everywhere(text)) else {
            continue;
        };
        let mut runs = script.flow.runs.iter().rev().skip(1).rev();
        let lost = |run: &&Run| {
            run.gate.as_ref().is_some_and(|gate| gate.sure) && run.fate == Fate::Counts && !is_built_again(script, run)
        };
        let Some((run, gate)) = runs.find(lost).and_then(|run| Some((run, run.gate.as_ref()?))) else { continue };
        if text.trim().contains('\n') && !at.job.reads_step(at.step) {
            let what = format!("`{}` cannot fail on the legs with Windows: {POWERSHELL}", gate.name);
            hits.in_script(script, &run.span, false, with_help(&what, "write `shell: bash` at the step"), None);
        }
    }
}

/// A build behind which something of the same program runs, that fails where it failed.
fn is_built_again(script: &Script, run: &Run) -> bool {
    const BUILDS: &[&str] = &["build", "b", "check", "c", "compile", "fetch"];
    let verb = |run: &Run| run.invocation.arguments.iter().find(|word| !word.starts_with(['-', '+'])).cloned();
    let builds = verb(run).is_some_and(|verb| BUILDS.contains(&verb.as_str()));
    let later = script.flow.runs.iter().filter(|other| other.span.start > run.span.end);
    builds && later.into_iter().any(|other| other.gate.is_some() && other.invocation.program == run.invocation.program)
}

pub(super) static GI103: Rule = Rule {
    id: "GI103",
    title: "`exit 0` after a gate whose failure did not end the script, or in a trap on EXIT",
    level: Level::Error,
    why: "Whatever the gates found, the script says that all is well.",
    safe: "Remove `exit 0`: a script that comes to its end is well. In a trap only clean up; the status stays what it was.",
    false_positives: "Left alone: `exit 0` where `-e` has ended the script before, and where it stands in a branch.",
    check: |ground, hits| {
        let mut seen = BTreeSet::new();
        for (script, run, gate, because) in going_on(ground) {
            let Because::ExitsZero(exit) = because else { continue };
            if !seen.insert((script.file, script.piece.origin(exit.start))) {
                continue;
            }
            let message = with_help(
                &format!("`{}` cannot fail here: the script goes on and ends with `exit 0`", gate.name),
                "let the script end at a failure: `set -e`, and no `exit 0`",
            );
            hits.in_script(script, &(run.span.start..exit.end), gate.sure, message, None);
        }
        for (script, run, gate) in ground.gates() {
            let Some(trap) = &script.flow.exit_trap else { continue };
            if run.fate == Fate::Counts && seen.insert((script.file, script.piece.origin(trap.start))) {
                let message = with_help(
                    &format!("`{}` cannot fail here: the trap ends the script with `exit 0`", gate.name),
                    "let the trap clean up and not exit",
                );
                hits.in_script(script, trap, gate.sure, message, None);
            }
        }
    },
};

pub(super) static GI105: Rule = Rule {
    id: "GI105",
    title: "`a ; b` or `a & b` in a package script, a recipe's line or `bash -c '…'`",
    level: Level::Error,
    why: "Such a line is run by `sh -c` without `-e`: it is worth its last command, and what stood before `;` or `&` may fail unseen.",
    safe: "`a && b`. To run both in any case: two scripts, and `npm-run-all --continue-on-error a b` or two steps.",
    false_positives: "Left alone: what is no gate before the `;` (`rm -rf x; jest`), and a status that is looked at.",
    check: |ground, hits| {
        for (script, run, gate, because) in going_on(ground).filter(|(script, ..)| script.is_one_line()) {
            if matches!(because, Because::ExitsZero(_)) {
                continue;
            }
            let sign = if *because == Because::Background { "&" } else { ";" };
            let message = with_help(
                &format!("`{}` cannot fail here: behind `{sign}` the line goes on whatever it found", gate.name),
                "join them with `&&`",
            );
            hits.in_script(script, &run.span, gate.sure, message, joined(ground, script, run));
        }
    },
};

/// Gates after whose failure the script goes on, and why.
fn going_on(ground: &Ground) -> impl Iterator<Item = (&Script, &Run, &Gate, &Because)> {
    ground.gates().filter_map(|(script, run, gate)| match &run.fate {
        Fate::Lost(Loss::GoesOn { because }) if !is_excused(ground, script, run) => Some((script, run, gate, because)),
        _ => None,
    })
}

/// `;` right behind the gate becomes `&&`.
fn joined(ground: &Ground, script: &Script, run: &Run) -> Option<Fix> {
    let chars = &script.piece.chars;
    let sign = (run.span.end..chars.len()).find(|at| !chars[*at].is_whitespace())?;
    let alone = chars[sign] == ';' && chars.get(sign + 1) != Some(&';');
    let text = if sign == run.span.end { " &&" } else { "&&" };
    alone.then(|| replace(ground, script.file, &script.piece.span(&(sign..sign + 1)), text, "join them with `&&`"))
}
