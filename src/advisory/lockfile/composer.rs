//! `composer.lock`. It does not tell what the project itself asks for.

use super::graph::{Entry, lockfile};
use super::javascript::text;
use super::lines::number;
use super::{Format, LockError, Lockfile, Why, json};
use crate::model::package::Ecosystem;
use crate::model::yaml::{Node, Value};

pub(super) static FORMAT: Format = Format {
    name: "composer",
    about: "composer.lock of Composer",
    files: &["composer.lock"],
    looks_like: |text| {
        text.trim_start().starts_with('{') && (text.contains("\"packages-dev\"") || text.contains("\"content-hash\""))
    },
    reader: read,
};

fn read(text: &str) -> Result<Lockfile, LockError> {
    let file = json::read(text, FORMAT.about)?;
    let list = |key: &str| match file.get(key).map(|list| (&list.value, list.line)) {
        Some((Value::List(packages), _)) => Ok(packages.as_slice()),
        None | Some((Value::Null, _)) if key != "packages" => Ok(&[][..]),
        None => Err(FORMAT.malformed(number(file.line), format!("it has no `{key}`"))),
        Some((_, line)) => Err(FORMAT.malformed(number(line), format!("`{key}` is no list"))),
    };
    let (packages, dev) = (list("packages")?, list("packages-dev")?);
    let all = packages.iter().map(|package| (package, false)).chain(dev.iter().map(|package| (package, true)));
    let entries = all.map(|(package, dev)| entry(package, dev)).collect::<Result<Vec<Entry>, _>>()?;
    let needs_nothing = entries.is_empty();
    Ok(Lockfile { needs_nothing, ..lockfile(Ecosystem::Packagist, entries, None) })
}

fn entry(package: &Node, dev: bool) -> Result<Entry, LockError> {
    let (Some(name), Some(version)) = (text(package, "name"), text(package, "version")) else {
        return Err(FORMAT.malformed(number(package.line), "a package has no name or no version"));
    };
    let line = package.get("name").map_or(package.line, |name| name.line);
    let is_folder = package.get("dist").and_then(|dist| text(dist, "type")) == Some("path");
    // A branch, at some commit of it.
    let is_branch = version.starts_with("dev-") || version.ends_with("-dev");
    let passed_over = if is_folder { Some(Why::Own) } else { is_branch.then_some(Why::Git) };
    Ok(Entry {
        name: name.to_owned(),
        version: version.to_owned(),
        line: number(line),
        passed_over,
        dev: Some(dev),
        ..Entry::default()
    })
}
