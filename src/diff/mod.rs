//! From what a reader of the repository saw (entries, hunks) to the change set and the line maps.
//! It compares no content itself.

pub mod gone;
pub mod patch;
pub mod suggest;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::change::{ChangeKind, ChangeSet, FileChange, LineMap, LineRange};
use crate::model::path::RepoPath;
use crate::model::sha::Sha;

/// One side of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Git's file mode (0o100644, 0o120000, 0o160000, …).
    pub mode: u32,
    /// The path as git stores it: bytes relative to the root.
    pub path: Vec<u8>,
}

/// A run of lines without context, numbered as in a unified diff: where a side has no lines, its start is the
/// line *before* the place (0 at the top).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hunk {
    /// First line of the old side.
    pub old_start: u32,
    /// Lines of the old side.
    pub old_lines: u32,
    /// First line of the new side.
    pub new_start: u32,
    /// Lines of the new side.
    pub new_lines: u32,
}

/// How the two contents compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// By lines; no hunk: they are equal.
    Text(Vec<Hunk>),
    /// They differ and were not taken for text (by content, or by an attribute that anyone can write).
    Binary,
    /// They could not be compared (a conflict, an unreadable file).
    Unknown,
}

/// One entry of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `None`: it is new.
    pub old: Option<Side>,
    /// `None`: it is gone.
    pub new: Option<Side>,
    /// How the contents compare.
    pub content: Content,
    /// Words of which the new one has fewer.
    pub gone: BTreeSet<String>,
}

impl Entry {
    /// Where it is now; for a deleted file, where it was.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.new.as_ref().or(self.old.as_ref()).map_or(&[], |side| &side.path)
    }

    /// What happened, or `None` when nothing did (only the file's times differ, or a change was undone).
    fn kind(&self) -> Option<ChangeKind> {
        let (old, new) = match (&self.old, &self.new) {
            (None, None) => return None,
            (None, Some(new)) if new.is_submodule() => return Some(ChangeKind::Submodule),
            (None, Some(_)) => return Some(ChangeKind::Added),
            (Some(_), None) => return Some(ChangeKind::Deleted),
            (Some(old), Some(new)) => (old, new),
        };
        let equal = self.content == Content::Text(Vec::new());
        Some(if old.sort() != new.sort() {
            ChangeKind::Type
        } else if new.is_submodule() {
            ChangeKind::Submodule
        } else if old.path != new.path {
            ChangeKind::Renamed
        } else if !equal {
            ChangeKind::Modified
        } else if old.mode != new.mode {
            ChangeKind::Mode
        } else {
            return None;
        })
    }

    fn added(&self, kind: ChangeKind) -> Vec<LineRange> {
        match (kind, &self.content) {
            (ChangeKind::Deleted | ChangeKind::Submodule, _) => Vec::new(),
            (ChangeKind::Type, _) | (_, Content::Binary | Content::Unknown) => vec![LineRange::WHOLE],
            (_, Content::Text(hunks)) => hunks
                .iter()
                .filter(|hunk| hunk.new_lines > 0)
                .map(|hunk| LineRange { start: hunk.new_start, end: hunk.new_start + (hunk.new_lines - 1) })
                .collect(),
        }
    }
}

impl Side {
    /// Whether it is a commit of another repository.
    #[must_use]
    pub const fn is_submodule(&self) -> bool {
        self.sort() == 0o160_000
    }

    /// Whether it is a symbolic link.
    const fn is_link(&self) -> bool {
        self.sort() == 0o120_000
    }

    /// File, link or submodule: the mode without its permissions.
    const fn sort(&self) -> u32 {
        self.mode & 0o170_000
    }
}

/// Puts a change set together; `to_head` stays empty.
#[must_use]
pub fn change_set(base: Option<Sha>, entries: &[Entry]) -> ChangeSet {
    let mut set = ChangeSet { base, ..ChangeSet::default() };
    for entry in entries {
        let Some(kind) = entry.kind() else { continue };
        let Some(path) = nameable(entry.path()) else {
            set.unnameable.push(entry.path().escape_ascii().to_string());
            continue;
        };
        let old_path = match (&entry.old, kind) {
            (Some(old), ChangeKind::Renamed) => nameable(&old.path),
            _ => None,
        };
        let binary = entry.content == Content::Binary;
        let link = entry.old.iter().chain(&entry.new).any(Side::is_link);
        let stays = matches!(kind, ChangeKind::Modified | ChangeKind::Renamed);
        let gone = entry.gone.iter().filter(|_| stays).cloned().collect();
        set.files.insert(path, FileChange { kind, old_path, binary, link, added: entry.added(kind), gone });
    }
    set
}

