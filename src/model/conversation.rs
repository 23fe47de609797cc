//! Who speaks on GitHub, what they may do there, what they wrote, and the pull request that it is about: as GitHub itself
//! states it when it is asked.

use crate::model::sha::Sha;

/// What somebody may do in a repository, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing, or they may read.
    Reader,
    /// They may push.
    Writer,
    /// They may push, and change the repository's settings: `maintain` or `admin`.
    Maintainer,
}

impl Role {
    /// The role of GitHub's words `permission` (`admin`, `write`, `read`, `none`) and `role_name`, which also knows
    /// `maintain`, `triage` and an organisation's own. Every word that is not known gives nothing.
    /// <https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user>
    #[must_use]
    pub fn of_words(permission: &str, role_name: &str) -> Self {
        match (permission, role_name) {
            ("admin", _) | ("write", "maintain") => Self::Maintainer,
            ("write", _) => Self::Writer,
            _ => Self::Reader,
        }
    }

    /// As people say it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reader => "read",
            Self::Writer => "write",
            Self::Maintainer => "maintain",
        }
    }
}

/// A comment as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub id: u64,
    /// The issue or pull request that it is on.
    pub issue: u64,
    /// Who wrote it; `None`: an account that is gone.
    pub author: Option<String>,
    /// A program did.
    pub by_bot: bool,
    /// What it says.
    pub body: String,
    /// It was changed after it was written.
    pub is_edited: bool,
    /// When it was written, RFC 3339.
    pub created_at: String,
    /// Its page.
    pub url: String,
}

/// A pull request as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub number: u64,
    /// Where its branch is now.
    pub head: Sha,
    /// The name of its branch.
    pub branch: String,
    /// The repository of its branch, `owner/name`; `None`: one that is gone.
    pub from: Option<String>,
    /// The branch is in another repository, or in one that is gone: a stranger's.
    pub is_fork: bool,
    /// It is neither merged nor closed.
    pub is_open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_give_a_right() {
        for (permission, role, expected) in [
            ("admin", "admin", Role::Maintainer),
            ("write", "maintain", Role::Maintainer),
            ("write", "write", Role::Writer),
            ("write", "release manager", Role::Writer),
            ("read", "triage", Role::Reader),
            ("read", "admin", Role::Reader),
            ("none", "", Role::Reader),
            ("owner", "owner", Role::Reader),
            ("", "maintain", Role::Reader),
        ] {
            assert_eq!(Role::of_words(permission, role), expected, "{permission} {role}");
        }
        assert!(Role::Reader < Role::Writer && Role::Writer < Role::Maintainer);
    }
}
