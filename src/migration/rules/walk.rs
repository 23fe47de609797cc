//! Which tables others were using when a migration began.

use std::collections::{BTreeMap, BTreeSet};

use super::Seen;
use crate::model::migration::{Change, Facts, Migration, Object, ObjectKind, Statement, What};

/// What existed before the change: what is made in it is nobody's yet.
#[derive(Debug, Default)]
pub struct Known {
    tables: BTreeSet<String>,
    others: BTreeSet<Object>,
}

impl Known {
    fn of(facts: &Facts) -> Self {
        let mut known = Self::default();
        for object in facts.keys() {
            known.add(object);
        }
        known
    }

    fn add(&mut self, object: &Object) {
        if is_table(object.kind) {
            self.tables.insert(object.of.clone());
        } else if object.name.is_empty() {
            self.others.insert(object.clone());
        }
    }

    fn remove(&mut self, object: &Object) {
        if is_table(object.kind) {
            self.tables.remove(&object.of);
        } else {
            self.others.remove(object);
        }
    }

    /// Whether it is a table that others use.
    #[must_use]
    pub fn has_table(&self, path: &str) -> bool {
        self.tables.contains(path)
    }

    /// Whether others use the object, or the table it belongs to.
    #[must_use]
    pub fn has(&self, object: &Object) -> bool {
        if is_table(object.kind) || !object.name.is_empty() {
            self.tables.contains(&object.of)
        } else {
            self.others.contains(object)
        }
    }
}

const fn is_table(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Table | ObjectKind::MaterializedView)
}

/// What others use while a migration runs, statement by statement.
pub(super) struct Now<'a> {
    known: &'a Known,
    /// Made or dropped by the migration: what has that name is nobody's yet.
    own: BTreeSet<Object>,
    /// Their new names; locks are told by the names of before.
    renamed: BTreeSet<Object>,
}

impl<'a> Now<'a> {
    pub(super) const fn of(known: &'a Known) -> Self {
        Self { known, own: BTreeSet::new(), renamed: BTreeSet::new() }
    }

    /// Follows what a statement did.
    pub(super) fn follow(&mut self, statement: &Statement) {
        for change in statement.changes.iter().filter(|change| change.object.name.is_empty()) {
            match &change.what {
                What::Added { .. } | What::Removed { .. } => {
                    self.renamed.remove(&change.object);
                    self.own.insert(change.object.clone());
                }
                What::Renamed { to } if self.has(&change.object) => {
                    self.own.remove(to);
                    self.renamed.insert(to.clone());
                }
                _ => {}
            }
        }
    }

    /// As [`Known::has_table`].
    pub(super) fn has_table(&self, path: &str) -> bool {
        let is_in = |objects: &BTreeSet<Object>| {
            let table = |kind| Object { kind, of: path.to_owned(), name: String::new() };
            objects.contains(&table(ObjectKind::Table)) || objects.contains(&table(ObjectKind::MaterializedView))
        };
        is_in(&self.renamed) || (self.known.has_table(path) && !is_in(&self.own))
    }

    /// As [`Known::has`].
    pub(super) fn has(&self, object: &Object) -> bool {
        if is_table(object.kind) || !object.name.is_empty() {
            return self.has_table(&object.of);
        }
        self.renamed.contains(object) || (self.known.has(object) && !self.own.contains(object))
    }
}

/// The tables that a migration made or dropped, each with the line of the first statement that did: what has their names
/// afterwards is nobody's yet.
#[must_use]
pub fn made_or_dropped(migration: &Migration) -> BTreeMap<&str, u32> {
    let mut found = BTreeMap::new();
    for statement in &migration.statements {
        for Change { object, what } in &statement.changes {
            if is_table(object.kind) && matches!(what, What::Added { .. } | What::Removed { .. }) {
                found.entry(object.of.as_str()).or_insert(statement.source.line);
            }
        }
    }
    found
}

/// Calls `each` with every migration and what others use while it runs. In a change that is what the base has, by the
/// names it has by then.
pub fn walk<'a>(seen: Seen<'a>, mut each: impl FnMut(&'a Migration, &Known)) {
    let mut known = Known::of(seen.before);
    for migration in seen.migrations {
        each(migration, &known);
        follow(&mut known, migration, seen.each_alone);
    }
}

fn follow(known: &mut Known, migration: &Migration, take_new: bool) {
    for change in migration.statements.iter().flat_map(|statement| &statement.changes) {
        match &change.what {
            What::Added { .. } if take_new => known.add(&change.object),
            What::Removed { .. } => known.remove(&change.object),
            What::Renamed { to } if known.has(&change.object) && change.object.name.is_empty() => {
                known.remove(&change.object);
                known.add(to);
            }
            _ => {}
        }
    }
}
