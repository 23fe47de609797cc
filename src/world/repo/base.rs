//! With what the judged files are compared. Where that needs the forge, it says what to ask.

use crate::model::event::Occasion;
use crate::model::sha::Sha;

use super::Repo;
use super::error::RepoError;

/// Where a laptop's base is looked for, in this order; git's full names and what people call them.
const DEFAULT_BRANCHES: &[(&str, &str)] = &[
    ("refs/remotes/origin/HEAD", "origin/HEAD"),
    ("refs/remotes/origin/main", "origin/main"),
    ("refs/remotes/origin/master", "origin/master"),
    ("refs/heads/main", "main"),
    ("refs/heads/master", "master"),
];

/// What is known before the repository is asked.
#[derive(Debug, Clone, Copy)]
pub struct BaseRequest<'a> {
    /// What woke the run.
    pub occasion: &'a Occasion,
    /// The base by name, from the command line or the configuration; it goes before the event's.
    pub asked: Option<&'a str>,
    /// The forge's answer to an earlier [`BaseAnswer::AskForge`].
    pub merge_base: Option<&'a Sha>,
}

/// With what to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseAnswer {
    /// With this commit, which is here now.
    Commit {
        /// The commit.
        sha: Sha,
        /// What it is ("the merge base with origin/main").
        what: String,
    },
    /// With nothing: the branch has no commit yet, so that every file is new.
    Unborn,
    /// The history here is too short: ask the forge for the merge base of the two (`GET compare/{base}...{head}`,
    /// `merge_base_commit`) and come again with it; if it has none, everything is judged.
    AskForge {
        /// The base end of the comparison.
        base: Sha,
        /// The commit checked out.
        head: Sha,
    },
    /// No change is known, or there is none: everything is judged, and why.
    Everything {
        /// Shown beside the verdict.
        why: String,
        /// A base was to be expected and is not to be had here.
        lacking: bool,
    },
}

/// How the commit checked out relates to the one that the event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// It is the one, or the event names none.
    Head,
    /// It is the merge of it into the base branch that GitHub made to be tested.
    Merge {
        /// The base branch's commit that it was merged into.
        first_parent: Sha,
    },
    /// It is another: its verdict must not be posted on the event's commit.
    Other,
}

fn everything(why: String) -> BaseAnswer {
    BaseAnswer::Everything { why, lacking: false }
}

fn lacking(why: String) -> BaseAnswer {
    BaseAnswer::Everything { why, lacking: true }
}

impl Repo {
    /// With what to compare. On Actions a missing commit is fetched from `origin`; on a laptop nothing is fetched.
    ///
    /// # Errors
    /// When the base that was asked for is unknown, or the repository cannot be read.
    pub fn base(&self, request: &BaseRequest<'_>) -> Result<BaseAnswer, RepoError> {
        match self.head()? {
            None => Ok(BaseAnswer::Unborn),
            Some(head) if request.occasion.on_actions => self.base_on_actions(request, &head),
            Some(head) => self.base_on_laptop(request.asked, &head),
        }
    }

