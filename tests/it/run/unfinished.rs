//! Findings that do not count explain no status where the tools behind them may not have run.

use super::*;

/// What a gate says whose command is this; `said` is outside of the change.
fn said(command: &str, makefile: &str) -> String {
    said_with(&format!("'''\n{command}'''"), &[("Makefile", makefile)])
}

fn said_with(command: &str, files: &[(&str, &str)]) -> String {
    let lint = format!("[gates.lint]\nkind = \"lint\"\nformat = \"gcc\"\ncommand = {command}\n");
    Project::beside_old(&lint, ["old.rs", "new.rs"], files).run(&[]).gates().remove(0)
}

const PASSES: &str = "lint: pass, 1 finding that does not count";

#[test]
fn a_script_may_have_ended_before_its_last_tool() {
    let found = "flake8() { cat said; return 1; }\n";
    assert_eq!(said(&format!("{found}flake8 old.rs\n"), ""), format!("{PASSES} (exit status 1)"));
    let gathered = format!("{found}flake8 old.rs || rc=1\ntrue mypy || rc=1\nexit $rc\n");
    assert_eq!(said(&gathered, ""), format!("{PASSES} (exit status 1)"), "both ran");
    for more in ["flake8 old.rs\nmypy old.rs\n", "flake8 old.rs && mypy old.rs\n"] {
        let why = "lint: error, exit status 1: where `flake8 old.rs` fails, what stands behind it is not run: give each tool \
                   its own gate";
        assert_eq!(said(&format!("{found}{more}"), ""), why);
    }
    assert_eq!(said("cat said && mypy() { :; } && flake8() { :; }; flake8 old.rs && mypy old.rs", ""), PASSES);
}

#[test]
fn make_may_have_stopped_before_its_last_line() {
    let lint = |lines: &str| format!("all: lint\nlint:\n\tcat said; \\\n\t  exit 1\n{lines}other:\n\ttrue\n");
    for command in ["make lint\n", "mkdir -p b && make lint\n", "make lint 2>&1 | tee log.txt\n"] {
        assert_eq!(said(command, &lint("")), format!("{PASSES} (exit status 2)"), "{command}");
    }
    let stopped = "lint: error, exit status 2: make stopped at `lint`, and what it would have run after that is not known: \
                   give each tool its own gate";
    assert_eq!(said("make lint\n", &lint("\n\tmypy\n")), stopped, "in the recipe");
    assert_eq!(said("make lint other\n", &lint("")), stopped, "another goal");
    assert_eq!(said("make\n", &lint("")), format!("{PASSES} (exit status 2)"), "the first goal is that one alone");
    assert_eq!(said("make\n", &lint("").replace("all: lint", "all: lint other")), stopped, "a goal that asked for it");
    assert_eq!(said("make lint\n", "lint::\n\t@cat said; exit 1\nlint::\n\t@mypy\n"), stopped, "another rule of it");
    assert_eq!(said("make lint\n", "lint:\n\t-cat said; exit 1\n\texit 127\n"), stopped, "no tool was there");
    assert_eq!(said("make lint\n", "lint:\n\tcat said; kill -SEGV $$$$\n"), stopped, "it was killed");
}

#[test]
fn where_make_stopped_may_not_be_shown() {
    let makefile = "lint:\n\t@flake8() { cat said; return 1; }; flake8 old.rs\n\tmypy old.rs\n";
    let hidden = |command: &str| {
        let said = said(&format!("{command}\n"), makefile);
        assert!(said.starts_with("lint: error, "), "{command}: {said}");
    };
    hidden("make lint");
    hidden("make lint 2>&1 | grep -E '^[^ ]+:[0-9]+:'");
    hidden("make lint |& grep old");
    hidden("make lint > log.txt 2>&1 || { grep '^old' log.txt; exit 1; }");
    // Another makefile may ask for more.
    let more = "lint: flake\nflake:\n\t@cat said; exit 1\n";
    assert_eq!(said("make lint\n", more), format!("{PASSES} (exit status 2)"));
    assert!(said("make lint\n", &format!("{more}-include more.mk\n")).starts_with("lint: error, "));
}

#[test]
fn what_runs_others_may_have_left_them_out() {
    let fails = |command: &str, more: &str| {
        let name = command.split(' ').next().unwrap_or_default();
        said_with(&format!("'''{name}() {{ cat said; {more} return 1; }}; {command}'''"), &[])
    };
    let hooks = |names: &str| format!("printf -- \"- hook id: %s\\n- exit code: 1\\n\" {names};");
    for (command, more) in [
        ("lint-staged --diff=main", String::new()),
        ("nx run-many -t lint", "echo \"Tasks not run because their dependencies failed:\";".to_owned()),
        ("pre-commit run -a", hooks("flake8 black")),
    ] {
        let said = fails(command, &more);
        assert!(said.starts_with("lint: error, "), "{command}: {said}");
    }
    assert_eq!(fails("pre-commit run -a", &hooks("flake8")), format!("{PASSES} (exit status 1)"));
    // A file of a program's name is no package of it.
    let wrapper = [("gradlew", "#!/bin/sh\ncat said\nexit 1\n")];
    let called = "'chmod +x gradlew; ./gradlew --continue lint'";
    assert_eq!(said_with(called, &wrapper), format!("{PASSES} (exit status 1)"));
}

