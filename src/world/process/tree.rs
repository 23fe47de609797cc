//! Who descends from whom, in a snapshot of the system's processes. Pure.

use std::collections::BTreeSet;

/// One process of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
    /// When it was started, in the system's own words: a number alone may be another process by the next look.
    pub(super) started: String,
}

impl Process {
    /// Whether both are the same, whoever its parent is by now.
    pub(super) fn is_the_one(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// Everything below `roots`, the roots themselves not included unless they descend from another root.
pub(super) fn descendants(all: &[Process], roots: &[i32]) -> Vec<Process> {
    let mut above: BTreeSet<i32> = roots.iter().copied().collect();
    let mut found = Vec::new();
    loop {
        let before = found.len();
        for process in all.iter().filter(|process| above.contains(&process.parent)) {
            if !found.contains(process) {
                found.push(process.clone());
            }
        }
        if found.len() == before {
            return found;
        }
        above.extend(found[before..].iter().map(|process| process.pid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_are_found_in_any_order() {
        let all: Vec<Process> = [(5, 4), (4, 2), (2, 1), (3, 1), (6, 3), (7, 7)]
            .map(|(pid, parent)| Process { pid, parent, started: String::new() })
            .to_vec();
        let below = |roots: &[i32]| {
            let mut pids: Vec<i32> = descendants(&all, roots).iter().map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(below(&[2]), [4, 5]);
        assert_eq!(below(&[1]), [2, 3, 4, 5, 6]);
        assert_eq!(below(&[5]), [0; 0]);
        assert_eq!(below(&[7]), [7], "a process that is its own parent does not loop");
    }
}
