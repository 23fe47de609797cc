//! Loops of attempts, `for i in 1 2 3; do gate && break; done`: whether a gate that fails in every round still fails
//! something. It looks at the loop and at what stands behind it, and knows no gates.

use std::collections::BTreeSet;

use super::ending::Functions;
use super::shell::{Command, Kind, Simple};

/// A loop that is being walked through.
#[derive(Debug)]
pub struct Attempts {
    /// Where the last command of its body ends: that one's status is the loop's.
    pub last: usize,
    /// Something fails where no round was left early.
    pub fails: bool,
    /// What runs behind the loop, word by word.
    behind: BTreeSet<Vec<String>>,
}

impl Attempts {
    /// A loop of a script, with the functions of it.
    #[must_use]
    pub fn of(looped: &Command, script: &Command, text: &[char], functions: &Functions<'_>) -> Self {
        let mut this = Self { last: 0, fails: false, behind: BTreeSet::new() };
        let Kind::Loop { condition, body } = &looped.kind else { return this };
        this.last = end_of_last(body);
        let slice =
            |command: &Command| -> String { text.get(command.span.clone()).unwrap_or_default().iter().collect() };
        let names = names_set(&slice(looped));
        let asks = |command: &Command| names_in(&slice(command)).any(|(name, _)| names.contains(name));
        let mut breaks = 0;
        body.each(&mut |command| {
            if let Kind::Simple(simple) = &command.kind {
                this.fails |= functions.fails(command);
                breaks += usize::from(is_named(simple, "break"));
            }
        });
        this.fails |= breaks < 2 && is_endless(condition.as_deref(), &slice(looped));
        script.each(&mut |command| {
            if command.span.start < looped.span.end {
                return;
            }
            match &command.kind {
                Kind::Simple(simple) => {
                    let tests = ["[", "test"].iter().any(|program| is_named(simple, program));
                    this.fails |= functions.fails(command) || (tests && asks(command));
                    this.behind.insert(words(simple));
                }
                Kind::Test => this.fails |= asks(command),
                _ => {}
            }
        });
        this
    }

    /// Whether a command that is tried runs once more behind the loop, or is a build of what something there needs.
    #[must_use]
    pub fn is_run_again(&self, tried: &Command) -> bool {
        const BUILDS: &[&str] = &["build", "b", "check", "compile", "assemble", "package"];
        let Kind::Simple(simple) = &tried.kind else { return false };
        let tried = words(simple);
        let builds = tried.get(1).is_some_and(|verb| BUILDS.contains(&verb.as_str()));
        self.behind.contains(&tried) || (builds && self.behind.iter().any(|other| other.first() == tried.first()))
    }
}

fn words(simple: &Simple) -> Vec<String> {
    simple.words.iter().map(|word| word.text.clone()).collect()
}

/// `break`, or a block that ends in it.
#[must_use]
pub fn breaks(command: &Command) -> bool {
    match &command.kind {
        Kind::Simple(simple) => is_named(simple, "break"),
        Kind::Group(inner, _) => breaks(inner),
        Kind::List(items) => items.last().is_some_and(|item| breaks(&item.command)),
        _ => false,
    }
}

fn is_named(simple: &Simple, name: &str) -> bool {
    simple.words.first().is_some_and(|word| word.text == name)
}

fn end_of_last(command: &Command) -> usize {
    match &command.kind {
        Kind::List(items) => items.last().map_or(command.span.end, |item| end_of_last(&item.command)),
        Kind::Group(inner, _) => end_of_last(inner),
        _ => command.span.end,
    }
}

/// `while true`, `until false`, `for ((;;))`: only `break` leads out of it.
fn is_endless(condition: Option<&Command>, text: &str) -> bool {
    let Some(mut condition) = condition else {
        let head: String = text.chars().take_while(|c| *c != '\n').filter(|c| !c.is_whitespace()).collect();
        return head.starts_with("for((;;))");
    };
    while let Kind::List(items) = &condition.kind
        && let [item] = items.as_slice()
    {
        condition = &item.command;
    }
    matches!(&condition.kind, Kind::Simple(simple) if ["true", ":", "false"].iter().any(|name| is_named(simple, name)))
}

/// The variables that a text sets: `n=1`, `n+=1`, `((n++))`, `for n in`.
fn names_set(text: &str) -> BTreeSet<String> {
    let mut counts = false;
    let mut names = BTreeSet::new();
    for (name, behind) in names_in(text) {
        let set = behind.starts_with('=') && !behind.starts_with("==");
        if counts || set || ["+=", "++", "--"].iter().any(|sign| behind.starts_with(sign)) {
            names.insert(name.to_owned());
        }
        counts = name == "for";
    }
    names
}

/// The words of a text that may be names of variables, each with what follows it.
fn names_in(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_part)?;
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        let name = &rest[start..end];
        rest = &rest[end..];
        Some((name, rest))
    })
}
