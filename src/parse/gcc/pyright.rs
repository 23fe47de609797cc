//! What pyright prints for people: `  /path:line:column - error: message (rule)` under a line with the file alone; a message
//! may go on, further indented, with the rule at its end.

use crate::model::finding::{Finding, Level};
use crate::parse::reading::{Range, ends_with_number};

pub(super) fn finding(text: &str) -> Option<Finding> {
    let text = text.strip_prefix("  ").filter(|text| !text.starts_with(' '))?;
    let (head, (level, message)) = text.match_indices(" - ").find_map(|(at, dash)| {
        let rest = &text[at + dash.len()..];
        let levels = [("error: ", Level::Error), ("warning: ", Level::Warning), ("information: ", Level::Note)];
        let said = levels.iter().find_map(|(word, level)| Some((*level, rest.strip_prefix(word)?)))?;
        Some((&text[..at], said))
    })?;
    let (head, column) = ends_with_number(head, ':')?;
    let (path, line) = ends_with_number(head, ':').filter(|(path, _)| !path.is_empty())?;
    let mut finding = Finding { level, path: Some(path.to_owned()), message: message.to_owned(), ..Finding::default() };
    Range { line: Some(line), column: Some(column), ..Range::default() }.apply(&mut finding);
    take_rule(&mut finding);
    Some(finding)
}

/// Whether the line is one of the message above; some of its spaces are no-break ones.
pub(super) fn goes_on(text: &str) -> bool {
    text.chars().take_while(|c| c.is_whitespace()).count() >= 4
}

/// A further line of its message.
pub(super) fn go_on(finding: &mut Finding, text: &str) {
    finding.message.push('\n');
    finding.message.push_str(text.trim());
    take_rule(finding);
}

fn take_rule(finding: &mut Finding) {
    let Some((text, rule)) = finding.message.strip_suffix(')').and_then(|text| text.rsplit_once(" (")) else { return };
    if rule.starts_with("report") && rule.bytes().all(|b| b.is_ascii_alphanumeric()) {
        (finding.rule, finding.message) = (Some(rule.to_owned()), text.to_owned());
    }
}

/// The file that findings below are in.
pub(super) fn is_heading(text: &str) -> bool {
    let is_absolute = text.starts_with('/') || text.get(1..3).is_some_and(|drive| [":\\", ":/"].contains(&drive));
    is_absolute && [".py", ".pyi", ".ipynb"].iter().any(|end| text.ends_with(end)) && !text.contains(": ")
}

/// Of `7 errors, 1 warning, 0 informations` the errors and warnings.
pub(super) fn counts(text: &str) -> Option<&str> {
    let (counts, last) = text.trim_end().rsplit_once(", ")?;
    let (number, word) = last.split_once(' ')?;
    (number.parse::<usize>().is_ok() && ["information", "informations"].contains(&word)).then_some(counts)
}
