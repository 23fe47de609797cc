//! Where a SARIF result lies: artifact locations into paths, regions into lines and columns.

use std::collections::HashMap;

use crate::model::finding::{Edit, Finding};
use crate::parse::reading::Range;
use crate::parse::sarif::log::{Artifact, ArtifactLocation, Region};
use crate::parse::uri::{from_uri, scheme};

/// Base ids refer to each other; a circle ends here.
const MOST_BASES: usize = 8;

pub(super) struct Places<'r, 'a> {
    pub artifacts: &'r [Artifact<'a>],
    pub bases: Option<&'r HashMap<String, ArtifactLocation<'a>>>,
}

impl Places<'_, '_> {
    /// The path of a location: absolute for `file:` URIs, relative to what the tool calls its root otherwise.
    pub(super) fn path(&self, location: &ArtifactLocation<'_>) -> Option<String> {
        let artifact = || {
            let index = usize::try_from(location.index?).ok()?;
            self.artifacts.get(index)?.location.as_ref()
        };
        let location = if location.uri.is_some() { location } else { artifact()? };
        let uri = location.uri.as_ref()?.0.as_ref();
        let path = match location.uri_base_id.as_ref() {
            Some(base) => self.resolve(&base.0, uri),
            None => uri.to_owned(),
        };
        Some(from_uri(&path)).filter(|path| !path.is_empty())
    }

    fn resolve(&self, base: &str, uri: &str) -> String {
        let mut path = uri.to_owned();
        let mut base = base;
        for _ in 0..MOST_BASES {
            if is_absolute(&path) {
                break;
            }
            let Some(location) = self.bases.and_then(|bases| bases.get(base)) else { break };
            let root = location.uri.as_ref().map_or("", |uri| uri.0.as_ref());
            // Trivy calls the file system's root the base of paths that are relative to the repository.
            if !root.is_empty() && root != "file:///" && root != "/" {
                let slash = if root.ends_with('/') { "" } else { "/" };
                path = format!("{root}{slash}{path}");
            }
            let Some(next) = location.uri_base_id.as_ref() else { break };
            base = next.0.as_ref();
        }
        path
    }
}

fn is_absolute(uri: &str) -> bool {
    uri.starts_with('/') || scheme(uri).is_some()
}

impl Region {
    /// Puts the region into `finding`. False for a region of offsets, which only the file's text could place.
    pub(super) fn place(self, finding: &mut Finding) -> bool {
        let (line, column) = (self.start_line.0, self.start_column.0);
        let range = Range { line, column, end_line: self.end_line.0, end_column: self.end_column.0 };
        range.apply(finding);
        line.is_some()
    }

    /// The region as an edit; `None` where its end is "the end of the line", which only the file's text tells.
    pub(super) fn edit(self, text: String) -> Option<Edit> {
        let start_line = self.start_line.0?;
        let start_column = self.start_column.0.unwrap_or(1);
        let (end_line, end_column) = (self.end_line.0.unwrap_or(start_line), self.end_column.0?);
        ((start_line, start_column) <= (end_line, end_column)).then_some(Edit {
            start_line,
            start_column,
            end_line,
            end_column,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_has_an_end_that_is_not_before_its_start() {
        let edit = |region: &str| serde_json::from_str::<Region>(region).unwrap().edit("x".to_owned());
        let place = |region: &str| edit(region).map(|e| (e.start_line, e.start_column, e.end_line, e.end_column));
        assert_eq!(place(r#"{"startLine":2,"startColumn":3,"endLine":4,"endColumn":1}"#), Some((2, 3, 4, 1)));
        assert_eq!(place(r#"{"startLine":2,"startColumn":3,"endColumn":3}"#), Some((2, 3, 2, 3)), "an insertion");
        assert_eq!(place(r#"{"startLine":2,"endColumn":3}"#), Some((2, 1, 2, 3)));
        for none in [
            r#"{"startLine":2,"startColumn":3,"endColumn":2}"#,
            r#"{"startLine":2,"startColumn":3,"endLine":1,"endColumn":9}"#,
            r#"{"startLine":2,"startColumn":3}"#,
            r#"{"endLine":2,"endColumn":3}"#,
        ] {
            assert_eq!(place(none), None, "{none}");
        }
    }

    #[test]
    fn a_region_of_one_line_ends_in_it() {
        let place = |region: &str| {
            let mut finding = Finding::default();
            let is_placed = serde_json::from_str::<Region>(region).unwrap().place(&mut finding);
            (is_placed, finding.line, finding.column, finding.end_line, finding.end_column)
        };
        assert_eq!(
            place(r#"{"startLine":2,"startColumn":3,"endColumn":5}"#),
            (true, Some(2), Some(3), Some(2), Some(5))
        );
        assert_eq!(place(r#"{"startLine":2}"#), (true, Some(2), None, None, None));
        assert_eq!(place("{}"), (false, None, None, None, None));
    }

    #[test]
    fn a_path_or_a_uri_may_be_absolute() {
        assert!(["/a", "file:///a"].into_iter().all(is_absolute) && !["a", "a/b"].into_iter().any(is_absolute));
    }
}
