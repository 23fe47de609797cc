//! One thing a tool complained about, before anything was decided about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How bad the tool says it is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing, never wrong by itself.
    Note,
    /// Should be mended.
    #[default]
    Warning,
    /// Wrong.
    Error,
}

impl Level {
    /// The word used in reports and on the terminal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A folder that a tool's caller said it works in. Untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Folder {
    /// As `make` spells it, absolute or relative to the gate's own.
    At(Arc<str>),
    /// That of a package, which `npm` names at best.
    Package {
        /// Empty where it has none.
        name: Arc<str>,
        /// How many were told of before.
        nth: usize,
    },
}

/// The last one first: a relative path is relative to one of them or to the gate's own.
pub type Folders = Arc<[Folder]>;

/// A finding as a parser made it. The path is the tool's own spelling, not yet placed in the repository.
/// Lines and columns are 1-based; `end_column` is exclusive; `None` where the tool gave none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// The tool's name for the rule (`clippy::needless_return`, `no-unused-vars`, `TS2322`).
    pub rule: Option<String>,
    /// Severity as the tool gave it.
    pub level: Level,
    /// What the tool said; may have several lines. Untrusted.
    pub message: String,
    /// The file as the tool spelt it, absolute or relative. Untrusted.
    pub path: Option<String>,
    /// Where its caller said that it works: the path may be relative to one of them.
    pub folders: Folders,
    /// First line, from 1.
    pub line: Option<u32>,
    /// First column, from 1, in the unit of [`Parsed::columns`](crate::model::evidence::Parsed).
    pub column: Option<u32>,
    /// Last line, inclusive.
    pub end_line: Option<u32>,
    /// Column just after the last character.
    pub end_column: Option<u32>,
    /// A page that explains the rule.
    pub help: Option<String>,
    /// A change that mends it, in the finding's own file.
    pub fix: Option<Fix>,
}

/// Rules by which a tool says that it could not read a file as a program: Ruff and flake8, pylint, `ShellCheck`, `RuboCop`,
/// stylelint, Biome, clang-tidy, oxlint, cppcheck, luacheck, hadolint, mypy; and `phpcs`, where it gave up on one.
const UNREAD: [&str; 24] = [
    "invalid-syntax",
    "syntax-error",
    "parse",
    "clang-diagnostic-error",
    "E902",
    "E999",
    "E0001",
    "F0001",
    "F0002",
    "SC1070",
    "SC1072",
    "SC1073",
    "SC1088",
    "Lint/Syntax",
    "CssSyntaxError",
    "OXL0001",
    "syntaxError",
    "unknownMacro",
    "internalAstError",
    "E011",
    "DL1000",
    "syntax",
    "Internal.Exception",
    "Internal.Tokenizer.Exception",
];

/// How a message without a rule says so, in whichever case: `ESLint`, Ruff's texts, pylint's, yamllint, xmllint, luacheck,
/// ansible-lint, `phpcs`, and what stops at a limit.
const UNREAD_WORDS: [&str; 14] = [
    "syntaxerror",
    "invalid-syntax",
    "invalid syntax",
    "parser error",
    "e0001: ",
    "f0001: ",
    "f0002: ",
    "[e0001",
    "[f0001",
    "[f0002",
    "(e011)",
    "syntax-check[",
    "an error occurred during processing",
    "too many errors",
];

/// And a message of any rule, which may be that for all that has none: `ESLint` in SARIF, Prettier as a rule.
const UNREAD_UNDER_RULES: [&str; 3] = ["parsing error", "syntax error", "parse error"];

/// And an error's, of compilers and pyflakes: on the line where they lost the way, which may be far behind the change.
const LOST: [&str; 13] = [
    "expected `",
    "expected a semicolon",
    "unterminated ",
    "unclosed ",
    "missing terminating ",
    "extraneous closing ",
    "illegal start of ",
    "reached end of file",
    "premature end of ",
    "unindent",
    "unexpected indent",
    "unexpected token",
    "unexpected end of ",
];

impl Finding {
    /// Whether it stands for all of its file, whatever line it names: the file could not be read, or the tool tells only the
    /// first of such findings in it.
    #[must_use]
    pub fn is_of_whole_file(&self) -> bool {
        // golangci-lint shows one for each file of these.
        let is_first = || match &self.rule {
            Some(rule) => matches!(rule.as_str(), "gofmt" | "goimports"),
            None => ["(gofmt)", "(goimports)"].iter().any(|linter| self.message.trim_end().ends_with(linter)),
        };
        (self.message.starts_with("File is not ") && is_first()) || self.is_of_unread_file()
    }

    /// Whether it is about its file's name or mode, though it names a line.
    #[must_use]
    pub fn is_of_name_or_mode(&self) -> bool {
        // https://docs.astral.sh/ruff/rules/#flake8-executable-exe
        const RULES: &[&str] = &["N999", "INP001", "EXE001", "EXE002", "EXE003", "EXE004", "EXE005"];
        let rule = self.rule.as_deref().unwrap_or_default();
        let code = self.message.split(' ').next().unwrap_or_default();
        let is_first = self.line.is_none_or(|line| line <= 1);
        is_first && (RULES.contains(&rule) || RULES.contains(&code) || self.message.starts_with("Module name "))
    }

