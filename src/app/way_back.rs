//! The migrations between two commits, read from git, and whether the older code can work after them.

use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::policy::way_back::{self as back, Migration};
use crate::world::repo::{Repo, RepoError};

/// The files of migrations that `from` has and `to` has not, or has otherwise.
///
/// # Errors
/// When one of the two is not here.
pub fn migrations(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Result<Vec<String>, RepoError> {
    let changed = repo.changed_paths(to, from)?;
    Ok(changed.into_iter().filter(|path| back::is_migration(path, folder)).collect())
}

/// Why the migrations between two commits forbid going back from `from` to `to`.
#[must_use]
pub fn objection(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Option<String> {
    let paths = match migrations(repo, folder, to, from) {
        Ok(paths) => paths,
        Err(error) => return Some(format!("the migrations in between are not known: {error}")),
    };
    let text = |path: &str| {
        let path = RepoPath::parse(path).ok()?;
        repo.read_blob(from, &path).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let is_sql = |path: &str| std::path::Path::new(path).extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"));
    let read = |path: &String| Migration {
        path: path.clone(),
        up: if is_sql(path) { text(path) } else { None },
        down: back::down_of(path).map(|down| (down.clone(), text(&down))),
    };
    let ups = paths.iter().filter(|path| !back::is_down(path));
    back::objection(&ups.map(read).collect::<Vec<_>>())
}
