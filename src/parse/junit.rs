//! `JUnit` XML, a family of dialects: whatever claims a failure is one, and counts come from the cases.
//! Where the totals of a suite claim more failures than its cases show, a case is added for the difference.

use std::collections::HashMap;

use crate::model::evidence::Parsed;
use crate::model::tests::{Case, CaseOutcome, Tests};
use crate::model::text::one_line;
use crate::parse::reading::{count as number, ends_with_number};
use crate::parse::xml::{self, Attributes, Visitor};
use crate::parse::{Empty, Format, ParseError, Reader, Stream};

pub(super) static FORMAT: Format = Format {
    name: "junit",
    about: "JUnit XML, as nearly every test runner writes it: nextest, pytest, jest-junit, vitest, surefire, gradle, ctest",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises: |head| xml::root(head).is_some_and(|root| is_root(&root)),
    reader: Reader::Whole(parse),
};

/// In place of a name that a case does not have.
const NAMELESS: &str = "(without a name)";
/// What a case says of itself is shown up to here.
const MOST_DETAILS: usize = 100;
const EXPECTED: &str = "JUnit XML with <testsuites> or <testsuite> as its root";

fn is_root(name: &str) -> bool {
    matches!(name, "testsuites" | "testsuite")
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let mut report = Report::default();
    let mut notes = xml::walk(input, EXPECTED, &mut report)?;
    if report.odd_times > 0 {
        notes.push(format!("{} times were not durations and were left out", report.odd_times));
    }
    let hidden = (report.hidden > 0).then(|| {
        let tests = usize::try_from(report.hidden).unwrap_or(usize::MAX);
        format!("the report counts {} that it does not show", number(tests, "test", "tests"))
    });
    let odd = report.first_odd_word.map(|first| {
        let cases = number(report.odd_words, "case has", "cases have");
        format!("{cases} a status that is not known (the first: {first:?}), and that says nothing of how it ended")
    });
    Ok(Parsed { tests: Some(report.tests), notes, unexplained_exit: hidden.or(odd), ..Parsed::default() })
}

/// What an element that says more about a case, or about a suite as a whole, means for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Said by an attribute alone; an element says the same by not being there.
    Passed,
    Failure,
    Error,
    /// A test that proves nothing, by which the run need not fail.
    Risky,
    /// A further attempt that failed too; it stands beside the failure of the first.
    FailedAgain,
    Skipped,
    /// The runner says that a failure of this case was expected and does not count.
    ToDo,
    /// An attempt that failed before one that passed.
    FlakyAttempt,
}

#[derive(Debug)]
struct Detail {
    verdict: Verdict,
    message: Option<String>,
    text: String,
}

#[derive(Debug, Default)]
struct Suite {
    name: Option<String>,
    file: Option<String>,
    /// It is `<testsuites>`, whose name is that of the runner.
    is_run: bool,
    /// The number of its first case.
    first: usize,
    /// It tells which Go it was run by.
    is_of_go: bool,
    /// `tests` as its attributes have it.
    tests: u64,
    /// Whether that counts assertions, as Catch2 and doctest do, or the parts of a test too.
    counts_more: bool,
    /// `skipped` and its kin as its attributes have them.
    skipped: u64,
    /// The cases that it and those inside show, and those of them that were skipped.
    cases: [u64; 2],
    /// Tests that those inside count and do not show.
    hidden: u64,
    /// `failures` and `errors` as its attributes have them.
    claimed: u64,
    /// What it and those inside show of them.
    shown: u64,
    details: Vec<Detail>,
}

#[derive(Debug)]
struct OpenCase {
    case: Case,
    /// `status` is `notrun`.
    not_run: bool,
    /// What its attributes say; the elements inside say it better.
    said: Option<Detail>,
    details: Vec<Detail>,
}

enum Open {
    Suite(Suite),
    Case(Box<OpenCase>),
    Detail(Detail),
    Other,
}

