//! Node: the scripts `lint` and `test` of package.json, by the package manager the repository uses, in the root or
//! one level into its workspaces.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::gate::DetectedGate;
use super::{DetectError, Found, Look, Lost, clean, inside, manifest};
use crate::model::path::RepoPath;
use crate::model::settings::CommandLine;
use crate::model::text;
use crate::model::yaml::{self, Node, YamlError};

/// What is read of a package.json.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Package {
    scripts: BTreeMap<String, Value>,
    #[serde(rename = "packageManager")]
    pub(super) manager: Option<String>,
    pub(super) workspaces: Value,
    pub(super) dependencies: BTreeMap<String, Value>,
    pub(super) dev_dependencies: BTreeMap<String, Value>,
}

/// Lock files, and the package manager that writes them.
pub(super) const LOCKS: &[(&str, &str)] = &[
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
];

/// The scripts that are gates.
pub const SCRIPTS: &[&str] = &["lint", "test"];

/// Looks for package.json. A script of the root that makes a gate stands for the same script of every workspace.
pub(super) fn detect(look: &dyn Look, dir: &str) -> Result<Option<Found>, DetectError> {
    let Some(package) = package(look, dir)? else { return Ok(None) };
    let manager = manager(look, dir, &package);
    let root = Place { look, root: dir, dir, manager };
    let mut found = Found::default();
    let (members, not_followed) = members(look, dir, &package)?;
    let mut looked_into = false;
    for script in SCRIPTS {
        if root.gate(script, &package, &mut found) {
            continue;
        }
        looked_into = true;
        for (dir, member) in &members {
            Place { dir, ..root }.gate(script, member, &mut found);
        }
    }
    found.notes.extend(not_followed.into_iter().filter(|_| looked_into));
    let installed = look.has(&inside(dir, "node_modules")) || look.has(&inside(dir, ".pnp.cjs"));
    let needs = !(package.dependencies.is_empty() && package.dev_dependencies.is_empty());
    if needs && !installed && !found.gates.is_empty() {
        let path = inside(dir, "node_modules");
        found
            .notes
            .push(format!("{path} is missing: run `{manager} install` first, or the scripts may not find their tools"));
    }
    Ok(Some(found))
}

pub(super) fn package(look: &dyn Look, dir: &str) -> Result<Option<Package>, DetectError> {
    let path = inside(dir, "package.json");
    let Some(text) = manifest(look, &path)? else { return Ok(None) };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    serde_json::from_str(text)
        .map(Some)
        .map_err(|error| DetectError::Manifest { path, what: format!("is no package.json: {error}") })
}

/// The manager that `packageManager` names (`pnpm@9.1.0`), else the one whose lock file is there, else npm.
pub(super) fn manager(look: &dyn Look, dir: &str, package: &Package) -> &'static str {
    let named = package.manager.as_deref().and_then(|named| named.split('@').next());
    let by_name = LOCKS.iter().find(|(_, manager)| Some(*manager) == named);
    let by_lock = || LOCKS.iter().find(|(lock, _)| look.has(&inside(dir, lock)));
    by_name.or_else(by_lock).map_or("npm", |(_, manager)| manager)
}

/// The packages of the workspaces, each with its folder.
type Members = Vec<(String, Package)>;

/// The packages of the workspaces, and what is to be said of patterns that were not followed to their end.
fn members(look: &dyn Look, dir: &str, package: &Package) -> Result<(Members, Vec<String>), DetectError> {
    let listed = package.workspaces.get("packages").unwrap_or(&package.workspaces);
    let mut patterns: Vec<String> =
        listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let path = inside(dir, "pnpm-workspace.yaml");
    if let Some(text) = manifest(look, &path)? {
        match yaml::read(&text) {
            Ok(tree) => {
                let listed = tree.get("packages").map(Node::texts).unwrap_or_default();
                patterns.extend(listed.into_iter().map(str::to_owned));
            }
            // Nothing but words.
            Err(YamlError::Documents(0)) => {}
            Err(error) => return Err(DetectError::Manifest { path, what: format!("is no YAML: {error}") }),
        }
    }
    let (mut folders, mut notes) = (Vec::new(), Vec::new());
    let is_member = |pattern: &&String| !pattern.starts_with('!') && !matches!(pattern.as_str(), "." | "./");
    for pattern in patterns.iter().filter(is_member) {
        let followed = follow(look, dir, pattern);
        folders.extend(followed.folders);
        notes.extend(followed.not.map(|why| {
            let pattern = text::one_line(pattern, 80);
            format!("the workspaces `{pattern}` {why}: packages there may have scripts that no gate runs")
        }));
    }
    folders.sort();
    folders.dedup();
    folders.retain(|folder| clean(folder) && !folder.split('/').any(|part| part == "node_modules"));
    let mut members = Vec::new();
    for folder in folders.into_iter().map(|folder| inside(dir, &folder)) {
        if let Some(member) = self::package(look, &folder)? {
            members.push((folder, member));
        }
    }
    Ok((members, notes))
}

