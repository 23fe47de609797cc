//! Commands in comments: the text of a comment into [`Command`]s and [`Refusal`]s, which are data. Pure: it executes
//! nothing, knows no environment or gate, and asks for nobody's permission. That is for whoever acts on them.

mod arguments;
mod lines;
mod rights;
#[cfg(test)]
mod tests;
mod woken;

use std::fmt::Write as _;

use crate::model::gate::GateName;
use crate::model::sha::Sha;
use crate::model::text::{clean, one_line, shorten};

use lines::{Kind, Line};

pub use rights::OVERRIDES;
pub use woken::{Woken, WokenError, woken};

/// The most commands of one comment.
pub const MOST: usize = 10;

/// The most characters of a line that is quoted back.
const SHOWN: usize = 100;

/// One command that can be written in a comment: what the help says of it, and how the rest of its line is read.
#[derive(Debug)]
pub struct Row {
    /// The word after the slash.
    pub name: &'static str,
    /// What follows it.
    pub usage: &'static str,
    /// One phrase for the help.
    pub about: &'static str,
    read: fn(&str) -> Result<Act, Wrong>,
}

/// Every command.
pub static ALL: &[Row] = &[
    Row {
        name: "rerun",
        usage: "[GATE… | failed]",
        about: "run the gates again: all, those named, or those that did not pass",
        read: arguments::rerun,
    },
    Row {
        name: "override",
        usage: "GATE REASON",
        about: "let this commit stand although the gate is not green; shown as overridden, never as passed",
        read: arguments::override_gate,
    },
    Row {
        name: "deploy",
        usage: "ENV [SHA] [KEY=VALUE…]",
        about: "deploy a commit, named with all its digits; without one it is shown first, to be confirmed",
        read: arguments::deploy,
    },
    Row {
        name: "rollback",
        usage: "ENV [SHA] [KEY=VALUE…]",
        about: "go back to the last deployment that was verified, or to a commit",
        read: arguments::rollback,
    },
    Row {
        name: "promote",
        usage: "FROM TO [KEY=VALUE…]",
        about: "deploy to one environment what is live in another",
        read: arguments::promote,
    },
    Row {
        name: "lock",
        usage: "ENV [REASON]",
        about: "keep an environment as it is until it is unlocked",
        read: arguments::lock,
    },
    Row { name: "unlock", usage: "ENV [KEY=VALUE…]", about: "give an environment back", read: arguments::unlock },
    Row {
        name: "status",
        usage: "[ENV]",
        about: "show what is live where, how it is, and what waits",
        read: arguments::status,
    },
    Row { name: "help", usage: "[COMMAND]", about: "show this; so does `/COMMAND ?`", read: arguments::help },
];

/// A command that was written in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its line in the comment, from 1.
    pub line: usize,
    /// What is asked for.
    pub act: Act,
}

/// `key=value` after a command's other words, in their order; keys are `a-z`, `0-9` and `-`, and stand once each. Which of
/// them mean anything is for whoever acts.
pub type Parameters = Vec<(String, String)>;

/// What a command asks for. Names of environments are 1 to 64 of `A-Z a-z 0-9 _ . -`; whether there is such a one is not
/// known here, and neither is whether there is such a gate or commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Run gates again.
    Rerun(Rerun),
    /// Let a commit stand although a gate is not green.
    Override {
        /// The gate.
        gate: GateName,
        /// Why; any visible text of one line, never empty.
        reason: String,
    },
    /// Deploy a commit.
    Deploy {
        /// Where.
        environment: String,
        /// What; `None`: it must be shown and confirmed first.
        sha: Option<Sha>,
        /// Further words.
        parameters: Parameters,
    },
    /// Go back.
    Rollback {
        /// Where.
        environment: String,
        /// To what; `None`: the last deployment that was verified.
        to: Option<Sha>,
        /// Further words.
        parameters: Parameters,
    },
    /// Deploy to one environment what is live in another.
    Promote {
        /// Where it is live.
        from: String,
        /// Where it is deployed.
        to: String,
        /// Further words.
        parameters: Parameters,
    },
    /// Keep an environment as it is.
    Lock {
        /// Which.
        environment: String,
        /// Why, where that was said.
        reason: Option<String>,
    },
    /// Give an environment back.
    Unlock {
        /// Which.
        environment: String,
        /// Further words.
        parameters: Parameters,
    },
    /// Show what is live.
    Status {
        /// Where; `None`: everywhere.
        environment: Option<String>,
    },
    /// Show what can be written.
    Help {
        /// About one command, a row's name.
        command: Option<&'static str>,
    },
}

/// Which gates run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rerun {
    /// All.
    All,
    /// Those that did not pass.
    Failed,
    /// These; never empty, each once.
    Gates(Vec<GateName>),
}

/// Why a line was not taken for a command. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// There is no such command, but one that is spelt nearly so.
    UnknownCommand,
    /// Something is missing after it.
    MissingArgument,
    /// Something after it is not what can stand there.
    BadArgument,
    /// It holds characters that are not seen.
    HiddenText,
    /// It may stand in code or in what is not shown: the lines before it do not end where they seem to.
    UnclearPlace,
    /// The comment has too many commands.
    TooMany,
}

