//! `matcher`: any tool's lines, by a problem-matcher file of the user's, with the meaning it has for GitHub's runner
//! (`src/Runner.Worker/IssueMatcher.cs` and `Handlers/OutputManager.cs`). What the runner drops, is noted here.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::{Captures, Regex};
use serde::Deserialize;

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::{shorten, without_escapes};
use crate::parse::folders::Entered;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Range, count};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, ecmascript};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "matcher",
    about: "any tool, by a problem-matcher file: `matcher:FILE`",
    stream: Stream::Both,
    empty: Empty::Clean,
    recognises: |_| false,
    reader: Reader::Whole(|_| {
        let expected = "the problem matcher to read it with: write `matcher:FILE`";
        Err(ParseError::Malformed { expected, got: "`matcher` alone".to_owned() })
    }),
};

/// Why a problem-matcher file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// It is no JSON of the documented shape.
    #[error(
        "expected {{\"problemMatcher\": [{{\"owner\": …, \"pattern\": [{{\"regexp\": …, \"message\": 1}}]}}]}}: {0}"
    )]
    Json(String),
    /// It has no matcher.
    #[error("`problemMatcher` is empty: nothing would be found")]
    NoMatcher,
    /// A matcher breaks a rule of the runner's.
    #[error("matcher {owner:?}: {why}")]
    Rule {
        /// Its `owner`, perhaps empty.
        owner: String,
        /// What is wrong.
        why: String,
    },
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "problemMatcher")]
    matchers: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    owner: String,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    pattern: Vec<RawPattern>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPattern {
    #[serde(default)]
    regexp: String,
    file: Option<usize>,
    from_path: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    code: Option<usize>,
    message: Option<usize>,
    severity: Option<usize>,
    #[serde(default, rename = "loop")]
    repeats: bool,
}

/// The words of a match, in the order of [`NAMES`]. `endLine` and `endColumn` are not the runner's, but known from
/// editors.
const NAMES: [&str; 9] = ["file", "fromPath", "line", "column", "endLine", "endColumn", "code", "message", "severity"];

/// What a running match holds: a group that took no part is an empty text, one that was not asked for is `None`.
type Words = [Option<String>; NAMES.len()];

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    groups: [Option<usize>; NAMES.len()],
    repeats: bool,
}

#[derive(Debug)]
struct Rule {
    severity: String,
    patterns: Vec<Pattern>,
}

/// One problem-matcher file, ready to read any number of outputs.
#[derive(Debug, Clone)]
pub struct Matcher {
    rules: Arc<[Rule]>,
}

impl Matcher {
    /// Reads a problem-matcher file, as documented in
    /// <https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md>.
    ///
    /// # Errors
    /// When it is no such file, or breaks a rule that GitHub's runner holds it to.
    pub fn from_json(json: &[u8]) -> Result<Self, MatcherError> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let file: File = serde_json::from_slice(json).map_err(|error| MatcherError::Json(error.to_string()))?;
        if file.matchers.is_empty() {
            return Err(MatcherError::NoMatcher);
        }
        let mut owners = BTreeSet::new();
        let mut rules = Vec::with_capacity(file.matchers.len());
        for raw in &file.matchers {
            let wrong = |why: String| MatcherError::Rule { owner: shorten(&raw.owner, 80), why };
            if !owners.insert(raw.owner.to_lowercase()) {
                return Err(wrong("the owner is named twice".to_owned()));
            }
            rules.push(rule(raw).map_err(wrong)?);
        }
        Ok(Self { rules: rules.into() })
    }

    /// Starts to read one output.
    #[must_use]
    pub fn start(&self) -> Box<dyn LineParser> {
        let running = self.rules.iter().map(|rule| vec![None; rule.patterns.len() - 1]).collect();
        Box::new(Reading {
            rules: Arc::clone(&self.rules),
            running,
            findings: Vec::new(),
            folders: Entered::default(),
            lines: 0,
            matched: 0,
            unknown: 0,
            without_message: 0,
            without_level: 0,
        })
    }
}

fn rule(raw: &Raw) -> Result<Rule, String> {
    let severity = raw.severity.clone().unwrap_or_default();
    if raw.owner.is_empty() {
        return Err("`owner` must not be empty".to_owned());
    }
    if !severity.is_empty() && level(&severity).is_none() {
        return Err(format!("`severity` {severity:?} is not error, warning or notice"));
    }
    if raw.pattern.is_empty() {
        return Err("`pattern` is empty".to_owned());
    }
    let mut set = [false; NAMES.len()];
    let mut patterns = Vec::with_capacity(raw.pattern.len());
    for (at, one) in raw.pattern.iter().enumerate() {
        let last = at > 0 && at + 1 == raw.pattern.len();
        patterns.push(pattern(one, last, &mut set).map_err(|why| format!("pattern {}: {why}", at + 1))?);
    }
    if !set[MESSAGE] {
        return Err("no pattern sets `message`".to_owned());
    }
    Ok(Rule { severity, patterns })
}

