//! Whether the code of an earlier commit can work on a database that later migrations have changed. A rollback takes no
//! migration back: what cannot be taken back, or what the older code would stumble over, is a matter for a person.

/// A migration that the earlier commit does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its file, or that of its way up.
    pub path: String,
    /// What it does; `None`: it is no SQL, or cannot be read.
    pub up: Option<String>,
    /// Its way down: the file and what it does; `None` where its layout has none.
    pub down: Option<(String, Option<String>)>,
}

/// The folder of migrations that a path lies in: `folder`, or where none is named one that is called so.
#[must_use]
pub fn folder_of(path: &str, folder: Option<&str>) -> Option<String> {
    if let Some(folder) = folder {
        let folder = folder.trim_end_matches('/');
        let inside = folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        return inside.then(|| folder.to_owned());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let last = parts[..parts.len() - 1].iter().rposition(|part| ["migrations", "migrate"].contains(part))?;
    Some(parts[..=last].join("/"))
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

/// Why the code from before these migrations must not run after them; `None` where it may.
#[must_use]
pub fn objection(migrations: &[Migration]) -> Option<String> {
    let found: Vec<String> = migrations
        .iter()
        .filter_map(|migration| why(migration).map(|why| format!("the migration {} {why}", migration.path)))
        .collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn why(migration: &Migration) -> Option<String> {
    let Some(up) = &migration.up else {
        return Some("is no SQL that can be read: what it does is not known".to_owned());
    };
    if let Some(statement) = statements(up).iter().find_map(|statement| incompatible(statement)) {
        return Some(format!("is incompatible with the code before it ({statement})"));
    }
    let (down, text) = migration.down.as_ref()?;
    match text {
        None => Some(format!("is irreversible: there is no {down}")),
        Some(text) if statements(text).is_empty() => Some(format!("is irreversible: {down} does nothing")),
        Some(_) => None,
    }
}

/// The words of each statement in capitals, without comments and what stands in quotes.
fn statements(sql: &str) -> Vec<Vec<String>> {
    let mut plain = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |at| at + 4),
            '\'' => rest[1..].find('\'').map_or(rest.len(), |at| at + 2),
            _ => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        plain.push(' ');
        rest = &rest[end..];
    }
    let words = |statement: &str| -> Vec<String> {
        let parts = statement.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        parts.filter(|word| !word.is_empty()).map(str::to_uppercase).collect()
    };
    plain.split(';').map(words).filter(|words| !words.is_empty()).collect()
}

/// The words that older code stumbles over, where there are any.
fn incompatible(words: &[String]) -> Option<String> {
    let at = |start: usize, wanted: &[&str]| {
        wanted.iter().enumerate().all(|(next, word)| words.get(start + next).is_some_and(|one| one == word))
    };
    let has = |wanted: &[&str]| (0..words.len()).any(|start| at(start, wanted));
    let first = words.first().map(String::as_str).unwrap_or_default();
    let shown = || Some(words.iter().take(6).cloned().collect::<Vec<_>>().join(" "));
    match first {
        "DROP" if !at(1, &["INDEX"]) && !at(1, &["CONSTRAINT"]) => shown(),
        "TRUNCATE" | "DELETE" | "UPDATE" | "RENAME" => shown(),
        "ALTER" => {
            let drops = has(&["DROP"]) && !has(&["DROP", "NOT", "NULL"]) && !has(&["DROP", "DEFAULT"]);
            let adds_demand = has(&["ADD"]) && has(&["NOT", "NULL"]) && !has(&["DEFAULT"]);
            let changes = has(&["RENAME"]) || has(&["TYPE"]) || has(&["MODIFY"]) || has(&["SET", "NOT", "NULL"]);
            if drops || adds_demand || changes { shown() } else { None }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(up: &str, down: Option<(String, Option<String>)>) -> String {
        let migration = Migration { path: "m/1/up.sql".to_owned(), up: Some(up.to_owned()), down };
        objection(&[migration]).unwrap_or_default()
    }

    fn down(text: Option<&str>) -> (String, Option<String>) {
        ("m/1/down.sql".to_owned(), text.map(str::to_owned))
    }

    #[test]
    fn what_older_code_can_live_with_is_no_objection() {
        for up in [
            "CREATE TABLE t (id int NOT NULL);",
            "alter table t add column c int; create index i on t (c);",
            "ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0;",
            "ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
            "DROP INDEX i;",
            "CREATE TABLE t (id int); /* 12345; DROP */",
            "-- DROP TABLE t;\nINSERT INTO t VALUES ('x; DROP TABLE t'); /* RENAME */",
        ] {
            assert_eq!(says(up, None), "", "{up}");
            assert_eq!(says(up, Some(down(Some("DROP TABLE t;")))), "", "{up}");
        }
    }

    #[test]
    fn what_it_stumbles_over_or_cannot_be_taken_back_is_one() {
        for up in [
            "DROP TABLE t",
            "ALTER TABLE t DROP COLUMN c;",
            "ALTER TABLE t RENAME COLUMN a TO b;",
            "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
            "ALTER TABLE t ALTER a SET NOT NULL",
            "ALTER TABLE t ADD c int NOT NULL",
            "SELECT 1; UPDATE t SET a = 1;",
            "INSERT INTO t VALUES (-1); DROP TABLE t",
            "SELECT 'a';DROP TABLE t",
            "ALTER/* x */TABLE t DROP/**/COLUMN c",
            "INSERT INTO t VALUES ('abcdef'); DROP TABLE t",
        ] {
            assert!(says(up, None).contains("incompatible"), "{up}");
        }
        assert!(says("CREATE TABLE t (id int)", Some(down(None))).ends_with("irreversible: there is no m/1/down.sql"));
        assert!(says("CREATE TABLE t (id int)", Some(down(Some("-- nothing\n")))).contains("does nothing"));
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
