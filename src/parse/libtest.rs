//! The text of `cargo test`: blocks from `running 3 tests` to `test result: …`, one a binary. The announced number, the
//! lines of the tests, the list of failures and the result are held against each other; what does not fit is an
//! errored case. What a test prints itself can add failures, never hide them.

mod block;

use crate::model::evidence::Parsed;
use crate::model::tests::{Case, CaseOutcome, Tests};
use crate::model::text::{clean, one_line};
use crate::parse::lines::NO_LINE_END;
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream};
use block::{Block, Totals, announced};

pub(super) static FORMAT: Format = Format {
    name: "libtest",
    about: "the text of `cargo test`, of any number of test binaries and doc tests",
    stream: Stream::Both,
    empty: Empty::Error,
    recognises: |head| String::from_utf8_lossy(head).lines().any(|line| announced(line).is_some()),
    reader: Reader::Lines(|| Box::<Libtest>::default()),
};

const EXPECTED: &str = "the text of `cargo test`, from `running N tests` to `test result: …`";

#[derive(Default)]
struct Libtest {
    tests: Tests,
    notes: Vec<String>,
    /// The binary that runs, from cargo's `Running …` and `Doc-tests …`.
    suite: Option<String>,
    /// That binary has a case that failed or errored.
    red: bool,
    block: Option<Block>,
    blocks: usize,
    offset: usize,
    first_line: Option<String>,
}

impl LineParser for Libtest {
    fn line(&mut self, text: &str) {
        self.offset += text.len() + 1;
        if text.contains('\u{1b}') { self.plain_line(&clean(text)) } else { self.plain_line(text) }
    }

    fn end(mut self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        if let Some(block) = self.block.take() {
            let Some(how) = block.abandoned() else {
                let what = block.progress();
                return Err(ParseError::Truncated { expected: EXPECTED, offset: self.offset, what });
            };
            self.leave(block, how);
        }
        if self.blocks == 0 {
            return Err(match self.first_line {
                None => ParseError::Empty { expected: EXPECTED },
                Some(line) => ParseError::Malformed { expected: EXPECTED, got: format!("no tests but {line:?}") },
            });
        }
        if !complete {
            self.notes.push(NO_LINE_END.to_owned());
        }
        Ok(Parsed { tests: Some(self.tests), notes: self.notes, ..Parsed::default() })
    }
}

impl Libtest {
    fn plain_line(&mut self, text: &str) {
        // While failures are shown, everything may be the output of a test, up to a result that fits.
        let quoting = self.block.as_ref().is_some_and(Block::shows_failures);
        if quoting {
            self.in_block(text);
        } else if let Some(suite) = suite(text) {
            self.end_block("the next test binary began");
            self.suite = Some(suite);
            self.red = false;
        } else if let Some(how) = text.strip_prefix("  process didn't exit successfully: ") {
            self.end_block(&format!("the test binary did not exit successfully: {}", how_it_ended(how)));
        } else if self.block.is_some() {
            self.in_block(text);
        } else {
            self.between_blocks(text);
        }
    }

    fn in_block(&mut self, text: &str) {
        let Some(mut block) = self.block.take() else { return };
        match block.line(text) {
            None => self.block = Some(block),
            Some(totals) => self.finish(block, &totals),
        }
    }

    fn between_blocks(&mut self, text: &str) {
        if let Some(count) = announced(text) {
            self.blocks += 1;
            self.block = Some(Block::new(self.suite.clone(), count));
        } else if let Some(name) = block::failed_test(text) {
            // Out of its block: a line that another one tore away, or a result that a test printed too early.
            self.push(block::case(self.suite.clone(), name, CaseOutcome::Failed));
        } else if let Some(what) = text.strip_prefix("error: could not compile ") {
            self.first_line = Some(one_line(text, 200));
            self.errored(what.split(" (").next().unwrap_or(what), text);
        } else if text.starts_with("error: test failed") || text.starts_with("error: doctest failed") {
            if !self.red {
                let name = self.suite.clone().unwrap_or_else(|| "test binary".to_owned());
                self.errored(&name, "cargo says that it failed, and none of its tests did");
            }
        } else if Totals::read(text).is_some_and(|totals| !totals.good) {
            // The result of a block that a test's own print has closed before its end.
            let name = self.suite.clone().unwrap_or_else(|| "test binary".to_owned());
            self.errored(&name, text);
        } else if self.first_line.is_none() && !text.trim().is_empty() {
            self.first_line = Some(one_line(text, 80));
        }
    }

