//! The story of one command: started, read, ended, swept.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::model::evidence::Exit;
use crate::world::process::cancel::{CancelToken, CancelledBy};
use crate::world::process::capture::{Capture, Files};
use crate::world::process::start::{self, SpawnError, Started};
use crate::world::process::system::{Child, Group, Swept};
use crate::world::process::{End, Finished, Spawn};

/// How long the output is awaited after the command itself has ended: a process it left behind may hold the pipe.
const DRAIN: Duration = Duration::from_secs(1);
/// How long left-behind processes have from TERM to KILL, if the gate's grace is not shorter.
const LEAK_GRACE: Duration = Duration::from_millis(500);
/// How long the output is awaited once everything that could write to it was killed.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// How long a killed process may take to go: only one inside the kernel (a dead network file system) takes longer.
const UNKILLABLE: Duration = Duration::from_secs(2);

enum First {
    Exited(io::Result<Exit>),
    TimedOut,
    Cancelled(CancelledBy),
}

/// Runs a command to its end: by itself, by its timeout, or by `cancel`. `on_line` is given the newest line it
/// printed, cleaned and masked, at most ten times a second. When this returns, nothing that it started is left.
///
/// # Errors
/// When it could not be started, its log not be created, or its exit status not be read.
pub async fn run(spawn: &Spawn, cancel: &CancelToken, on_line: &mut dyn FnMut(&str)) -> Result<Finished, SpawnError> {
    run_told(spawn, cancel, on_line, &mut |_| {}).await
}

/// As [`run`]; `on_start` is given the process id of the command, which is its group's number too.
///
/// # Errors
/// As [`run`].
pub async fn run_told(
    spawn: &Spawn,
    cancel: &CancelToken,
    on_line: &mut dyn FnMut(&str),
    on_start: &mut dyn FnMut(i32),
) -> Result<Finished, SpawnError> {
    let ended = to_the_end(spawn, cancel, on_line, on_start).await;
    start::forget();
    ended
}

async fn to_the_end(
    spawn: &Spawn,
    cancel: &CancelToken,
    on_line: &mut dyn FnMut(&str),
    on_start: &mut dyn FnMut(i32),
) -> Result<Finished, SpawnError> {
    let begun = Instant::now();
    let files = Files::create(spawn)?;
    if let Some(by) = cancel.by() {
        return Ok(never_started(by));
    }
    let Started { mut child, mut group, out, err } = start::start(spawn).await?;
    on_start(child.id());
    let mut capture = Capture::new(out, err, files, spawn, on_line);

    let (end, exit) = match capture.until(first(&mut child, &mut group, spawn.timeout, cancel)).await {
        First::Exited(exit) => {
            let lost = |source| SpawnError::Lost { program: spawn.argv[0].clone(), source };
            let exit = exit.map_err(lost)?;
            // Before anything is killed: what was left behind may be about to write the last of the output.
            let _ = timeout(DRAIN, capture.read_to_end()).await;
            (End::Exited, Some(exit))
        }
        First::TimedOut => (End::TimedOut, stop(&mut child, &mut group, spawn, cancel, &mut capture).await),
        First::Cancelled(by) => (End::Cancelled(by), stop(&mut child, &mut group, spawn, cancel, &mut capture).await),
    };
    let drained = capture.is_at_end();
    let swept = match exit {
        Some(Exit::Code(0)) if spawn.leaves_services && end == End::Exited => group.leave(),
        Some(_) => capture.until(group.sweep(LEAK_GRACE.min(spawn.grace))).await,
        None => Swept { ended: 0, survivors: 1 },
    };
    let _ = timeout(LAST_WORDS, capture.read_to_end()).await;
    let captured = capture.end();
    Ok(Finished {
        exit,
        leaked: if end == End::Exited { swept.ended } else { 0 },
        end,
        took: begun.elapsed(),
        printed: captured.printed,
        log_truncated: captured.log_truncated,
        keep_truncated: captured.keep_truncated,
        survivors: swept.survivors,
        drained,
        written: Some(captured.written),
        io_error: captured.error,
    })
}

async fn first(child: &mut Child, group: &mut Group, time: Duration, cancel: &CancelToken) -> First {
    let first = tokio::select! {
        biased;
        exit = child.wait() => First::Exited(exit),
        by = cancel.cancelled() => First::Cancelled(by),
        () = tokio::time::sleep(time) => First::TimedOut,
        never = group.watch() => match never {},
    };
    // While gatepost was stopped (Ctrl-Z) the one may have ended, and the other have gone on.
    match first {
        First::TimedOut => child.collect().transpose().map_or(First::TimedOut, First::Exited),
        first => first,
    }
}

/// TERM to the group, the grace, KILL to the group, also when the leader went before.
async fn stop(
    child: &mut Child,
    group: &mut Group,
    spawn: &Spawn,
    cancel: &CancelToken,
    capture: &mut Capture<'_>,
) -> Option<Exit> {
    group.terminate().await;
    let all_gone = async {
        let _ = child.wait().await;
        group.all_gone().await;
    };
    let grace = async {
        tokio::select! {
            () = all_gone => {}
            () = cancel.grace_is_over(spawn.grace) => {}
        }
    };
    capture.until(grace).await;
    group.kill();
    child.kill();
    let exit = capture.until(timeout(UNKILLABLE, child.wait())).await;
    exit.ok().and_then(Result::ok)
}

fn never_started(by: CancelledBy) -> Finished {
    Finished {
        exit: None,
        end: End::Cancelled(by),
        took: Duration::ZERO,
        printed: 0,
        log_truncated: false,
        keep_truncated: false,
        leaked: 0,
        survivors: 0,
        drained: true,
        written: None,
        io_error: None,
    }
}
