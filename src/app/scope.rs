//! What a run judges: a change, or everything and why. The repository is asked first, GitHub only where a shallow
//! clone hides the merge base.

use std::path::Path;

use crate::app::Failure;
use crate::model::change::Scope;
use crate::model::event::Occasion;
use crate::model::exit::ExitCode;
use crate::model::sha::Sha;
use crate::model::text::clean;
use crate::world::env::Env;
use crate::world::repo::{BaseAnswer, BaseRequest, Change, Checkout, Repo, RepoError};

/// The ground of a run.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The change, or why there is none.
    pub scope: Scope,
    /// The commit checked out; `None` before the first one.
    pub head: Option<Sha>,
    /// The commit compared with.
    pub base: Option<Sha>,
    /// The tree of `head`: the files that are judged; `None` where the work tree differs.
    pub tree: Option<Sha>,
    /// The work tree differs from `head`.
    pub dirty: bool,
    /// The commit that may receive check runs; `None` when what is checked out is not what the event is about.
    pub posted_on: Option<Sha>,
    /// What could not be told exactly.
    pub notes: Vec<String>,
}

impl Judged {
    /// What must be said with the verdict, why everything was judged first.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let everything = match &self.scope {
            Scope::Everything { why } => Some(format!("everything was judged: {why}")),
            Scope::Change(_) => None,
        };
        everything.into_iter().chain(self.notes.iter().cloned()).collect()
    }

    /// What gates did to the files of the commit: what ran behind that judged others.
    #[must_use]
    pub fn moved(&self, repo: &Repo) -> Option<String> {
        let look = || Ok::<_, RepoError>((repo.head()?, if self.dirty { Vec::new() } else { repo.edited()? }));
        let what = match look() {
            Ok((head, _)) if head != self.head => {
                let [now, then] = [&head, &self.head].map(|head| head.as_ref().map_or("none", Sha::short));
                format!("HEAD moved from {then} to {now}")
            }
            Ok((_, edited)) => format!("{} changed", first_of(&edited)?),
            Err(error) => format!("what changed is not known ({error})"),
        };
        Some(format!("{what} during the run: this is not the verdict on the commit alone"))
    }

    /// What is judged, in words: `12 files changed since 1a2b3c4`, `everything: no base`.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.scope {
            Scope::Everything { why } => format!("everything: {why}"),
            Scope::Change(change) => {
                let files = change.files.len() + change.unnameable.len();
                let since = change.base.as_ref().map_or("the beginning", |base| base.short());
                format!("{files} file{} changed since {since}", if files == 1 { "" } else { "s" })
            }
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The base, from the command line or the configuration: see [`base_asked`].
    pub base: Option<&'a str>,
    /// `--all-files`.
    pub all_files: bool,
}

/// The base that was asked for. On a pull request or in a merge queue the configuration's is not heard: it comes
/// with the change, which could name itself and so be empty.
#[must_use]
pub fn base_asked<'a>(argument: Option<&'a str>, configured: Option<&'a str>, occasion: &Occasion) -> Option<&'a str> {
    let of_a_change = occasion.pull_request.is_some() || occasion.event == "merge_group";
    argument.or(configured.filter(|_| !of_a_change))
}

/// Finds the ground. `merge_base` asks the forge for the merge base of two commits.
///
/// # Errors
/// When the repository cannot be read, or the base that was asked for is unknown.
pub async fn scope(
    repo: &Repo,
    occasion: &Occasion,
    asked: Asked<'_>,
    merge_base: impl AsyncFnOnce(&Sha, &Sha) -> Result<Sha, String>,
) -> Result<Judged, Failure> {
    let head = repo.head()?;
    let dirty = repo.is_dirty()?;
    let mut notes = Vec::new();
    let posted_on =
        if occasion.on_actions { posted_on(repo, occasion, head.as_ref(), &mut notes)? } else { head.clone() };
    let (scope, base) = if asked.all_files {
        (Scope::Everything { why: "--all-files".to_owned() }, None)
    } else {
        change(repo, occasion, asked, merge_base, &mut notes).await?
    };
    let tree = head.as_ref().filter(|_| !dirty).and_then(|head| repo.tree(head).ok());
    Ok(Judged { scope, head, base, tree, dirty, posted_on, notes })
}