    fn end_block(&mut self, how: &str) {
        if let Some(block) = self.block.take() {
            self.leave(block, how);
        }
    }

    /// Ends a block that has no result.
    fn leave(&mut self, block: Block, how: &str) {
        for case in block.broken_off(how) {
            self.push(case);
        }
    }

    fn finish(&mut self, block: Block, totals: &Totals) {
        if let Some(took_ms) = totals.took_ms {
            self.tests.took_ms = Some(self.tests.took_ms.unwrap_or(0).saturating_add(took_ms));
        }
        let (cases, note) = block.finish(totals);
        self.notes.extend(note);
        for case in cases {
            self.push(case);
        }
    }

    fn errored(&mut self, name: &str, message: &str) {
        let case = block::case(self.suite.clone(), name, CaseOutcome::Errored);
        self.push(Case { message: Some(message.to_owned()), ..case });
    }

    fn push(&mut self, case: Case) {
        self.red |= case.outcome.is_broken();
        self.tests.cases.push(case);
    }
}

/// What did not compile, of the text that cargo and rustc print for people, with the place of the first error.
#[must_use]
pub fn not_compiled(text: &str) -> Option<String> {
    let mut in_error = false;
    let mut place = None;
    for line in text.lines() {
        let line = &*clean(line);
        if let Some(what) = line.strip_prefix("error: could not compile ") {
            let what = what.split(" due to ").next().unwrap_or(what);
            let place = place.map_or_else(String::new, |place| format!(": {place}"));
            return Some(format!("{} did not compile{place}", one_line(what, 80)));
        }
        if !line.starts_with(' ') {
            in_error = line.starts_with("error");
        } else if let (true, None, Some(at)) = (in_error, &place, line.trim_start().strip_prefix("--> ")) {
            // Without the column.
            place = Some(one_line(at.rsplit_once(':').map_or(at, |(at, _)| at), 200));
        }
    }
    None
}

/// The binary in cargo's lines `     Running tests/till.rs (target/debug/deps/till-80af19a7da14758a)` and
/// `   Doc-tests shop`.
fn suite(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{name} (doc)"));
    }
    let rest = line.strip_prefix("     Running ")?;
    let path = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map_or(rest, |(_, path)| path);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    Some(match name.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name.to_owned(),
        _ => name.to_owned(),
    })
}

