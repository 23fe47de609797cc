//! Where a gate's paths are taken from: the tool's own spelling of a path becomes a file that exists.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use unicode_normalization::UnicodeNormalization as _;

use crate::model::change::ChangeSet;
use crate::model::evidence::Place;
use crate::model::finding::Folder;
use crate::model::path::{PathError, RepoPath};
use crate::world::files;
use crate::world::repo::{Ignored, Repo};

/// Where a path may lead.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub place: Place,
    /// The other files that it may mean.
    pub or_at: Vec<RepoPath>,
    /// Whether it may be a file of any folder.
    pub anywhere: bool,
}

impl From<Place> for Places {
    fn from(place: Place) -> Self {
        Self { place, or_at: Vec::new(), anywhere: false }
    }
}

/// Where a gate's paths are taken from.
pub struct Ground<'a> {
    roots: Vec<PathBuf>,
    dir: String,
    since: Option<SystemTime>,
    moves: bool,
    repo: Option<&'a Repo>,
    change: Option<&'a ChangeSet>,
    tracked: OnceCell<BTreeSet<String>>,
    ignored: OnceCell<Option<Ignored>>,
}

impl<'a> Ground<'a> {
    /// Paths are relative to `dir` below `root`, else to `root` itself (tools that print paths of the workspace).
    #[must_use]
    pub fn new(root: &Path, dir: &str) -> Self {
        let mut roots = vec![root.to_owned()];
        roots.extend(files::real_path(root).filter(|real| real != root));
        let (since, repo, change) = (None, None, None);
        let (tracked, ignored) = (OnceCell::new(), OnceCell::new());
        Self { roots, dir: dir.to_owned(), since, moves: false, repo, change, tracked, ignored }
    }

    /// A relative path that leads nowhere may be that of a file in another folder, as git knows them.
    #[must_use]
    pub fn known(self, repo: &'a Repo, change: Option<&'a ChangeSet>) -> Self {
        Self { repo: Some(repo), change, ..self }
    }

    /// What was written to after this moment has lines that git does not know.
    #[must_use]
    pub fn since(self, since: Option<SystemTime>) -> Self {
        Self { since, ..self }
    }

    /// Whether the tools may have run in another folder.
    #[must_use]
    pub fn moving(self, moves: bool) -> Self {
        Self { moves, ..self }
    }

    /// The place of a path as a tool spelt it.
    #[must_use]
    pub fn place(&self, raw: &str) -> Place {
        self.places(raw, &[]).place
    }

    /// Where a file of the repository is.
    pub(super) fn on_disk(&self, path: &RepoPath) -> PathBuf {
        self.roots[0].join(path.as_str())
    }

    /// Whether a file was written to since the moment that counts.
    pub(super) fn was_written_to(&self, file: &Path) -> bool {
        self.since.is_some_and(|since| files::changed_at(file).is_some_and(|at| at > since))
    }

    /// A relative path is taken from `folders` first.
    pub(super) fn places(&self, raw: &str, folders: &[Folder]) -> Places {
        let mut places = self.as_spelt(raw, folders);
        let is_left =
            |change: &&ChangeSet| matches!(&places.place, Place::File(path) if !change.files.contains_key(path));
        let is_new = |change: &ChangeSet| {
            // What a link that was turned leads to now is another file for whoever looks through it.
            let behind_link = || self.spelt_inside(raw).iter().any(|path| change.is_behind_link(path));
            matches!(&places.place, Place::File(path) if self.is_of_no_commit(path)) || behind_link()
        };
        if self.change.filter(is_left).is_some_and(is_new) {
            places.place = Place::Unplaced;
        }
        // git for macOS names a file in composed characters, however the disk has it.
        if let (true, Place::File(path)) = (cfg!(target_os = "macos"), &places.place) {
            places.or_at.extend(composed(path));
        }
        places
    }

    fn as_spelt(&self, raw: &str, folders: &[Folder]) -> Places {
        let spelt = raw.strip_prefix("file://").unwrap_or(raw);
        // What is installed is a copy of what the change may have.
        let is_copy = ChangeSet::installed(spelt).is_some();
        if Path::new(spelt).is_absolute() {
            return Places { anywhere: is_copy, ..self.absolute(Path::new(spelt)).into() };
        }
        let mut files: Vec<RepoPath> = Vec::new();
        let mut anywhere = self.moves || is_copy;
        for folder in folders {
            let file = self.in_folder(folder, spelt);
            anywhere |= file.is_none() && matches!(folder, Folder::Package { .. });
            files.extend(file);
        }
        let dirs = [self.dir.as_str(), ""];
        // Of a gate of the repository's own folder they are one.
        files.extend(dirs[usize::from(self.dir.is_empty())..].iter().filter_map(|dir| self.below(dir, spelt)));
        if files.is_empty() {
            files.extend(self.behind_prefix(spelt));
        }
        if files.is_empty() {
            return self.elsewhere(spelt).unwrap_or(Places { anywhere, ..Place::Unplaced.into() });
        }
        let place = files.first().cloned().map_or(Place::Unplaced, Place::File);
        let mut or_at: Vec<RepoPath> = Vec::new();
        for file in files.into_iter().skip(1) {
            if place != Place::File(file.clone()) && !or_at.contains(&file) {
                or_at.push(file);
            }
        }
        Places { place, or_at, anywhere }
    }

