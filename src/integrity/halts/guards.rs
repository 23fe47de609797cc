//! Where a script gives up: commands that leave it, and those that ask how earlier ones ended and then leave something out.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::behind::{is_mute, looks_at_nothing};
use crate::integrity::command::Invocation;
use crate::integrity::ending::{Ending, Functions};
use crate::integrity::flow::Run;
use crate::integrity::pipe::is_output;
use crate::integrity::script::Script;
use crate::integrity::shell::{self, Command, Kind, OPAQUE, Simple};

/// Functions that call one another more deeply are not followed.
const CALLS: u8 = 4;

/// Whether a command sets variables to what is printed for it.
pub fn reads(simple: &Simple) -> bool {
    let mut words = simple.words.iter().map(|word| word.text.as_str());
    match words.next() {
        Some("mapfile" | "read" | "readarray") => true,
        Some("printf") => words.any(|word| word == "-v"),
        _ => false,
    }
}

/// The most commands that are looked at: functions that call many others are not followed for ever.
const MOST_STEPS: usize = 200_000;

/// What a command may leave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leaves {
    /// The round of a loop.
    pub round: bool,
    /// The loop, the function or the script.
    pub out: bool,
}

impl Leaves {
    const fn or(self, other: Self) -> Self {
        Self { round: self.round || other.round, out: self.out || other.out }
    }
}

/// What is known of all scripts for it.
pub struct Guards<'a> {
    functions: Functions<'a>,
    bodies: BTreeMap<&'a str, (usize, &'a Command)>,
    /// Where each script asks for a status, sorted.
    asks: Vec<Vec<usize>>,
    steps: Cell<usize>,
}

impl<'a> Guards<'a> {
    pub fn of(scripts: &'a [Script]) -> Self {
        let mut bodies = BTreeMap::new();
        for (number, script) in scripts.iter().enumerate() {
            script.command.each(&mut |command| {
                if let Kind::Function(name, body) = &command.kind {
                    bodies.insert(name.as_str(), (number, &**body));
                }
            });
        }
        let functions = Functions::of_all(scripts.iter().map(|script| &script.command));
        let asks = scripts.iter().map(|script| Kept::of(&script.command).asked(&script.piece.chars)).collect();
        Self { functions, bodies, asks, steps: Cell::new(0) }
    }

    /// Whether a command may fail where it stands for the failure of another.
    pub fn may_fail(&self, command: &Command) -> bool {
        !matches!(self.functions.ending(command), Ending::Nothing | Ending::Keeps(_) | Ending::Records(_))
    }

    /// What a command may leave.
    pub fn leaves(&self, command: &Command) -> Leaves {
        self.leaves_within(command, CALLS)
    }

    fn is_too_long(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() > MOST_STEPS
    }

