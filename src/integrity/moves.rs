//! Whether what a command runs may work in another folder than the command itself: the paths that it prints are then
//! relative to a folder that nobody knows.

use super::call::is_shell;
use super::command::Invocation;
use super::launch::base_name;
use super::shell::{self, Kind, OPAQUE};

/// Programs that go to another folder themselves, or run others there.
const MOVERS: &[&str] = &[
    "ant",
    "bazel",
    "bazelisk",
    "bb",
    "buck2",
    "cd",
    "cmake",
    "docker",
    "docker-compose",
    "doit",
    "dotnet",
    "earthly",
    "go-task",
    "gradle",
    "gradlew",
    "grunt",
    "gulp",
    "inv",
    "invoke",
    "lage",
    "lein",
    "lerna",
    "mage",
    "melos",
    "meson",
    "mill",
    "mise",
    "moon",
    "mvn",
    "mvnw",
    "ninja",
    "nix",
    "nix-shell",
    "nox",
    "nx",
    "pants",
    "phing",
    "podman",
    "poe",
    "pushd",
    "rake",
    "rush",
    "samu",
    "sbt",
    "scons",
    "ssh",
    "task",
    "tox",
    "turbo",
    "wireit",
];

/// Arguments that name such a folder.
const FLAGS: &[&str] =
    &["-C", "--chdir", "--cwd", "--directory", "--manifest-path", "--prefix", "--working-dir", "-execdir"];

/// Arguments by which a package manager goes to other packages.
const TO_PACKAGES: &[&str] = &[
    "--dir",
    "--filter",
    "--recursive",
    "--workspace",
    "--workspaces",
    "-F",
    "-r",
    "-w",
    "-ws",
    "workspace",
    "workspaces",
];

/// Interpreters, whose scripts may go anywhere.
const INTERPRETERS: &[&str] = &["bun", "deno", "node", "perl", "php", "python", "python3", "ruby", "ts-node", "tsx"];

/// Whether a script may; one that cannot be read may do anything.
#[must_use]
pub fn script_moves(script: &str) -> bool {
    let Ok(script) = shell::read(script) else { return true };
    let mut moves = false;
    script.each(&mut |command| {
        let Kind::Simple(simple) = &command.kind else { return };
        let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
        let inside = simple.assignments.iter().chain(&simple.words).flat_map(|word| shell::substitutions(&word.raw, 0));
        moves |= invocation_moves(&Invocation::of(simple)) || lead_away(&words);
        moves |= inside.into_iter().any(|(script, _)| script_moves(&script));
    });
    moves
}

/// Whether a command given as words may.
#[must_use]
pub fn words_move(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    invocation_moves(&Invocation::of_words(&words)) || lead_away(&words)
}

/// What calls something of the repository may go anywhere.
fn invocation_moves(invocation: &Invocation) -> bool {
    let program = invocation.program.as_str();
    let shell = is_shell(program) || matches!(program, "eval" | "just" | "make" | "gmake");
    let first = invocation.arguments.iter().find(|word| !word.starts_with('-'));
    let script = INTERPRETERS.contains(&program)
        && first.is_some_and(|word| word == "task" || word.contains(['.', '/', OPAQUE]));
    invocation.call.is_some() || shell || script || MOVERS.contains(&program)
}

/// A flag that names another folder, or a launcher with folders of its own.
fn lead_away(words: &[&str]) -> bool {
    let of_packages = words.iter().any(|word| matches!(base_name(word), "npm" | "npx" | "pnpm" | "yarn"));
    let to_packages = |word: &&str| TO_PACKAGES.contains(&word.split('=').next().unwrap_or(word));
    words.iter().any(|word| is_flag(word) || matches!(*word, "docker" | "docker-compose" | "podman"))
        || (of_packages && words.iter().any(to_packages))
}

fn is_flag(word: &str) -> bool {
    FLAGS.iter().any(|flag| word == *flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_runs_stays_where_nothing_moves_it() {
        for script in [
            "flake8 .",
            "npx tsc --noEmit",
            "ruff check . | tee out; mypy src || rc=1; exit $rc",
            "git ls-files '*.c' | xargs gcc -fsyntax-only",
            "for f in *.sh; do shellcheck -f gcc $f; done",
            "poetry run flake8",
            "npx --no -- eslint .",
            "cargo clippy --workspace",
            "python -m pytest -r a",
            "flake8 $(git ls-files '*.py')",
            "xargs -r shellcheck -w",
            "node --test",
            "deno lint",
        ] {
            assert!(!script_moves(script), "{script}");
        }
        for script in [
            "cd sub && flake8 .",
            "for d in a b; do (cd $d; flake8 .); done",
            "make -s lint",
            "npm run lint --workspaces",
            "cargo clippy --manifest-path=sub/Cargo.toml",
            "find . -name a.py -execdir flake8 {} +",
            "tox -e lint",
            "./lint.sh",
            "bash -c 'cd sub; flake8'",
            "docker run --rm -v a:/src -w /src image flake8 .",
            "sudo podman exec box flake8 .",
            "pnpm --filter web exec flake8 .",
            "pnpm -r exec flake8 .",
            "pnpm --dir web exec flake8 .",
            "\"$PWD/lint.sh\"",
            "ksh lint.sh",
            "bash <<< 'cd web; flake8 .'",
            "python3 lint.py",
            "out=$(cd web && flake8 .) || echo \"$out\"",
            "poe lint",
            "deno task x",
        ] {
            assert!(script_moves(script), "{script}");
        }
        let words = |words: &[&str]| words_move(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(!words(&["ruff", "check"]) && words(&["make", "lint"]) && words(&["tsc", "-C", "sub"]));
    }
}
