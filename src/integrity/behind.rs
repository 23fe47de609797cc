//! What a single command means for those that stand behind it: whether it is worth running, may be a tool, or changes how
//! the shell goes on.

use super::command::Invocation;
use super::dictionary::{is_gate, is_gate_name};
use super::handed::flagged;
use super::shell::{Command, Kind, OPAQUE};

/// Whether a command in another one sets errexit, and not one that stands in its list.
pub fn sets_within(body: &Command) -> bool {
    let mut within = false;
    body.each(&mut |command| {
        let direct = || match &body.kind {
            Kind::List(items) => items.iter().any(|item| item.command.span == command.span),
            _ => false,
        };
        within |= errexit_of(command) == Some(true) && !direct();
    });
    within
}

pub fn sets_errexit(body: &Command) -> bool {
    let mut sets = false;
    body.each(&mut |command| sets |= errexit_of(command) == Some(true));
    sets
}

/// What `set` makes of errexit.
pub fn errexit_of(command: &Command) -> Option<bool> {
    let Kind::Simple(simple) = &command.kind else { return None };
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    let (_, flags) = words.split_first().filter(|(first, _)| **first == "set")?;
    let off = |at: usize, flag: &str| {
        let letters = flag.strip_prefix('+').unwrap_or_default();
        letters.contains('e') || (letters.ends_with('o') && flags.get(at + 1) == Some(&"errexit"))
    };
    let is_off = flags.iter().enumerate().any(|(at, flag)| off(at, flag));
    if flagged(flags).errexit { Some(true) } else { is_off.then_some(false) }
}

/// Programs that look at nothing: where they are left out, nothing is lost.
const MUTE: &[&str] =
    &["echo", "printf", "true", ":", "exit", "return", "set", "unset", "export", "cd", "pwd", "date", "rm", "touch"];

/// Whether a command does nothing but say something, or set what is not looked at.
pub fn is_mute(command: &Command) -> bool {
    let mut mute = true;
    command.each(&mut |command| {
        mute &= match &command.kind {
            Kind::Simple(simple) => {
                // `echo "$(mypy .)"`
                let words = simple.assignments.iter().chain(&simple.words);
                let plain = words.into_iter().all(|word| !["$(", "`", "<("].iter().any(|sign| word.raw.contains(sign)));
                plain && simple.words.first().is_none_or(|word| MUTE.contains(&word.text.as_str()))
            }
            Kind::Loop { .. } | Kind::Case(_) | Kind::Test => false,
            _ => true,
        };
    });
    mute
}

/// What is given to a program that only the running shell knows, and shows that it installs or prepares something.
const PREPARES: &[&str] = &[
    "--version",
    "-V",
    "-c",
    "-v",
    "add",
    "apk",
    "apt",
    "apt-get",
    "build",
    "ci",
    "dnf",
    "down",
    "i",
    "install",
    "login",
    "mkdir",
    "npm",
    "pip",
    "pip3",
    "pull",
    "rm",
    "sync",
    "up",
    "update",
    "venv",
    "yum",
];

/// Whether a command of which only the running shell knows the program may be a tool: `"$@"`, `$TOOL .`
pub fn may_be_tool(invocation: &Invocation) -> bool {
    let Some((_, known)) = invocation.program.rsplit_once(OPAQUE) else { return false };
    let arguments = invocation.arguments();
    match arguments.as_slice() {
        // `$(Q)flake8 .`
        _ if !known.is_empty() => is_gate(known, &arguments) || is_gate_name(known),
        ["-m", module, rest @ ..] => is_gate(module, rest),
        [first, ..] => !PREPARES.contains(first),
        [] => true,
    }
}

pub fn shifts(body: &Command) -> bool {
    let mut shifts = false;
    body.each(&mut |command| {
        shifts |= matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| word.text == "shift"));
    });
    shifts
}
