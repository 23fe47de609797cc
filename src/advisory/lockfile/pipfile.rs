//! `Pipfile.lock` of pipenv. It does not tell what the project itself asks for.

use super::graph::{Entry, lockfile};
use super::javascript::text;
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, json, python};
use crate::model::package::Ecosystem;
use crate::model::yaml::{Node, Value};

pub(super) static FORMAT: Format = Format {
    name: "pipfile",
    about: "Pipfile.lock of pipenv",
    files: &["Pipfile.lock"],
    looks_like: |text| text.trim_start().starts_with('{') && text.contains("\"pipfile-spec\""),
    reader: read,
};

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file = json::read(text, FORMAT.about)?;
    for key in ["_meta", "default"] {
        if file.get(key).is_none() {
            return Err(FORMAT.malformed(number(file.line), format!("it has no `{key}`")));
        }
    }
    if let Some((key, part)) = file.entries().iter().find(|(_, part)| !matches!(part.value, Value::Map(_))) {
        return Err(FORMAT.malformed(number(part.line), format!("`{key}` is no list of packages by name")));
    }
    // Besides `default` and `develop` there are categories of the project's own.
    let categories = file.entries().iter().filter(|(category, _)| category != "_meta");
    let each = categories.flat_map(|(category, list)| list.entries().iter().map(move |package| (category, package)));
    let entries: Vec<Entry> =
        each.map(|(category, (name, package))| entry(name, package, category == "develop")).collect();
    let needs_nothing = entries.is_empty();
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::PyPi, entries, None) })
}

fn entry(name: &str, package: &Node, dev: bool) -> Entry {
    let has = |keys: &[&str]| keys.iter().any(|key| package.get(key).is_some());
    let address = text(package, "file").or(text(package, "path")).unwrap_or_default();
    let version = text(package, "version").and_then(|version| version.strip_prefix("==")).map(str::trim);
    let version = version.map(|version| version.trim_start_matches('='));
    let passed_over = if has(&["git", "hg", "svn", "bzr"]) {
        Some(Why::Git)
    } else if !address.starts_with("http") && python::is_archive(address) {
        Some(Why::Archive)
    } else if has(&["path"]) || (has(&["file"]) && !address.starts_with("http")) {
        Some(Why::Own)
    } else if has(&["file"]) {
        Some(Why::Address)
    } else {
        version.is_none_or(|version| version.contains('*')).then_some(Why::Unpinned)
    };
    Entry {
        name: name.to_owned(),
        version: version.unwrap_or_default().to_owned(),
        line: number(package.line),
        passed_over,
        dev: Some(dev),
        ..Entry::default()
    }
}
