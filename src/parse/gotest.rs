//! The events of `go test -json`, one a line, as `test2json` (<https://pkg.go.dev/cmd/test2json>) writes them. Every test
//! that began is a case, subtests and those around them alike, as Go itself and gotestsum count them; only one that failed
//! without a word of its own beside a broken subtest is left out, as the subtest tells of it. A package fails or passes by
//! the status of its binary: where it failed and no test did, the package is an errored case; where it has no end, the
//! output is cut. What a test prints itself can add failures, never hide them.

mod compiler;
mod package;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::tests::{Case, CaseOutcome, Tests};
use crate::model::text::one_line;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{beginning, count};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream};
pub use compiler::Compiler;
use package::{Package, keep, placed};

pub(super) static FORMAT: Format = Format {
    name: "gotest",
    about: "`go test` with `-json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Lines(|| Box::<GoTest>::default()),
};

const EXPECTED: &str = "JSON events in which every package ends, as `go test -json` prints them";

/// The name of a case that stands for all of a package.
const PACKAGE: &str = "(package)";

/// In place of why a package was not built.
const UNTOLD: &str = "why stands in the log: before Go 1.24 go says it on standard error";

/// How the lines of events begin.
const BEGINNINGS: [&str; 3] = ["{\"Time\":\"", "{\"Action\":\"", "{\"ImportPath\":\""];

/// Before Go 1.20 packages that do not compile come first, as text.
fn recognises(head: &[u8]) -> bool {
    let is_event = |line: &[u8]| {
        let event = serde_json::from_slice::<Event<'_>>(line);
        event.is_ok_and(|event| !event.package.is_empty() || event.import_path.is_some())
    };
    head.split(|&b| b == b'\n').take(50).any(is_event)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    package: Cow<'a, str>,
    test: Option<Cow<'a, str>>,
    elapsed: Option<f64>,
    #[serde(borrow, default)]
    output: Cow<'a, str>,
    /// What is built, in place of the package, from Go 1.24.
    import_path: Option<String>,
    /// The import path of the build for which a package failed.
    failed_build: Option<String>,
}

#[derive(Default)]
struct Build {
    output: String,
    failed: bool,
    /// A package has failed for it, and tells of it.
    told: bool,
}

#[derive(Default)]
struct GoTest {
    tests: Tests,
    notes: Vec<String>,
    /// Those that have begun and not ended.
    packages: BTreeMap<String, Package>,
    builds: BTreeMap<String, Build>,
    any: bool,
    lines: usize,
    offset: usize,
    /// Lines that are no events: what was printed around the tests.
    foreign: usize,
    first_foreign: Option<String>,
    /// The first line that is a part of an event, and what of it came.
    broken: Option<(usize, String)>,
    /// Whether the last line is the beginning of an event and no more.
    stub: bool,
    unexplained: Option<String>,
}

impl LineParser for GoTest {
    fn line(&mut self, text: &str) {
        self.lines += 1;
        self.offset += text.len() + 1;
        self.stub = BEGINNINGS.iter().any(|begin| begin.starts_with(text));
        if let Ok(event) = serde_json::from_str::<Event<'_>>(text) {
            self.any = true;
            self.event(event);
        } else if let Some(failed) = text.strip_prefix("FAIL\t") {
            self.any = true;
            self.text_failure(failed);
        } else if is_part(text) {
            self.broken.get_or_insert_with(|| (self.lines, beginning(text)));
        } else if !text.trim().is_empty() && !text.starts_with("go: ") {
            self.foreign += 1;
            self.first_foreign.get_or_insert_with(|| one_line(text, 80));
        }
    }

    fn end(mut self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        match &self.broken {
            Some((line, got)) if *line < self.lines || complete => {
                let got = format!("a part of an event in line {line}: {got}");
                return Err(ParseError::Malformed { expected: EXPECTED, got });
            }
            None if self.packages.is_empty() && (complete || !self.stub) => {}
            _ => {
                return Err(ParseError::Truncated { expected: EXPECTED, offset: self.offset, what: self.progress() });
            }
        }
        if !self.any {
            return Err(self.first_foreign.map_or(ParseError::Empty { expected: EXPECTED }, |line| {
                ParseError::Malformed { expected: EXPECTED, got: format!("no event but {line:?}") }
            }));
        }
        for (path, build) in std::mem::take(&mut self.builds) {
            if build.failed && !build.told {
                self.errored(&path, "build failed", &build.output, true);
                self.notes.push(format!("{path:?} was not built, and no package says what that is to it"));
            } else if !build.failed {
                self.notes.push(format!("the build of {path:?} printed {}", beginning(&build.output)));
            }
        }
        if self.foreign > 0 {
            self.notes.push(format!("{} no event of go test", count(self.foreign, "line was", "lines were")));
        }
        if !complete {
            self.notes.push(NO_LINE_END.to_owned());
        }
        let (tests, notes, unexplained_exit) = (Some(self.tests), self.notes, self.unexplained);
        Ok(Parsed { tests, notes, unexplained_exit, ..Parsed::default() })
    }
}

