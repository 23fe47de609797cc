//! Which database migrations are written for: what the tool's own files say, then what the project around them uses,
//! then what only one database understands. What tells of several tells nothing.

use super::{Folder, is_sql};
use crate::model::migration::DatabaseKind;

use DatabaseKind::{Mysql, Postgres, Sqlite};

/// Reads one file; every database that it tells of.
type Read = fn(&str) -> Vec<DatabaseKind>;

/// Files that tell, in the folder and above it, by name.
const TELLING: &[(&str, Read)] = &[
    ("schema.prisma", by_provider),
    ("drizzle.config.ts", by_dialect),
    ("drizzle.config.js", by_dialect),
    ("drizzle.config.json", by_dialect),
    ("dbconfig.yml", by_dialect),
    ("flyway.conf", by_address),
    ("flyway.toml", by_address),
    ("application.properties", by_jdbc),
    ("application.yml", by_jdbc),
    ("application.yaml", by_jdbc),
    (".env", by_address),
    (".env.example", by_address),
    ("Cargo.toml", by_crates),
    ("go.mod", |text| by_words(text, MODULES)),
    ("package.json", |text| by_words(text, PACKAGES)),
    ("pom.xml", |text| by_words(text, ARTIFACTS)),
    ("build.gradle", |text| by_words(text, ARTIFACTS)),
    ("build.gradle.kts", |text| by_words(text, ARTIFACTS)),
];

/// The names of files that tell of the database.
pub fn telling() -> impl Iterator<Item = &'static str> {
    TELLING.iter().map(|(name, _)| *name)
}

/// Files that say which project a folder belongs to.
const MANIFESTS: &[&str] = &["Cargo.toml", "go.mod", "package.json", "pom.xml", "build.gradle", "build.gradle.kts"];

const MODULES: &[(&str, DatabaseKind)] = &[
    ("github.com/lib/pq ", Postgres),
    ("github.com/jackc/pgx", Postgres),
    ("github.com/go-sql-driver/mysql ", Mysql),
    ("github.com/mattn/go-sqlite3 ", Sqlite),
    ("modernc.org/sqlite ", Sqlite),
];
const PACKAGES: &[(&str, DatabaseKind)] = &[
    ("\"pg\":", Postgres),
    ("\"postgres\":", Postgres),
    ("\"mysql\":", Mysql),
    ("\"mysql2\":", Mysql),
    ("\"better-sqlite3\":", Sqlite),
    ("\"sqlite3\":", Sqlite),
];
const ARTIFACTS: &[(&str, DatabaseKind)] = &[
    ("org.postgresql", Postgres),
    ("mysql-connector", Mysql),
    ("mariadb-java-client", Mysql),
    ("sqlite-jdbc", Sqlite),
];
const CRATES: &[(&str, DatabaseKind)] = &[
    ("postgres", Postgres),
    ("tokio-postgres", Postgres),
    ("rusqlite", Sqlite),
    ("mysql", Mysql),
    ("mysql_async", Mysql),
];
/// Crates whose features name the database.
const BY_FEATURES: &[&str] = &["sqlx", "diesel", "diesel-async", "refinery", "sea-orm", "deadpool-diesel"];

/// What only one of them understands.
const SQL: &[(&str, DatabaseKind)] = &[
    (" SERIAL", Postgres),
    ("BIGSERIAL", Postgres),
    ("TIMESTAMPTZ", Postgres),
    ("TIMESTAMP WITH TIME ZONE", Postgres),
    ("JSONB", Postgres),
    ("BYTEA", Postgres),
    ("PLPGSQL", Postgres),
    ("$$", Postgres),
    ("::", Postgres),
    ("CREATE EXTENSION", Postgres),
    ("GEN_RANDOM_UUID", Postgres),
    ("UUID_GENERATE_V4", Postgres),
    ("CONCURRENTLY", Postgres),
    ("AS ENUM", Postgres),
    ("USING GIN", Postgres),
    ("AUTO_INCREMENT", Mysql),
    ("ENGINE=", Mysql),
    ("ENGINE =", Mysql),
    (" UNSIGNED", Mysql),
    ("CHARSET", Mysql),
    ("LONGTEXT", Mysql),
    ("MEDIUMTEXT", Mysql),
    ("ON UPDATE CURRENT_TIMESTAMP", Mysql),
    ("AUTOINCREMENT", Sqlite),
    ("PRAGMA ", Sqlite),
    ("WITHOUT ROWID", Sqlite),
    ("STRFTIME(", Sqlite),
    ("UNIXEPOCH(", Sqlite),
    ("DATETIME('NOW'", Sqlite),
];

