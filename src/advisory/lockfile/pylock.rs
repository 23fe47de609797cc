//! `pylock.toml` (<https://packaging.python.org/en/latest/specifications/pylock-toml/>). It does not tell what the
//! project itself asks for. The file has no end of its own: cut behind a whole package it looks whole, save where another
//! package needs one that is missing.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::graph::{Entry, lockfile};
use super::lines::LineIndex;
use super::{Format, LockError, Lockfile, Why, python, toml_text};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "pylock",
    about: "pylock.toml of any tool for Python, version 1",
    files: &["pylock.toml", "pylock.*.toml"],
    looks_like: |text| {
        text.lines().take(50).any(|line| line.starts_with("lock-version = "))
            && text.lines().any(|line| line.starts_with("created-by = "))
    },
    reader: read,
};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    lock_version: String,
    #[serde(default)]
    default_groups: Vec<String>,
    /// Empty where nothing is needed, never missing.
    packages: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
struct Listed {
    name: Spanned<String>,
    version: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    dependencies: Vec<Needed>,
    vcs: Option<IgnoredAny>,
    directory: Option<IgnoredAny>,
    archive: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Needed {
    name: Option<String>,
}

impl Listed {
    fn passed_over(&self) -> Option<Why> {
        if self.vcs.is_some() {
            Some(Why::Git)
        } else if self.directory.is_some() {
            Some(Why::Own)
        } else if self.archive.is_some() {
            Some(Why::Address)
        } else {
            self.version.is_none().then_some(Why::Unpinned)
        }
    }

    /// Whether only groups need it that are not installed by default.
    fn is_dev(&self, default_groups: &[String]) -> bool {
        let marker = self.marker.as_deref().unwrap_or_default();
        let groups: Vec<&str> = marker
            .match_indices(" in dependency_groups")
            .filter_map(|(end, _)| marker[..end].strip_suffix(['\'', '"'])?.rsplit(['\'', '"']).next())
            .collect();
        let is_default = |group: &&str| *group == "default" || default_groups.iter().any(|name| name == group);
        !groups.is_empty() && !groups.iter().any(is_default) && !marker.contains(" in extras")
    }
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file: File = toml_text::read(text, FORMAT.about)?;
    if file.lock_version.split('.').next() != Some("1") {
        return Err(LockError::Version { found: file.lock_version, known: "1" });
    }
    let Some(packages) = file.packages else {
        return Err(LockError::Truncated { what: "it has no [[packages]]".to_owned() });
    };
    let lines = LineIndex::new(text);
    let known: HashSet<String> = packages.iter().map(|package| python::normal(package.name.get_ref())).collect();
    let mut entries = Vec::with_capacity(packages.len());
    for package in packages {
        let line = lines.line(&package.name.span());
        let mut names = package.dependencies.iter().filter_map(|needed| needed.name.as_deref());
        if let Some(missing) = names.find(|name| !known.contains(&python::normal(name))) {
            let what = format!("{} (line {line}) needs {missing}, which is not in it", package.name.get_ref());
            return Err(LockError::Truncated { what });
        }
        entries.push(Entry {
            line,
            passed_over: package.passed_over(),
            dev: Some(package.is_dev(&file.default_groups)),
            name: package.name.into_inner(),
            version: package.version.unwrap_or_default(),
            ..Entry::default()
        });
    }
    let needs_nothing = entries.is_empty();
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::PyPi, entries, None) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_that_are_not_installed_by_default_are_dev() {
        for (marker, dev) in [
            ("\"dev\" in dependency_groups", true),
            ("'dev' in dependency_groups or 'test' in dependency_groups", true),
            ("\"dev\" in dependency_groups or \"default\" in dependency_groups", false),
            ("'dev' in dependency_groups or 'cli' in extras", false),
            ("'base' in dependency_groups", false),
            ("sys_platform == 'win32'", false),
        ] {
            let text = format!(
                "lock-version = \"1.0\"\ndefault-groups = [\"base\"]\n[[packages]]\nname = \"a\"\nversion = \"1\"\nmarker = {marker:?}\n"
            );
            let read = FORMAT.read(text.as_bytes()).unwrap();
            assert_eq!(read.packages[0].dev, dev, "{marker}");
        }
    }
}
