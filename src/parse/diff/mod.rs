//! `diff`: what formatters would change, as unified diffs or in rustfmt's own shape; each run of changed lines is a
//! finding with its fix. The old side of the diff is taken for the judged text.

mod names;
mod run;

use crate::model::evidence::{Breakdowns, Parsed};
use crate::model::finding::{ColumnUnit, Finding, Level};
use crate::model::text::without_escapes;
use crate::parse::lines::NO_LINE_END;
use crate::parse::reading::{Seen, beginning, count};
use crate::parse::{Empty, Format, LineParser, ParseError, Reader, Stream, gcc};
use run::Run;

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "diff",
    about: "unified diffs (`gofmt -d`, `black --diff`, `ruff format --diff`, `git diff`) and `cargo fmt --check`",
    // What tools say beside a diff goes to standard error and would fall into the middle of it.
    stream: Stream::Stdout,
    empty: Empty::Clean,
    recognises,
    reader: Reader::Lines(|| Box::<Diff>::default()),
};

/// An abnormal end of `ruff format`, of gofmt and of diff itself, and of black
/// (<https://docs.astral.sh/ruff/formatter/#exit-codes>, <https://black.readthedocs.io/en/stable/usage_and_configuration/the_basics.html>):
/// a file that cannot be read or parsed is named on standard error alone.
const BREAKDOWNS: [i32; 2] = [2, 123];
/// Those of autopep8, which has 2 for differences: its `EXIT_CODE_ERROR`, and that for its arguments.
const OF_AUTOPEP8: [i32; 2] = [1, 99];
const EXPECTED: &str = "a unified diff, or what `cargo fmt --check` prints";

/// What rustfmt writes behind a coloured line, on a line of its own.
const END_OF_COLOUR: &str = "\u{1b}(B\u{1b}[m";

fn recognises(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut old = false;
    text.lines().any(|line| {
        let line = &*without_escapes(line);
        let new = old && line.starts_with("+++ ");
        old = line.starts_with("--- ");
        new || line.starts_with("diff --git ") || rustfmt_header(line).is_some()
    })
}

/// Where in the input we are.
#[derive(Default)]
enum State {
    /// Between files and hunks.
    #[default]
    Outside,
    /// After `---`.
    Old(Option<String>),
    /// After `+++`, until the first hunk, and between hunks.
    Named(File),
    /// In a hunk, with what is left of it.
    Hunk(File, Hunk),
    /// In a part of rustfmt's, which has no counts.
    Rustfmt(File, Hunk),
}

/// The file of the current hunks.
struct File {
    /// `None` when it would be created.
    old: Option<String>,
    path: String,
    hunks: bool,
}

struct Hunk {
    /// The next old line, from 1.
    line: u32,
    old_left: u64,
    new_left: u64,
    /// Those that ended, each with whether an old line follows it.
    runs: Vec<(Run, bool)>,
    run: Run,
}

#[derive(Default)]
struct Diff {
    findings: Vec<Finding>,
    /// Findings in the lines between: another tool of the command may print no diffs.
    others: Vec<Finding>,
    seen: Seen,
    /// Why they may not be all, by such a tool's word that it did not come to the end.
    doubt: Option<&'static str>,
    state: State,
    /// What a `diff --git` header has said of a file that no hunk has shown so far.
    git: Option<(Option<String>, Vec<String>)>,
    in_git: bool,
    /// Of a tool that has others than most.
    breakdowns: Option<&'static [i32]>,
    /// A `diff` line names a file, and nothing was said of it so far.
    announced: bool,
    /// Whether the last line was nothing but a colour that ends.
    only_colour: bool,
    offset: usize,
    lines: usize,
    unknown: usize,
    broken: Option<ParseError>,
}

impl LineParser for Diff {
    fn keeps_carriage_returns(&self) -> bool {
        true
    }

    fn line(&mut self, text: &str) {
        self.offset += text.len() + 1;
        // Colours begin a line of a diff; an escape inside of one is the file's own.
        let plain = if text.starts_with('\u{1b}') { without_escapes(text) } else { text.into() };
        self.only_colour = text == END_OF_COLOUR;
        self.state = match std::mem::take(&mut self.state) {
            State::Hunk(file, hunk) => self.in_hunk(file, hunk, &plain),
            State::Rustfmt(file, hunk) => self.in_rustfmt(file, hunk, &plain),
            state => self.header(state, plain.trim_end_matches('\r')),
        };
    }

