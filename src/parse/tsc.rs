//! `tsc`: what the TypeScript compiler prints, plain and `--pretty`; vue-tsc and others print the same.

use crate::model::evidence::Parsed;
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::without_escapes;
use crate::parse::folders::Entered;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Range, count, ends_with_number, not_understood};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "tsc",
    about: "the TypeScript compiler, plain or with `--pretty`",
    stream: Stream::Both,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Tsc>::default()),
};

fn recognises(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).lines().any(|line| diagnostic(&without_escapes(line)).is_some())
}

/// What the lines after a diagnostic are.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing of it.
    #[default]
    Nothing,
    /// Indented lines go on with its message.
    Message,
    /// Source text and related places, until the next diagnostic.
    Excerpt,
}

#[derive(Default)]
struct Tsc {
    findings: Vec<Finding>,
    folders: Entered,
    after: After,
    pretty: bool,
    /// Errors since the last "Found N errors", and whether that line is still to come.
    errors: usize,
    open: bool,
    /// What all of these lines count.
    promised: usize,
    lines: usize,
    unknown: usize,
    notes: Vec<String>,
}

impl LineParser for Tsc {
    fn line(&mut self, text: &str) {
        let coloured = text.contains('\u{1b}');
        let text = &*without_escapes(text);
        if text.trim().is_empty() {
            if self.pretty && self.after == After::Message {
                self.after = After::Excerpt;
            }
            return;
        }
        self.lines += 1;
        if self.folders.heeds(text) {
            return;
        }
        if let Some((mut finding, pretty)) = diagnostic(text) {
            self.folders.apply(&mut finding);
            self.errors += usize::from(finding.level == Level::Error);
            self.pretty |= pretty || coloured;
            self.open = true;
            self.after = After::Message;
            self.findings.push(finding);
        } else if let Some(promised) = summary(text) {
            self.close(promised);
        } else {
            self.more(text);
        }
    }

    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        let mut notes = self.notes;
        if self.pretty && self.open {
            notes.push("the closing line `Found N errors` is missing: the output may have been cut".to_owned());
        } else if !complete {
            notes.push(NO_LINE_END.to_owned());
        }
        notes.extend(not_understood(self.unknown, self.lines));
        let stops = [
            (
                is_of_syntax as fn(&Finding) -> bool,
                "tsc stops at errors of syntax: the types of the program were not checked",
            ),
            (is_of_options, "tsc stops at errors of its options: the types of the program were not checked"),
        ];
        let stop = stops.iter().find(|(is, _)| self.findings.iter().any(is));
        let errors = self.findings.iter().filter(|finding| finding.level == Level::Error).count();
        let unexplained_exit = if errors < self.promised {
            Some("fewer errors were read than tsc counts: its output is not whole".to_owned())
        } else {
            stop.map(|(_, why)| (*why).to_owned())
        };
        let (findings, columns, not_understood) = (self.findings, ColumnUnit::Utf16, self.unknown);
        Ok(Parsed { findings, columns, notes, not_understood, unexplained_exit, ..Parsed::default() })
    }
}

impl Tsc {
    fn close(&mut self, promised: usize) {
        self.promised = self.promised.saturating_add(promised);
        if promised != self.errors {
            self.notes.push(format!(
                "tsc counts {}, but {} read: the output may have been cut",
                count(promised, "error", "errors"),
                count(self.errors, "was", "were"),
            ));
        }
        self.errors = 0;
        self.open = false;
        // The table of files that follows.
        self.after = After::Excerpt;
    }

    fn more(&mut self, text: &str) {
        let indented = text.starts_with("  ");
        match self.after {
            After::Message if indented => {
                if let Some(last) = self.findings.last_mut() {
                    last.message.push('\n');
                    last.message.push_str(text);
                }
            }
            After::Message if self.pretty => self.after = After::Excerpt,
            After::Excerpt if text.starts_with(|c: char| c.is_ascii_digit() || c == ' ') => {}
            After::Excerpt if text.starts_with("...") || text.starts_with("Errors  Files") => {}
            _ if progress(text) => {}
            _ => {
                self.after = After::Nothing;
                self.unknown += 1;
            }
        }
    }
}

/// Whether the parser or the scanner said it: tsc then looks at no type, in none of the program's files. The codes are those
/// that these two use in TypeScript 5.9, without those that say more of types than of syntax.
fn is_of_syntax(finding: &Finding) -> bool {
    let code = finding.rule.as_deref().and_then(|rule| rule.strip_prefix("TS")?.parse::<u32>().ok());
    code.is_some_and(|code| {
        matches!(code, 1002..=1012 | 1109..=1146 | 1160 | 1161 | 1177..=1181 | 1198 | 1199 | 1260)
            || matches!(code, 1351..=1353 | 1357 | 1359 | 1369 | 1381..=1390 | 1433..=1443 | 1472 | 1477 | 1478)
            || matches!(code, 1487..=1490 | 1499..=1538 | 2657 | 17002 | 17008 | 17014 | 17015)
    })
}

