//! The newest line a command printed, for a person who waits. Not for judging: most lines are skipped.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::text;

/// At most one line in this time is shown.
const PACE: Duration = Duration::from_millis(100);
/// Only the beginning of a long line is looked at, in bytes.
const LONGEST: usize = 1024;
/// Only the end of a large chunk is looked at, in bytes: a gate may print gigabytes that nobody reads.
const LOOKED_AT: usize = 4096;
/// What is shown of a line, in characters.
const SHOWN: usize = 200;

/// Watches a stream for its newest complete line.
#[derive(Default)]
pub(super) struct LastLine {
    partial: Vec<u8>,
    newest: Option<Vec<u8>>,
    shown_at: Option<Instant>,
}

impl LastLine {
    /// Takes the next bytes. A carriage return ends a line too: progress bars are redrawn by it.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let chunk = &chunk[chunk.len().saturating_sub(LOOKED_AT)..];
        let ends_line = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(end) = chunk.iter().rposition(ends_line) else {
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

    /// Shows the line that waits, cleaned.
    pub(super) fn show(&mut self, on_line: &mut dyn FnMut(&str)) {
        if let Some(line) = self.newest.take() {
            self.shown_at = Some(Instant::now());
            on_line(&text::one_line(&String::from_utf8_lossy(&line), SHOWN));
        }
    }

    fn keep_partial(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(chunks: &[&str]) -> Option<String> {
        let mut lines = LastLine::default();
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
}
