//! What other Unix systems (macOS) tell of processes, by `ps`. Best effort: there is no adoption, so a process that
//! left its group *and* lost its parent before the gate ended is not found.
#![expect(clippy::disallowed_methods, reason = "this is one of the places that start processes")]

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use nix::unistd::Pid;

use crate::world::process::tree::Process;

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

/// Environments of other processes cannot be read here.
pub(super) fn has_mark(_pid: i32, _mark: &OsStr) -> bool {
    false
}

/// Every process that can be seen.
pub(super) fn processes() -> Vec<Process> {
    ps("pid=,ppid=,lstart=").iter().filter_map(|line| process(line)).collect()
}

/// How many processes of the group live.
pub(super) fn processes_in_group(leader: Pid) -> usize {
    states(leader).iter().filter(|state| !state.starts_with('Z')).count()
}

/// Whether every process of the group is stopped or dead.
pub(super) fn is_still(leader: Pid) -> bool {
    states(leader).iter().all(|state| state.starts_with(['T', 'Z']))
}

fn states(leader: Pid) -> Vec<String> {
    let group = leader.to_string();
    let state = |line: &String| {
        let mut fields = line.split_ascii_whitespace();
        if fields.next() == Some(&group) { fields.next().map(str::to_owned) } else { None }
    };
    ps("pgid=,state=").iter().filter_map(state).collect()
}

fn ps(columns: &str) -> Vec<String> {
    let output =
        Command::new("/bin/ps").args(["-A", "-o", columns]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
        .unwrap_or_default()
}

fn process(line: &str) -> Option<Process> {
    let (pid, rest) = line.trim_start().split_once(' ')?;
    let (parent, started) = rest.trim_start().split_once(' ')?;
    Some(Process { pid: pid.parse().ok()?, parent: parent.parse().ok()?, started: started.trim().to_owned() })
}