/// Whether it is said of the options or of the program as a whole, in a `tsconfig.json` or without a place: tsc then looks at
/// no type, as `emitFilesAndReportErrors` in TypeScript 5.9 shows. What it merely cannot read of that file, by these codes, it
/// says and goes on.
fn is_of_options(finding: &Finding) -> bool {
    let goes_on = || matches!(finding.rule.as_deref(), Some("TS5023" | "TS5024" | "TS5025" | "TS6046"));
    let of_program = match &finding.path {
        None => true,
        Some(path) => path.rsplit('.').next() == Some("json") && !goes_on(),
    };
    of_program && finding.level == Level::Error
}

/// What `--build` and `--watch` say of themselves: `[10:33:16 AM] …` and the list of projects.
fn progress(text: &str) -> bool {
    text.starts_with("    * ") || (text.starts_with('[') && text.get(1..12).is_some_and(|time| time.contains(':')))
}

/// The number in "Found 12 errors in 2 files." and its relatives.
fn summary(text: &str) -> Option<usize> {
    // Watching prints the time before it.
    let words = text.split_once("] ").filter(|_| text.starts_with('[')).map_or(text, |(_, words)| words);
    let (number, rest) = words.strip_prefix("Found ")?.split_once(' ')?;
    rest.starts_with("error").then(|| number.parse().ok())?
}

/// A finding and whether it is in the pretty shape.
pub(super) fn diagnostic(text: &str) -> Option<(Finding, bool)> {
    if let Some(finding) = coded(text) {
        return Some((finding, false));
    }
    if text.starts_with(' ') {
        return None;
    }
    let plain = text.match_indices("): ").find_map(|(at, found)| {
        let (rest, column) = ends_with_number(&text[..at], ',')?;
        let (path, line) = ends_with_number(rest, '(')?;
        located(path, line, column, &text[at + found.len()..])
    });
    if let Some(finding) = plain {
        return Some((finding, false));
    }
    text.match_indices(" - ").find_map(|(at, found)| {
        let (rest, column) = ends_with_number(&text[..at], ':')?;
        let (path, line) = ends_with_number(rest, ':')?;
        Some((located(path, line, column, &text[at + found.len()..])?, true))
    })
}

fn located(path: &str, line: u32, column: u32, rest: &str) -> Option<Finding> {
    let mut finding = coded(rest).filter(|_| !path.is_empty())?;
    Range { line: Some(line), column: Some(column), ..Range::default() }.apply(&mut finding);
    finding.path = Some(path.to_owned());
    Some(finding)
}