#[test]
fn what_the_command_calls_may_have_ended_before_its_last_tool() {
    let lint = "flake8() { cat said; return 1; }\nmypy() { :; }\n";
    let why = "lint: error, exit status 1: where `flake8 old.rs` fails, what stands behind it is not run: give each tool its own \
               gate";
    let script = |text: &str| said_with("[\"bash\", \"lint.sh\"]", &[("lint.sh", &format!("{lint}{text}"))]);
    assert_eq!(script("set -e\nflake8 old.rs\nmypy old.rs\n"), why);
    assert_eq!(script("flake8 old.rs || rc=1\nmypy old.rs || rc=1\nexit $rc\n"), format!("{PASSES} (exit status 1)"));
    let handed = format!("[\"bash\", \"-c\", '''{lint}flake8 old.rs && mypy old.rs''']");
    assert_eq!(said_with(&handed, &[]), why);
    let makefile = "lint:\n\t@flake8() { cat said; return 1; }; flake8 old.rs && mypy old.rs\n";
    assert_eq!(said("make lint\n", makefile), why.replace("status 1", "status 2"));
    let hooks = ".pre-commit-config.yaml";
    let run = "'''pre-commit() { cat said; return 1; }; pre-commit run'''";
    assert_eq!(said_with(run, &[(hooks, "repos: []\n")]), format!("{PASSES} (exit status 1)"));
    let why =
        "lint: error, exit status 1: `fail_fast` in .pre-commit-config.yaml leaves out the hooks behind one that fails";
    assert_eq!(said_with(run, &[(hooks, "fail_fast: true\nrepos: []\n")]), why);
}

#[test]
fn settings_of_runners_may_have_ended_it() {
    let fails = |program: &str| format!("{program}() {{ cat said; return 1; }}; {program}");
    let hooks = [("Makefile", "lint:\n\t@prek() { cat said; return 1; }; prek run\n")];
    let hooks = |text| said_with("'make lint'", &[hooks[0], (".pre-commit-config.yaml", text)]);
    let why =
        "lint: error, exit status 2: `fail_fast` in .pre-commit-config.yaml leaves out the hooks behind one that fails";
    assert_eq!(hooks("repos:\n- hooks: [{id: a, fail_fast: True}]\n"), why);
    assert_eq!(hooks("repos:\n- hooks: [{id: a}]\n"), format!("{PASSES} (exit status 2)"));
    let mocha = |text| said_with(&format!("'{} test'", fails("mocha")), &[(".mocharc.json", text)]);
    let why = "lint: error, exit status 1: by .mocharc.json it stops at a failure, and what is behind that is not run";
    assert_eq!(mocha("{\"bail\": true}"), why);
    assert_eq!(mocha("{\"bail\": false}"), format!("{PASSES} (exit status 1)"));
    let flag = format!("'{} --kill-others-on-fail a b'", fails("concurrently"));
    let why = "lint: error, exit status 1: by `--kill-others-on-fail` it stops at a failure, and what is behind that is not run";
    assert_eq!(said_with(&flag, &[]), why);
}

#[test]
fn a_script_in_another_language_may_have_ended_before_its_last_tool() {
    let python = |text| said_with("'python() { cat said; return 1; }; python lint.py'", &[("lint.py", text)]);
    let why = "lint: error, exit status 1: whether `python lint.py` ran all that it is for is not known: have the gate run the \
               tool itself";
    assert_eq!(python("import os\nos.system('flake8') or os.system('mypy')\n"), why);
    assert_eq!(python("print('old.rs:1:1: warning: w')\nraise SystemExit(1)\n"), format!("{PASSES} (exit status 1)"));
}

#[test]
fn a_runner_may_have_stopped_unless_a_flag_says_otherwise() {
    let said = |words: &str| said(&format!("turbo() {{ cat said; return 1; }}; turbo {words}"), "");
    let why = "lint: error, exit status 1: turbo stops at what fails, and what is behind that is not run: `--continue` runs all";
    assert_eq!(said("run lint"), why);
    assert_eq!(said("run lint --continue"), format!("{PASSES} (exit status 1)"));
}

