//! What the two ways to read a repository (libgit2, the git program) both give.

use std::collections::BTreeSet;
use std::path::Path;

use crate::diff::Entry;
use crate::model::sha::Sha;

use super::error::RepoError;

/// The attributes by which a file is not what git stores.
pub(super) const CONVERTING: [&str; 2] = ["filter", "working-tree-encoding"];

/// Larger files are not taken for texts by us, in bytes.
const LARGEST_TEXT: usize = 32 << 20;

/// How many bytes git looks at for a NUL, which makes a file binary.
const NUL_LIMIT: usize = 8000;

/// Whether a file is compared line by line, whatever attributes say of its path.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.len() <= LARGEST_TEXT && !bytes[..bytes.len().min(NUL_LIMIT)].contains(&0)
}

/// A version of all files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tree<'a> {
    /// A commit's.
    Commit(&'a Sha),
    /// What lies on the disk: tracked files, and untracked ones that are not ignored.
    Work,
}

/// A difference as it was read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) entries: Vec<Entry>,
    pub(super) notes: Vec<String>,
}

/// What leads to a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Branches, local ones and those of `origin`.
    pub branches: Vec<String>,
    /// The branches of `origin` alone.
    pub of_origin: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// A commit between two others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The commit.
    pub sha: Sha,
    /// The first line of its message.
    pub subject: String,
}

/// A path that git is told not to look at on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unwatched {
    pub(super) path: Vec<u8>,
    /// `skip-worktree`, by which a sparse checkout marks what it leaves out; else `assume-unchanged`.
    pub(super) may_lack: bool,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) path: Vec<u8>,
    pub(super) is_link: bool,
}

/// What git ignores and does not track: files, and folders with all that is in them.
#[derive(Debug, Clone, Default)]
pub struct Ignored(BTreeSet<Vec<u8>>);

impl Ignored {
    /// Paths relative to the root; those of folders may end in `/`.
    pub(super) fn new(paths: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let plain = |path: Vec<u8>| path.strip_suffix(b"/").map(<[u8]>::to_vec).unwrap_or(path);
        Self(paths.into_iter().map(plain).collect())
    }

    /// Whether a path relative to the root is one of them, or lies in one.
    #[must_use]
    pub fn has(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.chain([path.len()]).any(|end| self.0.contains(&path[..end]))
    }
}

/// Reads a repository; writes nothing.
pub(super) trait Reader {
    /// The commit checked out, `None` on a branch without a commit.
    fn head(&self) -> Result<Option<Sha>, RepoError>;
    /// The commit that a name or id leads to, `None` where it is unknown or not in this clone.
    fn commit(&self, name: &str) -> Result<Option<Sha>, RepoError>;
    /// The commit as it is stored, with the parents that a shallow clone hides.
    fn raw_commit(&self, commit: &Sha) -> Result<Vec<u8>, RepoError>;
    /// The best common ancestor in the history that is here.
    fn merge_base(&self, one: &Sha, two: &Sha) -> Result<Option<Sha>, RepoError>;
    /// Whether the history is cut.
    fn is_shallow(&self) -> Result<bool, RepoError>;
    /// The address of `origin`, as configured.
    fn url(&self) -> Result<Option<String>, RepoError>;
    /// The branch that `refs/remotes/origin/HEAD` points to, without `origin/`.
    fn origin_head(&self) -> Result<Option<String>, RepoError>;
    /// Paths that differ from HEAD in the index or the work tree.
    fn touched(&self, untracked: bool) -> Result<Vec<Vec<u8>>, RepoError>;
    /// Paths that git is told not to look at on the disk: `assume-unchanged`, `skip-worktree`.
    fn unwatched(&self) -> Result<Vec<Unwatched>, RepoError>;
    /// Of these paths, those whose files are not what git stores: a program makes them of it (Git LFS), or they have
    /// another encoding.
    fn converted(&self, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, RepoError>;
    /// Paths of the index.
    fn tracked(&self) -> Result<Vec<Vec<u8>>, RepoError>;
    /// What differs from `base` (`None`: from the empty tree), renames followed, without context lines.
    fn differences(&self, base: Option<&Sha>, to: Tree<'_>) -> Result<Seen, RepoError>;
    /// A file's or link's content in a commit, `None` where there is none.
    fn blob(&self, commit: &Sha, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError>;
    /// All files below a folder in a commit, or the one file that it is; `""` is the root.
    fn below(&self, commit: &Sha, folder: &str) -> Result<Vec<Stored>, RepoError>;
    /// What of the work tree git ignores.
    fn ignored(&self) -> Result<Ignored, RepoError>;
}

/// The bytes that git stores as the system's path; `None` where the system has no such path.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "on other systems a path is not any bytes")]
pub(super) fn os_path(bytes: &[u8]) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// The bytes that git stores as the system's path; `None` where the system has no such path.
#[cfg(not(unix))]
pub(super) fn os_path(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}
