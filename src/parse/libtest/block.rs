//! One `running N tests` block: from the announced number to the result that fits it.

use std::collections::HashMap;

use crate::model::tests::{Case, CaseOutcome};
use crate::parse::reading::count;

/// What a failing test printed is kept up to this many bytes; a run may have any number of failures.
pub(super) const LONGEST_MESSAGE: usize = 64 << 10;

/// Tests that the result counts and whose lines are not to be found (`--quiet`) are added up to this many.
const MOST_UNNAMED: usize = 10_000;

/// The number in `running 3 tests`.
pub(super) fn announced(line: &str) -> Option<usize> {
    let (number, word) = line.strip_prefix("running ")?.split_once(' ')?;
    matches!(word, "test" | "tests").then(|| number.parse().ok()).flatten()
}

/// The name in a line that says that a test failed.
pub(super) fn failed_test(line: &str) -> Option<&str> {
    let (name, how) = test_line(line)?;
    matches!(read(how), Some((CaseOutcome::Failed, _))).then_some(name)
}

/// A case with nothing but its name; a doc test's name says where it is. What its line has beside the name is not in the
/// lists: how a doc test is meant to end, and the kind and the padding that libtest-mimic gives.
pub(super) fn case(suite: Option<String>, name: &str, outcome: CaseOutcome) -> Case {
    let name = name.trim();
    let name = name.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(name, |(_, name)| name);
    let ends = [" - should panic", " - compile fail", " - compile"];
    let name = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let place = name.split_once(" - ").and_then(|(file, rest)| {
        let line = rest.rsplit_once("(line ")?.1.split_once(')')?.0.parse().ok()?;
        Some((file.to_owned(), line))
    });
    let (file, line) = place.unzip();
    Case {
        suite,
        class: None,
        name: name.to_owned(),
        file,
        line,
        head_line: None,
        outcome,
        flaky: false,
        took_ms: None,
        message: None,
    }
}

/// The counts in `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
pub(super) struct Totals {
    pub good: bool,
    passed: usize,
    failed: usize,
    ignored: usize,
    pub took_ms: Option<u64>,
}

impl Totals {
    pub(super) fn read(line: &str) -> Option<Self> {
        let (word, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count =
            |what: &str| rest.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse::<usize>().ok());
        let seconds = rest.rsplit_once("finished in ").and_then(|(_, took)| seconds(took));
        Some(Self {
            good: word == "ok",
            passed: count(" passed")?.checked_add(count(" measured")?)?,
            failed: count(" failed")?,
            ignored: count(" ignored")?,
            took_ms: seconds,
        })
    }

    fn sum(&self) -> Option<usize> {
        self.passed.checked_add(self.failed)?.checked_add(self.ignored)
    }
}

pub(super) struct Block {
    suite: Option<String>,
    announced: usize,
    /// Blocks that began inside of this one, by their number, and have no result so far: a test that runs tests prints
    /// them, or the next binary did, after this one's was aborted.
    inner: HashMap<usize, usize>,
    cases: Vec<Case>,
    /// The first case of each name whose line says that it failed.
    failed: HashMap<String, usize>,
    /// A test whose line has a beginning and no end yet: it printed something itself.
    open: Option<String>,
    /// cargo's word that the binary failed, seen before any result.
    abandoned: bool,
    failures: Option<Failures>,
}

/// The part behind the first `failures:`.
#[derive(Default)]
struct Failures {
    /// The case whose output is shown.
    shown: Option<usize>,
    /// The names below the last `failures:`, while no other line came.
    names: Vec<String>,
    listing: bool,
}

impl Block {
    pub(super) fn new(suite: Option<String>, announced: usize) -> Self {
        Self {
            suite,
            announced,
            inner: HashMap::new(),
            cases: Vec::new(),
            failed: HashMap::new(),
            open: None,
            abandoned: false,
            failures: None,
        }
    }

    pub(super) const fn shows_failures(&self) -> bool {
        self.failures.is_some()
    }

