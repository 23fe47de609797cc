//! What Linux knows of processes, from /proc; and the adoption of orphans, so that one that left its group and
//! lost its parent comes to gatepost and not to init.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getpid};
use rustix::process::{PidfdFlags, pidfd_open};

use crate::world::files;
use crate::world::process::MARK;
use crate::world::process::tree::Process;

/// How often something that may have been read in a bad moment is read again.
const READINGS: usize = 5;
/// A pause in which an `exec` goes on.
const EXEC: Duration = Duration::from_micros(200);
/// So many pauses an `exec` may take on a busy machine, a fifth of a second.
const PAUSES: usize = 1_000;

/// Among the flags of a process: it is a thread of the kernel's own.
const PF_KTHREAD: u32 = 0x0020_0000;

static ADOPTING: Once = Once::new();

/// Makes this process the parent of every orphan below it.
pub(super) fn adopt_orphans() {
    ADOPTING.call_once(|| {
        if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
            tracing::debug!(%error, "orphans of gates cannot be adopted");
        }
    });
}

/// A descriptor that can be read when the process has ended; none before Linux 5.3.
pub(super) fn descriptor(pid: rustix::process::Pid) -> Option<OwnedFd> {
    pidfd_open(pid, PidfdFlags::NONBLOCK).ok()
}

/// What asks for a child without collecting its status.
const LOOK: WaitPidFlag = WaitPidFlag::WEXITED.union(WaitPidFlag::WNOHANG).union(WaitPidFlag::WNOWAIT);

/// How a dead child of this process ended, or that one lives; `None` where there is none.
pub(super) fn any_child() -> Option<WaitStatus> {
    match waitid(Id::All, LOOK) {
        Ok(status) => Some(status),
        Err(Errno::ECHILD) => None,
        // By a signal without a name.
        Err(_) => Some(WaitStatus::StillAlive),
    }
}

/// Whether /proc is that of this process's namespace. The numbers in another one are those of other processes here.
fn is_own() -> bool {
    std::fs::read_link("/proc/self").is_ok_and(|own| own.as_os_str().as_bytes() == getpid().to_string().as_bytes())
}

/// Whether there is something to be looked at that cannot be.
pub(super) fn is_blind() -> bool {
    any_child().is_some() && !is_own()
}

/// The children of this process, but for those that a thread has which started them. The kernel may leave one out of its
/// list when another ends while it is read (proc(5)): what two readings agree on is taken, and all processes are looked
/// through when none do.
pub(super) fn children() -> Vec<i32> {
    // Mostly there is none any more, which is told without the list.
    if any_child().is_none() || !is_own() {
        return Vec::new();
    }
    // The list of the main thread, to which the kernel gives every orphan: the first that lives. There is none on a kernel
    // without such lists (`CONFIG_PROC_CHILDREN`).
    let list = list_of(Path::new(&format!("/proc/self/task/{}", getpid())));
    let mut before = list.as_ref().and_then(listed);
    for _ in 0..READINGS {
        let now = list.as_ref().and_then(listed);
        if now.is_some() && now == before {
            return now.unwrap_or_default();
        }
        before = now;
    }
    looked_through()
}

/// The children of every thread, once read: a process that was started as its parent's sibling (`CLONE_PARENT`) is a child of
/// the thread that started that parent.
pub(super) fn children_of_all_threads() -> Vec<i32> {
    if any_child().is_none() || !is_own() {
        return Vec::new();
    }
    let threads = files::list(Path::new("/proc/self/task")).unwrap_or_default();
    let lists: Vec<File> = threads.iter().filter_map(|thread| list_of(thread)).collect();
    if lists.is_empty() { looked_through() } else { lists.iter().filter_map(listed).flatten().collect() }
}

/// The children of this process among all processes.
fn looked_through() -> Vec<i32> {
    let own = getpid().as_raw();
    let is_child =
        |process: &&Process| process.parent == own && waitid(Id::Pid(Pid::from_raw(process.pid)), LOOK).is_ok();
    processes().iter().filter(is_child).map(|process| process.pid).collect()
}

fn list_of(thread: &Path) -> Option<File> {
    files::open(&thread.join("children")).ok()
}

/// Every orphan of a gate is adopted.
pub(super) const fn orphans() -> [i32; 0] {
    []
}

/// Whoever is below a gate can be told when it has ended.
pub(super) async fn watch(_leader: Pid, _seen: &mut [Process]) -> Infallible {
    std::future::pending().await
}