#[test]
fn a_runner_may_have_stopped_at_the_first_failure() {
    let said = |line: &str| said(&format!("cat said; printf '%b\\n' '{}'; exit 1", line.replace('\n', "\\n")), "");
    for line in [
        "ninja: build stopped: subcommand failed.",
        "\\033[1m\\033[31merror\\033[0m: could not compile `a` (lib)",
        "!!!!!!! _pytest.outcomes.Exit: no db !!!!!!!",
        "  Testing stopped early after 1 maximum allowed failures.",
        "[ERROR] After correcting the problems, you can resume the build with the command",
        "Test Suites: 1 failed, 1 of 2 total",
        "$ jest --bail",
        "3 examples, 1 failure, 1 error occurred outside of examples",
        "ERROR: Coverage failure: total of 40 is less than fail-under=80",
        "FAIL Required test coverage of 80% not reached. Total coverage: 40.00%",
        "ERROR: Coverage for lines (50%) does not meet global threshold (95%)",
        "ESLint found too many warnings (maximum: 0).",
        "Jest: \"global\" coverage threshold for lines (90%) not met: 50%",
        "  File \"/v/_pytest/main.py\", line 380, in pytest_cmdline_main",
        "error: test failed, to rerun pass `--lib`",
        "error: test failed, to rerun pass `--lib`\nerror: test failed, to rerun pass `--test it`\nerror: 1 target failed:",
    ] {
        assert!(said(line).starts_with("lint: error, exit status 1: "), "{line}");
    }
    let all =
        "error: test failed, to rerun pass `-p a`\nerror: test failed, to rerun pass `-p b`\nerror: 2 targets failed:";
    for line in ["Test Suites: 1 failed, 1 passed, 2 total", "$ jest -c a", "ERROR: x", all] {
        assert_eq!(said(line), format!("{PASSES} (exit status 1)"), "{line}");
    }
}

#[test]
fn what_one_of_several_tools_found_may_not_be_read() {
    let tools =
        "flake8() { cat said; return 1; }\neslint() { echo '  1:1  error  no'; return 1; }\nmypy() { return 1; }\n";
    let both = |other: &str| said(&format!("{tools}flake8 old.rs || rc=1\n{other} || rc=1\nexit $rc\n"), "");
    let why = "lint: error, exit status 1: what `eslint .` printed is not known to be `gcc`, which is read: give it a gate of \
               its own";
    assert_eq!(both("eslint ."), why);
    let why =
        "lint: error, exit status 1: what `mypy .` printed went to `types`, and is not read: give it a gate of its own";
    assert_eq!(both("mypy . > types"), why);
    let why = "lint: error, exit status 1: `! grep -q TODO old.rs` may be why it failed, and shows nothing of it: give it a gate \
               of its own";
    assert_eq!(said(&format!("{tools}flake8 old.rs || rc=1\n! grep -q TODO old.rs || rc=1\nexit $rc\n"), ""), why);
    let why = "lint: error, exit status 1: what `$tool` runs is not known: give each tool its own gate";
    assert_eq!(said(&format!("{tools}for tool in flake8 eslint; do $tool || rc=1; done; exit $rc\n"), ""), why);
    assert_eq!(both("mypy ."), format!("{PASSES} (exit status 1)"));
}

#[test]
fn a_tool_may_have_broken_down() {
    let crash = "cat said; echo 'Traceback (most recent call last):' >&2; echo '  File \"a.py\"' >&2; exit 1";
    let why = "lint: error, exit status 1: a tool broke down (`Traceback (most recent call last):`)";
    assert_eq!(said(crash, ""), why);
    let tox = "cat said; echo 'lint: exit 1 (0.50 seconds) /r> flake8 old.rs pid=1'; exit 1";
    let why = "lint: error, exit status 1: tox stops at a command that fails, and whether one stands behind it is not known: \
               have the gate run the tool itself";
    assert_eq!(said(tox, ""), why);
    let cargo = "cat said; echo 'error: could not compile `a` (lib) due to 1 previous error' >&2; exit 101";
    let why = "lint: error, exit status 101: cargo stops at what does not compile or has a lint that is denied, and looks at \
               no more";
    assert_eq!(said(cargo, ""), why);
    let tsc = "tsc() { cat said; return 1; }\ntsc -b";
    assert_eq!(
        said(tsc, ""),
        "lint: error, exit status 1: `tsc --build` leaves out what depends on a project with errors"
    );
    let npm = "cat said; printf '> a@1.0.0 lint\\n> tsc -p a && tsc -p b\\n'; exit 2";
    let why = "lint: error, exit status 2: where `tsc -p a` of `tsc -p a && tsc -p b` fails, what stands behind it is not \
               run: give each tool its own gate";
    assert_eq!(said(npm, ""), why);
}

#[test]
fn a_report_of_vitest_alone_says_nothing_of_errors_outside_of_the_tests() {
    let alone = "cat said; echo 'JUNIT report written to /r/junit.xml'; exit 1";
    let why = "lint: error, exit status 1: vitest's JUnit report has no errors outside of the tests: let it print them \
               too, by `--reporter=default`";
    assert_eq!(said(alone, ""), why);
    let summary = "printf '\\033[2m Test Files \\033[22m 1 failed\\n'";
    assert_eq!(said(&format!("{summary}; {alone}"), ""), format!("{PASSES} (exit status 1)"));
}