    /// Whether cargo said that the binary failed, and what to say of it.
    pub(super) fn abandoned(&self) -> Option<&'static str> {
        self.abandoned.then_some("the test binary ended without a result")
    }

    pub(super) fn progress(&self) -> String {
        let suite = self.suite.as_deref().unwrap_or("a test binary");
        format!(
            "{suite} announced {} tests, {} have ended and `test result:` is missing",
            self.announced,
            self.cases.len()
        )
    }

    /// Takes a line of the block. Returns the result once it is there.
    pub(super) fn line(&mut self, text: &str) -> Option<Totals> {
        if let Some(count) = announced(text) {
            *self.inner.entry(count).or_default() += 1;
        }
        // A test may print a result of its own, as one that runs cargo does: the right one fits the number, and no block
        // inside that still waits for it.
        if let Some(totals) = Totals::read(text) {
            match totals.sum().and_then(|sum| self.inner.get_mut(&sum)).filter(|waiting| **waiting > 0) {
                Some(waiting) => *waiting -= 1,
                None if totals.sum() == Some(self.announced) => return Some(totals),
                None => {}
            }
        }
        if self.failures.is_some() {
            self.failure_line(text);
        } else if text == "failures:" {
            self.failures = Some(Failures { listing: true, ..Failures::default() });
        } else {
            self.test_line(text);
        }
        None
    }

    fn test_line(&mut self, text: &str) {
        self.abandoned |= text.contains("error: test failed, to rerun pass");
        let open = self.open.take();
        if let Some(name) = &open
            && let Some(end) = read(text).or_else(|| {
                let own = text.ends_with("FAILED") && test_line(text).is_none();
                own.then_some((CaseOutcome::Failed, text))
            })
        {
            return self.add(name, end);
        }
        match test_line(text) {
            Some((name, how)) => {
                // A line inside the output of an open test is its own print; a failure in it is not passed over.
                match read(how).or_else(|| how.ends_with("FAILED").then_some((CaseOutcome::Failed, how))) {
                    Some(end) if open.is_none() || end.0 == CaseOutcome::Failed => self.add(name, end),
                    _ if open.is_none() => return self.open = Some(name.to_owned()),
                    _ => {}
                }
                self.open = open;
            }
            None => self.open = open,
        }
    }

    fn add(&mut self, name: &str, (outcome, rest): (CaseOutcome, &str)) {
        let mut case = case(self.suite.clone(), name, outcome);
        case.took_ms = rest.rsplit_once('<').and_then(|(_, took)| seconds(took.strip_suffix('>')?));
        if outcome == CaseOutcome::Skipped {
            case.message = rest.strip_prefix("ignored, ").map(str::to_owned);
        }
        if outcome == CaseOutcome::Failed {
            self.failed.entry(case.name.clone()).or_insert(self.cases.len());
        }
        self.cases.push(case);
    }

    fn failure_line(&mut self, text: &str) {
        let Some(failures) = &mut self.failures else { return };
        let header = text.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----"));
        let streams = [" stdout", " stderr"];
        let header = header.map(|rest| streams.iter().find_map(|stream| rest.strip_suffix(stream)).unwrap_or(rest));
        let named = header.and_then(|name| self.failed.get(name).copied());
        if named.is_some() {
            (failures.shown, failures.listing) = (named, false);
        } else if text == "failures:" {
            failures.listing = true;
            failures.names.clear();
        } else if failures.listing && (text.is_empty() || text.starts_with("    ")) {
            let name = text.trim();
            if !name.is_empty() && failures.names.len() < self.announced {
                failures.names.push(name.to_owned());
            }
        } else if let Some(case) = failures.shown.and_then(|at| self.cases.get_mut(at)) {
            failures.listing = false;
            let message = case.message.get_or_insert_default();
            if message.len() + text.len() < LONGEST_MESSAGE {
                message.push_str(text);
                message.push('\n');
            }
        }
    }

    /// The cases of a block that ended without a result, and the one that tells so.
    pub(super) fn broken_off(mut self, how: &str) -> Vec<Case> {
        let name = self.open.take().or_else(|| self.suite.clone()).unwrap_or_else(|| "test binary".to_owned());
        let message = format!("{how}; {} of {} tests had ended", self.cases.len(), self.announced);
        let case = case(self.suite.clone(), &name, CaseOutcome::Errored);
        self.cases.push(Case { message: Some(message), ..case });
        self.cases
    }

    /// Holds the lines against the result. Where they differ the worse of both is taken.
    pub(super) fn finish(mut self, totals: &Totals) -> (Vec<Case>, Option<String>) {
        let suite = self.suite.clone();
        self.mark_listed();
        let has = |cases: &[Case], outcome| cases.iter().filter(|case| case.outcome == outcome).count();
        let failed = has(&self.cases, CaseOutcome::Failed);
        if totals.failed > failed || (!totals.good && failed == 0) {
            let message = format!("the result counts {} failed tests, its lines show {failed}", totals.failed);
            let name = suite.clone().unwrap_or_else(|| "test binary".to_owned());
            let case = case(suite.clone(), &name, CaseOutcome::Errored);
            self.cases.push(Case { message: Some(message), ..case });
        }
        let open = self.open.take();
        let unnamed = "(a test whose line was not readable)";
        let mut added = 0;
        for (outcome, all) in [(CaseOutcome::Passed, totals.passed), (CaseOutcome::Skipped, totals.ignored)] {
            let missing = all.saturating_sub(has(&self.cases, outcome)).min(MOST_UNNAMED);
            let names = open.as_deref().filter(|_| outcome == CaseOutcome::Passed).into_iter();
            let names = names.chain(std::iter::repeat(unnamed)).take(missing);
            self.cases.extend(names.map(|name| case(suite.clone(), name, outcome)));
            added += missing;
        }
        self.cases.iter_mut().for_each(tidy);
        let shown = self.cases.len();
        let suite = suite.as_deref().unwrap_or("a test binary");
        let note = if added > 0 {
            let (are, their) = if added == 1 { ("is", "its line was") } else { ("are", "their lines were") };
            let tests = count(added, "test", "tests");
            Some(format!("{tests} of {suite} {are} counted from its result: {their} not readable"))
        } else {
            (shown > self.announced).then(|| format!("{suite} announced {} tests and shows {shown}", self.announced))
        };
        (self.cases, note)
    }

    /// What the final list names has failed, whatever its line said.
    fn mark_listed(&mut self) {
        let Some(failures) = &mut self.failures else { return };
        let mut first = HashMap::new();
        for (at, case) in self.cases.iter().enumerate() {
            first.entry(case.name.clone()).or_insert(at);
        }
        for name in std::mem::take(&mut failures.names) {
            if let Some(&at) = first.get(&name) {
                self.cases[at].outcome = CaseOutcome::Failed;
            } else {
                self.cases.push(case(self.suite.clone(), &name, CaseOutcome::Failed));
                first.insert(name, self.cases.len() - 1);
            }
        }
    }
}

