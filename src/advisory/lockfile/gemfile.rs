//! `Gemfile.lock` of Bundler. What only a group of the Gemfile needs is not told apart there, so nothing is `dev`.
//! After its gems the file says what the project asks for, so that no cut loses a gem unseen.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::lines::{ended, number};
use super::{Format, LockError, Lockfile, Why};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "gemfile",
    about: "Gemfile.lock of Bundler",
    files: &["Gemfile.lock", "gems.locked"],
    looks_like: |text| {
        text.lines().any(|line| line == "  specs:") && text.lines().any(|line| matches!(line, "GEM" | "PATH" | "GIT"))
    },
    reader: read,
};

#[derive(Default)]
struct Reading<'t> {
    section: &'t str,
    entries: Vec<Entry>,
    /// For each entry the names that it needs.
    needs: Vec<Vec<&'t str>>,
    asked: Option<Vec<&'t str>>,
    folders: Vec<String>,
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    ended(text)?;
    let mut reading = Reading::default();
    for (at, line) in text.lines().enumerate() {
        if !line.trim().is_empty() && !reading.line(number(at + 1), line) {
            return Err(FORMAT.malformed(number(at + 1), format!("{:?} is no line of a Gemfile.lock", line.trim())));
        }
    }
    reading.finish()
}

impl<'t> Reading<'t> {
    /// Takes a line; false when it is none of Bundler's.
    fn line(&mut self, line: u32, text: &'t str) -> bool {
        let code = text.trim();
        let name = code.split([' ', '!']).next().unwrap_or_default();
        match (text.len() - text.trim_start().len(), self.section) {
            (0, _) => {
                self.section = code;
                if code == "DEPENDENCIES" {
                    self.asked = Some(Vec::new());
                }
                return !code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase() || c == ' ');
            }
            (2, "DEPENDENCIES") => self.asked.get_or_insert_default().push(name),
            (2, "PATH") => self.folders.extend(code.strip_prefix("remote: ").map(str::to_owned)),
            (4, section @ ("GEM" | "GIT" | "PATH" | "PLUGIN SOURCE")) => {
                let Some(version) = code.split_once(" (").and_then(|(_, version)| version.strip_suffix(')')) else {
                    return false;
                };
                // `1.13.9-x86_64-linux`: a version has no hyphen.
                let version = version.split('-').next().unwrap_or_default();
                let passed_over = match section {
                    "GIT" => Some(Why::Git),
                    "PATH" => Some(Why::Own),
                    "GEM" => None,
                    _ => Some(Why::OtherRegistry),
                };
                self.entries.push(Entry {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    line,
                    passed_over,
                    ..Entry::default()
                });
                self.needs.push(Vec::new());
            }
            (6, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE") => match self.needs.last_mut() {
                Some(needs) => needs.push(name),
                None => return false,
            },
            _ => {}
        }
        true
    }

    fn finish(self) -> Result<Lockfile, LockError> {
        let Self { mut entries, needs, asked, folders, .. } = self;
        let asked = asked.ok_or(LockError::Truncated { what: "it has no DEPENDENCIES".to_owned() })?;
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_name.entry(entry.name.clone()).or_default().push(at);
        }
        // Bundler itself is needed by some and never listed.
        let is_missing = |name: &str| name != "bundler" && !by_name.contains_key(name);
        for (entry, names) in entries.iter().zip(&needs) {
            if let Some(name) = names.iter().find(|name| is_missing(name)) {
                let what = format!("{} (line {}) needs {name}, which is not in it", entry.name, entry.line);
                return Err(LockError::Truncated { what });
            }
        }
        // What the project asks for on other platforms than those of the file is not listed either, as long as anything is.
        let left: Vec<&str> = asked.iter().copied().filter(|name| is_missing(name)).collect();
        if !left.is_empty() && asked.iter().all(|name| is_missing(name) || *name == "bundler") {
            return Err(LockError::Truncated { what: format!("it asks for {}, which is not in it", left[0]) });
        }
        let note = || format!("it asks for what it does not have, as for another platform: {}", left.join(", "));
        let notes = (!left.is_empty()).then(note).into_iter().collect();
        let find = |names: &[&str]| -> Vec<usize> {
            names.iter().filter_map(|&name| by_name.get(name)).flatten().copied().collect()
        };
        for (at, names) in needs.iter().enumerate() {
            entries[at].needs = find(names);
        }
        let mut direct = Asked { always: find(&asked), dev: Vec::new() };
        direct.through_own(&entries);
        let needs_nothing = entries.iter().all(|entry| entry.passed_over == Some(Why::Own));
        Ok(Lockfile { needs_nothing, folders, notes, ..lockfile(Ecosystem::RubyGems, entries, Some(&direct)) })
    }
}
