//! The newest line a command printed, for a person who waits. Not for judging: most lines are skipped.

use std::time::Duration;

use tokio::time::Instant;

use crate::mask::{CUT, KeyWatch, MASK, Masker};
use crate::model::text;

/// At most one line in this time is shown.
const PACE: Duration = Duration::from_millis(100);
/// Only the beginning of a long line is looked at, in bytes.
const LONGEST: usize = 1024;
/// What is shown of a line, in characters.
const SHOWN: usize = 200;

/// Watches a stream for its newest complete line.
pub(super) struct LastLine {
    masker: Masker,
    keys: KeyWatch,
    partial: Vec<u8>,
    newest: Option<Vec<u8>>,
    shown_at: Option<Instant>,
}

impl LastLine {
    pub(super) fn new(masker: Masker) -> Self {
        Self { masker, keys: KeyWatch::default(), partial: Vec::new(), newest: None, shown_at: None }
    }

    /// Takes the next bytes. A carriage return ends a line too: progress bars are redrawn by it.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let hidden = self.keys.feed(chunk);
        if hidden > 0 {
            self.partial.clear();
            self.newest = Some(MASK.into());
        }
        let chunk = &chunk[hidden..];
        let ends_line = |byte: &u8| matches!(byte, b'\n' | b'\r');
        // A gate may print gigabytes without one.
        let has_end = chunk.contains(&b'\n') || chunk.contains(&b'\r');
        let Some(end) = has_end.then(|| chunk.iter().rposition(ends_line)).flatten() else {
            self.keep_partial(chunk);
            return;
        };
        let (lines, rest) = chunk.split_at(end);
        let lines = lines.trim_ascii_end();
        if let Some(before) = lines.iter().rposition(ends_line) {
            self.partial.clear();
            self.keep_partial(&lines[before + 1..]);
        } else {
            self.keep_partial(lines);
        }
        let line = std::mem::take(&mut self.partial);
        if !line.trim_ascii().is_empty() {
            self.newest = Some(line);
        }
        self.keep_partial(&rest[1..]);
    }

    /// When a line that waits may be shown; `None` while none waits.
    pub(super) fn due(&self) -> Option<Instant> {
        self.newest.as_ref()?;
        Some(self.shown_at.map_or_else(Instant::now, |at| at + PACE))
    }

    /// Shows the line that waits, cleaned and without secrets.
    pub(super) fn show(&mut self, on_line: &mut dyn FnMut(&str)) {
        if let Some(line) = self.newest.take() {
            self.shown_at = Some(Instant::now());
            on_line(&text::one_line(&self.masker.text(&String::from_utf8_lossy(&line)), SHOWN));
        }
    }

    fn keep_partial(&mut self, bytes: &[u8]) {
        let Some(room) = LONGEST.checked_sub(self.partial.len()) else { return };
        if bytes.len() <= room {
            self.partial.extend_from_slice(bytes);
            return;
        }
        let is_within = |at: usize| bytes[at] & 0xc0 == 0x80;
        let end = (room.saturating_sub(3)..=room).rfind(|at| !is_within(*at)).unwrap_or(room);
        self.partial.extend_from_slice(&bytes[..end]);
        self.partial.extend_from_slice(CUT.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    const SECRET: &str = "hunter2-VerySecret-value";

    fn lines() -> LastLine {
        LastLine::new(Masker::new(&[Secret::new(SECRET.to_owned())]))
    }

    fn shown(chunks: &[&str]) -> Option<String> {
        let mut lines = lines();
        for chunk in chunks {
            lines.feed(chunk.as_bytes());
        }
        let mut seen = None;
        lines.show(&mut |line| seen = Some(line.to_owned()));
        seen
    }

    #[test]
    fn the_newest_complete_line_is_shown() {
        assert_eq!(shown(&["a\nb\nc"]).as_deref(), Some("b"));
        assert_eq!(shown(&["a", "b", "c\n"]).as_deref(), Some("abc"));
        assert_eq!(shown(&["a\nb", "c\r\n\r\n"]).as_deref(), Some("bc"));
        assert_eq!(shown(&["10 %\r50 %\r"]).as_deref(), Some("50 %"));
        assert_eq!(shown(&["no end"]), None);
        assert_eq!(shown(&["\u{1b}[31mred\u{1b}[0m\n"]).as_deref(), Some("red"));
        assert_eq!(shown(&[&"x".repeat(5000), "\n"]).unwrap().chars().count(), SHOWN);
    }
    #[test]
    fn no_part_of_a_secret_is_shown() {
        let cut = format!("{}{SECRET}\n", "x".repeat(SHOWN - 10));
        assert_eq!(shown(&[&cut]), Some("x".repeat(SHOWN - 10) + "***"));
        let long = format!("{}{SECRET}", "x".repeat(5000));
        assert_eq!(shown(&["one\ntwo", &long, "\n"]), Some(format!("two{}…", "x".repeat(SHOWN - 4))));
        let masked = format!("{}{}\n", SECRET.repeat(42), "Ă".repeat(20));
        assert_eq!(shown(&[&masked]), Some("***".repeat(42) + &"Ă".repeat(8) + "…"));
        assert_eq!(shown(&[&SECRET.repeat(50), "\n"]), Some("***".repeat(43) + "…"), "the 43rd is cut");
    }

    #[test]
    fn a_private_key_is_not_shown_line_by_line() {
        let mut lines = lines();
        let mut seen = Vec::new();
        for line in ["one", "-----BEGIN PRIVATE KEY-----", "MIIEvQIB", "ADANBg", "-----END PRIVATE KEY-----", "two"] {
            lines.feed(format!("{line}\n").as_bytes());
            lines.show(&mut |line| seen.push(line.to_owned()));
        }
        assert_eq!(seen, ["one", "***", "***", "***", "***", "two"]);
    }
}
