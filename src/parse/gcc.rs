//! `gcc`: lines of the shape `path:line:column: level: message`, which C compilers, `go vet`, mypy, flake8,
//! shellcheck, pylint and many others print. What looks like it but is a time or an address is left alone.

mod levels;
mod pyright;
mod stopped;

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::without_escapes;
use crate::parse::folders::Entered;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Range, Seen, at_another_place, count, ends_with_number, not_understood};
use crate::parse::uri::from_uri;
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, tsc};
use levels::{lettered, level};
pub(super) use stopped::says_stopped;
use stopped::{TERMINATED, is_limit};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "gcc",
    about: "gcc, clang, go vet, mypy, flake8, pylint, pyright, `shellcheck -f gcc`, `rubocop -f emacs` and others that print `path:line:column: message`",
    stream: Stream::Both,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Gcc>::default()),
};

pub(super) const STOPPED: &str = "the tool stopped at an error: what comes after it was not looked at";

const CUT: &str = "less was read than the tool counts: its output is not whole";

/// How a note begins that leads from a macro or template to its use, or from the use to what it stands for: gcc's, clang's.
const OF_MACRO: [&str; 4] =
    ["in expansion of macro ", "in definition of macro ", "expanded from macro ", "in instantiation of "];

/// Notes that are taken over into one finding.
const MOST_NOTES: usize = 10;

