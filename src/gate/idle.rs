//! Words by which a tool says that it looked at nothing, or that a build built nothing: no finding is then no good sign, and
//! neither is a status of 0.

mod summary;

use std::fs::File;

use crate::gate::lines;
use summary::{Round, Tests};

/// How much was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// There was nothing that it was to look at, by this line and so many like it: it looks at what changed alone.
    Undue(String, usize),
    /// It looked at nothing, by this line and so many like it.
    Unlooked(String, usize),
    /// All tests were skipped, by this line and so many runs like it.
    Skipped(String, usize),
    /// Nothing was built: the tool says no more than this, first.
    Unbuilt(String),
    /// Something was not built, by this line.
    Part(String),
}

/// How a line begins by which a tool says so.
const NOTHING: &[&str] = &[
    // Ruff, ty, black.
    "warning: No Python files found under the given path(s)",
    "WARN no python files found under the given path(s)",
    "No Python files are present to be formatted",
    // Oxlint.
    "No files found to lint. ",
    // CTest, PHPUnit, dotnet, mix.
    "No tests were found!!!",
    "No tests executed!",
    "No test is available in ",
    "There are no tests to run",
    // Jest, Vitest.
    "No tests found, exiting with code 0",
    "No test files found, exiting with code 0",
    // pnpm.
    "No projects matched the filters",
    // Go; `go mod tidy` says it of `"all"` in a module without packages.
    "go: warning: \"./...\" matched no packages",
];

/// Words within such a line: Turborepo, Lerna, ktlint.
const NOTHING_WITHIN: &[&str] = &[
    "No tasks were executed as part of this run",
    "No packages found with the lifecycle script",
    "No files matched [",
    // Go.
    "\t[no test files]",
];

/// What stands before and behind the number of what was looked at; nothing: the line's begin, or its end. markdownlint-cli2,
/// `HTMLHint`, `RuboCop`, Vale, Luacheck, Bandit, Semgrep, Biome, `SwiftLint`, PHP-CS-Fixer.
const COUNTED: &[(&str, &str)] = &[
    ("Linting: ", " file(s)"),
    ("Scanned ", " file"),
    ("", " files inspected"),
    (" suggestions in ", " file"),
    (" errors in ", " file"),
    ("Total lines of code: ", ""),
    (" rules on ", " file"),
    ("Checked ", " file"),
    (" serious in ", " file"),
    ("Found 0 of ", " files that can be fixed"),
];

/// The same of tests, in lines that have other words beside: bun, prove, `CTest`, Swift Testing, and how many points TAP has.
const TESTS: &[(&str, &str)] =
    &[("Ran ", " test"), (", Tests=", ","), (" tests failed out of ", ""), ("Test run with ", " test"), ("1..", "")];

/// What a log says of that; `None` where nothing says so. `shell` is the command.
///
/// # Errors
/// Why the log cannot be read.
pub(super) fn idle(log: &File, shell: &str) -> Result<Option<Idle>, String> {
    let mut seen = Seen::default();
    lines::find_in(log, |line| {
        seen.read(line.trim(), shell);
        None::<()>
    })?;
    let (round, times) = seen.tests.end();
    let times = seen.times + times;
    let mut nothing = seen.nothing;
    match round {
        Round::Ran => seen.looked = true,
        Round::Skipped(line) => return Ok(Some(Idle::Skipped(line, times))),
        Round::None(line) => nothing = nothing.or(Some(line)),
        Round::Unsaid => {}
    }
    let hooks = seen.hooks.filter(|_| !seen.looked);
    let nothing = nothing.filter(|_| !seen.looked);
    let undue = seen.undue.filter(|_| !seen.looked).or(hooks);
    let built = seen.built.map(if seen.others { Idle::Part } else { Idle::Unbuilt });
    let undue = undue.map(|line| Idle::Undue(line, times));
    Ok(undue.or_else(|| nothing.map(|line| Idle::Unlooked(line, times))).or(built))
}

