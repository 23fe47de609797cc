//! What a simple command really runs: launchers such as `sudo`, `npx`, `poetry run` or `xargs` are taken off, and calls
//! of scripts, targets and files are named. Whether that is a gate is for the dictionary and the scripts that are called.

use super::shell::{OPAQUE, Simple};

/// A command without its launchers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program, without its folder; empty for a bare assignment.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What of the repository it calls.
    pub call: Option<Call>,
}

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

impl Invocation {
    /// Of a simple command.
    #[must_use]
    pub fn of(simple: &Simple) -> Self {
        let words: Vec<String> = simple.words.iter().map(|word| word_text(&word.text, &word.raw)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut this = Self::of_words(&words);
        // `bash < a.sh`
        let input = simple.redirects.iter().find(|to| to.sign == "<");
        if let (true, None, Some(to)) = (is_shell(&this.program), &this.call, input) {
            this.call = Some(Call::File(super::shell::unquoted(&to.target)));
        }
        this
    }

    /// Of a command given as words.
    #[must_use]
    pub fn of_words(words: &[&str]) -> Self {
        let words = launched(words);
        let Some((first, rest)) = words.split_first() else { return Self::default() };
        let program = base_name(first).to_owned();
        let call = call(first, &program, &rest.iter().map(String::as_str).collect::<Vec<_>>());
        Self { program, arguments: rest.to_vec(), call }
    }

    /// Its arguments as slices.
    #[must_use]
    pub fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }
}

/// Stand at the begin of a path for the folder of the script that it stands in, and for the root of the repository.
pub const OWN: char = '\u{e001}';
pub const ROOT: char = '\u{e002}';

/// How scripts name folders that are known.
const FOLDERS: &[(&str, char)] = &[
    ("$PWD", '.'),
    ("${PWD}", '.'),
    ("$(pwd)", '.'),
    ("$GITHUB_WORKSPACE", ROOT),
    ("${GITHUB_WORKSPACE}", ROOT),
    ("$CI_PROJECT_DIR", ROOT),
    ("$(git rev-parse --show-toplevel)", ROOT),
    ("$(dirname $0)", OWN),
    ("$(dirname ${BASH_SOURCE[0]})", OWN),
    ("$(dirname $BASH_SOURCE)", OWN),
    ("$(cd $(dirname $0) && pwd)", OWN),
    ("$(cd $(dirname ${BASH_SOURCE[0]}) && pwd)", OWN),
    ("`dirname $0`", OWN),
    ("${0%/*}", OWN),
    ("${BASH_SOURCE%/*}", OWN),
    ("${BASH_SOURCE[0]%/*}", OWN),
];

/// `$CARGO`, `${PYTHON}`, `"$MAKE"`: a variable that is called as a program is, is taken for it; `"$PWD/a.sh"` is `./a.sh`.
fn word_text(text: &str, raw: &str) -> String {
    let Some(rest) = text.strip_prefix(OPAQUE) else { return text.to_owned() };
    if !rest.is_empty() {
        let written = raw.replace('"', "");
        let is = |(name, _): &&(&str, char)| written.strip_prefix(name).is_some_and(|behind| behind == rest);
        let folder = FOLDERS.iter().find(is).filter(|_| rest.starts_with('/'));
        return folder.map_or_else(|| text.to_owned(), |(_, sign)| format!("{sign}{rest}"));
    }
    if let Some((_, sign)) = FOLDERS.iter().find(|(name, _)| raw.replace('"', "") == *name) {
        return sign.to_string();
    }
    let name = raw.trim_matches('"').trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
    let name = name.to_lowercase();
    if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && super::dictionary::is_program(&name) {
        name
    } else {
        text.to_owned()
    }
}

impl Invocation {
    /// Puts known folders where the words name them; `own` is where the script's file lies, from the root.
    pub fn place(&mut self, own: Option<&str>) {
        let paths: Vec<&mut String> = match &mut self.call {
            Some(Call::Package { dir: Some(dir), .. } | Call::Make { dir, .. } | Call::File(dir)) => vec![dir],
            _ => Vec::new(),
        };
        for path in paths {
            *path = placed(path, own);
        }
        for word in &mut self.arguments {
            if word.contains([OWN, ROOT]) {
                *word = word.replace([OWN, ROOT], &OPAQUE.to_string());
            }
        }
    }
}