async fn change(
    repo: &Repo,
    occasion: &Occasion,
    asked: Asked<'_>,
    merge_base: impl AsyncFnOnce(&Sha, &Sha) -> Result<Sha, String>,
    notes: &mut Vec<String>,
) -> Result<(Scope, Option<Sha>), Failure> {
    let mut request = BaseRequest { occasion, asked: asked.base, merge_base: None };
    let mut answer = repo.base(&request)?;
    let found;
    if let BaseAnswer::AskForge { base, head } = &answer {
        match merge_base(base, head).await {
            Ok(sha) => {
                found = sha;
                request.merge_base = Some(&found);
                answer = repo.base(&request)?;
            }
            Err(why) => {
                let lacking = lacking(repo, base)?;
                let why = format!("the merge base is not known: {lacking}, and GitHub does not tell it: {why}");
                return Ok((Scope::Everything { why }, None));
            }
        }
    }
    let base = match answer {
        BaseAnswer::Commit { sha, .. } => Some(sha),
        BaseAnswer::Unborn => None,
        BaseAnswer::Everything { why, .. } => return Ok((Scope::Everything { why }, None)),
        BaseAnswer::AskForge { .. } => {
            let why = "the merge base that GitHub named could not be fetched".to_owned();
            return Ok((Scope::Everything { why }, None));
        }
    };
    let Change { set, notes: further } = repo.change(base.as_ref(), occasion)?;
    notes.extend(further);
    if set.files.is_empty() && set.unnameable.is_empty() {
        return Ok((Scope::Everything { why: "nothing differs from the base".to_owned() }, base));
    }
    Ok((Scope::Change(set), base))
}

/// Why the repository here does not tell the merge base.
///
/// # Errors
/// When it cannot be read.
pub fn lacking(repo: &Repo, base: &Sha) -> Result<String, RepoError> {
    Ok(if repo.is_shallow()? {
        "the clone is too shallow (check out with `fetch-depth: 0`)".to_owned()
    } else {
        format!(
            "{} is not here and cannot be fetched: a branch that was pushed by force leaves none behind",
            base.short()
        )
    })
}

/// Refuses to judge another commit where the end of the job is taken for that of the event's. One that was made on top of it
/// has all of it.
///
/// # Errors
/// When it is another, or that cannot be told.
pub fn check_head(repo: &Repo, occasion: &Occasion, judged: &Judged) -> Result<(), Failure> {
    let (Some(wanted), Some(head)) = (&occasion.head, &judged.head) else { return Ok(()) };
    if judged.posted_on.is_some() || !occasion.is_of_a_change() || repo.is_ancestor(wanted, head).unwrap_or(false) {
        return Ok(());
    }
    let (event, head, wanted) = (&occasion.event, head.short(), wanted.short());
    Err(Failure::outside(format!(
        "the commit checked out, {head}, is neither {wanted}, which the {event} event is about, nor its merge, nor made on top \
         of it: GitHub would take its verdict for that of {wanted}"
    ))
    .help("leave out `ref` of actions/checkout, and do not move HEAD before gatepost runs"))
}

/// The first of paths, and how many more there are.
fn first_of(paths: &[String]) -> Option<String> {
    let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
    Some(clean(paths.first()?) + &more)
}

/// In the hook of a commit, which has the index of it: refuses to judge files that are not what will be committed.
///
/// # Errors
/// With exit code 4 when the work tree differs from it.
pub fn check_staged(repo: &Repo, env: &Env) -> Result<(), Failure> {
    let Some(index) = env.os("GIT_INDEX_FILE").filter(|index| !index.is_empty()) else { return Ok(()) };
    let Some(unstaged) = first_of(&repo.unstaged(Path::new(index))?) else { return Ok(()) };
    Err(Failure::outside(format!(
        "{unstaged} in the work tree is not what is staged: gates see the work tree, and that is not what would be committed"
    ))
    .help("stage it too, or put it aside for the commit: git stash push --keep-index"))
}

/// The commit that the event is about, if what is checked out is that commit or its merge.
fn posted_on(
    repo: &Repo,
    occasion: &Occasion,
    head: Option<&Sha>,
    notes: &mut Vec<String>,
) -> Result<Option<Sha>, Failure> {
    Ok(match repo.checkout(occasion)? {
        Checkout::Head | Checkout::Merge { .. } => occasion.head.clone().or_else(|| head.cloned()),
        Checkout::Other => {
            notes.push(format!(
                "the commit checked out ({}) is not the one the event is about ({}): nothing is posted on that one",
                head.map_or("none", Sha::short),
                occasion.head.as_ref().map_or("none", Sha::short),
            ));
            None
        }
    })
}

impl From<RepoError> for Failure {
    fn from(error: RepoError) -> Self {
        let code = match &error {
            RepoError::NotARepository { .. }
            | RepoError::Astray { .. }
            | RepoError::Bare { .. }
            | RepoError::UnknownBase { .. }
            | RepoError::UnknownCommit { .. } => ExitCode::Usage,
            _ => ExitCode::CouldNotJudge,
        };
        Self { code, ..Self::outside(error.to_string()).help(error.help()) }
    }
}
