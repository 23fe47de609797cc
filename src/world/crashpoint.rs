//! Ends a run before or after the nth write to GitHub or to the ledger's file: how tests prove that one which dies anywhere
//! can be recovered. The process dies as by SIGKILL; within a test the write never comes back. There is no such thing in a
//! release build.

/// A write, between two points.
pub async fn around<T>(write: impl Future<Output = T>) -> T {
    pass().await;
    let done = write.await;
    pass().await;
    done
}

#[cfg(debug_assertions)]
thread_local! {
    /// The points that are left on this thread until it stands still, and who is to know.
    static LEFT: std::cell::RefCell<Option<(usize, std::rc::Rc<tokio::sync::Notify>)>> = const { std::cell::RefCell::new(None) };
}

/// From here on the nth point of this thread is never passed; the answer is notified when it is reached.
#[cfg(debug_assertions)]
#[must_use]
pub fn stand_still(nth: usize) -> std::rc::Rc<tokio::sync::Notify> {
    let reached = std::rc::Rc::new(tokio::sync::Notify::new());
    LEFT.with_borrow_mut(|left| *left = Some((nth, std::rc::Rc::clone(&reached))));
    reached
}

/// Whether this thread stands still from here on.
#[cfg(debug_assertions)]
fn stands_still() -> bool {
    LEFT.with_borrow_mut(|armed| {
        let Some((left, reached)) = armed else { return false };
        *left -= 1;
        if *left > 0 {
            return false;
        }
        reached.notify_one();
        *armed = None;
        true
    })
}

/// A write is about to be made, or was made.
#[cfg(debug_assertions)]
async fn pass() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    #[expect(clippy::disallowed_methods, reason = "only a test sets it, and only for the process that is to die")]
    let at = std::env::var("GATEPOST_CRASHPOINT").ok().and_then(|at| at.parse::<usize>().ok());
    if at == Some(PASSED.fetch_add(1, Ordering::Relaxed) + 1) {
        #[cfg(unix)]
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
    if stands_still() {
        std::future::pending::<()>().await;
    }
}

/// A write is about to be made, or was made.
#[cfg(not(debug_assertions))]
#[expect(clippy::unused_async, reason = "in a debug build it may never come back")]
async fn pass() {}
