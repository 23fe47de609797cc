//! No finding, and no finding that counts, are worth what was looked at and what was shown of it.

use super::*;

/// How a gate ends whose command is this, on a branch that adds `new.c`.
fn ends(kind: &str, settings: &str, command: &str, files: &[(&str, &str)]) -> String {
    let gate = format!("[gates.g]\nkind = \"{kind}\"\n{settings}command = '''\n{command}'''\n");
    Project::beside_old(&gate, ["old.c", "new.c"], files).run(&[]).gates().remove(0)
}

fn lint(command: &str, files: &[(&str, &str)]) -> String {
    ends("lint", "format = \"gcc\"\n", command, files)
}

const PASSES: &str = "g: pass, 1 finding that does not count (exit status 1)";

#[test]
fn what_a_command_or_a_limit_leaves_out_may_be_what_counts() {
    let tool = |name: &str| format!("{name}() {{ cat said; return 1; }}\n");
    assert_eq!(lint(&format!("{}flake8 .\n", tool("flake8")), &[]), PASSES);
    let cut = lint(&format!("{}flake8 . | head -n 1\n", tool("flake8")), &[]);
    let why = "`head -n 1` leaves out some of what the tool found: take it out of the command";
    assert_eq!(cut, format!("g: error, exit status 1: {why}"));
    let script = [("lint.sh", "set +e\nflake8() { cat said; }\nflake8 . | head -n 1\n")];
    assert_eq!(lint("bash lint.sh\n", &script), format!("g: error, {why}"), "whatever the status");

    let same = "old.c:1:1: x (errcheck)\nold.c:2:1: x (errcheck)\nold.c:3:1: x (errcheck)\n";
    let makefile = ("Makefile", "SHELL := bash\nlint:\n\t@golangci-lint() { cat said; exit 1; }; golangci-lint run\n");
    let limited = lint("make lint\n", &[("said", same), makefile]);
    assert!(limited.contains("golangci-lint shows no more than 3 findings with the same text"), "{limited}");
    let settings = (".golangci.yml", "issues:\n  max-same-issues: 0\n");
    let unlimited = lint("make lint\n", &[("said", same), makefile, settings]);
    assert_eq!(unlimited, "g: pass, 3 findings that do not count (exit status 2)");

    let hidden = lint("cat said; echo 'Diagnostics not shown: 40.' >&2\n", &[]);
    assert_eq!(hidden, "g: error, Biome shows no more than its limit: give it `--max-diagnostics=none`");
}

#[test]
fn who_looked_at_nothing_says_nothing() {
    let nothing = "echo 'warning: No Python files found under the given path(s)' >&2\n";
    let why = "it looked at nothing: `warning: No Python files found under the given path(s)`. Mend where it looks, or take the \
               gate away";
    assert_eq!(lint(nothing, &[]), format!("g: error, {why}"));
    assert_eq!(ends("command", "", nothing, &[]), format!("g: error, {why}"), "its status is no better a sign");
    let others = format!("ruff() {{ {} }}; mypy() {{ :; }}; ruff check .; mypy .\n", nothing.replace('\n', ";"));
    assert_eq!(lint(&others, &[]), "g: pass, no findings", "another tool looked");
    let both = format!("ruff() {{ {} }}; ruff check lib; ruff format --check lib\n", nothing.replace('\n', ";"));
    assert_eq!(lint(&both, &[]), format!("g: error, {why}"), "neither of them did");
    let built = "echo \"make: Nothing to be done for 'all'.\"\n";
    assert_eq!(ends("command", "", built, &[]), "g: pass, exit status 0", "a build is up to date");
    assert!(lint(built, &[]).starts_with("g: error, nothing was built"));
    let staged = "echo '\u{2192} lint-staged could not find any staged files.'\n";
    let due = "g: skipped, nothing was due: `\u{2192} lint-staged could not find any staged files.`";
    assert_eq!(ends("command", "", staged, &[]), due);
    let beside = format!("ruff() {{ :; }}; mypy() {{ :; }}; ruff check .; mypy .; {staged}");
    assert_eq!(ends("command", "", &beside, &[]), "g: pass, exit status 0", "others were due");
}

#[test]
fn tests_that_were_all_skipped_say_nothing() {
    let command = |command: &str| ends("command", "", command, &[]);
    let skipped = "printf 'Ran 1 test in 0.000s\\n\\nOK (skipped=1)\\n' >&2\n";
    let why = "no test ran: `OK (skipped=1)`. Have it run one, or take the gate away";
    assert_eq!(command(skipped), format!("g: error, {why}"));
    assert_eq!(command(&format!("{skipped}echo '3 passed in 0.02s'\n")), "g: pass, exit status 0", "others ran");
    let beside = format!("pytest() {{ {} }}; mypy() {{ :; }}; pytest; mypy .\n", skipped.replace('\n', ";"));
    assert_eq!(command(&beside), "g: pass, exit status 0", "another tool looked");
}

#[test]
fn a_report_of_ignored_files_is_of_nothing() {
    let eslint = |report: &str, command: &str| {
        let files = [("said", "old.c:1:1: x\n"), ("out.json", report)];
        ends("lint", "format = \"eslint\"\n", command, &files)
    };
    let ignored =
        r#"[{"filePath":"old.c","messages":[{"ruleId":null,"severity":1,"message":"File ignored because of x."}]}]"#;
    let why = |what: &str| {
        format!(
            "g: error, it looked at nothing: the report names no file{what}: nothing was linted. Mend where it looks, or take the gate away"
        )
    };
    assert_eq!(eslint(ignored, "cat out.json\n"), why(" that was not ignored"));
    assert_eq!(eslint("[]\n", "cat out.json\n"), why(""));
    let one = r#"[{"filePath":"old.c","messages":[]}]"#;
    assert_eq!(eslint(one, "cat out.json\n"), "g: pass, no findings");
    let both = "eslint() { cat out.json; }; mypy() { :; }; eslint; mypy\n";
    assert_eq!(eslint("[]\n", both), "g: pass, no findings", "another tool looked");
}

#[test]
fn a_line_of_one_stream_is_not_torn_by_the_other() {
    let tears = "cat said; printf 'new.c:'; sleep 0.3; echo checked >&2; sleep 0.3; echo '2:1: error: bad'; exit 1\n";
    let by_content = ends("lint", "", &format!("{tears}#"), &[]);
    assert_eq!(by_content, "g: fail, 1 error on changed lines");
    // Where the format is named both are one pipe.
    let torn = lint("cat said; printf 'new.c:'; echo checked >&2; echo ':2:1: error: bad'; exit 1\n", &[]);
    assert_eq!(torn, "g: error, exit status 1: a line of its output was torn (`:2:1: error: bad`)");
}

#[test]
fn an_empty_report_is_believed_of_a_command_that_ended_well() {
    let report = "format = \"gcc\"\nreports = [\"out.txt\"]\n";
    assert_eq!(ends("lint", report, ": > out.txt\n", &[]), "g: pass, no findings");
    let why = "g: error, exit status 1, and the report out.txt is empty, where gcc was promised";
    assert_eq!(ends("lint", report, ": > out.txt; exit 1\n", &[]), why);
}
