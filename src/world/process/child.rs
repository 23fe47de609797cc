//! A program that was started here, until it has ended.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{self, SignalKind};

use crate::model::evidence::Exit;
use crate::world::process::calls::watched;
use crate::world::process::snapshot;

/// A child of this process. Its status is collected by [`Child::wait`]; who drops it before ends its group.
pub(super) struct Child {
    pid: Pid,
    ends: Ends,
    exit: Option<Exit>,
}

/// What tells that it may have ended.
enum Ends {
    /// A descriptor of this child.
    Descriptor(AsyncFd<OwnedFd>),
    /// The signal for any child.
    Signal(unix::Signal),
}

impl Child {
    /// The child with this number, which runs or was not collected yet.
    ///
    /// # Errors
    /// When its end could not be noticed.
    pub(super) fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::NotFound)?;
        let ends = match snapshot::descriptor(pid) {
            Some(descriptor) => Ends::Descriptor(watched(descriptor)?),
            None => Ends::Signal(unix::signal(SignalKind::child())?),
        };
        Ok(Self { pid, ends, exit: None })
    }

    /// Its number.
    pub(super) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for its end. May be asked again.
    ///
    /// # Errors
    /// When its status cannot be read.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.collect()? {
                return Ok(exit);
            }
            match &mut self.ends {
                Ends::Descriptor(descriptor) => {
                    descriptor.readable().await?.clear_ready();
                }
                Ends::Signal(signal) => {
                    signal.recv().await;
                }
            }
        }
    }

    /// Kills it, if it has not ended.
    pub(super) fn kill(&self) {
        if self.exit.is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub(super) fn collect(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            let ended = waitpid(Some(self.pid), WaitOptions::NOHANG)?;
            self.exit = ended.and_then(|(_, status)| {
                status.exit_status().map(Exit::Code).or_else(|| status.terminating_signal().map(Exit::Signal))
            });
        }
        Ok(self.exit)
    }
}
