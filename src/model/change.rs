//! What a change touches: files, and the lines it adds or changes in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::path::RepoPath;
use crate::model::sha::Sha;

/// Lines `start..=end`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineRange {
    /// First line.
    pub start: u32,
    /// Last line, inclusive; never before `start`.
    pub end: u32,
}

impl LineRange {
    /// Every line of a file whose lines could not be compared with the base: nothing in it is known to be old.
    pub const WHOLE: Self = Self { start: 1, end: u32::MAX };

    /// Whether the two share a line.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content differs.
    Modified,
    /// It is gone; its path is the old one.
    Deleted,
    /// It moved from `old_path`, perhaps with edits.
    Renamed,
    /// Only its mode differs.
    Mode,
    /// It became another sort of thing (file, link, submodule).
    Type,
    /// A submodule points elsewhere.
    Submodule,
}

/// One file of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What happened.
    pub kind: ChangeKind,
    /// Where it was, for renames.
    pub old_path: Option<RepoPath>,
    /// It differs and has no text, so that no lines can be told apart: all of it counts as changed.
    pub binary: bool,
    /// It is a link, or was one.
    pub link: bool,
    /// Lines of the new side that were added or changed; sorted, disjoint. Where lines could not be compared,
    /// [`LineRange::WHOLE`].
    pub added: Vec<LineRange>,
    /// Words of which it has fewer than before.
    pub gone: BTreeSet<String>,
}

/// The difference between the base and the judged tree (with the work tree's changes on a laptop).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// The commit compared with.
    pub base: Option<Sha>,
    /// By new path (deleted files by their old one).
    pub files: BTreeMap<RepoPath, FileChange>,
    /// Changed paths that cannot be a [`RepoPath`] (not UTF-8, a control character, a backslash), escaped for people.
    /// Nobody can say that a glob does not match them: a gate limited by `paths` takes them as matching.
    pub unnameable: Vec<String>,
    /// Files that it has and the disk has not: nothing can look at them. Submodules that are not checked out are not among
    /// them.
    pub absent: Vec<RepoPath>,
    /// Files whose lines differ between the judged tree and the head commit that receives annotations
    /// (a merge commit is checked out): how to map them.
    pub to_head: BTreeMap<RepoPath, LineMap>,
}

/// Maps lines of the judged tree to lines of another version of the same file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineMap {
    /// Equal runs: (first line here, first line there, length), sorted.
    pub runs: Vec<(u32, u32, u32)>,
}

impl LineMap {
    /// The line there, or `None` where the line has no counterpart.
    #[must_use]
    pub fn get(&self, line: u32) -> Option<u32> {
        let at = self.runs.partition_point(|run| run.0 <= line).checked_sub(1)?;
        let (here, there, length) = self.runs[at];
        (line - here < length).then(|| there + (line - here))
    }
}

/// Against what findings are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything counts, and why ("asked for by --all-files", "no base: …").
    Everything {
        /// Shown beside the verdict.
        why: String,
    },
    /// A change is known.
    Change(ChangeSet),
}

impl Scope {
    /// The change, where one is known.
    #[must_use]
    pub const fn change(&self) -> Option<&ChangeSet> {
        match self {
            Self::Everything { .. } => None,
            Self::Change(change) => Some(change),
        }
    }
}

impl ChangeSet {
    /// Whether any of `lines` in `path` was added or changed.
    #[must_use]
    pub fn touches(&self, path: &RepoPath, lines: LineRange) -> bool {
        self.files.get(path).is_some_and(|file| {
            let from = file.added.partition_point(|range| range.end < lines.start);
            file.added.get(from).is_some_and(|range| range.meets(lines))
        })
    }

    /// Submodules that the change made or moved to another commit. What differs in them is not known here.
    pub fn submodules(&self) -> impl Iterator<Item = &RepoPath> {
        let may_be = |file: &FileChange| matches!(file.kind, ChangeKind::Submodule | ChangeKind::Type);
        self.files.iter().filter(move |(_, file)| may_be(file)).map(|(path, _)| path)
    }

    /// Links that the change made, turned or took away: what lies behind them is another for whoever follows them.
    pub fn links(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.iter().filter(|(_, file)| file.link).map(|(path, _)| path)
    }

    /// Whether a path, as it is spelt, leads through a link that the change made or turned.
    #[must_use]
    pub fn is_behind_link(&self, path: &RepoPath) -> bool {
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        let is_link = |end: usize| {
            let file = RepoPath::parse(&text[..end]).ok().and_then(|path| self.files.get(&path));
            file.is_some_and(|file| file.link && file.kind != ChangeKind::Deleted)
        };
        !self.files.is_empty() && ends.into_iter().any(is_link)
    }

    /// The files that a path may mean where it is not known to which folder it is relative, or which of them was installed
    /// there.
    pub fn in_any_folder(&self, path: &str) -> impl Iterator<Item = &RepoPath> {
        let installed = Self::installed(path).map(str::to_owned);
        let end = format!("/{}", installed.as_deref().unwrap_or(path).trim_start_matches("./"));
        let may_be = move |path: &RepoPath, file: &FileChange| {
            let path = path.as_str();
            file.kind != ChangeKind::Deleted && (path.ends_with(&end) || installed.as_deref() == Some(path))
        };
        self.files.iter().filter(move |(path, file)| may_be(path, file)).map(|(path, _)| path)
    }

    /// What a path into an environment of Python's leads to there: `mypk/a.py`.
    #[must_use]
    pub fn installed(path: &str) -> Option<&str> {
        let folders = ["/site-packages/", "/dist-packages/"];
        folders.iter().find_map(|folder| path.rsplit_once(folder)).map(|(_, inside)| inside)
    }

    /// The line of the head commit that shows this line of the judged tree; the same where the file does not differ.
    #[must_use]
    pub fn head_line(&self, path: &RepoPath, line: u32) -> Option<u32> {
        self.to_head.get(path).map_or(Some(line), |map| map.get(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_map_by_runs() {
        let map = LineMap { runs: vec![(1, 1, 3), (5, 9, 2)] };
        assert_eq!(map.get(3), Some(3));
        assert_eq!(map.get(4), None);
        assert_eq!(map.get(5), Some(9));
        assert_eq!(map.get(6), Some(10));
        assert_eq!(map.get(7), None);
    }

    #[test]
    fn the_whole_has_its_first_and_last_line() {
        for line in [1, u32::MAX] {
            assert!(LineRange::WHOLE.meets(LineRange { start: line, end: line }));
        }
    }

    #[test]
    fn a_range_touches_any_of_its_lines() {
        let path = RepoPath::parse("a").unwrap();
        let file = FileChange {
            kind: ChangeKind::Modified,
            old_path: None,
            binary: false,
            link: false,
            added: vec![LineRange { start: 3, end: 4 }, LineRange { start: 10, end: 10 }],
            gone: BTreeSet::new(),
        };
        let change = ChangeSet { files: [(path.clone(), file)].into(), ..ChangeSet::default() };
        assert!(change.touches(&path, LineRange { start: 4, end: 4 }));
        assert!(change.touches(&path, LineRange { start: 5, end: 10 }));
        assert!(!change.touches(&path, LineRange { start: 5, end: 9 }));
        assert!(!change.touches(&path, LineRange { start: 11, end: 99 }));
    }
}
