//! `go.sum`, for projects whose go.mod is older than Go 1.17. It has the modules whose content a build once needed, so it
//! may name more versions than are built; of each module the highest is not chosen here, all are listed. It has no end of
//! its own: cut behind a whole line it looks whole. No folder is searched for it, since go.mod is the better list.

use super::graph::{Entry, lockfile};
use super::lines::{ended, number};
use super::{Format, LockError, Lockfile, go_mod};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "go.sum",
    about: "go.sum of Go, where go.mod is older than Go 1.17",
    files: &[],
    looks_like: |text| text.lines().next().is_some_and(|line| parts(line).is_some()),
    reader: read,
};

fn read(text: &str) -> Result<Lockfile, LockError> {
    ended(text)?;
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line_number = number(at + 1);
        let malformed = || LockError::Malformed {
            expected: FORMAT.about,
            line: line_number,
            what: "a module, its version and a hash were expected".to_owned(),
        };
        let (module, version) = parts(line).ok_or_else(malformed)?;
        // Of a module that was only asked for its own go.mod, nothing is built.
        if !version.ends_with("/go.mod") {
            entries.push(Entry {
                name: module.to_owned(),
                version: go_mod::bare(version).to_owned(),
                line: line_number,
                ..Entry::default()
            });
        }
    }
    let note = "go.sum names no Go release: the standard library was not looked up".to_owned();
    Ok(Lockfile { notes: vec![note], ..lockfile(Ecosystem::Go, entries, None) })
}

/// A module, its version and a whole hash.
fn parts(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [module, version, hash] = words[..] else { return None };
    (version.starts_with('v') && hash.starts_with("h1:") && hash.ends_with('=')).then_some((module, version))
}
