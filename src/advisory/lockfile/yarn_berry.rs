//! `yarn.lock` of Yarn 2 and later, which is YAML. It tells what each project of the workspace asks for, not what of it
//! is needed only to develop. The file has no end of its own, but all that its packages need must be in it.

use std::collections::HashMap;

use super::graph::{Asked, Entry, lockfile};
use super::javascript::{folder, from_elsewhere, name_and_rest, text};
use super::lines::number;
use super::{LockError, Lockfile, Why, yaml_text};
use crate::model::package::Ecosystem;
use crate::model::yaml::Node;

const EXPECTED: &str = "yarn.lock of Yarn 2 and later";

fn malformed(line: u32, what: impl Into<String>) -> LockError {
    LockError::Malformed { expected: EXPECTED, line, what: what.into() }
}

pub(super) fn looks_like(text: &str) -> bool {
    text.lines().take(20).any(|line| line.trim_end() == "__metadata:")
}

pub(super) fn read(text: &str) -> Result<Lockfile, LockError> {
    let documents = yaml_text::read(text, EXPECTED)?;
    let [file] = &documents[..] else {
        return Err(malformed(1, "one YAML document was expected"));
    };
    let listed: Vec<&(String, Node)> = file.entries().iter().filter(|(key, _)| key != "__metadata").collect();
    let mut entries = listed.iter().map(|(key, package)| entry(key, package)).collect::<Result<Vec<Entry>, _>>()?;
    let finder = Finder::new(&listed);
    for (at, (_, package)) in listed.iter().enumerate() {
        entries[at].needs = finder.needed(package)?;
    }
    if !entries.iter().any(|entry| entry.passed_over == Some(Why::Own)) {
        return Err(LockError::Truncated { what: "no project of the workspace is in it".to_owned() });
    }
    let needs_nothing = entries.iter().all(|entry| entry.passed_over == Some(Why::Own));
    let mut asked = Asked::default();
    asked.through_own(&entries);
    let resolutions = listed.iter().filter_map(|(_, package)| name_and_rest(package.get("resolution")?.text()?));
    let folders = resolutions.filter_map(|(_, source)| folder(source)).collect();
    Ok(Lockfile { needs_nothing, folders, ..lockfile(Ecosystem::Npm, entries, Some(&asked)) })
}

/// A package, by its resolution such as `ms@npm:2.0.0`, `cart@workspace:packages/cart` or, changed by the project
/// or by Yarn itself, `fsevents@patch:fsevents@npm%3A2.3.2#builtin<compat/fsevents>`.
fn entry(key: &str, package: &Node) -> Result<Entry, LockError> {
    let incomplete =
        |what: &str| LockError::Truncated { what: format!("{key:?} (line {}) has no {what}", package.line) };
    let resolution = text(package, "resolution").ok_or_else(|| incomplete("resolution"))?;
    let version = text(package, "version").ok_or_else(|| incomplete("version"))?;
    let (name, source) = name_and_rest(resolution).unwrap_or((resolution, ""));
    let patched = source.strip_prefix("patch:").and_then(name_and_rest);
    let source = patched.map_or(source, |(_, source)| source);
    let why = match source.split([':', '%']).next() {
        Some("npm") => None,
        Some("virtual") => return Err(malformed(number(package.line), "a virtual package stands in it")),
        _ => Some(from_elsewhere(source).unwrap_or(Why::Address)),
    };
    Ok(Entry {
        name: patched.map_or(name, |(name, _)| name).to_owned(),
        version: version.to_owned(),
        line: number(package.line),
        passed_over: why,
        ..Entry::default()
    })
}

/// Finds packages by what asks for them.
struct Finder<'n> {
    /// By each `name@range` of their keys.
    asked_as: HashMap<&'n str, usize>,
    by_name: HashMap<&'n str, Vec<usize>>,
}

impl<'n> Finder<'n> {
    fn new(listed: &[&'n (String, Node)]) -> Self {
        let mut finder = Self { asked_as: HashMap::new(), by_name: HashMap::new() };
        for (at, (key, _)) in listed.iter().enumerate() {
            for asked in key.split(", ") {
                finder.asked_as.insert(asked, at);
                let name = name_and_rest(asked).map_or(asked, |(name, _)| name);
                finder.by_name.entry(name).or_default().push(at);
            }
        }
        finder
    }

    fn needed(&self, package: &Node) -> Result<Vec<usize>, LockError> {
        let mut needed = Vec::new();
        for (name, range) in package.get("dependencies").map(Node::entries).unwrap_or_default() {
            let wanted = range.text().unwrap_or_default();
            let keys = [format!("{name}@{wanted}"), format!("{name}@npm:{wanted}")];
            let exact = keys.iter().find_map(|key| self.asked_as.get(key.as_str()));
            // `resolutions` and catalogs give a package another range than the one that is asked for.
            match (exact, self.by_name.get(name.as_str())) {
                (Some(&at), _) => needed.push(at),
                (None, Some(same)) => needed.extend(same),
                (None, None) => {
                    let what = format!("line {} needs {name}, which is not in it", range.line);
                    return Err(LockError::Truncated { what });
                }
            }
        }
        Ok(needed)
    }
}
