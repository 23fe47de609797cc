//! Cargo's messages: what closes them, what is a summary, what is a fix.

use super::*;

const FINISHED: &str = "{\"reason\":\"build-finished\",\"success\":true}\n";

fn message(level: &str, text: &str, more: &str) -> String {
    format!(
        "{{\"reason\":\"compiler-message\",\"message\":{{\"level\":\"{level}\",\"message\":\"{text}\",\"spans\":[{more}]}}}}\n"
    )
}

fn read(text: &str) -> Result<Parsed, ParseError> {
    FORMAT.parse(text.as_bytes())
}

#[test]
fn the_end_must_be_there() {
    let one = message("error", "x", "");
    assert!(matches!(read(&one), Err(ParseError::Truncated { .. })));
    assert!(matches!(read(&format!("{FINISHED}{one}")), Err(ParseError::Truncated { .. })));
    assert!(matches!(read(&format!("{FINISHED}{{\"rea")), Err(ParseError::Truncated { .. })));
    assert!(matches!(read(&format!("{{\"reason\":1}}\n{FINISHED}")), Err(ParseError::Malformed { .. })));
    let open = format!("{FINISHED}{{\"reason\":\"comp");
    assert!(matches!(read(&open), Err(ParseError::Truncated { .. })));
    let artifact = format!("{FINISHED}{{\"reason\":\"compiler-artifact\"}}\n");
    assert!(matches!(read(&artifact), Err(ParseError::Truncated { .. })));
    assert_eq!(read(FINISHED).unwrap().notes, [] as [&str; 0]);
    assert_eq!(read(&format!("{FINISHED}Done")).unwrap().notes, ["1 line was no message of cargo"]);
    assert_eq!(read(&format!("{one}{FINISHED}{{\n")).unwrap().notes, ["1 line was no message of cargo"]);
}

#[test]
fn a_message_behind_the_rest_of_a_line_is_not_lost() {
    let one = message("warning", "x", "");
    let parsed = read(&format!("Linting: {one}{{web}} {FINISHED}")).unwrap();
    assert_eq!((parsed.findings.len(), parsed.notes.len()), (1, 1));
    let torn = format!("Linting: {}\n{FINISHED}", &one[..one.len() - 4]);
    assert!(matches!(read(&torn), Err(ParseError::Malformed { .. })));
    let log = "log: {\"reason\":\"timeout\"}\nlog: {\"reason\":\"time";
    assert_eq!(read(&format!("{FINISHED}{log}")).unwrap().notes, ["2 lines were no message of cargo"]);
}

#[test]
fn what_cargo_built_well_explains_no_status() {
    let warned = message("warning", "x", "");
    let why = |ends: &str, code| read(&format!("{warned}{ends}")).unwrap().breakdowns.why(code);
    assert_eq!((why(FINISHED, 0), why(FINISHED, 1), why(FINISHED, 101)), (None, Some(GOOD), Some(GOOD)));
    assert_eq!(why(&FINISHED.replace("true", "false"), 101), None);
    assert_eq!(why(&format!("{}{FINISHED}", FINISHED.replace("true", "false")), 101), None, "one build failed");
}

