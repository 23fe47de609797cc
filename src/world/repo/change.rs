//! What changed: between the base and the commit checked out on Actions, or the work tree on a laptop.

use std::collections::BTreeSet;

use crate::diff::gone::Gone;
use crate::diff::{self, Content, Entry, Side};
use crate::model::change::{ChangeKind, ChangeSet, LineRange};
use crate::model::event::Occasion;
use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::world::files::{self, Standing};

use super::Repo;
use super::base::Checkout;
use super::error::RepoError;
use super::library::compare_texts;
use super::reader::{Reader as _, Seen, Tree, is_text, os_path};

/// How many paths a note names.
const NAMED: usize = 3;

/// A change set, and what must be said with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The change.
    pub set: ChangeSet,
    /// What could not be told exactly, for the report.
    pub notes: Vec<String>,
}

impl Repo {
    /// What differs from `base` (`None`: everything is new). On Actions the judged files are those of the commit
    /// checked out, and lines are mapped to the commit that receives annotations where GitHub's merge commit is
    /// checked out; on a laptop they are what lies on the disk.
    ///
    /// # Errors
    /// When the base, the index, an object or a file cannot be read.
    pub fn change(&self, base: Option<&Sha>, occasion: &Occasion) -> Result<Change, RepoError> {
        let judged = if occasion.on_actions { self.head()? } else { None };
        let tree = judged.as_ref().map_or(Tree::Work, Tree::Commit);
        let mut seen = self.compare(base, tree)?;
        let mut change = Change { set: diff::change_set(base.cloned(), &seen.entries), notes: Vec::new() };
        change.notes.append(&mut seen.notes);
        if let Some(judged) = &judged {
            self.count_touched_whole(&mut change)?;
            self.map_to_head(judged, occasion, &mut change)?;
        }
        let (submodules, files): (Vec<_>, Vec<_>) =
            self.absent(&change.set).into_iter().partition(|path| change.set.files[path].kind == ChangeKind::Submodule);
        let absent: Vec<String> = files.iter().chain(&submodules).map(RepoPath::to_string).collect();
        change.set.absent = files;
        if !absent.is_empty() {
            let why =
                "of the change left out of the work tree (a sparse checkout, a submodule that is not checked out)";
            change.notes.push(format!("{}: no gate saw them", some(&absent, why)));
        }
        let unnameable = &change.set.unnameable;
        if !unnameable.is_empty() {
            let why = "cannot be named in a report (not UTF-8, a control character, a backslash or a drive)";
            change.notes.push(format!("{}: gates limited by paths run as if they matched", some(unnameable, why)));
        }
        Ok(change)
    }

    /// What the change has, and the disk has not.
    fn absent(&self, change: &ChangeSet) -> Vec<RepoPath> {
        let lies = |path: &RepoPath, kind| match kind {
            ChangeKind::Submodule => files::stands(&self.root.join(path.as_str()).join(".git")),
            ChangeKind::Deleted => true,
            // A link that leads nowhere stands all the same.
            _ => files::standing(&self.root.join(path.as_str())).is_ok_and(|stands| stands != Standing::Nothing),
        };
        change.files.iter().filter(|(path, file)| !lies(path, file.kind)).map(|(path, _)| path.clone()).collect()
    }

    fn compare(&self, base: Option<&Sha>, to: Tree<'_>) -> Result<Seen, RepoError> {
        let mut seen = self.read(|reader| reader.differences(base, to))?;
        for entry in seen.entries.iter_mut().filter(|entry| entry.content == Content::Binary) {
            self.look_again(entry, base, to)?;
        }
        let mut converted = self.converted(&seen.entries)?;
        if let (Tree::Work, Some(base)) = (to, base) {
            self.drop_unchanged(base, &converted, &mut seen);
        }
        if matches!(to, Tree::Work) {
            let added = self.add_unwatched(base, &mut seen)?;
            converted.extend(self.converted(&seen.entries[seen.entries.len() - added..])?);
            seen.entries.retain(|entry| entry.old.is_some() || !self.left_out.iter().any(|path| path == entry.path()));
        }
        count_converted_whole(&converted, &mut seen);
        Ok(seen)
    }

    /// libgit2, which runs no programs, takes a converted file whose times differ for changed. Git tells only of what lies
    /// where the base has it: what was moved or is new stays.
    fn drop_unchanged(&self, base: &Sha, converted: &BTreeSet<Vec<u8>>, seen: &mut Seen) {
        let in_place = |entry: &Entry| entry.old.as_ref().is_some_and(|old| old.path == entry.path());
        let is_asked = |entry: &Entry| in_place(entry) && converted.contains(entry.path());
        let asked: Vec<&[u8]> = seen.entries.iter().filter(|entry| is_asked(entry)).map(Entry::path).collect();
        if asked.is_empty() || self.library.is_none() {
            return;
        }
        let differing = self.program.differing(base, &asked).unwrap_or_else(|_| converted.clone());
        seen.entries.retain(|entry| !is_asked(entry) || differing.contains(entry.path()));
    }

