//! What other Unix systems (macOS) tell of processes, by the `sysinfo` library. Orphans go to the system's first process
//! there, not to gatepost. Those of a gate are known by its mark, which macOS does not show of its own programs
//! (`/bin/sleep`), and by having been seen below the gate while their parents lived. One that left its group, lost its parent
//! before it was seen, and shows no mark is not found.
//!
//! The feature `other-unix` makes this run on Linux too, for tests.
#![expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]

use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;
use std::time::Duration;

use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, getpgid, getpid, getuid};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use crate::world::process::MARK;
use crate::world::process::tree::{Process, descendants};

/// How soon it is first looked who is below a gate, and how often at least: twice as long each time.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LOOKS: Duration = Duration::from_secs(1);
/// A pause in which an `exec` goes on.
const EXEC: Duration = Duration::from_millis(1);
/// So many pauses an `exec` may take on a busy machine, a fifth of a second.
const PAUSES: usize = 200;
/// So many looks in a row must show words and no environment: where the two are read one after the other, an `exec` may begin
/// between them.
const BELIEVED: usize = 4;

/// There is no such thing here.
pub(super) fn adopt_orphans() {}

/// There is no such thing here.
pub(super) fn descriptor(_pid: rustix::process::Pid) -> Option<OwnedFd> {
    None
}

/// Orphans are never adopted here, so that no child is anything but a gate's leader.
pub(super) fn children() -> Vec<i32> {
    Vec::new()
}

/// As [`children`].
pub(super) fn children_of_all_threads() -> Vec<i32> {
    Vec::new()
}

/// None that is not a gate's leader.
pub(super) fn any_child() -> Option<WaitStatus> {
    None
}

/// Whether not even this process can be looked at.
pub(super) fn is_blind() -> bool {
    one(getpid().as_raw(), plain(), number).is_none()
}

/// What any program started since this one was: an orphan of a gate may be among it.
pub(super) fn orphans() -> Vec<i32> {
    let own = one(getpid().as_raw(), plain(), sysinfo::Process::start_time).unwrap_or_default();
    all(|process| number(process).filter(|pid| process.start_time() >= own && *pid != getpid().as_raw()))
}

/// Notes again and again who is below the leader.
pub(super) async fn watch(leader: Pid, seen: &mut Vec<Process>) -> Infallible {
    let mut pause = FIRST_LOOK;
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOKS);
        let below = descendants(&processes(), &[leader.as_raw()]);
        let news = |process: &Process| !seen.iter().any(|known| known.is_the_one(process));
        let news: Vec<Process> = below.into_iter().filter(news).collect();
        seen.extend(news);
    }
}

/// Whether the process has the mark in the environment it was started with, as far as that is shown. In the midst of `exec`
/// it shows nothing; macOS shows the words of its own programs alone: those are believed when
/// they were shown a few times.
pub(super) fn has_mark(pid: i32, mark: &OsStr) -> bool {
    let wanted = [MARK.as_bytes(), b"=", mark.as_bytes()].concat();
    let always = UpdateKind::Always;
    let what = plain().with_cmd(always).with_environ(always).with_user(always);
    let look = |process: &sysinfo::Process| (process.environ().to_vec(), is_within_exec(process));
    let mut showed_words = 0;
    for _ in 0..PAUSES {
        let Some((environment, is_within_exec)) = one(pid, what, look) else { return false };
        if !environment.is_empty() {
            return environment.iter().any(|variable| variable.as_bytes() == wanted);
        }
        if is_within_exec {
            showed_words = 0;
            std::thread::sleep(EXEC);
            continue;
        }
        showed_words += 1;
        if showed_words == BELIEVED {
            return false;
        }
    }
    false
}

/// A living process of this user that does not even show the words it was started with.
fn is_within_exec(process: &sysinfo::Process) -> bool {
    let is_own = process.user_id().is_some_and(|user| **user == getuid().as_raw());
    is_own && process.status() != ProcessStatus::Zombie && process.cmd().is_empty()
}

/// The words it was started with.
pub(super) fn command_line(pid: i32) -> Option<String> {
    let words = |process: &sysinfo::Process| process.cmd().join(OsStr::new(" ")).to_string_lossy().into_owned();
    one(pid, plain().with_cmd(UpdateKind::Always), words)
}

/// Every process that can be seen.
pub(super) fn processes() -> Vec<Process> {
    all(|process| {
        let parent = process.parent().and_then(|parent| i32::try_from(parent.as_u32()).ok());
        Some(Process {
            pid: number(process)?,
            parent: parent.unwrap_or_default(),
            started: process.start_time().to_string(),
        })
    })
}

