//! What of the repository a command calls: package scripts, targets, recipes, tasks and files, by its words alone.

use super::shell::OPAQUE;

/// Something in the repository that is called by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Scripts of a package.json: in the folder given, relative to where the command runs; `None`: in some workspace.
    Package { names: Vec<String>, dir: Option<String> },
    /// Targets of a makefile in that folder; none: the first.
    Make { targets: Vec<String>, dir: String },
    /// A recipe of a justfile, or one of a module (`module::recipe`) that may be meant by it; none: the first.
    Just { recipes: Vec<String> },
    /// A task of a runner whose own file is not read.
    Task(String),
    /// A file; with [`OPAQUE`] in its path only the running shell knows which.
    File(String),
}

/// Shells whose scripts are read.
pub const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Whether a program is one.
#[must_use]
pub fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program)
}

impl Call {
    /// The name that tells what it is for, where it cannot be looked into.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Package { names, .. } => names.iter().map(String::as_str).collect(),
            Self::Make { targets, .. } => targets.iter().map(String::as_str).collect(),
            Self::Just { recipes } => recipes.iter().take(1).map(String::as_str).collect(),
            Self::Task(name) => vec![name],
            Self::File(path) => vec![path.rsplit('/').next().unwrap_or(path)],
        }
    }
}

/// What of the repository a command calls.
pub fn call(first: &str, program: &str, rest: &[&str]) -> Option<Call> {
    match program {
        "npm" | "pnpm" | "yarn" | "bun" => package(program, rest),
        // https://nodejs.org/api/cli.html#--run
        "node" if value_of(rest, &["--run"]).is_some() => {
            let name = value_of(rest, &["--run"])?;
            Some(Call::Package { names: vec![name], dir: Some(String::new()) })
        }
        "npm-run-all" | "run-s" | "run-p" | "npm-run-all2" => {
            Some(Call::Package { names: names(rest), dir: Some(String::new()) })
        }
        "make" | "gmake" => {
            let dir = value_of(rest, &["-C", "--directory"]).unwrap_or_default();
            let targets = after_values(rest, &["-C", "-f", "-j", "-l", "-o", "-W", "--directory", "--file"]);
            let targets = targets.iter().filter(|word| !is_assignment(word) && !is_number(word));
            Some(Call::Make { targets: targets.map(|word| (*word).to_owned()).collect(), dir })
        }
        "just" => {
            let recipes = after_values(rest, &["-f", "--justfile", "-d", "--working-directory", "--set"]);
            // What follows the first are its arguments, as often as other recipes; or it is a module, and they are its recipes.
            let first = recipes.first().map(|word| (*word).to_owned());
            let inside = recipes.get(..2).map(|words| words.join("::"));
            Some(Call::Just { recipes: first.into_iter().chain(inside).collect() })
        }
        _ if task(program, rest).is_some() => task(program, rest).map(|name| Call::Task(name.to_owned())),
        _ if is_shell(program) || matches!(program, "source" | ".") => {
            let is_flag = |word: &str| word.starts_with(['-', '+']);
            // `-o pipefail`
            let is_value = |at: usize| at > 0 && is_flag(rest[at - 1]) && rest[at - 1].ends_with('o');
            let at = (0..rest.len()).find(|at| !is_flag(rest[*at]) && !is_value(*at))?;
            let file = rest[at];
            let runs_text = rest[..at].iter().any(|word| word.starts_with('-') && word.ends_with('c'));
            (!runs_text).then(|| Call::File(file_of(file)))
        }
        _ => {
            let is_path = first.contains('/') && !SYSTEM.iter().any(|folder| first.starts_with(folder));
            let installed = first.contains("node_modules/") || first.contains("vendor/bin") || first.contains("/bin/");
            (is_path && !installed && !first.contains("://") && !super::dictionary::is_program(program))
                .then(|| Call::File(file_of(first.trim_start_matches("./"))))
        }
    }
}

/// A file's path; where the root of the machine leads in the repository only that machine knows.
fn file_of(path: &str) -> String {
    if path.starts_with('/') { format!("{OPAQUE}{path}") } else { path.to_owned() }
}

/// Where programs of the system lie.
const SYSTEM: &[&str] = &["/bin/", "/nix/", "/opt/", "/sbin/", "/usr/", "~/"];

/// Programs that run tasks by name, and the word before the name, where there is one.
const RUNNERS: &[(&str, &[&str])] = &[
    ("task", &[]),
    ("go-task", &[]),
    ("invoke", &[]),
    ("inv", &[]),
    ("poe", &[]),
    ("mage", &[]),
    ("gulp", &[]),
    ("grunt", &[]),
    ("doit", &[]),
    ("bb", &[]),
    ("earthly", &[]),
    ("composer", &["run-script", "run"]),
    ("deno", &["task"]),
    ("mise", &["run", "r"]),
    ("pixi", &["run", "r"]),
    ("pdm", &["run"]),
    ("rye", &["run"]),
    ("hatch", &["run"]),
    ("poetry", &["run"]),
    ("pipenv", &["run"]),
    ("devbox", &["run"]),
    ("melos", &["run"]),
    ("moon", &["run"]),
    ("cargo", &["xtask", "make"]),
];

