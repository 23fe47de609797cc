//! The files of a repository, or of any folder, for `integrity`: listed without what git ignores, read up to a size.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::path::{Path, PathBuf};

use crate::integrity::{self, Listing, Problem, Tree};
use crate::model::path::RepoPath;
use crate::world::repo::Repo;

/// A file larger than this is none that people write, in bytes.
const LARGEST: u64 = 1 << 20;
/// Folders of other people's code, samples and output.
const PASSED_OVER: &[&str] = &[
    ".git",
    ".gatepost",
    ".venv",
    ".tox",
    "dist",
    "examples",
    "fixtures",
    "node_modules",
    "target",
    "testdata",
    "third_party",
    "vendor",
    "venv",
];

/// A folder with everything in it.
pub struct Folder {
    root: PathBuf,
    /// Knows what git ignores; `None` outside of a repository.
    repo: Option<Repo>,
}

impl Folder {
    /// At `root`, which need not be in a repository.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let repo =
            Repo::discover(root, None).ok().filter(|repo| repo.root().canonicalize().ok() == root.canonicalize().ok());
        Self { root: root.to_owned(), repo }
    }

    fn walk(&self, dir: &str, found: &mut Listing) {
        let unread = |what: String| Problem { path: format!("{dir}/"), place: None, what };
        let entries = match std::fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries,
            Err(error) => return found.problems.push(unread(format!("cannot be listed: {error}"))),
        };
        for entry in entries {
            let entry = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name())));
            let (kind, name) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    found.problems.push(unread(format!("cannot be listed: {error}")));
                    continue;
                }
            };
            let Some(name) = name.to_str() else {
                found.problems.push(unread(format!("has the name {}, which is not UTF-8", name.display())));
                continue;
            };
            let path = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
            let passed_over = (kind.is_dir() && PASSED_OVER.contains(&name)) || self.ignores(&path);
            // Pipes and devices are left out too.
            if !passed_over && kind.is_dir() {
                self.walk(&path, found);
            } else if !passed_over && kind.is_symlink() {
                found.links.push(path);
            } else if !passed_over && kind.is_file() {
                found.paths.push(path);
            }
        }
    }

    fn ignores(&self, path: &str) -> bool {
        let Ok(path) = RepoPath::parse(path) else { return true };
        self.repo.as_ref().is_some_and(|repo| repo.ignored(&path).unwrap_or(false))
    }
}

impl Tree for Folder {
    fn list(&self) -> Listing {
        let mut found = Listing::default();
        self.walk("", &mut found);
        found.paths.sort();
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

/// Runs something with the stack that hostile scripts may need.
///
/// # Errors
/// When it could not be started, or broke down.
pub fn deep<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(integrity::STACK).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| format!("could not start a thread of its own to read scripts: {error}"))?;
        thread.join().map_err(|_| "reading the scripts ended in a bug; please report it".to_owned())
    })
}
