//! Where a gate's paths are taken from: the tool's own spelling of a path becomes a file that exists.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use unicode_normalization::UnicodeNormalization as _;

use crate::model::evidence::Place;
use crate::model::path::{PathError, RepoPath};
use crate::world::files;

/// The place of a path, and the other files that it may mean.
pub(super) type Places = (Place, Vec<RepoPath>);

/// Where a gate's paths are taken from.
#[derive(Debug, Clone)]
pub struct Ground {
    roots: Vec<PathBuf>,
    dir: String,
    since: Option<SystemTime>,
}

impl Ground {
    /// Paths are relative to `dir` below `root`, else to `root` itself (tools that print paths of the workspace).
    #[must_use]
    pub fn new(root: &Path, dir: &str) -> Self {
        let mut roots = vec![root.to_owned()];
        roots.extend(files::real_path(root).filter(|real| real != root));
        Self { roots, dir: dir.to_owned(), since: None }
    }

    /// What was written to after this moment has lines that git does not know.
    #[must_use]
    pub fn since(self, since: Option<SystemTime>) -> Self {
        Self { since, ..self }
    }

    /// The place of a path as a tool spelt it.
    #[must_use]
    pub fn place(&self, raw: &str) -> Place {
        self.places(raw, &[]).0
    }

    /// Where a file of the repository is.
    pub(super) fn on_disk(&self, path: &RepoPath) -> PathBuf {
        self.roots[0].join(path.as_str())
    }

    /// Whether a file was written to since the moment that counts.
    pub(super) fn was_written_to(&self, file: &Path) -> bool {
        self.since.is_some_and(|since| files::changed_at(file).is_some_and(|at| at > since))
    }

    /// A relative path is taken from `folders` first.
    pub(super) fn places(&self, raw: &str, folders: &[Arc<str>]) -> Places {
        let (place, mut or_at) = self.as_spelt(raw, folders);
        // git for macOS names a file in composed characters, however the disk has it.
        if let (true, Place::File(path)) = (cfg!(target_os = "macos"), &place) {
            or_at.extend(composed(path));
        }
        (place, or_at)
    }

    fn as_spelt(&self, raw: &str, folders: &[Arc<str>]) -> Places {
        let spelt = raw.strip_prefix("file://").unwrap_or(raw);
        let absolute = Path::new(spelt);
        if absolute.is_absolute() {
            return (self.absolute(absolute), Vec::new());
        }
        let in_folder = |dir: &str| RepoPath::join(dir, spelt).ok().and_then(|path| self.file(&path));
        let entered = folders.iter().filter_map(|folder| match Path::new(&**folder) {
            folder if folder.is_absolute() => match self.absolute(&folder.join(spelt)) {
                Place::File(path) => Some(path),
                Place::Outside | Place::Unplaced => None,
            },
            _ => in_folder(&format!("{}/{folder}", self.dir)),
        });
        let mut files: Vec<RepoPath> = Vec::new();
        for file in entered.chain(in_folder(&self.dir)).chain(in_folder("")) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        let mut files = files.into_iter();
        (files.next().map_or(Place::Unplaced, Place::File), files.collect())
    }

    fn absolute(&self, path: &Path) -> Place {
        // A tool may name the repository's folder by a link that leads to it: macOS's `/tmp` and `/var` are such.
        let inside = || self.inside(path).or_else(|| self.inside(&files::real_path(path)?));
        match inside() {
            Some(Ok(inside)) => self.file(&inside).map_or(Place::Unplaced, Place::File),
            None if files::is_file(path) => Place::Outside,
            _ => Place::Unplaced,
        }
    }

    /// The file of the repository that stands at a path. Behind a link it is the one that the link leads to, which is
    /// what a change names; a link that leads out of the repository is no file of it.
    fn file(&self, path: &RepoPath) -> Option<RepoPath> {
        let whole = self.on_disk(path);
        let real = files::is_file(&whole).then(|| files::real_path(&whole)).flatten()?;
        self.inside(&real)?.ok()
    }

    /// What a path is called in the repository; `None` where it does not begin with the repository's folder.
    fn inside(&self, path: &Path) -> Option<Result<RepoPath, PathError>> {
        let inside = self.roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
        inside.to_str().map(RepoPath::parse)
    }
}

/// The path in Unicode's normal form C, where it has another.
fn composed(path: &RepoPath) -> Option<RepoPath> {
    let composed: String = path.as_str().nfc().collect();
    RepoPath::parse(&composed).ok().filter(|composed| composed != path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decomposed_path_has_a_composed_one() {
        let path = |text: &str| RepoPath::parse(text).unwrap();
        assert_eq!(composed(&path("e\u{301}/u\u{308}.rs")), Some(path("\u{e9}/\u{fc}.rs")));
        assert_eq!(["\u{e9}.rs", "a.rs"].map(|text| composed(&path(text))), [None, None]);
    }
}