/// The database, and what tells of it, in words.
#[must_use]
pub fn database(folder: &Folder) -> Option<(DatabaseKind, String)> {
    let own = |name: &str| {
        let text = String::from_utf8_lossy(folder.files.get(name)?);
        Some((one(&by_dialect(&text))?, format!("as {} says", folder.place(name))))
    };
    own("migration_lock.toml")
        .or_else(|| own("meta/_journal.json"))
        .or_else(|| around(folder))
        .or_else(|| by_sql(folder))
}

/// The nearest file that tells. Above a manifest only those of the same name speak of the same project.
fn around(folder: &Folder) -> Option<(DatabaseKind, String)> {
    let mut manifests: Option<(&str, Vec<&str>)> = None;
    for (path, text) in &folder.near {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        if MANIFESTS.contains(&name) {
            let (nearest, names) = manifests.get_or_insert((dir, Vec::new()));
            if *nearest == dir {
                names.push(name);
            } else if !names.contains(&name) {
                continue;
            }
        }
        let told = TELLING.iter().find(|(known, _)| *known == name).map(|(_, read)| read(text)).unwrap_or_default();
        if let Some(kind) = one(&told) {
            return Some((kind, format!("as {path} says")));
        }
    }
    None
}

fn by_sql(folder: &Folder) -> Option<(DatabaseKind, String)> {
    let mut told = Vec::new();
    for (_, bytes) in folder.files.iter().filter(|(path, _)| is_sql(path)) {
        let text = String::from_utf8_lossy(bytes);
        let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        let code = code.join(" ").to_ascii_uppercase();
        told.extend(SQL.iter().filter(|(word, _)| code.contains(word)).map(|(word, kind)| (*kind, *word)));
    }
    let kind = one(&told.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())?;
    let word = told.first().map(|(_, word)| word.trim()).unwrap_or_default();
    Some((kind, format!("by its SQL ({word})")))
}

fn one(told: &[DatabaseKind]) -> Option<DatabaseKind> {
    let first = *told.first()?;
    told.iter().all(|kind| *kind == first).then_some(first)
}

fn word_of(text: &str) -> Option<DatabaseKind> {
    let words =
        [("postgres", Postgres), ("\"pg\"", Postgres), ("'pg'", Postgres), ("mysql", Mysql), ("mariadb", Mysql)];
    let text = text.to_ascii_lowercase();
    words.into_iter().chain([("sqlite", Sqlite)]).find(|(word, _)| text.contains(word)).map(|(_, kind)| kind)
}

fn by_dialect(text: &str) -> Vec<DatabaseKind> {
    let tells = |line: &&str| ["dialect", "driver", "provider"].iter().any(|word| line.contains(word));
    text.lines().filter(tells).filter_map(word_of).collect()
}

fn by_provider(text: &str) -> Vec<DatabaseKind> {
    text.lines().filter(|line| line.trim_start().starts_with("provider")).filter_map(word_of).collect()
}

/// `DATABASE_URL=postgres://…`, `flyway.url=jdbc:mysql://…`: the scheme alone is looked at.
fn by_address(text: &str) -> Vec<DatabaseKind> {
    let is_address = |line: &&str| {
        let line = line.trim_start().to_ascii_lowercase();
        ["database_url", "flyway.url", "url"].iter().any(|key| line.starts_with(key))
    };
    let scheme = |line: &str| word_of(line.split_once('=')?.1.split("//").next()?);
    text.lines().filter(is_address).filter_map(scheme).collect()
}

/// `spring.datasource.url=jdbc:mysql://…`, in whatever form.
fn by_jdbc(text: &str) -> Vec<DatabaseKind> {
    text.split("jdbc:").skip(1).filter_map(|url| word_of(url.split([':', '/']).next()?)).collect()
}

fn by_words(text: &str, words: &[(&str, DatabaseKind)]) -> Vec<DatabaseKind> {
    words.iter().filter(|(word, _)| text.contains(word)).map(|(_, kind)| *kind).collect()
}

