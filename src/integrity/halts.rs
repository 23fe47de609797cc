//! Where a script that failed may have stopped before all of its tools had run.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Tree;
use super::command::{Call, Invocation};
use super::dictionary::{is_gate, is_gate_name};
use super::flow::Run;
use super::ground::{Ground, join};
use super::handed::flagged;
use super::reading;
use super::script::{Place, Script};
use super::shell::{self, Command, Kind, Simple};
use super::text::Wrong;

/// Scripts that call one another more deeply are none that people write.
const DEEPEST: usize = 64;

/// Where a script may have stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Where this command fails, what stands behind it is not run.
    At(String),
    /// What this command calls may be several steps, and cannot be looked into.
    Within(String),
}

/// The first tool of a script that is not its last one, and whose failure ends it.
///
/// # Errors
/// When no shell would run the script.
pub fn halts_at(script: &str) -> Result<Option<Halt>, Wrong> {
    let command = shell::read(script)?;
    let (ground, seen) = (Ground::default(), RefCell::default());
    let walk = Walk { ground: &ground, seen: &seen, number: None, body: &command, errexit: true, depth: 0 };
    Ok(walk.command(&command, AT_END))
}

/// The same of a command that runs in a folder of a repository, and of the scripts, recipes and files that it calls. Of a call
/// of make only the last line of what it calls is looked at: at which line make stopped it says itself.
///
/// # Errors
/// When no shell would run the command.
pub fn halts_within(tree: &dyn Tree, command: &str, dir: &str) -> Result<Option<Halt>, Wrong> {
    let ground = reading::read_command(tree, command, dir);
    match ground.scripts.first() {
        Some(Script { place: Place::Gate { .. }, .. }) => Ok(of_script(&ground, &RefCell::default(), 0, AT_END, 0)),
        _ => halts_at(command),
    }
}

/// Where a command stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    /// Where it fails, something is left out.
    stops: bool,
    /// Something stands behind it.
    more: bool,
}

const AT_END: At = At { stops: false, more: false };

/// What was walked through: scripts by their numbers, and functions by where they begin.
type Seen = RefCell<BTreeSet<(Option<usize>, usize, At)>>;

fn of_script(ground: &Ground, seen: &Seen, number: usize, at: At, depth: usize) -> Option<Halt> {
    let script = &ground.scripts[number];
    let mut errexit = script.shell.errexit;
    script.command.each(&mut |command| {
        if let Kind::Simple(simple) = &command.kind {
            let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
            errexit |= words.first() == Some(&"set") && flagged(&words[1..]).errexit;
        }
    });
    let at = if script.ignored.is_some() { AT_END } else { at };
    Walk { ground, seen, number: Some(number), body: &script.command, errexit, depth }.enter(&script.command, at)
}

/// A script that is walked through.
#[derive(Clone, Copy)]
struct Walk<'a> {
    ground: &'a Ground,
    seen: &'a Seen,
    /// `None`: what it calls is not known.
    number: Option<usize>,
    body: &'a Command,
    errexit: bool,
    depth: usize,
}

