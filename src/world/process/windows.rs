//! Windows as far as it goes: the command itself is ended, not what it started (that needs a job object), and
//! there is no TERM, so the grace passes unheard.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tokio::process::{Child, ChildStdout};

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Swept {
    pub(super) ended: usize,
    pub(super) survivors: usize,
}

/// Stands for the command's process; `run` ends that itself.
pub(super) struct Group;

pub(super) fn start(command: Command, _name: &str, _mark: Option<&OsStr>) -> io::Result<(Child, Group)> {
    Ok((tokio::process::Command::from(command).spawn()?, Group))
}

pub(super) fn reading(pipe: io::PipeReader) -> io::Result<ChildStdout> {
    ChildStdout::from_std(std::process::ChildStdout::from(OwnedHandle::from(pipe)))
}

pub(super) fn check_executable(_file: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn signal_of(_status: ExitStatus) -> Option<i32> {
    None
}

impl Group {
    pub(super) async fn terminate(&mut self) {}

    pub(super) fn kill(&self) {}

    pub(super) async fn gone(&self) {}

    pub(super) const fn leave(&mut self) -> Swept {
        Swept { ended: 0, survivors: 0 }
    }

    pub(super) async fn sweep(&mut self, _grace: Duration) -> Swept {
        Swept::default()
    }
}

/// There are no orphans to be found here.
pub async fn end_orphans() -> usize {
    0
}

/// This process.
#[must_use]
pub fn own_id() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

/// Not told here.
#[must_use]
pub fn started(_id: i32) -> Option<String> {
    None
}

/// Nothing can be ended here that this process did not start.
pub async fn end_remains(_group: Option<(i32, &str)>, _mark: Option<&OsStr>, _grace: Duration) -> usize {
    0
}
