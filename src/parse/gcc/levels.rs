//! What a tool calls a level, in a word or, as `RuboCop` and pylint do, by a letter.

use crate::model::finding::Level;

/// Of a word.
pub(super) fn level(word: &str) -> Option<Level> {
    Some(match word.to_ascii_lowercase().as_str() {
        "error" | "fatal error" | "fatal" | "internal compiler error" | "sorry, unimplemented" => Level::Error,
        "warning" | "style" | "performance" | "portability" => Level::Warning,
        "note" | "info" | "information" | "remark" | "hint" | "help" => Level::Note,
        _ => return None,
    })
}

/// Of a letter: information, refactor, convention, warning, error, fatal.
fn of_letter(letter: &str) -> Option<Level> {
    Some(match letter {
        "E" | "F" => Level::Error,
        "W" | "C" | "R" => Level::Warning,
        "I" => Level::Note,
        _ => return None,
    })
}

/// `C: [Correctable] Style/StringLiterals: message` of `RuboCop`'s, `W0612: message` and `[W0612(unused-variable), f] message` of
/// pylint's: level, rule and message.
pub(super) fn lettered(message: &str) -> Option<(Level, Option<&str>, &str)> {
    if let Some((code, text)) = of_pylint(message) {
        return Some((of_letter(&code[..1])?, Some(code), text));
    }
    let (letter, text) = message.split_once(": ")?;
    let level = of_letter(letter)?;
    let text =
        ["[Correctable] ", "[Corrected] ", "[Todo] "].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text);
    let is_cop =
        |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains('/') && !name.contains(' ');
    let (cop, text) = match text.split_once(": ").filter(|(name, _)| is_cop(name)) {
        Some((cop, text)) => (Some(cop), text),
        None => (None, text),
    };
    Some((level, cop, text))
}

/// Whether the message is one of pylint's, which counts columns from 0.
pub(super) fn is_of_pylint(message: &str) -> bool {
    of_pylint(message).is_some()
}

fn of_pylint(message: &str) -> Option<(&str, &str)> {
    let (code, text) = match message.strip_prefix('[') {
        Some(rest) => {
            let (words, text) = rest.split_once("] ")?;
            (words.split(['(', ',']).next()?, text)
        }
        None => message.split_once(": ")?,
    };
    let is_code = code.len() == 5
        && code.starts_with(['C', 'E', 'F', 'I', 'R', 'W'])
        && code[1..].bytes().all(|b| b.is_ascii_digit());
    is_code.then_some((code, text.trim_start()))
}
