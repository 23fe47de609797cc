//! Dumps on the disk: every record of a folder or an archive, read into an index, and the index kept for the next time.
#![expect(clippy::disallowed_methods, reason = "walks folders, as world::files does")]

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::cache::Cache;
use super::{AdvisoryError, Part, Wanted};
use crate::advisory::index::{Builder, Index};
use crate::advisory::record::{Record, RecordError};
use crate::advisory::{osv, rustsec};
use crate::parse::zip::{Archive, Limits, is_zip};
use crate::world::files;

/// The most bytes of one record, and of an archive.
const LARGEST_RECORD: u64 = 20 << 20;
const LARGEST_ARCHIVE: u64 = 1 << 30;
/// The most files of a folder.
const MOST_FILES: usize = 2_000_000;
/// What was changed less than this long ago, in seconds, may change again without a sign of it.
const SETTLED: i64 = 2;

/// Loads the dump at `path`, which a person calls `shown`.
pub(super) async fn load(path: &Path, shown: &str, wanted: &Wanted) -> Result<Part, AdvisoryError> {
    let (path, cache, now, name) = (path.to_owned(), wanted.cache.clone(), wanted.now, shown.to_owned());
    // It computes for seconds where the dump is large: other gates are not to wait for that.
    let index = tokio::task::spawn_blocking(move || index(&path, &name, &cache, now))
        .await
        .map_err(|error| AdvisoryError(format!("{shown} could not be read: {error}")))??;
    let date = index.meta.newest.clone();
    Ok(Part { index, name: shown.to_owned(), date, asked: false, notes: Vec::new() })
}

/// The index of a dump: the one that was kept, where the dump has not changed since.
pub(super) fn index(path: &Path, name: &str, cache: &Cache, now: Timestamp) -> Result<Index, AdvisoryError> {
    let failed = |what: String| AdvisoryError(format!("{name}: {what}"));
    let data = std::fs::metadata(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let whole = files::real_path(path).unwrap_or_else(|| path.to_owned());
    let key = whole.to_string_lossy();
    if data.is_dir() {
        let found = walk(path, now).map_err(failed)?;
        if let Some(known) = cache.index(&key, &found.stamp) {
            return Ok(known);
        }
        let index = of_folder(&found, now).map_err(failed)?;
        if found.settled {
            cache.keep(&key, &index);
        }
        return Ok(index);
    }
    if data.len() > LARGEST_ARCHIVE {
        return Err(failed(format!("is larger than {} MiB", LARGEST_ARCHIVE >> 20)));
    }
    let bytes = files::read(path).map_err(|error| AdvisoryError(error.to_string()))?;
    let digest = blake3::hash(&bytes).to_hex().to_string();
    if let Some(known) = cache.index(&key, &digest) {
        return Ok(known);
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let index = of_file(&file, &bytes, digest, now).map_err(failed)?;
    cache.keep(&key, &index);
    Ok(index)
}

/// The index of an archive, or of one record in a file of this name.
pub(super) fn of_file(name: &str, bytes: &[u8], digest: String, now: Timestamp) -> Result<Index, String> {
    let mut builder = Builder::default();
    let latest = now.to_string();
    if is_zip(bytes) {
        of_archive(&mut builder, "", bytes, &latest)?;
    } else {
        take(&mut builder, name, bytes, &latest);
    }
    Ok(builder.finish(digest.clone(), digest))
}

/// What a folder holds.
struct Found {
    /// Paths relative to it, with `/`, and where they are.
    files: Vec<(String, PathBuf)>,
    /// Changes whenever one of them does.
    stamp: String,
    /// Nothing was changed just now.
    settled: bool,
}

fn walk(root: &Path, now: Timestamp) -> Result<Found, String> {
    let mut waiting = vec![(String::new(), root.to_owned())];
    let mut found = Vec::new();
    let mut newest = i64::MIN;
    while let Some((prefix, folder)) = waiting.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{prefix} cannot be listed: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{prefix} cannot be listed: {error}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            // Links are not followed: they may lead anywhere, and in circles.
            let kind = entry.file_type().map_err(|error| format!("{path} cannot be read: {error}"))?;
            if kind.is_dir() {
                waiting.push((format!("{path}/"), entry.path()));
            } else if kind.is_file() && is_record(&path) {
                let data = entry.metadata().map_err(|error| format!("{path} cannot be read: {error}"))?;
                let (stamp, seconds) = stamp(&data);
                newest = newest.max(seconds);
                found.push((path, entry.path(), stamp));
            }
            if found.len() > MOST_FILES {
                return Err(format!("has more than {MOST_FILES} files"));
            }
        }
    }
    found.sort();
    let mut hasher = blake3::Hasher::new();
    for (path, _, stamp) in &found {
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(stamp);
    }
    let stamp = hasher.finalize().to_hex().to_string();
    let settled = newest < now.as_second() - SETTLED;
    Ok(Found { files: found.into_iter().map(|(path, place, _)| (path, place)).collect(), stamp, settled })
}

