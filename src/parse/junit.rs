//! `JUnit` XML, a family of dialects: whatever claims a failure is one, and counts come from the cases.
//! Where the totals of a suite claim more failures than its cases show, a case is added for the difference.

use crate::model::evidence::Parsed;
use crate::model::tests::{Case, CaseOutcome, Tests};
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
    if report.claimed > report.tests.cases.len() as u64 {
        notes.push(format!("the report claims {} tests and shows {} cases", report.claimed, report.tests.cases.len()));
    }
    Ok(Parsed { tests: Some(report.tests), notes, ..Parsed::default() })
}

/// What an element that says more about a case, or about a suite as a whole, means for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Failure,
    Error,
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
    /// `failures` and `errors` as its attributes have them.
    claimed: u64,
    /// What it and those inside show of them.
    shown: u64,
    details: Vec<Detail>,
}

#[derive(Debug)]
struct OpenCase {
    case: Case,
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

#[derive(Default)]
struct Report {
    stack: Vec<Open>,
    tests: Tests,
    root_is_timed: bool,
    odd_times: usize,
    /// `tests` as the outermost suites have it.
    claimed: u64,
}

impl Visitor for Report {
    fn open(&mut self, name: &str, attributes: &Attributes) -> Result<(), String> {
        if self.stack.is_empty() {
            if !is_root(name) {
                return Err(format!("<{name}>"));
            }
            self.claimed = count(attributes, "tests");
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
                claimed: count(attributes, "failures") + count(attributes, "errors"),
                ..Suite::default()
            }),
            "testcase" => Open::Case(Box::new(self.case(attributes))),
            _ => detail(name, attributes).map_or(Open::Other, Open::Detail),
        };
        self.stack.push(opened);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(Open::Detail(detail)) = self.stack.last_mut() {
            detail.text.push_str(text);
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
        let case = Case {
            suite,
            class: attributes.owned("classname").or_else(|| attributes.owned("class")),
            name: attributes.owned("name").unwrap_or_else(|| "(without a name)".to_owned()),
            file,
            line: attributes.position("line").or_else(|| attributes.position("lineno")),
            head_line: None,
            outcome: CaseOutcome::Passed,
            flaky: false,
            took_ms: self.time(attributes),
            message: None,
        };
        OpenCase { case, said: attribute_verdict(attributes), details: Vec::new() }
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
        let case = finish(open);
        let fails = matches!(case.outcome, CaseOutcome::Failed | CaseOutcome::Errored);
        self.tests.cases.push(case);
        self.show(elements.max(u64::from(fails)));
    }

    fn show(&mut self, shown: u64) {
        if let Some(Open::Suite(suite)) = self.stack.iter_mut().rev().find(|open| matches!(open, Open::Suite(_))) {
            suite.shown += shown;
        }
    }

    /// Ends a suite: what it says of itself, or claims beyond its cases, becomes a case of its own.
    fn leave(&mut self, suite: Suite) {
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
            self.tests.cases.push(finish(OpenCase { case: case(None), said: None, details: suite.details }));
        }
        if suite.claimed > shown {
            let claimed = suite.claimed;
            let message = format!("the suite claims {claimed} failures and errors, and its cases show {shown}");
            self.tests.cases.push(case(Some(message)));
            shown = claimed;
        }
        self.show(shown);
    }

    fn time(&mut self, attributes: &Attributes) -> Option<u64> {
        let text = attributes.get("time")?;
        let took = milliseconds(text);
        self.odd_times += usize::from(took.is_none());
        took
    }
}

fn detail(name: &str, attributes: &Attributes) -> Option<Detail> {
    let verdict = match name {
        "failure" => Verdict::Failure,
        "error" => Verdict::Error,
        "rerunfailure" | "rerunerror" => Verdict::FailedAgain,
        "flakyfailure" | "flakyerror" => Verdict::FlakyAttempt,
        // ctest fails a run for a test that it could not start, and calls that test skipped.
        "skipped" if attributes.get("message") == Some("Unable to find executable") => Verdict::Error,
        // node:test runs a `todo` test and disregards its failure.
        "skipped" if attributes.get("type") == Some("todo") => Verdict::ToDo,
        "skipped" | "ignored" | "disabled" => Verdict::Skipped,
        _ => return None,
    };
    let message = attributes.owned("message").or_else(|| attributes.owned("type"));
    Some(Detail { verdict, message, text: String::new() })
}

