//! What tests start is there on macOS too, and spelt as its own programs read it, unless the test is Linux's alone.

use regex::Regex;

use super::source::{everything, none};

/// What to look for in a line of a test, and why it does not work on macOS.
const FOREIGN: &[(&str, &str)] = &[
    (r"\bsed -[a-zE]*i [^']", "its `sed -i` takes the next word for an ending"),
    (r#"new\("ps"\).*\b(args|command)="#, "its `ps` cuts lines after 79 characters without `-ww`"),
    (r"\bgrep -[a-zA-Z]*P\b", "its `grep` has no `-P`"),
    (r"\bstat -(c|-format)\b", "its `stat` has another syntax"),
    (r"\bdate (-d\b|.*%N)", "its `date` reads no dates so, and has no `%N`"),
    (r"\bxargs -d\b|\bfind .*-printf\b|\breadlink -[em]\b|\bhead -[nc] -", "its programs have no such option"),
    (
        r#"\bsetsid (-|sh\b|bash\b|sleep\b)|["' ]timeout [0-9]|"(tac|setsid|nproc|shuf|unshare|ip)"|\b(nproc|shuf|stdbuf|flock) "#,
        "it has no such program",
    ),
    (r"\b(mapfile|readarray|declare -A)\b|\$\{[a-z]+(,,|\^\^)\}", "its bash is 3.2"),
    (r"/proc/(self|\{)|\bkill -(3[2-9]|[4-6][0-9])\b", "it has none of these"),
];

/// What stands behind a condition for Linux is left out: up to the closing brace of the same depth.
fn of_all_systems(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut left_out: Option<String> = None;
    text.lines().enumerate().filter(move |(_, line)| {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        if let Some(end) = &left_out {
            let is_end = indent == end && (code.starts_with('}') || code.ends_with(';'));
            if is_end {
                left_out = None;
            }
            return false;
        }
        if code.starts_with("#[cfg(") && code.contains("target_os = \"linux\"") && !code.contains("not(target_os") {
            left_out = Some(indent.to_owned());
        }
        left_out.is_none() && !code.starts_with("//") && !line.contains("target_os = \"linux\"")
    })
}

fn foreign(text: &str) -> Vec<String> {
    let rules: Vec<(Regex, &str)> = FOREIGN.iter().map(|(rule, why)| (Regex::new(rule).unwrap(), *why)).collect();
    let found = of_all_systems(text).flat_map(|(at, line)| {
        let broken = rules.iter().filter(move |(rule, _)| rule.is_match(line) && !line.contains("-ww"));
        broken.map(move |(_, why)| format!("{}: {why}: {}", at + 1, line.trim()))
    });
    found.collect()
}

/// The house's own tests name what is foreign to find it, and start nothing.
fn is_run(path: &str) -> bool {
    path.starts_with("tests/it/") && !path.starts_with("tests/it/house/")
}

#[test]
fn tests_start_only_what_macos_has_too() {
    let tests = everything().iter().filter(|file| is_run(&file.path));
    let found = tests.flat_map(|file| foreign(&file.text).into_iter().map(|line| format!("{}:{line}", file.path)));
    none("a test that is not Linux's alone runs on macOS too:", &found.collect::<Vec<_>>());
}

#[test]
fn what_is_foreign_is_found() {
    for line in [
        "(\"sed -i s/a/b/ x\")",
        "Command::new(\"ps\").args([\"-A\", \"-o\", \"pid=,command=\"])",
        "\"stat -c %a x\"",
        "\"timeout 5 true\"",
        "\"kill -34 $$\"",
        "open(\"/proc/self/status\")",
    ] {
        assert_eq!(foreign(line).len(), 1, "{line}");
    }
    let linux =
        "#[cfg(target_os = \"linux\")]\nfn a() {\n    run(\"setsid sh\");\n}\nfn b() {\n    run(\"setsid sh\");\n}\n";
    assert_eq!(foreign(linux).len(), 1);
    assert_eq!(foreign("Command::new(\"ps\").args([\"-A\", \"-ww\", \"-o\", \"pid=,args=\"])"), [""; 0]);
}