impl Open {
    const fn suite_mut(&mut self) -> Option<&mut Suite> {
        if let Self::Suite(suite) = self { Some(suite) } else { None }
    }
}

impl Suite {
    /// pytest counts the parts of a test with `subtests` too, and has lines from 0.
    fn is_of_pytest(&self) -> bool {
        matches!(self.name.as_deref(), Some("pytest" | "pytest tests"))
    }

    /// How many tests it counts and does not show, beyond those that were skipped: mocha's reports leave these out.
    fn hidden(&self) -> u64 {
        let [shown, skipped] = self.cases;
        let own = if self.counts_more { 0 } else { self.tests.saturating_sub(shown) };
        own.max(self.hidden).saturating_sub(self.skipped.saturating_sub(skipped))
    }
}

#[derive(Default)]
struct Report {
    stack: Vec<Open>,
    tests: Tests,
    root_is_timed: bool,
    odd_times: usize,
    odd_words: usize,
    first_odd_word: Option<String>,
    /// Suites in which something failed.
    failing_suites: u64,
    /// Tests that failed and tests that were cancelled, as comments of node:test have it.
    told: [u64; 2],
    /// Tests that it counts and does not show.
    hidden: u64,
}

impl Visitor for Report {
    fn open(&mut self, name: &str, attributes: &Attributes) -> Result<(), String> {
        if self.stack.is_empty() && !is_root(name) {
            return Err(format!("<{name}>"));
        }
        // Where the root has no time, the suites right below it have.
        if self.stack.is_empty() || (self.stack.len() == 1 && name == "testsuite" && !self.root_is_timed) {
            let took = self.time(attributes);
            self.root_is_timed = self.stack.is_empty() && took.is_some();
            self.tests.took_ms =
                took.map(|took| took.saturating_add(self.tests.took_ms.unwrap_or(0))).or(self.tests.took_ms);
        }
        let opened = match name {
            "testsuites" | "testsuite" => Open::Suite(Suite {
                name: attributes.owned("name"),
                file: attributes.owned("file").or_else(|| attributes.owned("filepath")),
                is_run: name == "testsuites",
                first: self.tests.cases.len(),
                tests: count(attributes, "tests"),
                counts_more: self.counts_more(attributes),
                skipped: ["skipped", "skip", "disabled", "ignored"].iter().map(|name| count(attributes, name)).sum(),
                claimed: count(attributes, "failures") + count(attributes, "errors"),
                ..Suite::default()
            }),
            "testcase" => Open::Case(Box::new(self.case(attributes))),
            "property" if attributes.get("name") == Some("go.version") => {
                if let Some(suite) = self.stack.iter_mut().rev().find_map(Open::suite_mut) {
                    suite.is_of_go = true;
                }
                Open::Other
            }
            _ => detail(name, attributes, self.in_case_not_run()).map_or(Open::Other, Open::Detail),
        };
        self.stack.push(opened);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(Open::Detail(detail)) = self.stack.last_mut() {
            detail.text.push_str(text);
        }
    }

    fn comment(&mut self, text: &str) {
        if let (1, Some((what, number))) = (self.stack.len(), text.trim().split_once(' '))
            && let Ok(number) = number.parse::<u32>()
            && let Some(at) = ["fail", "cancelled"].iter().position(|known| *known == what)
        {
            self.told[at] = number.into();
        }
    }

    fn close(&mut self) {
        match self.stack.pop() {
            Some(Open::Detail(detail)) => self.keep(detail),
            Some(Open::Case(case)) => self.end_case(*case),
            Some(Open::Suite(suite)) => self.leave(suite),
            Some(Open::Other) | None => {}
        }
    }
}

