//! Ends of real runs, of which some ran no test.

use super::*;

fn round(log: &str) -> Round {
    let mut tests = Tests::default();
    for line in log.lines() {
        tests.read(line.trim());
    }
    tests.end().0
}

const NODE: &str = "TAP version 13\n# Subtest: a\nok 1 - a # SKIP\n# Subtest: s\n    # Subtest: b\n    ok 1 - b # SKIP\n    # Subtest: c\n    \
                    ok 2 - c # TODO\n    1..2\nok 2 - s\n1..2\n# tests 3\n# suites 1\n# pass 0\n# fail 0\n# cancelled 0\n# skipped 2\n# todo 1\n# \
                    duration_ms 72.116592\n";
const UNITTEST: &str = "s\n-------\nRan 1 test in 0.000s\n\nOK (skipped=1)\n";
const IGNORED: &str = "\nrunning 1 test\ntest tests::a ... ignored\n\ntest result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered \
                       out; finished in 0.00s\n";

#[test]
fn a_run_whose_tests_were_all_skipped_ran_none() {
    for log in [
        NODE,
        "\u{fe63} a (0.7ms) # SKIP\n\u{25b6} s\n\u{2139} tests 3\n\u{2139} suites 1\n\u{2139} pass 0\n\u{2139} fail 0\n\u{2139} skipped 2\n\u{2139} todo 1\n",
        " Test Files  1 skipped (1)\n      Tests  1 skipped | 1 todo (2)\n   Start at  04:25:59\n   Duration  185ms (transform 16ms)\n",
        "Test Suites: 1 skipped, 0 of 1 total\nTests:       1 skipped, 1 todo, 2 total\nSnapshots:   0 total\nTime:        0.284 s\n",
        "\n  a\n    - b\n\n\n  0 passing (1ms)\n  1 pending\n",
        "  - [skip] a\n  - [todo] x\n  \u{2500}\n\n  1 test skipped\n  1 test todo\n",
        "a.js\n  (0 / 0)\n\n  Total:     0\n  Passed:    0\n  Skipped:   1\n  Duration:  0.42ms\n",
        "TAP version 14\nok 1 - a # SKIP\nok 2 - b # TODO\n1..2\n# { total: 2, pass: 0, todo: 1, skip: 1 }\n# time=4.599ms\n",
        "1..1\nok 1 a # skip no\n",
        "collected 1 item\n\np/test_a.py s           [100%]\n\n=========== 1 skipped in 0.45s ===========\n",
        "s                 [100%]\n1 skipped, 1 warning in 61.45s (0:01:01)\n",
        UNITTEST,
        IGNORED,
        "Finished in 0.00193 seconds (files took 0.04092 seconds to load)\n2 examples, 0 failures, 2 pending\n",
        "1 runs, 0 assertions, 0 failures, 0 errors, 1 skips\n\nYou have skipped tests. Run with --verbose for details.\n",
        "1/2 Test #1: a ................................***Not Run (Disabled)   0.00 sec\n2/2 Test #2: b \
         ................................***Skipped   0.00 sec\n\n100% tests passed, 0 tests failed out of 1\n",
        "=== RUN   TestA\n    x_test.go:3: no\n--- SKIP: TestA (0.00s)\nPASS\nok  \te.org/x\t0.002s\n",
        "[WARNING] Tests run: 1, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.01 s -- in a.T\n[WARNING] Tests run: 1, Failures: 0, \
         Errors: 0, Skipped: 1\n",
        "OK, but some tests were skipped!\nTests: 1, Assertions: 0, Skipped: 1.\n",
        "Skipped! - Failed:     0, Passed:     0, Skipped:     1, Total:     1, Duration: 5 ms - a.dll (net8.0)\n",
        "Running 1 test using 1 worker\n\n  -  1 a.spec.js:2:6 \u{203a} a\n\n  1 skipped\n",
        " 0 pass\n 1 skip\n 0 fail\nRan 1 test across 1 file. [5.00ms]\n",
        "web:test: \u{2139} tests 1\nweb:test: \u{2139} pass 0\nweb:test: \u{2139} skipped 1\n",
        "packages/a test:       Tests  1 skipped (1)\n",
        "1 scenario (1 skipped)\n2 steps (2 skipped)\n",
        "ok | 0 passed | 0 failed | 1 ignored (1ms)\n",
        "Executed 1 test, with 1 test skipped and 0 failures (0 unexpected) in 0.001 (0.002) seconds\n",
    ] {
        assert!(matches!(round(log), Round::Skipped(_)), "{log}");
    }
}

