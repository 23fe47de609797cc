//! What becomes of each command's failure: whether it ends the script, is looked at, or is lost, and by what. It follows
//! `set -e`, `set +e` and pipefail through the script as the shell would, and judges nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::attempts::{Attempts, breaks};
use super::command::{Invocation, OWN, ROOT};
use super::ending::{
    Ending, Functions, Record, ending, exits_zero, is_bare, leaves, leaves_well, records, says_something,
};
use super::handed::{Handed, handed};
use super::pipe::{FILTERS, decides, files, written_by_tee};
use super::shell::{Command, Item, Kind, Shell, Simple};

/// A simple command where it stands.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its characters in the script.
    pub span: Range<usize>,
    /// What it runs.
    pub invocation: Invocation,
    /// Variables set for it alone, as written.
    pub assignments: Vec<String>,
    /// What becomes of its failure.
    pub fate: Fate,
    /// Files that its output is kept in.
    pub outputs: Vec<String>,
    /// Where it runs, relative to the script's own folder.
    pub dir: String,
    /// The script that it hands to a shell.
    pub handed: Option<Handed>,
    /// The scripts that it calls, by their numbers. Known once everything is read.
    pub calls: Vec<usize>,
    /// The gate that it is. Known once everything is read.
    pub gate: Option<Gate>,
    /// The branches that it stands in, by where each begins: it need not run.
    pub branches: Vec<usize>,
}

/// A command that is a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// What to call it.
    pub name: String,
    /// It is in the dictionary, or calls what is; else it is only called so.
    pub sure: bool,
}

/// What becomes of a command's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It ends the script, or is its result.
    Counts,
    /// Something looks at it: a condition, `$?`, a variable that is used later.
    Read,
    /// Nobody learns of it.
    Lost(Loss),
}

/// How a failure is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// `|| true` and the like; the characters from `||` on.
    Swallowed { by: Range<usize>, bare: bool },
    /// `|| …` or a branch that writes it down; the characters up to its end.
    Recorded { by: Range<usize>, records: Vec<Record> },
    /// `|| …` with commands, these of the script's, of which it is not known whether they fail.
    Replaced { by: Range<usize>, runs: Range<usize> },
    /// `find … -exec … \;`, with the characters of its end: find succeeds whatever it started did.
    EachFile(Range<usize>),
    /// A condition whose failing branch does nothing.
    Ignored { condition: Range<usize> },
    /// The script goes on, and why.
    GoesOn { because: Because },
    /// The last command of a pipe has the word.
    Piped { into: String, filter: bool },
}

/// Why a script goes on after a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// `set +e` stands there.
    SetPlusE(Range<usize>),
    /// It was never started with `-e`, nor sets it.
    NeverSet,
    /// It is followed by `&&`: only the last of such a chain ends the script.
    AndList,
    /// It runs in the background, and nobody waits for its status.
    Background,
    /// `exit 0` stands at the end.
    ExitsZero(Range<usize>),
}

/// A script walked through.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Its simple commands in order.
    pub runs: Vec<Run>,
    /// `trap '… exit 0' EXIT`, where there is one.
    pub exit_trap: Option<Range<usize>>,
    /// Functions it defines, with their commands as indices into `runs`.
    pub functions: Vec<(String, Range<usize>)>,
}

/// Walks through a script.
#[must_use]
pub fn follow<'a>(script: &'a Command, text: &'a [char], shell: Shell) -> Flow {
    let whole: String = text.iter().collect();
    let waits = ["wait $", "wait \"$", "wait -n", "wait %"].iter().filter_map(|sign| whole.rfind(sign)).max();
    let last_wait = waits.map(|byte| whole[..byte].chars().count());
    let state = State { shell, plus_e: None, dir: String::new(), branches: Vec::new() };
    let mut walk = Walk {
        script,
        text,
        state,
        flow: Flow::default(),
        last_wait,
        defined: BTreeMap::new(),
        called: BTreeMap::new(),
        open: Vec::new(),
        bodies: Functions::of(script),
        trapped: Vec::new(),
        loops: Vec::new(),
        mentioned: RefCell::default(),
        pipe_status: whole.rfind("PIPESTATUS").map(|byte| whole[..byte].chars().count()),
        whole,
    };
    walk.command(script, &Use { hard: Fate::Counts, soft: Fate::Counts });
    walk.functions();
    walk.traps();
    walk.flow
}

#[derive(Clone)]
struct State {
    shell: Shell,
    plus_e: Option<Range<usize>>,
    dir: String,
    branches: Vec<usize>,
}