    fn end(mut self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let truncated =
            |what: &str| Err(ParseError::Truncated { expected: EXPECTED, offset: self.offset, what: what.to_owned() });
        match std::mem::take(&mut self.state) {
            State::Old(_) => return truncated("a `---` line without its `+++` line"),
            State::Hunk(_, hunk) if hunk.old_left > 0 || hunk.new_left > 0 => {
                let what = format!("{} old and {} new lines of a hunk are missing", hunk.old_left, hunk.new_left);
                return truncated(&what);
            }
            State::Named(file) if !file.hunks => return truncated("a file without its changes"),
            State::Outside if self.announced => return truncated("a file without its changes"),
            State::Hunk(file, hunk) | State::Rustfmt(file, hunk) => {
                // rustfmt ends its colour on a line of its own, which may be the last.
                self.close(&file, hunk, complete || self.only_colour);
            }
            State::Named(_) | State::Outside => {}
        }
        self.close_git();
        let mut notes = Vec::new();
        if self.only_colour {
            notes
                .push("the output ends in a colour code, as rustfmt's may: it may also have been cut there".to_owned());
        } else if !complete {
            notes.push(NO_LINE_END.to_owned());
        }
        if !self.others.is_empty() {
            let findings = count(self.others.len(), "finding is", "findings are");
            notes.push(format!("{findings} from lines that are no part of a diff"));
        }
        self.findings.append(&mut self.others);
        if self.lines > 0 && self.findings.is_empty() {
            notes.push(format!("no change was found in the output ({})", count(self.lines, "line", "lines")));
        } else if self.unknown > 0 {
            notes.push(format!("{} not part of a diff", count(self.unknown, "line was", "lines were")));
        }
        let breakdowns = Breakdowns::Of(self.breakdowns.unwrap_or(&BREAKDOWNS));
        let (findings, columns, not_understood) = (self.findings, ColumnUnit::Scalars, self.unknown);
        let unexplained_exit = self.doubt.map(str::to_owned);
        Ok(Parsed { findings, columns, notes, not_understood, unexplained_exit, breakdowns, ..Parsed::default() })
    }
}

impl Diff {
    fn header(&mut self, state: State, text: &str) -> State {
        let text = &*without_escapes(text);
        if text.is_empty() {
            return state;
        }
        self.lines += 1;
        self.between(state, text)
    }

    /// A line outside of hunks, by what came before it.
    fn between(&mut self, state: State, text: &str) -> State {
        if let Some((path, line)) = rustfmt_header(text) {
            let file = File { old: Some(path.clone()), path, hunks: true };
            return State::Rustfmt(file, Hunk::rustfmt(line));
        }
        match (state, text) {
            (State::Old(old), _) if text.starts_with("+++ ") => {
                let new = names::header(&text[4..]);
                self.named(old, new.as_deref())
            }
            // It was no name, and this may be the header of a file.
            (State::Old(_), _) => {
                self.unknown += 1;
                self.between(State::Outside, text)
            }
            (state, _) if text.starts_with("@@ ") => match (state, Hunk::read(text)) {
                (State::Named(file), Some(hunk)) => State::Hunk(File { hunks: true, ..file }, hunk),
                (state, hunk) => {
                    let what = if hunk.is_some() { "a hunk of no file" } else { "a hunk that cannot be read" };
                    self.malformed(&format!("{what}: {}", beginning(text)));
                    state
                }
            },
            (_, _) if text.starts_with("--- ") => {
                self.announced = false;
                if text.starts_with("--- original/") {
                    self.breakdowns = Some(&OF_AUTOPEP8);
                }
                State::Old(names::header(&text[4..]))
            }
            (state, _) => self.about_file(state, text),
        }
    }

    fn named(&mut self, old: Option<String>, new: Option<&str>) -> State {
        let Some(path) = names::target(old.as_deref(), new, self.in_git) else {
            return self.not_understood(State::Outside);
        };
        // Hunks say what there is to say of it, but for a file that would be new: that has no old line.
        self.git = None;
        if old.is_none() {
            self.findings.push(whole_file(&path, "the tool would create this file"));
        }
        State::Named(File { old, path, hunks: false })
    }

