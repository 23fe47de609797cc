//! The recipes of makefiles and justfiles: each line is a script of its own. Of their languages it reads what stands
//! between a recipe and the shell: continuations, prefixes, plain variables.

use std::collections::HashMap;

use super::flow::Shell;
use super::script::{Draft, Place};
use super::shell::OPAQUE;
use super::text::{Piece, Source};

/// The most targets of one rule; people write a few.
const MOST_NAMES: usize = 64;

/// The lines of all recipes of a makefile.
#[must_use]
pub fn makefile(source: &Source, dir: &str) -> Vec<Draft> {
    let mut file = Makefile {
        dir,
        shell: Shell { errexit: false, pipefail: false },
        names: Vec::new(),
        variables: HashMap::new(),
        drafts: Vec::new(),
    };
    let mut line = 1;
    let mut hidden = false;
    while line <= source.line_count() {
        let (piece, next) = continued(source, line);
        line = next;
        let text = piece.text();
        let trimmed = text.trim_start();
        if hidden || trimmed.starts_with("define ") {
            hidden = !trimmed.starts_with("endef");
        } else if text.starts_with('\t') && !file.names.is_empty() {
            file.recipe(&piece);
        } else if !text.starts_with('#') {
            file.outside(&piece, &text);
        }
    }
    file.drafts
}

struct Makefile<'a> {
    dir: &'a str,
    shell: Shell,
    /// Of the rule that is being read.
    names: Vec<String>,
    variables: HashMap<String, String>,
    drafts: Vec<Draft>,
}

impl Makefile<'_> {
    /// A rule's head or a variable.
    fn outside(&mut self, piece: &Piece, text: &str) {
        if let Some((name, value)) = variable(text) {
            if matches!(name, ".SHELLFLAGS" | "SHELL") {
                let flags: Vec<&str> = value.split_whitespace().collect();
                let short =
                    flags.iter().any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag.contains('e'));
                self.shell.errexit |= short || flags.contains(&"errexit");
                self.shell.pipefail |= flags.contains(&"pipefail");
            }
            self.variables.insert(name.to_owned(), value.to_owned());
            self.names.clear();
            return;
        }
        let Some((names, rest)) = text.split_once(':') else { return };
        // `$(info …)` and the like are no heads of rules.
        if text.starts_with(char::is_whitespace) || text.starts_with("$(") {
            return;
        }
        let (needs, inline) =
            rest.trim_start_matches(':').split_once(';').map_or((rest, None), |(needs, _)| (needs, text.find(';')));
        let needs: Vec<String> = needs.split_whitespace().filter(|word| *word != "|").map(str::to_owned).collect();
        self.names = names.split_whitespace().take(MOST_NAMES).map(str::to_owned).collect();
        // A target without a recipe stands for what it needs.
        self.line(needs, Piece::default(), None);
        if let Some(at) = inline {
            let at = text[..at].chars().count();
            self.recipe(&piece.part(at + 1..piece.chars.len()));
        }
    }

    fn recipe(&mut self, line: &Piece) {
        let (piece, ignored) = prefixes(line, &['@', '+']);
        self.line(Vec::new(), expand(&piece, &self.variables), ignored);
    }

    fn line(&mut self, needs: Vec<String>, piece: Piece, ignored: Option<usize>) {
        let place = Place::Target { names: self.names.clone(), needs };
        self.drafts.push(Draft { place, piece, shell: self.shell, dir: self.dir.to_owned(), ignored });
    }
}

/// `NAME = value`, `NAME := value`, `NAME ?= value`.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!', ':']).trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    plain.then(|| (name, value.trim()))
}

