//! `yarn.lock` of Yarn 1, a format of its own. It does not tell what the project itself asks for, nor what is needed
//! only to develop. The file has no end of its own, but all that its packages need must be in it.

use std::collections::HashMap;

use super::graph::{Entry, lockfile};
use super::javascript::{from_elsewhere, name_and_rest};
use super::lines::{ended, number};
use super::{LockError, Lockfile, Why};
use crate::model::package::Ecosystem;

const EXPECTED: &str = "yarn.lock of Yarn";

pub(super) fn looks_like(text: &str) -> bool {
    text.lines().take(10).any(|line| line.trim_end() == "# yarn lockfile v1")
}

fn malformed(line: u32, what: impl Into<String>) -> LockError {
    LockError::Malformed { expected: EXPECTED, line, what: what.into() }
}

/// A package with what asks for it, each as `name@range`.
struct Block {
    line: u32,
    asked_as: Vec<String>,
    version: Option<String>,
    resolved: String,
    /// `name@range` of each package that it needs.
    needs: Vec<String>,
}

pub(super) fn read(text: &str) -> Result<Lockfile, LockError> {
    if !looks_like(text) {
        return Err(malformed(1, "neither `# yarn lockfile v1` nor `__metadata:` is in it"));
    }
    ended(text)?;
    let blocks = blocks(text)?;
    let mut entries = blocks.iter().map(entry).collect::<Result<Vec<Entry>, LockError>>()?;
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, block) in blocks.iter().enumerate() {
        for asked in &block.asked_as {
            known.insert(asked, at);
            by_name.entry(name_and_rest(asked).map_or(asked, |(name, _)| name)).or_default().push(at);
        }
    }
    for (at, block) in blocks.iter().enumerate() {
        for needed in &block.needs {
            // `resolutions` of package.json give a package another range than the one that is asked for.
            let name = name_and_rest(needed).map_or(needed.as_str(), |(name, _)| name);
            match (known.get(needed.as_str()), by_name.get(name)) {
                (Some(&needed), _) => entries[at].needs.push(needed),
                (None, Some(same)) => entries[at].needs.extend(same),
                (None, None) => {
                    let what = format!("{} (line {}) needs {needed}, which is not in it", entries[at].name, block.line);
                    return Err(LockError::Truncated { what });
                }
            }
        }
    }
    Ok(lockfile(Ecosystem::Npm, entries, None))
}

fn blocks(text: &str) -> Result<Vec<Block>, LockError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut in_needs = false;
    for (at, line) in text.lines().enumerate() {
        let line_number = number(at + 1);
        let code = line.trim();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        let unknown = || malformed(line_number, format!("{code:?} is no line of a yarn.lock"));
        let (words, opens) = words(code).ok_or_else(unknown)?;
        let depth = line.len() - line.trim_start().len();
        match (depth, blocks.last_mut(), &words[..], opens) {
            (0, _, _, true) => {
                blocks.push(Block {
                    line: line_number,
                    asked_as: words,
                    version: None,
                    resolved: String::new(),
                    needs: Vec::new(),
                });
            }
            (2, Some(_), [key], true) => in_needs = key == "dependencies" || key == "optionalDependencies",
            (2, Some(block), [key, value], false) => match key.as_str() {
                "version" => block.version = Some(value.clone()),
                "resolved" => value.clone_into(&mut block.resolved),
                _ => {}
            },
            (4, Some(block), [name, range], false) if in_needs => block.needs.push(format!("{name}@{range}")),
            (4, Some(_), _, false) => {}
            _ => return Err(unknown()),
        }
    }
    Ok(blocks)
}

/// The words of a line, with or without quotes, and whether a colon ends it.
fn words(code: &str) -> Option<(Vec<String>, bool)> {
    let (mut rest, opens) = code.strip_suffix(':').map_or((code, false), |rest| (rest, true));
    let mut words = Vec::new();
    while !rest.is_empty() {
        let end = if rest.starts_with('"') {
            let is_end = |&(at, _): &(usize, &str)| !rest[..at].ends_with('\\');
            rest.match_indices('"').skip(1).find(is_end)?.0 + 1
        } else {
            rest.find([' ', ',']).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        words.push(if word.starts_with('"') { serde_json::from_str(word).ok()? } else { word.to_owned() });
        rest = after.trim_start_matches([' ', ',']);
    }
    Some((words, opens))
}

fn entry(block: &Block) -> Result<Entry, LockError> {
    let asked = block.asked_as.first().map(String::as_str).unwrap_or_default();
    let Some(version) = block.version.clone() else {
        return Err(LockError::Truncated { what: format!("{asked} (line {}) has no version", block.line) });
    };
    let (name, range) = name_and_rest(asked).unwrap_or((asked, ""));
    let alias = range.strip_prefix("npm:").map(|real| name_and_rest(real).map_or(real, |(name, _)| name));
    let why = if block.resolved.is_empty() {
        from_elsewhere(range).or_else(|| range.starts_with(['.', '/']).then_some(Why::Own))
    } else {
        from_elsewhere(&block.resolved)
    };
    let name = alias.unwrap_or(name).to_owned();
    Ok(Entry { name, version, line: block.line, passed_over: why, ..Entry::default() })
}