impl Walk<'_> {
    /// A script or the body of a function, once.
    fn enter(self, body: &Command, at: At) -> Option<Halt> {
        let new = self.depth < DEEPEST && self.seen.borrow_mut().insert((self.number, body.span.start, at));
        new.then(|| Self { depth: self.depth + 1, ..self }.command(body, at)).flatten()
    }

    fn command(self, command: &Command, at: At) -> Option<Halt> {
        let before = At { stops: self.errexit, more: true };
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, at),
            Kind::Pipeline(parts) => parts.iter().find_map(|part| self.command(part, at)),
            Kind::And(first, second) => {
                self.command(first, At { stops: true, ..at }).or_else(|| self.command(second, at))
            }
            Kind::Or(first, second) if ends(second) => self.command(first, At { stops: at.more || at.stops, ..at }),
            Kind::Or(first, second) => self.asked(first).or_else(|| self.command(second, at)),
            Kind::List(items) => {
                items.iter().enumerate().filter(|(_, item)| !item.background).find_map(|(number, item)| {
                    self.command(&item.command, if number + 1 < items.len() { before } else { at })
                })
            }
            Kind::If { condition, then, otherwise } => self
                .asked(condition)
                .or_else(|| self.command(then, at))
                .or_else(|| otherwise.as_ref().and_then(|otherwise| self.command(otherwise, at))),
            // The rounds behind the one that fails.
            Kind::Loop { body, .. } => self.command(body, before),
            Kind::Case(bodies) => bodies.iter().find_map(|body| self.command(body, at)),
            Kind::Group(body, _) | Kind::Subshell(body, _) => self.command(body, at),
            Kind::Not(inner) => self.asked(inner),
            Kind::Function(..) | Kind::Test => None,
        }
    }

    /// A command whose status somebody asks for: it ends nothing by failing, but `b` of `a && b || c` is not run all the same.
    fn asked(self, command: &Command) -> Option<Halt> {
        Self { errexit: false, ..self }.command(command, AT_END)
    }

    fn simple(self, command: &Command, simple: &Simple, at: At) -> Option<Halt> {
        let invocation = Invocation::of(simple);
        let script = self.number.map(|number| &self.ground.scripts[number]);
        let flow = script.iter().flat_map(|script| &script.flow.runs);
        let runs: Vec<&Run> = flow.filter(|run| run.span == command.span).collect();
        let called = invocation.call.as_ref().is_some_and(|call| call.names().into_iter().any(is_gate_name));
        let is_tool = called
            || is_gate(&invocation.program, &invocation.arguments())
            || runs.iter().any(|run| run.gate.is_some());
        let said = || simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        if is_tool && at.stops {
            return Some(Halt::At(said()));
        }
        if script.is_some_and(|script| runs.iter().any(|run| self.is_unread(script, run, is_tool))) {
            return Some(Halt::Within(said()));
        }
        runs.iter().find_map(|run| self.called(run, at)).or_else(|| {
            let mut functions = Vec::new();
            self.body.each(&mut |function| match &function.kind {
                Kind::Function(name, body) if *name == invocation.program => functions.push(&**body),
                _ => {}
            });
            functions.into_iter().find_map(|body| self.enter(body, at))
        })
    }

    /// Whether what a command calls may be several steps, and was not read.
    fn is_unread(self, script: &Script, run: &Run, is_tool: bool) -> bool {
        match &run.invocation.call {
            Some(Call::Task(_)) => true,
            Some(Call::Make { .. } | Call::Just { .. }) => is_tool && run.calls.is_empty(),
            Some(Call::File(path)) if run.calls.is_empty() => {
                let paths = [join(&join(&script.dir, &run.dir), path), join("", path)];
                self.ground.sources.iter().any(|source| paths.contains(&source.path))
            }
            _ => false,
        }
    }

    /// What a command calls: one script after the other.
    fn called(self, run: &Run, at: At) -> Option<Halt> {
        let scripts = &self.ground.scripts;
        let each = |number: usize, at: At| of_script(self.ground, self.seen, number, at, self.depth);
        match &run.invocation.call {
            Some(Call::Make { .. }) => run.calls.last().and_then(|last| each(*last, at)),
            Some(Call::Package { dir: None, .. }) => run.calls.iter().find_map(|number| each(*number, at)),
            _ => {
                let mut all = Vec::new();
                for number in &run.calls {
                    let needs = scripts[*number].needs.iter().copied();
                    let (behind, before): (Vec<_>, Vec<_>) = needs.partition(|needed| is_behind(&scripts[*needed]));
                    all.extend(before.into_iter().chain([*number]).chain(behind));
                }
                all.retain(|number| !scripts[*number].piece.chars.is_empty());
                let place = |behind: bool| if behind { At { stops: true, more: true } } else { at };
                all.iter().enumerate().find_map(|(index, number)| each(*number, place(index + 1 < all.len())))
            }
        }
    }
}

/// Whether it runs behind the script that needs it: `posttest`.
fn is_behind(script: &Script) -> bool {
    matches!(&script.place, Place::Package { name } if name.starts_with("post"))
}

