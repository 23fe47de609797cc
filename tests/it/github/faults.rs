//! What goes wrong on purpose: faults scripted per test, and changes of state between two requests.

use std::time::{Duration, SystemTime};

use super::exchange::Reply;
use super::state::State;

/// What happens to a request that a script picks.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Answered with an error status; nothing is done.
    Refuse(u16),
    /// Answered with an error status and these words; nothing is done.
    Says(u16, &'static str),
    /// Done, and answered with an error status all the same.
    Lose(u16),
    /// The connection is reset; nothing is done.
    Reset,
    /// Done, and the connection is reset.
    LoseReset,
    /// Done, and answered late.
    Slow(Duration),
    /// Done, and never answered.
    Hang,
    /// Done; the reply ends after so many bytes of its body.
    Truncate(usize),
    /// A page for humans with this status; done only where the status is 2xx.
    Html(u16),
    /// The secondary limit, 403 or 429, with or without `retry-after` seconds; nothing is done.
    Secondary(u16, Option<u64>),
    /// The hourly limit; it resets after so many seconds. Nothing is done.
    Primary(u64),
    /// 401; nothing is done.
    Unauthorized,
    /// Done, but so many later reads of the same family do not see it.
    Unseen(usize),
}

impl Fault {
    /// Whether the request still takes effect.
    pub fn applies(&self) -> bool {
        match self {
            Self::Lose(_) | Self::LoseReset | Self::Slow(_) | Self::Hang | Self::Truncate(_) | Self::Unseen(_) => true,
            Self::Html(status) => (200..300).contains(status),
            _ => false,
        }
    }

    /// The reply in place of the true one.
    pub fn reply(&self) -> Option<Reply> {
        let limited = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        match self {
            Self::Refuse(404) => Some(Reply::not_found()),
            Self::Refuse(422) => Some(Reply::error(422, "Validation Failed")),
            Self::Says(status, words) => Some(Reply::error(*status, words)),
            Self::Refuse(status) | Self::Lose(status) => Some(Reply::error(*status, "Server Error")),
            Self::Secondary(status, None) => Some(Reply::error(*status, limited)),
            Self::Secondary(status, Some(after)) => {
                Some(Reply::error(*status, limited).with("retry-after", &after.to_string()))
            }
            Self::Primary(seconds) => {
                let reply = Reply::error(403, "API rate limit exceeded for installation.");
                Some(
                    reply
                        .with("x-ratelimit-remaining", "0")
                        .with("x-ratelimit-reset", &(epoch() + seconds).to_string()),
                )
            }
            Self::Unauthorized => Some(Reply::error(401, "Bad credentials")),
            _ => None,
        }
    }
}

/// Now, in seconds of Unix time.
pub fn epoch() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Which of the requests that fit a script's pattern it picks.
#[derive(Debug, Clone, Copy)]
pub enum When {
    Nth(usize),
    Every(usize),
    First(usize),
}

impl When {
    fn picks(self, count: usize) -> bool {
        match self {
            Self::Nth(nth) => count == nth,
            Self::Every(nth) => count.is_multiple_of(nth),
            Self::First(most) => count <= most,
        }
    }
}

/// One fault on some requests.
#[derive(Debug)]
pub struct Script {
    pub pattern: String,
    pub when: When,
    pub fault: Fault,
    pub count: usize,
    pub fired: usize,
}

impl Script {
    /// Counts a request that fits; true when the fault strikes it.
    pub fn strikes(&mut self, operation: &str, method: &str) -> bool {
        if !fits(&self.pattern, operation, method) {
            return false;
        }
        self.count += 1;
        let picked = self.when.picks(self.count);
        self.fired += usize::from(picked);
        picked
    }
}

/// What a hook does.
pub type Change = Box<dyn FnOnce(&mut State) + Send>;

/// A change of state just before the nth request that fits is handled.
pub struct Hook {
    pub pattern: String,
    pub nth: usize,
    pub count: usize,
    pub act: Option<Change>,
}

/// `checks/create`, `checks/*`, `*`, `reads` or `writes`.
pub fn fits(pattern: &str, operation: &str, method: &str) -> bool {
    match pattern {
        "reads" => method == "GET",
        "writes" => method != "GET",
        _ => pattern.strip_suffix('*').map_or(pattern == operation, |family| operation.starts_with(family)),
    }
}
