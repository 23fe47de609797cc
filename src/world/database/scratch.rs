//! A short private folder for a scratch server, and the sweeping of those that a killed gatepost left behind. A folder
//! is its owner's for as long as the lock on the file in it is held: the system lets go of it however a process ends.
#![expect(clippy::disallowed_methods, reason = "makes, copies and removes whole folders, as world::files does")]

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::database::programs::Surroundings;
use crate::world::database::{DatabaseError, packed};
use crate::world::process::{User, end_leftover, remove_segment};

/// What scratch folders are called.
const PREFIX: &str = "gatepost-db-";
/// The file whose lock says that the owner lives.
const LOCK: &str = "lock";
/// The folder that servers keep their data in.
const DATA: &str = "data";
/// How long the making of a folder takes at the very most.
const MAKING: Duration = Duration::from_mins(1);
/// A socket's path may have 107 bytes on Linux and 103 on macOS; the file itself needs 20.
const LONGEST: usize = 70;

/// A private folder, removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    user: Option<User>,
    _lock: File,
}

impl Scratch {
    /// Makes a folder below `temp` (or `/tmp` where that is too long a path for a socket), after sweeping what dead
    /// owners left there. Run as root it is given to the unprivileged user `names` begins with, of those that exist.
    ///
    /// # Errors
    /// When no folder can be made, or root finds no user to step down to.
    pub fn new(temp: Option<&Path>, names: &[&str]) -> io::Result<Self> {
        let temp = temp.filter(|temp| temp.as_os_str().len() + PREFIX.len() + 8 < LONGEST && is_open(temp));
        let temp = temp.unwrap_or(Path::new("/tmp"));
        let user = unprivileged(names)?;
        sweep(temp, user);
        let mut word = [0_u8; 4];
        getrandom::fill(&mut word).map_err(io::Error::other)?;
        let name = format!("{PREFIX}{:08x}", u32::from_le_bytes(word));
        // Under another name until the lock is held: a sweep elsewhere must not take it for left behind.
        let making = temp.join(format!(".{name}"));
        fs::DirBuilder::new().mode(0o700).create(&making)?;
        let made = || {
            let lock = File::create(making.join(LOCK))?;
            lock.try_lock().map_err(|_| io::ErrorKind::WouldBlock)?;
            if let Some(user) = user {
                std::os::unix::fs::chown(&making, Some(user.uid), Some(user.gid))?;
            }
            fs::rename(&making, temp.join(&name))?;
            Ok(lock)
        };
        match made() {
            Ok(lock) => Ok(Self { path: temp.join(name), user, _lock: lock }),
            Err(error) => {
                let _ = fs::remove_dir_all(&making);
                Err(error)
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whom servers in it run as; `None`: as gatepost itself.
    #[must_use]
    pub const fn user(&self) -> Option<User> {
        self.user
    }

    /// A new folder in it that the server may write to.
    ///
    /// # Errors
    /// When it cannot be made or given away.
    pub fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        self.give(&path)?;
        Ok(path)
    }

    /// Makes a folder here of one that was kept.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn bring(&self, kept: &Path, name: &str) -> io::Result<()> {
        let to = self.folder(name)?;
        let brought = packed::unpack(kept, &to, &|path| self.give(path));
        if brought.is_err() {
            let _ = fs::remove_dir_all(&to);
        }
        brought
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self.user {
            Some(user) => std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        release(&self.path);
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Where the data folder that a server starts from is kept as a file, one for each build of its program; `None` without a cache.
#[must_use]
pub fn template(around: Surroundings<'_>, program: &Path) -> Option<PathBuf> {
    let data = fs::metadata(program).ok()?;
    let name = program.file_name()?.to_string_lossy().into_owned();
    Some(around.cache()?.join(format!("{name}-{}-{}.packed", data.len(), data.mtime())))
}

/// Starts a server in `first` from the data folder that is kept as `template`, else from one that `install` makes, which is
/// kept then, but for files with an ending of `without`. One that does not start may have been cut short when it was kept:
/// it goes, and the start is made again.
///
/// # Errors
/// When no data folder can be made, or the server does not start from it.
pub async fn started<S>(
    (first, again): (Scratch, impl Fn() -> io::Result<Scratch>),
    (template, without): (Option<&Path>, &[&str]),
    install: impl AsyncFn(&Scratch) -> Result<(), DatabaseError>,
    start: impl AsyncFn(Scratch) -> Result<S, DatabaseError>,
) -> Result<S, DatabaseError> {
    let mut scratch = first;
    if let Some(template) = template.filter(|template| template.is_file()) {
        if scratch.bring(template, DATA).is_ok()
            && let Ok(server) = start(scratch).await
        {
            return Ok(server);
        }
        fs::remove_file(template)?;
        scratch = again()?;
    }
    install(&scratch).await?;
    if let Some(template) = template {
        // A run without one only starts later.
        let _ = keep(&scratch.path().join(DATA), template, without);
    }
    start(scratch).await
}

/// Keeps a folder, but for files with such an ending, so that a reader of `to` sees all or nothing.
fn keep(from: &Path, to: &Path, without: &[&str]) -> io::Result<()> {
    let parent = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(parent)?;
    let lock = File::create(parent.join(LOCK))?;
    if lock.try_lock().is_err() {
        // Another run is about it.
        return Ok(());
    }
    // One that was killed may have left some.
    let making = parent.join("making");
    let kept = packed::pack(from, without)
        .and_then(|packed| fs::write(&making, packed))
        .and_then(|()| fs::rename(&making, to));
    if kept.is_err() {
        let _ = fs::remove_file(&making);
    }
    kept
}

/// Whether someone else may go through the folder: a server run by another user must reach its own.
fn is_open(folder: &Path) -> bool {
    folder.ancestors().all(|above| fs::metadata(above).is_ok_and(|data| data.mode() & 0o001 != 0))
}

/// As root: the user that servers run as, which they refuse to do as root.
fn unprivileged(names: &[&str]) -> io::Result<Option<User>> {
    if !nix::unistd::Uid::effective().is_root() {
        return Ok(None);
    }
    let known = names.iter().chain(&["nobody"]).find_map(|name| nix::unistd::User::from_name(name).ok().flatten());
    match known {
        Some(user) => Ok(Some(User { uid: user.uid.as_raw(), gid: user.gid.as_raw() })),
        None => Err(io::Error::other("servers do not run as root, and there is no user `nobody` to run them as")),
    }
}

/// Removes the folders whose owners are gone, with the servers that still run in them.
fn sweep(temp: &Path, user: Option<User>) {
    let own = nix::unistd::Uid::effective().as_raw();
    let is_ours = |uid: u32| uid == own || user.is_some_and(|user| user.uid == uid);
    for entry in fs::read_dir(temp).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let named = name.to_str().is_some_and(|name| name.trim_start_matches('.').starts_with(PREFIX));
        let Ok(data) = entry.metadata() else { continue };
        if !named || !data.is_dir() || !is_ours(data.uid()) {
            continue;
        }
        // Without the file, or under its first name, it may be being made just now.
        let fresh = data.modified().ok().and_then(|at| at.elapsed().ok()).is_none_or(|age| age < MAKING);
        if fresh && name.to_str().is_some_and(|name| name.starts_with('.')) {
            continue;
        }
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue,
        }
        for file in ["data/postmaster.pid", "data/mysqld.pid"] {
            let first =
                fs::read_to_string(path.join(file)).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
            if let (Some(pid), Some(sign)) = (first, path.to_str()) {
                end_leftover(pid, sign);
            }
        }
        release(&path);
        let _ = fs::remove_dir_all(&path);
    }
}

/// A PostgreSQL that was killed leaves its file behind, and the segment that the file's seventh line names.
fn release(scratch: &Path) {
    let text = fs::read_to_string(scratch.join("data/postmaster.pid")).unwrap_or_default();
    let mut numbers = text.lines().nth(6).unwrap_or_default().split_whitespace();
    let key = numbers.next().and_then(|word| word.parse().ok());
    if let Some((key, id)) = key.zip(numbers.next().and_then(|word| word.parse().ok())) {
        remove_segment(key, id);
    }
}
