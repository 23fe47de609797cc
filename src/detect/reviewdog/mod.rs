//! What a `.reviewdog.yml` runs, as gates. Every runner becomes a gate or is named with the reason why not.

mod errorformat;

use std::collections::BTreeSet;

use super::gate::DetectedGate;
use super::{Adopted, DetectError, Left, free_name};
use crate::model::finding::Level;
use crate::model::gate::{Mode, Only};
use crate::model::settings::CommandLine;
use crate::model::text::one_line;
use crate::model::yaml::{self, Node};

use errorformat::Translated;

/// Where the files of problem matchers are written, relative to the root.
const FOLDER: &str = ".github/matchers";

/// reviewdog's names of formats that gatepost has under another name, or reads from the same lines.
const FORMATS: &[(&str, &str)] = &[
    ("checkstyle", "checkstyle"),
    ("diff", "diff"),
    ("flake8", "gcc"),
    ("gofmt", "diff"),
    ("golint", "gcc"),
    ("govet", "gcc"),
    ("misspell", "gcc"),
    ("mypy", "gcc"),
    ("pep8", "gcc"),
    ("rdjson", "rdjson"),
    ("rdjsonl", "rdjsonl"),
    ("sarif", "sarif"),
    ("staticcheck", "gcc"),
    ("tsc", "tsc"),
];

/// reviewdog's names of formats that are other lines.
const LINES: &[(&str, &[&str])] = &[
    ("brakeman", &[r"%f%*\s%l%*\s%m"]),
    ("eslint-compact", &["%f: line %l, col %c, %trror - %m", "%f: line %l, col %c, %tarning - %m", "%-G%.%#"]),
    ("cpplint", &["%f:%l:  %m"]),
    ("fasterer", &["%f:%l %m"]),
    ("golangci-lint", &["%E%f:%l:%c: %m", "%E%f:%l: %m", "%C%.%#"]),
    ("reek", &[r"%*\s%f:%l: %m", "%-G%.%#"]),
    // Its excerpts follow on lines of their own.
    ("rubocop", &["%f:%l:%c: %t: %m", "%-G%.%#"]),
    ("standardjs", &[r"%*\s%f:%l:%c: %m", "%-G%.%#"]),
];

/// ESLint's own format for people has the file on a line before its findings.
const STYLISH: &str = r#"{
  "problemMatcher": [
    {
      "owner": "eslint-stylish",
      "pattern": [
        { "regexp": "^([^\\s].*)$", "file": 1 },
        {
          "regexp": "^\\s+(\\d+):(\\d+)\\s+(error|warning)\\s+(.*?)(?:\\s\\s+(\\S+))?$",
          "line": 1,
          "column": 2,
          "severity": 3,
          "message": 4,
          "code": 5,
          "loop": true
        }
      ]
    }
  ]
}
"#;

/// How reviewdog is called, as far as it is written down: the flags beside .reviewdog.yml, which decide what counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-filter-mode`, of every call that has it.
    pub filter_modes: BTreeSet<String>,
    /// `-fail-level`, or `any` for `-fail-on-error`.
    pub fail_levels: BTreeSet<String>,
    /// Whether any call was seen.
    pub seen: bool,
}

