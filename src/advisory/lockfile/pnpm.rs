//! `pnpm-lock.yaml`, versions 5 to 9. The file has no end of its own, but all that it names must be in it.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::javascript::{from_elsewhere, text};
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, yaml_text};
use crate::model::package::Ecosystem;
use crate::model::yaml::{Node, Value};

pub(super) static FORMAT: Format = Format {
    name: "pnpm",
    about: "pnpm-lock.yaml of pnpm, versions 5 to 9",
    files: &["pnpm-lock.yaml"],
    looks_like: |text| text.lines().any(|line| line.starts_with("lockfileVersion:")),
    reader: read,
};

/// What a project of the workspace asks for, and whether only to develop. The last two are pnpm's own: plugins, and the
/// release of pnpm that the project asks for.
const KINDS: [(&str, bool); 5] = [
    ("dependencies", false),
    ("optionalDependencies", false),
    ("devDependencies", true),
    ("configDependencies", true),
    ("packageManagerDependencies", true),
];

fn read(text: &str) -> Result<Lockfile, LockError> {
    let documents = yaml_text::read(text, FORMAT.about)?;
    let mut reading = Reading::default();
    for document in &documents {
        reading.document(document)?;
    }
    reading.finish()
}

/// Since pnpm 11 what pnpm needs for itself stands in a document before that of the project.
#[derive(Default)]
struct Reading {
    entries: Vec<Entry>,
    asked: Asked,
    folders: Vec<String>,
    /// Whether a document is that of the project.
    project: bool,
}

impl Reading {
    fn document(&mut self, file: &Node) -> Result<(), LockError> {
        let version = text(file, "lockfileVersion").unwrap_or_default();
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or_default();
        if !(5..=9).contains(&major) {
            return Err(LockError::Version { found: version.to_owned(), known: "5 to 9" });
        }
        all_filled(file)?;
        let packages = Packages::read(file, self.entries.len())?;
        let listed = file.get("packages").map(Node::entries).unwrap_or_default();
        let beside = listed.iter().filter_map(|(_, package)| text(package.get("resolution")?, "directory"));
        self.folders.extend(beside.map(str::to_owned));
        let importers = match file.get("importers") {
            Some(importers) => {
                all_filled(importers)?;
                self.folders.extend(importers.entries().iter().map(|(folder, _)| folder.clone()));
                importers.entries().iter().map(|(_, importer)| importer).collect()
            }
            None => vec![file],
        };
        for importer in importers {
            self.project |= KINDS[..3].iter().any(|(kind, _)| importer.get(kind).is_some())
                || importer.entries().is_empty()
                || importer.get("specifiers").is_some();
            all_filled(importer)?;
            all_specified(importer)?;
            for (kind, dev) in KINDS {
                let asked = if dev { &mut self.asked.dev } else { &mut self.asked.always };
                asked.extend(packages.needed(importer, kind)?);
            }
        }
        self.entries.extend(packages.with_needs()?);
        Ok(())
    }

    fn finish(mut self) -> Result<Lockfile, LockError> {
        if !self.project {
            return Err(LockError::Truncated { what: "no project is in it".to_owned() });
        }
        let needs_nothing = self.entries.is_empty();
        self.asked.through_own(&self.entries);
        let read = lockfile(Ecosystem::Npm, self.entries, Some(&self.asked));
        Ok(Lockfile { needs_nothing, folders: self.folders, ..read })
    }
}

/// The packages of a document. Since version 9 each stands twice: what it is under `packages`, and what it needs, once
/// for each set of peers, under `snapshots`.
struct Packages<'n> {
    entries: Vec<Entry>,
    /// For each entry, where it says what it needs.
    uses: Vec<&'n Node>,
    by_key: HashMap<&'n str, usize>,
}

impl<'n> Packages<'n> {
    fn read(file: &'n Node, first: usize) -> Result<Self, LockError> {
        let list = |key: &str| file.get(key).map(Node::entries).unwrap_or_default();
        let mut snapshots: HashMap<&str, Vec<&'n (String, Node)>> = HashMap::new();
        for snapshot in list("snapshots") {
            snapshots.entry(without_peers(&snapshot.0)).or_default().push(snapshot);
        }
        let mut found = Self { entries: Vec::new(), uses: Vec::new(), by_key: HashMap::new() };
        for package in list("packages") {
            for (key, uses) in snapshots.remove(package.0.as_str()).unwrap_or_else(|| vec![package]) {
                found.by_key.insert(key, first + found.entries.len());
                found.uses.push(uses);
                found.entries.push(entry(&package.0, &package.1)?);
            }
        }
        match snapshots.into_values().flatten().min_by_key(|(_, node)| node.line) {
            Some((key, node)) => Err(not_there(node, key)),
            None => Ok(found),
        }
    }

