//! `gcc`: lines of the shape `path:line:column: level: message`, which C compilers, `go vet`, mypy, flake8,
//! shellcheck and many others print. What looks like it but is a time or an address is left alone.

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::without_escapes;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Range, Seen, count, ends_with_number, not_understood};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "gcc",
    about: "gcc, clang, go vet, mypy, flake8, `shellcheck -f gcc` and others that print `path:line:column: message`",
    stream: Stream::Both,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Gcc>::default()),
};

const STOPPED: &str = "the tool stopped at an error: what comes after it was not looked at";

/// Notes that are taken over into one finding.
const MOST_NOTES: usize = 10;

fn recognises(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let markup = text.trim_start().starts_with(['<', '{']);
    !markup && text.lines().any(|line| diagnostic(&without_escapes(line)).is_some())
}

#[derive(Default)]
struct Gcc {
    findings: Vec<Finding>,
    seen: Seen,
    /// The finding that notes go to; `None` when the last one was said before.
    last: Option<usize>,
    notes_of_last: usize,
    /// Errors and warnings since the last closing count.
    errors: usize,
    warnings: usize,
    /// Source text may follow: a finding or its excerpt came just before.
    excerpt: bool,
    /// A line that is source text if the next one is a caret.
    held: bool,
    /// The tool's word that it stopped before it had seen everything.
    stopped: bool,
    lines: usize,
    unknown: usize,
    notes: Vec<String>,
}

impl LineParser for Gcc {
    fn line(&mut self, text: &str) {
        let text = &*without_escapes(text);
        if text.trim().is_empty() {
            return;
        }
        self.lines += 1;
        if is_caret(text) {
            self.held = false;
            return;
        }
        self.let_go();
        self.stopped |= says_stopped(text);
        if is_chatter(text) {
            return;
        }
        if let Some((finding, has_level)) = diagnostic(text) {
            self.finding(finding, has_level);
        } else if let Some(promised) = closing(text) {
            self.close(&promised);
        } else if self.excerpt {
            self.held = true;
            self.excerpt = false;
        } else {
            self.unknown += 1;
        }
    }

    fn end(mut self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        self.let_go();
        let mut notes = self.notes;
        if !complete {
            notes.push(NO_LINE_END.to_owned());
        }
        notes.extend(not_understood(self.unknown, self.lines));
        let unexplained_exit = self.stopped.then(|| STOPPED.to_owned());
        Ok(Parsed { findings: self.findings, columns: ColumnUnit::Bytes, notes, unexplained_exit, ..Parsed::default() })
    }
}

impl Gcc {
    fn let_go(&mut self) {
        self.unknown += usize::from(self.held);
        self.held = false;
    }

    fn finding(&mut self, finding: Finding, has_level: bool) {
        self.excerpt = true;
        // A compiler's note belongs to what came before; a linter's has a rule of its own.
        if finding.level == Level::Note && finding.rule.is_none() && (self.errors + self.warnings > 0) {
            self.note(&finding);
            return;
        }
        self.errors += usize::from(has_level && finding.level == Level::Error);
        self.warnings += usize::from(has_level && finding.level == Level::Warning);
        self.notes_of_last = 0;
        self.last = None;
        if self.seen.is_new(&finding) {
            self.last = Some(self.findings.len());
            self.findings.push(finding);
        }
    }

    fn note(&mut self, note: &Finding) {
        let Some(finding) = self.last.and_then(|at| self.findings.get_mut(at)) else { return };
        self.notes_of_last += 1;
        if self.notes_of_last > MOST_NOTES {
            return;
        }
        finding.message.push_str("\nnote: ");
        finding.message.push_str(&note.message);
        if (&note.path, note.line) != (&finding.path, finding.line)
            && let (Some(path), Some(line)) = (&note.path, note.line)
        {
            finding.message = format!("{} ({path}:{line})", finding.message);
        }
    }

    fn close(&mut self, promised: &Closing) {
        let good = self.errors >= promised.errors && self.warnings >= promised.warnings;
        if !good {
            self.notes.push(format!(
                "the tool counts {} and {}, but {} and {} were read: the output may have been cut",
                count(promised.errors, "error", "errors"),
                count(promised.warnings, "warning", "warnings"),
                self.errors,
                self.warnings,
            ));
        }
        self.errors = 0;
        self.warnings = 0;
        self.excerpt = false;
    }
}

