//! Asks programs for their version. They must be ones that are known to do nothing else when asked.
#![expect(clippy::disallowed_methods, reason = "starts programs as world::process does")]

use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::world::files;

/// How long a tool may take to say its version: this many times [`PAUSE`].
const PATIENCE: u32 = if cfg!(test) { 30 } else { 1000 };
const PAUSE: Duration = Duration::from_millis(10);
/// The most that is read of an answer, in bytes.
const LARGEST: u64 = 4 << 20;

/// The first line that a program prints for `--version`; `None` where it does not end well.
#[must_use]
pub fn version(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    first_line(&mut command)
}

/// The first line that a call prints; `None` where it does not end well.
pub fn first_line(call: &mut Command) -> Option<String> {
    let mut file = files::nameless().ok()?;
    if !ends_well(call.stdout(file.try_clone().ok()?)) {
        return None;
    }
    let mut text = Vec::new();
    file.rewind().and_then(|()| file.take(LARGEST).read_to_end(&mut text)).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// Whether a call ends by itself, soon, and with 0. One that does not is ended with all that it has started.
#[must_use]
pub fn ends_well(call: &mut Command) -> bool {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(call, 0);
    let Ok(mut child) = call.spawn() else { return false };
    for _ in 0..PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    end(&mut child);
    let _ = child.wait();
    false
}

#[cfg(unix)]
fn end(child: &mut Child) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    // It is not waited for yet, so that no other group can have its number.
    if i32::try_from(child.id()).is_ok_and(|group| killpg(Pid::from_raw(group), Signal::SIGKILL).is_err()) {
        let _ = child.kill();
    }
}

#[cfg(not(unix))]
fn end(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_has_started_ends_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let late = temp.path().join("late");
        let mut call = Command::new("sh");
        call.args(["-c", "(sleep 1; : > \"$0\") & wait"]).arg(&late);
        assert!(!ends_well(&mut call));
        std::thread::sleep(Duration::from_millis(1500));
        assert!(!late.exists());
        assert!(ends_well(Command::new("sh").args(["-c", "exit 0"])));
        assert_eq!(first_line(Command::new("sh").args(["-c", "echo; echo 1.2"])).as_deref(), Some("1.2"));
    }
}
