//! Locks, rewrites and scans on what others use.

use super::walk::Now;
use super::{FAILED, HELD, INDEX, INVALID_INDEX, Known, LOCK, REWRITE, SCAN, finding, line_of};
use crate::migration::estimate::{Sizes, Work};
use crate::model::finding::{Finding, Level};
use crate::model::migration::{Lock, LockMode, Migration, ObjectKind, Statement, What};

pub(super) fn observed(migration: &Migration, known: &Known, sizes: &Sizes) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut waited = false;
    let mut held = false;
    let mut now = Now::of(known);
    for statement in &migration.statements {
        if let Some(error) = &statement.error {
            let more = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            let code = error.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
            let what = format!("{}{code}{more}", error.message);
            found.push(Finding { column: error.column, ..finding(&FAILED, &migration.path, error.line, &what) });
            continue;
        }
        work(migration, statement, &now, sizes, &mut found);
        // What follows in the same transaction waits no longer.
        if !(waited && migration.transactional) {
            let unbounded = without_timeout(migration, statement, &now);
            waited |= unbounded.is_some();
            found.extend(unbounded);
        }
        if !held {
            let over = held_over(migration, statement, &now);
            held = over.is_some();
            found.extend(over);
        }
        now.follow(statement);
    }
    if migration.error.is_some() && migration.statements.iter().all(|statement| statement.error.is_none()) {
        let line = migration.statements.last().map_or(1, line_of);
        found.push(finding(&FAILED, &migration.path, line, migration.error.as_deref().unwrap_or_default()));
    }
    found
}

fn work(migration: &Migration, statement: &Statement, known: &Now<'_>, sizes: &Sizes, found: &mut Vec<Finding>) {
    let (path, line) = (&migration.path, line_of(statement));
    for table in statement.rewrites.iter().filter(|table| known.has_table(table)) {
        let lock = strongest(statement, table);
        let what = format!("{table} is written anew{}{}", under(lock), sizes.words(table, Work::Rewrite));
        found.push(sized(finding(&REWRITE, path, line, &what), sizes, table, Work::Rewrite));
    }
    let mut indexed = Vec::new();
    for change in &statement.changes {
        let What::Added { definition } = &change.what else { continue };
        if change.object.kind != ObjectKind::Index || !known.has_table(&change.object.of) {
            continue;
        }
        let table = &change.object.of;
        if definition.ends_with(" INVALID") {
            let what = format!("the index {} on {table} is left invalid", change.object.name);
            found.push(finding(&INVALID_INDEX, path, line, &what));
        } else if let Some(lock) = strongest(statement, table).filter(|lock| lock.mode.is_dangerous()) {
            let estimate = sizes.words(table, Work::Index);
            let what = format!("the index {} on {table} is built{}{estimate}", change.object.name, under(Some(lock)));
            found.push(sized(finding(&INDEX, path, line, &what), sizes, table, Work::Index));
            indexed.push(table);
        }
    }
    for table in statement.scans.iter().filter(|table| known.has_table(table)) {
        // A statement that writes rows reads them first: what it is held for is told of as such.
        let writes = statement.rows > 0 && statement.changes.is_empty();
        // One that is emptied needs no reading: its primary key has been made anew.
        let is_emptied =
            statement.changes.iter().any(|change| change.what == What::Emptied && change.object.of == *table);
        if writes || is_emptied || statement.rewrites.contains(table) || indexed.contains(&table) {
            continue;
        }
        let lock = strongest(statement, table);
        let what = format!("{table} is read from end to end{}{}", under(lock), sizes.words(table, Work::Scan));
        found.push(sized(finding(&SCAN, path, line, &what), sizes, table, Work::Scan));
    }
}

/// With a known size, how long it takes decides.
fn sized(finding: Finding, sizes: &Sizes, table: &str, work: Work) -> Finding {
    Finding { level: sizes.level(table, work).unwrap_or(finding.level), ..finding }
}

fn strongest<'a>(statement: &'a Statement, table: &str) -> Option<&'a Lock> {
    statement.locks.iter().chain(&statement.held).filter(|lock| lock.object == table).max_by_key(|lock| lock.mode)
}

fn under(lock: Option<&Lock>) -> String {
    lock.map(|lock| format!(" under {}, which {}", lock.mode.manual(), lock.mode.blocks())).unwrap_or_default()
}

fn without_timeout(migration: &Migration, statement: &Statement, known: &Now<'_>) -> Option<Finding> {
    if statement.lock_timeout_ms != Some(0) {
        return None;
    }
    let worst = statement
        .locks
        .iter()
        .filter(|lock| lock.mode.is_dangerous() && known.has_table(&lock.object))
        .max_by_key(|lock| lock.mode)?;
    let what = format!(
        "{} on {}, which {}, is waited for without end: behind it everyone else waits too",
        worst.mode.manual(),
        worst.object,
        worst.mode.blocks()
    );
    Some(finding(&LOCK, &migration.path, line_of(statement), &what))
}

fn held_over(migration: &Migration, statement: &Statement, known: &Now<'_>) -> Option<Finding> {
    let works = statement.rows > 0 || !statement.rewrites.is_empty() || !statement.scans.is_empty();
    let lock = statement.held.iter().filter(|lock| known.has_table(&lock.object)).max_by_key(|lock| lock.mode)?;
    // A scan or rewrite of the locked table itself is told of as such.
    let of_others =
        statement.rows > 0 || statement.scans.iter().chain(&statement.rewrites).any(|table| *table != lock.object);
    if !works || !of_others || lock.mode < LockMode::Share {
        return None;
    }
    let what = format!(
        "{} on {}, taken earlier in the transaction, is held meanwhile and {}",
        lock.mode.manual(),
        lock.object,
        lock.mode.blocks()
    );
    let level = Level::Warning;
    Some(Finding { level, ..finding(&HELD, &migration.path, line_of(statement), &what) })
}