/// `^~~~`, alone or after a gutter, and what gcc draws beside it.
fn is_caret(text: &str) -> bool {
    let drawn = text.trim_start();
    drawn.len() < text.len() && drawn.starts_with(['^', '~', '|'])
        || drawn.starts_with('^')
        || drawn.trim_start_matches(|c: char| c.is_ascii_digit() || c == '+').trim_start().starts_with('|')
            && text.starts_with(' ')
}

/// What tells where the next finding is, and nothing else.
fn is_chatter(text: &str) -> bool {
    text.starts_with("In file included from ")
        || text.starts_with("# ")
        || text == "compilation terminated."
        || (text.starts_with(' ') && text.trim_start().starts_with("from "))
        || (text.ends_with(':')
            && [": In ", ": At top level", ": in function "].iter().any(|words| text.contains(words))
            && place(text).is_none())
}

/// Whether a compiler's or mypy's words say that it did not come to the end.
fn says_stopped(text: &str) -> bool {
    text == "compilation terminated."
        || [": fatal error: ", ": internal compiler error: "].iter().any(|words| text.contains(words))
        || (text.starts_with("Found ") && text.ends_with("(errors prevented further checking)"))
}

/// A count that closes the output.
struct Closing {
    errors: usize,
    warnings: usize,
}

/// clang's "1 warning and 2 errors generated." and mypy's "Found 3 errors in 1 file (checked 2 source files)".
fn closing(text: &str) -> Option<Closing> {
    let mut closing = Closing { errors: 0, warnings: 0 };
    if text.starts_with("Success: no issues found") {
        return Some(closing);
    }
    let counts = match text.strip_prefix("Found ") {
        Some(rest) => rest.split_once(" in ")?.0,
        None => text.strip_suffix(" generated.")?,
    };
    for part in counts.split(" and ") {
        let (number, word) = part.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "error" | "errors" => closing.errors = number,
            "warning" | "warnings" => closing.warnings = number,
            _ => return None,
        }
    }
    Some(closing)
}

/// A finding, and whether the tool gave its level.
pub(super) fn diagnostic(text: &str) -> Option<(Finding, bool)> {
    if text.starts_with(char::is_whitespace) {
        return None;
    }
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    let Some((path, line, column, rest)) = place(text) else { return of_the_tool(text) };
    let (level, message) = levelled(rest.trim_start());
    let (level, rule, message) = match trailing_level(message).filter(|_| level.is_none()) {
        Some((level, rule, message)) => (Some(level), rule, message),
        None => (level, None, message),
    };
    if level.is_none() && !is_file(path) {
        return None;
    }
    let mut finding = worded(level, message)?;
    finding.rule = rule.map(str::to_owned).or(finding.rule);
    finding.path = Some(path.to_owned());
    Range { line: Some(line), column, ..Range::default() }.apply(&mut finding);
    Some((finding, level.is_some()))
}

/// Splits at the first `:line:` or `:line:column:` that a space or the end follows.
fn place(text: &str) -> Option<(&str, u32, Option<u32>, &str)> {
    let from = if has_drive(text) { 2 } else { 0 };
    for (at, _) in text[from..].match_indices(": ") {
        let head = &text[..from + at];
        let Some((before, last)) = ends_with_number(head, ':') else { continue };
        let (path, line, column) = match ends_with_number(before, ':') {
            Some((path, line)) if !path.is_empty() => (path, line, Some(last)),
            _ => (before, last, None),
        };
        let good = !path.is_empty() && !is_clock(path, line) && !is_address(path);
        return good.then_some((path, line, column, &text[from + at + 1..]));
    }
    None
}

/// `C:\…` or `C:/…`
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

/// `12:30:45: …`, also after a date.
fn is_clock(path: &str, minute: u32) -> bool {
    let before = path.trim_end_matches(|c: char| c.is_ascii_digit());
    let hour = path.len() - before.len();
    let apart = before.is_empty() || before.ends_with([' ', 'T', '[', '(', ':']);
    (1..=2).contains(&hour) && minute < 60 && apart
}