    /// Where a tool that ran in another folder of the repository must have been: at a tracked file whose path ends so. `None`
    /// where that is none, or where it may be one of the change after all.
    fn elsewhere(&self, spelt: &str) -> Option<Places> {
        let path = spelt.trim_start_matches("./");
        let may_be_changed =
            |change: &ChangeSet| change.in_any_folder(path).next().is_some() || change.submodules().next().is_some();
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) || self.change.is_some_and(may_be_changed) {
            return None;
        }
        let end = format!("/{path}");
        let ends_so = self.tracked().iter().filter(|tracked| tracked.ends_with(&end));
        let files: Vec<RepoPath> = ends_so.filter_map(|tracked| self.below("", tracked)).collect();
        let place = match &files[..] {
            [] => return None,
            [only] => Place::File(only.clone()),
            _ => Place::Outside,
        };
        Some(place.into())
    }

    fn in_folder(&self, folder: &Folder, spelt: &str) -> Option<RepoPath> {
        match folder {
            Folder::At(folder) if Path::new(&**folder).is_absolute() => {
                match self.absolute(&Path::new(&**folder).join(spelt)) {
                    Place::File(path) => Some(path),
                    Place::Outside | Place::Unplaced => None,
                }
            }
            Folder::At(folder) => self.below(&format!("{}/{folder}", self.dir), spelt),
            Folder::Package { name, .. } => self.in_package(name, spelt),
        }
    }

    /// Package managers link the packages of a workspace below `node_modules`.
    fn in_package(&self, name: &str, spelt: &str) -> Option<RepoPath> {
        let linked = |dir: &str| self.below(&format!("{dir}/node_modules/{name}"), spelt);
        linked(&self.dir).or_else(|| linked(""))
    }

    /// What runs several packages at once puts each line's package before it: `packages/a lint: ` (pnpm), `@x/a:lint: `
    /// (Turborepo), `@x/a: ` (Lerna) and `[@x/a]: ` (yarn).
    fn behind_prefix(&self, spelt: &str) -> Option<RepoPath> {
        let (prefix, spelt) = spelt.split_once(": ")?;
        let package = prefix.trim_start_matches('[').split([' ', ':', ']']).next()?;
        self.below(&format!("{}/{package}", self.dir), spelt).or_else(|| self.in_package(package, spelt))
    }

    fn below(&self, dir: &str, spelt: &str) -> Option<RepoPath> {
        RepoPath::join(dir, spelt).ok().and_then(|path| self.file(&path))
    }

    fn absolute(&self, path: &Path) -> Place {
        // A tool may name the repository's folder by a link that leads to it: macOS's `/tmp` and `/var` are such.
        let inside = || self.inside(path).or_else(|| self.inside(&files::real_path(path)?));
        match inside() {
            Some(Ok(inside)) => self.file(&inside).map_or(Place::Unplaced, Place::File),
            None if files::is_file(path) => Place::Outside,
            _ => Place::Unplaced,
        }
    }

    /// A path in the repository as it is spelt, whatever it leads to.
    fn spelt_inside(&self, raw: &str) -> Vec<RepoPath> {
        let spelt = raw.strip_prefix("file://").unwrap_or(raw);
        if Path::new(spelt).is_absolute() {
            return self.inside(Path::new(spelt)).and_then(Result::ok).into_iter().collect();
        }
        [self.dir.as_str(), ""].iter().filter_map(|dir| RepoPath::join(dir, spelt).ok()).collect()
    }

    /// Whether a file was made here, by a step before or by the gate, of what the change may have: git neither has it nor is
    /// told to pass it by, and it is nothing that is fetched.
    fn is_of_no_commit(&self, path: &RepoPath) -> bool {
        const FETCHED: &[&str] =
            &["node_modules", "vendor", "venv", ".venv", "env", "site-packages", "third_party", "Pods", "_deps"];
        let Some(repo) = self.repo else { return false };
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        // A submodule is tracked as one.
        let is_tracked = || ends.into_iter().any(|end| self.tracked().contains(&text[..end]));
        let is_fetched = || text.split('/').any(|part| FETCHED.contains(&part));
        let is_ignored =
            || self.ignored.get_or_init(|| repo.ignored().ok()).as_ref().is_none_or(|all| all.has(text.as_bytes()));
        !is_tracked() && !is_fetched() && !is_ignored()
    }

    fn tracked(&self) -> &BTreeSet<String> {
        self.tracked
            .get_or_init(|| self.repo.and_then(|repo| repo.tracked().ok()).unwrap_or_default().into_iter().collect())
    }

    /// The file of the repository that stands at a path. Behind a link it is the one that the link leads to, which is
    /// what a change names; a link that leads out of the repository is no file of it.
    fn file(&self, path: &RepoPath) -> Option<RepoPath> {
        let whole = self.on_disk(path);
        let real = files::is_file(&whole).then(|| files::real_path(&whole)).flatten()?;
        self.inside(&real)?.ok()
    }

    /// What a path is called in the repository; `None` where it does not begin with the repository's folder.
    fn inside(&self, path: &Path) -> Option<Result<RepoPath, PathError>> {
        let inside = self.roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
        inside.to_str().map(RepoPath::parse)
    }
}

/// The path in Unicode's normal form C, where it has another.
fn composed(path: &RepoPath) -> Option<RepoPath> {
    let composed: String = path.as_str().nfc().collect();
    RepoPath::parse(&composed).ok().filter(|composed| composed != path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decomposed_path_has_a_composed_one() {
        let path = |text: &str| RepoPath::parse(text).unwrap();
        assert_eq!(composed(&path("e\u{301}/u\u{308}.rs")), Some(path("\u{e9}/\u{fc}.rs")));
        assert_eq!(["\u{e9}.rs", "a.rs"].map(|text| composed(&path(text))), [None, None]);
    }
}
