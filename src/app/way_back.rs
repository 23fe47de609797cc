//! The migrations between two commits, read from git as the layout of their folder has them, and whether the older code
//! can work after them.

use std::collections::BTreeSet;

use crate::app::site::Site;
use crate::gate::migrations::Settings;
use crate::migration::layout::{self, Layout, Plan};
use crate::migration::split;
use crate::model::environments::Environment;
use crate::model::migration::{DatabaseKind, Planned, Script};
use crate::model::sha::Sha;
use crate::policy::way_back::{self as back, Migration};
use crate::world::migrations::of_commit;
use crate::world::repo::Repo;

/// Where migrations are looked for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The folder that the environment names: there alone.
    folder: Option<String>,
    /// The folders that gates judge, and for which database, beside those in the usual places.
    gates: Vec<(String, Option<DatabaseKind>)>,
}

impl Places {
    /// Those of an environment.
    #[must_use]
    pub fn of(site: &Site, environment: &Environment) -> Self {
        let gates = site.config.gates.iter().filter_map(|gate| {
            let settings = gate.own.read::<Settings>().ok()?;
            let parts = [&site.folder[..], &gate.common.dir, &settings.path].join("/");
            let parts: Vec<&str> = parts.split('/').filter(|part| !["", "."].contains(part)).collect();
            Some((parts.join("/"), settings.database))
        });
        Self { folder: environment.migrations.clone(), gates: gates.collect() }
    }

    /// The folder of migrations that a path lies in.
    fn folder_of(&self, path: &str) -> Option<String> {
        let judged = || self.gates.iter().find_map(|(folder, _)| back::folder_of(path, Some(folder)));
        let named = self.folder.is_none().then(judged).flatten();
        named.or_else(|| back::folder_of(path, self.folder.as_deref()))
    }

    /// Whether somebody has named a folder.
    fn names(&self, folder: &str) -> bool {
        self.folder.is_some() || self.gates.iter().any(|(named, _)| named == folder)
    }
}

/// The migrations of one folder that `from` has and `to` has not, or has otherwise, in their tool's order.
#[derive(Default)]
struct Changed {
    layout: Option<&'static Layout>,
    /// For which databases they may be written.
    databases: Vec<DatabaseKind>,
    new: Vec<Planned>,
    /// Whether others have a way down.
    downs: bool,
    /// What cannot be understood, by path.
    unknown: Vec<String>,
}

/// The paths of the migrations that `from` has and `to` has not, or has otherwise. What no layout knows is each file that
/// differs.
///
/// # Errors
/// When one of the two is not here.
pub fn migrations(repo: &Repo, places: &Places, to: &Sha, from: &Sha) -> Result<Vec<String>, String> {
    let folders = changed(repo, places, to, from)?.into_iter();
    Ok(folders.flat_map(|one| one.new.into_iter().map(|planned| planned.path).chain(one.unknown)).collect())
}