impl Report {
    /// Whether the suite that opens with these attributes counts more than its cases: mocha-junit-reporter counts the tests
    /// that `--grep` left out.
    fn counts_more(&self, attributes: &Attributes) -> bool {
        let is_of_mocha = attributes.get("name") == Some("Mocha Tests");
        let outer =
            self.stack.iter().any(|open| matches!(open, Open::Suite(suite) if suite.is_run && suite.counts_more));
        outer || is_of_mocha || attributes.get("hostname") == Some("tbd") || attributes.get("doctest_version").is_some()
    }

    /// What opens now belongs to a case with the status `notrun`.
    fn in_case_not_run(&self) -> bool {
        matches!(self.stack.last(), Some(Open::Case(case)) if case.not_run)
    }

    fn case(&mut self, attributes: &Attributes) -> OpenCase {
        let suites = || {
            self.stack.iter().rev().filter_map(|open| match open {
                Open::Suite(suite) => Some(suite),
                _ => None,
            })
        };
        let suite = suites().filter(|suite| !suite.is_run).find_map(|suite| suite.name.clone());
        let file = attributes.owned("file").or_else(|| attributes.owned("filepath"));
        let file = file.or_else(|| suites().find_map(|suite| suite.file.clone()));
        let from_zero = suites().any(Suite::is_of_pytest);
        let line = attributes.position("line").or_else(|| attributes.position("lineno"));
        let next = || attributes.get("line")?.trim().parse::<u32>().ok()?.checked_add(1);
        let case = Case {
            suite,
            class: attributes.owned("classname").or_else(|| attributes.owned("class")),
            name: attributes.owned("name").unwrap_or_else(|| NAMELESS.to_owned()),
            file,
            line: if from_zero { next() } else { line },
            head_line: None,
            outcome: CaseOutcome::Passed,
            flaky: false,
            took_ms: self.time(attributes),
            message: None,
        };
        let not_run = attributes.get("status") == Some("notrun");
        OpenCase { case, not_run, said: self.attribute_verdict(attributes), details: Vec::new() }
    }

    /// Gives a detail to the case or suite around it.
    fn keep(&mut self, detail: Detail) {
        for open in self.stack.iter_mut().rev() {
            match open {
                Open::Case(case) => return case.details.push(detail),
                Open::Suite(suite) => return suite.details.push(detail),
                Open::Detail(_) | Open::Other => {}
            }
        }
    }

    /// Ends a case, and counts for the suite around it what the case shows of the suite's claims: dialects count
    /// failing cases or elements of failure.
    fn end_case(&mut self, open: OpenCase) {
        let elements = failures(&open.details);
        let mut case = finish(open);
        if self.stack.len() == 1 && is_file_of_node(&case) {
            case.outcome = CaseOutcome::Skipped;
            case.message = Some("no test ran in this file".to_owned());
        }
        let fails = case.outcome.is_broken();
        let skipped = case.outcome == CaseOutcome::Skipped;
        self.tests.cases.push(case);
        if let Some(around) = self.around() {
            around.shown += elements.max(u64::from(fails));
            around.cases[0] += 1;
            around.cases[1] += u64::from(skipped);
        }
    }

    /// The innermost open suite.
    fn around(&mut self) -> Option<&mut Suite> {
        self.stack.iter_mut().rev().find_map(Open::suite_mut)
    }

