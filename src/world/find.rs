//! Files found by pattern, with the stamp that tells whether they were written since.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

mod pattern;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::world::files;

use pattern::{Pattern, Places};

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it was when it was found.
    pub stamp: Stamp,
}

impl Found {
    /// The file behind all links.
    #[must_use]
    pub fn real(&self) -> PathBuf {
        self.path.canonicalize().unwrap_or_else(|_| self.path.clone())
    }
}

/// What changes whenever a file is written anew or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

/// The files below `dir` that match a pattern relative to it (`out/*.sarif`, `**/junit.xml`), sorted. Links to folders are
/// followed wherever they lead; what was found there under another name already is not looked for again. A pattern without
/// wildcards names one file.
///
/// # Errors
/// When the pattern is no glob, a folder that may hold such files cannot be listed, a file not be looked at, or a link that
/// matches leads nowhere; the text says why.
pub fn find(dir: &Path, pattern: &str) -> Result<Vec<Found>, String> {
    let pattern = Pattern::read(pattern.trim_start_matches("./"))?;
    let (start, at) = pattern.start();
    let mut search =
        Search { base: dir, pattern: &pattern, entered: BTreeSet::new(), links: BTreeSet::new(), found: Vec::new() };
    let start = dir.join(start);
    if start.is_dir() {
        search.all(&start, &at)?;
    } else if at.is_empty() || !start.is_file() {
        search.keep(start)?;
    }
    search.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(search.found)
}

/// The patterns that one with braces stands for: `{a,b}.xml` for `a.xml` and `b.xml`. One that stands for very many is left
/// as it is.
#[must_use]
pub fn each(pattern: &str) -> Vec<String> {
    pattern::each(pattern).unwrap_or_else(|| vec![pattern.to_owned()])
}

struct Search<'a> {
    base: &'a Path,
    pattern: &'a Pattern,
    /// Folders by their paths without links, and by what of the pattern may match in them: there a second look finds
    /// nothing new, and circles end.
    entered: BTreeSet<(PathBuf, Places)>,
    links: BTreeSet<(PathBuf, Places)>,
    found: Vec<Found>,
}

impl Search<'_> {
    fn all(&mut self, start: &Path, at: &Places) -> Result<(), String> {
        self.walk(start, &real(start)?, at)?;
        // Behind links last: what they lead to may stand here by itself.
        while let Some((link, at)) = self.links.pop_first() {
            self.walk(&link, &real(&link)?, &at)?;
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, real: &Path, at: &Places) -> Result<(), String> {
        if !self.entered.insert((real.to_owned(), at.clone())) {
            return Ok(());
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if files::is_nothing(&error) => return Ok(()),
            Err(error) => return Err(format!("cannot look into {}: {error}", folder.display())),
        };
        for entry in entries {
            let entry = entry.map_err(|error| format!("cannot look into {}: {error}", folder.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let inside = self.pattern.inside(at, &name);
            let is_match = || path.strip_prefix(self.base).is_ok_and(|relative| self.pattern.is_match(relative));
            if inside.is_empty() && !is_match() {
                continue;
            }
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) if files::is_nothing(&error) => continue,
                Err(error) => return Err(format!("cannot look at {}: {error}", path.display())),
            };
            let is_folder = kind.is_dir() || (kind.is_symlink() && leads_to_folder(&path, inside.is_empty())?);
            if !is_folder && is_match() {
                self.keep(path)?;
            } else if !is_folder || inside.is_empty() || name == ".git" {
                // Nothing of the pattern.
            } else if kind.is_dir() {
                self.walk(&path, &real.join(name), &inside)?;
            } else {
                self.links.insert((path, inside));
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: PathBuf) -> Result<(), String> {
        match std::fs::metadata(&path) {
            Ok(data) if data.is_file() => self.found.push(Found { stamp: Stamp::of(&data), path }),
            Err(error) if path.is_symlink() => return Err(format!("{} leads nowhere: {error}", path.display())),
            Err(error) if !files::is_nothing(&error) => {
                return Err(format!("cannot look at {}: {error}", path.display()));
            }
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
}

fn real(folder: &Path) -> Result<PathBuf, String> {
    folder.canonicalize().map_err(|error| format!("cannot look into {}: {error}", folder.display()))
}

/// Whether a folder is behind a link. What cannot be told matters where one may hold what is looked for.
fn leads_to_folder(link: &Path, is_no_matter: bool) -> Result<bool, String> {
    match std::fs::metadata(link) {
        Ok(data) => Ok(data.is_dir()),
        Err(error) if is_no_matter || files::is_nothing(&error) || is_circle(&error) => Ok(false),
        Err(error) => Err(format!("cannot look at {}: {error}", link.display())),
    }
}

/// Whether links lead to one another and to nothing else.
#[cfg(unix)]
fn is_circle(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32)
}

#[cfg(not(unix))]
const fn is_circle(_error: &std::io::Error) -> bool {
    false
}

impl Stamp {
    #[cfg(unix)]
    fn of(data: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: data.dev(),
            inode: data.ino(),
            size: data.size(),
            modified: data.modified().ok(),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(data: &std::fs::Metadata) -> Self {
        Self { device: 0, inode: 0, size: data.len(), modified: data.modified().ok(), changed: (0, 0) }
    }
}
