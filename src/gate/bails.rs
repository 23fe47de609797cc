//! Flags and settings by which a runner of tests, hooks or commands stops at the first failure.

use std::path::Path;

use crate::integrity::halts::Ran;
use crate::world::files;

/// Settings larger than this many bytes are not looked into.
const LARGEST: u64 = 1 << 20;

/// Flags that mean it wherever they stand.
const FLAGS: &[&str] = &["--bail", "--fail-fast", "--failfast", "-failfast", "--nxBail", "--exitonfailure"];

/// Programs whose short flag, or own flag, means it.
const OF_PROGRAMS: &[(&str, &[&str])] = &[
    ("mocha", &["-b"]),
    ("_mocha", &["-b"]),
    ("jest", &["-b"]),
    ("tap", &["-b"]),
    ("unittest", &["-f"]),
    ("nosetests", &["-x", "--stop"]),
    ("behave", &["--stop"]),
    ("robot", &["-X"]),
    ("parallel", &["--halt"]),
    ("concurrently", &["-k", "--kill-others", "--kill-others-on-fail"]),
];

/// The flag of a command, in words that are separated by spaces, by which it stops at a failure.
pub(super) fn bails(command: &str) -> Option<&str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    of_words(&words)
}

fn of_words<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut named: Vec<&str> = Vec::new();
    words.iter().copied().find(|word| {
        let (flag, value) = word.split_once('=').unwrap_or((word, ""));
        let program = word.rsplit('/').next().unwrap_or(word);
        named.extend(OF_PROGRAMS.iter().filter(|(known, _)| *known == program).flat_map(|(_, flags)| *flags));
        // PHPUnit: `--stop-on-defect`, `--stop-on-error` …
        let means = FLAGS.contains(&flag) || named.contains(&flag) || flag.starts_with("--stop-on-");
        means && !matches!(value, "0" | "false")
    })
}

/// Why what a command came down to may not have run to its end: a flag, or settings that its tools read in the repository.
pub(super) fn stops(ran: &[Ran], root: &Path, dir: &str) -> Option<String> {
    for run in ran {
        let words: Vec<&str> = run.words.iter().map(String::as_str).collect();
        if let Some(flag) = of_words(&words) {
            return Some(stopped_early(flag));
        }
        let runs = |programs: &[&str]| {
            let mut names = words.iter().map(|word| word.rsplit('/').next().unwrap_or(word));
            names.any(|name| programs.contains(&name))
        };
        if runs(&["pre-commit", "pre_commit", "prek"])
            && let Some(file) = hooks(&words).into_iter().find(|file| {
                // By itself it looks at the root; what is named is named from where it runs.
                let mut folders = [run.dir.as_str(), ""].into_iter();
                folders.any(|folder| read(&root.join(folder).join(file)).is_some_and(|text| stops_hooks(&text)))
            })
        {
            return Some(format!("`fail_fast` in {file} leaves out the hooks behind one that fails"));
        }
        for settings in SETTINGS.iter().filter(|settings| runs(settings.programs)) {
            for folder in [run.dir.as_str(), dir] {
                let found = settings
                    .files
                    .iter()
                    .find(|file| read(&root.join(folder).join(file)).is_some_and(|text| (settings.stops)(file, &text)));
                if let Some(file) = found {
                    return Some(format!("by {file} it stops at a failure, and what is behind that is not run"));
                }
            }
        }
    }
    None
}

pub(super) fn stopped_early(flag: &str) -> String {
    format!("by `{flag}` it stops at a failure, and what is behind that is not run")
}

fn read(path: &Path) -> Option<String> {
    files::read_capped(path, LARGEST).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Where pre-commit has its hooks from.
fn hooks<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let behind =
        words.iter().position(|word| matches!(*word, "-c" | "--config")).and_then(|at| words.get(at + 1).copied());
    let named = behind.or_else(|| words.iter().find_map(|word| word.strip_prefix("--config=")));
    named.map_or_else(|| vec![".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"], |file| vec![file])
}

/// Settings of a runner.
struct Settings {
    programs: &'static [&'static str],
    files: &'static [&'static str],
    stops: fn(&str, &str) -> bool,
}