/// Why the migrations between two commits forbid going back from `from` to `to`. Where it is not known for which database
/// they are written, they are read as those of each.
#[must_use]
pub fn objection(repo: &Repo, places: &Places, to: &Sha, from: &Sha) -> Option<String> {
    let folders = match changed(repo, places, to, from) {
        Ok(folders) => folders,
        Err(error) => return Some(format!("the migrations in between are not known: {error}")),
    };
    let read = |folder: &Changed, database| {
        let new = folder.new.iter().map(|one| migration(one, folder, database));
        back::objection(&new.chain(folder.unknown.iter().map(|path| unknown(path))).collect::<Vec<_>>())
    };
    let found =
        folders.iter().filter_map(|folder| folder.databases.iter().find_map(|database| read(folder, *database)));
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn changed(repo: &Repo, places: &Places, to: &Sha, from: &Sha) -> Result<Vec<Changed>, String> {
    let changed = repo.changed_paths(to, from).map_err(|error| error.to_string())?;
    let folders: BTreeSet<String> = changed.iter().filter_map(|path| places.folder_of(path)).collect();
    let mut all = Vec::new();
    for folder in folders {
        let now = of_commit(repo, from, &folder)?;
        let inside = || changed.iter().filter(|path| back::folder_of(path, Some(&folder)).is_some());
        let Some(layout) = layout::detect(&now) else {
            if places.names(&folder) || back::is_for_migrations(&folder) {
                let unknown = inside().cloned().collect();
                all.push(Changed { databases: vec![DatabaseKind::default()], unknown, ..Changed::default() });
            }
            continue;
        };
        let (plan, old) = (layout.read(&now), layout.read(&of_commit(repo, to, &folder)?));
        let is_new =
            |one: &&Planned| !old.migrations.iter().any(|known| known.path == one.path && known.files == one.files);
        let named = places.gates.iter().find(|(named, _)| *named == folder).and_then(|(_, database)| *database);
        let database = named.or_else(|| layout::database(&now).map(|(kind, _)| kind));
        all.push(Changed {
            layout: Some(layout),
            databases: database.map_or_else(|| DatabaseKind::ALL.to_vec(), |one| vec![one]),
            downs: layout.has_down && plan.migrations.iter().any(|one| one.down.is_some()),
            unknown: not_understood(&plan).filter(|path| changed.contains(path)).collect(),
            new: plan.migrations.iter().filter(is_new).cloned().collect(),
        });
    }
    Ok(all)
}

/// Steps that are code, and files that keep the folder from being understood.
fn not_understood(plan: &Plan) -> impl Iterator<Item = String> {
    let planned: BTreeSet<&String> = plan.migrations.iter().map(|one| &one.path).collect();
    plan.code.iter().filter(|path| !planned.contains(path)).cloned().collect::<Vec<_>>().into_iter()
}

fn unknown(path: &str) -> Migration {
    Migration { path: path.to_owned(), up: None, down: None }
}

fn migration(planned: &Planned, folder: &Changed, database: DatabaseKind) -> Migration {
    let name = |path: &String| if *path == planned.path { "its way down".to_owned() } else { path.clone() };
    let by_name = back::down_of(&planned.path);
    let missing = || {
        let demanded = folder.layout.is_some_and(|layout| layout.has_down)
            && !planned.repeatable
            && (folder.downs || by_name.is_some());
        demanded.then(|| (by_name.clone().unwrap_or_else(|| "way down".to_owned()), None))
    };
    let words = |script: &Script| split::words(script, database);
    let down = planned.down.as_ref().map(|script| (name(&script.path), Some(words(script).len()))).or_else(missing);
    Migration { path: planned.path.clone(), up: planned.up.as_ref().map(words), down }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::migration::{Piece, Transaction};

    fn objects(up: &str, databases: &[DatabaseKind]) -> bool {
        let piece = Piece { line: 1, text: up.to_owned(), whole: true };
        let script = Script { path: "m/1.sql".to_owned(), pieces: vec![piece], transaction: Transaction::Whole };
        databases.iter().any(|database| {
            let up = Some(split::words(&script, *database));
            back::objection(&[Migration { path: "m/1.sql".to_owned(), up, down: None }]).is_some()
        })
    }

    #[test]
    fn destructive_statements_hide_behind_nothing() {
        for up in [
            "ALTER TABLE t DROP COLUMN a, ALTER COLUMN b DROP NOT NULL;",
            "ALTER TABLE t DROP COLUMN a, ALTER b DROP DEFAULT;",
            "ALTER TABLE t ADD COLUMN c int NOT NULL, ADD COLUMN d int DEFAULT 0;",
            "ALTER TABLE t CHANGE a a2 int;",
            "DO $$ BEGIN DROP TABLE t; END $$;",
            "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;",
            "WITH g AS (SELECT 1) DELETE FROM t;",
            "COMMENT ON TABLE t IS $$don't$$; DROP TABLE t;",
            "# don't\nDROP TABLE t;",
            "INSERT INTO t VALUES ('it\\'s'); DROP TABLE t; -- '",
            "SELECT 'a' || \"it's\"; DROP TABLE t;",
            "ALTER/* x */TABLE t DROP/**/COLUMN c",
            "INSERT INTO t VALUES ('abcdef'); DROP TABLE t",
            "CREATE TABLE u (id int) /*!50001 ; DROP TABLE t */;",
            "SELECT 1; UPDATE t SET a = 1;",
        ] {
            assert!(objects(up, &DatabaseKind::ALL), "{up}");
        }
    }

    #[test]
    fn what_older_code_can_live_with_is_no_objection() {
        for up in [
            "CREATE TABLE t (id int NOT NULL);",
            "alter table t add column c int; create index i on t (c);",
            "ALTER TABLE \"T\" ADD COLUMN c int NOT NULL DEFAULT 0;",
            "ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
            "DROP INDEX i;",
            "CREATE TABLE t (id int); /* 12345; DROP */",
            "-- DROP TABLE t;\nINSERT INTO t VALUES ('x; DROP TABLE t'); /* RENAME */",
            "CREATE TABLE \"U\" (id int);\nCREATE UNIQUE INDEX i ON \"U\" (id);\nALTER TABLE \"U\" ADD FOREIGN KEY (id) REFERENCES t;",
        ] {
            assert!(!objects(up, &DatabaseKind::ALL), "{up}");
        }
        let function = "CREATE FUNCTION f() RETURNS int AS $$ BEGIN DELETE FROM t; RETURN 1; END $$ LANGUAGE plpgsql;";
        assert!(!objects(function, &[DatabaseKind::Postgres]));
    }
}
