//! What a person sees: with plain pipes, on a terminal, in the log of GitHub Actions.

use super::*;

const CONFIG: &str = r#"
[gates.lint]
kind = "lint"
command = "cat found.txt; exit 1"
format = "gcc"

[gates.unit]
kind = "test"
command = "cp tests.xml out.xml; exit 1"
reports = ["out.xml"]

[gates.script]
kind = "command"
command = "echo one; echo two >&2; exit 3"

[gates.tool]
kind = "command"
command = ["no-such-tool"]

[gates.behind]
kind = "command"
command = "true"
needs = ["script"]

[gates.good]
kind = "command"
command = "echo never shown"

[gates.docs]
kind = "command"
command = "true"
paths = ["docs/**"]

[gates.soft]
kind = "command"
command = "echo soft; exit 1"
mode = "report"
"#;

const FOUND: &str = "src/a.rs:2:1: warning: on an old line [old]\n\
                     src/a.rs:6:20: error: the caret stands under the x [wide]\n\
                     src/a.rs:7:3: warning: a line of 3,000 characters\n\
                     src/a.rs:6: note: below fail-on\n\
                     src/none.rs:1:1: warning: no such file\n";

const TESTS: &str = r#"<testsuite name="cart"><testcase classname="totals" name="adds"/>
<testcase classname="totals" name="rounds" file="src/a.rs" line="3"><failure message="left: 1, right: 2">at totals
  left: 1
  right: 2</failure></testcase><testcase name="later"><skipped/></testcase></testsuite>"#;

fn project() -> Project {
    let project = Project::new(CONFIG);
    let wide = "\tlet s = \"日本\"; x = 1;\n";
    project.tree.write("src/a.rs", format!("{}{wide}{}\n", numbered(5), "yz ".repeat(1000)));
    project.tree.write("found.txt", FOUND).write("tests.xml", TESTS).commit("found");
    project
}