/// What a failure leads to.
#[derive(Clone)]
struct Use {
    /// Where `-e` may end the script.
    hard: Fate,
    /// Where it may not: the status is all there is.
    soft: Fate,
}

impl Use {
    fn only(fate: Fate) -> Self {
        Self { hard: fate.clone(), soft: fate }
    }
}

struct Walk<'a> {
    script: &'a Command,
    text: &'a [char],
    state: State,
    flow: Flow,
    /// Where the script waits last for what runs in the background.
    last_wait: Option<usize>,
    /// Functions whose bodies are still to be walked through.
    defined: BTreeMap<String, Vec<&'a Command>>,
    /// Programs, and so functions, with the state in which each is called first.
    called: BTreeMap<String, State>,
    /// Those of them that were not looked at yet.
    open: Vec<String>,
    /// All functions, wherever they are defined.
    bodies: Functions<'a>,
    /// Commands of traps for the script's end, and where the traps stand.
    trapped: Vec<(String, Range<usize>)>,
    /// The loops around what is being walked through, the innermost last, and what becomes of the status of each.
    loops: Vec<(Attempts, Fate)>,
    /// Where each variable that was asked for is mentioned last.
    mentioned: RefCell<BTreeMap<String, Option<usize>>>,
    /// Where `PIPESTATUS` stands last.
    pipe_status: Option<usize>,
    /// The script's text.
    whole: String,
}

impl<'a> Walk<'a> {
    fn command(&mut self, command: &'a Command, used: &Use) {
        match &command.kind {
            Kind::Simple(simple) => self.simple(simple, &command.span, used),
            Kind::Pipeline(parts) => self.pipeline(parts, used),
            Kind::Not(inner) => self.command(inner, &Use::only(Fate::Read)),
            Kind::And(left, right) => self.and(left, right, used),
            Kind::Or(left, right) => self.or(left, right, used),
            Kind::List(items) => self.list(items, used),
            Kind::If { condition, then, otherwise } => {
                self.condition(condition, then, otherwise.as_deref());
                self.branch(then, used);
                if let Some(otherwise) = otherwise {
                    self.branch(otherwise, used);
                }
            }
            Kind::Loop { condition, body } => {
                if let Some(condition) = condition {
                    self.command(condition, &Use::only(Fate::Read));
                }
                // Without `-e` only the last round's status would be left.
                let round = match &used.soft {
                    Fate::Counts => self.goes_on(None),
                    other => other.clone(),
                };
                let attempts = Attempts::of(command, self.script, self.text, &self.bodies);
                self.loops.push((attempts, used.soft.clone()));
                self.command(body, &Use { hard: used.hard.clone(), soft: round });
                self.loops.pop();
            }
            Kind::Case(bodies) => bodies.iter().for_each(|body| self.branch(body, used)),
            Kind::Group(inner, _) => self.command(inner, used),
            Kind::Subshell(inner, _) => {
                let before = self.state.clone();
                self.command(inner, used);
                self.state = before;
            }
            Kind::Function(name, body) => self.defined.entry(name.clone()).or_default().push(body),
            Kind::Test => {}
        }
    }

    /// What may run or not.
    fn branch(&mut self, command: &'a Command, used: &Use) {
        self.state.branches.push(command.span.start);
        self.command(command, used);
        self.state.branches.pop();
    }

    /// The bodies of functions, each in the state of its first call; of those that nobody calls in the last one.
    fn functions(&mut self) {
        let last = self.state.clone();
        // Those that are known to be called come first: they may call the others.
        while let Some(name) = self.open.pop().or_else(|| self.defined.keys().next().cloned()) {
            let is_called = self.called.contains_key(&name);
            let state = self.called.get(&name).unwrap_or(&last).clone();
            for body in self.defined.remove(&name).unwrap_or_default() {
                let first = self.flow.runs.len();
                self.state = state.clone();
                self.state.branches.extend((!is_called).then_some(body.span.start));
                self.command(body, &Use { hard: Fate::Counts, soft: Fate::Counts });
                self.flow.functions.push((name.clone(), first..self.flow.runs.len()));
            }
        }
    }

    /// The traps that end the script well, by themselves or by a function.
    fn traps(&mut self) {
        let to_zero = |action: &str| action == "exit 0" || self.bodies.exits_zero(action);
        let found = self.trapped.iter().find(|(action, _)| to_zero(action));
        self.flow.exit_trap = found.map(|(_, span)| span.clone());
    }

