//! `cargo`: the JSON lines that cargo prints for rustc and clippy with `--message-format=json`, fixes included.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use crate::parse::reading::{Range, Seen, beginning, count};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "cargo",
    about: "cargo build, check, clippy and test with `--message-format=json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Lines(|| Box::<Cargo>::default()),
};

const EXPECTED: &str = "JSON lines ending with `build-finished`, as `cargo --message-format=json` prints them";
const BY_ERROR: &str = "the compiler stopped at an error: what depends on it was not looked at";
const BY_LINT: &str = "cargo stops at a lint that is denied: what it had not compiled by then was not looked at; leave out \
                       `-D warnings`: gatepost counts warnings itself";
const BEGINNING: &str = "{\"reason\":";
/// Lints and hints that are taken over from one diagnostic.
const MOST_CHILDREN: usize = 6;
/// Macro expansions that are followed outwards.
const DEEPEST_EXPANSION: usize = 64;

fn recognises(head: &[u8]) -> bool {
    head.split(|&b| b == b'\n').take(50).any(|line| line.starts_with(BEGINNING.as_bytes()))
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Diagnostic<'a>>,
    success: Option<bool>,
}

#[derive(Deserialize)]
struct Diagnostic<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    level: Cow<'a, str>,
    code: Option<Code>,
    #[serde(borrow)]
    spans: Vec<Span<'a>>,
    #[serde(borrow, default)]
    children: Vec<Diagnostic<'a>>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span<'a> {
    #[serde(borrow)]
    file_name: Cow<'a, str>,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    #[serde(default)]
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<String>,
    #[serde(borrow)]
    expansion: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Expansion<'a> {
    #[serde(borrow)]
    span: Span<'a>,
}

#[derive(Default)]
struct Cargo {
    findings: Vec<Finding>,
    /// Summaries without a place; they count only where nothing else explains them.
    summaries: Vec<Finding>,
    seen: Seen,
    /// Bytes read.
    offset: usize,
    /// Whether messages came that no `build-finished` closed.
    open: bool,
    builds: usize,
    failed: bool,
    /// Why cargo began no further target.
    stopped: Option<&'static str>,
    /// Lines that are not cargo's: what the programs it ran printed.
    foreign: usize,
    first_foreign: Option<String>,
    broken: Option<ParseError>,
    /// Whether the last line is the beginning of a message and no more.
    stub: bool,
}

impl LineParser for Cargo {
    fn line(&mut self, text: &str) {
        self.offset += text.len() + 1;
        self.stub = false;
        if !text.starts_with('{') {
            self.foreign(text);
            return;
        }
        match serde_json::from_str::<Line<'_>>(text) {
            Ok(message) => self.message(message),
            Err(error) if text.starts_with(BEGINNING) => {
                self.open = true;
                self.broken.get_or_insert_with(|| ParseError::Malformed {
                    expected: EXPECTED,
                    got: format!("{} ({error})", beginning(text)),
                });
            }
            Err(_) => {
                self.stub = BEGINNING.starts_with(text);
                self.foreign(text);
            }
        }
    }

    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        if (self.open && (self.broken.is_none() || !complete)) || (self.stub && !complete) {
            let what = "no `build-finished` line closes the messages".to_owned();
            return Err(ParseError::Truncated { expected: EXPECTED, offset: self.offset, what });
        }
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        if self.builds == 0 {
            return Err(self.first_foreign.map_or(ParseError::Empty { expected: EXPECTED }, |first| {
                ParseError::Malformed { expected: EXPECTED, got: beginning(&first) }
            }));
        }
        let mut parsed = Parsed { columns: ColumnUnit::Scalars, findings: self.findings, ..Parsed::default() };
        for summary in self.summaries {
            if !parsed.findings.iter().any(|finding| finding.level == summary.level) {
                parsed.findings.push(summary);
            }
        }
        if self.failed && !parsed.findings.iter().any(|finding| finding.level == Level::Error) {
            parsed.unexplained_exit = Some("the build failed without an error message of the compiler".to_owned());
        } else if let Some(why) = self.stopped {
            parsed.unexplained_exit = Some(why.to_owned());
        }
        if self.foreign > 0 {
            parsed.notes.push(format!("{} no message of cargo", count(self.foreign, "line was", "lines were")));
        }
        Ok(parsed)
    }
}

