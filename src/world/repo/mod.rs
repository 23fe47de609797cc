//! The repository that is judged: where it is, what is compared with what, and what changed. It only reads, save
//! that on GitHub Actions it may fetch a commit that the clone lacks. It asks no forge anything.

mod base;
mod change;
mod deploys;
mod error;
mod git_program;
mod library;
mod origin;
mod program;
mod reader;
mod stored;
mod unwatched;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, RepositoryOpenFlags};

use crate::model::sha::Sha;
use crate::world::files::{self, Standing};
use crate::world::process::CancelToken;

pub use base::{BaseAnswer, BaseRequest, Checkout};
pub use change::Change;
pub use deploys::Checkout as Files;
pub use error::RepoError;
pub use git_program::GitError;
pub use library::blob_id;
pub use reader::{Ignored, Names, Passed};

use library::Library;
use program::Program;
use reader::{Reader, os_path};

/// A repository with a work tree.
pub struct Repo {
    root: PathBuf,
    /// `None` where only the git program can open it.
    library: Option<Library>,
    program: Program,
    /// Paths that no change has, untracked as they are.
    left_out: Vec<Vec<u8>>,
}

impl Repo {
    /// The repository that `start` is in: a plain clone, a linked work tree, or a submodule's checkout.
    ///
    /// `trusted_workspace` is `GITHUB_WORKSPACE` on Actions: a repository in it is trusted whoever owns the folder,
    /// as in a container whose user is not the runner's. libgit2's switch for that is global to the process (and
    /// `unsafe`), so such a repository is read by the git program, which takes the trust for this folder alone.
    ///
    /// # Errors
    /// When there is none, it is bare, damaged, or belongs to someone else.
    pub fn discover(start: &Path, trusted_workspace: Option<&Path>) -> Result<Self, RepoError> {
        let trusted = trusted_workspace.filter(|workspace| is_inside(start, workspace));
        let opened = Repository::open_ext(start, RepositoryOpenFlags::empty(), std::iter::empty::<&OsStr>());
        match opened {
            Ok(repository) => {
                let Some(root) = repository.workdir().map(Path::to_owned) else {
                    return Err(RepoError::Bare { path: repository.path().to_owned() });
                };
                let safe = trusted.map(|_| root.as_os_str());
                Ok(Self {
                    program: Program::new(&root, safe),
                    library: Some(Library(repository)),
                    root,
                    left_out: Vec::new(),
                })
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                let mut names = start.ancestors().map(|folder| folder.join(".git"));
                let astray = names.find(|git| git.is_file() || git.is_symlink());
                let none = || RepoError::NotARepository { start: start.to_owned() };
                Err(astray.map_or_else(none, |path| RepoError::Astray { path }))
            }
            Err(error) if error.code() == ErrorCode::Owner && trusted.is_none() => {
                // Trust is given to the top folder of a work tree.
                let top = start.ancestors().find(|folder| folder.join(".git").exists());
                Err(RepoError::Ownership { path: top.unwrap_or(start).to_owned() })
            }
            Err(error) => Self::by_program(start, trusted, &error),
        }
    }

    fn by_program(start: &Path, trusted: Option<&Path>, refused: &git2::Error) -> Result<Self, RepoError> {
        let anywhere = trusted.map(|_| OsStr::new("*"));
        let root = match Program::find_root(start, anywhere) {
            Ok(Some(root)) => root,
            Ok(None) => return Err(RepoError::Bare { path: start.to_owned() }),
            Err(missing @ RepoError::Git { source: GitError::NotInstalled, .. }) => return Err(missing),
            Err(_) => return Err(RepoError::from_library("open the repository", refused)),
        };
        // The search may have left the workspace upwards.
        if refused.code() == ErrorCode::Owner && !trusted.is_some_and(|workspace| is_inside(&root, workspace)) {
            return Err(RepoError::Ownership { path: root });
        }
        let safe = trusted.map(|_| root.as_os_str());
        Ok(Self { program: Program::new(&root, safe), library: None, root, left_out: Vec::new() })
    }

    /// From now on git, where it is waited for, ends with `cancel`.
    pub fn heed(&mut self, cancel: &CancelToken) {
        self.program.heed(cancel);
    }

