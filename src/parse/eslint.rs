//! `eslint`: the JSON of ESLint's `json` formatter, fixes included.

use serde::Deserialize;

use crate::model::evidence::{Breakdowns, Parsed};
use crate::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use crate::model::text::one_line;
use crate::parse::json::Position;
use crate::parse::reading::{Range, count};
use crate::parse::{Empty, Format, ParseError, Reader, Stream, arrays};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "eslint",
    about: "ESLint with `--format json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Whole(parse),
};

/// "A configuration problem or an internal error", by <https://eslint.org/docs/latest/use/command-line-interface#exit-codes>.
const BREAKDOWNS: [i32; 1] = [2];
const EXPECTED: &str = "a JSON array of files, as `eslint --format json` prints it";

fn recognises(head: &[u8]) -> bool {
    let keys = arrays::keys_of_first(head).unwrap_or_default();
    ["filePath", "messages"].iter().all(|own| keys.iter().any(|key| key == own))
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "filePath")]
    path: String,
    messages: Vec<Complaint>,
    #[serde(rename = "errorCount")]
    errors: Option<usize>,
    #[serde(rename = "warningCount")]
    warnings: Option<usize>,
    source: Option<String>,
    /// The text after `--fix`; what is left to complain about refers to it.
    output: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    rule_id: Option<String>,
    severity: Option<i64>,
    #[serde(default)]
    fatal: bool,
    message: String,
    #[serde(default)]
    line: Position,
    #[serde(default)]
    column: Position,
    #[serde(default)]
    end_line: Position,
    #[serde(default)]
    end_column: Position,
    fix: Option<Replacement>,
}

#[derive(Deserialize)]
struct Replacement {
    /// Offsets into the text without its byte order mark, in UTF-16 code units; -1 is the mark itself.
    range: [i64; 2],
    text: String,
}

impl File {
    fn is_ignored(&self) -> bool {
        !self.messages.is_empty() && self.messages.iter().all(Complaint::is_of_ignored)
    }
}

impl Complaint {
    /// The project itself says that the file is not linted.
    fn is_of_ignored(&self) -> bool {
        self.severity == Some(1) && !self.fatal && self.rule_id.is_none() && self.message.starts_with("File ignored ")
    }
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (files, notes) = arrays::read::<File>(EXPECTED, input)?;
    let mut parsed =
        Parsed { columns: ColumnUnit::Utf16, notes, breakdowns: Breakdowns::Of(&BREAKDOWNS), ..Parsed::default() };
    parsed.nothing = if files.is_empty() {
        Some("the report names no file: nothing was linted")
    } else {
        files
            .iter()
            .all(File::is_ignored)
            .then_some("the report names no file that was not ignored: nothing was linted")
    };
    parsed.notes.extend(parsed.nothing.map(str::to_owned));
    let mut unplaced = 0;
    for file in files {
        let shown = parsed.findings.len();
        let (path, counted) = (file.path.clone(), [file.errors, file.warnings].map(Option::unwrap_or_default));
        let wanted = file.messages.iter().any(|message| message.fix.is_some());
        let text = file.output.as_deref().or(file.source.as_deref()).filter(|_| wanted);
        let offsets = text.map(Offsets::new);
        for message in file.messages {
            let fix = message.fix.as_ref().and_then(|fix| offsets.as_ref()?.fix(fix, &message.message));
            unplaced += usize::from(message.fix.is_some() && fix.is_none());
            parsed.findings.push(finding(&file.path, message, fix));
        }
        let errors = parsed.findings[shown..].iter().filter(|finding| finding.level == Level::Error).count();
        let listed = [errors, parsed.findings.len() - shown - errors];
        if counted[0] > listed[0] || counted[1] > listed[1] {
            let lists = |[errors, warnings]: [usize; 2]| {
                format!("{} and {}", count(errors, "error", "errors"), count(warnings, "warning", "warnings"))
            };
            let path = one_line(&path, 80);
            parsed.unexplained_exit.get_or_insert(format!(
                "the report counts {} in {path} and lists {}: it is not whole",
                lists(counted),
                lists(listed)
            ));
        }
    }
    if unplaced > 0 {
        let left_out = count(unplaced, "fix was", "fixes were");
        parsed.notes.push(format!("{left_out} left out: the report has no source text that they fit"));
    }
    Ok(parsed)
}

fn finding(path: &str, message: Complaint, fix: Option<Fix>) -> Finding {
    let level = match message.severity {
        _ if message.is_of_ignored() => Level::Note,
        Some(1) if !message.fatal => Level::Warning,
        _ => Level::Error,
    };
    let mut finding = Finding {
        help: message.rule_id.as_deref().and_then(help),
        rule: message.rule_id,
        level,
        message: message.message,
        path: Some(path.to_owned()),
        fix,
        ..Finding::default()
    };
    let range = Range {
        line: message.line.0,
        column: message.column.0,
        end_line: message.end_line.0,
        end_column: message.end_column.0,
    };
    range.apply(&mut finding);
    finding
}

/// The page of a rule of ESLint's own; rules of plugins are named `plugin/rule` and have theirs elsewhere.
fn help(rule: &str) -> Option<String> {
    let own = !rule.is_empty() && rule.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    own.then(|| format!("https://eslint.org/docs/latest/rules/{rule}"))
}

