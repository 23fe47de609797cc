//! The scripts of a package.json and the commands of a gatepost.toml.

use toml::de::{DeTable, DeValue};

use super::scalar;
use super::script::{Draft, Place};
use super::shell::Shell;
use super::text::{Piece, Source, Wrong};
use crate::model::yaml::{self, Node, Style};

/// The scripts of a package.json, each run by `sh -c`.
///
/// # Errors
/// When it is no JSON.
pub fn package(source: &Source, dir: &str) -> Result<Vec<Draft>, Wrong> {
    let text = source.slice(0..source.chars.len());
    // The tree comes from the reader with places; what is JSON is decided by the one that npm agrees with.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        let line = u32::try_from(error.line()).unwrap_or(1);
        let at = source.line(line.max(1)).start + error.column().saturating_sub(1);
        return Err(Wrong { at: Some(at), what: error.to_string() });
    }
    let root = yaml::read_json(&text).map_err(|error| Wrong { at: None, what: error.to_string() })?;
    let scripts = root.get("scripts").map(Node::entries).unwrap_or_default();
    let script = |(name, value): &(String, Node)| {
        value.text()?;
        Some(Draft {
            place: Place::Package { name: name.clone() },
            piece: scalar::piece(value, source),
            shell: Shell { errexit: false, pipefail: false },
            dir: dir.to_owned(),
            ignored: None,
        })
    };
    Ok(scripts.iter().filter_map(script).collect())
}

/// The commands of the gates of a gatepost.toml.
///
/// # Errors
/// When it is no TOML.
pub fn configuration(source: &Source, dir: &str) -> Result<Vec<Draft>, Wrong> {
    let text = source.slice(0..source.chars.len());
    let chars_before = |byte: usize| text.get(..byte).map_or(0, |before| before.chars().count());
    let document = DeTable::parse(&text).map_err(|error| Wrong {
        at: error.span().map(|span| chars_before(span.start)),
        what: error.message().to_owned(),
    })?;
    let gates = document.get_ref().get("gates").and_then(|gates| gates.get_ref().as_table());
    let mut drafts = Vec::new();
    for (key, gate) in gates.into_iter().flatten() {
        let name = key.get_ref().to_string();
        let Some(gate) = gate.get_ref().as_table() else { continue };
        let Some(command) = gate.get("command") else { continue };
        let folder = gate.get("dir").and_then(|dir| dir.get_ref().as_str()).unwrap_or_default();
        let inside = chars_before(command.span().start)..chars_before(command.span().end);
        let piece = match command.get_ref() {
            DeValue::String(text) => string(text, inside, source),
            // An array is executed directly: its words, as a shell would have to quote them.
            DeValue::Array(words) => {
                let mut piece = source.piece(inside.start..inside.start);
                for word in words {
                    let at = chars_before(word.span().start);
                    let text = word.get_ref().as_str().unwrap_or_default().replace('\'', "'\\''");
                    format!("'{text}' ").chars().for_each(|c| piece.push(c, at));
                }
                piece.end = inside.end;
                piece
            }
            _ => continue,
        };
        drafts.push(Draft {
            place: Place::Gate { name },
            piece,
            shell: Shell { errexit: true, pipefail: true },
            dir: [dir, folder].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
            ignored: None,
        });
    }
    Ok(drafts)
}

/// A string of TOML, whose quotes are one or three.
fn string(text: &str, span: std::ops::Range<usize>, source: &Source) -> Piece {
    let written = source.slice(span.clone());
    let style = if written.starts_with('"') { Style::Double } else { Style::Single };
    let inside = if written.starts_with("\"\"\"") || written.starts_with("'''") {
        // A line end right after the quotes is no part of the text.
        let skipped = 2 + usize::from(written[3..].starts_with('\n'));
        span.start + skipped..span.end - 2
    } else {
        span
    };
    scalar::align(text, style, inside, source)
}