impl Cargo {
    fn foreign(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.foreign += 1;
            self.first_foreign.get_or_insert_with(|| text.chars().take(400).collect());
        }
    }

    fn message(&mut self, message: Line<'_>) {
        match (&*message.reason, message.message) {
            ("build-finished", _) => {
                self.open = false;
                self.builds += 1;
                self.failed |= message.success != Some(true);
            }
            ("compiler-message", Some(diagnostic)) => {
                self.open = true;
                self.diagnostic(&diagnostic);
            }
            ("compiler-message", None) => {
                let got = "a `compiler-message` without its `message`".to_owned();
                self.broken.get_or_insert(ParseError::Malformed { expected: EXPECTED, got });
            }
            _ => self.open = true,
        }
    }

    fn diagnostic(&mut self, diagnostic: &Diagnostic<'_>) {
        let finding = finding(diagnostic);
        if finding.level == Level::Error && !is_summary(diagnostic) {
            let why = if is_lint(&finding) { self.stopped.unwrap_or(BY_LINT) } else { BY_ERROR };
            self.stopped = Some(why);
        }
        if finding.path.is_none() && is_summary(diagnostic) {
            if diagnostic.level != "failure-note" {
                self.summaries.push(finding);
            }
        } else if self.seen.is_new(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Whether a finding is a lint's: one that was denied lets everything in its target be looked at, but cargo then begins
/// no other one, and with `--keep-going` none that depends on it. The compiler's own errors have a code (`E0425`) or none.
fn is_lint(finding: &Finding) -> bool {
    finding.rule.as_deref().is_some_and(|rule| {
        !(rule.len() == 5 && rule.starts_with('E') && rule[1..].bytes().all(|digit| digit.is_ascii_digit()))
    })
}

/// What rustc says in closing, about the diagnostics before.
fn is_summary(diagnostic: &Diagnostic<'_>) -> bool {
    let text = &*diagnostic.message;
    let counted = text.starts_with(|c: char| c.is_ascii_digit())
        && (text.ends_with("warning emitted") || text.ends_with("warnings emitted"));
    counted
        || diagnostic.level == "failure-note"
        || text.starts_with("aborting due to")
        || text.starts_with("could not compile")
}

fn finding(diagnostic: &Diagnostic<'_>) -> Finding {
    let rule = diagnostic.code.as_ref().map(|code| code.code.clone());
    let mut finding = Finding {
        help: rule.as_deref().and_then(help),
        rule,
        level: level(&diagnostic.level),
        message: message(diagnostic),
        ..Finding::default()
    };
    let primary = diagnostic.spans.iter().find(|span| span.is_primary).or(diagnostic.spans.first());
    let Some(primary) = primary else { return finding };
    let outer = caller(primary);
    let own = outer.is_none();
    let place = outer.as_ref().unwrap_or(primary);
    finding.path = Some(place.file_name.clone().into_owned());
    let range = Range {
        line: Some(place.line_start),
        column: Some(place.column_start),
        end_line: Some(place.line_end),
        end_column: Some(place.column_end),
    };
    range.apply(&mut finding);
    if own {
        finding.fix =
            std::iter::once(diagnostic).chain(&diagnostic.children).find_map(|part| fix(part, &primary.file_name));
    }
    finding
}

fn level(word: &str) -> Level {
    match word {
        "warning" => Level::Warning,
        "note" | "help" | "failure-note" => Level::Note,
        // "error", and "error: internal compiler error".
        _ => Level::Error,
    }
}

/// The page of a clippy lint or of an error code. Lints of rustc have pages only per group.
fn help(rule: &str) -> Option<String> {
    if let Some(lint) = rule.strip_prefix("clippy::") {
        return Some(format!("https://rust-lang.github.io/rust-clippy/master/index.html#{lint}"));
    }
    let digits = rule.strip_prefix('E')?;
    (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| format!("https://doc.rust-lang.org/error_codes/{rule}.html"))
}

/// The place where a macro of another crate was called: that crate's files are named absolutely, the workspace's
/// relative to its root.
fn caller<'a>(primary: &Span<'a>) -> Option<Span<'a>> {
    let mut expansion = primary.expansion.filter(|_| is_absolute(&primary.file_name));
    let mut outermost = None;
    for _ in 0..DEEPEST_EXPANSION {
        let Some(raw) = expansion else { break };
        let Ok(Expansion { span }) = serde_json::from_str::<Expansion<'a>>(raw.get()) else { break };
        expansion = span.expansion;
        if !is_absolute(&span.file_name) {
            outermost = Some(span);
        }
    }
    outermost
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '<']) || path.as_bytes().get(1) == Some(&b':')
}

