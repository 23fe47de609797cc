//! What a single command means for those that stand behind it: whether it is worth running, may be a tool, or changes how
//! the shell goes on.

use crate::integrity::command::Invocation;
use crate::integrity::dictionary::{is_gate, is_other_name};
use crate::integrity::handed::flagged;
use crate::integrity::shell::{Command, Kind, OPAQUE};

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
const MUTE: &[&str] = &[
    ":", "[", "break", "cd", "chmod", "continue", "date", "declare", "echo", "exit", "export", "let", "local", "mkdir",
    "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "rm", "set", "shift", "shopt", "sleep", "touch",
    "trap", "true", "umask", "unset",
];

/// Programs that show nothing which a linter finds: where they fail, that is no tool's failure. So are those above.
const QUIET: &[&str] = &[
    "alias",
    "bc",
    "clear",
    "comm",
    "getopt",
    "logger",
    "mapfile",
    "md5sum",
    "paste",
    "readarray",
    "tput",
    "apk",
    "apt",
    "apt-get",
    "awk",
    "base64",
    "basename",
    "brew",
    "cat",
    "chown",
    "command",
    "conda",
    "corepack",
    "cp",
    "curl",
    "cut",
    "df",
    "direnv",
    "dirname",
    "dnf",
    "docker",
    "docker-compose",
    "du",
    "egrep",
    "ensurepip",
    "env",
    "expr",
    "false",
    "fgrep",
    "file",
    "find",
    "gawk",
    "getopts",
    "gh",
    "git",
    "grep",
    "gunzip",
    "gzip",
    "hash",
    "head",
    "hostname",
    "id",
    "install",
    "jq",
    "kill",
    "ln",
    "locale",
    "ls",
    "mktemp",
    "mv",
    "nproc",
    "pip",
    "pip3",
    "pkg",
    "podman",
    "ps",
    "readlink",
    "realpath",
    "rsync",
    "rustup",
    "sed",
    "seq",
    "sha256sum",
    "sort",
    "source",
    "stat",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "tr",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "uname",
    "uniq",
    "unzip",
    "venv",
    "virtualenv",
    "wc",
    "wget",
    "which",
    "whoami",
    "xargs",
    "xz",
    "yes",
    "yum",
    ".",
    "yq",
    "zip",
];

/// First words by which a program installs or fetches something, or tells of itself.
const SETS_UP: &[&str] = &[
    "add",
    "ci",
    "clean",
    "config",
    "create",
    "deps",
    "dependency",
    "download",
    "enable",
    "fetch",
    "i",
    "init",
    "install",
    "list",
    "login",
    "lock",
    "pull",
    "remove",
    "restore",
    "self",
    "sync",
    "tidy",
    "toolchain",
    "uninstall",
    "update",
    "upgrade",
    "use",
    "venv",
    "version",
];

/// Interpreters, whose script's name tells what it is for.
const INTERPRETERS: &[&str] =
    &["node", "perl", "php", "python", "python2", "python3", "ruby", "tsx", "ts-node", "deno", "bun"];

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

/// Whether a command shows nothing that a tool found, so that it is no tool which failed.
pub fn looks_at_nothing(invocation: &Invocation) -> bool {
    let arguments = invocation.arguments();
    match invocation.program.rsplit_once(OPAQUE) {
        // `$(Q)flake8 .`
        Some((_, known)) if !known.is_empty() => is_quiet(known, &arguments),
        // `"$@"`, `$TOOL .`
        Some(_) => match arguments.as_slice() {
            ["-m", module, rest @ ..] => is_quiet(module, rest),
            [first, ..] => PREPARES.contains(first),
            [] => false,
        },
        None => is_quiet(&invocation.program, &arguments),
    }
}

fn is_quiet(program: &str, arguments: &[&str]) -> bool {
    let first = arguments.iter().find(|word| !word.starts_with('-'));
    let tells = matches!(arguments, ["--version" | "--help" | "-V" | "-v" | "-h"]) || arguments.contains(&"--version");
    let checks = is_gate(program, arguments) || (program == "git" && arguments.contains(&"--check"));
    // A tool in a container, and no service behind this.
    let has = |words: &[&str]| arguments.iter().any(|word| words.contains(word));
    let contains = matches!(program, "docker" | "docker-compose" | "podman")
        && has(&["run", "exec", "up"])
        && !has(&["-d", "--detach", "--wait"]);
    let prepares = INTERPRETERS.contains(&program) && first.is_some_and(|script| is_other_name(script));
    let waits = program == "wait" && arguments.is_empty();
    // A program of awk's ends as it likes.
    let ends = matches!(program, "awk" | "gawk") && arguments.iter().any(|program| program.contains("exit"));
    !(checks || contains || ends || shows_places(program, arguments))
        && (program.is_empty()
            || QUIET.contains(&program)
            || MUTE.contains(&program)
            || tells
            || prepares
            || waits
            || program == "configure"
            || first.is_some_and(|word| SETS_UP.contains(word)))
}

/// Whether a command is a search that shows where it found something: it succeeds then, and people make linters of it.
pub fn searches(invocation: &Invocation) -> bool {
    shows_places(&invocation.program, &invocation.arguments())
}

fn shows_places(program: &str, arguments: &[&str]) -> bool {
    let short = |letter: char| {
        let flags = arguments.iter().filter(|word| word.starts_with('-') && !word.starts_with("--"));
        flags.into_iter().any(|flags| flags.contains(letter))
    };
    match program {
        "grep" | "egrep" | "fgrep" | "rg" => short('n') && !short('q'),
        "git" => arguments.first() == Some(&"grep") && short('n') && !short('q'),
        _ => false,
    }
}

pub fn shifts(body: &Command) -> bool {
    let mut shifts = false;
    body.each(&mut |command| {
        shifts |= matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| word.text == "shift"));
    });
    shifts
}