/// A line with those that a backslash joins to it, and the number of the next.
fn continued(source: &Source, line: u32) -> (Piece, u32) {
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
fn prefixes(line: &Piece, silent: &[char]) -> (Piece, Option<usize>) {
    let mut ignored = None;
    let mut at = 0;
    while let Some(&c) = line.chars.get(at) {
        if c == '-' && line.chars.get(at + 1).is_none_or(|next| *next != '-') {
            ignored = Some(line.origin(at));
        } else if !c.is_whitespace() && !silent.contains(&c) {
            break;
        }
        at += 1;
    }
    (line.part(at..line.chars.len()), ignored)
}

/// `$$` is the shell's, `$(NAME)` a variable of the makefile, anything else only make knows.
fn expand(piece: &Piece, variables: &HashMap<String, String>) -> Piece {
    let mut out = Piece::default();
    let mut at = 0;
    while let Some(&c) = piece.chars.get(at) {
        let origin = piece.origin(at);
        at += 1;
        if c != '$' {
            out.push(c, origin);
            continue;
        }
        match piece.chars.get(at) {
            Some('$') => {
                out.push('$', origin);
                at += 1;
            }
            Some(open @ ('(' | '{')) => {
                let close = if *open == '(' { ')' } else { '}' };
                let end = closing(&piece.chars, at, *open, close);
                let name: String = piece.chars[at + 1..end].iter().collect();
                value(&name, variables, 0).chars().for_each(|c| out.push(c, origin));
                at = (end + 1).min(piece.chars.len());
            }
            Some(_) => {
                out.push(OPAQUE, origin);
                at += 1;
            }
            None => out.push('$', origin),
        }
    }
    out.end = piece.end;
    out
}

fn closing(chars: &[char], from: usize, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in chars.iter().enumerate().skip(from) {
        depth += i32::from(*c == open) - i32::from(*c == close);
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn value(name: &str, variables: &HashMap<String, String>, depth: u8) -> String {
    match (name, variables.get(name)) {
        ("MAKE", None) => "make".to_owned(),
        (_, Some(value)) if !value.contains('$') => value.clone(),
        (_, Some(value)) if depth < 4 => {
            let inner = value.strip_prefix("$(").and_then(|rest| rest.split_once(')'));
            inner.map_or_else(
                || OPAQUE.to_string(),
                |(name, rest)| {
                    if rest.contains('$') { OPAQUE.to_string() } else { self::value(name, variables, depth + 1) + rest }
                },
            )
        }
        // `$(CARGO)` without a definition is set from outside, most often to what it is called.
        _ if super::dictionary::is_program(&name.to_lowercase()) => name.to_lowercase(),
        _ => OPAQUE.to_string(),
    }
}

/// The lines of all recipes of a justfile.
#[must_use]
pub fn justfile(source: &Source, dir: &str) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut current: Option<String> = None;
    let mut shell = Shell { errexit: false, pipefail: false };
    let mut line = 1;
    while line <= source.line_count() {
        let (piece, next) = continued(source, line);
        let text = piece.text();
        if text.starts_with([' ', '\t']) {
            if let Some(name) = &current {
                let place = Place::Recipe { name: name.clone(), needs: Vec::new() };
                if text.trim_start().starts_with("#!") {
                    let (piece, after) = block(source, line);
                    line = after;
                    if is_shell_line(&piece.text()) {
                        let own = Shell { errexit: false, pipefail: false };
                        let piece = braces(&piece);
                        drafts.push(Draft { place, piece, shell: own, dir: dir.to_owned(), ignored: None });
                    }
                    continue;
                }
                let (piece, ignored) = prefixes(&piece, &['@']);
                drafts.push(Draft { place, piece: braces(&piece), shell, dir: dir.to_owned(), ignored });
            }
        } else if let Some(flags) = text.strip_prefix("set shell") {
            shell.errexit =
                flags.contains("-e") || flags.contains("\"-ce") || flags.contains("-uce") || flags.contains("-ceu");
            shell.pipefail = flags.contains("pipefail");
        } else if let Some((name, needs)) = recipe_head(&text) {
            current = Some(name.clone());
            let place = Place::Recipe { name, needs };
            drafts.push(Draft { place, piece: Piece::default(), shell, dir: dir.to_owned(), ignored: None });
        } else if !text.trim().is_empty() && !text.starts_with(['#', '[']) {
            current = None;
        }
        line = next;
    }
    drafts
}

fn recipe_head(text: &str) -> Option<(String, Vec<String>)> {
    let (head, needs) = text.split_once(':').filter(|(_, rest)| !rest.starts_with('='))?;
    let name = head.split_whitespace().next()?.trim_start_matches('@');
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let needs =
        needs.split_whitespace().filter(|word| *word != "&&").map(|word| word.trim_matches(['(', ')']).to_owned());
    good.then(|| (name.to_owned(), needs.collect()))
}

/// The lines of a recipe that is a script of its own, from its `#!` on.
fn block(source: &Source, first: u32) -> (Piece, u32) {
    let indent = source.slice(source.line(first)).chars().take_while(|c| c.is_whitespace()).count();
    let mut piece = Piece::default();
    let mut line = first;
    while line <= source.line_count() {
        let range = source.line(line);
        let text = source.slice(range.clone());
        if !text.trim().is_empty() && !text.starts_with([' ', '\t']) {
            break;
        }
        let skipped = text.chars().take_while(|c| c.is_whitespace()).count().min(indent);
        source.piece(range.start + skipped..range.end).copy(0..range.len() - skipped, &mut piece);
        piece.push('\n', range.end);
        line += 1;
    }
    (piece, line)
}

/// `{{ … }}` is just's.
fn braces(piece: &Piece) -> Piece {
    piece.replace("{{", "}}", |_| OPAQUE.to_string())
}

/// Whether the first line of a file says that a shell of the kind that is read here runs it.
#[must_use]
pub fn is_shell_line(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("#!") else { return false };
    let first = rest.lines().next().unwrap_or_default();
    first.split(['/', ' ']).any(|word| matches!(word, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh"))
}
