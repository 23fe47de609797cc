//! What is read of the dialects of JUnit XML, and what is not believed of them.

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

#[test]
fn a_run_takes_what_its_root_says_else_its_outermost_suites() {
    let took = |root: &str| {
        let inner = "<testsuite name='in' time='4'><testcase name='a' time='4'/></testsuite>";
        let suites =
            format!("<testsuite time='1.5'>{inner}</testsuite><testsuite time='2'><testcase name='b'/></testsuite>");
        let report = format!("<testsuites{root}>{suites}</testsuites>");
        crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().tests.unwrap().took_ms
    };
    assert_eq!((took(""), took(" time='9'")), (Some(3_500), Some(9_000)));
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
    let nested =
        read("<testsuites failures='1'><testsuite name='s' failures='1'><testcase name='a'/></testsuite></testsuites>");
    assert_eq!(nested.len(), 2, "what the inner one claims is shown to the outer one: {nested:?}");
    for shown in ["><failure/></testcase>", " status='failed'/>"] {
        let failing = with(shown);
        assert_eq!((failing[0].1, failing.len()), (CaseOutcome::Failed, 1), "{shown}");
    }
}

#[test]
fn a_case_that_says_nothing_was_broken_off() {
    let outcome = |case: &str| read(&format!("<testsuite tests='0'><testcase {case}</testsuite>"))[0].1;
    assert_eq!(outcome("time='0.000' />"), CaseOutcome::Errored);
    assert_eq!(["name='a'/>", "classname='A'/>"].map(outcome), [CaseOutcome::Passed; 2]);
    assert_eq!(outcome("time='0.1'><skipped/></testcase>"), CaseOutcome::Skipped);
    assert_eq!(outcome("><skipped message='test passes unexpectedly'/></testcase>"), CaseOutcome::Failed);
}

#[test]
fn what_ctest_did_not_run_failed_but_for_what_skips_itself() {
    let outcome = |why: &str| {
        let case = format!("<testcase name='a' status='notrun'><skipped message='{why}'/></testcase>");
        read(&format!("<testsuite>{case}</testsuite>"))[0].1
    };
    for why in [
        "Unable to find executable",
        "Required Files Missing",
        "Failed to change working directory",
        "Fixture dependency failed",
        "Insufficient resources",
    ] {
        assert_eq!(outcome(why), CaseOutcome::Errored, "{why}");
    }
    for why in ["SKIP_RETURN_CODE=77", "SKIP_REGULAR_EXPRESSION_MATCHED", ""] {
        assert_eq!(outcome(why), CaseOutcome::Skipped, "{why}");
    }
}

#[test]
fn a_warning_in_place_of_a_result_is_an_error() {
    let phpunit = "<testcase name='Warning'><warning type='W'>no data</warning></testcase>";
    let cases = read(&format!("<testsuite failures='0' warnings='1'>{phpunit}</testsuite>"));
    assert_eq!(cases, [("Warning".to_owned(), CaseOutcome::Errored, Some("W\nno data".to_owned()))]);
}

#[test]
fn words_for_how_a_case_ended_are_known_or_noted() {
    let parsed = |words: &str| {
        let report = format!("<testsuite><testcase name='a' {words}/></testsuite>");
        let parsed = crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap();
        (parsed.tests.unwrap().cases[0].outcome, usize::from(parsed.unexplained_exit.is_some()))
    };
    for bad in ["aborted", "Cancelled", "canceled", "timedout", "TIMEOUT", "crash", "blocked", "hook_error"] {
        assert_eq!(parsed(&format!("status='{bad}'")), (CaseOutcome::Errored, 0), "{bad}");
        assert_eq!(parsed(&format!("status='run' result='{bad}'")), (CaseOutcome::Errored, 0), "{bad}");
    }
    for bad in ["success='False'", "executed='True' success='false'", "result='KO'"] {
        assert_eq!(parsed(bad), (CaseOutcome::Failed, 0), "{bad}");
    }
    for none in ["untested", "inconclusive"] {
        assert_eq!(parsed(&format!("status='{none}'")), (CaseOutcome::Skipped, 0), "{none}");
    }
    for good in ["", "status='run' result='completed'", "status='passed'", "success='true'"] {
        assert_eq!(parsed(good), (CaseOutcome::Passed, 0), "{good}");
    }
    assert_eq!(parsed("outcome='failed'"), (CaseOutcome::Failed, 0));
    for unknown in ["of a later version", "not ok", "NOT RUN"] {
        assert_eq!(parsed(&format!("status='{unknown}'")), (CaseOutcome::Passed, 1), "{unknown}");
    }

    let case = |word: &str| format!("<testcase name='a' status='{word}'/>");
    let report = format!("<testsuite>{}{}{}</testsuite>", case("later"), case("passed"), case("latest"));
    let doubt = crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().unexplained_exit;
    let expected =
        "2 cases have a status that is not known (the first: \"later\"), and that says nothing of how it ended";
    assert_eq!(doubt.as_deref(), Some(expected));
}