    /// Lines between the files and hunks.
    fn about_file(&mut self, state: State, text: &str) -> State {
        if let Some(names) = text.strip_prefix("diff --git ") {
            self.close_git();
            self.in_git = true;
            self.announced = true;
            self.git = Some((names::of_git(names), Vec::new()));
            return State::Outside;
        }
        if let Some(path) = text.strip_prefix("Incorrect newline style in ") {
            self.findings.push(whole_file(path, "the tool would change the line ends of this file"));
            return State::Outside;
        }
        if text.starts_with("@@@ ") || text.starts_with("diff --cc ") {
            self.malformed("a combined diff of a merge, which names no single old side");
        }
        if let Some(from) = text.strip_prefix("rename from ")
            && let Some((path, _)) = &mut self.git
        {
            *path = names::header(from);
        }
        if let Some((_, facts)) = &mut self.git {
            let telling = ["old mode ", "new mode ", "rename ", "copy ", "new file", "deleted file", "Binary files "];
            if telling.iter().any(|start| text.starts_with(start)) {
                facts.push(text.to_owned());
                self.announced = false;
                return state;
            }
        }
        if let Some(finding) = names::told_of_two(text).map(|(path, what)| Finding { path, ..whole_file("", &what) }) {
            self.announced = false;
            self.findings.push(finding);
            return State::Outside;
        }
        if text.starts_with("diff ") {
            self.announced = true;
            return State::Outside;
        }
        let known = ["index ", "similarity ", "dissimilarity ", "\\ No newline", "GIT binary patch"];
        if known.iter().any(|start| text.starts_with(start)) {
            return state;
        }
        self.doubt = self.doubt.or_else(|| gcc::says_stopped(text).then_some(gcc::STOPPED));
        match gcc::in_words(text) {
            Some(finding) if self.seen.is_new(&finding) => self.others.push(finding),
            Some(_) => {}
            None => return self.not_understood(state),
        }
        state
    }

    fn malformed(&mut self, got: &str) {
        self.broken.get_or_insert(ParseError::Malformed { expected: EXPECTED, got: got.to_owned() });
    }

    fn not_understood(&mut self, state: State) -> State {
        self.unknown += 1;
        state
    }

    /// A file of git's without a hunk: its mode, its name or its bytes would change.
    fn close_git(&mut self) {
        if let Some((path, facts)) = self.git.take().filter(|(_, facts)| !facts.is_empty()) {
            let mut finding = whole_file("", &format!("the tool would change this file: {}", facts.join(", ")));
            finding.path = path;
            self.findings.push(finding);
        }
    }

    fn in_hunk(&mut self, file: File, mut hunk: Hunk, text: &str) -> State {
        if text.starts_with('\\') {
            hunk.run.no_line_end();
            return State::Hunk(file, hunk);
        }
        if hunk.old_left == 0 && hunk.new_left == 0 {
            self.close(&file, hunk, true);
            return self.header(State::Named(file), text.trim_end_matches('\r'));
        }
        self.lines += 1;
        let (sign, rest) = sign(text);
        match sign {
            '-' if hunk.old_left > 0 => hunk.old_left -= 1,
            '+' if hunk.new_left > 0 => hunk.new_left -= 1,
            ' ' if hunk.old_left > 0 && hunk.new_left > 0 => {
                hunk.old_left -= 1;
                hunk.new_left -= 1;
            }
            _ => {
                self.unknown += 1;
                return State::Hunk(file, hunk);
            }
        }
        hunk.take(sign, rest);
        State::Hunk(file, hunk)
    }

    fn in_rustfmt(&mut self, file: File, mut hunk: Hunk, text: &str) -> State {
        if text.is_empty() {
            // Nothing but a colour that ends.
            return State::Rustfmt(file, hunk);
        }
        let (sign, rest) = sign(text);
        if !matches!(sign, ' ' | '-' | '+') {
            self.close(&file, hunk, true);
            return self.header(State::Outside, text.trim_end_matches('\r'));
        }
        self.lines += 1;
        hunk.take(sign, rest);
        State::Rustfmt(file, hunk)
    }

    fn close(&mut self, file: &File, mut hunk: Hunk, whole: bool) {
        hunk.end_run(false);
        if file.old.is_some() {
            self.findings.append(&mut run::findings(&file.path, hunk.runs, whole));
        }
    }
}

impl Hunk {
    /// `@@ -1,10 +1,13 @@ perhaps a heading`
    fn read(text: &str) -> Option<Self> {
        let (ranges, _) = text.strip_prefix("@@ -")?.split_once(" @@")?;
        let (old, new) = ranges.split_once(" +")?;
        let (line, old_left) = range(old)?;
        let (_, new_left) = range(new)?;
        // A hunk without old lines names the line before it.
        let line = if old_left == 0 { line.checked_add(1)? } else { line };
        Some(Self { line, old_left, new_left, runs: Vec::new(), run: Run::at(line) })
    }