/// Those of them whose lone word, which is no program that is known, is a task of the project's.
const OF_PROJECTS: &[&str] = &["hatch", "pdm", "pipenv", "pixi", "rye"];

/// The task that a runner is asked for, where it is called as gates are: what it does is in a file that is not read.
pub fn task<'a>(program: &str, words: &[&'a str]) -> Option<&'a str> {
    let (_, verbs) = RUNNERS.iter().find(|(known, _)| *known == program)?;
    let words = after_values(
        words,
        &["-e", "--env", "--environment", "-C", "-c", "--cwd", "-d", "-f", "-t", "--taskfile", "--profile"],
    );
    let name = match verbs {
        [] => words.first().copied()?,
        verbs => words.get(1).copied().filter(|_| verbs.contains(&words[0]))?,
    };
    // `hatch run lint:build`: an environment, and what it is for.
    let parts = if program == "hatch" { name.split(':').collect() } else { vec![name] };
    let gate = parts.into_iter().any(super::dictionary::is_gate_name) && !super::dictionary::is_program(name);
    let own = OF_PROJECTS.contains(&program) && words.len() == 2;
    let task = gate || (own && !super::dictionary::is_program(name) && !super::dictionary::is_other_name(name));
    (task && !name.contains([OPAQUE, '.', '/'])).then_some(name)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Verbs of package managers that run no script.
const NOT_SCRIPTS: &[&str] = &[
    "install",
    "i",
    "ci",
    "add",
    "remove",
    "up",
    "upgrade",
    "update",
    "publish",
    "pack",
    "audit",
    "cache",
    "config",
    "dlx",
    "exec",
    "create",
    "init",
    "link",
    "unlink",
    "login",
    "outdated",
    "prune",
    "rebuild",
    "root",
    "set",
    "store",
    "version",
    "view",
    "why",
    "x",
    "global",
    "import",
    "info",
    "list",
    "ls",
    "node",
    "npm",
    "plugin",
    "policies",
    "self-update",
    "tag",
    "dedupe",
    "env",
    "fund",
    "pkg",
];

fn package(manager: &str, rest: &[&str]) -> Option<Call> {
    let elsewhere = ["-w", "--workspace", "--workspaces", "-ws", "-r", "--recursive", "-F", "--filter"];
    let mut here = !rest.iter().any(|word| elsewhere.iter().any(|flag| word.split('=').next() == Some(flag)));
    let dir = value_of(rest, &["--prefix", "--cwd", "-C", "--dir"]).unwrap_or_default();
    let valued = ["-w", "--workspace", "-F", "--filter", "--prefix", "--cwd", "-C", "--dir"];
    let plain = after_values(rest.split(|word| *word == "--").next().unwrap_or(rest), &valued);
    let mut plain = plain.as_slice();
    if manager == "yarn" && matches!(plain.first(), Some(&("workspace" | "workspaces"))) {
        here = false;
        plain = plain.get(2..).unwrap_or_default();
    }
    let name = match (manager, plain) {
        (_, ["run" | "run-script", name, ..]) | ("npm", [name @ ("start" | "stop" | "restart"), ..]) => *name,
        (_, ["test" | "t" | "tst", ..]) if manager != "bun" => "test",
        ("yarn" | "pnpm", [name, ..]) if !NOT_SCRIPTS.contains(name) => *name,
        _ => return None,
    };
    (!name.contains(OPAQUE)).then(|| Call::Package { names: vec![name.to_owned()], dir: here.then_some(dir) })
}

fn names(words: &[&str]) -> Vec<String> {
    words.iter().filter(|word| !word.starts_with('-')).map(|word| (*word).to_owned()).collect()
}

/// The value of the first of these flags, as `-C dir`, `--dir=dir` or `-Cdir`.
fn value_of(words: &[&str], flags: &[&str]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        flags.iter().find_map(|flag| {
            if word == flag {
                return words.get(at + 1).map(|value| (*value).to_owned());
            }
            let rest = word.strip_prefix(flag)?;
            let rest = if flag.starts_with("--") { rest.strip_prefix('=')? } else { rest };
            (!rest.is_empty()).then(|| rest.to_owned())
        })
    })
}

/// The words that are neither flags nor values of these flags.
fn after_values<'a>(words: &[&'a str], with_value: &[&str]) -> Vec<&'a str> {
    let mut out = Vec::new();
    let mut skip = false;
    for word in words {
        if skip {
            skip = false;
        } else if with_value.contains(word) {
            // `-j` may stand alone; a number behind it is left out by its own look.
            skip = *word != "-j";
        } else if !word.starts_with('-') {
            out.push(*word);
        }
    }
    out
}

pub fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
