//! Errorformats, as reviewdog has them from Vim, as a problem matcher: line patterns alone. What a matcher cannot say
//! is refused with the reason, never left out.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Patterns that `gcc` reads just so.
const GCC: [&str; 2] = ["%f:%l:%c: %m", "%f:%l: %m"];
/// Leave out every line that no pattern before them fits, or take nothing from lines that go on with a finding: a reader
/// of lines passes over both anyway.
const REST: [&str; 3] = ["%-G%.%#", "%C%.%#", "%-C%.%#"];
/// What the one letter of `%t` is followed by where it is spelt out, the letter, and what that is.
const SPELT: [(&str, &str, &str); 4] =
    [("rror", "[Ee]", "error"), ("arning", "[Ww]", "warning"), ("nfo", "[Ii]", "notice"), ("ote", "[Nn]", "notice")];

/// What a list of errorformats is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Translated {
    /// A format that gatepost has.
    Format(&'static str),
    /// A problem-matcher file.
    Matcher(String),
}

/// Translates a list. `severity` is what a finding is where the line does not say: `error`, `warning` or `notice`.
///
/// # Errors
/// The pattern that cannot be said as a matcher, and why.
pub(super) fn translate(owner: &str, patterns: &[&str], severity: &str) -> Result<Translated, String> {
    let rest = patterns.iter().rev().take_while(|one| REST.contains(one)).count();
    let telling = &patterns[..patterns.len() - rest];
    if telling.is_empty() {
        return Err("it has no errorformat that finds anything".to_owned());
    }
    if telling.iter().all(|one| GCC.contains(one)) {
        return Ok(Translated::Format("gcc"));
    }
    let spans = |one: &&&str| {
        let kind = one.strip_prefix('%').map(|rest| rest.trim_start_matches(['+', '-']));
        kind.is_some_and(|kind| kind.starts_with(['C', 'Z', 'D', 'X', 'O', 'P', 'Q']))
    };
    if let Some(one) = telling.iter().find(spans) {
        return Err(format!("its errorformats span several lines (`{one}`)"));
    }
    let mut matchers = Vec::new();
    for one in telling.iter().copied() {
        let refused = |why: String| format!("the errorformat `{one}` {why}");
        for line in Line::read(one).map_err(refused)?.by_severity(severity) {
            matchers.push(line.matcher(&format!("{owner}-{}", matchers.len() + 1)));
        }
    }
    let file = json!({ "problemMatcher": matchers });
    Ok(Translated::Matcher(format!("{file:#}\n")))
}

/// One pattern as a regular expression.
#[derive(Debug, Clone, Default)]
struct Line {
    regexp: String,
    groups: Vec<&'static str>,
    /// Where in `regexp` the one letter for the severity goes.
    letter: Option<usize>,
    severity: Option<&'static str>,
}

impl Line {
    fn read(pattern: &str) -> Result<Self, String> {
        let mut line = Self { regexp: "^".to_owned(), ..Self::default() };
        let mut rest = pattern.chars();
        let mut begun = false;
        while let Some(c) = rest.next() {
            match c {
                '%' => line.item(&mut rest, begun)?,
                '\\' => line.literal(rest.next().unwrap_or('\\')),
                other => line.literal(other),
            }
            begun = true;
        }
        line.regexp.push('$');
        if line.groups.contains(&"message") { Ok(line) } else { Err("has no message (`%m`)".to_owned()) }
    }

    fn item(&mut self, rest: &mut std::str::Chars<'_>, begun: bool) -> Result<(), String> {
        let Some(c) = rest.next() else { return Err("ends in `%`".to_owned()) };
        match c {
            // As reviewdog's: a name has no spaces.
            'f' => self.group("file", "(?:[A-Za-z]:)?[^ ]+?"),
            'l' => self.group("line", r"\d+"),
            'c' | 'v' => self.group("column", r"\d+"),
            'e' => self.group("endLine", r"\d+"),
            'k' => self.group("endColumn", r"\d+"),
            'n' => self.group("code", r"\d+"),
            'm' => self.group("message", ".+"),
            't' if self.letter.is_none() => {
                self.letter = Some(self.regexp.len());
                Ok(())
            }
            '%' => {
                self.literal('%');
                Ok(())
            }
            '.' => self.raw("."),
            '#' => self.raw("*"),
            's' | 'o' => self.raw(".+"),
            'r' => self.raw(".*"),
            '\\' => match rest.next() {
                Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => self.raw(&format!("\\{class}")),
                other => Err(format!("has `%\\{}`, which has no like here", other.unwrap_or(' '))),
            },
            '*' => self.repeated(rest),
            'A' if !begun => Ok(()),
            'E' | 'W' | 'I' | 'N' if !begun => {
                self.severity = Some(match c {
                    'E' => "error",
                    'W' => "warning",
                    _ => "notice",
                });
                Ok(())
            }
            '-' | '+' if !begun => {
                let what = format!("has `%{c}{}`", rest.next().unwrap_or(' '));
                Err(format!("{what}: it leaves lines out or takes them whole, which a matcher cannot"))
            }
            other => Err(format!("has `%{other}`, which has no like here")),
        }
    }

