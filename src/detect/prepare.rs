//! What a fresh checkout needs before its gates can run: the dependencies of a lock file, installed as it says.

use super::{Look, inside};

/// Lock files, what must lie beside them, and what installs them on GitHub's runners.
const INSTALLS: &[(&str, Option<&str>, &str)] = &[
    ("package-lock.json", None, "npm ci"),
    ("npm-shrinkwrap.json", None, "npm ci"),
    ("pnpm-lock.yaml", None, "corepack enable && pnpm install --frozen-lockfile"),
    ("yarn.lock", Some(".yarnrc.yml"), "corepack enable && yarn install --immutable"),
    ("yarn.lock", None, "corepack enable && yarn install --frozen-lockfile"),
    ("uv.lock", None, "pipx install uv && uv sync --locked"),
];

/// The commands, for the lock files of a folder; of each first word one.
#[must_use]
pub fn prepare(look: &dyn Look, dir: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (lock, beside, command) in INSTALLS {
        let there = |name: &str| look.has(&inside(dir, name));
        if !seen.contains(lock) && there(lock) && beside.is_none_or(there) && !commands.iter().any(|one| one == command)
        {
            seen.push(lock);
            commands.push((*command).to_owned());
        }
    }
    commands
}
