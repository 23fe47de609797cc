//! Packages of Node, by the manager that the gates use; with a lock file as that says.

use std::collections::BTreeSet;

use super::super::node::{LOCKS, manager, package};
use super::super::{Look, inside};
use super::{Missing, name, upward};
use crate::model::install::Install;

/// How a manager comes to the runner, and installs.
struct Manager {
    name: &'static str,
    /// What makes it a program there, where it is none.
    set_up: Option<&'static str>,
    /// With a lock file.
    locked: &'static str,
    /// Without one; managers that see a CI would otherwise refuse.
    free: &'static str,
}

const MANAGERS: &[Manager] = &[
    Manager { name: "npm", set_up: None, locked: "npm ci", free: "npm install --no-audit --no-fund" },
    Manager {
        name: "pnpm",
        set_up: Some("corepack enable"),
        locked: "pnpm install --frozen-lockfile",
        free: "pnpm install --no-frozen-lockfile",
    },
    Manager {
        name: "yarn",
        set_up: Some("corepack enable"),
        locked: "yarn install --frozen-lockfile",
        free: "yarn install",
    },
    Manager {
        name: "bun",
        set_up: Some("npm install --global bun"),
        locked: "bun install --frozen-lockfile",
        free: "bun install",
    },
];

/// From version 2 on yarn has other names for the same.
const BERRY: Manager = Manager {
    name: "yarn",
    set_up: Some("corepack enable"),
    locked: "yarn install --immutable",
    free: "yarn install --no-immutable",
};

/// Programs that run what a package.json has or asks for.
const PROGRAMS: &[&str] = &["node", "npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "corepack"];

pub(super) fn is_of(program: &str) -> bool {
    PROGRAMS.contains(&name(program)) || program.split('/').any(|part| part == "node_modules")
}

pub(super) fn is_lock(name: &str) -> bool {
    LOCKS.iter().any(|(lock, _)| *lock == name)
}

pub(super) fn locks() -> impl Iterator<Item = &'static str> {
    LOCKS.iter().map(|(lock, _)| *lock)
}

pub(super) fn is_manager(program: &str) -> bool {
    MANAGERS.iter().any(|manager| manager.name == program)
}

pub(super) fn is_locked(look: &dyn Look, dir: &str) -> bool {
    LOCKS.iter().any(|(lock, _)| look.has(&inside(dir, lock)))
}

/// The folder whose packages a gate in `dir` needs: that of its package.json, or of the workspace this one belongs to.
pub(super) fn root(look: &dyn Look, dir: &str) -> Option<String> {
    let own = upward(dir).find(|dir| look.has(&inside(dir, "package.json")))?;
    if is_locked(look, own) {
        return Some(own.to_owned());
    }
    let whole = upward(own).skip(1).find(|above| is_workspace(look, above));
    Some(whole.unwrap_or(own).to_owned())
}

fn is_workspace(look: &dyn Look, dir: &str) -> bool {
    look.has(&inside(dir, "pnpm-workspace.yaml"))
        || package(look, dir).ok().flatten().is_some_and(|package| !package.workspaces.is_null())
}

/// Version 2 of yarn and later, by its own file or `packageManager`.
fn is_berry(look: &dyn Look, dir: &str) -> bool {
    look.has(&inside(dir, ".yarnrc.yml"))
        || package(look, dir).ok().flatten().is_some_and(|package| {
            let version = package.manager.as_deref().and_then(|named| named.strip_prefix("yarn@"));
            version.is_some_and(|version| !version.starts_with("0.") && !version.starts_with("1."))
        })
}

/// Whether an install puts a package's program into `node_modules/.bin` of a folder.
pub(in super::super) fn brings(look: &dyn Look, dir: &str, tool: &str) -> bool {
    let Ok(Some(package)) = package(look, dir) else { return false };
    let own = root(look, dir).is_some_and(|root| root == dir);
    let linked = || {
        // Unless it is told otherwise it keeps packages elsewhere (https://yarnpkg.com/features/linkers).
        let told = look.read(&inside(dir, ".yarnrc.yml")).ok().flatten().unwrap_or_default();
        manager(look, dir, &package) != "yarn" || !is_berry(look, dir) || told.contains("nodeLinker: node-modules")
    };
    own && (package.dependencies.contains_key(tool) || package.dev_dependencies.contains_key(tool)) && linked()
}

/// What a folder asks for where nothing is installed: there is neither `node_modules` nor what yarn has in its place.
pub(super) fn missing(look: &dyn Look, dir: &str) -> Option<Missing> {
    let root = root(look, dir)?;
    let package = package(look, &root).ok().flatten()?;
    let asks = !(package.dependencies.is_empty() && package.dev_dependencies.is_empty());
    let folder = inside(&root, "node_modules");
    let here = look.has(&folder) || look.has(&inside(&root, ".pnp.cjs"));
    let command = format!("{} install", manager(look, &root, &package));
    (asks && !here).then(|| Missing { folder, manifest: inside(&root, "package.json"), command })
}

/// The step of a folder; `None` where its package.json asks for nothing.
pub(super) fn install(look: &dyn Look, dir: &str, programs: &BTreeSet<String>) -> Option<Install> {
    let package = package(look, dir).ok().flatten()?;
    let locked: Vec<&str> =
        LOCKS.iter().filter(|(lock, _)| look.has(&inside(dir, lock))).map(|(_, manager)| *manager).collect();
    let mut started = MANAGERS.iter().map(|manager| manager.name).filter(|name| programs.contains(*name));
    let one = match (started.next(), started.next()) {
        (Some(one), None) if locked.is_empty() || locked.contains(&one) => one,
        _ => manager(look, dir, &package),
    };
    let berry = one == "yarn" && is_berry(look, dir);
    let found = if berry { &BERRY } else { MANAGERS.iter().find(|manager| manager.name == one)? };
    let asks = !(package.dependencies.is_empty() && package.dev_dependencies.is_empty()) || is_workspace(look, dir);
    let packages = if locked.contains(&one) { Some(found.locked) } else { asks.then_some(found.free) };
    let words: Vec<&str> = found.set_up.into_iter().chain(packages).collect();
    let step = || Install { dir: dir.to_owned(), lines: vec![words.join(" && ")], remark: None };
    (!words.is_empty()).then(step)
}