/// `http://host:80: …`, `127.0.0.1:80: …`, `localhost:80: …`
fn is_address(path: &str) -> bool {
    let last = path.rsplit(' ').next().unwrap_or(path);
    path.contains("://")
        || last == "localhost"
        || last.ends_with(']')
        || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// Words that begin the line of a log, and are no file in capitals.
const LOG_LEVELS: [&str; 8] = ["ERROR", "WARNING", "WARN", "INFO", "DEBUG", "TRACE", "FATAL", "CRITICAL"];

/// Whether the text before a place without a level is a file's name, not a sentence.
fn is_file(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let extension = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let hidden = name.strip_prefix('.').is_some_and(is_word);
    let capitals = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && !name.contains(|c: char| c.is_ascii_lowercase())
        && is_word(name)
        && !LOG_LEVELS.contains(&name);
    let plain = !name.is_empty() && !name.contains(' ');
    extension || hidden || capitals || (plain && (name.ends_with("file") || path.contains('/')))
}

/// `cc1: fatal error: …`, `collect2: error: …`, `pkg/a.py: error: …`: no line.
fn of_the_tool(text: &str) -> Option<(Finding, bool)> {
    let (name, rest) = text.split_once(": ")?;
    let (level, message) = levelled(rest);
    let bare = if has_drive(name) { &name[2..] } else { name };
    let named = !bare.is_empty() && !bare.contains([' ', ':']);
    let level = level.filter(|level| *level != Level::Note && named)?;
    let mut finding = worded(Some(level), message)?;
    if name.starts_with('/') || !is_file(name) {
        finding.message = format!("{name}: {}", finding.message);
    } else {
        finding.path = Some(name.to_owned());
    }
    Some((finding, true))
}

/// `error: message`, `[error] message`
fn levelled(text: &str) -> (Option<Level>, &str) {
    let split = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("] "),
        None => text.split_once(':'),
    };
    match split.and_then(|(word, message)| Some((level(word)?, message))) {
        Some((level, message)) => (Some(level), message.trim_start()),
        None => (None, text),
    }
}

/// `message [Warning/rule]`, `message [Error]`, as linters of JavaScript write in the format `unix`.
fn trailing_level(message: &str) -> Option<(Level, Option<&str>, &str)> {
    let (text, words) = message.strip_suffix(']')?.rsplit_once(" [")?;
    let (word, rule) = words.split_once('/').map_or((words, None), |(word, rule)| (word, Some(rule)));
    Some((level(word)?, rule, text))
}

fn level(word: &str) -> Option<Level> {
    Some(match word.to_ascii_lowercase().as_str() {
        "error" | "fatal error" | "fatal" | "internal compiler error" | "sorry, unimplemented" => Level::Error,
        "warning" | "style" | "performance" | "portability" => Level::Warning,
        "note" | "info" | "information" | "remark" | "hint" | "help" => Level::Note,
        _ => return None,
    })
}

/// The message with its rule taken off. Without a level it is an error: the mildest reading is not ours to choose.
fn worded(level: Option<Level>, message: &str) -> Option<Finding> {
    if message.is_empty() {
        return None;
    }
    let (rule, message) = match (trailing_rule(message), leading_code(message)) {
        (Some((rule, text)), _) if level.is_some() || rule.starts_with('-') => (Some(rule), text),
        (_, Some((code, text))) if level.is_none() => (Some(code.to_owned()), text),
        _ => (None, message),
    };
    Some(Finding { rule, level: level.unwrap_or(Level::Error), message: message.to_owned(), ..Finding::default() })
}

/// `message [-Wunused]`, `[-Werror=unused]`, `[-Werror,-Wunused]`, `[bugprone-x,-warnings-as-errors]`, `[SC2086]`
fn trailing_rule(message: &str) -> Option<(String, &str)> {
    let (text, rule) = message.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    let word = |b: u8| b.is_ascii_alphanumeric() || b"-_.=+,/:".contains(&b);
    if rule.is_empty() || !text.ends_with(' ') || !rule.bytes().all(word) {
        return None;
    }
    let rule = rule.split(',').find(|part| !["-Werror", "-warnings-as-errors"].contains(part)).unwrap_or(rule);
    let rule = rule.strip_prefix("-Werror=").map_or_else(|| rule.to_owned(), |name| format!("-W{name}"));
    Some((rule, text.trim_end()))
}

