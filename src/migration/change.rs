//! Two schemas compared: what was added, removed, renamed and altered.

use std::collections::BTreeMap;

use crate::model::migration::{Change, Facts, Object, ObjectKind, What};

/// Every difference, in the order of the objects. What belongs to a table that came or went is not told apart from it.
#[must_use]
pub fn compare(before: &Facts, after: &Facts) -> Vec<Change> {
    let gone: BTreeMap<&str, &Object> = before
        .iter()
        .filter(|(object, fact)| !fact.identity.is_empty() && !after.contains_key(*object))
        .map(|(object, fact)| (fact.identity.as_str(), object))
        .collect();
    let mut changes = Vec::new();
    let mut renamed: BTreeMap<&Object, &Object> = BTreeMap::new();
    for (object, fact) in after {
        match before.get(object) {
            Some(old) if old.definition != fact.definition => changes.push(Change {
                object: object.clone(),
                what: What::Altered { before: old.definition.clone(), after: fact.definition.clone() },
            }),
            Some(_) => {}
            None => match gone.get(fact.identity.as_str()) {
                Some(old) => {
                    renamed.insert(old, object);
                }
                None => changes
                    .push(Change { object: object.clone(), what: What::Added { definition: fact.definition.clone() } }),
            },
        }
    }
    for (object, fact) in before.iter().filter(|(object, _)| !after.contains_key(*object)) {
        match renamed.get(object) {
            Some(to) => changes.push(Change { object: object.clone(), what: What::Renamed { to: (*to).clone() } }),
            None => changes
                .push(Change { object: object.clone(), what: What::Removed { definition: fact.definition.clone() } }),
        }
    }
    changes.retain(|change| !follows(change, before, after, &renamed));
    changes.sort_by(|a, b| a.object.cmp(&b.object));
    changes
}

/// Whether a part only followed its table: it went with it, or its table has another name.
fn follows(change: &Change, before: &Facts, after: &Facts, renamed: &BTreeMap<&Object, &Object>) -> bool {
    let object = &change.object;
    let beside = matches!(object.kind, ObjectKind::Privileges | ObjectKind::Owner | ObjectKind::Comment);
    if object.name.is_empty() && !beside {
        return false;
    }
    let table = Object { kind: ObjectKind::Table, of: object.of.clone(), name: String::new() };
    match &change.what {
        What::Removed { .. } => {
            before.contains_key(&table) && !after.contains_key(&table) && !renamed.contains_key(&table)
        }
        What::Renamed { to } => to.name == object.name && renamed.get(&table).is_some_and(|new| new.of == to.of),
        What::Added { .. } | What::Altered { .. } | What::Emptied => false,
    }
}
