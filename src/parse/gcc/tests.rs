//! What is a line of a compiler, and what only looks like one.

use super::*;

fn read(text: &str) -> Parsed {
    FORMAT.parse(text.as_bytes()).unwrap()
}

fn one(line: &str) -> Option<Finding> {
    diagnostic(line).map(|(finding, _)| finding)
}

#[test]
fn places_are_found() {
    let found = |path: &str, line, column, message: &str| Some((path.to_owned(), line, column, message.to_owned()));
    let one = |line| {
        let finding = one(line)?;
        Some((finding.path?, finding.line?, finding.column, finding.message))
    };
    assert_eq!(one("C:\\my src\\x.c:3:4: error: bad"), found("C:\\my src\\x.c", 3, Some(4), "bad"));
    assert_eq!(one("a.c:3: warning: bad [-Wx]"), found("a.c", 3, None, "bad"));
    assert_eq!(one("vet: bad/bad.go:3:23: cannot"), found("bad/bad.go", 3, Some(23), "cannot"));
    assert_eq!(one("Makefile:4: *** missing separator."), found("Makefile", 4, None, "*** missing separator."));
    assert_eq!(one("12.c:30:45: error: x"), found("12.c", 30, Some(45), "x"));
    assert_eq!(one("a: b.c:3:4: error: x"), found("a: b.c", 3, Some(4), "x"));
}

#[test]
fn a_word_is_a_file_where_more_than_a_number_follows() {
    let found = |line| one(line).map(|finding| (finding.path.unwrap(), finding.line.unwrap(), finding.rule));
    let deploy = |rule: Option<&str>| Some(("deploy".to_owned(), 3, rule.map(str::to_owned)));
    assert_eq!(found("deploy:3: recieve ==> receive"), deploy(None));
    assert_eq!(found("deploy:3:1: E501 line too long"), deploy(Some("E501")));
    assert_eq!(found("deploy:3: E501 line too long"), deploy(Some("E501")));
    assert_eq!(found("deploy:3:1: bad"), deploy(None));
    for line in ["step:3: done", "warning:3:1: bad", "Info:3:1: bad", "the step:3:1: bad", "at 12:30:45: E501 bad"] {
        assert_eq!(one(line), None, "{line}");
    }
    assert_eq!(found("file:///r/b%20c.py:3:1: error: bad"), Some(("/r/b c.py".to_owned(), 3, None)));
    assert_eq!(one("https://host/b.py:3:1: error: bad"), None);
}

#[test]
fn what_has_no_line_is_of_a_file_or_of_the_tool() {
    let of = |line| one(line).map(|finding| (finding.path, finding.message));
    let tool = |message: &str| Some((None, message.to_owned()));
    assert_eq!(of("pkg/a.py: error: bad"), Some((Some("pkg/a.py".to_owned()), "bad".to_owned())));
    assert_eq!(of("cc1: fatal error: bad"), tool("cc1: bad"));
    assert_eq!(of("/usr/bin/ld.bfd: error: bad"), tool("/usr/bin/ld.bfd: bad"));
    assert_eq!(of("bash: warning: setlocale: LC_ALL: cannot change locale (xx_XX)"), None);
    assert_eq!(["pkg/a.py: note: x", "the tool: error: x", "pkg/a.py: x"].map(one), [const { None }; 3]);
}

#[test]
fn carets_and_what_leads_to_a_finding_are_told_from_other_lines() {
    for caret in ["  ^~~~", "^", "^~~", "\t~~^~~", "  |", "  3 | int x;", " +++ |+#include <a>", "    |     ^"] {
        assert!(is_caret(caret), "{caret}");
    }
    for other in ["", "x", "~/bin", "| a table |", "3 | x", "  x ^", "  a | b", " 3 x"] {
        assert!(!is_caret(other), "{other}");
    }
    for chatter in [
        "In file included from a.h:3,",
        "                 from a.c:1:",
        "# example.com/bad",
        "compilation terminated.",
        "a.c: In function 'main':",
        "a.c: At top level:",
        "ld: a.o: in function `main':",
    ] {
        assert!(is_chatter(chatter), "{chatter}");
    }
    for other in ["from a import b", " import a", "  x from y", "a.c: In function 'main'", "a.c: bad:", "#x"] {
        assert!(!is_chatter(other), "{other}");
    }
}

#[test]
fn a_diagnostic_is_no_chatter_whatever_it_says() {
    let parsed = read("a.c:1:2: error: #error Port me: In function g replace this:\na.c:3: x: At top level:\n");
    assert_eq!((parsed.findings.len(), parsed.notes), (2, vec![]));
}