/// `name` and what follows in `test name ... ok`.
fn test_line(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("test ")?;
    rest.split_once(" ... ").or_else(|| Some((rest.strip_suffix(" ...")?, "")))
}

/// What `ok`, `FAILED`, `ignored, why` and `bench: …` mean, perhaps with a time behind.
fn read(how: &str) -> Option<(CaseOutcome, &str)> {
    let word = how.split([' ', ',']).next()?;
    let timed = how.len() == word.len() || how[word.len()..].starts_with(" <") || how[word.len()..].starts_with(" (");
    let outcome = match word {
        "ok" if timed => CaseOutcome::Passed,
        "FAILED" if timed => CaseOutcome::Failed,
        "ignored" if timed || how.starts_with("ignored, ") => CaseOutcome::Skipped,
        "bench:" => CaseOutcome::Passed,
        _ => return None,
    };
    Some((outcome, how))
}

/// `0.05s` in milliseconds.
fn seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().strip_suffix('s')?.parse().ok()?;
    u64::try_from(std::time::Duration::try_from_secs_f64(seconds).ok()?.as_millis()).ok()
}

/// Trims what a failed test printed and takes its place from the panic.
fn tidy(case: &mut Case) {
    let Some(message) = &mut case.message else { return };
    *message = message.trim().to_owned();
    if case.file.is_none()
        && case.outcome == CaseOutcome::Failed
        && let Some((file, line)) = panicked_at(message)
    {
        (case.file, case.line) = (Some(file), Some(line));
    }
}

/// The place in `panicked at src/lib.rs:37:9:`, also as it was before Rust 1.73: `panicked at 'why', src/lib.rs:37:9`.
fn panicked_at(message: &str) -> Option<(String, u32)> {
    message.lines().filter_map(|line| line.split_once("panicked at ")).find_map(|(_, place)| {
        let place = place.strip_suffix(':').unwrap_or_else(|| place.rsplit(", ").next().unwrap_or(place));
        let (place, column) = place.rsplit_once(':')?;
        let (file, line) = place.rsplit_once(':')?;
        column.parse::<u32>().ok()?;
        // The standard library's own sources are nowhere in a repository.
        (!file.starts_with("/rustc/")).then_some((file.to_owned(), line.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_behind_a_test_stands_alone_or_before_a_time() {
        let outcome = |how: &'static str| read(how).map(|(outcome, _)| outcome);
        assert_eq!(["ok", "ok <0.05s>", "ok (report)"].map(outcome), [Some(CaseOutcome::Passed); 3]);
        assert_eq!(["FAILED", "FAILED <0.05s>"].map(outcome), [Some(CaseOutcome::Failed); 2]);
        assert_eq!(["ignored", "ignored, slow"].map(outcome), [Some(CaseOutcome::Skipped); 2]);
        assert_eq!(outcome("bench:   12 ns/iter"), Some(CaseOutcome::Passed));
        assert_eq!(["", "okay", "ok then", "ok, then", "FAILED at", "ignored why"].map(outcome), [None; 6]);
    }

    #[test]
    fn the_time_of_a_test_stands_behind_its_word() {
        let mut block = Block::new(None, 3);
        for line in ["test a ... ok <0.050s>", "test b ... ok <fast>", "test c ... ok"] {
            assert!(block.line(line).is_none());
        }
        assert_eq!(block.cases.iter().map(|case| case.took_ms).collect::<Vec<_>>(), [Some(50), None, None]);
    }
}
