//! Commands that leave processes behind in every way we know, and a look at what is left of them.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shell lines that leave something behind; what left its group *and* its parent is found on Linux alone. `MARKER`
/// is a number of seconds that no other process sleeps.
pub const WAYS: &[(&str, &str)] = &[
    ("nothing", "true"),
    ("holds the pipe", "sleep MARKER &"),
    ("closes its stdio", "sleep MARKER <&- >&- 2>&- &"),
    ("ignores INT, TERM and HUP", r#"sh -c 'trap "" INT TERM HUP; sleep MARKER; sleep MARKER' >/dev/null 2>&1 &"#),
    #[cfg(target_os = "linux")]
    ("calls setsid", "setsid sleep MARKER >/dev/null 2>&1 &"),
    #[cfg(target_os = "linux")]
    ("calls setsid and holds the pipe", "setsid sleep MARKER &"),
    #[cfg(target_os = "linux")]
    (
        "calls setsid, ignores TERM, has a child",
        r#"setsid sh -c 'trap "" TERM; sleep MARKER & sleep MARKER' >/dev/null 2>&1 &"#,
    ),
    #[cfg(target_os = "linux")]
    (
        "forks twice like a daemon",
        "(setsid sh -c 'sleep MARKER & exec sleep MARKER' </dev/null >/dev/null 2>&1 &) ; true",
    ),
    ("is stopped", "sh -c 'kill -STOP $$; sleep MARKER' >/dev/null 2>&1 &"),
];

/// A number of seconds, at least a day, that no other test uses.
pub fn marker() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{}.{:07}{:03}", 86_400, std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What is left of the processes with this marker, a second later at most.
pub fn left_of(marker: &str) -> Vec<String> {
    let start = Instant::now();
    loop {
        let left = alive(marker);
        if left.is_empty() || start.elapsed() > Duration::from_secs(1) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The living processes with this marker in their command line.
pub fn alive(marker: &str) -> Vec<String> {
    let ps = Command::new("ps").args(["-A", "-ww", "-o", "state=,pid=,args="]).output().unwrap();
    let lines = String::from_utf8_lossy(&ps.stdout).into_owned();
    lines.lines().filter(|line| line.contains(marker) && !line.starts_with('Z')).map(str::to_owned).collect()
}
