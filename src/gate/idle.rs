//! Words by which a build tool says that it built nothing: what it complained of when it did is then not shown again.

use std::path::Path;

use crate::gate::lines;

/// How much of a build was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// All of it: the tool says no more than this, first.
    Whole(String),
    /// Something, by this line.
    Part(String),
}

/// What a log says of that; `None` where everything was built, or it cannot be read.
pub(super) fn idle(log: &Path) -> Option<Idle> {
    let (mut first, mut others) = (None, false);
    let see = |line: &str| {
        let line = line.trim();
        if first.is_none() && is_idle(line) {
            first = Some(line.chars().take(80).collect());
        }
        others |= !is_idle(line) && !is_frame(line);
        (others && first.is_some()).then_some(())
    };
    lines::find(log, see).ok()?;
    first.map(if others { Idle::Part } else { Idle::Whole })
}

fn is_idle(line: &str) -> bool {
    let of_make = line.starts_with("make") || line.starts_with("gmake");
    (of_make && (line.contains(": Nothing to be done for ") || line.ends_with(" is up to date.")))
        || line == "ninja: no work to do."
        || (line.starts_with("> Task :") && line.ends_with(" UP-TO-DATE"))
        || (line.contains(" actionable task") && line.ends_with(" up-to-date"))
}

/// What stands around it.
fn is_frame(line: &str) -> bool {
    let directory = ["ing directory '", "ing directory `"].iter().any(|words| line.contains(words));
    line.is_empty() || directory || line.starts_with("BUILD SUCCESSFUL in ") || line.ends_with(" NO-SOURCE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::files;

    #[test]
    fn a_build_that_did_nothing_is_told_from_one_that_did() {
        let folder = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            let log = folder.path().join("log.txt");
            files::write(&log, text.as_bytes()).unwrap();
            idle(&log)
        };
        for text in [
            "make[1]: Entering directory '/r'\nmake[1]: Nothing to be done for 'all'.\nmake[1]: Leaving directory '/r'\n",
            "make: 'lint' is up to date.\n",
            "ninja: Entering directory `out'\nninja: no work to do.\n",
            "> Task :compileJava UP-TO-DATE\n\nBUILD SUCCESSFUL in 1s\n2 actionable tasks: 2 up-to-date\n",
        ] {
            assert!(matches!(of(text), Some(Idle::Whole(_))), "{text}");
        }
        let part = "make: Nothing to be done for 'deps'.";
        assert_eq!(of(&format!("{part}\nflake8 src\n")), Some(Idle::Part(part.to_owned())));
        for text in ["", "gcc -c a.c\n", "a.c is up to date.\n", "1 actionable task: 1 executed\n"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
