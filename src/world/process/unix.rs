//! Process groups: a command and everything it starts is signalled as one, and swept when it has ended.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{AccessFlags, Pid, access, getpgid};
use tokio::process::ChildStdout;
use tokio::time::Instant;

use crate::world::files;
use crate::world::process::calls::{self, Program};
pub(super) use crate::world::process::child::Child;
use crate::world::process::inherited::reset_inherited_signals;
use crate::world::process::tree::{Process, descendants};
use crate::world::process::{LeftBehind, MARK, Seen, Spawn, snapshot, starters};

/// How long a process that is just ending by itself may take before it counts as left behind.
const SETTLE: Duration = Duration::from_millis(50);
/// How long a stopped group may take to stand still: one that waits for its `vfork` never does.
const STANDSTILL: Duration = Duration::from_millis(20);
/// How long killed processes may take to go.
const LAST: Duration = Duration::from_secs(1);

/// The leaders of the groups that run, whose statuses who runs them collects. All other children of this process are orphans
/// that it adopted.
static LEADERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
/// Read while a process is started and its number noted: who writes knows every leader.
static STARTING: RwLock<()> = RwLock::new(());

/// What was found of a command after its end.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Swept {
    pub(super) ended: usize,
    pub(super) survivors: usize,
}

/// A command's process group. Dropped before its end (a task that was aborted), it is killed.
pub(super) struct Group {
    leader: Pid,
    mark: Option<OsString>,
    /// Descendants that were seen, whatever group they are in: when the group was first signalled, and while it was watched.
    seen: Vec<Process>,
    /// Those outside the group that were known when it was asked to end, and were asked each.
    asked: Vec<i32>,
    swept: bool,
}

/// Starts the command, whose program is `file`, as the leader of a new group. Its errors go to `err`, or where its output
/// goes.
pub(super) async fn start(
    file: &Path,
    spawn: &Spawn,
    out: io::PipeWriter,
    err: Option<io::PipeWriter>,
) -> io::Result<(Child, Group)> {
    prepare()?;
    let (file, argv, dir, env) = (file.to_owned(), spawn.argv.clone(), spawn.dir.clone(), spawn.env.clone());
    let started = starters::aside(move || {
        let lead = |entries: &[&CStr]| {
            let (input, err) = (nothing()?, err.as_ref().unwrap_or(&out).as_fd());
            let program = Program { file: &file, argv: &argv, dir: &dir, env: entries, input, out: out.as_fd(), err };
            Group::lead(env.get(MARK), || calls::spawn(&program).map(|pid| (pid, pid.as_raw())))
        };
        env.as_entries(lead)?
    });
    let (pid, group) = started.await?;
    Ok((Child::new(pid)?, group))
}

/// What must be so before anything is started.
fn prepare() -> io::Result<()> {
    reset_inherited_signals()?;
    snapshot::adopt_orphans();
    Ok(())
}

/// An input that is at its end, opened once.
fn nothing() -> io::Result<BorrowedFd<'static>> {
    static NOTHING: OnceLock<File> = OnceLock::new();
    if NOTHING.get().is_none() {
        let opened = files::open(Path::new("/dev/null")).map_err(io::Error::other)?;
        let _ = NOTHING.set(opened);
    }
    NOTHING.get().map(File::as_fd).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Starts a program as the leader of a new group; `name` becomes its `argv[0]`.
pub(super) fn start_service(mut command: Command, name: &str) -> io::Result<(tokio::process::Child, Group)> {
    prepare()?;
    command.arg0(name).process_group(0);
    Group::lead(None, || {
        let child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        Ok((Pid::from_raw(id), child))
    })
}

/// A pipe to be read without blocking.
pub(super) fn reading(pipe: io::PipeReader) -> io::Result<ChildStdout> {
    ChildStdout::from_std(std::process::ChildStdout::from(OwnedFd::from(pipe)))
}

