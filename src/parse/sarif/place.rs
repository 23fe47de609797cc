//! Where a SARIF result lies: artifact locations into paths, regions into lines and columns.

use std::collections::HashMap;

use crate::model::finding::{Edit, Finding};
use crate::parse::end_inside;
use crate::parse::sarif::log::{Artifact, ArtifactLocation, Region};

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

/// The scheme of a URI; one letter is a drive of Windows.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let good = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    good.then_some(scheme)
}

/// `file:` URIs and relative references as paths, percent-encoding resolved; other schemes stay as they are.
fn from_uri(uri: &str) -> String {
    let path = match scheme(uri) {
        None => uri,
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => {
            let rest = &uri["file:".len()..];
            match rest.strip_prefix("//") {
                // A host other than this machine is part of the path, as in \\server\share.
                Some(rest) if !rest.starts_with('/') && !rest.starts_with("localhost/") => return decode(&uri[5..]),
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
                None => rest,
            }
        }
        Some(_) => return uri.to_owned(),
    };
    let path = decode(path);
    // `/C:/x` names a drive.
    match path.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => path[1..].to_owned(),
        _ => path,
    }
}

fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.first_chunk::<2>().filter(|hex| *first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    // A file name of another encoding was written raw; it is then taken as it stands.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

impl Region {
    /// Puts the region into `finding`. False for a region of offsets, which only the file's text could place.
    pub(super) fn place(self, finding: &mut Finding) -> bool {
        let Some(line) = self.start_line.0 else { return false };
        finding.line = Some(line);
        finding.column = self.start_column.0;
        finding.end_line = self.end_line.0.or(self.end_column.0.map(|_| line));
        finding.end_column = finding.end_line.and(self.end_column.0);
        end_inside(finding);
        true
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
    fn uris_become_paths() {
        for (uri, path) in [
            ("src/a%20b.js", "src/a b.js"),
            ("file:///home/dev/%C3%A9.js", "/home/dev/é.js"),
            ("file:///C:/x/a.js", "C:/x/a.js"),
            ("file:/x/a.js", "/x/a.js"),
            ("file://localhost/x", "/x"),
            ("file://server/share/a", "//server/share/a"),
            ("https://example.com/a%20b", "https://example.com/a%20b"),
            ("C:\\x\\a.js", "C:\\x\\a.js"),
            ("100%", "100%"),
            ("%zz%+f%é", "%zz%+f%é"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(from_uri(uri), path);
        }
    }

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
    fn a_scheme_has_more_than_one_letter_and_no_other_signs() {
        assert_eq!(["git+ssh://x", "1.2-3:x"].map(scheme), [Some("git+ssh"), Some("1.2-3")]);
        assert_eq!(["C:/x", ":x", "a b:x", "a/b:x", "x"].map(scheme), [None; 5]);
        assert!(["/a", "file:///a"].into_iter().all(is_absolute) && !["a", "a/b"].into_iter().any(is_absolute));
    }
}
