//! Looks at a repository for `detect`: manifests, folders, and which tools answer. It changes nothing there.
#![expect(
    clippy::disallowed_methods,
    reason = "reads folders and starts programs as world::files and world::process do"
)]

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::detect::{Look, SCRIPTS};
use crate::integrity::lost::lost;
use crate::model::gate::Lost;
use crate::model::migration::MigrationsFolder;
use crate::world::database::found;
use crate::world::database::programs::Surroundings;
use crate::world::tree::{Folder, deep};
use crate::world::{ask, files, migrations};

/// A manifest larger than this is none that people write, in bytes.
const LARGEST: u64 = 4 << 20;

/// A repository, and the environment its gates would have.
#[derive(Debug, Clone)]
pub struct Survey {
    root: PathBuf,
    environment: Vec<(OsString, OsString)>,
    /// Read once, when it is first asked for.
    lost: OnceCell<BTreeMap<(String, String), Lost>>,
}

impl Survey {
    /// Of the repository at `root`. `environment` is that of a gate: a tool that is asked may be the repository's own.
    #[must_use]
    pub const fn new(root: PathBuf, environment: Vec<(OsString, OsString)>) -> Self {
        Self { root, environment, lost: OnceCell::new() }
    }

    /// Where a program lies on `PATH`; relative folders there are not looked into.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let search = self.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        std::env::split_paths(&search.unwrap_or_default()).find_map(|folder| installed(&folder, name))
    }

    /// The first line that a program on `PATH` prints when it is asked for its version; `None` where it does not end
    /// well. It must be one that is known to do nothing else.
    #[must_use]
    pub fn version(&self, dir: &str, name: &str, arguments: &[&str]) -> Option<String> {
        ask::first_line(&mut self.call(dir, name, arguments)?)
    }

    /// A harmless call: nothing is downloaded for it, and it is asked nothing.
    fn call(&self, dir: &str, name: &str, arguments: &[&str]) -> Option<Command> {
        let mut command = Command::new(self.program(name)?);
        command
            .args(arguments)
            .current_dir(self.at(dir))
            .env_clear()
            .envs(self.environment.iter().cloned())
            // A proxy of rustup, corepack or go would otherwise download what the repository names.
            .envs([("RUSTUP_AUTO_INSTALL", "0"), ("COREPACK_ENABLE_NETWORK", "0"), ("GOTOOLCHAIN", "local")])
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        Some(command)
    }

    /// What is in a folder, sorted.
    fn names(&self, dir: &str, wanted: fn(&std::fs::FileType) -> bool) -> Vec<String> {
        let entries = std::fs::read_dir(self.at(dir)).into_iter().flatten().flatten();
        let wanted = entries.filter(|entry| entry.file_type().is_ok_and(|kind| wanted(&kind)));
        let mut names: Vec<String> = wanted.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }
}

impl Look for Survey {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        files::read_text(&self.at(path), LARGEST)
    }

    fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    fn folders(&self, dir: &str) -> Vec<String> {
        // Links are left out: they may lead back up.
        self.names(dir, std::fs::FileType::is_dir)
    }

    fn files(&self, dir: &str) -> Vec<String> {
        self.names(dir, std::fs::FileType::is_file)
    }

    fn lost(&self, dir: &str, script: &str) -> Option<Lost> {
        // What cannot be read is left to the gate itself.
        let root = &self.root;
        let read = || deep(|| lost(&Folder::new(root), SCRIPTS)).unwrap_or_default();
        self.lost.get_or_init(read).get(&(dir.to_owned(), script.to_owned())).cloned()
    }

    fn answers(&self, dir: &str, argv: &[&str]) -> bool {
        let Some((program, arguments)) = argv.split_first() else { return false };
        self.call(dir, program, arguments).is_some_and(|mut call| ask::ends_well(call.stdout(Stdio::null())))
    }

    fn migrations(&self) -> Vec<MigrationsFolder> {
        migrations::all(&self.root, &|kind| found::servers(Surroundings(&self.environment), kind))
    }
}

/// The program in a folder of `PATH`; a relative folder would be the repository's.
fn installed(folder: &Path, program: &str) -> Option<PathBuf> {
    let found = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    (folder.is_absolute() && found.is_file()).then_some(found)
}
