//! What can go wrong with a repository, and what to do next.

use std::path::PathBuf;

use crate::diff::patch::PatchError;
use crate::model::sha::ShaError;
use crate::render::terminal::shell_word;
use crate::world::files::FileError;

use super::git_program::GitError;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// No repository here, nor in a folder above.
    #[error("{} is not in a git repository", start.display())]
    NotARepository {
        /// Where the search began.
        start: PathBuf,
    },
    /// A `.git` that names a repository which is not there, as of a work tree that was moved.
    #[error("{} leads to no repository", path.display())]
    Astray {
        /// The `.git`.
        path: PathBuf,
    },
    /// There are no files to judge.
    #[error("{} is a bare repository: it has no work tree to judge", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// Git's protection against repositories that someone else planted.
    #[error("{} belongs to another user, and git does not trust it", path.display())]
    Ownership {
        /// The top folder of its work tree.
        path: PathBuf,
    },
    /// The name that was asked for leads to no commit.
    #[error("the base {name:?} is not known in this repository{why}")]
    UnknownBase {
        /// As it was asked for.
        name: String,
        /// What was tried besides; empty or starting with `: `.
        why: String,
    },
    /// The name that was to be deployed leads to no commit.
    #[error("there is no commit {name:?} in this repository{why}")]
    UnknownCommit {
        /// As it was asked for.
        name: String,
        /// What was tried besides; empty or starting with `: `.
        why: String,
    },
    /// No report can name it, nor is it known how others would read it.
    #[error("{folder} of {commit} has the path {path}, which is not UTF-8")]
    Nameless {
        /// The folder that was read.
        folder: String,
        /// The commit's short id.
        commit: String,
        /// The path, as far as it can be shown.
        path: String,
    },
    /// A link that the commit alone does not follow.
    #[error("{path} of {commit} is a link to {target}, which that commit does not have")]
    Dangling {
        /// The link.
        path: String,
        /// The commit's short id.
        commit: String,
        /// Where it points to.
        target: String,
    },
    /// The system refused a file or folder.
    #[error("cannot {action}: {detail}")]
    Unreadable {
        /// What was tried.
        action: String,
        /// What the system said, with the path.
        detail: String,
    },
    /// HEAD, a reference, the index or an object is not what git writes.
    #[error("cannot {action}, the repository is damaged: {detail}")]
    Damaged {
        /// What was tried.
        action: String,
        /// What libgit2 or git said.
        detail: String,
    },
    /// Anything else libgit2 does not do.
    #[error("cannot {action}: {detail}")]
    Library {
        /// What was tried.
        action: String,
        /// What libgit2 said.
        detail: String,
    },
    /// The git program failed.
    #[error("cannot {action}: {source}")]
    Git {
        /// What was tried.
        action: String,
        /// How it failed.
        source: GitError,
    },
    /// Git's own output.
    #[error("cannot understand what git printed: {0}")]
    Patch(#[from] PatchError),
    /// Git's own output.
    #[error("cannot understand what git printed: {0}")]
    Sha(#[from] ShaError),
    /// A file of the work tree.
    #[error(transparent)]
    File(#[from] FileError),
}

impl RepoError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotARepository { .. } => {
                "run it inside a clone, or name one with -C; on GitHub Actions, actions/checkout must run before".to_owned()
            }
            Self::Astray { path } => {
                let path = shell_word(&path.to_string_lossy()).into_owned();
                format!("look what it names: cat {path}; that of a linked work tree is mended by: git worktree repair")
            }
            Self::Bare { .. } => "name a clone with a work tree by -C, or add one: git worktree add ../tree".to_owned(),
            Self::Ownership { path } => {
                // Git compares what it is told with where a folder really is.
                let path = &path.canonicalize().unwrap_or_else(|_| path.clone());
                let path = shell_word(&path.to_string_lossy()).into_owned();
                format!("if you trust it: git config --global --add safe.directory {path}")
            }
            Self::UnknownBase { .. } | Self::UnknownCommit { .. } => {
                "name a commit, branch or tag that is here (git branch --all lists them), or fetch it first: git fetch origin".to_owned()
            }
            Self::Nameless { path, .. } => format!("give it a name of UTF-8: git mv {}", shell_word(path)),
            Self::Dangling { .. } => "put the file itself there, or have the link lead to another file of the repository".to_owned(),
            Self::Unreadable { .. } | Self::File(_) => "make it readable for this user, or ignore it in .gitignore".to_owned(),
            Self::Damaged { .. } => {
                "git fsck says what is wrong; a broken index is rebuilt by: rm .git/index && git reset".to_owned()
            }
            Self::Git { source: GitError::NotInstalled, .. } => {
                "libgit2 cannot read this repository, and the git program is not installed: install git".to_owned()
            }
            Self::Library { .. } | Self::Git { .. } => {
                "git status in that folder should say the same; --all-files judges without a base".to_owned()
            }
            Self::Patch(_) | Self::Sha(_) => "this is a bug in gatepost or an unknown git: please report git --version".to_owned(),
        }
    }

    /// What libgit2 said, while `action` was tried.
    pub(super) fn from_library(action: &str, error: &git2::Error) -> Self {
        use git2::ErrorClass as Class;
        let (action, detail) = (action.to_owned(), error.message().to_owned());
        match error.class() {
            Class::Os | Class::Filesystem => Self::Unreadable { action, detail },
            Class::Index | Class::Odb | Class::Object | Class::Zlib | Class::Reference | Class::Tree => {
                Self::Damaged { action, detail }
            }
            _ => Self::Library { action, detail },
        }
    }
}
