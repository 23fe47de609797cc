//! What hides in the events of Go: ends that are missing, lost, forged or torn, and who is told of a failure.

use super::*;

use CaseOutcome::{Errored, Failed, Passed, Skipped};

/// An event of the package `p`.
fn of(action: &str, test: &str, output: &str) -> String {
    let mut event = serde_json::json!({ "Action": action, "Package": "p" });
    for (key, value) in [("Test", test), ("Output", output)] {
        if !value.is_empty() {
            event[key] = value.into();
        }
    }
    format!("{event}\n")
}

/// Events without a word: `run TestA`, `fail`.
fn events(lines: &[&str]) -> String {
    lines.iter().map(|line| line.split_once(' ').unwrap_or((line, ""))).map(|(a, test)| of(a, test, "")).collect()
}

fn cases(text: &str) -> Vec<(String, CaseOutcome)> {
    let tests = FORMAT.parse(text.as_bytes()).unwrap().tests.unwrap();
    tests.cases.into_iter().map(|case| (case.name, case.outcome)).collect()
}

fn named(all: &[(&str, CaseOutcome)]) -> Vec<(String, CaseOutcome)> {
    all.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect()
}

#[test]
fn a_package_that_fails_is_never_lost() {
    assert_eq!(cases(&events(&["start", "fail"])), named(&[("(package)", Errored)]));
    let after = ["run TestA", "pass TestA", "fail"];
    assert_eq!(cases(&events(&after)), named(&[("TestA", Passed), ("(package)", Errored)]));
    let open = ["run TestA", "run TestB", "pass TestB", "fail"];
    assert_eq!(cases(&events(&open)), named(&[("TestA", Errored), ("TestB", Passed)]));
    let passed = ["run TestA", "pass"];
    assert_eq!(cases(&events(&passed)), named(&[("TestA", Errored)]), "whatever the package says");
    let text = "FAIL\tp [build failed]\n";
    assert_eq!(cases(text), named(&[("build failed", Errored)]));
    assert_eq!(cases("FAIL\tp\t0.003s\n"), named(&[("(package)", Errored)]));
    let build = "{\"ImportPath\":\"q\",\"Action\":\"build-fail\"}\n";
    assert_eq!(cases(build), named(&[("build failed", Errored)]));
}

#[test]
fn a_known_failure_does_not_explain_the_tests_behind_it() {
    let doubt = |end: &[&str]| {
        let text =
            events(&["run TestA", "fail TestA"]) + &end.iter().map(|said| of("output", "", said)).collect::<String>();
        FORMAT.parse((text + &of("fail", "", "")).as_bytes()).unwrap().unexplained_exit
    };
    assert_eq!(doubt(&["FAIL\n", "exit status 1\n", "FAIL\tp\t0.1s\n"]), None);
    assert!(doubt(&["exit status 2\n", "FAIL\tp\t0.1s\n"]).unwrap().contains("broke off"));
}

#[test]
fn every_package_must_end() {
    let read = |text: &str| FORMAT.parse(text.as_bytes());
    for lines in [&["start"][..], &["run TestA", "fail TestA"], &["start", "pass", "run TestA"]] {
        assert!(matches!(read(&events(lines)), Err(ParseError::Truncated { .. })), "{lines:?}");
    }
    let error = read(&events(&["run TestA", "fail TestA"])).unwrap_err().to_string();
    assert!(error.ends_with("\"p\" has not ended; 1 test has failed before"), "{error}");
}

#[test]
fn a_part_of_an_event_is_not_passed_over() {
    let whole = events(&["run TestA", "fail TestA", "pass"]);
    let (first, rest) = whole.split_once('\n').unwrap();
    for cut in [1, 12, 30, first.len() - 1] {
        let (begin, end) = first.split_at(cut);
        let torn = format!("{}{begin}\n{rest}", events(&["pass"]));
        assert!(FORMAT.parse(torn.as_bytes()).is_err() || cut == 1, "{begin}");
        let error = FORMAT.parse(format!("{}{begin}", events(&["pass"])).as_bytes()).unwrap_err();
        assert!(matches!(error, ParseError::Truncated { .. }), "{begin}: {error}");
        assert!(cut > 12 || FORMAT.parse(format!("{end}\n{rest}").as_bytes()).is_err(), "{end}");
    }
    let around = format!("go: downloading x v1.0.0\n> make test\n{{\n{{\"level\":\"info\"}}\n{}", events(&["pass"]));
    assert_eq!(FORMAT.parse(around.as_bytes()).unwrap().notes, ["3 lines were no event of go test"]);
}

