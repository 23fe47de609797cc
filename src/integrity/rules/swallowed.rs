//! GI101: a gate whose failure is taken away where it stands.

use std::ops::Range;

use super::{Hits, Rule, edit, is_excused, replace, with_help};
use crate::integrity::ending::Record;
use crate::integrity::flow::{Fate, Gate, Loss, Run};
use crate::integrity::ground::Ground;
use crate::integrity::records;
use crate::integrity::script::{Ignored, Script};
use crate::model::finding::{Fix, Level};

pub(super) static GI101: Rule = Rule {
    id: "GI101",
    title: "a gate's failure is swallowed: `|| true`, `|| :`, `|| exit 0`, `|| echo …`, `find -exec … \\;`, `-` before a recipe's line, `.IGNORE`",
    level: Level::Error,
    why: "The command fails, the line does not: the step is green whatever the gate found.",
    safe: "Let it fail. To say something first: `cargo test || { echo 'see the log'; exit 1; }`. To go on and fail later: \
           `cargo test || failed=1`, and `exit \"${failed:-0}\"` at the end. To collect a report: let a later step judge it.",
    false_positives: "Left alone: commands that are no gates (`grep … || true`, `rm … || true`), clean-up, steps that run on \
                      `failure()`, output that is kept in a file and judged later, a failure written to a file, an output or the environment that \
                      anything later in the job names, a status kept in a variable that is used, \
                      the step's outcome read by another, the same command run again in earnest (be it told in another format) in the same folder, with the same variables and whenever this one runs, and commands whose output is \
                      taken (`$(… || true)`), and an alternative that is a gate itself, tests something or reads `$?`. A gate that is only called \
                      as gates are (`./check.sh`) is a warning, and so is one behind which something runs that may fail or not \
                      (`|| ./notify.sh`).",
    check: |ground, hits| {
        for (script, run, gate) in ground.gates() {
            check(ground, hits, script, run, gate);
        }
    },
};

fn check(ground: &Ground, hits: &mut Hits<'_>, script: &Script, run: &Run, gate: &Gate) {
    match &run.fate {
        Fate::Lost(Loss::Swallowed { by, bare }) if !is_excused(ground, script, run) => {
            swallowed(ground, hits, (script, run, gate), by, *bare);
        }
        Fate::Lost(Loss::Recorded { by, records }) if !is_excused(ground, script, run) => {
            if records.iter().any(|record| records::is_read(ground, script, record)) {
                return;
            }
            let message = unread(gate, records);
            hits.in_script(script, &(run.span.start..by.end), gate.sure, message, None);
        }
        Fate::Lost(Loss::Replaced { by, runs }) if !is_excused(ground, script, run) => {
            replaced(ground, hits, (script, run, gate), by, runs);
        }
        Fate::Lost(Loss::EachFile(end)) if !is_excused(ground, script, run) => {
            let what = format!("`{}` cannot fail here: with `\\;` find succeeds whatever it started did", gate.name);
            let message = with_help(&what, "end it with `+`, or write `-print0 | xargs -0`");
            // With `+` the files must be the last words.
            let before: String = script.piece.chars[run.span.start..end.start].iter().collect();
            let fix = before
                .trim_end()
                .ends_with("{}")
                .then(|| replace(ground, script.file, &script.piece.span(end), "+", "end it with `+`"));
            hits.in_script(script, &run.span, gate.sure, message, fix);
        }
        Fate::Lost(Loss::Ignored { condition }) if !is_excused(ground, script, run) => {
            let message = with_help(
                &format!("`{}` cannot fail here: nothing that fails is done where it does", gate.name),
                "let the branch for its failure end in `exit 1`",
            );
            hits.in_script(script, condition, gate.sure, message, None);
        }
        Fate::Counts => {
            let (what, help, fix) = match script.ignored {
                None => return,
                Some(Ignored::BySign(sign)) => {
                    let fix = replace(ground, script.file, &(sign..sign + 1), "", "remove the `-`");
                    ("the `-` before the line makes its failure ignored", "remove the `-`", Some(fix))
                }
                Some(Ignored::ByFile) => {
                    ("`.IGNORE` or `-i` in MAKEFLAGS makes its failure ignored", "remove it", None)
                }
            };
            let message = with_help(&format!("`{}` cannot fail here: {what}", gate.name), help);
            hits.in_script(script, &run.span, gate.sure, message, fix);
        }
        _ => {}
    }
}