    fn list(&mut self, items: &'a [Item], used: &Use) {
        let exit = |(at, item): (usize, &'a Item)| Some((at, exits_zero(std::slice::from_ref(item))?));
        let exits: Vec<(usize, Range<usize>)> = items.iter().enumerate().filter_map(exit).collect();
        for (at, item) in items.iter().enumerate() {
            let next = items.get(at + 1);
            let soft = if item.background {
                if self.waits(item.command.span.end) { Fate::Read } else { lost(Because::Background) }
            } else {
                match next {
                    None => used.soft.clone(),
                    Some(next) if self.reads_status(&next.command) => read_by(&next.command),
                    // In a list that is itself a condition nobody sees it either; the outer loss is the reason.
                    Some(_) if matches!(used.soft, Fate::Lost(_)) => used.soft.clone(),
                    Some(_) => {
                        let next = exits.partition_point(|(index, _)| *index <= at);
                        self.goes_on(exits.get(next).map(|(_, span)| span.clone()))
                    }
                }
            };
            let may_end = self.state.shell.errexit && !item.background && used.hard == Fate::Counts;
            let hard = if may_end { Fate::Counts } else { soft.clone() };
            self.command(&item.command, &Use { hard, soft });
        }
    }

    fn goes_on(&self, exit: Option<Range<usize>>) -> Fate {
        let because = match (exit, &self.state.plus_e) {
            (Some(exit), _) if !self.state.shell.errexit => Because::ExitsZero(exit),
            _ if self.state.shell.errexit => Because::AndList,
            (_, Some(span)) => Because::SetPlusE(span.clone()),
            (_, None) => Because::NeverSet,
        };
        lost(because)
    }

    fn and(&mut self, left: &'a Command, right: &'a Command, used: &Use) {
        let kept = self.is_kept(&ending(right), right.span.end);
        // `… && { echo 'it must fail'; exit 1; }`
        let soft = if kept || self.bodies.fails(right) || (leaves(right) && !leaves_well(right)) {
            Fate::Read
        } else if breaks(right) || leaves_well(right) {
            self.attempted(left, right.span.end, used)
        } else {
            used.soft.clone()
        };
        self.command(left, &Use::only(soft));
        let tests = match &left.kind {
            Kind::Test | Kind::Not(_) => true,
            Kind::Simple(simple) => simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "[" | "test")),
            _ => false,
        };
        if tests { self.branch(right, used) } else { self.command(right, used) }
    }

    /// What becomes of a failure in `… && break` and `… && exit 0`.
    fn attempted(&self, left: &Command, end: usize, used: &Use) -> Fate {
        match self.loops.last() {
            Some((around, soft)) if !around.fails && !around.is_run_again(left) => {
                if end == around.last {
                    soft.clone()
                } else {
                    used.soft.clone()
                }
            }
            _ => Fate::Read,
        }
    }

    fn or(&mut self, left: &'a Command, right: &'a Command, used: &Use) {
        let by = self.operator_before(right.span.start)..right.span.end;
        let bare = is_bare(right);
        let ending = self.bodies.ending(right);
        // Known once the right side was walked through.
        let runs = usize::MAX..usize::MAX;
        let fate = match &ending {
            Ending::Nothing => Fate::Lost(Loss::Swallowed { by, bare }),
            Ending::Records(records) => Fate::Lost(Loss::Recorded { by, records: records.clone() }),
            Ending::Keeps(_) if !self.is_kept(&ending, right.span.end) => {
                Fate::Lost(Loss::Swallowed { by, bare: false })
            }
            Ending::Unknown if !self.asks_for_status(right) => Fate::Lost(Loss::Replaced { by, runs }),
            _ => Fate::Read,
        };
        // The failing branch of `a && b || c` may hold for both.
        let first = self.flow.runs.len();
        self.command(left, &Use::only(fate));
        let second = self.flow.runs.len();
        self.branch(right, used);
        let end = self.flow.runs.len();
        for run in &mut self.flow.runs[first..second] {
            if let Fate::Lost(Loss::Replaced { runs, .. }) = &mut run.fate
                && runs.start == usize::MAX
            {
                *runs = second..end;
            }
        }
    }

    fn condition(&mut self, condition: &'a Command, then: &'a Command, otherwise: Option<&'a Command>) {
        let (negated, inner) = match &condition.kind {
            Kind::Not(inner) => (true, &**inner),
            _ => (false, condition),
        };
        let (failing, passing) = if negated { (Some(then), otherwise) } else { (otherwise, Some(then)) };
        let failed = failing.map_or(Ending::Nothing, |branch| self.bodies.ending(branch));
        // A branch for success that fails, or that keeps something, is a test of its own.
        let passed = passing.map_or(Ending::Nothing, |branch| self.bodies.ending(branch));
        let tested = matches!(passed, Ending::Fails | Ending::Keeps(_));
        let records = |all: &[&Ending]| -> Vec<Record> {
            let lists =
                all.iter().filter_map(|ending| if let Ending::Records(list) = ending { Some(list) } else { None });
            lists.flatten().cloned().collect()
        };
        let written = if matches!(failed, Ending::Nothing | Ending::Records(_)) {
            records(&[&failed, &passed])
        } else {
            Vec::new()
        };
        let fate = if failed == Ending::Nothing && !tested && !negated && failing.is_none() && is_question(inner) {
            Fate::Read
        } else if !written.is_empty() && !tested {
            Fate::Lost(Loss::Recorded { by: condition.span.clone(), records: written })
        } else if failed == Ending::Nothing && !tested {
            Fate::Lost(Loss::Ignored { condition: condition.span.clone() })
        } else {
            Fate::Read
        };
        self.command(inner, &Use::only(fate));
    }

    fn pipeline(&mut self, parts: &'a [Command], used: &Use) {
        let Some((last, before)) = parts.split_last() else { return };
        let lost_to = match &last.kind {
            Kind::Simple(simple) => Invocation::of(simple),
            _ => Invocation { program: "a block".to_owned(), ..Invocation::default() },
        };
        let read = self.pipe_status.is_some_and(|at| at >= last.span.end);
        let tee = written_by_tee(last);
        for (at, part) in before.iter().enumerate() {
            let first = self.flow.runs.len();
            if self.state.shell.pipefail {
                self.command(part, used);
            } else if read || decides(&lost_to) {
                self.command(part, &Use::only(Fate::Read));
            } else {
                let into = match before.get(at + 1).map(|next| &next.kind) {
                    Some(Kind::Simple(next)) => Invocation::of(next).program,
                    _ => lost_to.program.clone(),
                };
                let filter = FILTERS.contains(&lost_to.program.as_str());
                self.command(part, &Use::only(Fate::Lost(Loss::Piped { into, filter })));
            }
            for run in &mut self.flow.runs[first..] {
                run.outputs.extend(tee.iter().cloned());
            }
        }
        self.command(last, used);
    }

    fn simple(&mut self, simple: &Simple, span: &Range<usize>, used: &Use) {
        let invocation = Invocation::of(simple);
        self.builtin(&invocation, span);
        if !self.called.contains_key(&invocation.program) {
            self.called.insert(invocation.program.clone(), self.state.clone());
            self.open.push(invocation.program.clone());
        }
        let mut outputs = files(&invocation.arguments);
        outputs.extend(simple.redirects.iter().filter(|to| to.sign.contains('>')).map(|to| to.target.clone()));
        outputs.retain(|file| !file.starts_with("/dev/") && !file.starts_with('&'));
        let mut fate = if self.state.shell.errexit { used.hard.clone() } else { used.soft.clone() };
        if let (Fate::Counts, Some(end)) = (&fate, ends_each(simple)) {
            fate = Fate::Lost(Loss::EachFile(end));
        }
        self.flow.runs.push(Run {
            span: span.clone(),
            invocation,
            assignments: simple.assignments.iter().map(|word| word.raw.clone()).collect(),
            fate,
            outputs,
            dir: self.state.dir.clone(),
            handed: handed(simple, self.text, self.state.shell),
            calls: Vec::new(),
            gate: None,
            branches: self.state.branches.clone(),
        });
    }

    /// What a builtin does to the rest of the script.
    fn builtin(&mut self, invocation: &Invocation, span: &Range<usize>) {
        let arguments = invocation.arguments();
        match (invocation.program.as_str(), arguments.as_slice()) {
            ("set", _) => self.set(&arguments, span),
            ("cd" | "pushd", [dir, ..]) => self.state.dir = join(&self.state.dir, dir),
            ("popd", _) => self.state.dir = String::new(),
            ("trap", [action, signals @ ..]) => {
                let at_exit = signals.iter().any(|signal| matches!(*signal, "EXIT" | "ERR" | "0"));
                let parts = action.split([';', '\n', '&']).filter(|_| at_exit);
                self.trapped.extend(parts.map(|part| (part.trim().to_owned(), span.clone())));
            }
            _ => {}
        }
    }

    fn set(&mut self, arguments: &[&str], span: &Range<usize>) {
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (on, flags) = match argument.strip_prefix('-') {
                Some(flags) => (true, flags),
                None => match argument.strip_prefix('+') {
                    Some(flags) => (false, flags),
                    None => break,
                },
            };
            if flags.contains('e') && !flags.starts_with('-') {
                self.errexit(on, span);
            }
            if flags.ends_with('o') {
                match arguments.next() {
                    Some(&"pipefail") => self.state.shell.pipefail = on,
                    Some(&"errexit") => self.errexit(on, span),
                    _ => {}
                }
            }
        }
    }

    fn errexit(&mut self, on: bool, span: &Range<usize>) {
        self.state.shell.errexit = on;
        self.state.plus_e = (!on).then(|| span.clone());
    }

    fn slice(&self, span: &Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or_default().iter().collect()
    }

    fn operator_before(&self, from: usize) -> usize {
        (0..from).rev().find(|at| self.text[*at..].starts_with(&['|', '|'])).unwrap_or(from)
    }

    fn asks_for_status(&self, command: &Command) -> bool {
        let text = self.slice(&command.span);
        ["$?", "${?}", "PIPESTATUS"].iter().any(|sign| text.contains(sign))
    }

    /// Whether a command looks at `$?`, other than to print it.
    fn reads_status(&self, command: &Command) -> bool {
        let reads = self.asks_for_status(command);
        let prints =
            matches!(&command.kind, Kind::Simple(simple) if says_something(simple) && !records(&simple.redirects));
        if !reads || prints {
            return false;
        }
        // `rc=$?` is a look only if somebody looks at `rc`.
        match ending(command) {
            Ending::Keeps(names) => self.uses(&names, command.span.end),
            _ => true,
        }
    }

    fn uses(&self, names: &[String], from: usize) -> bool {
        names.iter().any(|name| self.last_mention(name).is_some_and(|at| at >= from))
    }

    fn last_mention(&self, name: &str) -> Option<usize> {
        let find = || last_mention(&self.whole, name).map(|byte| self.whole[..byte].chars().count());
        *self.mentioned.borrow_mut().entry(name.to_owned()).or_insert_with(find)
    }

    fn is_kept(&self, ending: &Ending, from: usize) -> bool {
        // In a loop the look may stand above.
        match ending {
            Ending::Keeps(names) => {
                self.uses(names, from) || names.iter().any(|name| self.last_mention(name).is_some())
            }
            _ => false,
        }
    }

    fn waits(&self, from: usize) -> bool {
        self.last_wait.is_some_and(|at| at >= from)
    }
}

