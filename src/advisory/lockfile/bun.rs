//! `bun.lock` of Bun 1.1.39 and later, JSON with comments and trailing commas. The older `bun.lockb` is no text and is
//! refused.

use std::collections::{HashMap, HashSet};

use super::graph::{Asked, Entry, lockfile};
use super::javascript::{folder, from_elsewhere, name_and_rest, text};
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, json};
use crate::model::package::Ecosystem;
use crate::model::yaml::{Node, Value};

pub(super) static FORMAT: Format = Format {
    name: "bun",
    about: "bun.lock of Bun, versions 0 to 2",
    files: &["bun.lock", "bun.lockb"],
    looks_like: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"lockfileVersion\"")
            && text.contains("\"workspaces\": {")
            && !text.contains("\"node_modules/")
    },
    reader: read,
};

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file = json::read(text, FORMAT.about)?;
    let version = self::text(&file, "lockfileVersion").unwrap_or_default();
    if !matches!(version, "0" | "1" | "2") {
        return Err(LockError::Version { found: version.to_owned(), known: "0 to 2" });
    }
    let packages = Packages::new(file.get("packages").map(Node::entries).unwrap_or_default());
    let mut entries = packages.list.iter().map(|(key, package)| entry(key, package)).collect::<Result<Vec<_>, _>>()?;
    for (at, (key, package)) in packages.list.iter().enumerate() {
        let about = package.items().iter().find(|item| matches!(item.value, Value::Map(_)));
        if let Some(name) = about.and_then(|about| packages.missing(about, &["dependencies"])) {
            let what = format!("{key} (line {}) needs {name}, which is not in it", package.line);
            return Err(LockError::Truncated { what });
        }
        let needs = |kind: &str| about.map_or_else(Vec::new, |about| packages.needed(key, about, kind));
        entries[at].needs = ["dependencies", "optionalDependencies", "peerDependencies"].map(needs).concat();
    }
    let mut asked = Asked::default();
    let mut folders: Vec<String> = entries.iter().filter_map(|entry| folder(&entry.version)).collect();
    for (path, workspace) in file.get("workspaces").map(Node::entries).unwrap_or_default() {
        folders.push(path.clone());
        if let Some(name) = packages.missing(workspace, &["dependencies", "devDependencies"]) {
            let by = if path.is_empty() { "the project" } else { path };
            return Err(LockError::Truncated { what: format!("{by} needs {name}, which is not in it") });
        }
        let name = self::text(workspace, "name").unwrap_or_default();
        for kind in ["dependencies", "optionalDependencies", "peerDependencies"] {
            asked.always.extend(packages.needed(name, workspace, kind));
        }
        asked.dev.extend(packages.needed(name, workspace, "devDependencies"));
    }
    asked.through_own(&entries);
    let needs_nothing = file.get("workspaces").is_some_and(|projects| !projects.entries().is_empty())
        && entries.iter().all(|entry| entry.passed_over == Some(Why::Own));
    Ok(Lockfile { needs_nothing, folders, ..lockfile(Ecosystem::Npm, entries, Some(&asked)) })
}

/// A package: `[ "name@1.0.0", registry, about, hash ]`, the name in it being the real one where the key is an alias.
fn entry(key: &str, package: &Node) -> Result<Entry, LockError> {
    let line = number(package.line);
    let malformed = || FORMAT.malformed(line, format!("{key:?} has no name and version"));
    let (name, version) = package.items().first().and_then(Node::text).and_then(name_and_rest).ok_or_else(malformed)?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    let why = if is_version { None } else { Some(from_elsewhere(version).unwrap_or(Why::Address)) };
    let version = if why == Some(Why::Archive) { "" } else { version };
    Ok(Entry { name: name.to_owned(), version: version.to_owned(), line, passed_over: why, ..Entry::default() })
}

/// A key without the names of those around it.
fn own_name(key: &str) -> &str {
    let scope = key.rsplit_once('/').map_or("", |(around, _)| around.rsplit('/').next().unwrap_or_default());
    let parts = if scope.starts_with('@') { 2 } else { 1 };
    let start = key.rmatch_indices('/').nth(parts - 1).map_or(0, |(at, _)| at + 1);
    &key[start..]
}

/// The packages, each under the names of those around it and its own: `debug/ms`.
struct Packages<'n> {
    list: &'n [(String, Node)],
    by_key: HashMap<&'n str, usize>,
    /// Under whatever others they stand.
    names: HashSet<&'n str>,
}

impl<'n> Packages<'n> {
    fn new(list: &'n [(String, Node)]) -> Self {
        let by_key = list.iter().enumerate().map(|(at, (key, _))| (key.as_str(), at)).collect();
        let names = list.iter().map(|(key, _)| own_name(key)).collect();
        Self { list, by_key, names }
    }

    /// The first name that is needed for sure and stands nowhere.
    fn missing<'m>(&self, about: &'m Node, kinds: &[&str]) -> Option<&'m str> {
        let of = |kind: &str| about.get(kind).map(Node::entries).unwrap_or_default();
        let is_optional = |name: &String| of("optionalDependencies").iter().any(|(other, _)| other == name);
        let mut needed = kinds.iter().flat_map(|kind| of(kind)).map(|(name, _)| name);
        needed.find(|name| !self.names.contains(name.as_str()) && !is_optional(name)).map(String::as_str)
    }

    /// The entries that the package under `key` finds for the names it needs; optional ones may be missing.
    fn needed(&self, key: &str, about: &Node, kind: &str) -> Vec<usize> {
        let names = about.get(kind).map(Node::entries).unwrap_or_default();
        names.iter().filter_map(|(name, _)| self.find(key, name)).collect()
    }

    fn find(&self, key: &str, name: &str) -> Option<usize> {
        let mut around = key;
        while !around.is_empty() {
            if let Some(&at) = self.by_key.get(format!("{around}/{name}").as_str()) {
                return Some(at);
            }
            // Half a scope is no package, and nothing is found for it.
            around = around.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
        self.by_key.get(name).copied()
    }
}
