//! Where database servers are on this machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::world::files;

/// A gate's environment, for what servers are looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a>(pub &'a [(OsString, OsString)]);

impl Surroundings<'_> {
    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_os_str()).filter(|value| !value.is_empty())
    }

    /// The folders of `PATH`.
    #[must_use]
    pub fn path(&self) -> Vec<PathBuf> {
        self.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// Where what can be made again is kept; `None` without a home.
    #[must_use]
    pub fn cache(&self) -> Option<PathBuf> {
        let own = self.get("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = own.or_else(|| self.get("HOME").map(|home| Path::new(home).join(".cache")))?;
        cache.is_absolute().then(|| cache.join("gatepost/databases"))
    }
}

/// Folders that have every one of `programs`: those of `PATH` first, then those where packages put them, the newest
/// version first.
#[must_use]
pub fn folders(around: Surroundings<'_>, parents: &[&str], below: &str, programs: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = around.path();
    for parent in parents {
        let mut versions: Vec<PathBuf> = files::list(Path::new(parent)).unwrap_or_default();
        versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
        found.extend(versions.into_iter().map(|version| version.join(below)));
    }
    found.retain(|folder| programs.iter().all(|program| files::is_file(&folder.join(program))));
    // Where they are links, they stand in another folder, with the files they need beside them.
    for folder in &mut found {
        let real = programs.first().and_then(|program| files::real_path(&folder.join(program)));
        if let Some(real) = real.as_deref().and_then(Path::parent) {
            real.clone_into(folder);
        }
    }
    found.dedup();
    found
}

/// The last number in a folder's name: `postgresql@16`, `15`.
fn number(path: &Path) -> u32 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit(|c: char| !c.is_ascii_digit())
        .find(|digits| !digits.is_empty())
        .and_then(|it| it.parse().ok())
        .unwrap_or(0)
}
