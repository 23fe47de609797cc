//! Files found by pattern, with the stamp that tells whether they were written since.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

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

/// What changes whenever a file is written anew or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

/// The files below `dir` that match a pattern relative to it (`out/*.sarif`, `**/junit.xml`), sorted. Folders that
/// are links are not entered. A pattern without wildcards names one file.
///
/// # Errors
/// When the pattern is no glob; the text says why.
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
    let mut found = Vec::new();
    let start = dir.join(&fixed);
    if start.is_dir() {
        walk(&start, dir, &glob, &mut found);
    } else {
        keep(start, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, base: &Path, glob: &GlobMatcher, found: &mut Vec<Found>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => walk(&path, base, glob, found),
            Ok(_) if path.strip_prefix(base).is_ok_and(|relative| glob.is_match(relative)) => keep(path, found),
            _ => {}
        }
    }
}

fn keep(path: PathBuf, found: &mut Vec<Found>) {
    if let Ok(data) = std::fs::metadata(&path)
        && data.is_file()
    {
        found.push(Found { path, stamp: Stamp::of(&data) });
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