/// `error TS2322: message`
fn coded(text: &str) -> Option<Finding> {
    let (word, rest) = text.split_once(' ')?;
    let level = match word {
        "error" => Level::Error,
        "warning" => Level::Warning,
        "message" | "suggestion" => Level::Note,
        _ => return None,
    };
    let (code, message) = rest.split_once(": ")?;
    let digits = code.strip_prefix("TS")?;
    let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    good.then(|| Finding { rule: Some(code.to_owned()), level, message: message.to_owned(), ..Finding::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Folder;

    fn read(text: &str) -> Parsed {
        FORMAT.parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn paths_may_hold_what_separates() {
        let parsed = read("a (1,2): b(3).ts(4,5): error TS1: x(1,2): error TS2: y\nC:\\a - b.ts:1:2 - error TS3: z\n");
        let path = |at: usize| parsed.findings[at].path.as_deref().unwrap();
        assert_eq!((path(0), parsed.findings[0].message.as_str()), ("a (1,2): b(3).ts", "x(1,2): error TS2: y"));
        assert_eq!(path(1), "C:\\a - b.ts");
    }

    #[test]
    fn the_folder_that_make_entered_is_no_message() {
        let parsed = read("a.ts(1,2): error TS1: x\nmake[1]: Entering directory '/r'\nb.ts(1,2): error TS1: y\n");
        let folders: Vec<_> = parsed.findings.iter().map(|finding| finding.folders.to_vec()).collect();
        assert_eq!((folders, parsed.notes), (vec![vec![], vec![Folder::At("/r".into())]], vec![]));
    }

    #[test]
    fn an_excerpt_is_no_message() {
        let pretty = read("a.ts:1:2 - error TS1: x\n  more\n\n  1 let a\n    ~~~\n\nFound 1 error in a.ts:1\n");
        assert_eq!((pretty.findings[0].message.as_str(), pretty.notes), ("x\n  more", vec![]));
        let close = read("a.ts:1:2 - error TS1: x\n1 let a\n  ~~~\nFound 1 error in a.ts:1\n");
        assert_eq!((close.findings[0].message.as_str(), close.notes), ("x", vec![]));
        let plain = read("a.ts(1,2): error TS1: x\n\n  more\n");
        assert_eq!((plain.findings[0].message.as_str(), plain.notes), ("x\n  more", vec![]));
    }

    #[test]
    fn the_closing_count_is_held_against_the_findings() {
        let one = "a.ts:1:2 - error TS1: x\n\n1 let a\n  ~~~\n\n";
        assert!(read(&format!("{one}\nFound 1 error in a.ts:1\n\n")).notes.is_empty());
        let watched = format!("{one}Found 1 error in a.ts:1\n");
        assert!(read(&format!("{watched}{watched}")).notes.is_empty(), "each count is of its own findings");
        assert_eq!(read(one).notes, ["the closing line `Found N errors` is missing: the output may have been cut"]);
        assert_eq!(
            read(&format!("{one}Found 2 errors in the same file, starting at: a.ts:1\n")).notes,
            ["tsc counts 2 errors, but 1 was read: the output may have been cut"]
        );
        let doubt = |text: &str| read(text).unexplained_exit;
        assert_eq!(
            doubt("Found 3 errors.\n").unwrap(),
            "fewer errors were read than tsc counts: its output is not whole"
        );
        let close = "Found 1 error in a.ts:1\n";
        let two = format!("{one}{one}{close}{close}");
        assert_eq!((doubt(&two), doubt(&format!("{one}{close}"))), (None, None), "two that ran at once");
        assert_eq!(read("[10:33:16 AM] Found 0 errors. Watching for file changes.\n").notes, Vec::<String>::new());
    }

    #[test]
    fn behind_errors_of_syntax_no_type_was_checked() {
        let stops = |codes: &[&str]| {
            let lines = codes.iter().map(|code| format!("a.ts(1,2): error TS{code}: x\n")).collect::<Vec<_>>();
            read(&lines.concat()).unexplained_exit.is_some()
        };
        assert!(stops(&["1005"]) && stops(&["2322", "1109"]) && stops(&["17008"]));
        assert!(!stops(&[]) && !stops(&["2322", "6133"]) && !stops(&["1192"]) && !stops(&["1484"]));
    }

    #[test]
    fn behind_errors_of_options_no_type_was_checked() {
        let stops = |line: &str| read(&format!("{line}: x\n")).unexplained_exit.is_some();
        for line in
            ["tsconfig.json(1,2): error TS5102", "conf/base.json:1:2 - error TS6082", "error TS2688", "error TS5023"]
        {
            assert!(stops(line), "{line}");
        }
        for line in ["tsconfig.json(1,2): error TS5023", "tsconfig.json(1,2): error TS6046", "b.ts(1,2): error TS2688"]
        {
            assert!(!stops(line), "{line}");
        }
    }

    #[test]
    fn other_text_is_counted() {
        assert_eq!(read("Version 6\n").notes, ["nothing of the output was understood (1 line)"]);
        let parsed = read("a.ts(1,2): error TS1: x\n  more\nsh: line 1\n  more\n");
        assert_eq!(parsed.findings[0].message, "x\n  more");
        assert_eq!(parsed.notes, ["2 lines of the output were not understood"]);
    }

    #[test]
    fn what_follows_an_excerpt_or_the_count_is_known_or_counted() {
        let one = "a.ts:1:2 - error TS1: x\n\n1 let a\n  ~~~\n...\n ...\n7 }\n\nFound 1 error in 2 files.\n\n";
        assert!(read(&format!("{one}Errors  Files\n     1  a.ts:1\n")).notes.is_empty());
        assert_eq!(read(&format!("{one}sh: bad\n")).notes, ["1 line of the output was not understood"]);
    }

    #[test]
    fn progress_and_counts_are_told_by_their_shape() {
        for own in ["    * src/tsconfig.json", "[10:33:16 AM] Projects in this build:", "[10:33:16] x"] {
            assert!(progress(own), "{own}");
        }
        for other in ["* x", "10:33:16 AM] x", "[x] y", "[a line without a time: x", "[1:2"] {
            assert!(!progress(other), "{other}");
        }
        assert_eq!(["Found 1 error.", "[10:33:16 AM] Found 2 errors. Watching"].map(summary), [Some(1), Some(2)]);
        assert_eq!(["x] Found 2 errors.", "Found 2 files.", "Found no errors.", "2 errors"].map(summary), [None; 4]);
        let levels =
            ["error", "warning", "message", "suggestion"].map(|word| coded(&format!("{word} TS1: x")).unwrap().level);
        assert_eq!(levels, [Level::Error, Level::Warning, Level::Note, Level::Note]);
        let code = |text: &str| coded(text).and_then(|finding| finding.rule);
        assert_eq!(code("error TS12: x").as_deref(), Some("TS12"));
        assert_eq!(
            ["error TS: x", "error TS1a: x", "error 12: x", "fatal TS12: x", "error TS12"].map(code),
            [const { None }; 5]
        );
    }
}
