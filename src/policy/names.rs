//! Names in what a tool says.

use crate::model::text::identifiers;

/// Marks in pairs that tools put around a name.
const MARKS: &[(char, char)] =
    &[('\'', '\''), ('"', '"'), ('`', '`'), ('\u{2018}', '\u{2019}'), ('\u{201c}', '\u{201d}')];

/// The names that a message has: the last part of each in marks (`os.path`), and its last word behind a colon
/// (`undefined: x`).
pub(super) fn names(message: &str) -> impl Iterator<Item = &str> {
    let marked = MARKS.iter().flat_map(|(open, close)| {
        let parts = message.split([*open, *close]).skip(1).step_by(2);
        parts.filter(|part| !part.contains(char::is_whitespace)).filter_map(|part| identifiers(part).last())
    });
    let last = message.rsplit_once(": ").map(|(_, rest)| rest).filter(|rest| !rest.contains(char::is_whitespace));
    marked.chain(last.and_then(|rest| identifiers(rest).last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_words() {
        for (message, expected) in [
            ("F821 undefined name 'os'", "os"),
            ("Name \"os\" is not defined  [name-defined]", "os"),
            ("`os.path` imported but unused", "path"),
            ("'a' is assigned a value but never used.", "a"),
            ("Module '\"./add\"' has no exported member 'sum'.", "add sum add"),
            ("undefined: x", "x"),
            ("unused variable \u{2018}y\u{2019}", "y"),
            ("line too long: 90 > 88", ""),
            ("it's one that doesn't", ""),
            ("expected \"a b\"", ""),
        ] {
            assert_eq!(names(message).collect::<Vec<_>>().join(" "), expected, "{message}");
        }
    }
}
