//! How long posting waits, and for what. Only durations; the waiting itself is the line's.

use std::time::Duration;

/// The waits of the interpreter. The defaults are those that GitHub asks for:
/// <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Before each further try of a request that failed; jittered by a quarter either way.
    pub retries: [Duration; 3],
    /// Between looks for something that this run wrote and that does not show yet.
    pub looks: [Duration; 4],
    /// The first pause after a secondary limit that names no time; doubled from then on.
    pub pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// How many writes go out without a gap.
    pub burst: u32,
    /// From one write to the next after the burst.
    pub gap: Duration,
    /// The same before a write that notifies people.
    pub loud_gap: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retries: [1, 4, 9].map(Duration::from_secs),
            looks: [1, 2, 3, 4].map(Duration::from_secs),
            pause: Duration::from_mins(1),
            longest_pause: Duration::from_mins(5),
            burst: 20,
            gap: Duration::from_secs(1),
            loud_gap: Duration::from_secs(3),
        }
    }
}

impl Pace {
    /// That of this process. Tests that start it hundreds of times have a debug build hurry; a release build never does.
    #[must_use]
    pub fn of_process() -> Self {
        if is_in_haste() { Self::hasty() } else { Self::default() }
    }

    /// The same in thousandths of seconds, and without gaps: for servers that are a test's own.
    #[must_use]
    pub fn hasty() -> Self {
        let looks = [2; 4].map(Duration::from_millis);
        let (retries, pause) = ([2; 3].map(Duration::from_millis), Duration::from_millis(2));
        Self { retries, looks, pause, burst: u32::MAX, ..Self::default() }
    }
}

#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "only a test sets it, for a server of its own")]
fn is_in_haste() -> bool {
    std::env::var_os("GATEPOST_HASTE").is_some()
}

#[cfg(not(debug_assertions))]
const fn is_in_haste() -> bool {
    false
}

/// `base` and up to a quarter more or less, so that runs that failed together do not come back together.
#[must_use]
pub fn jittered(base: Duration) -> Duration {
    let mut byte = [128_u8];
    // Without randomness the wait is merely the plain one.
    let _ = getrandom::fill(&mut byte);
    base * 3 / 4 + base * u32::from(byte[0]) / 510
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_quarter() {
        let base = Duration::from_secs(4);
        let waits: Vec<Duration> = (0..200).map(|_| jittered(base)).collect();
        assert!(waits.iter().all(|wait| (Duration::from_secs(3)..=Duration::from_secs(5)).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < base) && waits.iter().any(|wait| *wait > base));
    }
}
