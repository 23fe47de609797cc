//! Files of the work tree that git does not compare: those it is told not to look at (`assume-unchanged`, `skip-worktree`),
//! and untracked ones where the commit has a file that the index has no more. Gates read them all the same, so what was
//! edited in them is part of what is judged.

use std::collections::BTreeSet;

use crate::diff::{Content, Entry, Side};
use crate::model::sha::Sha;
use crate::world::files;

use super::Repo;
use super::change::{is_text, some};
use super::error::RepoError;
use super::library::compare_texts;
use super::reader::{Seen, os_path};

/// A file that is on the disk what no commit has.
struct Unlike {
    path: Vec<u8>,
    /// What the commit has.
    old: Option<Vec<u8>>,
    /// What lies on the disk.
    new: Vec<u8>,
}

impl Repo {
    /// The paths that git is told not to look at and that differ from HEAD.
    pub(super) fn unwatched(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        let unlike = self.unlike(self.head()?.as_ref(), self.read(|reader| reader.unwatched())?)?;
        Ok(unlike.into_iter().map(|file| file.path).collect())
    }

    /// Of these, those that lie on the disk and differ from a commit (`None`: from the empty tree).
    fn unlike(&self, commit: Option<&Sha>, paths: Vec<Vec<u8>>) -> Result<Vec<Unlike>, RepoError> {
        let mut found = Vec::new();
        for path in paths {
            let Some(on_disk) = os_path(&path).map(|path| self.root.join(path)) else { continue };
            // A sparse checkout has marked what it left out.
            if !on_disk.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                continue;
            }
            let new = files::read(&on_disk)?;
            let old = commit.map(|commit| self.read(|reader| reader.blob(commit, &path))).transpose()?.flatten();
            if old.as_ref() != Some(&new) {
                found.push(Unlike { path, old, new });
            }
        }
        Ok(found)
    }

    /// Paths of the base that the comparison takes for gone or moved, where an untracked file lies.
    fn left_behind(&self, seen: &Seen) -> Result<Vec<Vec<u8>>, RepoError> {
        let olds = seen.entries.iter().filter_map(|entry| Some((entry, entry.old.as_ref()?)));
        let gone = olds.filter(|(entry, old)| entry.new.as_ref().is_none_or(|new| new.path != old.path));
        let mut left = BTreeSet::new();
        for (_, old) in gone {
            let Some(path) = os_path(&old.path).filter(|path| self.root.join(path).is_file()) else { continue };
            if !self.read(|reader| reader.ignored(path))? {
                left.insert(old.path.clone());
            }
        }
        Ok(left.into_iter().collect())
    }

    /// Adds them to a comparison of the work tree, in place of what git took them for.
    pub(super) fn add_unwatched(&self, base: Option<&Sha>, seen: &mut Seen) -> Result<(), RepoError> {
        let mut unlike = self.unlike(base, self.read(|reader| reader.unwatched())?)?;
        if !unlike.is_empty() {
            let names: Vec<String> = unlike.iter().map(|file| file.path.escape_ascii().to_string()).collect();
            let why = "marked assume-unchanged or skip-worktree and judged as on the disk, which git does not show";
            seen.notes.push(some(&names, why));
        }
        unlike.extend(self.unlike(base, self.left_behind(seen)?)?);
        let found: BTreeSet<&[u8]> = unlike.iter().map(|file| &file.path[..]).collect();
        seen.entries.retain(|entry| !found.contains(entry.path()));
        for Unlike { path, old, new } in unlike {
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