/// Where a pattern of workspaces leads.
#[derive(Default)]
struct Followed {
    folders: Vec<String>,
    /// Why there may be more.
    not: Option<&'static str>,
}

/// Follows plain names and stars, part by part; a double star one level deep.
fn follow(look: &dyn Look, dir: &str, pattern: &str) -> Followed {
    let Ok(path) = RepoPath::parse(pattern) else {
        return Followed { not: Some("are not followed out of the repository"), ..Followed::default() };
    };
    let mut followed = Followed { folders: vec![String::new()], not: None };
    for part in path.as_str().split('/') {
        let star = part.split_once('*').filter(|_| part != "**");
        if part.contains(['{', '[', '?', '(']) || star.is_some_and(|(_, end)| end.contains('*')) {
            return Followed { not: Some("are a pattern that is not followed"), ..Followed::default() };
        }
        if part == "**" {
            followed.not = Some("are followed one level deep");
        }
        let step = |folder: String| match (part, star) {
            ("**", _) => below(look, dir, &folder, |_| true),
            (_, Some((begin, end))) => below(look, dir, &folder, |name| {
                name.len() >= part.len() - 1 && name.starts_with(begin) && name.ends_with(end)
            }),
            (name, None) => vec![inside(&folder, name)],
        };
        followed.folders = followed.folders.into_iter().flat_map(step).collect();
    }
    followed
}

/// The folders in a folder, both relative to `dir`, whose names are wanted.
fn below(look: &dyn Look, dir: &str, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let here = if folder.is_empty() { dir.to_owned() } else { inside(dir, folder) };
    let names = look.folders(&here).into_iter().filter(|name| wanted(name) && !name.starts_with('.'));
    names.map(|name| inside(folder, &name)).collect()
}

/// Why a script judges nothing.
fn no_gate(text: &str, lost: Option<&Lost>) -> Option<String> {
    if text.trim().is_empty() || text.contains("no test specified") {
        return Some("it is npm's placeholder".to_owned());
    }
    lost.filter(|lost| lost.all).map(|lost| lost.why.clone())
}

/// Why a script is for somebody who sits before it.
fn is_for_people(text: &str) -> Option<&'static str> {
    let has = |flags: &[&str]| text.split_whitespace().any(|word| flags.contains(&word));
    if has(&["--watch", "--watchAll", "--watch-all"]) {
        Some("it watches and never ends")
    } else {
        has(&["--fix", "--write"]).then_some("it changes files")
    }
}

/// One package.
#[derive(Clone, Copy)]
struct Place<'a> {
    look: &'a dyn Look,
    root: &'a str,
    dir: &'a str,
    manager: &'static str,
}

