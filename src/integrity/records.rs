//! Failures that are written down instead: a step's output, the environment of later steps, a file. It tells whether
//! anything of the job reads them again, and takes what it cannot see for a reader.

use super::ending::Record;
use super::ground::{At, Ground};
use super::script::{Place, Script};
use super::shell::OPAQUE;
use super::workflow::{Step, any_text};
use crate::model::yaml::Node;

/// Whether anything reads what a command of a script wrote down.
#[must_use]
pub fn is_read(ground: &Ground, script: &Script, record: &Record) -> bool {
    // Who calls a script or a target may read what it leaves.
    let Some(at) = ground.at(script) else { return true };
    let variable = record.file.trim_matches(['$', '{', '}']);
    match variable {
        "GITHUB_OUTPUT" => {
            at.step.text("id").is_some_and(|_| at.workflow.action || at.job.reads_step(at.step) || reads_all(at))
        }
        "GITHUB_ENV" => {
            let named = record.names.iter().all(|name| !name.is_empty() && !name.contains(OPAQUE));
            at.workflow.action
                || record.names.is_empty()
                || !named
                || is_passed_on(ground, at)
                || record.names.iter().any(|name| is_said(ground, at, &|text| has_word(text, name)))
        }
        _ => is_file_read(ground, script, at, &record.file),
    }
}

/// `toJSON(steps)`, `steps.*.outputs`
fn reads_all(at: At<'_>) -> bool {
    any_text(&at.job.node, &|text| text.contains("(steps)") || text.contains("steps.*"))
}

fn is_file_read(ground: &Ground, script: &Script, at: At<'_>, file: &str) -> bool {
    let mut parts: Vec<&str> = file.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let Some(name) = parts.pop().filter(|name| name.len() > 2 && !name.contains(['$', '*', OPAQUE])) else {
        return true;
    };
    let folders: Vec<&str> = parts.iter().map(|part| part.trim_matches(['$', '{', '}'])).collect();
    let reads = |text: &str| {
        text.lines().any(|line| reads_line(line, name))
            || folders.iter().any(|folder| has_word(text, folder))
            || (folders.contains(&"RUNNER_TEMP") && text.contains("runner.temp"))
            || text.split_whitespace().any(|word| is_pattern_of(word, name))
            || ["git add", "git commit", "git diff", "git status"].iter().any(|command| text.contains(command))
    };
    let own = std::iter::successors(Some(script), |script| match script.place {
        Place::Handed { by, .. } => ground.scripts.get(by),
        _ => None,
    });
    let mut own = own.flat_map(|script| script.piece.text().lines().map(str::to_owned).collect::<Vec<_>>());
    own.any(|line| reads_line(&line, name)) || is_passed_on(ground, at) || takes_all(at) || is_said(ground, at, &reads)
}

/// Whether a line names a file other than to write, make or remove it.
fn reads_line(line: &str, name: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '"' | '\'' | '$' | '{' | '}');
    let before = |at: usize| line[..at].trim_end_matches(is_path).trim_end();
    let written = |at: usize| before(at).ends_with(['>', '|']) || before(at).ends_with("touch");
    !matches!(first, "rm" | "touch" | "mkdir") && line.match_indices(name).any(|(at, _)| !written(at))
}

/// `*.txt`, `results*`, `out/**` in the place of a file.
fn is_pattern_of(word: &str, name: &str) -> bool {
    let last = word.rsplit('/').next().unwrap_or(word);
    let Some((begin, _)) = last.split_once('*') else { return false };
    name.starts_with(begin) && name.ends_with(last.rsplit('*').next().unwrap_or_default())
}

/// The steps behind one.
fn later(at: At<'_>) -> impl Iterator<Item = &Step> {
    at.job.steps.iter().skip(at.index + 1)
}

/// Whether a later step is given the whole folder, or commits what lies in it.
fn takes_all(at: At<'_>) -> bool {
    let whole = |text: &str| {
        text.contains("github.workspace") || text.split_whitespace().any(|word| matches!(word, "." | "./"))
    };
    later(at).filter_map(|step| Some((step.uses()?, step))).any(|(uses, step)| {
        let given = step.node.get("with").is_some_and(|with| any_text(with, &whole));
        given || uses.contains("commit") || uses.contains("create-pull-request")
    })
}

/// Whether a later step starts a program whose text is not read here, which may ask for anything.
fn is_passed_on(ground: &Ground, at: At<'_>) -> bool {
    const UNREAD: &[&str] = &[".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php", ".ps1"];
    let is_program = |word: &String| UNREAD.iter().any(|ending| word.ends_with(ending)) && !word.starts_with('-');
    let runs = ground.scripts_of(&at).filter(|(index, _)| *index > at.index).flat_map(|(_, script)| &script.flow.runs);
    let started = runs.into_iter().any(|run| {
        let of_language = matches!(
            run.invocation.program.as_str(),
            "python" | "python3" | "node" | "ruby" | "perl" | "php" | "deno" | "bun"
        );
        is_program(&run.invocation.program) || (of_language && run.invocation.arguments.iter().any(is_program))
    });
    started || later(at).any(|step| step.unread.is_some())
}

/// Whether a later step says something, or any script or action that it may come to.
fn is_said(ground: &Ground, at: At<'_>, says: &dyn Fn(&str) -> bool) -> bool {
    let in_step = |script: &Script| matches!(script.place, Place::Step { .. } | Place::Handed { .. });
    let in_action = |node: &Node| any_text(node, says);
    later(at).any(|step| any_text(&step.node, says))
        || ground.scripts.iter().filter(|script| !in_step(script)).any(|script| says(&script.piece.text()))
        || ground
            .workflows
            .iter()
            .filter(|workflow| workflow.action)
            .flat_map(|workflow| &workflow.jobs)
            .any(|job| in_action(&job.node))
}

/// Whether a text has a word that is no part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, found)| !text[..at].ends_with(is_part) && !text[at + found.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_read_are_told_from_lines_that_write() {
        for line in [
            "cat results.txt",
            "grep x < out/results.txt > other",
            "if [ -s \"results.txt\" ]; then",
            "echo a > results.txt; cat results.txt",
        ] {
            assert!(reads_line(line, "results.txt"), "{line}");
        }
        for line in [
            "rm -f results.txt",
            "echo a >> \"$DIR/results.txt\"",
            ": > results.txt",
            "touch results.txt",
            "a || touch results.txt",
        ] {
            assert!(!reads_line(line, "results.txt"), "{line}");
        }
        assert!(is_pattern_of("out/*.txt", "results.txt") && is_pattern_of("**", "results.txt"));
        assert!(!is_pattern_of("*.xml", "results.txt") && !is_pattern_of("results", "results.txt"));
    }
}
