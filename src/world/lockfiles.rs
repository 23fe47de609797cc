//! Lockfiles and manifests below a folder.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::path::Path;

use crate::advisory::{lockfile, manifest};
use crate::model::path::RepoPath;
use crate::world::repo::Repo;

/// Folders of other people's code and of output: what is in them is asked for by a lockfile elsewhere.
const PASSED_OVER: &[&str] =
    &["build", "dist", "node_modules", "site-packages", "target", "third_party", "vendor", "venv"];
/// Folders of samples: what is in them is not shipped.
const SAMPLES: &[&str] = &["examples", "fixtures", "testdata"];

/// What was found; paths relative to the folder, with `/`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Lockfiles.
    pub lockfiles: Vec<String>,
    /// Manifests.
    pub manifests: Vec<String>,
    /// Lockfiles in folders of samples.
    pub samples: Vec<String>,
}

/// Looks below `folder`, which is `dir` in `repo`; what git ignores is no folder of the project.
///
/// # Errors
/// When a folder cannot be listed; the text says which and why.
pub fn find(folder: &Path, repo: Option<(&Repo, &str)>) -> Result<Found, String> {
    let mut found = Found::default();
    let mut waiting = vec![(String::new(), false)];
    while let Some((dir, sample)) = waiting.pop() {
        let shown = if dir.is_empty() { "the folder" } else { dir.as_str() };
        let entries =
            std::fs::read_dir(folder.join(&dir)).map_err(|error| format!("{shown} cannot be listed: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{shown} cannot be listed: {error}"))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            // Links are left out: they may lead back up, and what they lead to is read where it stands.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) && !ignores(repo, &path) {
                    waiting.push((path, sample || SAMPLES.contains(&name.as_str())));
                }
            } else if kind.is_file() && lockfile::by_name(&path).is_some() {
                if sample { &mut found.samples } else { &mut found.lockfiles }.push(path);
            } else if kind.is_file() && !sample && manifest::by_name(&name).is_some() {
                found.manifests.push(path);
            }
        }
    }
    for list in [&mut found.lockfiles, &mut found.manifests, &mut found.samples] {
        list.sort();
    }
    Ok(found)
}

fn ignores(repo: Option<(&Repo, &str)>, path: &str) -> bool {
    let Some((repo, dir)) = repo else { return false };
    let whole = if dir.is_empty() { path.to_owned() } else { format!("{dir}/{path}") };
    RepoPath::parse(&whole).is_ok_and(|path| repo.ignored(&path).unwrap_or(false))
}