/// What becomes of a failure that the next command looks at.
fn read_by(next: &Command) -> Fate {
    match ending(next) {
        Ending::Records(records) => Fate::Lost(Loss::Recorded { by: next.span.clone(), records }),
        _ => Fate::Read,
    }
}

/// The `\;` that ends `find … -exec …` and with it the command: nothing that follows asks how it went.
fn ends_each(simple: &Simple) -> Option<Range<usize>> {
    let last = simple.words.last().filter(|word| word.text == ";")?;
    let executes = simple.words.iter().any(|word| matches!(word.text.as_str(), "-exec" | "-execdir"));
    executes.then(|| last.span.clone())
}

/// `if a | grep -q …; then`: the output is asked for, not the status.
const fn is_question(condition: &Command) -> bool {
    matches!(&condition.kind, Kind::Pipeline(_))
}

const fn lost(because: Because) -> Fate {
    Fate::Lost(Loss::GoesOn { because })
}

/// Whether text has `$name` or `${name`, or a test of `name` in an arithmetic.
#[must_use]
pub fn mentions(text: &str, name: &str) -> bool {
    last_mention(text, name).is_some()
}

/// The last such place, in bytes.
fn last_mention(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let last = |sign: &&str| {
        let found = format!("{sign}{name}");
        let mut all = text.rmatch_indices(found.as_str()).map(|(at, _)| at);
        all.find(|at| !text[at + found.len()..].starts_with(is_part))
    };
    ["$", "${", "(( ", "((", "${#"].iter().filter_map(last).max()
}

fn join(dir: &str, next: &str) -> String {
    if next.starts_with([OWN, ROOT]) {
        return next.to_owned();
    }
    if dir.starts_with([OWN, ROOT]) {
        return format!("{dir}/{next}");
    }
    if next.starts_with('/') || next.starts_with(super::shell::OPAQUE) || dir.contains(super::shell::OPAQUE) {
        return super::shell::OPAQUE.to_string();
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in next.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}
