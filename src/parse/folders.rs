//! The folders that the callers of tools say they work in: what the tools print is relative to those. `make` and `ninja`
//! name them. `npm`, `pnpm` and `yarn` say before each script of which package it is.

use std::sync::Arc;

use crate::model::finding::{Finding, Folder, Folders};

/// How many folders may be open at once: more than jobs run at once are a log that closes none.
const MOST: usize = 256;

/// The folders that are open at a line of the output. Jobs that run at once have several.
#[derive(Debug, Default)]
pub(super) struct Entered {
    open: Vec<Arc<str>>,
    /// Of the last script that a package manager began. That one ends is not said.
    package: Option<Folder>,
    packages: usize,
    /// What may be the first line of such a script's heading.
    heading: Option<String>,
    /// The last one first, as the findings have them since the last change.
    shared: Option<Folders>,
}

impl Entered {
    /// Whether a line opens or closes a folder, which is then heeded.
    pub fn heeds(&mut self, line: &str) -> bool {
        // What follows a heading shows that it is one: the command, or `yarn` as it starts.
        let by_yarn = line.starts_with("yarn run v");
        if let Some(heading) = self.heading.take().filter(|_| by_yarn || line.starts_with("> ")) {
            self.shared = None;
            self.package = Some(self.package(&heading, by_yarn));
            return true;
        }
        if let Some(heading) = line.strip_prefix("> ").map(str::trim_end).filter(|heading| may_head(heading)) {
            self.heading = Some(heading.to_owned());
            return true;
        }
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
        let shared = self.shared.get_or_insert_with(|| {
            let open = self.open.iter().rev().cloned().map(Folder::At);
            self.package.iter().cloned().chain(open).collect()
        });
        finding.folders = Arc::clone(shared);
    }

    /// `NAME@VERSION SCRIPT FOLDER` of `pnpm`, `NAME@VERSION SCRIPT` of `npm`, which of a package without a version says
    /// `SCRIPT` alone, and `NAME` of `yarn workspaces run`.
    fn package(&mut self, heading: &str, by_yarn: bool) -> Folder {
        let mut words = heading.splitn(3, ' ');
        let (first, folder) = (words.next().unwrap_or_default(), words.nth(1));
        if let Some(folder) = folder.filter(|folder| folder.starts_with('/')) {
            return Folder::At(folder.into());
        }
        self.packages += 1;
        let name = if by_yarn { first } else { first.rsplit_once('@').map_or("", |(name, _)| name) };
        Folder::Package { name: name.into(), nth: self.packages }
    }
}

/// Whether it has the shape of one.
fn may_head(heading: &str) -> bool {
    heading.split(' ').next().is_some_and(|first| first.contains('@') || first == heading)
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
        let said = |folder: &Folder| match folder {
            Folder::At(folder) => folder.to_string(),
            Folder::Package { name, nth } => format!("{name}#{nth}"),
        };
        finding.folders.iter().map(said).collect()
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
    fn a_package_manager_says_which_package_it_is_in() {
        let npm = ["> @x/a@1.0.0 lint", "> eslint . && tsc"];
        assert_eq!(open(&npm), ["@x/a#1"]);
        assert_eq!(open(&["> lint", "> tsc"]), ["#1"], "it has no version");
        assert_eq!(open(&["> b@2.0.0-rc.1 lint", "> tsc"]), ["b#1"]);
        assert_eq!(open(&["> @x/a@ lint /r/packages/a", "> tsc"]), ["/r/packages/a"]);
        assert_eq!(open(&["> @x/a@1.0.0 lint /r/a folder", "> tsc"]), ["/r/a folder"]);
        assert_eq!(open(&["> @x/a", "yarn run v1.22.22"]), ["@x/a#1"]);
        assert_eq!(open(&["> b", "yarn run v1.22.22"]), ["b#1"]);
        let next = ["> b@1.0.0 lint", "> tsc"];
        assert_eq!(open(&[npm, next].concat()), ["b#2"], "the one after it");
        let top = ["make: Entering directory '/r'"];
        assert_eq!(open(&[&top[..], &npm[..]].concat()), ["@x/a#1", "/r"]);
        assert_eq!(open(&["> lint"]), [""; 0], "no command follows");
        assert_eq!(open(&["> lint", top[0], "> lint"]), ["/r"]);
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
            "yarn run v1.22.22",
            "> Task :compileJava",
            ">",
        ] {
            assert!(!folders.heeds(line), "{line}");
        }
    }
}
