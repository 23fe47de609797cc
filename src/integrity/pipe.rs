//! Programs at the end of pipes, and the files that commands write: who still learns of a failure. It knows no rules.

use super::command::Invocation;
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
    const ENDINGS: &[&str] = &[
        ".txt", ".log", ".json", ".xml", ".sarif", ".html", ".out", ".md", ".csv", ".tap", ".lcov", ".info", ".yml",
        ".yaml", ".jsonl",
    ];
    let value = |word: &String| word.rsplit_once('=').map_or_else(|| word.clone(), |(_, value)| value.to_owned());
    let named = arguments.iter().map(value).filter(|word| ENDINGS.iter().any(|ending| word.ends_with(ending)));
    named.filter(|word| !word.contains('*') && !word.ends_with("package.json")).collect()
}
