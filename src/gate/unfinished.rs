//! Signs that a command which failed did not do all of its work. What it found may then not be all, so that findings
//! which do not count are no reason for its status.

use std::path::Path;

use crate::gate::bails::{bails, stopped_early, stops};
use crate::gate::lines;
use crate::integrity::halts::{Halt, halts_at, halts_within, only_goal, only_says};
use crate::model::settings::{CommandLine, Common};
use crate::model::text::one_line;
use crate::render::terminal::shell_word;
use crate::world::files;
use crate::world::tree::{Folder, deep};

/// A makefile larger than this many bytes are not looked into.
const LARGEST: u64 = 1 << 20;

/// Words by which a tool says that it left something out, with `…` between parts of a line, and what that means.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "error: could not compile `",
        "cargo stops at what does not compile or has a lint that is denied, and looks at no more",
    ),
    ("ninja: build stopped: ", "ninja stops at a command that fails"),
    ("Sequence aborted after failed subtask", "poe stops at a task that fails"),
    ("task: Failed to run task ", "task stops at a command that fails"),
    ("ERROR: \"…\" exited with ", "npm-run-all stops at a script that fails"),
    ("ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL", "pnpm stops at a package that fails; `--no-bail` runs all"),
    ("Test Suites:… of … total", "jest ran not all files of tests"),
    ("not run due to …fail", "cargo-nextest ran no test behind the one that failed; `--no-fail-fast` runs all"),
    ("Test suite failed to run", "a file of tests could not be run"),
    ("unhandled error during the test run", "an error outside of the tests"),
    ("unhandled errors during the test run", "errors outside of the tests"),
    (" error occurred outside of examples", "an error outside of the examples"),
    (" errors occurred outside of examples", "errors outside of the examples"),
    (", in pytest_cmdline_main", "pytest itself, or a hook of it, broke down"),
    ("Coverage failure: total of …fail-under", UNCOVERED),
    ("FAIL Required test coverage of …not reached", UNCOVERED),
    ("ERROR: Coverage for …does not meet", UNCOVERED),
    ("coverage threshold for …not met", UNCOVERED),
];

/// A reason of its own for the status.
const UNCOVERED: &str = "the coverage is below what the command asks for: a coverage gate judges that";

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

/// Why the status of a command that failed is not explained by what it found; `None` where nothing says so. It ran in a
/// folder of the repository at `root`, and `log` has what it printed.
pub(super) fn unfinished(common: &Common, code: i32, root: &Path, log: &Path, has_tests: bool) -> Option<String> {
    let shell = match &common.command {
        Some(CommandLine::Shell(text)) => text.clone(),
        Some(CommandLine::Argv(words)) => words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "),
        None => return None,
    };
    let Ok(Ok(looked)) = deep(|| halts_within(&Folder::new(root), &shell, &common.dir)) else {
        return Some("whether all of its script was run cannot be told".to_owned());
    };
    if let Some(halt) = &looked.halt {
        return Some(not_run(halt, ""));
    }
    let dir = &root.join(&common.dir);
    if let Some(flag) = bails(&shell) {
        return Some(stopped_early(flag));
    }
    if let Some(why) = stops(&looked.ran, root, &common.dir) {
        return Some(why);
    }
    // https://github.com/microsoft/TypeScript/blob/v5.9.3/src/compiler/types.ts, `ExitStatus`.
    if code == 1 && builds_projects(&shell) {
        return Some("`tsc --build` leaves out what depends on a project with errors".to_owned());
    }
    let mut signs = Signs { shell: &shell, dir, has_tests, heading: false, targets: 0 };
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
    if shell.contains("shfmt") && !line.starts_with(['+', '-', ' ', '@']) {
        let mut parts = line.splitn(4, ':').skip(1).take(2);
        return parts.clone().count() == 2 && parts.all(|part| part.parse::<u32>().is_ok());
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
    dir: &'a Path,
    has_tests: bool,
    /// Whether the line before may head a script of npm's.
    heading: bool,
    /// Targets of cargo's that failed, behind which it may have run none.
    targets: usize,
}

impl Signs<'_> {
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
            return Some(not_run(&halt, &format!(" of `{script}`")));
        }
        if let Some(stop) = Stop::read(line) {
            return (!self.is_last(&stop)).then(|| {
                format!("make stopped at `{}`, and what it would have run after that is not known: give each tool its own gate", stop.target)
            });
        }
        if is_of_tox(line) || (line.starts_with("nox > Command ") && line.contains(" failed with exit code ")) {
            let tool = if line.starts_with("nox > ") { "nox" } else { "tox" };
            return Some(format!(
                "{tool} stops at a command that fails, and whether one stands behind it is not known: have the gate run the tool itself"
            ));
        }
        self.targets += usize::from(line.contains(TARGET));
        if let Some(all) = TARGETS.iter().find_map(|end| line.strip_prefix("error: ")?.strip_suffix(end)) {
            self.targets = self.targets.saturating_sub(all.parse().unwrap_or(0));
        }
        if let Some((_, means)) = LEFT_OUT.iter().find(|(words, _)| words.split('…').all(|part| line.contains(part)))
        {
            return Some((*means).to_owned());
        }
        if line.contains("!! stopping after ") || line.contains("!! xdist.dsession.Interrupted: stopping after ") {
            return Some("pytest stopped at its limit of failures".to_owned());
        }
        if is_unread(self.shell, line) {
            return Some(format!("a file could not be read (`{}`)", line.chars().take(60).collect::<String>()));
        }
        let broke = || BROKE_DOWN.iter().any(|(begin, more)| line.starts_with(begin) && line.contains(more));
        (!self.has_tests && broke())
            .then(|| format!("a tool broke down (`{}`)", line.chars().take(60).collect::<String>()))
    }

    /// Whether make had no more to do: it stopped at the last line of the last goal it was given, and was not called by
    /// another make.
    fn is_last(&self, stop: &Stop<'_>) -> bool {
        let Some((file, line)) = stop.at.filter(|_| stop.is_top && stop.is_plain) else { return false };
        let Some(dir) = only_goal(self.shell, stop.target) else { return false };
        let text = files::read_capped(&self.dir.join(dir).join(file), LARGEST);
        text.is_some_and(|text| ends_recipe(&String::from_utf8_lossy(&text), line))
    }
}