#[test]
fn every_primary_place_may_be_the_changed_one() {
    let span = |line: u32, primary: bool, expansion: &str| {
        format!(
            "{{\"file_name\":\"a.rs\",\"line_start\":{line},\"line_end\":{line},\"column_start\":1,\"column_end\":4,\"is_primary\":{primary}{expansion}}}"
        )
    };
    let lines = |spans: &[String]| {
        let text = message("warning", "x", &spans.join(","));
        let findings = read(&format!("{text}{text}{FINISHED}")).unwrap().findings;
        assert!(findings.iter().all(|finding| finding.message == "x" && finding.level == Level::Warning));
        findings.iter().map(|finding| finding.line.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[span(1, false, ""), span(5, true, ""), span(3, true, ""), span(5, true, "")]), [5, 3]);
    let called_at = |at: u32| format!(",\"expansion\":{{\"span\":{}}}", span(at, false, ""));
    assert_eq!(lines(&[span(2, true, &called_at(9))]), [2, 9], "a macro of the workspace, and where it is called");
    assert_eq!(lines(&[span(2, true, &called_at(2))]), [2], "on one line");
    let fix = ",\"suggested_replacement\":\"y\",\"suggestion_applicability\":\"MachineApplicable\"";
    let text = message("warning", "x", &[span(2, true, fix), span(3, true, fix)].join(","));
    let findings = read(&format!("{text}{FINISHED}")).unwrap().findings;
    assert_eq!(findings.iter().map(|finding| finding.fix.is_some()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn why_a_lint_is_on_is_not_about_the_code() {
    for about_levels in [
        "for further information visit https://x",
        "the lint level is defined here",
        "to override `-D warnings` add `#[allow(x)]`",
        "requested on the command line with `-D x`",
        "`#[warn(dead_code)]` (part of `#[warn(unused)]`) on by default",
        "`#[warn(dead_code)]` implied by `#[warn(unused)]`",
        "`-D dead-code` implied by `-D warnings`",
        "`-D dead-code` is from the command line",
    ] {
        assert!(is_about_levels(about_levels), "{about_levels}");
    }
    for about_code in [
        "`#[derive(Debug)]` is ignored",
        "`-x` overflows",
        "this is implied by the bound",
        "a lint on by default",
        "given on the command line",
    ] {
        assert!(!is_about_levels(about_code), "{about_code}");
    }
}

#[test]
fn only_a_code_of_the_compiler_is_no_lint() {
    let of = |rule: Option<&str>| is_lint(&Finding { rule: rule.map(str::to_owned), ..Finding::default() });
    assert_eq!([None, Some("E0425")].map(of), [false; 2]);
    assert_eq!([Some("dead_code"), Some("panic"), Some("Error"), Some("E04251"), Some("E042")].map(of), [true; 5]);
    assert!(of(Some("E04x5")));
    assert_eq!(["E0425", "E04x5", "E042", "dead_code"].map(|rule| help(rule).is_some()), [true, false, false, false]);
}

#[test]
fn behind_an_error_other_targets_may_not_have_been_compiled() {
    let of = |level: &str, code: &str| {
        message(level, code, "").replace("\"level\"", &format!("\"code\":{{\"code\":\"{code}\"}},\"level\""))
    };
    let why = |text: &str| read(&format!("{text}{}", FINISHED.replace("true", "false"))).unwrap().unexplained_exit;
    let (lint, error) = (of("error", "dead_code"), of("error", "E0425"));
    assert_eq!(why(&lint).as_deref(), Some(BY_LINT));
    for text in [format!("{lint}{error}"), format!("{error}{lint}")] {
        assert_eq!(why(&text).as_deref(), Some(BY_ERROR));
    }
    assert_eq!(read(&format!("{}{FINISHED}", of("warning", "dead_code"))).unwrap().unexplained_exit, None);
}

#[test]
fn what_rustc_says_in_closing_is_told_by_its_words() {
    let is = |text: &str| {
        let json = format!("{{\"level\":\"warning\",\"message\":\"{text}\",\"spans\":[]}}");
        is_summary(&serde_json::from_str(&json).unwrap())
    };
    for closing in ["1 warning emitted", "12 warnings emitted", "aborting due to 2 errors", "could not compile `x`"] {
        assert!(is(closing), "{closing}");
    }
    for other in ["1 is not 2", "no warnings emitted", "a warning emitted", "unused import"] {
        assert!(!is(other), "{other}");
    }
}

#[test]
fn the_first_place_is_the_place_where_none_is_primary() {
    let span = |file: &str| {
        format!("{{\"file_name\":\"{file}\",\"line_start\":2,\"line_end\":2,\"column_start\":1,\"column_end\":4}}")
    };
    let text = message("error", "x", &[span("a.rs"), span("b.rs")].join(","));
    assert_eq!(read(&format!("{text}{FINISHED}")).unwrap().findings[0].path.as_deref(), Some("a.rs"));
}

#[test]
fn summaries_count_only_alone() {
    let summary = message("error", "aborting due to 1 previous error", "");
    let failed = FINISHED.replace("true", "false");
    let alone = read(&format!("{summary}{failed}")).unwrap();
    assert_eq!((alone.findings.len(), &alone.unexplained_exit), (1, &None));
    let beside = read(&format!("{}{summary}{failed}", message("error", "linking failed", ""))).unwrap();
    assert_eq!(beside.findings.len(), 1);
    assert_eq!(beside.findings[0].message, "linking failed");
    let two = format!("{}{}", message("error", "linking failed", ""), message("error", "out of memory", ""));
    assert_eq!(read(&format!("{two}{summary}{failed}")).unwrap().findings.len(), 2, "no place makes no summary");
    let warned = read(&format!("{}{failed}", message("warning", "x", ""))).unwrap();
    assert!(warned.unexplained_exit.is_some());
}

#[test]
fn expansions_deeper_than_json_may_nest_are_read() {
    let span = |file: &str, expansion: &str| {
        format!(
            "{{\"file_name\":\"{file}\",\"line_start\":2,\"line_end\":2,\"column_start\":1,\"column_end\":4,\"is_primary\":true,\"expansion\":{expansion}}}"
        )
    };
    let nested = |deep: usize, inner: String| {
        (0..deep).fold(inner, |inner, _| span("/other/lib.rs", &format!("{{\"span\":{inner}}}")))
    };
    let found = |deep| {
        let text = message("error", "x", &nested(deep, span("src/a.rs", "null")));
        read(&format!("{text}{FINISHED}")).unwrap().findings[0].path.clone().unwrap()
    };
    assert_eq!((found(60).as_str(), found(DEEPEST_EXPANSION).as_str()), ("src/a.rs", "src/a.rs"));
    assert_eq!(found(DEEPEST_EXPANSION + 1), "/other/lib.rs");
}

#[test]
fn a_fix_is_of_one_file_and_vouched_for() {
    let span = |file: &str, applicability: &str, lines: (u32, u32)| {
        let (start, end) = lines;
        format!(
            "{{\"file_name\":\"{file}\",\"line_start\":{start},\"line_end\":{end},\"column_start\":1,\"column_end\":4,\"is_primary\":true,\"suggested_replacement\":\"y\",\"suggestion_applicability\":\"{applicability}\"}}"
        )
    };
    let good = |start, end| span("a.rs", "MachineApplicable", (start, end));
    let edits = |spans: &[String]| {
        let text = message("warning", "x", &spans.join(","));
        let finding = read(&format!("{text}{FINISHED}")).unwrap().findings.remove(0);
        finding.fix.map(|fix| fix.edits.iter().map(|edit| edit.start_line).collect::<Vec<_>>())
    };
    assert_eq!(edits(&[good(2, 2)]), Some(vec![2]));
    assert_eq!(edits(&[span("a.rs", "MaybeIncorrect", (2, 2))]), None);
    assert_eq!(edits(&[good(2, 2), span("b.rs", "MachineApplicable", (2, 2))]), None);
    assert_eq!(edits(&[good(5, 5), good(2, 2), good(5, 5)]), Some(vec![2, 5]), "each once and in order");
    assert_eq!(edits(&[good(2, 4), good(3, 3)]), None, "they overlap");
}
#[test]
fn what_is_no_warning_or_note_is_an_error() {
    assert_eq!(["note", "help", "failure-note"].map(level), [Level::Note; 3]);
    assert_eq!(["error", "error: internal compiler error", "new"].map(level), [Level::Error; 3]);
    assert_eq!(level("warning"), Level::Warning);
}

#[test]
fn files_of_other_crates_are_named_absolutely() {
    for path in ["/a/b.rs", "\\\\a\\b.rs", "<anon>", "C:\\b.rs"] {
        assert!(is_absolute(path), "{path}");
    }
    for path in ["src/a.rs", "ab:c.rs", ""] {
        assert!(!is_absolute(path), "{path}");
    }
}

#[test]
fn a_message_of_the_compiler_has_one() {
    let end = "{\"reason\":\"build-finished\",\"success\":true}\n";
    let read = |line: &str| crate::parse::find("cargo").unwrap().parse(format!("{line}\n{end}").as_bytes());
    assert!(read(r#"{"reason":"compiler-artifact"}"#).is_ok());
    assert!(matches!(read(r#"{"reason":"compiler-message","msg":{}}"#), Err(ParseError::Malformed { .. })));
}
