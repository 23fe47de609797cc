//! Reports made to harm the reader, or to hide a failure behind lines that a test prints: answered fast, never greener.

use std::time::{Duration, Instant};

use gatepost::model::evidence::Parsed;
use gatepost::model::tests::{CaseOutcome, Counts};
use gatepost::parse::{self, ParseError};

fn read(format: &str, input: &str) -> Result<Parsed, ParseError> {
    parse::find(format).unwrap().parse(input.as_bytes())
}

fn libtest(input: &str) -> Counts {
    read("libtest", input).unwrap().tests.unwrap().counts()
}

#[test]
fn depth_and_width_have_limits() {
    let deep = 100_000;
    let elements = "<testsuite>".repeat(deep);
    assert!(matches!(read("junit", &elements), Err(ParseError::Malformed { .. })));
    let attributes = (0..deep).map(|number| format!(" a{number}='1'")).collect::<Vec<_>>().concat();
    let wide = format!("<testsuite><testcase{attributes}/></testsuite>");
    assert!(matches!(read("junit", &wide), Err(ParseError::Malformed { .. })));
    for open in ["[", "{\"a\":"] {
        let nested = format!("{{\"version\":\"2.1.0\",\"properties\":{}", open.repeat(deep));
        assert!(read("sarif", &nested).is_err());
        assert!(read("rdjson", &format!("{{\"severity\":{}", open.repeat(deep))).is_err());
        assert!(parse::recognise(nested.as_bytes()).is_none());
    }
}

#[test]
fn a_promised_number_costs_nothing() {
    let counts =
        libtest("running 4000000000 tests\ntest result: ok. 4000000000 passed; 0 failed; 0 ignored; 0 measured\n");
    assert!(counts.total <= 10_000);
    let overflow = "running 3 tests\ntest result: ok. 18446744073709551615 passed; 4 failed; 0 ignored; 0 measured\n";
    assert!(matches!(read("libtest", overflow), Err(ParseError::Truncated { .. })));
}

#[test]
fn what_a_test_prints_hides_no_failure() {
    // A result of its own, printed before the test fails.
    let early = "running 1 test\ntest a ... test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured\nFAILED\n";
    assert!(matches!(read("libtest", early), Err(ParseError::Truncated { .. })));
    let early = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\ntest b ... FAILED\n";
    assert_eq!(libtest(early).failed, 1);
    // A line that says ok for a test that the list names.
    for blank in ["", "\n"] {
        let list = format!(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\nfailures:\n\n---- b stdout ----\nno\n\nfailures:\n{blank}    a\n    \
             b\n\ntest result: FAILED. 0 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n"
        );
        let tests = read("libtest", &list).unwrap().tests.unwrap();
        let names: Vec<_> = tests.cases.iter().map(|case| (case.name.as_str(), case.outcome)).collect();
        assert_eq!(names, [("a", CaseOutcome::Failed), ("b", CaseOutcome::Failed)], "{list}");
    }
    // The result counts a failure that no line shows.
    let hidden = "running 2 tests\ntest a ... ok\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n";
    assert_eq!((libtest(hidden).errored, libtest(hidden).passed), (1, 1));
    let word = "running 1 test\ntest a ... ok\ntest result: FAILED. 1 passed; 0 failed; 0 ignored; 0 measured\n";
    assert_eq!(libtest(word).errored, 1);
}

#[test]
fn the_output_of_a_failed_test_is_not_read_as_cargos_own() {
    let nested = "     Running tests/x.rs (target/debug/deps/x-0123456789abcdef)\n\nrunning 2 tests\ntest a ... FAILED\n\
                  test b ... ok\n\nfailures:\n\n---- a stdout ----\n     Running tests/y.rs (target/debug/deps/y)\n\
                  running 1 test\ntest inner ... FAILED\n\nfailures:\n    inner\n\n\
                  test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\n\n\
                  failures:\n    a\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\n\
                  error: test failed, to rerun pass `--test x`\n";
    let tests = read("libtest", nested).unwrap().tests.unwrap();
    let named: Vec<&str> = tests.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(named, ["a", "b"]);
    assert_eq!(tests.cases[0].suite.as_deref(), Some("x"));
    assert!(tests.cases[0].message.as_ref().unwrap().contains("test inner ... FAILED"));
}

#[test]
fn colours_are_no_obstacle() {
    let coloured = "running 2 tests\ntest a ... \u{1b}[32mok\u{1b}[m\ntest b ... \u{1b}[31mFAILED\u{1b}[m\n\nfailures:\n    b\n\n\
                    test result: \u{1b}[31mFAILED\u{1b}[m. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!((libtest(coloured).passed, libtest(coloured).failed), (1, 1));
}

fn sarif(message: &str) -> String {
    let message = format!(r#"{{"text":"{message}","arguments":["a"]}}"#);
    format!(r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{}}}},"results":[{{"message":{message}}}]}}]}}"#)
}

fn many_failures(count: usize) -> String {
    let every = |line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    format!(
        "running {count} tests\n{}\nfailures:\n\n{}\nfailures:\n{}\ntest result: FAILED. 0 passed; {count} failed; 0 ignored; 0 \
         measured; 0 filtered out\n",
        every(&|number| format!("test t{number} ... FAILED\n")),
        every(&|number| format!("---- t{number} stdout ----\nno\n\n")),
        every(&|number| format!("    t{number}\n")),
    )
}

/// Lines that a reader looking for the end of something could read over and over.
#[test]
fn long_lines_are_read_once() {
    let long = 1 << 19;
    let lines = [
        ("tsc", "(1,1): ".repeat(long / 7)),
        ("tsc", "a): ".repeat(long / 4)),
        ("tsc", "x:1:1 - ".repeat(long / 8)),
        ("gcc", "a:1: ".repeat(long / 5)),
        ("gcc", "9".repeat(long)),
        ("gcc", ": error".repeat(long / 7)),
        ("github", "::error ".repeat(long / 8)),
        ("github", format!("::error {}::x", "a=%25,".repeat(long / 6))),
        ("github", "##[".repeat(long / 3)),
        ("diff", format!("diff --git {}", "a/x b/x ".repeat(long / 8))),
        ("diff", format!("--- \"{}", "\\303".repeat(long / 4))),
        ("cargo", format!("{{\"reason\":{}", "[".repeat(long))),
        ("eslint", "[\n".repeat(long / 2)),
        ("ruff", "[]".repeat(long / 2)),
        ("eslint", "[{ ".repeat(long / 3)),
        ("diff", format!("Files {}/x differ", "a and ".repeat(long / 6))),
        ("junit", format!("<testsuite><testcase name='{}'/></testsuite>", "&amp ".repeat(long / 5))),
        ("junit", format!("<testsuite><testcase>{}</testcase></testsuite>", "<failure message='x'/>".repeat(20_000))),
        ("junit", {
            let failures = (0..20_000).map(|number| format!("<failure message='{number}'/>"));
            format!("<testsuite><testcase>{}</testcase></testsuite>", failures.collect::<String>())
        }),
        ("sarif", sarif(&"](".repeat(long / 2))),
        ("sarif", sarif(&"{ ".repeat(long / 2))),
        ("sarif", sarif(&"{1".repeat(long / 2))),
        ("libtest", many_failures(20_000)),
    ];
    for (format, line) in lines {
        let start = Instant::now();
        let _ = read(format, &line);
        let _ = parse::recognise(line.as_bytes());
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{format} took {took:?} for {:?}…", &line[..20]);
    }
}