    /// Ends a suite: what it says of itself, or claims beyond its cases, becomes a case of its own.
    fn leave(&mut self, suite: Suite) {
        let around = |open: &Open| matches!(open, Open::Suite(around) if around.is_of_pytest());
        let of_pytest = suite.is_of_pytest() || self.stack.iter().any(around);
        if !suite.is_run && (of_pytest || suite.tests > 0) {
            self.join_attempts(suite.first, if of_pytest { 0 } else { suite.tests });
        }
        if suite.is_of_go {
            self.join_reruns(suite.first);
        }
        let hidden = if of_pytest { 0 } else { suite.hidden() };
        let case = |message| Case {
            suite: suite.name.clone(),
            class: None,
            name: suite.name.clone().unwrap_or_else(|| "(suite without a name)".to_owned()),
            file: suite.file.clone(),
            line: None,
            head_line: None,
            outcome: CaseOutcome::Errored,
            flaky: false,
            took_ms: None,
            message,
        };
        let mut shown = suite.shown + failures(&suite.details);
        if shown > suite.shown {
            self.tests.cases.push(finish(OpenCase {
                case: case(None),
                not_run: false,
                said: None,
                details: suite.details,
            }));
        }
        if suite.claimed > shown {
            let claimed = suite.claimed;
            let message = format!("the suite claims {claimed} failures and errors, and its cases show {shown}");
            self.tests.cases.push(case(Some(message)));
            shown = claimed;
        }
        // A test that has tests in it is a suite, which cannot tell a failure of its own. One that has failed with
        // those inside shows them.
        let told: u64 = self.told.iter().sum();
        self.failing_suites += u64::from(shown > 0 && !suite.is_run);
        if self.stack.is_empty() && told > shown + self.failing_suites {
            let message =
                format!("by its own count {told} of its tests failed or were cancelled, and it shows {shown}");
            self.tests.cases.push(case(Some(message)));
        }
        let Some(around) = self.around() else {
            self.hidden = hidden;
            return;
        };
        around.shown += shown;
        around.cases[0] += suite.cases[0];
        around.cases[1] += suite.cases[1];
        around.hidden += hidden;
    }

    /// Where a suite shows more cases than it counts, those with nothing to say that another of the same name follows are
    /// attempts that failed: so pytest-rerunfailures has them written.
    fn join_attempts(&mut self, first: usize, counted: u64) {
        let shown = self.tests.cases.split_off(first);
        let mut surplus = (shown.len() as u64).saturating_sub(counted);
        let mut kept: Vec<Case> = Vec::new();
        let mut last = HashMap::new();
        for case in shown.into_iter().rev() {
            let name = (case.suite.clone(), case.class.clone(), case.name.clone());
            let is_silent = case.outcome == CaseOutcome::Passed && case.message.is_none();
            match last.get(&name) {
                Some(&at) if surplus > 0 && is_silent => {
                    let ended: &mut Case = &mut kept[at];
                    ended.flaky |= ended.outcome == CaseOutcome::Passed;
                    surplus -= 1;
                }
                _ => {
                    last.insert(name, kept.len());
                    kept.push(case);
                }
            }
        }
        self.tests.cases.extend(kept.into_iter().rev());
    }

    /// gotestsum runs tests that failed again and has all runs in the report. Where a test that passed has two, all were
    /// run more often (`-count`), and a failure is one.
    fn join_reruns(&mut self, first: usize) {
        let shown = self.tests.cases.split_off(first);
        let name = |case: &Case| (case.class.clone(), case.name.clone());
        let last: HashMap<_, _> = shown.iter().enumerate().map(|(at, case)| (name(case), at)).collect();
        let runs = || shown.iter().enumerate().map(|(at, case)| (case, last[&name(case)], at));
        let passed_twice = runs().any(|(case, last, at)| last != at && !case.outcome.is_broken());
        let good = |last: usize| shown[last].outcome == CaseOutcome::Passed;
        let mended: Vec<bool> = runs().map(|(_, last, at)| last != at && good(last) && !passed_twice).collect();
        let mut failed = HashMap::new();
        for (mut case, mended) in shown.into_iter().zip(mended) {
            if mended {
                failed.insert(name(&case), case.message);
                continue;
            }
            if let Some(message) = failed.remove(&name(&case)) {
                (case.flaky, case.message) = (true, message);
            }
            self.tests.cases.push(case);
        }
    }