const SETTINGS: &[Settings] = &[
    // https://mochajs.org/#configuring-mocha-nodejs
    Settings {
        programs: &["mocha", "_mocha"],
        files: &[
            ".mocharc.js",
            ".mocharc.cjs",
            ".mocharc.mjs",
            ".mocharc.yaml",
            ".mocharc.yml",
            ".mocharc.jsonc",
            ".mocharc.json",
            "package.json",
        ],
        stops: |file, text| of_object(file, text, "mocha"),
    },
    // https://jestjs.io/docs/configuration#bail-number--boolean
    Settings {
        programs: &["jest", "react-scripts"],
        files: &[
            "jest.config.js",
            "jest.config.ts",
            "jest.config.mjs",
            "jest.config.cjs",
            "jest.config.mts",
            "jest.config.cts",
            "jest.config.json",
            "package.json",
        ],
        stops: |file, text| of_object(file, text, "jest"),
    },
    // https://docs.phpunit.de/en/12.0/configuration.html
    Settings {
        programs: &["phpunit", "phpunit.phar", "pest", "paratest", "artisan"],
        files: &["phpunit.xml", "phpunit.dist.xml", "phpunit.xml.dist"],
        stops: |_, text| text.split("stopOn").skip(1).any(|rest| rest.split(['"', '\'']).nth(1) == Some("true")),
    },
    Settings {
        programs: &["rspec", "rake", "parallel_rspec"],
        files: &[".rspec", ".rspec-local"],
        stops: |_, text| bails(text).is_some(),
    },
];

fn of_object(file: &str, text: &str, key: &str) -> bool {
    if file != "package.json" {
        return is_set(text, "bail", "//");
    }
    let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else { return false };
    let bail = &package[key]["bail"];
    !(bail.is_null() || bail == false || bail == 0)
}

/// `fail_fast: true`, of all hooks or of one, however YAML 1.1 writes it.
fn stops_hooks(text: &str) -> bool {
    is_set(text, "fail_fast", "#")
}

/// Whether a key is there with another value than one that switches it off. Where its value is not plain, it is.
fn is_set(text: &str, key: &str, comment: &str) -> bool {
    const OFF: &[&str] = &["false", "no", "off", "0", "null", "undefined", "~"];
    let code = |line: &str| match line.find(comment) {
        Some(0) => String::new(),
        Some(at) if line[..at].ends_with([' ', '\t', ',', '{']) => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).any(|line| {
        line.match_indices(key).any(|(at, _)| {
            let rest = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            let is_key = !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
            rest.strip_prefix([':', '=']).filter(|_| is_key).is_some_and(|value| {
                let value = value.trim_start().split([',', '}', ' ', '\t', ';']).next().unwrap_or_default();
                !OFF.contains(&value.to_lowercase().as_str())
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_by_which_runners_stop_are_known() {
        for command in [
            "npx mocha -b test",
            "jest --bail=1",
            "phpunit --stop-on-defect tests",
            "concurrently --kill-others-on-fail a b",
            "concurrently -k a b",
            "parallel --halt now,fail=1 ::: a b",
            "c8 ./node_modules/.bin/mocha -b",
        ] {
            assert!(bails(command).is_some(), "{command}");
        }
        for command in ["jest --bail=0", "grep -b mocha", "node -b mocha", "concurrently -g a b", "git branch -k"] {
            assert_eq!(bails(command), None, "{command}");
        }
    }

    #[test]
    fn settings_by_which_runners_stop_are_known() {
        for text in [
            "fail_fast: true",
            "fail_fast: True # all",
            "  - {id: f, fail_fast: on}",
            "\"fail_fast\": yes,",
            "fail_fast:\n  true",
        ] {
            assert!(stops_hooks(text), "{text}");
        }
        for text in [
            "fail_fast: false",
            "# fail_fast: true",
            "repos: [] # fail_fast: true",
            "fail_fast: No",
            "x_fail_fast: true",
        ] {
            assert!(!stops_hooks(text), "{text}");
        }
        let stops = |file: &str, text: &str| {
            let settings = SETTINGS.iter().find(|settings| settings.files.contains(&file)).unwrap();
            (settings.stops)(file, text)
        };
        for (file, text) in [
            (".mocharc.json", "{\"bail\":true}"),
            (".mocharc.yml", "bail: true"),
            ("jest.config.js", "module.exports = { bail: 1 };"),
            ("phpunit.xml", "<phpunit stopOnFailure=\"true\">"),
            ("phpunit.xml.dist", "<phpunit stopOnError=\"false\" stopOnDefect='true'>"),
            (".rspec", "--color\n--fail-fast\n"),
        ] {
            assert!(stops(file, text), "{file}");
        }
        for (file, text) in [
            (".mocharc.json", "{\"bail\":false}"),
            ("jest.config.js", "module.exports = { // bail: 1\n bail: 0 };"),
            ("phpunit.xml", "<phpunit stopOnFailure=\"false\" colors=\"true\">"),
            (".rspec", "--color\n"),
            ("package.json", "{\"mocha\": {\"bail\": false}}"),
        ] {
            assert!(!stops(file, text), "{file}");
        }
        assert!(of_object("package.json", "{\"jest\": {\"bail\": 1}}", "jest"));
        assert!(!of_object("package.json", "{\"jest\": {\"bail\": 1}}", "mocha"));
    }
}
