//! Tools with a folder for each migration: Diesel and Prisma.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Folder, Layout, Plan, is_code, is_sql, names};
use crate::model::migration::{Order, Planned, Transaction};

pub(super) static DIESEL: Layout = Layout {
    name: "diesel",
    about: "Diesel: `VERSION_name/up.sql` and `down.sql`",
    has_down: true,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    ),
    platform: None,
    outside: Some("`run_in_transaction = false` in metadata.toml beside it"),
    // SQLite's own default: the library of the system, which `cargo install diesel_cli` links.
    foreign_keys: false,
    one_at_a_time: None,
    read: diesel,
};

pub(super) static PRISMA: Layout = Layout {
    name: "prisma",
    about: "Prisma Migrate: `TIMESTAMP_name/migration.sql`",
    has_down: false,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT \
         NULL, finished_at TIMESTAMP, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMP, \
         started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, applied_steps_count INTEGER NOT NULL DEFAULT 0)",
    ),
    platform: None,
    outside: None,
    // libsqlite3-sys builds SQLite with `SQLITE_DEFAULT_FOREIGN_KEYS=1`, and the schema engine has it bundled.
    foreign_keys: true,
    one_at_a_time: None,
    read: prisma,
};

/// The folders directly below that have this file.
pub(super) fn folders<'a>(folder: &'a Folder, file: &str) -> Vec<&'a str> {
    let with = |path: &'a String| path.strip_suffix(file)?.strip_suffix('/').filter(|name| !name.contains('/'));
    folder.files.keys().filter_map(with).collect()
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default = "yes")]
    run_in_transaction: bool,
}

const fn yes() -> bool {
    true
}

fn diesel(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    for name in folders(folder, "up.sql") {
        let (up, down, metadata) =
            (format!("{name}/up.sql"), format!("{name}/down.sql"), format!("{name}/metadata.toml"));
        let in_transaction = match folder.text(&metadata, &mut plan).as_deref().map(toml::from_str::<Metadata>) {
            None => true,
            Some(Ok(metadata)) => metadata.run_in_transaction,
            Some(Err(error)) => {
                plan.problems.push(format!("{} is no TOML: {}", folder.place(&metadata), error.message()));
                true
            }
        };
        let transaction = if in_transaction { Transaction::Whole } else { Transaction::OneText };
        let (version, rest) = name.split_once('_').unwrap_or((name, ""));
        // Diesel compares versions as text, after taking the dashes out.
        let version = version.replace('-', "");
        let planned = Planned {
            order: Order(Vec::new(), version.clone()),
            version,
            name: names::words(rest),
            path: folder.place(&up),
            files: folder.digests(&[&up, &down, &metadata]),
            up: folder.script(&up, transaction, &mut plan),
            down: folder.script(&down, transaction, &mut plan),
            repeatable: false,
            stamp: None,
        };
        plan.migrations.push(planned);
        known.extend([up, down, metadata]);
    }
    note_others(folder, &known, &mut plan);
    plan
}

/// A migration of a tool that knows no downs; its name begins with its version.
pub(super) fn one_way(
    folder: &Folder,
    name: &str,
    order: Order,
    up: &str,
    transaction: Transaction,
    plan: &mut Plan,
) -> Planned {
    let (version, rest) = names::number(name).unwrap_or((name, ""));
    Planned {
        version: version.to_owned(),
        order,
        name: names::words(rest),
        path: folder.place(up),
        files: folder.digests(&[up]),
        up: folder.script(up, transaction, plan),
        down: None,
        repeatable: false,
        stamp: None,
    }
}

fn prisma(folder: &Folder) -> Plan {
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    for name in folders(folder, "migration.sql") {
        let up = format!("{name}/migration.sql");
        let order = Order(Vec::new(), name.to_owned());
        let planned = one_way(folder, name, order, &up, Transaction::WhereAllowed, &mut plan);
        plan.migrations.push(planned);
        known.insert(up);
    }
    note_others(folder, &known, &mut plan);
    plan
}

/// Tells of SQL and code that the tool does not run.
pub(super) fn note_others(folder: &Folder, known: &BTreeSet<String>, plan: &mut Plan) {
    for path in folder.files.keys().filter(|path| !known.contains(*path)) {
        if is_sql(path) {
            plan.notes.push(format!("{} is passed over: the layout has no such file", folder.place(path)));
        } else if is_code(path) && path.matches('/').count() <= 1 && names::number(path).is_some() {
            plan.code.push(folder.place(path));
        }
    }
}
