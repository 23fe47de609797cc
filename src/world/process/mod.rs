//! Runs one command in a process group of its own: captures what it prints under caps, ends it when its time is
//! up or the run is cancelled, and leaves no process behind. It does not judge what the command did.
//!
//! One file per system holds what differs: `unix` (groups), `linux` (orphans), `other_unix`, `windows`.

#[cfg(unix)]
mod calls;
mod cancel;
mod capture;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod inherited;
mod last_line;
#[cfg(all(target_os = "linux", not(feature = "other-unix")))]
mod linux;
mod log;
#[cfg(all(unix, any(not(target_os = "linux"), feature = "other-unix")))]
mod other_unix;
mod run;
#[cfg(unix)]
mod service;
mod start;
#[cfg(unix)]
mod starters;
#[cfg(unix)]
mod tree;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::mask::Masker;
use crate::model::environ::Environ;
use crate::model::evidence::Exit;
use crate::world::files::FileError;

pub use cancel::{ACTIONS_GRACE, CancelToken, CancelledBy, Signal};
#[cfg(unix)]
pub use inherited::{Inherited, reset_inherited_signals, unhandle_signals};
pub use run::{run, run_told};
#[cfg(unix)]
pub use service::{Service, ServiceSpec, User, end_leftover, remove_segment};
pub use start::SpawnError;

#[cfg(all(target_os = "linux", not(feature = "other-unix")))]
use linux as snapshot;
#[cfg(all(unix, any(not(target_os = "linux"), feature = "other-unix")))]
use other_unix as snapshot;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{boot, end_orphans, end_remains, host, own_id, seen};

/// What is seen of a process by its number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Seen {
    /// It is there, since then, in the system's own words.
    Since(String),
    /// There is none.
    Gone,
    /// It may be there, and cannot be looked at.
    #[default]
    Hidden,
}

/// When the process with this number was started; `None` where there is none, or it cannot be looked at.
#[must_use]
pub fn started(id: i32) -> Option<String> {
    match seen(id) {
        Seen::Since(started) => Some(started),
        Seen::Gone | Seen::Hidden => None,
    }
}

/// The variable whose value tells which gate a process belongs to, wherever it went.
pub const MARK: &str = "GATEPOST_OUTPUT";

/// One command to run.
#[derive(Debug, Clone)]
pub struct Spawn {
    /// The program and its arguments; never empty. A name without `/` is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// Where it runs, absolute.
    pub dir: PathBuf,
    /// Its whole environment. The value of [`MARK`] must be this gate's own: by it, processes that left the
    /// group are found.
    pub env: Environ,
    /// Standard error goes into the pipe of standard output, so that their order is exact.
    pub merge: bool,
    /// Standard output is a machine's: none of its lines is shown to who waits.
    pub for_machines: bool,
    /// Takes secrets out of the log, and of lines that are shown; the kept stream is as it was printed.
    pub masker: Masker,
    /// Where everything it prints is written in the order it arrived, capped by `caps`.
    pub log: PathBuf,
    /// Where standard output (with `merge`, both) is kept whole to be parsed, up to the cap.
    pub keep: Option<PathBuf>,
    /// Longest run time.
    pub timeout: Duration,
    /// From TERM to KILL.
    pub grace: Duration,
    /// How much is written to disk.
    pub caps: Caps,
    /// What it leaves behind when it ends by itself with 0 is what it is for: a service that it started.
    pub leaves_services: bool,
}

/// How much of the output is written to disk, in bytes. What is beyond is read and counted, never held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Of the log: its head, and at its end the last 256 KiB of what was printed.
    pub log: u64,
    /// Of the stream that is parsed.
    pub keep: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self { log: 64 << 20, keep: 1 << 30 }
    }
}

/// How a command ended, and what is known of its output.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status; never `None` when it ended by itself, otherwise when it was not started (cancelled before)
    /// or could not be ended.
    pub exit: Option<Exit>,
    /// Why it ended.
    pub end: End,
    /// Wall time, ending and sweeping included.
    pub took: Duration,
    /// Bytes printed to the stream that is parsed: standard output, with `merge` both.
    pub printed: u64,
    /// The log lacks its middle.
    pub log_truncated: bool,
    /// The kept stream is longer than its cap: what was kept must not be judged as if it were whole.
    pub keep_truncated: bool,
    /// Processes it left behind, which were ended.
    pub leaked: usize,
    /// Left-behind processes that could not be ended (another user's).
    pub survivors: usize,
    /// The output was read to its end. False when a process it left behind still held the pipe a second later:
    /// what that one would have printed is not there.
    pub drained: bool,
    /// What was written; `None` when it was not started.
    pub written: Option<Written>,
    /// The first failure to write the log or the kept stream (no space); reading went on.
    pub io_error: Option<FileError>,
}

/// What was written of a command's output: the files themselves, whatever stands at their paths by now.
#[derive(Debug)]
pub struct Written {
    /// Both streams in the order they arrived.
    pub log: File,
    /// The stream that is parsed, where it was to be kept.
    pub keep: Option<File>,
}

/// What became of processes that gates had left behind and that were found only when all had ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// They were ended.
    pub ended: usize,
    /// They could not be ended, so many at least.
    pub survivors: usize,
    /// There may be some, or more, that cannot be looked at here.
    pub unseen: bool,
}

/// Why a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Exited,
    /// Its time was up.
    TimedOut,
    /// It was stopped.
    Cancelled(CancelledBy),
}
