//! A dry run of migrations for people: one line for each statement that matters, with what it locks, reads and writes.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::model::finding::Level;
use crate::model::migration::{Applied, Lock, Migration, Migrations, RoundTrip, Statement};
use crate::model::outcome::Outcome;
use crate::model::report::GateReport;
use crate::model::text::{clean, one_line};
use crate::render::terminal::{Dress, elapsed, excerpt, headline, plural};

/// The most lines of the schema's summary that are shown.
const SUMMARY: usize = 60;

/// Everything: migrations with their statements, findings with excerpts, the schema's changes, the notes, the verdict.
#[must_use]
pub fn write(gate: &GateReport, run: &Migrations, dress: Dress) -> String {
    let mut out = String::new();
    let server = run.database.as_deref().unwrap_or("no database");
    if !run.layout.is_empty() {
        let base = match run.of_the_base {
            None | Some(0) => String::new(),
            Some(number) => format!(", after {number} migration{} of the base", plural(number)),
        };
        let _ = writeln!(out, "{} on {server}{base}\n", run.layout);
    }
    for migration in &run.migrations {
        one(&mut out, migration, dress);
    }
    for finding in gate.findings.iter().filter(|finding| finding.level() > Level::Note) {
        let _ = writeln!(out, "{}\n", excerpt(finding, dress));
    }
    remarks(&mut out, gate, dress);
    summary(&mut out, &run.schema_summary, dress);
    for note in &gate.notes {
        let _ = writeln!(out, "note: {}", one_line(note, 600));
    }
    let _ = writeln!(out, "{}", headline(gate, dress));
    out
}

fn one(out: &mut String, migration: &Migration, dress: Dress) {
    let outcome = match migration.outcome {
        Applied::Ok => Outcome::Pass,
        Applied::Error => Outcome::Fail,
        Applied::NotRun => Outcome::Error,
    };
    let mut facts = vec![elapsed(migration.took)];
    if migration.outcome != Applied::NotRun {
        facts.push(if migration.transactional { "one transaction" } else { "each statement by itself" }.to_owned());
    }
    facts.extend(match migration.round_trip {
        RoundTrip::Exact => Some("up, down, up again: exact".to_owned()),
        RoundTrip::NotRun | RoundTrip::MissingDown => None,
        other => Some(format!("round trip: {}", other.word().replace('_', " "))),
    });
    let _ = writeln!(
        out,
        "{} {} ({})",
        dress.paint(dress.outcome(outcome), migration.outcome.word()),
        dress.paint(Style::new().bold(), &clean(&migration.path)),
        facts.join(", ")
    );
    let mut held = String::new();
    for statement in &migration.statements {
        lines(out, statement, &mut held, dress);
    }
    out.push('\n');
}

fn lines(out: &mut String, statement: &Statement, before: &mut String, dress: Dress) {
    let dim = Style::new().dimmed();
    let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
    let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    let number = format!("{:>6}", statement.source.line);
    let _ =
        writeln!(out, "{}  {}", dress.paint(dim, &number), one_line(&statement.source.sql, dress.width.max(60) - 10));
    let mut tell = |style: Style, text: String| {
        let _ = writeln!(out, "        {}", dress.paint(style, &one_line(&text, 300)));
    };
    if let Some(error) = &statement.error {
        tell(red, format!("error: {}", error.message));
    }
    if let Some(why) = &statement.not_run {
        tell(red, format!("not run: {why}"));
    }
    let indexes = |lock: &&Lock| !is_beside_its_table(lock, &statement.locks);
    for lock in statement.locks.iter().filter(indexes) {
        let style = if lock.mode.is_dangerous() { yellow } else { dim };
        tell(style, format!("{} on {}: {}", lock.mode.manual(), lock.object, lock.mode.blocks()));
    }
    let held: Vec<String> = statement
        .held
        .iter()
        .filter(|lock| !is_beside_its_table(lock, &statement.held))
        .map(|lock| format!("{} on {}", lock.mode.manual(), lock.object))
        .collect();
    let held = held.join(", ");
    if !held.is_empty() && held != *before {
        tell(dim, format!("until the commit still held: {held}"));
    }
    *before = held;
    for table in &statement.rewrites {
        tell(yellow, format!("writes {table} anew"));
    }
    for table in &statement.scans {
        tell(yellow, format!("reads all of {table}"));
    }
    if statement.rows > 0 {
        let rows = usize::try_from(statement.rows).unwrap_or(usize::MAX);
        tell(dim, format!("{rows} row{} written, {} bytes of log", plural(rows), statement.wal_bytes));
    }
    for changed in &statement.changes {
        tell(dim, changed.words());
    }
}

/// An index that is named after a table locked as strongly goes without saying to a reader.
fn is_beside_its_table(lock: &Lock, all: &[Lock]) -> bool {
    let is_part = |other: &&Lock| {
        other.mode == lock.mode && lock.object.strip_prefix(&other.object).is_some_and(|rest| rest.starts_with('_'))
    };
    all.iter().any(|other| is_part(&other))
}

/// Notes, one line each.
fn remarks(out: &mut String, gate: &GateReport, dress: Dress) {
    let mut any = false;
    for judged in gate.findings.iter().filter(|finding| finding.level() == Level::Note) {
        let line = judged.finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let message = judged.finding.message.lines().next().unwrap_or_default();
        let rule = judged.finding.rule.as_deref().unwrap_or("note");
        let text = format!("note[{rule}] {}{line}: {message}", judged.file().unwrap_or_default());
        let _ = writeln!(out, "{}", dress.paint(Style::new().dimmed(), &one_line(&text, 300)));
        any = true;
    }
    if any {
        out.push('\n');
    }
}

fn summary(out: &mut String, lines: &[String], dress: Dress) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", dress.paint(Style::new().bold(), "The schema after it:"));
    for line in lines.iter().take(SUMMARY) {
        let colour = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green,
            Some(b'-') => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let _ = writeln!(out, "  {}", dress.paint(Style::new().fg_color(Some(colour.into())), &one_line(line, 200)));
    }
    if lines.len() > SUMMARY {
        let _ = writeln!(out, "  … {} more", lines.len() - SUMMARY);
    }
    out.push('\n');
}
