//! The time. Waiting is tokio's, so that tests can pause it.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]

/// Now, to be written down.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, to be measured from.
#[must_use]
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}
