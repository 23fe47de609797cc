//! Signs that a command which failed did not do all of its work. What it found may then not be all, so that findings
//! which do not count are no reason for its status.

mod make;

use std::path::Path;

use crate::gate::bails::{bails, stopped_early, stops};
use crate::gate::lines;
use crate::gate::runners;
use crate::integrity::halts::{Halt, Looked, Ran, halts_at};
use crate::model::text::one_line;
use crate::world::tree::deep;
use make::Stop;

/// Words by which a tool says that it left something out, with `…` between parts of a line, and what that means.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "error: could not compile `",
        "cargo stops at what does not compile or has a lint that is denied, and looks at no more",
    ),
    ("ninja: build stopped: ", "ninja stops at a command that fails"),
    ("ERROR: \"…\" exited with ", "npm-run-all stops at a script that fails"),
    ("Tasks not run because their dependencies failed", "nx runs nothing that depends on a task which failed"),
    ("ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL", "pnpm stops at a package that fails; `--no-bail` runs all"),
    ("Test Suites:… of … total", "jest ran not all files of tests"),
    ("not run due to …fail", "cargo-nextest ran no test behind the one that failed; `--no-fail-fast` runs all"),
    ("Testing stopped early after … maximum allowed failures.", "Playwright stops at `--max-failures`"),
    ("`--fail-fast` is on. … skipped.", "AVA stops at a failure by `--fail-fast`"),
    ("Test suite failed to run", "a file of tests could not be run"),
    ("unhandled error during the test run", "an error outside of the tests"),
    ("unhandled errors during the test run", "errors outside of the tests"),
    (" error occurred outside of examples", "an error outside of the examples"),
    (" errors occurred outside of examples", "errors outside of the examples"),
    (", in pytest_cmdline_main", "pytest itself, or a hook of it, broke down"),
    ("Coverage failure: total of …fail-under", UNCOVERED),
    ("FAIL Required test coverage of …not reached", UNCOVERED),
    ("ESLint found too many warnings (maximum: ", TOO_MANY),
    ("Exceeded maximum number of warnings.", TOO_MANY),
    ("Max warnings exceeded: ", TOO_MANY),
    ("ERROR: Coverage for …does not meet", UNCOVERED),
    ("coverage threshold for …not met", UNCOVERED),
];

/// A reason of its own for the status.
const UNCOVERED: &str = "the coverage is below what the command asks for: give that command a gate of kind `command`";

/// Another, and where the base has no more than it may, the change brought what is too many, wherever it lies.
const TOO_MANY: &str = "there are more warnings than `--max-warnings` allows, and which of them the change brought is not known: \
                        have `max-findings` and a baseline judge them instead";

/// What cargo says of each target whose tests failed, and of how many at its end where it ran all.
const TARGET: &str = "error: test failed, to rerun pass ";
const TARGETS: [&str; 2] = [" target failed:", " targets failed:"];

/// How a line of a program that broke down begins, and what more it has; a test that fails may print the like.
const BROKE_DOWN: &[(&str, &str)] = &[
    ("Traceback (most recent call last):", ""),
    ("panic: ", ""),
    ("fatal error: ", ""),
    ("Exception in thread ", ""),
    ("Segmentation fault", ""),
    ("thread '", "panicked at"),
    // ShellCheck names the file first.
    ("", "openBinaryFile: "),
];

/// A command that failed.
pub(super) struct Failed<'a> {
    /// What it is known to run.
    pub looked: &'a Looked,
    /// Its text, for a shell.
    pub shell: &'a str,
    /// Its status.
    pub code: i32,
    /// The repository, and the folder in it where it ran.
    pub root: &'a Path,
    /// Relative to the root.
    pub dir: &'a str,
    /// What it printed.
    pub log: &'a Path,
    /// Whether it told of tests.
    pub has_tests: bool,
}

/// Why the status of a command that failed is not explained by what it found; `None` where nothing says so.
pub(super) fn unfinished(failed: &Failed<'_>) -> Option<String> {
    // The log may have scripts too, as deep as somebody nested them.
    deep(|| look(failed)).unwrap_or_else(|_| Some("whether all of it was run cannot be told".to_owned()))
}

