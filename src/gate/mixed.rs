//! Several tools in one command, of which one format may read only some. What the others found is then not known, so that
//! old findings of those that are read are no reason for a status.

use std::collections::BTreeSet;

use crate::integrity::halts::{Looked, Ran};
use crate::model::text::one_line;

/// Tools whose own lines `gcc` reads: `path:line: message`.
const OF_GCC: &[&str] = &[
    "actionlint",
    "cc",
    "clang",
    "clang-tidy",
    "codespell",
    "cpplint",
    "doc8",
    "errcheck",
    "flake8",
    "gcc",
    "go build",
    "go vet",
    "golangci-lint",
    "ktlint",
    "luacheck",
    "mypy",
    "pycodestyle",
    "pyflakes",
    "pylint",
    "pyright",
    "revive",
    "staticcheck",
    "swiftlint",
    "vulture",
];

/// What an argument has by which other tools print such lines.
const AS_GCC: &[&str] =
    &["brief", "concise", "emacs", "gcc", "parsable", "parseable", "plain", "pylint", "raw", "unix"];

/// Programs of which the first word tells the tool.
const OF_VERBS: &[&str] = &[
    "biome",
    "bun",
    "cargo",
    "composer",
    "dart",
    "deno",
    "dotnet",
    "flutter",
    "go",
    "mix",
    "npm",
    "ruff",
    "terraform",
];

/// Why findings that are read in these formats, one for the output or one for each report, may not be those of what failed.
/// Each of them is of one command; a report that nothing is known to write may be of any.
pub(super) fn mixed(looked: &Looked, formats: &[&str], reports: &[String]) -> Option<String> {
    let ran: Vec<&Ran> = looked.ran.iter().filter(|ran| ran.may_fail).collect();
    let said = |ran: &Ran| one_line(&ran.said, 80);
    if let Some(several) = ran.iter().find(|ran| ran.is_several) {
        return Some(format!("what `{}` runs is not known: give each tool its own gate", said(several)));
    }
    if let (false, Some(question)) = (ran.is_empty(), &looked.silent) {
        let question = one_line(question, 80);
        return Some(format!("`{question}` may be why it failed, and shows nothing of it: give it a gate of its own"));
    }
    let is_report = |file: &str| {
        let file = file.trim_matches(['"', '\'']);
        reports.iter().any(|report| report == file || report.contains('*'))
    };
    let is_one = ran.iter().map(|ran| (&ran.words, &ran.dir)).collect::<BTreeSet<_>>().len() < 2;
    if let Some((ran, to)) =
        ran.iter().find_map(|ran| Some((ran, ran.away.as_ref()?))).filter(|(_, to)| !is_one && !is_report(to))
    {
        let (said, to) = (said(ran), one_line(to, 80));
        return Some(format!("what `{said}` printed went to `{to}`, and is not read: give it a gate of its own"));
    }
    let (known, unknown): (Vec<&Ran>, Vec<&Ran>) =
        ran.iter().partition(|ran| formats.iter().any(|format| is_read(&name(ran), ran, format)));
    let names: BTreeSet<String> = unknown.iter().map(|ran| name(ran)).collect();
    let first = unknown.first().filter(|_| names.len() > formats.len().saturating_sub(known.len()))?;
    let mut others: Vec<&str> = formats.to_vec();
    others.dedup();
    let formats = others.iter().map(|format| format!("`{format}`")).collect::<Vec<_>>().join(" or ");
    let said = said(first);
    Some(format!("what `{said}` printed is not known to be {formats}, which is read: give it a gate of its own"))
}

fn name(ran: &Ran) -> String {
    let mut words = ran.words.iter();
    let program = words.next().map(String::as_str).unwrap_or_default();
    let verb = words.find(|word| !word.starts_with(['-', '+'])).filter(|_| OF_VERBS.contains(&program));
    verb.map_or_else(|| program.to_owned(), |verb| format!("{program} {verb}"))
}

