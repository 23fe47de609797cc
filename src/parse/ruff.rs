//! `ruff`: the JSON of `ruff check --output-format json`, with the shapes of its older releases.

use serde::Deserialize;

use crate::model::evidence::{Breakdowns, Parsed};
use crate::model::finding::{ColumnUnit, Edit, Finding, Fix, Level};
use crate::parse::reading::{self, Range};
use crate::parse::{Empty, Format, ParseError, Reader, Stream, arrays};

/// Its row in the table of formats.
pub(super) static FORMAT: Format = Format {
    name: "ruff",
    about: "Ruff with `check --output-format json`",
    stream: Stream::Stdout,
    empty: Empty::Error,
    recognises,
    reader: Reader::Whole(parse),
};

/// An abnormal end, by <https://docs.astral.sh/ruff/linter/#exit-codes>.
const BREAKDOWNS: [i32; 1] = [2];
const EXPECTED: &str = "a JSON array of diagnostics, as `ruff check --output-format json` prints it";

/// An empty array is Ruff's clean report; no other format here has one that means that.
fn recognises(head: &[u8]) -> bool {
    let keys = arrays::keys_of_first(head).unwrap_or_default();
    head.trim_ascii() == b"[]" || ["filename", "code", "location"].iter().all(|own| keys.iter().any(|key| key == own))
}

#[derive(Deserialize)]
struct Diagnostic {
    code: Option<String>,
    message: String,
    filename: String,
    location: Option<Location>,
    end_location: Option<Location>,
    fix: Option<Change>,
    url: Option<String>,
    /// The cell of a notebook, to which rows are relative.
    cell: Option<i64>,
}

#[derive(Deserialize, Clone, Copy)]
struct Location {
    row: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Change {
    applicability: Option<String>,
    message: Option<String>,
    edits: Option<Vec<Replacement>>,
    // Up to 0.0.257 the one edit was the change itself.
    content: Option<String>,
    location: Option<Location>,
    end_location: Option<Location>,
}

#[derive(Deserialize)]
struct Replacement {
    content: Option<String>,
    location: Location,
    end_location: Location,
}

fn parse(input: &[u8]) -> Result<Parsed, ParseError> {
    let (diagnostics, notes) = arrays::read::<Diagnostic>(EXPECTED, input)?;
    let findings = diagnostics.into_iter().map(finding).collect();
    Ok(Parsed {
        findings,
        columns: ColumnUnit::Scalars,
        notes,
        breakdowns: Breakdowns::Of(&BREAKDOWNS),
        ..Parsed::default()
    })
}

fn finding(diagnostic: Diagnostic) -> Finding {
    let level = match diagnostic.code.as_deref() {
        None | Some("invalid-syntax") => Level::Error,
        // Syntax errors and files that cannot be read.
        Some(code) if code.starts_with("E9") => Level::Error,
        Some(_) => Level::Warning,
    };
    let mut finding = Finding {
        rule: diagnostic.code,
        level,
        message: diagnostic.message,
        path: Some(diagnostic.filename),
        help: diagnostic.url,
        ..Finding::default()
    };
    match (diagnostic.cell, diagnostic.location) {
        (Some(cell), Some(at)) => finding.message = format!("cell {cell}, line {}: {}", at.row, finding.message),
        (_, None) => {}
        (None, Some(at)) => {
            let range = Range {
                line: Some(at.row),
                column: Some(at.column),
                end_line: diagnostic.end_location.map(|end| end.row),
                end_column: diagnostic.end_location.map(|end| end.column),
            };
            range.apply(&mut finding);
            finding.fix = diagnostic.fix.and_then(fix);
        }
    }
    finding
}

/// A change that Ruff itself would make unasked: not the unsafe ones.
fn fix(change: Change) -> Option<Fix> {
    let counted_from = match change.applicability.as_deref() {
        // The releases that did not say counted the columns of fixes from 0 (measured with 0.0.241 and 0.0.262).
        None => 0,
        Some("safe" | "Automatic" | "Always" | "Unspecified") => 1,
        Some(_) => return None,
    };
    let edits = match (change.edits, change.location, change.end_location) {
        (Some(edits), _, _) => edits,
        (None, Some(location), Some(end_location)) => {
            vec![Replacement { content: change.content, location, end_location }]
        }
        _ => return None,
    };
    let edits = edits.into_iter().map(|edit| read(edit, counted_from)).collect::<Option<Vec<Edit>>>()?;
    reading::fix(change.message.unwrap_or_default(), edits)
}

fn read(edit: Replacement, counted_from: u32) -> Option<Edit> {
    let (start, end) = (edit.location, edit.end_location);
    let column = |at: Location| at.column.saturating_add(1).checked_sub(counted_from).filter(|&column| column > 0);
    if start.row == 0 || (end.row, end.column) < (start.row, start.column) {
        return None;
    }
    Some(Edit {
        start_line: start.row,
        start_column: column(start)?,
        end_line: end.row,
        end_column: column(end)?,
        text: edit.content.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_its_keys_tell_it() {
        assert!(recognises(br#"[{"code":"F401","filename":"a.py","location":{}}]"#) && recognises(b" [] "));
        for other in [r#"[{"filename":"a.py"}]"#, r#"[{"code":1,"location":{}}]"#, "[{}]", "{}", ""] {
            assert!(!recognises(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn an_edit_that_is_no_range_of_the_file_makes_no_fix() {
        let at = |row, column| Location { row, column };
        let fix = |location, end_location| read(Replacement { content: None, location, end_location }, 1);
        assert!(fix(at(2, 3), at(2, 3)).is_some());
        assert!(fix(at(0, 1), at(2, 1)).is_none());
        assert!(fix(at(2, 3), at(2, 2)).is_none());
        assert!(fix(at(2, 3), at(1, 9)).is_none());
        assert!(fix(at(2, 0), at(2, 1)).is_none());
    }

    #[test]
    fn the_edits_of_a_fix_stand_in_their_order() {
        let edit = |row: u32| {
            format!(
                r#"{{"content":"x","location":{{"row":{row},"column":1}},"end_location":{{"row":{row},"column":2}}}}"#
            )
        };
        let change = format!(r#"{{"applicability":"safe","message":"m","edits":[{},{}]}}"#, edit(5), edit(2));
        let edits = fix(serde_json::from_str(&change).unwrap()).unwrap().edits;
        assert_eq!(edits.iter().map(|edit| edit.start_line).collect::<Vec<_>>(), [2, 5]);
    }
}
