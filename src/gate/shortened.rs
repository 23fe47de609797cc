//! Signs that a tool shows only some of what it found: at a limit of its own, by a flag, or as the command cuts its output.
//! What is left out may be what the change brought, so that findings which do not count are then no good sign.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use crate::gate::lines;
use crate::integrity::halts::{Looked, Ran};
use crate::model::evidence::{Located, Understood};
use crate::model::finding::Finding;
use crate::model::text::one_line;
use crate::world::files;

/// Settings larger than this many bytes are not looked into.
const LARGEST: u64 = 1 << 20;

/// Words by which a tool says so, with `…` between parts of a line, and what that means.
const SAID: &[(&str, &str)] = &[
    ("Diagnostics not shown: ", "Biome shows no more than its limit: give it `--max-diagnostics=none`"),
    (
        "only showing the first …, of … total; use -Xmax",
        "javac shows no more than its limit: raise `-Xmaxerrs` and `-Xmaxwarns`",
    ),
    (
        " more problem… hidden > increase with `--max-problems",
        "Redocly shows no more than its limit: raise `--max-problems`",
    ),
    (" more, use `--all` to show them", "Credo shows only some of what it found: give it `--all`"),
    ("(Skipping most remaining errors due to ", "mypy leaves out what it found: let it find the stubs first"),
];

/// Flags by which a program tells only the first of several alike.
const FIRST_ALONE: &[(&str, &str)] = &[("cspell", "--unique"), ("pycodestyle", "--first")];

/// How many findings of a sort a program shows where nothing else is said.
struct Limit {
    program: &'static str,
    most: usize,
    /// What is alike among them.
    sort: fn(&Finding) -> String,
    /// That in words.
    alike: &'static str,
    /// Its name among the flags of the program and in its settings.
    key: &'static str,
    /// How to lift it.
    lift: &'static str,
    settings: &'static [&'static str],
}

const GOLANGCI: &[&str] = &[".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"];

const LIMITS: &[Limit] = &[
    // https://golangci-lint.run/docs/configuration/file/#issues-configuration
    Limit {
        program: "golangci-lint",
        most: 3,
        sort: |finding| finding.message.clone(),
        alike: "with the same text",
        key: "max-same-issues",
        lift: "give it `--max-same-issues=0`",
        settings: GOLANGCI,
    },
    Limit {
        program: "golangci-lint",
        most: 50,
        sort: |finding| finding.rule.clone().unwrap_or_else(|| linter(&finding.message).to_owned()),
        alike: "of the same linter",
        key: "max-issues-per-linter",
        lift: "give it `--max-issues-per-linter=0`",
        settings: GOLANGCI,
    },
    // https://cspell.org/docs/Configuration/properties: `maxDuplicateProblems`
    Limit {
        program: "cspell",
        most: 5,
        sort: |finding| format!("{}\n{}", finding.path.as_deref().unwrap_or_default(), finding.message),
        alike: "of the same word in a file",
        key: "maxDuplicateProblems",
        lift: "raise `maxDuplicateProblems` in its settings",
        settings: &[
            "cspell.json",
            ".cspell.json",
            "cspell.jsonc",
            "cspell.config.json",
            "cspell.config.jsonc",
            "cspell.config.yaml",
            "cspell.config.yml",
            "cspell.yaml",
            "cspell.yml",
            "cspell.config.js",
            "cspell.config.mjs",
            "cspell.config.cjs",
            "package.json",
        ],
    },
];

/// `… (errcheck)`
fn linter(message: &str) -> &str {
    message.rsplit_once('(').map_or("", |(_, name)| name.trim_end_matches(')'))
}

/// Why what a command showed may not be all that its tools found; `None` where nothing says so.
pub(super) fn shortened(looked: &Looked, understood: &Understood, root: &Path, log: &File) -> Option<String> {
    if let Some(filter) = &looked.shortened {
        return Some(format!("`{filter}` leaves out some of what the tool found: take it out of the command"));
    }
    let named = |ran: &Ran, (program, flag): &(&str, &str)| {
        let alone = ran.words.first().is_some_and(|word| word == program) && ran.words.iter().any(|word| word == flag);
        alone.then(|| format!("by `{flag}` {program} tells only the first of several alike"))
    };
    let flagged = || looked.ran.iter().find_map(|ran| FIRST_ALONE.iter().find_map(|row| named(ran, row)));
    let limited = || LIMITS.iter().find_map(|limit| limit.reached(looked, &understood.findings, root));
    let of_findings = if understood.findings.is_empty() { None } else { flagged().or_else(limited) };
    of_findings.or_else(|| said(log))
}