#[test]
fn a_tool_that_stopped_has_not_seen_everything() {
    let why = |text: &str| read(text).unexplained_exit;
    for stopped in [
        "a.c:1:10: fatal error: dep.h: No such file or directory\n 1 | #include \"dep.h\"\n   | ^\ncompilation terminated.\n",
        "a.c:1:10: fatal error: 'dep.h' file not found\n1 error generated.\n",
        "a.c:1:1: internal compiler error: in f, at g.c:1\n",
        "a.c:1:1: error: x [-Werror=y]\ncompilation terminated due to -fmax-errors=1.\n",
        "a.c:1:1: error: x [-Werror=y]\ncompilation terminated due to -Wfatal-errors.\n",
        "a.c:1:1: error: x\nerror: too many errors emitted, stopping now [clang-diagnostic-error]\n",
        "a.py:1: error: Invalid syntax  [syntax]\n",
        "./s.py: error: INTERNAL ERROR -- Please try using mypy master on GitHub:\n",
        "e/e.go:3:8: package x/c is not in GOROOT (/usr/lib/go/src/x/c)\n",
        "e/e.go:3:8: no required module provides package x/c; to add it:\n\tgo get x/c\n",
        "e/e.go:5:12: pattern gone.txt: no matching files found\n",
        "a.py:1: error: Invalid syntax  [syntax]\nFound 1 error in 1 file (errors prevented further checking)\n",
        "# ex.com/m\nvet: ./old.go:2:32: not enough arguments in call to Price\n\thave (number)\n\twant (int, int)\n",
        "# ex.com/m\n./old.go:2:32: not enough arguments in call to Price\n",
        "a.go:1:5: \"fmt\" imported and not used\n",
        "a.go:1:5: x.y undefined (type T has no field or method y)\n",
        "a.go:1:5: something new (typecheck)\n",
        "a.go:1:5: x\na.go:9:9: too many errors\n",
        "a.go:1:5: x\ntoo many errors\n",
        "a.rb:1:6: C: Style/A: x\nAn error occurred while Lint/B cop was inspecting /r/new.rb.\n",
    ] {
        assert_eq!(why(stopped).as_deref(), Some(STOPPED), "{stopped}");
    }
    assert_eq!(read("a.go:1:5: x\na.go:9:9: too many errors\n").findings.len(), 1, "the limit is no finding");
    assert_eq!(
        why("a.yml:2:1: [error] syntax error: bad (syntax)\na.yml:2:1: error: bad  [syntax]\n"),
        None,
        "yamllint goes on"
    );
    for goes_on in ["a.go:1:5: unreachable code\n", "a.go:1:5: error: undefined: x\n", "a.py:1:5: undefined: x\n"] {
        assert_eq!(why(goes_on), None, "{goes_on}");
    }
    assert_eq!(why("a.c:1:1: error: x\n1 error generated.\n"), None);
    assert_eq!(why("a.py:1: error: x  [y]\nFound 1 error in 1 file (checked 1 source file)\n"), None);
}

#[test]
fn levels_may_stand_in_brackets() {
    let of = |line| {
        let (finding, has_level) = diagnostic(line).unwrap();
        (finding.level, finding.rule, finding.message, has_level)
    };
    let found = |level, rule: Option<&str>, message: &str, has_level| {
        (level, rule.map(str::to_owned), message.to_owned(), has_level)
    };
    assert_eq!(of("a.yaml:1:1: [warning] no start (s)"), found(Level::Warning, None, "no start (s)", true));
    assert_eq!(of("a.js:1:9: Unexpected token [Error]"), found(Level::Error, None, "Unexpected token", true));
    assert_eq!(
        of("a.js:1:9: bad [Warning/eslint(no-eval)]"),
        found(Level::Warning, Some("eslint(no-eval)"), "bad", true)
    );
    assert_eq!(of("a.php:3:136: warning - Line too long"), found(Level::Warning, None, "Line too long", true));
    assert_eq!(of("a.php:3:1: error - a: b - c"), found(Level::Error, None, "a: b - c", true));
    let hadolint = "hadolint:Dockerfile:1: DL3007 warning: Using latest is prone to errors";
    assert_eq!(of(hadolint), found(Level::Warning, Some("DL3007"), "Using latest is prone to errors", true));
    assert_eq!(diagnostic(hadolint).unwrap().0.path.as_deref(), Some("Dockerfile"));
    assert_eq!(of("a.c:1:9: [x] bad [y z]"), found(Level::Error, None, "[x] bad [y z]", false));
}

