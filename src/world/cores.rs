//! How much this process may do at a time.

/// How many gates run at a time where nothing else is asked: the cores this process may use, as far as the
/// system tells (affinity and cgroup quotas count), at least 1.
#[must_use]
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What `of` makes of each item, in their order, on all cores.
///
/// # Panics
/// Where `of` does.
pub fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(available()).max(1);
    if share >= items.len() {
        return items.iter().map(of).collect();
    }
    std::thread::scope(|scope| {
        let of = &of;
        let parts: Vec<_> =
            items.chunks(share).map(|items| scope.spawn(move || items.iter().map(of).collect())).collect();
        let ended = parts.into_iter().map(|part: std::thread::ScopedJoinHandle<'_, Vec<R>>| {
            part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        ended.flatten().collect()
    })
}
