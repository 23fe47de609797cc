//! `github`: workflow commands (`::error file=…,line=…::message`), read as GitHub's runner reads them
//! (`src/Runner.Common/ActionCommand.cs`). They are data here: no command is obeyed.

use std::collections::HashSet;

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::without_escapes;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Range, Seen, count};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, gcc};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "github",
    about: "workflow commands (`::error file=…,line=…::message`), printed by tools that know GitHub Actions",
    stream: Stream::Both,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Github>::default()),
};

fn recognises(head: &[u8]) -> bool {
    String::from_utf8_lossy(head)
        .lines()
        .any(|line| command(line).is_some_and(|command| level(&command.name).is_some()))
}

#[derive(Default)]
struct Github {
    findings: Vec<Finding>,
    /// Findings in other lines: only some of the tools of a command may know GitHub Actions.
    others: Vec<Finding>,
    seen: Seen,
    lines: usize,
    commands: usize,
    /// Lines that are neither a command nor a finding.
    unknown: usize,
    unreadable: usize,
    /// A tool's word in another line that it did not come to the end.
    broken_off: bool,
    /// The word that ends `::stop-commands::word`, and how many annotations it has silenced.
    stopped: Option<String>,
    silenced: usize,
}

impl LineParser for Github {
    fn line(&mut self, text: &str) {
        let text = &*without_escapes(text);
        if text.trim().is_empty() {
            return;
        }
        self.lines += 1;
        let obeyed = |command: &Command| {
            let stops = self.stopped.as_deref().unwrap_or("stop-commands");
            !command.inside || level(&command.name).is_some() || command.name.eq_ignore_ascii_case(stops)
        };
        let Some(command) = command(text).filter(obeyed) else {
            self.broken_off |= gcc::says_stopped(text);
            let start = text.trim_start();
            match gcc::in_words(text) {
                _ if ["::error", "::warning", "::notice"].iter().any(|c| start.starts_with(c)) => self.unreadable += 1,
                Some(finding) if self.seen.is_new(&finding) => self.others.push(finding),
                Some(_) => {}
                None => self.unknown += 1,
            }
            return;
        };
        self.commands += 1;
        if let Some(word) = &self.stopped {
            if command.name.eq_ignore_ascii_case(word) {
                self.stopped = None;
            } else {
                self.silenced += usize::from(level(&command.name).is_some());
            }
        } else if command.name.eq_ignore_ascii_case("stop-commands") {
            self.stopped = Some(command.data);
        } else if let Some(level) = level(&command.name) {
            self.findings.push(finding(command, level));
        }
    }

    fn end(mut self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        let mut notes = Vec::new();
        if !complete {
            notes.push(NO_LINE_END.to_owned());
        }
        if self.unreadable > 0 {
            let lines = count(self.unreadable, "line looks", "lines look");
            notes.push(format!("{lines} like a workflow command and could not be read"));
        }
        if self.silenced > 0 {
            let annotations = count(self.silenced, "annotation was", "annotations were");
            notes.push(format!("{annotations} printed between stop-commands and its end, and left out"));
        }
        let others = self.others();
        if !others.is_empty() {
            let findings = count(others.len(), "finding is", "findings are");
            notes.push(format!("{findings} from lines that are no workflow commands"));
        }
        self.findings.extend(others);
        if self.lines > 0 && self.commands == 0 {
            notes.push(format!("no workflow command was printed ({})", count(self.lines, "line", "lines")));
        }
        let unexplained_exit = self.broken_off.then(|| gcc::STOPPED.to_owned());
        let (findings, columns) = (self.findings, ColumnUnit::Scalars);
        let not_understood = self.unknown + self.unreadable;
        Ok(Parsed { findings, columns, notes, not_understood, unexplained_exit, ..Parsed::default() })
    }
}

impl Github {
    /// The findings of other lines, without what a command says too.
    fn others(&mut self) -> Vec<Finding> {
        let mut others = std::mem::take(&mut self.others);
        let place = |finding: &Finding| {
            let path = finding.path.as_deref().map(|path| path.strip_prefix("./").unwrap_or(path).to_owned());
            (path, finding.line)
        };
        let said: HashSet<_> = self.findings.iter().map(|finding| (place(finding), finding.message.as_str())).collect();
        others.retain(|finding| {
            let whole = finding.rule.as_ref().map(|rule| format!("{rule} {}", finding.message));
            let spellings = [Some(finding.message.as_str()), whole.as_deref()];
            !spellings.into_iter().flatten().any(|message| said.contains(&(place(finding), message)))
        });
        others
    }
}

/// A workflow command.
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
    /// Other words stand before it on its line, which are lost where it is none.
    inside: bool,
}

impl Command {
    fn property(&self, name: &str) -> Option<&str> {
        let mut given = self.properties.iter().rev().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        given.next().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.property(name).and_then(|value| value.trim().parse().ok())
    }
}