#[derive(Default)]
struct Seen {
    undue: Option<String>,
    nothing: Option<String>,
    /// How many lines say one of the two.
    times: usize,
    /// The first hook of pre-commit's that had no files.
    hooks: Option<String>,
    /// Something says that it looked at something.
    looked: bool,
    /// No task is due, by the number of packages.
    no_packages: bool,
    tests: Tests,
    built: Option<String>,
    others: bool,
}

impl Seen {
    fn read(&mut self, line: &str, shell: &str) {
        let said = || Some(line.chars().take(80).collect::<String>());
        let plain = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        self.no_packages |= plain.starts_with("Running ") && plain.ends_with(" in 0 packages");
        let of_filter = plain.starts_with("No projects matched") && (shell.contains("...") || shell.contains('['));
        if plain.starts_with("lint-staged could not find any staged files")
            || (plain.starts_with("NX ") && plain.ends_with("No tasks were run"))
            || (self.no_packages && line.contains(NOTHING_WITHIN[0]))
            || of_filter
        {
            self.undue = self.undue.take().or_else(said);
            self.times += 1;
        } else if line.ends_with("(no files to check)Skipped") {
            self.hooks = self.hooks.take().or_else(said);
        } else if line.ends_with("...Passed") || line.ends_with("...Failed") {
            self.looked = true;
        } else if NOTHING.iter().any(|words| line.starts_with(words))
            || NOTHING_WITHIN.iter().any(|words| line.contains(words))
        {
            self.nothing = self.nothing.take().or_else(said);
            self.times += 1;
        } else if let Some(number) = COUNTED.iter().find_map(|(before, behind)| counted(line, before, behind)) {
            self.looked |= number > 0;
            self.nothing = self.nothing.take().or_else(|| said().filter(|_| number == 0));
            self.times += usize::from(number == 0);
        } else {
            self.tests.read(line);
        }
        if self.built.is_none() && is_idle(line) {
            self.built = said();
        }
        self.others |= !is_idle(line) && !is_frame(line);
    }
}

/// The number between two texts.
fn counted(line: &str, before: &str, behind: &str) -> Option<u64> {
    let rest = if before.is_empty() { line } else { line.split_once(before)?.1 };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let after = &rest[end..];
    let fits = if behind.is_empty() { after.is_empty() } else { after.starts_with(behind) };
    rest[..end].parse().ok().filter(|_| fits)
}

fn is_idle(line: &str) -> bool {
    let of_make = line.starts_with("make") || line.starts_with("gmake");
    let ends = |ends: [&str; 2]| ends.iter().any(|end| line.ends_with(end));
    (of_make && (line.contains(": Nothing to be done for ") || line.ends_with(" is up to date.")))
        || line == "ninja: no work to do."
        || (line.starts_with("> Task :") && ends([" UP-TO-DATE", " FROM-CACHE"]))
        || (line.contains(" actionable task") && ends([" up-to-date", " from cache"]))
        || line.contains("Nothing to compile - all classes are up to date")
}

