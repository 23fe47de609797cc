//! Files found by pattern, with the stamp that tells whether they were written since.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use globset::{GlobBuilder, GlobMatcher};

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

/// The files below `dir` that match a pattern relative to it (`out/*.sarif`, `**/junit.xml`), sorted. A folder behind a
/// link is searched where it is below `dir` too, and was not already. A pattern without wildcards names one file.
///
/// # Errors
/// When the pattern is no glob, a folder that may hold such files cannot be listed, or a link that matches leads nowhere;
/// the text says why.
pub fn find(dir: &Path, pattern: &str) -> Result<Vec<Found>, String> {
    let pattern = pattern.trim_start_matches("./");
    let glob = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("{pattern:?} is no path pattern: {error}"))?
        .compile_matcher();
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let start = dir.join(&fixed);
    let mut search = Search {
        base: dir,
        glob,
        // How many folders deep a match may be; braces may hold more than is seen.
        depth: (!pattern.contains("**") && !pattern.contains('{')).then(|| Path::new(pattern).components().count()),
        entered: BTreeSet::new(),
        links: BTreeSet::new(),
        found: Vec::new(),
    };
    if start.is_dir() {
        search.all(&start)?;
    } else {
        search.keep(start)?;
    }
    search.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(search.found)
}

struct Search<'a> {
    base: &'a Path,
    glob: GlobMatcher,
    depth: Option<usize>,
    /// By their paths without links.
    entered: BTreeSet<PathBuf>,
    links: BTreeSet<PathBuf>,
    found: Vec<Found>,
}

impl Search<'_> {
    fn all(&mut self, start: &Path) -> Result<(), String> {
        let cannot = |error: Error| format!("cannot look into {}: {error}", start.display());
        let real_base = self.base.canonicalize().map_err(cannot)?;
        self.walk(start, &start.canonicalize().map_err(cannot)?)?;
        // Behind links last: what they lead to may stand here by itself.
        while let Some(link) = self.links.pop_first() {
            match link.canonicalize() {
                Ok(real) if real.starts_with(&real_base) && !self.entered.contains(&real) => self.walk(&link, &real)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, real: &Path) -> Result<(), String> {
        self.entered.insert(real.to_owned());
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("cannot look into {}: {error}", folder.display())),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(relative) = path.strip_prefix(self.base) else { continue };
            let may_hold = self.depth.is_none_or(|depth| relative.components().count() < depth);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && may_hold && entry.file_name() != ".git" => {
                    self.walk(&path, &real.join(entry.file_name()))?;
                }
                Ok(kind) if kind.is_symlink() && may_hold && path.is_dir() => {
                    self.links.insert(path);
                }
                Ok(_) if self.glob.is_match(relative) => self.keep(path)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: PathBuf) -> Result<(), String> {
        match std::fs::metadata(&path) {
            Ok(data) if data.is_file() => self.found.push(Found { stamp: Stamp::of(&data), path }),
            Err(error) if path.is_symlink() => return Err(format!("{} leads nowhere: {error}", path.display())),
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
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
