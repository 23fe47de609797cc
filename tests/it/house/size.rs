//! How long a file may be, what it may be called, and the few things that stand in one place only.

use std::collections::BTreeSet;

use super::source::{Source, Token, everything, none, of_the_program, root};

/// Lines of code a file may have: blank lines, comments and unit tests do not count.
const LONGEST: usize = 500;

/// Names that say nothing about what is inside.
const BANNED: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "imp"];

/// The one file that may write to the terminal.
const SCREEN: &str = "src/world/screen.rs";

/// The one file that may have `unsafe` code.
const UNSAFE: &str = "src/world/process/calls.rs";

fn code_lines(file: &Source) -> usize {
    let lines = file.tokens.iter().filter(|token| !token.test).flat_map(|token| token.lines.0..=token.lines.1);
    lines.collect::<BTreeSet<usize>>().len()
}

#[test]
fn no_file_is_long() {
    let long = everything().iter().map(|file| (file, code_lines(file))).filter(|(_, lines)| *lines > LONGEST);
    let broken: Vec<String> = long.map(|(file, lines)| format!("{}: {lines} lines of code", file.path)).collect();
    none(&format!("a file has at most {LONGEST} lines of code; find the second subject in it:"), &broken);
}

#[test]
fn only_code_counts() {
    let text = "//! Words.\n\n// why\nfn f() { /* aside */\n    \"two\nlines\"\n}\n\n/// More words.\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\nfn g() {}\n";
    // The function has four lines, `#[cfg(test)]`, `mod tests {` and its `}` three, `g` one.
    assert_eq!(code_lines(&Source::of("src/x.rs", text)), 8);
}

#[test]
fn no_function_is_long() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    assert!(read("clippy.toml").lines().any(|line| line == "too-many-lines-threshold = 60"), "clippy.toml");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    assert_eq!(manifest["lints"]["clippy"]["pedantic"]["level"].as_str(), Some("warn"), "clippy::too_many_lines");
    let silenced = everything().iter().flat_map(|file| file.tokens.iter().map(move |token| (file, token)));
    let silenced = silenced.filter(|(_, token)| token.text == concat!("too_many", "_lines"));
    let broken: Vec<String> = silenced.map(|(file, token)| format!("{}:{}", file.path, token.lines.0)).collect();
    none("clippy holds every function to 60 lines; nobody is excused:", &broken);
}

#[test]
fn names_say_what_is_inside() {
    let mut broken = Vec::new();
    for file in everything() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        broken.extend(parts.filter(|part| BANNED.contains(part)).map(|part| format!("{}: {part}", file.path)));
        for pair in file.tokens.windows(2).filter(|pair| pair[0].text == "mod" && BANNED.contains(&&*pair[1].text)) {
            broken.push(format!("{}:{}: mod {}", file.path, pair[1].lines.0, pair[1].text));
        }
    }
    none("a folder, file or module is called after what it holds:", &broken);
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let mute = everything().iter().filter(|file| !file.text.starts_with("//! "));
    let broken: Vec<String> = mute.map(|file| file.path.clone()).collect();
    none("a file opens with `//!`: what it is for, what it must not do:", &broken);
}

#[test]
fn one_file_writes_to_the_terminal() {
    let mut broken = Vec::new();
    for file in of_the_program().filter(|file| file.path != SCREEN) {
        for pair in file.tokens.windows(2).filter(|pair| pair[1].text == "!") {
            if matches!(pair[0].text.as_str(), "print" | "println" | "eprint" | "eprintln" | "dbg") {
                broken.push(format!("{}:{}: {}!", file.path, pair[0].lines.0, pair[0].text));
            }
        }
    }
    none(&format!("only {SCREEN} writes to the terminal:"), &broken);
}

#[test]
fn one_file_has_unsafe_code() {
    let is = |token: &Token| token.text == "unsafe" || token.text == "unsafe_code";
    let unsafe_in: Vec<&str> =
        everything().iter().filter(|file| file.tokens.iter().any(is)).map(|file| file.path.as_str()).collect();
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(manifest["lints"]["rust"]["unsafe_code"].as_str(), Some("deny"));
    assert_eq!(unsafe_in, [UNSAFE]);
}