    /// From now on these paths, relative to the root, are part of no change, but for those that git tracks: files that are
    /// written by who asks.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn leave_out(&mut self, paths: impl IntoIterator<Item = String>) -> Result<(), RepoError> {
        let standing = paths.into_iter().filter(|path| self.root.join(path).is_file());
        let mut paths: Vec<Vec<u8>> = standing.map(String::into_bytes).collect();
        if !paths.is_empty() {
            let tracked = self.read(|reader| reader.tracked())?;
            paths.retain(|path| !tracked.contains(path));
        }
        self.left_out = paths;
        Ok(())
    }

    /// The top folder of the work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit checked out, `None` on a branch without a commit.
    ///
    /// # Errors
    /// When HEAD is damaged.
    pub fn head(&self) -> Result<Option<Sha>, RepoError> {
        self.read(|reader| reader.head())
    }

    /// Whether the history here is cut.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn is_shallow(&self) -> Result<bool, RepoError> {
        self.read(|reader| reader.is_shallow())
    }

    /// The address of `origin` without credentials, `None` without such a remote.
    ///
    /// # Errors
    /// When git's settings cannot be read.
    pub fn origin_url(&self) -> Result<Option<String>, RepoError> {
        Ok(self.read(|reader| reader.url())?.map(|url| origin::without_credentials(&url)))
    }

    /// `owner/name` as the address of `origin` has it, on any host.
    ///
    /// # Errors
    /// As [`Repo::origin_url`].
    pub fn origin_repository(&self) -> Result<Option<String>, RepoError> {
        Ok(self.origin_url()?.and_then(|url| origin::repository(&url)))
    }

    /// Whether anything is staged, unstaged or untracked (and not ignored): the files are then not HEAD's.
    ///
    /// # Errors
    /// When the index or a file cannot be read.
    pub fn is_dirty(&self) -> Result<bool, RepoError> {
        Ok(!self.touched(true)?.is_empty())
    }

    /// The tracked paths that are not HEAD's.
    ///
    /// # Errors
    /// When the index or a file cannot be read.
    pub fn edited(&self) -> Result<Vec<String>, RepoError> {
        Ok(self.touched(false)?.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// The tracked paths whose files are not what is staged in `index` (`GIT_INDEX_FILE` of the hook of a commit).
    ///
    /// # Errors
    /// When the index or a file cannot be read.
    pub fn unstaged(&self, index: &Path) -> Result<Vec<String>, RepoError> {
        let mut found = self.program.unstaged(index)?;
        let unwatched = self.program.unwatched_in(index)?;
        let unlike = self.unlike(unwatched, |path| self.program.staged(index, path))?;
        found.extend(unlike.into_iter().map(|file| file.path));
        Ok(found.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Every path that git tracks, relative to the root; what is no UTF-8 path is left out.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn tracked(&self) -> Result<Vec<String>, RepoError> {
        Ok(self.tracked_bytes()?.into_iter().filter_map(|path| String::from_utf8(path).ok()).collect())
    }

    /// Every path that git tracks, relative to the root.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn tracked_bytes(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        self.read(|reader| reader.tracked())
    }

    /// The tracked paths that a sparse checkout has left out of the work tree, as their names are shown.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn left_out_by_sparse(&self) -> Result<BTreeSet<String>, RepoError> {
        let marked = self.read(|reader| reader.unwatched())?.into_iter().filter(|file| file.may_lack);
        let lacks = |path: &Vec<u8>| {
            os_path(path)
                .is_none_or(|path| files::standing(&self.root.join(path)).is_ok_and(|it| it == Standing::Nothing))
        };
        let lacking = marked.map(|file| file.path).filter(lacks);
        Ok(lacking.map(|path| String::from_utf8_lossy(&path).into_owned()).collect())
    }

    /// Whether git is told not to look at a path on the disk, as at one that a sparse checkout leaves out.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn is_unwatched(&self, path: &str) -> Result<bool, RepoError> {
        Ok(self.read(|reader| reader.unwatched())?.iter().any(|other| other.path == path.as_bytes()))
    }

    /// What of the work tree git ignores and does not track.
    ///
    /// # Errors
    /// When the index, the rules or a file cannot be read.
    pub fn ignored(&self) -> Result<Ignored, RepoError> {
        self.read(|reader| reader.ignored())
    }

    /// Paths that differ from HEAD. libgit2 runs no filter programs and so takes a file of Git LFS for changed
    /// whose times differ: its "changed" is believed only when git says so too.
    fn touched(&self, untracked: bool) -> Result<Vec<Vec<u8>>, RepoError> {
        let mut found = self.read(|reader| reader.touched(untracked))?;
        if !found.is_empty() && self.library.is_some() {
            found = self.program.touched(untracked).unwrap_or(found);
        }
        found.retain(|path| !self.left_out.contains(path));
        found.extend(self.unwatched()?);
        Ok(found)
    }

    /// Asks libgit2, and where it cannot, the git program. When neither can, libgit2's error is the clearer one.
    fn read<T>(&self, ask: impl Fn(&dyn Reader) -> Result<T, RepoError>) -> Result<T, RepoError> {
        let Some(library) = &self.library else { return ask(&self.program) };
        ask(library).or_else(|error| ask(&self.program).map_err(|_| error))
    }
}

fn is_inside(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}