/// A path with a known folder at its begin, as one that leads there from anywhere in the repository.
#[must_use]
pub fn placed(path: &str, own: Option<&str>) -> String {
    const TO_THE_ROOT: &str = "../../../../../../../../../../../../../../../../";
    match (path.chars().next(), own) {
        (Some(ROOT), _) => format!("{TO_THE_ROOT}.{}", &path[ROOT.len_utf8()..]),
        (Some(OWN), Some(own)) => format!("{TO_THE_ROOT}./{own}{}", &path[OWN.len_utf8()..]),
        (Some(OWN), None) => format!("{OPAQUE}{}", &path[OWN.len_utf8()..]),
        _ => path.to_owned(),
    }
}

/// A program's name, without its folder.
#[must_use]
pub fn base_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name)
}

/// How a launcher's own words end and the command begins.
enum Launcher {
    /// Flags, of which some take the next word; then as many words.
    Flags { with_value: &'static [&'static str], words: usize },
    /// Only behind this verb, then flags as above.
    Verb { verbs: &'static [&'static str], with_value: &'static [&'static str], words: usize },
    /// Behind this flag.
    Behind(&'static [&'static str]),
}

use Launcher::{Behind, Flags, Verb};

const PLAIN: Launcher = Flags { with_value: &[], words: 0 };

/// Programs that start another one.
const LAUNCHERS: &[(&str, Launcher)] = &[
    ("sudo", Flags { with_value: &["-u", "-g", "-C"], words: 0 }),
    ("doas", Flags { with_value: &["-u"], words: 0 }),
    ("time", PLAIN),
    ("nice", Flags { with_value: &["-n"], words: 0 }),
    ("ionice", Flags { with_value: &["-c", "-n"], words: 0 }),
    ("nohup", PLAIN),
    ("timeout", Flags { with_value: &["-s", "-k", "--signal", "--kill-after"], words: 1 }),
    ("gtimeout", Flags { with_value: &["-s", "-k"], words: 1 }),
    ("exec", PLAIN),
    ("eval", PLAIN),
    ("stdbuf", PLAIN),
    ("unbuffer", PLAIN),
    ("chronic", PLAIN),
    ("faketime", Flags { with_value: &["-f"], words: 1 }),
    ("caffeinate", PLAIN),
    ("arch", PLAIN),
    ("setarch", Flags { with_value: &[], words: 1 }),
    ("xvfb-run", Flags { with_value: &["-s", "--server-args", "-n"], words: 0 }),
    ("dbus-run-session", PLAIN),
    ("xargs", Flags { with_value: &["-n", "-P", "-I", "-L", "-d", "-a"], words: 0 }),
    ("npx", Flags { with_value: &["-p", "--package", "-c"], words: 0 }),
    ("bunx", Flags { with_value: &["-p", "--package"], words: 0 }),
    ("uvx", Flags { with_value: &["--from", "--with", "-p", "--python"], words: 0 }),
    ("npm", Verb { verbs: &["exec", "x"], with_value: &["-p", "--package", "-w", "--workspace"], words: 0 }),
    ("pnpm", Verb { verbs: &["exec", "dlx"], with_value: &["-F", "--filter", "--package"], words: 0 }),
    ("yarn", Verb { verbs: &["exec", "dlx"], with_value: &["-p", "--package"], words: 0 }),
    ("bun", Verb { verbs: &["x"], with_value: &[], words: 0 }),
    ("poetry", Verb { verbs: &["run"], with_value: &["-C", "-P"], words: 0 }),
    (
        "uv",
        Verb {
            verbs: &["run", "tool run"],
            with_value: &[
                "--with",
                "--python",
                "-p",
                "--group",
                "--extra",
                "--package",
                "--project",
                "--from",
                "--directory",
                "--env-file",
                "--no-group",
                "--only-group",
                "--index",
                "--with-requirements",
                "--resolution",
            ],
            words: 0,
        },
    ),
    ("pipx", Verb { verbs: &["run"], with_value: &["--spec", "--python"], words: 0 }),
    ("pipenv", Verb { verbs: &["run"], with_value: &[], words: 0 }),
    ("pdm", Verb { verbs: &["run"], with_value: &["-p", "--venv"], words: 0 }),
    ("rye", Verb { verbs: &["run"], with_value: &[], words: 0 }),
    ("hatch", Verb { verbs: &["run"], with_value: &["-e", "--env"], words: 0 }),
    ("conda", Verb { verbs: &["run"], with_value: &["-n", "-p", "--name"], words: 0 }),
    ("micromamba", Verb { verbs: &["run"], with_value: &["-n", "-p"], words: 0 }),
    ("pixi", Verb { verbs: &["run"], with_value: &["-e", "--environment"], words: 0 }),
    ("coverage", Verb { verbs: &["run -m"], with_value: &[], words: 0 }),
    ("bundle", Verb { verbs: &["exec"], with_value: &[], words: 0 }),
    ("mise", Verb { verbs: &["exec", "x"], with_value: &[], words: 0 }),
    ("direnv", Verb { verbs: &["exec"], with_value: &[], words: 1 }),
    ("composer", Verb { verbs: &["exec"], with_value: &[], words: 0 }),
    ("dotnet", Verb { verbs: &["tool run"], with_value: &[], words: 0 }),
    ("go", Verb { verbs: &["run", "tool"], with_value: &["-C", "-modfile"], words: 0 }),
    ("nix", Behind(&["-c", "--command"])),
    // `-Im` too.
    ("python", Behind(&["-m"])),
    (
        "docker-compose",
        Verb { verbs: &["run", "exec"], with_value: &["-e", "-u", "-w", "-v", "-p", "--entrypoint"], words: 1 },
    ),
    ("dotenv", Flags { with_value: &["-e", "-f"], words: 0 }),
    ("cross-env", PLAIN),
    ("env-cmd", Flags { with_value: &["-f"], words: 0 }),
    ("retry", Flags { with_value: &["-t", "-d", "--times", "--delay"], words: 0 }),
    ("zombienet", PLAIN),
];

