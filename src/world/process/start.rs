//! Finds the program and starts it: its own group, no input, pipes for output, exactly the environment given.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::world::files::{self, FileError};
use crate::world::process::Spawn;
use crate::world::process::capture::Pipe;
use crate::world::process::system::{self, Child, Group};

/// Where programs are looked up when the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

thread_local! {
    /// Programs that were looked up since a command last ended: one that needs what another command installs is started after
    /// that one's end, and those that run at the same time may find either.
    static FOUND: RefCell<Vec<Found>> = const { RefCell::new(Vec::new()) };
}

/// What a name without `/` meant.
struct Found {
    name: String,
    dir: PathBuf,
    path: OsString,
    file: PathBuf,
}

/// Why a command was not started, or cannot be spoken of. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// `dir` is not there.
    #[error("cannot run {program:?}: its folder {} does not exist; check the gate's `dir`", dir.display())]
    NoDir {
        /// What was to be run.
        program: String,
        /// Where.
        dir: PathBuf,
    },
    /// No folder of `PATH` has it.
    #[error("cannot run {program:?}: no folder of PATH has it; {}", if program == "bash" {
        "install bash, or write the command as an array, which needs no shell"
    } else {
        "install it, or name it by its path"
    })]
    NotInPath {
        /// What was looked for.
        program: String,
    },
    /// A path that leads to nothing.
    #[error("cannot run {}: no such file; paths are relative to the gate's `dir`", file.display())]
    NoFile {
        /// The whole path.
        file: PathBuf,
    },
    /// A file that may not be executed, or a folder.
    #[error("cannot run {}: it is not an executable file; `chmod +x` it, or put its interpreter before it", file.display())]
    NotExecutable {
        /// The whole path.
        file: PathBuf,
    },
    /// The interpreter that its first line asks for is not there.
    #[error("cannot run {}: its first line asks for {interpreter:?}, which is not there", file.display())]
    NoInterpreter {
        /// The script.
        file: PathBuf,
        /// What its `#!` line says.
        interpreter: String,
    },
    /// As that line ends as on Windows, its end is a part of the interpreter's name.
    #[error(
        "cannot run {}: its lines end as on Windows, and the system looks for an interpreter whose name ends so; \
         end them with LF (`dos2unix`, or `text eol=lf` in .gitattributes)",
        file.display()
    )]
    WindowsLines {
        /// The script.
        file: PathBuf,
    },
    /// The system refused for another reason.
    #[error("cannot run {}: {source}{}", file.display(), advice(source))]
    System {
        /// The program.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ran, but how it ended is not known.
    #[error("{program:?} ended, but its exit status could not be read: {source}")]
    Lost {
        /// What was run.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its output has nowhere to go.
    #[error(transparent)]
    Output(#[from] FileError),
}

/// A command that runs.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) group: Group,
    pub(super) out: Pipe,
    pub(super) err: Pipe,
}

/// Starts the command.
///
/// # Errors
/// When there is no such program or folder, or the system refuses.
pub(super) async fn start(spawn: &Spawn) -> Result<Started, SpawnError> {
    let name = spawn.argv.first().map_or("", String::as_str);
    let started = start_in_dir(name, spawn).await;
    // Asked only when it failed, and said rather than what failed for it.
    if started.is_err() && !spawn.dir.is_dir() {
        return Err(SpawnError::NoDir { program: name.to_owned(), dir: spawn.dir.clone() });
    }
    started
}

async fn start_in_dir(name: &str, spawn: &Spawn) -> Result<Started, SpawnError> {
    // Found here, not by the C library: it would search the wrong PATH.
    let file = find(name, &spawn.dir, spawn.env.get("PATH"))?;
    let refused = |source| match interpreter(&file) {
        Some(interpreter) if is_not_found(&source) && interpreter.ends_with('\r') => {
            SpawnError::WindowsLines { file: file.clone() }
        }
        Some(interpreter) if is_not_found(&source) => SpawnError::NoInterpreter { file: file.clone(), interpreter },
        _ => SpawnError::System { file: file.clone(), source },
    };
    start_file(&file, spawn).await.map_err(refused)
}

async fn start_file(file: &Path, spawn: &Spawn) -> io::Result<Started> {
    let (out, out_end) = io::pipe()?;
    let (err, err_end) = if spawn.merge { None } else { Some(io::pipe()?) }.unzip();
    let (out, err) = (system::reading(out)?, err.map(system::reading).transpose()?);
    let (child, group) = system::start(file, spawn, out_end, err_end).await?;
    Ok(Started { child, group, out: Pipe::new(Some(out)), err: Pipe::new(err) })
}

/// The file that `name` means in `dir` with this `PATH`, as `execvp` reads it.
fn find(name: &str, dir: &Path, path: Option<&OsStr>) -> Result<PathBuf, SpawnError> {
    if cfg!(windows) {
        return Ok(PathBuf::from(name));
    }
    if name.contains('/') {
        let file = dir.join(name);
        return match system::check_executable(&file) {
            Ok(()) => Ok(file),
            Err(error) if is_not_found(&error) => Err(SpawnError::NoFile { file }),
            Err(_) => Err(SpawnError::NotExecutable { file }),
        };
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let is_it = |found: &&Found| found.name == name && found.dir == dir && found.path == path;
    if let Some(file) = FOUND.with_borrow(|all| all.iter().find(is_it).map(|found| found.file.clone())) {
        return Ok(file);
    }
    let file = search(name, dir, path)?;
    let found = Found { name: name.to_owned(), dir: dir.to_owned(), path: path.to_owned(), file: file.clone() };
    FOUND.with_borrow_mut(|all| all.push(found));
    Ok(file)
}

/// Forgets which programs were found: a command has ended, and may have installed others.
pub(super) fn forget() {
    FOUND.with_borrow_mut(Vec::clear);
}

/// The first executable file of that name in the folders of `path`.
fn search(name: &str, dir: &Path, path: &OsStr) -> Result<PathBuf, SpawnError> {
    let mut forbidden = None;
    for folder in std::env::split_paths(path) {
        let mut file = if folder.is_absolute() { folder } else { dir.join(folder) };
        file.push(name);
        match system::check_executable(&file) {
            Ok(()) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                forbidden.get_or_insert(file);
            }
            Err(_) => {}
        }
    }
    Err(match forbidden {
        Some(file) => SpawnError::NotExecutable { file },
        None => SpawnError::NotInPath { program: name.to_owned() },
    })
}

fn is_not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// What stands after `#!` in a script's first line.
fn interpreter(file: &Path) -> Option<String> {
    use std::io::Read as _;

    let mut head = Vec::new();
    files::open(file).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    Some(String::from_utf8_lossy(line).trim_matches([' ', '\t']).to_owned())
}

/// What to do next where the system refused; empty or starting with `; `.
#[cfg(unix)]
fn advice(refused: &io::Error) -> &'static str {
    use nix::errno::Errno;

    match refused.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOEXEC) => "; a script's first line names its interpreter (`#!/bin/sh`)",
        Some(Errno::E2BIG) => "; put what is so long into a file",
        Some(Errno::EMFILE | Errno::ENFILE) => "; allow more (`ulimit -n`), or run fewer gates at a time (`--jobs`)",
        Some(Errno::EAGAIN | Errno::ENOMEM) => "; allow more (`ulimit -u`), or run fewer gates at a time (`--jobs`)",
        _ => "",
    }
}

/// None is known here.
#[cfg(not(unix))]
const fn advice(_refused: &io::Error) -> &'static str {
    ""
}
