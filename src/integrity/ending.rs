//! What an alternative to a command amounts to: whether `|| …` or a branch forgives a failure, keeps it, or fails itself.

use std::ops::Range;

use super::shell::{Command, Item, Kind, Redirect, Simple};

/// What an alternative (`|| …`, a failing branch) amounts to.
#[derive(Debug, PartialEq)]
pub enum Ending {
    /// It only says something, or nothing.
    Nothing,
    /// It ends in failure.
    Fails,
    /// It keeps the failure in variables.
    Keeps(Vec<String>),
    /// It does something of its own.
    Works,
}

/// Whether a command only says something, or nothing: as an alternative to a failure it forgives it.
#[must_use]
pub fn does_nothing(command: &Command) -> bool {
    ending(command) == Ending::Nothing
}

/// What a command amounts to where it stands for the failure of another.
#[must_use]
pub fn ending(command: &Command) -> Ending {
    match &command.kind {
        Kind::Simple(simple) => ending_of(simple),
        Kind::List(items) => sum(items.iter().map(|item| ending(&item.command))),
        Kind::And(left, right) => sum([ending(left), ending(right)].into_iter()),
        Kind::Group(inner, redirects) | Kind::Subshell(inner, redirects) => match ending(inner) {
            Ending::Nothing if records(redirects) => Ending::Works,
            other => other,
        },
        _ => Ending::Works,
    }
}

/// `… && exit 0`, `… && break`: what stands behind is for failure, as in a loop of attempts.
#[must_use]
pub fn leaves(command: &Command) -> bool {
    matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "exit" | "return" | "break")))
}

/// `exit 0` as a statement of its own, later in the same list.
#[must_use]
pub fn exits_zero(items: &[Item]) -> Option<Range<usize>> {
    items.iter().find_map(|item| match &item.command.kind {
        Kind::Simple(simple) => {
            let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
            (words == ["exit", "0"]).then(|| item.command.span.clone())
        }
        _ => None,
    })
}

fn ending_of(simple: &Simple) -> Ending {
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    match words.as_slice() {
        [] => {
            let names = simple.assignments.iter().filter_map(|word| word.raw.split_once('='));
            Ending::Keeps(names.map(|(name, _)| name.trim_end_matches('+').to_owned()).collect())
        }
        ["export" | "local" | "declare" | "readonly", names @ ..] => Ending::Keeps(
            names.iter().filter_map(|word| word.split_once('=')).map(|(name, _)| name.to_owned()).collect(),
        ),
        ["true" | ":" | "/bin/true" | "/usr/bin/true" | "continue" | "break", ..] | ["exit" | "return", "0"] => {
            Ending::Nothing
        }
        ["exit" | "return" | "false" | "kill", ..] => Ending::Fails,
        _ if records(&simple.redirects) => Ending::Works,
        [program, rest @ ..] => {
            let logs = matches!(*program, "docker" | "kubectl" | "podman") && rest.contains(&"logs");
            if SAYS.contains(program) || logs { Ending::Nothing } else { Ending::Works }
        }
    }
}

/// Commands that show something and succeed.
const SAYS: &[&str] = &[
    "echo", "printf", "cat", "tail", "head", "ls", "date", "env", "df", "ps", "sleep", "logger", "pwd", "tree", "dmesg",
];

#[must_use]
pub fn says_something(simple: &Simple) -> bool {
    simple.words.first().is_some_and(|word| SAYS.contains(&word.text.as_str()))
}

/// Whether output is kept for somebody: a step's output, the environment of later steps, a file.
#[must_use]
pub fn records(redirects: &[Redirect]) -> bool {
    redirects.iter().any(|to| {
        to.sign.contains('>')
            && !to.target.starts_with("/dev/")
            && !to.target.contains("STEP_SUMMARY")
            && !to.target.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    })
}

/// What several commands amount to together.
fn sum(endings: impl Iterator<Item = Ending>) -> Ending {
    let mut whole = Ending::Nothing;
    for ending in endings {
        whole = match (whole, ending) {
            (Ending::Fails, _) | (_, Ending::Fails) => Ending::Fails,
            (Ending::Works, _) | (_, Ending::Works) => Ending::Works,
            (Ending::Keeps(mut all), Ending::Keeps(more)) => {
                all.extend(more);
                Ending::Keeps(all)
            }
            (Ending::Keeps(all), Ending::Nothing) | (Ending::Nothing, Ending::Keeps(all)) => Ending::Keeps(all),
            (Ending::Nothing, Ending::Nothing) => Ending::Nothing,
        };
    }
    whole
}
