//! Migrations folders, read from the disk and from a commit.

use std::path::Path;

use crate::migration::layout::{Folder, MARKERS};
use crate::model::sha::Sha;
use crate::world::repo::Repo;
use crate::world::{files, find};

/// The largest file that is read, in bytes: a migration with more is data.
const LARGEST: u64 = 64 << 20;
/// The most files of a folder: more is no migrations folder.
const MOST: usize = 20_000;

/// A folder of the work tree.
///
/// # Errors
/// When it is not there or a file in it cannot be read.
pub fn of_work_tree(root: &Path, path: &str) -> Result<Folder, String> {
    let place = root.join(path);
    if !files::is_folder(&place) {
        return Err(format!("there is no folder {}; name it with `path`", shown(path)));
    }
    let mut folder = Folder { path: path.to_owned(), around: around(root, path), ..Folder::default() };
    let found = find::find(&place, "**")?;
    if found.len() > MOST {
        return Err(format!("{} has more than {MOST} files: that is no migrations folder", shown(path)));
    }
    for file in found {
        let Some(name) = file.path.strip_prefix(&place).ok().and_then(Path::to_str) else { continue };
        let bytes = files::read_at_most(&file.path, LARGEST).map_err(|error| error.to_string())?;
        folder.files.insert(name.replace('\\', "/"), bytes);
    }
    Ok(folder)
}

/// The same folder in a commit. Where it is not there, it has no files.
///
/// # Errors
/// When the commit cannot be read.
pub fn of_commit(repo: &Repo, commit: &Sha, path: &str) -> Result<Folder, String> {
    let read = repo.read_below(commit, path).map_err(|error| error.to_string())?;
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let inside = read.into_iter().filter_map(|(file, bytes)| Some((file.strip_prefix(&prefix)?.to_owned(), bytes)));
    Ok(Folder { path: path.to_owned(), files: inside.collect(), around: Vec::new() })
}

/// Files of tools in the folder, beside it and above it.
fn around(root: &Path, path: &str) -> Vec<String> {
    let mut near = vec![root.to_owned()];
    let mut at = root.to_owned();
    for part in path.split('/') {
        at = at.join(part);
        near.push(at.clone());
    }
    let is_there = |name: &str| near.iter().any(|folder| files::stands(&folder.join(name)));
    MARKERS.iter().map(|(name, _)| *name).filter(|name| is_there(name)).map(str::to_owned).collect()
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}
