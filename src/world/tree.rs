//! The files of a repository, or of any folder, for `integrity`: listed without what git ignores, read up to a size.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::integrity::Tree;
use crate::model::path::RepoPath;
use crate::world::repo::Repo;

/// A file larger than this is none that people write, in bytes.
const LARGEST: u64 = 4 << 20;
/// Folders of other people's code, samples and output.
const PASSED_OVER: &[&str] = &[
    ".git", ".gatepost", ".venv", ".tox", "dist", "examples", "fixtures", "node_modules", "target", "testdata", "third_party", "vendor", "venv",
];

/// A folder with everything in it.
pub struct Folder {
    root: PathBuf,
    /// Knows what git ignores; `None` outside of a repository.
    repo: Option<Repo>,
    /// What could not be listed.
    unlisted: RefCell<Vec<String>>,
}

impl Folder {
    /// At `root`, which need not be in a repository.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let repo = Repo::discover(root, None).ok().filter(|repo| repo.root().canonicalize().ok() == root.canonicalize().ok());
        Self { root: root.to_owned(), repo, unlisted: RefCell::new(Vec::new()) }
    }

    fn walk(&self, dir: &str, found: &mut Vec<String>) {
        let entries = match std::fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries,
            Err(error) => {
                self.unlisted.borrow_mut().push(format!("{dir}: {error}"));
                return;
            }
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            // Links are left out: they may lead back up, and what they lead to is read where it stands.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !PASSED_OVER.contains(&name.as_str()) && !self.ignores(&path) {
                self.walk(&path, found);
            } else if kind.is_file() && !self.ignores(&path) {
                found.push(path);
            }
        }
    }

    fn ignores(&self, path: &str) -> bool {
        let Ok(path) = RepoPath::parse(path) else { return true };
        self.repo.as_ref().is_some_and(|repo| repo.ignored(&path).unwrap_or(false))
    }
}

impl Tree for Folder {
    fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.walk("", &mut found);
        found.sort();
        found
    }

    fn read(&self, path: &str) -> Result<Option<String>, String> {
        let path = self.root.join(path);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot be read: {error}")),
            Ok(data) if data.len() > LARGEST => return Err(format!("is larger than {} MiB", LARGEST >> 20)),
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).map_err(|error| format!("cannot be read: {error}"))?;
        String::from_utf8(bytes).map(Some).map_err(|_| "is not UTF-8".to_owned())
    }
}