impl GoTest {
    fn progress(&self) -> String {
        let failed = self.tests.cases.iter().filter(|case| case.outcome.is_broken()).count();
        let failed = failed + self.packages.values().map(Package::broken).sum::<usize>();
        let open = match self.packages.keys().next() {
            Some(name) if self.packages.len() == 1 => format!("{name:?} has not ended"),
            Some(name) => format!("{name:?} and {} more packages have not ended", self.packages.len() - 1),
            None => "the last event is open".to_owned(),
        };
        format!("{open}; {} failed before", count(failed, "test has", "tests have"))
    }

    fn event(&mut self, event: Event<'_>) {
        if let Some(path) = event.import_path {
            let build = self.builds.entry(path).or_default();
            keep(&mut build.output, &event.output);
            build.failed |= event.action == "build-fail";
            return;
        }
        let outcome = match &*event.action {
            "pass" | "bench" => Some(CaseOutcome::Passed),
            "fail" => Some(CaseOutcome::Failed),
            "skip" => Some(CaseOutcome::Skipped),
            _ => None,
        };
        let package = self.packages.entry(event.package.clone().into_owned()).or_default();
        match (&*event.action, event.test.as_deref(), outcome) {
            ("run", Some(test), _) => package.begin(test),
            ("output", Some(test), _) => package.test_says(test, &event.output),
            ("output", None, _) => package.says(&event.output),
            (_, Some(test), Some(outcome)) => package.end(test, outcome, event.elapsed),
            (_, None, Some(outcome)) => self.end_package(&event.package, outcome, event.failed_build),
            // start, pause, cont, and what later versions add.
            _ => {}
        }
    }

    fn end_package(&mut self, name: &str, outcome: CaseOutcome, failed_build: Option<String>) {
        let Some(mut package) = self.packages.remove(name) else { return };
        let failed = outcome == CaseOutcome::Failed;
        let (finished, silent) = (package.finished, package.ran_nothing());
        let words = package.why.take();
        let said = package.words();
        let cases = package.settle(name, !failed);
        let broken = cases.iter().any(|case| case.outcome.is_broken());
        self.tests.cases.extend(cases);
        let build = failed_build.and_then(|path| self.builds.get_mut(&path));
        let is_build = build.is_some();
        let output = build.map(|build| {
            build.told = true;
            build.output.clone()
        });
        if failed && (!broken || is_build) {
            let words = words.as_deref().unwrap_or(if is_build { "build failed" } else { PACKAGE });
            self.errored(name, words, output.as_deref().unwrap_or(&said), is_build);
        } else if failed && !finished {
            self.doubt(format!("{name:?} broke off: not all of its tests ran"));
        } else if !failed && silent {
            self.notes.push(format!("{name:?} passed and ran no test"));
        }
    }

    /// `example.com/shop/till [build failed]`, or the name and the time of a `go test` without `-json`.
    fn text_failure(&mut self, line: &str) {
        let (name, why) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let why = why.trim().strip_prefix('[').and_then(|why| why.strip_suffix(']'));
        self.errored(name, why.unwrap_or(PACKAGE), "", false);
    }

    /// A package that failed though none of its tests did. Which of them would have run is not known.
    fn errored(&mut self, package: &str, what: &str, said: &str, of_compiler: bool) {
        let said = said.trim();
        let case = package::case(package, what, CaseOutcome::Errored);
        let (file, line) = placed(said, of_compiler).unzip();
        let message = match said {
            "" if what == PACKAGE => "it failed, and none of its tests tells why",
            "" => UNTOLD,
            said => said,
        };
        self.tests.cases.push(Case { file, line, message: Some(message.to_owned()), ..case });
        self.doubt(format!("{package} failed beside its tests: not all of them may have run"));
    }

    fn doubt(&mut self, why: String) {
        self.unexplained.get_or_insert(why);
    }
}

/// Whether a line that is no event is what a cut left of one.
fn is_part(text: &str) -> bool {
    let begins = BEGINNINGS.iter().any(|begin| text.starts_with(begin));
    let has = ["\"Package\":\"", "\"Elapsed\":", "\"Action\":\""].iter().any(|key| text.contains(key));
    begins || has || text.ends_with("\\n\"}")
}

#[cfg(test)]
mod tests;
