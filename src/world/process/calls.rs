//! What no safe call of a library does: the one file with `unsafe` code.
#![expect(unsafe_code, reason = "see each of them")]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use nix::libc::{self, c_char, c_int, c_short};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Whether this process ignores the signal. No safe call tells a signal's disposition.
pub(super) fn is_ignored(signal: Signal) -> bool {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null `act` only asks; `now` is valid for a write of one `sigaction`, and zeroes are a valid value of it.
    let now = unsafe {
        libc::sigaction(signal as c_int, ptr::null(), now.as_mut_ptr());
        now.assume_init()
    };
    now.sa_sigaction == libc::SIG_IGN
}

/// Gives a signal its default action. `nix` marks every change of a disposition unsafe, because of handlers.
pub(super) fn set_default(signal: Signal) {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action installs no handler, so nothing of this program runs in a signal's context.
    let _ = unsafe { sigaction(signal, &default) };
}

/// A descriptor that can be waited for. tokio asks for a promise, which an `OwnedFd` keeps.
///
/// # Errors
/// When the system watches no more.
pub(super) fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` stays open and the same as long as it lives, and the `AsyncFd` owns it.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

/// A program to start.
pub(super) struct Program<'a> {
    pub(super) file: &'a Path,
    /// The first is the name by which it is called.
    pub(super) argv: &'a [String],
    pub(super) dir: &'a Path,
    pub(super) env: &'a [&'a CStr],
    pub(super) input: BorrowedFd<'a>,
    pub(super) out: BorrowedFd<'a>,
    pub(super) err: BorrowedFd<'a>,
}

/// Starts it by `posix_spawn` as the leader of a new process group, and where that can be of a new session, with every
/// signal as it is by default. Of this process's files it gets `input`, `out` and `err` alone, as all others are closed on
/// `exec`.
///
/// `std` does the same, but copies and sorts the whole environment for each program: with many gates that was two fifths of
/// all that gatepost itself computed. `nix` cannot tell `posix_spawn` the folder.
///
/// # Errors
/// When a word holds a NUL, or the system refuses.
pub(super) fn spawn(program: &Program<'_>) -> io::Result<Pid> {
    let argv = program.argv.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;
    let argv: Vec<&CStr> = argv.iter().map(CString::as_c_str).collect();
    let [file, dir] = [program.file, program.dir].map(|path| CString::new(path.as_os_str().as_bytes()));
    let (file, dir) = (file?, dir?);
    let mut actions = Actions::new()?;
    actions.duplicate(program.input, 0)?;
    actions.duplicate(program.out, 1)?;
    actions.duplicate(program.err, 2)?;
    actions.change_dir(&dir)?;
    let attributes = Attributes::new()?;
    let mut pid = 0;
    // SAFETY: every pointer is to a value that lives until the call returns; both lists end with a null and are only read.
    check(unsafe {
        let (argv, env) = (pointers(&argv), pointers(program.env));
        libc::posix_spawn(
            &raw mut pid,
            file.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            argv.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Ok(Pid::from_raw(pid))
}

fn pointers(words: &[&CStr]) -> Vec<*mut c_char> {
    words.iter().map(|word| word.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// These functions return the error's number, and leave `errno` alone.
fn check(number: c_int) -> io::Result<()> {
    if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(number)) }
}

/// What is done to files and the folder in the new process, in this order.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: it fills what it is given, and that is read only where it says that it did.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            Ok(Self(actions.assume_init()))
        }
    }

    fn duplicate(&mut self, file: BorrowedFd<'_>, number: c_int) -> io::Result<()> {
        // SAFETY: `self` was initialised.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, file.as_raw_fd(), number) })
    }

    fn change_dir(&mut self, dir: &CStr) -> io::Result<()> {
        // SAFETY: `self` was initialised; the path is copied.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&raw mut self.0, dir.as_ptr()) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and is not used again.
        let _ = unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// A session of its own, which makes a group too: in a terminal's session it would be a background group, and stopped as soon
/// as it touches the terminal, for as long as it may run.
#[cfg(target_os = "linux")]
const OWN: c_int = libc::POSIX_SPAWN_SETSID as c_int;
/// As in its `spawn.h`, since macOS 10.15.
#[cfg(target_vendor = "apple")]
const OWN: c_int = 0x0400;
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
const OWN: c_int = libc::POSIX_SPAWN_SETPGROUP as c_int;

/// A group of its own, no signal blocked, and SIGPIPE by default, which Rust ignores here.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        let flags = OWN | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        // There a pipe cannot be made that is closed on `exec` from the first: what another thread starts before it is told
        // so would hold it open.
        #[cfg(target_vendor = "apple")]
        let flags = flags | libc::POSIX_SPAWN_CLOEXEC_DEFAULT;
        let flags = c_short::try_from(flags).map_err(|_| io::ErrorKind::InvalidInput)?;
        let (mut attributes, mut none, mut pipe) =
            (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: each is filled before it is read: the attributes by the call that is checked, the sets by calls that
        // cannot fail for a valid pointer and a known signal.
        unsafe {
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            let mut made = Self(attributes.assume_init());
            let attributes = &raw mut made.0;
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigemptyset(pipe.as_mut_ptr());
            libc::sigaddset(pipe.as_mut_ptr(), libc::SIGPIPE);
            check(libc::posix_spawnattr_setpgroup(attributes, 0))?;
            check(libc::posix_spawnattr_setsigmask(attributes, none.as_ptr()))?;
            check(libc::posix_spawnattr_setsigdefault(attributes, pipe.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(attributes, flags))?;
            Ok(made)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised, and is not used again.
        let _ = unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