/// What stands around it.
fn is_frame(line: &str) -> bool {
    let directory = ["ing directory '", "ing directory `"].iter().any(|words| line.contains(words));
    let of_maven = line.starts_with("[INFO]") && !line.contains("Compiling ");
    line.is_empty() || directory || of_maven || line.starts_with("BUILD SUCCESSFUL in ") || line.ends_with(" NO-SOURCE")
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
            idle(&files::open(&log).unwrap(), "").unwrap()
        };
        for text in [
            "make[1]: Entering directory '/r'\nmake[1]: Nothing to be done for 'all'.\nmake[1]: Leaving directory '/r'\n",
            "make: 'lint' is up to date.\n",
            "ninja: Entering directory `out'\nninja: no work to do.\n",
            "> Task :compileJava UP-TO-DATE\n\nBUILD SUCCESSFUL in 1s\n2 actionable tasks: 2 up-to-date\n",
            "> Task :compileJava FROM-CACHE\n\nBUILD SUCCESSFUL in 1s\n1 actionable task: 1 from cache\n",
            "[INFO] --- compiler:3.11.0:compile ---\n[INFO] Nothing to compile - all classes are up to date.\n[INFO] BUILD SUCCESS\n",
        ] {
            assert!(matches!(of(text), Some(Idle::Unbuilt(_))), "{text}");
        }
        let part = "make: Nothing to be done for 'deps'.";
        assert_eq!(of(&format!("{part}\nflake8 src\n")), Some(Idle::Part(part.to_owned())));
        for text in ["", "gcc -c a.c\n", "a.c is up to date.\n", "1 actionable task: 1 executed\n"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_tool_that_looked_at_nothing_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let of = |shell: &str, text: &str| {
            let log = folder.path().join("log.txt");
            files::write(&log, text.as_bytes()).unwrap();
            idle(&files::open(&log).unwrap(), shell).unwrap()
        };
        for text in [
            "All checks passed!\nwarning: No Python files found under the given path(s)\n",
            "WARN no python files found under the given path(s)\nAll checks passed!\n",
            "Finding: **/*.md\nLinting: 0 file(s)\nSummary: 0 error(s)\n",
            "\nScanned 0 files, no errors found (12 ms).\n",
            "\n0 files inspected, no offenses detected\n",
            "Total: 0 warnings / 0 errors in 0 files\n",
            "\u{2714} 0 errors, 0 warnings and 0 suggestions in 0 files.\n",
            "Ran 6 rules on 0 files: 0 findings.\n",
            "Checked 0 files in 5ms. No fixes applied.\n",
            "Done linting! Found 0 violations, 0 serious in 0 files.\n",
            "Found 0 of 0 files that can be fixed in 0.010 seconds, 14.00 MB memory used\n",
            "Test project /b\nNo tests were found!!!\n",
            "\nRan 0 tests in 0.000s\n\nOK\n",
            "Finished in 0.00041 seconds\n0 examples, 0 failures\n",
            "0 runs, 0 assertions, 0 failures, 0 errors, 0 skips\n",
            "Files=0, Tests=0,  0 wallclock secs\nResult: NOTESTS\n",
            "TAP version 13\n1..0\n# tests 0\n# suites 0\n",
            "Running lint in 7 packages\n WARNING  No tasks were executed as part of this run.\n",
            "lerna success run No packages found with the lifecycle script 'lint'\n",
            "No projects matched the filters in \"/r\"\n",
            "?   \tx.org/a\t[no test files]\n",
            "go: warning: \"./...\" matched no packages\n",
            "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed\n",
            "No tests found, exiting with code 0\n",
            "No test files found, exiting with code 0\n",
            "TAP version 13\n1..0\n",
        ] {
            assert!(matches!(of("x --filter web", text), Some(Idle::Unlooked(..))), "{text}: {:?}", of("x", text));
        }
        for (shell, text) in [
            ("npx lint-staged", "\u{2192} lint-staged could not find any staged files.\n"),
            ("npx nx affected -t lint", "\n NX   No tasks were run\n\n"),
            (
                "turbo run lint --affected",
                "\u{2022} Running lint in 0 packages\n\nNo tasks were executed as part of this run.\n",
            ),
            ("pnpm --filter '...[main]' lint", "No projects matched the filters in \"/r\"\n"),
            ("pre-commit run", "ruff.....................................(no files to check)Skipped\n"),
        ] {
            assert!(matches!(of(shell, text), Some(Idle::Undue(..))), "{text}");
        }
        for text in [
            "Ran 0 tests in 0.000s\nRan 3 tests in 0.100s\n",
            "ruff....(no files to check)Skipped\nmypy.........................................Passed\n",
            "No tests were found!!!\n100% tests passed, 0 tests failed out of 5\n",
            "Linting: 3 file(s)\n",
            "?   \tx.org/a\t[no test files]\nok  \tx.org/b\t0.01s\n",
            "running 0 tests\nrunning 3 tests\n",
            "Executed 0 tests, with 0 failures\n\u{2714} Test run with 12 tests passed\n",
            "5 examples, 0 failures\n",
        ] {
            assert_eq!(of("x", text), None, "{text}");
        }
    }
}