#[test]
fn the_end_of_a_test_that_prints_no_line_end_is_read_from_its_line() {
    let text = |end: &str, last: &str| {
        events(&["run TestA"]) + &of("output", "TestA", &format!("open--- {end}: TestA (0.01s)\n")) + &events(&[last])
    };
    assert_eq!(cases(&text("PASS", "pass")), named(&[("TestA", Passed)]));
    assert_eq!(cases(&text("SKIP", "pass")), named(&[("TestA", Skipped)]));
    assert_eq!(cases(&text("FAIL", "fail")), named(&[("TestA", Failed)]));
    let lost = events(&["run TestA"]) + &of("output", "TestA", "x=== RUN   TestB\n") + &events(&["pass TestA"]);
    let lost = lost + &of("output", "TestA", "y--- FAIL: TestB (0.00s)\n") + &events(&["fail"]);
    assert_eq!(cases(&lost), named(&[("TestA", Passed), ("TestB", Failed)]), "its beginning is no event either");
}

#[test]
fn a_test_that_failed_stays_so() {
    let forged = ["run TestA", "fail TestA", "pass TestA", "pass"];
    assert_eq!(cases(&events(&forged)), named(&[("TestA", Failed)]));
    let late = ["run TestA", "pass TestA", "fail TestA", "fail"];
    assert_eq!(cases(&events(&late)), named(&[("TestA", Failed)]));
    let again = ["run TestA", "fail TestA", "run TestA", "pass TestA", "fail"];
    assert_eq!(cases(&events(&again)), named(&[("TestA", Failed), ("TestA", Passed)]), "each run counts");
}

#[test]
fn a_test_around_a_failed_one_is_told_of_once_unless_it_says_more() {
    let runs = ["run T", "run T/a", "run T/a/b", "run T/c"];
    let ends = ["pass T/c", "fail T/a/b", "fail T/a", "fail T", "fail"];
    let silent = events(&runs) + &events(&ends);
    assert_eq!(cases(&silent), named(&[("T/a/b", Failed), ("T/c", Passed)]));
    let says = events(&runs) + &of("output", "T", "    x_test.go:7: and this\n") + &events(&ends);
    assert_eq!(cases(&says), named(&[("T", Failed), ("T/a/b", Failed), ("T/c", Passed)]));
    let good = ["run T", "run T/a", "pass T/a", "fail T", "fail"];
    assert_eq!(cases(&events(&good)), named(&[("T", Failed), ("T/a", Passed)]));
    let again = ["run T", "run T/a", "fail T/a", "fail T", "run T", "run T/a", "pass T/a", "fail T", "fail"];
    let all = [("T/a", Failed), ("T", Failed), ("T/a", Passed)];
    assert_eq!(cases(&events(&again)), named(&all), "of the same run");
}

#[test]
fn benchmarks_have_no_end_of_their_own() {
    assert_eq!(cases(&events(&["run BenchmarkA", "pass"])), named(&[("BenchmarkA", Passed)]));
    let timed = |said: &str| events(&["run BenchmarkA"]) + &of("output", "BenchmarkA", said) + &events(&["fail"]);
    let all = [("BenchmarkA", Passed), ("(package)", Errored)];
    assert_eq!(cases(&timed("BenchmarkA-2 \t 1\t 9.0 ns/op\n")), named(&all));
    assert_eq!(cases(&timed("BenchmarkA\n")), named(&[("BenchmarkA", Errored)]));
}

#[test]
fn a_place_is_given_where_it_leads_to_a_file() {
    let place = |text: &str, of_compiler| placed(text, of_compiler).map(|(file, line)| format!("{file} {line}"));
    for (text, expected) in [
        ("till_test.go:22: Sum(1, 2) = 3", None),
        ("/home/dev/till.go:22: no", Some("/home/dev/till.go 22")),
        ("C:\\dev\\a b\\x_test.go:7: no", Some("C:\\dev\\a b\\x_test.go 7")),
        ("x_test.go:9: \n\tError Trace:\t/r/x_test.go:9\n", Some("/r/x_test.go 9")),
        ("panic: no\n\t/usr/lib/go/src/testing/testing.go:13 +0x2\n\t/r/x_test.go:3 +0x2e\n", Some("/r/x_test.go 3")),
        ("a.go:x: /r/y_test.go:9: no", None),
    ] {
        assert_eq!(place(text, false).as_deref(), expected, "{text}");
    }
    assert_eq!(place("# p\nvet: a/b.go:3:14: no\n", true).as_deref(), Some("a/b.go 3"));
}

#[test]
fn a_package_that_passes_without_a_test_is_told() {
    let notes = |said: &str| {
        let text = of("output", "", said) + &events(&["pass"]);
        FORMAT.parse(text.as_bytes()).unwrap().notes
    };
    assert_eq!(notes("ok  \tp\t0.010s\n"), ["\"p\" passed and ran no test"]);
    assert_eq!(notes("ok  \tp\t0.010s [no tests to run]\n"), [""; 0]);
}
