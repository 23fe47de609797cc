//! Ends the process as SIGKILL does, before or after the nth write to GitHub or to the ledger's file: how tests prove that a
//! run which dies anywhere can be recovered. There is no such thing in a release build.

/// A write, between two points.
pub async fn around<T>(write: impl Future<Output = T>) -> T {
    pass();
    let done = write.await;
    pass();
    done
}

/// A write is about to be made, or was made.
#[cfg(debug_assertions)]
fn pass() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    #[expect(clippy::disallowed_methods, reason = "only a test sets it, and only for the process that is to die")]
    let at = std::env::var("GATEPOST_CRASHPOINT").ok().and_then(|at| at.parse::<usize>().ok());
    if at == Some(PASSED.fetch_add(1, Ordering::Relaxed) + 1) {
        #[cfg(unix)]
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
}

/// A write is about to be made, or was made.
#[cfg(not(debug_assertions))]
const fn pass() {}
