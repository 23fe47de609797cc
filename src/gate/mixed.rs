//! Several tools in one command, of which one format may read only some. What the others found is then not known, so that
//! old findings of those that are read are no reason for a status.

use std::collections::BTreeMap;

use crate::integrity::halts::Ran;
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

/// Why findings that are read in these formats, one for the output or one for each report, may not be those of the tool
/// that failed.
pub(super) fn mixed(ran: &[Ran], formats: &[&str]) -> Option<String> {
    let tools: BTreeMap<String, &Ran> = ran.iter().filter(|ran| ran.is_tool).map(|ran| (name(ran), ran)).collect();
    let [format] = formats else { return None };
    if tools.len() < 2 {
        return None;
    }
    tools.iter().find_map(|(name, ran)| {
        let said = one_line(&ran.words.join(" "), 80);
        if let Some(file) = &ran.away {
            return Some(format!("what `{said}` printed went to `{file}`, and is not read: give it a gate of its own"));
        }
        (!is_read(name, ran, format)).then(|| {
            format!("what `{said}` printed is not known to be `{format}`, which is read: give it a gate of its own")
        })
    })
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
            Ran { words: line.split(' ').map(str::to_owned).collect(), dir: String::new(), is_tool: true, away }
        };
        mixed(&lines.iter().map(ran).collect::<Vec<_>>(), formats)
    }

    #[test]
    fn what_a_format_does_not_read_is_told() {
        for (lines, format, tool) in [
            (&["flake8 .", "eslint ."][..], "gcc", "eslint ."),
            (&["cargo test", "cargo clippy --all"], "libtest", "cargo clippy --all"),
            (&["eslint --format json .", "tsc"], "eslint", "tsc"),
            (&["ruff check --output-format json", "ruff format --diff"], "ruff", "ruff format --diff"),
        ] {
            let why = of(lines, &[format]);
            let said = format!("what `{tool}` printed is not known to be `{format}`");
            assert!(why.as_ref().is_some_and(|why| why.starts_with(&said)), "{why:?}");
        }
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
        ] {
            assert_eq!(of(lines, formats), None, "{lines:?}");
        }
    }
}
