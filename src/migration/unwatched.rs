//! What a command did while nobody watched its statements, as far as tables tell of it afterwards. The rules judge it as
//! they judge what was observed; what leaves no trace is not told of.

use crate::model::migration::{Change, Lock, LockMode, Object, ObjectKind, Statement, Tables, What};

/// Fills in what the tables tell beside the changes of the schema, which are there already. Tables are called as before.
pub fn fill_in(statement: &mut Statement, before: &Tables, after: &Tables) {
    for (path, old) in before {
        let Some(new) = after.values().find(|new| new.identity == old.identity) else { continue };
        let is_emptied = old.has_rows == Some(true) && new.has_rows == Some(false);
        let is_new_file = new.file != old.file;
        // A table that is written anew keeps its rows; one that had none and is the same otherwise was truncated.
        if is_emptied || (is_new_file && new.has_rows == Some(false) && !is_altered(statement, path)) {
            let object = Object { kind: ObjectKind::Table, of: path.clone(), name: String::new() };
            statement.changes.push(Change { object, what: What::Emptied });
        } else if is_new_file {
            statement.rewrites.push(path.clone());
            statement.locks.push(Lock { object: path.clone(), mode: LockMode::AccessExclusive });
        }
        let made = new.parts.iter().filter(|(part, _)| !old.parts.contains_key(*part));
        if let Some(mode) = made.map(|(_, mode)| *mode).max() {
            statement.scans.push(path.clone());
            statement.locks.push(Lock { object: path.clone(), mode });
        }
    }
}

/// Whether the table's own definition, or that of a column, is another.
fn is_altered(statement: &Statement, path: &str) -> bool {
    let is_of_it = |change: &&Change| matches!(change.object.kind, ObjectKind::Table | ObjectKind::Column);
    statement.changes.iter().filter(is_of_it).any(|change| change.object.of == path)
}
