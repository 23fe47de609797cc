//! What runners of tests say at their end: lines of numbers and outcomes alone. They tell whether any test ran; a test that
//! was skipped did not. What else stands in a line makes it no summary.

use std::ops::ControlFlow;

use crate::gate::idle::{TESTS, counted};

/// Outcomes of tests that ran.
const RAN: &[&str] = &[
    "pass",
    "passed",
    "passes",
    "passing",
    "fail",
    "failed",
    "failing",
    "failures",
    "failure",
    "xfailed",
    "xpassed",
    "measured",
    "successes",
];

/// And of those that did not.
const UNRUN: &[&str] = &["skip", "skips", "skipped", "ignored", "pending", "todo", "disabled"];

/// What is counted.
const OF_TESTS: &[&str] = &[
    "test",
    "tests",
    "subtests",
    "doctest",
    "doctests",
    "property",
    "properties",
    "case",
    "cases",
    "example",
    "examples",
    "spec",
    "specs",
    "scenario",
    "scenarios",
    "step",
    "steps",
    "assertions",
    "runs",
];

/// What else stands in such a line.
const BESIDE: &[&str] = &[
    "total",
    "run",
    "ran",
    "running",
    "executed",
    "result",
    "results",
    "ok",
    "success",
    "in",
    "with",
    "and",
    "but",
    "some",
    "were",
    "of",
    "out",
    "filtered",
    "finished",
    "expected",
    "unexpected",
    "error",
    "errors",
    "warning",
    "warnings",
    "info",
    "summary",
    "deselected",
    "excluded",
    "flaky",
    "rerun",
    "using",
    "worker",
    "workers",
];

/// What all of the summaries in a log say.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that a log says or not")]
pub(super) struct Tests {
    /// A test passed or failed.
    ran: bool,
    /// The last TAP document has a point that was not skipped, and no summary yet.
    points: bool,
    /// Tests that were counted, whatever became of them, and those that were skipped.
    total: u64,
    unrun: u64,
    /// That it is of tests that something was skipped.
    named: bool,
    /// Go tells of each test, and not of its packages alone.
    each: bool,
    /// The first line that says that something was skipped, and the first one that there was nothing.
    skipped: Option<String>,
    none: Option<String>,
    /// How many summaries have such a line, and whether the line before was of such a one.
    times: usize,
    within: bool,
}

/// Whether tests ran.
pub(super) enum Round {
    Ran,
    /// All were skipped, by this line.
    Skipped(String),
    /// There was none, by this line.
    None(String),
    Unsaid,
}

impl Tests {
    pub(super) fn read(&mut self, line: &str) {
        // Runners of several packages name the one that says so: `web:test: …`, `[web] …`, `web | …`.
        let named = |end: &&str| line.split_once(*end).filter(|(name, _)| !name.contains('('));
        let behind = || [": ", "] ", "| "].iter().find_map(|end| Some(named(end)?.1.trim()));
        let is_read = self.line(line) || behind().is_some_and(|line| self.line(line));
        self.within &= is_read || line.is_empty();
    }

    fn line(&mut self, line: &str) -> bool {
        self.point(line) || self.of_go(line) || self.tally(line) || self.number(line)
    }

    /// What they say together, and how many of them that there was nothing to run, or that it was skipped.
    pub(super) fn end(self) -> (Round, usize) {
        let round = if self.ran || self.points || self.total > self.unrun {
            Round::Ran
        } else if let Some(line) = self.skipped.filter(|_| self.named) {
            Round::Skipped(line)
        } else {
            self.none.map_or(Round::Unsaid, Round::None)
        };
        (round, self.times)
    }

    /// A point of TAP's: <https://testanything.org/tap-version-14-specification.html>.
    fn point(&mut self, line: &str) -> bool {
        if line.starts_with("TAP version ") {
            self.ran |= std::mem::take(&mut self.points);
            return true;
        }
        let rest = line.strip_prefix("not ").unwrap_or(line).strip_prefix("ok ");
        let Some(rest) = rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else { return false };
        let directive = rest.rsplit_once("# ").map_or("", |(_, words)| words).to_ascii_lowercase();
        if directive.starts_with("skip") {
            (self.unrun, self.total, self.named) = (self.unrun + 1, self.total + 1, true);
            self.says_skipped(line);
        } else {
            self.points = true;
        }
        true
    }

    /// `go test` names packages, with `-v` tests too.
    fn of_go(&mut self, line: &str) -> bool {
        if line.starts_with("=== RUN ") {
            (self.each, self.named, self.total) = (true, true, self.total + 1);
        } else if line.starts_with("--- SKIP: ") {
            self.unrun += 1;
            self.says_skipped(line);
        } else if line.starts_with("ok  \t") {
            let is_empty = line.ends_with("[no tests to run]");
            self.ran |= !is_empty && !self.each;
            if is_empty {
                self.says_none(line);
            }
        } else {
            return false;
        }
        true
    }

