//! The recipes of makefiles: each line is a script of its own, or with `.ONESHELL` each recipe. Of make's language it reads
//! what stands between a recipe and the shell: continuations, prefixes, plain variables, `define`, includes.

use std::collections::HashMap;

use super::ground::join;
use super::recipes::{Further, Recipes, continued, prefixes};
use super::script::{Draft, Ignored, Place};
use super::shell::{OPAQUE, Shell};
use super::text::{Piece, Source};

/// The most targets of one rule; people write a few.
const MOST_NAMES: usize = 64;

/// A makefile with those that it includes, which see one another's variables.
pub struct Makefile {
    dir: String,
    shell: Shell,
    /// `.ONESHELL`
    one_shell: bool,
    /// `.IGNORE`: for these targets, or for all.
    ignored: Vec<String>,
    all_ignored: bool,
    /// Of the rule that is being read.
    names: Vec<String>,
    variables: HashMap<String, String>,
    /// What stands between `define` and `endef`, line by line.
    defined: HashMap<String, Vec<(usize, Piece)>>,
    rules: Vec<Rule>,
    further: Vec<Further>,
}

/// The head of a rule and its recipe.
struct Rule {
    names: Vec<String>,
    needs: Vec<String>,
    file: usize,
    lines: Vec<Piece>,
}

impl Makefile {
    /// One that make reads in a folder.
    #[must_use]
    pub fn new(dir: &str) -> Self {
        Self {
            dir: dir.to_owned(),
            shell: Shell { errexit: false, pipefail: false },
            one_shell: false,
            ignored: Vec::new(),
            all_ignored: false,
            names: Vec::new(),
            variables: HashMap::new(),
            defined: HashMap::new(),
            rules: Vec::new(),
            further: Vec::new(),
        }
    }

