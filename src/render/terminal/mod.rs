//! What a person reads on a terminal: a gate's findings with excerpts, and the closing table. It decides nothing.

mod advisories;
mod excerpt;
mod table;

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::model::gate::Only;
use crate::model::outcome::Outcome;
use crate::model::report::{GateReport, Judged, Relevance, Status, TestsCompared};
use crate::model::settings::CommandLine;
use crate::model::tests::{Case, CaseOutcome, groups};
use crate::model::text::{clean, one_line, shorten};

pub use advisories::{advisories, packages};
pub use excerpt::excerpt;
pub use table::{closing, elapsed};

/// The most findings, and the most failed tests, shown of one gate.
pub const SHOWN: usize = 50;
/// The most tests of a sort (fixed, removed, …) that are named.
const NAMED: usize = 10;
/// The most lines of a failed test's message.
const MESSAGE_LINES: usize = 20;

/// How text is dressed.
#[derive(Debug, Clone, Copy)]
pub struct Dress {
    /// Whether colours are sent.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Dress {
    /// `text` in `style`, or as it is.
    #[must_use]
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// The colour and weight of an outcome.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Style {
        let colour = match outcome {
            Outcome::Skipped => AnsiColor::BrightBlack,
            Outcome::Pass => AnsiColor::Green,
            Outcome::Error => AnsiColor::Magenta,
            Outcome::Fail => AnsiColor::Red,
        };
        Style::new().fg_color(Some(colour.into())).bold()
    }
}

/// The sign before a gate's line.
#[must_use]
pub const fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Skipped => "-",
        Outcome::Pass => "✓",
        Outcome::Error => "?",
        Outcome::Fail => "✗",
    }
}

/// One line: how a gate ended.
#[must_use]
pub fn headline(gate: &GateReport, dress: Dress) -> String {
    let style = dress.outcome(gate.outcome);
    let enforced = match (&gate.overridden, gate.free()) {
        (Some(by), _) => format!(" (overridden {})", one_line(by, 200)),
        (None, Some(why)) => format!(" ({why})"),
        (None, None) => String::new(),
    };
    format!(
        "{} {} {}{enforced}: {}",
        dress.paint(style, sign(gate.outcome)),
        dress.paint(Style::new().bold(), gate.name.as_str()),
        dress.paint(style, gate.outcome.word()),
        one_line(&gate.reason, 400),
    )
}

/// One line: how a gate ended, and after what time where it was started.
#[must_use]
pub fn ended(gate: &GateReport, dress: Dress) -> String {
    let took = if gate.attempts > 0 { format!(" ({})", elapsed(gate.took)) } else { String::new() };
    headline(gate, dress) + &took
}

/// Everything worth reading about a gate that is not green: findings, failed tests, notes, log, how to run it again.
#[must_use]
pub fn details(gate: &GateReport, log_tail: Option<&str>, output: &str, dress: Dress) -> String {
    let mut out = String::new();
    let mut blocking: Vec<&Judged> = gate.blocking().collect();
    // As among annotations: what the change brought comes first.
    let is_brought = |finding: &Judged| finding.relevance.is_none_or(|it| it == Relevance::ChangedLine);
    blocking.sort_by_key(|finding| std::cmp::Reverse((is_brought(finding), finding.level())));
    if gate.audit.is_some() {
        out += &advisories(gate, dress);
    } else {
        for finding in blocking.iter().take(SHOWN) {
            let _ = writeln!(out, "{}\n", excerpt(finding, dress));
        }
        more(&mut out, blocking.len(), "finding", output);
        out += &old(gate, &blocking);
    }
    let broken = failed_tests(&mut out, gate, SHOWN, dress);
    more(&mut out, broken, "failed test", output);
    if !gate.says_why()
        && let Some(tail) = log_tail
    {
        let dim = Style::new().dimmed();
        for line in clean(tail).lines() {
            let _ = writeln!(out, "  {} {}", dress.paint(dim, "│"), shorten(line, 400));
        }
    }
    let others = gate.findings.len() - blocking.len();
    if others > 0 {
        let more = if blocking.is_empty() { "" } else { "more " };
        let _ = writeln!(
            out,
            "  {others} {more}finding{} {} not count here (outside the change, below fail-on, or known): {output}/report.json",
            plural(others),
            if others == 1 { "does" } else { "do" }
        );
    }
    compared_tests(&mut out, gate, output);
    for text in &gate.notes {
        let _ = write!(out, "  {}", note(text));
    }
    if !gate.outcome.is_green() {
        if let Some(log) = &gate.log {
            let _ = writeln!(out, "  log: {output}/{log}");
        }
        let _ = writeln!(out, "  run it again: {}", clean(&gate.reproduce).replace('\n', " "));
    }
    out
}

