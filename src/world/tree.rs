//! The files of a repository, or of any folder, for `integrity`: listed without what git ignores, read up to a size.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::integrity::{self, Listing, Problem, Tree};
use crate::model::path::RepoPath;
use crate::world::files;
use crate::world::repo::{Ignored, Repo};

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
    /// Knows what git ignores, and what a sparse checkout left out; with the folder's path in it. `None` outside of a
    /// repository, and in a folder that the repository around it ignores.
    repo: Option<(Repo, String)>,
    left_out: OnceCell<Result<BTreeSet<String>, String>>,
}

impl Folder {
    /// At `root`, which need not be in a repository.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let below = |repo: Repo| {
            let dir = root.canonicalize().ok()?;
            let dir = dir.strip_prefix(repo.root().canonicalize().ok()?).ok()?.to_str()?.replace('\\', "/");
            Some((repo, dir))
        };
        let repo = Repo::discover(root, None).ok().and_then(below);
        Self { root: root.to_owned(), repo, left_out: OnceCell::new() }
    }

    fn walk(&self, dir: &str, ignored: &Inside<'_>, found: &mut Listing) {
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
            let whole = inside(dir.as_bytes(), name.as_encoded_bytes());
            if (kind.is_dir() && is_passed_over(&name.to_string_lossy())) || ignored.has(&whole) {
                continue;
            }
            let Ok(path) = String::from_utf8(whole) else {
                found.problems.push(unread(format!("has the name {}, which is not UTF-8", name.display())));
                continue;
            };
            // Pipes and devices are left out too.
            if kind.is_dir() {
                self.walk(&path, ignored, found);
            } else if kind.is_symlink() {
                found.links.push(path);
            } else if kind.is_file() {
                found.paths.push(path);
            }
        }
    }

    /// What git tracks below the folder, and a sparse checkout left out.
    fn left_out(&self) -> Result<&BTreeSet<String>, String> {
        let left_out = self.left_out.get_or_init(|| {
            let Some((repo, dir)) = &self.repo else { return Ok(BTreeSet::new()) };
            let all = repo.left_out_by_sparse().map_err(|error| error.to_string())?;
            let below = |path: &String| match dir.as_str() {
                "" => Some(path.clone()),
                dir => Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_owned()),
            };
            Ok(all.iter().filter_map(below).collect())
        });
        left_out.as_ref().map_err(Clone::clone)
    }
}

/// What git ignores, asked for by paths in a folder of the repository.
struct Inside<'a> {
    dir: &'a str,
    ignored: Ignored,
}

impl Inside<'_> {
    fn has(&self, path: &[u8]) -> bool {
        self.ignored.has(&inside(self.dir.as_bytes(), path))
    }
}

fn inside(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() }
}

fn is_passed_over(folder: &str) -> bool {
    PASSED_OVER.contains(&folder)
}

impl Tree for Folder {
    fn list(&self) -> Listing {
        let mut found = Listing::default();
        let untold = |what: String| Problem { path: "./".to_owned(), place: None, what };
        let (dir, ignored) = match &self.repo {
            None => ("", Ok(Ignored::default())),
            Some((repo, dir)) => (dir.as_str(), repo.ignored()),
        };
        let ignored = ignored.unwrap_or_else(|error| {
            found.problems.push(untold(format!("what git ignores cannot be told: {error}")));
            Ignored::default()
        });
        let is_ignored_itself = !dir.is_empty() && ignored.has(dir.as_bytes());
        let ignored = if is_ignored_itself { Ignored::default() } else { ignored };
        self.walk("", &Inside { dir, ignored }, &mut found);
        match self.left_out() {
            Ok(left_out) => {
                let is_of_others = |path: &&String| path.split('/').rev().skip(1).any(is_passed_over);
                found.paths.extend(left_out.iter().filter(|path| !is_of_others(path)).cloned());
            }
            Err(error) => {
                found.problems.push(untold(format!("what a sparse checkout left out cannot be told: {error}")));
            }
        }
        found.paths.sort();
        found
    }

    fn read(&self, path: &str) -> Result<Option<String>, String> {
        if !RepoPath::parse(path).is_ok_and(|known| known.as_str() == path) {
            return Err("has a name that no report can have (a control character, a backslash or a drive)".to_owned());
        }
        match files::read_text(&self.root.join(path), LARGEST) {
            Ok(None) if self.left_out()?.contains(path) => {
                Err("is left out by a sparse checkout: check it out too (git sparse-checkout add)".to_owned())
            }
            read => read,
        }
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