fn by_crates(text: &str) -> Vec<DatabaseKind> {
    let Ok(manifest) = toml::from_str::<toml::Table>(text) else { return Vec::new() };
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    let tables = [Some(&manifest), workspace].into_iter().flatten().filter_map(|table| table.get("dependencies"));
    let mut told = Vec::new();
    for (name, value) in tables.filter_map(toml::Value::as_table).flatten() {
        told.extend(CRATES.iter().filter(|(known, _)| known == name).map(|(_, kind)| *kind));
        let features =
            value.get("features").and_then(toml::Value::as_array).filter(|_| BY_FEATURES.contains(&name.as_str()));
        told.extend(features.into_iter().flatten().filter_map(toml::Value::as_str).filter_map(word_of));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(near: &[(&str, &str)], sql: &str) -> Option<String> {
        let near = near.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let files = std::iter::once(("1.sql".to_owned(), sql.as_bytes().to_vec())).collect();
        let folder = Folder { path: "db".to_owned(), files, near, ..Folder::default() };
        database(&folder).map(|(kind, why)| format!("{} {why}", kind.word()))
    }

    #[test]
    fn what_is_around_tells_before_the_sql() {
        for (path, text, kind) in [
            (
                "prisma/schema.prisma",
                "generator c {\n provider = \"prisma-client-js\"\n}\ndatasource db {\n  provider = \"sqlite\"",
                "sqlite",
            ),
            ("drizzle.config.ts", "export default { dialect: 'mysql' }", "mysql"),
            (".env.example", "SECRET_URL=mysql://x\nDATABASE_URL=\"postgres://u:mysql@h/d\"\n", "postgres"),
            ("flyway.conf", "flyway.url=jdbc:mariadb://h/d", "mysql"),
            (
                "Cargo.toml",
                "[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\", \"uuid\"] }",
                "postgres",
            ),
            ("Cargo.toml", "[workspace.dependencies]\nrusqlite = \"0.3\"", "sqlite"),
            ("api/go.mod", "require (\n\tgithub.com/lib/pq v1.10.9\n)", "postgres"),
            ("package.json", "{\"dependencies\": {\"pg\": \"8\"}}", "postgres"),
            ("pom.xml", "<groupId>org.postgresql</groupId>", "postgres"),
        ] {
            assert_eq!(told(&[(path, text)], "id AUTOINCREMENT"), Some(format!("{kind} as {path} says")));
        }
        let above = ("Cargo.toml", "[workspace.dependencies]\nsqlx = { version = \"0\", features = [\"postgres\"] }");
        assert_eq!(told(&[("a/Cargo.toml", ""), above], ""), Some("postgres as Cargo.toml says".to_owned()));
        assert_eq!(told(&[("a/package.json", "{}"), above], ""), None, "another project's");
        let both = ("Cargo.toml", "[dependencies]\nsqlx = { version = \"0\", features = [\"postgres\", \"sqlite\"] }");
        assert_eq!(told(&[both], "id BIGSERIAL"), Some("postgres by its SQL (BIGSERIAL)".to_owned()));
    }

    #[test]
    fn what_several_understand_tells_nothing() {
        assert_eq!(told(&[], "CREATE TABLE t (id INTEGER PRIMARY KEY)"), None);
        assert_eq!(told(&[], "a BIGSERIAL, b AUTOINCREMENT"), None);
        assert_eq!(told(&[], "id INTEGER -- not a BIGSERIAL"), None);
        assert_eq!(told(&[], "at INTEGER DEFAULT (unixepoch())"), Some("sqlite by its SQL (UNIXEPOCH()".to_owned()));
        let on_update = "at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP";
        assert_eq!(told(&[], on_update), Some("mysql by its SQL (ON UPDATE CURRENT_TIMESTAMP)".to_owned()));
        let spring = ("application.yml", "spring:\n  datasource:\n    url: jdbc:mariadb://h/d");
        assert_eq!(told(&[spring], ""), Some("mysql as application.yml says".to_owned()));
        assert_eq!(told(&[], "id INT AUTO_INCREMENT"), Some("mysql by its SQL (AUTO_INCREMENT)".to_owned()));
    }
}
