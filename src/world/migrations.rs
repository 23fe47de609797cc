//! Migrations folders, come across, and read from the disk and from a commit. What they do is found out elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::detect::is_passed_over;
use crate::migration::layout::{self, Folder, Layout, MARKERS, Plan};
use crate::migration::{preflight, split};
use crate::model::migration::{DatabaseKind, Form, MigrationsFolder, PLACES};
use crate::model::sha::Sha;
use crate::world::database::programs::{self, Found};
use crate::world::repo::Repo;
use crate::world::{files, find};

/// The largest file that is read, in bytes: a migration with more is data.
const LARGEST: u64 = 64 << 20;
/// The largest file that may tell of the database, in bytes.
const LARGEST_NEAR: u64 = 1 << 20;
/// Folders that hold the members of a workspace.
const WORKSPACES: &[&str] = &["crates", "packages", "apps", "services", "libs"];
/// Folders for one database each, in a folder of migrations.
const BY_DATABASE: &[(&str, DatabaseKind)] = &[
    ("mysql", DatabaseKind::Mysql),
    ("mariadb", DatabaseKind::Mysql),
    ("pg", DatabaseKind::Postgres),
    ("postgres", DatabaseKind::Postgres),
    ("postgresql", DatabaseKind::Postgres),
    ("sqlite", DatabaseKind::Sqlite),
    ("sqlite3", DatabaseKind::Sqlite),
];
/// In the place of a layout's name, where the folder could not be read.
const UNREAD: &str = "of a layout that is not known";
/// The most files of a folder: more is no migrations folder.
const MOST: usize = 20_000;

/// A folder of the work tree.
///
/// # Errors
/// When it is not there or a file in it cannot be read.
pub fn of_work_tree(root: &Path, path: &str) -> Result<Folder, String> {
    let place = root.join(path);
    if !files::is_folder(&place) {
        return Err(format!("there is no folder {}; name it with `path`", shown(path)));
    }
    let around = around(root, path);
    let (near, sources) = (near(root, path), sources(root, path));
    let mut folder = Folder { path: path.to_owned(), around, near, sources, ..Folder::default() };
    let found = find::find(&place, "**")?;
    if found.len() > MOST {
        return Err(format!("{} has more than {MOST} files: that is no migrations folder", shown(path)));
    }
    for file in found {
        let name = file.path.strip_prefix(&place).unwrap_or(&file.path);
        let Some(name) = name.to_str() else {
            let name = name.display();
            return Err(format!("{} has the path {name}, which is not UTF-8: rename it", shown(path)));
        };
        let bytes = files::read_at_most(&file.path, LARGEST).map_err(|error| error.to_string())?;
        folder.files.insert(name.replace('\\', "/"), bytes);
    }
    Ok(folder)
}

/// The same folder in a commit. Where it is not there, it has no files.
///
/// # Errors
/// When the commit cannot be read.
pub fn of_commit(repo: &Repo, commit: &Sha, path: &str) -> Result<Folder, String> {
    let read = repo.read_below(commit, path).map_err(|error| error.to_string())?;
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let inside = read.into_iter().filter_map(|(file, bytes)| Some((file.strip_prefix(&prefix)?.to_owned(), bytes)));
    Ok(Folder { path: path.to_owned(), files: inside.collect(), ..Folder::default() })
}

/// Files of tools in the folder, beside it and above it.
fn around(root: &Path, path: &str) -> Vec<String> {
    let near = upwards(root, path);
    let is_there = |name: &str| near.iter().any(|(_, folder)| files::stands(&folder.join(name)));
    MARKERS.iter().map(|(name, _)| *name).filter(|name| is_there(name)).map(str::to_owned).collect()
}

/// Where Maven and Gradle keep sources, beside the resources that become of one package with them.
const SOURCES: &[&str] = &["java", "kotlin", "scala", "groovy"];

/// The files of the package of the same name among the sources.
fn sources(root: &Path, path: &str) -> Vec<String> {
    let Some((before, package)) = path.split_once("src/main/resources/") else { return Vec::new() };
    let folders = SOURCES.iter().map(|language| format!("{before}src/main/{language}/{package}"));
    let in_one = |folder: String| {
        let found = files::list(&root.join(&folder)).unwrap_or_default().into_iter();
        let name = |path: PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        found.filter_map(name).map(move |name| inside(&folder, &name)).collect::<Vec<_>>()
    };
    folders.flat_map(in_one).collect()
}

/// Files that may tell of the database, the nearest first.
fn near(root: &Path, path: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (below, folder) in upwards(root, path) {
        for name in layout::telling() {
            if let Some(text) = files::read_capped(&folder.join(name), LARGEST_NEAR) {
                found.push((inside(&below, name), String::from_utf8_lossy(&text).into_owned()));
            }
        }
    }
    found
}

/// The folder and those above it up to the root, by their names below the root.
fn upwards(root: &Path, path: &str) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut at = path;
    loop {
        found.push((at.to_owned(), root.join(at)));
        match at.rsplit_once('/') {
            Some((above, _)) => at = above,
            None if at.is_empty() => return found,
            None => at = "",
        }
    }
}

