//! Commands that leave processes behind in every way we know, and a look at what is left of them.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A shell line that leaves something behind. `MARKER` is a number of seconds that no other process sleeps.
pub struct Way {
    pub name: &'static str,
    pub line: &'static str,
    leaves: Leaves,
}

/// What a process left, that its gate could be known by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Nothing,
    Group,
    GroupAndParent,
}

const WAYS: &[Way] = &[
    way("nothing", "true", Leaves::Nothing),
    way("holds the pipe", "sleep MARKER &", Leaves::Nothing),
    way("closes its stdio", "sleep MARKER <&- >&- 2>&- &", Leaves::Nothing),
    way(
        "ignores INT, TERM and HUP",
        r#"sh -c 'trap "" INT TERM HUP; sleep MARKER; sleep MARKER' >/dev/null 2>&1 &"#,
        Leaves::Nothing,
    ),
    way("calls setsid", "perl -MPOSIX -e 'setsid; exec @ARGV' sleep MARKER >/dev/null 2>&1 &", Leaves::Group),
    way("calls setsid and holds the pipe", "perl -MPOSIX -e 'setsid; exec @ARGV' sleep MARKER &", Leaves::Group),
    way(
        "calls setsid, ignores TERM, has a child",
        r#"perl -MPOSIX -e 'setsid; exec @ARGV' sh -c 'trap "" TERM; sleep MARKER & sleep MARKER' >/dev/null 2>&1 &"#,
        Leaves::Group,
    ),
    way(
        "forks twice like a daemon",
        "(perl -MPOSIX -e 'setsid; exec @ARGV' sh -c 'sleep MARKER & exec sleep MARKER' </dev/null >/dev/null 2>&1 &) ; true",
        Leaves::GroupAndParent,
    ),
    way("is stopped", "sh -c 'kill -STOP $$; sleep MARKER' >/dev/null 2>&1 &", Leaves::Nothing),
];

const fn way(name: &'static str, line: &'static str, leaves: Leaves) -> Way {
    Way { name, line, leaves }
}

/// The ways of which nothing is left after a gate that ended by itself. macOS adopts no orphans, and hides the marks of its
/// own programs: there it is those that stay in the group.
pub fn ways() -> impl Iterator<Item = &'static Way> {
    WAYS.iter().filter(|way| cfg!(target_os = "linux") || way.leaves == Leaves::Nothing)
}

/// The ways of which nothing is left after a gate that was ended: everywhere also those whose parents lived by then.
pub fn ways_of_the_ended() -> impl Iterator<Item = &'static Way> {
    WAYS.iter().filter(|way| cfg!(target_os = "linux") || way.leaves != Leaves::GroupAndParent)
}

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
