//! Questions that a script asks of the repository, and that make it fail without a word: beside a linter with old findings
//! nobody sees that it was they. Questions of how something ended are none of them.

use std::collections::BTreeSet;

use super::behind::looks_at_nothing;
use super::guards::Guards;
use crate::integrity::command::Invocation;
use crate::integrity::script::Script;
use crate::integrity::shell::{Command, Item, Kind, Simple};

/// Programs that answer by their status.
const ASKS: &[&str] = &["[", "command", "egrep", "fgrep", "git", "grep", "jq", "rg", "test", "which", "yq"];

/// The first such question of a script.
pub fn silent(guards: &Guards<'_>, number: usize, script: &Script) -> Option<String> {
    let text: String = script.piece.chars.iter().collect();
    let asked = Asked {
        guards,
        number,
        script,
        statuses: statuses(&text),
        first_tool: first_tool(&script.command),
        called: None,
    };
    asked.command(&script.command, true).map(|command| asked.text(command))
}

#[derive(Clone)]
struct Asked<'a> {
    guards: &'a Guards<'a>,
    number: usize,
    script: &'a Script,
    /// Variables by which the script may end.
    statuses: BTreeSet<String>,
    /// Where the first command stands that may find something.
    first_tool: Option<usize>,
    /// Where a function is called last, in which the questions stand.
    called: Option<usize>,
}

impl Asked<'_> {
    /// `ends`: the status of the command is the script's.
    fn command<'c>(&self, command: &'c Command, ends: bool) -> Option<&'c Command> {
        let asks = |condition: &'c Command, branches: &[Option<&Command>]| {
            let fails = branches.iter().flatten().any(|branch| self.fails(condition, branch));
            (fails && self.is_question(condition)).then_some(condition)
        };
        match &command.kind {
            Kind::And(left, right) | Kind::Or(left, right) => {
                asks(left, &[Some(right)]).or_else(|| self.command(left, false)).or_else(|| self.command(right, false))
            }
            Kind::If { condition, then, otherwise } => {
                let otherwise = otherwise.as_deref();
                asks(condition, &[Some(then), otherwise])
                    .or_else(|| self.command(then, ends))
                    .or_else(|| otherwise.and_then(|otherwise| self.command(otherwise, ends)))
            }
            Kind::List(items) => self.list(items, ends),
            Kind::Loop { body, .. } => self.command(body, false),
            Kind::Group(inner, _) | Kind::Subshell(inner, _) => self.command(inner, ends),
            Kind::Function(name, body) => {
                let called = Some(last_call(&self.script.command, name).unwrap_or(usize::MAX));
                Self { called, ..self.clone() }.command(body, false)
            }
            Kind::Case(bodies) => bodies.iter().find_map(|body| self.command(body, ends)),
            Kind::Simple(_) | Kind::Test | Kind::Not(_) | Kind::Pipeline(_) => {
                (ends && self.is_question(command)).then_some(command)
            }
        }
    }

    fn list<'c>(&self, items: &'c [Item], ends: bool) -> Option<&'c Command> {
        let errexit = self.script.shell.errexit;
        let each =
            |(at, item): (usize, &'c Item)| self.command(&item.command, errexit || (ends && at + 1 == items.len()));
        items.iter().enumerate().find_map(each)
    }

    /// Whether a command asks something else than how another one ended, and nothing is run for it that shows what it found.
    fn is_question(&self, command: &Command) -> bool {
        let (mut asks, mut shows) = (false, false);
        command.each(&mut |inner| match &inner.kind {
            Kind::Test => asks = true,
            Kind::Simple(simple) => {
                let invocation = Invocation::of(simple);
                asks |=
                    ASKS.contains(&invocation.program.as_str()) || invocation.arguments.iter().any(|word| word == "-q");
                shows |= !looks_at_nothing(&invocation);
            }
            _ => {}
        });
        asks && !shows && !self.guards.asks(self.number, command)
    }

    /// Whether a branch makes the script fail. One that leaves it before anything was found is not why something was.
    fn fails(&self, condition: &Command, branch: &Command) -> bool {
        let (mut leaves, mut keeps) = (false, false);
        plain(branch, &mut |simple| {
            let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
            leaves |= matches!(words.as_slice(), ["exit" | "return", code, ..] if *code != "0") || words == ["false"];
            keeps |= sets(simple).any(|(name, value)| !matches!(value, "0" | "") && self.statuses.contains(name));
        });
        let at = self.called.unwrap_or(condition.span.start);
        keeps || (leaves && self.first_tool.is_none_or(|first| first < at))
    }

    fn text(&self, command: &Command) -> String {
        self.script.piece.chars.get(command.span.clone()).unwrap_or_default().iter().collect()
    }
}

/// Shows the commands that run where a branch is taken, whatever comes of others in it.
fn plain(branch: &Command, seen: &mut dyn FnMut(&Simple)) {
    match &branch.kind {
        Kind::Simple(simple) => seen(simple),
        Kind::List(items) => items.iter().for_each(|item| plain(&item.command, seen)),
        Kind::Group(inner, _) | Kind::Subshell(inner, _) => plain(inner, seen),
        Kind::And(left, right) => [left, right].into_iter().for_each(|part| plain(part, seen)),
        _ => {}
    }
}

fn sets(simple: &Simple) -> impl Iterator<Item = (&str, &str)> {
    let words = simple.words.iter().filter(|_| {
        simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "declare" | "export" | "local" | "let"))
    });
    simple.assignments.iter().chain(words).filter_map(|word| word.raw.split_once('='))
}

fn last_call(script: &Command, name: &str) -> Option<usize> {
    let mut last = None;
    script.each(&mut |command| {
        if let Kind::Simple(simple) = &command.kind
            && simple.words.first().is_some_and(|word| word.text == name)
        {
            last = last.max(Some(command.span.start));
        }
    });
    last
}

fn first_tool(script: &Command) -> Option<usize> {
    let mut first = None;
    script.each(&mut |command| {
        if let Kind::Simple(simple) = &command.kind
            && !looks_at_nothing(&Invocation::of(simple))
        {
            first = first.or(Some(command.span.start)).min(Some(command.span.start));
        }
    });
    first
}

/// The variables that a script names where it ends, or asks for in a condition: `exit ${rc:-0}`, `[ "$rc" = 0 ]`.
fn statuses(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let ends = |part: &&str| {
        let mut words = part.split(|c: char| !is_part(c));
        part.contains('[') || part.contains("((") || words.any(|word| matches!(word, "exit" | "return" | "test"))
    };
    let names = text.split(['\n', ';', '&', '|']).filter(ends).flat_map(|part| part.split(|c: char| !is_part(c)));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
