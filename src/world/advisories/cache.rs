//! What is kept between runs: indexes of dumps, and dumps that were fetched. A cache that cannot be read or written
//! costs time and nothing else.

use std::path::PathBuf;

use crate::advisory::index::Index;
use crate::world::env::Env;
use crate::world::files;

/// The largest index that is read back, in bytes.
const LARGEST: u64 = 1 << 30;

/// A folder, or none.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// `GATEPOST_CACHE_DIR`, else the user's own folder for caches.
    #[must_use]
    pub fn of(env: &Env) -> Self {
        let dir = |name: &str| env.os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = || dir("HOME");
        let users = if cfg!(windows) {
            dir("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Caches"))
        } else {
            dir("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| home().map(|home| home.join(".cache")))
        };
        let folder = dir("GATEPOST_CACHE_DIR").or_else(|| users.map(|users| users.join("gatepost")));
        Self { folder: folder.filter(|folder| folder.is_absolute()) }
    }

    /// In this folder.
    #[must_use]
    pub const fn at(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// Where something is kept: `name` says what it is, `key` what it was made of.
    pub(super) fn file(&self, key: &str, ending: &str) -> Option<PathBuf> {
        let name = &blake3::hash(key.as_bytes()).to_hex()[..32];
        Some(self.folder.as_ref()?.join("advisories").join(format!("{name}.{ending}")))
    }

    /// The folder that things are kept in, made where it is missing.
    pub(super) fn ready(&self) -> Result<PathBuf, String> {
        let folder = self.folder.as_ref().ok_or("there is no folder for a cache: set GATEPOST_CACHE_DIR")?;
        let folder = folder.join("advisories");
        files::make_dir(&folder).map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// The index that was kept of `key`, where it was made of `stamp`.
    pub(super) fn index(&self, key: &str, stamp: &str) -> Option<Index> {
        let bytes = files::read_capped(&self.file(key, "index")?, LARGEST)?;
        Index::from_bytes(bytes).filter(|index| index.meta.stamp == stamp)
    }

    /// Keeps an index.
    pub(super) fn keep(&self, key: &str, index: &Index) {
        let kept = || {
            self.ready()?;
            let file = self.file(key, "index").unwrap_or_default();
            files::write(&file, &index.to_bytes()).map_err(|error| error.to_string())
        };
        if let Err(why) = kept() {
            tracing::info!("the index is not kept: {why}");
        }
    }
}
