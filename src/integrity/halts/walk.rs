//! A walk through a script and through what it calls: the first command whose failure may keep something from running. What
//! is not known to be harmless is taken for a tool.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::behind::{errexit_of, is_mute, looks_at_nothing, searches, sets_errexit, sets_within, shifts};
use super::guards::{Guards, reads};
use super::{Halt, starts};
use crate::integrity::Tree;
use crate::integrity::call::{Call, is_shell};
use crate::integrity::command::Invocation;
use crate::integrity::dictionary::{is_gate, is_gate_name, is_other_name};
use crate::integrity::flow::Run;
use crate::integrity::ground::{Ground, join};
use crate::integrity::script::{Place, Script};
use crate::integrity::shell::{self, Command, Item, Kind, OPAQUE, Simple, Word};

/// Scripts and functions that call one another more deeply are none that people write.
const DEEPEST: usize = 64;

/// Commands within one another, in whatever script or function, are walked through no deeper than one script may have them.
const DEEPEST_COMMAND: usize = shell::LONGEST;

/// The most commands that are looked at, and words that a function is given.
const MOST_STEPS: usize = 20_000;
const MOST_GIVEN: usize = 32;

/// Where a command stands.
#[expect(clippy::struct_excessive_bools, reason = "each holds in a place of its own")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Where it fails, something is left out.
    pub stops: bool,
    /// Something stands behind it in the script, which `exit` would leave out.
    pub more: bool,
    /// Something stands behind it in its round of a loop, which `continue` would leave out.
    pub round: bool,
    /// What stands behind it asks how it ended, and may leave something out.
    pub asked: bool,
    /// Its output is kept: what is not known to be a tool is most often no tool there.
    pub kept: bool,
}

pub const AT_END: At = At { stops: false, more: false, round: false, asked: false, kept: false };

impl At {
    /// The same for what runs in a shell of its own: there `exit` is no more than its status.
    const fn in_own_shell(self) -> Self {
        let stops = self.stops || self.asked;
        Self { stops, more: stops, round: stops, asked: false, kept: self.kept }
    }

    /// The same for what a test, or an assignment, has the output of.
    const fn of_test(self) -> Self {
        Self { asked: self.asked, ..self.in_own_shell() }
    }
}

/// A body of commands that was walked through: its script and where it begins, how, and what it was given.
type Step = (usize, usize, At, bool, bool, Vec<String>);

/// What a walk needs to know.
pub struct Context<'a> {
    /// `None`: what is called is not known.
    tree: Option<&'a dyn Tree>,
    ground: &'a Ground,
    /// Functions of all scripts, each with the script that it stands in.
    functions: BTreeMap<&'a str, Vec<(usize, &'a Command)>>,
    guards: Guards<'a>,
    seen: RefCell<BTreeSet<Step>>,
    steps: Cell<usize>,
}

impl<'a> Context<'a> {
    pub fn new(tree: Option<&'a dyn Tree>, ground: &'a Ground) -> Self {
        let mut functions: BTreeMap<&str, Vec<(usize, &Command)>> = BTreeMap::new();
        for (number, script) in ground.scripts.iter().enumerate() {
            script.command.each(&mut |command| {
                if let Kind::Function(name, body) = &command.kind {
                    functions.entry(name).or_default().push((number, body));
                }
            });
        }
        let guards = Guards::of(&ground.scripts);
        Self { tree, ground, functions, guards, seen: RefCell::default(), steps: Cell::new(0) }
    }

    pub fn script(&self, number: usize, at: At) -> Option<Halt> {
        self.script_within(number, at, 0, 0)
    }

    fn script_within(&self, number: usize, at: At, depth: usize, within: usize) -> Option<Halt> {
        let script = &self.ground.scripts[number];
        let always = self.always_ends(script);
        let at = if script.ignored.is_some() { AT_END } else { at };
        let errexit = always || script.shell.errexit;
        Walk { context: self, number, errexit, always, given: &[], depth, within }.enter(&script.command, at, &[])
    }