fn pattern(raw: &RawPattern, last: bool, set: &mut [bool; NAMES.len()]) -> Result<Pattern, String> {
    if raw.repeats && !last {
        return Err("only the last of several patterns may set `loop`".to_owned());
    }
    if raw.repeats && raw.message.is_none() {
        return Err("the pattern that sets `loop` must set `message`".to_owned());
    }
    let regex = Regex::new(&ecmascript::translate(&raw.regexp)).map_err(|error| {
        let hint = "look-around and back references are not supported";
        format!("`regexp` {:?} cannot be used ({hint}): {error}", shorten(&raw.regexp, 200))
    })?;
    let groups = [
        raw.file,
        raw.from_path,
        raw.line,
        raw.column,
        raw.end_line,
        raw.end_column,
        raw.code,
        raw.message,
        raw.severity,
    ];
    for (at, name) in NAMES.iter().enumerate() {
        let Some(group) = groups[at] else { continue };
        if set[at] {
            return Err(format!("`{name}` is set twice"));
        }
        if group >= regex.captures_len() {
            return Err(format!("`{name}` is group {group}, but the regexp has {}", regex.captures_len() - 1));
        }
        set[at] = true;
    }
    Ok(Pattern { regex, groups, repeats: raw.repeats })
}

const FILE: usize = 0;
const FROM_PATH: usize = 1;
const LINE: usize = 2;
const CODE: usize = 6;
const MESSAGE: usize = 7;
const SEVERITY: usize = 8;

struct Reading {
    rules: Arc<[Rule]>,
    /// For each rule, the match of every pattern but the last.
    running: Vec<Vec<Option<Words>>>,
    findings: Vec<Finding>,
    folders: Entered,
    lines: usize,
    matched: usize,
    /// Lines that no pattern matched.
    unknown: usize,
    without_message: usize,
    without_level: usize,
}

impl LineParser for Reading {
    fn line(&mut self, text: &str) {
        let text = &*without_escapes(text);
        self.lines += usize::from(!text.trim().is_empty());
        self.folders.heeds(text);
        let rules = Arc::clone(&self.rules);
        let mut known = text.trim().is_empty();
        for (at, rule) in rules.iter().enumerate() {
            let (takes, words) = step(rule, &mut self.running[at], text);
            known |= takes;
            let Some(words) = words else { continue };
            for (_, running) in self.running.iter_mut().enumerate().filter(|(other, _)| *other != at) {
                running.fill(None);
            }
            self.matched += 1;
            if self.keep(rule, &words) {
                return;
            }
        }
        self.unknown += usize::from(!known);
    }

    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        let mut notes = Vec::new();
        if !complete {
            notes.push(NO_LINE_END.to_owned());
        }
        if self.without_message > 0 {
            let lines = count(self.without_message, "matched line has", "matched lines have");
            notes.push(format!("{lines} no message and were left out, as GitHub's runner does"));
        }
        if self.without_level > 0 {
            let lines = count(self.without_level, "matched line has", "matched lines have");
            notes.push(format!(
                "{lines} a severity other than error, warning and notice and were left out, as GitHub's runner does"
            ));
        }
        if self.lines > 0 && self.matched == 0 {
            notes.push(format!("the matcher found nothing in the output ({})", count(self.lines, "line", "lines")));
        }
        let (findings, columns, not_understood) = (self.findings, ColumnUnit::Scalars, self.unknown);
        Ok(Parsed { findings, columns, notes, not_understood, ..Parsed::default() })
    }
}

impl Reading {
    /// Makes a finding of a match, unless the runner would make none.
    fn keep(&mut self, rule: &Rule, words: &Words) -> bool {
        let word = |at: usize| words[at].as_deref().filter(|word| !word.trim().is_empty());
        let Some(message) = word(MESSAGE) else {
            self.without_message += 1;
            return false;
        };
        let severity = words[SEVERITY].as_deref().filter(|word| !word.is_empty()).unwrap_or(&rule.severity);
        let Some(level) = (if severity.is_empty() { Some(Level::Error) } else { level(severity) }) else {
            self.without_level += 1;
            return false;
        };
        let mut finding = Finding {
            rule: word(CODE).map(|code| code.trim().to_owned()),
            level,
            message: message.trim().to_owned(),
            path: word(FILE).map(|file| rooted(file, word(FROM_PATH))),
            ..Finding::default()
        };
        let number = |at: usize| words[at].as_deref().and_then(plain_number);
        let range = Range {
            line: number(LINE),
            column: number(LINE + 1),
            end_line: number(LINE + 2),
            end_column: number(LINE + 3),
        };
        range.apply(&mut finding);
        self.folders.apply(&mut finding);
        self.findings.push(finding);
        true
    }
}