    /// Which of these are not what git stores.
    fn converted(&self, entries: &[Entry]) -> Result<BTreeSet<Vec<u8>>, RepoError> {
        let paths: Vec<&[u8]> = entries.iter().filter(|entry| has_lines(entry)).map(Entry::path).collect();
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        // libgit2 looks for every file of attributes anew for each path, and does not know patterns in quotes.
        self.program.converted(&paths).or_else(|_| self.read(|reader| reader.converted(&paths)))
    }

    /// `-diff` in .gitattributes makes any text binary for git. A pull request can write that, and generated files
    /// often have it: what has no NUL is compared as text.
    fn look_again(&self, entry: &mut Entry, base: Option<&Sha>, to: Tree<'_>) -> Result<(), RepoError> {
        let old = match (&entry.old, base) {
            (Some(old), Some(base)) => self.load(Tree::Commit(base), old)?,
            _ => Some(Vec::new()),
        };
        let new = entry.new.as_ref().map_or(Ok(Some(Vec::new())), |new| self.load(to, new))?;
        if let (Some(old), Some(new)) = (old, new)
            && [&old, &new].iter().all(|bytes| is_text(bytes))
        {
            let hunks = compare_texts(&old, &new)?;
            entry.gone = Gone::between(&old, &new, &hunks);
            entry.content = Content::Text(hunks);
        }
        Ok(())
    }

    fn load(&self, tree: Tree<'_>, side: &Side) -> Result<Option<Vec<u8>>, RepoError> {
        match tree {
            Tree::Commit(commit) => self.read(|reader| reader.blob(commit, &side.path)),
            Tree::Work => Ok(os_path(&side.path).and_then(|path| files::read(&self.root.join(path)).ok())),
        }
    }

    /// A step before this one may have written to tracked files: tools then saw other lines than the commit has.
    fn count_touched_whole(&self, change: &mut Change) -> Result<(), RepoError> {
        let touched = self.touched(false)?;
        if touched.is_empty() {
            return Ok(());
        }
        for path in &touched {
            let path = std::str::from_utf8(path).ok().and_then(|path| RepoPath::parse(path).ok());
            let Some(file) = path.and_then(|path| change.set.files.get_mut(&path)) else { continue };
            if !matches!(file.kind, ChangeKind::Deleted | ChangeKind::Submodule) {
                file.added = vec![LineRange::WHOLE];
            }
        }
        let names: Vec<String> = touched.iter().map(|path| path.escape_ascii().to_string()).collect();
        let why = "differ from the commit checked out (an earlier step wrote to them)";
        change
            .notes
            .push(format!("{}: where the change has them, all their lines count as changed", some(&names, why)));
        Ok(())
    }

    fn map_to_head(&self, judged: &Sha, occasion: &Occasion, change: &mut Change) -> Result<(), RepoError> {
        let (Some(head), Checkout::Merge { .. }) = (&occasion.head, self.checkout(occasion)?) else { return Ok(()) };
        if let Err(failed) = self.ensure(head)? {
            change.notes.push(format!(
                "annotations may be some lines off: the merge commit was judged, and the head is not here: {failed}"
            ));
            return Ok(());
        }
        change.set.to_head = diff::line_maps(&self.compare(Some(judged), Tree::Commit(head))?.entries);
        Ok(())
    }
}

/// What git stores of a converted file has other lines than tools read.
fn count_converted_whole(converted: &BTreeSet<Vec<u8>>, seen: &mut Seen) {
    let mut names = Vec::new();
    for entry in seen.entries.iter_mut().filter(|entry| has_lines(entry) && converted.contains(entry.path())) {
        entry.content = Content::Unknown;
        names.push(entry.path().escape_ascii().to_string());
    }
    if !names.is_empty() {
        seen.notes.push(some(
            &names,
            "converted by a filter (as of Git LFS) or an encoding: git does not know their lines, all count as changed",
        ));
    }
}

fn has_lines(entry: &Entry) -> bool {
    entry.content != Content::Text(Vec::new()) && entry.new.as_ref().is_some_and(|new| !new.is_submodule())
}

/// "2 paths … : a, b".
pub(super) fn some(paths: &[String], why: &str) -> String {
    let more = if paths.len() > NAMED { ", …" } else { "" };
    let named = &paths[..paths.len().min(NAMED)];
    let plural = if paths.len() == 1 { "path" } else { "paths" };
    format!("{} {plural} {why}: {}{more}", paths.len(), named.join(", "))
}