    /// Whether errexit is set where it is not followed from: in a function, a branch, or a file that is read into the script.
    fn always_ends(&self, script: &Script) -> bool {
        let reads = |run: &Run| matches!(run.invocation.program.as_str(), "." | "source");
        let sets = |number: &usize| sets_errexit(&self.ground.scripts[*number].command);
        sets_within(&script.command)
            || script.flow.runs.iter().any(|run| self.guards.traps(run) || (reads(run) && run.calls.iter().any(sets)))
    }
}

/// A script that is walked through.
#[derive(Clone, Copy)]
struct Walk<'a> {
    context: &'a Context<'a>,
    number: usize,
    errexit: bool,
    /// Whether `set +e` is passed by, as errexit may be set again.
    always: bool,
    /// What the function was called with; nothing where that is not known.
    given: &'a [String],
    depth: usize,
    /// In how many commands this one stands.
    within: usize,
}

impl Walk<'_> {
    /// A script or the body of a function, once.
    fn enter(self, body: &Command, at: At, given: &[String]) -> Option<Halt> {
        let given = if given.len() > MOST_GIVEN { &[] } else { given };
        let step = (self.number, body.span.start, at, self.errexit, self.always, given.to_vec());
        if !self.context.seen.borrow_mut().insert(step) {
            return None;
        }
        if self.depth >= DEEPEST {
            return Some(Halt::Within(self.text(body)));
        }
        Walk { depth: self.depth + 1, given, ..self }.command(body, at)
    }

    fn command(mut self, command: &Command, at: At) -> Option<Halt> {
        self.within += 1;
        if self.within > DEEPEST_COMMAND {
            return Some(Halt::Within(self.text(command)));
        }
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, at),
            Kind::Pipeline(parts) => parts.iter().find_map(|part| self.command(part, at)),
            Kind::And(first, second) => {
                let leaves = || self.may_pass_by_failing(first) && self.gives_up(second, at);
                let first_at = At { stops: at.stops || !is_mute(second) || leaves(), ..at };
                self.passed().command(first, first_at).or_else(|| self.command(second, at))
            }
            Kind::Or(first, second) => {
                let first_at = At { stops: self.gives_up(second, at), ..at };
                self.passed().command(first, first_at).or_else(|| self.command(second, at))
            }
            Kind::List(items) => self.list(items, at),
            Kind::If { condition, then, otherwise } => {
                let otherwise = otherwise.as_deref();
                let stops = self.stops_condition(condition, then, otherwise, at);
                self.passed()
                    .command(condition, At { stops, ..at })
                    .or_else(|| self.command(then, at))
                    .or_else(|| otherwise.and_then(|otherwise| self.command(otherwise, at)))
            }
            Kind::Loop { condition, body } => {
                let guards = &self.context.guards;
                let asked = at.asked || guards.of_loop(self.number, condition.as_deref(), body);
                let condition_at = At { stops: at.stops || !is_mute(body), asked, ..at };
                // The rounds behind the one that fails.
                let round = At { stops: self.errexit, more: true, round: false, asked, kept: at.kept };
                let condition = condition.as_ref().and_then(|command| self.passed().command(command, condition_at));
                condition.or_else(|| self.command(body, round))
            }
            Kind::Case(bodies) => bodies.iter().find_map(|body| self.command(body, at)),
            Kind::Group(body, _) => self.command(body, at),
            Kind::Subshell(body, _) => self.command(body, at.in_own_shell()),
            Kind::Not(inner) => self.passed().command(inner, at),
            Kind::Test => self.substitutions(&self.text(command), command.span.start, at.of_test()),
            Kind::Function(..) => None,
        }
    }

    /// Where a status is asked for, errexit does not hold.
    fn passed(self) -> Self {
        Self { errexit: false, always: false, ..self }
    }

    /// Whether something is left out where a branch is taken.
    fn gives_up(self, branch: &Command, at: At) -> bool {
        let guards = &self.context.guards;
        let leaves = guards.leaves(branch);
        (leaves.out && at.more) || (leaves.round && at.round) || (at.stops && guards.may_fail(branch))
    }

    /// Whether something is left out where a condition fails: the branch for success, or what stands behind the other one.
    fn stops_condition(self, condition: &Command, then: &Command, otherwise: Option<&Command>, at: At) -> bool {
        let mut negates = self.may_pass_by_failing(condition);
        condition.each(&mut |inner| negates |= matches!(inner.kind, Kind::Not(_)));
        let (passing, failing) = match &condition.kind {
            Kind::Not(_) => (vec![otherwise], vec![Some(then)]),
            _ if negates => (vec![Some(then), otherwise], vec![Some(then), otherwise]),
            _ => (vec![Some(then)], vec![otherwise]),
        };
        passing.into_iter().flatten().any(|branch| !is_mute(branch))
            || failing.into_iter().flatten().any(|branch| self.gives_up(branch, at))
    }

    /// Whether success may be what fails: where it is asked what something prints, or a search finds something.
    fn may_pass_by_failing(self, condition: &Command) -> bool {
        let mut may = false;
        condition.each(&mut |inner| {
            let asks = || self.text(inner).contains(['(', '`']);
            may |= match &inner.kind {
                Kind::Test => asks(),
                Kind::Simple(simple) => (is_test(simple) && asks()) || searches(&Invocation::of(simple)),
                _ => false,
            };
        });
        may
    }

    fn list(mut self, items: &[Item], at: At) -> Option<Halt> {
        let last = items.iter().rposition(|item| !is_mute(&item.command)).unwrap_or_default();
        let mut asked = vec![at.asked; items.len()];
        if items.len() > 1 {
            let mut behind = at.asked;
            for (number, item) in items.iter().enumerate().rev() {
                asked[number] = behind;
                let (more, round) = (number < last || at.more, number < last || at.round);
                behind |= self.context.guards.is_guard(self.number, &item.command, more, round);
            }
        }
        for (number, item) in items.iter().enumerate() {
            let asked = asked[number];
            let item_at = match item.background {
                true => At { asked, kept: at.kept, ..AT_END },
                false if number < last => At { stops: self.errexit, more: true, round: true, asked, kept: at.kept },
                false => At { asked, ..at },
            };
            let halt = self.command(&item.command, item_at);
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
        let said = || simple.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        self.context.steps.set(self.context.steps.get() + 1);
        if self.context.steps.get() > MOST_STEPS {
            return Some(Halt::Within(said()));
        }
        let own = Invocation::of(simple);
        let words = self.words(&simple.words);
        let is_given = own.program.contains(OPAQUE) && !self.given.is_empty();
        let given = is_given.then(|| Invocation::of_words(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        let invocation = given.as_ref().unwrap_or(&own);
        let flow = &self.context.ground.scripts[self.number].flow;
        let runs: Vec<&Run> = flow.runs.iter().filter(|run| run.span == command.span).collect();
        let functions = self.context.functions.get(invocation.program.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_known = !functions.is_empty() || runs.iter().any(|run| !run.calls.is_empty());
        let called = invocation.call.as_ref().is_some_and(|call| call.names().into_iter().any(is_gate_name));
        let is_tool = called
            || is_gate(&invocation.program, &invocation.arguments())
            || runs.iter().any(|run| run.gate.is_some());
        let is_unread = if given.is_some() || runs.is_empty() {
            self.context.tree.is_some() && may_be_several(invocation)
        } else {
            runs.iter().any(|run| self.is_unread(run))
        };
        let is_left = is_known || is_unread || looks_at_nothing(invocation);
        if (at.stops || at.asked) && (is_tool || !(is_left || at.kept)) {
            return Some(Halt::At(said()));
        }
        if is_unread {
            return Some(Halt::Within(said()));
        }
        // Behind `shift` a function is given less.
        let given = |body: &Command| if shifts(body) { &[] } else { words.get(1..).unwrap_or_default() };
        let mut bodies = functions.iter().map(|(number, body)| (Walk { number: *number, ..self }, *body));
        self.substituted(simple, at)
            .or_else(|| runs.iter().find_map(|run| self.called(run, at)))
            .or_else(|| bodies.find_map(|(walk, body)| walk.enter(body, at, given(body))))
    }

    /// What runs in `$( )`, where its output may be shown: of a command that takes it as its arguments nothing is seen.
    fn substituted(self, simple: &Simple, at: At) -> Option<Halt> {
        const SHOW: &[&str] = &["declare", "echo", "export", "local", "printf", "readonly"];
        let tests = is_test(simple);
        let shows = tests || simple.words.first().is_some_and(|first| SHOW.contains(&first.text.as_str()));
        // The status of an assignment alone is that of what it is assigned; and what is printed may be asked for.
        let at = if simple.words.is_empty() || tests || reads(simple) { at.of_test() } else { AT_END };
        let words = simple.words.iter().filter(|word| shows || word.raw.contains("<(") || word.raw.contains(">("));
        let words = simple.assignments.iter().chain(words).map(|word| (&word.raw, word.span.start));
        // `mapfile -t out < <(gofmt -l .)`
        let mut all = words.chain(simple.redirects.iter().map(|to| (&to.target, to.at)));
        all.find_map(|(raw, start)| self.substitutions(raw, start, at))
    }

    /// What runs in the substitutions of a text.
    fn substitutions(self, raw: &str, start: usize, at: At) -> Option<Halt> {
        shell::substitutions(raw, start).into_iter().find_map(|(text, start)| {
            let Ok(mut inner) = shell::read(&text) else { return Some(Halt::Within(text)) };
            inner.shift(start);
            self.command(&inner, At { kept: true, ..at })
        })
    }

    /// Whether what a command calls may be several steps, and was not read.
    fn is_unread(self, run: &Run) -> bool {
        let Some(tree) = self.context.tree else { return matches!(run.invocation.call, Some(Call::Task(_))) };
        let ground = self.context.ground;
        let script = &ground.scripts[self.number];
        let here = join(&script.dir, &run.dir);
        let is_read = |path: &String| ground.sources.iter().any(|source| source.path == *path);
        match &run.invocation.call {
            Some(Call::Task(_)) => true,
            // Which recipe is the first one, an attribute may say.
            Some(Call::Just { recipes }) if recipes.is_empty() => {
                let source = |number: &usize| &ground.sources[ground.scripts[*number].file];
                let mut called = run.calls.iter().map(source);
                called.len() == 0 || called.any(|source| source.slice(0..source.chars.len()).contains("[default]"))
            }
            _ if !run.calls.is_empty() => false,
            // A program of the packages, where none of their scripts has its name.
            Some(Call::Package { names, dir: Some(dir) }) => {
                let is_pattern = names.iter().any(|name| name.contains('*') || name.starts_with('/'));
                let is_tool = run.gate.as_ref().is_some_and(|gate| gate.sure);
                is_pattern || !(is_tool || is_read(&join(&join(&here, dir), "package.json")))
            }
            Some(Call::Package { .. } | Call::Make { .. } | Call::Just { .. }) => true,
            Some(Call::File(path)) => {
                let paths = [join(&here, path), join("", path)];
                let is_script = |text: String| starts::several(tree, path, &text);
                let found = paths.iter().filter(|path| !path.contains(OPAQUE) && !is_read(path));
                let mut read = found.filter_map(|path| tree.read(path).transpose());
                let mut other = || path.contains(OPAQUE) || read.next().is_none_or(|text| text.map_or(true, is_script));
                !run.invocation.reads_environment() && (paths.iter().any(is_read) || other())
            }
            None if run.handed.is_some() || is_shell(&run.invocation.program) => true,
            None if starts::is_unread(&run.invocation) => true,
            None => starts::files(&run.invocation).iter().any(|file| {
                let text = tree.read(&join(&here, file));
                text.map_or(true, |text| text.is_some_and(|text| starts::several(tree, &join(&here, file), &text)))
            }),
        }
    }

    /// What a command calls: one script after the other.
    fn called(self, run: &Run, at: At) -> Option<Halt> {
        let scripts = &self.context.ground.scripts;
        let is_same_shell = matches!(run.invocation.program.as_str(), "." | "source" | "eval");
        let at = if is_same_shell { at } else { at.in_own_shell() };
        let each = |number: usize, at: At| self.context.script_within(number, at, self.depth, self.within);
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
                let goes_on = |word: &String| word == "--continue-on-error" || word == "-c";
                if matches!(run.invocation.program.as_str(), "npm-run-all" | "npm-run-all2" | "run-s" | "run-p")
                    && run.invocation.arguments.iter().any(goes_on)
                {
                    return all.iter().find_map(|number| each(*number, at));
                }
                let before = At { stops: true, more: true, round: true, ..AT_END };
                let last = all.iter().rposition(|number| !is_mute(&scripts[*number].command)).unwrap_or_default();
                all.iter().enumerate().find_map(|(index, number)| each(*number, if index < last { before } else { at }))
            }
        }
    }

    /// Whether something is not printed, so that make may not say where it stopped.
    fn hides_errors(self) -> bool {
        let text = self.context.ground.scripts[self.number].piece.text();
        // What goes through a pipe may be left out there, but for what passes it on whole.
        let is_left_out = |behind: &str| {
            let piped = behind.trim_start().strip_prefix('|').filter(|rest| !rest.starts_with('|'));
            piped.is_some_and(|rest| !matches!(rest.split_whitespace().next(), Some("tee" | "cat")))
        };
        let joined = text.replace("|&", "2>&1 |");
        let rest = joined.replace("2>&1", "");
        joined.split("2>&1").skip(1).any(is_left_out)
            || rest.contains("2>")
            || rest.contains("&>")
            || (rest.contains('>') && rest.len() < joined.len())
    }

    /// `just lint types`: what follows the first recipe may be another one.
    fn further_recipes(self, run: &Run) -> Vec<usize> {
        let Some(Call::Just { recipes }) = &run.invocation.call else { return Vec::new() };
        let named = |name: &String| !recipes.contains(name) && run.invocation.arguments.contains(name);
        let is_meant = |script: &Script| matches!(&script.place, Place::Recipe { name, .. } if named(name));
        let scripts = self.context.ground.scripts.iter().enumerate();
        scripts.filter(|(_, script)| is_meant(script)).map(|(number, _)| number).collect()
    }

    fn text(self, command: &Command) -> String {
        let chars = &self.context.ground.scripts[self.number].piece.chars;
        chars.get(command.span.clone()).unwrap_or_default().iter().collect()
    }
}

/// `test -z "$(gofmt -l .)"`
fn is_test(simple: &Simple) -> bool {
    simple.words.first().is_some_and(|first| matches!(first.text.as_str(), "[" | "test"))
}

/// Whether a command of which no more than its words is known calls something of the repository.
fn may_be_several(invocation: &Invocation) -> bool {
    let names = invocation.call.as_ref().map(Call::names);
    is_shell(&invocation.program) || names.is_some_and(|names| !names.into_iter().any(is_other_name))
}

/// Whether it runs behind the script that needs it: `posttest`.
fn is_behind(script: &Script) -> bool {
    matches!(&script.place, Place::Package { name } if name.starts_with("post"))
}
