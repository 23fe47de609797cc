//! Reads a repository through libgit2: no process, no network, nothing written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use git2::{
    AttrCheckFlags, AttrValue, Blob, Delta, Diff, DiffFile, DiffFindOptions, DiffOptions, ErrorClass, ErrorCode,
    IndexEntry, IndexEntryExtendedFlag, IndexEntryFlag, ObjectType, OdbLookupFlags, Oid, Patch, Repository, Status,
    StatusOptions, StatusShow, SubmoduleIgnore,
};

use crate::diff::gone::Gone;
use crate::diff::{Content, Entry, Hunk, Side};
use crate::model::sha::Sha;

use super::error::RepoError;
use super::reader::{CONVERTING, Ignored, Reader, Seen, Stored, Tree, Unwatched, is_text, os_path};

/// Above this many pairs of a removed and a new file, edited renames are not looked for (git's own limit is
/// 1,000 by 1,000, but libgit2 compares pairs several times).
const RENAME_PAIRS: usize = 160_000;

const COMPARING: &str = "compare the work tree with HEAD";

/// A repository that libgit2 could open.
pub(super) struct Library(pub(super) Repository);

fn failed(action: &str) -> impl Fn(git2::Error) -> RepoError {
    move |error| RepoError::from_library(action, &error)
}

/// The id that git gives a file of this content.
#[must_use]
pub fn blob_id(content: &[u8]) -> Option<String> {
    Oid::hash_object(ObjectType::Blob, content).ok().map(|oid| oid.to_string())
}

fn oid(sha: &Sha) -> Result<Oid, RepoError> {
    Oid::from_str(sha.as_str()).map_err(failed("read a commit id"))
}

fn sha(oid: Oid) -> Result<Sha, RepoError> {
    Ok(Sha::parse(&oid.to_string())?)
}

fn is_link(entry: &git2::TreeEntry<'_>) -> bool {
    entry.filemode() == i32::from(git2::FileMode::Link)
}