#[test]
fn tests_that_are_counted_and_not_shown_are_told() {
    let doubt = |report: &str| crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().unexplained_exit;
    let suite = |counts: &str| {
        format!("<testsuite {counts}><testcase name='a'/><testcase name='b'><skipped/></testcase></testsuite>")
    };
    let root = |counts: &str, inner: &str| format!("<testsuites {counts}>{}</testsuites>", suite(inner));
    for hidden in [
        suite("tests='3'"),
        suite("tests='3' skipped='1'"),
        root("tests='3'", ""),
        root("", "tests='3'"),
        root("tests='2'", "tests='3'"),
        root("tests='5' skipped='2'", "tests='2'"),
    ] {
        let doubt = doubt(&hidden).unwrap();
        assert!(
            doubt.starts_with("the report counts ") && doubt.ends_with(" that it does not show"),
            "{hidden}: {doubt}"
        );
    }
    for shown in [
        suite("tests='2'"),
        suite("tests='1'"),
        suite("tests='3' skipped='2'"),
        suite("tests='4' skipped='1' disabled='2'"),
        root("tests='4' skipped='3'", "tests='4'"),
        root("", "name='pytest' tests='9'"),
        suite("tests='9' hostname='tbd'"),
        suite("tests='9' doctest_version='2.4.11'"),
    ] {
        assert_eq!(doubt(&shown), None, "{shown}");
    }
}

#[test]
fn attempts_that_a_suite_does_not_count_are_joined() {
    let cases = |tests: &str, cases: &[&str]| {
        let cases = cases
            .iter()
            .map(|case| match case.strip_suffix('!') {
                Some(name) => format!("<testcase classname='t' name='{name}'><failure/></testcase>"),
                None => format!("<testcase classname='t' name='{case}'/>"),
            })
            .collect::<Vec<_>>()
            .concat();
        let report = format!("<testsuites><testsuite name='s' {tests}>{cases}</testsuite></testsuites>");
        let parsed = crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap();
        let cases = parsed.tests.unwrap().cases;
        cases.into_iter().map(|case| (case.name, case.outcome, case.flaky)).collect::<Vec<_>>()
    };
    let case = |name: &str, outcome, flaky| (name.to_owned(), outcome, flaky);
    let (passed, failed) = (CaseOutcome::Passed, CaseOutcome::Failed);
    assert_eq!(cases("tests='1'", &["a", "a"]), [case("a", passed, true)]);
    assert_eq!(
        cases("tests='3'", &["a", "a", "b!", "c", "c", "c!"]),
        [case("a", passed, true), case("b", failed, false), case("c", failed, false)]
    );
    let both = [case("a", passed, false), case("a", passed, false)];
    assert_eq!(cases("tests='2'", &["a", "a"]), both, "it counts both");
    assert_eq!(cases("", &["a", "a"]), both, "it counts nothing");
    assert_eq!(cases("tests='1'", &["a!", "a!"]), [case("a", failed, false), case("a", failed, false)]);
    assert_eq!(
        cases("tests='2'", &["a", "a", "a"]),
        [case("a", passed, false), case("a", passed, true)],
        "one too many"
    );
}

#[test]
fn failures_that_node_counts_and_does_not_show_are_a_case() {
    let report = |suites: &str, fail: u32, cancelled: u32| {
        let counts = [("tests", 9), ("pass", 5), ("fail", fail), ("cancelled", cancelled), ("skipped", 4), ("todo", 3)];
        let counts = counts.map(|(what, number)| format!("<!-- {what} {number} -->")).concat();
        read(&format!("<testsuites>{suites}{counts}</testsuites>"))
    };
    let suite =
        |case: &str| format!("<testsuite name='par' tests='1' failures='0'><testcase name='k'{case}</testsuite>");
    let with = |case: &str, fail, cancelled| report(&suite(case), fail, cancelled);
    assert_eq!(with("/>", 0, 0).len(), 1);
    for (fail, cancelled) in [(1, 0), (0, 1)] {
        let own = with("/>", fail, cancelled);
        assert_eq!((own[0].1, own[1].1), (CaseOutcome::Passed, CaseOutcome::Errored), "{own:?}");
    }
    let inside = "><failure/></testcase>";
    assert_eq!((with(inside, 2, 0).len(), with(inside, 3, 0).len()), (1, 2), "its parent fails with it");
    let two = suite(inside) + &suite(inside);
    assert_eq!((report(&two, 4, 0).len(), report(&two, 5, 0).len()), (2, 3), "and so does each of two");
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

fn cases(report: &str) -> Vec<Case> {
    crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().tests.unwrap().cases
}

#[test]
fn attempts_of_pytest_are_joined_whatever_it_counts() {
    let case = "<testcase classname='t' name='a'/>";
    let outcomes = |cases_of: &str| {
        let report = format!("<testsuites><testsuite name='pytest' tests='9'>{cases_of}</testsuite></testsuites>");
        cases(&report).iter().map(|case| (case.outcome, case.flaky)).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&format!("{case}{case}")), [(CaseOutcome::Passed, true)]);
    let failed = "<testcase classname='t' name='a'><failure/></testcase>";
    assert_eq!(outcomes(&format!("{case}{failed}")), [(CaseOutcome::Failed, false)]);
}

