//! A program that runs beside gatepost until it is stopped: a scratch database server. It has a process group of its
//! own, is never taken for an orphan, and does not outlive its owner's end in order.

use std::ffi::OsString;
use std::io;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

#[cfg(target_os = "linux")]
use crate::world::files;
use crate::world::process::snapshot;
use crate::world::process::unix::{self, Group};

/// How long a dropped service may take to end by itself.
const LAST: Duration = Duration::from_millis(500);

/// Whom a program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// A program to run beside.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// The program's file and its arguments.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub dir: PathBuf,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where everything it prints goes.
    pub log: PathBuf,
    /// Whom it runs as; `None`: as gatepost itself.
    pub user: Option<User>,
}

/// A running program.
pub struct Service {
    child: Child,
    group: Group,
    stopped: bool,
}

impl Service {
    /// Starts it.
    ///
    /// # Errors
    /// When the file is not there, may not be executed, or the log cannot be written.
    #[expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]
    pub fn start(spec: &ServiceSpec) -> io::Result<Self> {
        let program = spec.argv.first().ok_or(io::ErrorKind::InvalidInput)?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&spec.log)?;
        let mut command = std::process::Command::new(program);
        command.args(&spec.argv[1..]).current_dir(&spec.dir).env_clear();
        command.envs(spec.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(user) = spec.user {
            std::os::unix::process::CommandExt::gid(&mut command, user.gid);
            std::os::unix::process::CommandExt::uid(&mut command, user.uid);
        }
        // The whole path: servers look for their other programs beside themselves.
        let (child, group) = unix::start_service(command, &program.to_string_lossy())?;
        Ok(Self { child, group, stopped: false })
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end; whether that was exit status 0.
    ///
    /// # Errors
    /// When its status cannot be read.
    pub async fn wait(&mut self) -> io::Result<bool> {
        let status = self.child.wait().await?;
        self.stopped = true;
        self.group.sweep(LAST).await;
        Ok(status.success())
    }

    /// Asks it to end at once, as one that has nothing to keep but what it shares with the system: waits `grace`, then
    /// kills it and its group.
    pub async fn end(&mut self, grace: Duration) {
        if !self.has_ended() {
            self.ask(Signal::SIGQUIT);
            if tokio::time::timeout(grace, self.child.wait()).await.is_err() {
                self.group.kill();
                let _ = self.child.wait().await;
            }
        }
        self.stopped = true;
        self.group.sweep(LAST).await;
    }

    /// Kills it and its group: for what has nothing to keep.
    pub async fn kill(&mut self) {
        self.group.kill();
        let _ = self.child.wait().await;
        self.stopped = true;
        self.group.sweep(LAST).await;
    }

    fn ask(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Service {
    /// A task that was aborted: what cannot be awaited is asked to end at once, and killed soon after.
    fn drop(&mut self) {
        if self.stopped || self.has_ended() {
            return;
        }
        self.ask(Signal::SIGQUIT);
        let step = Duration::from_millis(5);
        for _ in 0..(LAST.as_millis() / step.as_millis()) {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(step);
        }
        self.group.kill();
    }
}

/// Ends a server that another gatepost left behind, if the process of this number is one that was started with `sign`
/// (a path of its own) among its arguments.
pub fn end_leftover(pid: i32, sign: &str) {
    let step = Duration::from_millis(10);
    for signal in [Signal::SIGQUIT, Signal::SIGKILL] {
        for turn in 0..300 {
            if !snapshot::command_line(pid).is_some_and(|line| line.contains(sign)) {
                return;
            }
            if turn == 0 {
                let _ = kill(Pid::from_raw(pid), signal);
            }
            std::thread::sleep(step);
        }
    }
}

/// Removes a segment of shared memory that a killed process left behind, if it has both numbers and nobody uses it. macOS
/// has 32 of them, until it is started again.
#[expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]
pub fn remove_segment(key: u32, id: i32) {
    // The last of the dead server's processes go a moment after it.
    for _ in 0..50 {
        match users(key, id) {
            None => return,
            Some(0) => {
                let remove = ["-m", &id.to_string()];
                let _ = std::process::Command::new("ipcrm").args(remove).stderr(Stdio::null()).status();
                return;
            }
            Some(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// How many use the segment; `None` where there is none.
#[cfg(target_os = "linux")]
fn users(key: u32, id: i32) -> Option<u32> {
    // Its columns: key, id, rights, size, who made it and who used it last, how many use it.
    let users = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word: &&str| word.parse::<i32>().ok());
        number(6).filter(|_| number(0).map(i32::cast_unsigned) == Some(key) && number(1) == Some(id))
    };
    let bytes = files::read(Path::new("/proc/sysvipc/shm")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().find_map(users).map(i32::cast_unsigned)
}

/// How many use the segment; `None` where there is none, or nothing tells.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]
fn users(key: u32, id: i32) -> Option<u32> {
    let told = std::process::Command::new("ipcs").args(["-m", "-o"]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&told.stdout).lines().find_map(|line| users_in(line, key, id))
}

/// As BSD's `ipcs -m -o` tells of a segment: `m 65536 0x0052e2c1 --rw------- ada staff 6`.
#[cfg(any(test, not(target_os = "linux")))]
fn users_in(line: &str, key: u32, id: i32) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["m", number, hex, .., users] = words[..] else { return None };
    let is_it = number.parse() == Ok(id) && u32::from_str_radix(hex.strip_prefix("0x")?, 16) == Ok(key);
    users.parse().ok().filter(|_| is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_of_a_segment_are_told_by_its_line() {
        let told = "IPC status from <running system> as of Tue Jan  6 09:00:00 UTC 2026\n\
                    T     ID     KEY        MODE       OWNER    GROUP NATTCH\nShared Memory:\n\
                    m  65536 0x0052e2c1 --rw-------      ada    staff      6\n\
                    m 131073 0x0052e2c2 --rw-------      ada domain users      0\n";
        let users = |key: u32, id: i32| told.lines().find_map(|line| users_in(line, key, id));
        assert_eq!(users(0x0052_e2c1, 65_536), Some(6));
        assert_eq!(users(0x0052_e2c2, 131_073), Some(0));
        assert_eq!((users(0x0052_e2c1, 131_073), users(1, 65_536)), (None, None), "both numbers are the segment's");
    }
}