/// Takes every launcher off.
fn launched(words: &[&str]) -> Vec<String> {
    let mut words: Vec<&str> = words.to_vec();
    // Launchers start launchers; nobody stacks more than a few.
    for _ in 0..8 {
        let assignments = words.iter().take_while(|word| is_assignment(word)).count();
        words.drain(..assignments);
        let Some(first) = words.first().copied() else { break };
        let program = base_name(first);
        let rest = &words[1..];
        let inner = match program {
            "env" => Some(after_env(rest)),
            // `command -v x` asks; `command x` runs.
            "command" if !rest.first().is_some_and(|flag| flag.starts_with('-')) => Some(rest),
            "docker" | "podman" => compose(rest),
            "find" => executed(rest),
            _ if task(program, rest).is_some() => break,
            _ => {
                let name = if program.starts_with("python") { "python" } else { program };
                if name == "python"
                    && let Some(at) = rest.iter().position(|word| is_known_script(word))
                {
                    words.drain(..=at);
                    continue;
                }
                let launcher = LAUNCHERS.iter().find(|(known, _)| *known == name);
                launcher.and_then(|(_, launcher)| behind(launcher, rest))
            }
        };
        match inner {
            Some(inner) if !inner.is_empty() => words = inner.to_vec(),
            _ => break,
        }
    }
    let mut owned: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if let Some(first) = owned.first_mut() {
        // `npx eslint@9`, `go run pkg@v1`
        let version =
            |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || c == 'v' || c == OPAQUE) || text == "latest";
        if let Some((name, _)) = first.split_once('@').filter(|(name, rest)| !name.is_empty() && version(rest)) {
            *first = name.to_owned();
        }
    }
    owned
}

