//! How much this process may do at a time.

/// How many gates run at a time where nothing else is asked: the cores this process may use, as far as the
/// system tells (affinity and cgroup quotas count), at least 1.
#[must_use]
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