/// Gives one line to one rule: whether a pattern matches it, and the words of a whole match, when the last pattern
/// completes it. The patterns are tried from the last to the first, so that a line that ends one match may begin another.
fn step(rule: &Rule, running: &mut [Option<Words>], text: &str) -> (bool, Option<Words>) {
    let last = rule.patterns.len() - 1;
    let mut takes = false;
    for at in (0..=last).rev() {
        let before = at.checked_sub(1);
        if before.is_some_and(|before| running[before].is_none()) {
            continue;
        }
        let pattern = &rule.patterns[at];
        let matched = pattern.regex.captures(text);
        let earlier = before.and_then(|before| running[before].clone());
        takes |= matched.is_some();
        match (matched, at == last) {
            (Some(captures), true) => {
                let words = words(earlier.as_ref(), pattern, &captures);
                running.fill(None);
                if let (true, Some(before)) = (pattern.repeats, before) {
                    running[before] = earlier;
                }
                return (true, Some(words));
            }
            (Some(captures), false) => running[at] = Some(words(earlier.as_ref(), pattern, &captures)),
            (None, true) => {
                if let Some(before) = before {
                    running[before] = None;
                }
            }
            (None, false) => running[at] = None,
        }
    }
    (takes, None)
}

fn words(earlier: Option<&Words>, pattern: &Pattern, captures: &Captures<'_>) -> Words {
    std::array::from_fn(|at| {
        earlier.and_then(|earlier| earlier[at].clone()).or_else(|| {
            pattern.groups[at].map(|group| captures.get(group).map_or("", |found| found.as_str()).to_owned())
        })
    })
}

/// Digits and nothing else.
fn plain_number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A relative file lies beside the file that `fromPath` names (a project file).
fn rooted(file: &str, from: Option<&str>) -> String {
    let absolute = file.starts_with(['/', '\\']) || file.as_bytes().get(1) == Some(&b':');
    match from.filter(|_| !absolute).and_then(|from| from.rsplit_once(['/', '\\'])) {
        Some((folder, _)) => format!("{folder}/{file}"),
        None => file.to_owned(),
    }
}

