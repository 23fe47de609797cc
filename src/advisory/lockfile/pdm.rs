//! `pdm.lock`. It does not tell what the project itself asks for. Newer files have no end of their own: of a cut it is
//! seen when a package is missing that another needs.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::graph::{Entry, lockfile};
use super::lines::LineIndex;
use super::{Format, LockError, Lockfile, Why, python, toml_text};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "pdm",
    about: "pdm.lock of PDM",
    files: &["pdm.lock"],
    looks_like: |text| {
        toml_text::has_table(text, "metadata")
            && text.lines().any(|line| line.starts_with("lock_version = ") || line.starts_with("content_hash = "))
    },
    reader: read,
};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    package: Vec<Listed>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    lock_version: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: Spanned<String>,
    version: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    git: Option<IgnoredAny>,
    hg: Option<IgnoredAny>,
    url: Option<String>,
    path: Option<String>,
}

impl Listed {
    fn passed_over(&self) -> Option<Why> {
        if self.git.is_some() || self.hg.is_some() {
            Some(Why::Git)
        } else if let Some(path) = self.path.as_deref().or(self.url.as_deref().filter(|url| url.starts_with("file:"))) {
            Some(if python::is_archive(path) { Why::Archive } else { Why::Own })
        } else if self.url.is_some() {
            Some(Why::Address)
        } else {
            self.version.is_none().then_some(Why::Unpinned)
        }
    }
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file: File = toml_text::read(text, FORMAT.about)?;
    let metadata = file.metadata.ok_or_else(|| LockError::Truncated { what: "it has no [metadata]".to_owned() })?;
    if let Some(found) = metadata.lock_version.filter(|version| !version.starts_with(['2', '3', '4'])) {
        return Err(LockError::Version { found, known: "2 to 4" });
    }
    let lines = LineIndex::new(text);
    let known: HashSet<String> = file.package.iter().map(|package| python::normal(package.name.get_ref())).collect();
    let mut entries = Vec::with_capacity(file.package.len());
    for package in file.package {
        let line = lines.line(&package.name.span());
        // What is needed on some machines only may rightly be missing.
        let sure = package.dependencies.iter().filter(|needed| !needed.contains(';'));
        let mut names = sure.filter_map(|needed| python::name(needed));
        if let Some((missing, _)) = names.find(|(name, _)| !known.contains(&python::normal(name))) {
            let what = format!("{} (line {line}) needs {missing}, which is not in it", package.name.get_ref());
            return Err(LockError::Truncated { what });
        }
        entries.push(Entry {
            line,
            passed_over: package.passed_over(),
            // A group may also be an extra of the project: only the name that PDM itself gives says what it is for.
            dev: Some(!package.groups.is_empty() && package.groups.iter().all(|group| group == "dev")),
            name: package.name.into_inner(),
            version: package.version.unwrap_or_default(),
            ..Entry::default()
        });
    }
    let needs_nothing = entries.is_empty();
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::PyPi, entries, None) })
}
