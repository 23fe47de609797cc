//! Whether what a command runs may work in another folder than the command itself: the paths that it prints are then
//! relative to a folder that nobody knows.

use super::command::Invocation;
use super::shell::{self, Kind};

/// Programs that go to another folder themselves, or run others there.
const MOVERS: &[&str] = &[
    "bazel",
    "bazelisk",
    "cd",
    "cmake",
    "docker",
    "docker-compose",
    "gradle",
    "gradlew",
    "lerna",
    "meson",
    "mvn",
    "mvnw",
    "ninja",
    "nix",
    "nix-shell",
    "nox",
    "nx",
    "podman",
    "pushd",
    "samu",
    "scons",
    "ssh",
    "tox",
    "turbo",
];

/// Arguments that name such a folder.
const FLAGS: &[&str] = &["-C", "--chdir", "--cwd", "--directory", "--manifest-path", "--prefix", "-execdir"];

/// Whether a script may; one that cannot be read may do anything.
#[must_use]
pub fn script_moves(script: &str) -> bool {
    let Ok(script) = shell::read(script) else { return true };
    let mut moves = false;
    script.each(&mut |command| {
        let Kind::Simple(simple) = &command.kind else { return };
        moves |= invocation_moves(&Invocation::of(simple)) || simple.words.iter().any(|word| leads_away(&word.text));
    });
    moves
}

/// Whether a command given as words may.
#[must_use]
pub fn words_move(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    invocation_moves(&Invocation::of_words(&words)) || words.iter().any(|word| leads_away(word))
}

/// What calls something of the repository may go anywhere.
fn invocation_moves(invocation: &Invocation) -> bool {
    let shell =
        matches!(invocation.program.as_str(), "sh" | "bash" | "dash" | "zsh" | "eval" | "just" | "make" | "gmake");
    invocation.call.is_some() || shell || MOVERS.contains(&invocation.program.as_str())
}

/// A flag that names another folder, or a launcher with folders of its own.
fn leads_away(word: &str) -> bool {
    is_flag(word) || matches!(word, "docker" | "docker-compose" | "podman")
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
        ] {
            assert!(script_moves(script), "{script}");
        }
        let words = |words: &[&str]| words_move(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(!words(&["ruff", "check"]) && words(&["make", "lint"]) && words(&["tsc", "-C", "sub"]));
    }
}