fn level(word: &str) -> Option<Level> {
    let known = [("error", Level::Error), ("warning", Level::Warning), ("notice", Level::Note)];
    known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Folder;
    use crate::parse::Lines;

    fn matcher(matchers: &str) -> Result<Matcher, MatcherError> {
        Matcher::from_json(format!("{{\"problemMatcher\": [{matchers}]}}").as_bytes())
    }

    fn read(matchers: &str, text: &str) -> Parsed {
        let mut lines = Lines::new(matcher(matchers).unwrap().start());
        lines.feed(text.as_bytes());
        lines.end().unwrap()
    }

    fn messages(parsed: &Parsed) -> Vec<&str> {
        parsed.findings.iter().map(|finding| finding.message.as_str()).collect()
    }

    const THREE: &str = r#"{"owner": "three", "severity": "notice", "pattern": [
        {"regexp": "^file (.*) of (.*)$", "file": 1, "fromPath": 2},
        {"regexp": "^at (\\d+)$", "line": 1},
        {"regexp": "^says (.*?)( \\w+)?$", "message": 1, "severity": 2 LOOP}]}"#;

    #[test]
    fn the_folder_that_make_entered_is_known() {
        let lines = r#"{"owner": "o", "pattern": [{"regexp": "^(.*): says (.*)$", "file": 1, "message": 2}]}"#;
        let parsed = read(lines, "a: says 1\nmake[1]: Entering directory '/r'\nb: says 2\n");
        let folders: Vec<_> = parsed.findings.iter().map(|finding| finding.folders.to_vec()).collect();
        assert_eq!(folders, [vec![], vec![Folder::At("/r".into())]]);
    }

    #[test]
    fn patterns_follow_each_other() {
        let once = THREE.replace("LOOP", "");
        let parsed =
            read(&once, "file a.c of x/y.proj\nat 3\nsays one\nsays two\nfile b.c of y\nsays no\nat 4\nsays no\n");
        assert_eq!((messages(&parsed), parsed.not_understood), (vec!["one"], 4), "the lines that no pattern takes");
        let finding = &parsed.findings[0];
        assert_eq!((finding.path.as_deref(), finding.line, finding.level), (Some("x/a.c"), Some(3), Level::Note));
        let looping = THREE.replace("LOOP", ", \"loop\": true");
        let parsed = read(&looping, "file a.c of y\nat 3\nsays one\nsays two\nelse\nsays three\n");
        assert_eq!(messages(&parsed), ["one", "two"]);
    }

    #[test]
    fn a_match_ends_those_of_the_other_matchers() {
        let two = r#"{"owner": "a", "pattern": [{"regexp": "^(x)$", "file": 1}, {"regexp": "^y(.*)$", "message": 1, "loop": true}]},
                     {"owner": "b", "pattern": [{"regexp": "^b (.*)$", "message": 1}]}"#;
        assert_eq!(messages(&read(two, "x\ny1\nb 2\ny3\nx\ny4\n")), ["1", "2", "4"]);
    }

    #[test]
    fn what_the_runner_drops_is_noted() {
        let one = r#"{"owner": "a", "pattern": [{"regexp": "^(\\w+): (.*)$", "severity": 1, "message": 2}]}"#;
        let parsed = read(one, "ERROR: x\ninfo: y\nwarning:  \n");
        assert_eq!(messages(&parsed), ["x"]);
        let left_out = |what: &str| format!("1 matched line has {what} left out, as GitHub's runner does");
        assert_eq!(
            parsed.notes,
            ["no message and were", "a severity other than error, warning and notice and were"].map(left_out)
        );
        let two = format!(r#"{one}, {{"owner": "b", "pattern": [{{"regexp": "^(.*y|warning.*)$", "message": 1}}]}}"#);
        assert_eq!(
            messages(&read(&two, "info: y\nwarning:  \n")),
            ["info: y", "warning:"],
            "the next one has its turn"
        );
        assert_eq!(read(one, "fine\n").notes, ["the matcher found nothing in the output (1 line)"]);
    }

    #[test]
    fn a_file_that_breaks_the_rules_is_refused() {
        for (matchers, why) in [
            ("", "is empty"),
            (r#"{"pattern": [{"regexp": "(.)", "message": 1}]}"#, "`owner`"),
            (r#"{"owner": "a", "severity": "info", "pattern": [{"regexp": "(.)", "message": 1}]}"#, "`severity`"),
            (r#"{"owner": "a", "pattern": []}"#, "`pattern` is empty"),
            (r#"{"owner": "a", "pattern": [{"regexp": "(.)", "file": 1}]}"#, "no pattern sets `message`"),
            (r#"{"owner": "a", "pattern": [{"regexp": "(.)", "message": 2}]}"#, "group 2"),
            (r#"{"owner": "a", "pattern": [{"regexp": "(?=.)", "message": 0}]}"#, "look-around"),
            (r#"{"owner": "a", "pattern": [{"regexp": ".", "message": 0, "loop": true}]}"#, "`loop`"),
            (r#"{"owner": "a", "pattern": [{"regexp": ".", "message": 0}, {"regexp": ".", "message": 0}]}"#, "twice"),
            (r#"{"owner": "a", "pattern": [{"regexp": ".", "message": -1}]}"#, "problemMatcher"),
        ] {
            let error = matcher(matchers).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let owned_by = |owner: &str| format!(r#"{{"owner": "{owner}", "pattern": [{{"regexp": ".", "message": 0}}]}}"#);
        assert!(matcher(&[owned_by("a"), owned_by("A")].join(",")).is_err());
        assert!(matcher(&[owned_by("a"), owned_by("b")].join(",")).is_ok());
    }

    #[test]
    fn the_place_of_a_match_is_read_whole() {
        let one = r#"{"owner": "a", "pattern": [{"regexp": "^(\\S+) (\\S+) (\\S+) (\\S+) (\\S+) (.*)$", "file": 1,
            "line": 2, "column": 3, "endLine": 4, "endColumn": 5, "message": 6}]}"#;
        let place = |text: &str| {
            let finding = &read(one, text).findings[0];
            (finding.line, finding.column, finding.end_line, finding.end_column)
        };
        assert_eq!(place("a.c 3 4 5 6 x\n"), (Some(3), Some(4), Some(5), Some(6)));
        assert_eq!(place("a.c 3 +4 5x 6 x\n"), (Some(3), None, None, None), "digits and nothing else");
    }

    #[test]
    fn a_line_is_of_the_first_matcher_that_makes_a_finding_of_it() {
        let of = |owner: &str| {
            format!(r#"{{"owner": "{owner}", "pattern": [{{"regexp": "^({owner}?)(.*)$", "code": 1, "message": 2}}]}}"#)
        };
        assert_eq!(messages(&read(&[of("a"), of("b")].join(","), "x\n")), ["x"]);
    }

    #[test]
    fn only_relative_files_lie_beside_a_project() {
        let beside = |file: &str| rooted(file, Some("x/y.proj"));
        assert_eq!(["a.c", "d/a.c"].map(beside), ["x/a.c", "x/d/a.c"]);
        for absolute in ["/a.c", "\\a.c", "C:a.c", "C:\\a.c"] {
            assert_eq!(beside(absolute), absolute);
        }
        assert_eq!((rooted("a.c", Some("y.proj")), rooted("a.c", None)), ("a.c".to_owned(), "a.c".to_owned()));
    }
}