/// Runs under a terminal of 100 columns; gives the exit code and all that was drawn.
fn on_terminal(project: &Project, arguments: &[&str], env: &[(&str, &str)]) -> (i32, String) {
    let script = r"
import os, pty, sys, fcntl, termios, struct
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 100, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
    let mut command = Command::new("python3");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_gatepost")])
        .args(arguments)
        .current_dir(&project.tree.dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("TERM", "xterm")
        .envs(env.iter().copied());
    let ran = ended(&mut command);
    assert_eq!(ran.err, "");
    (ran.code.unwrap(), ran.out)
}

#[test]
fn plain_lines() {
    // Wide enough for every reason, however many digits the times have.
    let project = project().env("COLUMNS", "150");
    let ran = project.run(&["-j", "1"]);
    assert_eq!(ran.code, Some(1));
    expect("plain", &ran.seen(&project.tree.dir));
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn quiet_and_verbose() {
    let project = project();
    let quiet = project.run(&["-j", "1", "--quiet", "good", "script"]);
    expect("quiet", &quiet.seen(&project.tree.dir));
    let verbose = project.run(&["-v", "good"]);
    assert!(verbose.out.contains("│ never shown"), "{}", verbose.out);
    assert!(!project.run(&["good"]).out.contains("never shown"));
    let long = Project::new("[gates.g]\nkind = \"command\"\ncommand = \"seq 1 2000; exit 1\"\n").run(&[]).out;
    let shown: Vec<&str> = long.lines().filter_map(|line| line.trim_start().strip_prefix("│ ")).collect();
    assert!(shown[0] == "…" && shown.last() == Some(&"2000") && shown.len() < 1000, "what is cut is said: {long}");
}

#[test]
fn fifty_and_then_how_many_more() {
    let project = project();
    let many: Vec<String> = (0..53).map(|at| format!("src/a.rs:6:1: warning: m{at}\n")).collect();
    project.tree.write("found.txt", many.concat());
    let ran = project.run(&["lint"]);
    assert_eq!(ran.out.matches("warning: m").count(), 50);
    assert!(ran.out.contains("  3 more findings not shown here: .gatepost/report.json\n"), "{}", ran.out);
    let cases: String = (0..51)
        .map(|at| format!("<testcase name=\"c{at}\"><failure>f</failure></testcase>"))
        .collect::<Vec<_>>()
        .concat();
    project.tree.write("tests.xml", format!("<testsuite>{cases}</testsuite>"));
    let ran = project.run(&["unit"]);
    assert_eq!(ran.out.matches("test failed:").count(), 50);
    assert!(ran.out.contains("  1 more failed test not shown here: .gatepost/report.json\n"), "{}", ran.out);
}

#[test]
fn colours_only_where_they_are_seen() {
    let project = project();
    let coloured = |project: &Project, arguments: &[&str]| project.run(arguments).out.contains("\u{1b}[");
    assert!(!coloured(&project, &["good"]));
    assert!(coloured(&project, &["good", "--color", "always"]));
    let (_, drawn) = on_terminal(&project, &["run", "good"], &[]);
    assert!(drawn.contains("\u{1b}[1m\u{1b}[32m"), "{drawn}");
    let style = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    for (arguments, env) in [
        (&["run", "good", "--color", "never"][..], &[][..]),
        (&["run", "good"], &[("NO_COLOR", "1")]),
        (&["run", "good"], &[("TERM", "dumb")]),
    ] {
        let (_, drawn) = on_terminal(&project, arguments, env);
        assert!(drawn.contains("verdict: pass"), "{drawn}");
        assert!(!style.is_match(&drawn), "{env:?} {drawn:?}");
    }
    let project = project.env("CLICOLOR_FORCE", "1");
    assert!(coloured(&project, &["good"]));
    assert!(!coloured(&project.env("NO_COLOR", "1"), &["good"]));
}

#[test]
fn on_a_terminal_a_failure_is_shown_once_when_it_happens() {
    let project = project();
    let (code, drawn) = on_terminal(&project, &["run", "-j", "1", "--color", "never"], &[]);
    assert_eq!(code, 1);
    let at = |drawn: &str, text: &str| drawn.match_indices(text).map(|(at, _)| at).collect::<Vec<_>>();
    let carets = at(&drawn, "error[wide]: the caret stands under the x");
    let passed = at(&drawn, "✓ good pass: exit status 0")[0];
    assert!(carets.len() == 1 && carets[0] < passed, "{drawn}");
    assert_eq!(at(&drawn, "verdict: fail").len(), 1);
    // What is asked for beyond that is at the end, with everything else.
    let (_, drawn) = on_terminal(&project, &["run", "-v", "-j", "1", "--color", "never"], &[]);
    let carets = at(&drawn, "error[wide]: the caret stands under the x");
    assert!(carets.len() == 1 && carets[0] > at(&drawn, "✓ good pass: exit status 0")[0], "{drawn}");
    assert_eq!(at(&drawn, "│ never shown").len(), 1, "{drawn}");
    let (code, drawn) = on_terminal(&project, &["run", "script", "--color", "never"], &[]);
    assert_eq!((code, drawn.matches("│ one").count()), (1, 1), "{drawn}");
    let (_, drawn) = on_terminal(&project, &["run", "good", "--color", "never"], &[]);
    assert!(drawn.contains("✓ good pass") && !drawn.contains("never shown\n"), "{drawn}");
}

#[test]
fn a_narrow_terminal_is_kept_to() {
    let project = project();
    let ran = ended(project.command(&["run", "-j", "1"]).env("COLUMNS", "60"));
    let table = ran.out.lines().skip_while(|line| !line.starts_with("gate ")).take(9);
    for line in table {
        assert!(line.chars().count() <= 72, "{line}");
    }
    let long = ran.out.lines().find(|line| line.contains("yz yz")).unwrap();
    assert!(long.chars().count() <= 70, "{long}");
    let named = |end: &str| format!("[gates.{}-{end}]\nkind = \"command\"\ncommand = \"true\"\n", "n".repeat(60));
    let project = Project::new(&[named("one"), named("two")].concat());
    let ran = ended(project.command(&["run"]).env("COLUMNS", "60"));
    for end in ["one", "two"] {
        let row = ran.out.lines().find(|line| line.contains(&format!("nn…nnnnn-{end}  ✓ pass"))).expect(&ran.out);
        assert!(row.chars().count() <= 72, "{row}");
    }
}

/// Text that the runner would obey, in every place that a tool can put it.
const HOSTILE: &str = "::error::x";
const OLD: &str = "##[error]x";

const HOSTILE_GATES: &str = r#"
[gates.log]
kind = "command"
command = "cat hostile.txt; exit 1"

[gates.lint]
kind = "lint"
only = "all"
command = "cat lint.txt; exit 1 # ##[error]x"
format = "gcc"

[gates.test]
kind = "test"
command = "cp tests.xml out.xml; exit 1"
reports = ["out.xml"]

[gates.reason]
kind = "lint"
command = "cat hostile.txt"

[gates.soft]
kind = "command"
command = "cat hostile.txt; exit 1"
mode = "report"
"#;

/// A push of files that hold such text wherever a tool prints it.
fn hostile() -> Project {
    let text =
        format!("{HOSTILE}\n  {HOSTILE}\n{OLD}\n\u{1b}[31m{HOSTILE}\r{HOSTILE}\n\u{200b}{HOSTILE}\n::endgroup::\n");
    let attribute = format!("{HOSTILE}&#10;{HOSTILE}&#10;{OLD}");
    let case = format!(r#"<testcase classname="{attribute}" name="{attribute}" file="{attribute}">"#);
    let failure = format!(r#"<failure message="{attribute}">{}</failure>"#, text.replace(['\u{1b}', '\u{200b}'], ""));
    let project = Project::new(HOSTILE_GATES);
    project
        .tree
        .write("hostile.txt", &text)
        .write("lint.txt", format!("src/a.rs:1:1: warning: {HOSTILE} [{HOSTILE}]\n::error::x:1:1: error: {OLD}\n"))
        .write("src/a.rs", format!("{HOSTILE}\n{OLD}\n"))
        .write("tests.xml", format!(r#"<testsuite name="{attribute}">{case}{failure}</testcase></testsuite>"#))
        .commit("hostile");
    project.pushed().env("GITHUB_REF", "refs/heads/##[error]x")
}

#[test]
fn nothing_a_tool_prints_is_obeyed_by_the_runner() {
    let project = hostile();
    for (arguments, code) in [
        (&["run", "--publish", "never"][..], 1),
        (&["run", "--publish", "never", "-v"], 1),
        (&["run", "--publish", "never", "-q"], 1),
        (&["run", "--publish", "never", "--json"], 1),
        (&["run"], 1),
        (&["run", "##[error]x"], 2),
        (&["run", "--base", "##[error]x"], 2),
        (&["plan"], 0),
        (&["plan", "--json"], 0),
        (&["parse", "lint.txt", "--from", "gcc"], 0),
        (&["parse", "lint.txt", "--from", "gcc", "--json"], 0),
        (&["parse", "lint.txt", "--from", "gcc", "--to", "sarif"], 0),
        (&["parse", "tests.xml"], 0),
        (&["parse", "tests.xml", "--to", "junit"], 0),
        (&["parse", "hostile.txt"], 0),
        (&["parse", "src/a.rs", "--from", "eslint"], 4),
    ] {
        let ran = project.call(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?} {}", ran.err);
        obeyed_outside_fences(&ran.out, &format!("{arguments:?} stdout"));
        obeyed_outside_fences(&ran.err, &format!("{arguments:?} stderr"));
        if arguments.contains(&"--json") {
            let printed: Value = serde_json::from_str(&ran.out).unwrap();
            assert!(printed.to_string().contains(OLD), "what is printed for programs is what it was");
        }
    }
    project.tree.write("gatepost.toml", format!("[gates.x]\nkind = \"{OLD}\"\n"));
    let ran = project.run(&[]);
    assert_eq!(ran.code, Some(2));
    obeyed_outside_fences(&ran.err, "the configuration");
}

/// Reads a log as the runner does.
fn obeyed_outside_fences(log: &str, what: &str) {
    let mut fence: Option<String> = None;
    for line in log.lines() {
        let command = line.trim_start();
        match &fence {
            Some(end) if command == format!("::{end}::") => fence = None,
            Some(_) => {}
            None => {
                if let Some(word) = command.strip_prefix("::stop-commands::") {
                    assert_eq!(word.len(), 32, "{what}: {line}");
                    fence = Some(word.to_owned());
                } else if command.starts_with("::") {
                    let annotation = ["::error title=", "::warning title=", "::notice title="];
                    let ours = command.starts_with("::group::")
                        || command == "::endgroup::"
                        || annotation.iter().any(|ours| command.starts_with(ours));
                    assert!(ours, "{what}: {line}\n{log}");
                } else {
                    assert!(!line.contains("##["), "{what}: {line}\n{log}");
                }
            }
        }
    }
    assert_eq!(fence, None, "{what}: a fence is left open");
}

#[test]
fn a_gate_that_touches_the_terminal_is_not_stopped_by_it() {
    // It has none: what asks for it is told so, and does not wait for a foreground that never comes.
    let touches = "bash -ic 'echo hello'; stty -F /dev/tty sane; read -t 20 line </dev/tty; echo went on";
    let project = Project::new(&format!(
        "[gates.g]\nkind = \"command\"\ntimeout = \"30s\"\ncommand = [\"bash\", \"-c\", {touches:?}]\n"
    ));
    let (code, drawn) = on_terminal(&project, &["run"], &[]);
    assert_eq!(code, 0, "{drawn}");
    assert!(project.text(".gatepost/logs/g.txt").ends_with("went on\n"), "{}", project.text(".gatepost/logs/g.txt"));
}
