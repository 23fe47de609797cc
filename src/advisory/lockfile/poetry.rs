//! `poetry.lock`. It does not tell what the project itself asks for. What it says of itself comes after its packages, so
//! that no cut loses one unseen.

use serde::Deserialize;
use toml::Spanned;

use super::graph::{Entry, lockfile};
use super::lines::LineIndex;
use super::{Format, LockError, Lockfile, Why, toml_text};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "poetry",
    about: "poetry.lock of Poetry",
    files: &["poetry.lock"],
    looks_like: |text| {
        toml_text::has_table(text, "metadata")
            && text.lines().any(|line| line.starts_with("content-hash = "))
            && text.lines().any(|line| line.starts_with("python-versions = "))
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
#[serde(rename_all = "kebab-case")]
struct Metadata {
    /// Missing before Poetry 1.0.
    lock_version: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: Spanned<String>,
    version: String,
    /// Of a package that is only needed to develop, up to lock version 2.0.
    category: Option<String>,
    /// The dependency groups that need it, from lock version 2.1; `main` is no such group.
    groups: Option<Vec<String>>,
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    r#type: String,
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file: File = toml_text::read(text, FORMAT.about)?;
    let metadata = file.metadata.ok_or_else(|| LockError::Truncated { what: "it has no [metadata]".to_owned() })?;
    if let Some(found) = metadata.lock_version.filter(|version| !version.starts_with(['1', '2'])) {
        return Err(LockError::Version { found, known: "1 and 2" });
    }
    let lines = LineIndex::new(text);
    let entries: Vec<Entry> = file.package.into_iter().map(|package| entry(package, &lines)).collect();
    let needs_nothing = entries.is_empty();
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::PyPi, entries, None) })
}

fn entry(package: Listed, lines: &LineIndex) -> Entry {
    let passed_over = match package.source.as_ref().map(|source| source.r#type.as_str()) {
        // `legacy` is an index of packages, most often a mirror.
        None | Some("legacy") => None,
        Some("git") => Some(Why::Git),
        Some("directory") => Some(Why::Own),
        Some("file") => Some(Why::Archive),
        Some(_) => Some(Why::Address),
    };
    let of_groups =
        package.groups.is_some_and(|groups| !groups.is_empty() && !groups.iter().any(|name| name == "main"));
    Entry {
        line: lines.line(&package.name.span()),
        name: package.name.into_inner(),
        version: package.version,
        passed_over,
        dev: Some(of_groups || package.category.as_deref() == Some("dev")),
        ..Entry::default()
    }
}