#[test]
fn the_line_that_says_it_is_the_summary() {
    for (log, line) in [
        (NODE, "# skipped 2"),
        (" \u{2193} v/a.test.mjs (2 tests | 1 skipped)\n\n      Tests  1 skipped (1)\n", "Tests  1 skipped (1)"),
        ("============ 1 skipped in 0.45s ============\n", "1 skipped in 0.45s"),
        ("1..1\nok 1 a # skip no\n", "ok 1 a # skip no"),
    ] {
        assert!(matches!(round(log), Round::Skipped(said) if said == line), "{log}");
    }
}

#[test]
fn one_test_that_ran_is_enough() {
    let passed = "running 3 tests\n...\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    let empty = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    for log in [
        &[passed, empty, IGNORED].concat(),
        &[empty, IGNORED, passed].concat(),
        &["Ran 1 test in 0.001s\n\nOK\n", UNITTEST].concat(),
        &[UNITTEST, "Ran 1 test in 0.001s\n\nOK\n"].concat(),
        &["1..1\nok 1 a\n", NODE].concat(),
        &format!("web:test: 1 passing (2ms)\n{UNITTEST}"),
        "1 property, 3 tests, 0 failures\n",
        &NODE.replace("# pass 0", "# pass 1"),
        "1..2\nok 1 a # skip no\nok 2 b\n",
        "1..1\nnot ok 1 a\n",
        "Ran 2 tests in 0.000s\n\nOK (skipped=1)\n",
        "Ran 2 tests in 0.000s\n\nOK (skipped=1, expected failures=1)\n",
        "      Tests  1 passed | 3 skipped (4)\n",
        "Tests:       1 skipped, 2 passed, 3 total\n",
        "====== 1 passed, 3 skipped in 0.45s ======\n",
        "====== 1 xfailed in 0.45s ======\n",
        "3 examples, 0 failures, 2 pending\n",
        "2 runs, 1 assertions, 0 failures, 0 errors, 1 skips\n",
        "1/2 Test #1: a ...   Passed    0.00 sec\n2/2 Test #2: b ...***Skipped   0.00 sec\n100% tests passed, 0 tests failed out of 2\n",
        "--- SKIP: TestA (0.00s)\n=== RUN   TestA\n=== RUN   TestB\n--- PASS: TestB (0.00s)\nok  \te.org/x\t0.002s\n",
        "ok  \te.org/x\t0.002s\nok  \te.org/y\t0.002s [no tests to run]\n",
        "Files=2, Tests=1,  0 wallclock secs ( 0.01 usr)\n",
        "OK (3 tests, 3 assertions)\n",
        "Tests: 3, Assertions: 2, Skipped: 1.\n",
        "Passed!  - Failed:     0, Passed:     3, Skipped:     1, Total:     4, Duration: 5 ms - a.dll (net8.0)\n",
        "Executed 2 tests, with 1 test skipped and 0 failures (0 unexpected) in 0.001 (0.002) seconds\n",
        "Summary [   0.003s] 3 tests run: 3 passed, 1 skipped\n",
    ] {
        assert!(matches!(round(log), Round::Ran), "{log}");
    }
}

#[test]
fn no_test_at_all_is_told_from_no_word_of_tests() {
    for log in ["1..0\n# tests 0\n# pass  0\n", "0 passing (2ms)\n", "ok  \te.org/x\t0.002s [no tests to run]\n"] {
        assert!(matches!(round(log), Round::None(_)), "{log}");
    }
    for log in [
        "",
        "3 errors, 1 warning\n",
        "Skipped 3 files\n",
        "2 skipped\n",
        "localhost : ok=1 changed=0 unreachable=0 failed=0 skipped=1 rescued=0\n",
        "Test Suites: 1 skipped, 0 of 1 total\n",
        "test a failed in 3 of 5 rounds: skipped\n",
    ] {
        assert!(matches!(round(log), Round::Unsaid), "{log}");
    }
}

#[test]
fn each_run_says_so_once() {
    let times = |log: &str| {
        let mut tests = Tests::default();
        for line in log.lines() {
            tests.read(line.trim());
        }
        tests.end().1
    };
    assert_eq!(times(UNITTEST), 1);
    assert_eq!(times(&UNITTEST.repeat(2)), 2);
    assert_eq!(times("1..0\n# tests 0\n# pass  0\n"), 1);
}
