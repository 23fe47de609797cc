//! A detected gate, and its section of gatepost.toml.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::finding::Level;
use crate::model::gate::{Mode, Only};
use crate::model::settings::CommandLine;
use crate::model::text;

/// A gate as it would be written in gatepost.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedGate {
    /// Its name.
    pub name: String,
    /// `lint`, `test`, `command` or `migrations`.
    pub kind: &'static str,
    /// What is run, where the kind runs something.
    pub command: Option<CommandLine>,
    /// Where; `""` is the root.
    pub dir: String,
    /// The format of its output or reports.
    pub format: Option<Cow<'static, str>>,
    /// Keys of the kind's own, with their values as TOML.
    pub own: Vec<(&'static str, String)>,
    /// Where its report is written.
    pub reports: Option<String>,
    /// Which findings count, where that is not the default.
    pub only: Option<Only>,
    /// The least level that blocks, where that is not the default.
    pub fail_on: Option<Level>,
    /// Whether its outcome may block.
    pub mode: Mode,
    /// What it was made from.
    pub why: String,
    /// What is to be said beside its outcome: how it is judged, where that is less than one might think.
    pub label: Option<String>,
}

impl DetectedGate {
    /// A command judged by its exit status.
    pub(super) fn by_exit_status(name: &str, dir: &str, command: CommandLine, why: String) -> Self {
        let label = Some("judged by its exit status alone".to_owned());
        Self { command: Some(command), label, ..Self::plain(name, dir, why) }
    }

    /// One of which there is no more than that.
    pub(super) fn plain(name: &str, dir: &str, why: String) -> Self {
        Self {
            name: name.to_owned(),
            kind: "command",
            command: None,
            own: Vec::new(),
            dir: dir.to_owned(),
            format: None,
            reports: None,
            only: None,
            fail_on: None,
            mode: Mode::Block,
            why,
            label: None,
        }
    }

    /// A linter whose findings are read.
    pub(super) fn lint(dir: &str, command: CommandLine, format: &'static str, why: String) -> Self {
        Self {
            kind: "lint",
            format: Some(format.into()),
            only: Some(Only::All),
            label: None,
            ..Self::by_exit_status("lint", dir, command, why)
        }
    }

    /// A test run whose cases are read.
    pub(super) fn test(dir: &str, command: CommandLine, format: &'static str, why: String) -> Self {
        Self {
            kind: "test",
            format: Some(format.into()),
            label: None,
            ..Self::by_exit_status("test", dir, command, why)
        }
    }

    /// For a linter that exits 0 with warnings.
    pub(super) fn errors_block(self) -> Self {
        let label = "warnings are shown and do not block, as the tool itself has it".to_owned();
        Self { fail_on: Some(Level::Error), label: Some(label), ..self }
    }

    /// Its section.
    pub(super) fn to_toml(&self) -> String {
        let said = std::iter::once(&self.why).chain(&self.label);
        let mut out = String::new();
        // Writing to a String cannot fail.
        for said in said {
            let _ = writeln!(out, "# {}", text::one_line(said, 300));
        }
        let command = self.command.as_ref().map(|command| match command {
            CommandLine::Shell(text) => string(text),
            CommandLine::Argv(argv) => {
                format!("[{}]", argv.iter().map(|word| string(word)).collect::<Vec<_>>().join(", "))
            }
        });
        let mut lines = vec![("kind", string(self.kind))];
        lines.extend(command.map(|command| ("command", command)));
        lines.extend(self.own.iter().cloned());
        if !self.dir.is_empty() {
            lines.push(("dir", string(&self.dir)));
        }
        lines.extend(self.format.as_ref().map(|format| ("format", string(format))));
        lines.extend(self.reports.as_ref().map(|report| ("reports", format!("[{}]", string(report)))));
        lines.extend(self.only.map(|only| ("only", format!("{}{}", string(only.word()), way_out(only)))));
        lines.extend(self.fail_on.map(|level| ("fail-on", string(level.word()))));
        if self.mode == Mode::Report {
            lines.push(("mode", string("report")));
        }
        let _ = writeln!(out, "[gates.{}]", key(&self.name));
        for (key, value) in lines {
            let _ = writeln!(out, "{key} = {value}");
        }
        out
    }
}

/// For whom every finding is too many at first: what the default does instead.
fn way_out(only: Only) -> &'static str {
    match only {
        Only::All => {
            " # old findings block too; without this line, only those on a change's lines, or that a baseline does not have"
        }
        _ => "",
    }
}

/// A TOML key: a gate's name may have a dot, which would be two keys.
fn key(name: &str) -> String {
    if name.contains('.') { string(name) } else { name.to_owned() }
}

/// A TOML basic string.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_toml() {
        for text in ["", "plain", "a \"b\" \\ 'c'", "line\nbreak\ttab\u{7f}", "\u{202e}é", "$GATEPOST_OUTPUT/x"] {
            let table: toml::Table = toml::from_str(&format!("x = {}", string(text))).unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
    }
}