    /// The numbers of what a package or project needs, save folders beside the project, which have no entry.
    fn needed(&self, node: &Node, kind: &str) -> Result<Vec<usize>, LockError> {
        let mut needed = Vec::new();
        for (name, reference) in node.get(kind).map(Node::entries).unwrap_or_default() {
            // A project of the workspace has `{ specifier, version }` since version 6.
            let version = text(reference, "version").or(reference.text()).unwrap_or_default();
            if version.starts_with("link:") {
                continue;
            }
            let keys =
                [version, &format!("{name}@{version}"), &format!("/{name}@{version}"), &format!("/{name}/{version}")];
            match keys.iter().find_map(|key| self.by_key.get(key)) {
                Some(&at) => needed.push(at),
                None => return Err(not_there(reference, &format!("{name} {version}"))),
            }
        }
        Ok(needed)
    }

    fn with_needs(mut self) -> Result<Vec<Entry>, LockError> {
        for at in 0..self.entries.len() {
            let mut needs = self.needed(self.uses[at], "dependencies")?;
            needs.extend(self.needed(self.uses[at], "optionalDependencies")?);
            self.entries[at].needs = needs;
        }
        Ok(self.entries)
    }
}

/// A key without its value is where the file was cut: pnpm writes `{}` for what is empty.
fn all_filled(node: &Node) -> Result<(), LockError> {
    match node.entries().iter().find(|(_, inner)| inner.value == Value::Null) {
        Some((key, inner)) => {
            Err(LockError::Truncated { what: format!("nothing is in `{key}` (line {})", inner.line) })
        }
        None => Ok(()),
    }
}

/// Version 5 says first which ranges a project asks for, and then what was chosen.
fn all_specified(importer: &Node) -> Result<(), LockError> {
    let specifiers = importer.get("specifiers").map(Node::entries).unwrap_or_default();
    let is_chosen =
        |name: &str| KINDS.iter().any(|(kind, _)| importer.get(kind).is_some_and(|chosen| chosen.get(name).is_some()));
    match specifiers.iter().find(|(name, _)| !is_chosen(name)) {
        Some((name, node)) => Err(not_there(node, name)),
        None => Ok(()),
    }
}

fn not_there(node: &Node, what: &str) -> LockError {
    LockError::Truncated { what: format!("line {} names {what}, which is not among its packages", node.line) }
}

fn entry(key: &str, package: &Node) -> Result<Entry, LockError> {
    let named = name_and_version(key);
    let (name, version) = named.unwrap_or((key, ""));
    let resolution = package.get("resolution");
    let of = |key: &str| resolution.and_then(|resolution| text(resolution, key));
    let why = match (of("type"), of("tarball")) {
        (Some("git"), _) => Some(Why::Git),
        (Some("directory"), _) => Some(Why::Own),
        (_, Some(tarball)) if of("gitHosted") == Some("true") || tarball.starts_with("git") => Some(Why::Git),
        (_, Some(tarball)) => from_elsewhere(tarball),
        _ => from_elsewhere(version),
    };
    let is_version = |version: &&str| version.starts_with(|c: char| c.is_ascii_digit());
    // The key of an archive is where it lies.
    let known = Some(version).filter(is_version).filter(|_| why != Some(Why::Archive)).or(text(package, "version"));
    if why.is_none() && known.is_none_or(|version| !is_version(&version)) {
        return Err(FORMAT.malformed(number(package.line), format!("{key:?} has no version")));
    }
    Ok(Entry {
        name: text(package, "name").unwrap_or(name).to_owned(),
        version: known.unwrap_or_default().to_owned(),
        line: number(package.line),
        passed_over: why,
        dev: text(package, "dev").map(|dev| dev == "true"),
        ..Entry::default()
    })
}

/// `name@1.0.0` of version 9, `/name@1.0.0(peer@2.0.0)` of 6 and `/name/1.0.0_peer@2.0.0` of 5. Versions 5 and 6 put a
/// registry that is not the default one before the name.
fn name_and_version(key: &str) -> Option<(&str, &str)> {
    let path = match key.split_once('/') {
        Some(("", path)) => path,
        Some((host, path)) if !host.contains('@') && host.contains('.') => path,
        _ => key,
    };
    let scope = if path.starts_with('@') { path.find('/')? + 1 } else { 0 };
    let end = scope + path[scope..].find(['@', '/'])?;
    let version = without_peers(&path[end + 1..]);
    let version = if path[end..].starts_with('/') { version.split(['_', '/']).next()? } else { version };
    Some((&path[..end], version))
}

fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_versions_have_a_name_and_a_version() {
        for (key, name, version) in [
            ("ms@2.0.0", "ms", "2.0.0"),
            ("@a/b@1.0.0-rc.1", "@a/b", "1.0.0-rc.1"),
            ("b@file:c/d", "b", "file:c/d"),
            ("/a.b@1.0.0(@c/d@2.0.0)(e@1.0.0)", "a.b", "1.0.0"),
            ("/@a/b/1.0.0_@c+d@2.0.0", "@a/b", "1.0.0"),
            ("/b/1.0.0/@c/d@2.0.0", "b", "1.0.0"),
            ("npm.example.com/@a/b/1.0.0", "@a/b", "1.0.0"),
            ("npm.example.com/b@1.0.0", "b", "1.0.0"),
        ] {
            assert_eq!(name_and_version(key), Some((name, version)), "{key}");
        }
    }
}
