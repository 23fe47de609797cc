//! Programs at the end of pipes, and the files that commands write: who still learns of a failure. It knows no rules.

use super::command::Invocation;
use super::dictionary::is_gate;
use super::shell::{Command, Kind};

/// Programs that pass on what they read, whatever it says.
pub const FILTERS: &[&str] = &[
    "tee",
    "cat",
    "head",
    "tail",
    "sed",
    "awk",
    "gawk",
    "sort",
    "uniq",
    "cut",
    "tr",
    "less",
    "more",
    "ts",
    "column",
    "grep",
    "fold",
    "xcpretty",
    "xcbeautify",
    "gotestfmt",
    "pino-pretty",
    "bunyan",
    "sponge",
    "ansi2txt",
    "ansifilter",
    "nl",
    "wc",
    "xargs",
];

/// Whether the last command of a pipe judges what it reads: its own status tells.
#[must_use]
pub fn decides(last: &Invocation) -> bool {
    let arguments = last.arguments();
    match last.program.as_str() {
        "grep" | "egrep" | "rg" | "fgrep" => {
            !arguments.iter().any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag.contains('v'))
        }
        "jq" => arguments.iter().any(|flag| matches!(*flag, "-e" | "--exit-status")),
        "reviewdog" | "tparse" | "gotestsum" | "diff" | "cmp" | "gatepost" | "test" | "read" | "python" | "python3"
        | "node" | "ruby" | "perl" | "curl" | "FileCheck" | "snazzy" | "cargo2junit" | "git" | "" | "a block"
        // They end with 1 where a test failed, or none ran.
        | "tap-spec" | "tap-dot" | "tap-min" | "tap-summary" | "tap-diff" | "tap-difflet" | "tap-arc" | "faucet" => true,
        "go-junit-report" => arguments.iter().any(|flag| flag.ends_with("set-exit-code")),
        _ => false,
    }
}

/// The first program of a pipe in a script that leaves out lines of what a tool, or something of the repository, prints.
#[must_use]
pub fn shortens(script: &Command) -> Option<String> {
    let simple = |part: &Command| match &part.kind {
        Kind::Simple(simple) => Some(Invocation::of(simple)),
        _ => None,
    };
    let tells =
        |part: &Command| simple(part).is_none_or(|of| of.call.is_some() || is_gate(&of.program, &of.arguments()));
    let mut found = None;
    script.each(&mut |command| {
        let Kind::Pipeline(parts) = &command.kind else { return };
        let behind = parts.iter().skip_while(|part| !tells(part)).skip(1).filter_map(simple);
        let mut short = behind.filter(leaves_out).map(|of| format!("{} {}", of.program, of.arguments.join(" ")));
        found = found.take().or_else(|| short.next());
    });
    found.map(|words| words.trim_end().to_owned())
}

/// Whether a filter stops after so many lines, or passes on the last ones. Taking away a heading or a summary is no loss.
fn leaves_out(filter: &Invocation) -> bool {
    let arguments = filter.arguments();
    let has = |flags: &[&str]| arguments.iter().any(|word| flags.iter().any(|flag| word.starts_with(flag)));
    match filter.program.as_str() {
        "head" => {
            let words = arguments.join(" ").replace("-n ", "-n").replace("-c ", "-c");
            !["-n-", "-c-", "--lines=-", "--bytes=-"].iter().any(|all_but| words.contains(all_but))
        }
        "tail" => !arguments.iter().any(|word| word.contains('+')),
        "grep" | "egrep" | "rg" => has(&["-m", "--max-count"]),
        "sed" => arguments.iter().any(|script| ends_early(script)),
        "awk" | "gawk" => {
            arguments.iter().any(|program| ["NR", "exit", "getline"].iter().any(|word| program.contains(word)))
        }
        // Of lines that are alike in that field it leaves one.
        "sort" => {
            let short = |letter: char| {
                arguments
                    .iter()
                    .any(|flags| flags.starts_with('-') && !flags.starts_with("--") && flags.contains(letter))
            };
            (short('u') || has(&["--unique"])) && (short('k') || has(&["--key"]))
        }
        _ => false,
    }
}

/// Whether a script of sed's leaves out lines by their number. A heading (`1,3d`) and a summary (`$d`) are no loss.
fn ends_early(script: &str) -> bool {
    script.split([';', '\n']).map(str::trim).any(|command| {
        let by_number = command.starts_with(|c: char| c.is_ascii_digit() || c == '$');
        let quits = command.starts_with('/') && command.ends_with(['q', 'Q']);
        let is_heading = command.ends_with('d') && !command.contains('!') && !command.contains(",$");
        quits || (by_number && !is_heading)
    })
}

/// Whether two commands look at the same and differ at most in how they tell of it.
#[must_use]
pub fn is_same_but_output(a: &Invocation, b: &Invocation) -> bool {
    a.program == b.program && a.call == b.call && without_output(&a.arguments).eq(without_output(&b.arguments))
}

