//! What the code that runs now would trip over, and what no down brings back.

use super::walk::Now;
use super::{
    CHANGED, DROP_COLUMN, DROP_OTHER, DROP_TABLE, FOREIGN_KEY, Known, NARROWED, RENAME_COLUMN, RENAME_OTHER,
    RENAME_TABLE, REQUIRED, Rule, TRUNCATE, columns, emptied, finding, line_of,
};
use crate::model::finding::Finding;
use crate::model::migration::{Change, Facts, Migration, Object, ObjectKind, Statement, What};

pub(super) fn compatibility(migration: &Migration, known: &Known, after: &Facts, each_alone: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut now = Now::of(known);
    for (number, statement) in migration.statements.iter().enumerate() {
        // In a change the schema after all of it says what was made again.
        let later = if each_alone { &migration.statements[number + 1..] } else { &[] };
        for change in statement.changes.iter().filter(|change| now.has(&change.object)) {
            if let Some((rule, what)) = told(change, after, later).filter(|_| !goes_along(change, statement)) {
                found.push(finding(rule, &migration.path, line_of(statement), &what));
            }
        }
        for path in emptied::tables(statement, |path| now.has_table(path)) {
            found.push(finding(&TRUNCATE, &migration.path, line_of(statement), &all_rows(&path)));
        }
        // A new table's foreign key needs its index as much.
        for change in &statement.changes {
            if let Some(what) = unindexed(change, after) {
                found.push(finding(&FOREIGN_KEY, &migration.path, line_of(statement), &what));
            }
        }
        now.follow(statement);
    }
    found
}

fn told(change: &Change, after: &Facts, later: &[Statement]) -> Option<(&'static Rule, String)> {
    let (object, path) = (&change.object, change.object.path());
    Some(match (&change.what, object.kind) {
        (What::Removed { .. }, ObjectKind::Table) => (&DROP_TABLE, format!("the table {path} is dropped")),
        (What::Removed { .. }, ObjectKind::Column) => (&DROP_COLUMN, format!("the column {path} is dropped")),
        (What::Removed { .. }, kind) if stands_alone(kind) && !after.contains_key(object) && !makes(later, object) => {
            (&DROP_OTHER, format!("the {} {path} is dropped", kind.word()))
        }
        (What::Emptied, _) => (&TRUNCATE, all_rows(&path)),
        (What::Renamed { to }, ObjectKind::Table)
            if !has_view(after, &object.of) && !makes(later, &view(&object.of)) =>
        {
            (&RENAME_TABLE, format!("the table {path} is renamed to {}", to.of))
        }
        (What::Renamed { to }, ObjectKind::Column) => {
            (&RENAME_COLUMN, format!("the column {path} is renamed to {}", to.name))
        }
        (What::Renamed { to }, kind) if stands_alone(kind) && !after.contains_key(object) && !makes(later, object) => {
            (&RENAME_OTHER, format!("the {} {path} is renamed to {}", kind.word(), to.path()))
        }
        (What::Altered { before, after }, ObjectKind::Type) => {
            let lost = columns::labels(before).into_iter().find(|label| !columns::labels(after).contains(label))?;
            (&NARROWED, format!("the type {path} has {lost} no more"))
        }
        (What::Added { definition }, ObjectKind::Column) if columns::is_required(definition) => {
            (&REQUIRED, format!("the new column {path} must be given and has no default"))
        }
        (What::Altered { before, after }, ObjectKind::Column) => return altered(&path, before, after),
        _ => return None,
    })
}

/// What code calls by its name and is no table.
const fn stands_alone(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Function
            | ObjectKind::Type
            | ObjectKind::Sequence
            | ObjectKind::Schema
    )
}

fn all_rows(path: &str) -> String {
    format!("every row of {path} is deleted")
}

/// A counter that is dropped with the column or table whose it is.
fn goes_along(change: &Change, statement: &Statement) -> bool {
    let is_owner = |other: &Change| {
        matches!(other.what, What::Removed { .. })
            && matches!(other.object.kind, ObjectKind::Table | ObjectKind::Column)
    };
    change.object.kind == ObjectKind::Sequence
        && matches!(change.what, What::Removed { .. })
        && statement.changes.iter().any(is_owner)
}

/// Whether statements behind it in the same migration make it.
fn makes(later: &[Statement], object: &Object) -> bool {
    let mut changes = later.iter().flat_map(|statement| &statement.changes);
    changes.any(|change| change.object == *object && matches!(change.what, What::Added { .. }))
}

fn view(path: &str) -> Object {
    Object { kind: ObjectKind::View, of: path.to_owned(), name: String::new() }
}

fn has_view(after: &Facts, path: &str) -> bool {
    after.keys().any(|object| object.kind == ObjectKind::View && object.of == path)
}

fn altered(path: &str, before: &str, after: &str) -> Option<(&'static Rule, String)> {
    let (old, new) = (columns::type_of(before), columns::type_of(after));
    if old != new {
        return match columns::narrows(before, after) {
            Some(true) => Some((&NARROWED, format!("the type of {path} is narrowed from {old} to {new}"))),
            Some(false) => None,
            None => Some((&CHANGED, format!("the type of {path} changes from {old} to {new}"))),
        };
    }
    if let Some((old, new)) = columns::character_sets(before, after) {
        return Some((&CHANGED, format!("the character set of {path} changes from {old} to {new}")));
    }
    let newly = columns::is_required(after) && !columns::is_required(before);
    newly.then(|| (&REQUIRED, format!("{path} must be given from now on and has no default")))
}

fn unindexed(change: &Change, after: &Facts) -> Option<String> {
    let What::Added { definition } = &change.what else { return None };
    if change.object.kind != ObjectKind::Constraint || !after.contains_key(&change.object) {
        return None;
    }
    if !definition.starts_with("FOREIGN KEY") {
        return None;
    }
    let columns = columns::listed(definition, "FOREIGN");
    let table = &change.object.of;
    // SQLite's have no names, and are called by their columns.
    let name = change.object.name.strip_prefix("foreign key ").unwrap_or(&change.object.name);
    (!columns::is_indexed(after, table, &columns))
        .then(|| format!("the foreign key {name} has no index on {table} ({})", columns.join(", ")))
}
