//! Files of the work tree that git does not compare: those it is told not to look at (`assume-unchanged`, `skip-worktree`),
//! and untracked ones where the commit has a file that the index has no more. Gates read them all the same, so what was
//! edited in them is part of what is judged.

use std::collections::BTreeSet;

use crate::diff::gone::Gone;
use crate::diff::{Content, Entry, Side};
use crate::model::sha::Sha;
use crate::world::files::{self, Standing};

use super::Repo;
use super::change::some;
use super::error::RepoError;
use super::library::compare_texts;
use super::reader::{Seen, Unwatched, is_text, os_path};

/// A file that is on the disk what no commit has.
pub(super) struct Unlike {
    pub(super) path: Vec<u8>,
    /// What the commit has.
    old: Option<Vec<u8>>,
    /// What lies on the disk; `None` where nothing does, or a folder.
    new: Option<Vec<u8>>,
    /// What lies there is a link, and its content where it points to, as git has it.
    is_link: bool,
}

impl Repo {
    /// The paths that git is told not to look at and that differ from HEAD.
    pub(super) fn unwatched(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        let head = self.head()?;
        let unlike = self.unlike(self.read(|reader| reader.unwatched())?, |path| self.stored(head.as_ref(), path))?;
        Ok(unlike.into_iter().map(|file| file.path).collect())
    }

    /// What a commit has at a path (`None`: the empty tree).
    fn stored(&self, commit: Option<&Sha>, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError> {
        Ok(commit.map(|commit| self.read(|reader| reader.blob(commit, path))).transpose()?.flatten())
    }

    /// Of these, those that are on the disk something else than what is `stored`.
    pub(super) fn unlike(
        &self,
        paths: Vec<Unwatched>,
        stored: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, RepoError>,
    ) -> Result<Vec<Unlike>, RepoError> {
        let mut found = Vec::new();
        for Unwatched { path, may_lack } in paths {
            let Some(on_disk) = os_path(&path).map(|path| self.root.join(path)) else { continue };
            let stands = files::standing(&on_disk)?;
            // A sparse checkout has marked what it left out.
            if may_lack && stands == Standing::Nothing {
                continue;
            }
            let is_link = files::is_link(&on_disk);
            let new = match stands {
                Standing::File => Some(files::read(&on_disk)?),
                Standing::Other if is_link => Some(files::link_bytes(&on_disk)?),
                Standing::Nothing | Standing::Folder | Standing::Other => None,
            };
            let old = stored(&path)?;
            // A submodule has no content of its own, here and there.
            if old != new {
                found.push(Unlike { path, old, new, is_link });
            }
        }
        Ok(found)
    }

    /// Paths of the base that the comparison takes for gone or moved, where an untracked file lies.
    fn left_behind(&self, seen: &Seen) -> Result<Vec<Unwatched>, RepoError> {
        let olds = seen.entries.iter().filter_map(|entry| Some((entry, entry.old.as_ref()?)));
        let gone = olds.filter(|(entry, old)| entry.new.as_ref().is_none_or(|new| new.path != old.path));
        let is_file = |path: &&Vec<u8>| os_path(path).is_some_and(|path| self.root.join(path).is_file());
        let left: BTreeSet<&Vec<u8>> = gone.map(|(_, old)| &old.path).filter(is_file).collect();
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let ignored = self.ignored()?;
        let left = left.into_iter().filter(|path| !ignored.has(path));
        Ok(left.map(|path| Unwatched { path: path.clone(), may_lack: true }).collect())
    }

    /// Adds them at the end of a comparison of the work tree, in place of what git took them for, and tells how many.
    pub(super) fn add_unwatched(&self, base: Option<&Sha>, seen: &mut Seen) -> Result<usize, RepoError> {
        let stored = |path: &[u8]| self.stored(base, path);
        let mut unlike = self.unlike(self.read(|reader| reader.unwatched())?, stored)?;
        if !unlike.is_empty() {
            let names: Vec<String> = unlike.iter().map(|file| file.path.escape_ascii().to_string()).collect();
            let why = "marked assume-unchanged or skip-worktree and judged as on the disk, which git does not show";
            seen.notes.push(some(&names, why));
        }
        unlike.extend(self.unlike(self.left_behind(seen)?, stored)?);
        let found: BTreeSet<&[u8]> = unlike.iter().map(|file| &file.path[..]).collect();
        seen.entries.retain(|entry| !found.contains(entry.path()));
        let added = unlike.len();
        for Unlike { path, old, new, is_link } in unlike {
            let mut gone = BTreeSet::new();
            let content = match (&old, &new) {
                (_, None) => Content::Text(Vec::new()),
                (old, new) if [old, new].into_iter().flatten().any(|bytes| !is_text(bytes)) => Content::Binary,
                (old, Some(new)) => {
                    let old = old.as_deref().unwrap_or_default();
                    let hunks = compare_texts(old, new)?;
                    gone = Gone::between(old, new, &hunks);
                    Content::Text(hunks)
                }
            };
            let side = Side { mode: if is_link { 0o120_000 } else { 0o100_644 }, path };
            seen.entries.push(Entry { old: old.map(|_| side.clone()), new: new.map(|_| side), content, gone });
        }
        Ok(added)
    }
}