impl Flags {
    /// Adds what a script of a workflow says.
    pub fn see(&mut self, script: &str) {
        if !script.contains("reviewdog") {
            return;
        }
        self.seen = true;
        let mut words = script.split(|c: char| c.is_whitespace() || matches!(c, '\\' | ';' | '|' | '&'));
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix('-') else { continue };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            let bare = |value: &str| value.trim_matches(['"', '\'']).to_owned();
            match name {
                "filter-mode" | "fail-level" => {
                    let Some(value) = value.or_else(|| words.next()).map(bare) else { return };
                    let into = if name == "filter-mode" { &mut self.filter_modes } else { &mut self.fail_levels };
                    into.insert(value);
                }
                "fail-on-error" if value.is_none_or(|value| bare(value) != "false") => {
                    self.fail_levels.insert("any".to_owned());
                }
                _ => {}
            }
        }
    }

    /// Adds what the inputs of one of reviewdog's own actions say.
    pub fn see_inputs(&mut self, inputs: &Node) {
        self.seen = true;
        let input = |name: &str| inputs.get(name).and_then(Node::text).filter(|value| !value.is_empty());
        self.filter_modes.extend(input("filter_mode").map(str::to_owned));
        self.fail_levels.extend(input("fail_level").map(str::to_owned));
        if input("fail_on_error") == Some("true") {
            self.fail_levels.insert("any".to_owned());
        }
    }

    /// What counts, and what is to be said of that.
    fn only(&self) -> (Option<Only>, Option<String>) {
        let mut modes = self.filter_modes.iter().map(String::as_str);
        match (modes.next(), modes.next()) {
            (None, _) => (None, None),
            (Some("added"), None) => (Some(Only::ChangedLines), None),
            (Some("file"), None) => (Some(Only::ChangedFiles), None),
            (Some("nofilter"), None) => (Some(Only::All), None),
            // The wider one misses nothing that it showed.
            (Some("diff_context"), None) => {
                let said = "filter mode diff_context: there is none here for the lines around a change; `changed-files` \
                            counts all of a changed file, `changed-lines` only what changed";
                (Some(Only::ChangedFiles), Some(said.to_owned()))
            }
            (Some(mode), None) => {
                (None, Some(format!("filter mode {} is not carried over: set `only`", one_line(mode, 80))))
            }
            (Some(_), Some(_)) => {
                let listed: Vec<&str> = self.filter_modes.iter().map(String::as_str).collect();
                let listed = one_line(&listed.join(", "), 80);
                (
                    None,
                    Some(format!(
                        "reviewdog is called with several filter modes ({listed}): set `only` where it should not be the default"
                    )),
                )
            }
        }
    }

    /// Whether a runner's findings made reviewdog fail, and from which level.
    fn blocks(&self, level: &str) -> (bool, Option<Level>) {
        let rank = |word: &str| match word {
            "info" => 1,
            "warning" => 2,
            _ => 3,
        };
        let lowest = self.fail_levels.iter().filter(|level| *level != "none").min_by_key(|word| match word.as_str() {
            "any" => 0,
            other => rank(other),
        });
        match lowest.map(String::as_str) {
            // Nobody knows better.
            None if !self.seen => (true, None),
            None => (rank(level) == 3, None),
            Some("any" | "info") => (true, Some(Level::Note)),
            Some("warning") => (rank(level) >= rank("warning"), None),
            Some(_) => (rank(level) == 3, Some(Level::Error)),
        }
    }
}

/// Makes gates of the text of a `.reviewdog.yml`.
///
/// # Errors
/// When it is none.
pub fn adopt(text: &str, path: &str, flags: &Flags) -> Result<Adopted, DetectError> {
    let wrong = |what: String| DetectError::Manifest { path: path.to_owned(), what };
    let tree = yaml::read(text).map_err(|error| wrong(format!("is no YAML: {error}")))?;
    let runners = tree.get("runner").ok_or_else(|| wrong("has no `runner`".to_owned()))?;
    let mut adopted = Adopted::default();
    adopted.notes.push(
        "reviewdog does not look at how a command ends; here one that does not end with status 0 and shows no finding is \
         `error`"
            .to_owned(),
    );
    for (key, _) in tree.entries().iter().filter(|(key, _)| key != "runner") {
        adopted.notes.push(format!("{path}: `{}` is none of reviewdog's keys: not carried over", one_line(key, 80)));
    }
    for (key, runner) in runners.entries() {
        let reading = Reading { key, runner, path, flags };
        match reading.gate(&adopted.gates) {
            Ok(made) => {
                adopted.gates.push(made.gate);
                adopted.files.extend(made.file);
                adopted.notes.extend(made.notes);
            }
            Err(why) => adopted.left.push(Left { name: one_line(key, 80), what: reading.command().to_owned(), why }),
        }
    }
    let (_, said) = flags.only();
    adopted.notes.extend(said);
    if !flags.seen {
        adopted.notes.push(
            "no call of reviewdog was found in the workflows: by which level it fails and what it filters is not known, and \
             each gate blocks by the defaults, unless `--mode` says otherwise; set `fail-on`, `only` and `mode` as its call has it"
                .to_owned(),
        );
    }
    Ok(adopted)
}