/// What the log says of it.
fn said(log: &File) -> Option<String> {
    let in_order = |line: &str, words: &str| {
        let mut rest = line;
        words.split('…').all(|part| {
            rest.split_once(part).is_some_and(|(_, behind)| {
                rest = behind;
                true
            })
        })
    };
    let see = |line: &str| {
        let means = SAID.iter().find(|(words, _)| in_order(line, words)).map(|(_, means)| (*means).to_owned());
        means.or_else(|| is_torn(line).then(|| format!("a line of its output was torn (`{}`)", one_line(line, 60))))
    };
    lines::find_in(log, see).unwrap_or_else(|why| {
        Some(format!("whether it showed all that it found is not known, as its log cannot be read: {why}"))
    })
}

/// `:3:1: error: …`: the program wrote to both of its streams, and one came into a line of the other.
fn is_torn(line: &str) -> bool {
    let mut parts = line.split(':');
    parts.next() == Some("")
        && parts.next().is_some_and(|number| number.parse::<u32>().is_ok())
        && parts.next().is_some()
}

impl Limit {
    /// What is said where so many of a sort are there that there may be more.
    fn reached(&self, looked: &Looked, findings: &[Located], root: &Path) -> Option<String> {
        let runs = looked.ran.iter().filter(|ran| ran.words.first().is_some_and(|word| word == self.program));
        let most = runs.map(|ran| self.of(ran, root)).filter(|most| *most > 0).min()?;
        let mut sorts: HashMap<String, usize> = HashMap::new();
        for located in findings {
            *sorts.entry((self.sort)(&located.finding)).or_default() += 1;
        }
        let full = sorts.values().any(|count| *count >= most);
        full.then(|| {
            format!(
                "{} shows no more than {most} findings {}, and there may be more: {}",
                self.program, self.alike, self.lift
            )
        })
    }

    /// The limit that holds for a command; 0: none.
    fn of(&self, ran: &Ran, root: &Path) -> usize {
        let value = |flag: &str| {
            let at = ran.words.iter().position(|word| word.split('=').next() == Some(flag))?;
            ran.words[at].split_once('=').map(|(_, value)| value).or_else(|| ran.words.get(at + 1).map(String::as_str))
        };
        let flag = || value(&format!("--{}", self.key))?.parse().ok();
        let named = || self.set_in(&root.join(&ran.dir).join(value("--config").or_else(|| value("-c"))?));
        let mut folders = Path::new(&ran.dir).ancestors();
        let set = |folder: &Path| self.settings.iter().find_map(|file| self.set_in(&root.join(folder).join(file)));
        flag().or_else(named).or_else(|| folders.find_map(set)).unwrap_or(self.most)
    }

