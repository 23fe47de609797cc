//! The signals that end gatepost: the first cancels everything with grace, the second ends it at once.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::world::process::{CancelToken, CancelledBy, Signal};

/// What was caught. The exit code is 128 + the first signal's number, whatever came later.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    first: Arc<OnceLock<(Signal, Instant)>>,
    second: Arc<OnceLock<()>>,
}

impl Signals {
    /// The first signal caught, if any was.
    #[must_use]
    pub fn caught(&self) -> Option<Signal> {
        self.first.get().map(|(signal, _)| *signal)
    }

    /// How long ago the first signal was caught; zero before.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.first.get().map_or(Duration::ZERO, |(_, at)| at.elapsed())
    }

    /// Whether another came after the first: whoever sent it waits for nothing more.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.second.get().is_some()
    }

    fn take(&self, signal: Signal, token: &CancelToken) {
        tracing::debug!(%signal, "caught");
        if self.first.set((signal, crate::world::clock::instant())).is_ok() {
            token.cancel(CancelledBy::Signal(signal));
        } else {
            let _ = self.second.set(());
            token.kill(CancelledBy::Signal(signal));
        }
    }
}

/// Begins to listen, on a thread of its own: who asks git for something waits and does nothing else. All but SIGHUP are
/// heeded even where the parent had them ignored (a POSIX shell starts `gatepost run &` so, and then asks it to stop by
/// SIGINT); a SIGHUP that was ignored stays without effect, which is what `nohup` is for.
///
/// # Errors
/// When the system refuses a handler or a thread.
#[cfg(unix)]
#[expect(clippy::needless_pass_by_value, reason = "whoever listens has it from then on, as on the other systems")]
pub fn listen(token: CancelToken) -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};

    let inherited = crate::world::process::reset_inherited_signals()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    // A file that grows over its limit is to be an error that is told, as a full disk is, and not gatepost's end.
    drop(signal(SignalKind::from_raw(nix::libc::SIGXFSZ))?);
    let signals = Signals::default();
    let is_heeded = |signal: &Signal| *signal != Signal::Hangup || !inherited.hangup_ignored;
    for caught in Signal::ALL.into_iter().filter(is_heeded) {
        let mut stream = signal(SignalKind::from_raw(caught.number()))?;
        let (seen, token) = (signals.clone(), token.clone());
        runtime.spawn(async move {
            while stream.recv().await.is_some() {
                seen.take(caught, &token);
            }
        });
    }
    drop(entered);
    std::thread::Builder::new().spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(signals)
}

/// From now on a signal ends gatepost at once, as it would a program that does not listen.
#[cfg(unix)]
pub fn end_at_once() {
    crate::world::process::unhandle_signals();
}

/// Nothing is to be done here.
#[cfg(not(unix))]
pub const fn end_at_once() {}

/// Begins to listen for Ctrl-C, until the runtime ends.
///
/// # Errors
/// Never here; as on the other systems.
#[cfg(not(unix))]
pub fn listen(token: CancelToken) -> io::Result<Signals> {
    let signals = Signals::default();
    let seen = signals.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            seen.take(Signal::Interrupt, &token);
        }
    });
    Ok(signals)
}
