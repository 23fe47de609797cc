//! What makefiles and justfiles have in common: recipes whose lines are scripts, and further files that are read with them.

use super::script::{Draft, Ignored};
use super::text::{Piece, Source};

/// A makefile or a justfile with those that it reads.
pub trait Recipes {
    /// Reads one of its files, by its number.
    fn read(&mut self, file: usize, source: &Source);

    /// A file that is still to be read with it.
    fn further(&mut self) -> Option<Further>;

    /// The lines of all recipes, each with its file, once everything is read.
    fn drafts(self) -> Vec<(usize, Draft)>;
}

/// A file that another one says to read.
#[derive(Debug)]
pub struct Further {
    /// The file that says so.
    pub file: usize,
    /// Where it says so.
    pub at: usize,
    /// As it is written there.
    pub written: String,
    /// Where it may lie; `None` where only make or just could tell.
    pub paths: Option<Vec<String>>,
    /// It need not be there.
    pub optional: bool,
    /// Its recipes are called `name::recipe`.
    pub module: Option<String>,
}

/// A line with those that a backslash joins to it, and the number of the next.
#[must_use]
pub fn continued(source: &Source, line: u32) -> (Piece, u32) {
    let mut next = line + 1;
    let start = source.line(line).start;
    let mut end = source.line(line).end;
    while end > start && source.chars.get(end - 1) == Some(&'\\') && next <= source.line_count() {
        end = source.line(next).end;
        next += 1;
    }
    (source.piece(start..end), next)
}

/// A recipe's line without its indentation and prefixes, and where a `-` among them stands.
#[must_use]
pub fn prefixes(line: &Piece, silent: &[char]) -> (Piece, Option<Ignored>) {
    let mut ignored = None;
    let mut at = 0;
    while let Some(&c) = line.chars.get(at) {
        if c == '-' && line.chars.get(at + 1).is_none_or(|next| *next != '-') {
            ignored = Some(Ignored::BySign(line.origin(at)));
        } else if !c.is_whitespace() && !silent.contains(&c) {
            break;
        }
        at += 1;
    }
    (line.part(at..line.chars.len()), ignored)
}

/// Whether the first line of a file says that a shell of the kind that is read here runs it.
#[must_use]
pub fn is_shell_line(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("#!") else { return false };
    let first = rest.lines().next().unwrap_or_default();
    first.split(['/', ' ']).any(|word| matches!(word, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh"))
}