/// The words it was started with.
pub(super) fn command_line(pid: i32) -> Option<String> {
    if !is_own() {
        return None;
    }
    let bytes = files::read(Path::new(&format!("/proc/{pid}/cmdline"))).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

/// A word that the kernel made when it started, and that of the numbers of processes: those of another namespace are others.
/// Empty where one of the two is not told.
pub(super) fn boot() -> String {
    let bytes = files::read(Path::new("/proc/sys/kernel/random/boot_id")).unwrap_or_default();
    let boot = String::from_utf8_lossy(&bytes).trim().to_owned();
    let numbers = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    match numbers.to_str() {
        Some(numbers) if !boot.is_empty() && !numbers.is_empty() => format!("{boot}/{numbers}"),
        _ => String::new(),
    }
}

/// Reads the list from its beginning.
fn listed(list: &File) -> Option<Vec<i32>> {
    let mut text = Vec::new();
    let mut piece = [0; 1024];
    loop {
        match list.read_at(&mut piece, text.len() as u64).ok()? {
            0 => break,
            length => text.extend_from_slice(&piece[..length]),
        }
    }
    let text = String::from_utf8(text).ok()?;
    Some(text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// Whether the process has the mark in the environment it was started with. In the midst of `exec` it shows none, or the
/// beginning of its old one: that there is no mark is believed of a whole environment alone, and of an empty one at its second
/// look.
pub(super) fn has_mark(pid: i32, mark: &OsStr) -> bool {
    if !is_own() {
        return false;
    }
    let wanted = [MARK.as_bytes(), b"=", mark.as_bytes()].concat();
    let mut before = None;
    for _ in 0..PAUSES {
        let Ok(environment) = files::read(Path::new(&format!("/proc/{pid}/environ"))) else { return false };
        if environment.split(|&byte| byte == 0).any(|variable| variable == wanted) {
            return true;
        }
        let Some(place) = Stat::of(pid).and_then(|stat| stat.environment()) else { return false };
        let is_whole = place.end > 0 && place.len() == environment.len();
        if is_whole && (!environment.is_empty() || before.as_ref() == Some(&place)) {
            return false;
        }
        before = Some(place);
        std::thread::sleep(EXEC);
    }
    false
}

/// Every process that can be seen.
pub(super) fn processes() -> Vec<Process> {
    stats().filter_map(|stat| stat.process()).collect()
}

/// How many processes of the group live.
pub(super) fn processes_in_group(leader: Pid) -> usize {
    let group = leader.to_string();
    stats().filter(|stat| stat.field(2) == Some(&group) && stat.field(0) != Some("Z")).count()
}

/// Whether every process of the group is stopped or dead.
pub(super) fn is_still(leader: Pid) -> bool {
    let group = leader.to_string();
    stats()
        .filter(|stat| stat.field(2) == Some(&group))
        .all(|stat| matches!(stat.field(0), Some("T" | "t" | "Z" | "X")))
}

/// A line of /proc/PID/stat. Its second field is a name in parentheses that may hold anything, parentheses included.
struct Stat(String);

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::read(&Path::new("/proc").join(pid.to_string()))
    }

    fn read(folder: &Path) -> Option<Self> {
        Some(Self(String::from_utf8_lossy(&files::read(&folder.join("stat")).ok()?).into_owned()))
    }

    /// A field after the name, from 0: state, parent, group, …, 6: flags, …, 19: start time, …, 47 and 48: where the
    /// environment begins and ends.
    fn field(&self, at: usize) -> Option<&str> {
        self.0.rsplit_once(") ")?.1.split(' ').nth(at)
    }

    fn process(&self) -> Option<Process> {
        let pid = self.0.split(' ').next()?.parse().ok()?;
        Some(Process { pid, parent: self.field(1)?.parse().ok()?, started: self.field(19)?.to_owned() })
    }

    /// Where its environment lies in its memory, at 0 in the midst of `exec`; `None` for the dead and the kernel's own threads,
    /// which have none.
    fn environment(&self) -> Option<Range<usize>> {
        let is_dead = matches!(self.field(0), Some("Z" | "X"));
        let is_kernels = self.field(6)?.parse::<u32>().ok()? & PF_KTHREAD != 0;
        let place = |at| self.field(at)?.parse().ok();
        if is_dead || is_kernels { None } else { Some(place(47)?..place(48)?) }
    }
}

fn stats() -> impl Iterator<Item = Stat> {
    let folders = if is_own() { files::list(Path::new("/proc")).unwrap_or_default() } else { Vec::new() };
    folders
        .into_iter()
        .filter(|folder| folder.as_os_str().as_bytes().last().is_some_and(u8::is_ascii_digit))
        .filter_map(|folder| Stat::read(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_other_fields() {
        let rest = "S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 1";
        let stat = Stat(format!("99 (a) Z 1 (b) {rest}"));
        assert_eq!(stat.process(), Some(Process { pid: 99, parent: 7, started: "12345".to_owned() }));
        assert_eq!(stat.field(2), Some("42"));
    }

    #[test]
    fn this_process_is_seen() {
        let own = getpid().as_raw();
        assert!(processes().iter().any(|process| process.pid == own));
        let place = Stat::of(own).unwrap().environment().unwrap();
        assert_eq!(place.len(), files::read(Path::new("/proc/self/environ")).unwrap().len());
        assert!(place.start > 0);
    }

    #[test]
    fn the_dead_and_the_kernels_threads_have_no_environment() {
        let place = |state: &str, flags: u32| {
            let mut fields = vec!["0".to_owned(); 50];
            (fields[0], fields[6]) = (state.to_owned(), flags.to_string());
            (fields[47], fields[48]) = ("70".to_owned(), "77".to_owned());
            Stat(format!("99 (a) {}", fields.join(" "))).environment()
        };
        assert_eq!([place("Z", 4_194_304), place("X", 4_194_304), place("S", 69_238_880)], [None, None, None]);
        assert_eq!(place("S", 4_194_304), Some(70..77));
    }
}