/// `make: *** [Makefile:2: lint] Error 1`
struct Stop<'a> {
    is_top: bool,
    at: Option<(&'a str, usize)>,
    target: &'a str,
    /// A status that tools end with which found something, no signal and no command that is missing.
    is_plain: bool,
}

impl<'a> Stop<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (program, rest) = line.split_once(": *** [")?;
        let is_top = matches!(program, "make" | "gmake");
        let is_inner = ["make[", "gmake["].iter().any(|begin| program.starts_with(begin));
        let (place, end) = rest.rsplit_once("] ").filter(|_| is_top || is_inner)?;
        let (at, target) = match place.rsplit_once(": ") {
            Some((at, target)) => {
                (at.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))), target)
            }
            None => (None, place),
        };
        let status = end.split(' ').nth(1).and_then(|status| status.parse::<u8>().ok());
        let is_plain = status.is_some_and(|status| status < 124);
        Some(Self { is_top, at, target, is_plain })
    }
}

/// Whether the recipe has nothing behind the command that begins in this line, from 1, but what only says something.
fn ends_recipe(makefile: &str, line: usize) -> bool {
    const CONDITIONS: &[&str] = &["ifeq", "ifneq", "ifdef", "ifndef", "else", "endif"];
    let mut lines = makefile.lines().skip(line.saturating_sub(1));
    let mut own = String::new();
    for line in lines.by_ref() {
        own.push_str(line.trim_end_matches('\\'));
        if !line.ends_with('\\') {
            break;
        }
    }
    let passed_by = |line: &str| {
        let word = line.split([' ', '(', '\t']).next().unwrap_or_default();
        line.trim().is_empty() || line.starts_with('#') || CONDITIONS.contains(&word)
    };
    let behind: Vec<&str> = lines.filter(|line| !passed_by(line)).take_while(|line| line.starts_with('\t')).collect();
    let command = |line: &str| line.trim_start_matches(['\t', ' ', '@', '-', '+']).to_owned();
    behind.is_empty()
        || (halts_at(&command(&own)) == Ok(None)
            && behind.iter().all(|line| !line.ends_with('\\') && only_says(&command(line))))
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
        let signs = || Signs { shell: "flake8 .", dir: Path::new(""), has_tests: false, heading: false, targets: 0 };
        assert!(signs().find(Path::new("/nowhere/log.txt")).is_err());
    }

    #[test]
    fn a_recipe_ends_where_no_line_of_it_follows() {
        let makefile = "lint:\n\tflake8 \\\n\t  a.py\n\n# next\n\tmypy a.py\nall: lint\n";
        assert_eq!([2, 6].map(|line| ends_recipe(makefile, line)), [false, true]);
        assert!(ends_recipe("a:\n\tb", 2));
        assert!(ends_recipe("a:\n\tflake8 .\n\t# done\n\t@echo ok\n\nb:\n\tmypy .\n", 2));
        for behind in ["@echo $$(mypy .)", "echo a; \\\nmypy .", "@echo ok\nifdef X\n\tmypy ."] {
            assert!(!ends_recipe(&format!("a:\n\tflake8 .\n\t{behind}\n"), 2), "{behind}");
        }
        assert!(!ends_recipe("a:\n\tflake8 . && \\\n\t  mypy .\n\t@echo ok\n", 2), "the line is not all run");
    }

    #[test]
    fn a_formatter_says_what_it_could_not_read() {
        assert!(is_unread("cargo fmt --all --check", "error: expected one of `!` or `::`, found `fn`"));
        assert!(is_unread("shfmt -d .", "scripts/a.sh:3:1: `if` must be followed by a statement list"));
        for (shell, line) in [
            ("shfmt -d .", "+a.sh:3:1: x"),
            ("shfmt -d .", "--- a.sh.orig"),
            ("cargo fmt", "Diff in a.rs"),
            ("cc", "error: x"),
        ] {
            assert!(!is_unread(shell, line), "{line}");
        }
    }

    #[test]
    fn the_words_of_make_and_tox_are_read() {
        let read = |line| Stop::read(line).map(|stop| (stop.is_top, stop.at, stop.target, stop.is_plain));
        assert_eq!(read("make: *** [Makefile:2: lint] Error 1"), Some((true, Some(("Makefile", 2)), "lint", true)));
        assert_eq!(read("make[1]: *** [m.mk:12: a/b.o] Error 2"), Some((false, Some(("m.mk", 12)), "a/b.o", true)));
        assert_eq!(read("make: *** [Makefile:2: lint] Fehler 127"), Some((true, Some(("Makefile", 2)), "lint", false)));
        assert_eq!(read("gmake: *** [lint] Segmentation fault"), Some((true, None, "lint", false)));
        assert_eq!(read("make: Entering directory '/r'"), None);
        assert!(is_of_tox("lint: exit 1 (0.50 seconds) /r> flake8 a.py pid=12"));
        assert!(!is_of_tox("a.py: exit 0 (0.50 seconds) x") && !is_of_tox("lint: exit 1"));
    }
}
