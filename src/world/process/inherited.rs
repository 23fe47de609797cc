//! The signal state that gatepost's parent left behind, put back to the default before anything is started:
//! a child must not inherit that SIGINT is ignored or blocked, or nobody can stop it.

use std::io;
use std::sync::OnceLock;

use nix::sys::signal::{SigSet, Signal};

use crate::world::process::calls::{is_ignored, set_default};
use crate::world::process::cancel;

/// What was found at the first call.
#[derive(Debug, Clone, Copy)]
pub struct Inherited {
    /// SIGHUP was ignored, as under `nohup`: gatepost itself goes on not heeding it.
    pub hangup_ignored: bool,
}

static INHERITED: OnceLock<Inherited> = OnceLock::new();

/// Gives the signals that end gatepost their default action again, but for a hangup that its parent had ignored.
/// Does nothing where they were never handled.
pub fn unhandle_signals() {
    let Some(inherited) = INHERITED.get() else { return };
    for signal in cancel::Signal::ALL.iter().filter_map(|signal| Signal::try_from(signal.number()).ok()) {
        if signal != Signal::SIGHUP || !inherited.hangup_ignored {
            set_default(signal);
        }
    }
}

/// Gives every signal that the parent had ignored its default action again and empties this thread's mask.
/// A started program inherits both; signals with a handler (gatepost's own) are reset by the system.
/// SIGPIPE is left: Rust ignores it here and resets it in children. Must be called within a tokio runtime.
///
/// # Errors
/// When the system refuses the mask or the handler that keeps a hangup without effect.
pub fn reset_inherited_signals() -> io::Result<Inherited> {
    SigSet::empty().thread_set_mask()?;
    if let Some(known) = INHERITED.get() {
        return Ok(*known);
    }
    let mut hangup_ignored = false;
    for signal in Signal::iterator().filter(|signal| *signal != Signal::SIGPIPE && is_ignored(*signal)) {
        if signal == Signal::SIGHUP {
            // A handler that does nothing: still without effect on gatepost, and the default in its children.
            drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?);
            hangup_ignored = true;
        } else {
            set_default(signal);
        }
    }
    Ok(*INHERITED.get_or_init(|| Inherited { hangup_ignored }))
}
