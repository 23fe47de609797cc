//! Our own sources as tokens, and the paths that they name.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of Rust.
pub struct Source {
    /// Relative to the repository's root, with `/`.
    pub path: String,
    pub text: String,
    /// `["parse", "sarif", "run"]` for `src/parse/sarif/run.rs`, `["parse"]` for `src/parse/mod.rs`.
    pub module: Vec<String>,
    pub tokens: Vec<Token>,
}

/// A word or sign of the code; comments and documentation are none.
pub struct Token {
    pub text: String,
    /// First and last line, from 1.
    pub lines: (usize, usize),
    /// The modules inside the file that it stands in.
    pub inside: Arc<[String]>,
    /// It stands in a module that is compiled for tests alone.
    pub test: bool,
}

/// A path that a file names, such as `crate::model::text::clean`.
#[derive(Debug, PartialEq)]
pub struct Named {
    pub line: usize,
    /// From the crate's root, without `crate`; for another crate its name stands first, after `::`.
    pub segments: Vec<String>,
    pub test: bool,
}

impl Source {
    pub fn of(path: &str, text: &str) -> Self {
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut tokens = Vec::new();
        walk(stream, &Arc::from([]), false, &mut tokens);
        Self { path: path.to_owned(), text: text.to_owned(), module: module(path), tokens }
    }

    /// Every path of this crate (from `crate`, `self` or `super`) and of the crates named, also inside of `use` trees.
    pub fn names(&self, crates: &[&str]) -> Vec<Named> {
        let mut all = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let text = token.text.as_str();
            let starts = self.text_at(at + 1) == "::" && !(at > 0 && self.text_at(at - 1) == "::");
            if starts && (matches!(text, "crate" | "self" | "super") || crates.contains(&text)) {
                let mut paths = Vec::new();
                self.tree(at, &[], &mut paths);
                let named = |segments: Vec<String>| Named {
                    line: token.lines.0,
                    segments: self.resolve(token, segments),
                    test: token.test,
                };
                all.extend(paths.into_iter().map(named));
            }
        }
        all
    }

    fn text_at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Collects the paths that begin at `at`, and gives back where they end.
    fn tree(&self, mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
        let mut path = before.to_vec();
        while self.text_at(at).starts_with(|first: char| first.is_alphabetic() || first == '_') {
            path.push(self.text_at(at).to_owned());
            at += 1;
            if self.text_at(at) != "::" {
                break;
            }
            at += 1;
        }
        if self.text_at(at) != "{" || self.text_at(at - 1) != "::" {
            paths.push(path);
            return at + usize::from(self.text_at(at) == "*");
        }
        at += 1;
        while !matches!(self.text_at(at), "}" | "") {
            at = self.tree(at, &path, paths);
            while !matches!(self.text_at(at), "," | "}" | "") {
                at += 1;
            }
            at += usize::from(self.text_at(at) == ",");
        }
        at + 1
    }

    fn resolve(&self, token: &Token, mut segments: Vec<String>) -> Vec<String> {
        let mut place: Vec<String> = self.module.iter().chain(token.inside.iter()).cloned().collect();
        match segments.remove(0).as_str() {
            "crate" => place.clear(),
            "self" => {}
            "super" => {
                place.pop();
                while segments.first().is_some_and(|next| next == "super") {
                    segments.remove(0);
                    place.pop();
                }
            }
            other => place = vec!["::".to_owned(), other.to_owned()],
        }
        place.extend(segments.into_iter().filter(|segment| segment != "self"));
        place
    }
}

fn module(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").and_then(|inner| inner.strip_suffix(".rs")).unwrap_or_default();
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "")) {
        module.pop();
    }
    module
}

fn walk(stream: TokenStream, inside: &Arc<[String]>, in_tests: bool, out: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let words: Vec<String> = trees.iter().map(word).collect();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let push = |out: &mut Vec<Token>, text: &str, lines: (usize, usize)| {
        out.push(Token { text: text.to_owned(), lines, inside: Arc::clone(inside), test: in_tests });
    };
    // Between `#[cfg(test)]` and the end of the item that it stands on.
    let mut tests_follow = false;
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let lines = (tree.span().start().line, tree.span().end().line);
        let after_hash = at + 1 + usize::from(word(at + 1) == "!");
        match tree {
            TokenTree::Punct(_) if word(at) == "#" && word(after_hash) == "[doc]" => at = after_hash,
            TokenTree::Punct(sign) if word(at) == ":" && sign.spacing() == Spacing::Joint => {
                push(out, "::", lines);
                at += 1;
            }
            TokenTree::Group(group) => {
                let (open, close) = signs(group.delimiter());
                push(out, open, (lines.0, lines.0));
                if open == "{" && at >= 2 && word(at - 2) == "mod" {
                    let name = word(at - 1).to_owned();
                    walk(
                        group.stream(),
                        &inside.iter().cloned().chain([name]).collect(),
                        in_tests || tests_follow,
                        out,
                    );
                } else {
                    walk(group.stream(), inside, in_tests, out);
                }
                push(out, close, (lines.1, lines.1));
                tests_follow = open != "{" && (tests_follow || word(at) == "[cfg(test)]");
            }
            _ => {
                tests_follow &= word(at) != ";";
                push(out, word(at), lines);
            }
        }
        at += 1;
    }
}

/// A tree in one word: that of a group tells only what `walk` asks for.
fn word(tree: &TokenTree) -> String {
    let TokenTree::Group(group) = tree else { return tree.to_string() };
    let mut words = group.stream().into_iter().map(|tree| tree.to_string().replace(' ', ""));
    match (group.delimiter(), words.next().as_deref(), words.next().as_deref()) {
        (Delimiter::Bracket, Some("doc"), Some("=")) => "[doc]".to_owned(),
        (Delimiter::Bracket, Some("cfg"), Some("(test)")) => "[cfg(test)]".to_owned(),
        _ => String::new(),
    }
}

fn signs(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::None => ("", ""),
    }
}

/// Every Rust file of the project, in order; read once.
pub fn everything() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut files = Vec::new();
        for folder in ["src", "tests", "benches", "examples"] {
            collect(&root().join(folder), &mut files);
        }
        files.sort();
        let read = |file: &PathBuf| {
            let relative = file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            Source::of(&relative, &std::fs::read_to_string(file).unwrap())
        };
        files.iter().map(read).collect()
    })
}

/// The files of the program.
pub fn of_the_program() -> impl Iterator<Item = &'static Source> {
    everything().iter().filter(|file| file.path.starts_with("src/"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Fails with every line that breaks a rule.
pub fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

#[test]
fn paths_are_seen_wherever_they_stand() {
    let text = r#"//! crate::not::this
        use crate::{a::{self, b as c, d::*}, e};
        /// crate::nor::this
        fn f() { let _ = ("crate::nor::that", super::g::<u8>(), vec![crate::h::i!()]); std::fs::read(self::x) }
        #[cfg(test)]
        mod tests { use super::*; use super::super::y; }
        fn g() { crate::last() }
    "#;
    let named = Source::of("src/m/n.rs", text).names(&["std"]);
    let seen: Vec<String> = named
        .iter()
        .map(|named| format!("{} {}{}", named.line, named.segments.join(" "), if named.test { " (test)" } else { "" }))
        .collect();
    assert_eq!(
        seen,
        [
            "2 a",
            "2 a b",
            "2 a d",
            "2 e",
            "4 m g",
            "4 h i",
            "4 :: std fs read",
            "4 m n x",
            "6 m n (test)",
            "6 m y (test)",
            "7 last"
        ]
    );
}
