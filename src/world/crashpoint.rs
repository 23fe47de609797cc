//! Ends the process as SIGKILL does, before or after the nth touch of the ledger: how tests prove that a run which dies
//! anywhere can be recovered. There is no such thing in a release build.

/// One touch of the ledger is about to be made, or was made.
#[cfg(debug_assertions)]
pub fn pass() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    #[expect(clippy::disallowed_methods, reason = "only a test sets it, and only for the process that is to die")]
    let at = std::env::var("GATEPOST_CRASHPOINT").ok().and_then(|at| at.parse::<usize>().ok());
    if at == Some(PASSED.fetch_add(1, Ordering::Relaxed) + 1) {
        #[cfg(unix)]
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
}

/// One touch of the ledger is about to be made, or was made.
#[cfg(not(debug_assertions))]
pub const fn pass() {}