    /// How the commit checked out relates to the one that the event is about. What is not [`Checkout::Other`] may
    /// be posted on the event's commit.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn checkout(&self, occasion: &Occasion) -> Result<Checkout, RepoError> {
        let Some(wanted) = &occasion.head else { return Ok(Checkout::Head) };
        let Some(head) = self.head()? else { return Ok(Checkout::Head) };
        if head == *wanted {
            return Ok(Checkout::Head);
        }
        if !self.is_githubs(&head, occasion)? {
            return Ok(Checkout::Other);
        }
        // A shallow clone hides the parents of its last commit: only the stored commit has them.
        let mut parents = parents(&self.read(|reader| reader.raw_commit(&head))?)?;
        if parents.len() == 2 && parents[1] == *wanted {
            return Ok(Checkout::Merge { first_parent: parents.swap_remove(0) });
        }
        Ok(Checkout::Other)
    }

    /// Whether GitHub made a commit of the pull request. Its parents do not tell: a merge of an earlier step has the same,
    /// and may have left out all that the pull request brings.
    fn is_githubs(&self, commit: &Sha, occasion: &Occasion) -> Result<bool, RepoError> {
        let Some(number) = occasion.pull_request else { return Ok(false) };
        if occasion.merges.contains(commit) {
            return Ok(true);
        }
        // Where actions/checkout puts it, of a newer base too (`ref: refs/pull/N/merge`).
        Ok(self.named(&format!("refs/remotes/pull/{number}/merge"))?.as_ref() == Some(commit))
    }

    fn base_on_actions(&self, request: &BaseRequest<'_>, head: &Sha) -> Result<BaseAnswer, RepoError> {
        let occasion = request.occasion;
        if let Some(sha) = request.merge_base {
            return self.present(sha, format!("the merge base {} as the forge knows it", sha.short()));
        }
        if let Some(name) = request.asked {
            return self.meet(&self.asked_on_actions(name)?, name, head);
        }
        let event = occasion.event.as_str();
        let (Some(base), Some(wanted)) = (&occasion.base, &occasion.head) else {
            let nothing = if event == "push" { "a push that makes a branch or tag" } else { event };
            return Ok(everything(format!("{nothing} has no base to compare with")));
        };
        match self.checkout(occasion)? {
            Checkout::Merge { first_parent } => {
                let what = format!("{}, the first parent of the merge commit", first_parent.short());
                self.present(&first_parent, what)
            }
            // The queue made its commit on top of this one.
            Checkout::Head if event == "merge_group" => {
                self.present(base, format!("{}, the merge queue's base", base.short()))
            }
            Checkout::Head => self.meet(base, base.short(), head),
            Checkout::Other => Ok(lacking(format!(
                "the commit checked out, {}, is neither {}, which the {event} event is about, nor its merge into the base",
                head.short(),
                wanted.short()
            ))),
        }
    }

    fn base_on_laptop(&self, asked: Option<&str>, head: &Sha) -> Result<BaseAnswer, RepoError> {
        let found = match asked {
            Some(name) => Some((self.named(name)?.ok_or_else(|| unknown(name, String::new()))?, name)),
            None => self.default_branch()?,
        };
        let Some((base, name)) = found else {
            let names: Vec<&str> = DEFAULT_BRANCHES.iter().map(|(_, name)| *name).collect();
            return Ok(lacking(format!("no base: none of {} is here", names.join(", "))));
        };
        let Some(merge_base) = self.read(|reader| reader.merge_base(&base, head))? else {
            let cut = if self.read(|reader| reader.is_shallow())? { " in this shallow clone" } else { "" };
            return Ok(lacking(format!("{name} and HEAD have no common history{cut}")));
        };
        let merge_base = self.met_by_merge(&base, merge_base)?;
        if merge_base == *head && !self.is_dirty()? {
            return Ok(everything(format!("nothing differs from {name}: there is no change")));
        }
        let what = format!("{}, the merge base with {name}", merge_base.short());
        Ok(BaseAnswer::Commit { sha: merge_base, what })
    }

    /// What a merge that is not committed yet brings from the base is no change.
    fn met_by_merge(&self, base: &Sha, merge_base: Sha) -> Result<Sha, RepoError> {
        let Some(merged) = self.named("MERGE_HEAD")? else { return Ok(merge_base) };
        let Some(later) = self.read(|reader| reader.merge_base(base, &merged))? else { return Ok(merge_base) };
        let is_later = self.read(|reader| reader.merge_base(&merge_base, &later))?.as_ref() == Some(&merge_base);
        Ok(if is_later { later } else { merge_base })
    }

    /// The merge base from history where that is long enough, else a question to the forge.
    fn meet(&self, base: &Sha, name: &str, head: &Sha) -> Result<BaseAnswer, RepoError> {
        let ask = BaseAnswer::AskForge { base: base.clone(), head: head.clone() };
        let shallow = self.read(|reader| reader.is_shallow())?;
        if !self.has(base)? && (shallow || self.program.fetch(base, false).is_err()) {
            return Ok(ask);
        }
        match self.read(|reader| reader.merge_base(base, head))? {
            Some(sha) => {
                let what = format!("{}, the merge base with {name}", sha.short());
                Ok(BaseAnswer::Commit { sha, what })
            }
            None if shallow => Ok(ask),
            None => Ok(lacking(format!("{name} and HEAD have no common history"))),
        }
    }

    /// The commit, fetched where it is missing.
    fn present(&self, sha: &Sha, what: String) -> Result<BaseAnswer, RepoError> {
        Ok(match self.ensure(sha)? {
            Ok(()) => BaseAnswer::Commit { sha: sha.clone(), what },
            Err(failed) => lacking(format!("no base: {failed}")),
        })
    }

    /// Makes a commit present; the inner error says why it cannot be had.
    pub(super) fn ensure(&self, sha: &Sha) -> Result<Result<(), RepoError>, RepoError> {
        if self.has(sha)? {
            return Ok(Ok(()));
        }
        let shallow = self.read(|reader| reader.is_shallow())?;
        Ok(self.program.fetch(sha, shallow))
    }

    fn has(&self, sha: &Sha) -> Result<bool, RepoError> {
        Ok(self.named(sha.as_str())?.is_some())
    }

    fn named(&self, name: &str) -> Result<Option<Sha>, RepoError> {
        self.read(|reader| reader.commit(name))
    }

    /// The short name of the default branch, as far as this clone knows it: where `origin/HEAD` points to, else the
    /// first of `main` and `master` that is here.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn default_branch_name(&self) -> Result<Option<String>, RepoError> {
        if let Some(name) = self.read(|reader| reader.origin_head())? {
            return Ok(Some(name));
        }
        let plain = |name: &str| name.strip_prefix("origin/").unwrap_or(name).to_owned();
        Ok(self.default_branch()?.filter(|(_, name)| *name != "origin/HEAD").map(|(_, name)| plain(name)))
    }

    /// Whether what is checked out has a commit in its history, as far as that is known here.
    #[must_use]
    pub fn stands_on(&self, commit: &Sha) -> bool {
        let base = self.head().ok().flatten().and_then(|head| {
            self.named(commit.as_str()).ok()??;
            self.read(|reader| reader.merge_base(&head, commit)).ok()?
        });
        base.as_ref() == Some(commit)
    }

    fn default_branch(&self) -> Result<Option<(Sha, &'static str)>, RepoError> {
        for (full, name) in DEFAULT_BRANCHES {
            if let Some(sha) = self.named(full)? {
                return Ok(Some((sha, name)));
            }
        }
        Ok(None)
    }

    /// A clone on Actions has one branch, or only a commit: a base of another one is asked from `origin`.
    fn asked_on_actions(&self, name: &str) -> Result<Sha, RepoError> {
        if let Some(sha) = self.named(name)? {
            return Ok(sha);
        }
        if let Ok(sha) = Sha::parse(name) {
            return match self.ensure(&sha)? {
                Ok(()) => Ok(sha),
                Err(failed) => Err(unknown(name, format!(": {failed}"))),
            };
        }
        let branch = name.strip_prefix("origin/").unwrap_or(name);
        match self.program.remote_branch(branch) {
            Ok(Some(sha)) => Ok(sha),
            Ok(None) => Err(unknown(name, format!(", and origin has no branch {branch:?}"))),
            Err(failed) => Err(unknown(name, format!(": {failed}"))),
        }
    }
}

fn unknown(name: &str, why: String) -> RepoError {
    RepoError::UnknownBase { name: name.to_owned(), why }
}

/// The parents that a stored commit names.
fn parents(commit: &[u8]) -> Result<Vec<Sha>, RepoError> {
    let header = commit.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
    header
        .filter_map(|line| line.strip_prefix(b"parent "))
        .map(|id| Ok(Sha::parse(&String::from_utf8_lossy(id))?))
        .collect()
}
