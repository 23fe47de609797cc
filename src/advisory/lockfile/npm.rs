//! `package-lock.json` and `npm-shrinkwrap.json` of npm, versions 1 to 3. Version 1 does not tell what the project
//! itself asks for.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::javascript::{from_elsewhere, text};
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, json};
use crate::model::package::Ecosystem;
use crate::model::yaml::Node;

pub(super) static FORMAT: Format = Format {
    name: "npm",
    about: "package-lock.json or npm-shrinkwrap.json of npm, versions 1 to 3",
    files: &["package-lock.json", "npm-shrinkwrap.json"],
    looks_like: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"lockfileVersion\"")
            && (text.contains("\"node_modules/") || text.contains("\"requires\"") || text.contains("\"\": {"))
    },
    reader: read,
};

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file = json::read(text, FORMAT.about)?;
    match file.get("lockfileVersion").and_then(Node::text) {
        Some("1") => nested(&file),
        Some("2" | "3") => flat(&file),
        Some(version) => Err(LockError::Version { found: version.to_owned(), known: "1 to 3" }),
        None => Err(malformed(&file, "it has no `lockfileVersion`")),
    }
}

fn malformed(at: &Node, what: impl Into<String>) -> LockError {
    FORMAT.malformed(number(at.line), what)
}

/// Versions 2 and 3: a list of folders, in which names are looked up as Node.js would.
fn flat(file: &Node) -> Result<Lockfile, LockError> {
    let folders = file.get("packages").ok_or_else(|| malformed(file, "it has no `packages`"))?.entries();
    let by_folder: HashMap<&str, usize> =
        folders.iter().enumerate().map(|(at, (folder, _))| (folder.as_str(), at)).collect();
    let mut entries = Vec::with_capacity(folders.len());
    for (folder, package) in folders {
        entries.push(of_folder(folder, package)?);
    }
    let mut asked = Asked::default();
    for (at, (folder, package)) in folders.iter().enumerate() {
        // A link stands for the folder that it leads to.
        if let Some(target) = text(package, "resolved").filter(|_| text(package, "link") == Some("true")) {
            if let Some(&target) = by_folder.get(target) {
                let name = entries[target].name.clone();
                entries[at].name = name;
                entries[at].needs.push(target);
            }
            continue;
        }
        let find = |kind: &str| needed(folder, package, kind, &by_folder);
        let mut always = find("dependencies");
        always.extend(find("optionalDependencies"));
        always.extend(find("peerDependencies"));
        if entries[at].passed_over == Some(Why::Own) {
            asked.dev.extend(find("devDependencies"));
        }
        entries[at].needs = always;
    }
    asked.through_own(&entries);
    let root = by_folder.get("").map(|&at| &folders[at].1);
    let needs_nothing = root.is_some() && entries.iter().all(|entry| entry.passed_over == Some(Why::Own));
    if let Some(root) = root.filter(|_| needs_nothing)
        && ["dependencies", "devDependencies"].iter().any(|kind| asks_for_others(root, kind, &by_folder))
    {
        let what = "its root asks for packages of which none is in the file".to_owned();
        return Err(LockError::Truncated { what });
    }
    let read = lockfile(Ecosystem::Npm, entries, root.map(|_| &asked));
    let own = folders.iter().map(|(folder, _)| folder).filter(|folder| !folder.contains("node_modules/"));
    Ok(Lockfile { needs_nothing, folders: own.cloned().collect(), ..read })
}

fn asks_for_others(root: &Node, kind: &str, by_folder: &HashMap<&str, usize>) -> bool {
    let names = root.get(kind).map(Node::entries).unwrap_or_default();
    names.iter().any(|(name, _)| !by_folder.contains_key(format!("node_modules/{name}").as_str()))
}

fn of_folder(folder: &str, package: &Node) -> Result<Entry, LockError> {
    let installed = folder.rsplit_once("node_modules/").map(|(_, name)| name);
    let name = text(package, "name").or(installed).unwrap_or(folder);
    let resolved = text(package, "resolved").unwrap_or_default();
    let linked = text(package, "link") == Some("true");
    let mut entry = Entry {
        name: name.to_owned(),
        line: number(package.line),
        dev: Some(text(package, "dev") == Some("true")),
        ..Entry::default()
    };
    if linked || installed.is_none() {
        entry.passed_over = Some(Why::Own);
        return Ok(entry);
    }
    entry.passed_over = from_elsewhere(resolved);
    match text(package, "version").filter(|version| !version.is_empty()) {
        Some(version) => version.clone_into(&mut entry.version),
        None if entry.passed_over.is_some() => {}
        None => return Err(malformed(package, format!("{folder:?} has no version"))),
    }
    Ok(entry)
}

/// The entries that a package in `folder` finds for the names it needs: in its own `node_modules`, or in those of the
/// folders around it.
fn needed(folder: &str, package: &Node, kind: &str, by_folder: &HashMap<&str, usize>) -> Vec<usize> {
    let names = package.get(kind).map(Node::entries).unwrap_or_default();
    names.iter().filter_map(|(name, _)| find(folder, name, by_folder)).collect()
}

fn find(folder: &str, name: &str, by_folder: &HashMap<&str, usize>) -> Option<usize> {
    let mut around = folder;
    loop {
        let place =
            if around.is_empty() { format!("node_modules/{name}") } else { format!("{around}/node_modules/{name}") };
        if let Some(&at) = by_folder.get(place.as_str()) {
            return Some(at);
        }
        if around.is_empty() {
            return None;
        }
        around = around.rsplit_once('/').map_or("", |(outer, _)| outer);
    }
}

/// Version 1: packages inside of packages.
fn nested(file: &Node) -> Result<Lockfile, LockError> {
    let mut entries = Vec::new();
    let mut open = vec![file];
    while let Some(package) = open.pop() {
        let inner = package.get("dependencies").map(Node::entries).unwrap_or_default();
        for (name, package) in inner {
            entries.push(of_name(name, package)?);
        }
        open.extend(inner.iter().map(|(_, package)| package));
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(lockfile(Ecosystem::Npm, entries, None))
}

fn of_name(name: &str, package: &Node) -> Result<Entry, LockError> {
    let version = text(package, "version").ok_or_else(|| malformed(package, format!("{name:?} has no version")))?;
    let mut entry = Entry {
        name: name.to_owned(),
        version: version.to_owned(),
        line: number(package.line),
        dev: Some(text(package, "dev") == Some("true")),
        passed_over: from_elsewhere(version),
        ..Entry::default()
    };
    if entry.passed_over == Some(Why::Archive) {
        entry.version.clear();
    }
    if let Some((real, version)) = version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
        (entry.name, entry.version) = (real.to_owned(), version.to_owned());
    }
    Ok(entry)
}
