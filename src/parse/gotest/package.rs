//! The tests of one package, from its first event to its last.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::tests::{Case, CaseOutcome};
use crate::parse::reading::ends_with_number;

/// What a test or a package printed is kept up to this many bytes.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Lines that tell what the events tell too.
const CHATTER: [&str; 4] = ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "];

/// A case with nothing but its names.
pub(super) fn case(package: &str, name: &str, outcome: CaseOutcome) -> Case {
    Case {
        suite: None,
        class: Some(package.to_owned()).filter(|package| !package.is_empty()),
        name: name.to_owned(),
        file: None,
        line: None,
        head_line: None,
        outcome,
        flaky: false,
        took_ms: None,
        message: None,
    }
}

/// Adds to what was printed, while there is room.
pub(super) fn keep(all: &mut String, text: &str) {
    if all.len() + text.len() < LONGEST_MESSAGE && !(all.is_empty() && text.trim().is_empty()) {
        all.push_str(text);
    }
}

#[derive(Default)]
struct Run {
    name: String,
    outcome: Option<CaseOutcome>,
    took_ms: Option<u64>,
    said: String,
}

#[derive(Default)]
pub(super) struct Package {
    /// In the order in which they began; `-count` runs a test more than once.
    runs: Vec<Run>,
    /// Where the last run of each test is.
    latest: HashMap<String, usize>,
    /// How tests ended by lines that stand behind something else. Before Go 1.20 those of a test that prints without a
    /// line end at the end made no event (<https://go.dev/issue/38063>).
    marks: HashMap<String, CaseOutcome>,
    said: String,
    /// What stands in brackets behind `FAIL`: `build failed`, `setup failed`.
    pub why: Option<String>,
    /// The binary said `FAIL` itself, behind its last test.
    pub finished: bool,
    /// go says `ok`, and not that there were no tests.
    ok: bool,
}

impl Package {
    pub(super) fn broken(&self) -> usize {
        self.runs.iter().filter(|run| run.outcome == Some(CaseOutcome::Failed)).count()
    }

    pub(super) fn ran_nothing(&self) -> bool {
        self.ok && self.runs.is_empty()
    }

    pub(super) fn words(&self) -> String {
        self.said.clone()
    }

    pub(super) fn begin(&mut self, test: &str) {
        self.latest.insert(test.to_owned(), self.runs.len());
        self.runs.push(Run { name: test.to_owned(), ..Run::default() });
    }

    fn run(&mut self, test: &str) -> &mut Run {
        let at = self.latest.get(test).copied().unwrap_or_else(|| {
            self.begin(test);
            self.runs.len() - 1
        });
        &mut self.runs[at]
    }

    /// Takes how a test ended. One that failed stays so: a test may print the line of another one's end.
    pub(super) fn end(&mut self, test: &str, outcome: CaseOutcome, elapsed: Option<f64>) {
        let run = self.run(test);
        if run.outcome != Some(CaseOutcome::Failed) {
            run.outcome = Some(outcome);
            let took = elapsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            run.took_ms = took.and_then(|took| u64::try_from(took.as_millis()).ok());
        }
        if run.outcome == Some(CaseOutcome::Passed) {
            run.said = String::new();
        }
    }

    pub(super) fn test_says(&mut self, test: &str, output: &str) {
        let said = match mark(output) {
            Some((at, outcome, name)) => {
                let known = self.marks.entry(name.to_owned()).or_insert(outcome);
                if outcome == CaseOutcome::Failed {
                    *known = outcome;
                }
                &output[..at]
            }
            None => output,
        };
        if !CHATTER.iter().any(|chatter| said.trim_start().starts_with(chatter)) {
            // All that is logged is indented so far, whatever the depth of the test.
            keep(&mut self.run(test).said, said.strip_prefix("    ").unwrap_or(said));
        }
    }

    pub(super) fn says(&mut self, output: &str) {
        if let Some(failed) = output.strip_prefix("FAIL\t") {
            let brackets = failed.trim_end().strip_suffix(']').and_then(|failed| failed.split_once(" ["));
            self.why = brackets.map(|(_, why)| why.to_owned());
        } else if output.starts_with("ok  \t") {
            self.ok = !output.contains("[no tests to run]");
        } else if output.trim_end() == "FAIL" {
            self.finished = true;
        } else if output != "PASS\n" {
            keep(&mut self.said, output);
        }
    }