/// Maps from the old side to the new one, by old path. A file without a counterpart at the same path, or without
/// lines, has an empty map: none of its lines is there.
#[must_use]
pub fn line_maps(entries: &[Entry]) -> BTreeMap<RepoPath, LineMap> {
    let mut maps = BTreeMap::new();
    for entry in entries {
        let Some(old) = &entry.old else { continue };
        let Some(path) = nameable(&old.path) else { continue };
        let stays = entry.new.as_ref().is_some_and(|new| new.path == old.path && new.sort() == old.sort());
        let map = match &entry.content {
            Content::Text(hunks) if stays => line_map(hunks),
            _ => LineMap::default(),
        };
        maps.insert(path, map);
    }
    maps
}

/// What lies between the hunks is equal.
fn line_map(hunks: &[Hunk]) -> LineMap {
    let (mut old, mut new) = (1, 1);
    let mut runs = Vec::new();
    for hunk in hunks {
        let first = hunk.old_start + u32::from(hunk.old_lines == 0);
        if first > old {
            runs.push((old, new, first - old));
        }
        old = first + hunk.old_lines;
        new = hunk.new_start + u32::from(hunk.new_lines == 0) + hunk.new_lines;
    }
    runs.push((old, new, u32::MAX - old.max(new)));
    LineMap { runs }
}

/// The path, unless reading it as one would make another of it.
fn nameable(path: &[u8]) -> Option<RepoPath> {
    let text = std::str::from_utf8(path).ok()?;
    RepoPath::parse(text).ok().filter(|parsed| parsed.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: Content) -> Entry {
        let side = Side { mode: 0o100_644, path: b"f".to_vec() };
        Entry { old: Some(side.clone()), new: Some(side), content, gone: BTreeSet::new() }
    }

    fn hunk(old_start: u32, old_lines: u32, new_start: u32, new_lines: u32) -> Hunk {
        Hunk { old_start, old_lines, new_start, new_lines }
    }

    #[test]
    fn hunks_become_added_ranges_and_a_map() {
        // old: a b c d e    new: X a c D D e
        let content = Content::Text(vec![hunk(0, 0, 1, 1), hunk(2, 1, 2, 0), hunk(4, 1, 4, 2)]);
        let entry = entry(content);
        let set = change_set(None, std::slice::from_ref(&entry));
        let path = RepoPath::parse("f").unwrap();
        assert_eq!(set.files[&path].added, [LineRange { start: 1, end: 1 }, LineRange { start: 4, end: 5 }]);
        let map = &line_maps(&[entry])[&path];
        assert_eq!([1, 2, 3, 4, 5].map(|line| map.get(line)), [Some(2), None, Some(3), None, Some(6)]);
    }

    #[test]
    fn what_was_not_compared_counts_whole_and_maps_nowhere() {
        for content in [Content::Binary, Content::Unknown] {
            let entry = entry(content);
            let path = RepoPath::parse("f").unwrap();
            let set = change_set(None, std::slice::from_ref(&entry));
            assert!(set.touches(&path, LineRange { start: 9, end: 9 }));
            assert_eq!(line_maps(&[entry])[&path].get(1), None);
        }
    }

    #[test]
    fn paths_that_would_become_others_are_kept_apart() {
        let named = |path: &[u8]| Entry {
            old: None,
            new: Some(Side { mode: 0o100_644, path: path.to_vec() }),
            content: Content::Text(vec![hunk(0, 0, 1, 1)]),
            gone: BTreeSet::new(),
        };
        let set = change_set(None, &[named(b"a\\b"), named(b"\xff"), named(b"n\nn"), named("é".as_bytes())]);
        assert_eq!(set.unnameable, ["a\\\\b", "\\xff", "n\\nn"]);
        assert_eq!(set.files.keys().map(RepoPath::as_str).collect::<Vec<_>>(), ["é"]);
    }
}
