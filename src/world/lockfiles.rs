//! Lockfiles and manifests below a folder.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::path::{Path, PathBuf};

use crate::advisory::{lockfile, manifest};
use crate::model::path::RepoPath;
use crate::world::files;
use crate::world::repo::Repo;

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
}

/// Looks below `folder`, which is `dir` in `repo`. What git ignores, hidden folders and those of output are no folders
/// of the project, save for what git tracks in them.
///
/// # Errors
/// When a folder cannot be listed, or the index not be read; the text says which and why.
pub fn find(folder: &Path, root: &Path, repo: Option<(&Repo, &str)>) -> Result<Found, String> {
    let mut found = Found::default();
    let mut waiting = vec![String::new()];
    while let Some(dir) = waiting.pop() {
        let shown = if dir.is_empty() { "the folder" } else { dir.as_str() };
        let entries =
            std::fs::read_dir(folder.join(&dir)).map_err(|error| format!("{shown} cannot be listed: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{shown} cannot be listed: {error}"))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            // Links to folders are left out: they may lead back up, and what is in them is read where it stands.
            let Ok(kind) = entry.file_type() else { continue };
            let is_passed_over = || {
                let name = name.as_str();
                name.starts_with('.') || OTHERS.contains(&name) || OUTPUT.contains(&name) || ignores(repo, &path)
            };
            if !kind.is_dir() {
                found.take(folder, root, path);
            } else if !is_passed_over() {
                waiting.push(path);
            }
        }
    }
    for path in tracked(repo)? {
        found.take(folder, root, path);
    }
    found.links.sort();
    for list in [&mut found.lockfiles, &mut found.astray, &mut found.manifests, &mut found.foreign, &mut found.samples]
    {
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
    fn take(&mut self, folder: &Path, root: &Path, path: String) {
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
            if files::is_file(&on_disk) {
                list.push(path);
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

/// What git tracks below the folder and outside of other people's code.
fn tracked(repo: Option<(&Repo, &str)>) -> Result<Vec<String>, String> {
    let Some((repo, dir)) = repo else { return Ok(Vec::new()) };
    let all = repo.tracked().map_err(|error| format!("what git tracks cannot be told: {error}"))?;
    let below = all.into_iter().filter_map(|path| match dir {
        "" => Some(path),
        dir => Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_owned()),
    });
    let is_kept = |path: &String| {
        let (dir, _) = path.rsplit_once('/').unwrap_or_default();
        !lies_in(dir, OTHERS) && (!lies_in(dir, OUTPUT) || lockfile::by_name(path).is_some())
    };
    Ok(below.filter(is_kept).collect())
}

fn lies_in(dir: &str, names: &[&str]) -> bool {
    dir.split('/').any(|name| names.contains(&name))
}

fn ignores(repo: Option<(&Repo, &str)>, path: &str) -> bool {
    let Some((repo, dir)) = repo else { return false };
    let whole = if dir.is_empty() { path.to_owned() } else { format!("{dir}/{path}") };
    RepoPath::parse(&whole).is_ok_and(|path| repo.ignored(&path).unwrap_or(false))
}