struct Made {
    gate: DetectedGate,
    file: Option<(String, String)>,
    notes: Vec<String>,
}

struct Reading<'a> {
    key: &'a str,
    runner: &'a Node,
    path: &'a str,
    flags: &'a Flags,
}

impl Reading<'_> {
    fn text(&self, name: &str) -> &str {
        self.runner.get(name).and_then(Node::text).unwrap_or_default().trim()
    }

    fn command(&self) -> &str {
        self.text("cmd")
    }

    fn gate(&self, taken: &[DetectedGate]) -> Result<Made, String> {
        if self.command().is_empty() {
            return Err("it has no `cmd`".to_owned());
        }
        let shown = if self.text("name").is_empty() { self.key } else { self.text("name") };
        let name = free_name(&stem(shown), "", taken);
        let level = self.text("level").to_ascii_lowercase();
        let severity = match level.as_str() {
            "warning" => "warning",
            "info" => "notice",
            _ => "error",
        };
        let (format, file) = self.format(&name, severity)?;
        let (blocks, fail_on) = self.flags.blocks(&level);
        let why = format!("{} line {}, runner {}", self.path, self.runner.line, one_line(self.key, 80));
        let command = CommandLine::Shell(self.command().to_owned());
        let label = (!blocks).then(|| format!("reviewdog shows it as `{level}`, which does not block"));
        let gate = DetectedGate {
            kind: "lint",
            format: Some(format.into()),
            only: self.flags.only().0,
            fail_on,
            mode: if blocks { Mode::Block } else { Mode::Report },
            label,
            ..DetectedGate::by_exit_status(&name, "", command, why)
        };
        Ok(Made { gate, file, notes: self.unknown() })
    }

    fn format(&self, name: &str, severity: &str) -> Result<(String, Option<(String, String)>), String> {
        let given: Vec<&str> = self.runner.get("errorformat").map(Node::texts).unwrap_or_default();
        let matcher = |text: String| {
            let file = format!("{FOLDER}/{name}.json");
            (format!("matcher:{file}"), Some((file, text)))
        };
        let translated = |patterns: &[&str]| {
            Ok(match errorformat::translate(name, patterns, severity)? {
                Translated::Format(format) => (format.to_owned(), None),
                Translated::Matcher(text) => matcher(text),
            })
        };
        if !given.is_empty() {
            return translated(&given);
        }
        // Without either, reviewdog takes the runner's name for the format's.
        let named = self.text("name");
        let format = match self.text("format") {
            "" if is_known(named) => named,
            "" => self.key,
            given => given,
        };
        if format == "eslint" {
            return Ok(matcher(STYLISH.to_owned()));
        }
        if let Some((_, patterns)) = LINES.iter().find(|(named, _)| *named == format) {
            return translated(patterns);
        }
        let known = FORMATS.iter().find(|(named, _)| *named == format);
        known.map(|(_, own)| ((*own).to_owned(), None)).ok_or_else(|| {
            format!(
                "reviewdog's format `{}` is none of gatepost's: let the tool print SARIF, Checkstyle or JUnit, or write \
                 a problem matcher",
                one_line(format, 80)
            )
        })
    }

    /// Keys that reviewdog does not have either.
    fn unknown(&self) -> Vec<String> {
        let known = ["cmd", "name", "format", "errorformat", "level"];
        let others = self.runner.entries().iter().filter(|(key, _)| !known.contains(&key.as_str()));
        others
            .map(|(key, node)| format!("{} line {}: `{}` is not carried over", self.path, node.line, one_line(key, 80)))
            .collect()
    }
}

/// Whether reviewdog's format of that name is read here.
fn is_known(format: &str) -> bool {
    format == "eslint"
        || LINES.iter().any(|(name, _)| *name == format)
        || FORMATS.iter().any(|(name, _)| *name == format)
}

/// A runner's name as far as it can name a gate.
fn stem(name: &str) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '-' };
    let name: String = name.chars().map(good).take(48).collect();
    let name = name.trim_start_matches(['-', '.', '_']);
    if name.is_empty() { "lint".to_owned() } else { name.to_owned() }
}
