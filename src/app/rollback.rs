//! `gatepost rollback`: back to the last deployment that was verified, or to a named commit. It asks for no evidence, no
//! hours and no order.

use crate::app::Failure;
use crate::app::deploy::{Deployed, drive, ended};
use crate::app::site::{Site, Start};
use crate::deploy::engine::{Watch, Wish};
use crate::deploy::machine::Ask;
use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::policy::way_back::{self, Migration};
use crate::world::env::Env;
use crate::world::repo::{Repo, RepoError};

/// What `gatepost rollback` was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where and how.
    pub start: Start,
    /// The environment.
    pub environment: String,
    /// `--to`.
    pub to: Option<String>,
    /// `--allow-irreversible`.
    pub allow_irreversible: bool,
}

/// Rolls an environment back.
///
/// # Errors
/// When it could not be begun.
pub async fn rollback(request: &Request, env: &Env, watch: &dyn Watch) -> Result<Deployed, Failure> {
    let mut site = Site::open(&request.start, env).await?;
    let environment = site.environment(&request.environment)?;
    let (_, back) = site.deployers(&environment)?;
    site.demand_secrets(&environment, &[&*back])?;
    let to = request.to.as_deref().map(|to| site.commit(Some(to))).transpose()?;
    let wish = Wish {
        sha: to.clone(),
        reference: request.to.clone().unwrap_or_default(),
        reason: "rollback".to_owned(),
        ..Wish::default()
    };
    let outcome = drive(&mut site, &environment, Ask::Rollback, wish, request.allow_irreversible, watch).await?;
    Ok(ended(&site, &environment, to, outcome, Ask::Rollback))
}

/// The files of migrations that `from` has and `to` has not, or has otherwise.
///
/// # Errors
/// When one of the two is not here.
pub fn migrations(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Result<Vec<String>, RepoError> {
    let changed = repo.changed_paths(to, from)?;
    Ok(changed.into_iter().filter(|path| way_back::is_migration(path, folder)).collect())
}

/// Why the migrations between two commits forbid going back from `from` to `to`.
#[must_use]
pub fn migrations_object(repo: &Repo, folder: Option<&str>, to: &Sha, from: &Sha) -> Option<String> {
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
        down: way_back::down_of(path).map(|down| (down.clone(), text(&down))),
    };
    let ups = paths.iter().filter(|path| !way_back::is_down(path));
    way_back::objection(&ups.map(read).collect::<Vec<_>>())
}
