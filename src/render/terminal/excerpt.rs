//! One finding as rustc would show it: its line, a caret under its columns, its rule and place.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Message, Origin, Renderer, Snippet};

use crate::model::finding;
use crate::model::report::Judged;
use crate::model::text::{clean, one_line, shorten};
use crate::render::terminal::Dress;

/// The most characters of a message.
const MESSAGE: usize = 2_000;

/// The finding with its excerpt where the line is known, else with its place alone.
#[must_use]
pub fn excerpt(judged: &Judged, dress: Dress) -> String {
    let finding = &judged.finding;
    let level = match finding.level {
        finding::Level::Error => Level::ERROR,
        finding::Level::Warning => Level::WARNING,
        finding::Level::Note => Level::NOTE,
    };
    let message = shorten(clean(&finding.message).trim_end(), MESSAGE);
    let (first, further) = message.split_once('\n').unwrap_or((&message, ""));
    let mut title = level.primary_title(first);
    if let Some(rule) = &finding.rule {
        title = title.id(one_line(rule, 120));
    }
    let path = judged
        .path
        .as_ref()
        .map(crate::model::path::RepoPath::as_str)
        .or(finding.path.as_deref())
        .map(|path| one_line(path, 400));
    let mut group = Group::with_title(title);
    match (path, finding.line, &judged.line_text) {
        (Some(path), Some(line), Some(text)) => {
            let text = without_controls(text);
            let span = span(&text, finding.column, same_line_end(judged));
            let snippet = Snippet::source(text)
                .line_start(usize::try_from(line).unwrap_or(1))
                .path(path)
                .annotation(AnnotationKind::Primary.span(span));
            group = group.element(snippet);
        }
        (Some(path), line, _) => {
            let mut origin = Origin::path(path);
            if let Some(line) = line {
                origin = origin.line(usize::try_from(line).unwrap_or(1));
            }
            if let Some(column) = finding.column.filter(|_| line.is_some()) {
                origin = origin.char_column(usize::try_from(column).unwrap_or(1));
            }
            group = group.element(origin);
        }
        (None, ..) => {}
    }
    for line in further.lines() {
        group = group.element(remark(line));
    }
    // Compilers say their hints in the message.
    if let Some(fix) = finding.fix.as_ref().filter(|fix| !further.contains(&fix.description)) {
        // Tools that do not say what their fix does have it described by the message.
        let says_nothing = fix.description.is_empty() || fix.description.trim() == finding.message.trim();
        let words = if says_nothing { "the tool offers a fix" } else { &fix.description };
        group = group.element(Level::HELP.message(one_line(words, 300)));
    }
    let renderer = if dress.colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(dress.width.max(40)).render(&[group])
}

/// A further line of the message, as a note below the excerpt.
fn remark(line: &str) -> Message<'_> {
    match line.split_once(": ") {
        Some(("help", text)) => Level::HELP.message(text),
        Some(("note", text)) => Level::NOTE.message(text),
        _ => Level::NOTE.no_name().message(line),
    }
}

fn same_line_end(judged: &Judged) -> Option<u32> {
    let finding = &judged.finding;
    if finding.end_line.is_none_or(|end| Some(end) == finding.line) { finding.end_column } else { Some(u32::MAX) }
}

/// Controls become spaces one for one, so that columns stay where they are.
fn without_controls(line: &str) -> String {
    line.chars()
        .map(|c| if c != '\t' && (c.is_control() || crate::model::text::is_invisible(c)) { ' ' } else { c })
        .collect()
}

/// The bytes of the columns; the whole line (without its indent) where there is none.
fn span(text: &str, column: Option<u32>, end_column: Option<u32>) -> Range<usize> {
    let byte = |column: u32| {
        let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at)
    };
    let Some(column) = column else {
        return text.len() - text.trim_start().len()..text.trim_end().len().max(text.len() - text.trim_start().len());
    };
    let start = byte(column);
    let end = byte(end_column.filter(|end| *end > column).unwrap_or(column.saturating_add(1)));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_columns() {
        assert_eq!(span("let äb = 1;", Some(5), Some(7)), 4..7);
        assert_eq!(span("  x", None, None), 2..3);
        assert_eq!(span("ab", Some(9), None), 2..2);
        assert_eq!(span("", None, None), 0..0);
        assert_eq!(span("abc", Some(2), Some(u32::MAX)), 1..3);
    }

    #[test]
    fn hints_stand_below_the_line_and_once() {
        let finding = finding::Finding {
            message: "no\nhelp: use: `yes`\n  as said".to_owned(),
            path: Some("a".to_owned()),
            line: Some(1),
            fix: Some(finding::Fix { description: "use".to_owned(), edits: Vec::new() }),
            ..finding::Finding::default()
        };
        let mut judged = Judged {
            finding,
            path: None,
            relevance: None,
            status: None,
            fingerprint: String::new(),
            line_text: Some("no".to_owned()),
            head_line: None,
            offer: None,
            blocking: true,
        };
        let dress = Dress { colour: false, width: 80 };
        let expected = "warning: no\n --> a:1:1\n  |\n1 | no\n  | ^^\n  |\n  = help: use: `yes`\n  =   as said";
        assert_eq!(excerpt(&judged, dress), expected);
        judged.finding.message = "no".to_owned();
        assert!(excerpt(&judged, dress).ends_with("  = help: use"));
        judged.finding.fix = Some(finding::Fix { description: "no".to_owned(), edits: Vec::new() });
        assert!(excerpt(&judged, dress).ends_with("  = help: the tool offers a fix"));
    }
}