/// How to go on where a linter finds what a change did not bring.
fn old(gate: &GateReport, blocking: &[&Judged]) -> String {
    let is_old = |judged: &&&Judged| {
        judged.status.map_or(judged.relevance == Some(Relevance::Outside), |it| it == Status::Existing)
    };
    let old = blocking.iter().filter(is_old).count();
    if old == 0 || gate.kind != "lint" || gate.only != Only::All.word() {
        return String::new();
    }
    let whose = "outside of the change, or of the baseline, and without that key they would not count";
    format!("  {old} of {} count by `only = \"all\"`: they are {whose}\n", blocking.len())
}

/// The tests that differ from the base's; those that fail now are shown by themselves.
fn compared_tests(out: &mut String, gate: &GateReport, output: &str) {
    for (word, names) in gate.compared.iter().flat_map(TestsCompared::lists) {
        let shown: Vec<String> = names.iter().take(NAMED).map(|name| one_line(&name.to_string(), 200)).collect();
        let hidden = names.len().saturating_sub(NAMED);
        let more = if hidden > 0 { format!(" and {hidden} more: {output}/report.json") } else { String::new() };
        let _ = writeln!(out, "  {word}: {}{more}", shown.join(", "));
    }
}

/// The failed and errored cases, at most `shown` of them in full; gives how many there are.
pub fn failed_tests(out: &mut String, gate: &GateReport, shown: usize, dress: Dress) -> usize {
    let broken: Vec<&Case> =
        gate.tests.iter().flat_map(|tests| &tests.cases).filter(|case| case.outcome.is_broken()).collect();
    for case in broken.iter().take(shown) {
        let still = gate.compared.as_ref().is_some_and(|compared| compared.still_fails(case));
        failed_case(out, case, still, dress);
    }
    broken.len()
}

/// What is worth saying beside an outcome, on a line.
#[must_use]
pub fn note(text: &str) -> String {
    format!("note: {}\n", one_line(text, 600))
}

fn more(out: &mut String, number: usize, noun: &str, output: &str) {
    if number > SHOWN {
        let hidden = number - SHOWN;
        let _ = writeln!(out, "  {hidden} more {noun}{} not shown here: {output}/report.json", plural(hidden));
    }
}

fn failed_case(out: &mut String, case: &Case, still: bool, dress: Dress) {
    let word = match (case.outcome, still) {
        (_, true) => "still failing",
        (CaseOutcome::Failed, false) => "failed",
        _ => "errored",
    };
    let name: Vec<String> =
        groups(&case.suite, &case.class).chain([&case.name]).map(|part| one_line(part, 200)).collect();
    let place = case.file.as_deref().map_or(String::new(), |file| {
        format!(" ({}{})", one_line(file, 200), case.line.map_or(String::new(), |line| format!(":{line}")))
    });
    let red = dress.outcome(Outcome::Fail);
    let _ = writeln!(out, "{} {}{place}", dress.paint(red, &format!("test {word}:")), name.join(" › "));
    let message = clean(case.message.as_deref().unwrap_or_default());
    let lines: Vec<&str> = message.trim_end().lines().collect();
    // Some begin with what was wrong, and some end with it.
    let hidden = lines.len().saturating_sub(MESSAGE_LINES);
    let (head, tail) = lines.split_at(if hidden > 0 { MESSAGE_LINES / 2 } else { lines.len() });
    for line in head {
        let _ = writeln!(out, "    {}", shorten(line, 400));
    }
    if hidden > 0 {
        let _ = writeln!(out, "    … {hidden} more lines in report.json");
    }
    for line in tail.iter().skip(hidden) {
        let _ = writeln!(out, "    {}", shorten(line, 400));
    }
    out.push('\n');
}

/// A command as it could be typed into a shell.
#[must_use]
pub fn shell_line(command: &CommandLine) -> Cow<'_, str> {
    match command {
        CommandLine::Shell(text) => Cow::Borrowed(text),
        CommandLine::Argv(words) => Cow::Owned(words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")),
    }
}

/// A word as a shell reads it back.
#[must_use]
pub fn shell_word(word: &str) -> Cow<'_, str> {
    if !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,@%+".contains(c)) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// "s" but for one.
pub(crate) const fn plural(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}
