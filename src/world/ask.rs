//! Asks programs for their version. They must be ones that are known to do nothing else when asked.
#![expect(clippy::disallowed_methods, reason = "starts programs as world::process does")]

use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::world::files;

/// How long a tool may take to say its version: this many times [`PAUSE`].
const PATIENCE: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(10);
/// The most that is read of an answer, in bytes.
const LARGEST: u64 = 4 << 20;

/// The first line that a program prints for `--version`; `None` where it does not end well.
#[must_use]
pub fn version(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    first_line(|output| command.stdout(output).spawn().ok())
}

/// The first line of what is started with this as its standard output; `None` where it does not end well.
pub fn first_line(start: impl FnOnce(Stdio) -> Option<Child>) -> Option<String> {
    let mut file = files::nameless().ok()?;
    let child = start(Stdio::from(file.try_clone().ok()?))?;
    if !ends_well(child) {
        return None;
    }
    let mut text = Vec::new();
    file.rewind().and_then(|()| file.take(LARGEST).read_to_end(&mut text)).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// Whether a program ends by itself, soon, and with 0.
#[must_use]
pub fn ends_well(mut child: Child) -> bool {
    for _ in 0..PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
