//! Lockfiles and manifests below a folder.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::advisory::{lockfile, manifest};
use crate::world::files::{self, Standing};
use crate::world::repo::{Ignored, Repo};

/// Folders of other people's code: what is in them is asked for by a lockfile elsewhere.
const OTHERS: &[&str] = &["node_modules", "site-packages", "third_party", "vendor", "venv"];
/// Folders of output, unless git tracks what is in them; a manifest there is a copy all the same.
const OUTPUT: &[&str] = &["build", "dist", "target"];
/// Folders of samples: what is in them is not shipped.
const SAMPLES: &[&str] = &["examples", "fixtures", "testdata"];

/// What was found; paths relative to the folder, with `/`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Lockfiles.
    pub lockfiles: Vec<String>,
    /// Links that are called as lockfiles are, and the files below the root that they lead to.
    pub links: Vec<(String, PathBuf)>,
    /// Such links that lead elsewhere, or nowhere.
    pub astray: Vec<String>,
    /// Manifests.
    pub manifests: Vec<String>,
    /// Manifests and lockfiles of which no format is read.
    pub foreign: Vec<String>,
    /// Lockfiles in folders of samples.
    pub samples: Vec<String>,
    /// What may be one of them and cannot be looked at, each in a sentence.
    pub unread: Vec<String>,
}

/// Looks below `folder`, which is `dir` in `repo`. What git ignores, hidden folders and those of output are no folders
/// of the project, save for what git tracks in them.
///
/// # Errors
/// When a folder cannot be listed, or the index or the ignore rules not be read; the text says which and why.
pub fn find(folder: &Path, root: &Path, repo: Option<(&Repo, &str)>) -> Result<Found, String> {
    let mut found = Found::default();
    let git = Git::new(repo)?;
    let mut waiting = vec![String::new()];
    while let Some(dir) = waiting.pop() {
        let shown = if dir.is_empty() { "the folder" } else { dir.as_str() };
        let entries =
            std::fs::read_dir(folder.join(&dir)).map_err(|error| format!("{shown} cannot be listed: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{shown} cannot be listed: {error}"))?;
            let (bytes, name) = (entry.file_name(), entry.file_name().to_string_lossy().into_owned());
            let path = inside(&dir, &name);
            // Links to folders are left out: they may lead back up, and what is in them is read where it stands.
            let kind = entry.file_type().map_err(|error| format!("{path} cannot be looked at: {error}"))?;
            let is_passed_over = || {
                let name = name.as_str();
                let whole =
                    [dir.as_bytes(), if dir.is_empty() { b"" } else { b"/" }, bytes.as_encoded_bytes()].concat();
                name.starts_with('.') || OTHERS.contains(&name) || OUTPUT.contains(&name) || git.ignores(&whole)
            };
            if !kind.is_dir() {
                found.take(folder, root, &git, path);
            } else if !is_passed_over() && bytes.to_str().is_none() {
                found
                    .unread
                    .push(format!("the folder {path} has a name that is not UTF-8: what is in it is not known"));
            } else if !is_passed_over() {
                waiting.push(path);
            }
        }
    }
    for path in &git.tracked {
        found.take(folder, root, &git, path.clone());
    }
    found.links.sort();
    let Found { lockfiles, links: _, astray, manifests, foreign, samples, unread } = &mut found;
    for list in [lockfiles, astray, manifests, foreign, samples, unread] {
        list.sort();
        list.dedup();
    }
    found.links.dedup();
    Ok(found)
}

/// Whether a file of this path, relative to the folder, is found there as a lockfile if git tracks it.
#[must_use]
pub fn is_found(path: &str) -> bool {
    let (dir, _) = path.rsplit_once('/').unwrap_or_default();
    lockfile::by_name(path).is_some() && !lies_in(dir, OTHERS) && !lies_in(dir, SAMPLES)
}

impl Found {
    /// A path whose name may be shown with marks for what is not UTF-8.
    fn take(&mut self, folder: &Path, root: &Path, git: &Git, path: String) {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let sample = lies_in(dir, SAMPLES);
        let is_lockfile = lockfile::by_name(&path).is_some();
        let list = match (is_lockfile, sample) {
            (true, true) => &mut self.samples,
            (true, false) => &mut self.lockfiles,
            (false, false) if manifest::by_name(name).is_some() => &mut self.manifests,
            (false, false) if manifest::is_foreign(name) => &mut self.foreign,
            _ => return,
        };
        let on_disk = folder.join(&path);
        if !files::is_link(&on_disk) {
            match files::standing(&on_disk) {
                Ok(Standing::File) => list.push(path),
                Ok(Standing::Nothing) if path.contains(char::REPLACEMENT_CHARACTER) => {
                    self.unread.push(format!("{path} has a name that is not UTF-8, and is not read"));
                }
                Ok(Standing::Nothing) if !sample && git.left_out.contains(&path) => self.unread.push(format!(
                    "{path} is left out by a sparse checkout: check it out too (git sparse-checkout add)"
                )),
                Ok(Standing::Nothing | Standing::Folder | Standing::Other) => {}
                Err(error) => self.unread.push(error.to_string()),
            }
        } else if is_lockfile && !sample {
            match target(&on_disk, root) {
                Some(target) => self.links.push((path, target)),
                None => self.astray.push(path),
            }
        }
    }
}

/// The file below the root that a link leads to.
fn target(link: &Path, root: &Path) -> Option<PathBuf> {
    let target = files::real_path(link).filter(|target| files::is_file(target))?;
    Some(root.join(target.strip_prefix(files::real_path(root)?).ok()?))
}

/// What git knows of a folder.
#[derive(Default)]
struct Git {
    /// The folder, in the repository.
    dir: String,
    /// What it tracks below the folder and outside of other people's code.
    tracked: Vec<String>,
    /// What of that a sparse checkout left out.
    left_out: BTreeSet<String>,
    ignored: Ignored,
}

impl Git {
    fn new(repo: Option<(&Repo, &str)>) -> Result<Self, String> {
        let Some((repo, dir)) = repo else { return Ok(Self::default()) };
        let all = repo.tracked_bytes().map_err(|error| format!("what git tracks cannot be told: {error}"))?;
        let all = all.into_iter().map(|path| String::from_utf8_lossy(&path).into_owned());
        let is_kept = |path: &String| {
            let (dir, _) = path.rsplit_once('/').unwrap_or_default();
            !lies_in(dir, OTHERS) && (!lies_in(dir, OUTPUT) || lockfile::by_name(path).is_some())
        };
        let tracked = below(dir, all).filter(is_kept).collect();
        let left_out = repo.left_out_by_sparse();
        let left_out = left_out.map_err(|error| format!("what a sparse checkout left out cannot be told: {error}"))?;
        let ignored = repo.ignored().map_err(|error| format!("what git ignores cannot be told: {error}"))?;
        Ok(Self { dir: dir.to_owned(), tracked, left_out: below(dir, left_out).collect(), ignored })
    }

    fn ignores(&self, path: &[u8]) -> bool {
        let before = if self.dir.is_empty() { String::new() } else { format!("{}/", self.dir) };
        self.ignored.has(&[before.as_bytes(), path].concat())
    }
}

/// The paths below a folder, relative to it.
fn below(dir: &str, paths: impl IntoIterator<Item = String>) -> impl Iterator<Item = String> {
    let prefix = inside(dir, "");
    paths.into_iter().filter_map(move |path| Some(path.strip_prefix(&prefix)?.to_owned()))
}

fn inside(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

fn lies_in(dir: &str, names: &[&str]) -> bool {
    dir.split('/').any(|name| names.contains(&name))
}