/// Absence told apart from trouble: an object that is missing from the store is trouble.
fn optional<T>(found: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class() == ErrorClass::Odb => Err(error),
        Err(error)
            if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch | ErrorCode::InvalidSpec) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Reader for Library {
    fn head(&self) -> Result<Option<Sha>, RepoError> {
        let reading = failed("read HEAD");
        let Some(head) = optional(self.0.head()).map_err(&reading)? else { return Ok(None) };
        sha(head.peel_to_commit().map_err(reading)?.id()).map(Some)
    }

    fn commit(&self, name: &str) -> Result<Option<Sha>, RepoError> {
        let action = format!("look up {name:?}");
        match optional(self.0.revparse_single(&format!("{name}^{{commit}}"))) {
            Ok(found) => found.map(|object| sha(object.id())).transpose(),
            // Not in this clone.
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(&action)(error)),
        }
    }

    fn raw_commit(&self, commit: &Sha) -> Result<Vec<u8>, RepoError> {
        let odb = self.0.odb().map_err(failed("open the object store"))?;
        let action = format!("read the commit {}", commit.short());
        let object = odb.read(oid(commit)?).map_err(failed(&action))?;
        Ok(object.data().to_vec())
    }

    fn merge_base(&self, one: &Sha, two: &Sha) -> Result<Option<Sha>, RepoError> {
        let action = format!("find the merge base of {} and {}", one.short(), two.short());
        let found = optional(self.0.merge_base(oid(one)?, oid(two)?)).map_err(failed(&action))?;
        found.map(sha).transpose()
    }

    fn is_shallow(&self) -> Result<bool, RepoError> {
        Ok(self.0.is_shallow())
    }

    fn url(&self) -> Result<Option<String>, RepoError> {
        let config = self.0.config().and_then(|mut config| config.snapshot()).map_err(failed("read git's settings"))?;
        let url = optional(config.get_str("remote.origin.url")).map_err(failed("read the address of origin"))?;
        Ok(url.map(str::to_owned))
    }

    fn origin_head(&self) -> Result<Option<String>, RepoError> {
        let found = optional(self.0.find_reference("refs/remotes/origin/HEAD")).map_err(failed("read origin/HEAD"))?;
        let target = found.as_ref().map(git2::Reference::symbolic_target).transpose();
        let target = target.map_err(failed("read origin/HEAD"))?.flatten();
        Ok(target.and_then(|target| target.strip_prefix("refs/remotes/origin/")).map(str::to_owned))
    }

    fn touched(&self, untracked: bool) -> Result<Vec<Vec<u8>>, RepoError> {
        self.refuse_unfit()?;
        let mut options = StatusOptions::new();
        options.include_untracked(untracked).recurse_untracked_dirs(untracked).include_ignored(false);
        let statuses = self.0.statuses(Some(&mut options)).map_err(failed(COMPARING))?;
        Ok(statuses.iter().map(|entry| entry.path_bytes().to_vec()).collect())
    }

    fn unwatched(&self) -> Result<Vec<Unwatched>, RepoError> {
        let index = self.0.index().map_err(failed("read the index"))?;
        let marked = |entry: IndexEntry| {
            let may_lack = entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0;
            let is_assumed = entry.flags & IndexEntryFlag::VALID.bits() != 0;
            (may_lack || is_assumed).then_some(Unwatched { path: entry.path, may_lack })
        };
        Ok(index.iter().filter_map(marked).collect())
    }

    fn converted(&self, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, RepoError> {
        let mut found = BTreeSet::new();
        for path in paths {
            let Some(name) = os_path(path) else { continue };
            for attribute in CONVERTING {
                let value = self.0.get_attr_bytes(name, attribute, AttrCheckFlags::FILE_THEN_INDEX);
                let value = value.map_err(failed("read .gitattributes"))?;
                if matches!(AttrValue::from_bytes(value), AttrValue::String(_) | AttrValue::Bytes(_)) {
                    found.insert(path.to_vec());
                }
            }
        }
        Ok(found)
    }

    fn tracked(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        let index = self.0.index().map_err(failed("read the index"))?;
        Ok(index.iter().map(|entry| entry.path).collect())
    }

    fn differences(&self, base: Option<&Sha>, to: Tree<'_>) -> Result<Seen, RepoError> {
        let base = base.map(|sha| self.tree(sha)).transpose()?;
        let mut options = DiffOptions::new();
        options.context_lines(0).indent_heuristic(true).include_typechange(true);
        let found = match to {
            Tree::Commit(commit) => {
                let tree = self.tree(commit)?;
                self.0.diff_tree_to_tree(base.as_ref(), Some(&tree), Some(&mut options))
            }
            Tree::Work => {
                self.refuse_unfit()?;
                options.include_untracked(true).recurse_untracked_dirs(true).show_untracked_content(true);
                self.0.diff_tree_to_workdir_with_index(base.as_ref(), Some(&mut options))
            }
        };
        let mut diff = found.map_err(failed("compare with the base"))?;
        let mut seen = Seen::default();
        let moves = follow_renames(&mut diff, &mut seen.notes)?;
        let left: HashSet<usize> = moves.values().copied().collect();
        for index in (0..diff.deltas().len()).filter(|index| !left.contains(index)) {
            match moves.get(&index) {
                Some(from) => seen.entries.extend(moved(&diff, *from, index)),
                None => read_delta(&self.0, &diff, index, &mut seen)?,
            }
        }
        Ok(seen)
    }

    fn blob(&self, commit: &Sha, path: &[u8]) -> Result<Option<Vec<u8>>, RepoError> {
        let Some(path) = os_path(path) else { return Ok(None) };
        let action = format!("read {} of {}", path.display(), commit.short());
        let found = optional(self.tree(commit)?.get_path(path)).map_err(failed(&action))?;
        let Some(entry) = found.filter(|entry| entry.kind() == Some(git2::ObjectType::Blob)) else { return Ok(None) };
        let blob = self.0.find_blob(entry.id()).map_err(failed(&action))?;
        Ok(Some(blob.content().to_vec()))
    }

    fn below(&self, commit: &Sha, folder: &str) -> Result<Vec<Stored>, RepoError> {
        let action = format!("list {folder} of {}", commit.short());
        let mut tree = self.tree(commit)?;
        if !folder.is_empty() {
            let Some(entry) = optional(tree.get_path(Path::new(folder))).map_err(failed(&action))? else {
                return Ok(Vec::new());
            };
            match entry.kind() {
                Some(ObjectType::Tree) => {}
                Some(ObjectType::Blob) => {
                    return Ok(vec![Stored { path: folder.as_bytes().to_vec(), is_link: is_link(&entry) }]);
                }
                _ => return Ok(Vec::new()),
            }
            tree = self.0.find_tree(entry.id()).map_err(failed(&action))?;
        }
        let before = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found = Vec::new();
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |parent, entry| {
            if entry.kind() == Some(ObjectType::Blob) {
                let path = [before.as_bytes(), parent.as_bytes(), entry.name_bytes()].concat();
                found.push(Stored { path, is_link: is_link(entry) });
            }
            git2::TreeWalkResult::Ok
        });
        walked.map_err(failed(&action))?;
        Ok(found)
    }

    fn ignored(&self) -> Result<Ignored, RepoError> {
        let mut options = StatusOptions::new();
        options.show(StatusShow::Workdir).exclude_submodules(true);
        options.include_untracked(true).recurse_untracked_dirs(true);
        options.include_ignored(true).recurse_ignored_dirs(false);
        let statuses = self.0.statuses(Some(&mut options)).map_err(failed("list what git ignores"))?;
        let ignored = statuses.iter().filter(|entry| entry.status().contains(Status::IGNORED));
        Ok(Ignored::new(ignored.map(|entry| entry.path_bytes().to_vec())))
    }
}

