//! Files. Every error names the path and what was tried.
#![expect(clippy::disallowed_methods, reason = "this is the one place that touches files")]

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::{ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried ("read", "write").
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What happened.
    pub source: std::io::Error,
}

impl FileError {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == std::io::ErrorKind::NotFound
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

/// The whole file.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(failed("read", path))
}

/// Opens a file to be read in pieces.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> Result<std::fs::File, FileError> {
    std::fs::File::open(path).map_err(failed("open", path))
}

/// Opens a new or emptied file to be written in pieces, and read again.
///
/// # Errors
/// When it cannot be created.
pub fn create(path: &Path) -> Result<std::fs::File, FileError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).open(path).map_err(failed("create", path))
}

/// Locks a file, made where missing, until what is given back is dropped; `None` while another has it locked. Where the file
/// system knows no locks it counts as locked.
///
/// # Errors
/// When it cannot be opened.
pub fn lock(path: &Path) -> Result<Option<std::fs::File>, FileError> {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(failed("lock", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => {
            tracing::debug!(%error, path = %path.display(), "cannot be locked");
            Ok(Some(file))
        }
    }
}

/// Writes a whole file so that a reader sees the old one or the new one, never a part: a temporary file
/// beside it is renamed. It is not forced to the disk: a run that a power cut ends has no verdict anyway.
/// A link stays, and what it leads to is written. What is no plain file (a pipe, a device) is written into as it stands.
///
/// # Errors
/// When the folder is missing or read-only, or the disk is full; the old file then still stands. When nobody reads the pipe.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let written = match std::fs::metadata(path) {
        Ok(found) if found.is_file() && !is_link(path) => replace(path, bytes),
        Ok(found) => match (own_stream(&found), path.canonicalize()) {
            (Some(mut stream), _) => stream.write_all(bytes),
            (None, Ok(target)) if found.is_file() => replace(&target, bytes),
            (None, _) => write_into(path, bytes),
        },
        Err(error) => match std::fs::read_link(path) {
            // The system followed it to its end: it leads into no circle.
            Ok(target) if error.kind() == std::io::ErrorKind::NotFound => {
                return write(&path.with_file_name("").join(target), bytes);
            }
            Ok(_) => Err(error),
            Err(_) => replace(path, bytes),
        },
    };
    written.map_err(failed("write", path))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::File::create(&beside).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

/// Does not wait for somebody who reads: no signal would end that.
#[cfg(unix)]
fn write_into(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn write_into(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes)
}

/// Standard output or error, where that is what was found: `/dev/stdout` is one file with what is printed, whose end only
/// the stream itself knows.
#[cfg(unix)]
fn own_stream(found: &Metadata) -> Option<std::fs::File> {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let is_it = |stream: &std::fs::File| {
        stream.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (found.dev(), found.ino()))
    };
    let streams = [out.as_fd().try_clone_to_owned(), err.as_fd().try_clone_to_owned()];
    streams.into_iter().flatten().map(std::fs::File::from).find(is_it)
}

#[cfg(not(unix))]
const fn own_stream(_found: &Metadata) -> Option<std::fs::File> {
    None
}

/// Adds to the end of a file, which is created where missing.
///
/// # Errors
/// When it cannot be opened or written.
pub fn append(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(failed("append to", path))
}

/// Makes a folder and those above it; one that stands is fine.
///
/// # Errors
/// When it cannot be made.
pub fn make_dir(path: &Path) -> Result<(), FileError> {
    let made = std::fs::create_dir_all(path);
    let in_the_way = |source: &std::io::Error| source.kind() == ErrorKind::AlreadyExists;
    made.map_err(|source| if in_the_way(&source) { std::io::Error::other("there is a file") } else { source })
        .map_err(failed("create the folder", path))
}

/// Removes a file or a folder with all in it; one that is not there is fine. Links are removed, not followed.
///
/// # Errors
/// When it stands and cannot be removed.
pub fn remove(path: &Path) -> Result<(), FileError> {
    let gone = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed("remove", path)),
    }
}

