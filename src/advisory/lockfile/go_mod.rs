//! `go.mod`, which since Go 1.17 lists every module that a build needs; older ones list only what the project itself
//! asks for, and are refused. The Go release is the package `stdlib`. The file has no end of its own: cut behind a whole
//! line outside of a block it looks whole. What only tests need is not told apart, so nothing is `dev`.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::lines::{ended, number};
use super::{Format, LockError, Lockfile, Why};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "go.mod",
    about: "go.mod of Go 1.17 and later",
    files: &["go.mod"],
    looks_like: |text| {
        let starts = |word: &str| text.lines().any(|line| line.starts_with(word));
        starts("module ") && (starts("go ") || starts("require"))
    },
    reader: read,
};

/// The first release whose go.mod lists all modules.
const COMPLETE: (u32, u32) = (1, 17);

/// The words that may begin a line or block (<https://go.dev/ref/mod#go-mod-file>).
const KNOWN: [&str; 10] =
    ["module", "go", "toolchain", "godebug", "require", "tool", "ignore", "exclude", "replace", "retract"];

/// A line of go.mod, its block's word put before it.
struct Directive<'t> {
    line: u32,
    words: Vec<&'t str>,
    indirect: bool,
}

/// A `replace`: of one version or of all, and what stands in for it, a module and its version or a folder.
#[derive(Clone, Copy)]
struct Rule<'t> {
    of: Option<&'t str>,
    new: &'t [&'t str],
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    ended(text)?;
    let directives = directives(text)?;
    let mut replaced: HashMap<&str, Vec<Rule>> = HashMap::new();
    for directive in &directives {
        let (old, rule) = match &directive.words[..] {
            ["replace", old, "=>", new @ ..] => (*old, Rule { of: None, new }),
            ["replace", old, version, "=>", new @ ..] => (*old, Rule { of: Some(*version), new }),
            ["replace", ..] => {
                return Err(malformed(directive.line, "a module, `=>` and what replaces it were expected"));
            }
            _ => continue,
        };
        replaced.entry(old).or_default().push(rule);
    }
    let mut entries = Vec::from_iter(release(&directives));
    // A newer toolchain changes nothing of what the file lists.
    let complete = find(&directives, "go").is_some_and(|line| is_complete(line.words[1]));
    let mut direct: Vec<usize> = (0..entries.len()).collect();
    for directive in &directives {
        match directive.words[..] {
            ["require", module, version] => {
                if !directive.indirect {
                    direct.push(entries.len());
                }
                let entry = |(name, version): (&str, &str)| Entry {
                    name: name.to_owned(),
                    version: bare(version).to_owned(),
                    line: directive.line,
                    ..Entry::default()
                };
                entries.push(match replacement(module, version, replaced.get(module)) {
                    Some(other) => entry(other),
                    None => Entry { passed_over: Some(Why::Own), ..entry((module, version)) },
                });
            }
            ["require", ..] => return Err(malformed(directive.line, "a module and its version were expected")),
            _ => {}
        }
    }
    if !complete && directives.iter().any(|directive| directive.words[0] == "require") {
        return Err(LockError::Incomplete {
            what: "before Go 1.17 a go.mod lists only the modules that the project itself asks for",
            instead: "raise its `go` line and run `go mod tidy`, or audit its go.sum",
        });
    }
    let needs_nothing = entries.is_empty();
    let read = lockfile(Ecosystem::Go, entries, Some(&Asked { always: direct, dev: Vec::new() }));
    Ok(Lockfile { needs_nothing, ..read })
}

fn malformed(line: u32, what: impl Into<String>) -> LockError {
    LockError::Malformed { expected: FORMAT.about, line, what: what.into() }
}

/// A version without the `v` that Go writes before it.
pub(super) fn bare(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

fn directives(text: &str) -> Result<Vec<Directive<'_>>, LockError> {
    let mut found = Vec::new();
    let mut block: Option<(&str, u32)> = None;
    for (at, line) in text.lines().enumerate() {
        let number = number(at + 1);
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut words: Vec<&str> = code.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        match (&words[..], block) {
            ([], _) => continue,
            ([")"], Some(_)) => {
                block = None;
                continue;
            }
            ([word, "("], None) if KNOWN.contains(word) => {
                block = Some((word, number));
                continue;
            }
            (_, Some((word, _))) => words.insert(0, word),
            ([word, _, ..], None) if KNOWN.contains(word) => {}
            _ => return Err(malformed(number, format!("{:?} is no directive", code.trim()))),
        }
        let indirect = comment.trim_start().split([';', ' ']).next() == Some("indirect");
        found.push(Directive { line: number, words, indirect });
    }
    match block {
        Some((word, line)) => {
            Err(LockError::Truncated { what: format!("the block `{word}` of line {line} is open at its end") })
        }
        None => Ok(found),
    }
}

/// What takes the place of a module: itself where nothing does, `None` where it is a folder.
fn replacement<'t>(module: &'t str, version: &'t str, rules: Option<&Vec<Rule<'t>>>) -> Option<(&'t str, &'t str)> {
    let rules = rules.map(Vec::as_slice).unwrap_or_default();
    // A rule for one version goes before one for all.
    let find = |of| rules.iter().find(|rule| rule.of == of);
    match find(Some(version)).or_else(|| find(None)).map(|rule| rule.new) {
        None => Some((module, version)),
        Some([module, version]) => Some((module, version)),
        Some(_) => None,
    }
}

fn find<'d, 't>(directives: &'d [Directive<'t>], word: &str) -> Option<&'d Directive<'t>> {
    directives.iter().find(|directive| directive.words[0] == word)
}

/// The Go release as the package `stdlib`: that of `toolchain` where there is one, else the `go` line's.
fn release(directives: &[Directive<'_>]) -> Option<Entry> {
    let named = find(directives, "toolchain").and_then(|line| Some((line, line.words[1].strip_prefix("go")?)));
    let (directive, version) = named.or_else(|| find(directives, "go").map(|line| (line, line.words[1])))?;
    // `go1.22.3-custom` is 1.22.3 built by someone else.
    let version = version.split('-').next().unwrap_or_default();
    Some(Entry { name: "stdlib".to_owned(), version: version.to_owned(), line: directive.line, ..Entry::default() })
}

fn is_complete(release: &str) -> bool {
    let mut parts = release.split('.').map(|part| part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    (next(), next()) >= COMPLETE
}