/// `python -W error manage.py test`: what the interpreter is given is the program.
fn is_known_script(word: &str) -> bool {
    word.strip_suffix(".py").is_some() && super::dictionary::is_program(base_name(word))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn after_env<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            "-u" | "--unset" | "-C" | "--chdir" => at += 2,
            flag if flag.starts_with('-') || is_assignment(flag) => at += 1,
            _ => break,
        }
    }
    &words[at.min(words.len())..]
}

/// `find … -exec a {} ;`
fn executed<'a, 'b>(words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let at = words.iter().position(|word| matches!(*word, "-exec" | "-execdir"))?;
    let inner = &words[at + 1..];
    let end = inner.iter().position(|word| matches!(*word, ";" | "+")).unwrap_or(inner.len());
    Some(&inner[..end])
}

/// `docker run image a`, `docker exec container a`, `docker compose run service a`
fn compose<'a, 'b>(words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    const WITH_VALUE: &[&str] = &["-e", "-u", "-w", "-v", "-p", "--entrypoint", "--env", "--user", "--workdir"];
    const OF_RUN: &[&str] = &[
        "-h",
        "-m",
        "--volume",
        "--mount",
        "--name",
        "--network",
        "--net",
        "--platform",
        "--env-file",
        "--add-host",
        "--cap-add",
        "--security-opt",
        "--shm-size",
        "--memory",
        "--cpus",
        "--gpus",
        "--device",
        "--ulimit",
        "--publish",
        "--tmpfs",
    ];
    let (first, rest) = words.split_first()?;
    match *first {
        "exec" => Some(after_flags(rest, WITH_VALUE, 1)),
        "run" => Some(after_flags(rest, &[WITH_VALUE, OF_RUN].concat(), 1)),
        "compose" => {
            let at = rest.iter().position(|word| matches!(*word, "run" | "exec"))?;
            Some(after_flags(&rest[at + 1..], WITH_VALUE, 1))
        }
        _ => None,
    }
}

fn behind<'a, 'b>(launcher: &Launcher, words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    match launcher {
        Flags { with_value, words: skipped } => Some(after_flags(words, with_value, *skipped)),
        Verb { verbs, with_value, words: skipped } => verbs.iter().find_map(|verb| {
            let parts: Vec<&str> = verb.split(' ').collect();
            // Flags of the launcher itself may come first: `pnpm --filter web exec jest`.
            let at = words.windows(parts.len()).position(|window| window == parts.as_slice())?;
            let before = words[..at].iter().enumerate();
            let only_flags = before
                .into_iter()
                .all(|(index, word)| word.starts_with('-') || (index > 0 && words[index - 1].starts_with('-')));
            only_flags.then(|| after_flags(&words[at + parts.len()..], with_value, *skipped))
        }),
        Behind(flags) => {
            let at = words.iter().enumerate().position(|(at, word)| {
                let first = words[..at].iter().all(|word| word.starts_with('-'));
                flags.contains(word) || (first && flags.iter().any(|flag| ends_in(word, flag)))
            })?;
            Some(&words[at + 1..])
        }
    }
}

/// Whether a word is several short flags of which the last is this one.
fn ends_in(word: &str, flag: &str) -> bool {
    let letters = word.strip_prefix('-').unwrap_or_default();
    letters.chars().all(char::is_alphabetic) && letters.ends_with(flag.trim_start_matches('-'))
}

fn after_flags<'a, 'b>(words: &'b [&'a str], with_value: &[&str], skipped: usize) -> &'b [&'a str] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if *word == "--" {
            at += 1;
            break;
        }
        if with_value.contains(word) {
            at += 2;
        } else if word.starts_with('-') || is_assignment(word) {
            at += 1;
        } else {
            break;
        }
    }
    &words[(at + skipped).min(words.len())..]
}

