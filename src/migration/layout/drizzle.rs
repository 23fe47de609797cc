//! Drizzle Kit: a journal that says the order of the files, or a folder for each migration. It cuts a file where the file
//! says so, not at semicolons.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::folders::{folders, note_others, one_way};
use super::{Folder, Layout, Plan, names};
use crate::model::migration::{DatabaseKind, Order, Piece, Planned, Transaction};

pub(super) static DRIZZLE: Layout = Layout {
    name: "drizzle",
    about: "Drizzle Kit: `NUMBER_name.sql` in the order of `meta/_journal.json`, or `TIMESTAMP_name/migration.sql`",
    has_down: false,
    bookkeeping: None,
    platform: None,
    outside: None,
    // better-sqlite3 builds SQLite so: <https://github.com/WiseLibs/better-sqlite3/blob/master/docs/compilation.md>
    foreign_keys: true,
    // mysql2, but for `multipleStatements`, and what better-sqlite3 prepares.
    one_at_a_time: Some((&[DatabaseKind::Mysql, DatabaseKind::Sqlite], "put `--> statement-breakpoint` between them")),
    read: drizzle,
};

/// What stands between two statements of a file.
const BREAKPOINT: &str = "--> statement-breakpoint";
const JOURNAL: &str = "meta/_journal.json";

#[derive(Deserialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    tag: String,
    when: Option<u64>,
}

/// Adds a journal that has all of these files.
pub(super) fn with_journal(files: &mut BTreeMap<String, Vec<u8>>) {
    let tags = files.keys().filter_map(|name| {
        let tag = name.strip_suffix(".sql")?;
        names::number(tag)?;
        Some(serde_json::json!({"tag": tag}))
    });
    let journal = serde_json::json!({"entries": tags.collect::<Vec<_>>()});
    files.insert(JOURNAL.to_owned(), journal.to_string().into_bytes());
}

fn drizzle(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    let entries = match folder.text(JOURNAL, &mut plan).as_deref().map(serde_json::from_str::<Journal>) {
        Some(Ok(journal)) => journal.entries,
        Some(Err(error)) => {
            plan.problems.push(format!("{} cannot be read: {error}", folder.place(JOURNAL)));
            return plan;
        }
        None => return by_folders(folder),
    };
    // The journal is run from top to bottom: its numbers are for people, and merges leave some twice.
    for (place, Entry { tag, when }) in (0..).zip(entries) {
        let up = format!("{tag}.sql");
        if !folder.files.contains_key(&up) {
            plan.problems.push(format!("{} names {tag}, and there is no {}", folder.place(JOURNAL), folder.place(&up)));
            continue;
        }
        let order = Order(vec![place], String::new());
        let planned = cut(one_way(folder, &tag, order, &up, Transaction::Whole, &mut plan));
        plan.migrations.push(Planned { stamp: when, ..planned });
        known.insert(up);
    }
    note_others(folder, &known, &mut plan);
    plan
}

/// As of version 1 there is no journal.
fn by_folders(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let names = folders(folder, "migration.sql");
    if names.is_empty() {
        plan.problems.push(format!("there is no {}, which says the order", folder.place(JOURNAL)));
    }
    let mut known = BTreeSet::new();
    for name in names {
        let up = format!("{name}/migration.sql");
        let order = Order(Vec::new(), name.to_owned());
        let planned = cut(one_way(folder, name, order, &up, Transaction::Whole, &mut plan));
        plan.migrations.push(planned);
        known.insert(up);
    }
    note_others(folder, &known, &mut plan);
    plan
}

/// <https://orm.drizzle.team/docs/kit-custom-migrations>: what lies between two breakpoints is sent as one text.
fn cut(mut planned: Planned) -> Planned {
    if let Some(script) = &mut planned.up {
        script.pieces = script.pieces.iter().flat_map(parts).collect();
    }
    planned
}

fn parts(piece: &Piece) -> Vec<Piece> {
    let mut line = piece.line;
    let mut found = Vec::new();
    for text in piece.text.split(BREAKPOINT) {
        found.push(Piece { line, text: text.to_owned(), whole: true });
        line = line.saturating_add(u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX));
    }
    found
}