/// `signal: 6, SIGABRT: …` of cargo's `` `/path/to/binary args` (signal: 6, SIGABRT: …)``.
fn how_it_ended(text: &str) -> &str {
    text.rsplit_once("` (").map_or(text, |(_, how)| how.trim_end_matches(')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, CaseOutcome)>, Vec<String>) {
        let parsed = FORMAT.parse(text.as_bytes()).unwrap();
        let cases = parsed.tests.unwrap().cases.into_iter().map(|case| (case.name, case.outcome)).collect();
        (cases, parsed.notes)
    }

    fn named(cases: &[(&str, CaseOutcome)]) -> Vec<(String, CaseOutcome)> {
        cases.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect()
    }

    fn result(word: &str, passed: usize, failed: usize) -> String {
        format!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n")
    }

    #[test]
    fn colours_are_taken_off() {
        let text =
            format!("running 1 test\ntest a ... \u{1b}[32mok\u{1b}[0m\n\n{}", result("\u{1b}[32mok\u{1b}[0m", 1, 0));
        assert_eq!(read(&text), (named(&[("a", CaseOutcome::Passed)]), vec![]));
    }

    #[test]
    fn tests_that_a_quiet_run_does_not_name_are_counted() {
        let (cases, notes) = read(&format!("running 1 test\n.\n{}", result("ok", 1, 0)));
        assert_eq!((cases.len(), cases[0].1), (1, CaseOutcome::Passed));
        let said = "1 test of a test binary is counted from its result: its line was not readable";
        assert_eq!(notes, [said]);
    }

    #[test]
    fn without_tests_the_first_words_are_told() {
        let error = FORMAT.parse(b"\n  \nhello\nbye\n").unwrap_err().to_string();
        assert!(error.contains("no tests but \"hello\""), "{error}");
        assert!(matches!(FORMAT.parse(b"\n  \n"), Err(ParseError::Empty { .. })));
    }

    #[test]
    fn a_failure_that_no_test_explains_is_a_case() {
        let said = "error: test failed, to rerun pass `--lib`\n";
        let green = format!(
            "     Running src/lib.rs (target/debug/deps/x-0123456789abcdef)\nrunning 1 test\ntest a ... ok\n{}{said}",
            result("ok", 1, 0)
        );
        assert_eq!(read(&green).0, named(&[("a", CaseOutcome::Passed), ("x", CaseOutcome::Errored)]));
        let red = format!("running 1 test\ntest a ... FAILED\n{}{said}", result("FAILED", 0, 1));
        assert_eq!(read(&red).0, named(&[("a", CaseOutcome::Failed)]));
    }

    #[test]
    fn what_did_not_compile_is_told_with_its_first_place() {
        let warned = "warning: unused\n --> src/a.rs:1:2\n";
        let error = "\u{1b}[1merror[E0308]\u{1b}[0m: mismatched types\n   --> src/kebab.rs:79:9\n    |\n79 |   1\n --> b.rs:1:1\n";
        let closed = "error: could not compile `heck` (lib) due to 1 previous error\n";
        let said = not_compiled(&format!("{warned}{error}{closed}"));
        assert_eq!(said.as_deref(), Some("`heck` (lib) did not compile: src/kebab.rs:79"));
        assert_eq!(not_compiled(closed).as_deref(), Some("`heck` (lib) did not compile"));
        assert_eq!(not_compiled(&format!("{warned}{error}")), None);
    }

    #[test]
    fn a_binary_is_named_without_its_hash() {
        let of = |name: &str| suite(&format!("     Running tests/x.rs (target/debug/deps/{name})")).unwrap();
        assert_eq!(of("a-b-0123456789abcdef"), "a-b");
        assert_eq!(of("a-0123456789abcdef.exe"), "a");
        for whole in ["a", "a-0123456789abcdeg", "a-0123456789abcde", "a-0123456789abcdef0"] {
            assert_eq!(of(whole), whole);
        }
    }

    #[test]
    fn what_is_listed_has_failed_whatever_its_line_says() {
        let text = format!(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n    a\n    b\n\n{}",
            result("FAILED", 0, 2)
        );
        assert_eq!(read(&text).0, named(&[("a", CaseOutcome::Failed), ("b", CaseOutcome::Failed)]));
        let more =
            format!("running 1 test\ntest a ... FAILED\n\nfailures:\n    a\n    b\n\n{}", result("FAILED", 0, 1));
        assert_eq!(read(&more).0, named(&[("a", CaseOutcome::Failed)]), "more names than tests");
        let printed = format!(
            "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nfailures:\nreally\n    b\n{}",
            result("FAILED", 0, 1)
        );
        assert_eq!(read(&printed).0, named(&[("a", CaseOutcome::Failed)]), "a test printed the list");
    }

    #[test]
    fn lines_inside_an_open_test_are_its_own_but_for_failures() {
        let text = format!(
            "running 2 tests\ntest outer ... hi\ntest mine ... ok\ntest inner ... FAILED <0.05s>\nok\n{}",
            result("FAILED", 1, 1)
        );
        assert_eq!(read(&text).0, named(&[("inner", CaseOutcome::Failed), ("outer", CaseOutcome::Passed)]));
        let (cases, notes) = read(&format!("running 1 test\ntest a ... hi\n{}", result("ok", 1, 0)));
        assert_eq!((cases, notes.len()), (named(&[("a", CaseOutcome::Passed)]), 1));
    }

    #[test]
    fn a_result_ends_the_innermost_block_that_it_fits() {
        let inner = format!("running 1 test\ntest inner ... ok\n\n{}", result("ok", 1, 0));
        let quoted = format!(
            "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\n{inner}\n\nfailures:\n    a\n\n{}",
            result("FAILED", 0, 1)
        );
        assert_eq!(read(&quoted).0, named(&[("a", CaseOutcome::Failed)]));
        let printed = format!("running 2 tests\ntest a ... {inner}ok\ntest b ... ok\n{}", result("ok", 2, 0));
        assert_eq!(read(&printed).0, named(&[("a", CaseOutcome::Passed), ("b", CaseOutcome::Passed)]));
        let unended = format!("running 2 tests\ntest a ... running 7 tests\nok\ntest b ... ok\n{}", result("ok", 2, 0));
        assert_eq!(read(&unended).0.len(), 2, "what was printed has no result");
    }

    #[test]
    fn the_result_of_the_next_binary_is_not_that_of_one_that_was_aborted() {
        let next = format!("running 2 tests\ntest c ... ok\ntest d ... ok\n\n{}", result("ok", 2, 0));
        let error = FORMAT.parse(format!("\nrunning 2 tests\n\n{next}").as_bytes()).unwrap_err();
        assert!(matches!(error, ParseError::Truncated { .. }), "{error}");
        assert!(FORMAT.parse(format!("{next}\n{next}").as_bytes()).is_ok());
    }

    #[test]
    fn a_result_of_failure_outside_of_its_block_is_a_case() {
        let early = format!("running 1 test\ntest a ... hi\n{}", result("ok", 1, 0));
        let (cases, _) = read(&format!("{early}test a ... FAILED\n\n{}", result("FAILED", 0, 1)));
        let outcomes: Vec<_> = cases.iter().map(|(_, outcome)| *outcome).collect();
        assert_eq!(outcomes, [CaseOutcome::Passed, CaseOutcome::Failed, CaseOutcome::Errored]);
        let (cases, _) = read(&format!("{early}{}", result("ok", 1, 0)));
        assert_eq!(cases, named(&[("a", CaseOutcome::Passed)]));
    }

    #[test]
    fn a_test_has_one_name_in_its_line_and_in_the_lists() {
        let text = format!(
            "running 3 tests\ntest [ui] m bad   ... FAILED\ntest      panics  ... FAILED\ntest      b       ... ok\n\n\
             failures:\n\n---- m bad ----\nboom\n\n---- panics ----\nx\n\n\nfailures:\n    m bad\n    panics\n\n{}",
            result("FAILED", 1, 2)
        );
        let cases = FORMAT.parse(text.as_bytes()).unwrap().tests.unwrap().cases;
        let of: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.message.as_deref())).collect();
        assert_eq!(of, [("m bad", Some("boom")), ("panics", Some("x")), ("b", None)]);

        let lines = ["(line 10) - compile", "(line 7) - compile fail", "(line 3) - should panic"];
        let lines = lines.map(|end| format!("test src/lib.rs - f {end} ... FAILED\n")).concat();
        let list = [10, 7, 3].map(|line| format!("    src/lib.rs - f (line {line})\n")).concat();
        let (cases, _) =
            read(&format!("running 3 tests\n{lines}\nfailures:\n\nfailures:\n{list}\n{}", result("FAILED", 0, 3)));
        let names: Vec<_> = cases.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["src/lib.rs - f (line 10)", "src/lib.rs - f (line 7)", "src/lib.rs - f (line 3)"]);
    }

    #[test]
    fn the_failure_of_one_test_is_not_that_of_what_another_has_printed() {
        let text = format!(
            "running 1 test\ntest tests/ui/a.rs ... mismatch\ntest ui ... FAILED\n\nfailures:\n    ui\n\n{}",
            result("FAILED", 0, 1)
        );
        assert_eq!(read(&text).0, named(&[("ui", CaseOutcome::Failed)]));
    }

    #[test]
    fn the_output_of_each_failed_test_is_its_message() {
        let longest = "x".repeat(block::LONGEST_MESSAGE);
        let text = format!(
            "running 2 tests\ntest a ... FAILED\ntest b ... FAILED\n\nfailures:\n\n---- a stdout ----\n    not a name\nof a\n{longest}\n\n\
             ---- b stdout ----\n{longest}\nof b\n\n\nfailures:\n    a\n    b\n\n{}",
            result("FAILED", 0, 2)
        );
        let cases = FORMAT.parse(text.as_bytes()).unwrap().tests.unwrap().cases;
        let said: Vec<_> = cases.iter().map(|case| case.message.as_deref().unwrap()).collect();
        assert_eq!(said, ["not a name\nof a", "of b"]);
    }

    #[test]
    fn a_binary_that_ends_before_its_tests_is_a_case() {
        let text = format!(
            "     Running src/lib.rs (x-0123456789abcdef)\nrunning 2 tests\ntest a ... ok\n\
             \x20    Running tests/y.rs (y-0123456789abcdef)\nrunning 1 test\ntest b ... ok\n{}",
            result("ok", 1, 0)
        );
        let all = [("a", CaseOutcome::Passed), ("x", CaseOutcome::Errored), ("b", CaseOutcome::Passed)];
        assert_eq!(read(&text).0, named(&all));
    }
}