/// What of the repository a command calls.
fn call(first: &str, program: &str, rest: &[&str]) -> Option<Call> {
    match program {
        "npm" | "pnpm" | "yarn" | "bun" => package(program, rest),
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
            (!runs_text).then(|| Call::File(file.to_owned()))
        }
        _ => {
            let is_path = first.contains('/') && !SYSTEM.iter().any(|folder| first.starts_with(folder));
            let installed = first.contains("node_modules/") || first.contains("vendor/bin") || first.contains("/bin/");
            (is_path && !installed && !first.contains("://") && !super::dictionary::is_program(program))
                .then(|| Call::File(first.trim_start_matches("./").to_owned()))
        }
    }
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
fn task<'a>(program: &str, words: &[&'a str]) -> Option<&'a str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let invocation = Invocation::of_words(&words);
        std::iter::once(invocation.program).chain(invocation.arguments).collect::<Vec<_>>().join(" ")
    }

    fn called(line: &str) -> Option<Call> {
        Invocation::of_words(&line.split(' ').collect::<Vec<_>>()).call
    }

    #[test]
    fn launchers_are_taken_off() {
        for (line, left) in [
            ("sudo -E env A=b timeout -k 5 10m cargo test", "cargo test"),
            ("npx --yes eslint@9 .", "eslint ."),
            ("python3 -W error -m pytest -q", "pytest -q"),
            ("uv run --with x python -m pytest", "pytest"),
            ("pnpm --filter web exec jest", "jest"),
            ("docker compose run --rm -T web pytest -x", "pytest -x"),
            ("xargs -0 shellcheck", "shellcheck"),
            ("go run github.com/golangci/golangci-lint@v1.60 run", "golangci-lint run"),
            ("./node_modules/.bin/jest --ci", "jest --ci"),
            ("coverage run -m pytest", "pytest"),
            ("npm install", "npm install"),
            ("find . -name x -execdir go test ./... ;", "go test ./..."),
            ("python3 -W error manage.py test", "manage.py test"),
            ("pixi run -e dev pytest -x", "pytest -x"),
            ("command -v eslint", "command -v eslint"),
            ("python -Im pytest -q", "pytest -q"),
            ("python3 -E -s -m pytest", "pytest"),
            ("python run.py -rm", "python run.py -rm"),
            ("docker run --rm -v a:b --name c -w /io image cargo test", "cargo test"),
            ("docker run image", "docker run image"),
            ("docker build -t run .", "docker build -t run ."),
            ("go test ./...", "go test ./..."),
        ] {
            assert_eq!(run(line), left, "{line}");
        }
    }

    #[test]
    fn calls_are_named() {
        let package = |name: &str, dir: Option<&str>| {
            Some(Call::Package { names: vec![name.to_owned()], dir: dir.map(str::to_owned) })
        };
        assert_eq!(called("npm test"), package("test", Some("")));
        assert_eq!(called("npm start -- --port 1"), package("start", Some("")));
        assert_eq!(called("npm --prefix web run lint -- --x"), package("lint", Some("web")));
        assert_eq!(called("pnpm -r test"), package("test", None));
        assert_eq!(called("yarn workspace web lint"), package("lint", None));
        assert_eq!(called("yarn install"), None);
        assert_eq!(called("bun test"), None);
        assert_eq!(
            called("make -j 4 -C sub test V=1"),
            Some(Call::Make { targets: vec!["test".to_owned()], dir: "sub".to_owned() })
        );
        assert_eq!(called("bash -x ci/test.sh a"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("./ci/test.sh"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("bash -euo pipefail ci/test.sh"), Some(Call::File("ci/test.sh".to_owned())));
        assert_eq!(called("bash -c x"), None);
        assert_eq!(called("bash -euo pipefail -c x"), None);
        for line in [
            "task test",
            "deno task lint",
            "pixi run -e dev test",
            "hatch run test:cov",
            "hatch run lint:build",
            "cargo xtask ci",
            "cargo make --profile ci lint-all",
        ] {
            assert!(matches!(called(line), Some(Call::Task(_))), "{line}");
        }
        for line in [
            "task deploy",
            "poetry run python x.py",
            "pdm run pytest",
            "cargo test",
            "deno test",
            "invoke build",
            "hatch run docs:build",
            "cargo make deploy",
        ] {
            assert_eq!(called(line), None, "{line}");
        }
        assert_eq!(called("./gradlew test"), None);
    }
}