/// Whether a format reads what a tool prints.
fn is_read(name: &str, ran: &Ran, format: &str) -> bool {
    let has = |parts: &[&str]| ran.words.iter().skip(1).any(|word| parts.iter().any(|part| word.contains(part)));
    match format {
        // Which tools a user's own matcher is for only they know.
        "matcher" => true,
        "gcc" => OF_GCC.contains(&name) || has(AS_GCC),
        "tsc" => name == "tsc" || name.ends_with("-tsc"),
        "diff" => matches!(name, "gofmt" | "cargo fmt" | "rustfmt" | "shfmt") || has(&["diff"]),
        "libtest" => matches!(name, "cargo test" | "cargo t"),
        "cargo" => name.starts_with("cargo") && has(&["message-format"]),
        "gotest" => name == "go test",
        "eslint" | "ruff" => name.starts_with(format) && has(&["json"]),
        format => has(&[format]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str], formats: &[&str]) -> Option<String> {
        let ran = |line: &&str| {
            let (line, away) =
                line.split_once(" > ").map_or((*line, None), |(line, file)| (line, Some(file.to_owned())));
            Ran { may_fail: true, away, ..Ran::of_line(line) }
        };
        let looked = Looked { ran: lines.iter().map(ran).collect(), ..Looked::default() };
        mixed(&looked, formats, &["a.sarif".to_owned()])
    }

    #[test]
    fn what_a_format_does_not_read_is_told() {
        for (lines, format, tool) in [
            (&["flake8 .", "eslint ."][..], "gcc", "eslint ."),
            (&["cargo test", "cargo clippy --all"], "libtest", "cargo clippy --all"),
            (&["eslint --format json .", "tsc"], "eslint", "tsc"),
            (&["ruff check --output-format json", "ruff format --diff"], "ruff", "ruff format --diff"),
            (&["ruff check --output-format concise a.py", "ruff check b.py"], "gcc", "ruff check b.py"),
            (&["ruff check --output-format json", "./check.sh"], "ruff", "./check.sh"),
        ] {
            let why = of(lines, &[format]);
            let said = format!("what `{tool}` printed is not known to be `{format}`");
            assert!(why.as_ref().is_some_and(|why| why.starts_with(&said)), "{why:?}");
        }
        let ruff = ["ruff check --output-format sarif -o a", "ruff check --output-format json -o b", "mypy ."];
        let why = of(&ruff, &["sarif", "ruff"]).unwrap();
        assert!(why.starts_with("what `mypy .` printed is not known to be `sarif` or `ruff`"), "{why}");
        let away = of(&["flake8 .", "mypy . > types.log"], &["gcc"]);
        assert!(away.is_some_and(|why| why.starts_with("what `mypy .` printed went to `types.log`")));
    }

    #[test]
    fn what_a_format_reads_is_known() {
        for (lines, formats) in [
            (&["eslint ."][..], &["gcc"][..]),
            (&["eslint a", "eslint b"], &["gcc"]),
            (&["flake8 .", "mypy .", "shellcheck --format gcc a"], &["gcc"]),
            (&["go vet ./...", "go build ./..."], &["gcc"]),
            (&["cargo test", "cargo test --doc"], &["libtest"]),
            (&["eslint --format sarif", "ruff check --output-format=sarif"], &["sarif"]),
            (&["mylint", "eslint"], &["matcher"]),
            (&["jest", "pytest"], &["junit", "junit"]),
            (&["jest", "pytest --junitxml=a.xml"], &["junit", "junit"]),
            (&["eslint --format sarif . > a.sarif", "ruff check --output-format json -o b"], &["sarif", "ruff"]),
            (&["./check.sh"], &["gcc"]),
            (&["mypy . > types.log"], &["gcc"]),
        ] {
            assert_eq!(of(lines, formats), None, "{lines:?}");
        }
    }
}