    fn tally(&mut self, line: &str) -> bool {
        let marked = line.trim_start_matches(['#', '\u{2139}']);
        let Some(counts) = Counts::read(marked) else { return false };
        // The summary of a TAP document is worth more than its points, of which one may be for a suite.
        self.points &= marked.len() == line.len();
        let Counts { ran, unrun, total, named } = counts;
        self.ran |= ran.is_some_and(|ran| ran > 0);
        self.total += total.unwrap_or(0);
        self.unrun += unrun.unwrap_or(0);
        self.named |= named;
        if unrun.is_some_and(|unrun| unrun > 0) {
            self.says_skipped(line);
        } else if total.or(ran) == Some(0) {
            self.says_none(line);
        }
        true
    }

    /// A number of tests in a line that has other words too.
    fn number(&mut self, line: &str) -> bool {
        if line.contains("***Skipped ") {
            (self.unrun, self.named) = (self.unrun + 1, true);
            self.says_skipped(line);
            return true;
        }
        let Some(number) = TESTS.iter().find_map(|(before, behind)| counted(line, before, behind)) else {
            return false;
        };
        // How many points a TAP document has says nothing of what became of them.
        self.total += if line.starts_with("1..") { 0 } else { number };
        if number == 0 {
            self.says_none(line);
        }
        true
    }

    fn says_skipped(&mut self, line: &str) {
        // A summary tells more than a point.
        if self.skipped.as_ref().is_none_or(|said| said.starts_with("ok ")) {
            self.skipped = Some(line.trim_matches(['=', ' ']).chars().take(80).collect());
        }
        self.times += usize::from(!std::mem::replace(&mut self.within, true));
    }

    fn says_none(&mut self, line: &str) {
        self.none.get_or_insert_with(|| line.chars().take(80).collect());
        self.times += usize::from(!std::mem::replace(&mut self.within, true));
    }
}

/// The numbers of one line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    ran: Option<u64>,
    unrun: Option<u64>,
    total: Option<u64>,
    named: bool,
}

impl Counts {
    /// `None` where the line has other words too, or no number of tests.
    fn read(line: &str) -> Option<Self> {
        let mut counts = Self::default();
        let mut is_timed = false;
        for part in line.split([',', ';', '|', '(', ')', '[', ']', '{', '}', '!']) {
            match counts.part(part)? {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => {
                    is_timed = true;
                    break;
                }
            }
        }
        counts.named |= is_timed && line.contains(" in ");
        counts.has_any().then_some(counts)
    }

    const fn has_any(&self) -> bool {
        self.ran.is_some() || self.unrun.is_some() || self.total.is_some()
    }

    /// A part of the line. A time behind a number ends it.
    fn part(&mut self, part: &str) -> Option<ControlFlow<()>> {
        let between = |c: char| !(c.is_alphanumeric() || "_.%".contains(c));
        let words = part.split(between).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty());
        let mut number = None;
        let mut is = Of::default();
        for word in words.map(str::to_lowercase) {
            if let Ok(other) = word.parse::<u64>() {
                // `0 tests run: 0 passed`
                if let Some(number) = number.replace(other) {
                    self.add(number, &std::mem::take(&mut is));
                }
            } else if is_time(&word) || ["duration", "time"].contains(&word.as_str()) {
                if number.is_some() || self.has_any() {
                    number.inspect(|number| self.add(*number, &is));
                    return Some(ControlFlow::Break(()));
                }
            } else {
                is.add(&word)?;
            }
        }
        number.inspect(|number| self.add(*number, &is));
        Some(ControlFlow::Continue(()))
    }

    fn add(&mut self, number: u64, is: &Of) {
        let sum = |count: &mut Option<u64>| *count = Some(count.unwrap_or(0).saturating_add(number));
        if is.unrun {
            sum(&mut self.unrun);
        } else if is.ran {
            sum(&mut self.ran);
        } else if is.total {
            sum(&mut self.total);
        }
        self.named |= is.named || is.ran;
    }
}

/// What the words around a number say.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "one number may have several of these words")]
struct Of {
    ran: bool,
    unrun: bool,
    total: bool,
    named: bool,
}

impl Of {
    /// `None` where a word is none of a summary's.
    fn add(&mut self, word: &str) -> Option<()> {
        self.ran |= RAN.contains(&word);
        self.unrun |= UNRUN.contains(&word);
        let is_test = OF_TESTS.contains(&word);
        self.named |= is_test;
        self.total |= (is_test && word != "assertions") || word == "total";
        (RAN.contains(&word) || UNRUN.contains(&word) || is_test || BESIDE.contains(&word)).then_some(())
    }
}

/// `0.45s`, `12ms`, `0.001`
fn is_time(word: &str) -> bool {
    let number = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = &word[number.len()..];
    ["", "s", "ms"].contains(&unit) && number.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