/// Some dialects say how a case ended by an attribute alone.
fn attribute_verdict(attributes: &Attributes) -> Option<Detail> {
    if let Some(message) = attributes.owned("failure") {
        return Some(Detail { verdict: Verdict::Failure, message: Some(message), text: String::new() });
    }
    let said = ["status", "result"].into_iter().filter_map(|name| attributes.get(name)).map(str::to_ascii_lowercase);
    let verdict = said.into_iter().find_map(|word| match word.as_str() {
        "fail" | "failed" | "failure" => Some(Verdict::Failure),
        "error" | "errored" | "broken" | "crashed" | "timeout" => Some(Verdict::Error),
        "skip" | "skipped" | "notrun" | "not_run" | "disabled" | "ignored" | "pending" | "suppressed" => {
            Some(Verdict::Skipped)
        }
        _ => None,
    })?;
    Some(Detail { verdict, message: None, text: String::new() })
}

/// How many of these a suite's totals would count.
fn failures(details: &[Detail]) -> u64 {
    details.iter().filter(|detail| matches!(detail.verdict, Verdict::Failure | Verdict::Error)).count() as u64
}

fn finish(open: OpenCase) -> Case {
    let OpenCase { mut case, said, mut details } = open;
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
    } else if has(Verdict::Skipped) {
        CaseOutcome::Skipped
    } else {
        CaseOutcome::Passed
    };
    case.flaky = case.outcome == CaseOutcome::Passed && has(Verdict::FlakyAttempt);
    let mut messages: Vec<String> = Vec::new();
    for message in details.into_iter().filter_map(Detail::message) {
        if !messages.iter().any(|known| known.contains(&message)) {
            messages.push(message);
        }
    }
    case.message = (!messages.is_empty()).then(|| messages.join("\n\n"));
    case
}

impl Detail {
    /// The message and the text, without saying the same twice.
    fn message(self) -> Option<String> {
        let text = self.text.trim();
        match self.message {
            Some(message) if text.is_empty() || message.contains(text) => Some(message),
            Some(message) if !text.contains(message.trim()) => Some(format!("{message}\n{text}")),
            _ => (!text.is_empty()).then(|| text.to_owned()),
        }
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
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_dialects_write_them() {
        assert_eq!(milliseconds("0.0125"), Some(13));
        assert_eq!(milliseconds("1,234.5"), Some(1_234_500));
        assert_eq!(milliseconds("0,012"), Some(12));
        assert_eq!(milliseconds("1,234,567.0"), Some(1_234_567_000));
        assert_eq!(milliseconds("1,234,567"), Some(1_234_567_000));
        assert_eq!((milliseconds("0.000499"), milliseconds("0.0005")), (Some(0), Some(1)));
        assert_eq!(milliseconds("3 s"), Some(3000));
        for odd in ["NaN", "inf", "1e400", "-1", "fast"] {
            assert_eq!(milliseconds(odd), None, "{odd}");
        }
    }
    fn read(report: &str) -> Vec<(String, CaseOutcome, Option<String>)> {
        let tests = crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().tests.unwrap();
        tests.cases.into_iter().map(|case| (case.name, case.outcome, case.message)).collect()
    }

    #[test]
    fn what_a_suite_claims_beyond_its_cases_is_a_case() {
        let with = |case: &str| read(&format!("<testsuite name='s' failures='1'><testcase name='a'{case}</testsuite>"));
        let passing = with("/>");
        assert_eq!((passing[0].1, passing[1].1, passing.len()), (CaseOutcome::Passed, CaseOutcome::Errored, 2));
        assert_eq!(
            (passing[1].0.as_str(), passing[1].2.as_deref()),
            ("s", Some("the suite claims 1 failures and errors, and its cases show 0"))
        );
        let nested = read(
            "<testsuites failures='1'><testsuite name='s' failures='1'><testcase name='a'/></testsuite></testsuites>",
        );
        assert_eq!(nested.len(), 2, "what the inner one claims is shown to the outer one: {nested:?}");
        for shown in ["><failure/></testcase>", " status='failed'/>"] {
            let failing = with(shown);
            assert_eq!((failing[0].1, failing.len()), (CaseOutcome::Failed, 1), "{shown}");
        }
    }

    #[test]
    fn a_message_says_nothing_twice() {
        for (message, text, expected) in [
            ("bad", "", "bad"),
            ("it is bad here", "bad", "it is bad here"),
            ("bad", "it is bad here", "it is bad here"),
            ("bad", "at a & b", "bad\nat a & b"),
            ("", "at a", "at a"),
        ] {
            let cases = read(&format!(
                "<testsuite><testcase name='a'><failure message='{message}'>\n {text}\n</failure></testcase></testsuite>"
            ));
            assert_eq!(cases[0].2.as_deref(), Some(expected));
        }
    }
}
