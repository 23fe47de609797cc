//! Files that git is told not to look at (`assume-unchanged`, `skip-worktree`): gates read them all the same, so what was
//! edited in them is part of what is judged.

use crate::diff::{Content, Entry, Side};
use crate::model::sha::Sha;
use crate::world::files;

use super::Repo;
use super::change::{is_text, some};
use super::error::RepoError;
use super::library::compare_texts;
use super::reader::{Seen, os_path};

/// Such a file, which lies on the disk and is not what a commit has.
pub(super) struct Unwatched {
    pub(super) path: Vec<u8>,
    /// What the commit has.
    old: Option<Vec<u8>>,
    /// What lies on the disk.
    new: Vec<u8>,
}

impl Repo {
    /// Those of the work tree that differ from a commit (`None`: from the empty tree).
    pub(super) fn unwatched(&self, commit: Option<&Sha>) -> Result<Vec<Unwatched>, RepoError> {
        let mut found = Vec::new();
        for path in self.read(|reader| reader.unwatched())? {
            let Some(on_disk) = os_path(&path).map(|path| self.root.join(path)) else { continue };
            // A sparse checkout has marked what it left out.
            if !on_disk.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                continue;
            }
            let new = files::read(&on_disk)?;
            let old = commit.map(|commit| self.read(|reader| reader.blob(commit, &path))).transpose()?.flatten();
            if old.as_ref() != Some(&new) {
                found.push(Unwatched { path, old, new });
            }
        }
        Ok(found)
    }

    /// Adds them to a comparison of the work tree, in place of what git took them for.
    pub(super) fn add_unwatched(&self, base: Option<&Sha>, seen: &mut Seen) -> Result<(), RepoError> {
        let unwatched = self.unwatched(base)?;
        if unwatched.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = unwatched.iter().map(|file| file.path.escape_ascii().to_string()).collect();
        let why = "marked assume-unchanged or skip-worktree and judged as on the disk, which git does not show";
        seen.notes.push(some(&names, why));
        seen.entries.retain(|entry| unwatched.iter().all(|file| file.path != entry.path()));
        for Unwatched { path, old, new } in unwatched {
            let side = Side { mode: 0o100_644, path };
            let texts = is_text(&new) && old.as_deref().is_none_or(is_text);
            let content = match &old {
                _ if !texts => Content::Binary,
                old => Content::Text(compare_texts(old.as_deref().unwrap_or_default(), &new)?),
            };
            seen.entries.push(Entry { old: old.map(|_| side.clone()), new: Some(side), content });
        }
        Ok(())
    }
}