/// `F401 'os' imported but unused`
fn leading_code(message: &str) -> Option<(&str, &str)> {
    let (code, text) = message.split_once(' ')?;
    let digits = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = code.len() - digits.len();
    let good =
        (1..=5).contains(&letters) && (2..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then_some((code, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parsed {
        FORMAT.parse(text.as_bytes()).unwrap()
    }

    fn one(line: &str) -> Option<Finding> {
        diagnostic(line).map(|(finding, _)| finding)
    }

    #[test]
    fn places_are_found() {
        let found = |path: &str, line, column, message: &str| Some((path.to_owned(), line, column, message.to_owned()));
        let one = |line| {
            let finding = one(line)?;
            Some((finding.path?, finding.line?, finding.column, finding.message))
        };
        assert_eq!(one("C:\\my src\\x.c:3:4: error: bad"), found("C:\\my src\\x.c", 3, Some(4), "bad"));
        assert_eq!(one("a.c:3: warning: bad [-Wx]"), found("a.c", 3, None, "bad"));
        assert_eq!(one("vet: bad/bad.go:3:23: cannot"), found("bad/bad.go", 3, Some(23), "cannot"));
        assert_eq!(one("Makefile:4: *** missing separator."), found("Makefile", 4, None, "*** missing separator."));
        assert_eq!(one("12.c:30:45: error: x"), found("12.c", 30, Some(45), "x"));
        assert_eq!(one("a: b.c:3:4: error: x"), found("a: b.c", 3, Some(4), "x"));
    }

    #[test]
    fn what_has_no_line_is_of_a_file_or_of_the_tool() {
        let of = |line| one(line).map(|finding| (finding.path, finding.message));
        let tool = |message: &str| Some((None, message.to_owned()));
        assert_eq!(of("pkg/a.py: error: bad"), Some((Some("pkg/a.py".to_owned()), "bad".to_owned())));
        assert_eq!(of("cc1: fatal error: bad"), tool("cc1: bad"));
        assert_eq!(of("/usr/bin/ld.bfd: error: bad"), tool("/usr/bin/ld.bfd: bad"));
        assert_eq!(["pkg/a.py: note: x", "the tool: error: x", "pkg/a.py: x"].map(one), [const { None }; 3]);
    }

    #[test]
    fn carets_and_what_leads_to_a_finding_are_told_from_other_lines() {
        for caret in ["  ^~~~", "^", "^~~", "\t~~^~~", "  |", "  3 | int x;", " +++ |+#include <a>", "    |     ^"] {
            assert!(is_caret(caret), "{caret}");
        }
        for other in ["", "x", "~/bin", "| a table |", "3 | x", "  x ^", "  a | b", " 3 x"] {
            assert!(!is_caret(other), "{other}");
        }
        for chatter in [
            "In file included from a.h:3,",
            "                 from a.c:1:",
            "# example.com/bad",
            "compilation terminated.",
            "a.c: In function 'main':",
            "a.c: At top level:",
            "ld: a.o: in function `main':",
        ] {
            assert!(is_chatter(chatter), "{chatter}");
        }
        for other in ["from a import b", " import a", "  x from y", "a.c: In function 'main'", "a.c: bad:", "#x"] {
            assert!(!is_chatter(other), "{other}");
        }
    }

    #[test]
    fn a_diagnostic_is_no_chatter_whatever_it_says() {
        let parsed = read("a.c:1:2: error: #error Port me: In function g replace this:\na.c:3: x: At top level:\n");
        assert_eq!((parsed.findings.len(), parsed.notes), (2, vec![]));
    }

    #[test]
    fn a_tool_that_stopped_has_not_seen_everything() {
        let why = |text: &str| read(text).unexplained_exit;
        for stopped in [
            "a.c:1:10: fatal error: dep.h: No such file or directory\n 1 | #include \"dep.h\"\n   | ^\ncompilation terminated.\n",
            "a.c:1:10: fatal error: 'dep.h' file not found\n1 error generated.\n",
            "a.c:1:1: internal compiler error: in f, at g.c:1\n",
            "a.py:1: error: Invalid syntax  [syntax]\nFound 1 error in 1 file (errors prevented further checking)\n",
        ] {
            assert_eq!(why(stopped).as_deref(), Some(STOPPED), "{stopped}");
        }
        assert_eq!(why("a.c:1:1: error: x\n1 error generated.\n"), None);
        assert_eq!(why("a.py:1: error: x  [y]\nFound 1 error in 1 file (checked 1 source file)\n"), None);
    }

    #[test]
    fn levels_may_stand_in_brackets() {
        let of = |line| {
            let (finding, has_level) = diagnostic(line).unwrap();
            (finding.level, finding.rule, finding.message, has_level)
        };
        let found = |level, rule: Option<&str>, message: &str, has_level| {
            (level, rule.map(str::to_owned), message.to_owned(), has_level)
        };
        assert_eq!(of("a.yaml:1:1: [warning] no start (s)"), found(Level::Warning, None, "no start (s)", true));
        assert_eq!(of("a.js:1:9: Unexpected token [Error]"), found(Level::Error, None, "Unexpected token", true));
        assert_eq!(
            of("a.js:1:9: bad [Warning/eslint(no-eval)]"),
            found(Level::Warning, Some("eslint(no-eval)"), "bad", true)
        );
        assert_eq!(of("a.c:1:9: [x] bad [y z]"), found(Level::Error, None, "[x] bad [y z]", false));
    }

    #[test]
    fn source_lines_are_forgiven_once_and_only_above_a_caret() {
        let not_understood = |text: &str| read(text).notes;
        assert!(not_understood("a.c:1:1: error: x\nint y;\n^\n").is_empty());
        for text in ["a.c:1:1: error: x\nint y;\nother\n ^\n", "a.c:1:1: error: x\n1 error generated.\none\n ^\ntwo\n"]
        {
            assert_eq!(not_understood(text), ["2 lines of the output were not understood"], "{text}");
        }
    }

    #[test]
    fn notes_belong_to_the_finding_above_them() {
        let alone = read("a.c:1:1: note: x\na.c:2:1: note: y\n").findings;
        assert_eq!(alone.len(), 2, "nothing stands above them");
        let noted = (1..=11).map(|number| format!("a.c:1:1: note: n{number}.\n")).collect::<Vec<_>>().concat();
        let parsed = read(&format!("a.c:1:1: warning: x\n{noted}"));
        assert_eq!(parsed.findings.len(), 1);
        let message = &parsed.findings[0].message;
        assert!(message.ends_with("\nnote: n10."), "{message}");
        let again = read("a.c:1:1: error: x\nb.c:1:1: error: y\na.c:1:1: error: x\na.c:2:1: note: n\n").findings;
        let messages: Vec<_> = again.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["x", "y"], "what was said before has its notes");
    }

    #[test]
    fn what_stands_before_a_number_tells_what_it_is() {
        for before in ["12", "7", "2026-01-01T12", "2026-01-01 12", "[12", "(7", "x:12"] {
            assert!(is_clock(before, 59) && !is_clock(before, 60), "{before}");
        }
        for before in ["123", "a12", "", "2026-01-01T", "2026-01-01T123", "a.c"] {
            assert!(!is_clock(before, 30), "{before}");
        }
        for address in ["http://host", "localhost", "at localhost", "127.0.0.1", "to 127.0.0.1", "[::1]"] {
            assert!(is_address(address), "{address}");
        }
        assert!(!["localhost.c", "a.c", "127.0.0.1 is", "127.0.0.1x", ""].into_iter().any(is_address));
        for file in [
            "a.c",
            "dir/a.c",
            "C:\\x\\a.c",
            "a b.c",
            "Makefile",
            "dir/makefile",
            "dir/README",
            "LICENSE",
            ".c",
            ".dockerignore",
            "CODE_OF-1",
            "my dir/LICENSE",
            "a/.x",
        ] {
            assert!(is_file(file), "{file}");
        }
        assert!(
            !["at", "", ".", "a.", "a.b c", "see the file", "in dir/a and b", "A", "ERROR", "SEE THIS", "1A"]
                .into_iter()
                .any(is_file)
        );
        assert!(
            has_drive("C:\\a")
                && has_drive("z:/a")
                && !["C:a", "1:/a", ":/a", "C/a", "a.c:1"].into_iter().any(has_drive)
        );
    }

    #[test]
    fn times_and_addresses_are_no_places() {
        for line in [
            "12:30:45: error: x",
            "2024-01-01 12:30:45: starting",
            "2024-01-01T12:30: starting a.c",
            "2024-01-01T12:30: error: x",
            "[12:30:45: x",
            "http://host:80: x",
            "dial tcp 127.0.0.1:80: connect: connection refused",
            "localhost:8080: refused",
            "listening on port:80: x",
            "a.c:x:3: y",
            "error: whole",
            ":3:4: x",
        ] {
            assert_eq!(one(line), None, "{line}");
        }
    }

    #[test]
    fn rules_are_taken_from_where_tools_put_them() {
        let rule = |text: &str| diagnostic(text).unwrap().0.rule;
        assert_eq!(rule("a.c:1:2: error: x [-Werror=unused]").as_deref(), Some("-Wunused"));
        assert_eq!(rule("a.c:1:2: error: x [-Werror,-Wfoo]").as_deref(), Some("-Wfoo"));
        assert_eq!(rule("a.c:1:2: error: x [bugprone-x,-warnings-as-errors]").as_deref(), Some("bugprone-x"));
        assert_eq!(rule("a.c:1:2: error: x [-Werror]").as_deref(), Some("-Werror"));
        assert_eq!(rule("a.sh:1:2: note: x [SC2086]").as_deref(), Some("SC2086"));
        assert_eq!(rule("a.py:1:2: F401 x").as_deref(), Some("F401"));
        assert_eq!(rule("a.go:1:2: undefined: m [x]"), None);
        let trailing = |text: &'static str| trailing_rule(text).map(|(rule, _)| rule);
        assert_eq!(["x [a]", "x [-Wa] "].map(trailing), [Some("a".to_owned()), Some("-Wa".to_owned())]);
        assert_eq!(["x []", "x[0]", "x [a b]", "x [a", "x"].map(trailing), [const { None }; 5]);
        let code = |text: &'static str| leading_code(text).map(|(code, _)| code);
        assert_eq!(["E50 x", "SC2086 x", "ABCDE12345 x"].map(code), [Some("E50"), Some("SC2086"), Some("ABCDE12345")]);
        let others = ["E5 x", "E501", "501 x", "ABCDEF12 x", "E123456 x", "E50x x", "e501 x", "x"];
        assert_eq!(others.map(code), [None; 8]);
    }

    #[test]
    fn clang_without_a_gutter_and_its_count() {
        let text = "a.c:1:5: warning: unused [-Wunused]\nint x;\n    ^\na.c:1:1: note: here\nint x;\n^\n1 warning generated.\n";
        let parsed = read(text);
        assert_eq!(parsed.findings.len(), 1);
        assert_eq!(parsed.findings[0].message, "unused\nnote: here");
        assert!(parsed.notes.is_empty(), "{:?}", parsed.notes);
        let cut = read("a.c:1:5: warning: unused\n2 warnings and 1 error generated.\n");
        assert_eq!(
            cut.notes,
            ["the tool counts 1 error and 2 warnings, but 0 and 1 were read: the output may have been cut"]
        );
        let short = |text: &str| read(text).notes.len();
        assert_eq!(short("a.c:1:5: error: x\n1 warning and 1 error generated.\n"), 1, "an error is no warning");
        assert_eq!(short("a.py: error: x\nFound 1 error in 1 file (checked 1 source file)\n"), 0);
        assert_eq!(short("a.c:1:5: error: x\n1 error generated.\n1 error generated.\n"), 1, "each counts its own");
    }

    #[test]
    fn places_inside_of_markup_are_no_diagnostics() {
        let place = "a.c:1:2: error: x\n";
        assert!(recognises(place.as_bytes()) && recognises(format!("make\n{place}").as_bytes()));
        for markup in ["<testsuite>", "\n  <testsuite>", "{\"a\":1}", " {\n"] {
            assert!(!recognises(format!("{markup}\n{place}").as_bytes()), "{markup:?}");
        }
    }
}
