//! `uv.lock`, and `script.py.lock` of a single script. The file has no end of its own, but all that it names must be in
//! it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::graph::{Asked, Entry, lockfile};
use super::lines::LineIndex;
use super::{Format, LockError, Lockfile, Why, python, toml_text};
use crate::model::package::Ecosystem;

pub(super) static FORMAT: Format = Format {
    name: "uv",
    about: "uv.lock of uv, version 1",
    files: &["uv.lock", "*.py.lock"],
    looks_like: |text| {
        let begins = |word: &str| text.lines().take(10).any(|line| line.starts_with(word));
        begins("version = ")
            && begins("requires-python = ")
            && ["package", "distribution", "manifest"].iter().any(|table| toml_text::has_table(text, table))
    },
    reader: read,
};

#[derive(Deserialize)]
struct File {
    version: i64,
    #[serde(default)]
    manifest: Manifest,
    /// Up to uv 0.2 called `distribution`.
    #[serde(default, alias = "distribution")]
    package: Vec<Listed>,
}

/// What stands in no package: the requirements of a script, and groups of a workspace without a package of its own.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Manifest {
    #[serde(default)]
    requirements: Vec<Needed>,
    #[serde(default)]
    dependency_groups: BTreeMap<String, Vec<Needed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    name: Spanned<String>,
    /// Missing where the project computes it.
    version: Option<String>,
    source: Source,
    #[serde(default)]
    dependencies: Vec<Needed>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Needed>>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Vec<Needed>>,
}

#[derive(Deserialize)]
struct Needed {
    name: String,
    /// Where the file has the name in several versions.
    version: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    registry: Option<IgnoredAny>,
    git: Option<IgnoredAny>,
    url: Option<IgnoredAny>,
    path: Option<IgnoredAny>,
}

impl Source {
    fn passed_over(&self) -> Option<Why> {
        match self {
            Self { registry: Some(_), .. } => None,
            Self { git: Some(_), .. } => Some(Why::Git),
            Self { url: Some(_), .. } => Some(Why::Address),
            Self { path: Some(_), .. } => Some(Why::Archive),
            // `virtual`, `editable` and `directory`.
            _ => Some(Why::Own),
        }
    }
}

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file: File = toml_text::read(text, FORMAT.about)?;
    if file.version != 1 {
        return Err(LockError::Version { found: file.version.to_string(), known: "1" });
    }
    let lines = LineIndex::new(text);
    let packages = Packages::new(&file.package);
    let mut entries = file.package.iter().map(|package| entry(package, &lines)).collect::<Result<Vec<_>, _>>()?;
    let mut asked = Asked::default();
    for (at, package) in file.package.iter().enumerate() {
        let by = format!("{} (line {})", entries[at].name, entries[at].line);
        let optional = package.optional_dependencies.values().flatten();
        entries[at].needs = packages.all(package.dependencies.iter().chain(optional), &by)?;
        if entries[at].passed_over == Some(Why::Own) {
            asked.dev.extend(packages.all(package.dev_dependencies.values().flatten(), &by)?);
        }
    }
    asked.always.extend(packages.all(file.manifest.requirements.iter(), "the script")?);
    asked.dev.extend(packages.all(file.manifest.dependency_groups.values().flatten(), "the workspace")?);
    asked.through_own(&entries);
    let is_own = |entry: &Entry| entry.passed_over == Some(Why::Own);
    if !entries.is_empty() && asked.always.is_empty() && asked.dev.is_empty() && !entries.iter().any(is_own) {
        return Err(LockError::Truncated { what: "no project is in it".to_owned() });
    }
    let needs_nothing = !entries.is_empty() && entries.iter().all(is_own);
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::PyPi, entries, Some(&asked)) })
}

fn entry(package: &Listed, lines: &LineIndex) -> Result<Entry, LockError> {
    let line = lines.line(&package.name.span());
    let name = package.name.get_ref().clone();
    let passed_over = package.source.passed_over();
    match &package.version {
        None if passed_over.is_none() => Err(FORMAT.malformed(line, format!("{name} has no version"))),
        version => {
            Ok(Entry { name, version: version.clone().unwrap_or_default(), line, passed_over, ..Entry::default() })
        }
    }
}

/// The packages by their normal names.
struct Packages<'f> {
    list: &'f [Listed],
    by_name: HashMap<String, Vec<usize>>,
}

impl<'f> Packages<'f> {
    fn new(list: &'f [Listed]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, package) in list.iter().enumerate() {
            by_name.entry(python::normal(package.name.get_ref())).or_default().push(at);
        }
        Self { list, by_name }
    }

    fn all<'n>(&self, needed: impl Iterator<Item = &'n Needed>, by: &str) -> Result<Vec<usize>, LockError> {
        let mut found = Vec::new();
        for needed in needed {
            let same = self.by_name.get(&python::normal(&needed.name)).map(Vec::as_slice).unwrap_or_default();
            let fits = |at: &&usize| needed.version.is_none() || self.list[**at].version == needed.version;
            let before = found.len();
            found.extend(same.iter().filter(fits));
            if found.len() == before {
                let version = needed.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
                let what = format!("{by} needs {}{version}, which is not in it", needed.name);
                return Err(LockError::Truncated { what });
            }
        }
        Ok(found)
    }
}
