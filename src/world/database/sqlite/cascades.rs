//! Tables whose rows go because the rows that they refer to do. Where SQLite heeds foreign keys, a table that is dropped
//! is emptied first, and what refers to it goes along; no count of rows tells so where tables are empty.

use std::collections::BTreeSet;

use crate::model::migration::{Change, Facts, Object, ObjectKind, What};

/// Tables whose rows may go with those of others.
pub(super) fn tables(facts: &Facts) -> BTreeSet<&str> {
    links(facts).map(|(child, _)| child).collect()
}

/// Tables that lose their rows with those that the changes take away, directly or by way of others.
pub(super) fn of_dropped(before: &Facts, changes: &[Change]) -> BTreeSet<String> {
    let gone = |change: &&Change| {
        change.object.kind == ObjectKind::Table && matches!(change.what, What::Removed { .. } | What::Emptied)
    };
    let mut emptied: BTreeSet<String> = changes.iter().filter(gone).map(|change| change.object.of.clone()).collect();
    loop {
        let is_emptied = |parent: &str| emptied.iter().any(|table| table.eq_ignore_ascii_case(parent));
        let next: Vec<String> =
            links(before).filter(|(_, parent)| is_emptied(parent)).map(|(child, _)| child.to_owned()).collect();
        let known = emptied.len();
        emptied.extend(next);
        if emptied.len() == known {
            return emptied;
        }
    }
}

/// Each table that has `ON DELETE CASCADE`, and what it refers to.
fn links(facts: &Facts) -> impl Iterator<Item = (&str, &str)> {
    facts.iter().filter(|(object, _)| object.kind == ObjectKind::Constraint).filter_map(|(object, fact)| {
        let (_, refers) = fact.definition.strip_suffix(" ON DELETE CASCADE")?.split_once(" REFERENCES ")?;
        let (parent, _) = refers.rsplit_once(") ON UPDATE ")?.0.rsplit_once('(')?;
        Some((object.of.as_str(), parent))
    })
}

/// Asks which of these tables have rows.
pub(super) fn question(tables: &[&str]) -> String {
    let one = |table: &&str| {
        let (text, name) = (table.replace('\'', "''"), table.replace('"', "\"\""));
        format!("SELECT '{text}' WHERE EXISTS (SELECT 1 FROM \"{name}\")")
    };
    tables.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
}

/// The change of a table that has no rows any more.
pub(super) fn emptied(table: String) -> Change {
    Change { object: Object { kind: ObjectKind::Table, of: table, name: String::new() }, what: What::Emptied }
}
