//! What cargo keeps on this machine of its registries' indexes. It is only read, and nothing is asked over the network.

use std::path::{Path, PathBuf};

use crate::advisory::yanked::{self, Releases};
use crate::world::env::Env;
use crate::world::files;

/// The largest file of a crate, in bytes.
const LARGEST: u64 = 64 << 20;

/// The indexes that cargo has fetched from.
#[derive(Debug, Default)]
pub struct CargoIndex {
    folders: Vec<PathBuf>,
}

impl CargoIndex {
    /// Of `$CARGO_HOME`, else `~/.cargo`.
    #[must_use]
    pub fn of(env: &Env) -> Self {
        let home = env.os("CARGO_HOME").map(PathBuf::from);
        let Some(home) = home.or_else(|| env.os("HOME").map(|home| Path::new(home).join(".cargo"))) else {
            return Self::default();
        };
        let folders = files::list(&home.join("registry/index")).unwrap_or_default();
        Self { folders: folders.into_iter().map(|folder| folder.join(".cache")).collect() }
    }

    /// The releases of a crate. `None` where no index has it, or two of them disagree: they may be of two registries.
    #[must_use]
    pub fn releases(&self, name: &str) -> Option<Releases> {
        let place = yanked::place(name)?;
        let mut known: Option<Releases> = None;
        for folder in &self.folders {
            let Some(read) = files::read_capped(&folder.join(&place), LARGEST).and_then(|bytes| yanked::read(&bytes))
            else {
                continue;
            };
            let known = known.get_or_insert_with(Releases::new);
            for (version, is_yanked) in read {
                if *known.entry(version).or_insert(is_yanked) != is_yanked {
                    return None;
                }
            }
        }
        known
    }
}