    fn leaves_within(&self, command: &Command, calls: u8) -> Leaves {
        if self.is_too_long() {
            return Leaves { round: true, out: true };
        }
        let inner = |command: &Command| self.leaves_within(command, calls);
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, calls),
            Kind::And(left, right) | Kind::Or(left, right) => inner(left).or(inner(right)),
            Kind::List(items) => items.iter().fold(Leaves::default(), |leaves, item| leaves.or(inner(&item.command))),
            Kind::If { condition, then, otherwise } => {
                let otherwise = otherwise.as_deref().map(inner).unwrap_or_default();
                inner(condition).or(inner(then)).or(otherwise)
            }
            Kind::Loop { body, .. } => Leaves { round: false, ..inner(body) },
            Kind::Case(bodies) => bodies.iter().fold(Leaves::default(), |leaves, body| leaves.or(inner(body))),
            Kind::Group(body, _) | Kind::Not(body) => inner(body),
            // What stands in a shell of its own leaves no other one.
            Kind::Subshell(..) | Kind::Pipeline(_) | Kind::Function(..) | Kind::Test => Leaves::default(),
        }
    }

    fn simple(&self, command: &Command, simple: &Simple, calls: u8) -> Leaves {
        let name = simple.words.first().map(|word| word.text.as_str()).unwrap_or_default();
        let of_function = calls < CALLS;
        match (name, self.bodies.get(name)) {
            (_, Some((_, body))) if calls > 0 => self.leaves_within(body, calls - 1),
            (_, Some(_)) | ("exit" | "exec" | "kill", None) => Leaves { round: true, out: true },
            ("continue", None) => Leaves { round: !of_function, out: false },
            ("return" | "break", None) => Leaves { round: !of_function, out: !of_function },
            ("false", None) => Leaves::default(),
            _ => {
                let fails = self.functions.ending(command) == Ending::Fails;
                Leaves { round: fails, out: fails }
            }
        }
    }

    /// Whether a command asks how something before it ended, and may then leave something out.
    pub fn is_guard(&self, number: usize, command: &Command, more: bool, round: bool) -> bool {
        self.is_guard_within(number, command, (more, round), CALLS)
    }

    /// The same of a loop, whose rounds come behind one another.
    pub fn of_loop(&self, number: usize, condition: Option<&Command>, body: &Command) -> bool {
        condition.is_some_and(|condition| self.asks(number, condition)) || self.is_guard(number, body, true, true)
    }

    fn is_guard_within(&self, number: usize, command: &Command, behind: (bool, bool), calls: u8) -> bool {
        if self.is_too_long() {
            return true;
        }
        let inner = |command: &Command| self.is_guard_within(number, command, behind, calls);
        let leaves_out = |branch: &Command| {
            let leaves = self.leaves(branch);
            !is_mute(branch) || (leaves.out && behind.0) || (leaves.round && behind.1)
        };
        match &command.kind {
            Kind::Simple(simple) => {
                let body = simple.words.first().and_then(|word| self.bodies.get(word.text.as_str()));
                body.filter(|_| calls > 0)
                    .is_some_and(|(number, body)| self.is_guard_within(*number, body, behind, calls - 1))
            }
            Kind::And(left, right) | Kind::Or(left, right) => {
                (self.asks(number, left) && leaves_out(right)) || inner(left) || inner(right)
            }
            Kind::If { condition, then, otherwise } => {
                let otherwise = otherwise.as_deref();
                (self.asks(number, condition) && (leaves_out(then) || otherwise.is_some_and(leaves_out)))
                    || inner(condition)
                    || inner(then)
                    || otherwise.is_some_and(inner)
            }
            Kind::Case(bodies) => {
                (self.asks(number, command) && bodies.iter().any(leaves_out)) || bodies.iter().any(inner)
            }
            Kind::Loop { condition, body } => {
                let asked = condition.as_ref().is_some_and(|condition| self.asks(number, condition));
                (asked && leaves_out(body)) || inner(body)
            }
            Kind::List(items) => items.iter().any(|item| inner(&item.command)),
            Kind::Group(body, _) | Kind::Subshell(body, _) | Kind::Not(body) => inner(body),
            Kind::Pipeline(parts) => parts.iter().any(inner),
            Kind::Function(..) | Kind::Test => false,
        }
    }

    /// Whether a command asks how something before it ended.
    pub fn asks(&self, number: usize, command: &Command) -> bool {
        let asks = &self.asks[number];
        let next = asks.partition_point(|at| *at < command.span.start);
        asks.get(next).is_some_and(|at| *at < command.span.end)
    }

    /// `trap 'exit 1' ERR` ends a script where errexit would.
    pub fn traps(&self, run: &Run) -> bool {
        let arguments = run.invocation.arguments();
        let [action, signals @ ..] = arguments.as_slice() else { return false };
        let on_error = run.invocation.program == "trap" && signals.contains(&"ERR");
        on_error && (action.contains(OPAQUE) || shell::read(action).map_or(true, |command| self.leaves(&command).out))
    }
}

/// What a script keeps a failure in.
#[derive(Default)]
struct Kept {
    /// Variables: those that are set from a status or from what a tool prints, and those that are set in a branch.
    names: BTreeSet<String>,
    /// Files that are written by a tool or in a branch, and where: there nobody asks for them.
    files: BTreeSet<String>,
    written: Vec<Range<usize>>,
}

impl Kept {
    fn of(script: &Command) -> Self {
        let mut kept = Self::default();
        script.each(&mut |command| match &command.kind {
            Kind::And(_, right) | Kind::Or(_, right) => kept.all(right, Set::Any),
            Kind::If { then, otherwise, .. } => {
                kept.all(then, Set::Any);
                if let Some(otherwise) = otherwise {
                    kept.all(otherwise, Set::Any);
                }
            }
            Kind::Case(bodies) => bodies.iter().for_each(|body| kept.all(body, Set::Any)),
            // `while read -r line; do failed=1; done`
            Kind::Loop { body, .. } => kept.all(body, Set::Plain),
            Kind::Pipeline(_) | Kind::Group(..) | Kind::Subshell(..) if may_find(command) => kept.writes(command),
            Kind::Simple(_) => kept.all(command, Set::OfTools),
            _ => {}
        });
        kept
    }

    /// What is set in a command, and what is written there.
    fn all(&mut self, command: &Command, set: Set) {
        command.each(&mut |command| {
            let Kind::Simple(simple) = &command.kind else { return };
            for (name, value) in
                simple.assignments.iter().chain(&simple.words).filter_map(|word| word.raw.split_once('='))
            {
                let of_status = || ["$?", "PIPESTATUS", "${?}"].iter().any(|words| value.contains(words));
                let of_set = match set {
                    Set::Any => true,
                    Set::Plain => !value.contains(['$', '`']),
                    Set::OfTools => false,
                };
                if of_set || of_status() || has_tool(value) {
                    self.names.insert(name.trim_end_matches('+').to_owned());
                }
            }
            self.reads(simple);
            if set == Set::Any || !looks_at_nothing(&Invocation::of(simple)) {
                self.writes(command);
            }
        });
    }