impl Place<'_> {
    /// Makes the gate of a script, or says why it is none; gives whether it made one.
    fn gate(&self, script: &str, package: &Package, found: &mut Found) -> bool {
        let Some(text) = package.scripts.get(script).and_then(Value::as_str) else { return false };
        let seen = format!("{} with the script `{script}`", inside(self.dir, "package.json"));
        let lost = self.look.lost(self.dir, script);
        if let Some(why) = no_gate(text, lost.as_ref()) {
            found.notes.push(format!("{seen} makes no gate: {why}"));
            return false;
        }
        // A part of it may be lost all the same.
        found.notes.extend(lost.map(|lost| format!("{seen} is judged in part: {}", lost.why)));
        if script == "lint"
            && let Some(gate) = self.eslint(text, &seen, package)
        {
            found.gates.push(gate);
            return true;
        }
        if let Some(why) = is_for_people(text) {
            found.notes.push(format!("{seen} makes no gate: {why}"));
            return false;
        }
        let argv = [self.manager, "run", script];
        // Create React App watches unless it is told that nobody is there.
        let command = if text.contains("react-scripts test") {
            CommandLine::Shell(format!("CI=true {}", argv.join(" ")))
        } else {
            CommandLine::Argv(argv.map(str::to_owned).to_vec())
        };
        found.gates.push(DetectedGate::by_exit_status(script, self.dir, command, seen));
        true
    }

    /// A script that is a plain call of an ESLint installed here, with a report for machines in place of its own.
    fn eslint(&self, text: &str, seen: &str, package: &Package) -> Option<DetectedGate> {
        if package.scripts.contains_key("prelint") || package.scripts.contains_key("postlint") {
            return None;
        }
        let call = plain_eslint(text)?;
        let depth =
            self.dir.strip_prefix(self.root).unwrap_or(self.dir).split('/').filter(|part| !part.is_empty()).count();
        let here = ("node_modules/.bin/eslint".to_owned(), inside(self.dir, "node_modules/.bin/eslint"));
        let above =
            (format!("{}node_modules/.bin/eslint", "../".repeat(depth)), inside(self.root, "node_modules/.bin/eslint"));
        let (program, _) = [here, above].into_iter().find(|(_, path)| self.look.has(path))?;
        let command = CommandLine::Shell(format!("{program} {} --format json", call.arguments));
        let gate = DetectedGate::lint(self.dir, command, "eslint", format!("{seen}; eslint is a dependency"));
        Some(if call.warnings_fail { gate } else { gate.errors_block() })
    }
}

struct Eslint {
    arguments: String,
    /// `--max-warnings 0`: the tool itself fails on a warning.
    warnings_fail: bool,
}

/// Reads `eslint …` without shell operators, an output format of its own, or a number of tolerated warnings. What
/// would change files is left out.
fn plain_eslint(text: &str) -> Option<Eslint> {
    if text.contains(['&', '|', ';', '<', '>', '$', '`', '(', ')', '\\', '#']) || text.contains(char::is_control) {
        return None;
    }
    let mut words = text.split_whitespace().peekable();
    words.next_if_eq(&"npx");
    words.next_if_eq(&"eslint")?;
    let mut kept = Vec::new();
    let mut warnings_fail = false;
    while let Some(word) = words.next() {
        match word {
            "--fix" | "--fix-dry-run" => {}
            "--max-warnings=0" => warnings_fail = true,
            "--max-warnings" if words.next_if_eq(&"0").is_some() => warnings_fail = true,
            "-f" | "-o" => return None,
            word if ["--max-warnings", "--format", "--output-file", "--quiet", "--init"]
                .iter()
                .any(|option| word.starts_with(option)) =>
            {
                return None;
            }
            word => kept.push(word),
        }
    }
    Some(Eslint { arguments: if kept.is_empty() { ".".to_owned() } else { kept.join(" ") }, warnings_fail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_calls_of_eslint_get_a_report() {
        let call = |text| plain_eslint(text).map(|call| (call.arguments, call.warnings_fail));
        assert_eq!(call("eslint"), Some((".".to_owned(), false)));
        assert_eq!(
            call("npx eslint --fix 'src/**/*.js' --ext .ts"),
            Some(("'src/**/*.js' --ext .ts".to_owned(), false))
        );
        assert_eq!(call("eslint . --max-warnings 0"), Some((".".to_owned(), true)));
        assert_eq!(call("eslint . --max-warnings=0"), Some((".".to_owned(), true)));
        for text in [
            "eslint . && tsc",
            "standard",
            "eslint . --format stylish",
            "eslint . -f unix",
            "eslint . --max-warnings 5",
            "eslint . --max-warnings=50",
            "eslint $FILES",
            "tseslint .",
            "NODE_ENV=x eslint .",
        ] {
            assert_eq!(call(text), None, "{text}");
        }
    }
}