    /// Takes one line, by its sign.
    fn take(&mut self, sign: char, text: &str) {
        match sign {
            '-' => {
                // Additions come after what they replace; before it they are a run of their own.
                if self.run.adds() {
                    self.end_run(true);
                }
                self.run.remove(text);
                self.line = self.line.saturating_add(1);
            }
            '+' => self.run.add(text),
            _ => {
                self.end_run(true);
                self.line = self.line.saturating_add(1);
                self.run = Run::at(self.line);
            }
        }
    }

    fn end_run(&mut self, more: bool) {
        let run = std::mem::replace(&mut self.run, Run::at(self.line));
        if !run.is_empty() {
            self.runs.push((run, more));
        }
    }

    fn rustfmt(line: u32) -> Self {
        Self { line, old_left: 0, new_left: 0, runs: Vec::new(), run: Run::at(line) }
    }
}

fn range(text: &str) -> Option<(u32, u64)> {
    let (line, length) = text.split_once(',').unwrap_or((text, "1"));
    Some((line.parse().ok()?, length.parse().ok()?))
}

/// The sign of a line and what follows; some tools leave the space of an empty context line out.
fn sign(text: &str) -> (char, &str) {
    let mut rest = text.chars();
    match rest.next() {
        None | Some('\r') => (' ', ""),
        Some(sign) => (sign, rest.as_str()),
    }
}

