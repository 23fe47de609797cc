//! Cuts a stream of chunks into lines for the formats that are read line by line.

use crate::model::evidence::Parsed;
use crate::parse::ParseError;
use crate::parse::encoding::Text;

/// A line longer than this many bytes is cut there; the rest of it is dropped and noted.
const LONGEST: usize = 1 << 20;

/// What a format whose end cannot be seen notes when `complete` is false.
pub(super) const NO_LINE_END: &str = "the last line has no line end: the output may have been cut";

/// Reads one line after another.
pub trait LineParser: Send {
    /// Whether a carriage return before the line feed is part of the line (diffs: it is the file's own).
    fn keeps_carriage_returns(&self) -> bool {
        false
    }

    /// Takes one line, without its line end. Invalid UTF-8 is replaced; ANSI colours are still there.
    fn line(&mut self, text: &str);

    /// Says what was understood. `complete` is false when the last line had no line end, which for most
    /// tools means that the output was cut.
    ///
    /// # Errors
    /// When the lines were not of this format, or stop where more was promised.
    fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError>;
}

/// Feeds a [`LineParser`] from chunks of any size.
pub struct Lines {
    parser: Box<dyn LineParser>,
    partial: Vec<u8>,
    /// Something of the open line was dropped.
    dropping: bool,
    /// Lines that were cut.
    cut: usize,
    first: bool,
    text: Text,
}

impl Lines {
    /// Starts with no input.
    #[must_use]
    pub fn new(parser: Box<dyn LineParser>) -> Self {
        Self { parser, partial: Vec::new(), dropping: false, cut: 0, first: true, text: Text::Unknown(Vec::new()) }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, chunk: &[u8]) {
        match self.text.read_on(chunk) {
            None => self.take(chunk),
            Some(text) => self.take(&text),
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|&b| b == b'\n') {
            self.keep(&rest[..at]);
            self.flush();
            rest = &rest[at + 1..];
        }
        self.keep(rest);
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`LineParser::end`].
    pub fn end(mut self) -> Result<Parsed, ParseError> {
        let left = self.text.rest();
        self.take(&left);
        let complete = self.partial.is_empty();
        if !complete {
            self.flush();
        }
        let mut parsed = self.parser.end(complete)?;
        if self.cut > 0 {
            let lines = if self.cut == 1 { "1 line was" } else { &format!("{} lines were", self.cut) };
            parsed.notes.push(format!("{lines} longer than 1 MiB and cut there"));
        }
        Ok(parsed)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST - self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.dropping |= bytes.len() > room;
    }

    fn flush(&mut self) {
        let text = String::from_utf8_lossy(&self.partial);
        let bare = text.strip_suffix('\r').filter(|_| !self.parser.keeps_carriage_returns());
        let mut text = bare.unwrap_or(&text);
        if std::mem::take(&mut self.first) {
            text = text.trim_start_matches('\u{feff}');
        }
        self.parser.line(text);
        self.cut += usize::from(std::mem::take(&mut self.dropping));
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Finding;

    #[derive(Default)]
    struct Collect(Vec<Finding>);

    impl LineParser for Collect {
        fn line(&mut self, text: &str) {
            self.0.push(Finding { message: text.to_owned(), ..Finding::default() });
        }

        fn end(self: Box<Self>, complete: bool) -> Result<Parsed, ParseError> {
            let notes = if complete { vec![] } else { vec![NO_LINE_END.to_owned()] };
            Ok(Parsed { findings: self.0, notes, ..Parsed::default() })
        }
    }

    #[test]
    fn utf16_is_read_whatever_the_chunks() {
        let units: Vec<u16> = "\u{feff}a.c:1: \u{e9}\u{1f600}\nb\n".encode_utf16().collect();
        let expected = ["a.c:1: \u{e9}\u{1f600}", "b"];
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = units.iter().flat_map(|&unit| order(unit)).collect();
            for size in 1..bytes.len() {
                assert_eq!(read(&bytes.chunks(size).collect::<Vec<_>>()).0, expected, "{size}");
            }
            assert_eq!(read(&[&bytes[2..]]).0, expected, "without a mark");
        }
        assert_eq!(read(&[b"a"]).0, ["a"]);
        assert_eq!(read(&[b"a", b"b\n"]).0, ["ab"]);
    }

    fn read(chunks: &[&[u8]]) -> (Vec<String>, Vec<String>) {
        let mut lines = Lines::new(Box::<Collect>::default());
        for chunk in chunks {
            lines.feed(chunk);
        }
        let parsed = lines.end().unwrap();
        (parsed.findings.into_iter().map(|finding| finding.message).collect(), parsed.notes)
    }

    #[test]
    fn chunks_do_not_matter() {
        assert_eq!(read(&["\u{feff}a\r\nb".as_bytes(), b"c\n", b"\nd\n"]).0, ["a", "bc", "", "d"]);
        assert_eq!(read(&[b"a\nb"]), (vec!["a".to_owned(), "b".to_owned()], vec![NO_LINE_END.to_owned()]));
        assert_eq!(read(&[b""]), (vec![], vec![]));
    }

    #[test]
    fn every_cut_line_is_counted_once_wherever_the_chunks_end() {
        let exact = vec![b'x'; LONGEST];
        assert_eq!(read(&[&exact, b"\n"]).1, [""; 0]);
        for chunks in [&[&exact[..], b"y", b"z\n"][..], &[&exact[..], b"yz\n"], &[&exact[..9], &exact, b"\n"]] {
            let (lines, notes) = read(chunks);
            assert_eq!(lines[0].len(), LONGEST);
            assert_eq!(notes, ["1 line was longer than 1 MiB and cut there"]);
        }
        assert_eq!(read(&[&exact, b"y\n", &exact, b"y\n"]).1, ["2 lines were longer than 1 MiB and cut there"]);
    }
}
