//! What a deploy asks of the repository: names into commits, what lies between two commits, and a commit's files in a
//! work tree of their own. The only thing it writes is that work tree.

use std::path::{Path, PathBuf};

use crate::model::sha::Sha;

use super::Repo;
use super::error::RepoError;
use super::program::Program;
use super::reader::{Names, Passed, Tree};

/// A commit's files in a folder of their own. Dropped, it is taken away.
pub struct Checkout<'a> {
    program: &'a Program,
    folder: PathBuf,
}

impl Checkout<'_> {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        // One that stays is taken away by the next deploy.
        take_away(self.program, &self.folder);
    }
}

fn take_away(program: &Program, folder: &Path) {
    if let Err(error) = program.remove_tree(folder) {
        tracing::warn!("{error}");
    }
}

impl Repo {
    /// The folder that all work trees of the repository share.
    ///
    /// # Errors
    /// When git cannot tell it.
    pub fn common_dir(&self) -> Result<PathBuf, RepoError> {
        match &self.library {
            Some(library) => Ok(library.0.commondir().to_owned()),
            None => self.program.common_dir(),
        }
    }

    /// The commit that a branch, a tag or an id leads to, fetched where it is missing and named in full.
    ///
    /// # Errors
    /// When there is none, or the repository cannot be read.
    pub fn resolve(&self, name: &str) -> Result<Sha, RepoError> {
        if let Some(sha) = self.read(|reader| reader.commit(name))? {
            return Ok(sha);
        }
        let remote = format!("refs/remotes/origin/{name}");
        if let Some(sha) = self.read(|reader| reader.commit(&remote))? {
            return Ok(sha);
        }
        let unknown = |why: String| RepoError::UnknownCommit { name: name.to_owned(), why };
        let Ok(sha) = Sha::parse(name) else { return Err(unknown(String::new())) };
        match self.ensure(&sha)? {
            Ok(()) => Ok(sha),
            Err(failed) => Err(unknown(format!(": {failed}"))),
        }
    }

    /// The tree of a commit: two commits with the same one have the same files.
    ///
    /// # Errors
    /// When the commit is not here, or is none.
    pub fn tree(&self, commit: &Sha) -> Result<Sha, RepoError> {
        let stored = self.read(|reader| reader.raw_commit(commit))?;
        let line = stored.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.strip_prefix(b"tree ").unwrap_or_default());
        Sha::parse(&line).map_err(|error| RepoError::Library {
            action: format!("read the tree of {}", commit.short()),
            detail: error.to_string(),
        })
    }

    /// Whether `old` is in the history of `new`.
    ///
    /// # Errors
    /// When one is not here.
    pub fn is_ancestor(&self, old: &Sha, new: &Sha) -> Result<bool, RepoError> {
        Ok(self.read(|reader| reader.merge_base(old, new))?.as_ref() == Some(old))
    }

    /// The commits that `to` has and `from` has not, newest first, at most `most`.
    ///
    /// # Errors
    /// When one of the two is not here.
    pub fn between(&self, from: &Sha, to: &Sha, most: usize) -> Result<Vec<Passed>, RepoError> {
        self.program.log(from, to, most)
    }

    /// The paths that differ between two commits, and that are there in `to`.
    ///
    /// # Errors
    /// When one of the two is not here.
    pub fn changed_paths(&self, from: &Sha, to: &Sha) -> Result<Vec<String>, RepoError> {
        let seen = self.read(|reader| reader.differences(Some(from), Tree::Commit(to)))?;
        let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        Ok(seen.entries.iter().filter_map(|entry| entry.new.as_ref()).map(|side| text(&side.path)).collect())
    }

    /// Branches that contain a commit, and tags that are at it.
    ///
    /// # Errors
    /// When the commit is not here.
    pub fn names_of(&self, commit: &Sha) -> Result<Names, RepoError> {
        self.program.names_of(commit)
    }

    /// Puts a commit's files into `folder`, which is emptied before.
    ///
    /// # Errors
    /// When the commit is not here, or there is no space.
    pub fn check_out(&self, commit: &Sha, folder: &Path) -> Result<Checkout<'_>, RepoError> {
        let _ = self.program.remove_tree(folder);
        self.program.add_tree(commit, folder)?;
        Ok(Checkout { program: &self.program, folder: folder.to_owned() })
    }

    /// Takes away a commit's files that who put them there has left.
    pub fn take_away(&self, folder: &Path) {
        take_away(&self.program, folder);
    }
}