/// The message with the label of its place, as rustc's short format has it, and what its children add.
fn message(diagnostic: &Diagnostic<'_>) -> String {
    let mut text = diagnostic.message.clone().into_owned();
    let primary = diagnostic.spans.iter().find(|span| span.is_primary);
    if let Some(label) = primary.and_then(|span| span.label.as_deref()).filter(|label| !label.is_empty()) {
        text.push_str(": ");
        text.push_str(label);
    }
    for child in diagnostic.children.iter().filter(|child| !is_about_levels(&child.message)).take(MOST_CHILDREN) {
        text.push('\n');
        text.push_str(&child.level);
        text.push_str(": ");
        text.push_str(&child.message);
        if let [Span { suggested_replacement: Some(new), .. }] = &child.spans[..]
            && !new.trim().is_empty()
            && !new.trim().contains('\n')
        {
            text.push_str(": `");
            text.push_str(new.trim());
            text.push('`');
        }
    }
    text
}

/// Children that tell why a lint is on, or where it is explained: not about the code.
fn is_about_levels(text: &str) -> bool {
    text.starts_with("for further information visit ")
        || text.starts_with("the lint level is defined here")
        || text.starts_with("to override `")
        || text.starts_with("requested on the command line")
        || (text.starts_with("`#[") && text.contains(" on by default"))
        || (text.starts_with("`#[") && text.contains("implied by"))
        || (text.starts_with("`-") && (text.contains("implied by") || text.contains("command line")))
}

/// The change of one suggestion, if the compiler vouches for all of it and it stays in `file`.
fn fix(part: &Diagnostic<'_>, file: &str) -> Option<Fix> {
    let spans: Vec<&Span<'_>> = part.spans.iter().filter(|span| span.suggested_replacement.is_some()).collect();
    let good = |span: &&Span<'_>| {
        span.suggestion_applicability.as_deref() == Some("MachineApplicable")
            && span.file_name == file
            && span.expansion.is_none()
    };
    if spans.is_empty() || !spans.iter().all(good) {
        return None;
    }
    let mut edits = spans.into_iter().map(edit).collect::<Option<Vec<Edit>>>()?;
    edits.sort_by_key(|edit| (edit.start_line, edit.start_column, edit.end_line, edit.end_column));
    edits.dedup();
    let apart = |pair: &[Edit]| (pair[0].end_line, pair[0].end_column) <= (pair[1].start_line, pair[1].start_column);
    edits.windows(2).all(apart).then(|| Fix { description: part.message.clone().into_owned(), edits })
}

fn edit(span: &Span<'_>) -> Option<Edit> {
    if [span.line_start, span.column_start, span.line_end, span.column_end].contains(&0) {
        return None;
    }
    Some(Edit {
        start_line: span.line_start,
        start_column: span.column_start,
        end_line: span.line_end,
        end_column: span.column_end,
        text: span.suggested_replacement.clone()?,
    })
}

#[cfg(test)]
mod tests;