    /// Some dialects say how a case ended by an attribute alone.
    fn attribute_verdict(&mut self, attributes: &Attributes) -> Option<Detail> {
        if let Some(message) = attributes.owned("failure") {
            return Some(Detail { verdict: Verdict::Failure, message: Some(message), text: String::new() });
        }
        let mut said = None;
        for word in ["status", "result", "success", "outcome"].into_iter().filter_map(|name| attributes.get(name)) {
            let verdict = meaning(&word.to_ascii_lowercase());
            if verdict.is_none() {
                self.odd_words += 1;
                self.first_odd_word.get_or_insert_with(|| one_line(word, 40));
            }
            said = said.filter(|said| *said != Verdict::Passed).or(verdict);
        }
        Some(Detail { verdict: said?, message: None, text: String::new() })
    }

    fn time(&mut self, attributes: &Attributes) -> Option<u64> {
        let text = attributes.get("time")?;
        let took = milliseconds(text);
        self.odd_times += usize::from(took.is_none());
        took
    }
}

fn detail(name: &str, attributes: &Attributes, not_run: bool) -> Option<Detail> {
    let message = attributes.get("message");
    let verdict = match name {
        "failure" | "failed" => Verdict::Failure,
        // PHPUnit up to 9 ends with 0 all the same, unless it is told not to.
        "error" if attributes.get("type").is_some_and(|kind| kind.ends_with("RiskyTestError")) => Verdict::Risky,
        // PHPUnit up to 9 says so of a test that it could not run as it is written, its data missing for one.
        "error" | "warning" => Verdict::Error,
        "rerunfailure" | "rerunerror" => Verdict::FailedAgain,
        "flakyfailure" | "flakyerror" => Verdict::FlakyAttempt,
        // ctest fails a run for a test that it could not start, and calls it skipped as one that skips itself by
        // SKIP_RETURN_CODE or SKIP_REGULAR_EXPRESSION.
        "skipped" if not_run && message.is_some_and(|why| !why.starts_with("SKIP_")) => Verdict::Error,
        // nose2 fails a run for it.
        "skipped" if message == Some("test passes unexpectedly") => Verdict::Failure,
        // node:test runs a `todo` test and disregards its failure.
        "skipped" if attributes.get("type") == Some("todo") => Verdict::ToDo,
        "skipped" | "ignored" | "disabled" => Verdict::Skipped,
        _ => return None,
    };
    let message = message.or_else(|| attributes.get("type")).map(str::to_owned);
    Some(Detail { verdict, message, text: String::new() })
}

/// What a word for how a case ended means, where it is known.
fn meaning(word: &str) -> Option<Verdict> {
    Some(match word {
        "run" | "completed" | "complete" | "done" | "executed" | "finished" | "ok" | "pass" | "passed" | "success"
        | "succeeded" | "successful" | "true" => Verdict::Passed,
        "fail" | "failed" | "failure" | "ko" | "false" => Verdict::Failure,
        "error" | "errored" | "broken" | "crash" | "crashed" | "timeout" | "timedout" | "timed_out" | "aborted"
        | "blocked" | "canceled" | "cancelled" | "hook_error" | "undefined" => Verdict::Error,
        "skip" | "skipped" | "notrun" | "not_run" | "disabled" | "ignored" | "pending" | "suppressed" | "untested"
        | "inconclusive" => Verdict::Skipped,
        _ => return None,
    })
}

/// How many of these a suite's totals would count.
fn failures(details: &[Detail]) -> u64 {
    details.iter().filter(|detail| matches!(detail.verdict, Verdict::Failure | Verdict::Error | Verdict::Risky)).count()
        as u64
}

/// node:test has a file in which it saw no test as a test that passed, named by its absolute path.
fn is_file_of_node(case: &Case) -> bool {
    let is_absolute = case.name.starts_with('/') || case.name.get(1..3) == Some(":\\");
    is_absolute && case.outcome == CaseOutcome::Passed && case.class.as_deref() == Some("test")
}