#[test]
fn pytest_has_lines_from_zero() {
    let line = |suite: &str, line: u32| {
        let case = format!("<testcase classname='t' name='a' file='t.py' line='{line}'/>");
        cases(&format!("<testsuites><testsuite name='{suite}'>{case}</testsuite></testsuites>"))[0].line
    };
    assert_eq!([line("pytest", 0), line("pytest", 3), line("other", 3)], [Some(1), Some(4), Some(3)]);
}

#[test]
fn a_file_without_a_test_is_no_test() {
    let outcome = |name: &str, class: &str| {
        cases(&format!("<testsuites><testcase name='{name}' classname='{class}'/></testsuites>"))[0].outcome
    };
    assert_eq!(["/r/a.test.mjs", "C:\\r\\a.mjs"].map(|name| outcome(name, "test")), [CaseOutcome::Skipped; 2]);
    assert_eq!([outcome("a", "test"), outcome("/r/a", "x")], [CaseOutcome::Passed; 2]);
    let failed = "<testsuites><testcase name='/r/a.mjs' classname='test'><failure/></testcase></testsuites>";
    assert_eq!(cases(failed)[0].outcome, CaseOutcome::Failed);
    let inside = "<testsuites><testsuite name='s'><testcase name='/r/a' classname='test'/></testsuite></testsuites>";
    assert_eq!(cases(inside)[0].outcome, CaseOutcome::Passed);
}

#[test]
fn a_risky_test_of_phpunit_proves_nothing_and_does_not_fail() {
    let risky = r"<error type='PHPUnit\Framework\RiskyTestError'>no assertions</error>";
    let shown = cases(&format!("<testsuite name='s' errors='1'><testcase name='a'>{risky}</testcase></testsuite>"));
    assert_eq!((shown.len(), shown[0].outcome), (1, CaseOutcome::Skipped));
    let both = format!("<testsuite name='s'><testcase name='a'>{risky}<failure/></testcase></testsuite>");
    assert_eq!(cases(&both)[0].outcome, CaseOutcome::Failed);
}

#[test]
fn a_test_of_go_that_was_run_again_ends_as_its_last_run() {
    let outcomes = |go: &str, runs: &[&str]| {
        let run = |run: &&str| match run.strip_suffix('!') {
            Some(name) => format!("<testcase classname='p' name='{name}'><failure message='no'/></testcase>"),
            None => format!("<testcase classname='p' name='{run}'/>"),
        };
        let runs: String = runs.iter().map(run).collect();
        let property = format!("<properties><property name='{go}' value='go1.19'/></properties>");
        let report = format!("<testsuites><testsuite name='p' failures='1'>{property}{runs}</testsuite></testsuites>");
        cases(&report).into_iter().map(|case| (case.name, case.outcome, case.flaky)).collect::<Vec<_>>()
    };
    let case = |name: &str, outcome, flaky| (name.to_owned(), outcome, flaky);
    let (passed, failed) = (CaseOutcome::Passed, CaseOutcome::Failed);
    let rerun = ["a!", "b", "a!", "a"];
    assert_eq!(outcomes("go.version", &rerun), [case("b", passed, false), case("a", passed, true)]);
    assert_eq!(outcomes("other", &rerun).iter().filter(|case| case.1 == failed).count(), 2);
    assert_eq!(outcomes("go.version", &["a!", "a!"]), [case("a", failed, false), case("a", failed, false)]);
    assert_eq!(outcomes("go.version", &["a!", "b", "a", "b"])[0].1, failed, "all were run twice");
}

#[test]
fn a_place_stands_in_the_stack_of_vitest() {
    let text = "Error: bad\n \u{276f} add src/add.js:2:9\n \u{276f} t/a.test.js:4:15\n";
    assert_eq!(of_stack(text, Some("t/a.test.js")), Some(("t/a.test.js", 4)));
    assert_eq!(of_stack(text, None), Some(("src/add.js", 2)));
    assert_eq!(of_stack("at t/a.test.js:4:15\n \u{276f} a test\n", None), None);
    let report = format!(
        "<testsuite name='t/a.test.js'><testcase name='a' classname='t/a.test.js'><failure>{text}</failure></testcase></testsuite>"
    );
    let tests = crate::parse::find("junit").unwrap().parse(report.as_bytes()).unwrap().tests.unwrap();
    assert_eq!((tests.cases[0].file.as_deref(), tests.cases[0].line), (Some("t/a.test.js"), Some(4)));
    assert_eq!(tests.cases[0].named().to_string(), "t/a.test.js \u{203a} a", "once");
}
