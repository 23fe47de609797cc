//! Whether the code of an earlier commit can work on a database that later migrations have changed. A rollback takes no
//! migration back: what cannot be taken back, or what the older code would stumble over, is a matter for a person.

use crate::model::migration::PLACES;
use crate::policy::additive::Made;

/// The words of a statement: in capitals, each sign and each text in quotes by itself.
pub type Statement = Vec<String>;

/// A migration that the earlier commit does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its file, or that of its way up.
    pub path: String,
    /// What it does; `None`: it is no SQL, or cannot be read.
    pub up: Option<Vec<Statement>>,
    /// Its way down: the file and how many statements it has; `None` where its layout has none.
    pub down: Option<(String, Option<usize>)>,
}

/// Folders of migrations that are code, or that only their tool reads, beside [`PLACES`].
const OF_CODE: &[&str] = &["migrate", "alembic/versions", "db/changelog"];

/// The folder of migrations that a path lies in: `folder`, or where none is named one that is called as tools call theirs.
#[must_use]
pub fn folder_of(path: &str, folder: Option<&str>) -> Option<String> {
    if let Some(folder) = folder {
        let folder = folder.trim_end_matches('/');
        let inside = folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        return inside.then(|| folder.to_owned());
    }
    let is_one = |folder: &&str| {
        let is_called =
            |place: &&str| folder.strip_suffix(place).is_some_and(|above| above.is_empty() || above.ends_with('/'));
        PLACES.iter().chain(OF_CODE).any(is_called)
    };
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders.rfind(is_one).map(str::to_owned)
}

/// Whether every file of a folder that is called so is of migrations. Others are so called for their tool, and hold what else
/// belongs to it.
#[must_use]
pub fn is_for_migrations(folder: &str) -> bool {
    folder.rsplit('/').next() != Some("drizzle")
}

/// The way down that belongs to a way up by its layout.
#[must_use]
pub fn down_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == "up.sql" {
        return Some(format!("{folder}/down.sql"));
    }
    name.strip_suffix(".up.sql").map(|stem| format!("{folder}/{stem}.down.sql"))
}

/// Why the code from before these migrations must not run after them; `None` where it may. They are in their tool's order.
#[must_use]
pub fn objection(migrations: &[Migration]) -> Option<String> {
    let mut made = Made::default();
    let found: Vec<String> = migrations
        .iter()
        .filter_map(|migration| why(migration, &mut made).map(|why| format!("the migration {} {why}", migration.path)))
        .collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn why(migration: &Migration, made: &mut Made) -> Option<String> {
    let Some(up) = &migration.up else {
        return Some("is no SQL that can be read: what it does is not known".to_owned());
    };
    if let Some(statement) = up.iter().find(|statement| !made.adds(statement)) {
        let shown = statement.iter().take(8).cloned().collect::<Vec<_>>().join(" ");
        return Some(format!("is not known to be compatible with the code before it ({shown})"));
    }
    let (down, statements) = migration.down.as_ref()?;
    match statements {
        None => Some(format!("is irreversible: there is no {down}")),
        Some(0) => Some(format!("is irreversible: {down} does nothing")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(up: &str, down: Option<usize>) -> String {
        let words = up.split_whitespace().map(str::to_owned).collect();
        let down = Some(("m/1/down.sql".to_owned(), down));
        objection(&[Migration { path: "m/1/up.sql".to_owned(), up: Some(vec![words]), down }]).unwrap_or_default()
    }

    #[test]
    fn what_older_code_stumbles_over_or_cannot_be_taken_back_is_an_objection() {
        assert_eq!(says("CREATE TABLE T ( ID INT )", Some(1)), "");
        assert!(
            says("DROP TABLE T", Some(1))
                .ends_with("is not known to be compatible with the code before it (DROP TABLE T)")
        );
        assert!(says("CREATE TABLE T ( ID INT )", None).ends_with("irreversible: there is no m/1/down.sql"));
        assert!(says("CREATE TABLE T ( ID INT )", Some(0)).contains("does nothing"));
        let code = Migration { path: "db/migrate/1.rb".to_owned(), up: None, down: None };
        assert!(objection(&[code]).unwrap().contains("no SQL"));
    }

    #[test]
    fn migrations_are_known_by_where_they_are() {
        for (path, folder, is) in [
            ("migrations/1/up.sql", None, Some("migrations")),
            ("app/db/migrate/1.rb", None, Some("app/db/migrate")),
            ("migrations/old/migrations/1.sql", None, Some("migrations/old/migrations")),
            ("src/migrations.rs", None, None),
            ("app/src/main/resources/db/migration/V1__x.sql", None, Some("app/src/main/resources/db/migration")),
            ("api/alembic/versions/1.py", None, Some("api/alembic/versions")),
            ("web/drizzle/0001_x.sql", None, Some("web/drizzle")),
            ("adb/changelog/x.xml", None, None),
            ("sql/1.sql", Some("sql/"), Some("sql")),
            ("sqlite/1.sql", Some("sql"), None),
            ("migrations/1.sql", Some("sql"), None),
        ] {
            assert_eq!(folder_of(path, folder).as_deref(), is, "{path}");
        }
        assert_eq!(down_of("m/1_x.up.sql").as_deref(), Some("m/1_x.down.sql"));
        assert_eq!(down_of("m/1.sql"), None);
    }
}