/// What changes with a file, and the second in which it last did.
#[cfg(unix)]
fn stamp(data: &Metadata) -> (Vec<u8>, i64) {
    use std::os::unix::fs::MetadataExt as _;
    let numbers = [data.size().cast_signed(), data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()];
    (numbers.iter().flat_map(|number| number.to_le_bytes()).collect(), data.ctime())
}

/// What changes with a file, and the second in which it last did.
#[cfg(not(unix))]
fn stamp(data: &Metadata) -> (Vec<u8>, i64) {
    let modified = data.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(Timestamp::MAX);
    let numbers = [data.len().to_le_bytes(), modified.as_millisecond().to_le_bytes()];
    (numbers.concat(), modified.as_second())
}

/// Records, and archives of them.
fn is_record(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ends = |ending: &str| name.ends_with(ending);
    ends(".json") || ends(".zip") || (name.starts_with("rustsec-") && ends(".md"))
}

fn of_folder(found: &Found, now: Timestamp) -> Result<Index, String> {
    let mut builder = Builder::default();
    let mut hasher = blake3::Hasher::new();
    let latest = now.to_string();
    for (path, place) in &found.files {
        let is_archive = path.to_ascii_lowercase().ends_with(".zip");
        let limit = if is_archive { LARGEST_ARCHIVE } else { LARGEST_RECORD };
        let Some(bytes) = files::read_capped(place, limit) else {
            builder.skip(path, "is too large, or cannot be read");
            continue;
        };
        hasher.update(path.as_bytes());
        hasher.update(blake3::hash(&bytes).as_bytes());
        if is_archive {
            of_archive(&mut builder, &format!("{path}: "), &bytes, &latest).map_err(|why| format!("{path} {why}"))?;
        } else {
            take(&mut builder, path, &bytes, &latest);
        }
    }
    Ok(builder.finish(found.stamp.clone(), hasher.finalize().to_hex().to_string()))
}

/// Takes in every record of an archive.
fn of_archive(builder: &mut Builder, prefix: &str, bytes: &[u8], latest: &str) -> Result<(), String> {
    let archive = Archive::open_within(bytes, Limits::DUMP).map_err(|error| error.to_string())?;
    for entry in archive.entries.iter().filter(|entry| is_record(&entry.name)) {
        match archive.read(entry) {
            Ok(bytes) => take(builder, &format!("{prefix}{}", entry.name), &bytes, latest),
            // It is cut or changed: nobody knows what else is.
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

fn take(builder: &mut Builder, name: &str, bytes: &[u8], latest: &str) {
    match read(name, bytes) {
        Ok(record) => builder.add(record, latest),
        Err(error) => builder.skip(name, &error.to_string()),
    }
}

fn read(name: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    if name.to_ascii_lowercase().ends_with(".md") {
        // `rust/std/RUSTSEC-….md`; a crate of that name stands in `crates/rust/`.
        let rust = name.rsplit('/').nth(2) == Some("rust");
        rustsec::read(bytes, rust)
    } else {
        osv::read(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_rust_itself_stands_in_the_folder_for_that() {
        let record = b"```toml\n[advisory]\nid = \"RUSTSEC-1\"\npackage = \"std\"\ndate = \"2026-01-01\"\n```\n# a\n";
        let packages = |path: &str| read(path, record).unwrap().packages.len();
        assert_eq!(packages("advisory-db-main/rust/std/RUSTSEC-1.md"), 0);
        for path in ["crates/rust/RUSTSEC-1.md", "rust/advisory-db/crates/std/RUSTSEC-1.md", "rust/RUSTSEC-1.md"] {
            assert_eq!(packages(path), 1, "{path}");
        }
    }
}