/// Whether a command does nothing but end the script.
fn ends(command: &Command) -> bool {
    matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "exit" | "return" | "false")))
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
    use crate::integrity::Listing;

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
            ("if ! (flake8 . && mypy .); then rc=1; fi; exit $rc", "flake8 ."),
        ] {
            assert_eq!(halts_at(script).unwrap(), Some(Halt::At(first.to_owned())), "{script}");
        }
        for script in [
            "flake8 a.py",
            "cd web && npx tsc --noEmit",
            "./configure && make lint",
            "npm ci\nnpx eslint .",
            "flake8 . || rc=1\nmypy . || rc=1\nexit $rc",
            "for d in a b; do (cd $d && flake8 .) || rc=1; done; exit $rc",
            "git ls-files '*.sh' | xargs shellcheck",
            "if ! flake8 .; then rc=1; fi; { flake8 .; mypy .; } || rc=1; exit $rc",
            "set -euo pipefail; export A=b; ruff check . | tee out",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    struct Files(&'static [(&'static str, &'static str)]);

    impl Tree for Files {
        fn list(&self) -> Listing {
            Listing { paths: self.0.iter().map(|(path, _)| (*path).to_owned()).collect(), ..Listing::default() }
        }

        fn read(&self, path: &str) -> Result<Option<String>, String> {
            Ok(self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned()))
        }
    }

    const FILES: Files = Files(&[
        (
            "Makefile",
            "lint:\n\t@flake8 a && \\\n\t  mypy a\none:\n\tflake8 a\ntwo:\n\tflake8 a\n\tmypy a\nsub:\n\t./scripts/e.sh\n\
             inline: ; flake8 a && mypy a\nlost:\n\t-flake8 a; mypy a\n",
        ),
        ("justfile", "lint:\n  flake8 a\n  mypy a\none:\n  flake8 a\nall: one\n  mypy a\n"),
        ("package.json", r#"{"scripts": {"go": "npm run go && npm run go"}}"#),
        ("scripts/all.sh", "flake8 a || rc=1\nmypy a || rc=1\nexit $rc\n"),
        ("scripts/bang.sh", "#!/bin/sh -e\nflake8 a\nmypy a\n"),
        ("scripts/broken.sh", "flake8 a && (mypy a\n"),
        ("scripts/e.sh", "set -e\nflake8 a\nmypy a\n"),
        ("scripts/exit.sh", "flake8 a || exit 1\nmypy a\n"),
        ("scripts/plain.sh", "flake8 a\nmypy a\n"),
        (
            "web/package.json",
            r#"{"scripts": {"lint": "flake8 a && mypy a", "one": "flake8 a", "types": "tsc", "seq": "run-s one types",
                "pretest": "eslint a", "test": "jest", "both": "flake8 a; mypy a"}}"#,
        ),
    ]);

    #[test]
    fn what_a_command_calls_may_be_the_end() {
        let halts = |dir: &str, command: &str| halts_within(&FILES, command, dir).unwrap();
        for command in [
            "./scripts/e.sh",
            "bash scripts/e.sh",
            "./scripts/bang.sh",
            "./scripts/exit.sh",
            "sh -e scripts/plain.sh",
            "bash -ec 'flake8 a; mypy a'",
            "bash -c 'flake8 a && mypy a'",
            "make lint",
            "make one lint",
            "make sub",
            "make inline",
            "just lint",
            "just all",
            "cd web && npm run -s lint",
            "npm --prefix web run seq",
            "lint() { flake8 a && mypy a; }; lint",
            "./scripts/e.sh || rc=1; exit $rc",
        ] {
            assert_eq!(halts("", command), Some(Halt::At("flake8 a".to_owned())), "{command}");
        }
        for command in ["npm run --silent lint", "yarn -s lint", "pnpm -s lint", "npx run-s one types"] {
            assert_eq!(halts("web", command), Some(Halt::At("flake8 a".to_owned())), "{command}");
        }
        assert_eq!(halts("web", "npm test"), Some(Halt::At("eslint a".to_owned())));
        for command in ["poe lint", "make lint-gone", "bash scripts/broken.sh"] {
            assert_eq!(halts("", command), Some(Halt::Within(command.to_owned())));
        }
        for command in [
            "./scripts/all.sh",
            "bash scripts/plain.sh",
            "bash -c 'flake8 a; mypy a'",
            "make one",
            "make two",
            "make lost",
            "just one",
            "npm run go",
            "./scripts/gone.sh",
        ] {
            assert_eq!(halts("", command), None, "{command}");
        }
        assert_eq!((halts("web", "npm run one"), halts("web", "npm run both")), (None, None));
        assert!(halts_within(&FILES, "flake8 a && (mypy a", "").is_err());
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