fn inside(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// Every folder of migrations below `root` in the places where tools keep them, one level into workspaces. `servers`
/// tells which are installed.
pub fn all(root: &Path, servers: &dyn Fn(DatabaseKind) -> Vec<Found>) -> Vec<MigrationsFolder> {
    let mut bases = vec![String::new()];
    for folder in folders(root, "").into_iter().filter(|folder| !is_passed_over(folder)) {
        if WORKSPACES.contains(&folder.as_str()) {
            bases.extend(folders(root, &folder).into_iter().map(|member| inside(&folder, &member)));
        }
        bases.push(folder);
    }
    let paths: BTreeSet<String> =
        bases.iter().flat_map(|base| PLACES.iter().map(move |place| inside(base, place))).collect();
    let paths = paths.into_iter().filter(|path| files::is_folder(&root.join(path)));
    paths.flat_map(|path| look_at(root, &path, servers)).collect()
}

/// The folder, or those in it that each are for one database.
fn look_at(root: &Path, path: &str, servers: &dyn Fn(DatabaseKind) -> Vec<Found>) -> Vec<MigrationsFolder> {
    let unread = |why: String| MigrationsFolder {
        path: path.to_owned(),
        layout: UNREAD,
        database: None,
        hindrance: Some(format!("they cannot be read: {why}")),
    };
    let folder = match of_work_tree(root, path) {
        Ok(folder) => folder,
        Err(why) => return vec![unread(why)],
    };
    let of_one = |(name, kind): &(&str, DatabaseKind)| {
        let path = format!("{path}/{name}");
        let told = Some((*kind, "as its name says".to_owned()));
        // What could be read with the whole can be read by itself.
        let folder = files::is_folder(&root.join(&path)).then(|| of_work_tree(root, &path).ok()).flatten()?;
        summed_up(&folder, told, servers)
    };
    let parts: Vec<MigrationsFolder> = BY_DATABASE.iter().filter_map(of_one).collect();
    if parts.is_empty() { summed_up(&folder, layout::database(&folder), servers).into_iter().collect() } else { parts }
}

fn summed_up(
    folder: &Folder,
    database: Option<(DatabaseKind, String)>,
    servers: &dyn Fn(DatabaseKind) -> Vec<Found>,
) -> Option<MigrationsFolder> {
    let layout = layout::detect(folder)?;
    let plan = layout.read(folder);
    if plan.migrations.is_empty() && plan.problems.is_empty() {
        return None;
    }
    let kind = database.as_ref().map(|(kind, _)| *kind);
    let hindrance = within(layout, &plan, kind).or_else(|| without(&plan, kind?, &servers(kind?)));
    Some(MigrationsFolder { path: folder.path.clone(), layout: layout.name, database, hindrance })
}

/// What in the folder itself keeps it from being tried by itself.
fn within(layout: &Layout, plan: &Plan, kind: Option<DatabaseKind>) -> Option<String> {
    if let Some(problem) = plan.problems.first() {
        return Some(problem.clone());
    }
    if let Some(code) = plan.code.first() {
        return Some(format!("{code} is code, which only its own tool can run; name that with `command`"));
    }
    let scripts = || plan.migrations.iter().filter_map(|planned| planned.up.as_ref());
    let of_supabase = |text: &str| text.contains("auth.") || text.contains("storage.");
    if layout.name == "supabase" && scripts().any(|script| script.pieces.iter().any(|it| of_supabase(&it.text))) {
        let what =
            "they start from Supabase's own schema: name a dump of it with `schema`, or its server with `database-url`";
        return Some(what.to_owned());
    }
    let is_meta = |script: &&_| split::split(script, kind.unwrap_or_default()).iter().any(|it| it.form == Form::Meta);
    let script = scripts().find(is_meta)?;
    Some(format!("{} has commands of the interactive client, which no server understands", script.path))
}

/// What they need of a server that is not here.
fn without(plan: &Plan, kind: DatabaseKind, servers: &[Found]) -> Option<String> {
    if kind == DatabaseKind::Sqlite {
        return None;
    }
    let Some(server) = servers.first() else {
        return Some(format!(
            "no {} server was found on this machine: {}",
            kind.word(),
            programs::how_to_get(kind, None)
        ));
    };
    missing(plan, kind, server).into_iter().next()
}

/// The extensions that the scripts ask for and the server does not have, each in a sentence.
#[must_use]
pub fn missing(plan: &Plan, kind: DatabaseKind, server: &Found) -> Vec<String> {
    let Some(known) = server.extensions().filter(|_| kind == DatabaseKind::Postgres) else { return Vec::new() };
    let mut missing = BTreeSet::new();
    for script in plan.migrations.iter().filter_map(|planned| planned.up.as_ref()) {
        for (name, line) in preflight::extensions(&split::split(script, kind)) {
            if !known.contains(&name) && !missing.iter().any(|(known, _)| *known == name) {
                missing.insert((name, format!("{}:{line}", script.path)));
            }
        }
    }
    let words = |(name, place): (String, String)| {
        format!("{} {} has no extension {name}, which {place} needs", server.name, server.version)
    };
    missing.into_iter().map(words).collect()
}

fn folders(root: &Path, below: &str) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let found = files::list(&root.join(below)).unwrap_or_default().into_iter();
    // Links are left out: they may lead back up.
    found.filter(|path| files::is_folder(path) && !files::is_link(path)).filter_map(|path| name(&path)).collect()
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}