#[test]
fn source_lines_are_forgiven_once_and_only_above_a_caret() {
    let not_understood = |text: &str| read(text).notes;
    assert!(not_understood("a.c:1:1: error: x\nint y;\n^\n").is_empty());
    for text in ["a.c:1:1: error: x\nint y;\nother\n ^\n", "a.c:1:1: error: x\n1 error generated.\none\n ^\ntwo\n"] {
        assert_eq!(not_understood(text), ["2 lines of the output were not understood"], "{text}");
    }
}

#[test]
fn notes_belong_to_the_finding_above_them() {
    let alone = read("a.c:1:1: note: x\na.c:2:1: note: y\n").findings;
    assert_eq!(alone.len(), 2, "nothing stands above them");
    let noted = (1..=11).map(|number| format!("a.c:1:1: note: n{number}.\n")).collect::<Vec<_>>().concat();
    let parsed = read(&format!("a.c:1:1: warning: x\n{noted}"));
    assert_eq!(parsed.findings.len(), 1);
    let message = &parsed.findings[0].message;
    assert!(message.ends_with("\nnote: n10."), "{message}");
    let again = read("a.c:1:1: error: x\nb.c:1:1: error: y\na.c:1:1: error: x\na.c:2:1: note: n\n").findings;
    let messages: Vec<_> = again.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["x", "y"], "what was said before has its notes");
}

