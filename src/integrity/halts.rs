//! Where a script that failed may have stopped before all of its tools had run.

use super::command::{Call, Invocation};
use super::dictionary::{is_gate, is_gate_name};
use super::shell::{self, Command, Kind};
use super::text::Wrong;

/// The first tool of a script that is not its last one, and whose failure ends it.
///
/// # Errors
/// When no shell would run the script.
pub fn halts_at(script: &str) -> Result<Option<String>, Wrong> {
    Ok(first_that_ends(&shell::read(script)?, true))
}

fn first_that_ends(command: &Command, is_last: bool) -> Option<String> {
    match &command.kind {
        Kind::Simple(simple) => {
            let invocation = Invocation::of(simple);
            let called = invocation.call.as_ref().is_some_and(|call| call.names().into_iter().any(is_gate_name));
            let is_tool = called || is_gate(&invocation.program, &invocation.arguments());
            (is_tool && !is_last)
                .then(|| simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" "))
        }
        Kind::Pipeline(parts) => parts.iter().find_map(|part| first_that_ends(part, is_last)),
        Kind::And(first, second) => first_that_ends(first, false).or_else(|| first_that_ends(second, is_last)),
        Kind::Or(first, second) if ends(second) => first_that_ends(first, is_last),
        Kind::Or(first, second) => of_chain(first).or_else(|| first_that_ends(second, is_last)),
        Kind::List(items) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.background)
            .find_map(|(at, item)| first_that_ends(&item.command, is_last && at + 1 == items.len())),
        Kind::If { then, otherwise, .. } => first_that_ends(then, is_last)
            .or_else(|| otherwise.as_ref().and_then(|otherwise| first_that_ends(otherwise, is_last))),
        // The rounds behind the one that fails.
        Kind::Loop { body, .. } => first_that_ends(body, false),
        Kind::Case(bodies) => bodies.iter().find_map(|body| first_that_ends(body, is_last)),
        Kind::Group(body, _) | Kind::Subshell(body, _) => first_that_ends(body, is_last),
        Kind::Not(_) | Kind::Function(..) | Kind::Test => None,
    }
}

/// Whether a command does nothing but end the script.
fn ends(command: &Command) -> bool {
    matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "exit" | "return" | "false")))
}

/// Of `a && b || c`: where `a` fails, `b` does not run, whatever `c` does.
fn of_chain(command: &Command) -> Option<String> {
    match &command.kind {
        Kind::And(first, _) => first_that_ends(first, false),
        _ => None,
    }
}

/// The folder of the only makefile that the command calls, where this is the last goal that it names.
#[must_use]
pub fn only_goal(command: &str, target: &str) -> Option<String> {
    let script = shell::read(command).ok()?;
    let mut simple = &script;
    while let Kind::List(items) = &simple.kind {
        let [one] = &items[..] else { return None };
        simple = &one.command;
    }
    let Kind::Simple(simple) = &simple.kind else { return None };
    match Invocation::of(simple).call {
        Some(Call::Make { targets, dir }) if targets.last().is_some_and(|last| last == target) => Some(dir),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_the_last_may_be_the_end() {
        for (script, first) in [
            ("flake8 a.py\nmypy a.py", "flake8 a.py"),
            ("flake8 a.py && mypy a.py", "flake8 a.py"),
            ("tsc -p a && tsc -p b", "tsc -p a"),
            ("cd web; npm ci; npm run lint && npm run types", "npm run lint"),
            ("for d in a b; do (cd $d && flake8 .); done", "flake8 ."),
            ("flake8 . || exit 1; mypy .", "flake8 ."),
            ("flake8 . && mypy . || rc=1; exit $rc", "flake8 ."),
            ("if true; then make lint; fi; mypy .", "make lint"),
        ] {
            assert_eq!(halts_at(script).unwrap().as_deref(), Some(first), "{script}");
        }
        for script in [
            "flake8 a.py",
            "cd web && npx tsc --noEmit",
            "./configure && make lint",
            "npm ci\nnpx eslint .",
            "flake8 . || rc=1\nmypy . || rc=1\nexit $rc",
            "for d in a b; do (cd $d && flake8 .) || rc=1; done; exit $rc",
            "git ls-files '*.sh' | xargs shellcheck",
            "set -euo pipefail; export A=b; ruff check . | tee out",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    #[test]
    fn what_is_no_script_is_told() {
        assert!(halts_at("flake8 . && (mypy .").is_err());
    }

    #[test]
    fn the_last_goal_of_the_only_make_is_known() {
        let dir = |shell| only_goal(shell, "lint");
        assert_eq!(dir("make lint").as_deref(), Some(""));
        assert_eq!(dir("make -C sub test lint").as_deref(), Some("sub"));
        for other in ["make", "make lint test", "make lint; make lint", "cd a && make lint", "npm run lint"] {
            assert_eq!(dir(other), None, "{other}");
        }
    }
}
