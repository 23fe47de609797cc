//! Cancellation as everything that waits sees it: not asked, asked (with a grace), or at once.

use std::fmt;
use std::future;
use std::time::Duration;

use tokio::sync::watch;

/// The grace under GitHub Actions, which kills the whole job 10 s after its first signal: what remains of
/// the first 7 s is for the report and what must still be posted.
pub const ACTIONS_GRACE: Duration = Duration::from_secs(4);

/// A signal that ends gatepost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal went away.
    Hangup,
    /// Ctrl-C, and GitHub's first word when a run is cancelled.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// Of a batch system whose time is nearly up.
    User1,
    /// As that one.
    User2,
    /// A timer that was set before gatepost was started in its place.
    Alarm,
    /// `kill`, and GitHub's second word.
    Terminate,
}

impl Signal {
    /// All that end a program which does not listen, and that somebody sends who wants its end. Gates have groups of their own:
    /// nobody else would end them.
    pub const ALL: [Self; 7] =
        [Self::Hangup, Self::Interrupt, Self::Quit, Self::User1, Self::User2, Self::Alarm, Self::Terminate];

    /// The number, for the exit code: 128 + it.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::User1 if cfg!(target_os = "linux") => 10,
            Self::User1 => 30,
            Self::User2 if cfg!(target_os = "linux") => 12,
            Self::User2 => 31,
            Self::Alarm => 14,
            Self::Terminate => 15,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
            Self::Alarm => "SIGALRM",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Who asked for the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelledBy {
    /// A signal to gatepost.
    Signal(Signal),
    /// Another gate did not pass under `--fail-fast`; the text says which and how ("lint failed").
    FailFast(String),
}

impl fmt::Display for CancelledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "cancelled by {signal}"),
            Self::FailFast(why) => write!(f, "cancelled by --fail-fast: {why}"),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    by: Option<CancelledBy>,
    at_once: bool,
}

/// One run's cancellation. Clones are the same token.
#[derive(Debug, Clone)]
pub struct CancelToken {
    state: watch::Sender<State>,
    longest_grace: Option<Duration>,
}

impl CancelToken {
    /// A token that nobody has asked anything of. `longest_grace` caps the grace of every gate once cancelled;
    /// under GitHub Actions it is [`ACTIONS_GRACE`].
    #[must_use]
    pub fn new(longest_grace: Option<Duration>) -> Self {
        Self { state: watch::Sender::default(), longest_grace }
    }

    /// Asks for the end, with grace. The first to ask stays the reason.
    pub fn cancel(&self, by: CancelledBy) {
        self.state.send_modify(|state| {
            state.by.get_or_insert(by);
        });
    }

    /// Asks for the end now, without further grace.
    pub fn kill(&self, by: CancelledBy) {
        self.state.send_modify(|state| {
            state.by.get_or_insert(by);
            state.at_once = true;
        });
    }

    /// Who asked first, if anyone has.
    #[must_use]
    pub fn by(&self) -> Option<CancelledBy> {
        self.state.borrow().by.clone()
    }

    /// Waits until the end is asked for.
    pub async fn cancelled(&self) -> CancelledBy {
        let state = self.reached(|state| state.by.is_some()).await;
        match state.by {
            Some(by) => by,
            None => future::pending().await,
        }
    }

    /// Waits until the end is asked for without further grace.
    pub async fn killed(&self) {
        self.reached(|state| state.at_once).await;
    }

    /// Waits until a grace that begins now is over: after `grace`, or earlier if the token was cancelled and
    /// caps it, or at once when that is asked for.
    pub async fn grace_is_over(&self, grace: Duration) {
        let capped = async {
            match self.longest_grace {
                Some(longest) => {
                    self.cancelled().await;
                    tokio::time::sleep(longest).await;
                }
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = capped => {}
            () = self.killed() => {}
        }
    }

    async fn reached(&self, state: impl FnMut(&State) -> bool) -> State {
        // The sender is `self`, so the channel cannot close while this waits.
        match self.state.subscribe().wait_for(state).await {
            Ok(state) => state.clone(),
            Err(_) => future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a grace of a minute is over in a moment.
    async fn is_cut_short(token: &CancelToken) -> bool {
        let minute = token.grace_is_over(Duration::from_mins(1));
        tokio::time::timeout(Duration::from_millis(500), minute).await.is_ok()
    }

    #[tokio::test]
    async fn the_grace_is_capped_once_cancelled_and_ends_at_the_second_request() {
        let (capped, free) = (CancelToken::new(Some(Duration::from_millis(1))), CancelToken::new(None));
        assert!(!is_cut_short(&capped).await, "a timeout has its whole grace");
        for token in [&capped, &free] {
            token.cancel(CancelledBy::Signal(Signal::Interrupt));
        }
        assert!(is_cut_short(&capped).await);
        assert!(!is_cut_short(&free).await);
        free.kill(CancelledBy::Signal(Signal::Terminate));
        assert!(is_cut_short(&free).await);
        assert_eq!(free.by(), Some(CancelledBy::Signal(Signal::Interrupt)), "the first reason stays");
    }
}