/// `|| true`, `|| echo …`
fn swallowed(
    ground: &Ground,
    hits: &mut Hits<'_>,
    (script, run, gate): (&Script, &Run, &Gate),
    by: &Range<usize>,
    bare: bool,
) {
    let slice = |range: Range<usize>| -> String { script.piece.chars[range].iter().collect() };
    let sign = crate::model::text::one_line(&slice(by.clone()), 40);
    // In a loop of attempts what follows `||` runs before the next one: it must not fail.
    let again = slice(run.span.end..by.start.max(run.span.end)).contains("break");
    let help = match (bare, again) {
        (true, _) => "remove it, or keep the failure: `|| failed=1` and `exit \"${failed:-0}\"` at the end",
        (false, false) => "let what follows `||` end in `exit 1`",
        (false, true) => "test behind the loop whether an attempt passed, and `exit 1` where none did",
    };
    let message = with_help(&format!("`{}` cannot fail here: `{sign}` takes its failure away", gate.name), help);
    let fix = (bare || !again).then(|| fix(ground, script, by, bare));
    hits.in_script(script, &(run.span.start..by.end), gate.sure, message, fix);
}

fn unread(gate: &Gate, records: &[Record]) -> String {
    let file = records.first().map(|record| record.file.as_str()).unwrap_or_default();
    let file = crate::model::text::one_line(file, 40);
    let what =
        format!("`{}` cannot fail here: how it went is written to `{file}`, which nothing of the job reads", gate.name);
    with_help(&what, "let it end in `exit 1`, or read it in a later step that fails")
}

/// `|| …` of which it is not known how it ends.
fn replaced(
    ground: &Ground,
    hits: &mut Hits<'_>,
    (script, run, gate): (&Script, &Run, &Gate),
    by: &Range<usize>,
    runs: &Range<usize>,
) {
    if script.flow.runs[runs.clone()].iter().any(|other| may_judge(ground, script, other)) {
        return;
    }
    let sign: String = script.piece.chars[by.clone()].iter().collect();
    let sign = crate::model::text::one_line(&sign, 40);
    let what = format!("the failure of `{}` may be lost here: what counts is how `{sign}` ends", gate.name);
    let message = with_help(&what, "let what follows `||` end in `exit 1`");
    let fix = fix(ground, script, by, false);
    hits.in_script(script, &(run.span.start..by.end), false, message, Some(fix));
}

/// Whether what runs in a gate's place judges as well: another attempt, a script that ends in failure, or what may be a
/// function of a file that was read into the shell.
fn may_judge(ground: &Ground, script: &Script, other: &Run) -> bool {
    let fails = |run: &Run| {
        run.invocation.program == "exit" && run.invocation.arguments.first().is_some_and(|status| status != "0")
    };
    let reads_others = || script.flow.runs.iter().any(|run| matches!(run.invocation.program.as_str(), "source" | "."));
    other.gate.is_some()
        || other.calls.iter().any(|called| ground.scripts[*called].flow.runs.iter().any(fails))
        || (other.invocation.call.is_none() && reads_others())
}

fn fix(ground: &Ground, script: &Script, by: &Range<usize>, bare: bool) -> Fix {
    let chars = &script.piece.chars;
    let file = script.file;
    if bare {
        let start = (0..by.start).rev().find(|at| !chars[*at].is_whitespace()).map_or(by.start, |at| at + 1);
        return replace(ground, file, &script.piece.span(&(start..by.end)), "", "let it fail");
    }
    let body = (by.start + 2..by.end).find(|at| !chars[*at].is_whitespace()).unwrap_or(by.end);
    let body = script.piece.span(&(body..by.end));
    Fix {
        description: "fail after what is said".to_owned(),
        edits: vec![
            edit(ground, file, &(body.start..body.start), "{ "),
            edit(ground, file, &(body.end..body.end), "; exit 1; }"),
        ],
    }
}
