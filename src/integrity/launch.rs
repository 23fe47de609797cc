//! Launchers such as `sudo`, `npx`, `poetry run` or `xargs`, and how they are taken off what they start.

use super::call::{is_assignment, task};
use super::shell::OPAQUE;

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
pub fn launched(words: &[&str]) -> Vec<String> {
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