    /// `printf -v out …`, `mapfile -t out < <(tool)`, `read -r out <<< "$(tool)"`
    fn reads(&mut self, simple: &Simple) {
        if !reads(simple) {
            return;
        }
        let raw = simple.words.iter().map(|word| &word.raw).chain(simple.redirects.iter().map(|to| &to.target));
        if raw.into_iter().any(|raw| has_tool(raw)) {
            let words = simple.words.iter().skip(1).map(|word| &word.text);
            self.names.extend(words.filter(|word| !word.contains([OPAQUE, '-', '%'])).cloned());
        }
    }

    /// The files that a command writes.
    fn writes(&mut self, command: &Command) {
        command.each(&mut |command| {
            let redirects = match &command.kind {
                Kind::Simple(simple) => {
                    let writes = matches!(simple.words.first().map(|word| word.text.as_str()), Some("tee" | "touch"));
                    for pair in simple.words.windows(2) {
                        let [before, word] = pair else { continue };
                        if writes || is_output_of(&before.text, &word.text) {
                            let value = word.raw.rsplit_once('=').map_or(word.raw.as_str(), |(_, value)| value);
                            self.file(value, word.span.end - value.chars().count());
                        }
                    }
                    &simple.redirects
                }
                Kind::Group(_, redirects) | Kind::Subshell(_, redirects) => redirects,
                _ => return,
            };
            for to in redirects.iter().filter(|to| to.sign.contains('>')) {
                self.file(&to.target, to.at);
            }
        });
    }

    fn file(&mut self, raw: &str, at: usize) {
        self.written.push(at..at + raw.chars().count());
        let name = raw.replace(['"', '\''], "");
        match name.strip_prefix('$') {
            Some(variable) => {
                let part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
                self.names.extend(Some(variable.trim_start_matches('{').chars().take_while(part).collect()));
            }
            None if name.starts_with("/dev/") || name.starts_with(['&', '-']) || name.is_empty() => {}
            None => self.files.extend(Some(name)),
        }
    }

    /// Where a text asks for any of it.
    fn asked(&self, text: &[char]) -> Vec<usize> {
        let mut found = asks(text, &self.names);
        let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        for file in &self.files {
            let file: Vec<char> = file.chars().collect();
            let ends = |at: usize| {
                let before = at.checked_sub(1).is_some_and(|before| text[before] != '/' && is_part(&text[before]));
                !before && !text.get(at + file.len()).is_some_and(is_part)
            };
            let here = (0..text.len()).filter(|at| text[*at..].starts_with(&file) && ends(*at));
            found.extend(here);
        }
        found.retain(|at| !self.written.iter().any(|written| written.contains(at)));
        found.sort_unstable();
        found
    }
}

/// Which of what is set somewhere may hold a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    /// Words that are no one's output.
    Plain,
    /// A status, or what a tool prints.
    OfTools,
}

/// Whether a word that stands behind another one names what a program writes: `-o out`, `--junitxml=out.xml`.
fn is_output_of(before: &str, word: &str) -> bool {
    let is_flag = before == "-o" || ["--out", "--log", "--report"].iter().any(|flag| before.starts_with(flag));
    (is_flag && !word.starts_with('-')) || (word.starts_with("--") && word.contains('=') && is_output(word))
}

/// Whether a command may find something.
fn may_find(command: &Command) -> bool {
    let mut may = false;
    command.each(&mut |command| {
        may |= matches!(&command.kind, Kind::Simple(simple) if !looks_at_nothing(&Invocation::of(simple)));
    });
    may
}

/// Whether a word has what a tool prints: that it prints something may be its failure.
fn has_tool(word: &str) -> bool {
    shell::substitutions(word, 0).iter().any(|(text, _)| shell::read(text).is_ok_and(|command| may_find(&command)))
}

/// Where a script says `$?`, or names such a variable.
fn asks(text: &[char], kept: &BTreeSet<String>) -> Vec<usize> {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let named = |from: usize| -> String {
        let from = if text.get(from) == Some(&'{') { from + 1 } else { from };
        text[from..].iter().skip_while(|c| **c == '#').take_while(|c| is_part(c)).collect()
    };
    let is_ask = |at: &usize| match text[*at] {
        '$' => {
            let rest = &text[*at + 1..];
            let status = rest.starts_with(&['?']) || rest.starts_with(&['{', '?']);
            status
                || rest.first().is_some_and(|_| {
                    let name = named(*at + 1);
                    name == "PIPESTATUS" || kept.contains(&name)
                })
        }
        // `((rc))`, `(( rc > 0 ))`
        '(' if text[..*at].ends_with(&['(']) => {
            let rest = text[*at + 1..].iter().take_while(|c| **c == ' ').count();
            kept.contains(&named(*at + 1 + rest))
        }
        _ => false,
    };
    (0..text.len()).filter(is_ask).collect()
}
