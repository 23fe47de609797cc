//! What is wrong with a configuration file, each with its place, and the text that shows it.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::model::text;

/// Blocks that are shown of one file.
const SHOWN: usize = 50;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the file's text.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem whose message says it all.
    #[must_use]
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Everything that is wrong with one file, in file order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", counted(list.len()))]
pub struct Problems {
    text: Arc<str>,
    list: Vec<Problem>,
}

impl Problems {
    /// Problems of the file whose text is `text`.
    #[must_use]
    pub fn new(text: Arc<str>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| (problem.span.start, problem.span.end));
        list.dedup();
        Self { text, list }
    }

    /// The problems.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// One block per problem with its line, a caret and the help; then how many there are. `file` is the name
    /// shown to the user; `colour` adds ANSI styles. Ends with a line feed.
    #[must_use]
    pub fn render(&self, file: &str, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.list.iter().take(SHOWN) {
            let message = one_line(&problem.message);
            let span = self.place(&problem.span);
            let snippet = Snippet::source(&*self.text).path(file).annotation(AnnotationKind::Primary.span(span));
            let mut group = Level::ERROR.primary_title(message).element(snippet);
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(one_line(help)));
            }
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}\n", renderer.render(&[group]));
        }
        let more = self.list.len().saturating_sub(SHOWN);
        let rest = if more > 0 { format!(", {more} of them not shown") } else { String::new() };
        let _ = writeln!(out, "{} in {}{rest}", counted(self.list.len()), one_line(file));
        out
    }

    /// The span, kept inside the text, on character boundaries and, where it has several lines, on its first.
    fn place(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start).min(self.text.len()));
        let line = self.text[start..end].find(['\r', '\n']).map_or(end, |length| start + length);
        start..line
    }
}

fn counted(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

/// The file may be a stranger's: its words must not move the cursor or start a line of their own.
fn one_line(message: &str) -> String {
    text::clean(message).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_span_is_shown_somewhere() {
        let source: Arc<str> = Arc::from("a = 1\r\nb = \"é\"\r\n");
        for (start, end) in [(0, 1), (13, 13), (12, 14), (0, 99), (99, 120), (5, 3), (17, 17)] {
            let problem = Problem::new(start..end, "wrong\nhere \u{1b}[31m").help("mend it");
            let shown = Problems::new(Arc::clone(&source), vec![problem]).render("gatepost.toml", false);
            assert!(shown.starts_with("error: wrong here \n"), "{shown}");
            assert!(shown.contains("gatepost.toml:"), "{shown}");
            assert!(shown.ends_with("\n1 problem in gatepost.toml\n"), "{shown}");
        }
    }
}