impl Library {
    fn tree(&self, commit: &Sha) -> Result<git2::Tree<'_>, RepoError> {
        let action = format!("read the tree of {}", commit.short());
        self.0.find_commit(oid(commit)?).and_then(|commit| commit.tree()).map_err(failed(&action))
    }

    /// Of a work tree libgit2 takes files that a sparse checkout leaves out for deleted ones, and cannot be told to look
    /// at submodules that `.gitmodules` (anyone's) or a setting says to ignore.
    fn refuse_unfit(&self) -> Result<(), RepoError> {
        let reading = failed("read git's settings");
        let config = self.0.config().map_err(&reading)?;
        let sparse = optional(config.get_bool("core.sparseCheckout")).map_err(&reading)? == Some(true);
        let setting = optional(config.get_entry("diff.ignoreSubmodules")).map_err(reading)?.is_some();
        let submodules = self.0.submodules().map_err(failed(COMPARING))?;
        let looked_at = |rule| matches!(rule, SubmoduleIgnore::Unspecified | SubmoduleIgnore::None);
        let ignoring = setting || submodules.iter().any(|submodule| !looked_at(submodule.ignore_rule()));
        let detail = match (sparse, ignoring) {
            (false, false) => return Ok(()),
            (true, _) => "it is a sparse checkout",
            (false, true) => "it says that changes of submodules are to be ignored",
        };
        Err(RepoError::Library { action: COMPARING.to_owned(), detail: detail.to_owned() })
    }
}

/// Pairs removed files with new ones, in the difference itself. Where they are too many for that, those of equal
/// content are returned (index of the new one, of the old one), and the others stay what they are: more counts as new.
fn follow_renames(diff: &mut Diff<'_>, notes: &mut Vec<String>) -> Result<HashMap<usize, usize>, RepoError> {
    let of = |wanted: &[Delta]| -> Vec<usize> {
        diff.deltas().enumerate().filter(|(_, delta)| wanted.contains(&delta.status())).map(|(at, _)| at).collect()
    };
    let (gone, new) = (of(&[Delta::Deleted]), of(&[Delta::Added, Delta::Untracked]));
    if gone.len().saturating_mul(new.len()) > RENAME_PAIRS {
        notes.push(format!(
            "{} removed and {} new files are too many to look for files that moved with edits: those count as new",
            gone.len(),
            new.len()
        ));
        return Ok(equal_moves(diff, &gone, &new));
    }
    if !gone.is_empty() && !new.is_empty() {
        let mut options = DiffFindOptions::new();
        options.renames(true).for_untracked(true);
        match diff.find_similar(Some(&mut options)) {
            Err(error) if is_unreadable(&error) => {
                notes.push(format!("moved files were not looked for, they count as new: {}", error.message()));
            }
            found => found.map_err(failed("look for moved files"))?,
        }
    }
    Ok(HashMap::new())
}

fn equal_moves(diff: &Diff<'_>, gone: &[usize], new: &[usize]) -> HashMap<usize, usize> {
    let mut by_content: HashMap<Oid, Vec<usize>> = HashMap::new();
    for &index in gone.iter().rev() {
        if let Some(delta) = diff.get_delta(index) {
            by_content.entry(delta.old_file().id()).or_default().push(index);
        }
    }
    let mut moves = HashMap::new();
    for &index in new {
        let Some(delta) = diff.get_delta(index).filter(|delta| delta.new_file().is_valid_id()) else { continue };
        if let Some(from) = by_content.get_mut(&delta.new_file().id()).and_then(Vec::pop) {
            moves.insert(index, from);
        }
    }
    moves
}

fn moved(diff: &Diff<'_>, from: usize, to: usize) -> Option<Entry> {
    let (old, new) = (diff.get_delta(from)?.old_file(), diff.get_delta(to)?.new_file());
    Some(Entry {
        old: Some(side(&old)),
        new: Some(side(&new)),
        content: Content::Text(Vec::new()),
        gone: BTreeSet::new(),
    })
}

fn side(file: &DiffFile<'_>) -> Side {
    Side { mode: u32::from(file.mode()), path: file.path_bytes().unwrap_or_default().to_vec() }
}

/// The system refused a file, which says nothing of the others.
fn is_unreadable(error: &git2::Error) -> bool {
    matches!(error.class(), ErrorClass::Os | ErrorClass::Filesystem)
}

