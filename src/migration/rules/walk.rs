//! Which tables others were using when a migration began.

use std::collections::BTreeSet;

use super::Seen;
use crate::model::migration::{Facts, Migration, Object, ObjectKind, What};

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