/// `Diff in FILE:5:`, in older releases `Diff in FILE at line 5:`.
fn rustfmt_header(text: &str) -> Option<(String, u32)> {
    let rest = text.strip_prefix("Diff in ")?.strip_suffix(':')?;
    let (path, line) = rest.rsplit_once(" at line ").or_else(|| rest.rsplit_once(':'))?;
    // Windows: the long form of absolute paths.
    let path = path.strip_prefix(r"\\?\").unwrap_or(path);
    Some((path.to_owned(), line.parse().ok().filter(|&line| line > 0)?))
}

fn whole_file(path: &str, message: &str) -> Finding {
    Finding { level: Level::Warning, message: message.to_owned(), path: Some(path.to_owned()), ..Finding::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Parsed, ParseError> {
        FORMAT.parse(text.as_bytes())
    }

    fn truncated(text: &str) -> bool {
        matches!(read(text), Err(ParseError::Truncated { .. }))
    }

    #[test]
    fn a_hunk_that_is_not_whole_is_an_error() {
        let whole = "diff x.orig x\n--- x.orig\n+++ x\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n";
        assert_eq!(read(whole).unwrap().findings.len(), 1);
        for (at, _) in whole.match_indices('\n').take(8).filter(|(at, _)| at + 1 < whole.len()) {
            assert!(truncated(&whole[..=at]), "{at}");
        }
        let cut = read(&whole[..whole.len() - 1]).unwrap();
        assert_eq!(cut.notes, [NO_LINE_END]);
        assert_eq!(cut.findings[0].fix, None);
        let two = read(&format!("{whole}@@ -9 +10 @@\n-e\n+f\n")).unwrap().findings;
        assert!(two.len() == 2 && two.iter().all(|finding| finding.fix.is_some()), "{two:?}");
        assert!(matches!(read("diff --cc x\n@@@ -1 -1 +1 @@@\n"), Err(ParseError::Malformed { .. })));
    }

    #[test]
    fn autopep8_breaks_down_with_another_status_than_others() {
        let breakdowns =
            |old: &str, new: &str| read(&format!("--- {old}\n+++ {new}\n@@ -1 +1 @@\n-a\n+b\n")).unwrap().breakdowns;
        assert_eq!(
            (breakdowns("a.py", "a.py"), breakdowns("original/a.py", "fixed/a.py")),
            (Breakdowns::Of(&[2, 123]), Breakdowns::Of(&[1, 99]))
        );
    }

    #[test]
    fn both_names_of_a_file_tell_a_diff() {
        for own in
            ["--- a\n+++ b\n", "x\n\u{1b}[1m--- a\u{1b}[m\n+++ b\n", "diff --git a/x b/x\n", "Diff in /a.rs:1:\n"]
        {
            assert!(recognises(own.as_bytes()), "{own}");
        }
        for other in ["", "+++ b\n", "--- a\n", "--- a\nx\n+++ b\n", "+++ b\n--- a\n", "diff a b\n"] {
            assert!(!recognises(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_file_without_hunks_is_told_by_its_facts() {
        for facts in [
            "old mode 100644\nnew mode 100755\n",
            "new file mode 100644\n",
            "deleted file mode 100644\n",
            "similarity index 100%\nrename from x\nrename to y\n",
            "Binary files a/x and b/x differ\n",
        ] {
            let parsed = read(&format!("diff --git a/x b/x\n{facts}")).unwrap();
            let paths: Vec<_> = parsed.findings.iter().map(|finding| finding.path.as_deref()).collect();
            assert_eq!((paths, parsed.notes), (vec![Some("x")], vec![]), "{facts}");
        }
        assert!(
            ["", "index 1..2\n", "similarity index 100%\n"]
                .iter()
                .all(|rest| truncated(&format!("diff --git a/x b/x\n{rest}")))
        );
    }

    #[test]
    fn lines_that_move_are_one_change() {
        let parsed = read("--- x\n+++ x\n@@ -1,5 +1,5 @@\n+b\n a\n-b\n c\n d\n-e\n+f\n").unwrap();
        let [moved, changed] = &parsed.findings[..] else { panic!("{parsed:?}") };
        assert_eq!((moved.line, moved.end_line), (Some(1), Some(2)));
        assert_eq!(moved.message, "the tool would change this:\n+b\n-b");
        assert_eq!(moved.fix.as_ref().unwrap().edits.len(), 2);
        assert_eq!((changed.line, changed.end_line), (Some(5), Some(5)));
        let above = read("--- x\n+++ x\n@@ -2 +2,2 @@\n+b\n-a\n+c\n").unwrap();
        let lines: Vec<_> = above.findings.iter().map(|finding| (finding.line, finding.end_line)).collect();
        assert_eq!(lines, [(Some(1), Some(2)), (Some(2), Some(2))], "an old line follows what is put above it");
    }

    #[test]
    fn a_run_is_shown_to_its_twelfth_line() {
        let message = |lines: usize| {
            let text = format!("--- x\n+++ x\n@@ -0,0 +1,{lines} @@\n{}", "+b\n".repeat(lines));
            read(&text).unwrap().findings[0].message.clone()
        };
        assert_eq!(message(12), format!("the tool would add this:{}", "\n+b".repeat(12)));
        assert_eq!(message(13), format!("the tool would add this:{}\n… and 1 more", "\n+b".repeat(12)));
    }

    #[test]
    fn lines_between_files_are_known_or_counted() {
        let one = "diff a b\n--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n";
        let read = |rest: &str| read(&format!("{one}{rest}")).unwrap();
        assert!(read("index 1..2\nsimilarity index 90%\n\\ No newline at end of file\n").notes.is_empty());
        assert_eq!(read("Done.\nBye.\n").notes, ["2 lines were not part of a diff"]);
        assert_eq!(read("--- no second name\nx\n").notes, ["2 lines were not part of a diff"]);
        let ends = read("Incorrect newline style in y\n");
        assert_eq!((ends.findings.len(), ends.findings[1].path.as_deref(), ends.notes.len()), (2, Some("y"), 0));
    }

    #[test]
    fn a_line_that_is_no_name_hides_no_file() {
        let one = "--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n";
        for banner in ["--- :python: black\n", "--- a\n--- b\n"] {
            let parsed = read(&format!("{banner}{one}")).unwrap();
            assert_eq!(parsed.findings.last().unwrap().path.as_deref(), Some("x"), "{banner}");
        }
        for lost in ["@@ -3 +3 @@\n-a\n+b\n", "--- y\n+++ y\n@@ malformed @@\n-a\n+b\n", "--- y\n@@ -3 +3 @@\n-a\n+b\n"]
        {
            assert!(matches!(read(&format!("{lost}{one}")), Err(ParseError::Malformed { .. })), "{lost}");
        }
    }

    #[test]
    fn what_is_told_of_two_files_is_a_finding() {
        for (text, path) in [
            ("Only in gen: new.txt", None),
            ("Binary files checked/a.png and gen/a.png differ", Some("checked/a.png")),
            ("Files checked/a and b.txt and gen/a and b.txt differ", Some("checked/a and b.txt")),
            ("Symbolic links a/x and b/y differ", Some("a/x")),
            ("File p/x is a regular file while file q/x is a directory", Some("p/x")),
        ] {
            let parsed = read(&format!("{text}\n")).unwrap();
            let paths: Vec<_> = parsed.findings.iter().map(|finding| finding.path.as_deref()).collect();
            assert_eq!((paths, parsed.notes), (vec![path], vec![]), "{text}");
        }
        let notes = |text: &str| read(text).unwrap().notes.len();
        assert_eq!(["Files a and b are identical\n", "Only in theory\n", "Files differ\n"].map(notes), [1; 3]);
    }

    #[test]
    fn another_tools_findings_between_the_files_count() {
        let one = "--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n";
        let parsed =
            read(&format!("a.ts(3,1): error TS1: x\n{one}b.py:3:1: F401 unused\nb.py:3:1: F401 unused\n")).unwrap();
        let paths: Vec<_> = parsed.findings.iter().map(|finding| finding.path.as_deref().unwrap()).collect();
        assert_eq!(paths, ["x", "a.ts", "b.py"]);
        assert_eq!(parsed.notes, ["2 findings are from lines that are no part of a diff"]);
        assert_eq!(parsed.unexplained_exit, None);
        let stopped = read(&format!("{one}a.c:1:1: fatal error: gone.h: No such file\n")).unwrap();
        assert_eq!(stopped.unexplained_exit.as_deref(), Some(gcc::STOPPED));
    }

    #[test]
    fn rustfmt_in_its_shapes() {
        let parsed = read("Diff in \\\\?\\C:\\x y\\a.rs at line 3:\n a\n-b\n+c\nDiff in /a.rs:1:\n-b\n").unwrap();
        let path = |at: usize| parsed.findings[at].path.as_deref().unwrap();
        assert_eq!((path(0), parsed.findings[0].line), ("C:\\x y\\a.rs", Some(4)));
        assert_eq!((path(1), parsed.findings[1].line), ("/a.rs", Some(1)));
        for no_line in ["x", "0", ""] {
            let notes = read(&format!("Diff in /a.rs:{no_line}:\n-b\n")).unwrap().notes;
            assert_eq!(notes, ["no change was found in the output (2 lines)"], "{no_line}");
        }
    }

    #[test]
    fn lines_beyond_what_a_hunk_states_are_counted() {
        for (hunk, beyond) in [
            ("@@ -1 +1 @@\n-a\n-b\n+c\n", "1 line was"),
            ("@@ -1 +1 @@\n+a\n+b\n+c\n-d\n", "2 lines were"),
            ("@@ -1 +1,2 @@\n-a\n x\n+b\n+c\n", "1 line was"),
            ("@@ -1,2 +1 @@\n+a\n x\n-b\n-c\n", "1 line was"),
            ("@@ -1 +1 @@\n*** a\n-a\n+b\n", "1 line was"),
        ] {
            let parsed = read(&format!("--- x\n+++ x\n{hunk}")).unwrap();
            assert_eq!(parsed.notes, [format!("{beyond} not part of a diff")], "{hunk}");
        }
    }

    #[test]
    fn a_missing_line_end_is_of_the_line_above_it() {
        let place = |hunk: &str| {
            let parsed = read(&format!("--- x\n+++ x\n{hunk}")).unwrap();
            let edit = parsed.findings[0].fix.as_ref().unwrap().edits[0].clone();
            ((edit.start_line, edit.start_column), (edit.end_line, edit.end_column), edit.text)
        };
        let none = "\\ No newline at end of file\n";
        assert_eq!(place(&format!("@@ -1 +1 @@\n-ab\n{none}+c\n")), ((1, 1), (1, 3), "c\n".to_owned()));
        assert_eq!(place(&format!("@@ -1 +1 @@\n-ab\n+c\n{none}")), ((1, 1), (2, 1), "c".to_owned()));
        assert_eq!(place(&format!("@@ -1 +1,2 @@\n a\n{none}+b\n")), ((2, 1), (2, 1), "b\n".to_owned()));
        assert_eq!(place("@@ -3,0 +4 @@\n+b\n"), ((4, 1), (4, 1), "b\n".to_owned()), "behind line 3");
    }

    #[test]
    fn a_diff_without_a_change_says_how_long_it_was() {
        let notes = read("--- x\n+++ x\n@@ -1,2 +1,2 @@\n a\n b\n").unwrap().notes;
        assert_eq!(notes, ["no change was found in the output (5 lines)"]);
    }

    #[test]
    fn a_file_that_would_move_is_named_as_it_is() {
        let parsed = read("diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n").unwrap();
        assert_eq!(parsed.findings[0].path.as_deref(), Some("old"));
    }
}