fn recognises(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let markup = text.trim_start().starts_with(['<', '{']);
    !markup && text.lines().any(|line| diagnostic(&without_escapes(line)).is_some())
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another line before")]
struct Gcc {
    findings: Vec<Finding>,
    seen: Seen,
    folders: Entered,
    /// The finding that notes go to; `None` when the last one was said before.
    last: Option<usize>,
    /// What was said last, new or not, as it came.
    told: Option<Finding>,
    notes_of_last: usize,
    /// Errors and warnings since the last closing count.
    errors: usize,
    warnings: usize,
    /// Errors in all closing counts, and all that was read.
    promised: usize,
    read: usize,
    /// Errors that mypy counts and did not show.
    missing: usize,
    /// Source text may follow: a finding or its excerpt came just before.
    excerpt: bool,
    /// The last line was of a finding of pyright's, and further lines of its message may follow.
    of_pyright: bool,
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
        if self.of_pyright && pyright::goes_on(text) {
            if let Some(finding) = self.last.and_then(|at| self.findings.get_mut(at)) {
                pyright::go_on(finding, text);
            }
            return;
        }
        self.of_pyright = false;
        self.let_go();
        self.stopped |= says_stopped(text);
        if self.folders.heeds(text) || is_chatter(text) {
            return;
        }
        if let Some((mut finding, has_level)) = diagnostic(text) {
            self.of_pyright = text.starts_with(' ');
            self.stopped |= stopped::is_stop(&finding, has_level);
            self.folders.apply(&mut finding);
            self.finding(finding, has_level);
            self.excerpt &= !self.of_pyright;
        } else if let Some(promised) = closing(text) {
            if text.starts_with("Found ") {
                self.missing = self.missing.saturating_add(promised.errors.saturating_sub(self.errors));
            }
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
        // clang-tidy counts warnings that it does not show, and shows errors that it found twice once.
        let cut = (self.missing > 0 || (self.read == 0 && self.promised > 0)).then(|| CUT.to_owned());
        let unexplained_exit = self.stopped.then(|| STOPPED.to_owned()).or(cut);
        let (findings, columns, not_understood) = (self.findings, ColumnUnit::Bytes, self.unknown);
        Ok(Parsed { findings, columns, notes, not_understood, unexplained_exit, ..Parsed::default() })
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
        self.read += 1;
        self.errors += usize::from(has_level && finding.level == Level::Error);
        self.warnings += usize::from(has_level && finding.level == Level::Warning);
        self.notes_of_last = 0;
        self.last = None;
        self.told = Some(finding.clone());
        if self.seen.is_new(&finding) {
            self.last = Some(self.findings.len());
            self.findings.push(finding);
        }
    }

    fn note(&mut self, note: &Finding) {
        self.at_macro(note);
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

    /// What is wrong with a macro or template and its use together is said of one of the two places, and the other, which
    /// may be the one on a changed line, stands in a note: it is a place of the problem too.
    fn at_macro(&mut self, note: &Finding) {
        let Some(told) = &self.told else { return };
        let is_of_macro = OF_MACRO.iter().any(|words| note.message.starts_with(words));
        if !is_of_macro || (&note.path, note.line) == (&told.path, told.line) {
            return;
        }
        let (path, folders) = (note.path.clone(), note.folders.clone());
        let other = Finding { path, folders, line: note.line, column: note.column, ..at_another_place(told) };
        if self.seen.is_new(&other) {
            self.findings.push(other);
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
        self.promised = self.promised.saturating_add(promised.errors);
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
        || text.starts_with(TERMINATED)
        || is_limit(text)
        || pyright::is_heading(text)
        // pylint names each module, and gives marks at its end.
        || text.starts_with("************* Module ")
        || text.starts_with("Your code has been rated at ")
        || text.bytes().all(|b| b == b'-')
        // cppcheck tells by it which of its checks ran.
        || (text.starts_with("nofile:0:0: ") && text.ends_with("[checkersReport]"))
        || (text.starts_with(' ') && text.trim_start().starts_with("from "))
        || (text.ends_with(':')
            && [": In ", ": At top level", ": in function "].iter().any(|words| text.contains(words))
            && place(text).is_none())
}

/// A count that closes the output.
struct Closing {
    errors: usize,
    warnings: usize,
}

/// clang's "1 warning and 2 errors generated.", mypy's "Found 3 errors in 1 file (checked 2 source files)", and pyright's.
fn closing(text: &str) -> Option<Closing> {
    let mut closing = Closing { errors: 0, warnings: 0 };
    if text.starts_with("Success: no issues found") {
        return Some(closing);
    }
    let counts = match text.strip_prefix("Found ") {
        Some(rest) => rest.split_once(" in ")?.0,
        None => text.strip_suffix(" generated.").or_else(|| pyright::counts(text))?,
    };
    for part in counts.split(" and ").flat_map(|part| part.split(", ")) {
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

/// A finding in a line of its own, as compilers and linters print it for people.
pub(super) fn in_words(text: &str) -> Option<Finding> {
    tsc::diagnostic(text).or_else(|| diagnostic(text)).map(|(finding, _)| finding)
}

/// A finding, and whether the tool gave its level.
pub(super) fn diagnostic(text: &str) -> Option<(Finding, bool)> {
    if text.starts_with(char::is_whitespace) {
        return pyright::finding(text).map(|finding| (finding, true));
    }
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    let Some((path, line, column, rest)) = place(text) else { return of_the_tool(text) };
    let (level, message) = levelled(rest.trim_start());
    let by_letter = || lettered(message).filter(|_| is_file(path) || is_bare(path) && column.is_some());
    let inner = || by_letter().or_else(|| trailing_level(message)).or_else(|| inner_level(message));
    let column = column.map(|column| column.saturating_add(u32::from(levels::is_of_pylint(message))));
    let (level, rule, message) = match inner().filter(|_| level.is_none()) {
        Some((level, rule, message)) => (Some(level), rule, message),
        None => (level, None, message),
    };
    // GNU's convention puts the program first, which none but hadolint does; ruff's formatter begins with words.
    let path =
        ["hadolint:", "error: Failed to parse "].iter().find_map(|words| path.strip_prefix(words)).unwrap_or(path);
    let is_bare_file =
        || is_bare(path) && (column.is_some() || leading_code(message).is_some() || message.contains(MENDS));
    if level.is_none() && !is_file(path) && !is_bare_file() {
        return None;
    }
    let path = if path.starts_with("file://") { from_uri(path) } else { path.to_owned() };
    let mut finding = worded(level, message)?;
    finding.rule = rule.map(str::to_owned).or(finding.rule);
    finding.path = Some(path);
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
        // `make: *** [mk/lint.mk:2: lint] Error 1`
        let of_make = path.contains(": *** [");
        let good = !path.is_empty() && !is_clock(path, line) && !is_address(path) && !of_make;
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
    (path.contains("://") && !path.starts_with("file://"))
        || last == "localhost"
        || last.ends_with(']')
        || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

/// What codespell writes between a word and the one that it should be.
const MENDS: &str = " ==> ";

/// Words that begin the line of a log, and are no file.
const LOG_LEVELS: [&str; 8] = ["ERROR", "WARNING", "WARN", "INFO", "DEBUG", "TRACE", "FATAL", "CRITICAL"];

/// Whether the text before a place without a level is a file's name, not a sentence.
fn is_file(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let extension = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    let hidden = name.strip_prefix('.').is_some_and(is_word);
    let capitals = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && !name.contains(|c: char| c.is_ascii_lowercase())
        && is_word(name)
        && !LOG_LEVELS.contains(&name);
    let plain = !name.is_empty() && !name.contains(' ');
    extension || hidden || capitals || (plain && (name.ends_with("file") || path.contains('/')))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether it can be the name of a file without an ending, if what follows it says more than that a number does.
fn is_bare(name: &str) -> bool {
    is_word(name) && !LOG_LEVELS.iter().any(|level| name.eq_ignore_ascii_case(level))
}

/// `cc1: fatal error: …`, `collect2: error: …`, `pkg/a.py: error: …`: no line.
fn of_the_tool(text: &str) -> Option<(Finding, bool)> {
    let (name, rest) = text.split_once(": ")?;
    let (level, message) = levelled(rest);
    let bare = if has_drive(name) { &name[2..] } else { name };
    let named = !bare.is_empty() && !bare.contains([' ', ':']);
    let level = level.filter(|level| *level != Level::Note && named)?;
    // A shell's own words where the system lacks the locale that it is told to use.
    if message.starts_with("setlocale: ") {
        return None;
    }
    let mut finding = worded(Some(level), message)?;
    if name.starts_with('/') || !is_file(name) {
        finding.message = format!("{name}: {}", finding.message);
    } else {
        finding.path = Some(name.to_owned());
    }
    Some((finding, true))
}

/// `error: message`, `[error] message`, and `error - message` as phpcs writes
fn levelled(text: &str) -> (Option<Level>, &str) {
    let split = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("] "),
        None => text.split_once(" - ").filter(|(word, _)| level(word).is_some()).or_else(|| text.split_once(':')),
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

/// `DL3007 warning: message`, as hadolint writes
fn inner_level(message: &str) -> Option<(Level, Option<&str>, &str)> {
    let (code, rest) = leading_code(message)?;
    let (level, message) = levelled(rest);
    Some((level?, Some(code), message))
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
mod tests;