    /// `%*[^:]` and `%*\d`: one or more.
    fn repeated(&mut self, rest: &mut std::str::Chars<'_>) -> Result<(), String> {
        match rest.next() {
            Some('\\') => match rest.next() {
                Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => self.raw(&format!("\\{class}+")),
                _ => Err("has a `%*\\` that has no like here".to_owned()),
            },
            Some('[') => {
                let mut class = String::from("[");
                for c in rest.by_ref() {
                    // A bracket that comes first is one of the characters.
                    let first = matches!(class.as_str(), "[" | "[^");
                    match c {
                        ']' if !first => return self.raw(&format!("{class}]+")),
                        ']' | '[' | '\\' | '&' | '~' => class.extend(['\\', c]),
                        other => class.push(other),
                    }
                }
                Err("has a `%*[` without its `]`".to_owned())
            }
            _ => Err("has a `%*` that has no like here".to_owned()),
        }
    }

    fn group(&mut self, name: &'static str, regexp: &str) -> Result<(), String> {
        if self.groups.contains(&name) {
            return Err(format!("names the {name} twice"));
        }
        self.groups.push(name);
        // Writing to a String cannot fail.
        let _ = write!(self.regexp, "({regexp})");
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "one arm of many that may fail")]
    fn raw(&mut self, regexp: &str) -> Result<(), String> {
        self.regexp.push_str(regexp);
        Ok(())
    }

    fn literal(&mut self, c: char) {
        if !(c.is_alphanumeric()
            || c.is_whitespace()
            || matches!(c, ':' | ',' | '_' | '#' | '"' | '\'' | '=' | '<' | '>'))
        {
            self.regexp.push('\\');
        }
        self.regexp.push(c);
    }

    /// A matcher knows severities by whole words; one letter becomes a matcher for each, and one for any other letter.
    fn by_severity(&self, default: &str) -> Vec<Spoken> {
        let fixed = self.severity.unwrap_or(match default {
            "warning" => "warning",
            "notice" => "notice",
            _ => "error",
        });
        let Some(at) = self.letter else {
            return vec![Spoken { regexp: self.regexp.clone(), groups: self.groups.clone(), severity: fixed }];
        };
        let spelt = SPELT.iter().find(|(rest, ..)| self.regexp[at..].starts_with(rest));
        if let Some((_, letter, severity)) = spelt {
            let regexp = format!("{}{letter}{}", &self.regexp[..at], &self.regexp[at..]);
            return vec![Spoken { regexp, groups: self.groups.clone(), severity }];
        }
        let letters = [("[Ee]", "error"), ("[Ww]", "warning"), ("[IiNn]", "notice"), (".", fixed)];
        let spoken = letters.into_iter().map(|(letter, severity)| {
            let regexp = format!("{}{letter}{}", &self.regexp[..at], &self.regexp[at..]);
            Spoken { regexp, groups: self.groups.clone(), severity }
        });
        spoken.collect()
    }
}

/// A line pattern with its severity.
struct Spoken {
    regexp: String,
    groups: Vec<&'static str>,
    severity: &'static str,
}

impl Spoken {
    fn matcher(&self, owner: &str) -> Value {
        let mut pattern = Map::from_iter([("regexp".to_owned(), json!(self.regexp))]);
        pattern.extend(self.groups.iter().enumerate().map(|(at, name)| ((*name).to_owned(), json!(at + 1))));
        json!({ "owner": owner, "severity": self.severity, "pattern": [pattern] })
    }
}