    /// The value in a file of settings: a line of YAML, TOML, JSON or JavaScript that has the key.
    fn set_in(&self, path: &Path) -> Option<usize> {
        let text = files::read_capped(path, LARGEST)?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', '/']));
        let value = |line: &str| {
            let (_, rest) = line.split_once(self.key)?;
            let rest = rest.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        };
        lines.into_iter().find_map(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::Place;

    fn found(messages: &[(&str, usize)]) -> Understood {
        let finding =
            |message: &str| Finding { message: message.to_owned(), path: Some("a".to_owned()), ..Finding::default() };
        let located = |message: &str| Located {
            finding: finding(message),
            place: Place::Unplaced,
            or_at: Vec::new(),
            anywhere: false,
            exact: true,
            at_end: false,
            line_text: None,
        };
        let findings = messages.iter().flat_map(|(message, count)| (0..*count).map(|_| located(message))).collect();
        Understood { findings, ..Understood::default() }
    }

    fn looked(command: &str) -> Looked {
        Looked { ran: vec![Ran { dir: "sub/dir".to_owned(), ..Ran::of_line(command) }], ..Looked::default() }
    }

    #[test]
    fn a_limit_that_is_reached_hides_what_there_may_be_more() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("log.txt");
        files::write(&log, b"").unwrap();
        let why = |command: &str, messages: &[(&str, usize)]| {
            shortened(&looked(command), &found(messages), root.path(), &files::open(&log).unwrap())
        };
        let same = "golangci-lint shows no more than 3 findings with the same text, and there may be more: give it \
            `--max-same-issues=0`";
        assert_eq!(why("golangci-lint run", &[("x (errcheck)", 3), ("y (errcheck)", 1)]).as_deref(), Some(same));
        assert_eq!(why("golangci-lint run", &[("x (errcheck)", 2), ("y (errcheck)", 2)]), None);
        assert_eq!(why("golangci-lint run --max-same-issues=0", &[("x (errcheck)", 9)]), None);
        assert_eq!(why("golangci-lint run --max-same-issues 5", &[("x (errcheck)", 4)]), None);
        assert!(why("golangci-lint run --max-same-issues 5", &[("x (errcheck)", 5)]).unwrap().contains(" 5 findings "));
        let many: Vec<String> = (0..50).map(|number| format!("{number} (errcheck)")).collect();
        let many: Vec<(&str, usize)> = many.iter().map(|message| (message.as_str(), 1)).collect();
        assert!(why("golangci-lint run", &many).unwrap().contains("no more than 50 findings of the same linter"));
        assert_eq!(why("golangci-lint run", &many[1..]), None);
        assert!(why("cspell .", &[("Unknown word (x)", 5)]).is_some() && why("cspell .", &[("x", 4)]).is_none());
        assert!(why("cspell --unique .", &[("x", 1)]).is_some() && why("cspell --unique .", &[]).is_none());
        assert_eq!(why("flake8 .", &[("x", 100)]), None);
    }

    #[test]
    fn settings_lift_a_limit() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| files::write(&root.path().join(file), text.as_bytes()).unwrap();
        let is_reached = |command: &str| {
            let found = found(&[("x (errcheck)", 3)]);
            shortened(&looked(command), &found, root.path(), &files::open(&root.path().join("log.txt")).unwrap())
                .is_some()
        };
        files::make_dir(&root.path().join("sub/dir")).unwrap();
        write("log.txt", "");
        write(".golangci.yml", "issues:\n  # max-same-issues: 0\n  max-issues-per-linter: 0\n");
        assert!(is_reached("golangci-lint run"), "a comment lifts nothing");
        write("sub/dir/ci.toml", "[issues]\nmax-same-issues = 0\n");
        assert!(!is_reached("golangci-lint run -c ci.toml") && !is_reached("golangci-lint run --config=ci.toml"));
        write("sub/.golangci.json", r#"{"issues": {"max-same-issues": 0}}"#);
        assert!(!is_reached("golangci-lint run"));
    }

    #[test]
    fn what_a_tool_says_of_its_limit_is_read() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("log.txt");
        let of = |text: &str| {
            files::write(&log, text.as_bytes()).unwrap();
            shortened(&Looked::default(), &Understood::default(), root.path(), &files::open(&log).unwrap())
        };
        for text in [
            "The number of diagnostics exceeds the limit allowed. Use --max-diagnostics to increase it.\nDiagnostics not shown: 40.\n",
            "100 errors\nonly showing the first 100 errors, of 300 total; use -Xmaxerrs if you would like to see more\n",
            "100 warnings\nonly showing the first 100 warnings, of 101 total; use -Xmaxwarns if you would like to see more\n",
            "< ... 1102 more problems hidden > increase with `--max-problems N`\n",
            "a.py:9: note: (Skipping most remaining errors due to unresolved imports or missing stubs; fix these first)\n",
        ] {
            assert!(of(text).is_some(), "{text}");
        }
        assert_eq!(of("100 errors\n"), None);
        assert_eq!(
            of("a.c:3checked 100 files\n:2:1: error: x\n").unwrap(),
            "a line of its output was torn (`:2:1: error: x`)"
        );
    }
}