fn read_delta(repository: &Repository, diff: &Diff<'_>, index: usize, seen: &mut Seen) -> Result<(), RepoError> {
    let Some(delta) = diff.get_delta(index) else { return Ok(()) };
    let status = delta.status();
    let (old, new) = (delta.old_file(), delta.new_file());
    let (old_side, new_side) = match status {
        Delta::Unmodified | Delta::Ignored | Delta::Unreadable => return Ok(()),
        Delta::Added | Delta::Untracked => (None, Some(side(&new))),
        Delta::Deleted => (Some(side(&old)), None),
        _ => (Some(side(&old)), Some(side(&new))),
    };
    let mut entry = Entry { old: old_side, new: new_side, content: Content::Unknown, gone: BTreeSet::new() };
    if status == Delta::Untracked && entry.path().ends_with(b"/") {
        let path = entry.path().escape_ascii();
        seen.notes.push(format!("{path} is a repository of its own: its files are not part of the change"));
        return Ok(());
    }
    let submodule = [&entry.old, &entry.new].into_iter().flatten().any(Side::is_submodule);
    let same = old.is_valid_id() && new.is_valid_id() && old.id() == new.id();
    entry.content = match status {
        Delta::Conflicted | Delta::Typechange => Content::Unknown,
        Delta::Deleted => Content::Text(Vec::new()),
        _ if submodule => Content::Unknown,
        _ if same => Content::Text(Vec::new()),
        _ => match stored_texts(repository, &old, &new) {
            Some([old, new]) => {
                let hunks = compare_texts(old.content(), new.content())?;
                entry.gone = Gone::between(old.content(), new.content(), &hunks);
                Content::Text(hunks)
            }
            None => compare(diff, index, &mut entry, &mut seen.notes)?,
        },
    };
    seen.entries.push(entry);
    Ok(())
}

/// Both sides, where git stores them and both are texts: for a difference of theirs libgit2 would look for the attributes
/// of each path, which costs more than to compare them and is no matter here.
fn stored_texts<'r>(repository: &'r Repository, old: &DiffFile<'_>, new: &DiffFile<'_>) -> Option<[Blob<'r>; 2]> {
    let store = repository.odb().ok()?;
    // What was hashed of the disk is not stored.
    let is_stored = |file: &DiffFile<'_>| file.is_valid_id() && store.exists_ext(file.id(), OdbLookupFlags::NO_REFRESH);
    let text = |file: &DiffFile<'_>| repository.find_blob(file.id()).ok().filter(|blob| is_text(blob.content()));
    if is_stored(old) && is_stored(new) { Some([text(old)?, text(new)?]) } else { None }
}

fn compare(diff: &Diff<'_>, index: usize, entry: &mut Entry, notes: &mut Vec<String>) -> Result<Content, RepoError> {
    let name = entry.path().escape_ascii();
    match Patch::from_diff(diff, index) {
        Ok(Some(patch)) if patch.delta().flags().is_binary() => Ok(Content::Binary),
        Ok(Some(patch)) => {
            entry.gone = gone(&patch)?;
            hunks(&patch).map(Content::Text)
        }
        Ok(None) if diff.get_delta(index).is_some_and(|delta| delta.flags().is_binary()) => Ok(Content::Binary),
        Ok(None) => Ok(Content::Text(Vec::new())),
        Err(error) if is_unreadable(&error) => {
            notes.push(format!("{name} cannot be read, all its lines count as changed: {}", error.message()));
            Ok(Content::Unknown)
        }
        Err(error) => Err(RepoError::from_library(&format!("compare {name}"), &error)),
    }
}

/// Compares two texts, whatever attributes say of their path.
pub(super) fn compare_texts(old: &[u8], new: &[u8]) -> Result<Vec<Hunk>, RepoError> {
    let mut options = DiffOptions::new();
    options.context_lines(0).indent_heuristic(true).force_text(true);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options)).map_err(failed("compare two texts"))?;
    hunks(&patch)
}

fn gone(patch: &Patch<'_>) -> Result<BTreeSet<String>, RepoError> {
    let mut gone = Gone::default();
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk).map_err(failed("read a hunk"))? {
            let line = patch.line_in_hunk(hunk, line).map_err(failed("read a line of a hunk"))?;
            match line.origin() {
                '-' => gone.take(line.content()),
                '+' => gone.give(line.content()),
                _ => {}
            }
        }
    }
    Ok(gone.words())
}

fn hunks(patch: &Patch<'_>) -> Result<Vec<Hunk>, RepoError> {
    (0..patch.num_hunks())
        .map(|index| {
            let (hunk, _) = patch.hunk(index).map_err(failed("read a hunk"))?;
            Ok(Hunk {
                old_start: hunk.old_start(),
                old_lines: hunk.old_lines(),
                new_start: hunk.new_start(),
                new_lines: hunk.new_lines(),
            })
        })
        .collect()
}
