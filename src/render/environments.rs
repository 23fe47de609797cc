//! The environments as a table, and as JSON, version 1.

use std::fmt::Write as _;

use serde::Serialize;

use crate::model::call::Receipt;
use crate::model::deployment::Record;
use crate::model::text::{clean, shorten};
use crate::render::figures::count;
use crate::render::markdown::{Untrusted, prose, prose_cell};
use crate::render::notify::{RouteV1, route};

/// One environment.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is live.
    pub live: Option<&'a Record>,
    /// Whether that is known: nothing was begun over it.
    pub is_sure: bool,
    /// The newest deployment, where that is another one.
    pub newest: Option<&'a Record>,
    /// `healthy`, `unhealthy` or `unknown`, and why.
    pub health: (&'a str, &'a str),
    /// Who holds the lock.
    pub lock: Option<&'a str>,
    /// For how many seconds that is live.
    pub age: Option<i64>,
    /// Where more is, and what: commits.
    pub waiting: Option<(&'a str, &'a [String])>,
    /// The migrations among them.
    pub migrations: &'a [String],
}

/// What a small command has done.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// In one word.
    pub outcome: &'a str,
    /// Why it was refused, in one stable word.
    pub reason: Option<&'a str>,
    /// In one line.
    pub says: &'a str,
    /// Whom it was told.
    pub told: &'a [Receipt],
}

/// Commits that are listed of those that wait.
const LISTED: usize = 5;

