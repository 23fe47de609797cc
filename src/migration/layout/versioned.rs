//! Tools whose file names say the version and the direction: sqlx, golang-migrate, Supabase.

use std::collections::BTreeMap;

use super::{Folder, Layout, Plan, is_sql, names};
use crate::model::migration::{Planned, Transaction};

pub(super) static SQLX: Layout = Layout {
    name: "sqlx",
    about: "sqlx: `VERSION_name.sql`, or `.up.sql` and `.down.sql`",
    has_down: true,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum VARCHAR(200) NOT \
         NULL, execution_time BIGINT NOT NULL)",
    ),
    platform: None,
    outside: Some("`-- no-transaction` as the first line of the file"),
    // <https://docs.rs/sqlx/latest/sqlx/sqlite/struct.SqliteConnectOptions.html#method.foreign_keys>
    foreign_keys: true,
    one_at_a_time: None,
    read: |folder| pairs(folder, sqlx_transaction),
};

pub(super) static GOLANG_MIGRATE: Layout = Layout {
    name: "golang-migrate",
    about: "golang-migrate: `NUMBER_name.up.sql` and `.down.sql`",
    has_down: true,
    bookkeeping: Some(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)",
    ),
    // The file is sent as one text: one statement runs by itself, several in one transaction.
    platform: None,
    outside: None,
    // mattn/go-sqlite3 and modernc.org/sqlite leave SQLite's own default, but for `_foreign_keys` in the address.
    foreign_keys: false,
    one_at_a_time: None,
    read: |folder| pairs(folder, |_| Transaction::WhereAllowed),
};

pub(super) static SUPABASE: Layout = Layout {
    name: "supabase",
    about: "Supabase: `TIMESTAMP_name.sql` below `supabase/migrations`",
    has_down: false,
    bookkeeping: Some(
        "CREATE SCHEMA IF NOT EXISTS supabase_migrations; CREATE TABLE IF NOT EXISTS \
         supabase_migrations.schema_migrations (version TEXT NOT NULL PRIMARY KEY, statements TEXT[], name TEXT)",
    ),
    platform: Some(super::supabase::PLATFORM),
    outside: None,
    foreign_keys: false,
    one_at_a_time: None,
    read: |folder| pairs(folder, |_| Transaction::Whole),
};

/// sqlx looks at the first line only: <https://docs.rs/sqlx/latest/sqlx/migrate/trait.Migrate.html>.
fn sqlx_transaction(text: &str) -> Transaction {
    if text.starts_with("-- no-transaction") { Transaction::OneText } else { Transaction::Whole }
}

#[derive(Default)]
struct Pair<'a> {
    up: Option<&'a str>,
    down: Option<&'a str>,
}

fn pairs(folder: &Folder, transaction: fn(&str) -> Transaction) -> Plan {
    let mut plan = Plan::default();
    let mut found: BTreeMap<&str, Pair<'_>> = BTreeMap::new();
    for path in folder.files.keys() {
        let numbered = !path.contains('/') && names::number(path).is_some_and(|(_, rest)| rest.starts_with(['_', '.']));
        if numbered && !is_sql(path) {
            folder.other(path, &mut plan);
        } else if is_sql(path) && !numbered {
            plan.notes.push(format!("{} is passed over: its name has no version", folder.place(path)));
        } else if is_sql(path) {
            let stem = names::stem(path);
            if let Some(stem) = stem.strip_suffix(".down") {
                found.entry(stem).or_default().down = Some(path);
            } else {
                let pair = found.entry(stem.strip_suffix(".up").unwrap_or(stem)).or_default();
                if let Some(other) = pair.up.replace(path) {
                    plan.problems.push(format!("{} and {} are the same step", folder.place(other), folder.place(path)));
                }
            }
        }
    }
    for (stem, pair) in found {
        let Some((version, rest)) = names::number(stem) else { continue };
        let Some(order) = names::by_number(version) else {
            plan.problems.push(format!("{}: {version} is too large for a version", folder.place(stem)));
            continue;
        };
        let Some(up) = pair.up else {
            plan.problems.push(format!("{} has no up beside it", folder.place(pair.down.unwrap_or(stem))));
            continue;
        };
        let how =
            |name: &str, plan: &mut Plan| folder.text(name, plan).map_or(Transaction::Whole, |text| transaction(&text));
        let (of_up, of_down) = (how(up, &mut plan), pair.down.map(|down| how(down, &mut plan)));
        let planned = Planned {
            version: version.to_owned(),
            order,
            name: names::words(rest),
            path: folder.place(up),
            files: folder.digests(&pair.up.into_iter().chain(pair.down).collect::<Vec<_>>()),
            up: folder.script(up, of_up, &mut plan),
            down: pair.down.zip(of_down).and_then(|(down, how)| folder.script(down, how, &mut plan)),
            repeatable: false,
            stamp: None,
        };
        plan.migrations.push(planned);
    }
    plan
}