impl Code {
    /// The word, as `reason_code` has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command",
            Self::MissingArgument => "missing_argument",
            Self::BadArgument => "bad_argument",
            Self::HiddenText => "hidden_text",
            Self::UnclearPlace => "unclear_place",
            Self::TooMany => "too_many",
        }
    }
}

/// What is wrong with a line.
type Wrong = (Code, String);

/// A line that looks like a command and is not acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its line in the comment, from 1.
    pub line: usize,
    /// The line without what is not seen, shortened. Its author's words: escape them.
    pub said: String,
    /// Why, for programs.
    pub code: Code,
    /// Why, and what to write instead. It may quote the author's words: escape it.
    pub why: String,
}

/// What a comment asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// In their order.
    pub commands: Vec<Command>,
    /// In their order.
    pub refusals: Vec<Refusal>,
}

impl Read {
    /// Whether the comment has nothing to do with gatepost: it is not even answered.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.commands.is_empty() && self.refusals.is_empty()
    }
}

/// Reads a comment's body. Only its first lines count: reading ends at the first line that is neither blank, a quotation,
/// code, a hidden comment, nor begins with `/word`.
#[must_use]
pub fn read(body: &str) -> Read {
    let mut read = Read::default();
    for line in lines::of(body) {
        match one(&line) {
            Some(Ok(_)) if read.commands.len() == MOST => {
                let why = format!("a comment has {MOST} commands at most: write another comment");
                read.refusals.push(refusal(&line, (Code::TooMany, why)));
                break;
            }
            Some(Ok(act)) => read.commands.push(Command { line: line.number, act }),
            Some(Err(_)) if read.refusals.len() >= MOST => break,
            Some(Err(wrong)) => read.refusals.push(refusal(&line, wrong)),
            None => {}
        }
    }
    read
}

fn refusal(line: &Line<'_>, (code, why): Wrong) -> Refusal {
    Refusal { line: line.number, said: one_line(line.text, SHOWN), code, why }
}

/// `None` for another bot's command.
fn one(line: &Line<'_>) -> Option<Result<Act, Wrong>> {
    let (word, rest) = line.text.split_once([' ', '\t']).unwrap_or((line.text, ""));
    let (seen, rest) = (clean(word), rest.trim_matches([' ', '\t']));
    let seen = seen.trim_start_matches('/').to_ascii_lowercase();
    let row = ALL.iter().find(|row| row.name == seen);
    let wrong = |code, why: String| Some(Err((code, why)));
    let Some(row) = row else {
        let nearest = nearest(&seen)?;
        return wrong(
            Code::UnknownCommand,
            format!("there is no command /{}: did you mean `/{nearest}`?", shorten(&seen, 30)),
        );
    };
    if clean(line.text) != line.text {
        let why = "the line holds characters that are not seen, so that it may not do what it seems to: type it anew";
        return wrong(Code::HiddenText, why.to_owned());
    }
    if line.kind == Kind::Unclear {
        let why =
            "a line above it has a ` or <, so that this one may stand in code or be hidden: put a blank line before it";
        return wrong(Code::UnclearPlace, why.to_owned());
    }
    if rest == "?" {
        return Some(Ok(Act::Help { command: Some(row.name) }));
    }
    let usage = |(code, why): Wrong| (code, format!("{why}; write `{}`", row.written()));
    Some((row.read)(rest).map_err(usage))
}

/// The command that a word was most likely meant to be: one letter may differ in a short word, two in a longer one.
fn nearest(word: &str) -> Option<&'static str> {
    let far = |row: &Row| strsim::damerau_levenshtein(word, row.name);
    let best = ALL.iter().min_by_key(|row| far(row))?;
    let most = if best.name.len() > 5 { 2 } else { 1 };
    (far(best) <= most).then_some(best.name)
}

impl Row {
    /// The command as it is written.
    #[must_use]
    pub fn written(&self) -> String {
        format!("/{} {}", self.name, self.usage)
    }
}

/// The help, in Markdown: of one command, or of all.
#[must_use]
pub fn help(command: Option<&str>) -> String {
    let mut out = String::new();
    for row in ALL.iter().filter(|row| command.is_none_or(|name| name == row.name)) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "- `{}`: {}", row.written(), row.about);
    }
    if command.is_none_or(|name| ["deploy", "promote"].contains(&name)) {
        let _ = writeln!(out, "\n{FORCE}.");
    }
    out + "\nCommands stand at the beginning of a comment, each on a line of its own.\n"
}

/// How gates that are not green are gone past.
pub const FORCE: &str = "No comment goes past gates that are not green: `/override GATE REASON` lets one of them stand, and \
    whoever may deploy from a command line has `gatepost deploy ENV SHA --force --reason TEXT`, where the environment says \
    `allow-force = true`";