    /// Whether it says that its file could not be read as a program. The tool then looked at nothing else in it, so that its
    /// line is not all that it is about.
    fn is_of_unread_file(&self) -> bool {
        // yamllint writes the place once more before its words, and RuboCop a letter for the level.
        let place = |c: char| c.is_ascii_digit() || c == ':' || c == ' ';
        let words = self.message.trim_start_matches(place);
        let words = words.split_once(": ").filter(|(level, _)| level.len() == 1).map_or(words, |(_, words)| words);
        let lower = words.to_lowercase();
        let begins = |with: &[&str]| with.iter().any(|with| lower.starts_with(with));
        if begins(&UNREAD_UNDER_RULES) {
            return true;
        }
        if let Some(rule) = &self.rule {
            // `ShellCheck.SC1072` in one format is `SC1072` in another.
            let last = rule.rsplit('.').next().unwrap_or(rule);
            return UNREAD.contains(&rule.as_str()) || UNREAD.contains(&last) || rule.starts_with("syntax-check[");
        }
        // A workflow command's title may be the rule, or end with it in parentheses.
        let title = words.split_once(": ").map_or("", |(title, _)| title);
        let rule = title.rsplit('(').next().unwrap_or(title).trim_end_matches(')');
        // A linter may begin its advice with `Expected`; so begins what a parser says. javac and hadolint have it behind.
        let lost = words.starts_with("expected ") || words.ends_with("' expected") || lower.contains("\nexpecting ");
        begins(&UNREAD_WORDS)
            || UNREAD.contains(&rule)
            || words.ends_with("(CssSyntaxError)")
            || (self.level == Level::Error && (lost || begins(&LOST)))
    }
}

/// A mechanical change offered by the tool. All edits are in the file of the finding and do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fix {
    /// What the change does, in the tool's words.
    pub description: String,
    /// The replacements, in file order.
    pub edits: Vec<Edit>,
}

/// Replaces the text from start (inclusive) to end (exclusive) by `text`. An empty range inserts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Edit {
    /// First line, from 1.
    pub start_line: u32,
    /// First column, from 1.
    pub start_column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end, exclusive. The end of a whole line is column 1 of the next one.
    pub end_column: u32,
    /// The replacement.
    pub text: String,
}

/// What one column is in a tool's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColumnUnit {
    /// Unicode scalar values: what the report uses.
    #[default]
    Scalars,
    /// UTF-16 code units (`ESLint`, TypeScript, SARIF's default).
    Utf16,
    /// UTF-8 bytes (gcc, Go).
    Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_once_for_a_file_is_of_all_of_it() {
        let whole = |rule: Option<&str>, message: &str| {
            let (rule, message) = (rule.map(str::to_owned), message.to_owned());
            Finding { rule, message, ..Finding::default() }.is_of_whole_file()
        };
        assert!(whole(Some("gofmt"), "File is not properly formatted") && whole(Some("E999"), "x"));
        assert!(whole(None, "File is not `goimports`-ed (goimports)"));
        assert!(!whole(Some("errcheck"), "File is not closed") && !whole(None, "File is not closed (errcheck)"));
    }

    #[test]
    fn a_file_that_could_not_be_read_is_told_by_rule_or_words() {
        let unread = |rule: Option<&str>, message: &str| {
            let (rule, message) = (rule.map(str::to_owned), message.to_owned());
            Finding { rule, message, ..Finding::default() }.is_of_unread_file()
        };
        for rule in ["invalid-syntax", "E999", "SC1073", "ShellCheck.SC1072", "Lint/Syntax", "parse"] {
            assert!(unread(Some(rule), "x"), "{rule}");
        }
        for words in [
            "Parsing error: Unexpected token",
            "SyntaxError: Expected",
            "E0001: Parsing failed",
            "[E0001(syntax-error), ] Parsing failed",
            "invalid-syntax: Expected an indented block",
            "4:1 syntax error: expected ',' or ']' (syntax)",
            "Unexpected } (CssSyntaxError)",
            "parse: expected `}` but instead the file ends",
            "ruff (invalid-syntax): a.py:4:5: invalid-syntax: Expected an indented block",
            "Syntax error, unexpected EOF on line 4",
            "E: Lint/Syntax: unexpected token $end",
            "F: Lint/Syntax: unexpected token $end",
            "(E011) expected 'end' near 'end'",
            "parser error : Premature end of data in tag a line 1",
            "syntax-check[specific][/]",
            "An error occurred during processing; checking has been aborted. The error message was: boom",
            "Too many errors. (81% scanned).",
        ] {
            assert!(unread(None, words), "{words}");
        }
        for rule in
            ["OXL0001", "syntaxError", "E011", "DL1000", "syntax-check[specific]", "syntax", "Internal.Exception"]
        {
            assert!(unread(Some(rule), "x"), "{rule}");
        }
        assert!(unread(Some("ESL0999"), "Parsing error: Unexpected token") && !unread(Some("ESL0999"), "No config"));
        assert!(!unread(None, "cannot parse: x"));
        let words = "expected declaration or statement at end of input";
        let compiler = |level| Finding { level, message: words.to_owned(), ..Finding::default() }.is_of_unread_file();
        assert_eq!([Level::Error, Level::Warning].map(compiler), [true, false]);
        let lost = |words: &str| {
            Finding { level: Level::Error, message: words.to_owned(), ..Finding::default() }.is_of_unread_file()
        };
        for words in [
            "Expected `}` but found `EOF`",
            "Unexpected token",
            "reached end of file while parsing",
            "';' expected",
            "Dockerfile:3:1:\n  |\nunexpected '\"'\nexpecting '#'",
        ] {
            assert!(lost(words) && !unread(None, words), "{words}");
        }
        for ordinary in [
            "Expected 1 space after IF keyword; 0 found",
            "Expected '===' and instead saw '=='.",
            "C: Style/Semicolon: x",
            "Unexpected console statement",
        ] {
            assert!(!lost(ordinary), "{ordinary}");
        }
        assert!(!unread(Some("E501"), "SyntaxError: x") && !unread(None, "E501: x") && !unread(None, "no SyntaxError"));
    }
}