#[test]
fn the_use_of_a_macro_is_a_place_of_what_is_wrong_with_it() {
    let warned = "a.c:2:31: warning: bad [-Wformat=]\n";
    let text = format!(
        "{warned}b.c:3:5: note: in expansion of macro 'LOG'\n{warned}b.c:7:5: note: in expansion of macro 'LOG'\n\
         {warned}b.c:7:5: note: in expansion of macro 'LOG'\n"
    );
    let places = |text: &str| {
        let findings = read(text).findings;
        assert!(findings.iter().all(|finding| finding.rule.as_deref() == Some("-Wformat=")));
        findings.iter().map(|finding| (finding.path.clone().unwrap(), finding.line.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(places(&text), [("a.c".to_owned(), 2), ("b.c".to_owned(), 3), ("b.c".to_owned(), 7)]);
    assert_eq!(places(&format!("{warned}b.c:3:5: note: declared here\n")).len(), 1);
    assert_eq!(places(&format!("{warned}a.c:2:5: note: expanded from macro 'LOG'\n")).len(), 1, "the same line");
}

#[test]
fn what_stands_before_a_number_tells_what_it_is() {
    for before in ["12", "7", "2026-01-01T12", "2026-01-01 12", "[12", "(7", "x:12"] {
        assert!(is_clock(before, 59) && !is_clock(before, 60), "{before}");
    }
    for before in ["123", "a12", "", "2026-01-01T", "2026-01-01T123", "a.c"] {
        assert!(!is_clock(before, 30), "{before}");
    }
    for address in ["http://host", "localhost", "at localhost", "127.0.0.1", "to 127.0.0.1", "[::1]"] {
        assert!(is_address(address), "{address}");
    }
    assert!(!["localhost.c", "a.c", "127.0.0.1 is", "127.0.0.1x", ""].into_iter().any(is_address));
    for file in [
        "a.c",
        "dir/a.c",
        "C:\\x\\a.c",
        "a b.c",
        "Makefile",
        "dir/makefile",
        "dir/README",
        "LICENSE",
        ".c",
        ".dockerignore",
        "CODE_OF-1",
        "my dir/LICENSE",
        "a/.x",
    ] {
        assert!(is_file(file), "{file}");
    }
    assert!(
        !["at", "", ".", "a.", "a.b c", "see the file", "in dir/a and b", "A", "ERROR", "SEE THIS", "1A"]
            .into_iter()
            .any(is_file)
    );
    assert!(
        has_drive("C:\\a") && has_drive("z:/a") && !["C:a", "1:/a", ":/a", "C/a", "a.c:1"].into_iter().any(has_drive)
    );
}

#[test]
fn times_and_addresses_are_no_places() {
    for line in [
        "12:30:45: error: x",
        "make: *** [mk/lint.mk:2: lint] Error 1",
        "make[1]: *** [build.mk:12: a/b.o] Error 2",
        "2024-01-01 12:30:45: starting",
        "2024-01-01T12:30: starting a.c",
        "2024-01-01T12:30: error: x",
        "[12:30:45: x",
        "http://host:80: x",
        "dial tcp 127.0.0.1:80: connect: connection refused",
        "localhost:8080: refused",
        "listening on port:80: x",
        "a.c:x:3: y",
        "error: whole",
        ":3:4: x",
    ] {
        assert_eq!(one(line), None, "{line}");
    }
}

#[test]
fn rules_are_taken_from_where_tools_put_them() {
    let rule = |text: &str| diagnostic(text).unwrap().0.rule;
    assert_eq!(rule("a.c:1:2: error: x [-Werror=unused]").as_deref(), Some("-Wunused"));
    assert_eq!(rule("a.c:1:2: error: x [-Werror,-Wfoo]").as_deref(), Some("-Wfoo"));
    assert_eq!(rule("a.c:1:2: error: x [bugprone-x,-warnings-as-errors]").as_deref(), Some("bugprone-x"));
    assert_eq!(rule("a.c:1:2: error: x [-Werror]").as_deref(), Some("-Werror"));
    assert_eq!(rule("a.sh:1:2: note: x [SC2086]").as_deref(), Some("SC2086"));
    assert_eq!(rule("a.py:1:2: F401 x").as_deref(), Some("F401"));
    assert_eq!(rule("a.go:1:2: undefined: m [x]"), None);
    let trailing = |text: &'static str| trailing_rule(text).map(|(rule, _)| rule);
    assert_eq!(["x [a]", "x [-Wa] "].map(trailing), [Some("a".to_owned()), Some("-Wa".to_owned())]);
    assert_eq!(["x []", "x[0]", "x [a b]", "x [a", "x"].map(trailing), [const { None }; 5]);
    let code = |text: &'static str| leading_code(text).map(|(code, _)| code);
    assert_eq!(["E50 x", "SC2086 x", "ABCDE12345 x"].map(code), [Some("E50"), Some("SC2086"), Some("ABCDE12345")]);
    let others = ["E5 x", "E501", "501 x", "ABCDEF12 x", "E123456 x", "E50x x", "e501 x", "x"];
    assert_eq!(others.map(code), [None; 8]);
}

#[test]
fn clang_without_a_gutter_and_its_count() {
    let text =
        "a.c:1:5: warning: unused [-Wunused]\nint x;\n    ^\na.c:1:1: note: here\nint x;\n^\n1 warning generated.\n";
    let parsed = read(text);
    assert_eq!(parsed.findings.len(), 1);
    assert_eq!(parsed.findings[0].message, "unused\nnote: here");
    assert!(parsed.notes.is_empty(), "{:?}", parsed.notes);
    let cut = read("a.c:1:5: warning: unused\n2 warnings and 1 error generated.\n");
    assert_eq!(
        cut.notes,
        ["the tool counts 1 error and 2 warnings, but 0 and 1 were read: the output may have been cut"]
    );
    let short = |text: &str| read(text).notes.len();
    assert_eq!(short("a.c:1:5: error: x\n1 warning and 1 error generated.\n"), 1, "an error is no warning");
    assert_eq!(short("a.py: error: x\nFound 1 error in 1 file (checked 1 source file)\n"), 0);
    assert_eq!(short("a.c:1:5: error: x\n1 error generated.\n1 error generated.\n"), 1, "each counts its own");
}

#[test]
fn what_is_counted_was_read() {
    let doubt = |text: &str| read(text).unexplained_exit.as_deref() == Some(CUT);
    assert!(doubt("Found 1 error in 1 file (checked 1 source file)\n") && doubt("3 errors generated.\n"));
    assert!(doubt("a.py:1: error: x\nFound 2 errors in 1 file (checked 1 source file)\n"));
    assert!(!doubt("3 warnings generated.\n"), "clang-tidy counts those of headers that it does not show");
    assert!(!doubt("a.c:1:5: error: x\n1 error generated.\n1 error generated.\n"));
}

#[test]
fn places_inside_of_markup_are_no_diagnostics() {
    let place = "a.c:1:2: error: x\n";
    assert!(recognises(place.as_bytes()) && recognises(format!("make\n{place}").as_bytes()));
    for markup in ["<testsuite>", "\n  <testsuite>", "{\"a\":1}", " {\n"] {
        assert!(!recognises(format!("{markup}\n{place}").as_bytes()), "{markup:?}");
    }
}

#[test]
fn letters_are_levels_and_codes_are_rules() {
    let of = |line: &str| one(line).map(|finding| (finding.level, finding.rule, finding.column, finding.message));
    let found = |level, rule: &str, column, message: &str| {
        Some((level, (!rule.is_empty()).then(|| rule.to_owned()), Some(column), message.to_owned()))
    };
    let unused = "Unused variable 'x' (unused-variable)";
    let line = format!("core.py:6:13: W0612: {unused}");
    assert_eq!(of(&line), found(Level::Warning, "W0612", 14, unused));
    assert_eq!(of("a.py:1:0: E0602: Undefined"), found(Level::Error, "E0602", 1, "Undefined"));
    assert_eq!(of("a.py:1:0: F0001: No module"), found(Level::Error, "F0001", 1, "No module"));
    assert_eq!(of("a.py:1:0: I0011: Locally"), found(Level::Note, "I0011", 1, "Locally"));
    let parseable = one("core.py:4: [C0116(missing-function-docstring), f] Missing").unwrap();
    assert_eq!((parseable.level, parseable.rule.as_deref()), (Level::Warning, Some("C0116")));
    let cop = "a.rb:2:6: C: [Correctable] Style/StringLiterals: Prefer single-quoted strings.";
    assert_eq!(of(cop), found(Level::Warning, "Style/StringLiterals", 6, "Prefer single-quoted strings."));
    let syntax = "b.rb:2:1: E: Lint/Syntax: unexpected token $end";
    assert_eq!(of(syntax), found(Level::Error, "Lint/Syntax", 1, "unexpected token $end"));
    assert_eq!(of("a.rb:2:1: W: bad: worse"), found(Level::Warning, "", 1, "bad: worse"));
    // Not a letter's word, and no letter of a level.
    assert_eq!(of("a.py:1:1: W605 invalid escape"), found(Level::Error, "W605", 1, "invalid escape"));
    assert_eq!(of("a.py:1:1: X: bad"), found(Level::Error, "", 1, "X: bad"));
    assert_eq!(of("the step:3:1: W: bad"), None);
}

#[test]
fn pyright_is_read() {
    let parsed = read(
        "/r/ty.py\n  /r/ty.py:7:9 - error: Method \"f\" overrides\n  \u{a0}\u{a0}Return type mismatch\n      \"str\" is not \"int\" \
         (reportIncompatibleMethodOverride)\n  /r/ty.py:8:7 - warning: \"u\" - error: is (reportUndefinedVariable)\n  /r/ty.py:9:1 - \
         error: \"(\" was not closed\n2 errors, 1 warning, 0 informations\n",
    );
    let found: Vec<_> =
        parsed.findings.iter().map(|one| (one.level, one.line, one.column, one.rule.as_deref())).collect();
    let rule = Some("reportIncompatibleMethodOverride");
    assert_eq!(found[0], (Level::Error, Some(7), Some(9), rule));
    assert_eq!(found[1], (Level::Warning, Some(8), Some(7), Some("reportUndefinedVariable")));
    assert_eq!(found[2], (Level::Error, Some(9), Some(1), None));
    assert_eq!(parsed.findings[0].message, "Method \"f\" overrides\nReturn type mismatch\n\"str\" is not \"int\"");
    assert_eq!((parsed.notes, parsed.not_understood, parsed.unexplained_exit), (Vec::<String>::new(), 0, None));
    assert!(read("1 error, 0 warnings, 0 informations\n").unexplained_exit.is_some(), "it shows less than it counts");
    assert_eq!(read("0 errors, 0 warnings, 0 informations \n").unexplained_exit, None);
}

#[test]
fn javac_stops_at_what_it_cannot_parse() {
    let stops = |line: &str| read(&format!("{line}\n")).unexplained_exit.is_some();
    for message in [
        "illegal start of type",
        "';' expected",
        "<identifier> expected",
        "class, interface, enum, or record expected",
        "reached end of file while parsing",
        "unclosed string literal",
        "'else' without 'if'",
        "variable declaration not allowed here",
    ] {
        assert!(stops(&format!("src/B.java:1: error: {message}")), "{message}");
        assert!(
            !stops(&format!("src/B.java:1: warning: {message}")) && !stops(&format!("src/B.c:1: error: {message}"))
        );
    }
    for message in [
        "incompatible types: String cannot be converted to int",
        "cannot find symbol",
        "illegal combination of modifiers: abstract and final",
        "'void' type not allowed here",
        "modifier private not allowed here",
    ] {
        assert!(!stops(&format!("src/B.java:1: error: {message}")), "{message}");
    }
}