/// Finds lines and columns, both in UTF-16 code units, of offsets into a text.
struct Offsets {
    /// The offset at which each line begins.
    starts: Vec<i64>,
    length: i64,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut starts = vec![0];
        let mut length = 0;
        for c in text.chars() {
            length += if c.len_utf16() == 2 { 2 } else { 1 };
            if c == '\n' {
                starts.push(length);
            }
        }
        Self { starts, length }
    }

    fn place(&self, offset: i64) -> Option<(u32, u32)> {
        if !(0..=self.length).contains(&offset) {
            return None;
        }
        let line = self.starts.partition_point(|&start| start <= offset);
        let column = offset - self.starts[line - 1] + 1;
        Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
    }

    fn fix(&self, fix: &Replacement, description: &str) -> Option<Fix> {
        let [start, end] = fix.range;
        if end < start {
            return None;
        }
        let (start_line, start_column) = self.place(start)?;
        let (end_line, end_column) = self.place(end)?;
        let edit = Edit { start_line, start_column, end_line, end_column, text: fix.text.clone() };
        Some(Fix { description: description.to_owned(), edits: vec![edit] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_utf16_units() {
        let offsets = Offsets::new("\u{feff}a😀b\né\n");
        assert_eq!(offsets.place(3), Some((1, 4)));
        assert_eq!(offsets.place(5), Some((2, 1)));
        assert_eq!(offsets.place(7), Some((3, 1)));
        assert_eq!(offsets.place(8), None);
        assert_eq!(offsets.place(-1), None);
    }

    #[test]
    fn pages_are_of_rules_of_eslints_own() {
        assert_eq!(help("no-var").as_deref(), Some("https://eslint.org/docs/latest/rules/no-var"));
        assert_eq!(["", "x/no-var", "@x/no-var", "noVar"].map(help), [const { None }; 4]);
    }

    #[test]
    fn a_fix_is_placed_in_the_source_that_the_report_has() {
        let report = r#"[{"filePath":"/a.js","source":"a\nb\n","messages":[
            {"ruleId":"semi","severity":2,"message":"Missing semicolon.","line":2,"column":2,"fix":{"range":[3,3],"text":";"}}]}]"#;
        let parsed = parse(report.as_bytes()).unwrap();
        let edit = &parsed.findings[0].fix.as_ref().unwrap().edits[0];
        assert_eq!((edit.start_line, edit.start_column, edit.text.as_str()), (2, 2, ";"));
        assert!(parsed.notes.is_empty());
    }

    #[test]
    fn what_a_file_counts_is_listed() {
        let doubt = |counts: &str, messages: &str| {
            let report = format!(r#"[{{"filePath":"/a.js","messages":[{messages}],{counts}}}]"#);
            parse(report.as_bytes()).unwrap().unexplained_exit
        };
        let said =
            "the report counts 3 errors and 2 warnings in /a.js and lists 0 errors and 0 warnings: it is not whole";
        assert_eq!(doubt(r#""errorCount":3,"warningCount":2"#, "").unwrap(), said);
        let one = |severity: u8| format!(r#"{{"ruleId":"x","severity":{severity},"message":"m"}}"#);
        assert!(doubt(r#""errorCount":1"#, &one(1)).is_some(), "of the other level");
        assert_eq!(doubt(r#""errorCount":1,"warningCount":0"#, &one(2)), None);
        assert_eq!(doubt(r#""errorCount":0,"warningCount":0"#, &one(1)), None, "it lists more");
    }

    #[test]
    fn files_that_were_ignored_were_not_looked_at() {
        let nothing = |messages: [&str; 2]| {
            let [a, b] = messages.map(|messages| format!(r#"{{"filePath":"/a.js","messages":[{messages}]}}"#));
            parse(format!("[{a},{b}]").as_bytes()).unwrap().nothing
        };
        let ignored = |why: &str| format!(r#"{{"ruleId":null,"severity":1,"message":"File ignored {why}."}}"#);
        let [by_pattern, unknown] =
            ["because of a matching ignore pattern", "because no matching configuration was supplied"].map(ignored);
        assert!(nothing([&by_pattern, &unknown]).is_some());
        let warning = r#"{"ruleId":"x","severity":1,"message":"File ignored by us"}"#;
        for other in ["", warning, &format!("{unknown},{warning}")] {
            assert_eq!(nothing([&by_pattern, other]), None, "{other}");
        }
        assert!(parse(b"[]").unwrap().nothing.is_some());
    }

    #[test]
    fn a_fix_without_its_source_is_noted() {
        let report = r#"[{"filePath":"/a.js","errorCount":0,"messages":[
            {"ruleId":"semi","severity":2,"message":"Missing semicolon.","line":1,"column":2,"fix":{"range":[1,1],"text":";"}},
            {"ruleId":null,"severity":1,"message":"File ignored because of a matching ignore pattern."},
            {"ruleId":"x/y","severity":1,"fatal":true,"message":"Broken.","line":0,"column":null}]}]"#;
        let parsed = parse(report.as_bytes()).unwrap();
        assert_eq!(parsed.findings.len(), 3);
        assert!(parsed.findings.iter().all(|finding| finding.fix.is_none()));
        assert_eq!(parsed.notes, ["1 fix was left out: the report has no source text that they fit"]);
        let levels: Vec<Level> = parsed.findings.iter().map(|finding| finding.level).collect();
        assert_eq!(levels, [Level::Error, Level::Note, Level::Error]);
        assert_eq!(parsed.findings[2].line, None);
    }
}