/// `::name key=value,key=value::data`, else the older `##[name key=value;key=value]data` anywhere in the line.
fn command(text: &str) -> Option<Command> {
    if let Some(rest) = text.trim_start().strip_prefix("::")
        && let Some((info, data)) = rest.split_once("::")
    {
        let known = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == ':');
        return Some(split(info, ',', data, &[("%3A", ":"), ("%2C", ",")])).filter(|command| known(&command.name));
    }
    let (before, rest) = text.split_once("##[")?;
    let (info, data) = rest.split_once(']')?;
    let command = split(info, ';', data, &[("%3B", ";"), ("%5D", "]")]);
    Some(Command { inside: !before.trim().is_empty(), ..command })
}

fn split(info: &str, separator: char, data: &str, marks: &[(&str, &str)]) -> Command {
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let properties = properties
        .trim()
        .split(separator)
        .filter_map(|property| property.split_once('='))
        .map(|(key, value)| (key.to_owned(), unescape(value, marks)))
        .collect();
    let data = if separator == ';' { unescape(data, marks) } else { unescape(data, &[]) };
    Command { name: name.to_owned(), properties, data, inside: false }
}

/// Undoes the escapes; the percent sign comes last, as in the runner.
fn unescape(text: &str, marks: &[(&str, &str)]) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let common = [("%0D", "\r"), ("%0A", "\n")];
    let all = common.iter().chain(marks).chain(&[("%25", "%")]);
    all.fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

fn level(name: &str) -> Option<Level> {
    let known = [("error", Level::Error), ("warning", Level::Warning), ("notice", Level::Note)];
    known.iter().find(|(word, _)| name.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

fn finding(command: Command, level: Level) -> Finding {
    let mut finding = Finding {
        rule: command.property("code").map(str::to_owned),
        level,
        path: command.property("file").map(str::to_owned),
        ..Finding::default()
    };
    let (line, end_line) = (command.number("line"), command.number("endLine"));
    let (column, end_column) = (command.number("col"), command.number("endColumn"));
    // The runner takes the end for a missing start.
    Range { line: line.or(end_line), column: column.or(end_column), end_line, end_column }.apply(&mut finding);
    finding.message = match command.property("title") {
        Some(title) if command.data.is_empty() => title.to_owned(),
        Some(title) => format!("{title}: {}", command.data),
        None => command.data,
    };
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parsed {
        FORMAT.parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn escapes_are_undone_in_order() {
        let parsed = read(
            "  ::Error FILE=a%2Cb%3Ac.py,line=3,endLine=4,col=,title=T%252C::50%25 of%0Atwo%3A\n\
             12:00 ##[warning file=x.c;line=7]semi%3B\n::error::\n",
        );
        let [first, second, third] = &parsed.findings[..] else { panic!("{parsed:?}") };
        assert_eq!(first.message, "T%2C: 50% of\ntwo%3A");
        assert_eq!((first.path.as_deref(), first.line, first.end_line), (Some("a,b:c.py"), Some(3), Some(4)));
        assert_eq!((second.message.as_str(), second.line, second.level), ("semi;", Some(7), Level::Warning));
        assert_eq!((third.message.as_str(), third.level), ("", Level::Error));
        assert!(parsed.notes.is_empty());
        assert_eq!(read("::error title=T::\n").findings[0].message, "T");
    }

    #[test]
    fn a_tool_that_knows_no_commands_is_read_too() {
        let parsed = read(
            "./a.py:2:10: E401 multiple imports\na.ts(1,2): error TS2322: no\nall is well\n\
             ::warning file=old.yaml,line=1::too many spaces\n::error file=a.py,line=2::E401 multiple imports\n\
             ./a.py:2:1: F401 unused\n./a.py:2:1: F401 unused\n",
        );
        let found: Vec<_> = parsed.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(found, ["too many spaces", "E401 multiple imports", "no", "unused"]);
        assert_eq!(parsed.notes, ["2 findings are from lines that are no workflow commands"]);
    }

    #[test]
    fn what_is_left_out_is_said() {
        let parsed =
            read("::stop-commands::tok\n::error::hidden\n::tok::\n::group::x\n::notice::seen\n::error file=a\n");
        assert_eq!(parsed.findings.len(), 1);
        assert_eq!(
            parsed.notes,
            [
                "1 line looks like a workflow command and could not be read",
                "1 annotation was printed between stop-commands and its end, and left out",
            ]
        );
        assert_eq!(read("::::x\n").notes, ["no workflow command was printed (1 line)"]);
        for unreadable in ["  ::error file=a\n", "::error:x::y\n"] {
            assert_eq!(
                read(unreadable).notes,
                [
                    "1 line looks like a workflow command and could not be read",
                    "no workflow command was printed (1 line)"
                ],
                "{unreadable}"
            );
        }
        assert_eq!(read("fine\n").notes, ["no workflow command was printed (1 line)"]);
        assert_eq!(read("::error::cut").notes, [NO_LINE_END]);
    }
}
