//! What an alternative to a command amounts to: whether `|| …` or a branch forgives a failure, keeps it, or fails itself.

use std::collections::BTreeMap;
use std::ops::Range;

use super::shell::{Command, Item, Kind, OPAQUE, Redirect, Simple};

/// What an alternative (`|| …`, a failing branch) amounts to.
#[derive(Debug, PartialEq)]
pub enum Ending {
    /// It only says something, or nothing.
    Nothing,
    /// It ends in failure.
    Fails,
    /// It keeps the failure in variables.
    Keeps(Vec<String>),
    /// It writes the failure down.
    Records(Vec<Record>),
    /// It does something of its own that may well fail.
    Works,
    /// It runs a command of which nothing is known.
    Unknown,
}

/// A failure that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where, as it is written there without quotes.
    pub file: String,
    /// The names that it is written under, `failed` of `failed=true`; none where that does not show.
    pub names: Vec<String>,
}

/// Whether a command only says something, or nothing: as an alternative to a failure it forgives it.
#[must_use]
pub fn does_nothing(command: &Command) -> bool {
    ending(command) == Ending::Nothing
}

/// What a command amounts to where it stands for the failure of another.
#[must_use]
pub fn ending(command: &Command) -> Ending {
    Functions::default().ending(command)
}

/// The functions of a script, which say what their calls amount to.
#[derive(Debug, Default)]
pub struct Functions<'a>(BTreeMap<&'a str, &'a Command>);

impl<'a> Functions<'a> {
    /// Those of a script, at any depth; the last one of a name.
    #[must_use]
    pub fn of(script: &'a Command) -> Self {
        Self::of_all(std::iter::once(script))
    }

    /// Those of several scripts.
    #[must_use]
    pub fn of_all(scripts: impl Iterator<Item = &'a Command>) -> Self {
        let mut all = Self::default();
        scripts.for_each(|script| all.collect(script));
        all
    }

    fn collect(&mut self, command: &'a Command) {
        match &command.kind {
            Kind::Function(name, body) => {
                self.0.insert(name, body);
                self.collect(body);
            }
            Kind::List(items) => items.iter().for_each(|item| self.collect(&item.command)),
            Kind::If { then, otherwise, .. } => {
                self.collect(then);
                if let Some(otherwise) = otherwise {
                    self.collect(otherwise);
                }
            }
            Kind::Group(inner, _) | Kind::Subshell(inner, _) => self.collect(inner),
            _ => {}
        }
    }

    /// What a command amounts to where it stands for the failure of another.
    #[must_use]
    pub fn ending(&self, command: &Command) -> Ending {
        self.ending_within(command, 4)
    }

    /// Whether a command ends in failure by itself: what `kill` ends is most often another program.
    #[must_use]
    pub fn fails(&self, command: &Command) -> bool {
        let mut fails = false;
        command.each(&mut |inner| {
            let Kind::Simple(simple) = &inner.kind else { return };
            let kills = simple.words.first().is_some_and(|word| word.text == "kill");
            fails |= !kills && self.ending(inner) == Ending::Fails;
        });
        fails && self.ending(command) == Ending::Fails
    }

    /// Functions may call one another, in circles too.
    fn ending_within(&self, command: &Command, calls: u8) -> Ending {
        let inner = |command: &Command| self.ending_within(command, calls);
        match &command.kind {
            Kind::Simple(simple) => {
                let name = simple.words.first().map(|word| word.text.as_str()).unwrap_or_default();
                match self.0.get(name) {
                    Some(body) if calls > 0 => self.ending_within(body, calls - 1),
                    Some(_) => Ending::Works,
                    None => ending_of(simple),
                }
            }
            Kind::List(items) => sum(items.iter().map(|item| inner(&item.command))),
            Kind::And(left, right) => sum([inner(left), inner(right)].into_iter()),
            Kind::Group(inside, redirects) | Kind::Subshell(inside, redirects) => match inner(inside) {
                Ending::Unknown if records(redirects) => Ending::Works,
                Ending::Nothing if records(redirects) => Ending::Records(written(redirects, None)),
                other => other,
            },
            _ => Ending::Works,
        }
    }

    /// Whether a function of that name ends the script with `exit 0`.
    #[must_use]
    pub fn exits_zero(&self, name: &str) -> bool {
        let Some(mut body) = self.0.get(name).copied() else { return false };
        while let Kind::Group(inner, _) = &body.kind {
            body = inner;
        }
        match &body.kind {
            Kind::List(items) => exits_zero(items).is_some(),
            Kind::Simple(simple) => is_exit_zero(simple),
            _ => false,
        }
    }
}

/// `|| true` and the like: nothing but the end of the failure.
#[must_use]
pub fn is_bare(command: &Command) -> bool {
    let Kind::Simple(simple) = &command.kind else { return false };
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    forgives(&words)
}

fn forgives(words: &[&str]) -> bool {
    matches!(
        words,
        ["true" | ":" | "/bin/true" | "/usr/bin/true" | "continue" | "break", ..] | ["exit" | "return", "0"]
    )
}

/// `… && exit 0`: what stands behind is for failure.
#[must_use]
pub fn leaves(command: &Command) -> bool {
    matches!(&command.kind, Kind::Simple(simple) if simple.words.first().is_some_and(|word| matches!(word.text.as_str(), "exit" | "return")))
}

/// `… && exit 0` and the like: what ends here ends well.
#[must_use]
pub fn leaves_well(command: &Command) -> bool {
    let Kind::Simple(simple) = &command.kind else { return false };
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    matches!(words.as_slice(), ["exit" | "return"] | ["exit" | "return", "0"])
}

