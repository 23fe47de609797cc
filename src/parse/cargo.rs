//! `cargo`: the JSON lines that cargo prints for rustc and clippy with `--message-format=json`, fixes included.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::evidence::{Breakdowns, Parsed};
use crate::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use crate::parse::reading::{self, Range, Seen, at_another_place, beginning, count};
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
const GOOD: &str =
    "cargo says that what it built went well, so something else failed, such as a test or the program that it ran";
const BEGINNING: &str = "{\"reason\":";
/// What cargo itself gives as the reason of a message.
const REASONS: [&str; 4] = ["compiler-message", "compiler-artifact", "build-script-executed", "build-finished"];
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
        self.stub = text.starts_with('{') && BEGINNING.starts_with(text);
        match text.find(BEGINNING) {
            Some(0) => match serde_json::from_str(text) {
                Ok(message) => self.message(message),
                Err(error) => self.unreadable(text, &error),
            },
            Some(at) => self.behind(text, &text[at..]),
            None => self.foreign(text),
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
        if !self.failed {
            parsed.breakdowns = Breakdowns::Any(GOOD);
        }
        if self.foreign > 0 {
            parsed.notes.push(format!("{} no message of cargo", count(self.foreign, "line was", "lines were")));
        }
        Ok(parsed)
    }
}

impl Cargo {
    /// A message behind what another program left on the line, unless that program itself writes something like it.
    fn behind(&mut self, text: &str, rest: &str) {
        self.foreign(text);
        match serde_json::from_str::<Line<'_>>(rest) {
            Ok(message) if REASONS.contains(&&*message.reason) => self.message(message),
            Err(error)
                if REASONS.iter().any(|reason| rest[BEGINNING.len()..].starts_with(&format!("\"{reason}\""))) =>
            {
                self.unreadable(rest, &error);
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn unreadable(&mut self, text: &str, error: &serde_json::Error) {
        self.open = true;
        self.broken.get_or_insert_with(|| ParseError::Malformed {
            expected: EXPECTED,
            got: format!("{} ({error})", beginning(text)),
        });
    }

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
        let (finding, elsewhere) = findings(diagnostic);
        if finding.level == Level::Error && !is_summary(diagnostic) {
            let why = if is_lint(&finding) { self.stopped.unwrap_or(BY_LINT) } else { BY_ERROR };
            self.stopped = Some(why);
        }
        if finding.path.is_none() && is_summary(diagnostic) {
            if diagnostic.level != "failure-note" {
                self.summaries.push(finding);
            }
            return;
        }
        for finding in std::iter::once(finding).chain(elsewhere) {
            if self.seen.is_new(&finding) {
                self.findings.push(finding);
            }
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

/// What a diagnostic says of its first place, with its fix, and of the others: any of them may be the one on a changed line.
fn findings(diagnostic: &Diagnostic<'_>) -> (Finding, Vec<Finding>) {
    let rule = diagnostic.code.as_ref().map(|code| code.code.clone());
    let mut finding = Finding {
        help: rule.as_deref().and_then(help),
        rule,
        level: level(&diagnostic.level),
        message: message(diagnostic),
        ..Finding::default()
    };
    let primary = diagnostic.spans.iter().filter(|span| span.is_primary);
    let spans =
        if primary.clone().next().is_some() { primary.collect() } else { Vec::from_iter(diagnostic.spans.first()) };
    let mut told = HashSet::new();
    let mut elsewhere = Vec::new();
    for (nth, span) in spans.into_iter().enumerate() {
        for (step, place) in places(span).into_iter().enumerate() {
            if (nth, step) == (0, 0) {
                place.apply(&mut finding);
                told.insert((place.file, finding.line, finding.end_line));
                if !place.is_call {
                    let mut parts = std::iter::once(diagnostic).chain(&diagnostic.children);
                    finding.fix = parts.find_map(|part| fix(part, &span.file_name));
                }
                continue;
            }
            let mut other = at_another_place(&finding);
            place.apply(&mut other);
            // A second place on a line tells nothing more of whether that line was changed.
            if told.insert((place.file, other.line, other.end_line)) {
                elsewhere.push(other);
            }
        }
    }
    (finding, elsewhere)
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

/// One place of a diagnostic.
struct Place {
    file: String,
    range: Range,
    /// A macro was called there.
    is_call: bool,
}

impl Place {
    fn of(span: &Span<'_>, is_call: bool) -> Self {
        let range = Range {
            line: Some(span.line_start),
            column: Some(span.column_start),
            end_line: Some(span.line_end),
            end_column: Some(span.column_end),
        };
        Self { file: span.file_name.clone().into_owned(), range, is_call }
    }

    fn apply(&self, finding: &mut Finding) {
        finding.path = Some(self.file.clone());
        self.range.apply(finding);
    }
}

/// The places of a span, from the outermost inwards, first the one to be shown: its own, and those in the workspace where
/// the macros around it were called. In a macro of another crate that is the outermost call: that crate's files are named
/// absolutely, the workspace's relative to its root.
fn places(span: &Span<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    let mut expansion = span.expansion;
    for _ in 0..DEEPEST_EXPANSION {
        let Some(raw) = expansion else { break };
        let Ok(Expansion { span }) = serde_json::from_str::<Expansion<'_>>(raw.get()) else { break };
        expansion = span.expansion;
        if !is_absolute(&span.file_name) {
            places.push(Place::of(&span, true));
        }
    }
    if places.is_empty() || !is_absolute(&span.file_name) {
        places.push(Place::of(span, false));
        places.rotate_right(1);
    } else {
        places.reverse();
    }
    places
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
    let edits = spans.into_iter().map(edit).collect::<Option<Vec<Edit>>>()?;
    reading::fix(part.message.clone().into_owned(), edits)
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