    /// A rule's head, a variable or a directive.
    fn outside(&mut self, file: usize, piece: &Piece, text: &str) {
        if let Some((optional, names)) = included(text) {
            let at = text.chars().count() - names.chars().count();
            self.include(file, &piece.part(at..piece.chars.len()), optional);
            return;
        }
        if let Some((name, value)) = variable(text) {
            self.set(name, value);
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
        if let Some(first) = names.split_whitespace().nth(MOST_NAMES) {
            let (at, written) = (piece.origin(0), format!("{first} …"));
            self.further.push(Further { file, at, written, paths: None, optional: false, module: None });
        }
        match names.trim() {
            ".ONESHELL" => self.one_shell = true,
            ".IGNORE" if needs.is_empty() => self.all_ignored = true,
            ".IGNORE" => self.ignored.extend(needs.iter().cloned()),
            _ => {}
        }
        // A target without a recipe stands for what it needs.
        self.rules.push(Rule { names: self.names.clone(), needs, file, lines: Vec::new() });
        if let Some(at) = inline {
            let at = text[..at].chars().count();
            self.recipe(file, piece.part(at + 1..piece.chars.len()));
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let mut flags = value.split_whitespace();
        match name {
            ".SHELLFLAGS" | "SHELL" => {
                let shell = Shell::flagged(flags);
                self.shell.errexit |= shell.errexit;
                self.shell.pipefail |= shell.pipefail;
            }
            "MAKEFLAGS" => {
                self.all_ignored |= flags.any(ignores_errors);
            }
            _ => {}
        }
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// A line of the recipe that was begun last; from another file it begins no rule.
    fn recipe(&mut self, file: usize, line: Piece) {
        if let Some(rule) = self.rules.last_mut().filter(|rule| rule.file == file) {
            rule.lines.push(line);
        }
    }

    fn include(&mut self, file: usize, names: &Piece, optional: bool) {
        let at = names.origin(0);
        let written = names.text();
        let expanded = expand(names, &self.variables).text();
        for name in expanded.split_whitespace().take_while(|name| !name.starts_with('#')) {
            let known = !name.contains([OPAQUE, '*', '?', '%']);
            // Lists of headers that a compiler wrote hold no recipes.
            if !known && optional && !written.contains(".mk") {
                continue;
            }
            let paths = known.then(|| vec![join(&self.dir, name)]);
            let written = if known { name.to_owned() } else { written.trim().to_owned() };
            self.further.push(Further { file, at, written, paths, optional: optional && known, module: None });
        }
    }

    /// The lines that a recipe's line stands for: itself, or what was defined under the name that it calls.
    fn meant(&self, file: usize, line: &Piece) -> Vec<(usize, Piece, Option<Ignored>)> {
        let (piece, ignored) = prefixes(line, &['@', '+']);
        let text = piece.text();
        let name = text.trim().strip_prefix("$(").and_then(|text| text.strip_suffix(')'));
        let name = name.map(|name| name.strip_prefix("call ").unwrap_or(name).split(',').next().unwrap_or(name).trim());
        match name.and_then(|name| self.defined.get(name)) {
            None => vec![(file, piece, ignored)],
            Some(lines) => lines
                .iter()
                .map(|(defined_in, line)| {
                    let (piece, own) = prefixes(line, &['@', '+']);
                    let called = if *defined_in == file { ignored } else { ignored.map(|_| Ignored::ByFile) };
                    (*defined_in, piece, called.or(own))
                })
                .collect(),
        }
    }

    fn rule(&self, rule: &Rule, drafts: &mut Vec<(usize, Draft)>) {
        let by_file = self.all_ignored || rule.names.iter().any(|name| self.ignored.contains(name));
        let mut draft = |file: usize, needs: Vec<String>, piece: Piece, ignored: Option<Ignored>| {
            let place = Place::Target { names: rule.names.clone(), needs };
            let ignored = ignored.or(by_file.then_some(Ignored::ByFile));
            drafts.push((file, Draft { place, piece, shell: self.shell, dir: self.dir.clone(), ignored }));
        };
        draft(rule.file, rule.needs.clone(), Piece::default(), None);
        let mut whole: Option<(Piece, Option<Ignored>)> = None;
        for (file, piece, ignored) in rule.lines.iter().flat_map(|line| self.meant(rule.file, line)) {
            let piece = expand(&piece, &self.variables);
            if !self.one_shell || file != rule.file {
                draft(file, Vec::new(), piece, ignored);
            } else if let Some((before, _)) = &mut whole {
                before.push('\n', before.end);
                piece.copy(0..piece.chars.len(), before);
            } else {
                whole = Some((piece, ignored));
            }
        }
        if let Some((piece, ignored)) = whole {
            draft(rule.file, Vec::new(), piece, ignored);
        }
    }
}

impl Recipes for Makefile {
    fn read(&mut self, file: usize, source: &Source) {
        let mut line = 1;
        let mut defining: Option<String> = None;
        self.names.clear();
        while line <= source.line_count() {
            let (piece, next) = continued(source, line);
            line = next;
            let text = piece.text();
            let trimmed = text.trim_start();
            if let Some(name) = &defining {
                if trimmed.starts_with("endef") {
                    defining = None;
                } else {
                    self.defined.entry(name.clone()).or_default().push((file, piece));
                }
            } else if let Some(name) = trimmed.strip_prefix("define ") {
                defining = Some(name.trim_end_matches(['=', ':', '?', '+', ' ']).trim().to_owned());
            } else if text.starts_with('\t') && !self.names.is_empty() {
                self.recipe(file, piece);
            } else if !text.starts_with('#') {
                self.outside(file, &piece, &text);
            }
        }
    }

    fn further(&mut self) -> Option<Further> {
        self.further.pop()
    }

    fn drafts(self) -> Vec<(usize, Draft)> {
        let mut drafts = Vec::new();
        self.rules.iter().for_each(|rule| self.rule(rule, &mut drafts));
        drafts
    }
}

/// The names behind `include`, and whether the files need not be there.
fn included(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_start();
    let behind = |word: &str| text.strip_prefix(word).filter(|rest| rest.starts_with(char::is_whitespace));
    let optional = || behind("-include").or_else(|| behind("sinclude")).map(|rest| (true, rest));
    behind("include").map(|rest| (false, rest)).or_else(optional)
}

/// `-i`, alone or with others, before one that takes the rest as its value.
fn ignores_errors(flag: &str) -> bool {
    let letters = flag.strip_prefix('-').filter(|letters| !letters.starts_with('-')).unwrap_or_default();
    flag == "--ignore-errors" || letters.chars().take_while(|c| !"CIWfjlo".contains(*c)).any(|c| c == 'i')
}

/// `NAME = value`, `NAME := value`, `NAME ?= value`.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!', ':']).trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    plain.then(|| (name, value.trim()))
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
