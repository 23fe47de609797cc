//! Node: the scripts `lint` and `test` of package.json, by the package manager the repository uses, in the root or
//! one level into its workspaces.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::gate::DetectedGate;
use super::{DetectError, Found, Look, clean, inside, manifest};
use crate::model::path::RepoPath;
use crate::model::settings::CommandLine;

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
const SCRIPTS: [&str; 2] = ["lint", "test"];

/// Looks for package.json. A script of the root stands for the same script of every workspace.
pub(super) fn detect(look: &dyn Look, dir: &str) -> Result<Option<Found>, DetectError> {
    let Some(package) = package(look, dir)? else { return Ok(None) };
    let manager = manager(look, dir, &package);
    let root = Place { look, root: dir, dir, manager };
    let mut found = Found::default();
    let members = members(look, dir, &package)?;
    for script in SCRIPTS {
        if package.scripts.contains_key(script) {
            root.gate(script, &package, &mut found);
            continue;
        }
        for (dir, member) in &members {
            Place { dir, ..root }.gate(script, member, &mut found);
        }
    }
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

/// The packages of the workspaces, one level deep: `packages/*` and plain folders.
fn members(look: &dyn Look, dir: &str, package: &Package) -> Result<Vec<(String, Package)>, DetectError> {
    let listed = package.workspaces.get("packages").unwrap_or(&package.workspaces);
    let mut patterns: Vec<String> =
        listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(text) = manifest(look, &inside(dir, "pnpm-workspace.yaml"))? {
        patterns.extend(pnpm_packages(&text));
    }
    // A pattern that leads out of the repository is not followed.
    patterns.retain(|pattern| RepoPath::parse(pattern).is_ok());
    let mut folders = Vec::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        match pattern.trim_end_matches("/**").trim_end_matches("/*") {
            _ if pattern.starts_with('!') => {}
            "*" | "**" => folders.extend(look.folders(dir)),
            parent if parent.contains('*') => {}
            folder if folder == pattern => folders.push(folder.to_owned()),
            parent => folders.extend(look.folders(&inside(dir, parent)).into_iter().map(|name| inside(parent, &name))),
        }
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
    Ok(members)
}

/// The list under `packages:` of a pnpm-workspace.yaml: one quoted or plain pattern a line.
fn pnpm_packages(text: &str) -> Vec<String> {
    let list = text.lines().skip_while(|line| line.trim_end() != "packages:").skip(1);
    let items = list.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let items = items.map_while(|line| line.strip_prefix("- "));
    items.map(|item| item.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()).collect()
}

/// Whether a script cannot fail, as it says words at most.
fn is_idle(text: &str) -> bool {
    let plain = !text.contains(['|', '$', '`', '>', '<', '(']);
    plain
        && text.split(['&', ';']).map(str::trim).filter(|part| !part.is_empty()).all(|part| {
            let mut words = part.split_whitespace();
            match words.next() {
                Some("exit") => words.next().is_none_or(|status| status == "0"),
                Some(first) => matches!(first, "true" | ":" | "echo" | "printf"),
                None => true,
            }
        })
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
    /// Makes the gate of a script, or says why it is none.
    fn gate(&self, script: &str, package: &Package, found: &mut Found) {
        let Some(text) = package.scripts.get(script).and_then(Value::as_str) else { return };
        let seen = format!("{} with the script `{script}`", inside(self.dir, "package.json"));
        if text.trim().is_empty() || text.contains("no test specified") {
            found.notes.push(format!("{seen} makes no gate: it is npm's placeholder"));
            return;
        }
        if is_idle(text) {
            found.notes.push(format!("{seen} makes no gate: it does nothing (`{text}`)"));
            return;
        }
        if script == "lint"
            && let Some(gate) = self.eslint(text, &seen, package)
        {
            found.gates.push(gate);
            return;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.iter().any(|word| matches!(*word, "--watch" | "--watchAll" | "--watch-all")) {
            found.notes.push(format!("{seen} makes no gate: it watches and never ends"));
        } else if words.iter().any(|word| matches!(*word, "--fix" | "--write")) {
            found.notes.push(format!("{seen} makes no gate: it changes files"));
        } else {
            let argv = [self.manager, "run", script];
            // Create React App watches unless it is told that nobody is there.
            let command = if text.contains("react-scripts test") {
                CommandLine::Shell(format!("CI=true {}", argv.join(" ")))
            } else {
                CommandLine::Argv(argv.map(str::to_owned).to_vec())
            };
            found.gates.push(DetectedGate::by_exit_status(script, self.dir, command, seen));
        }
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
        let gate = DetectedGate::lint(self.dir, command, "eslint", format!("{seen}; eslint is installed"));
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

    #[test]
    fn a_script_that_only_says_words_is_no_gate() {
        for idle in ["echo no tests yet", "true", ":", "exit 0", "echo a; true"] {
            assert!(is_idle(idle), "{idle}");
        }
        for script in
            ["jest", "echo a && jest", "exit 1", "echo $(jest)", "echo a | jest", "echo \"a; jest\"", "true || x"]
        {
            assert!(!is_idle(script), "{script}");
        }
    }

    #[test]
    fn pnpm_lists_its_packages() {
        let text =
            "# top\npackages:\n  # all\n  - 'packages/*'\n  - \"apps/*\" # ours\n\n  - tools\ncatalog:\n  - no\n";
        assert_eq!(pnpm_packages(text), ["packages/*", "apps/*", "tools"]);
    }
}
