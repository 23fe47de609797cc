//! What to do about output that cannot be read: which format a tool prints, and how it is asked to.

use crate::gate::read::ReadError;
use crate::model::settings::{CommandLine, Common};

/// A tool by its words, and how it is read; nothing where only its status tells something.
const TOOLS: &[(&[&str], &str)] = &[
    (&["flake8"], "`format = \"gcc\"`"),
    (&["mypy"], "`format = \"gcc\"`"),
    (&["pylint"], "`format = \"gcc\"`"),
    (&["pyright"], "`format = \"gcc\"`"),
    (&["rubocop"], "`--format emacs` and `format = \"gcc\"`"),
    (&["javac"], "`format = \"gcc\"`"),
    (&["go", "build"], "`format = \"gcc\"`"),
    (&["go", "vet"], "`format = \"gcc\"`"),
    (&["go", "test"], "`-json` and `format = \"gotest\"`"),
    (&["shellcheck"], "`--format gcc` and `format = \"gcc\"`"),
    (&["tsc"], "`format = \"tsc\"`"),
    (&["vue-tsc"], "`format = \"tsc\"`"),
    (&["black"], "`--diff --check` and `format = \"diff\"`"),
    (&["isort"], "`--diff --check` and `format = \"diff\"`"),
    (&["gofmt"], "`-d` and `format = \"diff\"`"),
    (&["cargo", "fmt"], "`--check` and `format = \"diff\"`"),
    (&["ruff", "format"], "`--diff` and `format = \"diff\"`"),
    (&["ruff", "check"], "`--output-format json` and `format = \"ruff\"`"),
    (&["cargo", "clippy"], "`--message-format=json` and `format = \"cargo\"`"),
    (&["cargo", "check"], "`--message-format=json` and `format = \"cargo\"`"),
    (&["eslint"], "`--format json` and `format = \"eslint\"`"),
    (&["stylelint"], "`--formatter unix` and `format = \"gcc\"`"),
    (&["biome"], "`--reporter=github` and `format = \"github\"`"),
    (&["pytest"], "`--junitxml=out.xml` and `reports = [\"out.xml\"]`"),
    (&["vitest"], "`--reporter=default --reporter=junit --outputFile.junit=out.xml` and `reports = [\"out.xml\"]`"),
    (&["jest"], "the reporter `jest-junit` and `reports = [\"junit.xml\"]`"),
    (&["mocha"], "`--reporter xunit --reporter-option output=out.xml` and `reports = [\"out.xml\"]`"),
    (&["node", "--test"], "`--test-reporter=junit --test-reporter-destination=out.xml` and `reports = [\"out.xml\"]`"),
    (&["prettier"], ""),
];

/// Formats that hold what is no part of them for talk of the tool.
pub(super) const LENIENT: [&str; 2] = ["diff", "gcc"];

/// What could not be read, why, and what to do.
pub(super) fn unread(common: &Common, what: &str, error: &ReadError) -> String {
    let advice = match error {
        ReadError::Unrecognised(_) | ReadError::EmptyAndUnnamed => advice(common, error),
        _ => String::new(),
    };
    format!("{what} {error}{advice}")
}

/// What to do about an output that names this file, others maybe, and no finding.
pub(super) fn listed(common: &Common, file: &str, format: &str) -> String {
    listed_by(&words(common), file, format)
}

fn listed_by(command: &str, file: &str, format: &str) -> String {
    let how = way(command).filter(|way| !way.contains(&format!("`format = \"{format}\"`")) && !way.is_empty());
    let how = how.unwrap_or_else(|| {
        "have the tool say what is wrong with them (`path:line: message`), or show what it would change (`gofmt -d`, `black --diff`)"
            .to_owned()
    });
    format!("its output names files and no finding (`{file}`), which `{format}` cannot judge: {how}")
}

fn words(common: &Common) -> String {
    match &common.command {
        Some(CommandLine::Shell(text)) => text.clone(),
        Some(CommandLine::Argv(words)) => words.join(" "),
        None => String::new(),
    }
}

/// How the tool of a command is read; nothing where only its status tells something.
fn way(command: &str) -> Option<String> {
    let (tool, how) = tool(command)?;
    Some(if how.is_empty() { String::new() } else { format!("{} is read with {how}", tool.join(" ")) })
}

fn advice(common: &Common, error: &ReadError) -> String {
    let mut ways: Vec<String> = match (way(&words(common)), error) {
        (Some(way), _) if way.is_empty() => Vec::new(),
        (Some(way), _) => vec![way],
        (None, ReadError::EmptyAndUnnamed) => vec!["name it with `format`".to_owned()],
        (None, _) => vec!["name it with `format`".to_owned(), "bring a matcher".to_owned()],
    };
    if common.kind == "lint" {
        ways.push("let its exit status alone judge, with `kind = \"command\"`".to_owned());
    }
    let last = ways.pop();
    let first = if ways.is_empty() { String::new() } else { format!("{}, or ", ways.join(", ")) };
    last.map_or_else(String::new, |last| format!(": {first}{last}"))
}

/// The tool that a command runs last, of those that are known.
fn tool(command: &str) -> Option<(&'static [&'static str], &'static str)> {
    let words: Vec<&str> = command.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
    let runs = |tool: &[&str]| words.windows(tool.len()).rposition(|part| part == tool);
    TOOLS
        .iter()
        .filter_map(|(tool, how)| Some((runs(tool)?, *tool, *how)))
        .max_by_key(|(at, ..)| *at)
        .map(|(_, tool, how)| (tool, how))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn tools_are_told_by_their_words() {
        let how = |command: &str| tool(command).map(|(tool, _)| tool.join(" "));
        assert_eq!(how("npx --no -- eslint .").as_deref(), Some("eslint"));
        assert_eq!(how("cargo --locked fmt"), None);
        assert_eq!(how("cd a && .venv/bin/ruff format .").as_deref(), Some("ruff format"));
        assert_eq!(how("ruff --version; go vet ./...").as_deref(), Some("go vet"));
        assert_eq!(how("make lint"), None);
    }

    #[test]
    fn files_alone_are_no_findings() {
        let said = |command: &str, format: &str| listed_by(command, "a.go", format);
        let begin = "its output names files and no finding (`a.go`), which `gcc` cannot judge: ";
        assert_eq!(said("gofmt -l .", "gcc"), format!("{begin}gofmt is read with `-d` and `format = \"diff\"`"));
        let else_ = format!("{begin}have the tool say what is wrong with them");
        for command in ["mypy .", "prettier --list-different .", "make lint"] {
            assert!(said(command, "gcc").starts_with(&else_), "{command}");
        }
    }

    #[test]
    fn formats_that_are_advised_are_there() {
        for (tool, how) in TOOLS {
            let format = how.split_once("format = \"").and_then(|(_, rest)| rest.split('"').next());
            assert!(format.is_none_or(|format| parse::find(format).is_some()), "{tool:?}");
        }
    }
}