/// Whether there is a file that may be executed; permission is denied for a folder too.
pub(super) fn check_executable(file: &Path) -> io::Result<()> {
    access(file, AccessFlags::X_OK)?;
    if file.is_file() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

impl Group {
    /// The group of the process that `start` starts, and what `start` gives for it.
    fn lead<T>(mark: Option<&OsStr>, start: impl FnOnce() -> io::Result<(Pid, T)>) -> io::Result<(T, Self)> {
        let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        let (leader, child) = start()?;
        leaders().insert(leader.as_raw());
        Ok((child, Self { leader, mark: mark.map(OsStr::to_owned), seen: Vec::new(), asked: Vec::new(), swept: false }))
    }

    /// Asks all to end. The group is held still while it is looked at: a process that it starts between the look
    /// and the signal, and that leaves the group and the mark behind, would be seen by nobody. What has left the group
    /// is asked too, as what `timeout` runs or a daemon. A stopped process is woken, or it would not hear.
    pub(super) async fn terminate(&mut self) {
        let _ = killpg(self.leader, Signal::SIGSTOP);
        let deadline = Instant::now() + STANDSTILL;
        while !snapshot::is_still(self.leader) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let all = snapshot::processes();
        self.seen.extend(descendants(&all, &[self.leader.as_raw()]));
        let is_outside = |pid: &i32| getpgid(Some(Pid::from_raw(*pid))).is_ok_and(|group| group != self.leader);
        self.asked = self.strays().into_iter().chain([self.leader.as_raw()]).filter(is_outside).collect();
        for asks in [Signal::SIGTERM, Signal::SIGCONT] {
            let _ = killpg(self.leader, asks);
            signal(&self.asked, asks);
        }
    }

    /// Those that were seen and live.
    fn seen_now<'a>(&'a self, all: &'a [Process]) -> impl Iterator<Item = i32> + 'a {
        self.seen.iter().filter(|seen| all.iter().any(|now| now.is_the_one(seen))).map(|seen| seen.pid)
    }

    /// Never ends; meanwhile those below the leader are noted from time to time, where nothing else tells of them later.
    pub(super) async fn watch(&mut self) -> Infallible {
        snapshot::watch(self.leader, &mut self.seen).await
    }

    /// Ends all.
    pub(super) fn kill(&self) {
        let _ = killpg(self.leader, Signal::SIGKILL);
    }

    /// Waits until the group is empty. Only once the leader's status was collected: it would be taken here.
    pub(super) async fn gone(&self) {
        let mut pause = Duration::from_millis(1);
        while self.is_alive() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Waits until the group is empty and whoever else was asked to end is gone. As [`Group::gone`].
    pub(super) async fn all_gone(&self) {
        self.gone().await;
        while self.asked.iter().any(|pid| !is_reaped(*pid)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends what is left of a command whose leader has ended: the rest of the group gets TERM, `grace`, KILL;
    /// what left the group is killed.
    pub(super) async fn sweep(&mut self, grace: Duration) -> Swept {
        self.swept = true;
        let mut swept = Swept::default();
        if !self.is_gone_in(SETTLE).await {
            let left = snapshot::processes_in_group(self.leader).max(1);
            self.terminate().await;
            if !self.is_gone_in(grace).await {
                self.kill();
                if !self.is_gone_in(LAST).await {
                    swept.survivors = snapshot::processes_in_group(self.leader).max(1);
                }
            }
            swept.ended = left.saturating_sub(swept.survivors);
        }
        let strays = end_all(|| self.strays(), || true).await;
        Swept { ended: swept.ended + strays.ended, survivors: swept.survivors + strays.survivors }
    }

    /// Lets what is left live on.
    pub(super) const fn leave(&mut self) -> Swept {
        self.swept = true;
        Swept { ended: 0, survivors: 0 }
    }

    /// Processes of this gate outside the group: those that still carry its mark after they lost their parents, those that
    /// were seen below the leader, and what is below either.
    fn strays(&self) -> Vec<i32> {
        let orphans = || adopted(snapshot::children).into_iter().chain(snapshot::orphans());
        let marked: Vec<i32> = match &self.mark {
            Some(mark) => orphans().filter(|pid| snapshot::has_mark(*pid, mark)).collect(),
            None => Vec::new(),
        };
        if marked.is_empty() && self.seen.is_empty() {
            return marked;
        }
        let all = snapshot::processes();
        let known: Vec<i32> = marked.into_iter().chain(self.seen_now(&all)).collect();
        with_descendants(known, &all)
    }

    async fn is_gone_in(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.gone()).await.is_ok()
    }

    /// Whether the group has a member that is no zombie; its adopted zombies are reaped.
    fn is_alive(&self) -> bool {
        let group = Pid::from_raw(-self.leader.as_raw());
        while matches!(waitpid(group, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
        match killpg(self.leader, None) {
            Ok(()) => true,
            // It is another user's process; macOS says so of a group of zombies too.
            Err(Errno::EPERM) => cfg!(target_os = "linux") || snapshot::processes_in_group(self.leader) > 0,
            Err(_) => false,
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.swept {
            self.kill();
        }
        leaders().remove(&self.leader.as_raw());
    }
}

/// Ends every orphan that this process adopted and that no gate's sweep found, because it had given up its mark.
/// To be called when nothing else runs: any child that was not started here is taken for one.
pub async fn end_orphans() -> LeftBehind {
    let find = || {
        let roots = adopted(snapshot::children_of_all_threads);
        if roots.is_empty() { roots } else { with_descendants(roots, &snapshot::processes()) }
    };
    // That none is found is no proof: one that forks and ends all the time is gone before it is met.
    let Swept { ended, survivors } = end_all(find, || !has_orphans()).await;
    LeftBehind { ended, survivors, unseen: snapshot::is_blind() }
}

/// This process.
#[must_use]
pub fn own_id() -> i32 {
    nix::unistd::getpid().as_raw()
}

/// A word that no other machine has, as long as this one is up; empty where there is none.
#[must_use]
pub fn boot() -> String {
    snapshot::boot()
}

/// What this machine is called in its network.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What is seen of the process with this number. Of another user, or beside a `/proc` that is not its own, it may be hidden.
#[must_use]
pub fn seen(id: i32) -> Seen {
    match snapshot::processes().into_iter().find(|process| process.pid == id) {
        Some(process) => Seen::Since(process.started),
        None if id > 0 && kill(Pid::from_raw(id), None) == Err(Errno::ESRCH) => Seen::Gone,
        None => Seen::Hidden,
    }
}

/// Ends what another gatepost's command left on this machine: its process group, if it is still that one, and
/// everything that carries its mark. Returns how many processes could not be ended.
pub async fn end_remains(group: Option<(i32, &str)>, mark: Option<&OsStr>, grace: Duration) -> usize {
    // A number without its process stays the group's as long as that has members.
    let is_another = |since: &str, now: Seen| matches!(now, Seen::Since(now) if now != since);
    let group = group.filter(|(leader, since)| *leader > 1 && !is_another(since, seen(*leader)));
    let mut survivors = 0;
    if let Some(leader) = group.map(|(leader, _)| Pid::from_raw(leader)).filter(|leader| members(*leader) > 0) {
        let _ = killpg(leader, Signal::SIGTERM);
        let _ = killpg(leader, Signal::SIGCONT);
        none_within(leader, grace).await;
        let _ = killpg(leader, Signal::SIGKILL);
        // One that has become another user's, as by sudo, takes no signal of ours.
        survivors = none_within(leader, LAST).await;
    }
    let Some(mark) = mark else { return survivors };
    let own = own_id();
    let marked = || {
        let all = snapshot::processes().into_iter().map(|process| process.pid).filter(|pid| *pid > 1 && *pid != own);
        all.filter(|pid| snapshot::has_mark(*pid, mark)).collect()
    };
    end_all(marked, || true).await.survivors.max(survivors)
}

/// How many processes of a group live; one where all of them are hidden, and may not be signalled.
fn members(leader: Pid) -> usize {
    let hidden = || usize::from(killpg(leader, None) == Err(Errno::EPERM));
    match snapshot::processes_in_group(leader) {
        0 => hidden(),
        seen => seen,
    }
}

/// Waits until nothing of a group lives; what does after that time.
async fn none_within(leader: Pid, time: Duration) -> usize {
    let deadline = Instant::now() + time;
    loop {
        let left = members(leader);
        if left == 0 || Instant::now() >= deadline {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills what `find` finds until it finds nothing more, and `is_all` agrees that this was all: what a killed process had
/// started is adopted only then.
async fn end_all(find: impl Fn() -> Vec<i32>, is_all: impl Fn() -> bool) -> Swept {
    let mut deadline = None;
    let mut killed = BTreeSet::new();
    let mut held = BTreeSet::new();
    loop {
        let found: BTreeSet<i32> = find().into_iter().filter(|pid| !is_reaped(*pid)).collect();
        // The time that it takes to find them is not theirs.
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + LAST);
        let is_late = Instant::now() > deadline;
        // What one starts just before it is killed would be seen by nobody, where orphans are not adopted: they are held
        // still until no more are found.
        let more: Vec<i32> = found.difference(&held).copied().collect();
        if !more.is_empty() && !is_late {
            signal(&more, Signal::SIGSTOP);
            held.extend(more);
            continue;
        }
        signal(&found, Signal::SIGKILL);
        let is_over = found.is_empty() && is_all();
        if is_over || is_late {
            let unmet = usize::from(!is_over);
            return Swept { ended: killed.difference(&found).count(), survivors: found.len().max(unmet) };
        }
        if found.is_empty() {
            // Whom nobody can look at may end in a while; others must be met before they have gone on.
            if snapshot::is_blind() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
        killed.extend(found);
        // Those that are not children yet become so when their parents are gone; each is reaped by its number.
        while killed.iter().any(|pid| !is_reaped(*pid)) && Instant::now() <= deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn signal<'a>(processes: impl IntoIterator<Item = &'a i32>, signal: Signal) {
    for pid in processes {
        let _ = kill(Pid::from_raw(*pid), signal);
    }
}

/// These processes and what is below them.
fn with_descendants(mut roots: Vec<i32>, all: &[Process]) -> Vec<i32> {
    roots.extend(descendants(all, &roots).iter().map(|process| process.pid));
    roots
}

/// Whether the process is gone; reaps it if it is a zombie child of this process.
fn is_reaped(pid: i32) -> bool {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(status) => status != WaitStatus::StillAlive,
        Err(_) => kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH),
    }
}

/// Whether a child is left that this process did not start; the dead ones are reaped.
fn has_orphans() -> bool {
    while let Some(child) = snapshot::any_child() {
        let is_dead_orphan = |pid: Pid| !leaders().contains(&pid.as_raw()) && is_reaped(pid.as_raw());
        if !child.pid().is_some_and(is_dead_orphan) {
            return true;
        }
    }
    false
}

/// The living among the children that this process did not start; the dead ones are reaped: nobody else does, and each would
/// have to be looked at in every sweep.
fn adopted(children: impl Fn() -> Vec<i32>) -> Vec<i32> {
    let unknown = || {
        let children = children();
        let leaders = leaders();
        children.into_iter().filter(move |pid| !leaders.contains(pid))
    };
    if unknown().next().is_none() {
        return Vec::new();
    }
    // One that is just being started is not known yet.
    let _none = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    unknown().filter(|pid| !is_reaped(*pid)).collect()
}

fn leaders() -> MutexGuard<'static, BTreeSet<i32>> {
    LEADERS.lock().unwrap_or_else(PoisonError::into_inner)
}

// macOS shows no marks of its own programs, as `sh` is one there.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_not_listed_is_not_gone() {
        assert!(matches!(seen(own_id()), Seen::Since(_)));
        // A thread has a number that can be signalled, and stands in no list of processes.
        let thread = || std::fs::read_link("/proc/thread-self").unwrap();
        let thread = std::thread::spawn(move || {
            let id = thread().file_name().unwrap().to_str().unwrap().parse().unwrap();
            (id, seen(id))
        });
        let (id, then) = thread.join().unwrap();
        assert_eq!(then, Seen::Hidden);
        while seen(id) != Seen::Gone {
            std::thread::yield_now();
        }
        assert_eq!(seen(0), Seen::Hidden);
    }

    #[tokio::test]
    async fn what_takes_no_signal_of_ours_is_counted() {
        let strangers = snapshot::processes().into_iter().find(|process| {
            let (pid, is_leader) =
                (Pid::from_raw(process.pid), snapshot::processes_in_group(Pid::from_raw(process.pid)) > 0);
            process.pid > 1 && is_leader && killpg(pid, None) == Err(Errno::EPERM)
        });
        // Root may signal all of them.
        let Some(process) = strangers else { return };
        assert!(end_remains(Some((process.pid, &process.started)), None, Duration::ZERO).await > 0);
        assert_eq!(end_remains(Some((process.pid, "another")), None, Duration::ZERO).await, 0);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a process that gives itself new programs all the time")]
    fn a_mark_is_not_missed_in_the_midst_of_an_exec() {
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec sh -c "$0" "$0""#, r#"exec sh -c "$0" "$0""#]).env(MARK, "a");
        let mut child = command.process_group(0).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let missed = (0..5_000).filter(|_| !snapshot::has_mark(pid, OsStr::new("a"))).count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(missed, 0);
    }
}