    /// The cases, once the package has ended. `passed` says how.
    pub(super) fn settle(mut self, package: &str, passed: bool) -> Vec<Case> {
        for run in &mut self.runs {
            // A benchmark has no end of its own where it printed nothing but its times.
            let timed = run.name.starts_with("Benchmark") && (passed || run.said.contains("ns/op"));
            let mark = self.marks.get(&run.name).copied();
            run.outcome = run.outcome.or(mark).or(timed.then_some(CaseOutcome::Passed));
        }
        // In a package that failed one of them may be the end of a test whose beginning made no event either.
        let mut unseen: Vec<_> = self.marks.into_iter().filter(|(name, _)| !self.latest.contains_key(name)).collect();
        unseen.retain(|(_, outcome)| !passed && *outcome == CaseOutcome::Failed);
        unseen.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let unseen = unseen.into_iter();
        self.runs.extend(unseen.map(|(name, outcome)| Run { name, outcome: Some(outcome), ..Run::default() }));
        leave_out_told(&mut self.runs);
        let said = self.said;
        let case = |run: Run| {
            let outcome = run.outcome.unwrap_or(CaseOutcome::Errored);
            let message = match (run.outcome, run.said.trim_end()) {
                (Some(CaseOutcome::Passed), _) => String::new(),
                (Some(_), own) => own.to_owned(),
                (None, "") => format!("it began and did not end\n{said}"),
                (None, own) => format!("it began and did not end\n{own}"),
            };
            let (file, line) = placed(&message, false).filter(|_| outcome.is_broken()).unzip();
            let message = Some(message.trim_end().to_owned()).filter(|message| !message.is_empty());
            Case { file, line, took_ms: run.took_ms, message, ..case(package, &run.name, outcome) }
        };
        self.runs.into_iter().map(case).collect()
    }
}

/// Leaves out the tests that did not hold, said nothing themselves and have a subtest that did not hold either.
fn leave_out_told(runs: &mut Vec<Run>) {
    let broken = |run: &Run| run.outcome.is_none_or(CaseOutcome::is_broken);
    let mut told = vec![false; runs.len()];
    let mut latest = HashMap::new();
    for (at, run) in runs.iter().enumerate() {
        for (end, _) in run.name.match_indices('/').filter(|_| broken(run)) {
            if let Some(&around) = latest.get(&run.name[..end]) {
                told[around] = true;
            }
        }
        latest.insert(run.name.as_str(), at);
    }
    let mut told = told.into_iter();
    runs.retain(|run| !(told.next() == Some(true) && broken(run) && run.said.is_empty()));
}

/// The line of an end, `--- FAIL: TestWrong (0.00s)`: where it begins, and what it says of which test.
fn mark(output: &str) -> Option<(usize, CaseOutcome, &str)> {
    let at = output.rfind("--- ")?;
    let (word, rest) = output[at + 4..].split_once(": ")?;
    let (name, _) = rest.trim_end().strip_suffix("s)")?.rsplit_once(" (")?;
    let outcome = match word {
        "PASS" => CaseOutcome::Passed,
        "FAIL" => CaseOutcome::Failed,
        "SKIP" => CaseOutcome::Skipped,
        _ => return None,
    };
    Some((at, outcome, name))
}

/// The first place that leads to a file. The compiler names it from where go was called; tests name no more than the file in
/// their package, save with `-fullpath`, in what testify logs and in the stack of a panic.
pub(super) fn placed(text: &str, of_compiler: bool) -> Option<(String, u32)> {
    text.lines().find_map(|line| {
        let (file, rest) = line.split_at(line.find(".go:")? + 3);
        let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| end + 1);
        let file = file.rsplit('\t').next()?.trim_start();
        let file = file.strip_prefix("vet: ").unwrap_or(file);
        let is_absolute = file.starts_with('/') || file.as_bytes().get(1) == Some(&b':');
        let is_told = of_compiler || (is_absolute && (file.ends_with("_test.go") || rest[end..].starts_with(": ")));
        let (_, number) = ends_with_number(&rest[..end], ':')?;
        is_told.then(|| (file.to_owned(), number))
    })
}
