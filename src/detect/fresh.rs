//! A folder as a fresh checkout would have it after [`prepare`](super::prepare): what is written for others must not
//! depend on what is installed here, or lies here and git does not have it.

use std::collections::BTreeSet;

use super::{Look, Lost, MigrationsFolder, inside, prepare};

/// Folders of environments that people make for themselves.
const ENVIRONMENTS: &[&str] = &[".venv", "venv"];
/// Where package managers of Node put programs.
const MODULES: &str = "node_modules/.bin/";
/// What names the toolchain of Rust.
const TOOLCHAINS: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// What can be seen of it.
pub struct Fresh<'a> {
    look: &'a dyn Look,
    tracked: BTreeSet<String>,
}

impl<'a> Fresh<'a> {
    /// Of a folder, with the paths below it that git tracks.
    #[must_use]
    pub const fn new(look: &'a dyn Look, tracked: BTreeSet<String>) -> Self {
        Self { look, tracked }
    }

    /// Lock files that lie in a folder, and that git does not have.
    #[must_use]
    pub fn untracked_locks(&self, dir: &str) -> Vec<String> {
        let here = prepare::locks().map(|lock| inside(dir, lock));
        here.filter(|path| self.look.has(path) && !self.tracked.contains(path)).collect()
    }

    /// Manifests that people write may be here before they are added to git; what tools write is often left out of it.
    fn is_hidden(&self, path: &str) -> bool {
        path.split('/').any(|part| ENVIRONMENTS.contains(&part))
            || prepare::is_counted_when_tracked(path) && !self.tracked.contains(path)
    }

    /// Runners have it, unless the toolchain that the repository names leaves it out.
    fn has_clippy(&self, dir: &str) -> bool {
        let read = |name: &&str| self.look.read(&inside(dir, name)).ok().flatten();
        TOOLCHAINS.iter().find_map(read).is_none_or(|text| !text.contains("minimal") || text.contains("clippy"))
    }
}

impl Look for Fresh<'_> {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        if self.is_hidden(path) { Ok(None) } else { self.look.read(path) }
    }

    fn has(&self, path: &str) -> bool {
        match path.rsplit_once(MODULES) {
            Some((dir, tool)) if dir.is_empty() || dir.ends_with('/') => {
                prepare::brings(self, dir.trim_end_matches('/'), tool)
            }
            _ => !self.is_hidden(path) && self.look.has(path),
        }
    }

    fn folders(&self, dir: &str) -> Vec<String> {
        self.look.folders(dir)
    }

    fn files(&self, dir: &str) -> Vec<String> {
        self.look.files(dir)
    }

    fn migrations(&self) -> Vec<MigrationsFolder> {
        self.look.migrations()
    }

    fn lost(&self, dir: &str, script: &str) -> Option<Lost> {
        self.look.lost(dir, script)
    }

    fn answers(&self, dir: &str, argv: &[&str]) -> bool {
        match argv {
            ["cargo", "clippy", ..] => self.has_clippy(dir),
            [program, ..] if prepare::is_installed(self, dir, program) => true,
            argv => self.look.answers(dir, argv),
        }
    }
}