/// `exit 0` as a statement of its own, later in the same list.
#[must_use]
pub fn exits_zero(items: &[Item]) -> Option<Range<usize>> {
    items.iter().find_map(|item| match &item.command.kind {
        Kind::Simple(simple) => is_exit_zero(simple).then(|| item.command.span.clone()),
        _ => None,
    })
}

fn is_exit_zero(simple: &Simple) -> bool {
    simple.words.iter().map(|word| word.text.as_str()).eq(["exit", "0"])
}

fn ending_of(simple: &Simple) -> Ending {
    let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
    match words.as_slice() {
        [] => {
            let names = simple.assignments.iter().filter_map(|word| word.raw.split_once('='));
            Ending::Keeps(names.map(|(name, _)| name.trim_end_matches('+').to_owned()).collect())
        }
        ["export" | "local" | "declare" | "readonly", names @ ..] => Ending::Keeps(
            names.iter().filter_map(|word| word.split_once('=')).map(|(name, _)| name.to_owned()).collect(),
        ),
        // `: > failed.txt`
        [":" | "true"] if records(&simple.redirects) => Ending::Records(written(&simple.redirects, None)),
        ["touch", files @ ..] => {
            let files = files.iter().filter(|word| !word.starts_with('-'));
            Ending::Records(files.map(|file| Record { file: (*file).to_owned(), names: Vec::new() }).collect())
        }
        words if forgives(words) => Ending::Nothing,
        ["exit" | "return" | "false" | "kill", ..] => Ending::Fails,
        [program, rest @ ..] => {
            let kept = written(&simple.redirects, Some(simple));
            let logs = matches!(*program, "docker" | "kubectl" | "podman") && rest.contains(&"logs");
            if SAYS.contains(program) || tells(program, rest) || logs {
                if kept.is_empty() { Ending::Nothing } else { Ending::Records(kept) }
            } else if !kept.is_empty() || matches!(*program, "[" | "test") || program.contains(OPAQUE) {
                Ending::Works
            } else if program.split(['_', '-']).any(|part| FAILS.contains(&part)) {
                Ending::Fails
            } else {
                Ending::Unknown
            }
        }
    }
}

/// Commands that show something and succeed.
const SAYS: &[&str] = &[
    "echo", "printf", "cat", "tail", "head", "ls", "date", "env", "df", "ps", "sleep", "logger", "pwd", "tree", "dmesg",
];

/// Whether a command tells somebody, and succeeds; one that fetches a file does something of its own.
fn tells(program: &str, rest: &[&str]) -> bool {
    let fetches = |word: &&str| {
        *word == "--output"
            || *word == "--remote-name"
            || (word.starts_with('-') && !word.starts_with("--") && word.contains(['o', 'O']))
    };
    match program {
        "curl" => !rest.iter().any(fetches),
        "gh" => matches!(rest, ["api", ..] | [_, "comment" | "create" | "edit" | "close" | "review", ..]),
        _ => false,
    }
}

/// What functions that end a script are called, wherever they are defined.
const FAILS: &[&str] = &["die", "fail", "abort", "error", "err", "fatal", "panic", "bail", "throw", "usage"];

#[must_use]
pub fn says_something(simple: &Simple) -> bool {
    simple.words.first().is_some_and(|word| SAYS.contains(&word.text.as_str()))
}

/// What the output of a command keeps, by its redirections.
fn written(redirects: &[Redirect], simple: Option<&Simple>) -> Vec<Record> {
    let words = simple.map(|simple| simple.words.as_slice()).unwrap_or_default();
    let pairs = words.iter().filter_map(|word| word.text.split_once('='));
    let names: Vec<String> = pairs.map(|(name, _)| name.trim().to_owned()).collect();
    let kept = redirects.iter().filter(|to| keeps(to));
    kept.map(|to| Record { file: to.target.clone(), names: names.clone() }).collect()
}

/// Whether output goes to somebody: not to the terminal, and not to the summary, which only people read.
fn keeps(to: &Redirect) -> bool {
    to.sign.contains('>')
        && !to.target.starts_with("/dev/")
        && !to.target.contains("STEP_SUMMARY")
        && !to.target.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Whether output is kept for somebody.
#[must_use]
pub fn records(redirects: &[Redirect]) -> bool {
    !written(redirects, None).is_empty()
}

/// What several commands amount to together.
fn sum(endings: impl Iterator<Item = Ending>) -> Ending {
    let mut whole = Ending::Nothing;
    for ending in endings {
        whole = match (whole, ending) {
            (Ending::Fails, _) | (_, Ending::Fails) => Ending::Fails,
            // What is written down or kept in a variable may be read either way, and what is not known may fail.
            (Ending::Works, _)
            | (_, Ending::Works)
            | (Ending::Records(_), Ending::Keeps(_) | Ending::Unknown)
            | (Ending::Keeps(_) | Ending::Unknown, Ending::Records(_)) => Ending::Works,
            (Ending::Keeps(mut all), Ending::Keeps(more)) => {
                all.extend(more);
                Ending::Keeps(all)
            }
            (Ending::Keeps(all), _) | (_, Ending::Keeps(all)) => Ending::Keeps(all),
            (Ending::Records(mut all), Ending::Records(more)) => {
                all.extend(more);
                Ending::Records(all)
            }
            (Ending::Records(all), _) | (_, Ending::Records(all)) => Ending::Records(all),
            (Ending::Unknown, _) | (_, Ending::Unknown) => Ending::Unknown,
            (Ending::Nothing, Ending::Nothing) => Ending::Nothing,
        };
    }
    whole
}