/// Removes what is in a folder, but for what `stays`; the folder itself stays, and one that is not there is fine. In its
/// place a file or a link is removed. Faster than [`remove`] where the same names are made again at once: a file system
/// may not give out again for a while what was just freed, and searches for what it may.
///
/// # Errors
/// When it cannot be read, or something in it cannot be removed.
pub fn empty(path: &Path, stays: impl Fn(&OsStr, &Metadata) -> bool) -> Result<(), FileError> {
    if !std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return remove(path);
    }
    for entry in std::fs::read_dir(path).map_err(failed("list", path))? {
        let entry = entry.map_err(failed("list", path))?;
        if !entry.metadata().is_ok_and(|found| stays(&entry.file_name(), &found)) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The sorted names in a folder.
///
/// # Errors
/// When it cannot be read.
pub fn list(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = std::fs::read_dir(path).map_err(failed("list", path))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// The bytes of a plain file, which are at most `most`.
///
/// # Errors
/// When it cannot be read, is something else, or is longer.
pub fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    use std::io::Read as _;
    let other = |what: String| FileError { action: "read", path: path.to_owned(), source: std::io::Error::other(what) };
    // To open a pipe waits for whoever writes to it.
    let found = std::fs::metadata(path).map_err(failed("open", path))?;
    if !found.is_file() {
        return Err(other("it is no plain file".to_owned()));
    }
    // One byte more, so that its end is seen at once.
    let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(most)).unwrap_or(0) + 1);
    let file = std::fs::File::open(path).map_err(failed("open", path))?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed("read", path))?;
    if bytes.len() as u64 > most {
        return Err(other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// The text of a file that people write, which is at most `most` bytes, whole MiB; `None` where there is none.
///
/// # Errors
/// When it cannot be read, is no plain file, is longer, or is no UTF-8; the text goes behind the file's name.
pub fn read_text(path: &Path, most: u64) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Err(error) if is_nothing(&error) => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
        Ok(data) if !data.is_file() => return Err("is no file".to_owned()),
        Ok(data) if data.len() > most => return Err(format!("is larger than {} MiB", most >> 20)),
        Ok(_) => {}
    }
    let bytes = read_at_most(path, most).map_err(|error| format!("cannot be read: {}", error.source))?;
    String::from_utf8(bytes).map(Some).map_err(|_| "is not UTF-8".to_owned())
}

/// Where a link points to, as the system keeps it.
///
/// # Errors
/// When there is no link.
pub fn link_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let target = std::fs::read_link(path).map_err(failed("read the link", path))?;
    Ok(target.into_os_string().into_encoded_bytes())
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link, a device, a pipe.
    Other,
}

/// Whether the system says that nothing is there: in the place of its folder a file may be.
#[must_use]
pub fn is_nothing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What stands at a path; a link is not followed.
///
/// # Errors
/// When it cannot be told.
pub fn standing(path: &Path) -> Result<Standing, FileError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Standing::File),
        Ok(found) if found.is_dir() => Ok(Standing::Folder),
        Ok(_) => Ok(Standing::Other),
        Err(error) if is_nothing(&error) => Ok(Standing::Nothing),
        Err(error) => Err(failed("look at", path)(error)),
    }
}

/// The bytes of a plain file, if it is no larger than `limit` bytes and can be read.
#[must_use]
pub fn read_capped(path: &Path, limit: u64) -> Option<Vec<u8>> {
    read_at_most(path, limit).ok()
}

/// Whether a file (not a folder) stands there; links are followed.
#[must_use]
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether a folder stands there; links are followed.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Whether a link stands there.
#[must_use]
pub fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// Whether anything stands there.
#[must_use]
pub fn stands(path: &Path) -> bool {
    path.exists()
}

/// The path without links, if it stands.
#[must_use]
pub fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// The last `bytes` of a file, from the beginning of a line; `None` where it cannot be read.
#[must_use]
pub fn tail(path: &Path, bytes: u64) -> Option<Vec<u8>> {
    use std::io::{Read as _, SeekFrom};
    let mut file = std::fs::File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let start = size.saturating_sub(bytes);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut text = Vec::new();
    file.take(bytes).read_to_end(&mut text).ok()?;
    if start > 0
        && let Some(line_end) = text.iter().position(|&b| b == b'\n')
    {
        text.drain(..=line_end);
    }
    Some(text)
}

/// A file's size in bytes; `None` where there is none.
#[must_use]
pub fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|data| data.len())
}

/// When the file or what is known of it was last changed, by the clock of its file system.
#[cfg(unix)]
#[must_use]
pub fn changed_at(path: &Path) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    let (seconds, rest) = (u64::try_from(data.ctime()).ok()?, u32::try_from(data.ctime_nsec()).ok()?);
    Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, rest))
}

/// When the file was last changed, by the clock of its file system.
#[cfg(not(unix))]
#[must_use]
pub fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// Standard input, in a private temporary file, so that it can be read twice and costs no memory.
///
/// # Errors
/// When it cannot be read, or there is no space.
pub fn spool_stdin() -> Result<std::fs::File, FileError> {
    spool(std::io::stdin().lock(), Path::new("standard input"))
}

/// Opens a file that is read twice; what cannot be (a pipe) is copied as standard input is.
///
/// # Errors
/// As [`open`] and [`spool_stdin`].
pub fn open_twice(path: &Path) -> Result<std::fs::File, FileError> {
    let file = open(path)?;
    let is_stream = file.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_stream { spool(file, path) } else { Ok(file) }
}

fn spool(mut from: impl std::io::Read, name: &Path) -> Result<std::fs::File, FileError> {
    let mut file = nameless()?;
    std::io::copy(&mut from, &mut file).and_then(|_| file.rewind()).map_err(failed("copy", name))?;
    Ok(file)
}

/// A private temporary file without a name: nothing of it is left, however this process ends.
///
/// # Errors
/// When it cannot be created.
pub fn nameless() -> Result<std::fs::File, FileError> {
    let mut word = [0_u8; 8];
    let _ = getrandom::fill(&mut word);
    let name = format!("gatepost-{}-{:016x}", std::process::id(), u64::from_le_bytes(word));
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(failed("create", &path))?;
    std::fs::remove_file(&path).map_err(failed("remove", &path))?;
    Ok(file)
}
