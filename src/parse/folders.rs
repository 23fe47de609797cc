//! The folders that `make` and `ninja` say they work in: what the tools they start print is relative to those.

use std::sync::Arc;

use crate::model::finding::{Finding, Folders};

/// How many folders may be open at once: more than jobs run at once are a log that closes none.
const MOST: usize = 256;

/// The folders that are open at a line of the output. Jobs that run at once have several.
#[derive(Debug, Default)]
pub(super) struct Entered {
    open: Vec<Arc<str>>,
    /// The last one first, as the findings have them since the last change.
    shared: Option<Folders>,
}

impl Entered {
    /// Whether a line opens or closes a folder, which is then heeded.
    pub fn heeds(&mut self, line: &str) -> bool {
        let Some((folder, enters)) = moved(line) else { return false };
        self.shared = None;
        if enters {
            if self.open.len() == MOST {
                self.open.remove(0);
            }
            self.open.push(folder.into());
        } else if let Some(at) = self.open.iter().rposition(|open| &**open == folder) {
            self.open.remove(at);
        }
        true
    }

    /// Says of a finding which folders its path may be relative to.
    pub fn apply(&mut self, finding: &mut Finding) {
        let shared = self.shared.get_or_insert_with(|| self.open.iter().rev().cloned().collect());
        finding.folders = Arc::clone(shared);
    }
}

/// `make[2]: Entering directory '/src/sub'` and ``ninja: Entering directory `build'``: the folder, and whether it is
/// entered.
fn moved(line: &str) -> Option<(&str, bool)> {
    let (program, words) = line.split_once(": ")?;
    let (name, level) = program.split_once('[').map_or((program, None), |(name, level)| (name, Some(level)));
    let numbered = |level: &str| level.strip_suffix(']').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let name = name.rsplit('/').next().unwrap_or(name);
    if !["make", "gmake", "remake", "ninja", "samu"].contains(&name) || level.is_some_and(|level| !numbered(level)) {
        return None;
    }
    let (words, enters) = match words.strip_prefix("Entering directory ") {
        Some(rest) => (rest, true),
        None => (words.strip_prefix("Leaving directory ")?, false),
    };
    let folder = words.strip_prefix(['\'', '`'])?.strip_suffix('\'')?;
    (!folder.is_empty()).then_some((folder, enters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(lines: &[&str]) -> Vec<String> {
        let mut folders = Entered::default();
        for line in lines {
            assert!(folders.heeds(line), "{line}");
        }
        let mut finding = Finding::default();
        folders.apply(&mut finding);
        finding.folders.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_folder_entered_last_is_the_first_to_look_in() {
        let (top, a, b) =
            ("make: Entering directory '/r'", "make[1]: Entering directory '/r/a'", "gmake[1]: Entering directory `b'");
        assert_eq!(open(&[top, a]), ["/r/a", "/r"]);
        assert_eq!(open(&[top, a, "make[1]: Leaving directory '/r/a'"]), ["/r"]);
        assert_eq!(open(&[top, a, b, "make[1]: Leaving directory '/r/a'"]), ["b", "/r"], "jobs at once");
        assert_eq!(open(&[a, a, "make[1]: Leaving directory '/r/a'"]), ["/r/a"], "one of two");
        assert_eq!(open(&["make: Leaving directory '/r'"]), [""; 0]);
        assert_eq!(open(&["ninja: Entering directory `build'"]), ["build"]);
        assert_eq!(open(&["/usr/bin/make[3]: Entering directory '/r/it's'"]), ["/r/it's"]);
    }

    #[test]
    fn a_log_that_never_closes_a_folder_does_not_grow() {
        let lines: Vec<String> = (0..MOST + 2).map(|n| format!("make[1]: Entering directory '/{n}'")).collect();
        let open = open(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((open.len(), open[0].as_str(), open[MOST - 1].as_str()), (MOST, "/257", "/2"));
    }

    #[test]
    fn other_lines_open_nothing() {
        let mut folders = Entered::default();
        for line in [
            "",
            "make: *** [all] Error 1",
            "make[x]: Entering directory '/r'",
            "make[1: Entering directory '/r'",
            "cmake: Entering directory '/r'",
            "make: Entering directory ''",
            "make: Entering directory /r",
            "make: Entering directory '/r",
            "make: entering directory '/r'",
            "Entering directory '/r'",
        ] {
            assert!(!folders.heeds(line), "{line}");
        }
    }
}
