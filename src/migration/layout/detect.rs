//! Which tool's layout a folder has. Marker files of a tool win, then what only one tool writes, then names.

use super::{Folder, Layout, find, is_sql, names};

/// What to look for beside a migrations folder and above it, and the layout it tells of.
pub const MARKERS: &[(&str, &str)] = &[
    ("diesel.toml", "diesel"),
    ("flyway.conf", "flyway"),
    ("flyway.toml", "flyway"),
    ("refinery.toml", "flyway"),
    ("drizzle.config.ts", "drizzle"),
    ("drizzle.config.js", "drizzle"),
    ("drizzle.config.json", "drizzle"),
    ("sqlx.toml", "sqlx"),
    (".sqlx", "sqlx"),
    ("dbmate.yml", "dbmate"),
];

/// Tells the layout of a folder; `None` where nothing in it looks like a migration.
#[must_use]
pub fn detect(folder: &Folder) -> Option<&'static Layout> {
    by_own_files(folder)
        .or_else(|| by_markers(folder))
        .or_else(|| by_content(folder))
        .or_else(|| by_names(folder))
        .and_then(find)
}

/// Files that only one tool keeps in the folder itself.
fn by_own_files(folder: &Folder) -> Option<&'static str> {
    if folder.files.contains_key("meta/_journal.json") {
        return Some("drizzle");
    }
    if folder.files.contains_key("migration_lock.toml") {
        return Some("prisma");
    }
    let supabase = folder.path == "supabase/migrations" || folder.path.ends_with("/supabase/migrations");
    supabase.then_some("supabase")
}

/// A marker counts if the folder has what its tool would run.
fn by_markers(folder: &Folder) -> Option<&'static str> {
    let told = MARKERS.iter().filter(|(name, _)| folder.around.iter().any(|near| near == name));
    told.map(|(_, layout)| *layout)
        .find(|layout| find(layout).is_some_and(|layout| !layout.read(folder).migrations.is_empty()))
}

fn by_content(folder: &Folder) -> Option<&'static str> {
    if folder.files.keys().any(|path| path.ends_with("/up.sql")) {
        return Some("diesel");
    }
    if folder.files.keys().any(|path| path.ends_with("/migration.sql")) {
        let of_drizzle = folder.files.keys().any(|path| path.ends_with("/snapshot.json"));
        return Some(if of_drizzle { "drizzle" } else { "prisma" });
    }
    let has = |marker: &str| {
        let marked = |bytes: &Vec<u8>| {
            let text = String::from_utf8_lossy(bytes);
            text.lines()
                .any(|line| line.trim_start().strip_prefix("--").is_some_and(|it| it.trim_start().starts_with(marker)))
        };
        folder.files.iter().any(|(path, bytes)| is_sql(path) && marked(bytes))
    };
    if has("+goose") {
        return Some("goose");
    }
    if has("+migrate ") || has("+micrate ") {
        // Theirs have no layout; this one says so.
        return Some("numbered");
    }
    has("migrate:up").then_some("dbmate")
}

fn by_names(folder: &Folder) -> Option<&'static str> {
    let files: Vec<&str> = folder.files.keys().map(String::as_str).filter(|path| is_sql(path)).collect();
    let file = |path: &&str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let flyway = |name: &String| {
        let versioned =
            name.strip_prefix(['V', 'U']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        (versioned && name.contains("__")) || name.starts_with("R__")
    };
    if files.iter().map(file).any(|name| flyway(&name)) {
        return Some("flyway");
    }
    let top: Vec<(&str, &str)> =
        files.iter().filter(|path| !path.contains('/')).filter_map(|path| names::number(path)).collect();
    if top.iter().any(|(digits, rest)| digits.len() == 14 && rest.starts_with('_')) {
        return Some("sqlx");
    }
    if top.iter().any(|(_, rest)| rest.starts_with('_') && rest.ends_with(".up.sql")) {
        return Some("golang-migrate");
    }
    (!top.is_empty()).then_some("numbered")
}
