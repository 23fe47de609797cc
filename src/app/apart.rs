//! That no two files which a run is told to write are the same one.

use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::world::files;

/// Looks at files, each beside what it is, as a person would name that.
///
/// # Errors
/// With exit code 2 for the first two that are the same.
pub fn check(written: &[(&str, PathBuf)]) -> Result<(), Failure> {
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for (what, path) in written {
        // A device or a pipe takes both.
        if files::stands(path) && !files::is_file(path) {
            continue;
        }
        let place = place(path);
        if let Some((other, _)) = seen.iter().find(|(_, other)| *other == place) {
            return Err(Failure::usage(format!("{other} and {what} are the same file, {}", path.display()))
                .help("one would overwrite the other: name two files"));
        }
        seen.push((what, place));
    }
    Ok(())
}

/// A file's path without links, also of one that is still to be made.
#[must_use]
pub fn place(path: &Path) -> PathBuf {
    let below = || Some(place(path.parent()?).join(path.file_name()?));
    files::real_path(path).or_else(below).unwrap_or_else(|| path.to_owned())
}