fn look(failed: &Failed<'_>) -> Option<String> {
    let Failed { looked, shell, code, root, dir, log, has_tests } = *failed;
    if let Some(halt) = &looked.halt {
        return Some(not_run(halt, ""));
    }
    if let Some(flag) = bails(shell) {
        return Some(stopped_early(flag));
    }
    if let Some(why) = stops(&looked.ran, root, dir).or_else(|| runners::stops(&looked.ran, root)) {
        return Some(why);
    }
    // https://github.com/microsoft/TypeScript/blob/v5.9.3/src/compiler/types.ts, `ExitStatus`.
    if code == 1 && builds_projects(shell) {
        return Some("`tsc --build` leaves out what depends on a project with errors".to_owned());
    }
    let dir = root.join(dir);
    let mut signs = Signs::new(shell, &looked.ran, &dir, has_tests);
    match signs.find(log) {
        Ok(found) => found,
        Err(why) => Some(format!("whether all of it was run cannot be told, as its log cannot be read: {why}")),
    }
}

fn not_run(halt: &Halt, of: &str) -> String {
    match halt {
        Halt::At(first) => {
            let first = one_line(first, 200);
            format!("where `{first}`{of} fails, what stands behind it is not run: give each tool its own gate")
        }
        Halt::Within(call) => {
            let call = one_line(call, 200);
            format!("whether `{call}`{of} ran all that it is for is not known: have the gate run the tool itself")
        }
    }
}

/// A formatter's words for a file that is no program: its status is the one for a file that it would change.
fn is_unread(shell: &str, line: &str) -> bool {
    let begins_with_place = |text: &str| {
        let mut parts = text.splitn(4, ':').skip(1).take(2);
        parts.clone().count() == 2 && parts.all(|part| part.parse::<u32>().is_ok())
    };
    if line.strip_prefix("yapf: ").is_some_and(begins_with_place) {
        return true;
    }
    if shell.contains("shfmt") && !line.starts_with(['+', '-', ' ', '@']) {
        return begins_with_place(line);
    }
    (shell.contains("cargo fmt") || shell.contains("rustfmt")) && line.starts_with("error")
}

fn builds_projects(shell: &str) -> bool {
    let mut words = shell.split_whitespace();
    words.any(|word| word.rsplit('/').next() == Some("tsc")) && words.any(|word| matches!(word, "-b" | "--build"))
}

struct Signs<'a> {
    /// The command.
    shell: &'a str,
    /// What it is known to have run.
    ran: &'a [Ran],
    dir: &'a Path,
    has_tests: bool,
    /// Whether the line before may head a script of npm's.
    heading: bool,
    /// Targets of cargo's that failed, behind which it may have run none.
    targets: usize,
    /// Hooks of pre-commit's that failed, and whether the line before named one.
    hooks: (usize, bool),
}

impl<'a> Signs<'a> {
    const fn new(shell: &'a str, ran: &'a [Ran], dir: &'a Path, has_tests: bool) -> Self {
        Self { shell, ran, dir, has_tests, heading: false, targets: 0, hooks: (0, false) }
    }

    /// The first one in a log.
    fn find(&mut self, log: &Path) -> Result<Option<String>, String> {
        // vitest's JUnit report has no place for errors outside of the tests, which a summary counts.
        let (mut has_report, mut has_summary) = (false, false);
        let found = lines::find(log, |line| {
            has_report |= line.starts_with("JUNIT report written to ");
            has_summary |= line.contains("Test Files ");
            self.read(line)
        })?;
        let by_the_end = if self.targets > 0 {
            Some("cargo ran no test behind the target that failed; `--no-fail-fast` runs all")
        } else if has_report && !has_summary {
            Some(
                "vitest's JUnit report has no errors outside of the tests: let it print them too, by `--reporter=default`",
            )
        } else {
            None
        };
        Ok(found.or_else(|| by_the_end.map(str::to_owned)))
    }

