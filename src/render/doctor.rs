//! What `doctor` found: one table for people, with what to do under each row, and `gatepost.doctor/v1` for programs.

use std::fmt::Write as _;

use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::diagnosis::{Row, outcome};
use crate::model::outcome::Outcome;
use crate::model::text::clean;
use crate::render::terminal::{Dress, sign};

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct DoctorView<'a> {
    /// In the order they are shown.
    pub rows: &'a [Row],
    /// The block that a job of these gates needs.
    pub permissions: &'a str,
    /// The same: name and level.
    pub granted: &'a [(&'static str, &'static str)],
}

/// The word of an outcome here.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "well",
        Outcome::Fail => "problem",
        Outcome::Error => "not known",
        Outcome::Skipped => "not needed",
    }
}

/// The table.
#[must_use]
pub fn text(view: &DoctorView<'_>, dress: Dress) -> String {
    let mut out = String::new();
    let widest = |cell: fn(&Row) -> &'static str| view.rows.iter().map(|row| cell(row).len()).max().unwrap_or_default();
    let (state, topic) = (widest(|row| word(row.outcome)), widest(|row| row.topic));
    let indent = state + topic + 6;
    let width = dress.width.saturating_sub(indent).max(40);
    for row in view.rows {
        let shown = format!("{} {:state$}", sign(row.outcome), word(row.outcome));
        // Writing to a String cannot fail.
        let _ = write!(out, "{}  {:topic$}  ", dress.paint(dress.outcome(row.outcome), &shown), row.topic);
        let _ = writeln!(out, "{}", wrapped(&row.what, width, indent));
        if let Some(todo) = &row.todo {
            let arrow = dress.paint(Style::new().bold(), "→");
            let _ = writeln!(out, "{:indent$}{arrow} {}", "", wrapped(todo, width - 2, indent + 2));
        }
    }
    let _ = writeln!(out, "\nA job that runs these gates and posts what they find needs:\n\n{}", view.permissions);
    let number = |outcome: Outcome| view.rows.iter().filter(|row| row.outcome == outcome).count();
    let parts = [Outcome::Fail, Outcome::Error, Outcome::Pass, Outcome::Skipped]
        .map(|outcome| (number(outcome), word(outcome)))
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(
            |(number, word)| {
                if word == "problem" && number > 1 { format!("{number} {word}s") } else { format!("{number} {word}") }
            },
        )
        .collect::<Vec<_>>();
    let whole = outcome(view.rows);
    let shown = dress.paint(dress.outcome(whole), &format!("doctor: {}", whole.word()));
    let _ = writeln!(out, "{shown} ({})", parts.join(", "));
    out
}

/// Text in lines of so many characters at most, where its words allow; each further line is indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in clean(text).lines() {
        // What is laid out stays so.
        if line.starts_with(' ') || line.chars().count() <= width {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join(&format!("\n{:indent$}", ""))
}

/// The findings for programs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Doctor")]
struct DoctorV1<'a> {
    /// `gatepost.doctor/v1`.
    schema: &'static str,
    /// The worst of the rows: `fail` (a problem), `error` (something could not be told), `pass`, `skipped`.
    outcome: Outcome,
    /// The permissions that a job of these gates needs: `read` or `write` by name.
    permissions: std::collections::BTreeMap<&'static str, &'static str>,
    /// In the order they are shown.
    rows: Vec<RowV1<'a>>,
}

/// One row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DoctorRow")]
struct RowV1<'a> {
    /// What it is about.
    topic: &'a str,
    /// `pass`, `fail`, `error` (it could not be told) or `skipped` (not needed).
    outcome: Outcome,
    /// What was looked at, and what was seen.
    what: &'a str,
    /// What to do; `null` where there is nothing to do.
    todo: Option<&'a str>,
}

/// The JSON Schema of `gatepost doctor --json`.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(DoctorV1<'static>)
}

/// The JSON, with a line end.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn json(view: &DoctorView<'_>) -> Result<String, serde_json::Error> {
    let rows = view.rows.iter().map(|row| RowV1 {
        topic: row.topic,
        outcome: row.outcome,
        what: &row.what,
        todo: row.todo.as_deref(),
    });
    let doctor = DoctorV1 {
        schema: "gatepost.doctor/v1",
        outcome: outcome(view.rows),
        permissions: view.granted.iter().copied().collect(),
        rows: rows.collect(),
    };
    serde_json::to_string(&doctor).map(|text| text + "\n")
}