/// Whether a command runs all tests of which another one, by a name, runs some: `cargo test` beside `cargo test name`.
#[must_use]
pub fn is_whole_of(whole: &Invocation, part: &Invocation) -> bool {
    const WIDER: &[&str] = &["--all-targets", "--workspace", "--all"];
    let is_name = |words: &[&str], at: usize| at > 0 && !words[at].starts_with('-') && !words[at - 1].starts_with('-');
    let split = |invocation: &Invocation| -> (Vec<String>, usize) {
        let words = invocation.arguments();
        let words: Vec<&str> = words.into_iter().take_while(|word| *word != "--").collect();
        let others = (0..words.len()).filter(|at| !is_name(&words, *at) && !WIDER.contains(&words[*at]));
        let others: Vec<String> = others.map(|at| words[at].to_owned()).collect();
        let names = (0..words.len()).filter(|at| is_name(&words, *at)).count();
        (others, names)
    };
    let ((all, none), (some, names)) = (split(whole), split(part));
    let narrowed =
        whole.arguments.iter().skip_while(|word| *word != "--").any(|word| word != "--" && word != "--nocapture");
    let tests = |invocation: &Invocation| {
        invocation.program == "cargo"
            && invocation.arguments.first().is_some_and(|verb| matches!(verb.as_str(), "test" | "t"))
    };
    tests(whole) && tests(part) && none == 0 && names > 0 && all == some && !narrowed
}

/// Arguments without those that say how to tell of what was found.
fn without_output(arguments: &[String]) -> impl Iterator<Item = &String> {
    const FLAGS: &[&str] = &[
        "--output-format",
        "--message-format",
        "--out-format",
        "--format",
        "--formatter",
        "--reporter",
        "--output-file",
        "--output",
        "--color",
        "--junitxml",
        "--junit-xml",
        "--outputFile",
    ];
    const ALONE: &[&str] = &["-q", "-v", "-vv", "--quiet", "--verbose", "--no-color", "--statistics", "--show-source"];
    let name = |word: &str| FLAGS.contains(&word);
    let told = move |word: &str| ALONE.contains(&word) || word.split_once('=').is_some_and(|(flag, _)| name(flag));
    let kept =
        move |(at, word): &(usize, &String)| !(told(word) || name(word) || (*at > 0 && name(&arguments[at - 1])));
    arguments.iter().enumerate().filter(kept).map(|(_, word)| word)
}

/// The files that `tee` writes at the end of a pipe, as they are written there.
#[must_use]
pub fn written_by_tee(last: &Command) -> Vec<String> {
    let Kind::Simple(simple) = &last.kind else { return Vec::new() };
    let mut words = simple.words.iter().skip_while(|word| word.text == "sudo");
    if words.next().is_none_or(|word| word.text != "tee") {
        return Vec::new();
    }
    let files = words.filter(|word| !word.text.starts_with('-') && !word.text.starts_with("/dev/"));
    files.map(|word| word.raw.replace(['"', '\''], "")).collect()
}

/// Arguments that name a file to write: `-o x.json`, `--outputFile=x.json`, `--junitxml=x.xml`.
#[must_use]
pub fn files(arguments: &[String]) -> Vec<String> {
    let value = |word: &String| word.rsplit_once('=').map_or_else(|| word.clone(), |(_, value)| value.to_owned());
    arguments.iter().map(value).filter(|word| is_output(word)).collect()
}

/// Whether a word names a file of the sort that tools write.
#[must_use]
pub fn is_output(word: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".txt", ".log", ".json", ".xml", ".sarif", ".html", ".out", ".md", ".csv", ".tap", ".lcov", ".info", ".yml",
        ".yaml", ".jsonl",
    ];
    ENDINGS.iter().any(|ending| word.ends_with(ending)) && !word.contains('*') && !word.ends_with("package.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::shell;

    #[test]
    fn what_shows_only_some_lines_of_a_tool_is_found() {
        let first = |script: &str| shortens(&shell::read(script).unwrap());
        for (script, filter) in [
            ("flake8 . | head -n 1", "head -n 1"),
            ("set -e; (cd a && flake8 . 2>&1 | tee out | tail -20)", "tail -20"),
            ("make lint | head", "head"),
            ("./scripts/lint.sh | grep -m 5 x", "grep -m 5 x"),
            ("{ flake8 .; mypy .; } | sed 5q", "sed 5q"),
            ("flake8 . | sed -n 1,5p", "sed -n 1,5p"),
            ("flake8 . | sed '6,$d'", "sed 6,$d"),
            ("flake8 . | sed '/x/q'", "sed /x/q"),
            ("flake8 . | awk 'NR < 5'", "awk NR < 5"),
            ("flake8 . | sort -t: -k1,1 -u", "sort -t: -k1,1 -u"),
        ] {
            assert_eq!(first(script).as_deref(), Some(filter), "{script}");
        }
        for script in [
            "flake8 .",
            "git ls-files | head -5 | xargs flake8",
            "git log --oneline | head -5; flake8 .",
            "flake8 . | tail -n +2 | head -n -1",
            "flake8 . | head --lines=-2 | tee out",
            "flake8 . | grep -v E501 | sed 's/a/b/'",
            "flake8 . | sed -e 1d -e '$d' | sort -u | awk '{print $1}'",
            "pip list | head; flake8 $(git diff --name-only | head)",
        ] {
            assert_eq!(first(script), None, "{script}");
        }
    }
}