/// For people.
#[must_use]
pub fn text(rows: &[Shown<'_>]) -> String {
    let head = ["environment", "commit", "version", "age", "health", "lock", "waiting"].map(str::to_owned);
    let mut table = vec![head];
    table.extend(rows.iter().map(cells));
    let mut out = lines(&table);
    for row in rows {
        more(row, &mut out);
    }
    out
}

fn cells(row: &Shown<'_>) -> [String; 7] {
    let commit = row.live.map_or_else(|| "–".to_owned(), |live| live.sha.short().to_owned());
    let version = row.live.map_or_else(|| "–".to_owned(), |live| shorten(&clean(&name(live)), 24));
    let waiting = row.waiting.map_or_else(
        || "–".to_owned(),
        |(from, commits)| {
            let mut all = vec![count(commits.len(), "commit")];
            all.extend((!row.migrations.is_empty()).then(|| count(row.migrations.len(), "migration")));
            format!("{} from {from}", all.join(", "))
        },
    );
    let lock = if row.lock.is_some() { "locked" } else { "–" };
    [
        row.name.to_owned(),
        commit,
        version,
        row.age.map_or_else(|| "–".to_owned(), age),
        row.health.0.to_owned(),
        lock.to_owned(),
        waiting,
    ]
}

/// For the job's summary.
#[must_use]
pub fn markdown(rows: &[Shown<'_>]) -> String {
    let mut out = "### Environments\n\n| Environment | Commit | Version | Age | Health | Lock | Waiting |\n\
                   |:--|:--|:--|:--|:--|:--|:--|\n"
        .to_owned();
    for row in rows {
        let cells = cells(row);
        let [_, commit, version, age, health, lock, waiting] = &cells;
        let sign = match row.health.0 {
            "healthy" => "✅",
            "unhealthy" => "❌",
            _ => "❓",
        };
        let [commit, version] = [commit, version].map(|text| Untrusted(text).cell(60));
        let _ = writeln!(
            out,
            "| `{}` | {commit} | {version} | {age} | {sign} {health} | {lock} | {} |",
            row.name,
            prose_cell(waiting, 100)
        );
    }
    out.push('\n');
    for row in rows {
        let mut notes = String::new();
        more(row, &mut notes);
        out.extend(notes.lines().map(|line| format!("- {}\n", prose(line.trim(), 300))));
    }
    out
}

fn lines(table: &[[String; 7]]) -> String {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut out = String::new();
    for row in table {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}

fn more(row: &Shown<'_>, out: &mut String) {
    let mut notes = Vec::new();
    if !row.health.1.is_empty() && row.health.0 == "unhealthy" {
        notes.push(row.health.1.to_owned());
    }
    notes.extend(row.lock.map(str::to_owned));
    if let Some(newest) = row.newest {
        let end = newest
            .end()
            .map_or_else(|| "has no end yet".to_owned(), |end| format!("{}: {}", end.phase.word(), end.says));
        notes.push(format!("deployment {} of {} {end}", newest.id, newest.sha.short()));
    }
    let forced = row.live.and_then(|live| live.payload.as_ref()).and_then(|payload| payload.forced.as_ref());
    notes.extend(forced.map(|why| format!("deployed by force: {why}")));
    let overridden = row.live.and_then(|live| live.payload.as_ref()).map(|payload| payload.overridden.as_slice());
    notes.extend(overridden.unwrap_or_default().iter().map(|gate| format!("not green, overridden: {gate}")));
    for commit in row.waiting.map(|(_, commits)| commits).unwrap_or_default().iter().take(LISTED) {
        notes.push(format!("waiting: {commit}"));
    }
    notes.extend(row.migrations.iter().take(LISTED).map(|path| format!("waiting migration: {path}")));
    for note in notes {
        let _ = writeln!(out, "  {}: {}", row.name, clean(&note));
    }
}

/// What was named, unless that is the commit itself.
fn name(live: &Record) -> String {
    if live.reference == live.sha.as_str() || live.reference.is_empty() {
        "–".to_owned()
    } else {
        live.reference.clone()
    }
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// For programs.
#[must_use]
pub fn json(rows: &[Shown<'_>]) -> String {
    let environments = rows.iter().map(|row| Written {
        name: row.name,
        sha: row.live.map(|live| live.sha.as_str()),
        reference: row.live.map(|live| live.reference.as_str()),
        deployment: row.live.map(|live| live.id.as_str()),
        verified: row.is_sure && row.live.is_some_and(Record::was_verified),
        forced: row.live.and_then(|live| live.payload.as_ref()).and_then(|payload| payload.forced.as_deref()),
        overridden: row
            .live
            .and_then(|live| live.payload.as_ref())
            .map(|payload| payload.overridden.as_slice())
            .unwrap_or_default(),
        age_s: row.age,
        health: row.health.0,
        health_says: row.health.1,
        lock: row.lock,
        newest: row.newest.map(|newest| Newest {
            deployment: &newest.id,
            sha: newest.sha.as_str(),
            role: newest.role().map_or("", crate::model::deployment::Role::word),
            end: newest.end().map(|end| end.phase.word()),
            says: newest.end().map_or("", |end| end.says.as_str()),
        }),
        waiting_from: row.waiting.map(|(from, _)| from),
        waiting: row.waiting.map(|(_, commits)| commits).unwrap_or_default(),
        migrations: row.migrations,
    });
    let written = All { schema: "gatepost.status/v1", environments: environments.collect() };
    serde_json::to_string(&written).unwrap_or_default() + "\n"
}

/// What a small command has done, for programs.
#[must_use]
pub fn said(said: &Said<'_>) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        schema: &'static str,
        outcome: &'a str,
        reason: Option<&'a str>,
        says: &'a str,
        told: Vec<RouteV1<'a>>,
    }
    let told = said.told.iter().map(route).collect();
    let Said { outcome, reason, says, .. } = *said;
    let whole = Whole { schema: "gatepost.said/v1", outcome, reason, says, told };
    serde_json::to_string(&whole).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct All<'a> {
    schema: &'static str,
    environments: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    sha: Option<&'a str>,
    reference: Option<&'a str>,
    deployment: Option<&'a str>,
    verified: bool,
    forced: Option<&'a str>,
    overridden: &'a [String],
    age_s: Option<i64>,
    health: &'a str,
    health_says: &'a str,
    lock: Option<&'a str>,
    newest: Option<Newest<'a>>,
    waiting_from: Option<&'a str>,
    waiting: &'a [String],
    migrations: &'a [String],
}

#[derive(Serialize)]
struct Newest<'a> {
    deployment: &'a str,
    sha: &'a str,
    role: &'a str,
    end: Option<&'a str>,
    says: &'a str,
}