    fn read(&mut self, line: &str) -> Option<String> {
        let line = line.trim_end();
        let after_heading = std::mem::replace(&mut self.heading, line.starts_with("> "));
        // npm and pnpm name the script and then its text; yarn, bun and others its text alone.
        let heading = line.strip_prefix("> ").filter(|_| after_heading).or_else(|| line.strip_prefix("$ "));
        if let Some(script) = heading {
            if let Some(flag) = bails(script) {
                return Some(stopped_early(flag));
            }
            // What is no script was no heading either.
            let halt = halts_at(script).ok().flatten()?;
            return Some(not_run(&halt, &format!(" of `{}`", one_line(script, 200))));
        }
        if let Some(stop) = Stop::read(line) {
            return (!stop.is_last(self.shell, self.dir)).then(|| {
                format!("make stopped at `{}`, and what it would have run after that is not known: give each tool its own gate", stop.target)
            });
        }
        if is_of_tox(line) {
            return Some(
                "tox stops at a command that fails, and whether one stands behind it is not known: have the gate run the tool itself"
                    .to_owned(),
            );
        }
        if let Some(why) = runners::said(line, self.ran) {
            return Some(why);
        }
        // A hook that passed may be named too, with how long it took.
        let is_end = |line: &str| line.starts_with("- exit code: ") || line == "- files were modified by this hook";
        self.hooks.0 += usize::from(self.hooks.1 && is_end(line));
        self.hooks.1 = line.starts_with("- hook id: ") || (self.hooks.1 && line.starts_with("- duration: "));
        if self.hooks.0 > 1 {
            return Some(
                "which of the hooks that failed its findings are of is not known: give each its own gate".to_owned(),
            );
        }
        self.targets += usize::from(line.contains(TARGET));
        if let Some(all) = TARGETS.iter().find_map(|end| line.strip_prefix("error: ")?.strip_suffix(end)) {
            self.targets = self.targets.saturating_sub(all.parse().unwrap_or(0));
        }
        if let Some((_, means)) = LEFT_OUT.iter().find(|(words, _)| words.split('…').all(|part| line.contains(part)))
        {
            return Some((*means).to_owned());
        }
        if line.starts_with("!!!!") && line.ends_with("!!!!") {
            let said = line.trim_matches(['!', ' ']);
            return Some(format!("pytest ended before its last test (`{}`)", one_line(said, 80)));
        }
        if is_unread(self.shell, line) {
            return Some(format!("a file could not be read (`{}`)", line.chars().take(60).collect::<String>()));
        }
        let broke = || BROKE_DOWN.iter().any(|(begin, more)| line.starts_with(begin) && line.contains(more));
        (!self.has_tests && broke())
            .then(|| format!("a tool broke down (`{}`)", line.chars().take(60).collect::<String>()))
    }
}

/// `lint: exit 1 (0.50 seconds) /src> flake8 a.py pid=12`
fn is_of_tox(line: &str) -> bool {
    let status = line.split_once(": exit ").map(|(_, rest)| rest.split_once(" ("));
    matches!(status, Some(Some((status, rest))) if status.parse::<i32>().is_ok_and(|status| status != 0) && rest.contains(" seconds) "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_looked_into_explains_nothing() {
        let mut signs = Signs::new("flake8 .", &[], Path::new(""), false);
        assert!(signs.find(Path::new("/nowhere/log.txt")).is_err());
    }

    #[test]
    fn hooks_that_failed_are_counted() {
        let hook = |id: &str, end: &str| format!("{id}....Failed\n- hook id: {id}\n- duration: 0.1s\n{end}\n\nx\n");
        let said = |log: &str| {
            let mut signs = Signs::new("pre-commit run --all-files", &[], Path::new(""), false);
            log.lines().find_map(|line| signs.read(line))
        };
        let one = hook("flake8", "- exit code: 1") + &hook("noisy", "hello");
        assert_eq!(said(&one), None);
        for end in ["- exit code: 1", "- files were modified by this hook"] {
            assert!(said(&(one.clone() + &hook("black", end))).is_some_and(|why| why.contains("which of the hooks")));
        }
    }

    #[test]
    fn a_formatter_says_what_it_could_not_read() {
        assert!(is_unread("cargo fmt --all --check", "error: expected one of `!` or `::`, found `fn`"));
        assert!(is_unread("shfmt -d .", "scripts/a.sh:3:1: `if` must be followed by a statement list"));
        assert!(is_unread("make lint", "yapf: ./b.py:3:5: expected ':'"));
        for (shell, line) in [
            ("tox -e yapf", "yapf: commands[0]> yapf --diff ."),
            ("yapf --diff .", "b.py:3:5: x"),
            ("shfmt -d .", "+a.sh:3:1: x"),
            ("shfmt -d .", "--- a.sh.orig"),
            ("cargo fmt", "Diff in a.rs"),
            ("cc", "error: x"),
        ] {
            assert!(!is_unread(shell, line), "{line}");
        }
    }

    #[test]
    fn the_words_of_tox_are_read() {
        assert!(is_of_tox("lint: exit 1 (0.50 seconds) /r> flake8 a.py pid=12"));
        assert!(!is_of_tox("a.py: exit 0 (0.50 seconds) x") && !is_of_tox("lint: exit 1"));
    }
}
