//! A log, line by line and without its colours, of which no more is held at once than the beginning of a line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;

use crate::world::files;

/// A line longer than this many bytes is cut.
const LONGEST: u64 = 4 << 10;

/// The first thing that is seen in a line, as it reads without colours.
///
/// # Errors
/// Why the log cannot be read.
pub(super) fn find<T>(log: &Path, see: impl FnMut(&str) -> Option<T>) -> Result<Option<T>, String> {
    find_in(&files::open(log).map_err(|error| error.to_string())?, see)
}

/// The same in a log that is open: it may be gone from its folder by now.
///
/// # Errors
/// Why the log cannot be read.
pub(super) fn find_in<T>(mut log: &File, mut see: impl FnMut(&str) -> Option<T>) -> Result<Option<T>, String> {
    log.rewind().map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(log);
    let mut line = Vec::new();
    let mut next = || -> io::Result<Option<String>> {
        line.clear();
        if lines.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            lines.skip_until(b'\n')?;
        }
        Ok(Some(plain(&String::from_utf8_lossy(&line))))
    };
    while let Some(line) = next().map_err(|error| error.to_string())? {
        if let Some(found) = see(&line) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A line without the sequences that a terminal takes for colours and the like: `ESC [ … m`.
fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)).map_or(part.len(), |end| end + 1);
        plain.push_str(&part[end..]);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_hide_nothing() {
        assert_eq!(
            plain("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: could not compile `a`\n"),
            "error: could not compile `a`\n"
        );
        assert_eq!(plain("a[0m\u{1b}[2K\u{1b}["), "a[0m");
    }
}
