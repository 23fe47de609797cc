//! Windows as far as it goes: the command itself is ended, not what it started (that needs a job object), and
//! there is no TERM, so the grace passes unheard.

#![expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::process::ChildStdout;

use crate::model::evidence::Exit;
use crate::world::process::{LeftBehind, Seen, Spawn};

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Swept {
    pub(super) ended: usize,
    pub(super) survivors: usize,
}

/// Stands for the command's process; `run` ends that itself.
pub(super) struct Group;

/// A program that was started here, until it has ended.
pub(super) struct Child(tokio::process::Child);

impl Child {
    pub(super) fn id(&self) -> i32 {
        self.0.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default()
    }

    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        Ok(Exit::Code(self.0.wait().await?.code().unwrap_or(-1)))
    }

    pub(super) fn collect(&mut self) -> io::Result<Option<Exit>> {
        Ok(self.0.try_wait()?.map(|status| Exit::Code(status.code().unwrap_or(-1))))
    }

    pub(super) fn kill(&mut self) {
        let _ = self.0.start_kill();
    }
}

pub(super) async fn start(
    file: &Path,
    spawn: &Spawn,
    out: io::PipeWriter,
    err: Option<io::PipeWriter>,
) -> io::Result<(Child, Group)> {
    let mut command = Command::new(file);
    command.args(spawn.argv.iter().skip(1)).current_dir(&spawn.dir).stdin(Stdio::null());
    command.env_clear().envs(spawn.env.iter().map(|(name, value)| (name, value)));
    command.stderr(err.map_or_else(|| out.try_clone(), Ok)?).stdout(out);
    Ok((Child(tokio::process::Command::from(command).spawn()?), Group))
}

pub(super) fn reading(pipe: io::PipeReader) -> io::Result<ChildStdout> {
    ChildStdout::from_std(std::process::ChildStdout::from(OwnedHandle::from(pipe)))
}

pub(super) fn check_executable(_file: &Path) -> io::Result<()> {
    Ok(())
}

impl Group {
    pub(super) async fn terminate(&mut self) {}

    pub(super) async fn watch(&mut self) -> Infallible {
        std::future::pending().await
    }

    pub(super) fn kill(&self) {}

    pub(super) async fn all_gone(&self) {}

    pub(super) const fn leave(&mut self) -> Swept {
        Swept { ended: 0, survivors: 0 }
    }

    pub(super) async fn sweep(&mut self, _grace: Duration) -> Swept {
        Swept::default()
    }
}

/// There are no orphans to be found here.
pub async fn end_orphans() -> LeftBehind {
    LeftBehind::default()
}

/// This process.
#[must_use]
pub fn own_id() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

/// Not told here.
#[must_use]
pub const fn boot() -> String {
    String::new()
}

/// Not told here.
#[must_use]
pub const fn host() -> String {
    String::new()
}

/// Not told here.
#[must_use]
pub const fn seen(_id: i32) -> Seen {
    Seen::Hidden
}

/// Nothing can be ended here that this process did not start.
pub async fn end_remains(_group: Option<(i32, &str)>, _mark: Option<&OsStr>, _grace: Duration) -> usize {
    0
}
