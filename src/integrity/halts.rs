//! Where a script that failed may have stopped before all of its tools had run.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Tree;
use super::behind::{errexit_of, is_mute, may_be_tool, sets_errexit, sets_within, shifts};
use super::command::{Call, Invocation};
use super::dictionary::{is_gate, is_gate_name};
use super::flow::Run;
use super::ground::{Ground, join};
use super::pipe::shortens;
use super::reading;
use super::script::{Place, Script};
use super::shell::{self, Command, Item, Kind, OPAQUE, Simple, Word};
use super::starts;
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

/// A command that may have run, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The program, without its folder, and its arguments.
    pub words: Vec<String>,
    /// Its folder in the repository.
    pub dir: String,
    /// Whether it is a gate, and calls none.
    pub is_tool: bool,
}

/// What is known of a command without running it.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Where it may have stopped.
    pub halt: Option<Halt>,
    /// The commands that it comes down to, as far as they can be read.
    pub ran: Vec<Ran>,
    /// What leaves out lines of what it prints.
    pub shortened: Option<String>,
}

/// The first tool of a script that is not its last one, and whose failure ends it.
///
/// # Errors
/// When no shell would run the script.
pub fn halts_at(script: &str) -> Result<Option<Halt>, Wrong> {
    let command = shell::read(script)?;
    let (ground, seen) = (Ground::default(), RefCell::default());
    let context = Context { tree: None, ground: &ground, seen: &seen };
    let always = sets_within(&command);
    let walk = Walk { context, number: None, body: &command, errexit: true, always, given: &[], depth: 0 };
    Ok(walk.command(&command, AT_END))
}

/// The same of a command that runs in a folder of a repository, and of the scripts, recipes and files that it calls. Of a call
/// of make only the last line of what it calls is looked at: at which line make stopped it says itself.
///
/// # Errors
/// When no shell would run the command.
pub fn halts_within(tree: &dyn Tree, command: &str, dir: &str) -> Result<Looked, Wrong> {
    let ground = reading::read_command(tree, command, dir);
    match ground.scripts.first() {
        Some(Script { place: Place::Gate { .. }, .. }) => {
            let seen = RefCell::default();
            let halt = Context { tree: Some(tree), ground: &ground, seen: &seen }.script(0, AT_END, 0);
            Ok(reached(&ground, halt))
        }
        _ => Ok(Looked { halt: halts_at(command)?, shortened: shortens(&shell::read(command)?), ran: Vec::new() }),
    }
}

/// What is known of the first script, and of all that it may call.
fn reached(ground: &Ground, halt: Option<Halt>) -> Looked {
    let (mut open, mut seen, mut looked) = (vec![0], BTreeSet::new(), Looked { halt, ..Looked::default() });
    while let Some(number) = open.pop() {
        if !seen.insert(number) {
            continue;
        }
        let script = &ground.scripts[number];
        open.extend(&script.needs);
        looked.shortened = looked.shortened.or_else(|| shortens(&script.command));
        for run in &script.flow.runs {
            open.extend(&run.calls);
            let words = std::iter::once(&run.invocation.program).chain(&run.invocation.arguments);
            let is_tool = run.gate.is_some() && run.calls.is_empty();
            looked.ran.push(Ran { words: words.cloned().collect(), dir: join(&script.dir, &run.dir), is_tool });
        }
    }
    looked
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

/// What was walked through: scripts by their numbers, and functions by where they begin and what they were given.
type Seen = RefCell<BTreeSet<(Option<usize>, usize, At, Vec<String>)>>;

/// What a walk needs to know.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// `None`: what is called is not known.
    tree: Option<&'a dyn Tree>,
    ground: &'a Ground,
    seen: &'a Seen,
}

impl Context<'_> {
    fn script(self, number: usize, at: At, depth: usize) -> Option<Halt> {
        let script = &self.ground.scripts[number];
        let always = self.always_ends(script);
        let at = if script.ignored.is_some() { AT_END } else { at };
        let errexit = always || script.shell.errexit;
        let (context, body) = (self, &script.command);
        Walk { context, number: Some(number), body, errexit, always, given: &[], depth }.enter(body, at, &[])
    }

    /// Whether errexit is set where it is not followed from: in a function, a branch, or a file that is read into the script.
    fn always_ends(self, script: &Script) -> bool {
        let mut runs = script.flow.runs.iter();
        let reads = |run: &Run| matches!(run.invocation.program.as_str(), "." | "source");
        let sets = |number: &usize| sets_errexit(&self.ground.scripts[*number].command);
        sets_within(&script.command) || runs.any(|run| reads(run) && run.calls.iter().any(sets))
    }
}

