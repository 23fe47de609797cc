//! The lockfiles of the base: read from its commit, never from the disk.

use std::collections::BTreeMap;

use crate::advisory::lockfile::{self, Lockfile};
use crate::model::change::{ChangeKind, ChangeSet};
use crate::model::path::RepoPath;
use crate::model::sha::Sha;
use crate::world::repo::Repo;

/// With what is compared.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The commit; `None`: everything is new.
    pub base: Option<&'a Sha>,
    /// What differs from it.
    pub change: &'a ChangeSet,
}

/// A lockfile of the base.
pub(super) struct Old {
    pub path: String,
    pub lockfile: Lockfile,
}

/// The lockfiles of the base.
#[derive(Default)]
pub(super) struct Base {
    /// By the path that they have now.
    pub kept: BTreeMap<String, Old>,
    /// Those that are gone: a new lockfile may be one of them in another place or of another tool.
    pub gone: Vec<Old>,
    /// What could not be compared.
    pub notes: Vec<String>,
}

impl Compared<'_> {
    /// Reads the lockfiles of the base for those that were read of the judged tree, and those that are gone: as far as
    /// `is_audited` says that an audit of the base took them in.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub(super) fn read(
        &self,
        now: &[(String, Option<&'static lockfile::Format>)],
        is_audited: &dyn Fn(&str) -> bool,
    ) -> Result<Base, String> {
        let mut base = Base::default();
        let Some(commit) = self.base else { return Ok(base) };
        for (path, format) in now {
            let Ok(path) = RepoPath::parse(path) else { continue };
            let old = self.change.files.get(&path).and_then(|file| file.old_path.as_ref());
            // What it was made of where nobody audits came into no audit of the base.
            let old = old.filter(|old| is_audited(old.as_str())).unwrap_or(&path);
            if let Some(read) = self.one(commit, old, *format, &mut base.notes)? {
                base.kept.insert(path.to_string(), read);
            }
        }
        for (path, _) in self.change.files.iter().filter(|(_, file)| file.kind == ChangeKind::Deleted) {
            if is_audited(path.as_str()) {
                base.gone.extend(self.one(commit, path, None, &mut base.notes)?);
            }
        }
        Ok(base)
    }

    fn one(
        &self,
        commit: &Sha,
        path: &RepoPath,
        format: Option<&'static lockfile::Format>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Old>, String> {
        let read = self.repo.read_blob(commit, path).map_err(|error| format!("{path} of the base: {error}"))?;
        let Some(bytes) = read else { return Ok(None) };
        let known = format.or_else(|| lockfile::by_name(path.as_str())).or_else(|| lockfile::by_content(&bytes));
        let read = known.ok_or_else(|| "its format is not known".to_owned());
        match read.and_then(|format| format.read(&bytes).map_err(|error| error.to_string())) {
            Ok(lockfile) => Ok(Some(Old { path: path.to_string(), lockfile })),
            Err(why) => {
                notes.push(format!("{path} of the base cannot be compared with, all of it counts as new: {why}"));
                Ok(None)
            }
        }
    }
}