/// How many processes of the group live.
pub(super) fn processes_in_group(leader: Pid) -> usize {
    states(leader).len()
}

/// Whether every process of the group is stopped or dead.
pub(super) fn is_still(leader: Pid) -> bool {
    states(leader).iter().all(|state| *state == ProcessStatus::Stop)
}

/// A word that the kernel made when it started.
pub(super) fn boot() -> String {
    let name = if cfg!(target_os = "linux") { "kernel.random.boot_id" } else { "kern.bootsessionuuid" };
    let asked = Command::new("/usr/sbin/sysctl").args(["-n", name]).output();
    String::from_utf8_lossy(&asked.map(|output| output.stdout).unwrap_or_default()).trim().to_owned()
}

/// Of the group's living processes.
fn states(leader: Pid) -> Vec<ProcessStatus> {
    let in_group = |process: &sysinfo::Process| getpgid(number(process).map(Pid::from_raw)) == Ok(leader);
    all(|process| Some(process.status()).filter(|state| *state != ProcessStatus::Zombie && in_group(process)))
}

fn all<T>(of: impl Fn(&sysinfo::Process) -> Option<T>) -> Vec<T> {
    read(ProcessesToUpdate::All, plain())
        .iter()
        .flat_map(|system| system.processes().values().filter_map(&of))
        .collect()
}

fn one<T>(pid: i32, what: ProcessRefreshKind, of: impl FnOnce(&sysinfo::Process) -> T) -> Option<T> {
    let pid = sysinfo::Pid::from_u32(u32::try_from(pid).ok()?);
    read(ProcessesToUpdate::Some(&[pid]), what)?.process(pid).map(of)
}

/// Anew each time: the library does not renew every field of a process that it knows.
fn read(which: ProcessesToUpdate<'_>, what: ProcessRefreshKind) -> Option<System> {
    let fault = |error: &sysinfo::Error| tracing::debug!(?error, "processes cannot be looked at");
    let mut system = System::new().inspect_err(fault).ok()?;
    system.refresh_processes_specifics(which, false, what);
    Some(system)
}

/// What it always tells: number, parent, start and state.
fn plain() -> ProcessRefreshKind {
    ProcessRefreshKind::nothing().without_tasks()
}

fn number(process: &sysinfo::Process) -> Option<i32> {
    i32::try_from(process.pid().as_u32()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Child;

    use nix::sys::signal::{Signal, killpg};

    use super::*;

    /// The leader of a group of its own, with a mark.
    fn leader(mark: &str) -> (Child, Pid) {
        let child = Command::new("sleep").arg("86402.5").env(MARK, mark).process_group(0).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        (child, Pid::from_raw(pid))
    }

    #[test]
    fn a_process_is_told_with_its_parent_its_words_and_its_group() {
        let (mut child, pid) = leader("a b=c");
        let own = getpid().as_raw();
        let told = processes().into_iter().find(|process| process.pid == pid.as_raw()).unwrap();
        assert_eq!(told.parent, own);
        assert!(told.started.parse::<u64>().unwrap() > 1_600_000_000, "seconds since 1970: {told:?}");
        assert_eq!(command_line(pid.as_raw()).unwrap(), "sleep 86402.5");
        assert!(orphans().contains(&pid.as_raw()) && !orphans().contains(&own));

        assert_eq!((processes_in_group(pid), is_still(pid)), (1, false));
        killpg(pid, Signal::SIGSTOP).unwrap();
        while !is_still(pid) {
            std::thread::sleep(Duration::from_millis(1));
        }
        killpg(pid, Signal::SIGKILL).unwrap();
        while processes_in_group(pid) > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.wait().unwrap();
        assert_eq!(command_line(pid.as_raw()), None);
    }

    // macOS shows no marks of its own programs, as `sleep` is one there.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_mark_is_a_whole_value() {
        let (mut child, pid) = leader("a b=c");
        let has = |mark: &str| has_mark(pid.as_raw(), OsStr::new(mark));
        assert_eq!(["a b=c", "a b=", "a", "b=c", ""].map(has), [true, false, false, false, false]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!has("a b=c"));
    }

    #[test]
    fn the_boot_has_a_word() {
        let word = boot();
        assert!(word.len() == 36 && word.matches('-').count() == 4, "{word}");
        assert_eq!(word, boot());
    }
}