/// A script that is walked through.
#[derive(Clone, Copy)]
struct Walk<'a> {
    context: Context<'a>,
    /// `None`: what it calls is not known.
    number: Option<usize>,
    body: &'a Command,
    errexit: bool,
    /// Whether `set +e` is passed by, as errexit may be set again.
    always: bool,
    /// What the function was called with; nothing where that is not known.
    given: &'a [String],
    depth: usize,
}

impl Walk<'_> {
    /// A script or the body of a function, once.
    fn enter(self, body: &Command, at: At, given: &[String]) -> Option<Halt> {
        let step = (self.number, body.span.start, at, given.to_vec());
        let new = self.depth < DEEPEST && self.context.seen.borrow_mut().insert(step);
        new.then(|| Walk { depth: self.depth + 1, given, ..self }.command(body, at)).flatten()
    }

    fn command(self, command: &Command, at: At) -> Option<Halt> {
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, at),
            Kind::Pipeline(parts) => parts.iter().find_map(|part| self.command(part, at)),
            Kind::And(first, second) => {
                let first_at = if is_mute(second) { at } else { At { stops: true, ..at } };
                self.command(first, first_at).or_else(|| self.command(second, at))
            }
            Kind::Or(first, second) if ends(second) => self.command(first, At { stops: at.more || at.stops, ..at }),
            Kind::Or(first, second) => self.asked(first).or_else(|| self.command(second, at)),
            Kind::List(items) => self.list(items, at),
            Kind::If { condition, then, otherwise } => self
                .asked(condition)
                .or_else(|| self.command(then, at))
                .or_else(|| otherwise.as_ref().and_then(|otherwise| self.command(otherwise, at))),
            // The rounds behind the one that fails.
            Kind::Loop { body, .. } => self.command(body, self.before()),
            Kind::Case(bodies) => bodies.iter().find_map(|body| self.command(body, at)),
            Kind::Group(body, _) | Kind::Subshell(body, _) => self.command(body, at),
            Kind::Not(inner) => self.asked(inner),
            Kind::Function(..) | Kind::Test => None,
        }
    }

    /// A command whose status somebody asks for: it ends nothing by failing, but `b` of `a && b || c` is not run all the same.
    fn asked(self, command: &Command) -> Option<Halt> {
        Self { errexit: false, always: false, ..self }.command(command, AT_END)
    }

    /// Where something stands behind.
    const fn before(self) -> At {
        At { stops: self.errexit, more: true }
    }

    fn list(mut self, items: &[Item], at: At) -> Option<Halt> {
        let last = items.iter().rposition(|item| !is_mute(&item.command)).unwrap_or_default();
        for (number, item) in items.iter().enumerate() {
            let item_at = if number < last { self.before() } else { at };
            let halt = if item.background { None } else { self.command(&item.command, item_at) };
            if halt.is_some() {
                return halt;
            }
            self.errexit = self.always || errexit_of(&item.command).unwrap_or(self.errexit);
        }
        None
    }

    /// The words of a command, with those that its function was given.
    fn words(self, words: &[Word]) -> Vec<String> {
        let all = |word: &Word| matches!(word.raw.trim_matches('"'), "$@" | "$*" | "${@}" | "${*}");
        let text = |word: &Word| {
            if all(word) && !self.given.is_empty() { self.given.to_vec() } else { vec![word.text.clone()] }
        };
        words.iter().flat_map(text).collect()
    }

    fn simple(self, command: &Command, simple: &Simple, at: At) -> Option<Halt> {
        let own = Invocation::of(simple);
        let words = self.words(&simple.words);
        let is_given = own.program.contains(OPAQUE) && !self.given.is_empty();
        let given = is_given.then(|| Invocation::of_words(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        let invocation = given.as_ref().unwrap_or(&own);
        let script = self.number.map(|number| &self.context.ground.scripts[number]);
        let flow = script.iter().flat_map(|script| &script.flow.runs);
        let runs: Vec<&Run> = flow.filter(|run| run.span == command.span).collect();
        let called = invocation.call.as_ref().is_some_and(|call| call.names().into_iter().any(is_gate_name));
        let is_tool = called
            || is_gate(&invocation.program, &invocation.arguments())
            || runs.iter().any(|run| run.gate.is_some());
        let may_be = runs.iter().any(|run| run.handed.as_ref().is_some_and(|handed| handed.text.is_none()));
        let said = || simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        if at.stops && (is_tool || may_be || may_be_tool(invocation)) {
            return Some(Halt::At(said()));
        }
        let is_unread = |script: &Script| runs.iter().any(|run| self.is_unread(script, run, is_tool));
        if script.is_some_and(is_unread) || given.as_ref().is_some_and(|given| given.call.is_some()) {
            return Some(Halt::Within(said()));
        }
        runs.iter().find_map(|run| self.called(run, at)).or_else(|| {
            let mut functions = Vec::new();
            self.body.each(&mut |function| match &function.kind {
                Kind::Function(name, body) if *name == invocation.program => functions.push(&**body),
                _ => {}
            });
            functions.into_iter().find_map(|body| {
                // Behind `shift` it is given less.
                let given = if shifts(body) { &[] } else { words.get(1..).unwrap_or_default() };
                self.enter(body, at, given)
            })
        })
    }

    /// Whether what a command calls may be several steps, and was not read.
    fn is_unread(self, script: &Script, run: &Run, is_tool: bool) -> bool {
        let ground = self.context.ground;
        match &run.invocation.call {
            Some(Call::Task(_)) => true,
            // Which recipe is the first one, an attribute may say.
            Some(Call::Just { recipes }) if recipes.is_empty() => {
                let source = |number: &usize| &ground.sources[ground.scripts[*number].file];
                let mut called = run.calls.iter().map(source);
                called.len() == 0 || called.any(|source| source.slice(0..source.chars.len()).contains("[default]"))
            }
            Some(Call::Make { .. } | Call::Just { .. }) => is_tool && run.calls.is_empty(),
            Some(Call::File(path)) if run.calls.is_empty() => {
                let paths = [join(&join(&script.dir, &run.dir), path), join("", path)];
                ground.sources.iter().any(|source| paths.contains(&source.path)) || self.starts_several(&paths)
            }
            None if run.handed.is_none() => {
                let here = join(&script.dir, &run.dir);
                let files = starts::files(&run.invocation);
                self.starts_several(&files.iter().map(|file| join(&here, file)).collect::<Vec<_>>())
            }
            _ => false,
        }
    }

    /// Whether one of these files is a script in another language that starts more than one process.
    fn starts_several(self, paths: &[String]) -> bool {
        let Some(tree) = self.context.tree else { return false };
        paths.iter().any(|path| tree.read(path).is_ok_and(|text| text.is_some_and(|text| starts::several(&text))))
    }

    /// What a command calls: one script after the other.
    fn called(self, run: &Run, at: At) -> Option<Halt> {
        let scripts = &self.context.ground.scripts;
        let each = |number: usize, at: At| self.context.script(number, at, self.depth);
        match &run.invocation.call {
            Some(Call::Make { .. }) if !self.hides_errors() => run.calls.last().and_then(|last| each(*last, at)),
            Some(Call::Package { dir: None, .. }) => run.calls.iter().find_map(|number| each(*number, at)),
            _ => {
                let mut all = Vec::new();
                for number in run.calls.iter().copied().chain(self.further_recipes(run)) {
                    let needs = scripts[number].needs.iter().copied();
                    let (behind, before): (Vec<_>, Vec<_>) = needs.partition(|needed| is_behind(&scripts[*needed]));
                    all.extend(before.into_iter().chain([number]).chain(behind));
                }
                all.retain(|number| !scripts[*number].piece.chars.is_empty());
                let place = |behind: bool| if behind { At { stops: true, more: true } } else { at };
                let last = all.iter().rposition(|number| !is_mute(&scripts[*number].command)).unwrap_or_default();
                all.iter().enumerate().find_map(|(index, number)| each(*number, place(index < last)))
            }
        }
    }

    /// Whether something is not printed, so that make may not say where it stopped.
    fn hides_errors(self) -> bool {
        let script = self.number.map(|number| &self.context.ground.scripts[number]);
        let text = script.map(|script| script.piece.text().replace("2>&1", "")).unwrap_or_default();
        text.contains("2>") || text.contains("&>")
    }

    /// `just lint types`: what follows the first recipe may be another one.
    fn further_recipes(self, run: &Run) -> Vec<usize> {
        let Some(Call::Just { recipes }) = &run.invocation.call else { return Vec::new() };
        let named = |name: &String| !recipes.contains(name) && run.invocation.arguments.contains(name);
        let is_meant = |script: &Script| matches!(&script.place, Place::Recipe { name, .. } if named(name));
        let scripts = self.context.ground.scripts.iter().enumerate();
        scripts.filter(|(_, script)| is_meant(script)).map(|(number, _)| number).collect()
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

/// Whether a script does nothing but say something: where it is left out, nothing is lost.
#[must_use]
pub fn only_says(script: &str) -> bool {
    shell::read(script).is_ok_and(|command| is_mute(&command))
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
            ("run() { \"$@\" || exit 1; }; run flake8 .; run mypy .", "\"$@\""),
            ("run() { echo \"$1\"; shift; \"$@\" || exit 1; }; run a flake8 .; run b mypy .", "\"$@\""),
            ("set +e; for t in 'flake8 .' 'mypy .'; do $t || exit 1; done", "$t"),
            ("$FLAKE -q .; mypy .", "$FLAKE -q ."),
            ("set +e; set -e; flake8 .; mypy .", "flake8 ."),
            ("set +e; f() { set -e; }; f; flake8 .; mypy .", "flake8 ."),
            ("flake8 .; echo \"$(mypy .)\"", "flake8 ."),
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
            "run() { \"$@\" || exit 1; }; run pip install x; run flake8 .",
            "$PIP install x; $PYTHON -m venv y; $(Q)mkdir a; flake8 .",
            "set +e; flake8 .; a=$?; mypy .; b=$?; exit $((a|b))",
            "set -e; set +e; flake8 .; a=$?; mypy .; set -e; exit $a",
            "flake8 . && echo good; echo done",
            "flake8 .\nprintf '%s' done\nexit 0",
        ] {
            assert_eq!(halts_at(script).unwrap(), None, "{script}");
        }
    }

    struct Files(&'static [(&'static str, &'static str)]);

    impl Tree for Files {
        fn list(&self) -> Listing {
            let paths: BTreeSet<String> = self.0.iter().map(|(path, _)| (*path).to_owned()).collect();
            Listing { paths: paths.into_iter().collect(), ..Listing::default() }
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
        ("justfile", "default: one all\nlint:\n  flake8 a\n  mypy a\none:\n  flake8 a\nall: one\n  mypy a\n"),
        ("just/justfile", "only: single\nsingle:\n  flake8 a\n  echo good\n"),
        ("just/named/justfile", "first:\n  flake8 a\n[default]\nboth:\n  flake8 a\n"),
        ("tools/lint.py", "import subprocess\nfor c in ('flake8', 'mypy'):\n    subprocess.run(c, check=True)\n"),
        ("tools/one.py", "import subprocess, sys\nsys.exit(subprocess.call('flake8'))\n"),
        ("scripts/off.sh", "set -e\nset +e\nflake8 a\nx=$?\nmypy a\nexit $x\n"),
        ("scripts/sets.sh", "set -e\n"),
        ("scripts/reads.sh", "set +e\n. ./scripts/sets.sh\nflake8 a\nmypy a\n"),
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
        let halts = |dir: &str, command: &str| halts_within(&FILES, command, dir).unwrap().halt;
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
            "make two 2>/dev/null",
            "just",
            "just lint",
            "just all",
            "just one all",
            "bash scripts/reads.sh",
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
        for command in [
            "poe lint",
            "make lint-gone",
            "bash scripts/broken.sh",
            "python tools/lint.py",
            "./tools/lint.py",
            "uv run -m tools.lint",
        ] {
            assert_eq!(halts("", command), Some(Halt::Within(command.to_owned())));
        }
    }

    #[test]
    fn what_a_command_calls_may_run_to_its_end() {
        let halts = |dir: &str, command: &str| halts_within(&FILES, command, dir).unwrap().halt;
        for command in [
            "./scripts/all.sh",
            "bash scripts/plain.sh",
            "bash -c 'flake8 a; mypy a'",
            "make one",
            "make two",
            "make two 2>&1",
            "make lost",
            "just one",
            "python tools/one.py",
            "./tools/one.py",
            "./scripts/off.sh",
            "npm run go",
            "./scripts/gone.sh",
        ] {
            assert_eq!(halts("", command), None, "{command}");
        }
        assert_eq!((halts("web", "npm run one"), halts("web", "npm run both")), (None, None));
        let unknown = "bash -c \"$LINT\"";
        assert_eq!(halts("", &format!("{unknown}; mypy a")), Some(Halt::At(unknown.to_owned())));
        assert_eq!((halts("just", "just"), halts("just/named", "just")), (None, Some(Halt::Within("just".to_owned()))));
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
