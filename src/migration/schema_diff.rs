//! What a schema becomes, as SQL in the order in which it could be run. It is there to be read: statements that a
//! database words itself are taken as they are, the others are put together from their parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::migration::change::compare;
use crate::model::migration::{Change, Facts, Object, ObjectKind, What};
use crate::model::text;

/// The difference as SQL; empty where there is none.
#[must_use]
pub fn sql(before: &Facts, after: &Facts) -> String {
    let changes = compare(before, after);
    let new_tables: BTreeMap<&str, &str> = changes
        .iter()
        .filter_map(|change| match (&change.what, change.object.kind) {
            (What::Added { definition }, ObjectKind::Table) => Some((change.object.of.as_str(), definition.as_str())),
            _ => None,
        })
        .collect();
    let mut out = String::new();
    for change in ordered(&changes) {
        let object = &change.object;
        let inside = matches!(object.kind, ObjectKind::Column | ObjectKind::Constraint);
        // Parts of a new table stand in its own statement.
        if inside && matches!(change.what, What::Added { .. }) && new_tables.contains_key(object.of.as_str()) {
            continue;
        }
        let text = match (&change.what, object.kind) {
            (What::Added { definition }, ObjectKind::Table) => table(object, definition, after),
            _ => statement(change),
        };
        let _ = writeln!(out, "{text}");
    }
    out
}

/// What goes is first, but for what others stand on.
fn ordered(changes: &[Change]) -> Vec<&Change> {
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| {
        let removed = matches!(change.what, What::Removed { .. });
        let kind = change.object.kind as i32;
        (!removed, if removed { -kind } else { kind }, &change.object)
    });
    sorted
}

fn table(object: &Object, definition: &str, after: &Facts) -> String {
    // A database that words the whole table itself.
    if definition.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("create ")) {
        return format!("{definition};");
    }
    let part = |kind: ObjectKind| {
        let first = Object { kind, of: object.of.clone(), name: String::new() };
        let parts = after.range(first..).take_while(move |(part, _)| part.kind == kind && part.of == object.of);
        parts.map(move |(part, fact)| {
            let word = if kind == ObjectKind::Constraint { "CONSTRAINT " } else { "" };
            let number = fact.identity.rsplit('.').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
            (number, format!("  {word}{} {}", part.name, fact.definition))
        })
    };
    let mut columns: Vec<(u32, String)> = part(ObjectKind::Column).collect();
    columns.sort();
    let lines: Vec<String> =
        columns.into_iter().chain(part(ObjectKind::Constraint)).map(|(_, line)| line.trim_end().to_owned()).collect();
    let (before, behind) = match definition.split_once("UNLOGGED") {
        Some((_, rest)) => ("UNLOGGED ", rest.trim()),
        None => ("", definition),
    };
    let behind = if behind.is_empty() { String::new() } else { format!(" {behind}") };
    format!("CREATE {before}TABLE {} (\n{}\n){behind};", object.of, lines.join(",\n"))
}

fn statement(change: &Change) -> String {
    let Change { object, what } = change;
    let (of, name) = (&object.of, &object.name);
    let on_table = matches!(object.kind, ObjectKind::Column | ObjectKind::Constraint);
    match what {
        What::Removed { .. } if on_table => {
            format!("ALTER TABLE {of} DROP {} {name};", object.kind.word().to_uppercase())
        }
        What::Removed { .. } => match object.kind {
            ObjectKind::Index => format!("DROP INDEX {};", beside(of, name)),
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
                format!("DROP {} {name} ON {of};", object.kind.word().to_uppercase())
            }
            ObjectKind::Privileges => format!("-- privileges on {} are reset", object.path()),
            kind @ (ObjectKind::Owner | ObjectKind::Comment | ObjectKind::Other) => {
                format!("-- gone: {} {}", kind.word(), object.path())
            }
            kind => format!("DROP {} {of};", kind.word().to_uppercase()),
        },
        What::Added { definition } => added(object, definition),
        What::Altered { before, after } => match object.kind {
            ObjectKind::Column => column(of, name, before, after),
            ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Function => added(object, after),
            kind => {
                let (before, after) = (text::one_line(before, 1_000), text::one_line(after, 1_000));
                format!("-- {} {}: {before}\n--   becomes: {after}", kind.word(), object.path())
            }
        },
        What::Renamed { to } => match object.kind {
            ObjectKind::Column | ObjectKind::Constraint => {
                format!("ALTER TABLE {} RENAME {} {name} TO {};", to.of, object.kind.word().to_uppercase(), to.name)
            }
            ObjectKind::Index => format!("ALTER INDEX {} RENAME TO {};", beside(of, name), to.name),
            kind => format!("ALTER {} {} RENAME TO {};", kind.word().to_uppercase(), object.path(), to.path()),
        },
        What::Emptied => format!("TRUNCATE {of};"),
    }
}

fn added(object: &Object, definition: &str) -> String {
    let (of, name) = (&object.of, &object.name);
    match object.kind {
        ObjectKind::Column => format!("ALTER TABLE {of} ADD COLUMN {name} {definition};"),
        ObjectKind::Constraint => format!("ALTER TABLE {of} ADD CONSTRAINT {name} {definition};"),
        ObjectKind::View | ObjectKind::MaterializedView if !definition.starts_with("CREATE") => {
            format!("CREATE {} {of} AS\n{definition};", object.kind.word().to_uppercase())
        }
        ObjectKind::Type => match definition.strip_prefix("DOMAIN ") {
            Some(rest) => format!("CREATE DOMAIN {of} AS {rest};"),
            None => format!("CREATE TYPE {of} AS {definition};"),
        },
        ObjectKind::Schema => format!("CREATE SCHEMA {of};"),
        ObjectKind::Extension => format!("CREATE EXTENSION {of}; -- {definition}"),
        ObjectKind::Sequence => format!("CREATE SEQUENCE {of} {definition};"),
        kind @ (ObjectKind::Privileges | ObjectKind::Owner | ObjectKind::Comment | ObjectKind::Other) => {
            format!("-- {} {}: {}", kind.word(), object.path(), text::one_line(definition, 1_000))
        }
        ObjectKind::Policy => format!("-- policy {name} on {of}: {definition}"),
        _ => format!("{};", definition.trim_end_matches(';').trim_end()),
    }
}

/// An index by its table's schema.
fn beside(table: &str, index: &str) -> String {
    table.rsplit_once('.').map_or_else(|| index.to_owned(), |(schema, _)| format!("{schema}.{index}"))
}

fn column(of: &str, name: &str, before: &str, after: &str) -> String {
    format!("-- {of}.{name} was {before}\nALTER TABLE {of} ALTER COLUMN {name} TYPE {after};")
}
