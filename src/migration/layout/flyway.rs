//! Flyway and Refinery: the version is in the file's name. Flyway puts values into the text before it runs it, and decides by
//! its statements whether it runs in a transaction.

use std::collections::BTreeMap;

use super::placeholders::{Placeholders, is_refinery};
use super::{Folder, Layout, Plan, is_code, is_sql, names};
use crate::migration::split::split;
use crate::model::migration::{DatabaseKind, Order, Planned, Script, Transaction};

pub(super) static FLYWAY: Layout = Layout {
    name: "flyway",
    about: "Flyway and Refinery: `V1_2__name.sql`, `U1_2__name.sql`, `R__name.sql`",
    has_down: false,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), \
         description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INTEGER, \
         installed_by VARCHAR(100) NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
         execution_time INTEGER NOT NULL, success BOOLEAN NOT NULL)",
    ),
    platform: None,
    outside: None,
    // sqlite-jdbc leaves SQLite's own default, but for `foreign_keys` in its properties.
    foreign_keys: false,
    one_at_a_time: None,
    read: flyway,
};

/// What the name of a callback begins with: <https://documentation.red-gate.com/fd/callback-events-277579034.html>.
const CALLBACKS: &[&str] = &["before", "after", "createSchema"];

/// How statements begin that Flyway runs outside of a transaction by itself.
const OUTSIDE: &[&[&str]] = &[
    &["create", "index", "concurrently"],
    &["create", "unique", "index", "concurrently"],
    &["drop", "index", "concurrently"],
    &["create", "database"],
    &["drop", "database"],
    &["create", "tablespace"],
    &["drop", "tablespace"],
    &["create", "subscription"],
    &["drop", "subscription"],
    &["alter", "system"],
    &["reindex"],
    &["vacuum"],
    &["discard", "all"],
];

/// <https://documentation.red-gate.com/fd/migration-transaction-handling-273973399.html>: files that mix both are refused.
fn transaction(script: &Script) -> Transaction {
    let is_outside = |sql: &str| {
        let words: Vec<String> = sql.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
        OUTSIDE
            .iter()
            .any(|start| words.iter().zip(*start).filter(|(word, wanted)| word == *wanted).count() == start.len())
    };
    let sources = split(script, DatabaseKind::Postgres);
    if sources.iter().all(|source| is_outside(&source.sql)) { Transaction::None } else { Transaction::WhereAllowed }
}

/// A file with its values, run as the file beside it says: `V1__a.sql.conf`.
fn script(folder: &Folder, path: &str, given: &Placeholders, plan: &mut Plan) -> Option<Script> {
    let mut script = folder.script(path, Transaction::WhereAllowed, plan)?;
    let conf = folder.text(&format!("{path}.conf"), plan).unwrap_or_default();
    let says = |key: &str, value: &str| {
        let lines = conf.lines().filter_map(|line| line.split_once('='));
        lines.into_iter().any(|(name, word)| name.trim() == key && word.trim().eq_ignore_ascii_case(value))
    };
    if !says("placeholderReplacement", "false") {
        for piece in &mut script.pieces {
            match given.put_into(&piece.text, script.path.rsplit('/').next().unwrap_or_default()) {
                Ok(text) => piece.text = text,
                Err((line, name)) => plan.problems.push(format!(
                    "{}:{line}: {name} is a placeholder of Flyway, and nothing here gives its value: give it in a flyway.conf \
                     beside the migrations (`flyway.placeholders.NAME=value`), or switch them off \
                     (`flyway.placeholderReplacement=false`)",
                    script.path
                )),
            }
        }
    }
    script.transaction = if says("executeInTransaction", "false") { Transaction::None } else { transaction(&script) };
    Some(script)
}

/// Steps that are classes of the package.
fn in_sources(folder: &Folder) -> impl Iterator<Item = String> + '_ {
    let is_step = |path: &&String| {
        let file = path.rsplit('/').next().unwrap_or(path);
        is_code(path) && file.starts_with(['V', 'R']) && file.contains("__")
    };
    folder.sources.iter().filter(is_step).cloned()
}

fn flyway(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let given = Placeholders::of(folder);
    let refinery = is_refinery(folder);
    let mut undo: BTreeMap<Order, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for path in folder.files.keys() {
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = names::stem(file);
        let (prefix, rest) = stem.split_at(stem.len().min(1));
        match (prefix, rest.split_once("__"), is_sql(path)) {
            ("V" | "U", Some((version, _)), false) if names::dotted(version).is_some() => folder.other(path, &mut plan),
            ("R", Some(("", _)), false) => folder.other(path, &mut plan),
            ("V" | "U", Some((version, name)), true) => match names::dotted(version) {
                // To Refinery both lead on.
                Some(order) if prefix == "U" && !refinery => {
                    undo.insert(order, path);
                }
                Some(order) => found.push((order, version.replace('_', "."), name, path, false)),
                None => plan.problems.push(format!("{}: {version:?} is no version", folder.place(path))),
            },
            ("R", Some(("", name)), true) => {
                found.push((Order(Vec::new(), name.to_owned()), String::new(), name, path, true));
            }
            (_, _, true) if CALLBACKS.iter().any(|event| stem.starts_with(event)) => {
                plan.notes.push(format!(
                    "{} is not run: it is a callback, which Flyway runs beside migrations",
                    folder.place(path)
                ));
            }
            (_, _, true) => {
                plan.notes
                    .push(format!("{} is passed over: it is named neither V…__, U…__ nor R__…", folder.place(path)));
            }
            _ => {}
        }
    }
    plan.code.extend(in_sources(folder));
    for (order, version, name, path, repeatable) in found {
        let down = if repeatable { None } else { undo.remove(&order) };
        let planned = Planned {
            version,
            name: names::words(name),
            path: folder.place(path),
            files: folder.digests(&std::iter::once(path.as_str()).chain(down).collect::<Vec<_>>()),
            up: script(folder, path, &given, &mut plan),
            down: down.and_then(|down| script(folder, down, &given, &mut plan)),
            order,
            repeatable,
            stamp: None,
        };
        plan.migrations.push(planned);
    }
    for path in undo.into_values() {
        plan.notes.push(format!("{} is passed over: it takes back a version that is not here", folder.place(path)));
    }
    plan
}
