//! The migrations between two commits, read from git as the layout of their folder has them, and whether the older code
//! can work after them.

use std::collections::BTreeSet;

use crate::migration::layout::{self, Folder, Plan};
use crate::model::migration::{Planned, Script};
use crate::model::sha::Sha;
use crate::policy::way_back::{self as back, Migration};
use crate::world::repo::{Repo, RepoError};

/// The migrations that `from` has and `to` has not, or has otherwise, in their tool's order. What no layout knows is each
/// file that differs.
///
/// # Errors
/// When one of the two is not here.
pub fn migrations(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Result<Vec<Migration>, RepoError> {
    let changed = repo.changed_paths(to, from)?;
    let folders: BTreeSet<String> = changed.iter().filter_map(|path| back::folder_of(path, folder)).collect();
    let mut all = Vec::new();
    for folder in folders {
        let now = read(repo, from, &folder)?;
        let inside = |path: &&String| back::folder_of(path, Some(&folder)).is_some();
        let Some(layout) = layout::detect(&now) else {
            all.extend(changed.iter().filter(inside).map(|path| unknown(path)));
            continue;
        };
        let (plan, old) = (layout.read(&now), layout.read(&read(repo, to, &folder)?));
        let is_new =
            |one: &&Planned| !old.migrations.iter().any(|known| known.path == one.path && known.files == one.files);
        let downs = layout.has_down && plan.migrations.iter().any(|one| one.down.is_some());
        all.extend(plan.migrations.iter().filter(is_new).map(|one| migration(one, layout.has_down, downs)));
        all.extend(not_understood(&plan).filter(|path| changed.contains(path)).map(|path| unknown(&path)));
    }
    Ok(all)
}

/// Why the migrations between two commits forbid going back from `from` to `to`.
#[must_use]
pub fn objection(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Option<String> {
    match migrations(repo, folder, to, from) {
        Ok(migrations) => back::objection(&migrations),
        Err(error) => Some(format!("the migrations in between are not known: {error}")),
    }
}

fn read(repo: &Repo, commit: &Sha, folder: &str) -> Result<Folder, RepoError> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let below = repo.read_below(commit, folder)?.into_iter();
    let files = below.filter_map(|(file, bytes)| Some((file.strip_prefix(&prefix)?.to_owned(), bytes))).collect();
    Ok(Folder { path: folder.to_owned(), files, ..Folder::default() })
}

/// Steps that are code, and files that keep the folder from being understood.
fn not_understood(plan: &Plan) -> impl Iterator<Item = String> {
    let planned: BTreeSet<&String> = plan.migrations.iter().map(|one| &one.path).collect();
    plan.code.iter().filter(|path| !planned.contains(path)).cloned().collect::<Vec<_>>().into_iter()
}

fn unknown(path: &str) -> Migration {
    Migration { path: path.to_owned(), up: None, down: None }
}

fn migration(planned: &Planned, has_down: bool, others_have_one: bool) -> Migration {
    let text = |script: &Script| script.pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join("\n");
    let name = |path: &String| if *path == planned.path { "its way down".to_owned() } else { path.clone() };
    let by_name = back::down_of(&planned.path);
    let missing = || {
        let demanded = has_down && !planned.repeatable && (others_have_one || by_name.is_some());
        demanded.then(|| (by_name.clone().unwrap_or_else(|| "way down".to_owned()), None))
    };
    let down = planned.down.as_ref().map(|script| (name(&script.path), Some(text(script)))).or_else(missing);
    Migration { path: planned.path.clone(), up: planned.up.as_ref().map(text), down }
}