fn finish(open: OpenCase) -> Case {
    let OpenCase { mut case, said, mut details, .. } = open;
    if failures(&details) == 0 {
        details.extend(said);
    }
    let has = |verdict| details.iter().any(|detail: &Detail| detail.verdict == verdict);
    case.outcome = if has(Verdict::ToDo) {
        CaseOutcome::Skipped
    } else if has(Verdict::Failure) || (has(Verdict::FailedAgain) && !has(Verdict::Error)) {
        CaseOutcome::Failed
    } else if has(Verdict::Error) {
        CaseOutcome::Errored
    } else if has(Verdict::Skipped) || has(Verdict::Risky) {
        CaseOutcome::Skipped
    } else {
        CaseOutcome::Passed
    };
    case.flaky = case.outcome == CaseOutcome::Passed && has(Verdict::FlakyAttempt);
    if case.outcome == CaseOutcome::Passed && case.name == NAMELESS && case.class.is_none() {
        // So pytest writes the test during which it was told to stop.
        case.outcome = CaseOutcome::Errored;
        case.message = Some("a case that says nothing, not even its name: a test that was broken off".to_owned());
        return case;
    }
    let mut messages: Vec<String> = Vec::new();
    let more = details.len().saturating_sub(MOST_DETAILS);
    for message in details.into_iter().take(MOST_DETAILS).filter_map(Detail::message) {
        if !messages.iter().any(|known| known.contains(&message)) {
            messages.push(message);
        }
    }
    if more > 0 {
        messages.push(format!("… and {more} more"));
    }
    case.message = (!messages.is_empty()).then(|| messages.join("\n\n"));
    if case.outcome.is_broken()
        && case.file.is_none()
        && let Some((file, line)) = case.message.as_deref().and_then(|text| of_stack(text, case.suite.as_deref()))
    {
        (case.file, case.line) = (Some(file.to_owned()), Some(line));
    }
    case
}

/// The place in vitest's stack, `❯ add t/a.test.js:4:15`: the first one in the file that the suite is named by, or in any.
fn of_stack<'a>(text: &'a str, suite: Option<&str>) -> Option<(&'a str, u32)> {
    let places = || {
        text.lines().filter_map(|line| {
            let frame = line.trim().strip_prefix("\u{276f} ")?.rsplit(' ').next()?;
            let (place, _) = ends_with_number(frame, ':')?;
            ends_with_number(place, ':')
        })
    };
    places().find(|(file, _)| Some(*file) == suite).or_else(|| places().next())
}

impl Detail {
    /// The message, and below it the text, unless that has it in its first line. Where it is deep inside, as pytest's is, it
    /// would be cut off.
    fn message(self) -> Option<String> {
        // The first line may be indented as those below it are.
        let (line, lines) = (self.text.trim(), self.text.trim_end().trim_start_matches(['\r', '\n']));
        let (text, gap) = if line.contains('\n') { (lines, "\n\n") } else { (line, "\n") };
        let message = self.message.as_deref().unwrap_or_default().trim_end();
        if message.contains(line) {
            return self.message;
        }
        if text.find(message.trim()).is_some_and(|at| !text[..at].trim_start().contains('\n')) {
            return Some(text.to_owned());
        }
        Some(format!("{message}{gap}{text}"))
    }
}

/// A count, 0 where it is missing or no number: only more than what is shown matters.
fn count(attributes: &Attributes, name: &str) -> u64 {
    attributes.get(name).and_then(|text| text.trim().parse::<u32>().ok()).map_or(0, u64::from)
}

/// Seconds as written by the dialects (`0.012`, `1,234.5`, `0,012`) in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches(['s', ' ']);
    let commas = text.matches(',').count();
    let number = if text.contains('.') || commas > 1 { text.replace(',', "") } else { text.replace(',', ".") };
    let seconds: f64 = number.parse().ok()?;
    let took = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from((took + std::time::Duration::from_micros(500)).as_millis()).ok()
}

#[cfg(test)]
mod tests;
